//! A small resource server, as anybody could write one: two ways to look at a token, offline by the server's keys
//! (RFC 9068 §4) and by introspection (RFC 7662), and the same three questions after either: is the token's key
//! here (RFC 9449 §7), does the scope fit, do the authorization details allow just this (RFC 9396 §9)?

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use protocol::client::SigningAlg;
use protocol::dpop::{self, NonceDemand};
use protocol::numeric_date::Seconds;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::house::ORDERS;
use super::party::{Endpoints, Party};
use super::wire::Wire;
use crate::clock::{Clock as _, SystemClock};
use crate::jose;

/// The resource server.
pub struct OrdersApi {
    wire: Wire,
    at: Endpoints,
    url: String,
    itself: Arc<Party>,
    seen: Mutex<HashSet<String>>,
}

/// Why nothing is done: a status, an `error` (RFC 6750 §3.1, RFC 9449 §7.1) and what to change.
struct Refused(StatusCode, &'static str, &'static str);

/// What a token must allow for one call.
struct Needed {
    scope: &'static str,
    action: &'static str,
    amount: Option<f64>,
}

impl OrdersApi {
    /// A resource server at `url` that trusts the house at `at`.
    #[must_use]
    pub fn new(wire: Wire, at: Endpoints, url: String, itself: Arc<Party>) -> Self {
        Self { wire, at, url, itself, seen: Mutex::default() }
    }
}

/// Answers until it is stopped; `beside` are the routes of who has no house of their own.
pub async fn serve(api: Arc<OrdersApi>, beside: Router, listener: TcpListener) {
    let routes = Router::new()
        .route("/orders/{id}", get(order))
        .route("/orders/{id}/refund", post(refund))
        .with_state(api)
        .merge(beside);
    let _ = axum::serve(listener, routes).await;
}

/// `GET /orders/{id}`: the token is looked at offline.
async fn order(State(api): State<Arc<OrdersApi>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let needed = Needed { scope: "orders:read", action: "read", amount: None };
    let checked = async {
        let (token, proof) = presented(&headers)?;
        let keys = Keys::fetch(&api.wire, &api.at.issuer).await.ok_or(AWAY)?;
        let claims = keys.open(token).ok_or(INVALID)?;
        api.check_claims(&claims)?;
        api.check_key(&claims, token, proof, "GET", &format!("/orders/{id}"))?;
        check_authority(&claims, &needed)?;
        Ok(claims)
    };
    answer(
        checked.await,
        |claims| json!({ "order": { "id": id, "total": 49.9, "state": "returned" }, "done": told(claims) }),
    )
}

/// `POST /orders/{id}/refund?amount=…`: the authorization server is asked about the token.
async fn refund(
    State(api): State<Arc<OrdersApi>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let amount = one(query.as_deref(), "amount").and_then(|amount| amount.parse::<f64>().ok());
    let Some(amount) = amount.filter(|amount| *amount > 0.0) else {
        return answer(Err(Refused(StatusCode::BAD_REQUEST, "invalid_request", "amount is missing")), |_| {
            json!({})
        });
    };
    let needed = Needed { scope: "orders:write", action: "refund", amount: Some(amount) };
    let checked = async {
        let (token, proof) = presented(&headers)?;
        let answer = api.itself.introspect(&api.wire, &api.at, token, &[]).await.map_err(|_| AWAY)?;
        let claims = answer.json().as_object().cloned().ok_or(AWAY)?;
        if claims.get("active") != Some(&Value::Bool(true)) {
            return Err(INVALID);
        }
        api.check_claims(&claims)?;
        api.check_key(&claims, token, proof, "POST", &format!("/orders/{id}/refund"))?;
        check_authority(&claims, &needed)?;
        Ok(claims)
    };
    answer(
        checked.await,
        |claims| json!({ "refund": { "order": id, "amount": amount }, "done": told(claims) }),
    )
}

const INVALID: Refused = Refused(StatusCode::UNAUTHORIZED, "invalid_token", "the token is not valid here");
const AWAY: Refused =
    Refused(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "try again in a moment");

/// The token and the proof of its key.
fn presented(headers: &HeaderMap) -> Result<(&str, &str), Refused> {
    let text = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Refused(
            StatusCode::UNAUTHORIZED,
            "invalid_token",
            "send a token with the DPoP scheme, and a DPoP proof",
        ))
    };
    let token = text(header::AUTHORIZATION.as_str())?.strip_prefix("DPoP ").ok_or(INVALID)?;
    Ok((token, text("dpop")?))
}

/// The published keys of the authorization server.
pub struct Keys(Vec<Map<String, Value>>);

impl Keys {
    /// Fetches them; none where they are not there.
    pub async fn fetch(wire: &Wire, issuer: &str) -> Option<Self> {
        let url = format!("{issuer}{}", protocol::metadata::JWKS);
        let answer = wire.send(http::Request::get(url).body(Vec::new()).ok()?).await.ok()?;
        let keys = answer.json()["keys"].as_array().cloned()?;
        Some(Self(keys.into_iter().filter_map(|key| key.as_object().cloned()).collect()))
    }

    /// What signs for the server.
    #[must_use]
    pub fn all(&self) -> &[Map<String, Value>] {
        &self.0
    }

    /// The claims of an access token (RFC 9068 §4): of the right type, signed with the published key that it names.
    #[must_use]
    pub fn open(&self, token: &str) -> Option<Map<String, Value>> {
        let unverified = jose::decode(token).ok()?;
        let typ = unverified.header.get("typ")?.as_str()?;
        let kid = unverified.kid()?;
        let key = self.0.iter().find(|key| key.get("kid").is_some_and(|known| known == kid))?;
        let claims = jose::verify_with_jwk(token, SigningAlg::Es256, key).ok()?;
        (typ == "at+jwt").then_some(claims)
    }
}

