//! A piece of work under a consent.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task")]
pub struct Model {
    /// The task's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The task at the top of its tree.
    pub root_id: String,
    /// The task it is a part of.
    pub parent_id: Option<String>,
    /// The consent it is done under.
    pub consent_id: String,
    /// For whom.
    pub user_id: String,
    /// Who does it.
    pub actor_id: String,
    /// Where it stands; this column counts, not the document.
    pub status: String,
    /// When it ends at the latest.
    pub deadline: i64,
    /// Grows by one with every change; this column counts, not the document.
    pub version: i64,
    /// How many tokens may be derived from it at the most.
    pub max_derivations: Option<i64>,
    /// How many were; this column counts, not the document.
    pub derivations: i64,
    /// By whose hand it is suspended; this column counts, not the document.
    pub suspended_by: Option<String>,
    /// The digest of what it was opened with, so that it is opened once.
    pub opening: Option<String>,
    /// The digest of the request it was opened with, where it is opened once.
    pub opened_by: Option<String>,
    /// When it was opened.
    pub created_at: i64,
    /// The task as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
