//! A write as a value: everything that one decision changes, and the event that tells of it.

use std::fmt;
use std::ops::AddAssign;

use protocol::audit::AuditEvent;
use protocol::authorization_details::DetailsTypeDocument;
use protocol::client::Client;
use protocol::code::Code;
use protocol::consent::Consent;
use protocol::ending::{AccountOperation, Operation};
use protocol::identifier::{ClientId, ConsentId, FamilyId, SessionId, TaskId, TokenId, UserId};
use protocol::instance::Instance;
use protocol::numeric_date::NumericDate;
use protocol::resource_server::ResourceServer;
use protocol::task::{Hand, Task, TaskStatus};
use protocol::token::{Token, TokenKind};
use protocol::user::User;
use serde_json::Value;

use super::amending::Amendment;
use super::{
    ActorReceipt, AnswerDelivery, BrowserSession, Deferral, DeferredRequest, FederatedIdentity,
    FederatedSession, Forget, InitialAccessToken, Note, OneTimeLink, PairwiseSubject, Passkey, Registered,
    SessionClient, Settled, SigningKey, Step, Stopped, Totp, WebhookDelivery,
};
use crate::secret::SecretDigest;

/// The effects of one decision. All of them are written in one transaction, or none, apart from the marks of
/// [`Change::first_time`], which stay even where a later condition fails: what was shown once was shown.
#[must_use = "a change does nothing until it is committed"]
pub struct Change {
    pub(super) at: NumericDate,
    pub(super) event: Option<AuditEvent>,
    pub(super) first_time: Vec<(ReplayKey, NumericDate)>,
    pub(super) requires: Vec<Anchor>,
    pub(super) passwords: Vec<(UserId, Option<String>)>,
    pub(super) unchanged: Vec<User>,
    pub(super) take: Option<Take>,
    pub(super) operate: Option<(ClientId, Operation)>,
    pub(super) account: Option<(UserId, AccountOperation)>,
    pub(super) signed_in: Vec<SignedIn>,
    pub(super) amend: Option<Amendment>,
    pub(super) unamended: Vec<(ConsentId, u32)>,
    pub(super) derives: Vec<TaskId>,
    pub(super) rooms: Vec<Room>,
    pub(super) keep: Vec<Record>,
    pub(super) end: Vec<Ending>,
    pub(super) attempts: Vec<SecretDigest>,
    pub(super) drop_sessions: Vec<String>,
    pub(super) forget: Vec<Forget>,
    pub(super) settled: Vec<Settled>,
    pub(super) notes: Vec<Note>,
}

impl Change {
    /// A change that `event` tells of, at the event's time.
    pub fn new(event: AuditEvent) -> Self {
        Self { at: event.time, event: Some(event), ..Self::housekeeping(NumericDate(0)) }
    }

