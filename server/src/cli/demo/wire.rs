//! The wire between the guests of the demo and the houses they visit: HTTP, with every exchange kept to be told.

use std::sync::Mutex;

use http::{HeaderMap, Request, Response};
use serde_json::{Map, Value};

/// Sends requests as they are: no redirect is followed, no proxy asked.
pub struct Wire {
    http: reqwest::Client,
    last: Mutex<Option<Exchange>>,
}

/// One request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request's method.
    pub method: String,
    /// Its URL without the query.
    pub url: String,
    /// What stood in its query and its form.
    pub parameters: Vec<(String, String)>,
    /// The answer's status.
    pub status: u16,
    /// The answer's header fields.
    pub headers: HeaderMap,
    /// The answer's body.
    pub body: String,
}

impl Wire {
    /// A new one.
    ///
    /// # Errors
    /// reqwest's.
    pub fn new() -> Result<Self, reqwest::Error> {
        // One provider for the process; it may be there already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
        Ok(Self { http, last: Mutex::new(None) })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Exchange, reqwest::Error> {
        let (method, url) = (request.method().to_string(), request.uri().to_string());
        let (url, query) = url.split_once('?').unwrap_or((&url, ""));
        let mut parameters = parse(query.as_bytes());
        parameters.extend(parse(request.body()));
        let url = url.to_owned();
        let answer = self.http.execute(request.try_into()?).await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let exchange = Exchange { method, url, parameters, status, headers, body: answer.text().await? };
        if let Ok(mut last) = self.last.lock() {
            *last = Some(exchange.clone());
        }
        Ok(exchange)
    }

    /// The same, in the form that the openidconnect crate wants of an HTTP client.
    ///
    /// # Errors
    /// Where no answer comes.
    pub async fn call(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, reqwest::Error> {
        let exchange = self.send(request).await?;
        let mut response = Response::new(exchange.body.into_bytes());
        *response.status_mut() = http::StatusCode::from_u16(exchange.status).unwrap_or_default();
        *response.headers_mut() = exchange.headers;
        Ok(response)
    }

    /// What was sent and answered last.
    #[must_use]
    pub fn last(&self) -> Option<Exchange> {
        self.last.lock().ok().and_then(|last| last.clone())
    }
}

fn parse(form: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(form).into_owned().collect()
}

/// A form as it is posted.
#[must_use]
pub fn encoded(form: &[(impl AsRef<str>, impl AsRef<str>)]) -> Vec<u8> {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in form {
        text.append_pair(name.as_ref(), value.as_ref());
    }
    text.finish().into_bytes()
}

impl Exchange {
    /// The answer's body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// One header field of the answer.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What was asked, with everything secret shortened.
    #[must_use]
    pub fn request(&self) -> Value {
        let mut parameters = Map::new();
        for (name, value) in &self.parameters {
            let value = Value::String(shown(name, value));
            match parameters.get_mut(name) {
                Some(Value::Array(values)) => values.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
                None => {
                    parameters.insert(name.clone(), value);
                }
            }
        }
        serde_json::json!({ "method": self.method, "url": self.url, "parameters": parameters })
    }
}

/// Parameters that open something, or prove something, for whoever reads them.
const SECRETS: [&str; 8] = [
    "password",
    "csrf",
    "code",
    "code_verifier",
    "client_assertion",
    "subject_token",
    "token",
    "interaction",
];

fn shown(name: &str, value: &str) -> String {
    match name {
        "password" => "…".into(),
        _ if SECRETS.contains(&name) => short(value),
        _ => value.to_owned(),
    }
}

/// The beginning of something long.
#[must_use]
pub fn short(text: &str) -> String {
    match text.char_indices().nth(12) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_request_holds_no_secret() {
        let parameter = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let exchange = Exchange {
            method: "POST".into(),
            url: "http://as.example/token".into(),
            parameters: vec![
                parameter("subject_token", "eyJhbGciOiJFUzI1NiJ9.e30.sig"),
                parameter("password", "open"),
                parameter("scope", "a"),
                parameter("scope", "b"),
            ],
            status: 200,
            headers: HeaderMap::new(),
            body: String::new(),
        };
        let told =
            serde_json::json!({"subject_token": "eyJhbGciOiJF…", "password": "…", "scope": ["a", "b"]});
        assert_eq!(exchange.request()["parameters"], told);
    }
}
