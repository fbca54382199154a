//! Telling webhooks of events (RFC 8935): from a queue that outlives a crash, each by one node, and again where a
//! receiver is away.

use std::sync::Arc;
use std::time::Duration;

use protocol::backchannel::notification::again_after;
use protocol::client::SigningAlg;
use protocol::numeric_date::Seconds;
use protocol::webhook::{MEDIA_TYPE, TYP, is_acknowledged};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::secret::Secret;
use crate::store::{Change, CommitError, Note, WebhookDelivery};

/// How many webhooks one node tells at the same time.
const AT_ONCE: usize = 8;
/// How often the queue is looked at.
const PACE: Duration = Duration::from_secs(1);
/// How long whoever took a delivery has it alone: longer than any request of ours may take.
const LEASE: Seconds = Seconds::minutes(3);

/// Empties the queue for as long as the house is open.
pub async fn tell_webhooks_for_ever(app: Arc<App>) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        tokio::time::sleep(PACE).await;
        let free = room.available_permits();
        if free == 0 {
            continue;
        }
        match app.store.claim_webhooks(app.clock.now(), LEASE, free).await {
            Ok(claimed) => {
                for delivery in claimed {
                    let (app, room) = (Arc::clone(&app), Arc::clone(&room));
                    tokio::spawn(async move {
                        let _place = room.acquire_owned().await;
                        if let Err(reason) = tell(&app, delivery).await {
                            // It stays in the queue, and comes again when its lease is over.
                            tracing::error!(?reason, "a webhook could not be told");
                        }
                    });
                }
            }
            Err(error) => tracing::warn!(%error, "the queue of webhooks could not be read"),
        }
    }
}

async fn tell(app: &App, delivery: WebhookDelivery) -> Result<(), Failure> {
    let now = app.clock.now();
    let digest = delivery.digest;
    let over = delivery.expires_at.is_over(now);
    // One that was taken out of the configuration is told nothing more.
    let Some(webhook) = app.webhooks.find(&delivery.webhook).filter(|_| !over) else {
        return settle(app, Note::WebhookDone(digest)).await;
    };
    let mut claims = delivery.event;
    claims.insert("iat".to_owned(), now.0.into());
    let token = Secret::from_text(app.keys.sign(SigningAlg::Es256, TYP, &claims)?);
    let status = match app.outbound.post_text(&webhook.url, MEDIA_TYPE, token.reveal()).await {
        Ok(answer) => Some(answer.status),
        Err(error) => {
            tracing::warn!(webhook = webhook.id, %error, "a webhook does not answer");
            None
        }
    };
    if status.is_some_and(|status| !is_acknowledged(status)) {
        tracing::warn!(webhook = webhook.id, status, "a webhook did not take an event");
    }
    let note = match again_after(status, delivery.attempts) {
        Some(wait) => Note::WebhookLater { digest, due_at: app.clock.now().plus(wait) },
        None => Note::WebhookDone(digest),
    };
    settle(app, note).await
}

async fn settle(app: &App, note: Note) -> Result<(), Failure> {
    match app.store.commit(Change::housekeeping(app.clock.now()).note(note)).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(_)) => {
            Err(Broken::Inconsistent("a webhook that could not be settled").into())
        }
    }
}
