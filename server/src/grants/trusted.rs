//! JWTs of those whom the operator trusts: whose one is, what it says, and of which of our users it speaks.

use std::sync::Arc;

use protocol::audit::AuditEvent;
use protocol::federation::profile::Profile;
use protocol::jwt_bearer::{self, Expected, Grant, GrantRefused};
use protocol::metadata::TOKEN;
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::Login;
use protocol::trusted_issuer::{LocalName, Purpose, TrustedIssuer};
use protocol::user::User;
use serde_json::{Map, Value};

use super::Desk;
use super::desk::{Brought, Once};
use crate::failure::Failure;
use crate::federation::{self, Newcomer, Proven, Trouble};
use crate::jose::{self, JoseError};
use crate::store::ReplayKey;

/// What the auditor is told where its subject cannot be let in.
const NOBODY: &str = "its subject is no enabled user here";

/// A JWT of somebody whom the operator trusts.
pub(super) struct Verified<'a> {
    /// How far they are believed.
    pub(super) rule: &'a TrustedIssuer,
    /// What it says, as far as that counts.
    pub(super) grant: Grant,
    /// All that it says.
    pub(super) claims: Map<String, Value>,
}

/// Whose JWT this is, presented for this purpose, and what it says. Who presents it and for what comes before any key
/// is fetched, and the signature before anything that it says is judged. What is not accepted is refused in one way;
/// `event` tells which.
pub(super) async fn verify<'a>(
    desk: &Desk<'a>,
    presented: &str,
    purpose: Purpose,
    event: &mut AuditEvent,
) -> Result<Verified<'a>, Failure> {
    let mut refused = |why: &str| not_accepted(event, why);
    let (app, now, client) = (desk.app, desk.visit.now, &desk.caller.client.id);
    let unverified = jose::decode(presented).map_err(|_| refused("it is no JWT"))?;
    let issuer = jwt_bearer::unverified_issuer(&unverified.claims)?;
    let alg = unverified.alg().map_err(|_| refused("its alg is not known"))?;
    let trusted = app.trusted_issuers.find(issuer).ok_or_else(|| refused("nobody trusts its iss"))?;
    if !trusted.rule.trusts(purpose, client, alg) {
        return Err(refused("its issuer is not trusted for this purpose, this client or this alg").into());
    }
    let (keys, kid) = (&trusted.keys, unverified.kid());
    let claims = keys.verify(&app.key_sets, &app.outbound, presented, kid, alg, now).await;
    let claims = match claims {
        Ok(claims) => claims,
        Err(JoseError::KeysAway) => {
            event.reason = Some("its issuer's keys cannot be had".to_owned());
            return Err(keys_away().into());
        }
        Err(_) => return Err(refused("none of its issuer's keys signed it").into()),
    };
    let (token_endpoint, held) = (app.url(TOKEN), desk.caller.held());
    let issuer = app.issuer();
    let expected = Expected { purpose, issuer, token_endpoint: &token_endpoint, client, held: &held, now };
    let grant = jwt_bearer::check(&unverified.header, &claims, &trusted.rule, &expected);
    let grant = grant.map_err(|reason| match reason {
        GrantRefused::NotAccepted => refused("it does not meet the conditions on its issuer's claims"),
        reason => reason,
    })?;
    Ok(Verified { rule: &trusted.rule, grant, claims })
}

/// What is said where nobody knows whether a JWT is its issuer's: that it may be so in a moment.
pub(super) fn keys_away() -> Refusal {
    Refusal::new(ErrorCode::TemporarilyUnavailable, "the keys of the issuer cannot be had now; try again")
}

/// The one answer, and for the auditor what is behind it.
fn not_accepted(event: &mut AuditEvent, why: &str) -> GrantRefused {
    event.reason = Some(why.to_owned());
    GrantRefused::NotAccepted
}

/// What a JWT is presented as, by its `typ`, where it comes as `assertion`.
pub(super) fn purpose(presented: &str) -> Result<Purpose, Failure> {
    let unverified = jose::decode(presented).map_err(|_| GrantRefused::NotAccepted)?;
    Ok(jwt_bearer::unverified_purpose(&unverified.header))
}

/// The user, who must be one of ours and enabled.
pub(super) async fn user(
    desk: &Desk<'_>,
    grant: &Grant,
    event: &mut AuditEvent,
) -> Result<Arc<User>, Failure> {
    let found = named(desk, grant).await?;
    Ok(found.filter(|user| user.enabled).ok_or_else(|| not_accepted(event, NOBODY))?)
}

/// The same; none, where an identity assertion is of somebody who never was here, and who may get an account for this.
pub(super) async fn find_user(
    desk: &Desk<'_>,
    rule: &TrustedIssuer,
    grant: &Grant,
    purpose: Purpose,
    event: &mut AuditEvent,
) -> Result<Option<Arc<User>>, Failure> {
    match named(desk, grant).await? {
        Some(user) if user.enabled => Ok(Some(user)),
        None if rule.new_accounts && purpose == Purpose::IdentityAssertions => Ok(None),
        _ => Err(not_accepted(event, NOBODY).into()),
    }
}

/// The account of somebody who never was here: the one that they would get if they signed in by way of the issuer now, by
/// what the assertion says of them. It is made together with what is issued to them. Why they get none is told to the
/// audit log alone.
pub(super) async fn newcomer(
    desk: &Desk<'_>,
    rule: &TrustedIssuer,
    grant: &Grant,
    claims: &Map<String, Value>,
    event: &mut AuditEvent,
) -> Result<Newcomer, Failure> {
    let connection = desk.app.upstreams.of_issuer(&rule.issuer).ok_or(GrantRefused::NotAccepted)?;
    let Some(LocalName::Identity(identity)) = &grant.user else {
        return Err(GrantRefused::NotAccepted.into());
    };
    let login = grant.login.clone();
    let proven = Proven {
        identity: identity.clone(),
        profile: Profile::read(claims, connection.upstream()),
        login: login.unwrap_or(Login { auth_time: NumericDate(0), acr: None, amr: Vec::new() }),
        sid: None,
    };
    match federation::prepare(desk.app, desk.visit, connection, &proven).await {
        Ok(newcomer) if newcomer.user.enabled => Ok(newcomer),
        Ok(_) => Err(GrantRefused::NotAccepted.into()),
        Err(Trouble::Broken(broken)) => Err(broken.into()),
        Err(trouble) => {
            event.reason = trouble.words().map(str::to_owned);
            Err(GrantRefused::NotAccepted.into())
        }
    }
}

async fn named(desk: &Desk<'_>, grant: &Grant) -> Result<Option<Arc<User>>, Failure> {
    let store = &desk.app.store;
    Ok(match &grant.user {
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
    })
}

/// Under which the JWT is remembered, where it is taken once.
pub(super) fn shown(rule: &TrustedIssuer, grant: &Grant, of: Brought) -> Option<Once> {
    let jti = grant.jti.as_ref()?;
    // Once, whatever it is presented as.
    let key = ReplayKey::new("trusted_issuer", &[&rule.issuer, jti]);
    Some(Once { of, key, until: grant.remember_until })
}
