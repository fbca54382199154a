//! What `POST /token` does, a file for each grant type.
//!
//! Each grant gathers, lets the law judge, and returns what would be written. Here it is committed in one
//! transaction with its audit event; only then does the response leave. A refusal has its event too.

mod authorization_code;
mod ciba;
mod client_credentials;
mod commit;
mod deferral;
mod deferred;
mod desk;
mod device_code;
mod foreign_token;
mod jwt_bearer;
mod notice;
mod other_domain;
mod refresh_token;
mod reply;
mod token_exchange;
mod transaction;
mod trusted;

use std::sync::Arc;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::{Client, GrantType};
use protocol::confirmation::{BindingRefused, Confirmation, Held};
use protocol::identifier::InstanceId;
use protocol::params::Params;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::Token;
use protocol::token_request::{TokenRequest, can_wait};

use crate::app::{App, Visit};
use crate::caller::Caller;
use crate::failure::{Broken, Failure};
use desk::{Desk, Granted, NotWritten, Refused};

pub use deferral::{
    Deferred, cancel, event_of as event_of_question, looks_like_deferral_code, question_anchors,
};
pub use notice::Notice;
pub use reply::Reply;

/// What becomes of a token request that is not refused.
pub enum Answer {
    /// The client gets its token.
    Issued(Box<Reply>),
    /// A person is asked first, and the client asks again.
    Deferred(Box<Deferred>),
}

/// Answers a token request.
///
/// # Errors
/// The refusal of the request or of its grant, already told to the audit log; or what is broken.
pub async fn grant(app: &App, visit: &Visit, caller: &Caller, params: &Params) -> Result<Answer, Failure> {
    let mut event = AuditEvent::new(Action::TokenRequest, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.client = Some(caller.client.id.clone());
    event.instance.clone_from(&caller.instance);
    let mut desk = Desk { app, visit, caller, event, approved: None, resumes: None, marked: false };
    let request = TokenRequest::parse(params).and_then(|request| Ok((request, can_wait(params)?)));
    let (request, can_wait) = match request {
        Ok(read) => read,
        Err(reason) => return Err(desk.close(desk.refused(&desk.event, reason)).await),
    };
    let grant_type = request.grant_type();
    desk.event.action = action(grant_type);
    // Whoever holds a deferral_code was let wait.
    if grant_type != GrantType::Deferred && !caller.client.grant_types.contains(&grant_type) {
        let description = "this client is not registered for this grant_type";
        let refusal = Refusal::new(ErrorCode::UnauthorizedClient, description);
        return Err(desk.close(desk.refused(&desk.event, refusal)).await);
    }
    let mut decided = decide(&desk, &request).await;
    loop {
        let mut refused = match decided {
            Ok(granted) => match desk.commit(granted, grant_type).await {
                Ok(reply) => return Ok(Answer::Issued(Box::new(reply))),
                Err(NotWritten::AccountIsThere) if !desk.marked => {
                    desk.marked = true;
                    decided = decide(&desk, &request).await;
                    continue;
                }
                Err(not) => return Err(not.into()),
            },
            Err(refused) => refused,
        };
        return match refused.question.take().filter(|_| can_wait) {
            Some(question) => deferral::ask(&desk, params, grant_type, refused, *question).await,
            None => Err(desk.close(refused).await),
        };
    }
}

/// What a request would get.
async fn decide(desk: &Desk<'_>, request: &TokenRequest) -> Result<Granted, Refused> {
    match request {
        TokenRequest::AuthorizationCode(request) => authorization_code::redeem(desk, request).await,
        TokenRequest::DeviceCode(request) => device_code::redeem(desk, request).await,
        TokenRequest::Ciba(request) => ciba::redeem(desk, request).await,
        TokenRequest::Deferred(request) => deferral::redeem(desk, request).await,
        request => derive(desk, request).await,
    }
}

/// What can wait for a person's approval, and is asked for once more when it has it.
async fn derive(desk: &Desk<'_>, request: &TokenRequest) -> Result<Granted, Refused> {
    match request {
        TokenRequest::RefreshToken(request) => refresh_token::refresh(desk, request).await,
        TokenRequest::ClientCredentials(request) => client_credentials::issue(desk, request).await,
        TokenRequest::TokenExchange(request) => token_exchange::exchange(desk, request).await,
        TokenRequest::JwtBearer(request) => jwt_bearer::issue(desk, request).await,
        _ => Err(desk.refused(&desk.event, Broken::Inconsistent("a grant that never waits"))),
    }
}

const fn action(grant_type: GrantType) -> Action {
    match grant_type {
        GrantType::AuthorizationCode => Action::TokenAuthorizationCode,
        GrantType::RefreshToken => Action::TokenRefresh,
        GrantType::ClientCredentials => Action::TokenClientCredentials,
        GrantType::TokenExchange => Action::TokenExchange,
        GrantType::DeviceCode => Action::TokenDeviceCode,
        GrantType::Ciba => Action::TokenCiba,
        GrantType::JwtBearer => Action::TokenJwtBearer,
        GrantType::Deferred => Action::DeferralPoll,
    }
}

/// Redeems what a user approved for the client that it is pushed to (CIBA §10.3): it is not there to ask, but it
/// authenticated, and proved what it `held`, when it asked.
///
/// # Errors
/// Why there is nothing to push.
pub async fn push(
    app: &App,
    visit: &Visit,
    client: Arc<Client>,
    held: Held,
    instance: Option<InstanceId>,
    auth_req_id: &str,
) -> Result<Reply, Failure> {
    let caller = Caller::absent(client, held, instance);
    let mut event = AuditEvent::new(Action::TokenCiba, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.client = Some(caller.client.id.clone());
    let desk = Desk { app, visit, caller: &caller, event, approved: None, resumes: None, marked: false };
    match ciba::push(&desk, auth_req_id).await {
        Ok(granted) => Ok(desk.commit(granted, GrantType::Ciba).await?),
        Err(refused) => Err(desk.close(refused).await),
    }
}

/// Writes what a token permits into the event of its issuance.
fn tell_of(event: &mut AuditEvent, token: &Token) {
    event.user = token.subject.user().cloned();
    event.chain = token.chain.clone();
    event.consent.clone_from(&token.consent);
    event.task = token.task.as_ref().map(|task| task.id.clone());
    event.txn = token.task.as_ref().map(|task| task.root.clone());
    event.token = Some(token.id.clone());
    event.parent.clone_from(&token.parent);
    event.scope = Some(token.authority.scope.clone());
    event.authorization_details = token.authority.details.clone();
    event.resources = token.authority.resources.iter().cloned().collect();
}

/// What the caller's access token is bound to: an agent's always to something, others' as the client is registered
/// (RFC 9449 §5.2, RFC 8705 §3.4).
fn bind(caller: &Caller) -> Result<Option<Confirmation>, BindingRefused> {
    caller.client.binding_demand().bind(&caller.held())
}
