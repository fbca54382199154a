//! The user answers: what they approve becomes a consent, for an agent a task, and a code.

use protocol::audit::Action;
use protocol::authority::Authority;
use protocol::authorization_request::AuthorizationRequest;
use protocol::claims_request::ClaimsRequest;
use protocol::code::Code;
use protocol::consent::Consent;
use protocol::identifier::TaskId;
use protocol::instance::Instance;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::refusal::{ErrorCode, Refusal};

use super::answer::Answer;
use super::grant::{requested_actor, tell_of};
use super::next::{Present, Story, approved, story, story_of};
use super::{Decision, Offer, SignedIn, Stop, Waiting, event, grant, session_state, told_of_refusal};
use crate::app::{App, Visit};
use crate::secret::{Secret, SecretDigest};
use crate::store::{Anchor, Change, CommitError, Conflict, Record, ReplayKey, SessionClient, Take};

/// How long it is remembered that a pushed request was completed: longer than any request that came from it waits.
const PUSHED_USED_LIFE: Seconds = Seconds::minutes(60);

/// The user approved all or a part.
///
/// # Errors
/// [`Stop`]; `Page` with `access_denied` where nothing is left to approve.
pub async fn decide(
    app: &App,
    visit: &Visit,
    present: &Present<'_>,
    signed_in: &SignedIn,
    decision: &Decision,
) -> Result<Answer, Stop> {
    let mut tries = 1;
    loop {
        let story = story_of(app, visit, present.waiting, signed_in).await?;
        let granted = grant(app, visit, &story.offer, &signed_in.user, decision)?;
        let given = Given {
            present,
            signed_in,
            story: &story,
            consent: &granted.consent.clone(),
            authority: granted.authority.clone(),
            task: granted.task.as_ref().map(|task| task.id.clone()),
        };
        match give_code(app, visit, given, |code| granted.with_code(&story.offer, code)).await {
            // The same consent was amended by another answer in the same moment: this one goes on top of that.
            Err(NotGiven::Amended) if tries < MOST_TRIES => tries += 1,
            Err(not_given) => return Err(not_given.into()),
            Ok(answer) => return Ok(answer),
        }
    }
}

/// The user approved all of this before: no page is needed.
///
/// # Errors
/// [`Stop`].
pub async fn proceed(
    app: &App,
    visit: &Visit,
    present: &Present<'_>,
    signed_in: &SignedIn,
) -> Result<Answer, Stop> {
    let story = story_of(app, visit, present.waiting, signed_in).await?;
    let offer = &story.offer;
    let (_, consent) = approved(app, visit, present.waiting, offer, signed_in).await?;
    let gone = || Stop::Page(Refusal::new(ErrorCode::AccessDenied, "what was approved before has ended"));
    let consent = consent.ok_or_else(gone)?;
    let mut told = event(Action::ConsentDecide, visit, &offer.client.id);
    tell_of(&mut told, &consent, None);
    told.reason = Some("approved before".into());
    let asked = Authority { until: consent.authority.until, ..offer.authority.clone() };
    let change = Change::new(told)
        .requires(Anchor::Consent(consent.id.clone()))
        .requires_unamended(consent.id.clone(), consent.version);
    let given = Given { present, signed_in, story: &story, consent: &consent, authority: asked, task: None };
    Ok(give_code(app, visit, given, |_| change).await?)
}

/// The user said no, at sign-in, at the choice of an account or at consent.
///
/// # Errors
/// [`Stop`].
pub async fn deny(
    app: &App,
    visit: &Visit,
    interaction: &str,
    waiting: &Waiting,
    signed_in: Option<&SignedIn>,
) -> Result<Answer, Stop> {
    let Story { offer, mut way } = story(app, visit, waiting).await?;
    let refusal = Refusal::new(ErrorCode::AccessDenied, "the user said no");
    let told = told_of_refusal(visit, &offer, signed_in.map(|signed_in| &signed_in.user), &refusal);
    let change = Change::new(told).take(Take::Interaction(interaction.to_owned()));
    commit(app, once(change, waiting, visit.now)).await?;
    way.session_state = session_state::of(app, waiting, signed_in);
    way.refused(app, visit, &refusal).await
}

/// A request that was answered with yes.
struct Given<'a> {
    present: &'a Present<'a>,
    signed_in: &'a SignedIn,
    story: &'a Story,
    consent: &'a Consent,
    authority: Authority,
    task: Option<TaskId>,
}

/// How often an answer is written on top of another that came in the same moment.
const MOST_TRIES: usize = 10;

