//! What one user allowed one actor.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    /// The consent's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Who allowed it.
    pub user_id: String,
    /// The client through which it was asked.
    pub client_id: String,
    /// Who may act.
    pub actor_id: String,
    /// `active` or `revoked`; this column counts, not the document.
    pub state: String,
    /// When it was given.
    pub created_at: i64,
    /// When it is over.
    pub expires_at: i64,
    /// Grows by one with every change; this column counts, not the document.
    pub version: i64,
    /// The issuer of an identity assertion that brought it, if one did.
    pub brought_by: Option<String>,
    /// When it was ended, if it was.
    pub ended_at: Option<i64>,
    /// The consent as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
