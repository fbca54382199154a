//! Coming in: where somebody wants to go, and the session that begins when they have proven who they are.

use axum::response::Response;
use protocol::acr::Method;
use protocol::device::Device;
use protocol::local_path::LocalPath;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::params::Params;
use protocol::token::Login;
use protocol::user::User;
use serde::{Deserialize, Serialize};

use super::super::authorize::go_on;
use super::super::federation::UNTIL;
use super::super::page::{Browser, SIGNED_IN, keep_mark, one, see_other, session_broken};
use super::super::views::WhatHappened;
use crate::app::App;
use crate::authorization::{SignedIn, Waiting};
use crate::failure::{Broken, Failure};
use crate::logout::{self, Ends};
use crate::secret::random_id;
use crate::sign_in::{self, Halfway, NotSignedIn};
use crate::store::password_mark;

/// The session's key for a question for a passkey.
pub(super) const CEREMONY: &str = "passkey_asked";
/// The session's key for somebody who proved a first factor.
pub(super) const HALFWAY: &str = "halfway";
/// The session's key for where and when somebody signed in.
pub const PRESENCE: &str = "presence";

/// The session's key, while it is written for the first time, for the password that its user has to have then.
pub const PASSWORD: &str = "password";

/// How long after signing in somebody may change what they sign in with.
const FRESH: Seconds = Seconds::minutes(10);

/// Where and when somebody signed in, for the list of their sessions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Presence {
    /// The browser.
    #[serde(flatten)]
    pub device: Device,
    /// When.
    pub since: NumericDate,
}

/// Where somebody wants to go, and what waits for them.
#[derive(Default)]
pub struct Way {
    /// The authorization request that waits for the sign-in; empty where none does.
    pub interaction: String,
    /// The same, as it is kept.
    pub waiting: Option<Waiting>,
    /// The page of ours that they wanted to see.
    pub next: Option<LocalPath>,
}

impl Way {
    /// Reads `interaction` and `next` of a query or a form. A `next` that leads elsewhere is none.
    ///
    /// # Errors
    /// The page that says that the request waits no longer.
    pub async fn read(app: &App, browser: &Browser, params: &Params) -> Result<Self, Box<Response>> {
        let interaction = one(params, "interaction").to_owned();
        let next = one(params, "next").parse().ok();
        let waiting = match interaction.is_empty() {
            true => None,
            false => Some(browser.waiting(app, &interaction).await?),
        };
        Ok(Self { interaction, waiting, next })
    }

    /// Where a form on the way may end up in the end.
    #[must_use]
    pub fn leads_to(&self) -> Option<&str> {
        self.waiting.as_ref().map(|waiting| waiting.return_address.as_str())
    }

