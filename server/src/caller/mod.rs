//! Who is calling: client authentication (RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2, and by attestation), the proof of a key (RFC 9449
//! §4.3) and of a certificate (RFC 8705 §3).
//!
//! A [`Caller`] cannot be made without them. What must be seen only once, the `jti` of an assertion and of a proof,
//! travels with it as marks, to be written in the same commit as whatever the caller gets.

mod assertion;
mod attestation;
mod certificate;
mod proof;
mod workload;

use std::sync::Arc;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::{Client, ClientAuthentication};
use protocol::confirmation::Held;
use protocol::identifier::{ClientId, InstanceId, Jkt, X5tS256};
use protocol::instance::Instance;
use protocol::numeric_date::NumericDate;
use protocol::params::Params;
use protocol::presented::{self, AssertionKind, Presented, PresentedRefused};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::workload::WorkloadRefused;

use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::jose::{self, NoncePurpose};
use crate::registration;
use crate::secret::SecretDigest;
use crate::store::{Anchor, Change, Conflict, ReplayKey};

pub use proof::{ProvenKey, prove_key};
pub use workload::{Proof, prove_workload};

/// What a request presents of credentials.
pub struct Presentation<'a> {
    /// The `Authorization` header, if there is one.
    pub authorization: Option<&'a str>,
    /// Every `DPoP` header.
    pub dpop: Vec<&'a str>,
    /// Every `OAuth-Client-Attestation` header.
    pub attestation: Vec<&'a str>,
    /// Every `OAuth-Client-Attestation-PoP` header.
    pub attestation_pop: Vec<&'a str>,
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
    /// Which running copy of the client it is, where its platform or its key tells them apart.
    pub instance: Option<InstanceId>,
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
    Attestation,
    Proof,
}

impl Caller {
    /// What it proved to hold.
    #[must_use]
    pub fn held(&self) -> Held {
        Held { key: self.key.clone(), certificate: self.certificate.clone() }
    }

    /// Which instance of the client it is, where they are told apart.
    #[must_use]
    pub fn as_instance(&self) -> Option<Instance> {
        self.instance.as_ref().map(|id| Instance::new(&self.client.id, id))
    }

    /// `change`, on condition that nothing this caller showed was shown before.
    pub fn mark(&self, change: Change) -> Change {
        self.marks.iter().fold(change, |change, mark| change.first_time(mark.key, mark.until))
    }

    /// The client of a request that it was authenticated for before, where what it asked for is brought to it (CIBA
    /// §10.3): nothing is shown now.
    #[must_use]
    pub fn absent(client: Arc<Client>, held: Held, instance: Option<InstanceId>) -> Self {
        Self { client, key: held.key, certificate: held.certificate, instance, marks: Vec::new() }
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
        let change = change.requires(Anchor::Client(self.client.id.clone()));
        self.as_instance().into_iter().map(Anchor::Instance).fold(change, Change::requires)
    }

    /// The refusal for a conflict, where it is that this instance of the client was ended.
    #[must_use]
    pub fn ended(&self, conflict: &Conflict) -> Option<Refusal> {
        let Conflict::NotAlive(Anchor::Instance(instance)) = conflict else { return None };
        let is_it = Some(instance) == self.as_instance().as_ref();
        is_it.then(|| Refusal::new(ErrorCode::InvalidClient, "client authentication failed"))
    }

    /// The refusal for a conflict, where it is that the caller may not act any more.
    #[must_use]
    pub fn stopped(&self, conflict: &Conflict) -> Option<Refusal> {
        let is_it = match conflict {
            Conflict::NotAlive(Anchor::Client(id)) => *id == self.client.id,
            Conflict::NotAlive(Anchor::Instance(instance)) => Some(instance) == self.as_instance().as_ref(),
            _ => false,
        };
        is_it.then(|| Refusal::new(ErrorCode::InvalidClient, "client authentication failed"))
    }
}

impl Mark {
    /// `change`, on condition that this was not shown before.
    pub fn on(&self, change: Change) -> Change {
        change.first_time(self.key, self.until)
    }