impl OrdersApi {
    /// From the server that is trusted, for this API, and not over.
    fn check_claims(&self, claims: &Map<String, Value>) -> Result<(), Refused> {
        let is = |name: &str, wanted: &str| claims.get(name).is_some_and(|value| value == wanted);
        let exp = claims.get("exp").and_then(Value::as_i64).unwrap_or_default();
        let fits = is("iss", &self.at.issuer) && is("aud", ORDERS) && exp > SystemClock.now().0;
        if fits { Ok(()) } else { Err(INVALID) }
    }

    /// Whoever sends the token holds its key, and made the proof for this request.
    fn check_key(
        &self,
        claims: &Map<String, Value>,
        token: &str,
        proof: &str,
        method: &str,
        path: &str,
    ) -> Result<(), Refused> {
        let refused = |why| Refused(StatusCode::UNAUTHORIZED, "invalid_dpop_proof", why);
        let signed = jose::verify_dpop(proof).map_err(|_| refused("the proof is not signed by its key"))?;
        let law = |_| refused("the proof is not for this request and this token");
        let (_, jwk) = dpop::check_header(&signed.header).map_err(law)?;
        let uri = format!("{}{path}", self.url);
        let expected = dpop::Expected {
            method,
            uri: &uri,
            access_token: Some(token),
            now: SystemClock.now(),
            window: Seconds::minutes(1),
            nonce: NonceDemand::NotDemanded,
        };
        let parsed = dpop::ProofClaims::parse(&signed.claims).map_err(law)?;
        let proof = dpop::check(&jwk, &parsed, &expected).map_err(law)?;
        let bound = claims.get("cnf").and_then(|cnf| cnf.get("jkt")).and_then(Value::as_str);
        if bound != Some(proof.jkt.as_str()) {
            return Err(INVALID);
        }
        let first = self.seen.lock().is_ok_and(|mut seen| seen.insert(proof.jti));
        if first { Ok(()) } else { Err(refused("the proof was used before")) }
    }
}

/// The scope has the word, and one task has the action, here and for as much.
fn check_authority(claims: &Map<String, Value>, needed: &Needed) -> Result<(), Refused> {
    let insufficient = |why| Refused(StatusCode::FORBIDDEN, "insufficient_scope", why);
    let scope = claims.get("scope").and_then(Value::as_str).unwrap_or_default();
    if !scope.split(' ').any(|word| word == needed.scope) {
        return Err(insufficient("the token lacks the scope for this"));
    }
    let has = |detail: &Value, name: &str, wanted: &str| {
        detail[name].as_array().is_some_and(|values| values.iter().any(|value| value == wanted))
    };
    let details = claims.get("authorization_details").and_then(Value::as_array);
    let mut tasks = details.into_iter().flatten().filter(|detail| {
        detail["type"] == "agent_task"
            && has(detail, "actions", needed.action)
            && has(detail, "locations", ORDERS)
    });
    let enough = |task: &Value| {
        needed.amount.is_none_or(|amount| task["max_amount"].as_f64().is_some_and(|most| amount <= most))
    };
    if tasks.any(enough) {
        Ok(())
    } else {
        Err(insufficient("no task of the token allows this action for as much"))
    }
}

/// Who acts for whom, as the token tells it.
fn told(claims: &Map<String, Value>) -> Value {
    let mut actors = Vec::new();
    let mut act = claims.get("act");
    while let Some(actor) = act {
        actors.push(actor["sub"].clone());
        act = actor.get("act");
    }
    let asked_by = actors.split_off(actors.len().min(1));
    json!({ "for": claims.get("sub"), "by": actors.first(), "asked_by": asked_by, "txn": claims.get("txn") })
}

fn answer(
    checked: Result<Map<String, Value>, Refused>,
    done: impl Fn(&Map<String, Value>) -> Value,
) -> Response {
    match checked {
        Ok(claims) => Json(done(&claims)).into_response(),
        Err(Refused(status, error, why)) => {
            let challenge = format!("DPoP error=\"{error}\", error_description=\"{why}\"");
            let body = Json(json!({ "error": error, "error_description": why }));
            (status, [(header::WWW_AUTHENTICATE, challenge)], body).into_response()
        }
    }
}

/// One value of a query.
fn one(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(scope: &str, actions: &[&str], max: f64, needed: &Needed) -> bool {
        let task = json!({
            "type": "agent_task", "actions": actions, "locations": [ORDERS], "max_amount": max
        });
        let claims = json!({ "scope": scope, "authorization_details": [task] });
        check_authority(claims.as_object().unwrap(), needed).is_ok()
    }

    #[test]
    fn scope_and_task_must_both_allow_the_action_and_the_amount() {
        let refund = |amount| Needed { scope: "orders:write", action: "refund", amount: Some(amount) };
        assert!(allowed("orders:read orders:write", &["refund"], 20.0, &refund(20.0)));
        assert!(!allowed("orders:write", &["refund"], 20.0, &refund(20.01)));
        assert!(!allowed("orders:write", &["read"], 20.0, &refund(1.0)));
        assert!(!allowed("orders:read", &["refund"], 20.0, &refund(1.0)));
        assert!(!allowed("orders:writer", &["refund"], 20.0, &refund(1.0)));
    }

    #[test]
    fn the_current_actor_is_told_before_those_who_asked_it() {
        let claims = json!({"sub": "u", "act": {"sub": "b", "act": {"sub": "a"}}, "txn": "t"});
        let told = told(claims.as_object().unwrap());
        assert_eq!(told, json!({"for": "u", "by": "b", "asked_by": ["a"], "txn": "t"}));
    }
}
