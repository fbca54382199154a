//! A client that has to be told that its user has answered.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "backchannel_delivery")]
pub struct Model {
    /// The digest of the `auth_req_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// When it is to be tried next.
    pub due_at: i64,
    /// How often it was tried.
    pub attempts: i32,
    /// When nobody needs to be told any more.
    pub expires_at: i64,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
