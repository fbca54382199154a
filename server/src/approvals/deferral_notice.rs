//! Telling a client that the token request for which it waits was answered (Deferred Token Response §6): it may ask now.
//! Nothing but that is said, and asking stays how the answer is had. It goes the way of the notifications of backchannel
//! requests, out of their queue.

use super::deliver::{after, settle};
use crate::app::App;
use crate::failure::Failure;
use crate::grants::Notice;
use crate::secret::{Secret, SecretDigest};
use crate::store::{Note, Standing};

/// Tells the client of the deferral of this digest, at the attempt number `attempt`.
pub(super) async fn tell(app: &App, digest: &SecretDigest, attempt: u32) -> Result<(), Failure> {
    let done = || settle(app, Note::Delivered(*digest));
    let Some(kept) = app.store.find_deferral(digest).await? else { return done().await };
    let now = app.clock.now();
    // What is over is not told, nor what the client has fetched already.
    if kept.polling.expires_at.is_over(now) || matches!(kept.standing, Standing::Over | Standing::Waiting) {
        return done().await;
    }
    let Some(notice) = Notice::open(app, &kept) else { return done().await };
    let client = app.store.find_client(&kept.asked.question.wanted.client).await?;
    let client = client.filter(|client| client.is_live(now));
    let endpoint = client
        .as_ref()
        .and_then(|client| Some((client, client.metadata.deferred_client_notification_endpoint.as_ref()?)));
    let Some((client, url)) = endpoint else { return done().await };
    let bearer = notice.client_notification_token.map(Secret::from_text);
    let body = serde_json::json!({ "deferral_code": notice.deferral_code });
    let status = match app.outbound.post_json(url, &body, bearer.as_ref()).await {
        Ok(answer) => {
            if answer.status >= 300 {
                let (client, status) = (client.id.as_str(), answer.status);
                tracing::warn!(client, status, "a notification was not taken");
            }
            Some(answer.status)
        }
        Err(reason) => {
            tracing::warn!(client = client.id.as_str(), %reason, "a notification failed");
            None
        }
    };
    settle(app, after(app, *digest, status, attempt)).await
}
