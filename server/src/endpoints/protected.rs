//! This server's own protected resources: the access token and, where it is bound, the proof of its key
//! (RFC 6750 §2.1, §3; RFC 9449 §7).

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use protocol::audience::Audience;
use protocol::client::SigningAlg;
use protocol::confirmation::Confirmation;
use protocol::credentials::Credentials;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::step_up::Demand;
use protocol::token::Token;

use super::reply;
use super::sent::Headers;
use crate::app::{App, Visit};
use crate::caller;
use crate::failure::{Broken, Failure};
use crate::jose::NoncePurpose;
use crate::store::{Change, CommitError};
use crate::tokens;

/// For a resource that any scope of this server opens.
pub const ANY_SCOPE: &str = "";

/// A request to a protected resource.
pub struct Asked<'a> {
    /// The request.
    pub visit: &'a Visit,
    /// Its header fields.
    pub headers: &'a HeaderMap,
    /// Its method.
    pub method: &'a Method,
    /// The resource's public URL.
    pub url: &'a str,
    /// The scope word that opens it, or [`ANY_SCOPE`].
    pub scope: &'a str,
}

/// Why a resource stays closed.
pub struct Closed {
    /// The response to send.
    pub response: Box<Response>,
    /// What is wrong with the token or the proof; none where there was no token, or something of ours is broken.
    pub refusal: Option<Refusal>,
}

/// The live token that opens the resource, or the answer that says what is missing.
///
/// # Errors
/// The response to send.
pub async fn open(app: &App, asked: &Asked<'_>) -> Result<Arc<Token>, Box<Response>> {
    let fits = |token: &Token| is_for_this_server(app, asked, token);
    open_where(app, asked, fits).await.map_err(|closed| closed.response)
}

/// The live token that opens a resource with conditions of its own.
///
/// # Errors
/// [`Closed`].
pub async fn open_where(
    app: &App,
    asked: &Asked<'_>,
    fits: impl Fn(&Token) -> Result<(), Refusal>,
) -> Result<Arc<Token>, Closed> {
    let closed = |refusal: Option<Refusal>, dpop: bool| Closed {
        response: boxed(challenge(app, asked, refusal.as_ref(), dpop, "")),
        refusal,
    };
    let headers =
        Headers::read(asked.headers, asked.method).map_err(|refusal| closed(Some(refusal), false))?;
    let Some(header) = &headers.authorization else { return Err(closed(None, false)) };
    let credentials = Credentials::parse(header).map_err(|reason| closed(Some(reason.into()), false))?;
    let dpop = matches!(credentials, Credentials::Dpop(_));
    let proven = prove(app, asked, &headers, &credentials).await;
    match proven.and_then(|token| fits(&token).map(|()| token).map_err(Failure::from)) {
        Ok(token) => Ok(token),
        Err(Failure::Refused(refusal)) => Err(closed(Some(refusal), dpop)),
        Err(Failure::Broken(reason)) => Err(Closed { response: boxed(reply::broken(reason)), refusal: None }),
    }
}

/// Whether a token is for this server itself and has the scope.
fn is_for_this_server(app: &App, asked: &Asked<'_>, token: &Token) -> Result<(), Refusal> {
    if token.audience != Audience::Resources || !token.authority.resources.contains(&app.itself) {
        return Err(invalid());
    }
    if asked.scope != ANY_SCOPE && !token.authority.scope.contains(asked.scope) {
        return Err(Refusal::new(ErrorCode::InsufficientScope, "the access token lacks the scope for this"));
    }
    Ok(())
}

fn invalid() -> Refusal {
    Refusal::new(ErrorCode::InvalidToken, "the access token is not valid here, or not any more")
}

/// Checks that the login behind a token is enough for this resource, or answers what would be (RFC 9470 §3).
///
/// # Errors
/// The challenge.
pub fn check_login(
    app: &App,
    asked: &Asked<'_>,
    token: &Token,
    demand: &Demand,
) -> Result<(), Box<Response>> {
    demand.check(token.login.as_ref(), asked.visit.now).map_err(|reason| {
        let dpop = token.token_type() == "DPoP";
        boxed(challenge(app, asked, Some(&reason.into()), dpop, &demand.parameters()))
    })
}

fn boxed(response: Response) -> Box<Response> {
    Box::new(response)
}

