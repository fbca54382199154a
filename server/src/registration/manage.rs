//! A client reads, replaces and ends its own registration (RFC 7592 §2).

use std::sync::Arc;

use protocol::audit::Action;
use protocol::client::{Client, ClientStatus};
use protocol::identifier::ClientId;
use protocol::registration as law;
use protocol::subject;

use super::register::proven_document;
use super::{Given, NotGiven, event, secret_sha256};
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::secret::{Secret, SecretDigest};
use crate::store::{Anchor, Change, CommitError, Ending, Origin, Record, Registered, RegisteredBy};

/// Who the bearer of a registration access token is. One answer for a client that is not there, for one that is
/// another's, and for one that was declared: nobody learns which clients there are.
async fn own(
    app: &App,
    visit: &Visit,
    id: &str,
    bearer: Option<&str>,
) -> Result<(Arc<Client>, Registered), NotGiven> {
    let bearer = bearer.ok_or(NotGiven::Unauthorized(None))?;
    let id: ClientId = id.parse().map_err(|_| NotGiven::bad_token())?;
    let registered = app.store.find_registration(&id).await?.ok_or_else(NotGiven::bad_token)?;
    let RegisteredBy::Itself(digest) = &registered.by else { return Err(NotGiven::bad_token()) };
    if !SecretDigest::of(bearer).matches(digest) {
        return Err(NotGiven::bad_token());
    }
    let client = app.store.find_client(&id).await?.ok_or_else(NotGiven::bad_token)?;
    if client.is_live(visit.now) { Ok((client, registered)) } else { Err(NotGiven::Forbidden) }
}

fn presented(bearer: Option<&str>) -> Secret {
    Secret::from_text(bearer.unwrap_or_default().to_owned())
}

/// What is registered (RFC 7592 §2.1). The secret is not told again: only its digest is here.
///
/// # Errors
/// [`NotGiven`].
pub async fn read(app: &App, visit: &Visit, id: &str, bearer: Option<&str>) -> Result<Given, NotGiven> {
    let (client, registered) = own(app, visit, id, bearer).await?;
    let client = client.as_ref().clone();
    Ok(Given { client, registered, secret: None, token: presented(bearer) })
}

/// Replaces what is registered (RFC 7592 §2.2): what the document leaves out is gone.
///
/// # Errors
/// [`NotGiven`]; then everything stays as it was.
pub async fn update(
    app: &App,
    visit: &Visit,
    id: &str,
    bearer: Option<&str>,
    body: &[u8],
) -> Result<Given, NotGiven> {
    let (client, registered) = own(app, visit, id, bearer).await?;
    match replace(app, visit, &client, &registered, body).await {
        Ok((client, registered, secret)) => {
            let change = Change::new(event(Action::ClientUpdate, visit, Some(&client.id)));
            let change = change
                .requires(Anchor::Client(client.id.clone()))
                .keep(Record::Client { client: client.clone(), origin: Origin::Registered })
                .keep(Record::Registered(registered.clone()));
            alive(app.store.commit(change).await)?;
            Ok(Given { client, registered, secret, token: presented(bearer) })
        }
        Err(Failure::Refused(refusal)) => {
            let told = event(Action::ClientUpdate, visit, Some(&client.id)).refused(&refusal);
            app.tell_of_stranger(visit, told).await?;
            Err(Failure::Refused(refusal).into())
        }
        Err(broken) => Err(broken.into()),
    }
}

async fn replace(
    app: &App,
    visit: &Visit,
    client: &Client,
    registered: &Registered,
    body: &[u8],
) -> Result<(Client, Registered, Option<Secret>), Failure> {
    let document = law::document(body)?;
    let stored = secret_sha256(client);
    let is_secret = |secret: &str| stored.is_some_and(|stored| SecretDigest::of(secret).matches(stored));
    law::check_update(&document, client, is_secret)?;
    let (registration, statement) = proven_document(app, visit, document).await?;
    // A secret that the client has stays; one that it needs from now on is made.
    let fresh = registration.needs_secret() && stored.is_none();
    let secret = fresh.then(|| Secret::generate(app.entropy.as_ref(), ""));
    let digest = match &secret {
        Some(secret) => secret.digest().to_text(),
        None => stored.unwrap_or_default().to_owned(),
    };
    let policy = app.settings.registration_policy();
    let client = subject::moved(client, registration.into_client(client.id.clone(), digest, &policy));
    Ok((client, Registered { software_statement: statement, ..registered.clone() }, secret))
}

/// Ends a client, and at once everything that hangs on it (RFC 7592 §2.3).
///
/// # Errors
/// [`NotGiven`].
pub async fn delete(app: &App, visit: &Visit, id: &str, bearer: Option<&str>) -> Result<(), NotGiven> {
    let (client, _) = own(app, visit, id, bearer).await?;
    let change = Change::new(event(Action::ClientDelete, visit, Some(&client.id)));
    let change = change.requires(Anchor::Client(client.id.clone()));
    alive(app.store.commit(end(change, &client, Origin::Registered)).await)
}

/// `change`, and the end of a client.
pub(super) fn end(change: Change, client: &Client, origin: Origin) -> Change {
    let retired = Client { status: ClientStatus::Retired, ..client.clone() };
    change.keep(Record::Client { client: retired, origin }).end(Ending::Client(client.id.clone()))
}

/// Between the question and the commit the client may have ended.
fn alive<T>(result: Result<T, CommitError>) -> Result<(), NotGiven> {
    match result {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict(_)) => Err(NotGiven::bad_token()),
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}
