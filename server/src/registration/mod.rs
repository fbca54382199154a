//! Clients that nobody declared: those that register themselves (RFC 7591) and manage their registration (RFC 7592),
//! and those whose id is the URL of a document about them.

mod documents;
mod expire;
mod manage;
mod prove;
mod register;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::{Client, ClientAuthentication};
use protocol::identifier::ClientId;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::registration::metadata_document;

use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::secret::Secret;
use crate::store::{CommitError, Registered, RegisteredBy, StoreError};

pub use documents::find_client;
pub use expire::expire;
pub use manage::{delete, read, update};
pub use register::register;

/// A client as it is registered now, and what only it may know.
pub struct Given {
    /// The client.
    pub client: Client,
    /// How it registered.
    pub registered: Registered,
    /// Its secret, where it was made just now.
    pub secret: Option<Secret>,
    /// Its registration access token.
    pub token: Secret,
}

/// Why nothing was given.
#[derive(Debug)]
pub enum NotGiven {
    /// Nobody may register clients here.
    Closed,
    /// No token, or one that is not good for this. What is wrong with one that was sent (RFC 6750 §3).
    Unauthorized(Option<Refusal>),
    /// The client may not act now, and so not change itself either.
    Forbidden,
    /// Too often from this address.
    TooOften,
    /// There are as many clients as there may be.
    Full,
    /// The document is refused, or something of ours is broken.
    Failure(Failure),
}

impl<F: Into<Failure>> From<F> for NotGiven {
    fn from(failure: F) -> Self {
        Self::Failure(failure.into())
    }
}

impl NotGiven {
    /// What the token that was sent is not.
    fn bad_token() -> Self {
        Self::Unauthorized(Some(Refusal::new(
            ErrorCode::InvalidToken,
            "the token is not valid here, or not any more",
        )))
    }
}

/// Who says what a client is, for the people who are asked to trust it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Vouched {
    /// The operator.
    ByOperator,
    /// Nobody: it registered itself.
    Nobody,
    /// Nobody but the document at its id, on this host.
    ItsDocument {
        /// The host.
        host: String,
    },
}

/// Who says what `client` is.
///
/// # Errors
/// The store's.
pub async fn vouched(app: &App, client: &Client) -> Result<Vouched, StoreError> {
    let registered = app.store.find_registration(&client.id).await?;
    Ok(match registered.map(|registered| registered.by) {
        None => Vouched::ByOperator,
        Some(RegisteredBy::Itself(_)) => Vouched::Nobody,
        Some(RegisteredBy::Document(_)) => {
            let host =
                metadata_document::url_of(&client.id).and_then(|url| url.host_str().map(str::to_owned));
            Vouched::ItsDocument { host: host.unwrap_or_default() }
        }
    })
}

fn event(action: Action, visit: &Visit, client: Option<&ClientId>) -> AuditEvent {
    let mut event = AuditEvent::new(action, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.client = client.cloned();
    event
}

/// What is stored of a client's secret, if it has one.
fn secret_sha256(client: &Client) -> Option<&str> {
    match &client.authentication {
        ClientAuthentication::ClientSecretBasic { secret_sha256 }
        | ClientAuthentication::ClientSecretPost { secret_sha256 } => Some(secret_sha256),
        _ => None,
    }
}

/// A commit that nothing should stand in the way of.
fn committed<T>(result: Result<T, CommitError>) -> Result<T, Failure> {
    result.map_err(|error| match error {
        CommitError::Broken(error) => error.into(),
        CommitError::Conflict(_) => Broken::Inconsistent("a registration could not be written").into(),
    })
}
