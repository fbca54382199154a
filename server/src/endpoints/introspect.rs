//! `POST /introspect` (RFC 7662), answered by JSON or by a signed JWT (RFC 9701).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use protocol::client::Client;
use protocol::introspection::{self, Asker};
use protocol::metadata::INTROSPECT;
use protocol::receipts::{PARAMETER, add_to};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::signed_introspection as signed;
use protocol::subject::{Perspective, perspective};
use protocol::task::TaskStatus;
use protocol::token::Token;
use serde_json::{Map, Value};

use super::reply;
use super::sent::Sent;
use crate::app::App;
use crate::caller::{self, Caller};
use crate::failure::Failure;
use crate::jose::JoseError;
use crate::store::{Change, CommitError};
use crate::{receipts, tokens};

/// Tells a resource server, or a client about its own tokens, whether a token is alive and what it permits.
pub async fn post(State(app): State<Arc<App>>, sent: Sent) -> Response {
    let as_jwt = signed::is_wanted(sent.headers.accept.as_deref());
    let answered = async {
        let (caller, claims) = answer(&app, &sent).await?;
        match as_jwt {
            false => Ok(reply::json(StatusCode::OK, Value::Object(claims))),
            true => {
                let jwt = sign(&app, &sent, &caller.client, claims).await?;
                Ok(reply::jwt(signed::MEDIA_TYPE, jwt))
            }
        }
    };
    match answered.await {
        Ok(response) => response,
        Err(failure) => refuse(&app, &sent, failure, as_jwt),
    }
}

/// Whoever wants a JWT and says nothing of who they are gets 400 (RFC 9701 §5); whoever tried gets 401 like everybody
/// (RFC 6749 §5.2).
fn refuse(app: &App, sent: &Sent, failure: Failure, as_jwt: bool) -> Response {
    let nobody = sent.headers.authorization.is_none()
        && !["client_secret", "client_assertion"].iter().any(|name| sent.params.every(name).next().is_some());
    let mut response = reply::failure(app, &sent.visit, failure, false);
    if as_jwt && nobody && response.status() == StatusCode::UNAUTHORIZED {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        response.headers_mut().remove(header::WWW_AUTHENTICATE);
    }
    response
}

async fn answer(app: &App, sent: &Sent) -> Result<(Caller, Map<String, Value>), Failure> {
    let url = app.url(INTROSPECT);
    let caller = caller::identify(app, &sent.visit, &sent.headers.presentation(&url), &sent.params).await?;
    if caller.client.is_public() {
        return Err(
            Refusal::new(ErrorCode::InvalidClient, "introspection needs client authentication").into()
        );
    }
    use_up(app, sent, &caller).await?;
    let token = sent.params.once("token")?;
    let token = token.ok_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "token is required"))?;
    let Some(alive) = tokens::read_alive_of_any_kind(app, token, sent.visit.now).await? else {
        return Ok((caller, introspection::inactive()));
    };
    let registry = app.registry().await?;
    let Some(alive) = tokens::open_to_user(app, &registry, alive).await? else {
        return Ok((caller, introspection::inactive()));
    };
    let own = caller.client.resource_server.as_ref().and_then(|own| registry.resource_servers.get(own));
    let as_server =
        own.map(|server| introspection::answer(&alive, app.issuer(), Asker::ResourceServer(server)));
    let as_client = || {
        let mut answer = introspection::answer(&alive, app.issuer(), Asker::Client(&caller.client.id));
        // A client knows its users by its own names for them (OpenID Connect Core §8).
        if let Some((sub, user)) = answer.get_mut("sub").zip(alive.subject.user()) {
            *sub = app.subject_for(&caller.client, user).into();
        }
        answer
    };
    let as_server = as_server.filter(|answer| *answer != introspection::inactive());
    // Receipts name the user as all resource servers know them; a client that knows them by another name gets none.
    let entitled = as_server.is_some() || perspective(&caller.client) == Perspective::Public;
    let mut told = as_server.unwrap_or_else(as_client);
    if told.get("active") == Some(&Value::Bool(true)) && entitled && wants_receipts(sent)? {
        // Who acted elsewhere, before this server knew of it, is not this server's to vouch for.
        let complete = alive.brought.depth() == 0;
        add_to(&mut told, receipts::of(app, &alive, sent.visit.now).await?, complete);
    }
    tell_of_task(app, &mut told, &alive, &caller.client).await?;
    Ok((caller, told))
}

/// Where the token's task stands, for whoever is told of the task; and for its own client, which may ask at `/tasks` too,
/// how many more tokens may be derived for it.
async fn tell_of_task(
    app: &App,
    told: &mut Map<String, Value>,
    token: &Token,
    client: &Client,
) -> Result<(), Failure> {
    let (Some(of), Some(members)) = (&token.task, told.get_mut("task").and_then(Value::as_object_mut)) else {
        return Ok(());
    };
    // A token whose task, or one above it, stands elsewhere is not alive.
    members.insert("status".to_owned(), TaskStatus::Active.as_str().into());
    if token.client == client.id
        && let Some(task) = app.store.find_task(&of.id).await?
        && let Some(remaining) = task.derivations_remaining()
    {
        members.insert("derivations_remaining".to_owned(), remaining.into());
    }
    if app.settings.tasks.mission_claim {
        let mut mission = of.as_mission(app.issuer());
        mission["state"] = TaskStatus::Active.as_str().into();
        told.insert("mission".to_owned(), mission);
    }
    Ok(())
}

/// Whether the request asks for the receipts of the chain (actor receipts).
fn wants_receipts(sent: &Sent) -> Result<bool, Failure> {
    match sent.params.once(PARAMETER)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let description = "actor_receipts must be true or false";
            Err(Refusal::new(ErrorCode::InvalidRequest, description).into())
        }
    }
}

/// The answer as a JWT for this client, encrypted where it registered so (RFC 9701 §5, §6).
async fn sign(
    app: &App,
    sent: &Sent,
    client: &Client,
    answer: Map<String, Value>,
) -> Result<String, Failure> {
    let claims = signed::claims(answer, app.issuer(), signed::audience(client), sent.visit.now);
    let jwt = app.keys.sign(signed::signing_alg(client), signed::TYP, &claims)?;
    let Some(encryption) = client.metadata.introspection_encryption() else { return Ok(jwt) };
    let keys = app.keys_of(client, sent.visit.now).await.map_err(|_| no_key())?;
    match keys.encrypt(&jwt, encryption.alg, encryption.enc) {
        Err(JoseError::NoEncryptionKey) => Err(no_key()),
        encrypted => Ok(encrypted?),
    }
}

/// What was to be encrypted is not sent in the clear.
fn no_key() -> Failure {
    let description = "the client registered encryption, but no key for it can be found among its keys";
    Refusal::new(ErrorCode::InvalidRequest, description).into()
}

/// What the caller showed is not to be shown again. Asking decides nothing, so there is no event.
async fn use_up(app: &App, sent: &Sent, caller: &Caller) -> Result<(), Failure> {
    if !caller.has_marks() {
        return Ok(());
    }
    match app.store.commit(caller.mark(Change::housekeeping(sent.visit.now))).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(conflict)) => {
            let refusal = caller.replayed(&conflict);
            Err(refusal.unwrap_or_else(|| Refusal::new(ErrorCode::InvalidRequest, "try again")).into())
        }
    }
}
