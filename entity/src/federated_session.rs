//! A browser session that began with a sign-in at an upstream OpenID Provider.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "federated_session")]
pub struct Model {
    /// The digest of all of the below but the end.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The session's id in the lineage.
    pub session_id: String,
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `sid`, if the upstream names its sessions.
    pub sid: Option<String>,
    /// When the session is over at the latest.
    pub expires_at: i64,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
