//! Clients that nobody declared.

mod documents;
mod manage;
mod pages;
mod register;

use serde_json::{Value, json};
use tests::{Answer, Authentication, Client, Database, House, ORDERS};

/// Where a registered client gets its answers.
const BACK: &str = "https://rp.example/callback";

/// A house where everybody may register clients, which may reach the orders.
async fn open(database: Database) -> House {
    House::on_with(database, &settings("enabled = \"open\"")).await
}

/// Settings for registration, with `more` of them.
fn settings(more: &str) -> String {
    let grants = "[\"authorization_code\", \"refresh_token\", \"client_credentials\", \
                  \"urn:ietf:params:oauth:grant-type:token-exchange\"]";
    format!(
        "[registration]\nrequests_per_minute = 1000\ngrant_types = {grants}\n\
         scope = \"openid profile offline_access orders:read\"\nresources = [\"{ORDERS}\"]\n\
         authorization_details_types = [\"mcp_tool\"]\n{more}\n"
    )
}

/// The least that a client says of itself, with `more`.
fn metadata(more: &Value) -> Value {
    let mut metadata = json!({ "redirect_uris": [BACK], "client_name": "The newcomer" });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata
}

async fn register(house: &House, metadata: &Value) -> Answer {
    house.send(house.request("POST", "/register").json(metadata)).await
}

/// A registered client that authenticates with its secret.
async fn registered(house: &House, more: &Value) -> (Answer, Client) {
    let answer = register(house, &metadata(more)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let authentication = match answer.json["client_secret"].as_str() {
        Some(secret) => Authentication::Basic(secret.to_owned()),
        None => Authentication::None,
    };
    let client = Client::new(house.door(), answer.text("client_id"), authentication);
    (answer, client)
}

/// A request to where the client of `answer` manages its registration.
async fn manage(house: &House, answer: &Answer, method: &str, body: Option<&Value>) -> Answer {
    let path = answer.text("registration_client_uri").strip_prefix(house.issuer()).unwrap();
    let request = house.request(method, path).bearer_auth(answer.text("registration_access_token"));
    house
        .send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
}
