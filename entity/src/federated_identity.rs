//! An identity at an upstream OpenID Provider, and the account that it belongs to.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "federated_identity")]
pub struct Model {
    /// The digest of issuer and subject.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// Whose it is; none where the link was taken away.
    pub user_id: Option<String>,
    /// How it came to the account.
    pub linked_by: String,
    /// When.
    pub linked_at: i64,
    /// The rights that the upstream gave the account, as JSON.
    pub granted: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
