//! Clients whose id is the URL of a document about them.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Authentication, Client, Database, House, Key, ORDERS, Person, Site, on_both_databases};

use super::{BACK, settings};

on_both_databases! {
    a_client_is_what_its_document_says,
    a_document_is_asked_for_again_when_it_is_old_and_not_before,
    what_is_known_is_enough_for_a_while_where_a_host_was_asked_too_often,
}

const PATH: &str = "/oauth/client.json";

/// A house that takes metadata documents, and a site where one can be.
async fn open(database: Database) -> (House, Site) {
    let site = Site::open().await;
    let settings = settings("client_id_metadata_documents = true");
    let house = House::on_with(database, &format!("{settings}{}", site.reachable())).await;
    (house, site)
}

fn document(site: &Site, more: &Value) -> Value {
    let mut document = json!({
        "client_id": site.url(PATH), "client_name": "Somebody's agent", "redirect_uris": [BACK],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
    });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    document
}

fn public(house: &House, site: &Site) -> Client {
    Client::new(house.door(), &site.url(PATH), Authentication::None)
}

/// Asks to be let in; the status of the page it leads to.
async fn status(house: &House, client: &Client, alice: &Person) -> u16 {
    house
        .ask(client)
        .returning_to(BACK)
        .scope("orders:read")
        .resource(ORDERS)
        .brought_by(alice)
        .await
        .page()
        .status
}

async fn a_client_is_what_its_document_says(database: Database) {
    let (house, site) = open(database).await;
    let told = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.ok().json;
    assert_eq!(told["client_id_metadata_document_supported"], true);
    let key = Arc::new(Key::generate());
    let confidential =
        json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [key.jwk.clone()] } });
    site.shows_json(PATH, &document(&site, &confidential));
    let client = public(&house, &site).authenticating(Authentication::PrivateKeyJwt(key));
    let alice = house.signed_in("alice").await;
    let ask =
        house.ask(&client).returning_to(BACK).scope("openid offline_access orders:read").resource(ORDERS);
    let page = ask.clone().brought_by(&alice).await.page();
    let event = house.told("client.register", "granted").await;
    assert_eq!(event["client"], site.url(PATH));
    let text = page.text();
    assert!(text.contains("Somebody's agent") && text.contains("says 127.0.0.1"), "{text}");
    assert!(text.contains("rp.example"), "{text}");
    let tokens = ask.approved_by(&alice).await.redeem(&client).await.ok();
    assert!(house.is_active(tokens.access_token()).await);
    client.refresh(tokens.text("refresh_token"), &[]).await.ok();
    // Whoever has a key must use it.
    let unproven = public(&house, &site);
    unproven.refresh(tokens.text("refresh_token"), &[]).await.refused("invalid_client");
    let thief =
        public(&house, &site).authenticating(Authentication::PrivateKeyJwt(Arc::new(Key::generate())));
    thief.refresh(tokens.text("refresh_token"), &[]).await.refused("invalid_client");
    assert_eq!(site.asked_for(PATH), 1);
}

async fn a_document_is_asked_for_again_when_it_is_old_and_not_before(database: Database) {
    let (house, site) = open(database).await;
    let alice = house.signed_in("alice").await;
    let client = public(&house, &site);
    let body = document(&site, &json!({})).to_string();
    let fields = ["Content-Type: application/json", "Cache-Control: max-age=300"];
    site.shows(PATH, "200 OK", &fields, body.as_bytes());
    assert_eq!(status(&house, &client, &alice).await, 200);
    house.later(290);
    assert_eq!(status(&house, &client, &alice).await, 200);
    assert_eq!(site.asked_for(PATH), 1, "it is fresh");
    let moved = document(&site, &json!({ "redirect_uris": ["https://elsewhere.example/cb"] }));
    site.shows_json(PATH, &moved);
    house.later(20);
    assert_eq!(status(&house, &client, &alice).await, 400, "the redirect URI is not in it any more");
    assert_eq!(site.asked_for(PATH), 2);
    let updates = house.events().await;
    assert!(updates.iter().any(|logged| logged.event.action == protocol::audit::Action::ClientUpdate));
    // What is wrong is not kept: it is asked for each time, and what was known before is not enough.
    house.later(700);
    site.shows(PATH, "500 Oops", &["Content-Type: application/json"], b"{}");
    for asked in 3..5 {
        assert_eq!(status(&house, &client, &alice).await, 400);
        assert_eq!(site.asked_for(PATH), asked);
    }
    site.shows_json(PATH, &document(&site, &json!({})));
    assert_eq!(status(&house, &client, &alice).await, 200);
}

