//! What every page needs: the browser's session and language, the form token, and the headers that protect it.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use protocol::local_path::LocalPath;
use protocol::params::Params;
use protocol::refusal::Refusal;
use protocol::user::User;
use tower_sessions::Session;

use super::views::{ErrorPage, Language, Page, WhatHappened, language_of};
use crate::app::{App, Visit, same};
use crate::authorization::{SignedIn, Stop, Waiting};
use crate::failure::{Broken, Failure};
use crate::secret::{Secret, SecretDigest};
use crate::store::StoreError;

/// The session's key for who is signed in.
pub const SIGNED_IN: &str = "signed_in";
/// The session's key for its form token.
const CSRF: &str = "csrf";

/// The browser that asks.
pub struct Browser {
    /// The request.
    pub visit: Visit,
    /// Its session.
    pub session: Session,
    /// Its language.
    pub language: Language,
    /// The path that it asks for, where that is a page that it can come back to.
    pub path: Option<LocalPath>,
    /// What it says that it is (RFC 9110 §10.1.5).
    pub user_agent: Option<String>,
    /// The mark that it is known by, if it has one.
    pub mark: Option<String>,
    /// Who is signed in.
    pub signed_in: Option<(SignedIn, Arc<User>)>,
}

impl FromRequestParts<Arc<App>> for Browser {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let visit = parts.extensions.get::<Visit>().cloned();
        let session = parts.extensions.get::<Session>().cloned();
        let accept = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = language_of(accept);
        let (Some(visit), Some(session)) = (visit, session) else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let mut browser = Self {
            visit,
            session,
            language,
            path: path(parts),
            user_agent: header(header::USER_AGENT).map(|agent| agent.chars().take(LONGEST_AGENT).collect()),
            mark: cookie(&parts.headers, MARK),
            signed_in: None,
        };
        match browser.find_signed_in(app).await {
            Ok(signed_in) => browser.signed_in = signed_in,
            Err(reason) => return Err(browser.broken(&reason)),
        }
        Ok(browser)
    }
}

/// The most of a `User-Agent` that is looked at.
const LONGEST_AGENT: usize = 500;

/// Where a browser can be led back to: what it asked to see, and no form that it sent.
fn path(parts: &Parts) -> Option<LocalPath> {
    if parts.method != Method::GET {
        return None;
    }
    parts.uri.path_and_query().and_then(|path| path.as_str().parse().ok())
}

/// The value of a cookie.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

impl Browser {
    /// Forgets what somebody began here and did not finish: it is not for whoever comes next.
    ///
    /// # Errors
    /// The session's.
    pub async fn forget_drafts(&self) -> Result<(), Broken> {
        for key in [super::security::passkeys::ADDING, super::security::totp::ADDING] {
            self.session.remove_value(key).await.map_err(session_broken)?;
        }
        Ok(())
    }

    async fn find_signed_in(&self, app: &App) -> Result<Option<(SignedIn, Arc<User>)>, Broken> {
        let Some(signed_in) = self.session.get::<SignedIn>(SIGNED_IN).await.map_err(session_broken)? else {
            return Ok(None);
        };
        let user = app.store.find_user(&signed_in.user).await?;
        Ok(user.filter(|user| user.enabled).map(|user| (signed_in, user)))
    }

    /// Who is signed in, for the law.
    #[must_use]
    pub fn login(&self) -> Option<&SignedIn> {
        self.signed_in.as_ref().map(|(signed_in, _)| signed_in)
    }

    /// The base of a view.
    #[must_use]
    pub fn page(&self) -> Page {
        match &self.signed_in {
            Some((_, user)) => Page::for_user(self.language, user.name.clone(), user.admin),
            None => Page::new(self.language),
        }
    }

    /// The session's form token; made when it is first needed.
    ///
    /// # Errors
    /// The session's.
    pub async fn csrf(&self, app: &App) -> Result<String, Broken> {
        if let Some(known) = self.session.get::<String>(CSRF).await.map_err(session_broken)? {
            return Ok(known);
        }
        let fresh = Secret::generate(app.entropy.as_ref(), "").reveal().to_owned();
        self.session.insert(CSRF, &fresh).await.map_err(session_broken)?;
        Ok(fresh)
    }

