//! Two Procuras, one the upstream of the other.

use protocol::client::SigningAlg;
use serde_json::json;
use tests::{Arrival, Database, House, Person, on_both_databases, password_of, unverified_claims};
use url::Url;

use super::{leave, param, upstream};

on_both_databases! {
    somebody_new_gets_an_account_and_the_same_one_the_second_time,
    signing_out_there_ends_sessions_and_tokens_here_but_not_what_was_approved_for_absence,
}

struct Pair {
    there: House,
    here: House,
}

impl Pair {
    async fn open(database: Database) -> Self {
        // A loopback address is the same on every port (RFC 8252 §7.3).
        let callback = "http://127.0.0.1/federation/company/callback";
        let there =
            House::build(database, |town| town.replace("https://web.example/callback", callback)).await;
        let here = House::on_with(database, &upstream(there.issuer(), "")).await;
        Self { there, here }
    }

    /// Alice signs in there and approves, sent there from here: where she is in the end.
    async fn through(&self, person: &Person, sent: &Url) -> Arrival {
        let path = sent.as_str().strip_prefix(self.there.issuer()).expect("sent to the upstream");
        let visitor = self.there.person();
        let page = visitor.page(path).await;
        let arrived = page.sign_in("alice", &password_of("alice")).await;
        let back = match arrived {
            Arrival::Away(url) => url,
            Arrival::Page(page) => page.approve(|_| {}).await.away(),
        };
        person.get(back.as_str().strip_prefix(self.here.issuer()).expect("back here")).await
    }

    /// The whole story: an application here asks, alice comes from there; the answer to the application.
    async fn redeemed(&self, scope: &str) -> tests::Answer {
        let shop = self.here.client("shop");
        let person = self.here.person();
        let ask = self.here.ask(&shop).scope(scope);
        let page = ask.brought_by(&person).await.page();
        let sent = leave(page).await;
        let arrived = self.through(&person, &sent).await;
        let url = match arrived {
            Arrival::Away(url) => url,
            Arrival::Page(page) => page.approve(|_| {}).await.away(),
        };
        assert_eq!(param(&url, "iss"), self.here.issuer());
        ask.code_from(&url).redeem(&shop).await.ok()
    }
}

async fn somebody_new_gets_an_account_and_the_same_one_the_second_time(database: Database) {
    let pair = Pair::open(database).await;
    let first = pair.redeemed("openid profile email").await;
    let claims = unverified_claims(first.text("id_token"));
    // The upstream's word on how she signed in is passed on.
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!(claims["acr"], "urn:procura:acr:single-factor");
    // `alice` lives here already, so she who comes from there is called otherwise.
    let user = pair.here.store().find_user_by_username("alice@company").await.unwrap().expect("an account");
    assert_eq!(claims["sub"], user.id.as_str());
    assert_eq!((user.name.as_str(), user.email()), ("Alice Arnold", Some("alice@people.example")));
    assert!(user.password_hash.is_none() && !user.admin);
    let local = pair.here.store().find_user_by_username("alice").await.unwrap().unwrap();
    assert_ne!(local.id, user.id, "an account of the same name and address is somebody else's");

    let second = pair.redeemed("openid").await;
    assert_eq!(unverified_claims(second.text("id_token"))["sub"], user.id.as_str());
    let events = pair.here.events().await;
    let told = |action: &str| {
        events.iter().filter(|event| serde_json::to_value(event).unwrap()["action"] == action).count()
    };
    assert_eq!((told("user.create"), told("user.sign_in")), (1, 2));
}

async fn signing_out_there_ends_sessions_and_tokens_here_but_not_what_was_approved_for_absence(
    database: Database,
) {
    let pair = Pair::open(database).await;
    let present = pair.redeemed("openid orders:read").await;
    let absent = pair.redeemed("offline_access inventory:read").await;
    let alice = pair.there.store().find_user_by_username("alice").await.unwrap().unwrap();
    let now = pair.here.door().now().0;
    let logout_token = pair.there.sign(
        SigningAlg::Es256,
        "logout+jwt",
        &json!({
            "iss": pair.there.issuer(), "aud": "web", "sub": alice.id.as_str(), "iat": now, "exp": now + 120,
            "jti": "one", "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        }),
    );
    let post = || {
        let request = pair.here.request("POST", "/federation/company/backchannel-logout");
        pair.here.send(request.form(&[("logout_token", logout_token.as_str())]))
    };
    assert!(pair.here.is_active(present.access_token()).await);
    assert_eq!(post().await.status, 200);
    let told = pair.here.told("upstream.logout", "granted").await;
    assert_eq!(told["reason"], "upstream company: sessions ended: 2");
    assert!(!pair.here.is_active(present.access_token()).await);
    assert!(pair.here.is_active(absent.access_token()).await, "approved for her absence");
    assert_eq!(post().await.status, 400, "once");
    pair.here.told("upstream.logout", "invalid_request").await;
}
