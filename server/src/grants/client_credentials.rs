//! Client credentials (RFC 6749 §4.4): a token of the client's own, without any user.

use protocol::actor::Chain;
use protocol::admin_api;
use protocol::authority::Authority;
use protocol::authorization::{self, Named};
use protocol::authorization_details::AuthorizationDetails;
use protocol::delegation::Issuable;
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::scope::Scope;
use protocol::token::Subject;
use protocol::token_request::ClientCredentialsRequest;

use super::desk::{Desk, Granted, NotGranted, Refused};
use super::reply::reply;
use super::{bind, tell_of};
use crate::failure::Broken;
use crate::store::Anchor;
use crate::tokens;

/// Scope words that speak of a user, which nobody is here.
const OF_USERS: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// Issues a token to the client itself.
pub(super) async fn issue(desk: &Desk<'_>, request: &ClientCredentialsRequest) -> Result<Granted, Refused> {
    let mut event = desk.event_of(request.scope.as_ref(), request.authorization_details.as_ref());
    let decided = decide(desk, request, &mut event).await;
    desk.told(&event, decided)
}

async fn decide(
    desk: &Desk<'_>,
    request: &ClientCredentialsRequest,
    event: &mut protocol::audit::AuditEvent,
) -> Result<Granted, NotGranted> {
    let (app, client, now) = (desk.app, &desk.caller.client, desk.visit.now);
    if client.is_public() {
        return Err(Refusal::new(ErrorCode::UnauthorizedClient, "a public client has no credentials").into());
    }
    if request.authorization_details.is_some() {
        // Nobody but a user could have granted them; a client's registration holds none.
        let description = "a client's own token carries no authorization_details";
        return Err(Refusal::new(ErrorCode::InvalidAuthorizationDetails, description).into());
    }
    let cnf = bind(desk.caller)?;
    let registry = app.registry().await?;
    let own: Scope = client.scope.iter().filter(|word| !OF_USERS.contains(&word.as_str())).cloned().collect();
    let mut resources = client.resources.clone();
    resources.insert(app.itself.clone());
    if admin_api::may_administer(client) {
        resources.insert(app.admin_api.clone());
    }
    let end = client.agent().map_or(now.plus(app.settings.token_life), |agent| agent.expires_at);
    let given = Authority { scope: own, details: AuthorizationDetails::none(), resources, until: end };
    let named = Named { scope: request.scope.clone(), details: None, resources: request.resources.clone() };
    let authority = authorization::take(&given, &named, registry.registered(), app.settings.token_life, now)?;
    if request.scope.as_ref().is_some_and(|asked| !asked.is_within(&authority.scope)) {
        return Err(authorization::AuthorizationRefused::ScopeNotAllowed.into());
    }
    let subject = Subject::Client { id: client.id.clone(), sub_profile: client.sub_profile() };
    let mut token = desk.token_of_its_own(subject, Chain::none(), authority, cnf)?;
    let end = client.agent().map_or(NumericDate(i64::MAX), |agent| agent.expires_at);
    desk.pass(&mut token, &registry.types, end).await?;
    let written = tokens::write(app, &registry, client, Issuable::root(token).map_err(Broken::from)?).await?;
    tell_of(event, written.token());
    Ok(Granted {
        unamended: None,
        signed_in: None,
        event: event.clone(),
        first_time: Vec::new(),
        requires: vec![Anchor::Client(client.id.clone())],
        take: None,
        keep: vec![written.record()],
        of_actor_token: Vec::new(),
        newcomer: None,
        reply: reply(written, request.scope.clone()),
    })
}
