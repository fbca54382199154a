//! Details types at an admin's word: declared, which makes a version, or retired.

use protocol::audit::AuditEvent;
use protocol::authorization_details::{DetailsType, DetailsTypeDocument, built_in};
use protocol::identifier::DetailsTypeName;
use protocol::refusal::{ErrorCode, Refusal};

use crate::app::App;
use crate::failure::Failure;
use crate::store::{Change, CommitError, Origin, Record};

/// What became of a declaration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Declared {
    /// The first version of a new details type.
    First,
    /// A new version of one.
    Next,
    /// Nothing: that is what it says already.
    Unchanged,
}

/// Declares a details type: a new version of it, unless an admin declared it just so before. `still` adds what must
/// hold of whoever says so.
///
/// # Errors
/// `invalid_request` with what is wrong with the document; `access_denied` where somebody else was faster.
pub async fn declare(
    app: &App,
    document: DetailsTypeDocument,
    mut event: AuditEvent,
    still: impl FnOnce(Change) -> Change,
) -> Result<Declared, Failure> {
    check(&document)?;
    let before = app.store.find_details_type(&document.name).await?;
    let same = before.as_ref().is_some_and(|before| before.document == document);
    let (version, declared) = match &before {
        None => (1, Declared::First),
        Some(before) if same && before.retired_at.is_none() && before.origin == Origin::Admin => {
            return Ok(Declared::Unchanged);
        }
        // The same words, but an admin's from now on, or in use again: nothing else to be judged by.
        Some(before) if same => (before.version, Declared::Unchanged),
        Some(before) => (before.version.saturating_add(1), Declared::Next),
    };
    event.reason = Some(format!("{}, version {version}", document.name));
    let record =
        Record::DetailsType { details_type: document, version, retired_at: None, origin: Origin::Admin };
    commit(app, still(Change::new(event).keep(record))).await?;
    Ok(declared)
}

/// Retires a details type; false where there is none. One that is retired stays so.
///
/// # Errors
/// `invalid_request` for one that ships with the server; `access_denied` where somebody else was faster.
pub async fn retire(
    app: &App,
    name: &DetailsTypeName,
    mut event: AuditEvent,
    still: impl FnOnce(Change) -> Change,
) -> Result<bool, Failure> {
    if built_in().iter().any(|document| document.name == *name) {
        let why =
            "this details type ships with the server and is always there; declare a version of it instead";
        return Err(Refusal::new(ErrorCode::InvalidRequest, why).into());
    }
    let Some(before) = app.store.find_details_type(name).await? else { return Ok(false) };
    if before.retired_at.is_some() {
        return Ok(true);
    }
    event.reason = Some(name.to_string());
    let record = Record::DetailsType {
        details_type: before.document,
        version: before.version,
        retired_at: Some(event.time),
        origin: Origin::Admin,
    };
    commit(app, still(Change::new(event).keep(record))).await?;
    // A version that was declared in the same moment is newer than what was retired.
    match app.store.find_details_type(name).await?.and_then(|after| after.retired_at) {
        Some(_) => Ok(true),
        None => Err(faster().into()),
    }
}

fn faster() -> Refusal {
    Refusal::new(
        ErrorCode::AccessDenied,
        "this cannot be done any more, or somebody else was faster; look again",
    )
}

/// What must hold of a declaration, as in the configuration.
fn check(document: &DetailsTypeDocument) -> Result<(), Refusal> {
    let no = |why: String| Refusal::new(ErrorCode::InvalidRequest, why);
    if !document.schema.is_object() {
        return Err(no("schema: must be an object".to_owned()));
    }
    if let Some((key, why)) = document.faults().into_iter().next() {
        return Err(no(printable(&format!("{key}: {why}"))));
    }
    DetailsType::new(document.clone()).map(drop).map_err(|reason| no(printable(&reason.to_string())))
}

/// What an error description may hold (RFC 6749 §5.2), and no more of it than helps.
fn printable(text: &str) -> String {
    let plain = |c: &char| matches!(c, ' '..='~') && *c != '"' && *c != '\\';
    text.chars().map(|c| if c == '"' { '\'' } else { c }).filter(plain).take(300).collect()
}

async fn commit(app: &App, change: Change) -> Result<(), Failure> {
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(_)) => Err(faster().into()),
    }
}
