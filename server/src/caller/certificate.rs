//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 §2): the handshake has proven that the caller holds
//! a certificate; here is asked whether it is this client's.

use protocol::certificate::certificates_of;
use protocol::client::{Client, ClientAuthentication, KeySource};
use subtle::ConstantTimeEq as _;

use crate::app::{App, Visit};
use crate::tls::ClientCertificate;

/// Whether `certificate` proves that the caller is `client`.
pub(super) async fn proves(
    app: &App,
    visit: &Visit,
    client: &Client,
    certificate: &ClientCertificate,
) -> bool {
    match client.authentication {
        ClientAuthentication::TlsClientAuth => is_vouched_for(app, visit, client, certificate),
        ClientAuthentication::SelfSignedTlsClientAuth => is_registered(app, visit, client, certificate).await,
        _ => false,
    }
}

/// An authority vouches for it, and it bears the one name that the client registered (§2.1).
fn is_vouched_for(app: &App, visit: &Visit, client: &Client, certificate: &ClientCertificate) -> bool {
    let Ok(registered) = client.metadata.certificate_name() else { return false };
    let named = certificate.names().is_some_and(|names| registered.is_in(&names));
    let authorities = app.tls.authorities.as_ref();
    named && authorities.is_some_and(|authorities| authorities.vouch_for(certificate, visit.now))
}

/// It is one of those that the client registered, byte by byte, and within its time (§2.2). Nobody needs to vouch for
/// it; another certificate of the same key or the same name is another certificate.
async fn is_registered(app: &App, visit: &Visit, client: &Client, certificate: &ClientCertificate) -> bool {
    if !certificate.is_current(visit.now) {
        return false;
    }
    let holds = |jwks: &serde_json::Value| {
        certificates_of(jwks).any(|registered| registered.ct_eq(certificate.der()).into())
    };
    match app.jwks_of(client, visit.now).await {
        Ok(jwks) if holds(&jwks) => true,
        Err(_) => false,
        // It may have been published since.
        Ok(jwks) => match &client.keys {
            KeySource::JwksUri(_) => {
                app.newer_jwks_of(client, &jwks, visit.now).await.is_some_and(|jwks| holds(&jwks))
            }
            KeySource::Jwks(_) | KeySource::None => false,
        },
    }
}
