//! Alice's browser, as far as the pages need one: it keeps a cookie, follows redirects within the house, and posts
//! the forms that it finds, with what a person would leave ticked.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::{Context as _, bail};
use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{Method, Request};

use super::wire::{Exchange, Wire, encoded};

/// A browser with its cookies. They are `Secure`, and the demo's house speaks http on this machine: browsers make
/// that exception for the machine itself, and so does this one.
pub struct Browser<'a> {
    wire: &'a Wire,
    house: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// A form as a page shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Form {
    /// Where it is posted.
    pub action: String,
    /// What it would send if nobody touched it.
    pub fields: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    /// A fresh browser, about to visit `house`.
    #[must_use]
    pub fn new(wire: &'a Wire, house: &str) -> Self {
        Self { wire, house: house.to_owned(), cookies: Mutex::default() }
    }

    /// Opens a page.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn get(&self, url: &str) -> anyhow::Result<Exchange> {
        self.send(Method::GET, url, None).await
    }

    /// Opens a page and follows the redirects within the house; the way to the page comes with it.
    ///
    /// # Errors
    /// Where no answer comes, or never a page.
    pub async fn open(&self, url: &str) -> anyhow::Result<Exchange> {
        let mut answer = self.get(url).await?;
        for _ in 0..5 {
            match self.way_on(&answer) {
                Some(next) => answer = self.get(&next).await?,
                None => return Ok(answer),
            }
        }
        bail!("the redirects of {url} do not end")
    }

    /// Posts a form of a page.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn post(&self, form: &Form) -> anyhow::Result<Exchange> {
        let url = format!("{}{}", self.house, form.action);
        self.send(Method::POST, &url, Some(form)).await
    }

    async fn send(&self, method: Method, url: &str, form: Option<&Form>) -> anyhow::Result<Exchange> {
        let mut request = Request::builder().method(method).uri(url).header(ACCEPT_LANGUAGE, "en");
        let cookies: Vec<String> = match self.cookies.lock() {
            Ok(jar) => jar.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            Err(_) => Vec::new(),
        };
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        let mut body = Vec::new();
        if let Some(form) = form {
            request = request
                .header(ORIGIN, &self.house)
                .header("sec-fetch-site", "same-origin")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            body = encoded(&form.fields);
        }
        let answer = self.wire.send(request.body(body)?).await?;
        self.remember(&answer);
        Ok(answer)
    }

    fn remember(&self, answer: &Exchange) {
        let Ok(mut jar) = self.cookies.lock() else { return };
        for cookie in answer.headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                jar.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }

    /// Where an answer leads within the house.
    #[must_use]
    pub fn way_on(&self, answer: &Exchange) -> Option<String> {
        let location = answer.header(LOCATION.as_str())?;
        if location.starts_with('/') {
            return Some(format!("{}{location}", self.house));
        }
        location.strip_prefix(&self.house).filter(|rest| rest.starts_with('/')).map(|_| location.to_owned())
    }
}

impl Form {
    /// Reads the form of a page that is posted to `action`.
    ///
    /// # Errors
    /// Where the page has none.
    pub fn find(page: &str, action: &str) -> anyhow::Result<Self> {
        let forms = page.split("<form").skip(1).filter_map(|rest| rest.split("</form>").next());
        let mut forms = forms.filter(|form| attribute(tag_of(form), "action").as_deref() == Some(action));
        let form = forms.next().with_context(|| format!("the page has no form for {action}"))?;
        let mut fields = Vec::new();
        for input in form.split("<input").skip(1).map(tag_of) {
            let tickable = matches!(attribute(input, "type").as_deref(), Some("checkbox" | "radio"));
            let sent = !has(input, "disabled") && (!tickable || has(input, "checked"));
            if let (true, Some(name)) = (sent, attribute(input, "name")) {
                fields.push((name, attribute(input, "value").unwrap_or_default()));
            }
        }
        for select in form.split("<select").skip(1).filter_map(|rest| rest.split("</select>").next()) {
            let options: Vec<&str> = select.split("<option").skip(1).map(tag_of).collect();
            let chosen = options.iter().find(|option| has(option, "selected")).or(options.first());
            if let (Some(name), Some(chosen)) = (attribute(tag_of(select), "name"), chosen) {
                fields.push((name, attribute(chosen, "value").unwrap_or_default()));
            }
        }
        Ok(Self { action: action.to_owned(), fields })
    }

    /// Types into a field, or presses a button.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What the form holds under a name.
    pub fn every<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.fields.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}

/// The text of a tag up to where it closes; our own templates never have `>` in a value.
fn tag_of(rest: &str) -> &str {
    rest.split('>').next().unwrap_or_default()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = tag[start..].split('"').next()?;
    Some(unescaped(value))
}

/// Whether a tag has an attribute without a value.
fn has(tag: &str, name: &str) -> bool {
    let mut outside = tag.split('"').step_by(2);
    outside.any(|part| part.split_ascii_whitespace().any(|word| word == name))
}

/// What the five characters that a page must escape stood for.
#[must_use]
pub fn unescaped(text: &str) -> String {
    let named = [("&lt;", "<"), ("&#60;", "<"), ("&gt;", ">"), ("&#62;", ">"), ("&quot;", "\"")];
    let quoted = [("&#34;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&#38;", "&"), ("&amp;", "&")];
    let all = named.iter().chain(&quoted);
    all.fold(text.to_owned(), |text, (escape, meant)| text.replace(escape, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_sends_what_a_browser_would() {
        let page = r#"<form method="post" action="/other"><input name="x" value="1"></form>
            <form class="card" method="post" action="/consent">
            <input type="hidden" name="csrf" value="a&amp;b">
            <input type="checkbox" id="s" name="scope" value="orders:read" checked>
            <input type="checkbox" name="scope" value="orders:write">
            <input type="hidden" name="scope" value="openid"><input type="checkbox" checked disabled>
            <select id="u" name="until"><option value="60">1</option><option value="90" selected>2</option></select>
            <button name="decision" value="deny">No</button></form>"#;
        let form = Form::find(page, "/consent").unwrap().with("decision", "approve");
        let sent: Vec<_> = form.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(sent, ["csrf=a&b", "scope=orders:read", "scope=openid", "until=90", "decision=approve"]);
        assert!(Form::find(page, "/nowhere").is_err());
    }
}
