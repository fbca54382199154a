//! A link that works once.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_link")]
pub struct Model {
    /// The digest of its secret part.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// Whom it is for.
    pub user_id: String,
    /// What it is good for.
    pub purpose: String,
    /// When it is over.
    pub expires_at: i64,
    /// When it was used.
    pub taken_at: Option<i64>,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