    /// A change at `at` that decides nothing and is told nowhere.
    pub const fn housekeeping(at: NumericDate) -> Self {
        Self {
            at,
            event: None,
            first_time: Vec::new(),
            requires: Vec::new(),
            passwords: Vec::new(),
            unchanged: Vec::new(),
            take: None,
            operate: None,
            account: None,
            signed_in: Vec::new(),
            amend: None,
            unamended: Vec::new(),
            derives: Vec::new(),
            rooms: Vec::new(),
            keep: Vec::new(),
            end: Vec::new(),
            attempts: Vec::new(),
            drop_sessions: Vec::new(),
            forget: Vec::new(),
            settled: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Only if `key` was never seen before; remembers it until `until`.
    pub fn first_time(mut self, key: ReplayKey, until: NumericDate) -> Self {
        self.first_time.push((key, until));
        self
    }

    /// Only if `anchor` is alive when the change is written.
    pub fn requires(mut self, anchor: Anchor) -> Self {
        self.requires.push(anchor);
        self
    }

    /// Only if `user` still has the password of this mark ([`super::password_mark`]) when the change is written.
    pub fn requires_password(mut self, user: UserId, mark: Option<String>) -> Self {
        self.passwords.push((user, mark));
        self
    }

    /// Only if `user` is still as it was read when the change is written: who writes an account writes all of it, and
    /// must not bring back what somebody else took away meanwhile.
    pub fn requires_unchanged(mut self, user: &User) -> Self {
        self.unchanged.push(user.clone());
        self
    }

    /// Only if `take` can still be taken; then nobody can again. A change takes one thing at most, the last one
    /// named here.
    pub fn take(mut self, take: Take) -> Self {
        self.take = Some(take);
        self
    }

    /// Only if this can be done to `agent` still; then it is, and unless it is resumed everything that it holds ends,
    /// right after. A change does this to one agent at most, the last one named here.
    pub fn operate(mut self, agent: ClientId, operation: Operation) -> Self {
        self.operate = Some((agent, operation));
        self
    }

    /// Only if this can be done to the account of `user` still; then it is. Of whoever is disabled everything ends right
    /// after; whoever has to sign in anew has nothing any more. A change does this to one account at most, the last one
    /// named here.
    pub fn set_account(mut self, user: UserId, operation: AccountOperation) -> Self {
        if operation == AccountOperation::Revoke {
            self.end.push(Ending::User(user.clone()));
        }
        self.account = Some((user, operation));
        self
    }

    /// Only if the user, who has to be required too, signed in since what was theirs ended.
    pub fn requires_signed_in(mut self, signed_in: SignedIn) -> Self {
        self.signed_in.push(signed_in);
        self
    }

    /// Only if the consent is still of the version that it was read as; then it is as `amendment` says, and of the next.
    pub fn amend(mut self, amendment: Amendment) -> Self {
        self.requires.push(Anchor::Consent(amendment.consent().id.clone()));
        self.amend = Some(amendment);
        self
    }

    /// Only if this consent still is of this version: nothing was added to it or took the place of what it allowed.
    pub fn requires_unamended(mut self, consent: ConsentId, version: u32) -> Self {
        self.unamended.push((consent, version));
        self
    }

    /// Only if each of these tasks may have one more token derived from it; counts it for all of them.
    pub fn derives(mut self, tasks: Vec<TaskId>) -> Self {
        self.derives = tasks;
        self
    }

    /// Only if there is `room` for one more when the change is written, wherever this was said.
    pub fn room(mut self, room: Room) -> Self {
        self.rooms.push(room);
        self
    }

    /// Writes `record`.
    pub fn keep(mut self, record: Record) -> Self {
        self.keep.push(record);
        self
    }

    /// Ends something, and everything that hangs on it.
    pub fn end(mut self, ending: Ending) -> Self {
        self.end.push(ending);
        self
    }

    /// Whether it may have to end a great deal.
    pub(super) fn takes_long(&self) -> bool {
        let long = |ending: &Ending| match ending {
            Ending::Consent(_)
            | Ending::Task(_)
            | Ending::Client(_)
            | Ending::Agent(_)
            | Ending::Instance(_)
            | Ending::User(_) => true,
            Ending::Token(_)
            | Ending::Family(_)
            | Ending::Session(_)
            | Ending::SessionsOf { .. }
            | Ending::Owner(_)
            | Ending::CodeTokens(_) => false,
        };
        self.end.iter().any(long)
    }

    /// Throws something of a user's away.
    pub fn forget(mut self, forget: Forget) -> Self {
        self.forget.push(forget);
        self
    }

    /// Counts a vain attempt at a code.
    pub fn bump_attempts(mut self, code: SecretDigest) -> Self {
        self.attempts.push(code);
        self
    }

    /// Notes something about a request whose user is elsewhere.
    pub fn note(mut self, note: Note) -> Self {
        self.notes.push(note);
        self
    }

    /// Forgets a browser session, by the digest of its cookie's value, without ending what hangs on it.
    pub fn drop_session(mut self, id: &str) -> Self {
        self.drop_sessions.push(id.to_owned());
        self
    }

    /// Notes what became of an attempt to tell a client of a logout.
    pub fn settle(mut self, settled: Settled) -> Self {
        self.settled.push(settled);
        self
    }
}

/// What may be seen once: a digest over its purpose, its owner, its target and its `jti`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ReplayKey(pub(super) SecretDigest);

impl ReplayKey {
    /// The key of `parts` for `purpose`. Each part counts with its length, so that no two lists of parts are one.
    #[must_use]
    pub fn new(purpose: &str, parts: &[&str]) -> Self {
        let mut text = String::new();
        for part in std::iter::once(&purpose).chain(parts) {
            text.push_str(&part.len().to_string());
            text.push(':');
            text.push_str(part);
        }
        Self(SecretDigest::of(&text))
    }
}

/// Something that must be alive for a change to be written.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Anchor {
    /// Active and not over, and so are its client and its actor.
    Consent(ConsentId),
    /// Active and within its deadline, and so are all its ancestors.
    Task(TaskId),
    /// Not ended and not over.
    Token(TokenId),
    /// Not ended by the reuse of a rotated token.
    Family(FamilyId),
    /// Active and, an agent, not at its end.
    Client(ClientId),
    /// Not ended.
    Instance(Instance),
    /// Enabled.
    User(UserId),
    /// Not ended and not over.
    Session(SessionId),
}

impl Anchor {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Consent(id) => id.as_str(),
            Self::Task(id) => id.as_str(),
            Self::Token(id) => id.as_str(),
            Self::Family(id) => id.as_str(),
            Self::Client(id) => id.as_str(),
            Self::Instance(instance) => instance.key(),
            Self::User(id) => id.as_str(),
            Self::Session(id) => id.as_str(),
        }
    }
}

