//! What a client learns about a user: single claims (`claims`, OpenID Connect Core §5.5), the forms of userinfo (§5.3.2)
//! and of the ID token, and under which name it knows them (§8).

use std::sync::Arc;

use josekit::jwe;
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use serde_json::{Value, json};
use tests::{
    Answer, Ask, Authentication, Client, Database, House, Key, ORDERS, Person, on_both_databases,
    unverified_claims,
};

use crate::rp::{self, alg, declared, open, query, verified};

on_both_databases! { pairwise_names_are_the_same_everywhere_and_others_in_another_sector, claims_are_told_where_they_were_asked_for }

async fn tokens(client: &Client, ask: &Ask, person: &Person) -> Answer {
    ask.approved_by(person).await.redeem(client).await.ok()
}

async fn claims_are_told_where_they_were_asked_for(database: Database) {
    let (house, client, _) = rp::house(database, "").await;
    let alice = house.signed_in("alice").await;
    let claims = json!({
        "userinfo": {"email": {"essential": true}, "phone_number": null},
        "id_token": {"name": null, "preferred_username": {"value": "bob"}, "auth_time": {"essential": true}}
    });
    let ask = || house.ask(&client).scope("openid").with("claims", &claims.to_string());
    let page = ask().brought_by(&alice).await.page();
    let words = page.text();
    assert!(words.contains("Your e-mail address") && words.contains("Your full name"), "{words}");
    let token = tokens(&client, &ask(), &alice).await;
    let id_token = unverified_claims(token.text("id_token"));
    assert_eq!(id_token["name"], "Alice Arnold");
    for name in ["preferred_username", "email", "given_name"] {
        assert!(id_token.get(name).is_none(), "{name}: {id_token}");
    }
    let told = client.call("GET", "/userinfo", token.access_token()).await.ok();
    assert_eq!(told.json, json!({"sub": id_token["sub"], "email": "alice@people.example"}));
    // What was approved is remembered, and more is asked for.
    assert!(query(ask().with("prompt", "none").brought_by(&alice).await).contains_key("code"));
    let more = json!({"userinfo": {"birthdate": null}}).to_string();
    let more = house.ask(&client).scope("openid").with("claims", &more).with("prompt", "none");
    assert_eq!(query(more.brought_by(&alice).await)["error"], "consent_required");
}

#[tokio::test]
async fn a_client_gets_no_claims_beyond_its_registered_scope_and_none_that_were_not_approved() {
    let house = House::build(Database::Sqlite, |town| {
        town.replace(
            "scope = \"openid profile email offline_access grant",
            "scope = \"openid email offline_access grant",
        )
    })
    .await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let claims = json!({"userinfo": {"name": null, "email": null, "salary": null, "sub": null}}).to_string();
    let token = tokens(&web, &house.ask(&web).scope("openid").with("claims", &claims), &alice).await;
    let told = web.call("GET", "/userinfo", token.access_token()).await.ok();
    assert_eq!(told.json.as_object().unwrap().keys().collect::<Vec<_>>(), ["email", "sub"]);
    // Asked for by scope and struck there, it does not come in by its name.
    let ask = house.ask(&web).scope("openid email").with("claims", &claims).with("prompt", "consent");
    let code = ask
        .approved_in_part(&alice, |form| {
            form.untick("scope", "email");
        })
        .await;
    let token = code.redeem(&web).await.ok();
    let told = web.call("GET", "/userinfo", token.access_token()).await.ok();
    assert_eq!(told.json.as_object().unwrap().keys().collect::<Vec<_>>(), ["sub"]);
}

#[tokio::test]
async fn claims_that_are_no_such_json_are_refused() {
    let (house, client, key) = open("").await;
    let alice = house.signed_in("alice").await;
    for wrong in ["x", "[]", r#"{"userinfo":1}"#, r#"{"userinfo":{"name":"x"}}"#] {
        let told = query(house.ask(&client).scope("openid").with("claims", wrong).brought_by(&alice).await);
        assert_eq!(told["error"], "invalid_request", "{wrong}");
        house.told("authorization.request", "invalid_request").await;
    }
    // In a request object they are JSON and not text.
    let claims = json!({"id_token": {"email": null}}).to_string();
    let ask = house.ask(&client).scope("openid").with("claims", &claims);
    let object = rp::sign(&key, &rp::object(&house, &ask));
    let told = query(rp::bring(&alice, &object).await.page().approve(|_| {}).await);
    let token = ask.code(&told["code"]).redeem(&client).await.ok();
    assert_eq!(unverified_claims(token.text("id_token"))["email"], "alice@people.example");
}