/// The live token that was sent, once whoever sent it has proven what it is bound to.
async fn prove(
    app: &App,
    asked: &Asked<'_>,
    headers: &Headers,
    credentials: &Credentials,
) -> Result<Arc<Token>, Failure> {
    let text = credentials.token().reveal();
    let token = tokens::read_alive(app, text, asked.visit.now).await?.ok_or_else(invalid)?;
    match (credentials, &token.cnf) {
        (Credentials::Bearer(_), None) => {}
        (Credentials::Bearer(_), Some(Confirmation::X5tS256(x5t))) => {
            let held = asked.visit.certificate.as_ref().map(|certificate| certificate.x5t_s256());
            if held != Some(x5t) {
                let description =
                    "this token is bound to a certificate; call the mtls_endpoint_aliases with it";
                return Err(Refusal::new(ErrorCode::InvalidToken, description).into());
            }
        }
        (Credentials::Bearer(_), Some(Confirmation::Jkt(_))) => {
            return Err(Refusal::new(
                ErrorCode::InvalidToken,
                "this token is bound to a key; use the DPoP scheme",
            )
            .into());
        }
        (Credentials::Dpop(_), bound) => {
            let shown = headers.presentation(asked.url);
            let proof =
                caller::prove_key(app, asked.visit, &shown, Some(text), NoncePurpose::ResourceServer)?;
            let proof =
                proof.ok_or_else(|| Refusal::new(ErrorCode::InvalidDpopProof, "send a DPoP proof"))?;
            if bound.as_ref().and_then(Confirmation::jkt) != Some(&proof.key) {
                return Err(invalid().into());
            }
            // A client whose profile forbids an algorithm cannot use it here either.
            if let Some(client) = app.store.find_client(&token.client).await? {
                proof.check_alg_of(&client)?;
            }
            match app.store.commit(proof.mark.on(Change::housekeeping(asked.visit.now))).await {
                Ok(_) => {}
                Err(CommitError::Conflict(_)) => return Err(proof.mark.refusal().into()),
                Err(CommitError::Broken(error)) => return Err(error.into()),
            }
        }
    }
    Ok(token)
}

/// 401, 403 or 400 with the challenges of both schemes; the error, and whatever `more` there is to say of it, stands on
/// the one that was used.
fn challenge(app: &App, asked: &Asked<'_>, refusal: Option<&Refusal>, dpop: bool, more: &str) -> Response {
    let status = match refusal.map(|refusal| refusal.code) {
        Some(ErrorCode::InsufficientScope) => StatusCode::FORBIDDEN,
        Some(ErrorCode::InvalidRequest) => StatusCode::BAD_REQUEST,
        _ => StatusCode::UNAUTHORIZED,
    };
    let body = refusal.map_or_else(|| serde_json::json!({}), reply::error_body);
    let mut response = reply::json(status, body);
    let error = refusal.map_or_else(String::new, |refusal| {
        let scope = match refusal.code {
            ErrorCode::InsufficientScope => format!(", scope=\"{}\"", asked.scope),
            _ => String::new(),
        };
        format!("error=\"{}\", error_description=\"{}\"{scope}{more}", refusal.code, refusal.description)
    });
    let algs = SigningAlg::ALL.map(SigningAlg::as_str).join(" ");
    let (on_dpop, on_bearer) = if dpop { (error.as_str(), "") } else { ("", error.as_str()) };
    let comma = |text: &str| if text.is_empty() { String::new() } else { format!(", {text}") };
    for value in [
        format!("DPoP algs=\"{algs}\"{}", comma(on_dpop)),
        format!("Bearer realm=\"procura\"{}", comma(on_bearer)),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(header::WWW_AUTHENTICATE, value);
        }
    }
    if refusal.is_some_and(|r| matches!(r.code, ErrorCode::UseDpopNonce | ErrorCode::InvalidDpopProof)) {
        reply::hand_out_nonce(app, asked.visit, NoncePurpose::ResourceServer, &mut response);
    }
    response
}

/// The visit of a request, or the answer that something of ours is wrong.
///
/// # Errors
/// The response to send.
pub fn visit(extensions: &axum::http::Extensions) -> Result<Visit, Box<Response>> {
    let missing = || boxed(reply::broken(Broken::Other("a route without the door's middleware")));
    extensions.get::<Visit>().cloned().ok_or_else(missing)
}
