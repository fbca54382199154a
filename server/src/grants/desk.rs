//! The state of a grant on its way: who asks, what is decided, and what is said of it.

use protocol::actor::Chain;
use protocol::approval::{Approved, Policy, PolicyRefused, Question, Wanted};
use protocol::audience::Audience;
use protocol::audit::AuditEvent;
use protocol::authority::Authority;
use protocol::authorization_details::{AuthorizationDetails, DetailsTypes};
use protocol::claims_request::ClaimsRequest;
use protocol::confirmation::Confirmation;
use protocol::identifier::{ConsentId, TokenId, UserId};
use protocol::jwt_bearer::GrantRefused;
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::scope::Scope;
use protocol::token::{Subject, Token, TokenKind};

use super::foreign_token::Foreign;
use super::reply::Reply;
use crate::app::{App, Visit};
use crate::caller::Caller;
use crate::failure::{Broken, Failure};
use crate::federation::Newcomer;
use crate::jose::JoseError;
use crate::store::{Anchor, Change, Ending, Note, Record, ReplayKey, SignedIn, StoreError, Take};
use crate::tokens;

/// What a request brings that counts once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Brought {
    /// `assertion`.
    Assertion,
    /// `subject_token`.
    SubjectToken,
    /// `actor_token`.
    ActorToken,
}

impl Brought {
    /// What is said where it came before.
    pub(super) fn replayed(self) -> Refusal {
        let words = match self {
            Self::Assertion => return GrantRefused::Replayed.into(),
            Self::SubjectToken => "the subject token was used before; get a new one for each request",
            Self::ActorToken => "the actor token was used before; get a new one for each request",
        };
        Refusal::new(ErrorCode::InvalidRequest, words)
    }
}

/// Something that was shown and may not be shown again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Once {
    pub(super) of: Brought,
    pub(super) key: ReplayKey,
    /// Until when that must be remembered.
    pub(super) until: NumericDate,
}

/// What a grant would write, and what it would answer.
pub(super) struct Granted {
    pub(super) event: AuditEvent,
    pub(super) first_time: Vec<Once>,
    pub(super) requires: Vec<Anchor>,
    /// What of that an actor token stands for, and not the subject token.
    pub(super) of_actor_token: Vec<Anchor>,
    /// The consent that must be as it was read.
    pub(super) unamended: Option<(ConsentId, u32)>,
    /// The sign-in elsewhere that it rests on.
    pub(super) signed_in: Option<SignedIn>,
    pub(super) take: Option<Take>,
    pub(super) keep: Vec<Record>,
    /// Its user, where they get their account together with it.
    pub(super) newcomer: Option<Box<Newcomer>>,
    pub(super) reply: Reply,
}

/// Why what was granted was not written.
pub(super) enum NotWritten {
    /// It may not be, or cannot.
    Failure(Failure),
    /// Its user got their account at this very moment: it has to be decided anew. What the request showed is marked.
    AccountIsThere,
}

impl From<NotWritten> for Failure {
    fn from(not: NotWritten) -> Self {
        match not {
            NotWritten::Failure(failure) => failure,
            NotWritten::AccountIsThere => {
                Broken::from(StoreError::Unavailable("an account is being made")).into()
            }
        }
    }
}

impl From<Failure> for NotWritten {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<StoreError> for NotWritten {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

/// Why a grant was refused, with what an auditor should know of it and what the refusal itself ends.
pub(super) struct Refused {
    pub(super) failure: Failure,
    pub(super) event: Box<AuditEvent>,
    pub(super) end: Option<Box<Ending>>,
    /// That the client asked for an answer that is not there yet. Nothing is decided then, and nobody told.
    pub(super) polled: Option<Box<Note>>,
    /// What a person would have to approve, so that it were not.
    pub(super) question: Option<Box<Question>>,
    /// The token of another issuer that it would come from.
    pub(super) foreign: Option<Box<Foreign>>,
    /// Its user, where they would get their account together with it.
    pub(super) newcomer: Option<Box<Newcomer>>,
}

/// Why a grant is not given.
pub(super) enum NotGranted {
    /// It cannot be.
    Failure(Failure),
    /// It could be, but for the rules, or a person who has to approve it.
    Policy(PolicyRefused),
}

impl<R: Into<Refusal>> From<R> for NotGranted {
    fn from(refusal: R) -> Self {
        Self::Failure(refusal.into().into())
    }
}

impl From<Failure> for NotGranted {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Broken> for NotGranted {
    fn from(broken: Broken) -> Self {
        Self::Failure(broken.into())
    }
}

impl From<StoreError> for NotGranted {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<JoseError> for NotGranted {
    fn from(error: JoseError) -> Self {
        Self::Failure(error.into())
    }
}

/// The state of one grant on its way.
pub(super) struct Desk<'a> {
    pub(super) app: &'a App,
    pub(super) visit: &'a Visit,
    pub(super) caller: &'a Caller,
    pub(super) event: AuditEvent,
    /// The yes of a person that the client came back for.
    pub(super) approved: Option<&'a Approved>,
    /// The token that what was approved comes from, if it comes from one.
    pub(super) resumes: Option<&'a TokenId>,
    /// Whether what the request showed is marked already.
    pub(super) marked: bool,
}

impl Desk<'_> {
    /// `change`, on condition that nothing the caller showed was shown before.
    pub(super) fn mark(&self, change: Change) -> Change {
        if self.marked { change } else { self.caller.mark(change) }
    }