    /// What it is known by, and until when that must be remembered.
    #[must_use]
    pub const fn once(&self) -> (ReplayKey, NumericDate) {
        (self.key, self.until)
    }

    /// What to answer when it was.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        match self.of {
            Shown::Assertion => Refusal::new(
                ErrorCode::InvalidClient,
                "the client assertion was used before; make a new one for each request",
            ),
            Shown::Attestation => Refusal::new(
                ErrorCode::InvalidClientAttestation,
                "the proof of the client attestation was used before; make a new one for each request",
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
    let mut noticed = Noticed::default();
    match authenticate(app, visit, shown, params, &mut noticed).await {
        Ok(Authenticated { client, instance, mark: assertion, key }) => {
            check_not_ended(app, visit, &client, instance.as_ref()).await?;
            let proven = match key {
                // It was what the client authenticated with.
                Some(key) => Ok(Some(key)),
                None => prove(app, visit, shown, &client),
            };
            let proof = match proven {
                Ok(proof) => proof,
                Err(Failure::Refused(refusal)) => {
                    // The demand for a nonce is a step of the protocol and decides nothing.
                    if refusal.code != ErrorCode::UseDpopNonce {
                        noticed.client = Some(client.id.clone());
                        tell(app, visit, noticed, &refusal).await?;
                    }
                    return Err(Failure::Refused(refusal));
                }
                Err(broken) => return Err(broken),
            };
            let (key, proof) = proof.map(|proof| (proof.key, proof.mark)).unzip();
            let certificate = visit.certificate.as_ref().map(|certificate| certificate.x5t_s256().clone());
            let marks = assertion.into_iter().chain(proof).collect();
            Ok(Caller { client, key, certificate, instance, marks })
        }
        Err(Failure::Refused(refusal)) => {
            // As with the nonce.
            if !matches!(refusal.code, ErrorCode::UseAttestationChallenge | ErrorCode::UseDpopNonce) {
                tell(app, visit, noticed, &refusal).await?;
            }
            Err(Failure::Refused(refusal))
        }
        Err(broken) => Err(broken),
    }
}

/// An instance that was ended is nobody any more.
async fn check_not_ended(
    app: &App,
    visit: &Visit,
    client: &Client,
    instance: Option<&InstanceId>,
) -> Result<(), Failure> {
    let Some(id) = instance else { return Ok(()) };
    let anchor = Anchor::Instance(Instance::new(&client.id, id));
    if app.store.is_alive(&[anchor], visit.now).await?.is_ok() {
        return Ok(());
    }
    let refusal = Refusal::new(ErrorCode::InvalidClient, "client authentication failed");
    let mut event =
        AuditEvent::new(Action::ClientAuthenticate, Outcome::Refused, visit.now).refused(&refusal);
    event.request = Some(visit.id.clone());
    event.client = Some(client.id.clone());
    event.instance = instance.cloned();
    event.reason = Some("this instance of the client was ended".to_owned());
    app.tell_of_stranger(visit, event).await?;
    Err(refusal.into())
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

/// What an auditor may know of an authentication that failed, and whoever tried it may not.
#[derive(Default)]
struct Noticed {
    client: Option<ClientId>,
    reason: Option<String>,
}

impl Noticed {
    /// What was wrong with the proof of this client's, in one voice for whoever sent it.
    fn refusal(&mut self, client: &Client, reason: WorkloadRefused) -> Failure {
        self.client = Some(client.id.clone());
        self.reason = Some(reason.to_string());
        unknown()
    }
}

/// Who it is.
struct Authenticated {
    client: Arc<Client>,
    instance: Option<InstanceId>,
    mark: Option<Mark>,
    /// Its DPoP key, where that is what it authenticated with.
    key: Option<ProvenKey>,
}

async fn tell(app: &App, visit: &Visit, noticed: Noticed, refusal: &Refusal) -> Result<(), Failure> {
    let mut event = AuditEvent::new(Action::ClientAuthenticate, Outcome::Refused, visit.now).refused(refusal);
    event.request = Some(visit.id.clone());
    event.client = noticed.client;
    event.reason = noticed.reason.or(event.reason);
    app.tell_of_stranger(visit, event).await
}

async fn authenticate(
    app: &App,
    visit: &Visit,
    shown: &Presentation<'_>,
    params: &Params,
    noticed: &mut Noticed,
) -> Result<Authenticated, Failure> {
    let presented = Presented::read(shown.authorization, params)?;
    if !shown.attestation.is_empty() || !shown.attestation_pop.is_empty() {
        return match &presented {
            Presented::Nothing => attestation::check(app, visit, shown, None, noticed).await,
            Presented::PublicId(id) => attestation::check(app, visit, shown, Some(id), noticed).await,
            _ => Err(PresentedRefused::SeveralMethods.into()),
        };
    }
    let (client, instance, mark) = match &presented {
        Presented::Nothing => return Err(unknown()),
        // A client that proves itself with a certificate sends its `client_id` too (RFC 8705 §2).
        Presented::PublicId(id) => {
            let client = known(app, visit, id).await?;
            let instance = by_certificate(app, visit, &client, noticed).await?;
            (client, instance, None)
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
                    (client, None, None)
                }
                _ => return Err(unknown()),
            }
        }
        Presented::Assertion { kind, assertion, client_id } => {
            let assertion = assertion.reveal();
            match of_platform(app, visit, *kind, assertion, client_id.as_ref()).await? {
                Some(client) => match prove_workload(app, &client, assertion, visit.now).await {
                    Ok(Proof { workload, mark }) => (client, workload.instance, mark),
                    Err(reason) => return Err(noticed.refusal(&client, reason)),
                },
                None => {
                    let (client, mark) =
                        assertion::check(app, visit, shown, assertion, client_id.as_ref()).await?;
                    presented::check_same(client_id.as_ref(), &client.id)?;
                    (client, None, Some(mark))
                }
            }
        }
    };
    // Only the registered method counts: a client with a key is not let in by its name.
    let fits = presented.is(client.authentication.method());
    if fits && client.is_live(visit.now) {
        Ok(Authenticated { client, instance, mark, key: None })
    } else {
        Err(unknown())
    }
}

