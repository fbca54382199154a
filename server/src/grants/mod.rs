//! What `POST /token` does, a file for each grant type.
//!
//! Each grant gathers, lets the law judge, and returns what would be written. Here it is committed in one
//! transaction with its audit event; only then does the response leave. A refusal has its event too.

mod authorization_code;
mod ciba;
mod client_credentials;
mod deferral;
mod deferred;
mod device_code;
mod foreign_token;
mod jwt_bearer;
mod notice;
mod other_domain;
mod refresh_token;
mod token_exchange;
mod transaction;
mod trusted;

use std::sync::Arc;

use protocol::actor::Chain;
use protocol::approval::{Approved, Policy, PolicyRefused, Question, Wanted};
use protocol::audience::Audience;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::authority::Authority;
use protocol::authorization_details::{AuthorizationDetails, DetailsTypes};
use protocol::claims_request::ClaimsRequest;
use protocol::client::{Client, GrantType};
use protocol::confirmation::{BindingRefused, Confirmation, Held};
use protocol::identifier::{ConsentId, InstanceId, TokenId};
use protocol::jwt_bearer::GrantRefused;
use protocol::numeric_date::NumericDate;
use protocol::params::Params;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::scope::Scope;
use protocol::task::{self, TaskStatus};
use protocol::token::{Subject, Token, TokenKind};
use protocol::token_request::{TokenRequest, can_wait};
use protocol::token_type::TokenType;
use serde_json::{Map, Value};

use crate::app::{App, Visit};
use crate::caller::Caller;
use crate::failure::{Broken, Failure};
use crate::jose::JoseError;
use crate::secret::Secret;
use crate::store::{
    Anchor, Change, CommitError, Conflict, Ending, Note, Record, ReplayKey, SignedIn, StoreError, Take,
};
use crate::tasks;
use crate::tokens::{self, Written};
use foreign_token::Foreign;

pub use notice::Notice;

pub use deferral::{
    Deferred, cancel, event_of as event_of_question, looks_like_deferral_code, question_anchors,
};

/// What becomes of a token request that is not refused.
pub enum Answer {
    /// The client gets its token.
    Issued(Box<Reply>),
    /// A person is asked first, and the client asks again.
    Deferred(Box<Deferred>),
}

/// What the client gets (RFC 6749 §5.1).
pub struct Reply {
    /// The access token's record: what it is, until when, how bound.
    pub token: Token,
    /// The access token.
    pub access_token: Secret,
    /// The refresh token.
    pub refresh_token: Option<Secret>,
    /// The ID token (OpenID Connect Core §3.1.3.3).
    pub id_token: Option<Secret>,
    /// `issued_token_type`, where it is told (RFC 8693 §2.2.1).
    pub issued: Option<TokenType>,
    /// What was asked, where it is known: `scope` is told when it differs.
    pub asked_scope: Option<Scope>,
    /// The consent, as `grant_id`.
    pub consent: Option<ConsentId>,
}

/// What a grant would write, and what it would answer.
struct Granted {
    event: AuditEvent,
    /// What was shown and may not be shown again, and until when that must be remembered.
    first_time: Vec<(ReplayKey, NumericDate)>,
    requires: Vec<Anchor>,
    /// The consent that must be as it was read.
    unamended: Option<(ConsentId, u32)>,
    /// The sign-in elsewhere that it rests on.
    signed_in: Option<SignedIn>,
    take: Option<Take>,
    keep: Vec<Record>,
    reply: Reply,
}

/// Why a grant was refused, with what an auditor should know of it and what the refusal itself ends.
struct Refused {
    failure: Failure,
    event: Box<AuditEvent>,
    end: Option<Ending>,
    /// That the client asked for an answer that is not there yet. Nothing is decided then, and nobody told.
    polled: Option<Box<Note>>,
    /// What a person would have to approve, so that it were not.
    question: Option<Box<Question>>,
    /// The token of another issuer that it would come from.
    foreign: Option<Foreign>,
}

