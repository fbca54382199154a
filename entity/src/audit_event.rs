//! One line of the audit log.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    /// Its place, from 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    /// When.
    pub time: i64,
    /// What was decided upon.
    pub action: String,
    /// How it was decided.
    pub outcome: String,
    /// The client that asked.
    pub client_id: Option<String>,
    /// The user it is about.
    pub user_id: Option<String>,
    /// The consent.
    pub consent_id: Option<String>,
    /// The root task.
    pub txn: Option<String>,
    /// The event's canonical JSON (RFC 8785).
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
