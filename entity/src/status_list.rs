//! A list of the statuses of tokens.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "status_list")]
pub struct Model {
    /// Its id, the last part of its `uri`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// How many places it has.
    pub size: i64,
    /// When all tokens in it are over.
    pub expires_at: i64,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
