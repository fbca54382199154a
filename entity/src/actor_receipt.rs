//! A receipt of who joined a chain (actor receipts).

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "actor_receipt")]
pub struct Model {
    /// The token that was issued at the hop, or the family of the tokens that were.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hop: String,
    /// The signed JWT, byte for byte as it was given.
    pub compact: String,
    /// When nothing can hang on it any more.
    pub expires_at: i64,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
