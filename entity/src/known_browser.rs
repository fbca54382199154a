//! A browser in which somebody signed in before.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "known_browser")]
pub struct Model {
    /// The digest of its cookie and of the user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// Who signed in.
    pub user_id: String,
    /// When it is forgotten.
    pub expires_at: i64,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
