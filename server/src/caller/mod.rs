//! Who is calling: client authentication (RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2), the proof of a key (RFC 9449
//! §4.3) and of a certificate (RFC 8705 §3).
//!
//! A [`Caller`] cannot be made without them. What must be seen only once, the `jti` of an assertion and of a proof,
//! travels with it as marks, to be written in the same commit as whatever the caller gets.

mod assertion;
mod certificate;
mod proof;

use std::sync::Arc;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::{Client, ClientAuthentication};
use protocol::confirmation::Held;
use protocol::identifier::{ClientId, Jkt, X5tS256};
use protocol::numeric_date::NumericDate;
use protocol::params::Params;
use protocol::presented::{self, Presented};
use protocol::refusal::{ErrorCode, Refusal};

use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::jose::NoncePurpose;
use crate::registration;
use crate::secret::SecretDigest;
use crate::store::{Anchor, Change, Conflict, ReplayKey};

pub use proof::{ProvenKey, prove_key};

/// What a request presents of credentials.
pub struct Presentation<'a> {
    /// The `Authorization` header, if there is one.
    pub authorization: Option<&'a str>,
    /// Every `DPoP` header.
    pub dpop: Vec<&'a str>,
    /// The HTTP method.
    pub method: &'a str,
    /// The public URL of the endpoint, whatever a proxy made of it.
    pub url: &'a str,
}

/// An authenticated client and, where it was proven, its key.
pub struct Caller {
    /// Who.
    pub client: Arc<Client>,
    /// The key it proved.
    pub key: Option<Jkt>,
    /// The certificate it holds, whether or not it authenticates with it (RFC 8705 §3, §4).
    pub certificate: Option<X5tS256>,
    marks: Vec<Mark>,
}

/// Something that was shown and may not be shown again.
#[derive(Clone, Debug)]
pub struct Mark {
    of: Shown,
    key: ReplayKey,
    until: NumericDate,
}

#[derive(Clone, Copy, Debug)]
enum Shown {
    Assertion,
    Proof,
}

impl Caller {
    /// What it proved to hold.
    #[must_use]
    pub fn held(&self) -> Held {
        Held { key: self.key.clone(), certificate: self.certificate.clone() }
    }

    /// `change`, on condition that nothing this caller showed was shown before.
    pub fn mark(&self, change: Change) -> Change {
        self.marks.iter().fold(change, |change, mark| change.first_time(mark.key, mark.until))
    }

    /// The client of a request that it was authenticated for before, where what it asked for is brought to it (CIBA
    /// §10.3): nothing is shown now.
    #[must_use]
    pub fn absent(client: Arc<Client>, held: Held) -> Self {
        Self { client, key: held.key, certificate: held.certificate, marks: Vec::new() }
    }

    /// Whether it showed anything that may be shown only once.
    #[must_use]
    pub const fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// The refusal for a conflict, where it is about what the caller showed.
    #[must_use]
    pub fn replayed(&self, conflict: &Conflict) -> Option<Refusal> {
        let Conflict::Replayed(key) = conflict else { return None };
        self.marks.iter().find(|mark| mark.key == *key).map(Mark::refusal)
    }

    /// Only if the caller may act still when the change is written: somebody may have stopped it meanwhile.
    pub fn still_acts(&self, change: Change) -> Change {
        change.requires(Anchor::Client(self.client.id.clone()))
    }

    /// The refusal for a conflict, where it is that the caller may not act any more.
    #[must_use]
    pub fn stopped(&self, conflict: &Conflict) -> Option<Refusal> {
        let is_it = *conflict == Conflict::NotAlive(Anchor::Client(self.client.id.clone()));
        is_it.then(|| Refusal::new(ErrorCode::InvalidClient, "client authentication failed"))
    }
}

impl Mark {
    /// `change`, on condition that this was not shown before.
    pub fn on(&self, change: Change) -> Change {
        change.first_time(self.key, self.until)
    }

    /// What to answer when it was.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        match self.of {
            Shown::Assertion => Refusal::new(
                ErrorCode::InvalidClient,
                "the client assertion was used before; make a new one for each request",
            ),
            Shown::Proof => Refusal::new(
                ErrorCode::InvalidDpopProof,
                "the DPoP proof was used before; make a new one for each request",
            ),
        }
    }
}

