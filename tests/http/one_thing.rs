//! An admin looks at one consent, one task, one client, sees what is alive there, and ends one token or one refresh family;
//! a task rests and goes on by an admin's hand.

use serde_json::json;
use tests::{Answer, Client, Database, House, ORDERS, Person, on_both_databases};

use crate::endings::{confirm, is_an_admins_alone};

on_both_databases! {
    a_consents_page_shows_what_is_alive_under_it_and_one_token_ends_there_with_what_came_of_it,
    a_refresh_family_ends_alone_and_its_consent_goes_on,
    a_task_rests_goes_on_and_ends_by_an_admins_hand,
    what_no_consent_is_behind_stands_on_the_page_of_its_client_the_newest_hundred,
}

const AT_ORDERS: [(&str, &str); 2] = [("scope", "orders:read"), ("resource", ORDERS)];

fn jti(token: &str) -> String {
    tests::unverified_claims(token)["jti"].as_str().unwrap().to_owned()
}

/// A token that `to` derived from what `from` got.
async fn handed_over(from: &Client, to: &Client, token: &str) -> Answer {
    let params = [("audience", to.id.as_str()), AT_ORDERS[0], AT_ORDERS[1]];
    let hand_over = from.exchange(token, &params).await.ok();
    to.exchange(hand_over.access_token(), &AT_ORDERS).await.ok()
}

/// Where the only link on a page leads that begins and ends so.
async fn link(person: &Person, page: &str, begin: &str, end: &str) -> String {
    let html = person.page(page).await.html;
    let links = html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut links: Vec<&str> = links.filter(|link| link.starts_with(begin) && link.ends_with(end)).collect();
    links.dedup();
    assert_eq!(links.len(), 1, "{links:?} on {page}");
    links[0].to_owned()
}

async fn a_consents_page_shows_what_is_alive_under_it_and_one_token_ends_there_with_what_came_of_it(
    database: Database,
) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let shops = house.token_for(&a, "orders:read").await;
    let as_a = a.exchange(&shops, &AT_ORDERS).await.ok();
    let as_b = handed_over(&a, &b, as_a.access_token()).await;
    let again = a.exchange(&shops, &AT_ORDERS).await.ok();
    let admin = house.signed_in("admin").await;
    let path = format!("/admin/consents/{}", as_a.text("grant_id"));
    assert_eq!(link(&admin, "/admin", "/admin/consents/", as_a.text("grant_id")).await, path);

    let page = admin.page(&path).await;
    let text = page.text();
    for words in
        ["Consent for agent-a the agent", "Stands", "Alice Arnold", "the agent", "A key", "Access token"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(text.contains("Alice Arnold → , agent-a the agent → , agent-b the agent"), "the way: {text}");
    for token in [&shops, as_a.access_token(), as_b.access_token(), again.access_token()] {
        assert!(page.html.contains(&format!("<code>{}</code>", jti(token))), "{}", page.html);
        assert!(!page.html.contains(token), "never the token itself");
    }

    let one = format!("/admin/tokens/{}/end", jti(as_a.access_token()));
    let asked = admin.page(&one).await.text();
    assert!(asked.contains("Every token that was derived from it ends"), "{asked}");
    assert!(house.is_active(as_a.access_token()).await, "to ask ends nothing");
    let done = confirm(&admin, &one).await;
    // The token, the hand-over, and what agent-b made of that.
    let text = done.text();
    assert!(text.contains("A token of agent-a the agent has ended") && text.contains("3 tokens"), "{text}");
    assert!(text.contains("It took "), "{text}");
    assert!(done.html.contains(&format!("href=\"{path}\"")), "the way back leads to the consent");
    let told = house.told("token.revoke", "granted").await;
    assert_eq!(told["token"], jti(as_a.access_token()));
    assert!(told["reason"].as_str().unwrap().starts_with("by usr_"), "{told}");
    for (token, lives) in [(&as_a, false), (&as_b, false), (&again, true)] {
        assert_eq!(house.is_active(token.access_token()).await, lives);
    }
    a.exchange(&shops, &AT_ORDERS).await.ok();
    let html = admin.page(&path).await.html;
    assert!(!html.contains(&one) && html.contains(&jti(again.access_token())), "{html}");
    assert_eq!(admin.page(&one).await.status, 404, "it has ended");

    confirm(&admin, &format!("{path}/end")).await;
    let page = admin.page(&path).await;
    assert!(page.text().contains("No token lives here"), "{}", page.text());
    assert!(!page.html.contains("/end\""), "there is nothing left to end: {}", page.html);
    assert!(!house.is_active(again.access_token()).await);
}

