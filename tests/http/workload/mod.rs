//! Workload identity: clients and agents that prove who they are without any secret of their own.

mod attestation;
mod bundles;
mod combined;
mod held;
pub mod instances;
mod kubernetes;
mod platforms;
mod spiffe;

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Authentication, Client, Database, FakeProvider, House, INVENTORY, ORDERS, random};

/// The grant types that an agent of these tests may use.
const GRANTS: &str = "[\"authorization_code\", \"refresh_token\", \"client_credentials\", \
    \"urn:ietf:params:oauth:grant-type:token-exchange\", \"urn:ietf:params:oauth:grant-type:jwt-bearer\", \
    \"urn:ietf:params:oauth:grant-type:device_code\", \"urn:openid:params:grant-type:ciba\"]";

/// An agent of this id that authenticates so, with more in its table.
fn agent(id: &str, method: &str, more: &str) -> String {
    format!(
        "[[agents]]\nid = \"{id}\"\nname = \"{id} the agent\"\nowner = \"bob\"\npurpose = \"Runs where it is put.\"\n\
         expires = 2099-01-01T00:00:00Z\nauthentication = \"{method}\"\ngrant_types = {GRANTS}\n\
         redirect_uris = [\"https://{id}.example/callback\"]\n\
         scope = \"openid offline_access tasks orders:read orders:write inventory:read\"\n\
         resources = [\"{ORDERS}\", \"{INVENTORY}\"]\n{more}\n"
    )
}

/// A house that trusts the platform, as far as `rule` says, with these agents.
async fn house(database: Database, platform: &FakeProvider, rule: &str, agents: &str) -> House {
    House::on_with(database, &trusting(platform, rule, agents)).await
}

/// What is declared in such a house.
fn trusting(platform: &FakeProvider, rule: &str, agents: &str) -> String {
    format!(
        "outbound.permitted_addresses = [\"127.0.0.0/8\"]\n\
         [[workload_issuers]]\nissuer = \"{}\"\n{rule}\n{agents}",
        platform.issuer
    )
}

/// What is declared of an agent that is whatever workload of the platform runs for this repository.
fn of_repository(platform: &FakeProvider, repository: &str) -> String {
    format!("workload = {{ issuer = \"{}\", claims = {{ repository = \"{repository}\" }} }}", platform.issuer)
}

/// A token that is right, of a workload of `acme/app`.
fn right(platform: &FakeProvider, house: &House) -> Value {
    let now = house.door().now().0;
    json!({
        "iss": platform.issuer, "sub": "repo:acme/app:ref:refs/heads/main", "aud": house.issuer(), "iat": now,
        "exp": now + 300, "jti": random(), "repository": "acme/app", "ref": "refs/heads/main", "run_id": "17",
    })
}

fn signed(platform: &FakeProvider, claims: &Value) -> String {
    platform.sign(&json!({ "alg": "ES256", "kid": "first", "typ": "JWT" }), claims)
}

/// A client that shows what `token` gives it.
fn shows(
    house: &House,
    id: &str,
    kind: &'static str,
    token: impl Fn() -> String + Send + Sync + 'static,
) -> Client {
    Client::new(house.door(), id, Authentication::Platform(kind, Arc::new(token))).with_dpop()
}

/// A client that shows this one token whenever it comes.
fn with_token(house: &House, id: &str, token: &str) -> Client {
    let token = token.to_owned();
    shows(house, id, "jwt-bearer", move || token.clone())
}
