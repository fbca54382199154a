//! One call of the admin API: who makes it, with what, and how it is answered and told.

use std::str::FromStr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use protocol::admin_api::{self, AdminScope};
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::identifier::{ClientId, TokenId};
use protocol::params::Params;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::strict_json;
use protocol::token::Token;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};
use serde_json::{Map, Value};

use crate::app::{App, Visit};
use crate::endpoints::protected::{self, Asked};
use crate::endpoints::reply;
use crate::failure::Failure;
use crate::store::{Anchor, Change};

/// The longest path that is told to the audit log.
const LONGEST_PATH: usize = 200;
/// The deepest nesting of a body: the schema of a details type goes deep.
const DEEPEST: usize = 64;

/// A call that was opened.
pub struct Call {
    /// The request.
    pub visit: Visit,
    /// Who calls.
    pub client: ClientId,
    /// The token that opened it.
    pub token: TokenId,
    /// The method and the path, for the audit log.
    pub what: String,
}

/// The answer to a call of nothing that there is: told as programs are told things.
pub async fn unknown_path() -> Response {
    let refusal =
        Refusal::new(ErrorCode::InvalidRequest, "there is no such path in the admin API; see openapi.json");
    reply::json(StatusCode::NOT_FOUND, reply::error_body(&refusal))
}

impl Call {
    /// Opens it, if its token has the scope for it and its client is still one for the admin API.
    ///
    /// # Errors
    /// The response to send; why it was refused is told to the audit log.
    pub async fn open(app: &App, parts: &Parts, scope: AdminScope) -> Result<Self, Box<Response>> {
        let visit = protected::visit(&parts.extensions)?;
        let what: String =
            format!("{} {}", parts.method, parts.uri.path()).chars().take(LONGEST_PATH).collect();
        let url = app.url(parts.uri.path());
        let asked = Asked {
            visit: &visit,
            headers: &parts.headers,
            method: &parts.method,
            url: &url,
            scope: scope.as_str(),
        };
        let fits = |token: &Token| Ok(admin_api::check(token, &app.admin_api, scope)?);
        let token = match protected::open_where(app, &asked, fits).await {
            Ok(token) => token,
            Err(closed) => {
                if let Some(refusal) = closed.refusal.filter(|r| r.code != ErrorCode::UseDpopNonce) {
                    let mut event = AuditEvent::new(Action::AdminCall, Outcome::Refused, visit.now);
                    event.request = Some(visit.id.clone());
                    let mut event = event.refused(&refusal);
                    event.reason = Some(format!("{what}: {}", refusal.description));
                    let told = app.tell_of_stranger(&visit, event).await;
                    told.map_err(|failure| Box::new(reply::failure(app, &visit, failure, false)))?;
                }
                return Err(closed.response);
            }
        };
        let call = Self { visit, client: token.client.clone(), token: token.id.clone(), what };
        let client = app.store.find_client(&call.client).await;
        let client = client.map_err(|error| Box::new(call.failed(app, error.into())))?;
        if !client.is_some_and(|client| admin_api::may_administer(&client)) {
            let refusal = Refusal::new(ErrorCode::AccessDenied, "this client has no admin API any more");
            return Err(Box::new(call.refuse(app, StatusCode::FORBIDDEN, refusal).await));
        }
        Ok(call)
    }

    /// The event of what this call does.
    #[must_use]
    pub fn event(&self, action: Action) -> AuditEvent {
        let mut event = AuditEvent::new(action, Outcome::Granted, self.visit.now);
        event.request = Some(self.visit.id.clone());
        event.client = Some(self.client.clone());
        event
    }

    /// `change`, if whoever calls may still do so when it is written.
    pub fn still(&self, change: Change) -> Change {
        change.requires(Anchor::Client(self.client.clone())).requires(Anchor::Token(self.token.clone()))
    }

    /// Answers a call that only looked, once that is told.
    pub async fn looked(&self, app: &App, body: Value) -> Response {
        let mut event = self.event(Action::AdminCall);
        event.reason = Some(self.what.clone());
        match app.tell(event).await {
            Ok(()) => reply::json(StatusCode::OK, body),
            Err(failure) => self.failed(app, failure),
        }
    }

    /// Refuses what was asked, once that is told.
    pub async fn refuse(&self, app: &App, status: StatusCode, refusal: Refusal) -> Response {
        let mut event = self.event(Action::AdminCall).refused(&refusal);
        event.reason = Some(format!("{}: {}", self.what, refusal.description));
        match app.tell(event).await {
            Ok(()) => reply::json(status, reply::error_body(&refusal)),
            Err(failure) => self.failed(app, failure),
        }
    }