    /// Whether a form came from a page of this session.
    ///
    /// # Errors
    /// The session's.
    pub async fn sent_by_our_form(&self, form: &Params) -> Result<bool, Broken> {
        let known = self.session.get::<String>(CSRF).await.map_err(session_broken)?;
        let sent = form.once(CSRF).ok().flatten();
        Ok(known.zip(sent).is_some_and(|(known, sent)| same(&known, sent)))
    }

    /// What ties an authorization request to this browser, before and after its user signs in.
    ///
    /// # Errors
    /// The session's.
    pub async fn binding(&self, app: &App) -> Result<String, Broken> {
        Ok(SecretDigest::of(&self.csrf(app).await?).to_text())
    }

    /// The waiting authorization request of this id, if it began in this browser.
    ///
    /// # Errors
    /// The page that says that it waits no longer.
    pub async fn waiting(&self, app: &App, interaction: &str) -> Result<Waiting, Box<Response>> {
        let broken = |reason: Broken| Box::new(self.broken(&reason));
        let found = app.store.find_interaction(interaction, self.visit.now).await;
        let found = found.map_err(|error| broken(error.into()))?;
        let waiting = found.map(|found| Waiting::read(found.document)).transpose().map_err(broken)?;
        let binding = self.binding(app).await.map_err(broken)?;
        waiting
            .filter(|waiting| same(&waiting.browser, &binding))
            .ok_or_else(|| Box::new(self.error(WhatHappened::NoLongerWaiting, None)))
    }

    /// An error page.
    #[must_use]
    pub fn error(&self, what: WhatHappened, refusal: Option<&Refusal>) -> Response {
        let status = match what {
            WhatHappened::NotAllowed | WhatHappened::FormRefused => StatusCode::FORBIDDEN,
            WhatHappened::NotFound => StatusCode::NOT_FOUND,
            WhatHappened::TooMany => StatusCode::TOO_MANY_REQUESTS,
            WhatHappened::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            WhatHappened::RequestRefused | WhatHappened::LinkUsed | WhatHappened::NoLongerWaiting => {
                StatusCode::BAD_REQUEST
            }
        };
        let view = ErrorPage {
            page: self.page(),
            what,
            code: refusal.map(|refusal| refusal.code.as_str().to_owned()),
            description: refusal.map(|refusal| refusal.description.clone().into_owned()),
            request_id: self.visit.id.to_string(),
        };
        render(status, &view, None)
    }