/// A sign-in without which nothing comes back that was ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SignedIn {
    /// Here, since everything of the user's was ended until they sign in anew ([`AccountOperation::Revoke`]).
    Here(UserId),
    /// At an issuer whose assertions bring consents, since one of them that was for this client ended, whoever ended it.
    At {
        /// The issuer.
        issuer: String,
        /// The user.
        user: UserId,
        /// The client.
        client: ClientId,
        /// When they signed in there, as far as it says so.
        auth_time: Option<NumericDate>,
    },
}

/// Something that can be used once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Take {
    /// An authorization code (RFC 6749 §4.1.2).
    Code {
        /// The digest of the code.
        digest: SecretDigest,
        /// The access token it is redeemed for, which ends should the code come again.
        token: Option<TokenId>,
    },
    /// A refresh token that is rotated: it ends, what was derived from it lives.
    Refresh(TokenId),
    /// A pushed request (RFC 9126 §4).
    PushedRequest(SecretDigest),
    /// A waiting authorization request.
    Interaction(String),
    /// A one-time link.
    OneTimeLink(SecretDigest),
    /// A recovery code, by the digest of the code and its owner.
    RecoveryCode(SecretDigest),
    /// The next signature of a passkey: only if it is there still and its counter went on.
    Passkey {
        /// Which.
        id: String,
        /// The counter that it signed.
        counter: u32,
        /// What is known of it now.
        document: Value,
    },
    /// The answer to a request whose user is elsewhere: it is given once.
    Answer(SecretDigest),
    /// One of the uses of an initial access token (RFC 7591 §3).
    InitialAccessToken(SecretDigest),
    /// A registration of a client that was never used.
    UnusedRegistration(ClientId),
    /// A task at this version: whoever takes it says where it stands from now on, and then it has the next one.
    Task {
        /// Which.
        id: TaskId,
        /// Its version until now.
        version: u32,
        /// Where it stands.
        status: TaskStatus,
        /// By whose hand it is suspended, while it is.
        suspended_by: Option<Hand>,
    },
    /// A step of a token request that waits for a person's approval.
    Deferral {
        /// The digest of its `deferral_code`.
        digest: SecretDigest,
        /// Which.
        step: Step,
    },
    /// The ring of signing keys as it is at this version: whoever takes it changes it, and then it has the next one.
    SigningKeys(i64),
    /// The rest of an ending that is under way.
    UnderWay(Stopped),
}