    /// Answers that there is no such thing. Whoever may look may know that.
    pub async fn not_found(&self, app: &App, what: &str) -> Response {
        let refusal = Refusal::new(ErrorCode::InvalidRequest, format!("there is no such {what}"));
        self.refuse(app, StatusCode::NOT_FOUND, refusal).await
    }

    /// Answers what went wrong.
    #[must_use]
    pub fn failed(&self, app: &App, failure: Failure) -> Response {
        reply::failure(app, &self.visit, failure, false)
    }

    /// The query, in which every parameter has a name that is known.
    ///
    /// # Errors
    /// The response to send.
    pub async fn query<T: DeserializeOwned>(&self, app: &App, parts: &Parts) -> Result<T, Box<Response>> {
        let why = match read_query(parts.uri.query().unwrap_or_default()) {
            Ok(query) => return Ok(query),
            Err(why) => format!("the query cannot be read: {}", printable(&why)),
        };
        let refusal = Refusal::new(ErrorCode::InvalidRequest, why);
        Err(Box::new(self.refuse(app, StatusCode::BAD_REQUEST, refusal).await))
    }

    /// The body: one JSON object of members that are known.
    ///
    /// # Errors
    /// The response to send, which says what cannot be read.
    pub async fn body<T: DeserializeOwned>(
        &self,
        app: &App,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<T, Box<Response>> {
        let refusal = match is_json(headers) {
            false => Refusal::new(ErrorCode::InvalidRequest, "send the body as application/json"),
            true => match read_body(body) {
                Ok(read) => return Ok(read),
                Err(error) => {
                    let why = printable(&format!("the body cannot be read: {error}"));
                    Refusal::new(ErrorCode::InvalidRequest, why)
                }
            },
        };
        Err(Box::new(self.refuse(app, StatusCode::BAD_REQUEST, refusal).await))
    }
}

/// A body in which every member stands once, at every depth.
fn read_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(body).map_err(|why| why.to_string())?;
    let read = strict_json::parse(text, DEEPEST).map_err(|why| why.to_string())?;
    serde_json::from_value(read).map_err(|why| why.to_string())
}

/// The parameters of a query as members of an object.
fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, String> {
    let params = Params::parse(query.as_bytes()).map_err(|why| why.to_string())?;
    let mut members = Map::new();
    for (name, value) in Vec::<(String, String)>::from(params) {
        if members.insert(name, value.into()).is_some() {
            return Err("a parameter stands there twice".to_owned());
        }
    }
    serde_json::from_value(members.into()).map_err(|why| why.to_string())
}

/// A number or a yes or no of a query, where everything is text.
pub fn from_text<'de, D: Deserializer<'de>, T: FromStr>(from: D) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| text.parse().map_err(|_| D::Error::custom(format!("{text} cannot be read")))).transpose()
}

/// The request in its parts, its body read to the end and no longer than the server takes.
///
/// # Errors
/// The response to send.
pub async fn split(app: &Arc<App>, request: Request) -> Result<(Parts, Bytes), Box<Response>> {
    let (parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), app).await;
    Ok((parts, body.map_err(|rejection| Box::new(reply::unreadable_body(rejection)))?))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("application/json")
    })
}

/// What a parser says of a text may quote it: no more of it comes back than an error description may hold (RFC 6749
/// §5.2).
fn printable(text: &str) -> String {
    let plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    text.chars()
        .map(|c| if c == '`' || c == '"' { '\'' } else { c })
        .filter(|c| plain(*c))
        .take(300)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, PartialEq, Debug)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[serde(default, deserialize_with = "from_text")]
        limit: Option<u64>,
        owner: Option<String>,
    }

    #[test]
    fn a_query_is_read_as_what_it_means_and_not_guessed_at() {
        let read = read_query::<Asked>;
        assert_eq!(read("limit=7&owner=a%20b"), Ok(Asked { limit: Some(7), owner: Some("a b".into()) }));
        assert_eq!(read(""), Ok(Asked { limit: None, owner: None }));
        for unfit in ["limit=x", "limit=-1", "limit=1&limit=2", "offset=1", "owner=%ff"] {
            assert!(read(unfit).is_err(), "{unfit}");
        }
    }

    #[test]
    fn a_description_holds_nothing_that_it_may_not() {
        assert_eq!(printable("unknown field `a\"b\\\n\u{e9}`"), "unknown field 'a'b'");
        assert_eq!(printable(&"x".repeat(1000)).len(), 300);
    }
}