async fn what_is_known_is_enough_for_a_while_where_a_host_was_asked_too_often(database: Database) {
    let (house, site) = open(database).await;
    let alice = house.signed_in("alice").await;
    let client = public(&house, &site);
    let body = document(&site, &json!({})).to_string();
    let fields = ["Content-Type: application/json", "Cache-Control: max-age=300"];
    site.shows(PATH, "200 OK", &fields, body.as_bytes());
    assert_eq!(status(&house, &client, &alice).await, 200);
    house.later(400);
    let exhaust = || while house.app().document_hosts.count("127.0.0.1") {};
    exhaust();
    assert_eq!(status(&house, &client, &alice).await, 200);
    let unknown = Client::new(house.door(), &site.url("/other/client.json"), Authentication::None);
    assert_eq!(status(&house, &unknown, &alice).await, 400);
    assert_eq!((site.asked_for(PATH), site.asked_for("/other/client.json")), (1, 0));
    // Whoever has the host asked all the time does not make an old document hold for good.
    assert_eq!(status(&house, &client, &house.person()).await, 200, "the way to sign in");
    house.later(86_400);
    exhaust();
    assert_eq!(status(&house, &client, &house.person()).await, 400);
    assert_eq!(site.asked_for(PATH), 1);
}

#[tokio::test]
async fn a_document_that_breaks_a_rule_makes_no_client() {
    let (house, site) = open(Database::Sqlite).await;
    let alice = house.signed_in("alice").await;
    let client = public(&house, &site);
    let json = "Content-Type: application/json";
    let good = document(&site, &json!({})).to_string();
    for (status_line, field, body) in [
        ("404 Not Found", json, good.clone()),
        ("206 Partial Content", json, good.clone()),
        ("302 Found", "Location: https://127.0.0.1/elsewhere", String::new()),
        ("200 OK", "Content-Type: text/html", good.clone()),
        ("200 OK", json, format!("{good}{}", " ".repeat(6000))),
        ("200 OK", json, "not json".into()),
        ("200 OK", json, "[]".into()),
        ("200 OK", json, good.replacen('{', "{\"client_id\":\"https://x.example/\",", 1)),
        (
            "200 OK",
            json,
            document(&site, &json!({ "client_id": site.url("/oauth/client.json/") })).to_string(),
        ),
        ("200 OK", json, document(&site, &json!({ "client_id": null })).to_string()),
        ("200 OK", json, document(&site, &json!({ "client_secret": "x" })).to_string()),
        ("200 OK", json, document(&site, &json!({ "client_secret_expires_at": 0 })).to_string()),
        (
            "200 OK",
            json,
            document(&site, &json!({ "token_endpoint_auth_method": "client_secret_post" })).to_string(),
        ),
        (
            "200 OK",
            json,
            document(&site, &json!({ "redirect_uris": ["http://rp.example/callback"] })).to_string(),
        ),
    ] {
        site.shows(PATH, status_line, &[field], body.as_bytes());
        assert_eq!(status(&house, &client, &alice).await, 400, "{status_line} {field} {body}");
        assert_eq!(house.last_event().await["action"], "client.register");
    }
    assert_eq!(house.store().count_registrations().await.unwrap(), 0);
    site.shows(
        PATH,
        "200 OK",
        &["Content-Type: application/oauth-client+json; charset=utf-8"],
        good.as_bytes(),
    );
    assert_eq!(status(&house, &client, &alice).await, 200);
}

