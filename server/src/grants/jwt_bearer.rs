//! A JWT as an authorization grant (RFC 7523 §2.1): a token for the user of whom a trusted issuer speaks. Where it is an
//! identity assertion (Identity Assertion JWT Authorization Grant §4.4), or an agent brings it, its issuer's word stands for
//! the user's, and is kept as a consent that can be ended like any other.
//!
//! There is no refresh token and no ID token: whoever wants another access token gets another assertion
//! (RFC 7521 §4.1), and nobody signed in here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::actor::Chain;
use protocol::audit::AuditEvent;
use protocol::authority::Authority;
use protocol::authorization::{self, AuthorizationRefused, Named};
use protocol::client::GrantType;
use protocol::consent::{Consent, ConsentState, PassingOn};
use protocol::delegation::Issuable;
use protocol::identifier::{DetailsTypeName, UserId};
use protocol::jwt_bearer::GrantRefused;
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::{Subject, TaskRef, Token};
use protocol::token_request::JwtBearerRequest;
use protocol::trusted_issuer::{Purpose, TrustedIssuer};

use super::desk::{Brought, Desk, Granted, NotGranted, Refused};
use super::reply::reply;
use super::trusted::Verified;
use super::{bind, tell_of, trusted};
use crate::failure::{Broken, Failure};
use crate::federation::Newcomer;
use crate::secret::random_id;
use crate::store::{Anchor, Record, SignedIn};
use crate::{tasks, tokens};

/// Issues a token for the user of an assertion.
pub(super) async fn issue(desk: &Desk<'_>, request: &JwtBearerRequest) -> Result<Granted, Refused> {
    let mut event = desk.event_of(request.scope.as_ref(), request.authorization_details.as_ref());
    let mut newcomer = None;
    let decided = decide(desk, request, &mut event, &mut newcomer).await;
    match desk.told(&event, decided) {
        Ok(granted) => Ok(Granted { newcomer, ..granted }),
        Err(refused) => Err(Refused { newcomer, ..refused }),
    }
}

async fn decide(
    desk: &Desk<'_>,
    request: &JwtBearerRequest,
    event: &mut AuditEvent,
    newcomer: &mut Option<Box<Newcomer>>,
) -> Result<Granted, NotGranted> {
    let (app, client, now) = (desk.app, &desk.caller.client, desk.visit.now);
    if request.needs_proof && desk.caller.key.is_none() {
        return Err(Refusal::new(ErrorCode::InvalidDpopProof, "this grant_type needs a DPoP proof").into());
    }
    let presented = request.assertion.reveal();
    let purpose = trusted::purpose(presented)?;
    let Verified { rule, grant, claims } = trusted::verify(desk, presented, purpose, event).await?;
    if purpose == Purpose::IdentityAssertions {
        rule.login.within(client.metadata.default_max_age).check_telling(grant.login.as_ref(), now)?;
    }
    let known = trusted::find_user(desk, rule, &grant, purpose, event).await?;
    event.user = known.as_ref().map(|user| user.id.clone());
    let cnf = bind(desk.caller)?;

    let registry = app.registry().await?;
    let end = client.agent().map_or(now.plus(app.settings.agent_consent_life), |agent| agent.expires_at);
    // What an assertion brings does not outlive it: its issuer is asked again.
    let until = grant.expires_at.min(end);
    if until.is_over(now) {
        return Err(GrantRefused::Expired.into());
    }
    let mut given = rule.brings(&grant.said, client, until);
    if purpose == Purpose::AuthorizationGrants && rule.resources.is_empty() && grant.said.resources.is_none()
    {
        // What is about the user themselves is here; an issuer with resources of its own brings no more than those.
        given.resources.insert(app.itself.clone());
    }
    registry.types.check(&given.details)?;
    given.details.check_together(now)?;
    let user = match known {
        Some(user) => user,
        None => {
            let new = trusted::newcomer(desk, rule, &grant, &claims, event).await?;
            Arc::clone(&newcomer.insert(Box::new(new)).user)
        }
    };
    let life = rule.token_life.map_or(app.settings.token_life, |life| life.min(app.settings.token_life));
    let given = registry.registered().authority_open_to(&user.groups(), &given);
    let given = given.ok_or(AuthorizationRefused::ScopeNotAllowed)?;
    if request.scope.as_ref().is_some_and(|asked| !asked.is_within(&given.scope)) {
        return Err(AuthorizationRefused::ScopeNotAllowed.into());
    }
    let named = Named {
        scope: request.scope.clone(),
        details: request.authorization_details.clone(),
        resources: request.resources.clone(),
    };
    let authority = authorization::take(&given, &named, registry.registered(), life, now)?;
    let acts = client.agent().is_some();
    let actor = acts.then(|| client.as_actor_in(app.issuer(), desk.caller.instance.as_ref()));
    let chain = actor.map_or_else(Chain::none, Chain::of);
    let deep = chain.depth() + grant.brought.depth() > app.settings.max_chain_depth;
    if deep || !chain.fits_on(&grant.brought) {
        return Err(GrantRefused::Actor.into());
    }
    let mut token = desk.token_of_its_own(Subject::User(user.id.clone()), chain, authority, cnf)?;
    token.brought = grant.brought.clone();
    if let Err(not) = desk.pass(&mut token, &registry.types, grant.remember_until).await {
        let mut anchors = vec![Anchor::Client(client.id.clone())];
        // Whoever has no account yet has nothing that could be over.
        anchors.extend(newcomer.is_none().then(|| Anchor::User(user.id.clone())));
        return Err(desk.unless_over(not, &anchors, GrantType::JwtBearer).await);
    }
    let mut under = Under::default();
    // An agent acts for a user under a consent and for a task, whichever word of its issuer it brings.
    if acts || purpose == Purpose::IdentityAssertions {
        let types = registry.types.versions(&given.details);
        under = stand(desk, &mut token, rule, &given, types, end).await?;
    }
    let written = tokens::write(app, &registry, client, Issuable::root(token).map_err(Broken::from)?).await?;
    tell_of(event, written.token());
    event.reason = Some(format!("by an assertion of {}", rule.issuer));
    // What the user, or somebody for them, ended here does not come back until they sign in there anew.
    let signed_in = SignedIn::At {
        issuer: rule.issuer.clone(),
        user: user.id.clone(),
        client: client.id.clone(),
        auth_time: grant.login.as_ref().map(|login| login.auth_time),
    };
    let Under { mut keep, mut new } = under;
    if newcomer.is_some() {
        new.push(Anchor::User(user.id.clone()));
    }
    // What is written only now need not be alive before.
    let mut requires = tokens::anchors(written.token());
    requires.retain(|anchor| !matches!(anchor, Anchor::Token(_)) && !new.contains(anchor));
    keep.push(written.record());
    Ok(Granted {
        unamended: None,
        signed_in: Some(signed_in),
        event: event.clone(),
        first_time: trusted::shown(rule, &grant, Brought::Assertion).into_iter().collect(),
        requires,
        take: None,
        keep,
        of_actor_token: Vec::new(),
        newcomer: None,
        reply: reply(written, request.scope.clone()),
    })
}

