//! An event that a webhook has to be told.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    /// The digest of the event's `jti` and the webhook's name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// The webhook's name in the configuration.
    pub webhook: String,
    /// When it is to be tried next.
    pub due_at: i64,
    /// How often it was tried.
    pub attempts: i32,
    /// When nobody needs to be told any more.
    pub expires_at: i64,
    /// The event as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
