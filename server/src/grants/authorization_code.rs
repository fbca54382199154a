//! Authorization code (RFC 6749 §4.1.3): what a user approved becomes tokens, once.

use protocol::actor::Chain;
use protocol::audience::{Audience, Resources};
use protocol::audit::AuditEvent;
use protocol::authority::Authority;
use protocol::authorization::{self, Named};
use protocol::authorization_details::{AuthorizationDetails, DetailsTypes};
use protocol::client::{Client, GrantType};
use protocol::code::Code;
use protocol::consent::Consent;
use protocol::delegation::Issuable;
use protocol::identifier::FamilyId;
use protocol::pkce;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::{Subject, TaskRef, Token, TokenKind};
use protocol::token_request::CodeRequest;

use super::desk::{Desk, Granted, NotGranted, Refused};
use super::reply::reply;
use super::{bind, tell_of};
use crate::app::same;
use crate::failure::{Broken, Failure};
use crate::secret::{SecretDigest, random_id};
use crate::store::{Anchor, Change, CommitError, Ending, Record, Take};
use crate::tokens::{self, Along, Written};

/// How often a code may be presented with something wrong before it is dead.
const MOST_ATTEMPTS: u32 = 3;

/// Redeems a code.
pub(super) async fn redeem(desk: &Desk<'_>, request: &CodeRequest) -> Result<Granted, Refused> {
    let mut event = desk.event.clone();
    let digest = SecretDigest::of(request.code.reveal());
    let stored = match desk.app.store.find_code(&digest).await {
        // What is asked for with another reference than a code is no code (RFC 8628, CIBA).
        Ok(Some(stored))
            if stored.code.client == desk.caller.client.id && stored.code.redirect_uri.is_some() =>
        {
            stored
        }
        Ok(_) => return Err(desk.refused(&event, gone())),
        Err(error) => return Err(desk.refused(&event, error)),
    };
    event.user = Some(stored.code.user.clone());
    event.consent = Some(stored.code.consent.clone());
    if let Err(refusal) = check(desk, request, &stored.code) {
        if let Err(broken) = count_attempt(desk, digest).await {
            return Err(desk.refused(&event, broken));
        }
        return Err(desk.refused(&event, refusal));
    }
    if stored.redeemed {
        // A second presentation with everything right: what the first one got may be in wrong hands (RFC 9700 §4.2.4).
        return Err(Refused {
            end: Some(Box::new(Ending::CodeTokens(digest))),
            ..desk.refused(&event, gone())
        });
    }
    if stored.expires_at.is_over(desk.visit.now) || stored.attempts >= MOST_ATTEMPTS {
        return Err(desk.refused(&event, gone()));
    }
    let redemption = Redemption {
        digest,
        resources: &request.resources,
        authorization_details: request.authorization_details.as_ref(),
        pushed_for: None,
        answered: false,
    };
    let decided = issue(desk, &redemption, &stored.code, &mut event).await;
    desk.told(&event, decided)
}

fn gone() -> Refusal {
    Refusal::new(ErrorCode::InvalidGrant, "the code is not valid, or not any more")
}

/// Whoever presents the code is whoever it was given to: same return address, verifier, instance and key.
fn check(desk: &Desk<'_>, request: &CodeRequest, code: &Code) -> Result<(), Refusal> {
    let address_fits = match &request.redirect_uri {
        Some(sent) => code.redirect_uri.as_deref().is_some_and(|known| same(sent, known)),
        // OAuth 2.1 §10.2 leaves it to PKCE.
        None => code.code_challenge.is_some(),
    };
    if !address_fits {
        return Err(Refusal::new(
            ErrorCode::InvalidGrant,
            "redirect_uri is not the one of the authorization request",
        ));
    }
    let verifier = request.code_verifier.as_ref().map(|verifier| verifier.reveal());
    pkce::check(code.code_challenge.as_ref(), verifier)?;
    if code.instance.is_some() && code.instance != desk.caller.instance {
        let description = "the code is bound to the instance of this client that pushed the request";
        return Err(Refusal::new(ErrorCode::InvalidGrant, description));
    }
    if code.dpop_jkt.is_some() && code.dpop_jkt != desk.caller.key {
        return Err(Refusal::new(ErrorCode::InvalidGrant, "the code is bound to another DPoP key"));
    }
    Ok(())
}