/// Why a grant is not given.
enum NotGranted {
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
struct Desk<'a> {
    app: &'a App,
    visit: &'a Visit,
    caller: &'a Caller,
    event: AuditEvent,
    /// The yes of a person that the client came back for.
    approved: Option<&'a Approved>,
    /// The token that what was approved comes from, if it comes from one.
    resumes: Option<&'a TokenId>,
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
    let mut desk = Desk { app, visit, caller, event, approved: None, resumes: None };
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
    let granted = match request {
        TokenRequest::AuthorizationCode(request) => authorization_code::redeem(&desk, &request).await,
        TokenRequest::DeviceCode(request) => device_code::redeem(&desk, &request).await,
        TokenRequest::Ciba(request) => ciba::redeem(&desk, &request).await,
        TokenRequest::Deferred(request) => deferral::redeem(&desk, &request).await,
        ref request => derive(&desk, request).await,
    };
    match granted {
        Ok(granted) => Ok(Answer::Issued(Box::new(desk.commit(granted, grant_type).await?))),
        Err(mut refused) => match refused.question.take().filter(|_| can_wait) {
            Some(question) => deferral::ask(&desk, params, grant_type, refused, *question).await,
            None => Err(desk.close(refused).await),
        },
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
    let desk = Desk { app, visit, caller: &caller, event, approved: None, resumes: None };
    match ciba::push(&desk, auth_req_id).await {
        Ok(granted) => desk.commit(granted, GrantType::Ciba).await,
        Err(refused) => Err(desk.close(refused).await),
    }
}

impl Reply {
    /// The successful token response (RFC 6749 §5.1, RFC 8693 §2.2.1, RFC 9396 §7).
    #[must_use]
    pub fn body(&self, now: NumericDate) -> Map<String, Value> {
        let token = &self.token;
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| {
            body.insert(name.to_owned(), value);
        };
        put("access_token", self.access_token.reveal().into());
        // What is no access token is not used as one (RFC 8693 §2.2.1).
        let token_type = if token.kind == TokenKind::Access { token.token_type() } else { "N_A" };
        put("token_type", token_type.into());
        put("expires_in", token.expires_at().since(now).0.into());
        if let Some(issued) = self.issued {
            put("issued_token_type", issued.as_str().into());
        }
        if self.asked_scope.as_ref() != Some(&token.authority.scope) && !token.authority.scope.is_empty() {
            put("scope", token.authority.scope.to_string().into());
        }
        if let Some(details) = token.authority.details.to_claim() {
            put("authorization_details", details);
        }
        if let Some(refresh_token) = &self.refresh_token {
            put("refresh_token", refresh_token.reveal().into());
        }
        if let Some(id_token) = &self.id_token {
            put("id_token", id_token.reveal().into());
        }
        if let Some(consent) = &self.consent {
            put("grant_id", consent.as_str().into());
        }
        body
    }
}

impl Desk<'_> {
    /// The event of a request that names what it wants itself.
    fn event_of(&self, scope: Option<&Scope>, details: Option<&AuthorizationDetails>) -> AuditEvent {
        let mut event = self.event.clone();
        event.scope = scope.cloned();
        event.authorization_details = details.cloned().unwrap_or_default();
        event
    }

    /// What was decided, with what is known of the story where it is a no.
    fn told(&self, event: &AuditEvent, decided: Result<Granted, NotGranted>) -> Result<Granted, Refused> {
        decided.map_err(|not| match not {
            NotGranted::Failure(failure) => self.refused(event, failure),
            NotGranted::Policy(reason) => self.refused_by_policy(event, reason),
        })
    }

    /// A refusal that the rules make. It names the decision, so that an admin can look it up.
    fn refused_by_policy(&self, event: &AuditEvent, reason: PolicyRefused) -> Refused {
        let description = format!("{reason} (decision {})", self.visit.id);
        let mut refused = self.refused(event, Refusal::new(ErrorCode::AccessDenied, description));
        refused.event.rule = reason.rule().cloned().or(refused.event.rule);
        if let PolicyRefused::ApprovalNeeded(question) = reason {
            refused.question = Some(question);
        }
        refused
    }

