//! Endings: an admin stops an agent or an account, or ends a token, a family, a task, a consent, an instance of a client,
//! or everything of somebody's. What ends with what is the store's to find.

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::ending::{AccountOperation, Operation, Order};
use protocol::identifier::{ClientId, FamilyId, SessionId, TokenId, UserId};
use protocol::instance::Instance;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::Token;

use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::store::{Anchor, Change, CommitError, Ended, Ending};
use crate::tasks;

/// At whose word it ends.
#[derive(Clone, Copy, Debug)]
pub enum Admin<'a> {
    /// A person, on a page.
    Person {
        /// Who.
        id: &'a UserId,
        /// The session in which they say so.
        session: &'a SessionId,
    },
    /// A program of the operator.
    Program {
        /// Which.
        client: &'a ClientId,
        /// The token with which it says so.
        token: &'a TokenId,
        /// Why, in its own words.
        reason: Option<&'a str>,
    },
}

impl Admin<'_> {
    /// The event of what is done at their word.
    fn event(self, action: Action, visit: &Visit) -> AuditEvent {
        let mut event = AuditEvent::new(action, Outcome::Granted, visit.now);
        event.request = Some(visit.id.clone());
        match self {
            Self::Person { id, .. } => event.reason = Some(format!("by {id}")),
            Self::Program { client, reason, .. } => {
                event.client = Some(client.clone());
                event.reason = Some(match reason {
                    Some(reason) => format!("by {client}: {reason}"),
                    None => format!("by {client}"),
                });
            }
        }
        event
    }

    /// What must be alive for their word to count.
    fn anchors(self) -> [Anchor; 2] {
        match self {
            Self::Person { id, session } => [Anchor::User(id.clone()), Anchor::Session(session.clone())],
            Self::Program { client, token, .. } => {
                [Anchor::Client(client.clone()), Anchor::Token(token.clone())]
            }
        }
    }
}

/// Carries out an order. None where there is no such thing.
///
/// # Errors
/// `access_denied` or `invalid_request` where that cannot be done to it now; the store's.
pub async fn carry_out(
    app: &App,
    visit: &Visit,
    admin: Admin<'_>,
    order: &Order,
) -> Result<Option<Ended>, Failure> {
    let change = match order {
        Order::Task(id, operation) => {
            let (told, requires) = (admin.event(Action::TaskRevoke, visit), admin.anchors());
            let done = tasks::operate_as_admin(app, visit, id, *operation, &told, &requires).await?;
            return Ok(done.map(|done| done.ended));
        }
        Order::Token(id) => {
            let Some(token) = app.store.find_token_by_id(id).await? else { return Ok(None) };
            Change::new(about(admin, visit, &token)).end(Ending::Token(id.clone()))
        }
        Order::Family(id) => {
            let Some((family, event)) = family(app, visit, admin, id).await? else { return Ok(None) };
            Change::new(event).end(Ending::Family(family))
        }
        Order::Consent(id) => {
            let Some(consent) = app.store.find_consent(id).await? else { return Ok(None) };
            let mut event = admin.event(Action::ConsentEnd, visit);
            event.user = Some(consent.user.clone());
            event.actor = Some(consent.actor.clone());
            event.consent = Some(consent.id.clone());
            Change::new(event).end(Ending::Consent(id.clone()))
        }
        Order::Instance(id, instance) => {
            let Some(client) = app.store.find_client(id).await? else { return Ok(None) };
            let mut event = admin.event(Action::InstanceEnd, visit);
            event.actor = Some(client.id.clone());
            event.instance = Some(instance.clone());
            Change::new(event).end(Ending::Instance(Instance::new(&client.id, instance)))
        }
        Order::Agent(id, operation) => {
            let agent = app.store.find_client(id).await?;
            if agent.is_none_or(|client| client.agent().is_none()) {
                return Ok(None);
            }
            let mut event = admin.event(action(*operation), visit);
            event.actor = Some(id.clone());
            Change::new(event).operate(id.clone(), *operation)
        }
        Order::User(id) => {
            let Some(event) = of_user(app, visit, admin, id, Action::UserEnd).await? else { return Ok(None) };
            Change::new(event).end(Ending::User(id.clone()))
        }
        Order::Account(id, operation) => {
            let action = match operation {
                AccountOperation::Disable => Action::UserDisable,
                AccountOperation::Enable => Action::UserEnable,
                // These are not an admin's to say.
                AccountOperation::Revoke | AccountOperation::SignIn => return Ok(None),
            };
            let itself = matches!(admin, Admin::Person { id: admin, .. } if admin == id);
            if itself && *operation == AccountOperation::Disable {
                let description = "nobody disables their own account: another admin has to";
                return Err(Refusal::new(ErrorCode::AccessDenied, description).into());
            }
            let Some(event) = of_user(app, visit, admin, id, action).await? else { return Ok(None) };
            Change::new(event).set_account(id.clone(), *operation)
        }
        Order::Owner(id) => {
            let event = of_user(app, visit, admin, id, Action::OwnerEnd).await?;
            let Some(event) = event else { return Ok(None) };
            Change::new(event).end(Ending::Owner(id.clone()))
        }
    };
    commit(app, admin, change).await.map(Some)
}

async fn commit(app: &App, admin: Admin<'_>, change: Change) -> Result<Ended, Failure> {
    let change = admin.anchors().into_iter().fold(change, Change::requires);
    match app.store.commit(change).await {
        Ok(committed) => Ok(committed.ended),
        Err(CommitError::Conflict(_)) => {
            let description =
                "it does not stand where this could be done, or somebody else was faster; look again";
            Err(Refusal::new(ErrorCode::AccessDenied, description).into())
        }
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

const fn action(operation: Operation) -> Action {
    match operation {
        Operation::Suspend => Action::AgentSuspend,
        Operation::Resume => Action::AgentResume,
        Operation::Retire => Action::AgentRetire,
    }
}

/// The event of something about a user, if there is one.
async fn of_user(
    app: &App,
    visit: &Visit,
    admin: Admin<'_>,
    id: &UserId,
    action: Action,
) -> Result<Option<AuditEvent>, Failure> {
    let user = app.store.find_user(id).await?;
    Ok(user.map(|_| AuditEvent { user: Some(id.clone()), ..admin.event(action, visit) }))
}

/// The refresh family of this id, or the one that the token of this `jti` is of or came of: that is what logs and
/// programs know of it. With the event of its end.
async fn family(
    app: &App,
    visit: &Visit,
    admin: Admin<'_>,
    id: &FamilyId,
) -> Result<Option<(FamilyId, AuditEvent)>, Failure> {
    if let Some(token) = app.store.find_token_of_family(id).await? {
        return Ok(Some((id.clone(), about(admin, visit, &token))));
    }
    let Ok(jti) = id.as_str().parse::<TokenId>() else { return Ok(None) };
    let Some(mut token) = app.store.find_token_by_id(&jti).await? else { return Ok(None) };
    // An access token may have come of a refresh token, which is of the family.
    if let (None, Some(parent)) = (&token.family, &token.parent) {
        let Some(parent) = app.store.find_token_by_id(parent).await? else { return Ok(None) };
        token = parent;
    }
    Ok(token.family.clone().map(|family| (family, about(admin, visit, &token))))
}

/// The event of a token's end.
fn about(admin: Admin<'_>, visit: &Visit, token: &Token) -> AuditEvent {
    let mut event = admin.event(Action::TokenRevoke, visit);
    event.user = token.subject.user().cloned();
    event.chain = token.chain.clone();
    event.consent.clone_from(&token.consent);
    event.token = Some(token.id.clone());
    event
}
