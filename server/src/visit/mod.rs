//! The door itself: what every request gets before anybody looks at it: a time, an id, and bounds.

mod proxies;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use protocol::identifier::RequestId;
use protocol::numeric_date::NumericDate;
use tracing::Instrument as _;

use crate::app::{App, Visit};
use crate::secret::random_id;
use crate::tls::ClientCertificate;
use proxies::Arrival;

/// The header that tells the request's id to whoever asked.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Reads the clock once, names the request, and refuses URLs that are too long.
pub async fn receive(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let Ok(id) = random_id(app.entropy.as_ref(), "req_").parse::<RequestId>() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let shown = request.extensions_mut().remove::<Arc<ClientCertificate>>();
    let arrival = proxies::read(&app.settings.proxy, peer, shown, request.headers_mut());
    let span = tracing::info_span!("request", id = id.as_str(), method = %request.method(), path = request.uri().path());
    let length = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let header = HeaderValue::from_str(id.as_str());
    let mut response = if length > app.settings.limits.uri_bytes {
        StatusCode::URI_TOO_LONG.into_response()
    } else {
        request.extensions_mut().insert(visit(&app, id, arrival));
        next.run(request).instrument(span.clone()).await
    };
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), "answered"));
    if is_for_https_alone(app.issuer()) {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, ONE_YEAR);
    }
    if let Ok(header) = header {
        response.headers_mut().insert(X_REQUEST_ID, header);
    }
    response
}

/// How long a browser comes by https alone (RFC 6797 §6.1; FAPI 2.0 §5.2.3).
const ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Whether browsers are told to come by https alone: not where people try things out on their own machine, whose name
/// other programs share.
fn is_for_https_alone(issuer: &str) -> bool {
    let Some(rest) = issuer.strip_prefix("https://") else { return false };
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    !matches!(host, "localhost" | "127.0.0.1" | "[")
}

fn visit(app: &App, id: RequestId, arrival: Arrival) -> Visit {
    let now: NumericDate = app.clock.now();
    let Arrival { from, certificate } = arrival;
    Visit { now, id, from, certificate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_bound_to_https_where_it_is_spoken_to_the_world() {
        for (issuer, bound) in [
            ("https://login.example", true),
            ("https://login.example:8443/t1", true),
            ("https://localhost.example", true),
            ("https://localhost:8443", false),
            ("https://127.0.0.1:8443", false),
            ("https://[::1]:8443", false),
            ("http://127.0.0.1:8080", false),
        ] {
            assert_eq!(is_for_https_alone(issuer), bound, "{issuer}");
        }
    }
}
