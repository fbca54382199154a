//! Something that may be seen once: the mark that it was.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "replay")]
pub struct Model {
    /// The digest of purpose, owner, target and `jti`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// When the thing is over by itself and the mark may go.
    pub expires_at: i64,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
