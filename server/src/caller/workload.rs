//! Workload identity: the platform that a client runs on vouches for it (RFC 7521 §4.2, RFC 7523 §2.2, OAuth SPIFFE Client
//! Authentication). Which client is asked for is known before any key of a platform is looked for.

use protocol::client::{Client, ClientAuthentication};
use protocol::numeric_date::NumericDate;
use protocol::workload::spiffe::{self, SpiffePattern, check_jwt_svid, check_x509_svid};
use protocol::workload::{self, Expected, Workload, WorkloadIdentity, WorkloadRefused};

use super::{Mark, Shown};
use crate::app::App;
use crate::jose::{self, JoseError};
use crate::store::ReplayKey;
use crate::tls::ClientCertificate;

/// Proof that somebody is a workload of a client's.
pub struct Proof {
    /// What it proves.
    pub workload: Workload,
    /// What may be seen only once.
    pub mark: Option<Mark>,
}

/// Whether `jwt`, the token of a platform or a JWT-SVID, proves a workload of `client`.
///
/// # Errors
/// [`WorkloadRefused`], which whoever sent it must not learn.
pub async fn prove_workload(
    app: &App,
    client: &Client,
    jwt: &str,
    now: NumericDate,
) -> Result<Proof, WorkloadRefused> {
    match &client.authentication {
        ClientAuthentication::WorkloadJwt(identity) => of_platform(app, identity, jwt, now).await,
        ClientAuthentication::SpiffeJwt { spiffe_id } => {
            let workload = of_trust_domain(app, spiffe_id, jwt, now).await?;
            Ok(Proof { workload, mark: None })
        }
        _ => Err(WorkloadRefused::Issuer),
    }
}

async fn of_platform(
    app: &App,
    identity: &WorkloadIdentity,
    jwt: &str,
    now: NumericDate,
) -> Result<Proof, WorkloadRefused> {
    let unverified = jose::decode(jwt).map_err(|_| WorkloadRefused::Signature)?;
    let alg = unverified.alg().map_err(|_| WorkloadRefused::Alg)?;
    let issuer = app.workloads.issuer(&identity.issuer).ok_or(WorkloadRefused::Issuer)?;
    workload::check_issuer(&unverified.claims, alg, &issuer.rule, identity)?;
    let claims = issuer.keys.verify(&app.key_sets, &app.outbound, jwt, unverified.kid(), alg, now).await;
    let claims = claims.map_err(not_signed)?;
    let expected = Expected { issuer: app.issuer(), now };
    let workload = workload::check(&unverified.header, &claims, &issuer.rule, identity, expected)?;
    let mark = workload.jti.as_ref().map(|jti| Mark {
        of: Shown::Assertion,
        key: ReplayKey::new("workload_jwt", &[&identity.issuer, jti]),
        until: workload.remember_until(),
    });
    Ok(Proof { workload, mark })
}

/// What is wrong where no signature of the issuer was found.
fn not_signed(error: JoseError) -> WorkloadRefused {
    match error {
        JoseError::KeysAway => WorkloadRefused::KeysAway,
        _ => WorkloadRefused::Signature,
    }
}

/// The keys are those of the trust domain that the operator named, whatever the token says of its issuer.
async fn of_trust_domain(
    app: &App,
    pattern: &SpiffePattern,
    jwt: &str,
    now: NumericDate,
) -> Result<Workload, WorkloadRefused> {
    let unverified = jose::decode(jwt).map_err(|_| WorkloadRefused::Signature)?;
    let alg = unverified.alg().map_err(|_| WorkloadRefused::Alg)?;
    spiffe::check_subject(&unverified.claims, pattern)?;
    let bundle = app.workloads.trust_domain(pattern.trust_domain()).ok_or(WorkloadRefused::Issuer)?;
    let claims = bundle.keys.verify(&app.key_sets, &app.outbound, jwt, unverified.kid(), alg, now).await;
    let claims = claims.map_err(not_signed)?;
    check_jwt_svid(&unverified.header, &claims, pattern, Expected { issuer: app.issuer(), now })
}

/// Whether the certificate is an X509-SVID of a workload of the client's, of which the handshake has proven that the
/// caller holds it. Neither the authorities of other clients nor those of the system count.
pub(super) async fn prove_by_certificate(
    app: &App,
    pattern: &SpiffePattern,
    certificate: &ClientCertificate,
    now: NumericDate,
) -> Result<Workload, WorkloadRefused> {
    let svid = certificate.svid().ok_or(WorkloadRefused::Certificate)?;
    let workload = check_x509_svid(&svid, pattern)?;
    let bundle = app.workloads.trust_domain(pattern.trust_domain()).ok_or(WorkloadRefused::Issuer)?;
    match bundle.vouches_for(certificate, &app.key_sets, &app.outbound, now).await {
        true => Ok(workload),
        false => Err(WorkloadRefused::Signature),
    }
}
