//! A JWT as an authorization grant (RFC 7523 §2.1): a token for the user of whom a trusted issuer speaks.
//!
//! There is no refresh token and no ID token: whoever wants another access token gets another assertion
//! (RFC 7521 §4.1), and nobody signed in here.

use std::sync::Arc;

use protocol::actor::Chain;
use protocol::audit::AuditEvent;
use protocol::authority::Authority;
use protocol::authorization::{self, AuthorizationRefused, Named};
use protocol::authorization_details::AuthorizationDetails;
use protocol::jwt_bearer::{self, Expected, Grant, GrantRefused, LocalName, TrustedIssuer};
use protocol::metadata::TOKEN;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::Subject;
use protocol::token_request::JwtBearerRequest;
use protocol::user::User;

use super::{Desk, Granted, NotGranted, Refused, bind, reply, tell_of};
use crate::failure::Failure;
use crate::jose;
use crate::store::ReplayKey;
use crate::tokens;

/// Issues a token for the user of an assertion.
pub(super) async fn issue(desk: &Desk<'_>, request: &JwtBearerRequest) -> Result<Granted, Refused> {
    let mut event = desk.event_of(request.scope.as_ref(), request.authorization_details.as_ref());
    let decided = decide(desk, request, &mut event).await;
    desk.told(&event, decided)
}

async fn decide(
    desk: &Desk<'_>,
    request: &JwtBearerRequest,
    event: &mut AuditEvent,
) -> Result<Granted, NotGranted> {
    let (app, client, now) = (desk.app, &desk.caller.client, desk.visit.now);
    if request.authorization_details.is_some() {
        // Only a user could have granted them; an assertion says who, not what.
        let description = "an assertion brings no authorization_details";
        return Err(Refusal::new(ErrorCode::InvalidAuthorizationDetails, description).into());
    }
    let (rule, grant) = verify(desk, request).await?;
    let user = user(desk, &grant).await?;
    event.user = Some(user.id.clone());
    let cnf = bind(desk.caller)?;

    let registry = app.registry().await?;
    let (scope, mut resources) = rule.most_for(client);
    if rule.resources.is_empty() {
        // What is about the user themselves is here; an issuer with resources of its own brings no more than those.
        resources.insert(app.itself.clone());
    }
    let life = rule.token_life.map_or(app.settings.token_life, |life| life.min(app.settings.token_life));
    let end = client.agent().map_or(now.plus(life), |agent| agent.expires_at);
    let given = Authority { scope, details: AuthorizationDetails::none(), resources, until: end };
    let given = app.open_to(registry.registered(), &user.id, &given).await?;
    let given = given.ok_or(AuthorizationRefused::ScopeNotAllowed)?;
    if request.scope.as_ref().is_some_and(|asked| !asked.is_within(&given.scope)) {
        return Err(AuthorizationRefused::ScopeNotAllowed.into());
    }
    let named = Named { scope: request.scope.clone(), details: None, resources: request.resources.clone() };
    let authority = authorization::take(&given, &named, registry.registered(), life, now)?;
    let acts = client.agent().is_some().then(|| client.as_actor(app.issuer()));
    let chain = acts.map_or_else(Chain::none, Chain::of);
    let mut token = desk.token_of_its_own(Subject::User(user.id.clone()), chain, authority, cnf)?;
    desk.pass(&mut token, &registry.types, grant.remember_until)?;
    let written = tokens::write(app, &registry, client, token).await?;
    tell_of(event, &written.token);
    event.reason = Some(format!("by an assertion of {}", rule.issuer));
    let mut requires = tokens::anchors(&written.token);
    requires.retain(|anchor| !matches!(anchor, crate::store::Anchor::Token(_)));
    let shown = ReplayKey::new("jwt_bearer", &[&rule.issuer, &grant.jti]);
    Ok(Granted {
        event: event.clone(),
        first_time: Some((shown, grant.remember_until)),
        requires,
        take: None,
        keep: vec![written.record()],
        reply: reply(written, request.scope.clone()),
    })
}

/// Whose assertion it is, and what it says. The signature comes before anything that it says is judged.
async fn verify<'a>(
    desk: &Desk<'a>,
    request: &JwtBearerRequest,
) -> Result<(&'a TrustedIssuer, Grant), Failure> {
    let (app, now) = (desk.app, desk.visit.now);
    let assertion = request.assertion.reveal();
    let unverified = jose::decode(assertion).map_err(|_| GrantRefused::NotAccepted)?;
    let issuer = jwt_bearer::unverified_issuer(&unverified.claims)?;
    let alg = unverified.alg().map_err(|_| GrantRefused::NotAccepted)?;
    let trusted = app.trusted_issuers.find(issuer).ok_or(GrantRefused::NotAccepted)?;
    jwt_bearer::check_trust(&trusted.rule, &desk.caller.client.id, alg)?;
    let claims = trusted.verify(&app.key_sets, &app.outbound, assertion, unverified.kid(), alg, now).await;
    let claims = claims.map_err(|_| GrantRefused::NotAccepted)?;
    let token_endpoint = app.url(TOKEN);
    let expected = Expected { issuer: app.issuer(), token_endpoint: &token_endpoint, now };
    Ok((&trusted.rule, jwt_bearer::check(&unverified.header, &claims, &trusted.rule, &expected)?))
}

/// The user, who must be one of ours and enabled.
async fn user(desk: &Desk<'_>, grant: &Grant) -> Result<Arc<User>, Failure> {
    let store = &desk.app.store;
    let found = match &grant.user {
        Some(LocalName::Username(name)) => store.find_only_user_named(name).await?,
        Some(LocalName::UserId(id)) => match id.parse() {
            Ok(id) => store.find_user(&id).await?,
            Err(_) => None,
        },
        None => None,
    };
    Ok(found.filter(|user| user.enabled).ok_or(GrantRefused::NotAccepted)?)
}