    /// The event of a request that names what it wants itself.
    pub(super) fn event_of(
        &self,
        scope: Option<&Scope>,
        details: Option<&AuthorizationDetails>,
    ) -> AuditEvent {
        let mut event = self.event.clone();
        event.scope = scope.cloned();
        event.authorization_details = details.cloned().unwrap_or_default();
        event
    }

    /// What was decided, with what is known of the story where it is a no.
    pub(super) fn told(
        &self,
        event: &AuditEvent,
        decided: Result<Granted, NotGranted>,
    ) -> Result<Granted, Refused> {
        decided.map_err(|not| match not {
            NotGranted::Failure(failure) => self.refused(event, failure),
            NotGranted::Policy(reason) => self.refused_by_policy(event, reason),
        })
    }

    /// A refusal that the rules make. It names the decision, so that an admin can look it up.
    pub(super) fn refused_by_policy(&self, event: &AuditEvent, reason: PolicyRefused) -> Refused {
        let description = format!("{reason} (decision {})", self.visit.id);
        let mut refused = self.refused(event, Refusal::new(ErrorCode::AccessDenied, description));
        refused.event.rule = reason.rule().cloned().or(refused.event.rule);
        if let PolicyRefused::ApprovalNeeded(question) = reason {
            refused.question = Some(question);
        }
        refused
    }

    /// What holds whatever a token is derived from; `manager` is that of its user.
    pub(super) fn policy<'b>(&'b self, manager: Option<&'b UserId>) -> Policy<'b> {
        Policy { rules: &self.app.rules.0, manager, approved: self.approved }
    }

    /// The manager of a token's user, where a rule has managers asked: whom their claims name, if that is somebody else
    /// who may use their account. Where nobody is named, or nobody like that, there is none, and nobody in their place.
    pub(super) async fn manager_of(&self, subject: &Subject) -> Result<Option<UserId>, StoreError> {
        let (store, Some(user)) = (&self.app.store, subject.user()) else { return Ok(None) };
        if !self.app.rules.ask_managers() {
            return Ok(None);
        }
        let user = store.find_user(user).await?;
        let Some((user, named)) = user.as_ref().and_then(|user| Some((user, user.manager()?))) else {
            return Ok(None);
        };
        let found = store.find_user_by_username(named).await?;
        Ok(found.filter(|found| found.enabled && found.id != user.id).map(|found| found.id.clone()))
    }

    /// Lets a token of the caller pass that was not decided upon as a delegation, or holds it up.
    /// `end` is when all that it comes from is over.
    pub(super) async fn pass(
        &self,
        token: &mut Token,
        types: &DetailsTypes,
        end: NumericDate,
    ) -> Result<(), NotGranted> {
        let (wanted, client) = (Wanted::of(token, types), &self.caller.client);
        let manager = self.manager_of(&token.subject).await?;
        let checked = self.policy(manager.as_ref()).check(&wanted, client, types, end, self.visit.now);
        if let Some(until) = checked.map_err(NotGranted::Policy)? {
            token.authority.until = until.min(token.authority.until);
        }
        Ok(())
    }

    /// An access token of the caller that comes of this request alone: of no consent, no task and no other token.
    pub(super) fn token_of_its_own(
        &self,
        subject: Subject,
        chain: Chain,
        authority: Authority,
        cnf: Option<Confirmation>,
    ) -> Result<Token, Failure> {
        Ok(Token {
            id: tokens::new_id(self.app)?,
            kind: TokenKind::Access,
            client: self.caller.client.id.clone(),
            instance: self.caller.instance.clone(),
            subject,
            chain,
            brought: Chain::none(),
            may_act: None,
            audience: Audience::Resources,
            authority,
            cnf,
            issued_at: self.visit.now,
            login: None,
            claims: ClaimsRequest::default(),
            consent: None,
            task: None,
            parent: None,
            family: None,
            session: None,
            status: None,
        })
    }

    /// A refusal, with what is known of the story so far.
    pub(super) fn refused(&self, event: &AuditEvent, failure: impl Into<Failure>) -> Refused {
        Refused {
            failure: failure.into(),
            event: Box::new(event.clone()),
            end: None,
            polled: None,
            question: None,
            foreign: None,
            newcomer: None,
        }
    }
}
