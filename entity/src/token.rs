//! A token, as the lineage knows it.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "token")]
pub struct Model {
    /// Its `jti`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The digest of what was issued, unique.
    pub digest: String,
    /// `access`, `refresh`, or another of the kinds that the lineage knows.
    pub kind: String,
    /// To whom it was issued.
    pub client_id: String,
    /// Whose authority it carries, if a user's.
    pub user_id: Option<String>,
    /// The consent it comes from.
    pub consent_id: Option<String>,
    /// The task it comes from.
    pub task_id: Option<String>,
    /// The token it was derived from.
    pub parent_id: Option<String>,
    /// The refresh family it belongs to.
    pub family_id: Option<String>,
    /// The browser session it hangs on.
    pub session_id: Option<String>,
    /// When it is over.
    pub expires_at: i64,
    /// When it was ended before its time.
    pub ended_at: Option<i64>,
    /// The status list it has a place in.
    pub status_list: Option<String>,
    /// The place.
    pub status_index: Option<i64>,
    /// The instance that it was issued to, with its client.
    pub instance: Option<String>,
    /// The instance that acts in it, where it is one of another client than it was issued to.
    pub actor_instance: Option<String>,
    /// Who acts or speaks in it, where it is another client than it was issued to.
    pub actor_id: Option<String>,
    /// To whom it is handed over.
    pub receiver_id: Option<String>,
    /// The token as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