#[tokio::test]
async fn userinfo_is_signed_where_the_client_registered_it() {
    let (house, client, _) = open("userinfo_signed_response_alg = \"RS256\"").await;
    let token =
        tokens(&client, &house.ask(&client).scope("openid email"), &house.signed_in("alice").await).await;
    let told = client.call("GET", "/userinfo", token.access_token()).await.ok();
    assert_eq!((told.header("content-type"), told.header("cache-control")), ("application/jwt", "no-store"));
    assert_eq!(alg(&told.body), "RS256");
    let claims = verified(&house, &told.body, "rp").await;
    assert_eq!(claims["sub"], unverified_claims(token.text("id_token"))["sub"]);
    assert_eq!((&claims["email"], &claims["aud"]), (&json!("alice@people.example"), &json!("rp")));
    // It is no ID token, though the same key signed it.
    let hint = house.ask(&client).scope("openid").with("prompt", "none").with("id_token_hint", &told.body);
    assert_eq!(query(hint.brought_by(&house.person()).await)["error"], "invalid_request");
}

#[tokio::test]
async fn an_access_token_may_come_in_a_form_and_in_one_place() {
    let house = House::open().await;
    let web = house.client("web");
    let token = tokens(&web, &house.ask(&web).scope("openid"), &house.signed_in("alice").await).await;
    let post = |token: &str| house.request("POST", "/userinfo").form(&[("access_token", token)]);
    let told = house.send(post(token.access_token())).await.ok();
    assert_eq!(told.json["sub"], token.claims()["sub"]);
    house.send(post("x")).await.refused_with(401, "invalid_token");
    let both = post(token.access_token()).header("Authorization", format!("Bearer {}", token.access_token()));
    house.send(both).await.refused("invalid_request");
    // A bound token is worth nothing without its key, wherever it stands.
    let shop = house.client("shop").with_dpop();
    let bound = tokens(&shop, &house.ask(&shop).scope("openid"), &house.signed_in("alice").await).await;
    house.send(post(bound.access_token())).await.refused_with(401, "invalid_token");
}

