//! A passkey: a key that a device keeps for its user (WebAuthn).

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "passkey")]
pub struct Model {
    /// The credential id, in base64url.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// What its owner calls it.
    pub name: String,
    /// How often it signed, as far as it counts.
    pub counter: i64,
    /// When it was added.
    pub created_at: i64,
    /// When it was last used.
    pub used_at: Option<i64>,
    /// Its public key and what is known of it, as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
