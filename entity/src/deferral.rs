//! A token request that waits for a person's approval.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deferral")]
pub struct Model {
    /// The digest of the `deferral_code`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// Its id on pages, which is no secret.
    pub id: String,
    /// Who asked.
    pub client_id: String,
    /// Who is to approve.
    pub approver_id: String,
    /// The consent that the token would come from.
    pub consent_id: Option<String>,
    /// The task that it would be of.
    pub task_id: Option<String>,
    /// The token that it would be derived from.
    pub token_id: Option<String>,
    /// The instance that asked, with its client.
    pub instance: Option<String>,
    /// When it is over; once it is approved, when the approval is.
    pub expires_at: i64,
    /// `approved` or `denied`, once it was answered.
    pub answer: Option<String>,
    /// The hash of what was approved, once it was.
    pub approved_hash: Option<String>,
    /// When something that it comes from was ended, or its client gave it up.
    pub ended_at: Option<i64>,
    /// When its token was issued.
    pub taken_at: Option<i64>,
    /// How long the client must wait between two times it asks.
    pub poll_interval: i64,
    /// When it asked last.
    pub polled_at: Option<i64>,
    /// The request, sealed under the `deferral_code`.
    pub request: String,
    /// What is asked of the approver, as JSON.
    pub document: String,
    /// What is needed to tell the client of the answer, sealed; until it was told.
    pub delivery: Option<String>,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