async fn a_refresh_family_ends_alone_and_its_consent_goes_on(database: Database) {
    let house = House::on(database).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let ask = house.ask(&web).scope("offline_access orders:read").resource(ORDERS);
    let got = ask.approved_by(&alice).await.redeem(&web).await.ok();
    let fresh = web.refresh(got.text("refresh_token"), &[]).await.ok();
    let refresh_token = fresh.json["refresh_token"].as_str().unwrap_or(got.text("refresh_token")).to_owned();
    let bobs = house.ask(&web).scope("offline_access orders:read").resource(ORDERS);
    let bobs = bobs.approved_by(&house.signed_in("bob").await).await.redeem(&web).await.ok();

    let admin = house.signed_in("admin").await;
    let mut pages = Vec::new();
    for consent in house.store().recent_consents(10).await.unwrap() {
        let user = house.store().find_user(&consent.user).await.unwrap().unwrap();
        pages.push((user.username.clone(), format!("/admin/consents/{}", consent.id)));
    }
    let of = |username: &str| pages.iter().find(|(name, _)| name == username).unwrap().1.clone();
    let family = link(&admin, &of("alice"), "/admin/families/", "/end").await;
    let asked = admin.page(&family).await.text();
    assert!(asked.contains("Its refresh tokens end"), "{asked}");
    let done = confirm(&admin, &family).await.text();
    assert!(done.contains("A refresh family of") && done.contains("tokens"), "{done}");
    house.told("token.revoke", "granted").await;
    web.refresh(&refresh_token, &[]).await.refused("invalid_grant");
    for token in [&got, &fresh] {
        assert!(!house.is_active(token.access_token()).await);
    }
    assert!(house.is_active(bobs.access_token()).await);
    web.refresh(bobs.text("refresh_token"), &[]).await.ok();
    let page = admin.page(&of("alice")).await;
    assert!(page.text().contains("Stands") && !page.html.contains("/admin/families/"), "{}", page.text());
    assert_eq!(admin.page(&family).await.status, 404, "it has ended");
    assert_eq!(admin.page("/admin/families/fam_nobody/end").await.status, 404);
}

