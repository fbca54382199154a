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
    /// Since when it stands there.
    pub since: i64,
    /// The longest life of anything it may have signed, in seconds.
    pub longest_life: i64,
    /// The key as JSON; once it is retired, without its private part.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