/// Where one more of something is to go.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Room {
    /// Among the root tasks under a consent that are neither over nor ended.
    Tasks {
        /// The consent.
        consent: ConsentId,
        /// The most.
        most: u64,
    },
    /// Among all tasks that are kept under a consent, whatever became of them.
    Kept {
        /// The consent.
        consent: ConsentId,
        /// The most.
        most: u64,
    },
    /// Among the parts of a task, whatever became of them.
    Parts {
        /// The task.
        parent: TaskId,
        /// The most.
        most: u64,
    },
    /// Among the token requests of a client that wait for somebody's approval. The client has to be required too.
    DeferralsOf {
        /// The client.
        client: ClientId,
        /// The most.
        most: u64,
    },
    /// Among the token requests that wait for the approval of this user, who has to be required too.
    DeferralsFor {
        /// The user.
        approver: UserId,
        /// The most.
        most: u64,
    },
}

impl Room {
    /// The most that there may be.
    pub(super) const fn most(&self) -> u64 {
        match self {
            Self::Tasks { most, .. }
            | Self::Kept { most, .. }
            | Self::Parts { most, .. }
            | Self::DeferralsOf { most, .. }
            | Self::DeferralsFor { most, .. } => *most,
        }
    }

    /// Whose room it is: whoever looks whether there is some holds this alone.
    pub(super) fn anchor(&self) -> Anchor {
        match self {
            Self::Tasks { consent, .. } | Self::Kept { consent, .. } => Anchor::Consent(consent.clone()),
            Self::Parts { parent, .. } => Anchor::Task(parent.clone()),
            Self::DeferralsOf { client, .. } => Anchor::Client(client.clone()),
            Self::DeferralsFor { approver, .. } => Anchor::User(approver.clone()),
        }
    }
}

/// Who declared something. What an admin declared, the configuration does not touch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The configuration.
    Config,
    /// An admin.
    Admin,
    /// The client itself (RFC 7591).
    Registered,
    /// The document that its id points to.
    Document,
}

impl Origin {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Admin => "admin",
            Self::Registered => "registered",
            Self::Document => "document",
        }
    }

    /// The one that is written so.
    pub(super) fn of(text: &str) -> Option<Self> {
        [Self::Config, Self::Admin, Self::Registered, Self::Document].into_iter().find(|o| o.as_str() == text)
    }
}

impl Record {
    /// Whether it is a token that somebody else issued.
    #[must_use]
    pub fn is_foreign_token(&self) -> bool {
        matches!(self, Self::Token { token, .. } if token.kind == TokenKind::Foreign)
    }
}

