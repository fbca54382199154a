//! Details types at the start: those that the configuration declares now, and those that it declared once.

use std::collections::BTreeSet;

use protocol::authorization_details::DetailsTypeDocument;
use protocol::identifier::DetailsTypeName;
use protocol::numeric_date::NumericDate;

use super::StartError;
use crate::config::Declared;
use crate::store::{KeptDetailsType, Origin, Record, Store};

/// What is another than before. A type that is declared otherwise has a new version; one that is declared no longer is
/// retired, so that nothing more of it can be asked for while what was allowed goes on; one that is declared again is in
/// use again. What an admin declared or retired stays as it is.
pub(super) async fn changed(
    store: &Store,
    declared: &Declared,
    now: NumericDate,
) -> Result<Vec<Record>, StartError> {
    let mut records = Vec::new();
    let types = &declared.details_types;
    for known in types.names().filter_map(|name| types.find(name)) {
        let document = known.document();
        let version = match store.find_details_type(&document.name).await? {
            None => 1,
            Some(before) if before.origin == Origin::Admin => continue,
            Some(before) if before.document != *document => before.version.saturating_add(1),
            Some(before) if before.retired_at.is_some() => before.version,
            Some(_) => continue,
        };
        records.push(of_config(document, version, None));
    }
    let kept = store.details_types().await?;
    let gone = kept.iter().filter(|kept| {
        kept.origin == Origin::Config
            && kept.retired_at.is_none()
            && types.find(&kept.document.name).is_none()
    });
    records.extend(gone.map(|gone| of_config(&gone.document, gone.version, Some(now))));
    Ok(records)
}

/// The types that the configuration does not declare and that nobody can ask for any more. Whoever had them keeps them,
/// a client and a resource server alike: what was allowed goes on.
pub(super) async fn left_over(
    store: &Store,
    declared: &Declared,
) -> Result<BTreeSet<DetailsTypeName>, StartError> {
    let kept = store.details_types().await?;
    let is_over = |kept: &&KeptDetailsType| {
        let nobodys = declared.details_types.find(&kept.document.name).is_none();
        nobodys && (kept.retired_at.is_some() || kept.origin == Origin::Config)
    };
    Ok(kept.iter().filter(is_over).map(|kept| kept.document.name.clone()).collect())
}

fn of_config(document: &DetailsTypeDocument, version: u32, retired_at: Option<NumericDate>) -> Record {
    Record::DetailsType { details_type: document.clone(), version, retired_at, origin: Origin::Config }
}
