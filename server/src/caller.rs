//! Who is calling: client authentication (RFC 6749 §2.3, RFC 7523 §2.2) and the proof of a key (RFC 9449 §4.3).
//!
//! A [`Caller`] cannot be made without them. What must be seen only once, the `jti` of an assertion and of a proof,
//! travels with it as marks, to be written in the same commit as whatever the caller gets.

use std::sync::Arc;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::{Client, ClientAuthentication};
use protocol::identifier::{ClientId, Jkt};
use protocol::numeric_date::NumericDate;
use protocol::params::Params;
use protocol::presented::{self, Presented};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::{client_assertion, dpop};

use crate::app::{App, Visit, same};
use crate::config::DpopNonce;
use crate::failure::Failure;
use crate::jose::{self, NoncePurpose};
use crate::registration;
use crate::secret::SecretDigest;
use crate::store::{Change, Conflict, ReplayKey};

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
    /// `change`, on condition that nothing this caller showed was shown before.
    pub fn mark(&self, change: Change) -> Change {
        self.marks.iter().fold(change, |change, mark| change.first_time(mark.key, mark.until))
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
            let proof = match prove_key(app, visit, shown, None, NoncePurpose::AuthorizationServer) {
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
            Ok(Caller { client, key, marks: assertion.into_iter().chain(proof).collect() })
        }
        Err(Failure::Refused(refusal)) => {
            tell(app, visit, None, &refusal).await?;
            Err(Failure::Refused(refusal))
        }
        Err(broken) => Err(broken),
    }
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
        Presented::PublicId(id) => (known(app, visit, id).await?, None),
        Presented::Basic { client_id, secret } | Presented::Post { client_id, secret } => {
            let source = visit.from.map(|ip| ip.to_string()).unwrap_or_default();
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
            let (client, mark) = check_assertion(app, visit, assertion.reveal()).await?;
            presented::check_same(client_id.as_ref(), &client.id)?;
            (client, Some(mark))
        }
    };
    // Only the registered method counts: a client with a key is not let in by its name.
    let fits = presented.method() == Some(client.authentication.method());
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
        ClientAuthentication::None | ClientAuthentication::PrivateKeyJwt => None,
    }
}

async fn check_assertion(app: &App, visit: &Visit, assertion: &str) -> Result<(Arc<Client>, Mark), Failure> {
    let unverified = jose::decode(assertion).map_err(|_| unknown())?;
    let claimed = client_assertion::unverified_client(&unverified.claims)?;
    let client = known(app, visit, &claimed).await?;
    if client.authentication != ClientAuthentication::PrivateKeyJwt {
        return Err(unknown());
    }
    let keys = app.keys_of(&client).map_err(|_| unknown())?;
    let alg = unverified.alg().map_err(|_| unknown())?;
    let claims = keys.verify(assertion, unverified.kid(), alg).map_err(|_| unknown())?;
    let expected = client_assertion::Expected { issuer: app.issuer(), now: visit.now };
    let proven = client_assertion::check(&unverified.header, &claims, expected)?;
    if !same(proven.client.as_str(), client.id.as_str()) {
        return Err(unknown());
    }
    let key = ReplayKey::new("client_assertion", &[client.id.as_str(), &proven.jti]);
    Ok((client, Mark { of: Shown::Assertion, key, until: proven.expires_at }))
}

/// A key whose possession was proven.
#[derive(Clone, Debug)]
pub struct ProvenKey {
    /// Its thumbprint.
    pub key: Jkt,
    /// The proof's mark.
    pub mark: Mark,
}

/// Checks the DPoP proof, if one was sent (RFC 9449 §4.3); with `access_token`, that it is for this token.
///
/// # Errors
/// `invalid_dpop_proof`, also for several headers; `use_dpop_nonce` where a recent nonce is missing.
pub fn prove_key(
    app: &App,
    visit: &Visit,
    shown: &Presentation<'_>,
    access_token: Option<&str>,
    purpose: NoncePurpose,
) -> Result<Option<ProvenKey>, Failure> {
    let malformed = || {
        Refusal::new(
            ErrorCode::InvalidDpopProof,
            "the DPoP header must be one signed JWT with its key in jwk",
        )
    };
    let proof = match shown.dpop.as_slice() {
        [] => return Ok(None),
        [proof] => *proof,
        _ => {
            return Err(Refusal::new(ErrorCode::InvalidDpopProof, "send one DPoP header, not several").into());
        }
    };
    let signed = jose::verify_dpop(proof).map_err(|_| malformed())?;
    let (_, jwk) = dpop::check_header(&signed.header)?;
    let claims = dpop::ProofClaims::parse(&signed.claims)?;
    let nonce = match app.settings.dpop.nonce {
        DpopNonce::Off => dpop::NonceDemand::NotDemanded,
        DpopNonce::Required => {
            let life = app.settings.dpop.nonce_life;
            let recent = |nonce: &str| app.nonces.is_recent(nonce, purpose, visit.now, life);
            dpop::NonceDemand::Demanded { valid: claims.nonce.as_deref().is_some_and(recent) }
        }
    };
    let window = app.settings.dpop.proof_window;
    let expected =
        dpop::Expected { method: shown.method, uri: shown.url, access_token, now: visit.now, window, nonce };
    let proof = dpop::check(&jwk, &claims, &expected)?;
    let key = ReplayKey::new("dpop", &[proof.jkt.as_str(), shown.url, &proof.jti]);
    let mark = Mark { of: Shown::Proof, key, until: proof.remember_until };
    Ok(Some(ProvenKey { key: proof.jkt, mark }))
}
