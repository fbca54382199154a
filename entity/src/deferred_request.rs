//! An authorization request whose user is elsewhere.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deferred_request")]
pub struct Model {
    /// The digest of the `device_code` or `auth_req_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// Its id on pages, which is no secret.
    pub id: String,
    /// Who asked.
    pub client_id: String,
    /// Whom it is asked of, where that is known from the start.
    pub user_id: Option<String>,
    /// The digest of the `user_code`, where there is one.
    pub user_code: Option<String>,
    /// When it is over.
    pub expires_at: i64,
    /// When it was answered. The code of this digest is the yes; without one it was a no.
    pub taken_at: Option<i64>,
    /// How long the client must wait between two times it asks.
    pub poll_interval: i64,
    /// When it asked last.
    pub polled_at: Option<i64>,
    /// What is needed to tell the client of the answer, until it is told.
    pub delivery: Option<String>,
    /// The instance that asked, with its client.
    pub instance: Option<String>,
    /// The request as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
