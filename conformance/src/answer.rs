//! What a server answered.

use anyhow::Result;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::check::{Problem, Verdict};

/// A response, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
    /// The body as JSON, or null.
    pub json: Value,
}

impl Answer {
    /// Reads a response.
    ///
    /// # Errors
    /// Where the body does not arrive.
    pub async fn read(response: reqwest::Response) -> Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Self { status, headers, text, json })
    }

    /// A header field, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Every value of a header field.
    #[must_use]
    pub fn every(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    /// A text member of the body, or nothing.
    #[must_use]
    pub fn text(&self, member: &str) -> &str {
        self.json[member].as_str().unwrap_or_default()
    }

    /// The member `error`.
    #[must_use]
    pub fn error(&self) -> &str {
        self.text("error")
    }

    /// The access token.
    #[must_use]
    pub fn token(&self) -> &str {
        self.text("access_token")
    }

    /// Whether the answer forbids keeping it.
    #[must_use]
    pub fn is_no_store(&self) -> bool {
        self.header("cache-control").to_ascii_lowercase().contains("no-store")
    }

    /// In short, for the report.
    #[must_use]
    pub fn brief(&self) -> String {
        let body: String = self.text.chars().take(160).collect();
        format!("{} {}", self.status, body.replace('\n', " "))
    }

    /// A token, or a failure that tells what came instead.
    ///
    /// # Errors
    /// Where it is no successful token response.
    pub fn granted(self) -> Result<Self, Problem> {
        if self.status == 200 && !self.token().is_empty() {
            Ok(self)
        } else {
            Err(Problem::Failed(format!("a token was expected, but: {}", self.brief())))
        }
    }

    /// A status among `statuses`.
    ///
    /// # Errors
    /// Where it is another.
    pub fn is(&self, statuses: &[u16], what: &str) -> Verdict {
        if statuses.contains(&self.status) {
            Ok(())
        } else {
            Err(Problem::Failed(format!("{what}: status {statuses:?} expected, but: {}", self.brief())))
        }
    }

    /// A refusal in the form of RFC 6749 §5.2 with one of `codes`, by 400 or, where the client is not known, 401.
    ///
    /// # Errors
    /// Where it is anything else.
    pub fn refused(&self, codes: &[&str], what: &str) -> Verdict {
        let status = self.status == 400 || (self.status == 401 && self.error() == "invalid_client");
        if status && codes.contains(&self.error()) && self.token().is_empty() {
            Ok(())
        } else {
            Err(Problem::Failed(format!("{what}: {codes:?} expected, but: {}", self.brief())))
        }
    }
}
