//! What was granted is written in one transaction, or refused by what is found in it; and every refusal is told.

use protocol::authorization_details::AuthorizationDetails;
use protocol::client::GrantType;
use protocol::delegation::DelegationRefused;
use protocol::jwt_bearer::GrantRefused;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::{self, TaskStatus};

use super::desk::{Desk, Granted, NotGranted, NotWritten, Once, Refused};
use super::reply::Reply;
use super::token_exchange::ACTOR_NOT_ACCEPTABLE;
use crate::failure::Failure;
use crate::federation::Meanwhile;
use crate::store::{Anchor, Change, CommitError, Conflict, Ending, Note, Record, SignedIn, StoreError, Take};
use crate::tasks;

impl Desk<'_> {
    /// Writes what was granted, or learns within the transaction that it may not be.
    pub(super) async fn commit(&self, granted: Granted, grant_type: GrantType) -> Result<Reply, NotWritten> {
        let Granted { event, first_time, requires, unamended, signed_in, take, keep, newcomer, .. } = granted;
        let Granted { reply, of_actor_token, .. } = granted;
        let mut change = self.mark(Change::new(event.clone()));
        let shown = first_time.iter().filter(|_| !self.marked);
        change = shown.fold(change, |change, once| change.first_time(once.key, once.until));
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
        let mut meanwhile = Meanwhile::default();
        if let Some(newcomer) = newcomer {
            (change, meanwhile) = newcomer.with(change);
        }
        let conflict = match self.app.store.commit(change).await {
            Ok(_) => return Ok(reply),
            Err(CommitError::Broken(error)) => return Err(error.into()),
            Err(CommitError::Conflict(conflict)) if meanwhile.is_told_by(&conflict) => {
                return Err(NotWritten::AccountIsThere);
            }
            Err(CommitError::Conflict(conflict)) if meanwhile.has_changed(&conflict) => {
                return Err(StoreError::Unavailable("an account was changed meanwhile").into());
            }
            Err(CommitError::Conflict(conflict)) => conflict,
        };
        let refusal = self.caller.replayed(&conflict).or_else(|| self.caller.ended(&conflict));
        let refusal = match refusal {
            Some(refusal) => refusal,
            None => match told(&conflict, &first_time, &of_actor_token) {
                Some(refusal) => refusal,
                None => self.rests(&conflict).await?.unwrap_or_else(|| lost(&conflict, grant_type)),
            },
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
        Err(self.close(Refused { end: end.map(Box::new), ..self.refused(&event, refusal) }).await.into())
    }

    /// What is said of a token that the rules hold up: where something that it would come from is over, that, and nothing of
    /// the rules. It is looked for only then. Of what was approved the rules speak first, since its end ended the approval.
    pub(super) async fn unless_over(
        &self,
        not: NotGranted,
        anchors: &[Anchor],
        grant_type: GrantType,
    ) -> NotGranted {
        if !matches!(not, NotGranted::Policy(_)) || self.approved.is_some() {
            return not;
        }
        match self.over(anchors, grant_type).await {
            Ok(Some(refusal)) => refusal.into(),
            Ok(None) => not,
            Err(failure) => failure.into(),
        }
    }

    /// The refusal where one of these is over already.
    pub(super) async fn over(
        &self,
        anchors: &[Anchor],
        grant_type: GrantType,
    ) -> Result<Option<Refusal>, Failure> {
        let Err(dead) = self.app.store.is_alive(anchors, self.visit.now).await? else { return Ok(None) };
        let conflict = Conflict::NotAlive(dead);
        if let Some(refusal) = self.caller.ended(&conflict) {
            return Ok(Some(refusal));
        }
        Ok(Some(self.rests(&conflict).await?.unwrap_or_else(|| lost(&conflict, grant_type))))
    }

    /// What is said where a task only rests: no `invalid_grant`, at which clients throw away what they have (RFC 6749 §5.2).
    pub(super) async fn rests(&self, conflict: &Conflict) -> Result<Option<Refusal>, Failure> {
        let Conflict::NotAlive(Anchor::Task(id)) = conflict else { return Ok(None) };
        let line = self.app.store.line_of_task(id).await?;
        let rests = task::effective(&line, self.visit.now) == TaskStatus::Suspended;
        Ok(rests.then(|| DelegationRefused::Resting.into()))
    }

    /// Notes that the client asked, with the marks of what it showed.
    pub(super) async fn note(&self, note: Note, refusal: Refusal) -> Failure {
        let change = self.mark(Change::housekeeping(self.visit.now).note(note));
        match self.app.store.commit(change).await {
            Ok(_) => Failure::Refused(refusal),
            Err(CommitError::Broken(error)) => error.into(),
            Err(CommitError::Conflict(conflict)) => {
                Failure::Refused(self.caller.replayed(&conflict).unwrap_or(refusal))
            }
        }
    }

    /// Tells the audit log of a refusal, together with what it ends and with the marks of what the caller showed.
    pub(super) async fn close(&self, refused: Refused) -> Failure {
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
            let change = if with_marks { self.mark(change) } else { change };
            refused.end.iter().map(|end| end.as_ref().clone()).fold(change, Change::end)
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

/// The refusal for a conflict about one thing that the request brought.
pub(super) fn told(conflict: &Conflict, first_time: &[Once], of_actor_token: &[Anchor]) -> Option<Refusal> {
    match conflict {
        Conflict::Replayed(key) => {
            first_time.iter().find(|once| once.key == *key).map(|once| once.of.replayed())
        }
        Conflict::NotAlive(anchor) if of_actor_token.contains(anchor) => {
            Some(Refusal::new(ErrorCode::InvalidRequest, ACTOR_NOT_ACCEPTABLE))
        }
        _ => None,
    }
}

/// The refusal for what turned out not to be alive, or gone, when it was to be written.
pub(super) fn lost(conflict: &Conflict, grant_type: GrantType) -> Refusal {
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
        (Conflict::NoRoom, _) => Refusal::new(ErrorCode::InvalidRequest, task::NO_ROOM),
        // Whether there is nobody of this name, or something of theirs ended, is not told apart.
        (_, GrantType::JwtBearer) => GrantRefused::NotAccepted.into(),
        (_, GrantType::TokenExchange) => {
            Refusal::new(ErrorCode::InvalidRequest, "the subject token, its consent or its task is over")
        }
        _ => Refusal::new(ErrorCode::InvalidGrant, "it is not valid, or not any more"),
    }
}
