//! Telling clients that a session ended (Back-Channel Logout §2.5): from a queue that outlives a crash, several at
//! once but not all at once, each by one node, and again where a client is away.

use std::sync::Arc;
use std::time::Duration;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::Client;
use protocol::identifier::SessionId;
use protocol::logout::{AfterAttempt, LOGOUT_TOKEN_TYP, LogoutToken, MOST_ATTEMPTS, after_attempt, sid};
use protocol::numeric_date::Seconds;
use protocol::refusal::{ErrorCode, Refusal};
use tokio::sync::Semaphore;
use url::Url;

use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::secret::{Secret, random_id};
use crate::store::{Change, CommitError, LogoutDelivery, Settled};

/// How many clients one node tells at the same time.
const AT_ONCE: usize = 16;
/// How often the queue is looked at.
const PACE: Duration = Duration::from_secs(1);
/// How long whoever took a delivery has it alone: longer than any request of ours may take.
const LEASE: Seconds = Seconds::minutes(3);
/// How long somebody who signs out waits for the clients to hear of it.
const PATIENCE: Duration = Duration::from_secs(3);

/// Empties the queue for as long as the house is open.
pub async fn deliver_for_ever(app: Arc<App>) {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        tokio::time::sleep(PACE).await;
        let free = room.available_permits();
        if free == 0 {
            continue;
        }
        let claimed = app.store.claim_logouts(None, app.clock.now(), LEASE, free).await;
        match claimed {
            Ok(claimed) => {
                for delivery in claimed {
                    let (app, room) = (Arc::clone(&app), Arc::clone(&room));
                    tokio::spawn(async move {
                        let _place = room.acquire_owned().await;
                        attempt(&app, &delivery).await;
                    });
                }
            }
            Err(error) => tracing::warn!(%error, "the queue of logouts could not be read"),
        }
    }
}

/// Tells the clients of a session that just ended, and waits for them a little: they should know before the browser
/// goes anywhere. What is not done by then goes on behind.
pub async fn tell_clients_of(app: &Arc<App>, session: &SessionId) {
    let now = app.clock.now();
    let claimed = match app.store.claim_logouts(Some(session), now, LEASE, AT_ONCE).await {
        Ok(claimed) => claimed,
        Err(error) => {
            tracing::warn!(%error, "the queue of logouts could not be read");
            return;
        }
    };
    let tell = |delivery: LogoutDelivery| {
        let app = Arc::clone(app);
        tokio::spawn(async move { attempt(&app, &delivery).await })
    };
    let telling: Vec<_> = claimed.into_iter().map(tell).collect();
    let all = async {
        for one in telling {
            let _ = one.await;
        }
    };
    let _ = tokio::time::timeout(PATIENCE, all).await;
}

async fn attempt(app: &App, delivery: &LogoutDelivery) {
    if let Err(failure) = try_once(app, delivery).await {
        // It stays in the queue, and comes again when its lease is over.
        let reason = match failure {
            Failure::Broken(broken) => broken.to_string(),
            Failure::Refused(refusal) => refusal.description.into_owned(),
        };
        tracing::error!(client = %delivery.client, reason, "a client could not be told of a logout");
    }
}

async fn try_once(app: &App, delivery: &LogoutDelivery) -> Result<(), Failure> {
    let now = app.clock.now();
    let client = app.store.find_client(&delivery.client).await?.filter(|client| client.is_live(now));
    let told =
        client.as_deref().and_then(|client| Some((client, client.metadata.backchannel_logout_uri.as_ref()?)));
    let Some((client, uri)) = told else {
        return commit(app, Change::housekeeping(now).settle(Settled::Over(delivery.id.clone()))).await;
    };
    let status = send(app, client, uri, delivery).await?;
    let now = app.clock.now();
    let mut event = AuditEvent::new(Action::LogoutNotify, Outcome::Granted, now);
    event.client = Some(delivery.client.clone());
    event.user = Some(delivery.user.clone());
    let over = || Settled::Over(delivery.id.clone());
    let change = match after_attempt(status, delivery.attempt) {
        AfterAttempt::Told => Change::new(event).settle(over()),
        AfterAttempt::Again(wait) => {
            let answer = status.map_or_else(|| "no answer".to_owned(), |status| format!("status {status}"));
            tracing::warn!(client = %delivery.client, attempt = delivery.attempt, of = MOST_ATTEMPTS, answer,
                "a client could not be told of a logout; it is tried again");
            Change::housekeeping(now)
                .settle(Settled::Later { id: delivery.id.clone(), due_at: now.plus(wait) })
        }
        AfterAttempt::GivenUp => {
            let answer = status.map_or_else(
                || format!("no answer in {} attempts", delivery.attempt),
                |status| format!("status {status} at attempt {}", delivery.attempt),
            );
            tracing::warn!(client = %delivery.client, answer, "a client was not told of a logout");
            let refusal = Refusal::new(ErrorCode::TemporarilyUnavailable, answer);
            Change::new(event.refused(&refusal)).settle(over())
        }
    };
    commit(app, change).await
}

/// The status of the client's answer; none where there was no answer.
async fn send(
    app: &App,
    client: &Client,
    uri: &Url,
    delivery: &LogoutDelivery,
) -> Result<Option<u16>, Failure> {
    let token = LogoutToken {
        issuer: app.issuer(),
        client: &client.id,
        sub: &app.subject_for(client, &delivery.user),
        sid: &sid(&delivery.session, &client.id),
        issued_at: app.clock.now(),
        jti: &random_id(app.entropy.as_ref(), "lgo_"),
    };
    let alg = client.id_token_signed_response_alg;
    let token = app.keys.sign(alg, LOGOUT_TOKEN_TYP, &token.claims())?;
    // As its ID tokens are (Back-Channel Logout §2.4): what was to be encrypted is not sent in the clear.
    let encryption = client.metadata.id_token_encryption();
    let token = match app.encrypt_to(client, token, encryption, app.clock.now()).await {
        Ok(token) => Secret::from_text(token),
        Err(error) => {
            tracing::warn!(client = %client.id, %error, "a client has no key that a logout token could be encrypted to");
            return Ok(None);
        }
    };
    match app.outbound.post_form(uri, &[("logout_token", token.reveal())]).await {
        Ok(answer) => Ok(Some(answer.status)),
        Err(error) => {
            tracing::info!(client = %client.id, %error, "a client does not answer");
            Ok(None)
        }
    }
}

async fn commit(app: &App, change: Change) -> Result<(), Failure> {
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(_)) => {
            Err(Broken::Inconsistent("a delivery that could not be settled").into())
        }
    }
}