/// Something that is written.
#[expect(clippy::large_enum_variant, reason = "each is made once, moved once and written")]
pub enum Record {
    /// An issued token.
    Token {
        /// What it is.
        token: Token,
        /// The digest of what was issued.
        digest: SecretDigest,
    },
    /// An authorization code.
    Code {
        /// The digest of the code.
        digest: SecretDigest,
        /// What it stands for.
        code: Code,
        /// When it is over.
        expires_at: NumericDate,
    },
    /// A pushed authorization request.
    PushedRequest {
        /// The digest of the reference.
        digest: SecretDigest,
        /// Who pushed it.
        client: ClientId,
        /// Which instance of it.
        instance: Option<Instance>,
        /// The request.
        document: Value,
        /// When it is over.
        expires_at: NumericDate,
    },
    /// An authorization request that waits for its user.
    Interaction {
        /// Its id.
        id: String,
        /// The request.
        document: Value,
        /// When it is over.
        expires_at: NumericDate,
    },
    /// A consent.
    Consent(Consent),
    /// A task.
    Task(Task),
    /// A task that must not be opened twice.
    OpenedTask {
        /// The task.
        task: Task,
        /// The digest of the key it was opened with.
        opening: SecretDigest,
        /// The digest of the request that came with the key.
        request: SecretDigest,
    },
    /// A list for the statuses of tokens.
    StatusList {
        /// Its id.
        id: String,
        /// How many places it has.
        size: u32,
        /// When all tokens in it are over.
        expires_at: NumericDate,
    },
    /// A link that works once.
    OneTimeLink(OneTimeLink),
    /// A signing key; one of the same `kid` is replaced.
    SigningKey(SigningKey),
    /// A setting; one of the same name is replaced.
    Setting {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A client; one of the same id is replaced.
    Client {
        /// The client.
        client: Client,
        /// Who declared it.
        origin: Origin,
    },
    /// A user; one of the same id is replaced.
    User {
        /// The user.
        user: User,
        /// Who declared it.
        origin: Origin,
    },
    /// A resource server; one of the same identifier is replaced.
    ResourceServer {
        /// The resource server.
        resource_server: ResourceServer,
        /// Who declared it.
        origin: Origin,
    },
    /// A details type; one of the same name is replaced.
    DetailsType {
        /// The details type.
        details_type: DetailsTypeDocument,
        /// Which version this is; what is declared as a version is that for ever.
        version: u32,
        /// Since when nothing of it can be asked for, if so.
        retired_at: Option<NumericDate>,
        /// Who declared it.
        origin: Origin,
    },
    /// A browser session; one of the same id is replaced, but one that was ended stays so.
    BrowserSession(BrowserSession),
    /// An identity at an upstream and its account; one of the same identity is replaced.
    FederatedIdentity(FederatedIdentity),
    /// A session that began at an upstream.
    FederatedSession(FederatedSession),
    /// A new passkey.
    Passkey(Passkey),
    /// Another name for a passkey.
    PasskeyName {
        /// Which.
        id: String,
        /// Whose; nobody else's is touched.
        user: UserId,
        /// The name.
        name: String,
    },
    /// The authenticator app of a user; one of before is replaced.
    Totp(Totp),
    /// The recovery codes of a user, each as the digest of code and owner; those of before are void.
    RecoveryCodes {
        /// Whose.
        user: UserId,
        /// The digests.
        digests: Vec<SecretDigest>,
    },
    /// A browser in which a user signed in.
    KnownBrowser {
        /// The digest of its mark and of the user.
        mark: SecretDigest,
        /// The user.
        user: UserId,
        /// When it is forgotten.
        expires_at: NumericDate,
    },
    /// How a client registered; of the same client it is replaced, but for when that was and whether it was used.
    Registered(Registered),
    /// A token that lets somebody register clients.
    InitialAccessToken(InitialAccessToken),
    /// A client that takes part in a session; where it did before, only the time is new.
    SessionClient(SessionClient),
    /// A request whose user is elsewhere.
    Deferred(DeferredRequest),
    /// A token request that waits for a person's approval.
    Deferral(Deferral),
    /// An event that a webhook is to be told.
    WebhookDelivery(WebhookDelivery),
    /// A client that is to be told that its user has answered.
    AnswerDelivery(AnswerDelivery),
    /// A receipt of who joined a chain; one of the same hop that is there already stays.
    ActorReceipt(ActorReceipt),
    /// A user by the name that a client sees; one of the same name is the same.
    PairwiseSubject(PairwiseSubject),
    /// The hash of the code without which a user is not asked from afar, or none; a former one is replaced.
    UserCode {
        /// Whose.
        user: UserId,
        /// The hash.
        hash: Option<String>,
    },
}

/// Something that is ended, with everything derived from it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// A consent: its tasks and codes, its tokens and all their descendants, under whichever consent. Where an issuer
    /// brought it, so do all that it brought the same client for the same user.
    Consent(ConsentId),
    /// A task: its child tasks, their tokens and all their descendants, but for what went over to another task.
    Task(TaskId),
    /// A token and all its descendants.
    Token(TokenId),
    /// A refresh family and all descendants of its tokens. Nothing is ever kept for it again.
    Family(FamilyId),
    /// A browser session and the tokens that hang on it, with their descendants. The clients that took part in it are
    /// queued to be told.
    Session(SessionId),
    /// Every browser session of a user but one, and the tokens that hang on them, with their descendants.
    SessionsOf {
        /// The user.
        user: UserId,
        /// The session that stays.
        except: Option<SessionId>,
    },
    /// A client that registered itself: its registration, its consents with all that [`Ending::Consent`] ends, and its
    /// own tokens with their descendants (RFC 7592 §2.3). The client itself is kept as retired beside it.
    Client(ClientId),
    /// Everything that an agent holds: its consents with all that [`Ending::Consent`] ends, its tasks, its tokens and
    /// those in whose chain it stands, with all their descendants, and what it asked for and did not get yet. Whether
    /// it may act is another matter: see [`Change::operate`].
    Agent(ClientId),
    /// One instance of a client: the tokens that were issued to it and those in which it acts, with all their
    /// descendants, and what it asked for and did not get yet. It never comes back.
    Instance(Instance),
    /// Everything of a user's: sessions, consents, tasks, tokens and all their descendants, and what waits for the user.
    User(UserId),
    /// Everything that the agents of this owner hold, likewise and right after: those that are not stopped yet are
    /// suspended, and nobody who is stopped holds anything.
    Owner(UserId),
    /// What the redemption of this code produced (RFC 6749 §4.1.2: a code came a second time).
    CodeTokens(SecretDigest),
}

