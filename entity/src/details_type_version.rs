//! A version of a details type.

use sea_orm::entity::prelude::*;

/// A row; it is never changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "details_type_version")]
pub struct Model {
    /// The `type` of its details.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Which version: 1 is the first.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    /// Since when; 0 where that was before versions were counted.
    pub created_at: i64,
    /// The details type as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
