//! Refresh (RFC 6749 §6): a new access token of the same authorization, never wider.

use std::sync::Arc;

use protocol::audience::Audience;
use protocol::audit::AuditEvent;
use protocol::authorization::{self, Named};
use protocol::client::GrantType;
use protocol::consent::Consent;
use protocol::delegation::Issuable;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::Task;
use protocol::token::{TaskRef, Token, TokenKind};
use protocol::token_request::RefreshRequest;

use super::desk::{Desk, Granted, NotGranted, Refused};
use super::reply::reply;
use super::{bind, tell_of};
use crate::failure::{Broken, Failure};
use crate::store::{Anchor, Take};
use crate::tokens::{self, Along};

/// Issues a new access token, and a new refresh token where the presented one is used up by this.
pub(super) async fn refresh(desk: &Desk<'_>, request: &RefreshRequest) -> Result<Granted, Refused> {
    let mut event = desk.event_of(request.scope.as_ref(), request.authorization_details.as_ref());
    let decided = decide(desk, request, &mut event).await;
    desk.told(&event, decided)
}

fn gone() -> Refusal {
    Refusal::new(ErrorCode::InvalidGrant, "the refresh token is not valid, or not any more")
}

/// The task that the request names, if the token may go on for it, and the consent of both.
async fn onto(
    desk: &Desk<'_>,
    request: &RefreshRequest,
    presented: &Token,
) -> Result<Option<(Arc<Task>, Arc<Consent>)>, Failure> {
    let Some(id) = &request.task else { return Ok(None) };
    let unfit = || Refusal::new(ErrorCode::InvalidGrant, "task is none of this client's under this consent");
    let task = desk.app.store.find_task(id).await?.filter(|task| task.continues(presented));
    let task = task.filter(|task| task.is_live(desk.visit.now)).ok_or_else(unfit)?;
    let consent = desk.app.store.find_consent(&task.consent).await?.ok_or_else(unfit)?;
    Ok(Some((task, consent)))
}

async fn decide(
    desk: &Desk<'_>,
    request: &RefreshRequest,
    event: &mut AuditEvent,
) -> Result<Granted, NotGranted> {
    let (app, client, now) = (desk.app, &desk.caller.client, desk.visit.now);
    let presented = tokens::read(app, request.refresh_token.reveal()).await?.ok_or_else(gone)?;
    if presented.kind != TokenKind::Refresh || presented.client != client.id {
        return Err(gone().into());
    }
    event.user = presented.subject.user().cloned();
    event.consent.clone_from(&presented.consent);
    event.parent = Some(presented.id.clone());
    event.task = presented.task.as_ref().map(|task| task.id.clone());
    event.txn = presented.task.as_ref().map(|task| task.root.clone());
    if presented.expires_at().is_over(now) {
        return Err(gone().into());
    }
    if presented.cnf.as_ref().is_some_and(|cnf| !desk.caller.held().proves(cnf)) {
        let description = "the refresh token is bound to a key or a certificate; prove that you hold it";
        return Err(Refusal::new(ErrorCode::InvalidGrant, description).into());
    }
    if presented.instance.is_some() && presented.instance != desk.caller.instance {
        let description = "the refresh token is bound to another instance of this client";
        return Err(Refusal::new(ErrorCode::InvalidGrant, description).into());
    }
    let cnf = bind(desk.caller)?;

    let consent = match &presented.consent {
        Some(id) => app.store.find_consent(id).await?,
        None => None,
    };
    let registry = app.registry_of(consent.as_deref()).await?;
    let whole = presented;
    let presented = tokens::open_to_user(app, &registry, Arc::clone(&whole)).await?.ok_or_else(gone)?;
    let mut resources = request.resources.clone();
    if resources.is_empty() && presented.audience != Audience::Resources {
        resources.clone_from(&presented.authority.resources);
    }
    let named =
        Named { scope: request.scope.clone(), details: request.authorization_details.clone(), resources };
    let life = app.settings.token_life;
    let onto = onto(desk, request, &presented).await?;
    if let Some((task, _)) = &onto {
        event.task = Some(task.id.clone());
        event.txn = Some(task.root.clone());
    }
    let source = match &onto {
        Some((task, consent)) => presented.authority.common(&task.authority(consent), &registry.types),
        None => presented.authority.clone(),
    };
    let authority = authorization::take(&source, &named, registry.registered(), life, now)?;
    let mut access = Token {
        id: tokens::new_id(app)?,
        kind: TokenKind::Access,
        authority,
        cnf,
        issued_at: now,
        parent: Some(presented.id.clone()),
        task: onto.as_ref().map(|(task, _)| TaskRef::from(task.as_ref())).or_else(|| presented.task.clone()),
        ..presented.as_ref().clone()
    };
    let mut requires = tokens::anchors(&presented);
    requires.extend(onto.iter().map(|(task, _)| Anchor::Task(task.id.clone())));
    if let Err(not) = desk.pass(&mut access, &registry.types, source.until).await {
        return Err(desk.unless_over(not, &requires, GrantType::RefreshToken).await);
    }
    let access = Issuable::refreshed(access, &presented, &registry.types).map_err(Broken::from)?;
    let access = tokens::write(app, &registry, client, access).await?;
    tell_of(event, access.token());

    let mut keep = vec![access.record()];
    let mut take = None;
    let mut successor = None;
    // Only a public client's token that no key protects is used up by its use (RFC 9700 §4.14.2), and none of a profile
    // in which it could get lost on its way (FAPI 2.0 §5.3.2.1).
    if client.profile.rules().refresh_rotation && client.is_public() && presented.cnf.is_none() {
        requires.retain(|anchor| !matches!(anchor, Anchor::Token(_)));
        take = Some(Take::Refresh(presented.id.clone()));
        // What its user may not grant today they may grant again tomorrow.
        let next = Issuable::successor(&whole, tokens::new_id(app)?, now).map_err(Broken::from)?;
        let next = tokens::write_refresh(app, next);
        keep.push(next.record());
        successor = Some(next.into_parts().1);
    }
    let asked = request.scope.clone().or_else(|| Some(whole.authority.scope.clone()));
    // Who signed in through this client is told anew (OpenID Connect Core §12.2).
    let id_token = match access.token().authority.scope.contains("openid")
        && access.token().audience == Audience::Resources
    {
        true => {
            let session = access.token().session.as_ref();
            let along = Along { session, approved: Some(&presented.authority), ..Along::default() };
            let written = tokens::id_token(app, client, &access, &along).await?;
            written.map(|(text, record)| {
                keep.push(record);
                text
            })
        }
        false => None,
    };
    let mut reply = reply(access, asked);
    reply.id_token = id_token;
    reply.refresh_token = successor;
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