/// What a commit did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Committed {
    /// The event's place in the audit log, if there was an event.
    pub seq: Option<i64>,
    /// What was ended by [`Change::end`].
    pub ended: Ended,
}

/// How much was ended, and what of it has a name that others know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ended {
    /// Consents.
    pub consents: u64,
    /// Tasks.
    pub tasks: u64,
    /// Tokens.
    pub tokens: u64,
    /// Browser sessions.
    pub sessions: u64,
    /// What was asked for and is not to be had any more: codes, pushed requests, requests whose user is elsewhere, links.
    pub pending: u64,
    /// Agents that may not act any more because of their owner.
    pub agents: u64,
    /// Which consents, tasks and agents; of each the first so many.
    pub named: Named,
    /// Who is stopped and holds what could not be marked as ended yet. All of it is refused.
    pub under_way: Vec<Stopped>,
}

/// The ids of what was ended, of each kind no more than [`Named::MOST`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Named {
    /// Consents.
    pub consents: Vec<String>,
    /// Tasks.
    pub tasks: Vec<String>,
    /// Agents.
    pub agents: Vec<String>,
}

impl Named {
    /// How many ids of a kind are told.
    pub const MOST: usize = 100;
}

impl AddAssign for Ended {
    fn add_assign(&mut self, more: Self) {
        self.consents += more.consents;
        self.tasks += more.tasks;
        self.tokens += more.tokens;
        self.sessions += more.sessions;
        self.pending += more.pending;
        self.agents += more.agents;
        self.under_way.extend(more.under_way);
        for (known, more) in [
            (&mut self.named.consents, more.named.consents),
            (&mut self.named.tasks, more.named.tasks),
            (&mut self.named.agents, more.named.agents),
        ] {
            known.extend(more);
            known.truncate(Named::MOST);
        }
    }
}

/// Why a change cannot be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Conflict {
    /// This was seen before.
    Replayed(ReplayKey),
    /// This is not alive.
    NotAlive(Anchor),
    /// Its user has to sign in first: what was theirs was ended.
    NotSignedIn,
    /// What was to be taken is gone.
    AlreadyTaken,
    /// Somebody else changed it meanwhile.
    Changed,
    /// No more tokens may be derived from the task, or from one that it is a part of.
    Exhausted,
    /// There are as many already as there may be.
    NoRoom,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replayed(_) => "it was seen before",
            Self::NotAlive(_) => "what it depends on is not alive",
            Self::NotSignedIn => "its user has not signed in since it was ended",
            Self::AlreadyTaken => "it was taken before",
            Self::Changed => "it was changed meanwhile",
            Self::Exhausted => "no more may be derived from it",
            Self::NoRoom => "there are as many as there may be",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_read_alike_when_joined_are_different_keys() {
        assert_ne!(ReplayKey::new("dpop", &["ab", "c"]), ReplayKey::new("dpop", &["a", "bc"]));
        assert_ne!(ReplayKey::new("dpop", &["a"]), ReplayKey::new("assertion", &["a"]));
        assert_eq!(ReplayKey::new("dpop", &["a", "b"]), ReplayKey::new("dpop", &["a", "b"]));
    }
}
