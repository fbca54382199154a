//! Receipts of who joined which chain: kept when they are first asked for, and never changed.

use std::collections::BTreeMap;

use entity::token::Column as TokenColumn;
use entity::{actor_receipt, token};
use protocol::identifier::{FamilyId, TokenId};
use protocol::numeric_date::NumericDate;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, Value,
};

use super::{Store, StoreError, corrupt, sql};

/// A receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActorReceipt {
    /// The token that was issued at the hop, or the family of the tokens that were.
    pub hop: String,
    /// The signed JWT.
    pub compact: String,
    /// When nothing can hang on it any more.
    pub expires_at: NumericDate,
}

/// Keeps it, unless one of the same hop is kept already: whoever comes first signed it for all.
pub(super) async fn keep<C: ConnectionTrait>(db: &C, receipt: &ActorReceipt) -> Result<(), DbErr> {
    let insert = "INSERT INTO actor_receipt (hop, compact, expires_at) VALUES ($1, $2, $3) ON CONFLICT (hop) DO NOTHING";
    let values: Vec<Value> =
        vec![receipt.hop.as_str().into(), receipt.compact.as_str().into(), receipt.expires_at.0.into()];
    sql::execute(db, insert, values).await.map(|_| ())
}

impl Store {
    /// The receipts of these hops, as far as there are any.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_receipts(&self, hops: &[&str]) -> Result<BTreeMap<String, String>, StoreError> {
        let find =
            actor_receipt::Entity::find().filter(actor_receipt::Column::Hop.is_in(hops.iter().copied()));
        let rows = find.all(self.reader()).await?;
        Ok(rows.into_iter().map(|row| (row.hop, row.compact)).collect())
    }

    /// The access token that a family began with, as long as it is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn first_token_of_family(&self, family: &FamilyId) -> Result<Option<TokenId>, StoreError> {
        let find = token::Entity::find()
            .filter(TokenColumn::FamilyId.eq(family.as_str()))
            .filter(TokenColumn::ParentId.is_null())
            .filter(TokenColumn::Kind.eq("access"))
            .order_by_asc(TokenColumn::ExpiresAt);
        let Some(row) = find.one(self.reader()).await? else { return Ok(None) };
        row.id.parse().map(Some).map_err(|_| corrupt("token", &row.id))
    }
}
