//! The version of a details type that a consent was given under.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consent_details_type")]
pub struct Model {
    /// The consent's id and the type's name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The consent.
    pub consent_id: String,
    /// The `type`.
    pub name: String,
    /// Its version.
    pub version: i64,
    /// When the consent is over.
    pub expires_at: i64,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
