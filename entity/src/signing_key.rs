//! A key of ours.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    /// Its `kid`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    /// What it signs with.
    pub alg: String,
    /// Where it stands in its life.
    pub state: String,
    /// When it was made.
    pub created_at: i64,
    /// The key as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
