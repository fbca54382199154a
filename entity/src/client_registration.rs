//! How a client that nobody declared came to be here.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client_registration")]
pub struct Model {
    /// The client.
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: String,
    /// `itself` or `document`.
    pub kind: String,
    /// The digest of its registration access token, where it registered itself.
    pub token_digest: Option<String>,
    /// When.
    pub registered_at: i64,
    /// Until when its metadata document need not be fetched again.
    pub fresh_until: Option<i64>,
    /// When it was first seen to be used.
    pub used_at: Option<i64>,
    /// The software statement it came with.
    pub software_statement: Option<String>,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