/// Why no code was given.
enum NotGiven {
    /// The consent is another than it was when the change was made.
    Amended,
    /// Anything else.
    Stop(Stop),
}

impl From<Stop> for NotGiven {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

impl From<NotGiven> for Stop {
    fn from(not_given: NotGiven) -> Self {
        match not_given {
            NotGiven::Stop(stop) => stop,
            NotGiven::Amended => no_longer("this request is not valid any more"),
        }
    }
}

/// Writes the code with everything it rests on, in one transaction that ends the waiting; gives the answer.
async fn give_code(
    app: &App,
    visit: &Visit,
    given: Given<'_>,
    change: impl FnOnce(SecretDigest) -> Change,
) -> Result<Answer, NotGiven> {
    let Given { present, signed_in, story: Story { offer, way }, consent, authority, task } = given;
    let request = &present.waiting.request;
    let client = &offer.client;
    let secret = Secret::generate(app.entropy.as_ref(), "pac_");
    let code = Code {
        client: client.id.clone(),
        instance: present.waiting.instance.clone(),
        user: signed_in.user.clone(),
        consent: consent.id.clone(),
        task,
        requested_actor: requested_actor(client, &offer.actor),
        claims: claims(offer, &authority, request, consent),
        authority,
        redirect_uri: Some(way.address.as_str().to_owned()),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
        login: request.told_login(client, &signed_in.login),
        session: Some(signed_in.session.clone()),
    };
    let life = client.profile.rules().code_life.into_iter().fold(app.settings.code_life, Seconds::min);
    let expires_at: NumericDate = visit.now.plus(life);
    let change = change(secret.digest())
        .requires(Anchor::User(signed_in.user.clone()))
        .requires(Anchor::Client(client.id.clone()))
        .requires(Anchor::Client(offer.actor.id.clone()))
        .requires(Anchor::Session(signed_in.session.clone()))
        .take(Take::Interaction(present.interaction.to_owned()))
        .keep(Record::Code { digest: secret.digest(), code, expires_at });
    let instance = present.waiting.instance.iter().map(|id| Instance::new(&client.id, id));
    let change = instance.map(Anchor::Instance).fold(change, Change::requires);
    let change = match request.is_openid() {
        // From now on the client may know of the session, and is told when it ends.
        true => change.keep(Record::SessionClient(SessionClient {
            session: signed_in.session.clone(),
            client: client.id.clone(),
            user: signed_in.user.clone(),
            at: visit.now,
        })),
        false => change,
    };
    commit(app, once(change, present.waiting, visit.now)).await?;
    Ok(way.granted(app, visit, secret.reveal()).await?)
}

/// The claims that were asked for by name, as far as the user approved them.
fn claims(
    offer: &Offer,
    authority: &Authority,
    request: &AuthorizationRequest,
    consent: &Consent,
) -> ClaimsRequest {
    if offer.client.id != offer.actor.id || !authority.scope.contains("openid") {
        return ClaimsRequest::default();
    }
    request.claims.about_user(&offer.client.scope).only(|name| consent.covers_claim(name))
}

/// Loading the page of a pushed request twice is no harm; completing it twice is (RFC 9126 §4, §7.3).
fn once(change: Change, waiting: &Waiting, now: NumericDate) -> Change {
    match &waiting.pushed {
        Some(pushed) => change.first_time(ReplayKey::new("pushed", &[pushed]), now.plus(PUSHED_USED_LIFE)),
        None => change,
    }
}

fn no_longer(description: &'static str) -> Stop {
    Stop::Page(Refusal::new(ErrorCode::InvalidRequest, description))
}

async fn commit(app: &App, change: Change) -> Result<(), NotGiven> {
    let gone = |description| NotGiven::Stop(no_longer(description));
    let used = || Refusal::new(ErrorCode::InvalidRequestUri, "this pushed request was used before");
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(Stop::Broken(error.into()).into()),
        Err(CommitError::Conflict(Conflict::AlreadyTaken)) => Err(gone("this request was answered before")),
        Err(CommitError::Conflict(Conflict::Replayed(_))) => Err(Stop::Page(used()).into()),
        Err(CommitError::Conflict(Conflict::Changed)) => Err(NotGiven::Amended),
        Err(CommitError::Conflict(Conflict::NoRoom)) => Err(gone(protocol::task::NO_ROOM)),
        Err(CommitError::Conflict(Conflict::NotAlive(_) | Conflict::NotSignedIn | Conflict::Exhausted)) => {
            Err(gone("this request is not valid any more"))
        }
    }
}
