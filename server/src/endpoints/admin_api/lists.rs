//! What there is to be seen: agents, users, consents and tasks, in lists that go on where the last one ended, and each
//! by its id.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use protocol::admin_api::AdminScope;
use protocol::client::{Client, ClientStatus};
use protocol::consent::{Consent, ConsentState};
use protocol::identifier::{ClientId, ConsentId, TaskId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::task::{self, Task, TaskStatus};
use protocol::user::User;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Call, from_text};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{AgentFilter, ConsentFilter, StoreError, TaskFilter, UserFilter};

/// How many things are in a list unless it is asked for fewer or more, and how many at the most.
const USUAL: u64 = 50;
const MOST: u64 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentsQuery {
    after: Option<ClientId>,
    #[serde(default, deserialize_with = "from_text")]
    limit: Option<u64>,
    owner: Option<UserId>,
    status: Option<ClientStatus>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UsersQuery {
    after: Option<UserId>,
    #[serde(default, deserialize_with = "from_text")]
    limit: Option<u64>,
    username: Option<String>,
    email: Option<String>,
    #[serde(default, deserialize_with = "from_text")]
    enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsentsQuery {
    after: Option<ConsentId>,
    #[serde(default, deserialize_with = "from_text")]
    limit: Option<u64>,
    user: Option<UserId>,
    actor: Option<ClientId>,
    client: Option<ClientId>,
    state: Option<ConsentState>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TasksQuery {
    after: Option<TaskId>,
    #[serde(default, deserialize_with = "from_text")]
    limit: Option<u64>,
    user: Option<UserId>,
    actor: Option<ClientId>,
    consent: Option<ConsentId>,
    status: Option<TaskStatus>,
}

/// `GET /agents`.
pub async fn agents(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let (call, query) = match opened::<AgentsQuery>(&app, &parts).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let filter = AgentFilter { owner: query.owner, status: query.status.as_ref().map(word) };
    let limit = limit(query.limit);
    let found = app.store.agents_after(query.after.as_ref(), &filter, limit).await;
    list(&app, &call, "agents", limit, found, |client| (client.id.to_string(), agent_shown(client))).await
}

/// `GET /users`.
pub async fn users(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let (call, query) = match opened::<UsersQuery>(&app, &parts).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let filter = UserFilter { username: query.username, email: query.email, enabled: query.enabled };
    let limit = limit(query.limit);
    let found = app.store.users_after(query.after.as_ref(), &filter, limit).await;
    list(&app, &call, "users", limit, found, |user| (user.id.to_string(), user_shown(user))).await
}

/// `GET /consents`.
pub async fn consents(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let (call, query) = match opened::<ConsentsQuery>(&app, &parts).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let filter = ConsentFilter {
        user: query.user,
        actor: query.actor,
        client: query.client,
        state: query.state.as_ref().map(word),
    };
    let limit = limit(query.limit);
    let found = app.store.consents_after(query.after.as_ref(), &filter, limit).await;
    list(&app, &call, "consents", limit, found, |one| (one.id.to_string(), consent_shown(one))).await
}

/// `GET /tasks`.
pub async fn tasks(State(app): State<Arc<App>>, parts: Parts) -> Response {
    let (call, query) = match opened::<TasksQuery>(&app, &parts).await {
        Ok(opened) => opened,
        Err(response) => return *response,
    };
    let filter = TaskFilter {
        user: query.user,
        actor: query.actor,
        consent: query.consent,
        status: query.status.as_ref().map(word),
    };
    let limit = limit(query.limit);
    let now = call.visit.now;
    let found = app.store.tasks_after(query.after.as_ref(), &filter, limit).await;
    list(&app, &call, "tasks", limit, found, |one| (one.id.to_string(), task_shown(one, now))).await
}

/// `GET /agents/{id}`, with how an admin stopped it, if one did.
pub async fn agent(State(app): State<Arc<App>>, Path(id): Path<String>, parts: Parts) -> Response {
    let call = match Call::open(&app, &parts, AdminScope::Read).await {
        Ok(call) => call,
        Err(response) => return *response,
    };
    let found = async {
        let Ok(id) = id.parse::<ClientId>() else { return Ok(None) };
        let Some(client) = app.store.find_client(&id).await?.filter(|one| one.agent().is_some()) else {
            return Ok(None);
        };
        let mut shown = agent_shown(&client);
        if let Some(halted) = app.store.find_halt(&id).await? {
            shown["halt"] = json!({ "state": halted.halt.as_str(), "since": halted.at.to_rfc3339() });
        }
        Ok::<_, StoreError>(Some(shown))
    };
    answer(&app, &call, "agent", found.await).await
}

/// `GET /users/{id}`, with the upstreams at which they sign in.
pub async fn user(State(app): State<Arc<App>>, Path(id): Path<String>, parts: Parts) -> Response {
    let call = match Call::open(&app, &parts, AdminScope::Read).await {
        Ok(call) => call,
        Err(response) => return *response,
    };
    let found = async {
        let Ok(id) = id.parse::<UserId>() else { return Ok(None) };
        let Some(user) = app.store.find_user(&id).await? else { return Ok(None) };
        let mut shown = user_shown(&user);
        let identities = app.store.identities_of_user(&id).await?;
        let issuers: Vec<&str> = identities.iter().map(|known| known.identity.issuer.as_str()).collect();
        shown["upstreams"] = json!(issuers);
        Ok::<_, StoreError>(Some(shown))
    };
    answer(&app, &call, "user", found.await).await
}

/// `GET /consents/{id}`.
pub async fn consent(State(app): State<Arc<App>>, Path(id): Path<String>, parts: Parts) -> Response {
    let call = match Call::open(&app, &parts, AdminScope::Read).await {
        Ok(call) => call,
        Err(response) => return *response,
    };
    let found = match parsed::<ConsentId>(&id) {
        Some(id) => app.store.find_consent(&id).await,
        None => Ok(None),
    };
    answer(&app, &call, "consent", found.map(|found| found.map(|one| consent_shown(&one)))).await
}

/// `GET /tasks/{id}`.
pub async fn task(State(app): State<Arc<App>>, Path(id): Path<String>, parts: Parts) -> Response {
    let call = match Call::open(&app, &parts, AdminScope::Read).await {
        Ok(call) => call,
        Err(response) => return *response,
    };
    let now = call.visit.now;
    let found = match parsed::<TaskId>(&id) {
        Some(id) => app.store.find_task(&id).await,
        None => Ok(None),
    };
    answer(&app, &call, "task", found.map(|found| found.map(|one| task_shown(&one, now)))).await
}

async fn opened<Q: serde::de::DeserializeOwned>(
    app: &App,
    parts: &Parts,
) -> Result<(Call, Q), Box<Response>> {
    let call = Call::open(app, parts, AdminScope::Read).await?;
    let query = call.query(app, parts).await?;
    Ok((call, query))
}

fn limit(asked: Option<u64>) -> u64 {
    asked.unwrap_or(USUAL).clamp(1, MOST)
}

fn parsed<T: FromStr>(id: &str) -> Option<T> {
    id.parse().ok()
}

/// The word that something is stored and written as.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// A list, and where the next one begins: `next` is there as long as there may be more.
async fn list<T>(
    app: &App,
    call: &Call,
    name: &'static str,
    limit: u64,
    found: Result<Vec<T>, StoreError>,
    shown: impl Fn(&T) -> (String, Value),
) -> Response {
    let found = match found {
        Ok(found) => found,
        Err(error) => return call.failed(app, error.into()),
    };
    let shown: Vec<(String, Value)> = found.iter().map(shown).collect();
    let full = shown.len() as u64 == limit;
    let next = shown.last().filter(|_| full).map(|(id, _)| id.clone());
    let items: Vec<Value> = shown.into_iter().map(|(_, value)| value).collect();
    let mut body = json!({});
    body[name] = items.into();
    if let Some(next) = next {
        body["next"] = next.into();
    }
    call.looked(app, body).await
}

async fn answer(
    app: &App,
    call: &Call,
    what: &'static str,
    found: Result<Option<Value>, StoreError>,
) -> Response {
    match found {
        Ok(Some(shown)) => call.looked(app, shown).await,
        Ok(None) => call.not_found(app, what).await,
        Err(error) => call.failed(app, Failure::from(error)),
    }
}

fn agent_shown(client: &Client) -> Value {
    let mut shown = json!({ "id": client.id, "name": client.name, "status": client.status });
    if let Some(agent) = client.agent() {
        shown["owner"] = json!(agent.owner);
        shown["purpose"] = json!(agent.purpose);
        shown["expires_at"] = agent.expires_at.to_rfc3339().into();
    }
    shown
}

fn user_shown(user: &User) -> Value {
    let mut shown = json!({
        "id": user.id, "username": user.username, "name": user.name, "admin": user.admin, "enabled": user.enabled,
    });
    if let Some(email) = user.email() {
        shown["email"] = email.into();
    }
    shown
}

fn consent_shown(consent: &Consent) -> Value {
    let authority = &consent.authority;
    let mut shown = json!({
        "id": consent.id,
        "user": consent.user,
        "client": consent.client,
        "actor": consent.actor,
        "state": consent.state,
        "scope": authority.scope,
        "resources": authority.resources,
        "created_at": consent.created_at.to_rfc3339(),
        "expires_at": authority.until.to_rfc3339(),
    });
    if let Some(details) = authority.details.to_claim() {
        shown["authorization_details"] = details;
    }
    shown
}

fn task_shown(task: &Task, now: NumericDate) -> Value {
    let mut shown = json!({
        "id": task.id,
        "txn": task.root,
        "consent": task.consent,
        "user": task.user,
        "actor": task.actor,
        "status": task.own_status(now),
        "version": task::version([task], now),
        "created_at": task.created_at.to_rfc3339(),
        "deadline": task.deadline.to_rfc3339(),
    });
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            shown[name] = value.into();
        }
    };
    put("parent", task.parent.as_ref().map(ToString::to_string));
    put("purpose", task.intent.purpose.clone());
    put("reference", task.intent.reference.clone());
    shown
}
