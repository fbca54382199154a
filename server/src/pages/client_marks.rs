//! What a client shows of itself to people: its logo, from this server, and links to what it promises.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use protocol::client::Client;
use protocol::identifier::ClientId;
use protocol::registration as law;
use url::Url;

use super::views::ClientMarks;
use crate::app::App;
use crate::failure::Broken;
use crate::registration::{self, Vouched};
use crate::store::StoreError;

/// The marks of `client`.
///
/// # Errors
/// The store's.
pub async fn find(app: &App, client: &Client, language: &str) -> Result<ClientMarks, StoreError> {
    let vouched = registration::vouched(app, client).await?;
    Ok(of(client, &vouched, language))
}

/// The marks of `client`, as far as they are its own where nobody vouches for it.
#[must_use]
pub fn of(client: &Client, vouched: &Vouched, language: &str) -> ClientMarks {
    let by_operator = *vouched == Vouched::ByOperator;
    let link = |member: &str, plain: Option<&Url>| {
        let tagged = client.metadata.in_languages.get(&format!("{member}#{language}"));
        let url = tagged.and_then(|text| Url::parse(text).ok()).or_else(|| plain.cloned())?;
        let leads_somewhere = matches!(url.scheme(), "https" | "http");
        (leads_somewhere && (by_operator || law::tells_of_itself(client, &url))).then(|| url.to_string())
    };
    ClientMarks {
        logo: law::logo(client, by_operator)
            .map(|_| format!("/clients/{}/logo", in_path(client.id.as_str()))),
        policy: link("policy_uri", client.metadata.policy_uri.as_ref()),
        tos: link("tos_uri", client.metadata.tos_uri.as_ref()),
    }
}

/// An id as one segment of a path.
#[must_use]
pub fn in_path(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

/// `GET /clients/{client_id}/logo`: the picture, which browsers may keep, and nothing else than a picture.
pub async fn logo(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    match picture(&app, &id).await {
        Ok(Some(response)) => response,
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(reason) => {
            tracing::error!(%reason, "a logo could not be shown");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn picture(app: &App, id: &str) -> Result<Option<Response>, Broken> {
    let Ok(id) = id.parse::<ClientId>() else { return Ok(None) };
    let Some(client) = app.store.find_client(&id).await? else { return Ok(None) };
    let by_operator = registration::vouched(app, &client).await? == Vouched::ByOperator;
    let Some(url) = law::logo(&client, by_operator).filter(|_| client.is_live(app.clock.now())) else {
        return Ok(None);
    };
    let Some(logo) = app.logos.find(&app.outbound, url).await else { return Ok(None) };
    let mut response = logo.bytes.clone().into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, logo.media_type),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(Some(response))
}
