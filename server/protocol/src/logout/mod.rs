//! How sessions end, and how clients learn of it (OpenID Connect RP-Initiated Logout 1.0, Back-Channel Logout 1.0,
//! Front-Channel Logout 1.0, Session Management 1.0).

mod front_channel;
mod hint;
mod registered;
mod request;
pub mod session_state;
mod token;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::identifier::{ClientId, SessionId};

pub use front_channel::front_channel_url;
pub use hint::Hint;
pub use registered::{UnfitUri, unfit};
pub use request::{LogoutRefused, LogoutRequest, Next, Present, Story, Verdict};
pub use token::{AfterAttempt, EVENT, LOGOUT_TOKEN_TYP, LogoutToken, MOST_ATTEMPTS, after_attempt};

/// `sid`: the session, as this client knows it (Back-Channel Logout §2.1). The same for as long as the session lasts,
/// another one for each session, and another one for each client, so that clients cannot compare notes.
#[must_use]
pub fn sid(session: &SessionId, client: &ClientId) -> String {
    // A session's id is chance enough: whoever does not know it cannot compute what any client is told.
    let digest = Sha256::digest(format!("sid {} {}", session.as_str(), client.as_str()));
    URL_SAFE_NO_PAD.encode(&digest[..18])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_is_stable_and_another_one_for_each_session_and_client() {
        let of = |session: &str, client: &str| sid(&session.parse().unwrap(), &client.parse().unwrap());
        assert_eq!(of("ses_1", "web"), of("ses_1", "web"));
        assert_ne!(of("ses_1", "web"), of("ses_2", "web"));
        assert_ne!(of("ses_1", "web"), of("ses_1", "app"));
        assert_eq!(of("ses_1", "web").len(), 24);
    }
}
