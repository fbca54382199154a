//! What a registration says that can be proven: by the signature of somebody trusted, by mathematics, or by asking.

use protocol::client::{AuthMethod, KeySource};
use protocol::registration::{Registration, RegistrationRefused, sector as law, software_statement};
use serde_json::{Map, Value};

use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::jose::{self, ClientKeys};

/// The member with the statement.
const STATEMENT: &str = "software_statement";

/// Verifies the software statement, if there is one, and lets what it says win (RFC 7591 §2.3). Gives it back as it
/// was sent.
pub(super) fn statement(
    app: &App,
    visit: &Visit,
    document: &mut Map<String, Value>,
) -> Result<Option<String>, RegistrationRefused> {
    let invalid = || RegistrationRefused::InvalidStatement;
    let text = match document.remove(STATEMENT) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return Err(invalid()),
    };
    let unverified = jose::decode(&text).map_err(|_| invalid())?;
    let issuer = software_statement::unverified_issuer(&unverified.claims)?;
    let trusted = &app.settings.registration.software_statement_issuers;
    let trusted = trusted.iter().find(|trusted| trusted.issuer == issuer);
    let trusted = trusted.ok_or(RegistrationRefused::UnapprovedStatement)?;
    let keys = ClientKeys::parse(&trusted.jwks.0).map_err(|_| invalid())?;
    let alg = unverified.alg().map_err(|_| invalid())?;
    let claims = keys.verify(&text, unverified.kid(), alg).map_err(|_| invalid())?;
    software_statement::lay_over(document, claims, visit.now)?;
    Ok(Some(text))
}

/// A client that is to sign has a key that can be verified with: a point of its curve, of a kind that is known.
pub(super) fn keys(registration: &Registration) -> Result<(), RegistrationRefused> {
    let KeySource::Jwks(jwks) = &registration.keys else { return Ok(()) };
    let keys = ClientKeys::parse(jwks).map_err(|_| RegistrationRefused::NotAKeySet)?;
    if registration.method == AuthMethod::PrivateKeyJwt && keys.is_empty() {
        return Err(RegistrationRefused::NoKeys("token_endpoint_auth_method"));
    }
    Ok(())
}

/// Asks the `sector_identifier_uri`, if there is one, whether the redirect URIs are one sector (OpenID Connect
/// Registration §5). Whatever is wrong there reads alike: an address within tells nobody whether it is there.
pub(super) async fn sector(app: &App, registration: &Registration) -> Result<(), Failure> {
    let Some(url) = registration.sector_identifier_uri() else { return Ok(()) };
    let answer = app.outbound.get(url, "application/json").await;
    let answer = answer.inspect_err(|error| tracing::info!(%url, %error, "a sector was not found"));
    let answer = answer.ok().filter(|answer| answer.status == 200).ok_or(RegistrationRefused::Sector)?;
    Ok(law::check(&answer.body, registration.redirect_uris())?)
}
