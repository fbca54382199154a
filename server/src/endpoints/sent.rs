//! What was sent: credentials and form, as the back-channel endpoints read them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::response::Response;
use protocol::params::Params;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::workload::attestation::AttestationRefused;

use super::reply;
use crate::app::{App, Visit};
use crate::caller::Presentation;
use crate::failure::Broken;

/// The proof's header (RFC 9449 §4.1).
pub const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The header of a client attestation (OAuth 2.0 Attestation-Based Client Authentication).
const ATTESTATION: HeaderName = HeaderName::from_static("oauth-client-attestation");
/// The header of its proof of possession.
const ATTESTATION_POP: HeaderName = HeaderName::from_static("oauth-client-attestation-pop");

/// The header fields that say who is asking.
#[derive(Clone, Debug)]
pub struct Headers {
    /// `Authorization`.
    pub authorization: Option<String>,
    /// Every `DPoP`.
    pub dpop: Vec<String>,
    /// Every `OAuth-Client-Attestation`.
    pub attestation: Vec<String>,
    /// Every `OAuth-Client-Attestation-PoP`.
    pub attestation_pop: Vec<String>,
    /// `Accept`, all of it.
    pub accept: Option<String>,
    method: Method,
}

impl Headers {
    /// Reads them. More than one `Authorization`, or one that is not text, is malformed (RFC 9449 §7.2).
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn read(headers: &HeaderMap, method: &Method) -> Result<Self, Refusal> {
        let malformed = |what: &'static str| Refusal::new(ErrorCode::InvalidRequest, what);
        let mut authorization = headers.get_all(header::AUTHORIZATION).iter();
        let first = authorization.next();
        if authorization.next().is_some() {
            return Err(malformed("send one Authorization header, not several"));
        }
        let text = |value: &axum::http::HeaderValue| value.to_str().map(str::to_owned);
        let first =
            first.map(text).transpose().map_err(|_| malformed("the Authorization header is malformed"))?;
        let dpop = headers.get_all(DPOP).iter().map(text).collect::<Result<Vec<_>, _>>();
        let dpop =
            dpop.map_err(|_| Refusal::new(ErrorCode::InvalidDpopProof, "the DPoP header is malformed"))?;
        let all = |name: HeaderName| {
            let texts = headers.get_all(name).iter().map(text).collect::<Result<Vec<_>, _>>();
            texts.map_err(|_| Refusal::from(AttestationRefused::Headers))
        };
        let (attestation, attestation_pop) = (all(ATTESTATION)?, all(ATTESTATION_POP)?);
        let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accept = accept.map(str::to_owned).reduce(|all, more| format!("{all}, {more}"));
        Ok(Self { authorization: first, dpop, attestation, attestation_pop, accept, method: method.clone() })
    }

    /// The same, for whoever has to find out who is calling.
    #[must_use]
    pub fn presentation<'a>(&'a self, url: &'a str) -> Presentation<'a> {
        Presentation {
            authorization: self.authorization.as_deref(),
            dpop: self.dpop.iter().map(String::as_str).collect(),
            attestation: self.attestation.iter().map(String::as_str).collect(),
            attestation_pop: self.attestation_pop.iter().map(String::as_str).collect(),
            method: self.method.as_str(),
            url,
        }
    }
}

/// A form posted to a back-channel endpoint.
pub struct Sent {
    /// The request.
    pub visit: Visit,
    /// Its credentials.
    pub headers: Headers,
    /// Its parameters.
    pub params: Params,
}

impl FromRequest<Arc<App>> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let visit = visit_of(&request).map_err(reply::broken)?;
        let headers = Headers::read(request.headers(), request.method());
        let is_form = is_form(request.headers());
        let refuse = |refusal: Refusal| reply::refusal(app, &visit, &refusal, false);
        let headers = headers.map_err(refuse)?;
        if !is_form {
            let description = "send the parameters as application/x-www-form-urlencoded";
            return Err(refuse(Refusal::new(ErrorCode::InvalidRequest, description)));
        }
        let body = Bytes::from_request(request, app).await.map_err(reply::unreadable_body)?;
        let params = Params::parse(&body).map_err(|reason| refuse(reason.into()))?;
        Ok(Self { visit, headers, params })
    }
}

/// Whether the body says that it is a form.
#[must_use]
pub fn is_form(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

/// The visit that was noted at the door.
///
/// # Errors
/// Where a route was put beside the door.
pub fn visit_of<B>(request: &axum::http::Request<B>) -> Result<Visit, Broken> {
    request.extensions().get::<Visit>().cloned().ok_or(Broken::Other("a route without the door's middleware"))
}
