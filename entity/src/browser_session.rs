//! A browser session.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "browser_session")]
pub struct Model {
    /// The digest of the cookie's value.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Its id in the lineage and the audit log.
    pub session_id: String,
    /// Who is signed in.
    pub user_id: Option<String>,
    /// When it is over.
    pub expires_at: i64,
    /// When it was ended before its time.
    pub ended_at: Option<i64>,
    /// What it remembers, as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