    /// What holds whatever a token is derived from.
    fn policy(&self) -> Policy<'_> {
        Policy { rules: &self.app.rules.0, approved: self.approved }
    }

    /// Lets a token of the caller pass that was not decided upon as a delegation, or holds it up.
    /// `end` is when all that it comes from is over.
    fn pass(&self, token: &mut Token, types: &DetailsTypes, end: NumericDate) -> Result<(), NotGranted> {
        let (wanted, client) = (Wanted::of(token), &self.caller.client);
        let checked = self.policy().check(&wanted, client, types, end, self.visit.now);
        if let Some(until) = checked.map_err(NotGranted::Policy)? {
            token.authority.until = until.min(token.authority.until);
        }
        Ok(())
    }

    /// An access token of the caller that comes of this request alone: of no consent, no task and no other token.
    fn token_of_its_own(
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
    fn refused(&self, event: &AuditEvent, failure: impl Into<Failure>) -> Refused {
        Refused {
            failure: failure.into(),
            event: Box::new(event.clone()),
            end: None,
            polled: None,
            question: None,
            foreign: None,
        }
    }

    /// Writes what was granted, or learns within the transaction that it may not be.
    async fn commit(&self, granted: Granted, grant_type: GrantType) -> Result<Reply, Failure> {
        let Granted { event, first_time, requires, unamended, signed_in, take, keep, reply } = granted;
        let mut change = self.caller.mark(Change::new(event.clone()));
        change = first_time.into_iter().fold(change, |change, (key, until)| change.first_time(key, until));
        change = requires.into_iter().fold(change, Change::requires);
        // Whoever ends an instance holds its client: either what is issued now is there to be ended, or it is not issued.
        if let Some(instance) = self.caller.as_instance() {
            let client = Anchor::Client(self.caller.client.id.clone());
            change = change.requires(client).requires(Anchor::Instance(instance));
        }
        // A token that opens a task of its own opens no more of them than there may be.
        let opened = keep.iter().find_map(|record| match record {
            Record::Task(task) => Some(tasks::rooms(self.app, task)),
            _ => None,
        });
        change = opened.into_iter().flatten().fold(change, Change::room);
        // What comes of no other token here, or of one that somebody else issued, ended with none: its user may have
        // to sign in first.
        let comes_from_elsewhere = reply.token.parent.is_none() || keep.iter().any(Record::is_foreign_token);
        if let Some(user) = reply.token.subject.user().filter(|_| comes_from_elsewhere) {
            change = change.requires_signed_in(SignedIn::Here(user.clone()));
        }
        change = signed_in.into_iter().fold(change, Change::requires_signed_in);
        change = keep.into_iter().fold(change, Change::keep);
        if let Some((consent, version)) = unamended {
            change = change.requires_unamended(consent, version);
        }
        if let Some(task) = &reply.token.task {
            change = change.derives(tasks::counted(self.app, task).await?);
        }
        let taken = take.clone();
        if let Some(take) = take {
            change = change.take(take);
        }
        let conflict = match self.app.store.commit(change).await {
            Ok(_) => return Ok(reply),
            Err(CommitError::Broken(error)) => return Err(error.into()),
            Err(CommitError::Conflict(conflict)) => conflict,
        };
        let refusal = self.caller.replayed(&conflict).or_else(|| self.caller.ended(&conflict));
        let refusal = match refusal {
            Some(refusal) => refusal,
            None => self.rests(&conflict).await?.unwrap_or_else(|| lost(&conflict, grant_type)),
        };
        let end = match (&conflict, taken) {
            // A code that comes twice went through a browser, where somebody may have seen it; other references did not.
            (Conflict::AlreadyTaken, Some(Take::Code { digest, .. }))
                if grant_type == GrantType::AuthorizationCode =>
            {
                Some(Ending::CodeTokens(digest))
            }
            (Conflict::AlreadyTaken, Some(Take::Refresh(_))) => {
                reply.token.family.clone().map(Ending::Family)
            }
            _ => None,
        };
        let mut event = event;
        event.token = None;
        if conflict == Conflict::NotSignedIn {
            // What the client is not told, the auditor is.
            event.reason =
                Some(event.reason.map_or(conflict.to_string(), |known| format!("{known}: {conflict}")));
        }
        Err(self.close(Refused { end, ..self.refused(&event, refusal) }).await)
    }

    /// What is said where a task only rests. Nothing is over then: what was shown is good again when the task goes on, so
    /// this is no `invalid_grant`, at which clients throw away what they have (RFC 6749 §5.2).
    async fn rests(&self, conflict: &Conflict) -> Result<Option<Refusal>, Failure> {
        let Conflict::NotAlive(Anchor::Task(id)) = conflict else { return Ok(None) };
        let line = self.app.store.line_of_task(id).await?;
        let rests = task::effective(&line, self.visit.now) == TaskStatus::Suspended;
        let description = "the task is suspended; ask again when it goes on";
        Ok(rests.then(|| Refusal::new(ErrorCode::InvalidRequest, description)))
    }

    /// Notes that the client asked, with the marks of what it showed.
    async fn note(&self, note: Note, refusal: Refusal) -> Failure {
        let change = self.caller.mark(Change::housekeeping(self.visit.now).note(note));
        match self.app.store.commit(change).await {
            Ok(_) => Failure::Refused(refusal),
            Err(CommitError::Broken(error)) => error.into(),
            Err(CommitError::Conflict(conflict)) => {
                Failure::Refused(self.caller.replayed(&conflict).unwrap_or(refusal))
            }
        }
    }

    /// Tells the audit log of a refusal, together with what it ends and with the marks of what the caller showed.
    async fn close(&self, refused: Refused) -> Failure {
        let Failure::Refused(refusal) = refused.failure else { return refused.failure };
        if let Some(note) = refused.polled {
            return self.note(*note, refusal).await;
        }
        let mut event = *refused.event;
        // A public client's id is no secret: whoever sends it must not be able to fill the log.
        if self.caller.client.is_public() && event.consent.is_none() && refused.end.is_none() {
            event.scope = None;
            event.authorization_details = AuthorizationDetails::none();
            if !self.app.may_tell_of_stranger(self.visit, &event) {
                return Failure::Refused(refusal);
            }
        }
        let told = |with_marks: bool| {
            let mut told = event.clone().refused(&refusal);
            // What the client is not told, the auditor is.
            if let (Some(known), Some(said)) = (&event.reason, &mut told.reason) {
                *said = format!("{known}; {said}");
            }
            let change = Change::new(told);
            let change = if with_marks { self.caller.mark(change) } else { change };
            refused.end.iter().cloned().fold(change, Change::end)
        };
        match self.app.store.commit(told(true)).await {
            Ok(_) => Failure::Refused(refusal),
            Err(CommitError::Broken(error)) => error.into(),
            // What the caller showed was shown before: the event is written all the same.
            Err(CommitError::Conflict(_)) => match self.app.store.commit(told(false)).await {
                Ok(_) | Err(CommitError::Conflict(_)) => Failure::Refused(refusal),
                Err(CommitError::Broken(error)) => error.into(),
            },
        }
    }
}

