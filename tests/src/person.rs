//! A person with a browser that runs no scripts: one cookie, real forms, redirects followed by hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use reqwest::header::HeaderMap;
use url::Url;

use crate::form::{Form, unescape};
use crate::house::Door;

/// Somebody with a browser.
#[derive(Clone)]
pub struct Person {
    door: Door,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

/// Where a person got to.
pub enum Arrival {
    /// A page of the house.
    Page(Page),
    /// Away, to this URL: back to the client. Nobody went there.
    Away(Url),
}

/// A page of the house.
pub struct Page {
    /// Its path and query.
    pub path: String,
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The HTML.
    pub html: String,
    person: Person,
}

impl Person {
    pub(crate) fn new(door: &Door) -> Self {
        Self { door: door.clone(), cookies: Arc::default() }
    }

    /// The cookies as they would be sent.
    #[must_use]
    pub fn cookie_header(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Visits a path.
    pub async fn get(&self, path: &str) -> Arrival {
        self.go(path.to_owned(), None).await
    }

    /// Visits a path and must stay in the house.
    pub async fn page(&self, path: &str) -> Page {
        self.get(path).await.page()
    }

    /// Brings an authorization request.
    pub async fn authorize(&self, params: &[(&str, &str)]) -> Arrival {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        self.get(&format!("/authorize?{query}")).await
    }

    /// Signs in, for nothing in particular.
    pub async fn sign_in(&self, username: &str, password: &str) {
        // Whoever is signed in already is asked once more only for the sake of a page.
        let page = self.page("/sign-in?next=%2Faccount").await;
        let page = page.sign_in(username, password).await.page();
        assert_eq!((page.status, page.path.as_str()), (200, "/account"), "{}", page.html);
    }

    /// Types the code of an authenticator app, or a recovery code, at a sign-in that came as far as that.
    pub async fn prove(&self, page: &Page, action: &str, code: &str) -> Arrival {
        let mut form = page.form_to(action);
        form.fill("code", code);
        page.submit(&form, None).await
    }

    /// Somebody else's browser with the same cookies.
    #[must_use]
    pub fn copied(&self) -> Self {
        let cookies = self.cookies.lock().unwrap().clone();
        Self { door: self.door.clone(), cookies: Arc::new(Mutex::new(cookies)) }
    }

    /// Forgets a cookie.
    pub fn forget_cookie(&self, name: &str) {
        self.cookies.lock().unwrap().remove(name);
    }

    /// Posts a form.
    pub async fn post(&self, action: &str, fields: &[(String, String)]) -> Arrival {
        self.go(action.to_owned(), Some(fields)).await
    }

    async fn go(&self, path: String, fields: Option<&[(String, String)]>) -> Arrival {
        let mut path = path;
        let mut fields = fields;
        for _ in 0..10 {
            let url = self.door.url(&path);
            let request = match fields {
                None => self.door.http.get(&url),
                Some(fields) => self.door.http.post(&url).form(fields).header("Origin", &self.door.issuer),
            };
            let request =
                request.header("Sec-Fetch-Site", "same-origin").header("Cookie", self.cookie_header());
            let response = request.send().await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            self.keep_cookies(&headers);
            let html = response.text().await.unwrap();
            if !(300..400).contains(&status) {
                return Arrival::Page(Page { path, status, headers, html, person: self.clone() });
            }
            let location = headers["location"].to_str().unwrap();
            let target = Url::parse(&url).unwrap().join(location).unwrap();
            match target.as_str().strip_prefix(&self.door.issuer) {
                Some(inside) if inside.starts_with('/') => inside.clone_into(&mut path),
                _ => return Arrival::Away(target),
            }
            fields = None;
        }
        panic!("led in circles, last to {path}")
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap();
        for header in headers.get_all("set-cookie") {
            let mut parts = header.to_str().unwrap().split(';');
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let over = parts.any(|part| part.trim().eq_ignore_ascii_case("max-age=0"));
            if over || value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.into(), value.into());
            }
        }
    }
}

impl Arrival {
    /// A page of the house it must be.
    #[track_caller]
    pub fn page(self) -> Page {
        match self {
            Self::Page(page) => page,
            Self::Away(url) => panic!("led away to {url}"),
        }
    }

