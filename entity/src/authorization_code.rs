//! An authorization code.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "authorization_code")]
pub struct Model {
    /// The digest of the code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// Who may redeem it.
    pub client_id: String,
    /// What was approved.
    pub consent_id: String,
    /// When it is over.
    pub expires_at: i64,
    /// When it was redeemed or made void.
    pub redeemed_at: Option<i64>,
    /// How often somebody tried it in vain.
    pub attempts: i32,
    /// The access token that its redemption produced.
    pub token_id: Option<String>,
    /// The code as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
