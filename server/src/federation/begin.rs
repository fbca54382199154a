//! The way there: an authorization request at the upstream, and what has to be remembered of it.

use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope};
use protocol::federation::demand::Demand;
use url::Url;

use super::relying_party::relying_party;
use super::{Attempt, Purpose, Trouble};
use crate::app::{App, Visit};
use crate::secret::Secret;
use crate::upstreams::Connection;

/// The longest `login_hint` and `ui_locales` that are passed on, in bytes.
const LONGEST_HINT: usize = 256;

/// Sends somebody to the upstream: what their session has to remember, and where they go.
///
/// # Errors
/// [`Trouble`], where the upstream does not answer.
pub async fn begin(
    app: &App,
    visit: &Visit,
    connection: &Connection,
    purpose: Purpose,
    demand: Demand,
    hints: &[(&'static str, &str)],
) -> Result<(Attempt, Url), Trouble> {
    let provider = connection.to_go(&app.outbound, visit.now).await?;
    let client = relying_party(app, connection, &provider)?;
    let random = || Secret::generate(app.entropy.as_ref(), "").reveal().to_owned();
    let attempt = Attempt {
        upstream: connection.upstream().id.clone(),
        purpose,
        state: random(),
        nonce: random(),
        verifier: random(),
        demand,
        asked_at: visit.now,
    };
    let challenge =
        PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(attempt.verifier.clone()));
    let (state, nonce) = (attempt.state.clone(), attempt.nonce.clone());
    let mut request = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        )
        .set_pkce_challenge(challenge);
    // The library asks for `openid` itself.
    for word in connection.declared.scope.iter().filter(|word| word.as_str() != "openid") {
        request = request.add_scope(Scope::new(word.as_str().to_owned()));
    }
    for (name, value) in attempt.demand.params(connection.upstream()) {
        request = request.add_extra_param(name, value);
    }
    for (name, value) in hints.iter().filter(|(_, value)| !value.is_empty() && value.len() <= LONGEST_HINT) {
        request = request.add_extra_param(*name, (*value).to_owned());
    }
    let (url, ..) = request.url();
    Ok((attempt, url))
}
