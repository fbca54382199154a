//! What somebody with bad intent tried, and what came of it.

use tests::{House, INVENTORY, ORDERS, password_of};

#[tokio::test]
async fn many_passwords_at_once_are_bounded_like_many_in_a_row() {
    let house = House::open().await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..15 {
        let page = house.person().page("/sign-in").await;
        tries.spawn(async move { page.sign_in("alice", "a wrong password").await.page().text() });
    }
    let pages = tries.join_all().await;
    let events = house.events().await;
    let refused = |reason: &str| events.iter().filter(|e| e.event.reason.as_deref() == Some(reason)).count();
    assert_eq!(refused("wrong username or password"), 10, "{pages:?}");
    assert_eq!(refused("too many failed attempts"), 5);
}

#[tokio::test]
async fn a_right_password_is_not_counted_as_a_failure() {
    let house = House::open().await;
    for _ in 0..12 {
        house.person().sign_in("alice", &password_of("alice")).await;
    }
}

#[tokio::test]
async fn strangers_cannot_keep_the_failures_of_a_known_user_out_of_the_audit_log() {
    let house = House::open().await;
    for _ in 0..620 {
        let request = house.request("POST", "/token").form(&[("grant_type", "x"), ("client_id", "nobody")]);
        house.send(request).await;
    }
    house.person().page("/sign-in").await.sign_in("alice", "a wrong password").await;
    house.told("user.sign_in", "access_denied").await;
}

#[tokio::test]
async fn a_public_clients_id_is_no_way_to_fill_the_audit_log() {
    let house = House::open().await;
    let details = format!(r#"[{{"type":"agent_task","actions":["{}"]}}]"#, "x".repeat(10_000));
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_id", "shop"),
        ("scope", "orders:read"),
        ("authorization_details", &details),
    ];
    house.send(house.request("POST", "/token").form(&form)).await.refused("invalid_grant");
    let event = house.told("token.refresh", "invalid_grant").await;
    assert!(event.to_string().len() < 500, "{event}");
}

#[tokio::test]
async fn an_authorization_request_by_post_comes_back_as_a_get_and_touches_no_cookie() {
    let house = House::open().await;
    let request = house.request("POST", "/authorize").form(&[("client_id", "shop"), ("state", "a&b")]);
    let answer = house.send(request).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/authorize?client_id=shop&state=a%26b");
    assert!(!answer.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn a_look_with_head_is_no_authorization_request() {
    let house = House::open().await;
    let answer = house.send(house.request("HEAD", "/authorize?client_id=shop&prompt=none")).await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn what_was_asked_through_an_application_ends_when_the_application_is_gone() {
    let mut house = House::open().await;
    let agent = house.client("agent-a");
    let token = house.delegated_token(&agent, "orders:read").await;
    assert!(house.is_active(token.access_token()).await);
    house
        .restart_changed(|config| {
            let start = config.find("[[clients]]\nid = \"shop\"").unwrap();
            let end = start + 1 + config[start + 1..].find("[[").unwrap();
            format!("{}{}", &config[..start], &config[end..])
        })
        .await;
    assert!(!house.is_active(token.access_token()).await);
    let read = [("scope", "orders:read"), ("resource", ORDERS)];
    agent.exchange(token.access_token(), &read).await.refused("invalid_request");
}

#[tokio::test]
async fn a_scope_without_meaning_at_the_named_resource_is_refused_and_not_left_out_in_silence() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let ask = house.ask(&web).scope("orders:read inventory:read").resource(ORDERS).resource(INVENTORY);
    let code = ask.approved_by(&alice).await;
    let elsewhere = [code.params(), vec![("resource", ORDERS)]].concat();
    web.token(&elsewhere).await.ok();
    let own = web.own_token("orders:read", INVENTORY).await;
    own.refused("invalid_scope");
}

#[tokio::test]
async fn a_request_without_offline_access_ends_with_the_session_whatever_was_approved_before() {
    let house = House::open().await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let offline = house.ask(&web).scope("orders:read offline_access").approved_by(&alice).await;
    let lasting = offline.redeem(&web).await.ok();
    let fleeting = house.ask(&web).scope("orders:read").approved_by(&alice).await.redeem(&web).await.ok();
    let page = alice.page("/logout").await;
    page.submit(&page.form(), Some(("decision", "confirm"))).await;
    assert!(house.is_active(lasting.access_token()).await);
    assert!(!house.is_active(fleeting.access_token()).await);
}

#[tokio::test]
async fn a_configuration_is_told_of_where_it_changes_something() {
    let mut house = House::open().await;
    let told = |events: Vec<protocol::audit::LoggedEvent>| {
        events.iter().filter(|e| e.event.action == protocol::audit::Action::ConfigurationApply).count()
    };
    let before = told(house.events().await);
    assert!(before > 0);
    house.restart().await;
    assert_eq!(told(house.events().await), before, "a start that changes nothing");
    house.restart_changed(|config| config.replace("The orders", "All orders")).await;
    assert_eq!(told(house.events().await), before + 1);
}
