//! `/details-types`: what is declared, every version of it, and the consents that hold each; and to declare and retire.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use protocol::admin_api::AdminScope;
use protocol::audit::Action;
use protocol::authorization_details::DetailsTypeDocument;
use protocol::identifier::DetailsTypeName;
use protocol::refusal::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{Call, split};
use crate::app::App;
use crate::details_types::{self, Declared};
use crate::endpoints::reply;
use crate::failure::Failure;
use crate::store::{DetailsTypeVersion, KeptDetailsType, StoreError};

/// How many consents hold each version of each type.
type Counts = BTreeMap<(String, u32), u64>;

/// `GET /details-types`: all of them, those that are retired too.
pub async fn list(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let call = match Call::open(&app, &parts, AdminScope::Read).await {
        Ok(call) => call,
        Err(response) => return *response,
    };
    let found = async {
        let counts = app.store.count_consents_by_details_type(call.visit.now).await?;
        let types = app.store.details_types().await?;
        Ok::<_, StoreError>(types.iter().map(|kept| shown(kept, &counts)).collect::<Vec<_>>())
    };
    match found.await {
        Ok(types) => call.looked(&app, json!({ "details_types": types })).await,
        Err(error) => call.failed(&app, error.into()),
    }
}

/// `GET /details-types/{name}`, with its versions, the newest first.
pub async fn one(State(app): State<Arc<App>>, Path(name): Path<String>, parts: Parts) -> Response {
    let call = match Call::open(&app, &parts, AdminScope::Read).await {
        Ok(call) => call,
        Err(response) => return *response,
    };
    match whole(&app, &call, &name).await {
        Ok(Some(shown)) => call.looked(&app, shown).await,
        Ok(None) => call.not_found(&app, "details type").await,
        Err(error) => call.failed(&app, error.into()),
    }
}

/// `PUT /details-types/{name}`: declares it, or a new version of it. What the configuration declared is an admin's from
/// then on.
pub async fn put(State(app): State<Arc<App>>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, body) = match split(&app, request).await {
        Ok(split) => split,
        Err(response) => return *response,
    };
    let call = match Call::open(&app, &parts, AdminScope::DetailsTypes).await {
        Ok(call) => call,
        Err(response) => return *response,
    };
    let document: DetailsTypeDocument = match call.body(&app, &parts.headers, &body).await {
        Ok(document) => document,
        Err(response) => return *response,
    };
    if document.name.as_str() != name {
        let refusal = Refusal::new(ErrorCode::InvalidRequest, "name is not the one of the path");
        return call.refuse(&app, StatusCode::BAD_REQUEST, refusal).await;
    }
    let event = call.event(Action::DetailsTypeDeclare);
    let status = match details_types::declare(&app, document, event, |change| call.still(change)).await {
        Ok(Declared::First) => StatusCode::CREATED,
        Ok(Declared::Next | Declared::Unchanged) => StatusCode::OK,
        Err(failure) => return refused(&app, &call, failure).await,
    };
    answer(&app, &call, &name, status).await
}

/// `DELETE /details-types/{name}`: nothing of it can be asked for any more; what was allowed goes on.
pub async fn delete(State(app): State<Arc<App>>, Path(name): Path<String>, parts: Parts) -> Response {
    let call = match Call::open(&app, &parts, AdminScope::DetailsTypes).await {
        Ok(call) => call,
        Err(response) => return *response,
    };
    let Ok(parsed) = name.parse::<DetailsTypeName>() else {
        return call.not_found(&app, "details type").await;
    };
    let event = call.event(Action::DetailsTypeRetire);
    match details_types::retire(&app, &parsed, event, |change| call.still(change)).await {
        Ok(true) => answer(&app, &call, &name, StatusCode::OK).await,
        Ok(false) => call.not_found(&app, "details type").await,
        Err(failure) => refused(&app, &call, failure).await,
    }
}

async fn refused(app: &App, call: &Call, failure: Failure) -> Response {
    match failure {
        Failure::Refused(refusal) if refusal.code == ErrorCode::AccessDenied => {
            call.refuse(app, StatusCode::CONFLICT, refusal).await
        }
        Failure::Refused(refusal) => call.refuse(app, StatusCode::BAD_REQUEST, refusal).await,
        failure => call.failed(app, failure),
    }
}

/// The details type as it is after what was done to it.
async fn answer(app: &App, call: &Call, name: &str, status: StatusCode) -> Response {
    match whole(app, call, name).await {
        Ok(shown) => reply::json(status, shown.unwrap_or_default()),
        Err(error) => call.failed(app, error.into()),
    }
}

async fn whole(app: &App, call: &Call, name: &str) -> Result<Option<Value>, StoreError> {
    let Ok(name) = name.parse::<DetailsTypeName>() else { return Ok(None) };
    let Some(kept) = app.store.find_details_type(&name).await? else { return Ok(None) };
    let counts = app.store.count_consents_by_details_type(call.visit.now).await?;
    let versions = app.store.versions_of_details_type(&name).await?;
    let mut shown = shown(&kept, &counts);
    shown["versions"] = versions.iter().map(|version| version_shown(version, &counts)).collect();
    Ok(Some(shown))
}

fn shown(kept: &KeptDetailsType, counts: &Counts) -> Value {
    let name = kept.document.name.as_str();
    let held: u64 = counts.iter().filter(|((known, _), _)| known == name).map(|(_, count)| count).sum();
    let mut shown = json!({
        "name": name, "version": kept.version, "origin": kept.origin.as_str(), "consents": held,
        "document": kept.document,
    });
    if let Some(at) = kept.retired_at {
        shown["retired_at"] = at.to_rfc3339().into();
    }
    shown
}

fn version_shown(version: &DetailsTypeVersion, counts: &Counts) -> Value {
    let key = (version.document.name.as_str().to_owned(), version.version);
    let held = counts.get(&key).copied().unwrap_or_default();
    let mut shown = json!({ "version": version.version, "consents": held, "document": version.document });
    if let Some(at) = version.created_at {
        shown["created_at"] = at.to_rfc3339().into();
    }
    shown
}