async fn a_task_rests_goes_on_and_ends_by_an_admins_hand(database: Database) {
    let house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&a).scope("orders:read orders:write").resource(ORDERS);
    let consent = ask.approved_by(&alice).await.redeem(&a).await.ok();
    let own = a.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    let open = async |body: serde_json::Value| {
        a.call_with("POST", "/tasks", own.access_token(), &[], Some(&body)).await.ok().text("id").to_owned()
    };
    let task = open(json!({
        "grant_id": consent.text("grant_id"), "scope": "orders:read orders:write", "resource": ORDERS,
        "purpose": "Answer ticket 4711", "reference": "T-4711", "limits": ["Promise nothing"]
    }))
    .await;
    let part = json!({ "parent": task, "actor": "agent-b", "scope": "orders:read", "purpose": "Look up" });
    let part = open(part).await;
    let mine = a.exchange(consent.access_token(), &[AT_ORDERS[0], ("task", &task)]).await.ok();
    let over = [("audience", "agent-b"), AT_ORDERS[0], AT_ORDERS[1], ("task", &part)];
    let handed = a.exchange(mine.access_token(), &over).await.ok();
    let theirs = b.exchange(handed.access_token(), &[AT_ORDERS[0]]).await.ok();

    let admin = house.signed_in("admin").await;
    let (path, of_part) = (format!("/admin/tasks/{task}"), format!("/admin/tasks/{part}"));
    assert!(admin.page("/admin").await.html.contains(&format!("href=\"{path}\"")));
    let page = admin.page(&path).await;
    let text = page.text();
    for words in
        ["Task of agent-a the agent", "Active", "Answer ticket 4711", "T-4711", "Promise nothing", "Look up"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    for token in [&mine, &theirs] {
        assert!(page.html.contains(&jti(token.access_token())), "its parts' tokens are there too");
    }
    assert!(!page.html.contains(&jti(consent.access_token())), "what is of no task of it is not");
    assert!(
        page.html.contains(&format!("href=\"{of_part}\"")) && !page.html.contains(&format!("{path}/resume"))
    );
    let page = admin.page(&of_part).await;
    assert!(page.html.contains(&format!("href=\"{path}\"")) && page.text().contains("agent-b the agent"));
    assert!(!page.html.contains(&jti(mine.access_token())));
    let of_consent = admin.page(&format!("/admin/consents/{}", consent.text("grant_id"))).await;
    assert!(of_consent.html.contains(&format!("id=\"{part}\"")), "{}", of_consent.html);

    assert_eq!(admin.page(&format!("{path}/resume")).await.status, 404, "it does not rest");
    let done = confirm(&admin, &format!("{path}/suspend")).await.text();
    assert!(done.contains("The task of agent-a the agent is suspended"), "{done}");
    let told = house.told("task.suspend", "granted").await;
    assert_eq!(told["task"], task.as_str());
    assert!(told["reason"].as_str().unwrap().starts_with("by usr_"), "{told}");
    assert!(!house.is_active(mine.access_token()).await && !house.is_active(theirs.access_token()).await);
    assert!(admin.page(&path).await.text().contains("Suspended by an administrator"));
    assert!(admin.page(&of_part).await.text().contains("Suspended with the task that it is a part of"));
    assert_eq!(admin.page(&format!("{path}/suspend")).await.status, 404, "it rests already");

    confirm(&admin, &format!("{path}/resume")).await;
    house.told("task.resume", "granted").await;
    assert!(house.is_active(mine.access_token()).await && house.is_active(theirs.access_token()).await);

    confirm(&admin, &format!("{of_part}/end")).await;
    assert!(house.is_active(mine.access_token()).await && !house.is_active(theirs.access_token()).await);
    confirm(&admin, &format!("{path}/end")).await;
    house.told("task.revoke", "granted").await;
    assert!(!house.is_active(mine.access_token()).await);
    for operation in ["suspend", "resume", "end", "complete", "vanish"] {
        assert_eq!(admin.page(&format!("{path}/{operation}")).await.status, 404, "{operation}");
    }
    let page = admin.page(&path).await;
    assert!(page.text().contains("Ended") && page.text().contains("No token lives here"), "{}", page.text());
}