/// What a token stands under, as far as it is written together with it.
#[derive(Default)]
struct Under {
    keep: Vec<Record>,
    new: Vec<Anchor>,
}

/// Puts the token under the consent that earlier assertions of this issuer stand under, or under one of its own; an
/// agent's is of a task of its own.
async fn stand(
    desk: &Desk<'_>,
    token: &mut Token,
    rule: &TrustedIssuer,
    given: &Authority,
    types: BTreeMap<DetailsTypeName, u32>,
    end: NumericDate,
) -> Result<Under, Failure> {
    let mut under = Under::default();
    let Some(user) = token.subject.user().cloned() else {
        return Err(Broken::Inconsistent("an assertion of nobody").into());
    };
    let consent = match standing(desk, &user, rule, given, &types).await? {
        Some(known) => known,
        None => {
            let consent = brought(desk, &user, rule, given, types, end)?;
            under.new.push(Anchor::Consent(consent.id.clone()));
            under.keep.push(Record::Consent(consent.clone()));
            consent
        }
    };
    token.consent = Some(consent.id.clone());
    if desk.caller.client.agent().is_some() {
        let task = tasks::open(desk.app, &consent, &token.authority, desk.visit.now)?;
        token.task = Some(TaskRef::from(&task));
        under.new.push(Anchor::Task(task.id.clone()));
        under.keep.push(Record::Task(task));
    }
    Ok(under)
}

/// The consent that earlier assertions of this issuer stand under, where it says the same.
async fn standing(
    desk: &Desk<'_>,
    user: &UserId,
    rule: &TrustedIssuer,
    given: &Authority,
    types: &BTreeMap<DetailsTypeName, u32>,
) -> Result<Option<Consent>, Failure> {
    let client = &desk.caller.client.id;
    let known = desk.app.store.consents_for(user, client, Some(client), desk.visit.now).await?;
    let same = |consent: &Consent| {
        let authority = Authority { until: given.until, ..consent.authority.clone() };
        consent.brought_by.as_deref() == Some(rule.issuer.as_str())
            && consent.authority.until >= given.until
            && authority == *given
            && consent.types == *types
    };
    Ok(known.into_iter().find(same))
}

/// What an assertion allows, as a consent of the user's: so it is seen, and can be ended.
fn brought(
    desk: &Desk<'_>,
    user: &UserId,
    rule: &TrustedIssuer,
    given: &Authority,
    types: BTreeMap<DetailsTypeName, u32>,
    end: NumericDate,
) -> Result<Consent, Failure> {
    let (app, client, now) = (desk.app, &desk.caller.client, desk.visit.now);
    let until = now.plus(app.settings.agent_consent_life).min(end).max(given.until);
    let id = random_id(app.entropy.as_ref(), "con_");
    Ok(Consent {
        id: id.parse().map_err(|_| Broken::Other("a random id is no identifier"))?,
        user: user.clone(),
        client: client.id.clone(),
        actor: client.id.clone(),
        authority: Authority { until, ..given.clone() },
        claims: BTreeSet::new(),
        passing_on: PassingOn::No,
        offline_access: false,
        created_at: now,
        brought_by: Some(rule.issuer.clone()),
        state: ConsentState::Active,
        types,
        version: 1,
    })
}
