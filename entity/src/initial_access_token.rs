//! A token that lets somebody register clients.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "initial_access_token")]
pub struct Model {
    /// The digest of it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// For whom it was made, in the words of who made it.
    pub name: String,
    /// How many clients may still be registered with it.
    pub uses_left: i64,
    /// When it is over.
    pub expires_at: i64,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
