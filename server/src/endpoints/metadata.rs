//! Both discovery documents (RFC 8414 §3, OpenID Connect Discovery §4).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use protocol::audience::ResourceIndicator;
use protocol::metadata::{self, Certificates, Facts};
use protocol::scope::Scope;
use protocol::trusted_issuer::Purpose;

use super::reply;
use crate::app::App;
use crate::config::Registering;
use crate::failure::Failure;

/// What this server offers, derived from what it does.
pub async fn get(State(app): State<Arc<App>>) -> Response {
    let registry = match app.registry().await {
        Ok(registry) => registry,
        Err(Failure::Broken(reason)) => return reply::broken(reason),
        Err(Failure::Refused(_)) => return reply::unavailable(),
    };
    // The admin API is for those whom the operator declared for it; they know where it is.
    let servers = || registry.resource_servers.iter().filter(|(resource, _)| **resource != app.admin_api);
    let scopes =
        servers().map(|(_, server)| server).fold(Scope::empty(), |all, server| all.union(&server.scope()));
    let resources: Vec<ResourceIndicator> =
        servers().map(|(resource, _)| resource).filter(|one| **one != app.itself).cloned().collect();
    let base = app.settings.mtls.base();
    let certificates = app
        .settings
        .takes_certificates()
        .then(|| Certificates { base: base.as_deref(), authorities: app.tls.authorities.is_some() });
    let platforms = app.workloads.methods(app.settings.takes_certificates());
    let chaining = app.resource_authorization_servers.iter().flat_map(|server| server.grants.iter().copied());
    let chaining = chaining.collect();
    let facts = Facts {
        issuer: app.issuer(),
        scopes: &scopes,
        details_types: &registry.types,
        resources: &resources,
        registration: app.settings.registration.enabled != Registering::Closed,
        client_id_metadata_documents: app.settings.registration.client_id_metadata_documents,
        platforms: &platforms,
        grant_management_action_required: app.settings.grant_management.action_required,
        certificates,
        chaining: &chaining,
        identity_assertions: app.trusted_issuers.any_for(Purpose::IdentityAssertions),
    };
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(metadata::metadata(&facts))).into_response()
}
