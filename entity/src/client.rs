//! A client: what it is lies in `document`, the columns are for finding and judging it.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client")]
pub struct Model {
    /// The `client_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Who declared it: `config`, `admin`, it `registered` itself, or its `document` says it.
    pub origin: String,
    /// `active`, `suspended` or `retired`; this column counts, not the document, which says what was declared last.
    pub status: String,
    /// When an agent ends, or a client that registered itself ended.
    pub expires_at: Option<i64>,
    /// `suspended` or `retired`: how an admin stopped it, if one did. While this stands, the status stays.
    pub halt: Option<String>,
    /// Since when.
    pub halted_at: Option<i64>,
    /// The client as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
