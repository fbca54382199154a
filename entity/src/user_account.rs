//! A local account.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    /// The `sub`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The username in ASCII lower case, unique.
    pub username_lower: String,
    /// `config` or `admin`: who declared it.
    pub origin: String,
    /// Their e-mail address in lower case, if they have one; several users may have the same.
    pub email_lower: Option<String>,
    /// Whether it may be used; this column counts, not the document, which says what was declared last.
    pub enabled: bool,
    /// Since when an admin keeps it disabled. While this stands, it stays so.
    pub halted_at: Option<i64>,
    /// Since when its user has to sign in before anything is issued for them.
    pub revoked_at: Option<i64>,
    /// The user as JSON.
    pub document: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
