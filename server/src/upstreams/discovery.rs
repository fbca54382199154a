//! What an upstream says of itself (OpenID Connect Discovery §4): asked when it is needed, remembered for a while, and
//! after a failure not asked again at once, so that an upstream that hangs does not make everybody hang.

use std::sync::Arc;

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, IssuerUrl, ProviderMetadata};
use protocol::numeric_date::{NumericDate, Seconds};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::through::Through;
use crate::outbound::Outbound;

/// The metadata of a provider.
pub type Metadata = ProviderMetadata<
    Further,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What the library does not know of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Further {
    /// RFC 9207 §3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Further {}

/// What an upstream said of itself.
pub struct Provider {
    /// Its metadata with its keys.
    pub metadata: Metadata,
    /// When it was asked.
    asked_at: NumericDate,
}

impl Provider {
    /// Whether it names itself in every authorization response (RFC 9207).
    #[must_use]
    pub fn names_itself(&self) -> bool {
        self.metadata.additional_metadata().authorization_response_iss_parameter_supported
    }
}

/// It does not answer, or not as a provider does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the upstream does not answer, or not as an OpenID Provider does")]
pub struct Unreachable;

/// How long after a failure it is not asked again.
const PAUSE: Seconds = Seconds(15);

#[derive(Default)]
struct State {
    known: Option<Arc<Provider>>,
    failed_at: Option<NumericDate>,
}

/// The way to one upstream. Whoever finds somebody asking waits for the answer instead of asking too.
#[derive(Default)]
pub(super) struct Door(Mutex<State>);

impl Door {
    /// What it says of itself, not older than `oldest`.
    pub(super) async fn ask(
        &self,
        issuer: &str,
        outbound: &Outbound,
        now: NumericDate,
        oldest: Seconds,
    ) -> Result<Arc<Provider>, Unreachable> {
        let mut state = self.0.lock().await;
        let fresh = state.known.as_ref().filter(|known| now.since(known.asked_at) < oldest);
        if let Some(known) = fresh {
            return Ok(Arc::clone(known));
        }
        if state.failed_at.is_some_and(|failed_at| now.since(failed_at) < PAUSE) {
            return Err(Unreachable);
        }
        match discover(issuer, outbound).await {
            Ok(metadata) => {
                let known = Arc::new(Provider { metadata, asked_at: now });
                *state = State { known: Some(Arc::clone(&known)), failed_at: None };
                Ok(known)
            }
            Err(unreachable) => {
                state.failed_at = Some(now);
                Err(unreachable)
            }
        }
    }
}

async fn discover(issuer: &str, outbound: &Outbound) -> Result<Metadata, Unreachable> {
    let url = IssuerUrl::new(issuer.to_owned()).map_err(|_| Unreachable)?;
    Metadata::discover_async(url, &Through(outbound)).await.map_err(|error| {
        tracing::warn!(%issuer, reason = %reason(&error), "an upstream could not be asked about itself");
        Unreachable
    })
}

/// The library's words, and those of what caused them.
fn reason(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(one) = cause {
        words.push_str(": ");
        words.push_str(&one.to_string());
        cause = one.source();
    }
    words
}
