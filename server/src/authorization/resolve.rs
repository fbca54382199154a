//! Which parameters count: those that came, those that were pushed (RFC 9126), or those of a request object
//! (RFC 9101), by value or fetched from where the client registered it. Never a mixture.

use protocol::client::Client;
use protocol::identifier::InstanceId;
use protocol::params::Params;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::request_object::{self, Expected, Form, MEDIA_TYPES, RequestObjectRefused};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::jose;
use crate::secret::SecretDigest;

/// The parameters that count.
pub(super) struct Resolved {
    pub(super) params: Params,
    /// Whether the client signed them.
    pub(super) signed: bool,
    /// The digest of the reference they were pushed for.
    pub(super) pushed: Option<String>,
    /// Which instance of the client pushed them.
    pub(super) instance: Option<InstanceId>,
}

/// Why there are none.
pub(super) enum Unresolved {
    /// Nothing of the request is proven: the user is told, and nobody else.
    Page(Refusal),
    /// The client can be told, at the address that stands in these parameters.
    Tell(Params, Refusal),
    /// Something of ours.
    Broken(Broken),
}

/// A pushed request as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) params: Params,
    pub(super) signed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) instance: Option<InstanceId>,
}

impl From<RequestObjectRefused> for Unresolved {
    fn from(reason: RequestObjectRefused) -> Self {
        Self::Page(reason.into())
    }
}

impl From<Failure> for Unresolved {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::Page(refusal),
            Failure::Broken(broken) => Self::Broken(broken),
        }
    }
}

/// What counts of a request at the authorization endpoint.
pub(super) async fn asked(
    app: &App,
    visit: &Visit,
    client: &Client,
    params: &Params,
) -> Result<Resolved, Unresolved> {
    match Form::of(params)? {
        Form::Plain => Ok(Resolved { params: params.clone(), signed: false, pushed: None, instance: None }),
        Form::Pushed(reference) => kept(app, visit, client, reference).await,
        Form::Value(object) => opened(app, visit, client, params, object).await,
        Form::Reference(uri) => {
            let place = request_object::find_place(client, uri)?;
            opened(app, visit, client, params, &fetch(app, &place).await?).await
        }
    }
}

/// What counts of a request that `client`, authenticated, pushes (RFC 9126 §3).
pub(super) async fn pushed(
    app: &App,
    visit: &Visit,
    client: &Client,
    params: &Params,
) -> Result<Kept, Failure> {
    let resolved = match Form::of(params)? {
        Form::Plain => return Ok(Kept { params: params.clone(), signed: false, instance: None }),
        Form::Value(object) => opened(app, visit, client, params, object).await,
        Form::Pushed(_) | Form::Reference(_) => {
            let description = "a pushed request must not hold request_uri";
            return Err(Refusal::new(ErrorCode::InvalidRequest, description).into());
        }
    };
    match resolved {
        Ok(Resolved { params, signed, .. }) => Ok(Kept { params, signed, instance: None }),
        Err(Unresolved::Page(refusal) | Unresolved::Tell(_, refusal)) => Err(refusal.into()),
        Err(Unresolved::Broken(broken)) => Err(broken.into()),
    }
}

async fn kept(app: &App, visit: &Visit, client: &Client, reference: &str) -> Result<Resolved, Unresolved> {
    let gone = || {
        let description = "request_uri is not valid, or not any more";
        Unresolved::Page(Refusal::new(ErrorCode::InvalidRequestUri, description))
    };
    let digest = SecretDigest::of(reference);
    let found = app.store.find_pushed_request(&digest, visit.now).await.map_err(Failure::from)?;
    let pushed = found.filter(|pushed| pushed.client == client.id).ok_or_else(gone)?;
    let Kept { params, signed, instance } = serde_json::from_value(pushed.document)
        .map_err(|_| Unresolved::Broken(Broken::Inconsistent("a pushed request that does not read back")))?;
    Ok(Resolved { params, signed, pushed: Some(digest.to_text()), instance })
}

/// The request in an object that `client` signed. `beside` are the parameters that it came with.
async fn opened(
    app: &App,
    visit: &Visit,
    client: &Client,
    beside: &Params,
    object: &str,
) -> Result<Resolved, Unresolved> {
    let unverified = jose::decode(object).map_err(|_| RequestObjectRefused::NotVerified)?;
    match request_object::check_header(&unverified.header, client) {
        Ok(()) => {}
        // It says itself that it proves nothing: so this is a plain request with something that is not supported.
        Err(reason @ RequestObjectRefused::Unsigned) => {
            return Err(Unresolved::Tell(beside.without(&["request", "request_uri"]), reason.into()));
        }
        Err(reason) => return Err(reason.into()),
    }
    let claims = verified(app, visit, client, object, &unverified).await?;
    let expected = Expected { client, issuer: app.issuer(), now: visit.now };
    match request_object::parameters(&claims, expected) {
        Ok(params) => Ok(Resolved { params, signed: true, pushed: None, instance: None }),
        Err(reason) => Err(match request_object::way_back(&claims, client) {
            Some(way) => Unresolved::Tell(way, reason.into()),
            None => reason.into(),
        }),
    }
}

async fn verified(
    app: &App,
    visit: &Visit,
    client: &Client,
    object: &str,
    unverified: &jose::Unverified,
) -> Result<Map<String, Value>, RequestObjectRefused> {
    let alg = unverified.alg().map_err(|_| RequestObjectRefused::WrongAlg)?;
    let proven = app.verify_of(client, object, unverified.kid(), alg, visit.now).await;
    proven.map_err(|_| RequestObjectRefused::NotVerified)
}

/// What is at `place`, a place that the client registered (RFC 9101 §5.2.3).
async fn fetch(app: &App, place: &Url) -> Result<String, RequestObjectRefused> {
    let accept = "application/oauth-authz-req+jwt, application/jwt";
    let answer = app.outbound.get(place, accept).await.map_err(|error| {
        tracing::info!(host = place.host_str(), %error, "a request object could not be fetched");
        RequestObjectRefused::NotFound
    })?;
    let fits = answer.content_type.as_deref().is_none_or(|kind| MEDIA_TYPES.contains(&kind));
    if answer.status != 200 || !fits {
        return Err(RequestObjectRefused::NotFound);
    }
    let text = String::from_utf8(answer.body).map_err(|_| RequestObjectRefused::NotFound)?;
    Ok(text.trim().to_owned())
}
