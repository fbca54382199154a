//! The account page: what I allowed, and how I end it; and the admin's view.

use tests::{Database, House, ORDERS, on_both_databases};

on_both_databases! { a_user_sees_what_they_allowed_and_ends_it }

async fn a_user_sees_what_they_allowed_and_ends_it(database: Database) {
    let house = House::on(database).await;
    let (shop, alice) = (house.client("shop"), house.signed_in("alice").await);
    let ask = house.ask(&shop).scope("offline_access orders:read").resource(ORDERS);
    let token = ask.approved_by(&alice).await.redeem(&shop).await.ok();
    let agents = house.delegated_token(&house.client("agent-a"), "orders:read").await;
    let page = alice.page("/account").await;
    assert_eq!(page.headers["cache-control"], "no-store");
    for words in ["The shop", "agent-a the agent", "See your orders"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    // Somebody else neither sees nor ends it.
    let bob = house.signed_in("bob").await;
    let bobs = bob.page("/account").await;
    assert!(!bobs.text().contains("See your orders"));
    let forms: Vec<_> = tests::Form::all(&page.html)
        .into_iter()
        .filter(|form| form.action == "/account/consents/end")
        .collect();
    assert_eq!(forms.len(), 2);
    let consent = token.text("grant_id");
    let form = forms.iter().find(|form| form.value("consent") == consent).unwrap();
    let csrf = house.signed_in("bob").await.page("/logout").await.form().value("csrf").to_owned();
    let mut stolen = form.clone();
    stolen.fill("csrf", &csrf);
    assert!((400..500).contains(&bob.post(&stolen.action, &stolen.fields).await.page().status));
    let csrf = bob.page("/logout").await.form().value("csrf").to_owned();
    stolen.fill("csrf", &csrf);
    assert_eq!(bob.post(&stolen.action, &stolen.fields).await.page().status, 404);
    let mut without = form.clone();
    without.without("csrf");
    assert_eq!(alice.post(&without.action, &without.fields).await.page().status, 403);
    assert!(house.is_active(token.access_token()).await);

    let page = page.submit(form, None).await.page();
    assert_eq!((page.status, page.path.as_str()), (200, "/account"));
    let event = house.told("consent.end", "granted").await;
    assert_eq!(event["consent"], consent);
    let text = page.text();
    for words in ["Ended: The shop can do nothing", "This was ended: 1 consent", "2 tokens", "It took"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!alice.page("/account").await.text().contains("It took"), "it is told once");
    assert!(!house.is_active(token.access_token()).await);
    shop.refresh(token.text("refresh_token"), &[]).await.refused("invalid_grant");
    assert!(house.is_active(agents.access_token()).await, "the other one stays");
}

#[tokio::test]
async fn it_is_for_those_who_are_signed_in_and_the_admins_page_for_admins() {
    let house = House::open().await;
    for path in ["/account", "/admin"] {
        let page = house.person().page(path).await;
        assert!(page.path.starts_with("/sign-in"), "{path}: {}", page.path);
    }
    house.delegated_token(&house.client("agent-a"), "orders:read").await;
    assert_eq!(house.signed_in("alice").await.page("/admin").await.status, 403);
    let page = house.signed_in("admin").await.page("/admin").await;
    assert_eq!(page.status, 200);
    for words in ["agent-a the agent", "Bob Brandt", "Alice Arnold"] {
        assert!(page.text().contains(words), "{words}");
    }
}
