//! A resource server.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resource_server")]
pub struct Model {
    /// Its resource indicator.
    #[sea_orm(primary_key, auto_increment = false)]
    pub identifier: String,
    /// `config` or `admin`: who declared it.
    pub origin: String,
    /// The resource server as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
