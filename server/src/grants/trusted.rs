//! JWTs of those whom the operator trusts: whose one is, what it says, and of which of our users it speaks.

use std::sync::Arc;

use protocol::jwt_bearer::{self, Expected, Grant, GrantRefused};
use protocol::metadata::TOKEN;
use protocol::trusted_issuer::{LocalName, Purpose, TrustedIssuer};
use protocol::user::User;

use super::Desk;
use crate::failure::Failure;
use crate::jose;
use crate::store::ReplayKey;

/// Whose JWT this is, presented for this purpose, and what it says. Who presents it and for what comes before any key
/// is fetched, and the signature before anything that it says is judged.
pub(super) async fn verify<'a>(
    desk: &Desk<'a>,
    presented: &str,
    purpose: Purpose,
) -> Result<(&'a TrustedIssuer, Grant), Failure> {
    let (app, now, client) = (desk.app, desk.visit.now, &desk.caller.client.id);
    let unverified = jose::decode(presented).map_err(|_| GrantRefused::NotAccepted)?;
    let issuer = jwt_bearer::unverified_issuer(&unverified.claims)?;
    let alg = unverified.alg().map_err(|_| GrantRefused::NotAccepted)?;
    let trusted = app.trusted_issuers.find(issuer).ok_or(GrantRefused::NotAccepted)?;
    if !trusted.rule.trusts(purpose, client, alg) {
        return Err(GrantRefused::NotAccepted.into());
    }
    let claims = trusted.verify(&app.key_sets, &app.outbound, presented, unverified.kid(), alg, now).await;
    let claims = claims.map_err(|_| GrantRefused::NotAccepted)?;
    let (token_endpoint, held) = (app.url(TOKEN), desk.caller.held());
    let issuer = app.issuer();
    let expected = Expected { purpose, issuer, token_endpoint: &token_endpoint, client, held: &held, now };
    Ok((&trusted.rule, jwt_bearer::check(&unverified.header, &claims, &trusted.rule, &expected)?))
}

/// What a JWT is presented as, by its `typ`, where it comes as `assertion`.
pub(super) fn purpose(presented: &str) -> Result<Purpose, Failure> {
    let unverified = jose::decode(presented).map_err(|_| GrantRefused::NotAccepted)?;
    Ok(jwt_bearer::unverified_purpose(&unverified.header))
}

/// The user, who must be one of ours and enabled.
pub(super) async fn user(desk: &Desk<'_>, grant: &Grant) -> Result<Arc<User>, Failure> {
    let store = &desk.app.store;
    let found = match &grant.user {
        Some(LocalName::Username(name)) => store.find_only_user_named(name).await?,
        Some(LocalName::UserId(id)) => match id.parse() {
            Ok(id) => store.find_user(&id).await?,
            Err(_) => None,
        },
        Some(LocalName::Email(address)) => {
            // An address that is also somebody else's username names nobody.
            let mut named = store.users_named(address).await?;
            let only = named.pop().filter(|_| named.is_empty());
            only.filter(|user| user.verified_email().is_some_and(|own| own.eq_ignore_ascii_case(address)))
        }
        Some(LocalName::Identity(identity)) => {
            match store.find_identity(identity).await?.and_then(|known| known.user) {
                Some(id) => store.find_user(&id).await?,
                None => None,
            }
        }
        None => None,
    };
    Ok(found.filter(|user| user.enabled).ok_or(GrantRefused::NotAccepted)?)
}

/// Under which the JWT is remembered, where it is taken once.
pub(super) fn shown(
    rule: &TrustedIssuer,
    grant: &Grant,
) -> Option<(ReplayKey, protocol::numeric_date::NumericDate)> {
    // Once, whatever it is presented as.
    let key = |jti: &String| ReplayKey::new("trusted_issuer", &[&rule.issuer, jti]);
    grant.jti.as_ref().map(|jti| (key(jti), grant.remember_until))
}
