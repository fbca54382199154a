//! Telling a client that its user has answered (Client-Initiated Backchannel Authentication §10.2, §10.3, §12): in
//! ping mode that it may ask, in push mode the answer itself. From a queue that outlives a crash, each by one node, and
//! again where a client is away.

use std::sync::Arc;
use std::time::Duration;

use protocol::backchannel::notification::again_after;
use protocol::client::{Client, DeliveryMode};
use protocol::confirmation::Held;
use protocol::deferred::Way;
use protocol::numeric_date::Seconds;
use protocol::refusal::{ErrorCode, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::deferral_notice;
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::grants;
use crate::jose::Place;
use crate::secret::{Secret, SecretDigest, random_id};
use crate::store::{Change, CommitError, DeferredRequest, Note};

/// How many clients one node tells at the same time, out of the queue.
const AT_ONCE: usize = 16;
/// How often the queue is looked at.
const PACE: Duration = Duration::from_secs(1);
/// How long whoever took a delivery has it alone: longer than any request of ours may take.
const LEASE: Seconds = Seconds::minutes(3);
/// The longest wait that tokens which are to be pushed are held for.
const LONGEST_HOLD: Seconds = Seconds(8);

/// What a sealed delivery is, to those who seal.
const PLACE: &str = "backchannel_delivery";

/// What is needed to tell the client. It is kept until the client is told, and forgotten then.
#[derive(Serialize, Deserialize)]
pub(super) struct Delivery {
    auth_req_id: String,
    client_notification_token: String,
}

impl Delivery {
    /// What is needed to tell of this request.
    pub(super) fn new(auth_req_id: &Secret, client_notification_token: &str) -> Self {
        Self {
            auth_req_id: auth_req_id.reveal().to_owned(),
            client_notification_token: client_notification_token.to_owned(),
        }
    }

    /// As it is kept for the request of this digest: sealed, where the house has a key for that.
    pub(super) fn seal(&self, app: &App, digest: &SecretDigest) -> Result<String, Failure> {
        let text = serde_json::to_vec(self).map_err(|_| Broken::Other("two texts are JSON"))?;
        let digest = digest.to_text();
        let of = [digest.as_str()];
        let place = Place { kind: PLACE, of: &of };
        Ok(app.at_rest.seal(place, &text, app.entropy.as_ref())?)
    }

    fn open(app: &App, waiting: &DeferredRequest) -> Option<Self> {
        let digest = waiting.digest.to_text();
        let of = [digest.as_str()];
        let text = app.at_rest.open(Place { kind: PLACE, of: &of }, waiting.delivery.as_deref()?).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// Empties the queue for as long as the house is open.
pub async fn deliver_for_ever(app: Arc<App>) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        tokio::time::sleep(PACE).await;
        let free = room.available_permits();
        if free == 0 {
            continue;
        }
        match app.store.claim_answers(None, app.clock.now(), LEASE, free).await {
            Ok(claimed) => {
                for (digest, attempt) in claimed {
                    let (app, room) = (Arc::clone(&app), Arc::clone(&room));
                    tokio::spawn(async move {
                        let _place = room.acquire_owned().await;
                        deliver(&app, &digest, attempt).await;
                    });
                }
            }
            Err(error) => tracing::warn!(%error, "the queue of answers could not be read"),
        }
    }
}

/// Begins to tell the client of `waiting`, if it is to be told; the user does not wait for it.
pub(super) fn begin(app: &Arc<App>, waiting: &DeferredRequest) {
    if waiting.delivery.is_none() {
        return;
    }
    let (app, digest) = (Arc::clone(app), waiting.digest);
    tokio::spawn(async move {
        // Whatever goes wrong here, it is in the queue.
        let claimed = app.store.claim_answers(Some(&digest), app.clock.now(), LEASE, 1).await;
        for (digest, attempt) in claimed.unwrap_or_default() {
            deliver(&app, &digest, attempt).await;
        }
    });
}

/// One delivery that was taken, at its attempt number `attempt`.
async fn deliver(app: &App, digest: &SecretDigest, attempt: u32) {
    if let Err(reason) = tell(app, digest, attempt).await {
        // It stays in the queue, and comes again when its lease is over.
        tracing::error!(?reason, "a client could not be told that its user has answered");
    }
}

async fn tell(app: &App, digest: &SecretDigest, attempt: u32) -> Result<(), Failure> {
    let id = random_id(app.entropy.as_ref(), "req_");
    let id = id.parse().map_err(|_| Broken::Other("a random id is no identifier"))?;
    let visit = Visit { now: app.clock.now(), id, from: None, certificate: None };
    let waiting = app.store.find_deferred(digest).await?;
    if waiting.is_none() {
        return deferral_notice::tell(app, digest, attempt).await;
    }
    let open = waiting.as_ref().and_then(|waiting| Some((waiting, Delivery::open(app, waiting)?)));
    let Some((waiting, delivery)) = open else { return settle(app, Note::Delivered(*digest)).await };
    let client = app.store.find_client(&waiting.request.client).await?;
    let client = client.filter(|client| client.is_live(visit.now));
    let over = waiting.polling.expires_at.is_over(visit.now);
    let (Some(client), false) = (client, over) else {
        return settle(app, Note::Delivered(*digest)).await;
    };
    match waiting.request.way {
        Way::Backchannel { delivery: DeliveryMode::Ping, .. } => {
            let status = notify(app, &client, &delivery, &Map::new()).await;
            settle(app, after(app, *digest, status, attempt)).await
        }
        Way::Backchannel { delivery: DeliveryMode::Push, .. } => {
            push(app, &visit, waiting, &client, &delivery, attempt).await
        }
        Way::Backchannel { delivery: DeliveryMode::Poll, .. } | Way::Device { .. } => {
            settle(app, Note::Delivered(*digest)).await
        }
    }
}

/// What follows from the answer to the attempt number `attempt`.
pub(super) fn after(app: &App, digest: SecretDigest, status: Option<u16>, attempt: u32) -> Note {
    match again_after(status, attempt) {
        Some(wait) => Note::Postponed { digest, due_at: app.clock.now().plus(wait) },
        None => Note::Delivered(digest),
    }
}

pub(super) async fn settle(app: &App, note: Note) -> Result<(), Failure> {
    match app.store.commit(Change::housekeeping(app.clock.now()).note(note)).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(_)) => {
            Err(Broken::Inconsistent("a delivery that could not be settled").into())
        }
    }
}

