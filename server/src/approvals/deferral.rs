//! The word of a person on a token request that waits for it: the approver alone gives it, signed in, once, and for
//! exactly what they were shown.

use std::sync::Arc;

use protocol::approval::Question;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::Client;
use protocol::identifier::{SessionId, UserId};
use protocol::numeric_date::Seconds;
use protocol::prompt::PromptRefused;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::Login;
use protocol::user::User;
use protocol::webhook::{About, Event};

use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::grants::{self, Deferred};
use crate::registry::Registry;
use crate::store::{Anchor, AnswerDelivery, Change, CommitError, Deferral, Record, Step, Take};

/// A token request that waits for somebody.
pub struct ApprovalNews {
    /// Who is to approve.
    pub approver: Arc<User>,
    /// Who asks.
    pub asker: Arc<Client>,
    /// What is asked.
    pub question: Question,
    /// The words for it.
    pub registry: Arc<Registry>,
    /// Whom it is for, where that is not the approver.
    pub subject_name: Option<String>,
    /// Where it waits. Only the approver sees anything there, and only signed in.
    pub link: String,
}

/// What a mail about it says: subject and text.
pub type ApprovalLetter = Arc<dyn Fn(&ApprovalNews) -> (String, String) + Send + Sync>;

/// Who answers: the approver, in a browser session that is alive.
#[derive(Clone, Copy, Debug)]
pub struct Approving<'a> {
    /// Who.
    pub user: &'a UserId,
    /// The session in which they say so.
    pub session: &'a SessionId,
    /// How they signed in.
    pub login: &'a Login,
}

/// What somebody answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// Yes, to what has this hash.
    Yes(String),
    /// No, to whatever it is.
    No,
}

/// What is registered, as it counts for a question, and words it: by the consent that its token would come from.
///
/// # Errors
/// The store's.
pub async fn registry_of(app: &App, question: &Question) -> Result<Arc<Registry>, Failure> {
    let consent = match &question.wanted.consent {
        Some(id) => app.store.find_consent(id).await?,
        None => None,
    };
    app.registry_of(consent.as_deref()).await
}

/// Takes the answer of the approver.
///
/// # Errors
/// `invalid_request` where it was answered before, is over, or is somebody else's to answer; `unmet_authentication_requirements`
/// where a yes takes a stronger login.
pub async fn decide(
    app: &App,
    visit: &Visit,
    deferral: &Deferral,
    approving: Approving<'_>,
    word: Word,
) -> Result<(), Failure> {
    let question = &deferral.asked.question;
    let refused = |description| Refusal::new(ErrorCode::InvalidRequest, description);
    if question.approver != *approving.user {
        return Err(refused("this is for somebody else to approve").into());
    }
    let approved = word != Word::No;
    if approved && !question.is_for(approving.login) {
        return Err(PromptRefused::Unmet.into());
    }
    let event = told(visit, deferral, approved);
    let until = visit.now.plus(app.settings.approvals.approval_life).min(question.end);
    let (step, expires_at) = match word {
        Word::Yes(hash) => (Step::Approve { until, hash }, until),
        Word::No => (Step::Deny, deferral.polling.expires_at),
    };
    let change = Change::new(event)
        .requires(Anchor::User(approving.user.clone()))
        .requires(Anchor::Session(approving.session.clone()))
        .take(Take::Deferral { digest: deferral.digest, step });
    let event = Event::answered(About::question(&deferral.id, question), approved);
    let told = app.webhooks.to_tell(&event, app.issuer(), app.entropy.as_ref(), visit.now);
    let change = told.into_iter().fold(change, Change::keep);
    // Not before the client can know the code that it is told of.
    let due_at = visit.now.max(deferral.asked.asked_at.plus(Seconds(2)));
    let notice = AnswerDelivery { digest: deferral.digest, due_at, expires_at };
    let notice = deferral.delivery.as_ref().map(|_| Record::AnswerDelivery(notice));
    let change = notice.into_iter().fold(change, Change::keep);
    // What has ended meanwhile can still be denied.
    let alive = if approved { grants::question_anchors(question) } else { Vec::new() };
    match app.store.commit(alive.into_iter().fold(change, Change::requires)).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(_)) => {
            Err(refused("this was answered before, is over, or what it comes from has ended").into())
        }
    }
}

fn told(visit: &Visit, deferral: &Deferral, approved: bool) -> AuditEvent {
    let question = &deferral.asked.question;
    let mut event = AuditEvent::new(Action::DeferralDecide, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    let mut event = grants::event_of_question(event, Action::DeferralDecide, question);
    event.reason = Some(format!("approved by {} ({})", question.approver, deferral.id));
    if approved {
        return event;
    }
    let description = format!("denied by {} ({})", question.approver, deferral.id);
    event.refused(&Refusal::new(ErrorCode::AccessDenied, description))
}

/// Writes to the approver, if mail is sent at all and somebody made sure of their address. The client does not wait
/// for it.
pub fn tell_approver(app: &Arc<App>, deferred: Deferred, letter: &ApprovalLetter) {
    if app.mailer.is_none() || !app.settings.approvals.mail {
        return;
    }
    let (app, letter) = (Arc::clone(app), Arc::clone(letter));
    tokio::spawn(async move {
        if let Err(reason) = write(&app, deferred, &letter).await {
            tracing::error!(?reason, "a mail about an approval was not written");
        }
    });
}

async fn write(app: &App, deferred: Deferred, letter: &ApprovalLetter) -> Result<(), Failure> {
    let (Some(mailer), Some(to)) = (&app.mailer, deferred.approver.verified_email()) else { return Ok(()) };
    let user = deferred.approver.id.as_str();
    // Questions can be made to wait in any number.
    if !app.question_mails.count(user) {
        tracing::info!(user, "too many questions: this one is not told by mail");
        return Ok(());
    }
    let Some(asker) = app.store.find_client(&deferred.question.wanted.client).await? else { return Ok(()) };
    let subject = deferred.question.wanted.subject.user();
    let subject_name = match subject.filter(|user| **user != deferred.approver.id) {
        Some(user) => app.store.find_user(user).await?.map(|user| user.name.clone()),
        None => None,
    };
    let news = ApprovalNews {
        asker,
        subject_name,
        link: app.url(&format!("/approvals/{}", deferred.id)),
        registry: registry_of(app, &deferred.question).await?,
        approver: Arc::clone(&deferred.approver),
        question: deferred.question,
    };
    let (subject, text) = letter(&news);
    if let Err(reason) = mailer.send(to, &subject, text).await {
        tracing::error!(%reason, user, "a mail about an approval was not sent");
    }
    Ok(())
}
