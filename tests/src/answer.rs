//! What came back.

use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::key::unverified_claims;

/// An answer to a program.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
    /// The body as JSON; `null` where it is none.
    pub json: Value,
}

impl Answer {
    pub(crate) async fn read(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.text().await.unwrap();
        let json = serde_json::from_str(&body).unwrap_or_default();
        Self { status, headers, body, json }
    }

    /// A header field; empty where it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A member of the JSON that must be there as text.
    #[must_use]
    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_else(|| panic!("no {name} in {}: {}", self.status, self.body))
    }

    /// The access token.
    #[must_use]
    #[track_caller]
    pub fn access_token(&self) -> &str {
        self.text("access_token")
    }

    /// The claims of the access token, unverified.
    #[must_use]
    #[track_caller]
    pub fn claims(&self) -> Value {
        unverified_claims(self.access_token())
    }

    /// It must have gone well.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!((200..300).contains(&self.status), "{}: {} {:?}", self.status, self.body, self.headers);
        self
    }

    /// It must be the OAuth error `code`, with the status that belongs to it, and nothing else.
    #[track_caller]
    pub fn refused(self, code: &str) -> Self {
        let status = if code == "invalid_client" { 401 } else { 400 };
        self.refused_with(status, code)
    }

    /// It must be the OAuth error `code` with this status.
    #[track_caller]
    pub fn refused_with(self, status: u16, code: &str) -> Self {
        let told = self.json["error"].as_str().unwrap_or_default();
        assert_eq!((self.status, told), (status, code), "{}", self.body);
        assert!(self.json.get("access_token").is_none(), "{}", self.body);
        self
    }
}
