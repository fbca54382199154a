//! Details types: what is declared now, every version there was, and the consents that hold each.

use std::collections::BTreeMap;

use entity::{details_type, details_type_version};
use protocol::authorization_details::DetailsTypeDocument;
use protocol::identifier::DetailsTypeName;
use protocol::numeric_date::NumericDate;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, Value,
};

use super::change::{Conflict, Origin};
use super::{Store, StoreError, corrupt, read, sql};

/// A details type as it is declared now.
#[derive(Clone, PartialEq, Debug)]
pub struct KeptDetailsType {
    /// What was declared.
    pub document: DetailsTypeDocument,
    /// Which version that is.
    pub version: u32,
    /// Who declared it.
    pub origin: Origin,
    /// Since when nothing of the type can be asked for any more, if so.
    pub retired_at: Option<NumericDate>,
}

/// A version of a details type.
#[derive(Clone, PartialEq, Debug)]
pub struct DetailsTypeVersion {
    /// What was declared.
    pub document: DetailsTypeDocument,
    /// Which version that is.
    pub version: u32,
    /// Since when; none where that was before versions were counted.
    pub created_at: Option<NumericDate>,
}

pub(super) fn kept(row: &details_type::Model) -> Result<KeptDetailsType, StoreError> {
    let broken = || corrupt("details_type", &row.name);
    Ok(KeptDetailsType {
        document: read("details_type", &row.name, &row.document)?,
        version: u32::try_from(row.version).map_err(|_| broken())?,
        origin: Origin::of(&row.origin).ok_or_else(broken)?,
        retired_at: row.retired_at.map(NumericDate),
    })
}

fn version(row: &details_type_version::Model) -> Result<DetailsTypeVersion, StoreError> {
    Ok(DetailsTypeVersion {
        document: read("details_type_version", &row.name, &row.document)?,
        version: u32::try_from(row.version).map_err(|_| corrupt("details_type_version", &row.name))?,
        created_at: (row.created_at > 0).then_some(NumericDate(row.created_at)),
    })
}

impl Store {
    /// The details type of this name as it is now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_details_type(
        &self,
        name: &DetailsTypeName,
    ) -> Result<Option<KeptDetailsType>, StoreError> {
        let found = details_type::Entity::find_by_id(name.as_str()).one(self.reader()).await?;
        found.as_ref().map(kept).transpose()
    }

    /// Every version of a details type, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn versions_of_details_type(
        &self,
        name: &DetailsTypeName,
    ) -> Result<Vec<DetailsTypeVersion>, StoreError> {
        use details_type_version::Column;
        let find = details_type_version::Entity::find()
            .filter(Column::Name.eq(name.as_str()))
            .order_by_desc(Column::Version);
        find.all(self.reader()).await?.iter().map(version).collect()
    }

    /// One version of a details type. What it says never changes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_details_type_version(
        &self,
        name: &DetailsTypeName,
        number: u32,
    ) -> Result<Option<DetailsTypeDocument>, StoreError> {
        let key = (name.as_str().to_owned(), i64::from(number));
        let found = details_type_version::Entity::find_by_id(key).one(self.reader()).await?;
        Ok(found.as_ref().map(version).transpose()?.map(|found| found.document))
    }

    /// How many consents that stand at `now` hold details of each type, by name and version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_consents_by_details_type(
        &self,
        now: NumericDate,
    ) -> Result<BTreeMap<(String, u32), u64>, StoreError> {
        let count = "SELECT t.name, t.version, COUNT(*) FROM consent_details_type t \
                     JOIN consent c ON c.id = t.consent_id \
                     WHERE t.expires_at > $1 AND c.state = 'active' AND c.expires_at > $1 GROUP BY t.name, t.version";
        let mut counts = BTreeMap::new();
        for row in sql::query(self.reader(), count, vec![Value::from(now.0)]).await? {
            let (name, number): (String, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let number = u32::try_from(number).map_err(|_| corrupt("consent_details_type", &name))?;
            let count: i64 = row.try_get_by_index(2)?;
            counts.insert((name, number), u64::try_from(count).unwrap_or_default());
        }
        Ok(counts)
    }
}

/// Notes the versions that the rows declare, before the rows themselves are written. Two who declare different things as
/// the same version cannot both be right: whoever comes second is told.
pub(super) async fn declare<C: ConnectionTrait>(
    db: &C,
    rows: &[details_type::Model],
    at: NumericDate,
) -> Result<Option<Conflict>, DbErr> {
    let insert = "INSERT INTO details_type_version (name, version, created_at, document) VALUES ($1, $2, $3, $4) \
                  ON CONFLICT DO NOTHING";
    let known = "SELECT document FROM details_type_version WHERE name = $1 AND version = $2";
    for row in rows {
        let key = || vec![Value::from(row.name.clone()), Value::from(row.version)];
        let values = key().into_iter().chain([Value::from(at.0), Value::from(row.document.clone())]);
        if sql::execute(db, insert, values.collect()).await? > 0 {
            continue;
        }
        for found in sql::query(db, known, key()).await? {
            if found.try_get_by_index::<String>(0)? != row.document {
                return Ok(Some(Conflict::Changed));
            }
        }
    }
    Ok(None)
}