async fn what_no_consent_is_behind_stands_on_the_page_of_its_client_the_newest_hundred(database: Database) {
    let house = House::on(database).await;
    let a = house.client("agent-a");
    let delegated = house.delegated_token(&a, "orders:read").await;
    let first = a.own_token("orders:read", ORDERS).await.ok();
    let admin = house.signed_in("admin").await;
    let page = admin.page("/admin/clients/agent-a").await;
    let [of_first, of_delegated] = [&first, &delegated].map(|token| jti(token.access_token()));
    assert!(page.html.contains(&of_first) && !page.html.contains(&of_delegated), "{}", page.html);
    assert!(!page.html.contains("held-more"));
    assert!(!admin.page("/admin/clients/agent-b").await.html.contains("held-tokens"), "it holds nothing");

    house.later(5);
    let mut last = String::new();
    for _ in 0..100 {
        last = a.own_token("orders:read", ORDERS).await.ok().access_token().to_owned();
    }
    let html = admin.page("/admin/clients/agent-a").await.html;
    assert_eq!(html.matches("href=\"/admin/tokens/").count(), 100);
    assert!(html.contains("id=\"held-more\"") && !html.contains(&of_first), "the oldest is left out");

    let path = format!("/admin/tokens/{}/end", jti(&last));
    assert!(html.contains(&path));
    let done = confirm(&admin, &path).await;
    assert!(done.text().contains("1 token") && done.html.contains("href=\"/admin/clients/agent-a\""));
    assert!(!house.is_active(&last).await && house.is_active(first.access_token()).await);
    let html = admin.page("/admin/clients/agent-a").await.html;
    assert!(html.contains(&of_first) && !html.contains("held-more"));
}

#[tokio::test]
async fn only_an_admin_sees_and_ends_one_thing_and_only_by_our_form_after_a_fresh_sign_in() {
    let house = House::open().await;
    let web = house.client("web");
    let ask = house.ask(&web).scope("offline_access orders:read").resource(ORDERS);
    let got = ask.approved_by(&house.signed_in("alice").await).await.redeem(&web).await.ok();
    let own = house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
    let token = house.delegated_token(&house.client("agent-a"), "orders:read").await;
    let (consent, task) = (token.text("grant_id").to_owned(), token.claims()["task"]["id"].clone());
    let task = task.as_str().unwrap();
    let admin = house.signed_in("admin").await;
    let webs = house.store().recent_consents(10).await.unwrap();
    let webs = webs.iter().find(|consent| consent.actor.as_str() == "web").unwrap();
    let family = link(&admin, &format!("/admin/consents/{}", webs.id), "/admin/families/", "/end").await;
    let (alice, nobody) = (house.signed_in("alice").await, house.person());
    for page in [format!("/admin/consents/{consent}"), format!("/admin/tasks/{task}")] {
        assert_eq!(admin.page(&page).await.status, 200, "{page}");
        assert_eq!(alice.page(&page).await.status, 403, "{page}");
        assert!(nobody.page(&page).await.path.starts_with("/sign-in"), "{page}");
    }
    let before = house.events().await.len();
    let endings = [
        family.clone(),
        format!("/admin/tokens/{}/end", jti(own.access_token())),
        format!("/admin/tasks/{task}/suspend"),
        format!("/admin/tasks/{task}/end"),
        format!("/admin/consents/{consent}/end"),
    ];
    for path in &endings {
        is_an_admins_alone(&house, &admin, path).await;
    }
    for path in [
        "/admin/consents/con_nobody",
        "/admin/tasks/task_nobody",
        "/admin/consents/a%00b",
        "/admin/tasks/a%20b",
        "/admin/tokens/tok_nobody/end",
        "/admin/tokens/a%20b/end",
        "/admin/families/fam_nobody/end",
        "/admin/clients/agent-a/instances/never-seen/end",
        "/admin/clients/nobody/instances/1/end",
    ] {
        assert_eq!(admin.page(path).await.status, 404, "{path}");
    }
    let form = admin.page(&family).await.form_to(&family);
    house.later(11 * 60);
    assert!(admin.page(&family).await.path.starts_with("/sign-in"), "an old sign-in does not do");
    assert!(admin.post(&family, &form.fields).await.page().path.starts_with("/sign-in"));
    web.refresh(got.text("refresh_token"), &[]).await.ok();
    let ended = house.events().await.into_iter().skip(before).filter(|logged| {
        let event = serde_json::to_value(logged).unwrap();
        let action = event["action"].as_str().unwrap();
        action.ends_with(".end") || action.ends_with(".revoke") || action.ends_with(".suspend")
    });
    assert_eq!(ended.count(), 0);
}
