//! `/tasks`: agents open tasks, see where they stand, and say when one rests, goes on, or is done. The access token is
//! the agent's own, with the scope `tasks`.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Response;
use protocol::client::Client;
use protocol::identifier::{ConsentId, TaskId};
use protocol::metadata::TASKS;
use protocol::params::Params;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::{Operation, Task, TaskStatus, effective, version};
use serde::Deserialize;
use serde_json::{Value, json};

use super::protected::{self, Asked};
use super::reply;
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::store::Ended;
use crate::tasks::{self, By, Seen};

/// The scope that opens it.
const SCOPE: &str = "tasks";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest reason, in characters.
const LONGEST_REASON: usize = 1024;

/// Who asks.
struct Agent {
    visit: Visit,
    client: Arc<Client>,
}

/// Opens a task.
pub async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = match split(&app, request).await {
        Ok(split) => split,
        Err(refused) => return *refused,
    };
    let agent = match Agent::of(&app, &parts, TASKS).await {
        Ok(agent) => agent,
        Err(refused) => return *refused,
    };
    let key = parts.headers.get(IDEMPOTENCY_KEY).map(|key| key.to_str().unwrap_or_default());
    match tasks::ask(&app, &agent.visit, &agent.client, &body, key).await {
        Ok(opened) => {
            let status = if opened.again { StatusCode::OK } else { StatusCode::CREATED };
            let Seen { task, status: stands, version, .. } = &opened.seen;
            let mut response = reply::json(status, shown(task, *stands, *version));
            let place = app.url(&format!("{TASKS}/{}", task.id));
            if let Ok(place) = place.parse() {
                response.headers_mut().insert(header::LOCATION, place);
            }
            response
        }
        Err(failure) => reply::failure(&app, &agent.visit, failure, false),
    }
}

/// Lists the agent's own tasks, under one consent if that is named.
pub async fn list(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let agent = match Agent::of(&app, &parts, TASKS).await {
        Ok(agent) => agent,
        Err(refused) => return *refused,
    };
    let query = Params::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let named = query.as_ref().map_err(|_| ()).and_then(|query| query.once("grant_id").map_err(|_| ()));
    let consent = match named.and_then(|id| id.map(str::parse::<ConsentId>).transpose().map_err(|_| ())) {
        Ok(consent) => consent,
        Err(()) => {
            let refusal = Refusal::new(ErrorCode::InvalidRequest, "the query is malformed");
            return reply::failure(&app, &agent.visit, refusal.into(), false);
        }
    };
    match app.store.tasks_of_actor(&agent.client.id, consent.as_ref()).await {
        Ok(found) => {
            let now = agent.visit.now;
            let of = |line: &Vec<Task>| Some(shown(line.first()?, effective(line, now), version(line, now)));
            let shown: Vec<Value> = found.iter().filter_map(of).collect();
            reply::json(StatusCode::OK, json!({ "tasks": shown }))
        }
        Err(error) => reply::failure(&app, &agent.visit, Failure::from(error), false),
    }
}

/// Tells where a task stands.
pub async fn get(State(app): State<Arc<App>>, Path(id): Path<String>, parts: Parts) -> Response {
    let agent = match Agent::of(&app, &parts, &format!("{TASKS}/{id}")).await {
        Ok(agent) => agent,
        Err(refused) => return *refused,
    };
    let Ok(id) = id.parse::<TaskId>() else { return nowhere() };
    match tasks::see(&app, &agent.visit, By::Client(&agent.client.id), &id).await {
        Ok(Some(seen)) => reply::json(StatusCode::OK, shown(&seen.task, seen.status, seen.version)),
        Ok(None) => nowhere(),
        Err(failure) => reply::failure(&app, &agent.visit, failure, false),
    }
}

