//! A write as a value: everything that one decision changes, and the event that tells of it.

mod conditions;
mod ending;
mod record;
mod take;

use protocol::audit::AuditEvent;
use protocol::ending::{AccountOperation, Operation};
use protocol::identifier::{ClientId, ConsentId, TaskId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::user::User;

pub use conditions::{Anchor, Conflict, ReplayKey, Room, SignedIn};
pub use ending::{Committed, Ended, Ending, Named};
pub use record::{Origin, Record};
pub use take::Take;

use super::amending::Amendment;
use super::{Forget, Note, Settled};
use crate::secret::SecretDigest;

/// The effects of one decision. All of them are written in one transaction, or none, apart from the marks of
/// [`Change::first_time`], which stay even where a later condition fails: what was shown once was shown.
#[must_use = "a change does nothing until it is committed"]
pub struct Change {
    pub(super) at: NumericDate,
    pub(super) event: Option<AuditEvent>,
    /// What is told before it.
    pub(super) events_before: Vec<AuditEvent>,
    pub(super) first_time: Vec<(ReplayKey, NumericDate)>,
    /// Marked where all of `first_time` could be, and by then nothing else stands in the way.
    pub(super) claims: Vec<(ReplayKey, NumericDate)>,
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
            events_before: Vec::new(),
            first_time: Vec::new(),
            claims: Vec::new(),
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

    /// Only together with `first`, which makes what this one hangs on: its conditions hold too, what it keeps is kept before,
    /// and its event is told before. It is made of conditions and records alone. What it marks is marked where everything
    /// that this change shows was never seen before: whoever learns that a mark of `first` is there already knows that what
    /// they showed themselves counts as shown from now on.
    pub fn after(mut self, first: Self) -> Self {
        self.events_before.extend(first.events_before.into_iter().chain(first.event));
        self.claims.extend(first.first_time.into_iter().chain(first.claims));
        self.requires.extend(first.requires);
        self.passwords.extend(first.passwords);
        self.unchanged.extend(first.unchanged);
        self.signed_in.extend(first.signed_in);
        self.unamended.extend(first.unamended);
        self.rooms.extend(first.rooms);
        self.keep.splice(0..0, first.keep);
        self
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

    /// Everything that is told of it, in order.
    pub(super) fn events(&self) -> impl Iterator<Item = &AuditEvent> {
        self.events_before.iter().chain(&self.event)
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