/// Pushes. Tokens are made once and written down nowhere, so whoever made them tries all the while; should they not
/// live to, whoever comes after them ends these tokens, and pushes that it failed.
async fn push(
    app: &App,
    visit: &Visit,
    waiting: &DeferredRequest,
    client: &Arc<Client>,
    delivery: &Delivery,
    attempt: u32,
) -> Result<(), Failure> {
    let body = pushed(app, visit, waiting, client, delivery).await?;
    let mut attempt = attempt;
    loop {
        let status = notify(app, client, delivery, &body).await;
        let wait = match again_after(status, attempt) {
            Some(wait) if wait <= LONGEST_HOLD => wait,
            _ => return settle(app, Note::Delivered(waiting.digest)).await,
        };
        let due_at = app.clock.now().plus(wait).plus(LEASE);
        settle(app, Note::Postponed { digest: waiting.digest, due_at }).await?;
        tokio::time::sleep(Duration::from_secs(wait.0.unsigned_abs())).await;
        attempt += 1;
    }
}

/// What is pushed: the tokens, or why there are none (CIBA §10.3.1, §12).
async fn pushed(
    app: &App,
    visit: &Visit,
    waiting: &DeferredRequest,
    client: &Arc<Client>,
    delivery: &Delivery,
) -> Result<Map<String, Value>, Failure> {
    let error = |refusal: Refusal| {
        let mut body = Map::new();
        body.insert("error".to_owned(), refusal.code.as_str().into());
        body.insert("error_description".to_owned(), refusal.description.into());
        body
    };
    // The code of this digest is the yes; without one it was a no.
    if app.store.find_code(&waiting.digest).await?.is_none() {
        return Ok(error(Refusal::new(ErrorCode::AccessDenied, "the user said no")));
    }
    let request = &waiting.request;
    let held = Held { key: request.dpop_jkt.clone(), certificate: request.certificate.clone() };
    match grants::push(app, visit, Arc::clone(client), held, request.instance.clone(), &delivery.auth_req_id)
        .await
    {
        Ok(reply) => Ok(reply.body(visit.now)),
        Err(Failure::Broken(broken)) => Err(broken.into()),
        Err(Failure::Refused(refusal)) => {
            Ok(error(Refusal { code: ErrorCode::TransactionFailed, ..refusal }))
        }
    }
}

/// Posts it, and tells the status of the answer; none where there was no answer.
async fn notify(app: &App, client: &Client, delivery: &Delivery, body: &Map<String, Value>) -> Option<u16> {
    let name = client.id.as_str();
    let Some(url) = &client.metadata.backchannel_client_notification_endpoint else {
        tracing::warn!(client = name, "a client to notify has no endpoint for it any more");
        return Some(0);
    };
    let mut body = body.clone();
    body.insert("auth_req_id".to_owned(), delivery.auth_req_id.as_str().into());
    let bearer = Secret::from_text(delivery.client_notification_token.clone());
    match app.outbound.post_json(url, &json!(body), Some(&bearer)).await {
        Ok(answer) => {
            if answer.status >= 300 {
                tracing::warn!(client = name, status = answer.status, "a notification was not taken");
            }
            Some(answer.status)
        }
        Err(reason) => {
            tracing::warn!(client = name, %reason, "a notification failed");
            None
        }
    }
}