#[tokio::test]
async fn a_url_that_is_no_client_id_is_not_asked() {
    let (house, site) = open(Database::Sqlite).await;
    let alice = house.signed_in("alice").await;
    for path in ["/", "", "/a/../oauth/client.json", "/oauth/client.json?x=1", "/oauth/client.json#x"] {
        site.shows_json("/", &json!({ "client_id": site.url(path), "redirect_uris": [BACK] }));
        let client = Client::new(house.door(), &site.url(path), Authentication::None);
        assert_eq!(status(&house, &client, &alice).await, 400, "{path}");
    }
    let plain = site.url(PATH).replace("https:", "http:");
    let client = Client::new(house.door(), &plain, Authentication::None);
    assert_eq!(status(&house, &client, &alice).await, 400);
    assert_eq!(site.asked_for("/") + site.asked_for(PATH), 0);
}

#[tokio::test]
async fn an_address_within_is_not_asked_by_number_nor_by_name() {
    let site = Site::open().await;
    let settings = format!("{}{}", settings("client_id_metadata_documents = true"), site.out_of_reach());
    let house = House::open_with(&settings).await;
    let alice = house.signed_in("alice").await;
    for id in [site.url(PATH), site.url_by_name(PATH)] {
        let mut own = document(&site, &json!({}));
        own["client_id"] = id.as_str().into();
        site.shows_json(PATH, &own);
        let client = Client::new(house.door(), &id, Authentication::None);
        assert_eq!(status(&house, &client, &alice).await, 400, "{id}");
    }
    for id in
        ["https://169.254.169.254/latest/meta-data", "https://[fd00::1]/client", "https://10.0.0.1/client"]
    {
        let client = Client::new(house.door(), id, Authentication::None);
        assert_eq!(status(&house, &client, &alice).await, 400, "{id}");
    }
    assert_eq!(site.asked_for(PATH), 0);
}

#[tokio::test]
async fn without_a_word_in_the_configuration_no_document_is_asked_for() {
    let site = Site::open().await;
    let house = House::open_with(&site.reachable()).await;
    site.shows_json(PATH, &document(&site, &json!({})));
    let alice = house.signed_in("alice").await;
    assert_eq!(status(&house, &public(&house, &site), &alice).await, 400);
    assert_eq!(site.asked_for(PATH), 0);
}

#[tokio::test]
async fn once_documents_are_switched_off_their_clients_may_not_act() {
    let (mut house, site) = open(Database::Sqlite).await;
    site.shows_json(PATH, &document(&site, &json!({})));
    let alice = house.signed_in("alice").await;
    let ask = house
        .ask(&public(&house, &site))
        .returning_to(BACK)
        .scope("offline_access orders:read")
        .resource(ORDERS);
    let tokens = ask.approved_by(&alice).await.redeem(&public(&house, &site)).await.ok();
    house.restart_changed(|config| config.replace("documents = true", "documents = false")).await;
    let client = public(&house, &site);
    client.refresh(tokens.text("refresh_token"), &[]).await.refused("invalid_client");
}

#[tokio::test]
async fn one_address_cannot_make_the_house_ask_around() {
    let site = Site::open().await;
    let settings = settings("client_id_metadata_documents = true").replace("= 1000", "= 3");
    let house = House::open_with(&format!("{settings}{}", site.reachable())).await;
    let alice = house.signed_in("alice").await;
    for n in 0..6 {
        let client = Client::new(house.door(), &site.url(&format!("/{n}/client")), Authentication::None);
        assert_eq!(status(&house, &client, &alice).await, 400);
    }
    let asked: usize = (0..6).map(|n| site.asked_for(&format!("/{n}/client"))).sum();
    assert_eq!(asked, 3);
}

#[tokio::test]
async fn what_the_operator_declares_under_a_url_is_not_asked_for() {
    let site = Site::open().await;
    let declared = format!(
        "{}{}[[clients]]\nid = \"{}\"\nname = \"Declared\"\nkind = \"application\"\nauthentication = \"none\"\n\
         redirect_uris = [\"{BACK}\"]\nscope = \"orders:read\"\nresources = [\"{ORDERS}\"]\n",
        settings("client_id_metadata_documents = true"),
        site.reachable(),
        site.url(PATH)
    );
    let house = House::open_with(&declared).await;
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&public(&house, &site)).returning_to(BACK).scope("orders:read").resource(ORDERS);
    let text = ask.brought_by(&alice).await.page().text();
    assert!(text.contains("Declared") && !text.contains("Nobody here"), "{text}");
    assert_eq!(site.asked_for(PATH), 0);
}
