//! What a change ends, and what came of it.

use std::ops::AddAssign;

use protocol::identifier::{ClientId, ConsentId, FamilyId, SessionId, TaskId, TokenId, UserId};
use protocol::instance::Instance;

use crate::secret::SecretDigest;
use crate::store::Stopped;

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
    /// Agents that may not act any more: the one that was stopped, or those of an owner.
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
