//! Attestation-based client authentication: whoever starts the client's instances vouches for the key of each, and the
//! instance proves it.

use protocol::client::{Client, ClientAuthentication};
use protocol::identifier::ClientId;
use protocol::presented;
use protocol::workload::attestation::{self, AttestationRefused, Attested, ExpectedProof, Possession};
use serde_json::Value;

use super::proof::{ProvenKey, is_recent, prove_key_with};
use super::{Authenticated, Mark, Noticed, Presentation, Shown, known, unknown};
use crate::app::{App, Visit};
use crate::config::DpopNonce;
use crate::failure::Failure;
use crate::jose::{self, JoseError, NoncePurpose};
use crate::store::ReplayKey;

/// The instance whose attestation this is. What is wrong with it is told only to whoever has one that is signed by the
/// client's attester.
pub(super) async fn check(
    app: &App,
    visit: &Visit,
    shown: &Presentation<'_>,
    named: Option<&ClientId>,
    noticed: &mut Noticed,
) -> Result<Authenticated, Failure> {
    let (attestations, proofs) = (shown.attestation.as_slice(), shown.attestation_pop.as_slice());
    let possession = attestation::possession(attestations.len(), proofs.len(), shown.dpop.len())?;
    let attestation = attestations.first().ok_or(AttestationRefused::Headers)?;
    let unverified = jose::decode(attestation).map_err(|_| unknown())?;
    let claimed = attestation::unverified_client(&unverified.claims).ok_or_else(unknown)?;
    presented::check_same(named, &claimed).map_err(|_| unknown())?;
    let client = known(app, visit, &claimed).await?;
    let (attester, registered) = match &client.authentication {
        ClientAuthentication::AttestJwtClientAuth { attester } => (attester, Possession::Jwt),
        ClientAuthentication::AttestJwtClientAuthDpop { attester } => (attester, Possession::Dpop),
        _ => return Err(unknown()),
    };
    noticed.client = Some(client.id.clone());
    let claims = match signed(app, visit, &client, attester, attestation).await {
        Ok(claims) => claims,
        Err(reason) => {
            noticed.reason = Some(format!("the client attestation is not the attester's: {reason}"));
            return Err(unknown());
        }
    };
    let attested = attestation::check(&unverified.header, &claims, &client.id, visit.now)?;
    if possession != registered {
        return Err(AttestationRefused::OtherWay.into());
    }
    let (mark, key) = match proofs.first() {
        Some(proof) => (Some(prove(app, visit, &client, &attested, proof)?), None),
        None => (None, Some(prove_by_dpop(app, visit, shown, &client, &attested)?)),
    };
    if !client.is_live(visit.now) {
        return Err(unknown());
    }
    Ok(Authenticated { client, instance: Some(attested.instance), mark, key })
}

/// The proof of the attested key that is its DPoP proof too. A challenge may stand where its nonce does.
fn prove_by_dpop(
    app: &App,
    visit: &Visit,
    shown: &Presentation<'_>,
    client: &Client,
    attested: &Attested,
) -> Result<ProvenKey, Failure> {
    let purposes = [NoncePurpose::AuthorizationServer, NoncePurpose::Attestation];
    let proven = prove_key_with(app, visit, shown, None, &purposes)?.ok_or(AttestationRefused::Headers)?;
    proven.check_alg_of(client)?;
    let nonce = proven.nonce.as_deref();
    let fits = nonce.is_some_and(|nonce| is_recent(app, visit, nonce, &purposes));
    attestation::check_combined(attested, &proven.key, nonce, fits)?;
    Ok(proven)
}

/// The claims of the attestation, if the attester of this client signed it.
async fn signed(
    app: &App,
    visit: &Visit,
    client: &Client,
    attester: &str,
    attestation: &str,
) -> Result<serde_json::Map<String, Value>, JoseError> {
    let unverified = jose::decode(attestation)?;
    let alg = unverified.alg()?;
    if !client.profile.rules().signing_algs.contains(&alg) {
        return Err(JoseError::WrongAlg);
    }
    let keys = app.workloads.attester(attester).ok_or(JoseError::UnknownKey)?;
    keys.verify(&app.key_sets, &app.outbound, attestation, unverified.kid(), alg, visit.now).await
}

/// The proof of the attested key: made for us, now, once, and in answer to a challenge of ours where one is demanded, as
/// it is where DPoP proofs need a nonce.
fn prove(
    app: &App,
    visit: &Visit,
    client: &Client,
    attested: &Attested,
    proof: &str,
) -> Result<Mark, AttestationRefused> {
    let unverified = jose::decode(proof).map_err(|_| AttestationRefused::NotProven)?;
    let alg = unverified.alg().map_err(|_| AttestationRefused::NotProven)?;
    if !client.profile.rules().signing_algs.contains(&alg) || !attested.key.fits(alg) {
        return Err(AttestationRefused::NotProven);
    }
    let claims = jose::verify_with_jwk(proof, alg, &attested.key.to_jwk());
    let claims = claims.map_err(|_| AttestationRefused::NotProven)?;
    let challenge = claims.get("challenge").and_then(Value::as_str);
    let (purpose, life) = (NoncePurpose::Attestation, app.settings.dpop.nonce_life);
    let expected = ExpectedProof {
        issuer: app.issuer(),
        now: visit.now,
        window: app.settings.dpop.proof_window,
        challenge_demanded: app.settings.dpop.nonce == DpopNonce::Required,
        challenge_fits: challenge.is_some_and(|told| app.nonces.is_recent(told, purpose, visit.now, life)),
    };
    let proven = attestation::check_proof(&unverified.header, &claims, expected)?;
    let parts = [client.id.as_str(), attested.instance.as_str(), &proven.jti];
    let key = ReplayKey::new("attestation_pop", &parts);
    Ok(Mark { of: Shown::Attestation, key, until: proven.remember_until })
}
