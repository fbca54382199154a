//! The browser state in a cookie (OpenID Connect Session Management §3.2), and the page in which clients' pages ask
//! whether it is still the same.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use protocol::logout::session_state::browser_state;
use tower_sessions::Session;

use super::page::SIGNED_IN;
use super::views::CHECK_SESSION;
use crate::app::App;
use crate::authorization::SignedIn;

/// The cookie's name. Scripts read it, in a page of ours that stands in another site's; nothing can be done with it
/// but to compare.
const COOKIE: &str = "__Host-procura-state";

/// Keeps the cookie in step with the session, whoever changed it.
pub async fn follow(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let session = request.extensions().get::<Session>().cloned();
    let before = cookie(request.headers(), COOKIE).map(str::to_owned);
    // Without the session's cookie nobody knows whose browser it is: it does not come along from other sites.
    let is_known = cookie(request.headers(), crate::pages::session_store::COOKIE).is_some();
    let mut response = next.run(request).await;
    let Some(session) = session else { return response };
    let Ok(signed_in) = session.get::<SignedIn>(SIGNED_IN).await else { return response };
    let now = signed_in.map(|signed_in| browser_state(&signed_in.session));
    let set = match (&now, &before) {
        (Some(now), _) => Some((now.as_str(), app.settings.session_life.0)),
        (None, Some(_)) if is_known => Some(("", 0)),
        (None, _) => None,
    };
    if let Some((value, life)) = set {
        let text = format!("{COOKIE}={value}; Path=/; Max-Age={life}; Secure; SameSite=None");
        if let Ok(text) = HeaderValue::from_str(&text) {
            response.headers_mut().append(header::SET_COOKIE, text);
        }
    }
    response
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// `GET /check-session`: the page that a client's page holds in a frame. Any site may, and there is nothing on it.
pub async fn page() -> Response {
    let mut response = Html(CHECK_SESSION).into_response();
    let policy = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "public, max-age=300"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