/// The client that an assertion is presented for, if its platform vouches for it: a platform's token does not say who is
/// a client here, so the request does. A JWT-SVID may also be of a client that is called by its SPIFFE ID.
async fn of_platform(
    app: &App,
    visit: &Visit,
    kind: AssertionKind,
    assertion: &str,
    named: Option<&ClientId>,
) -> Result<Option<Arc<Client>>, Failure> {
    let client = match (named, kind) {
        (Some(id), _) => known(app, visit, id).await?,
        (None, AssertionKind::JwtBearer) => return Ok(None),
        (None, AssertionKind::JwtSpiffe) => {
            let claims = jose::decode(assertion).map_err(|_| unknown())?.claims;
            let id = claims.get("sub").and_then(|sub| sub.as_str()?.parse().ok()).ok_or_else(unknown)?;
            known(app, visit, &id).await?
        }
    };
    match (kind, &client.authentication) {
        (AssertionKind::JwtBearer, ClientAuthentication::WorkloadJwt(_))
        | (AssertionKind::JwtSpiffe, ClientAuthentication::SpiffeJwt { .. }) => Ok(Some(client)),
        (AssertionKind::JwtBearer, _) => Ok(None),
        (AssertionKind::JwtSpiffe, _) => Err(unknown()),
    }
}

/// Whether the certificate of this request proves the client, if it is one that proves itself so.
async fn by_certificate(
    app: &App,
    visit: &Visit,
    client: &Client,
    noticed: &mut Noticed,
) -> Result<Option<InstanceId>, Failure> {
    if !client.authentication.method().needs_certificate() {
        return Ok(None);
    }
    let Some(certificate) = &visit.certificate else { return Err(unknown()) };
    if let ClientAuthentication::SpiffeX509 { spiffe_id } = &client.authentication {
        let proven = workload::prove_by_certificate(app, spiffe_id, certificate, visit.now).await;
        return proven.map(|proven| proven.instance).map_err(|reason| noticed.refusal(client, reason));
    }
    match certificate::proves(app, visit, client, certificate).await {
        true => Ok(None),
        false => Err(unknown()),
    }
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
        _ => None,
    }
}
