//! An admin stops agents, and ends everything that somebody has.

use protocol::ending::Operation;
use server::store::{Change, Store};
use tests::{Client, Database, House, ORDERS, Page, Person, on_both_databases};

on_both_databases! {
    an_agent_that_is_suspended_holds_nothing_any_more_and_stays_so_until_it_is_resumed,
    an_agent_that_is_ended_for_good_comes_back_by_no_means,
    everything_of_a_user_ends_and_nothing_of_anybody_else,
    the_agents_of_an_owner_are_suspended_and_what_they_hold_ends,
    no_token_that_is_issued_while_an_agent_is_stopped_lives_afterwards,
    a_node_that_believes_an_agent_active_still_gives_it_nothing,
    an_account_is_disabled_and_enabled_and_consents_and_tasks_end_on_the_admin_page,
}

/// Opens the page that asks, and says yes.
pub(crate) async fn confirm(admin: &Person, path: &str) -> Page {
    let asked = admin.page(path).await;
    assert_eq!((asked.status, asked.path.as_str()), (200, path), "{}", asked.text());
    let done = asked.submit(&asked.form_to(path), None).await.page();
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.html.contains("id=\"ended\""), "{}", done.text());
    done
}

/// Whoever is no admin, and a form that is not ours, end nothing there.
pub(crate) async fn is_an_admins_alone(house: &House, admin: &Person, path: &str) {
    let (alice, nobody) = (house.signed_in("alice").await, house.person());
    let form = admin.page(path).await.form_to(path);
    assert_eq!(alice.page(path).await.status, 403, "{path}");
    assert!(nobody.page(path).await.path.starts_with("/sign-in"), "{path}");
    assert_eq!(alice.post(path, &form.fields).await.page().status, 403, "{path}");
    assert!(nobody.post(path, &form.fields).await.page().path.starts_with("/sign-in"), "{path}");
    let mut without = form.clone();
    without.without("csrf");
    assert_eq!(admin.post(path, &without.fields).await.page().status, 403, "{path}");
}

/// Where the admin page leads for this user.
async fn path_of_user(admin: &Person, username: &str, ending: &str) -> String {
    let html = admin.page("/admin").await.html;
    let row = html.split("<tr>").find(|row| row.contains(&format!("<code>{username}</code>"))).unwrap();
    let links = row.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.into_iter().find(|link| link.ends_with(&format!("/{ending}"))).unwrap().to_owned()
}

/// A token that `to` derived from what `from` got.
async fn handed_over(from: &Client, to: &Client, token: &str) -> String {
    let params = [("audience", to.id.as_str()), ("scope", "orders:read"), ("resource", ORDERS)];
    let hand_over = from.exchange(token, &params).await.ok();
    let params = [("scope", "orders:read"), ("resource", ORDERS)];
    to.exchange(hand_over.access_token(), &params).await.ok().access_token().to_owned()
}