    /// `next` as a form carries it.
    #[must_use]
    pub fn next_text(&self) -> String {
        self.next.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// The URL of a step on this way.
    #[must_use]
    pub fn step(&self, path: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("interaction", self.interaction.as_str()), ("next", &self.next_text())] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        let query = query.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// The password was right: whoever has a second factor is asked for it, everybody else is signed in.
pub async fn first_factor(app: &App, browser: &Browser, way: &Way, user: &User) -> Response {
    let factors = match sign_in::factors(app, &user.id).await {
        Ok(factors) => factors,
        Err(failure) => return browser.failure(&failure),
    };
    if factors.ask_for_more() {
        let halfway = Halfway::new(user, Method::Password, &browser.visit);
        return match browser.session.insert(HALFWAY, halfway).await {
            Ok(()) => see_other(&way.step("/sign-in/second-factor")),
            Err(error) => browser.broken(&session_broken(error)),
        };
    }
    match sign_in::complete(app, &browser.visit, user, Method::Password).await {
        Ok(login) => enter(app, browser, way, user, login).await,
        Err(NotSignedIn::Broken(reason)) => browser.broken(&reason),
        Err(NotSignedIn::Wrong | NotSignedIn::TooMany) => browser.error(WhatHappened::NotAllowed, None),
    }
}

/// Somebody is signed in by this login, whoever vouches for it: makes their session, remembers the browser, and leads
/// them on.
pub async fn enter(app: &App, browser: &Browser, way: &Way, user: &User, login: Login) -> Response {
    match remember(app, browser, &way.interaction, user, login).await {
        Ok(signed_in) => lead_on(app, browser, way, user, &signed_in).await,
        Err(reason) => browser.broken(&reason),
    }
}

/// Remembers the browser of somebody whose session has begun, and leads them on.
pub async fn lead_on(app: &App, browser: &Browser, way: &Way, user: &User, signed_in: &SignedIn) -> Response {
    let mark = sign_in::remember_browser(app, &browser.visit, &user.id, browser.mark.as_deref()).await;
    let mut response = match &way.waiting {
        Some(waiting) => go_on(app, browser, &way.interaction, waiting, Some(signed_in)).await,
        None => see_other(way.next.as_ref().map_or("/account", LocalPath::as_str)),
    };
    match mark {
        Ok(mark) => keep_mark(&mut response, &mark),
        // They are signed in all the same; this browser is only not known the next time.
        Err(failure) => tracing::warn!(?failure, "a browser could not be remembered"),
    }
    response
}

/// Begins the session of somebody who is signed in. The cookie gets a new value, so that nobody who knew the old one comes along.
pub async fn remember(
    app: &App,
    browser: &Browser,
    interaction: &str,
    user: &User,
    login: Login,
) -> Result<SignedIn, Broken> {
    // Whoever signs in again goes on in their session; somebody else begins one of their own, with nothing in it.
    let same_user = browser.login().filter(|before| before.user == user.id);
    let session = match same_user {
        Some(before) => before.session.clone(),
        None => random_id(app.entropy.as_ref(), "ses_")
            .parse()
            .map_err(|_| Broken::Other("a random id is no identifier"))?,
    };
    // Who vouches for them now says how long this lasts.
    for key in [HALFWAY, CEREMONY, UNTIL] {
        browser.session.remove_value(key).await.map_err(session_broken)?;
    }
    if let Some(before) = browser.login().filter(|before| before.user != user.id) {
        browser.forget_drafts().await?;
        let reason = Some("somebody else signed in");
        let ends = Ends { session: &before.session, user: &before.user, reason };
        match logout::end(app, &browser.visit, &ends).await {
            Ok(()) => {}
            Err(Failure::Broken(broken)) => return Err(broken),
            Err(Failure::Refused(_)) => return Err(Broken::Other("a session could not be ended")),
        }
    }
    let for_interaction = (!interaction.is_empty()).then(|| interaction.to_owned());
    let signed_in = SignedIn { user: user.id.clone(), session, login, for_interaction };
    let device = Device::of(browser.user_agent.as_deref(), browser.visit.from);
    let presence = Presence { device, since: browser.visit.now };
    browser.session.cycle_id().await.map_err(session_broken)?;
    browser.session.insert(SIGNED_IN, &signed_in).await.map_err(session_broken)?;
    browser.session.insert(PRESENCE, &presence).await.map_err(session_broken)?;
    // What comes next may write a code that hangs on this session: it has to be there first. And it is there only if
    // the password has not been reset since: that ended every session, and must not miss this one.
    browser.session.insert(PASSWORD, password_mark(user)).await.map_err(session_broken)?;
    if let Err(error) = browser.session.save().await {
        browser.session.flush().await.map_err(session_broken)?;
        return Err(session_broken(error));
    }
    browser.session.remove_value(PASSWORD).await.map_err(session_broken)?;
    Ok(signed_in)
}

/// The way to sign in for a page that needs somebody; it leads back to that page.
#[must_use]
pub fn first(browser: &Browser) -> Response {
    if browser.signed_in.is_some() {
        return browser.error(WhatHappened::NotAllowed, None);
    }
    let next = browser.path.clone();
    see_other(&Way { next, ..Way::default() }.step("/sign-in"))
}

/// Whether somebody signed in just now, so that it is surely them who changes what they sign in with.
#[must_use]
pub fn is_fresh(browser: &Browser) -> bool {
    let age = browser.login().map(|signed_in| browser.visit.now.since(signed_in.login.auth_time));
    age.is_some_and(|age| age <= FRESH)
}

/// The way to sign in once more, back to a page of ours.
#[must_use]
pub fn again(next: &str) -> Response {
    see_other(&Way { next: next.parse().ok(), ..Way::default() }.step("/sign-in"))
}
