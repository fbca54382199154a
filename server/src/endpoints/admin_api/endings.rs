//! `POST /endings`: what an admin may end, at every level, and what ended with it.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::admin_api::AdminScope;
use protocol::ending::{Level, Order, OrderRefused};
use protocol::instance::Instance;
use protocol::refusal::{ErrorCode, Refusal};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, split};
use crate::app::App;
use crate::endings::{self, Admin};
use crate::endpoints::reply;
use crate::failure::Failure;
use crate::store::{Ended, Named};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    level: String,
    id: String,
    instance: Option<String>,
    operation: String,
    reason: Option<String>,
}

/// Ends it.
pub async fn post(State(app): State<Arc<App>>, request: Request) -> Response {
    let begun = Instant::now();
    let (parts, body) = match split(&app, request).await {
        Ok(split) => split,
        Err(response) => return *response,
    };
    let call = match Call::open(&app, &parts, AdminScope::Endings).await {
        Ok(call) => call,
        Err(response) => return *response,
    };
    let asked: Asked = match call.body(&app, &parts.headers, &body).await {
        Ok(asked) => asked,
        Err(response) => return *response,
    };
    if asked.reason.as_ref().is_some_and(|reason| is_unfit(reason)) {
        let why = format!("a reason has at most {LONGEST_REASON} characters, and no control characters");
        return call
            .refuse(&app, StatusCode::BAD_REQUEST, Refusal::new(ErrorCode::InvalidRequest, why))
            .await;
    }
    let order = match Order::parse(&asked.level, &asked.id, asked.instance.as_deref(), &asked.operation) {
        Ok(order) => order,
        Err(OrderRefused::Id(level)) => return call.not_found(&app, level.as_str()).await,
        Err(reason) => return call.refuse(&app, StatusCode::BAD_REQUEST, reason.into()).await,
    };
    let seen = match seen(&app, &call, &order).await {
        Ok(seen) => seen,
        Err(failure) => return call.failed(&app, failure),
    };
    let admin = Admin::Program { client: &call.client, token: &call.token, reason: asked.reason.as_deref() };
    match endings::carry_out(&app, &call.visit, admin, &order).await {
        Ok(Some(ended)) => {
            let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let mut body = json!({
                "level": order.level(), "id": asked.id, "operation": asked.operation, "took_ms": took,
                "ended": shown(ended),
            });
            if let Some(instance) = asked.instance {
                body["instance"] = instance.into();
            }
            if let Some(seen) = seen {
                body["seen"] = seen.into();
            }
            reply::json(StatusCode::OK, body)
        }
        Ok(None) => {
            // An instance is there as soon as its client is.
            let what = match order.level() {
                Level::Instance => "client",
                level => level.as_str(),
            };
            call.not_found(&app, what).await
        }
        Err(Failure::Refused(refusal)) => call.refuse(&app, StatusCode::CONFLICT, refusal).await,
        Err(failure) => call.failed(&app, failure),
    }
}

/// Whether anything was kept that shows the instance which is to be ended: one that nobody saw can be ended beforehand, and
/// may just as well be misspelt.
async fn seen(app: &App, call: &Call, order: &Order) -> Result<Option<bool>, Failure> {
    let Order::Instance(client, id) = order else { return Ok(None) };
    let found = app.store.find_instance(&Instance::new(client, id), call.visit.now).await?;
    Ok(Some(found.is_some_and(|instance| instance.last.is_some())))
}

fn is_unfit(reason: &str) -> bool {
    reason.chars().count() > LONGEST_REASON || reason.chars().any(char::is_control)
}

/// What ended: how many of each, and of what has a name that others know, the first hundred names.
fn shown(ended: Ended) -> Value {
    let Named { consents, tasks, agents } = ended.named;
    let mut shown = json!({
        "counts": {
            "consents": ended.consents, "tasks": ended.tasks, "tokens": ended.tokens, "sessions": ended.sessions,
            "pending": ended.pending, "agents": ended.agents,
        },
        "consents": consents, "tasks": tasks, "agents": agents,
    });
    if !ended.under_way.is_empty() {
        shown["under_way"] = true.into();
    }
    shown
}