    /// Something of ours is broken.
    #[must_use]
    pub fn broken(&self, reason: &Broken) -> Response {
        tracing::error!(%reason, "a page could not be shown");
        let mut response = self.error(WhatHappened::Broken, None);
        if matches!(reason, Broken::Store(StoreError::Unavailable(_))) {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }

    /// Whatever went wrong in a trade.
    #[must_use]
    pub fn failure(&self, failure: &Failure) -> Response {
        match failure {
            Failure::Refused(refusal) => self.error(WhatHappened::RequestRefused, Some(refusal)),
            Failure::Broken(reason) => self.broken(reason),
        }
    }

    /// An authorization request that goes no further.
    #[must_use]
    pub fn stop(&self, stop: Stop) -> Response {
        match stop {
            Stop::Page(refusal) => self.error(WhatHappened::RequestRefused, Some(&refusal)),
            Stop::Redirect(url) => see_other(&url),
            Stop::Broken(reason) => self.broken(&reason),
        }
    }
}

/// A fault of the session's storage.
pub fn session_broken(error: tower_sessions::session::Error) -> Broken {
    match error {
        tower_sessions::session::Error::Store(_) => {
            Broken::Store(StoreError::Unavailable("browser sessions"))
        }
        _ => Broken::Other("a browser session does not read back"),
    }
}

/// 303: whatever was posted is not posted again (RFC 9700 §4.12).
#[must_use]
pub fn see_other(url: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(header::LOCATION, location);
    protect(&mut response, None);
    response
}

/// The name of the cookie that changes with every answer.
const ANSWERED: &str = "__Host-procura-answered";

/// Leads on from a page that was answered. Browsers keep pages to show them again at the back button, whatever
/// `Cache-Control` says, until a cookie that scripts cannot read changes: so one does, and the page is asked for anew.
#[must_use]
pub fn see_other_for_good(url: &str, interaction: &str) -> Response {
    let mut response = see_other(url);
    let digest = SecretDigest::of(interaction).to_text();
    let cookie = format!("{ANSWERED}={digest}; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The name of the cookie of a browser that somebody was signed in with.
const MARK: &str = "__Host-procura-browser";
/// How long the mark is kept: a year, about as long as browsers keep anything.
const MARK_LIFE: i64 = 365 * 86_400;

/// Gives a browser the mark by which it is known.
pub fn keep_mark(response: &mut Response, mark: &Secret) {
    let mark = mark.reveal();
    let cookie = format!("{MARK}={mark}; Path=/; Max-Age={MARK_LIFE}; Secure; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// A page that asks for passkeys: the one script of ours may run on it.
#[must_use]
pub fn render_with_script(status: StatusCode, view: &impl Template, leads_to: Option<&str>) -> Response {
    let mut response = render(status, view, leads_to);
    let policy = response.headers().get(header::CONTENT_SECURITY_POLICY);
    let policy =
        policy.and_then(|policy| policy.to_str().ok()).map(|policy| format!("script-src 'self'; {policy}"));
    if let Some(Ok(policy)) = policy.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A page. `leads_to` is where a form on it may end up: browsers hold redirects after a form against `form-action`.
#[must_use]
pub fn render(status: StatusCode, view: &impl Template, leads_to: Option<&str>) -> Response {
    match view.render() {
        Ok(html) => {
            let mut response = (status, Html(html)).into_response();
            protect(&mut response, leads_to);
            response
        }
        Err(error) => {
            tracing::error!(%error, "a template could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// No foreign content, no frames, no referrer, no copies (RFC 9700 §4.2.4, §4.16).
fn protect(response: &mut Response, leads_to: Option<&str>) {
    let destination = leads_to.and_then(source_of).map_or_else(String::new, |source| format!(" {source}"));
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; \
         form-action 'self'{destination}"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// A URL as a CSP source: its origin, or its scheme where it has none (private-use schemes) and where a source
/// cannot say it (CSP 3 §2.3.1 has no words for IPv6 addresses, which browsers therefore ignore).
fn source_of(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    match url.origin() {
        url::Origin::Tuple(_, url::Host::Domain(_) | url::Host::Ipv4(_), _) => {
            Some(url.origin().ascii_serialization())
        }
        _ => Some(format!("{}:", url.scheme())),
    }
}

/// A form posted by a page of ours. Whether it was, is asked of [`Browser::sent_by_our_form`].
pub struct Form(pub Params);

impl FromRequest<Arc<App>> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let unreadable = || StatusCode::BAD_REQUEST.into_response();
        let body = Bytes::from_request(request, app).await.map_err(|rejection| rejection.into_response())?;
        Params::parse(&body).map(Self).map_err(|_| unreadable())
    }
}

/// One value of a query or form that may be there once.
#[must_use]
pub fn one<'a>(params: &'a Params, name: &'static str) -> &'a str {
    params.once(name).ok().flatten().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_may_lead_to_the_clients_origin_or_scheme_and_nowhere_else() {
        assert_eq!(source_of("https://app.example/cb?x=1").as_deref(), Some("https://app.example"));
        assert_eq!(source_of("http://127.0.0.1:8400/cb").as_deref(), Some("http://127.0.0.1:8400"));
        assert_eq!(source_of("http://[::1]:8400/cb").as_deref(), Some("http:"));
        assert_eq!(source_of("com.example.app:/cb").as_deref(), Some("com.example.app:"));
        assert_eq!(source_of("no url"), None);
    }
}