async fn an_agent_that_is_suspended_holds_nothing_any_more_and_stays_so_until_it_is_resumed(
    database: Database,
) {
    let mut house = House::on(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let for_a = house.token_for(&a, "orders:read").await;
    let as_a = house.delegated_token(&a, "orders:read").await.access_token().to_owned();
    let as_b = handed_over(&a, &b, &as_a).await;
    let of_b = house.delegated_token(&b, "orders:read").await.access_token().to_owned();
    let of_shop = house.ask(&house.client("shop")).scope("orders:read").resource(ORDERS);
    let of_shop = of_shop.approved_by(&house.signed_in("alice").await).await;
    let of_shop = of_shop.redeem(&house.client("shop")).await.ok().access_token().to_owned();
    let own = a.own_token("orders:read", ORDERS).await.ok().access_token().to_owned();
    // What another agent handed over to it, and it did not take yet.
    let to_a = [("audience", "agent-a"), ("scope", "orders:read"), ("resource", ORDERS)];
    let of_b_too = house.delegated_token(&b, "orders:read").await.access_token().to_owned();
    let handed = b.exchange(&of_b_too, &to_a).await.ok().access_token().to_owned();
    let code = house.ask(&a).scope("orders:read").resource(ORDERS);
    let code = code.approved_by(&house.signed_in("alice").await).await;
    let pushed = house.ask(&a).scope("orders:read").resource(ORDERS).pushed(&a).await;
    for token in [&as_a, &as_b, &of_b, &own, &of_shop] {
        assert!(house.is_active(token).await);
    }

    let admin = house.signed_in("admin").await;
    let page = admin.page("/admin/clients/agent-a").await;
    assert!(page.html.contains("href=\"/admin/clients/agent-a/suspend\""), "{}", page.html);
    assert!(!page.html.contains("/resume"), "there is nothing to resume");
    assert_eq!(admin.page("/admin/clients/agent-a/resume").await.status, 404);
    let asked = admin.page("/admin/clients/agent-a/suspend").await;
    assert!(asked.text().contains("agent-a the agent may not act until"), "{}", asked.text());
    assert!(asked.text().contains("every token that other agents derived"), "{}", asked.text());
    assert!(house.is_active(&as_a).await, "to ask ends nothing");

    let done = confirm(&admin, "/admin/clients/agent-a/suspend").await.text();
    for words in [
        "agent-a the agent is suspended",
        "1 agent stopped: agent-a the agent",
        "consents",
        "tasks",
        "tokens",
        "2 codes or requests",
        "It took",
    ] {
        assert!(done.contains(words), "{words}: {done}");
    }
    let told = house.told("agent.suspend", "granted").await;
    assert_eq!(told["actor"], "agent-a");
    assert!(told["reason"].as_str().unwrap().starts_with("by usr_"), "{told}");
    for token in [&as_a, &as_b, &own] {
        assert!(!house.is_active(token).await);
    }
    for token in [&of_b, &of_shop] {
        assert!(house.is_active(token).await, "what it has nothing to do with goes on");
    }
    let refused = a.exchange(&for_a, &[("scope", "orders:read")]).await;
    assert_eq!((refused.status, refused.text("error")), (401, "invalid_client"));
    assert_eq!(code.redeem(&a).await.status, 401);
    assert_eq!(a.own_token("orders:read", ORDERS).await.status, 401);

    // The configuration declares it as active; that changes nothing.
    house.restart().await;
    let a = house.client("agent-a");
    assert_eq!(a.own_token("orders:read", ORDERS).await.status, 401);
    let before = house.events().await.len();
    house.restart().await;
    assert_eq!(house.events().await.len(), before, "a start that changes nothing is not told");
    let (a, admin) = (house.client("agent-a"), house.signed_in("admin").await);
    let page = admin.page("/admin/clients/agent-a").await;
    assert!(page.html.contains("id=\"admin-client-halted\"") && page.text().contains("Suspended"));
    assert_eq!(admin.page("/admin/clients/agent-a/suspend").await.status, 404, "it is already");

    confirm(&admin, "/admin/clients/agent-a/resume").await;
    assert_eq!(house.told("agent.resume", "granted").await["actor"], "agent-a");
    let fresh = a.own_token("orders:read", ORDERS).await.ok().access_token().to_owned();
    assert!(house.is_active(&fresh).await);
    for token in [&as_a, &as_b, &own] {
        assert!(!house.is_active(token).await, "what ended stays ended");
    }
    a.exchange(&handed, &[("scope", "orders:read")]).await.refused("invalid_request");
    assert!(house.is_active(&of_b_too).await, "the giver's is its own");
    code.redeem(&a).await.refused("invalid_grant");
    let alice = house.signed_in("alice").await;
    assert_eq!(pushed.brought_by(&alice).await.page().status, 400, "what it had pushed is void");
    house.delegated_token(&a, "orders:read").await;
    house.restart().await;
    house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
}

async fn an_agent_that_is_ended_for_good_comes_back_by_no_means(database: Database) {
    let mut house = House::on(database).await;
    let token = house.delegated_token(&house.client("agent-a"), "orders:read").await;
    let admin = house.signed_in("admin").await;
    confirm(&admin, "/admin/clients/agent-a/retire").await;
    assert_eq!(house.told("agent.retire", "granted").await["actor"], "agent-a");
    assert!(!house.is_active(token.access_token()).await);
    for operation in ["suspend", "resume", "retire"] {
        assert_eq!(
            admin.page(&format!("/admin/clients/agent-a/{operation}")).await.status,
            404,
            "{operation}"
        );
    }
    house.restart().await;
    assert_eq!(house.client("agent-a").own_token("orders:read", ORDERS).await.status, 401);
    let page = house.signed_in("admin").await.page("/admin/clients/agent-a").await;
    assert!(page.text().contains("Retired") && !page.html.contains("agent-a/resume"), "{}", page.text());
    house.client("agent-b").own_token("orders:read", ORDERS).await.ok();
}

async fn everything_of_a_user_ends_and_nothing_of_anybody_else(database: Database) {
    let house = House::on(database).await;
    let (shop, a) = (house.client("shop"), house.client("agent-a"));
    let (alice, bob) = (house.signed_in("alice").await, house.signed_in("bob").await);
    let ask = || house.ask(&shop).scope("offline_access orders:read").resource(ORDERS);
    let alices = ask().approved_by(&alice).await.redeem(&shop).await.ok();
    let bobs = ask().approved_by(&bob).await.redeem(&shop).await.ok();
    let code = ask().approved_by(&alice).await;
    let delegated = house.delegated_token(&a, "orders:read").await;
    let own = a.own_token("orders:read", ORDERS).await.ok();

    let admin = house.signed_in("admin").await;
    let path = path_of_user(&admin, "alice", "end").await;
    let done = confirm(&admin, &path).await.text();
    assert!(done.contains("Everything of Alice Arnold has ended"), "{done}");
    assert!(done.contains("2 sessions") && done.contains("1 code or request"), "{done}");
    let told = house.told("user.end", "granted").await;
    assert_eq!(told["user"], path.split('/').nth(3).unwrap());

    assert!(!house.is_active(alices.access_token()).await);
    assert!(!house.is_active(delegated.access_token()).await);
    shop.refresh(alices.text("refresh_token"), &[]).await.refused("invalid_grant");
    code.redeem(&shop).await.refused("invalid_grant");
    assert!(alice.page("/account").await.path.starts_with("/sign-in"), "she is signed out");
    assert!(house.is_active(bobs.access_token()).await && house.is_active(own.access_token()).await);
    shop.refresh(bobs.text("refresh_token"), &[]).await.ok();
    assert_eq!(bob.page("/account").await.path, "/account");
    // The account is hers still.
    let again = house.delegated_token(&a, "orders:read").await;
    assert!(house.is_active(again.access_token()).await);
}

async fn the_agents_of_an_owner_are_suspended_and_what_they_hold_ends(database: Database) {
    let mut house = House::on(database).await;
    let shop = house.client("shop");
    let token = house.delegated_token(&house.client("agent-a"), "orders:read").await;
    let bobs = house.ask(&shop).scope("orders:read").resource(ORDERS);
    let bobs = bobs.approved_by(&house.signed_in("bob").await).await.redeem(&shop).await.ok();
    let admin = house.signed_in("admin").await;
    assert!(
        !admin
            .page("/admin")
            .await
            .html
            .contains("Suspend their agents<span class=\"visually-hidden\"> <bdi>alice")
    );
    let path = path_of_user(&admin, "bob", "end-agents").await;
    let asked = admin.page(&path).await.text();
    for agent in ["agent-a the agent", "agent-b the agent", "agent-c the agent"] {
        assert!(asked.contains(agent), "{agent}: {asked}");
    }
    let done = confirm(&admin, &path).await.text();
    assert!(done.contains("3 agents stopped: agent-a the agent") && done.contains("1 consent"), "{done}");
    let told = house.told("owner.end", "granted").await;
    assert_eq!(told["user"], path.split('/').nth(3).unwrap());
    assert!(!house.is_active(token.access_token()).await);
    assert!(house.is_active(bobs.access_token()).await, "what is his own goes on");
    house.restart().await;
    for agent in ["agent-a", "agent-b", "agent-c"] {
        assert_eq!(house.client(agent).own_token("orders:read", ORDERS).await.status, 401, "{agent}");
    }
    let admin = house.signed_in("admin").await;
    confirm(&admin, "/admin/clients/agent-b/resume").await;
    house.client("agent-b").own_token("orders:read", ORDERS).await.ok();
}

async fn no_token_that_is_issued_while_an_agent_is_stopped_lives_afterwards(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let subject = house.token_for(&agent, "orders:read").await;
    // The first nonce is got beforehand.
    agent.own_token("orders:read", ORDERS).await.ok();
    let admin = house.signed_in("admin").await;
    let issue = |n: usize| {
        let (agent, subject) = (agent.clone(), subject.clone());
        tokio::spawn(async move {
            let mut issued = Vec::new();
            for _ in 0..6 {
                let answer = match n.is_multiple_of(2) {
                    true => agent.own_token("orders:read", ORDERS).await,
                    false => {
                        agent.exchange(&subject, &[("scope", "orders:read"), ("resource", ORDERS)]).await
                    }
                };
                if answer.status == 200 {
                    issued.push(answer.access_token().to_owned());
                }
            }
            issued
        })
    };
    let issuing: Vec<_> = (0..8).map(issue).collect();
    confirm(&admin, "/admin/clients/agent-a/suspend").await;
    let mut issued = Vec::new();
    for task in issuing {
        issued.extend(task.await.unwrap());
    }
    assert!(!issued.is_empty(), "nothing was issued meanwhile: this shows nothing");
    assert_eq!(agent.own_token("orders:read", ORDERS).await.status, 401);
    confirm(&admin, "/admin/clients/agent-a/resume").await;
    for token in &issued {
        assert!(!house.is_active(token).await, "{token}");
    }
}

async fn a_node_that_believes_an_agent_active_still_gives_it_nothing(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let subject = house.token_for(&agent, "orders:read").await;
    let other_node = Store::open(house.database_url()).await.unwrap();
    let ask = house.ask(&agent).scope("orders:read").resource(ORDERS);
    agent.own_token("orders:read", ORDERS).await.ok();
    agent.push(&ask.params()).await;
    // From here on this node believes for a second what it has just read.
    let suspend =
        Change::housekeeping(house.door().now()).operate("agent-a".parse().unwrap(), Operation::Suspend);
    other_node.commit(suspend).await.unwrap();
    let pushed = agent.push(&ask.params()).await;
    assert_eq!((pushed.status, pushed.text("error")), (401, "invalid_client"));
    let own = agent.own_token("orders:read", ORDERS).await;
    assert_eq!((own.status, own.text("error")), (401, "invalid_client"));
    let exchanged = agent.exchange(&subject, &[("scope", "orders:read"), ("resource", ORDERS)]).await;
    assert!(exchanged.status >= 400, "{}", exchanged.body);
    other_node.close().await;
}

#[tokio::test]
async fn only_an_admin_who_has_just_signed_in_ends_anything_and_only_by_our_form() {
    let house = House::open().await;
    let admin = house.signed_in("admin").await;
    let user = path_of_user(&admin, "alice", "end").await;
    let agent = "/admin/clients/agent-a/suspend";
    for path in [agent, user.as_str()] {
        is_an_admins_alone(&house, &admin, path).await;
    }
    for path in [
        "/admin/clients/shop/suspend",
        "/admin/clients/nobody/suspend",
        "/admin/clients/agent-a/end",
        "/admin/users/usr_nobody/end",
        "/admin/users/a%00b/end",
        &user.replace("/end", "/vanish"),
    ] {
        assert_eq!(admin.page(path).await.status, 404, "{path}");
    }
    let form = admin.page(agent).await.form_to(agent);
    house.later(11 * 60);
    assert!(admin.page(agent).await.path.starts_with("/sign-in"), "an old sign-in does not do");
    let sent = admin.post(agent, &form.fields).await.page();
    assert!(sent.path.starts_with("/sign-in"), "{}", sent.path);
    house.client("agent-a").own_token("orders:read", ORDERS).await.ok();
    let acted = house.events().await.into_iter().filter(|logged| {
        let event = serde_json::to_value(logged).unwrap();
        let action = event["action"].as_str().unwrap();
        action.ends_with(".end") || action.starts_with("agent.")
    });
    assert_eq!(acted.count(), 0);
}

#[tokio::test]
async fn an_admin_may_end_everything_of_their_own_and_is_signed_out() {
    let house = House::open().await;
    let admin = house.signed_in("admin").await;
    let path = path_of_user(&admin, "admin", "end").await;
    confirm(&admin, &path).await;
    assert!(admin.page("/admin").await.path.starts_with("/sign-in"));
}

#[tokio::test]
async fn the_question_is_asked_in_german_too() {
    let house = House::open().await;
    let admin = house.signed_in("admin").await;
    for (operation, words) in [("suspend", "darf nicht handeln, bis"), ("retire", "darf nie wieder handeln")]
    {
        let path = format!("/admin/clients/agent-a/{operation}");
        let request = house.request("GET", &path).header("Cookie", admin.cookie_header());
        let answer = house.send(request.header("Accept-Language", "de")).await;
        assert!(answer.body.contains(words), "{}", answer.body);
    }
}

async fn an_account_is_disabled_and_enabled_and_consents_and_tasks_end_on_the_admin_page(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let one = house.delegated_token(&agent, "orders:read").await;
    let two = house.delegated_token(&agent, "orders:read").await;
    let (alice, admin) = (house.signed_in("alice").await, house.signed_in("admin").await);

    let task = one.claims()["task"]["id"].as_str().unwrap().to_owned();
    let html = admin.page("/admin").await.html;
    let path = format!("/admin/tasks/{task}/end");
    assert!(html.contains(&format!("href=\"{path}\"")), "{html}");
    let done = confirm(&admin, &path).await.text();
    assert!(done.contains("The task of agent-a the agent has ended") && done.contains("1 task"), "{done}");
    let told = house.told("task.revoke", "granted").await;
    assert!(told["reason"].as_str().unwrap().starts_with("by usr_"), "{told}");
    assert_eq!(admin.page(&path).await.status, 404, "it is over");
    assert!(!house.is_active(one.access_token()).await && house.is_active(two.access_token()).await);

    let path = format!("/admin/consents/{}/end", two.text("grant_id"));
    assert!(html.contains(&format!("href=\"{path}\"")), "{html}");
    let done = confirm(&admin, &path).await.text();
    assert!(done.contains("1 consent"), "{done}");
    house.told("consent.end", "granted").await;
    assert!(!house.is_active(two.access_token()).await);
    assert_eq!(admin.page(&path).await.status, 404);

    let disable = path_of_user(&admin, "alice", "disable").await;
    let asked = admin.page(&disable).await.text();
    assert!(asked.contains("cannot sign in until an administrator enables"), "{asked}");
    confirm(&admin, &disable).await;
    house.told("user.disable", "granted").await;
    assert!(alice.page("/account").await.path.starts_with("/sign-in"));
    assert_eq!(admin.page(&disable).await.status, 404, "it is already");
    confirm(&admin, &path_of_user(&admin, "alice", "enable").await).await;
    house.told("user.enable", "granted").await;
    house.signed_in("alice").await;
    assert_eq!(admin.page(&disable.replace("/disable", "/enable")).await.status, 404);
    // Nobody closes the door behind themselves.
    let own = path_of_user(&admin, "admin", "end").await.replace("/end", "/disable");
    assert_eq!(admin.page(&own).await.status, 404);
}
