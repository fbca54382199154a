//! A client that still has to be told that a session ended.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "logout_delivery")]
pub struct Model {
    /// Session and client in one text.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The session.
    pub session_id: String,
    /// The client.
    pub client_id: String,
    /// Whose session it was.
    pub user_id: String,
    /// When to try next.
    pub due_at: i64,
    /// How often it was tried.
    pub attempts: i32,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