/// The refusal for what turned out not to be alive, or gone, when it was to be written.
fn lost(conflict: &Conflict, grant_type: GrantType) -> Refusal {
    match (conflict, grant_type) {
        (Conflict::NotAlive(Anchor::Client(_)), GrantType::ClientCredentials) => {
            Refusal::new(ErrorCode::InvalidClient, "client authentication failed")
        }
        (Conflict::Exhausted, GrantType::TokenExchange) => {
            Refusal::new(ErrorCode::InvalidRequest, "the task has derived as many tokens as it may")
        }
        (Conflict::Exhausted, _) => {
            Refusal::new(ErrorCode::InvalidGrant, "the task has derived as many tokens as it may")
        }
        (Conflict::NoRoom, _) => Refusal::new(ErrorCode::InvalidRequest, tasks::NO_ROOM),
        (Conflict::Replayed(_), GrantType::JwtBearer) => GrantRefused::Replayed.into(),
        // Whether there is nobody of this name, or something of theirs ended, is not told apart.
        (_, GrantType::JwtBearer) => GrantRefused::NotAccepted.into(),
        (Conflict::Replayed(_), GrantType::TokenExchange) => {
            Refusal::new(ErrorCode::InvalidRequest, "the actor token is not acceptable")
        }
        (_, GrantType::TokenExchange) => {
            Refusal::new(ErrorCode::InvalidRequest, "the subject token, its consent or its task is over")
        }
        _ => Refusal::new(ErrorCode::InvalidGrant, "it is not valid, or not any more"),
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

/// The reply with one access token.
fn reply(written: Written, asked_scope: Option<Scope>) -> Reply {
    let (token, access_token) = written.into_parts();
    Reply {
        consent: token.consent.clone(),
        token,
        access_token,
        refresh_token: None,
        id_token: None,
        issued: None,
        asked_scope,
    }
}

/// What the caller's access token is bound to: an agent's always to something, others' as the client is registered
/// (RFC 9449 §5.2, RFC 8705 §3.4).
fn bind(caller: &Caller) -> Result<Option<Confirmation>, BindingRefused> {
    caller.client.binding_demand().bind(&caller.held())
}