async fn count_attempt(desk: &Desk<'_>, digest: SecretDigest) -> Result<(), Failure> {
    match desk.app.store.commit(Change::housekeeping(desk.visit.now).bump_attempts(digest)).await {
        Ok(_) | Err(CommitError::Conflict(_)) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

/// What is said when something that a user approved is redeemed.
pub(super) struct Redemption<'a> {
    /// Under which it is kept.
    pub(super) digest: SecretDigest,
    /// Every `resource`.
    pub(super) resources: &'a Resources,
    /// `authorization_details`.
    pub(super) authorization_details: Option<&'a AuthorizationDetails>,
    /// The `auth_req_id` that the tokens are pushed for, if they are.
    pub(super) pushed_for: Option<&'a str>,
    /// Whether the user was asked for this very token, and has just approved it.
    pub(super) answered: bool,
}

/// Makes tokens of what a user approved.
pub(super) async fn issue(
    desk: &Desk<'_>,
    request: &Redemption<'_>,
    code: &Code,
    event: &mut AuditEvent,
) -> Result<Granted, NotGranted> {
    let (app, client) = (desk.app, &desk.caller.client);
    let cnf = bind(desk.caller)?;
    let consent = app.store.find_consent(&code.consent).await?.ok_or_else(gone)?;
    let registry = app.registry_of(Some(&consent)).await?;
    let family: FamilyId = random_id(app.entropy.as_ref(), "fam_")
        .parse()
        .map_err(|_| Broken::Other("a random id is no identifier"))?;
    let open = app.open_to(registry.registered(), &code.user, &code.authority).await?.ok_or_else(gone)?;
    let first = first_token(desk, code, &consent, family).await?;

    let mut resources = request.resources.clone();
    if resources.is_empty() && first.audience != Audience::Resources {
        resources.clone_from(&open.resources);
    }
    let named = Named { scope: None, details: request.authorization_details.cloned(), resources };
    let life = app.settings.token_life;
    let authority = authorization::take(&open, &named, registry.registered(), life, desk.visit.now)?;
    let mut access = Token {
        id: tokens::new_id(app)?,
        kind: TokenKind::Access,
        authority,
        cnf: cnf.clone(),
        ..first.clone()
    };
    let goes_on = goes_on(client, code, &consent);
    let held_back = match hold_back(desk, request, &mut access, &registry.types, goes_on) {
        Ok(held_back) => held_back,
        Err(refusal) => {
            // What is over is not held up by rules.
            let over = desk.over(&anchors_of_root(&access), GrantType::AuthorizationCode).await?;
            return Err(over.unwrap_or(refusal).into());
        }
    };
    let access = Issuable::root(access).map_err(Broken::from)?;
    let access = tokens::write(app, &registry, client, access).await?;
    tell_of(event, access.token());
    if held_back {
        event.reason = Some("without what rules deny or a person must approve each time".into());
    }
    event.actor.clone_from(&code.requested_actor);

    let mut keep = vec![access.record()];
    // A public client's refresh token is bound as its access token is; a confidential client's to the client.
    let first = Token { cnf: cnf.filter(|_| client.is_public()), ..first };
    let refresh = refresh_token(desk, client, code, &consent, first)?;
    keep.extend(refresh.iter().map(Written::record));
    let mut requires = anchors_of_root(access.token());
    requires.extend(code.requested_actor.clone().map(Anchor::Client));
    let take = Some(Take::Code { digest: request.digest, token: Some(access.token().id.clone()) });

    let id_token = match code.authority.scope.contains("openid") {
        true => {
            let refresh_token = refresh.as_ref().map(|refresh| refresh.text().reveal());
            let along = Along {
                nonce: code.nonce.as_deref(),
                session: code.session.as_ref(),
                approved: Some(&open),
                pushed: request.pushed_for.map(|id| (id, refresh_token)),
            };
            keep.extend(tokens::subject_seen(app, client, &code.user).map(Record::PairwiseSubject));
            let written = tokens::id_token(app, client, &access, &along).await?;
            written.map(|(text, record)| {
                keep.push(record);
                text
            })
        }
        false => None,
    };
    // What was asked in the authorization request is not known here, and may be more than was approved: so the scope
    // is always told (RFC 6749 §5.1).
    let mut reply = reply(access, None);
    reply.id_token = id_token;
    reply.refresh_token = refresh.map(|refresh| refresh.into_parts().1);
    Ok(Granted {
        event: event.clone(),
        first_time: Vec::new(),
        requires,
        unamended: None,
        signed_in: None,
        take,
        keep,
        of_actor_token: Vec::new(),
        newcomer: None,
        reply,
    })
}

/// What must be alive for a token that comes of no other one.
fn anchors_of_root(token: &Token) -> Vec<Anchor> {
    let mut anchors = tokens::anchors(token);
    anchors.retain(|anchor| !matches!(anchor, Anchor::Token(_)));
    anchors
}

/// What rules deny, or a person must approve each time, is not in the first access token, and its client is told so by
/// what the token permits. Whoever may go on (`goes_on`) can ask for it then, by refresh, even where nothing is left for
/// the first one. Tells whether there was any.
fn hold_back(
    desk: &Desk<'_>,
    request: &Redemption<'_>,
    access: &mut Token,
    types: &DetailsTypes,
    goes_on: bool,
) -> Result<bool, Refusal> {
    let part = desk.policy(None).at_once(access, &desk.caller.client, types, request.answered);
    if part == access.authority {
        return Ok(false);
    }
    let nothing_left = part.scope.is_empty() && part.details.is_empty();
    if request.authorization_details.is_some() || (nothing_left && !goes_on) {
        let how = match goes_on {
            true => "ask for it by refresh, with completion_mode=deferred",
            false => {
                "ask the user for offline_access too, and then for this by refresh, with completion_mode=deferred"
            }
        };
        let description = format!(
            "rules deny this, or a person must approve each use of it: {how} (decision {})",
            desk.visit.id
        );
        return Err(Refusal::new(ErrorCode::AccessDenied, description));
    }
    access.authority = part;
    Ok(true)
}

/// What all tokens of this code have in common. An agent that asked itself is the actor at once; where an
/// application asked for an agent, the token is that agent's to exchange and good for nothing else.
async fn first_token(
    desk: &Desk<'_>,
    code: &Code,
    consent: &Consent,
    family: FamilyId,
) -> Result<Token, Failure> {
    let (app, client) = (desk.app, &desk.caller.client);
    let task = match &code.task {
        Some(id) => {
            let task = app.store.find_task(id).await?.ok_or_else(gone)?;
            Some(TaskRef::from(task.as_ref()))
        }
        None => None,
    };
    let requested = match &code.requested_actor {
        Some(id) => Some(app.store.find_client(id).await?.ok_or_else(gone)?),
        None => None,
    };
    let acts = |client: &Client| {
        client.agent().is_some().then(|| client.as_actor_in(app.issuer(), desk.caller.instance.as_ref()))
    };
    let may_act = requested.as_ref().map(|agent| agent.as_actor(app.issuer()));
    let chain = match (&may_act, acts(client)) {
        (None, Some(actor)) => Chain::of(actor),
        _ => Chain::none(),
    };
    Ok(Token {
        id: tokens::new_id(app)?,
        kind: TokenKind::Refresh,
        client: client.id.clone(),
        instance: desk.caller.instance.clone(),
        subject: Subject::User(code.user.clone()),
        chain,
        brought: Chain::none(),
        audience: requested.as_ref().map_or(Audience::Resources, |agent| Audience::Actor(agent.id.clone())),
        may_act,
        authority: code.authority.clone(),
        cnf: None,
        issued_at: desk.visit.now,
        login: Some(code.login.clone()),
        claims: code.claims.clone(),
        consent: Some(consent.id.clone()),
        task,
        parent: None,
        family: Some(family),
        status: None,
        session: code.session.clone().filter(|_| !is_for_absence(code, consent)),
    })
}

/// Whether this very request was for the user's absence too, and the user approved it so.
fn is_for_absence(code: &Code, consent: &Consent) -> bool {
    consent.offline_access && code.authority.scope.contains(authorization::OFFLINE_ACCESS)
}

/// Whether the client gets a refresh token.
fn goes_on(client: &Client, code: &Code, consent: &Consent) -> bool {
    is_for_absence(code, consent) && client.grant_types.contains(&GrantType::RefreshToken)
}

/// A refresh token, where the user approved that the client goes on in their absence and it may use one. A public
/// client's is bound to its key or certificate (RFC 9449 §5, RFC 8705 §4); a confidential client's to the client.
fn refresh_token(
    desk: &Desk<'_>,
    client: &Client,
    code: &Code,
    consent: &Consent,
    first: Token,
) -> Result<Option<Written>, Failure> {
    if !goes_on(client, code, consent) {
        return Ok(None);
    }
    let end = desk.visit.now.plus(desk.app.settings.refresh_token_life).min(code.authority.until);
    let token = Token {
        id: tokens::new_id(desk.app)?,
        kind: TokenKind::Refresh,
        authority: Authority { until: end, ..code.authority.clone() },
        ..first
    };
    let token = Issuable::root(token).map_err(Broken::from)?;
    Ok(Some(tokens::write_refresh(desk.app, token)))
}
