//! A client that got an ID token in a session, and is told when the session ends.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session_client")]
pub struct Model {
    /// Session and client in one text.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The session.
    pub session_id: String,
    /// The client.
    pub client_id: String,
    /// Whose session it is.
    pub user_id: String,
    /// When nobody remembers any more.
    pub expires_at: i64,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
