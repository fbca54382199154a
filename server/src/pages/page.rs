//! What every page needs: the browser's session and language, the form token, and the headers that protect it.

use std::sync::Arc;

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use protocol::local_path::LocalPath;
use protocol::params::Params;
use protocol::refusal::Refusal;
use protocol::user::User;
use tower_sessions::Session;

use super::views::{ErrorPage, FormPostPage, Language, Page, WhatHappened, language_of};
use crate::app::{App, Visit, same};
use crate::authorization::{Answer, SignedIn, Stop, Waiting};
use crate::failure::{Broken, Failure};
use crate::secret::{Secret, SecretDigest};
use crate::store::StoreError;

/// The session's key for who is signed in.
pub const SIGNED_IN: &str = "signed_in";
/// The session's key for the authorization request in which the user chose to go on as who they are.
pub const ACCOUNT_CHOSEN: &str = "account_chosen";
/// The session's key for the languages that the last authorization request asked for (`ui_locales`).
const UI_LOCALES: &str = "ui_locales";
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
    /// Whether this is a test server.
    pub test_server: bool,
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
        let test_server = app.settings.certification.is_some();
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let mut browser = Self {
            visit,
            session,
            language,
            path: path(parts),
            user_agent: header(header::USER_AGENT).map(|agent| agent.chars().take(LONGEST_AGENT).collect()),
            mark: cookie(&parts.headers, MARK),
            signed_in: None,
            test_server,
        };
        match browser.find_signed_in(app).await {
            Ok(signed_in) => browser.signed_in = signed_in,
            Err(reason) => return Err(browser.broken(&reason)),
        }
        let locales = browser.session.get::<String>(UI_LOCALES).await.ok().flatten();
        browser.language = locales.and_then(|locales| Language::first_of(&locales)).unwrap_or(language);
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

    /// Speaks the language that an authorization request asks for (`ui_locales`, OpenID Connect Core §3.1.2.1) from its
    /// next page on, until another request asks for another one or for none.
    ///
    /// # Errors
    /// The session's.
    pub async fn speak(&self, ui_locales: Option<&str>) -> Result<(), Broken> {
        match ui_locales.filter(|locales| Language::first_of(locales).is_some()) {
            Some(locales) => self.session.insert(UI_LOCALES, locales).await.map_err(session_broken),
            // A session in which nothing changes need not be written.
            None if self.session.get_value(UI_LOCALES).await.map_err(session_broken)?.is_none() => Ok(()),
            None => self.session.remove_value(UI_LOCALES).await.map(drop).map_err(session_broken),
        }
    }

    /// Who is signed in, for the law.
    #[must_use]
    pub fn login(&self) -> Option<&SignedIn> {
        self.signed_in.as_ref().map(|(signed_in, _)| signed_in)
    }

    /// The admin who is signed in, if it is one.
    #[must_use]
    pub fn admin(&self) -> Option<&SignedIn> {
        self.signed_in.as_ref().filter(|(_, user)| user.admin).map(|(signed_in, _)| signed_in)
    }

    /// The base of a view.
    #[must_use]
    pub fn page(&self) -> Page {
        let page = match &self.signed_in {
            Some((_, user)) => Page::for_user(self.language, user.name.clone(), user.admin),
            None => Page::new(self.language),
        };
        Page { test_server: self.test_server, ..page }
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

    /// What was found, or that there is no such thing.
    #[must_use]
    pub fn found(&self, view: Result<Option<impl Template>, Failure>) -> Response {
        match view {
            Ok(Some(view)) => render(StatusCode::OK, &view, None),
            Ok(None) => self.error(WhatHappened::NotFound, None),
            Err(failure) => self.failure(&failure),
        }
    }

    /// An authorization request that goes no further.
    #[must_use]
    pub fn stop(&self, stop: Stop) -> Response {
        match stop {
            Stop::Page(refusal) => self.error(WhatHappened::RequestRefused, Some(&refusal)),
            Stop::Answer(answer) => self.answer(answer, None),
            Stop::Broken(reason) => self.broken(&reason),
        }
    }

    /// The answer to a client, as the browser is to bring it there. With it, the pages of this `interaction` are over.
    #[must_use]
    pub fn answer(&self, answer: Answer, interaction: Option<&str>) -> Response {
        let mut response = match answer {
            Answer::Redirect(url) => see_other(&url),
            Answer::Form { action, fields } => {
                let host = url::Url::parse(&action).ok().and_then(|url| url.host_str().map(str::to_owned));
                let host = host.unwrap_or_else(|| action.clone());
                let view =
                    FormPostPage { page: Page::new(self.language), action: action.clone(), host, fields };
                let mut response = render(StatusCode::OK, &view, Some(&action));
                also_permit(&mut response, "script-src 'self'");
                response
            }
        };
        if let Some(interaction) = interaction {
            close(&mut response, interaction);
        }
        response
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

/// Leads on from a page that was answered.
#[must_use]
pub fn see_other_for_good(url: &str, interaction: &str) -> Response {
    let mut response = see_other(url);
    close(&mut response, interaction);
    response
}

/// Browsers keep pages to show them again at the back button, whatever `Cache-Control` says, until a cookie that
/// scripts cannot read changes: so one does, and the page is asked for anew.
fn close(response: &mut Response, interaction: &str) {
    let digest = SecretDigest::of(interaction).to_text();
    let cookie = format!("{ANSWERED}={digest}; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
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
    also_permit(&mut response, "script-src 'self'");
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

/// Adds to what a page's content security policy permits: a directive that it does not have yet.
pub fn also_permit(response: &mut Response, directive: &str) {
    let headers = response.headers_mut();
    let before = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|value| value.to_str().ok());
    let after = format!("{}; {directive}", before.unwrap_or("default-src 'none'"));
    if let Ok(after) = HeaderValue::from_str(&after) {
        headers.insert(header::CONTENT_SECURITY_POLICY, after);
    }
}

/// A URL as a CSP source: its origin, or its scheme where it has none (private-use schemes) and where a source
/// cannot say it (CSP 3 §2.3.1 has no words for IPv6 addresses, which browsers therefore ignore).
pub(super) fn source_of(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    match url.origin() {
        url::Origin::Tuple(_, url::Host::Domain(_) | url::Host::Ipv4(_), _) => {
            Some(url.origin().ascii_serialization())
        }
        _ => Some(format!("{}:", url.scheme())),
    }
}

/// Waits for the whole body of a request before anything else is asked about it.
pub async fn whole(request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    match Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(rejection) => rejection.into_response(),
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