/// Finds out who is calling.
///
/// # Errors
/// `invalid_client` in one voice for everything that is wrong with the client, known or not; `invalid_dpop_proof` or
/// `use_dpop_nonce` for the proof. The refusal is told to the audit log, within bounds.
pub async fn identify(
    app: &App,
    visit: &Visit,
    shown: &Presentation<'_>,
    params: &Params,
) -> Result<Caller, Failure> {
    match authenticate(app, visit, shown, params).await {
        Ok((client, assertion)) => {
            let proof = match prove(app, visit, shown, &client) {
                Ok(proof) => proof,
                Err(Failure::Refused(refusal)) => {
                    // The demand for a nonce is a step of the protocol and decides nothing.
                    if refusal.code != ErrorCode::UseDpopNonce {
                        tell(app, visit, Some(client.id.clone()), &refusal).await?;
                    }
                    return Err(Failure::Refused(refusal));
                }
                Err(broken) => return Err(broken),
            };
            let (key, proof) = proof.map(|proof| (proof.key, proof.mark)).unzip();
            let certificate = visit.certificate.as_ref().map(|certificate| certificate.x5t_s256().clone());
            Ok(Caller { client, key, certificate, marks: assertion.into_iter().chain(proof).collect() })
        }
        Err(Failure::Refused(refusal)) => {
            tell(app, visit, None, &refusal).await?;
            Err(Failure::Refused(refusal))
        }
        Err(broken) => Err(broken),
    }
}

fn prove(
    app: &App,
    visit: &Visit,
    shown: &Presentation<'_>,
    client: &Client,
) -> Result<Option<ProvenKey>, Failure> {
    let proof = prove_key(app, visit, shown, None, NoncePurpose::AuthorizationServer)?;
    proof.iter().try_for_each(|proof| proof.check_alg_of(client))?;
    Ok(proof)
}

async fn tell(app: &App, visit: &Visit, client: Option<ClientId>, refusal: &Refusal) -> Result<(), Failure> {
    let mut event = AuditEvent::new(Action::ClientAuthenticate, Outcome::Refused, visit.now).refused(refusal);
    event.request = Some(visit.id.clone());
    event.client = client;
    app.tell_of_stranger(visit, event).await
}

async fn authenticate(
    app: &App,
    visit: &Visit,
    shown: &Presentation<'_>,
    params: &Params,
) -> Result<(Arc<Client>, Option<Mark>), Failure> {
    let presented = Presented::read(shown.authorization, params)?;
    let (client, mark) = match &presented {
        Presented::Nothing => return Err(unknown()),
        // A client that proves itself with a certificate sends its `client_id` too (RFC 8705 §2).
        Presented::PublicId(id) => {
            let client = known(app, visit, id).await?;
            if client.authentication.method().needs_certificate() {
                let Some(certificate) = &visit.certificate else { return Err(unknown()) };
                if !certificate::proves(app, visit, &client, certificate).await {
                    return Err(unknown());
                }
            }
            (client, None)
        }
        Presented::Basic { client_id, secret } | Presented::Post { client_id, secret } => {
            let source = visit.source();
            let attempts = format!("{client_id} {source}");
            if !app.client_failures.count(&attempts) {
                return Err(Refusal::new(
                    ErrorCode::InvalidClient,
                    "too many failed authentications; wait a minute",
                )
                .into());
            }
            let found = app.store.find_client(client_id).await?;
            let stored = found.as_ref().and_then(|client| secret_digest(client)).unwrap_or_default();
            let right = SecretDigest::of(secret.reveal()).matches(stored) && !stored.is_empty();
            match found {
                Some(client) if right => {
                    app.client_failures.forgive(&attempts);
                    (client, None)
                }
                _ => return Err(unknown()),
            }
        }
        Presented::Assertion { assertion, client_id } => {
            let (client, mark) = assertion::check(app, visit, shown, assertion.reveal()).await?;
            presented::check_same(client_id.as_ref(), &client.id)?;
            (client, Some(mark))
        }
    };
    // Only the registered method counts: a client with a key is not let in by its name.
    let registered = client.authentication.method();
    let by_certificate = registered.needs_certificate() && matches!(presented, Presented::PublicId(_));
    let fits = by_certificate || presented.method() == Some(registered);
    if fits && client.is_live(visit.now) { Ok((client, mark)) } else { Err(unknown()) }
}

/// One answer for an unknown client, a wrong secret, a wrong method and a client that may not act.
fn unknown() -> Failure {
    Refusal::new(ErrorCode::InvalidClient, "client authentication failed").into()
}

async fn known(app: &App, visit: &Visit, id: &ClientId) -> Result<Arc<Client>, Failure> {
    match registration::find_client(app, visit, id).await {
        Ok(found) => found.ok_or_else(unknown),
        Err(Failure::Refused(_)) => Err(unknown()),
        Err(broken) => Err(broken),
    }
}

fn secret_digest(client: &Client) -> Option<&str> {
    match &client.authentication {
        ClientAuthentication::ClientSecretBasic { secret_sha256 }
        | ClientAuthentication::ClientSecretPost { secret_sha256 } => Some(secret_sha256),
        ClientAuthentication::None
        | ClientAuthentication::PrivateKeyJwt
        | ClientAuthentication::TlsClientAuth
        | ClientAuthentication::SelfSignedTlsClientAuth => None,
    }
}
