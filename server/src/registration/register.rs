//! `POST /register` (RFC 7591 §3).

use protocol::audit::Action;
use protocol::client::Client;
use protocol::identifier::ClientId;
use protocol::registration::Registration;
use serde_json::{Map, Value};

use super::{Given, NotGiven, committed, event, prove};
use crate::app::{App, Visit};
use crate::config::Registering;
use crate::failure::{Broken, Failure};
use crate::secret::{Secret, SecretDigest, random_id};
use crate::store::{Change, CommitError, Conflict, Origin, Record, Registered, RegisteredBy, Take};

/// How often one use of a token is asked for, where others ask for theirs at the same moment.
const TRIES: usize = 5;

/// Registers a client. `bearer` is an initial access token.
///
/// # Errors
/// [`NotGiven`]. A refusal of the document is told to the audit log, within bounds.
pub async fn register(
    app: &App,
    visit: &Visit,
    bearer: Option<&str>,
    body: &[u8],
) -> Result<Given, NotGiven> {
    let settings = &app.settings.registration;
    if settings.enabled == Registering::Closed {
        return Err(NotGiven::Closed);
    }
    let source = visit.source();
    if !app.registrations.count(&source) {
        return Err(NotGiven::TooOften);
    }
    let bearer = bearer.map(SecretDigest::of);
    match &bearer {
        Some(digest) if !app.store.is_initial_access_token(digest, visit.now).await? => {
            return Err(NotGiven::bad_token());
        }
        None if settings.enabled == Registering::Token => return Err(NotGiven::Unauthorized(None)),
        _ => {}
    }
    match proven(app, visit, body).await {
        Ok((registration, statement)) => keep(app, visit, bearer, registration, statement).await,
        Err(Failure::Refused(refusal)) => {
            let told = event(Action::ClientRegister, visit, None).refused(&refusal);
            app.tell_of_stranger(visit, told).await?;
            Err(Failure::Refused(refusal).into())
        }
        Err(broken) => Err(broken.into()),
    }
}

/// The registration that a body asks for, with everything proven that can be: the statement, the keys, the sector.
pub(super) async fn proven(
    app: &App,
    visit: &Visit,
    body: &[u8],
) -> Result<(Registration, Option<String>), Failure> {
    let document = protocol::registration::document(body)?;
    proven_document(app, visit, document).await
}

/// The same of a document that was read.
pub(super) async fn proven_document(
    app: &App,
    visit: &Visit,
    mut document: Map<String, Value>,
) -> Result<(Registration, Option<String>), Failure> {
    let statement = prove::statement(app, visit, &mut document)?;
    let registration = Registration::parse(&document, &app.settings.registration_policy())?;
    prove::keys(&registration)?;
    prove::sector(app, &registration).await?;
    Ok((registration, statement))
}

async fn keep(
    app: &App,
    visit: &Visit,
    bearer: Option<SecretDigest>,
    registration: Registration,
    statement: Option<String>,
) -> Result<Given, NotGiven> {
    if app.store.count_registrations().await? >= app.settings.registration.most_clients {
        return Err(NotGiven::Full);
    }
    let id: ClientId = random_id(app.entropy.as_ref(), "dyn_")
        .parse()
        .map_err(|_| Failure::from(Broken::Other("a random id is no identifier")))?;
    let secret = registration.needs_secret().then(|| Secret::generate(app.entropy.as_ref(), ""));
    let digest = secret.as_ref().map(|secret| secret.digest().to_text()).unwrap_or_default();
    let client = registration.into_client(id, digest, &app.settings.registration_policy());
    let token = Secret::generate(app.entropy.as_ref(), "reg_");
    let registered = Registered {
        client: client.id.clone(),
        by: RegisteredBy::Itself(token.digest().to_text()),
        at: visit.now,
        software_statement: statement,
    };
    write(app, visit, bearer, &client, &registered).await?;
    Ok(Given { client, registered, secret, token })
}

async fn write(
    app: &App,
    visit: &Visit,
    bearer: Option<SecretDigest>,
    client: &Client,
    registered: &Registered,
) -> Result<(), NotGiven> {
    let change = || {
        let change = Change::new(event(Action::ClientRegister, visit, Some(&client.id)));
        let change = change.keep(Record::Client { client: client.clone(), origin: Origin::Registered });
        change.keep(Record::Registered(registered.clone()))
    };
    let Some(digest) = bearer else {
        committed(app.store.commit(change()).await)?;
        return Ok(());
    };
    for _ in 0..TRIES {
        match app.store.commit(change().take(Take::InitialAccessToken(digest))).await {
            Err(CommitError::Conflict(Conflict::AlreadyTaken)) => {
                // Another took a use at the same moment; there may be more of them.
                if !app.store.is_initial_access_token(&digest, visit.now).await? {
                    return Err(NotGiven::bad_token());
                }
            }
            other => {
                committed(other)?;
                return Ok(());
            }
        }
    }
    Err(NotGiven::TooOften)
}
