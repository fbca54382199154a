//! A refresh family of which nothing may live any more.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ended_family")]
pub struct Model {
    /// The family.
    #[sea_orm(primary_key, auto_increment = false)]
    pub family_id: String,
    /// When it was ended.
    pub ended_at: i64,
    /// When its last token is over and this row may go.
    pub expires_at: i64,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
