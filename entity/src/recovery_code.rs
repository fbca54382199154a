//! A code for the day when nothing else is at hand.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_code")]
pub struct Model {
    /// The digest of the code and its owner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// Whose it is.
    pub user_id: String,
    /// When it was used.
    pub taken_at: Option<i64>,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
