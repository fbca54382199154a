//! Between `/authorize` and the code: begin, ask, finish (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2).
//!
//! First comes what decides whether the client may be answered at all, the client and its [`ReturnAddress`]; what is
//! wrong there is shown to the user and sent nowhere. Everything after that is told the client in the way it asked
//! for ([`Answer`]), with `state` and `iss` (RFC 9207).

mod answer;
mod begin;
mod finish;
mod grant;
mod next;
mod offer;
mod push;
mod resolve;
mod session_state;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::authorization_request::AuthorizationRequest;
use protocol::identifier::{ClientId, InstanceId};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::redirect_uri::{self, ReturnAddress};
use protocol::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::Visit;
use crate::failure::{Broken, Failure};

pub use answer::Answer;
pub use begin::{Begun, begin};
pub use finish::{decide, deny, proceed};
pub use grant::{Decision, Granted, grant, requested_actor, told_of_refusal};
pub use next::{Present, next};
pub use offer::{Becomes, Offer, Wanted, offer, offer_of};
pub use push::{Pushed, push};

/// How long an authorization request waits for its user.
pub const WAITING_LIFE: Seconds = Seconds::minutes(10);

/// Somebody who is signed in to this browser.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SignedIn {
    /// The user.
    pub user: protocol::identifier::UserId,
    /// The browser session's id in the lineage.
    pub session: protocol::identifier::SessionId,
    /// When and how.
    pub login: protocol::token::Login,
    /// The authorization request that this login was for, if it was for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_interaction: Option<String>,
}

/// An authorization request that waits for its user, as it is kept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Waiting {
    /// Who asked.
    pub client: ClientId,
    /// The proven return address; proven again when it is used.
    pub return_address: String,
    /// What was asked.
    pub request: AuthorizationRequest,
    /// When it began.
    pub asked_at: NumericDate,
    /// The digest of the pushed request it came from, which can be completed once.
    pub pushed: Option<String>,
    /// Which instance of the client pushed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// What ties it to the browser it began in.
    pub browser: String,
}

/// Why an authorization request goes no further.
pub enum Stop {
    /// Shown to the user; the client learns nothing.
    Page(Refusal),
    /// Told to the client.
    Answer(Answer),
    /// Something of ours.
    Broken(Broken),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Page(refusal),
            Failure::Broken(broken) => Self::Broken(broken),
        }
    }
}

impl Waiting {
    /// Reads what was kept.
    ///
    /// # Errors
    /// Where it is not what was kept.
    pub fn read(document: Value) -> Result<Self, Broken> {
        serde_json::from_value(document)
            .map_err(|_| Broken::Inconsistent("a waiting request that does not read back"))
    }
}

/// The event of something about `client`'s authorization request.
fn event(action: Action, visit: &Visit, client: &ClientId) -> AuditEvent {
    let mut event = AuditEvent::new(action, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.client = Some(client.clone());
    event
}

/// The return address, proven anew: the client may have been changed since.
fn prove(registered: &[String], address: &str) -> Result<ReturnAddress, Refusal> {
    redirect_uri::find(registered, Some(address)).map_err(Refusal::from)
}
