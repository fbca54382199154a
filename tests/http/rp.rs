//! A relying party with a key, registered as a test wants it, and what it does with requests and answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value, json};
use tests::{Arrival, Ask, Authentication, Client, Database, Form, House, Key, ORDERS, Page, Person};

/// A house with one more client, `rp`, that has these further members.
pub(crate) async fn house(database: Database, members: &str) -> (House, Client, Arc<Key>) {
    let key = Arc::new(Key::generate());
    let jwks =
        if members.contains("jwks =") { String::new() } else { format!("jwks = {}\n", key.jwks_toml()) };
    let declared = declared("rp", &format!("authentication = \"private_key_jwt\"\n{jwks}{members}"));
    let house = House::on_with(database, &declared).await;
    let client = Client::new(house.door(), "rp", Authentication::PrivateKeyJwt(Arc::clone(&key)));
    (house, client, key)
}

/// The same on SQLite.
pub(crate) async fn open(members: &str) -> (House, Client, Arc<Key>) {
    house(Database::Sqlite, members).await
}

/// The declaration of an application that may ask for everything.
pub(crate) fn declared(id: &str, members: &str) -> String {
    let settings: String =
        members.lines().filter_map(|line| Some(format!("{}\n", line.strip_prefix("setting: ")?))).collect();
    let members: String = members
        .lines()
        .filter(|line| !line.starts_with("setting: "))
        .map(|line| format!("{line}\n"))
        .collect();
    let redirect_uris = match members.contains("redirect_uris =") {
        true => String::new(),
        false => format!("redirect_uris = [\"https://{id}.example/callback\"]\n"),
    };
    format!(
        "{settings}[[clients]]\nid = \"{id}\"\nname = \"The {id}\"\nkind = \"application\"\n{redirect_uris}\
         scope = \"openid profile email phone offline_access orders:read orders:write\"\n\
         resources = [\"{ORDERS}\"]\n{members}\n"
    )
}

/// The claims of a request object with everything that `ask` asks.
pub(crate) fn object(house: &House, ask: &Ask) -> Map<String, Value> {
    let now = house.door().now().0;
    let mut claims = Map::new();
    for (name, value) in ask.params() {
        let value = match name {
            "claims" | "authorization_details" => serde_json::from_str(value).unwrap(),
            "max_age" => json!(value.parse::<i64>().unwrap()),
            _ => json!(value),
        };
        claims.insert(name.to_owned(), value);
    }
    let of_the_jwt = json!({
        "iss": claims["client_id"], "aud": house.issuer(), "iat": now, "nbf": now, "exp": now + 300,
        "jti": tests::random()
    });
    claims.extend(of_the_jwt.as_object().unwrap().clone());
    claims
}

/// Signs a request object as its client would.
pub(crate) fn sign(key: &Key, claims: &Map<String, Value>) -> String {
    key.sign(&json!({"alg": "ES256", "typ": "oauth-authz-req+jwt"}), &Value::Object(claims.clone()))
}

/// Brings a request object, with nothing beside it but who it is from.
pub(crate) async fn bring(person: &Person, object: &str) -> Arrival {
    person.authorize(&[("client_id", "rp"), ("request", object)]).await
}

/// What an authorization response says.
pub(crate) fn query(arrival: Arrival) -> BTreeMap<String, String> {
    arrival.away().query_pairs().into_owned().collect()
}

/// What the form on the page that goes to the client holds.
pub(crate) fn posted(page: &Page, to: &str) -> BTreeMap<String, String> {
    assert_eq!((page.status, page.headers["cache-control"].to_str().unwrap()), (200, "no-store"));
    let form: Form = page.form_to(to);
    form.fields.into_iter().collect()
}

/// The claims of a JWT that the house signed: verified with nothing but what it publishes.
pub(crate) async fn verified(house: &House, jwt: &str, aud: &str) -> Value {
    let header = decode_header(jwt).unwrap();
    let keys = house.send(house.request("GET", "/jwks")).await.ok().body;
    let keys: JwkSet = serde_json::from_str(&keys).unwrap();
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut rules = Validation::new(header.alg);
    rules.set_audience(&[aud]);
    rules.set_issuer(&[house.issuer()]);
    // The clock of the house is turned by the tests, and judged by them.
    (rules.validate_exp, rules.required_spec_claims) = (false, ["iss", "aud"].map(str::to_owned).into());
    decode::<Value>(jwt, &key, &rules).unwrap().claims
}

/// The algorithm in the header of a JWT.
pub(crate) fn alg(jwt: &str) -> String {
    tests::unverified_header(jwt)["alg"].as_str().unwrap().to_owned()
}
