//! `private_key_jwt` (RFC 7523 §2.2, OpenID Connect Core §9).

use std::sync::Arc;

use protocol::client::{Client, ClientAuthentication};
use protocol::client_assertion;
use protocol::identifier::ClientId;
use protocol::metadata::TOKEN;
use protocol::profile::AssertionAudience;

use super::{Mark, Presentation, Shown, known, unknown};
use crate::app::{App, Visit, same};
use crate::failure::Failure;
use crate::jose;
use crate::store::ReplayKey;

/// The client whose assertion this is. What is wrong with it is told in detail only to whoever has the client's key.
pub(super) async fn check(
    app: &App,
    visit: &Visit,
    shown: &Presentation<'_>,
    assertion: &str,
    named: Option<&ClientId>,
) -> Result<(Arc<Client>, Mark), Failure> {
    let unverified = jose::decode(assertion).map_err(|_| unknown())?;
    // A platform's token names no client: whether somebody has one for the named client is nobody's business.
    let claimed = match client_assertion::unverified_client(&unverified.claims) {
        Err(_) if named.is_some() => return Err(unknown()),
        claimed => claimed?,
    };
    let client = known(app, visit, &claimed).await?;
    let alg = unverified.alg().map_err(|_| unknown())?;
    let rules = client.profile.rules();
    let registered = client.metadata.token_endpoint_auth_signing_alg;
    if client.authentication != ClientAuthentication::PrivateKeyJwt
        || !rules.signing_algs.contains(&alg)
        || registered.is_some_and(|registered| registered != alg)
    {
        return Err(unknown());
    }
    let claims = app.verify_of(&client, assertion, unverified.kid(), alg, visit.now).await;
    let claims = claims.map_err(|_| unknown())?;
    let endpoints = match rules.assertion_audience {
        AssertionAudience::IssuerAlone => Vec::new(),
        AssertionAudience::IssuerOrEndpoint => {
            let own = [shown.url.to_owned(), app.url(TOKEN)];
            let aliases: Vec<_> = own.iter().filter_map(|url| app.mtls_alias(url)).collect();
            own.into_iter().chain(aliases).collect()
        }
    };
    let endpoints: Vec<&str> = endpoints.iter().map(String::as_str).collect();
    let expected = client_assertion::Expected { issuer: app.issuer(), endpoints: &endpoints, now: visit.now };
    let proven = client_assertion::check(&unverified.header, &claims, expected)?;
    if !same(proven.client.as_str(), client.id.as_str()) {
        return Err(unknown());
    }
    let key = ReplayKey::new("client_assertion", &[client.id.as_str(), &proven.jti]);
    Ok((client, Mark { of: Shown::Assertion, key, until: proven.expires_at }))
}
