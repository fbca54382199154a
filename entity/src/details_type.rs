//! A details type.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "details_type")]
pub struct Model {
    /// The `type` of its details.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// `config` or `admin`: who declared it.
    pub origin: String,
    /// Which version of it this is.
    pub version: i64,
    /// Since when nothing of it can be asked for, if so.
    pub retired_at: Option<i64>,
    /// The details type as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
