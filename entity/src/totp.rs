//! An authenticator app (RFC 6238).

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totp")]
pub struct Model {
    /// Whose it is; everybody has one at most.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: String,
    /// When it was set up.
    pub created_at: i64,
    /// The secret that app and server share, sealed.
    pub secret: String,
}

/// None: the store joins nothing.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
