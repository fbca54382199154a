//! `session_state` of an authorization response (OpenID Connect Session Management §2).

use protocol::logout::session_state::{browser_state, origin_of, session_state};

use super::{SignedIn, Waiting};
use crate::app::App;
use crate::secret::random_id;

/// What the client's page compares later, to see whether somebody else is signed in by then, or nobody. Only for
/// OpenID Connect requests, and only where the answer goes to a web page.
pub(super) fn of(app: &App, waiting: &Waiting, signed_in: Option<&SignedIn>) -> Option<String> {
    let is_openid = waiting.request.scope.as_ref().is_some_and(|scope| scope.contains("openid"));
    let origin = origin_of(&waiting.return_address).filter(|_| is_openid)?;
    let state = signed_in.map_or_else(String::new, |signed_in| browser_state(&signed_in.session));
    let salt = random_id(app.entropy.as_ref(), "");
    Some(session_state(&waiting.client, &origin, &state, &salt))
}
