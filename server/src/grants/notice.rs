//! What is needed to tell a client that the token request for which it waits was answered (Deferred Token Response §6). It is
//! kept until the client is told, and forgotten then.

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::jose::Place;
use crate::secret::{Secret, SecretDigest};
use crate::store::Deferral;

/// What a sealed notice is, to those who seal.
const PLACE: &str = "deferral_notice";

/// What is needed.
#[derive(Serialize, Deserialize)]
pub struct Notice {
    /// Of which request it is told.
    pub deferral_code: String,
    /// By what it knows that it is this server who tells, where it sent something for that.
    pub client_notification_token: Option<String>,
}

impl Notice {
    /// As it is kept: sealed, where the house has a key for that.
    pub(super) fn seal(
        app: &App,
        deferral_code: &Secret,
        client_notification_token: Option<&str>,
    ) -> Result<String, Failure> {
        let notice = Self {
            deferral_code: deferral_code.reveal().to_owned(),
            client_notification_token: client_notification_token.map(str::to_owned),
        };
        let text = serde_json::to_vec(&notice).map_err(|_| Broken::Other("two texts are JSON"))?;
        let digest = deferral_code.digest().to_text();
        let of = [digest.as_str()];
        Ok(app.at_rest.seal(Place { kind: PLACE, of: &of }, &text, app.entropy.as_ref())?)
    }

    /// What is kept of this request, if its client is to be told still.
    #[must_use]
    pub fn open(app: &App, kept: &Deferral) -> Option<Self> {
        let digest: &SecretDigest = &kept.digest;
        let digest = digest.to_text();
        let of = [digest.as_str()];
        let text = app.at_rest.open(Place { kind: PLACE, of: &of }, kept.delivery.as_deref()?).ok()?;
        serde_json::from_slice(&text).ok()
    }
}
