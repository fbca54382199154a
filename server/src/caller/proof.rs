//! The proof of a key (RFC 9449 §4.3).

use protocol::client::{Client, SigningAlg};
use protocol::dpop::{self, ProofRefused};
use protocol::identifier::Jkt;
use protocol::refusal::{ErrorCode, Refusal};

use super::{Mark, Presentation, Shown};
use crate::app::{App, Visit};
use crate::config::DpopNonce;
use crate::failure::Failure;
use crate::jose::{self, NoncePurpose};
use crate::store::ReplayKey;

/// A key whose possession was proven.
#[derive(Clone, Debug)]
pub struct ProvenKey {
    /// Its thumbprint.
    pub key: Jkt,
    /// The algorithm of the proof.
    pub alg: SigningAlg,
    /// `nonce` of the proof, if it has one.
    pub nonce: Option<String>,
    /// The proof's mark.
    pub mark: Mark,
}

impl ProvenKey {
    /// Checks that the profile of `client` permits the algorithm (FAPI 2.0 Security Profile §5.4.1).
    ///
    /// # Errors
    /// `invalid_dpop_proof`.
    pub fn check_alg_of(&self, client: &Client) -> Result<(), Refusal> {
        if client.profile.rules().signing_algs.contains(&self.alg) {
            return Ok(());
        }
        let description = "the profile of this client does not permit the algorithm of this DPoP proof";
        Err(Refusal::new(ErrorCode::InvalidDpopProof, description))
    }
}

/// Checks the DPoP proof, if one was sent (RFC 9449 §4.3); with `access_token`, that it is for this token.
///
/// # Errors
/// `invalid_dpop_proof`, also for several headers; `use_dpop_nonce` where a recent nonce of this purpose is missing.
pub fn prove_key(
    app: &App,
    visit: &Visit,
    shown: &Presentation<'_>,
    access_token: Option<&str>,
    purpose: NoncePurpose,
) -> Result<Option<ProvenKey>, Failure> {
    prove_key_with(app, visit, shown, access_token, &[purpose])
}

/// The same, where a nonce of any of these purposes will do.
///
/// # Errors
/// Likewise.
pub(super) fn prove_key_with(
    app: &App,
    visit: &Visit,
    shown: &Presentation<'_>,
    access_token: Option<&str>,
    purposes: &[NoncePurpose],
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
    let (alg, jwk) = dpop::check_header(&signed.header)?;
    let claims = dpop::ProofClaims::parse(&signed.claims)?;
    let nonce = match app.settings.dpop.nonce {
        DpopNonce::Off => dpop::NonceDemand::NotDemanded,
        DpopNonce::Required => {
            let recent = |nonce: &str| is_recent(app, visit, nonce, purposes);
            dpop::NonceDemand::Demanded { valid: claims.nonce.as_deref().is_some_and(recent) }
        }
    };
    let window = app.settings.dpop.proof_window;
    let expected =
        dpop::Expected { method: shown.method, uri: shown.url, access_token, now: visit.now, window, nonce };
    // The same endpoint has a second public URL where clients show certificates (RFC 8705 §5).
    let proof = match (dpop::check(&jwk, &claims, &expected), app.mtls_alias(shown.url)) {
        (Err(ProofRefused::Uri), Some(alias)) => {
            dpop::check(&jwk, &claims, &dpop::Expected { uri: &alias, ..expected })?
        }
        (verdict, _) => verdict?,
    };
    let key = ReplayKey::new("dpop", &[proof.jkt.as_str(), shown.url, &proof.jti]);
    let mark = Mark { of: Shown::Proof, key, until: proof.remember_until };
    Ok(Some(ProvenKey { key: proof.jkt, alg, nonce: claims.nonce, mark }))
}

/// Whether a nonce is a recent one of ours, for any of these purposes.
pub(super) fn is_recent(app: &App, visit: &Visit, nonce: &str, purposes: &[NoncePurpose]) -> bool {
    let life = app.settings.dpop.nonce_life;
    purposes.iter().any(|purpose| app.nonces.is_recent(nonce, *purpose, visit.now, life))
}
