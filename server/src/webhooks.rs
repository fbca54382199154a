//! Who is told of events, by the configuration. The telling itself waits in the database.

use protocol::numeric_date::{NumericDate, Seconds};
use protocol::webhook::Event;
use url::Url;

use crate::secret::{Entropy, SecretDigest, random_id};
use crate::store::{Record, WebhookDelivery};

/// How long an event is worth telling.
const WORTH_TELLING: Seconds = Seconds::days(1);

/// Somebody who is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// Its name in the configuration.
    pub id: String,
    /// Where it is told.
    pub url: Url,
}

/// All of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Webhooks(pub Vec<Webhook>);

impl Webhooks {
    /// The one of this name, if it is there still.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Webhook> {
        self.0.iter().find(|webhook| webhook.id == id)
    }

    /// What has to be kept for everybody to be told of `event`.
    #[must_use]
    pub fn to_tell(
        &self,
        event: &Event,
        issuer: &str,
        entropy: &dyn Entropy,
        now: NumericDate,
    ) -> Vec<Record> {
        let delivery = |webhook: &Webhook| {
            let jti = random_id(entropy, "evt_");
            Record::WebhookDelivery(WebhookDelivery {
                digest: SecretDigest::of(&jti),
                webhook: webhook.id.clone(),
                event: event.claims(issuer, webhook.url.as_str(), &jti),
                due_at: now,
                expires_at: now.plus(WORTH_TELLING),
                attempts: 0,
            })
        };
        self.0.iter().map(delivery).collect()
    }
}