/// Suspends, resumes, completes or revokes a task.
pub async fn operate(
    State(app): State<Arc<App>>,
    Path((id, operation)): Path<(String, String)>,
    request: Request,
) -> Response {
    let begun = Instant::now();
    let (parts, body) = match split(&app, request).await {
        Ok(split) => split,
        Err(refused) => return *refused,
    };
    let agent = match Agent::of(&app, &parts, &format!("{TASKS}/{id}/{operation}")).await {
        Ok(agent) => agent,
        Err(refused) => return *refused,
    };
    let refuse = |refusal: Refusal| reply::failure(&app, &agent.visit, refusal.into(), false);
    let (Ok(id), Some(operation)) = (id.parse::<TaskId>(), Operation::find(&operation)) else {
        return nowhere();
    };
    let reason = match reason(&body) {
        Ok(reason) => reason,
        Err(refusal) => return refuse(refusal),
    };
    let by = By::Client(&agent.client.id);
    match tasks::operate(&app, &agent.visit, by, &id, operation, reason.as_deref()).await {
        Ok(Some(done)) => {
            let mut body = shown(&done.seen.task, done.seen.status, done.seen.version);
            // A task has neither sessions nor consents, and stops nobody.
            let Ended { tasks, tokens, pending, .. } = done.ended;
            body["ended"] = json!({ "tasks": tasks, "tokens": tokens, "pending": pending });
            body["took_ms"] = json!(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX));
            reply::json(StatusCode::OK, body)
        }
        Ok(None) => nowhere(),
        Err(Failure::Refused(refusal)) if refusal.code == ErrorCode::InvalidRequest => {
            reply::json(StatusCode::CONFLICT, reply::error_body(&refusal))
        }
        Err(failure) => reply::failure(&app, &agent.visit, failure, false),
    }
}

impl Agent {
    /// The agent whose own access token opens the path.
    async fn of(app: &App, parts: &Parts, path: &str) -> Result<Self, Box<Response>> {
        let visit = protected::visit(&parts.extensions)?;
        let url = app.url(path);
        let (headers, method) = (&parts.headers, &parts.method);
        let asked = Asked { visit: &visit, headers, method, url: &url, scope: SCOPE };
        let token = protected::open(app, &asked).await?;
        let refuse = |refusal: Refusal| Box::new(reply::failure(app, &visit, refusal.into(), false));
        if token.subject.user().is_some() {
            let description = "tasks are opened with a token of the client's own";
            return Err(refuse(Refusal::new(ErrorCode::InsufficientScope, description)));
        }
        let client = app.store.find_client(&token.client).await;
        let client = client.map_err(|error| Box::new(reply::failure(app, &visit, error.into(), false)))?;
        let gone =
            || Box::new(reply::broken(Broken::Inconsistent("a live token of a client that is not there")));
        let client = client.ok_or_else(gone)?;
        Ok(Self { visit, client })
    }
}

async fn split(app: &Arc<App>, request: Request) -> Result<(Parts, String), Box<Response>> {
    let (parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), app).await;
    let body = body.map_err(|rejection| Box::new(reply::unreadable_body(rejection)))?;
    // What is no text is no JSON either, and refused as such.
    Ok((parts, String::from_utf8(body.into()).unwrap_or_default()))
}

/// `{"reason": "…"}`, or nothing.
fn reason(body: &str) -> Result<Option<String>, Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Said {
        reason: Option<String>,
    }
    if body.trim().is_empty() {
        return Ok(None);
    }
    let malformed =
        || Refusal::new(ErrorCode::InvalidRequest, "send nothing, or a JSON object with a reason");
    let said: Said = serde_json::from_str(body).map_err(|_| malformed())?;
    match said.reason {
        Some(reason) if reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control) => {
            Err(malformed())
        }
        reason => Ok(reason),
    }
}

fn nowhere() -> Response {
    reply::json(StatusCode::NOT_FOUND, json!({ "error": "not_found" }))
}

/// A task as its agent reads it: where it stands, all those above it taken together, and the version of that.
fn shown(task: &Task, status: TaskStatus, version: u64) -> Value {
    let mut body = json!({
        "id": task.id,
        "txn": task.root,
        "grant_id": task.consent,
        "actor": task.actor,
        "status": status,
        "version": version,
        "intent_hash": task.intent_hash,
        "authority_hash": task.authority_hash,
        "created_at": task.created_at.to_rfc3339(),
        "deadline": task.deadline.to_rfc3339(),
    });
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            body[name] = value;
        }
    };
    put("parent", json!(task.parent));
    put("purpose", json!(task.intent.purpose));
    put("reference", json!(task.intent.reference));
    let list = |items: &Vec<String>| if items.is_empty() { Value::Null } else { json!(items) };
    put("success_criteria", list(&task.intent.success_criteria));
    put("limits", list(&task.intent.limits));
    put("scope", json!(task.scope));
    put("resource", json!(task.resources));
    put("authorization_details", task.details.to_claim().unwrap_or_default());
    put("max_derivations", json!(task.max_derivations));
    put("derivations_remaining", json!(task.derivations_remaining()));
    body
}
