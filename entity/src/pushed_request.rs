//! A pushed authorization request.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pushed_request")]
pub struct Model {
    /// The digest of the `request_uri`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// Who pushed it.
    pub client_id: String,
    /// When it is over.
    pub expires_at: i64,
    /// When it was used.
    pub taken_at: Option<i64>,
    /// The instance that pushed it, with its client.
    pub instance: Option<String>,
    /// The request as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
