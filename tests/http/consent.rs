//! The consent page: what is shown, what the user does with it, and what is kept.

use serde_json::json;
use tests::{Database, House, ORDERS, on_both_databases};

on_both_databases! { what_is_kept_is_what_was_left, a_no_is_a_no }

async fn what_is_kept_is_what_was_left(database: Database) {
    let house = House::on(database).await;
    let (shop, agent, alice) =
        (house.client("shop"), house.client("agent-a"), house.signed_in("alice").await);
    let details = json!([
        {"type": "agent_task", "actions": ["read"], "purpose": "Look <b>around</b>"},
        {"type": "mcp_tool", "server": "https://m.example", "tools": ["search"]}
    ]);
    let ask = house
        .ask(&shop)
        .actor("agent-a")
        .scope("orders:read orders:write")
        .resource(ORDERS)
        .details(&details)
        .pushed(&shop)
        .await;
    let page = ask.brought_by(&alice).await.page();
    let text = page.text();
    for words in [
        "The shop",
        "agent-a the agent",
        "See your orders",
        "Change your orders",
        "Look <b>around</b>",
        "search on https://m.example",
        "Bob Brandt",
        "Does what it is told.",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
    assert!(!page.html.contains("<b>around"), "escaped");
    let now = house.door().now().0;
    let code = ask
        .approved_in_part(&alice, |form| {
            form.untick("scope", "orders:write")
                .untick("detail", "1")
                .untick("passing_on", "yes")
                .fill("until", "900");
        })
        .await;
    let event = house.told("consent.decide", "granted").await;
    assert_eq!(
        (&event["scope"], &event["actor"], &event["client"]),
        (&"orders:read".into(), &"agent-a".into(), &"shop".into())
    );
    assert_eq!(event["authorization_details"], json!([details[0]]));
    let id = event["consent"].as_str().unwrap().parse().unwrap();
    let consent = house.store().find_consent(&id).await.unwrap().unwrap();
    assert!((now + 890..now + 910).contains(&consent.authority.until.0), "{:?}", consent.authority.until);
    assert_eq!(consent.passing_on, protocol::consent::PassingOn::No);
    assert!(!consent.offline_access);

    let answer = code.redeem(&shop).await.ok();
    assert_eq!(
        (answer.text("scope"), &answer.json["authorization_details"]),
        ("orders:read", &json!([details[0]]))
    );
    let write = [("scope", "orders:write"), ("resource", ORDERS)];
    agent.exchange(answer.access_token(), &write).await.refused("invalid_scope");
    house.later(901);
    let read = [("scope", "orders:read"), ("resource", ORDERS)];
    agent.exchange(answer.access_token(), &read).await.refused("invalid_request");
}

async fn a_no_is_a_no(database: Database) {
    let house = House::on(database).await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let page = house.ask(&shop).scope("orders:read").brought_by(&alice).await.page();
    let url = page.deny().await.away();
    let told: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(
        (told["error"].as_str(), told["state"].as_str(), told["iss"].as_str()),
        ("access_denied", "the state", house.issuer())
    );
    house.told("consent.decide", "access_denied").await;
    // It was answered: it is not answered again.
    assert_eq!(page.approve(|_| {}).await.page().status, 400);
}

#[tokio::test]
async fn an_approval_is_given_once() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let page = house.ask(&shop).scope("orders:read").brought_by(&alice).await.page();
    page.approve(|_| {}).await.param("code");
    assert_eq!(page.approve(|_| {}).await.page().status, 400);
}

#[tokio::test]
async fn nothing_left_is_nothing_approved() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let page = house.ask(&shop).scope("offline_access orders:read").brought_by(&alice).await.page();
    let again = page
        .approve(|form| {
            form.untick("scope", "orders:read");
        })
        .await
        .page();
    assert_eq!((again.status, again.path.as_str()), (400, "/consent"));
    assert!(!house.events().await.iter().any(|event| event.event.consent.is_some()));
}

/// A browser may send anything; no more than was offered is approved.
#[tokio::test]
async fn a_form_cannot_widen_what_was_asked() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let ask = house.ask(&shop).scope("orders:read");
    let code = ask
        .approved_in_part(&alice, |form| {
            form.add("scope", "orders:write")
                .add("scope", "inventory:read")
                .add("detail", "0")
                .add("detail", "7");
            form.add("passing_on", "yes").add("offline_access", "yes").fill("until", "999999999999");
        })
        .await;
    let answer = code.redeem(&shop).await.ok();
    assert_eq!(answer.claims()["scope"], "orders:read");
    assert!(answer.json.get("refresh_token").is_none());
    let event = house.events().await.into_iter().rev().find(|e| e.event.consent.is_some()).unwrap().event;
    let consent = house.store().find_consent(&event.consent.unwrap()).await.unwrap().unwrap();
    assert!(consent.authority.until.0 <= house.door().now().0 + 30 * 86_400);
    assert!(!consent.offline_access);
}

#[tokio::test]
async fn without_the_forms_token_nothing_is_approved() {
    let house = House::open().await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let page = house.ask(&shop).scope("orders:read").brought_by(&alice).await.page();
    for token in [None, Some(""), Some("x")] {
        let again = page.approve(|form| match token {
            None => {
                form.without("csrf");
            }
            Some(token) => {
                form.fill("csrf", token);
            }
        });
        let again = again.await.page();
        assert!((400..500).contains(&again.status), "{}", again.status);
    }
    assert!(!house.events().await.iter().any(|event| event.event.consent.is_some()));
    // Nor from a page of somebody else, whatever it knows.
    let form = page.form();
    let mut fields = form.fields.clone();
    fields.push(("decision".into(), "approve".into()));
    let foreign = house.request("POST", "/consent").form(&fields).header("Cookie", alice.cookie_header());
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").header("Origin", "https://evil.example");
    assert_eq!(house.send(foreign).await.status, 403);
    page.approve(|_| {}).await.param("code");
}

#[tokio::test]
async fn nobody_approves_who_is_not_signed_in() {
    let house = House::open().await;
    let shop = house.client("shop");
    let nobody = house.person();
    let page = house.ask(&shop).scope("orders:read").brought_by(&nobody).await.page();
    assert!(page.path.starts_with("/sign-in"));
    let form = page.form();
    let fields = [
        ("interaction", form.value("interaction")),
        ("csrf", form.value("csrf")),
        ("decision", "approve"),
        ("scope", "orders:read"),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert!(nobody.post("/consent", &fields).await.page().path.starts_with("/sign-in"));
    assert!(!house.events().await.iter().any(|event| event.event.consent.is_some()));
    // Signing in leads on to the question.
    let page = page.sign_in("alice", &tests::password_of("alice")).await.page();
    assert!(page.path.starts_with("/consent"), "{}", page.path);
    page.approve(|_| {}).await.param("code");
}
