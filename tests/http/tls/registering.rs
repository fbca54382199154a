//! Clients that register themselves with a certificate (RFC 8705 §2.1.2, §2.2.2), where there is somewhere to show it.

use serde_json::{Value, json};
use tests::{
    Answer, Authentication, Client, Database, House, Key, ORDERS, Secured, Wanted, on_both_databases,
};

on_both_databases! { a_client_that_registered_its_certificate_is_known_by_it_and_manages_itself_by_its_token }

fn settings() -> String {
    format!(
        "[registration]\nenabled = \"open\"\nrequests_per_minute = 1000\n\
         grant_types = [\"authorization_code\", \"client_credentials\"]\nscope = \"orders:read\"\n\
         resources = [\"{ORDERS}\"]\n"
    )
}

/// A client of this method, which needs no browser.
fn metadata(method: &str, more: &Value) -> Value {
    let mut metadata = json!({ "grant_types": ["client_credentials"], "response_types": [], "token_endpoint_auth_method": method });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata
}

const OWN: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("scope", "orders:read"), ("resource", ORDERS)];

async fn a_client_that_registered_its_certificate_is_known_by_it_and_manages_itself_by_its_token(
    database: Database,
) {
    let secured = Secured::prepare();
    let house = House::on_secured(database, &secured, &settings()).await;
    let own = Wanted::client("robot").self_signed();
    let mut key = Key::generate().jwk;
    key["x5c"] = json!([own.x5c()]);
    let asked = metadata(
        "self_signed_tls_client_auth",
        &json!({ "jwks": { "keys": [key] }, "tls_client_certificate_bound_access_tokens": true }),
    );
    // At the listener that asks for certificates, which nobody needs to show to register.
    let at = |path: &str| format!("{}{path}", secured.base());
    let visitor = secured.visitor(None);
    let answer = house.send(visitor.post(at("/register")).json(&asked)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    house.told("client.register", "granted").await;
    assert_eq!(answer.text("token_endpoint_auth_method"), "self_signed_tls_client_auth");
    assert!(answer.json.get("client_secret").is_none());

    let robot = Client::new(house.door(), answer.text("client_id"), Authentication::None);
    let token = secured.showing(&robot, Some(&own)).token(&OWN).await.ok();
    assert_eq!(token.claims()["cnf"]["x5t#S256"], own.x5t_s256());
    let other = Wanted::client("robot").self_signed();
    for wrong in [Some(&other), None] {
        secured.showing(&robot, wrong).token(&OWN).await.refused("invalid_client");
    }

    // Its certificate is no registration access token, and that token needs no certificate.
    let path = format!("/register/{}", robot.id);
    let with_certificate = secured.visitor(Some(&own));
    house.send(with_certificate.get(at(&path))).await.refused_none();
    let bearer = answer.text("registration_access_token");
    let read = house.send(with_certificate.get(at(&path)).bearer_auth(bearer)).await.ok();
    assert_eq!(read.json["jwks"], answer.json["jwks"]);
    house.send(visitor.get(at(&path)).bearer_auth(bearer)).await.ok();
    // The new certificate counts from the update on, and the old one no more.
    let mut update = asked.clone();
    update["client_id"] = json!(robot.id);
    update["jwks"]["keys"][0]["x5c"] = json!([other.x5c()]);
    house.send(visitor.put(at(&path)).bearer_auth(bearer).json(&update)).await.ok();
    house.told("client.update", "granted").await;
    secured.showing(&robot, Some(&own)).token(&OWN).await.refused("invalid_client");
    secured.showing(&robot, Some(&other)).token(&OWN).await.ok();
    assert_eq!(house.send(visitor.delete(at(&path)).bearer_auth(bearer)).await.status, 204);
    secured.showing(&robot, Some(&other)).token(&OWN).await.refused("invalid_client");
}

trait Unauthorized {
    fn refused_none(self);
}

impl Unauthorized for Answer {
    /// It must be 401 without an error, as nothing was presented (RFC 6750 §3.1).
    #[track_caller]
    fn refused_none(self) {
        assert_eq!((self.status, self.json.get("error")), (401, None), "{}", self.body);
    }
}

#[tokio::test]
async fn a_method_that_nobody_can_use_here_is_not_registered() {
    let named = json!({ "tls_client_auth_san_dns": "robot.example" });
    let mut key = Key::generate().jwk;
    key["x5c"] = json!([Wanted::client("robot").self_signed().x5c()]);
    let shown = json!({ "jwks": { "keys": [key] } });
    let secured = Secured::prepare();
    let all = secured.settings();
    let rest: Vec<&str> = all.lines().filter(|line| !line.starts_with("ca_file")).collect();
    let without_authorities = format!("{}\n", rest.join("\n"));
    let plain = House::open_with(&settings()).await;
    let half = House::on_settings(&secured, &format!("{without_authorities}{}", settings())).await;
    let behind = House::open_with(&format!(
        "[proxy]\ntrusted = [\"127.0.0.0/8\"]\nclient_certificate_header = \"client-cert\"\n{}",
        settings()
    ))
    .await;
    for (house, method, more, taken) in [
        (&plain, "tls_client_auth", &named, false),
        (&plain, "self_signed_tls_client_auth", &shown, false),
        (&half, "tls_client_auth", &named, false),
        (&half, "self_signed_tls_client_auth", &shown, true),
        (&behind, "tls_client_auth", &named, false),
        (&behind, "self_signed_tls_client_auth", &shown, true),
    ] {
        let answer = house.send(house.request("POST", "/register").json(&metadata(method, more))).await;
        if taken {
            assert_eq!(answer.status, 201, "{method}: {}", answer.body);
        } else {
            answer.refused("invalid_client_metadata");
            house.told("client.register", "invalid_client_metadata").await;
        }
    }
}