    /// Away it must be.
    #[track_caller]
    pub fn away(self) -> Url {
        match self {
            Self::Away(url) => url,
            Self::Page(page) => {
                panic!("still in the house, at {}: {} {}", page.path, page.status, page.text())
            }
        }
    }

    /// Away it must be, with this parameter.
    #[track_caller]
    pub fn param(self, name: &str) -> String {
        let url = self.away();
        let found = url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        found.unwrap_or_else(|| panic!("no {name} in {url}"))
    }
}

impl Page {
    /// The page's only form, or the one that goes to the page's own path.
    #[track_caller]
    pub fn form(&self) -> Form {
        let own = self.path.split('?').next().unwrap_or_default();
        let mut forms = Form::all(&self.html);
        let index = forms.iter().position(|form| form.action == own).unwrap_or(0);
        assert!(index < forms.len(), "no form at {}: {} {}", self.path, self.status, self.html);
        forms.swap_remove(index)
    }

    /// The options for `navigator.credentials` on the form of this id.
    #[track_caller]
    pub fn passkey_options(&self, form: &str) -> serde_json::Value {
        let found = crate::form::data(&self.html, form, "data-options");
        let options = found.unwrap_or_else(|| panic!("no #{form} at {}: {}", self.path, self.html));
        serde_json::from_str(&options).unwrap()
    }

    /// Sends what a device said by the form that goes to `action`, as the page's script would.
    pub async fn submit_passkey(&self, action: &str, credential: &str) -> Arrival {
        let mut form = self.form_to(action);
        form.fill("credential", credential);
        self.submit(&form, None).await
    }

    /// The text of the element of this id, without tags.
    #[track_caller]
    pub fn text_of(&self, id: &str) -> String {
        let (_, after) = self
            .html
            .split_once(&format!("id=\"{id}\""))
            .unwrap_or_else(|| panic!("no #{id} at {}: {}", self.path, self.text()));
        let inner = after.split_once('>').map_or("", |(_, inner)| inner);
        unescape(inner.split('<').next().unwrap_or_default()).trim().to_owned()
    }

    /// The first form that goes to `action`.
    #[track_caller]
    pub fn form_to(&self, action: &str) -> Form {
        let found = Form::all(&self.html).into_iter().find(|form| form.action == action);
        found.unwrap_or_else(|| {
            panic!("no form to {action} at {}: {} {}", self.path, self.status, self.text())
        })
    }

    /// Sends a form of this page, with the button `name` pressed as `value`, if it has a name.
    pub async fn submit(&self, form: &Form, button: Option<(&str, &str)>) -> Arrival {
        let mut fields = form.fields.clone();
        if let Some((name, value)) = button {
            let button = (name.to_owned(), value.to_owned());
            assert!(form.buttons.contains(&button), "no button {button:?} in {:?}", form.buttons);
            fields.push(button);
        }
        self.person.post(&form.action, &fields).await
    }

    /// Fills in the sign-in form and sends it.
    pub async fn sign_in(&self, username: &str, password: &str) -> Arrival {
        let mut form = self.form();
        form.fill("username", username).fill("password", password);
        self.submit(&form, None).await
    }

    /// Approves what the consent page shows, after `change` to the form.
    pub async fn approve(&self, change: impl FnOnce(&mut Form)) -> Arrival {
        let mut form = self.form();
        change(&mut form);
        self.submit(&form, Some(("decision", "approve"))).await
    }

    /// Says no.
    pub async fn deny(&self) -> Arrival {
        self.submit(&self.form(), Some(("decision", "deny"))).await
    }

    /// Where the link of this id leads.
    #[must_use]
    #[track_caller]
    pub fn link(&self, id: &str) -> String {
        let tag =
            self.html.split('<').find(|tag| tag.starts_with("a ") && tag.contains(&format!("id=\"{id}\"")));
        let href = tag.and_then(|tag| tag.split_once("href=\"")?.1.split('"').next());
        unescape(
            href.unwrap_or_else(|| panic!("no link {id} at {}: {} {}", self.path, self.status, self.text())),
        )
    }

    /// What can be read on the page, without tags, in one line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for piece in self.html.split('<') {
            text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
            text.push(' ');
        }
        unescape(&text).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
