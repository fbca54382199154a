//! The upstream removed somebody, and says so by global token revocation.

use serde_json::{Value, json};
use tests::{Answer, Database, ORDERS, on_both_databases, random};

use super::World;

on_both_databases! { what_an_upstream_revokes_ends_and_nothing_of_anybody_else }

const PATH: &str = "/global-token-revocation";

impl World {
    fn fit(&self) -> Value {
        let now = self.house.door().now().0;
        json!({
            "iss": self.there.issuer, "aud": self.house.url(PATH), "iat": now, "exp": now + 60, "jti": random(),
        })
    }

    fn zoe(&self) -> Value {
        json!({ "sub_id": { "format": "iss_sub", "iss": self.there.issuer, "sub": "zoe" } })
    }

    fn shown(&self, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "kid": "first", "typ": "global-token-revocation+jwt" });
        self.there.sign(&header, claims)
    }

    async fn revoke(&self, jwt: &str, body: &Value) -> Answer {
        let request = self.house.request("POST", PATH).header("Authorization", format!("Bearer {jwt}"));
        self.house.send(request.header("Content-Type", "application/json").body(body.to_string())).await
    }
}

async fn what_an_upstream_revokes_ends_and_nothing_of_anybody_else(database: Database) {
    let world = World::on(database, "").await;
    let house = &world.house;
    let (zoe, alice) = (world.signed_in().await, house.signed_in("alice").await);
    let listed = house.signed_in("admin").await.page("/admin").await.html;
    assert!(listed.contains("<code>zoe"), "whom an upstream brought stands on the admin page too");
    let shop = house.client("shop");
    let ask = || house.ask(&shop).scope("offline_access orders:read").resource(ORDERS);
    let hers = ask().approved_by(&zoe).await.redeem(&shop).await.ok();
    let alices = ask().approved_by(&alice).await.redeem(&shop).await.ok();
    let code = ask().approved_by(&zoe).await;

    let done = world.revoke(&world.shown(&world.fit()), &world.zoe()).await;
    assert_eq!((done.status, done.body.as_str(), done.header("cache-control")), (204, "", "no-store"));
    let told = house.told("user.revoke", "granted").await;
    assert_eq!(told["reason"], "upstream company");
    assert!(!house.is_active(hers.access_token()).await);
    shop.refresh(hers.text("refresh_token"), &[]).await.refused("invalid_grant");
    code.redeem(&shop).await.refused("invalid_grant");
    assert!(zoe.page("/account").await.path.starts_with("/sign-in"));
    assert!(house.is_active(alices.access_token()).await);
    shop.refresh(alices.text("refresh_token"), &[]).await.ok();
    assert_eq!(alice.page("/account").await.path, "/account");
    // Whom the upstream lets in still, is in again; what ended stays ended.
    world.signed_in().await;
    shop.refresh(hers.text("refresh_token"), &[]).await.refused("invalid_grant");

    // By the other name of the member, in the other formats, of its own users alone.
    let by = |format: &str, name: &str, value: &str| json!({ "subject": { "format": format, name: value } });
    assert_eq!(world.revoke(&world.shown(&world.fit()), &by("opaque", "id", "zoe")).await.status, 204);
    for (body, status) in [
        (by("opaque", "id", "nobody"), 404),
        (by("email", "email", "alice@people.example"), 404),
        (json!({ "sub_id": { "format": "iss_sub", "iss": house.issuer(), "sub": "x" } }), 403),
        (json!({ "sub_id": { "format": "phone_number", "phone_number": "+1" } }), 400),
        (json!({ "sub_id": { "format": "opaque", "id": "zoe" }, "subject": {} }), 400),
        (json!([]), 400),
    ] {
        let answer = world.revoke(&world.shown(&world.fit()), &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
    assert!(house.is_active(alices.access_token()).await, "nobody else's");
}

#[tokio::test]
async fn what_is_no_revocation_by_an_upstream_ends_nothing_and_says_nothing_of_anybody() {
    let world = World::open("").await;
    let zoe = world.signed_in().await;
    let with = |name: &str, value: Value| {
        let mut claims = world.fit();
        claims[name] = value;
        world.shown(&claims)
    };
    let foreign = {
        let header = json!({ "alg": "ES256", "kid": "first", "typ": "global-token-revocation+jwt" });
        tests::Key::generate().sign(&header, &world.fit())
    };
    let mut answers = Vec::new();
    for jwt in [
        with("iss", json!("https://other.example")),
        with("aud", json!(world.house.issuer())),
        with("exp", json!(1)),
        with("jti", Value::Null),
        foreign,
    ] {
        let answer = world.revoke(&jwt, &world.zoe()).await;
        assert_eq!((answer.status, answer.text("error")), (401, "invalid_token"), "{}", answer.body);
        assert!(answer.header("www-authenticate").contains("invalid_token"));
        world.house.told("user.revoke", "invalid_token").await;
        // Whoever is not known gets the same answer for everybody.
        answers
            .push(world.revoke(&jwt, &json!({ "sub_id": { "format": "opaque", "id": "x" } })).await.status);
    }
    assert!(answers.iter().all(|status| *status == 401), "{answers:?}");
    for header in [json!({ "alg": "ES256", "kid": "first" }), json!({ "alg": "ES256", "typ": "logout+jwt" })]
    {
        let jwt = world.there.sign(&header, &world.fit());
        assert_eq!(world.revoke(&jwt, &world.zoe()).await.status, 401, "{header}");
    }
    assert_eq!(zoe.page("/account").await.path, "/account");

    // It counts once.
    let jwt = world.shown(&world.fit());
    let (a, b) = (world.zoe(), world.zoe());
    let (one, two) = tokio::join!(world.revoke(&jwt, &a), world.revoke(&jwt, &b));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 401]);
}

#[tokio::test]
async fn whom_the_configuration_links_an_upstream_may_speak_of_before_they_ever_signed_in_by_it() {
    let world = World::open("links = { zoe = \"bob\" }\n").await;
    let bob = world.house.signed_in("bob").await;
    assert_eq!(bob.page("/account").await.path, "/account");
    assert_eq!(world.revoke(&world.shown(&world.fit()), &world.zoe()).await.status, 204);
    assert!(bob.page("/account").await.path.starts_with("/sign-in"));
}