/// A key that things are encrypted to, and the client's JWK Set with it.
fn encryption(key: &Key) -> (Jwk, String) {
    let mut private = Jwk::generate_ec_key(EcCurve::P256).unwrap();
    private.set_key_id("to-rp");
    let public: Value = serde_json::to_value(private.to_public_key().unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let jwks = format!(
        "jwks = {{ keys = [{{ kty = \"EC\", crv = \"P-256\", use = \"sig\", x = \"{}\", y = \"{}\" }}, \
         {{ kty = \"EC\", crv = \"P-256\", use = \"enc\", kid = \"to-rp\", x = \"{}\", y = \"{}\" }}] }}",
        text(&key.jwk["x"]),
        text(&key.jwk["y"]),
        text(&public["x"]),
        text(&public["y"])
    );
    (private, jwks)
}

fn decrypt(private: &Jwk, jwe: &str) -> String {
    let decrypter = jwe::ECDH_ES.decrypter_from_jwk(private).unwrap();
    String::from_utf8(jwe::deserialize_compact(jwe, &decrypter).unwrap().0).unwrap()
}

#[tokio::test]
async fn what_is_encrypted_only_the_client_can_read() {
    let key = Arc::new(Key::generate());
    let (private, jwks) = encryption(&key);
    let members = format!(
        "authentication = \"private_key_jwt\"\n{jwks}\nid_token_encrypted_response_alg = \"ECDH-ES\"\n\
         userinfo_encrypted_response_alg = \"ECDH-ES\"\nuserinfo_encrypted_response_enc = \"A128GCM\""
    );
    let house = House::open_with(&declared("rp", &members)).await;
    let alice = house.signed_in("alice").await;
    let client = Client::new(house.door(), "rp", Authentication::PrivateKeyJwt(Arc::clone(&key)));
    let token = tokens(&client, &house.ask(&client).scope("openid email"), &alice).await;
    let header = tests::unverified_header(token.text("id_token"));
    assert_eq!((&header["enc"], &header["cty"]), (&json!("A128CBC-HS256"), &json!("JWT")));
    let id_token = verified(&house, &decrypt(&private, token.text("id_token")), "rp").await;
    let told = client.call("GET", "/userinfo", token.access_token()).await.ok();
    assert_eq!(told.header("content-type"), "application/jwt");
    assert_eq!(tests::unverified_header(&told.body)["enc"], "A128GCM");
    let claims: Value = serde_json::from_str(&decrypt(&private, &told.body)).unwrap();
    assert_eq!((&claims["sub"], &claims["email"]), (&id_token["sub"], &json!("alice@people.example")));
}

#[tokio::test]
async fn userinfo_that_is_signed_and_encrypted_is_signed_first() {
    let key = Arc::new(Key::generate());
    let (private, jwks) = encryption(&key);
    let members = format!(
        "{jwks}\nuserinfo_encrypted_response_alg = \"ECDH-ES\"\nuserinfo_signed_response_alg = \"EdDSA\""
    );
    let declared = declared("rp", &format!("authentication = \"private_key_jwt\"\n{members}"));
    let house = House::open_with(&declared).await;
    let client = Client::new(house.door(), "rp", Authentication::PrivateKeyJwt(Arc::clone(&key)));
    let token = tokens(&client, &house.ask(&client).scope("openid"), &house.signed_in("alice").await).await;
    let told = client.call("GET", "/userinfo", token.access_token()).await.ok();
    let claims = verified(&house, &decrypt(&private, &told.body), "rp").await;
    assert_eq!(claims["sub"], unverified_claims(token.text("id_token"))["sub"]);
}

async fn pairwise_names_are_the_same_everywhere_and_others_in_another_sector(database: Database) {
    let member = |id: &str, secret: &str, host: &str| {
        let members = format!(
            "authentication = \"client_secret_basic\"\nsecret_sha256 = \"{}\"\nsubject_type = \"pairwise\"\n\
             redirect_uris = [\"https://{host}/{id}\"]",
            sha256_hex(secret)
        );
        declared(id, &members)
    };
    let fragment = [
        member("one", "the secret of one", "a.example"),
        member("two", "the secret of two", "a.example"),
        member("far", "the secret of far", "b.example"),
    ];
    let house = House::on_with(database, &fragment.concat()).await;
    let alice = house.signed_in("alice").await;
    let mut names = Vec::new();
    for (id, host) in [("one", "a.example"), ("two", "a.example"), ("far", "b.example")] {
        let client = Client::new(house.door(), id, Authentication::Basic(format!("the secret of {id}")));
        let ask = || {
            let ask = house.ask(&client).scope("openid offline_access").without("redirect_uri");
            ask.with("redirect_uri", &format!("https://{host}/{id}"))
        };
        let code = ask().approved_by(&alice).await;
        let code = tests::Code { redirect_uri: format!("https://{host}/{id}"), ..code };
        let token = code.redeem(&client).await.ok();
        let name = unverified_claims(token.text("id_token"))["sub"].clone();
        // In the access token nobody can read another one.
        assert!(!token.access_token().contains('.'), "{}", token.access_token());
        let told = client.call("GET", "/userinfo", token.access_token()).await.ok();
        let seen = client.introspect(token.access_token()).await.ok();
        assert_eq!((&told.json["sub"], &seen.json["sub"]), (&name, &name));
        let later = client.refresh(token.text("refresh_token"), &[]).await.ok();
        assert_eq!(unverified_claims(later.text("id_token"))["sub"], name);
        // Its own name for her is what it can hint at.
        let hint = ask().with("prompt", "none").with("id_token_hint", token.text("id_token"));
        assert!(query(hint.brought_by(&alice).await).contains_key("code"));
        names.push(name);
    }
    let web = house.client("web");
    let public = tokens(&web, &house.ask(&web).scope("openid"), &alice).await;
    let public = unverified_claims(public.text("id_token"))["sub"].clone();
    assert_eq!(names[0], names[1]);
    assert!(names[0] != names[2] && names[0] != public && names[2] != public);
}

#[tokio::test]
async fn a_resource_server_knows_the_users_of_all_clients_by_one_name() {
    let members = "subject_type = \"pairwise\"";
    let (house, client, _) = open(members).await;
    let alice = house.signed_in("alice").await;
    let token = house.ask(&client).scope("orders:read").approved_by(&alice).await.redeem(&client).await.ok();
    let web = house.client("web");
    let other = house.ask(&web).scope("orders:read").resource(ORDERS).approved_by(&alice).await;
    let other = other.redeem(&web).await.ok();
    let seen = house.client("orders-api").introspect(token.access_token()).await.ok();
    assert_eq!((&seen.json["active"], &seen.json["sub"]), (&json!(true), &other.claims()["sub"]));
    let own = client.introspect(token.access_token()).await.ok();
    assert_ne!(own.json["sub"], seen.json["sub"]);
}

#[tokio::test]
async fn after_a_refresh_the_id_token_tells_of_the_same_login() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let ask = house.ask(&web).scope("openid offline_access").with("nonce", "n");
    let first = tokens(&web, &ask, &alice).await;
    house.later(60);
    let second = web.refresh(first.text("refresh_token"), &[]).await.ok();
    let (before, after) =
        (unverified_claims(first.text("id_token")), unverified_claims(second.text("id_token")));
    for name in ["iss", "sub", "aud", "auth_time", "amr"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    assert_eq!((&before["nonce"], after.get("nonce")), (&json!("n"), None));
    assert!(after["iat"].as_i64() > before["iat"].as_i64());
    assert_ne!(before["at_hash"], after["at_hash"]);
    let plain =
        house.ask(&web).scope("offline_access orders:read").approved_by(&alice).await.redeem(&web).await.ok();
    let plain = web.refresh(plain.text("refresh_token"), &[]).await.ok();
    assert!(plain.json.get("id_token").is_none());
}

#[tokio::test]
async fn all_standard_claims_of_an_account_are_told_with_their_types() {
    let table = "[users.claims]\ngiven_name = \"Alice\"\nfamily_name = \"Arnold\"\nmiddle_name = \"A.\"\n\
        nickname = \"Al\"\nprofile = \"https://people.example/alice\"\npicture = \"https://people.example/alice.png\"\n\
        website = \"https://alice.example/\"\ngender = \"female\"\nbirthdate = \"1980-02-29\"\n\
        zoneinfo = \"Europe/Vienna\"\nlocale = \"de-AT\"\nupdated_at = 1700000000\nphone_number = \"+43 1\"\n\
        phone_number_verified = true\n[users.claims.address]\ncountry = \"AT\"\n\n";
    let house = House::build(Database::Sqlite, |town| {
        let at = town.find("username = \"bob\"").unwrap();
        let at = town[..at].rfind("[[users]]").unwrap();
        let (head, tail) = town.split_at(at);
        let scope = "openid profile email offline_access grant";
        format!("{head}{table}{tail}")
            .replace(scope, "openid profile email address phone offline_access grant")
    })
    .await;
    let web = house.client("web");
    let ask = house.ask(&web).scope("openid profile email address phone");
    let token = tokens(&web, &ask, &house.signed_in("alice").await).await;
    let told = web.call("GET", "/userinfo", token.access_token()).await.ok().json;
    assert_eq!(told.as_object().unwrap().len(), 20, "{told}");
    assert_eq!((&told["updated_at"], &told["phone_number_verified"]), (&json!(1_700_000_000), &json!(true)));
    assert_eq!((&told["address"], &told["birthdate"]), (&json!({"country": "AT"}), &json!("1980-02-29")));
    let id_token = unverified_claims(token.text("id_token"));
    assert!(id_token.get("name").is_none() && id_token.get("email").is_none(), "{id_token}");
}

fn sha256_hex(text: &str) -> String {
    use std::fmt::Write as _;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
