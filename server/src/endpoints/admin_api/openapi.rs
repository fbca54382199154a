//! `/admin/api/v1/openapi.json`: what the admin API takes and gives, for programs that write programs. It says nothing
//! that the documentation does not, so it is open to everybody.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::app::App;
use crate::endpoints::reply;
use crate::failure::Broken;

/// The document, but for where this server is. Tests hold it against the router and against real answers.
const DOCUMENT: &str = include_str!("openapi.json");

/// The document.
pub async fn get(State(app): State<Arc<App>>) -> Response {
    match document(app.issuer()) {
        Some(document) => reply::json(StatusCode::OK, document),
        None => reply::broken(Broken::Inconsistent("the OpenAPI document is no JSON")),
    }
}

fn document(issuer: &str) -> Option<Value> {
    let mut document: Value = serde_json::from_str(DOCUMENT).ok()?;
    document["servers"] = json!([{ "url": issuer }]);
    let schemes = document.pointer_mut("/components/securitySchemes")?;
    for flow in schemes.as_object_mut()?.values_mut() {
        *flow.pointer_mut("/flows/clientCredentials/tokenUrl")? =
            format!("{issuer}{}", protocol::metadata::TOKEN).into();
    }
    Some(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_says_where_this_server_is_and_where_its_tokens_come_from() {
        let document = document("https://as.example").unwrap();
        assert_eq!(document["servers"][0]["url"], "https://as.example");
        let schemes = document["components"]["securitySchemes"].as_object().unwrap();
        for scheme in schemes.values() {
            let flow = &scheme["flows"]["clientCredentials"];
            assert_eq!(flow["tokenUrl"], "https://as.example/token");
            let scopes: Vec<&String> = flow["scopes"].as_object().unwrap().keys().collect();
            let mut all = protocol::admin_api::AdminScope::ALL.map(|scope| scope.as_str());
            all.sort_unstable();
            assert_eq!(scopes, all);
        }
    }
}
