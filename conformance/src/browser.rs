//! A browser without JavaScript: cookies, redirects by hand, forms by the ids of their elements.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use url::Url;

use crate::answer::Answer;
use crate::forms::{self, Form};
use crate::profile::{Pages, Profile, User};

/// The most steps from the authorization endpoint back to the client.
const MOST_STEPS: usize = 12;

/// Where the browser came back to the client.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The whole URL.
    pub url: String,
    /// The parameters in its query.
    pub params: BTreeMap<String, String>,
    /// Every page that was seen on the way.
    pub pages: Vec<Answer>,
}

impl Landing {
    /// A parameter, or nothing.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Reads the URL of a redirect.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(url: &str, pages: Vec<Answer>) -> Result<Self> {
        let parsed = Url::parse(url).with_context(|| format!("the redirect {url} is no URL"))?;
        let params = parsed.query_pairs().into_owned().collect();
        Ok(Self { url: url.to_owned(), params, pages })
    }
}

/// One browser with its cookies.
#[derive(Clone, Debug)]
pub struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
    /// Whether whoever sits before it presses the button to deny.
    pub denies: bool,
}

impl Browser {
    /// A new one, without cookies.
    #[must_use]
    pub const fn new(http: reqwest::Client) -> Self {
        Self { http, cookies: BTreeMap::new(), denies: false }
    }

    /// One request, redirects not followed.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn get(&mut self, url: &str) -> Result<Answer> {
        self.send(self.http.get(url)).await
    }

    /// A form is sent.
    ///
    /// # Errors
    /// Where there is no answer.
    pub async fn post(&mut self, url: &str, fields: &[(String, String)]) -> Result<Answer> {
        let origin = Url::parse(url)?.origin().ascii_serialization();
        let request = self.http.post(url).header(ORIGIN, origin).header("sec-fetch-site", "same-origin");
        self.send(request.form(fields)).await
    }

    async fn send(&mut self, mut request: reqwest::RequestBuilder) -> Result<Answer> {
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        let response = request.send().await?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        Answer::read(response).await
    }

    /// Goes to `url` and on, signing in and answering on the way, until it comes back to `home`.
    ///
    /// # Errors
    /// Where it gets stuck, with the page it is stuck at.
    pub async fn follow(&mut self, url: &str, home: &str, pages: &Pages, user: &User) -> Result<Landing> {
        let (mut at, mut seen) = (url.to_owned(), Vec::new());
        let mut answer = self.get(&at).await?;
        for _ in 0..MOST_STEPS {
            let location = answer.header("location").to_owned();
            seen.push(answer.clone());
            if (300..400).contains(&answer.status) && !location.is_empty() {
                let next = Url::parse(&at)?.join(&location)?.to_string();
                if location.starts_with(home) {
                    return Landing::read(&location, seen);
                }
                at = next;
                answer = self.get(&at).await?;
                continue;
            }
            let answering = if self.denies { &pages.deny } else { &pages.approve };
            let sign_in = Form::with(&answer.text, &pages.sign_in);
            let (mut form, button) = match (sign_in, Form::with(&answer.text, answering)) {
                (Some(form), _) if answer.status == 200 => (form, &pages.sign_in),
                (_, Some(form)) => (form, answering),
                _ => bail!("the browser is stuck at {at}: {}", answer.brief()),
            };
            form.fill(&pages.username, &user.username);
            form.fill(&pages.password, &user.password);
            form.press(button);
            at = Url::parse(&at)?.join(&form.action)?.to_string();
            answer = self.post(&at, &form.fields).await?;
        }
        bail!("the browser did not come back within {MOST_STEPS} steps; it is at {at}")
    }

    /// Goes to `url` and on, signing in where it is asked to, and presses each of `buttons` once where it finds it,
    /// until none of them is on the page or the way leads to another site. `typed` is filled in wherever there is a
    /// field of that id. What came last.
    ///
    /// # Errors
    /// Where it goes in circles.
    pub async fn walk(
        &mut self,
        url: &str,
        profile: &Profile,
        typed: &[(&str, &str)],
        buttons: &[&str],
    ) -> Result<Answer> {
        let home = Url::parse(url)?.origin();
        let (pages, user) = (&profile.pages, &profile.user);
        let mut left = buttons.to_vec();
        let mut at = Url::parse(url)?;
        let mut answer = self.get(url).await?;
        for _ in 0..MOST_STEPS {
            let location = answer.header("location");
            if (300..400).contains(&answer.status) && !location.is_empty() {
                let next = at.join(location)?;
                if next.origin() != home {
                    return Ok(answer);
                }
                at = next;
                answer = self.get(at.as_str()).await?;
                continue;
            }
            let sign_in = Form::with(&answer.text, &pages.sign_in).filter(|_| answer.status == 200);
            let found = left.iter().position(|button| forms::has(&answer.text, button));
            let (mut form, button) = match (sign_in, found) {
                (Some(form), _) => (form, pages.sign_in.as_str()),
                (None, Some(index)) => {
                    let button = left.remove(index);
                    (Form::with(&answer.text, button).context("a button outside of any form")?, button)
                }
                (None, None) => return Ok(answer),
            };
            form.fill(&pages.username, &user.username);
            form.fill(&pages.password, &user.password);
            for (field, text) in typed {
                form.fill(field, text);
            }
            form.press(button);
            answer = self.submit(&mut at, &form).await?;
        }
        bail!("the browser does not come to an end within {MOST_STEPS} steps; it is at {at}")
    }

    async fn submit(&mut self, at: &mut Url, form: &Form) -> Result<Answer> {
        *at = at.join(&form.action)?;
        if form.post {
            return self.post(at.as_str(), &form.fields).await;
        }
        at.query_pairs_mut().clear().extend_pairs(&form.fields);
        self.get(at.as_str()).await
    }
}

/// Whether a page asks somebody to sign in.
#[must_use]
pub fn asks_to_sign_in(page: &str, pages: &Pages) -> bool {
    forms::has(page, &pages.sign_in)
}
