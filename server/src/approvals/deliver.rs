//! Telling a client that its user has answered (Client-Initiated Backchannel Authentication §10.2, §10.3, §12): in
//! ping mode that it may ask, in push mode the answer itself.

use std::sync::Arc;
use std::time::Duration;

use protocol::client::{Client, DeliveryMode};
use protocol::confirmation::Held;
use protocol::deferred::Way;
use protocol::refusal::{ErrorCode, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::grants;
use crate::jose::Place;
use crate::secret::{Secret, SecretDigest};
use crate::store::{Change, CommitError, DeferredRequest, Note};

/// How long to wait before each further try, where nobody answered.
const AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];

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

/// Begins to tell the client of `waiting`, if it is to be told; the user does not wait for it.
pub(super) fn begin(app: &Arc<App>, visit: &Visit, waiting: &DeferredRequest, approved: bool) {
    if waiting.delivery.is_none() {
        return;
    }
    let (app, visit, waiting) = (Arc::clone(app), visit.clone(), waiting.clone());
    tokio::spawn(async move {
        if let Err(reason) = tell(&app, &visit, &waiting, approved).await {
            let client = waiting.request.client.as_str();
            tracing::warn!(client, ?reason, "a client could not be told that its user has answered");
        }
    });
}

async fn tell(app: &App, visit: &Visit, waiting: &DeferredRequest, approved: bool) -> Result<(), Failure> {
    let unreadable = || Broken::Inconsistent("a delivery that does not read back");
    let delivery = Delivery::open(app, waiting).ok_or_else(unreadable)?;
    let Way::Backchannel { delivery: mode, .. } = waiting.request.way else {
        return Err(unreadable().into());
    };
    let client = app.store.find_client(&waiting.request.client).await?;
    let client = client.ok_or(Broken::Inconsistent("a request without its client"))?;
    let body = match mode {
        DeliveryMode::Poll => return Ok(()),
        DeliveryMode::Ping => Map::new(),
        DeliveryMode::Push => pushed(app, visit, waiting, &client, &delivery, approved).await?,
    };
    notify(app, &client, &delivery, body).await?;
    let told = Change::housekeeping(visit.now).note(Note::Delivered(waiting.digest));
    match app.store.commit(told).await {
        Ok(_) | Err(CommitError::Conflict(_)) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

/// What is pushed: the tokens, or why there are none (CIBA §10.3.1, §12).
async fn pushed(
    app: &App,
    visit: &Visit,
    waiting: &DeferredRequest,
    client: &Arc<Client>,
    delivery: &Delivery,
    approved: bool,
) -> Result<Map<String, Value>, Failure> {
    let error = |refusal: Refusal| {
        let mut body = Map::new();
        body.insert("error".to_owned(), refusal.code.as_str().into());
        body.insert("error_description".to_owned(), refusal.description.into());
        body
    };
    if !approved {
        return Ok(error(Refusal::new(ErrorCode::AccessDenied, "the user said no")));
    }
    let request = &waiting.request;
    let held = Held { key: request.dpop_jkt.clone(), certificate: request.certificate.clone() };
    match grants::push(app, visit, Arc::clone(client), held, &delivery.auth_req_id).await {
        Ok(reply) => Ok(reply.body(visit.now)),
        Err(Failure::Broken(broken)) => Err(broken.into()),
        Err(Failure::Refused(refusal)) => {
            Ok(error(Refusal { code: ErrorCode::TransactionFailed, ..refusal }))
        }
    }
}

/// Posts it. Any answer is one, and only where there is none, or the other server is broken, it is tried again; what
/// the client refuses is not (CIBA §10.2, §10.3.1).
async fn notify(
    app: &App,
    client: &Client,
    delivery: &Delivery,
    mut body: Map<String, Value>,
) -> Result<(), Failure> {
    let nowhere = Broken::Inconsistent("a client to notify without an endpoint for it");
    let url = client.metadata.backchannel_client_notification_endpoint.as_ref().ok_or(nowhere)?;
    body.insert("auth_req_id".to_owned(), delivery.auth_req_id.as_str().into());
    let body = json!(body);
    let bearer = Secret::from_text(delivery.client_notification_token.clone());
    let mut waits = AGAIN_AFTER.into_iter();
    loop {
        match app.outbound.post_json(url, &body, Some(&bearer)).await {
            Ok(answer) if answer.status < 300 => return Ok(()),
            Ok(answer) if answer.status < 500 => {
                tracing::warn!(
                    client = client.id.as_str(),
                    status = answer.status,
                    "a notification was refused"
                );
                return Ok(());
            }
            Ok(answer) => {
                tracing::warn!(client = client.id.as_str(), status = answer.status, "a notification failed")
            }
            Err(reason) => tracing::warn!(client = client.id.as_str(), %reason, "a notification failed"),
        }
        let Some(wait) = waits.next() else {
            return Err(Broken::Other("a client could not be notified").into());
        };
        tokio::time::sleep(wait).await;
    }
}
