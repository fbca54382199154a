//! Signing in at an upstream OpenID Provider: there and back, whose account it is, and the end of it.
//!
//! On the way there an [`Attempt`] is put into the browser's session. Only the browser that has it can come back with
//! an answer, once, and only from the upstream that it was sent to.

mod accounts;
mod begin;
mod finish;
mod links;
mod logout;
mod relying_party;
mod revocation;
mod sessions;

use std::fmt;

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::federation::account::AccountRefused;
use protocol::federation::demand::{Demand, LoginRefused};
use protocol::federation::profile::Profile;
use protocol::federation::{Identity, Upstream};
use protocol::identifier::{UpstreamId, UserId};
use protocol::local_path::LocalPath;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::refusal::{ErrorCode, Refusal};
use protocol::token::Login;
use serde::{Deserialize, Serialize};

use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::upstreams::Unreachable;

pub use accounts::{Meanwhile, Newcomer, enter, prepare};
pub use begin::begin;
pub use finish::finish;
pub use links::{Linked, linked, unlink};
pub use logout::log_out;
pub use revocation::{Entitled, Revoked, prove, revoke};
pub use sessions::{Until, remember};

/// How long somebody may take at the upstream.
pub const PATIENCE: Seconds = Seconds::minutes(15);
/// The path of everything about one upstream.
pub const PATH: &str = "/federation";

/// Somebody on their way to an upstream and back, as their session remembers it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Where they were sent.
    pub upstream: UpstreamId,
    /// What for.
    pub purpose: Purpose,
    /// `state` (RFC 6749 §10.12).
    pub state: String,
    /// `nonce` (OpenID Connect Core §3.1.2.1).
    nonce: String,
    /// `code_verifier` (RFC 7636 §4.1).
    verifier: String,
    /// How they have to sign in there.
    demand: Demand,
    /// When they were sent.
    asked_at: NumericDate,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

impl Attempt {
    /// Whether it is too late to come back.
    #[must_use]
    pub const fn is_over(&self, now: NumericDate) -> bool {
        self.asked_at.plus(PATIENCE).is_over(now)
    }
}

/// What somebody was sent to an upstream for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To sign in; for the waiting authorization request of this id, if it is not empty.
    SignIn {
        /// The request.
        interaction: String,
        /// The page of ours that they wanted to see.
        #[serde(default)]
        then: Option<LocalPath>,
    },
    /// To link who they are there to their account here.
    Link {
        /// The account.
        user: UserId,
    },
}

/// Somebody whom an upstream signed in, with everything about it proven.
#[derive(Clone, PartialEq, Debug)]
pub struct Proven {
    /// Who they are there.
    pub identity: Identity,
    /// What is said of them.
    pub profile: Profile,
    /// When and how they signed in.
    pub login: Login,
    /// Their session there (`sid`), if it has a name.
    pub sid: Option<String>,
}

/// Why nobody was signed in.
#[derive(Debug)]
pub enum Trouble {
    /// The upstream does not answer.
    Unreachable,
    /// It says no (RFC 6749 §4.1.2.1).
    SaidNo,
    /// What came back is not an answer to what was asked, or was used before.
    NotAsked,
    /// What it says does not hold.
    NotProven,
    /// The login there is not what was demanded.
    Login(LoginRefused),
    /// They have no account here.
    Account(AccountRefused),
    /// Their account may not be used.
    Disabled,
    /// Something of ours.
    Broken(Broken),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(broken) => Self::Broken(broken),
            Failure::Refused(_) => Self::NotProven,
        }
    }
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<Unreachable> for Trouble {
    fn from(_: Unreachable) -> Self {
        Self::Unreachable
    }
}

impl From<crate::store::StoreError> for Trouble {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Broken(error.into())
    }
}

impl Trouble {
    /// The words for the audit log; none where the trouble is ours.
    #[must_use]
    pub const fn words(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable => Some("the upstream does not answer"),
            Self::SaidNo => Some("the upstream refused"),
            Self::NotAsked => Some("an answer that was not asked for, or came twice"),
            Self::NotProven => Some("the upstream's answer does not hold"),
            Self::Login(LoginRefused::NoAuthTime) => {
                Some("the upstream does not say when the user signed in")
            }
            Self::Login(LoginRefused::TooOld) => Some("the user signed in too long ago at the upstream"),
            Self::Account(AccountRefused::NotAMember) => Some("the user is in none of the required groups"),
            Self::Account(AccountRefused::NoAccount) => Some("no account belongs to this identity"),
            Self::Account(AccountRefused::OfSomebodyElse) => Some("this identity belongs to another account"),
            Self::Account(AccountRefused::LinkWithdrawn) => {
                Some("the configuration does not link this identity any more")
            }
            Self::Disabled => Some("the account is disabled"),
            Self::Broken(_) => None,
        }
    }
}

/// Tells that somebody was not signed in. Anybody can come with an answer that is none, so these events are bounded.
///
/// # Errors
/// The store's.
pub async fn tell(app: &App, visit: &Visit, upstream: &Upstream, trouble: &Trouble) -> Result<(), Failure> {
    let Some(words) = trouble.words() else { return Ok(()) };
    let refusal = Refusal::new(ErrorCode::AccessDenied, format!("upstream {}: {words}", upstream.id));
    let told = event(Action::UserSignIn, visit, upstream, "").refused(&refusal);
    app.tell_of_stranger(visit, told).await
}

/// An event about somebody from `upstream`.
fn event(action: Action, visit: &Visit, upstream: &Upstream, words: &str) -> AuditEvent {
    let mut event = AuditEvent::new(action, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    let divider = if words.is_empty() { "" } else { ": " };
    event.reason = Some(format!("upstream {}{divider}{words}", upstream.id));
    event
}
