//! The user's own hand on tasks: what is done for them rests, goes on and ends from the account page.

use serde_json::{Value, json};
use tests::{Answer, Client, Database, House, ORDERS, Page, Person, on_both_databases};

on_both_databases! {
    a_user_suspends_resumes_and_ends_a_task_and_its_parts_go_along,
    a_task_that_an_admin_suspended_is_not_resumed_by_its_user,
}

/// Alice lets `agent` act; the token, with `grant_id` and the rest.
async fn allowed(house: &House, agent: &Client, alice: &Person) -> Answer {
    let ask = house.ask(agent).scope("orders:read orders:write").resource(ORDERS);
    ask.approved_by(alice).await.redeem(agent).await.ok()
}

async fn open(agent: &Client, body: &Value) -> Answer {
    let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    agent.call_with("POST", "/tasks", own.access_token(), &[], Some(body)).await
}

/// The question is asked, and answered with yes.
async fn confirm(person: &Person, path: &str) -> Page {
    let page = person.page(path).await;
    assert_eq!(page.status, 200, "{path}: {}", page.text());
    page.submit(&page.form_to(path), None).await.page()
}

async fn a_user_suspends_resumes_and_ends_a_task_and_its_parts_go_along(database: Database) {
    let house = House::on(database).await;
    let ([a, b], alice) = (["agent-a", "agent-b"].map(|id| house.client(id)), house.signed_in("alice").await);
    let consent = allowed(&house, &a, &alice).await;
    let body = json!({
        "grant_id": consent.text("grant_id"), "scope": "orders:read orders:write", "resource": ORDERS,
        "purpose": "Answer ticket 4711", "reference": "T-4711", "success_criteria": ["The customer is content"],
        "limits": ["Promise nothing"]
    });
    let task = open(&a, &body).await.ok();
    let part = json!({ "parent": task.text("id"), "actor": "agent-b", "scope": "orders:read", "purpose": "Look up" });
    let part = open(&a, &part).await.ok();
    let read = ("scope", "orders:read");
    let mine = a.exchange(consent.access_token(), &[read, ("task", task.text("id"))]).await.ok();
    let over = [("audience", "agent-b"), read, ("resource", ORDERS), ("task", part.text("id"))];
    let handed = a.exchange(mine.access_token(), &over).await.ok();
    let theirs = b.exchange(handed.access_token(), &[read]).await.ok();

    let page = alice.page("/account").await;
    let text = page.text();
    for words in [
        "Answer ticket 4711",
        "T-4711",
        "The customer is content",
        "Promise nothing",
        "Part of Answer ticket 4711",
        "agent-b the agent",
        "Look up",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let of = |operation: &str| format!("/account/tasks/{}/{operation}", task.text("id"));
    assert!(page.html.contains(&of("suspend")) && !page.html.contains(&of("resume")));
    // It is asked first what goes along, and nothing happens by that.
    let question = alice.page(&of("suspend")).await;
    for words in ["Suspend this task?", "Answer ticket 4711", "agent-b the agent", "Look up"] {
        assert!(question.text().contains(words), "{words}: {}", question.text());
    }
    assert!(house.is_active(mine.access_token()).await);

    let page = confirm(&alice, &of("suspend")).await;
    assert_eq!((page.status, page.path.as_str()), (200, "/account"));
    assert!(page.text().contains("Suspended: agent-a the agent"), "{}", page.text());
    assert!(!page.text().contains("This was ended"), "what rests has not ended: {}", page.text());
    assert!(!alice.page("/account").await.text().contains("Suspended: agent-a"), "it is told once");
    let event = house.told("task.suspend", "granted").await;
    assert_eq!((&event["task"], event.get("client")), (&task.json["id"], None));
    assert!(page.text().contains("with the task that it is a part of"), "{}", page.text());
    for resting in [&mine, &theirs] {
        assert!(!house.is_active(resting.access_token()).await);
    }
    assert!(house.is_active(consent.access_token()).await, "another task under the same consent goes on");
    // The agent's own hand is the lesser one.
    let own = a.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    let resume = format!("/tasks/{}/resume", task.text("id"));
    a.call("POST", &resume, own.access_token()).await.refused_with(409, "invalid_request");
    assert_eq!(alice.page(&of("suspend")).await.status, 404, "it rests already");

    confirm(&alice, &of("resume")).await;
    house.told("task.resume", "granted").await;
    for going in [&mine, &theirs] {
        assert!(house.is_active(going.access_token()).await);
    }
    let told = confirm(&alice, &format!("/account/tasks/{}/revoke", part.text("id"))).await.text();
    assert!(told.contains("This was ended: 1 task 2 tokens It took"), "{told}");
    assert!(!house.is_active(theirs.access_token()).await && house.is_active(mine.access_token()).await);
    let page = confirm(&alice, &of("revoke")).await;
    assert!(page.text().contains("Ended: agent-a the agent"), "{}", page.text());
    assert!(page.text().contains("This was ended: 1 task 1 token It took"), "{}", page.text());
    house.told("task.revoke", "granted").await;
    assert!(!house.is_active(mine.access_token()).await);
    assert!(house.is_active(consent.access_token()).await);
    for operation in ["suspend", "resume", "revoke"] {
        assert!(!page.html.contains(&of(operation)), "{operation}");
        assert_eq!(alice.page(&of(operation)).await.status, 404, "{operation}");
    }
}

async fn a_task_that_an_admin_suspended_is_not_resumed_by_its_user(database: Database) {
    use protocol::task::{Hand, TaskStatus};
    use server::store::{Change, Take};

    let house = House::on(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let consent = allowed(&house, &agent, &alice).await;
    let id = consent.claims()["task"]["id"].as_str().unwrap().to_owned();
    let (status, suspended_by) = (TaskStatus::Suspended, Some(Hand::Admin));
    let take = Take::Task { id: id.parse().unwrap(), version: 1, status, suspended_by };
    house.store().commit(Change::housekeeping(house.door().now()).take(take)).await.unwrap();
    let path = |operation: &str| format!("/account/tasks/{id}/{operation}");
    let page = alice.page("/account").await;
    assert!(!page.html.contains(&path("resume")) && page.html.contains(&path("revoke")), "{}", page.html);
    assert_eq!(alice.page(&path("resume")).await.status, 404);
    confirm(&alice, &path("revoke")).await;
    house.told("task.revoke", "granted").await;
}

#[tokio::test]
async fn nobody_elses_task_is_seen_or_touched_and_no_strange_form_does_anything() {
    let house = House::open().await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let consent = allowed(&house, &agent, &alice).await;
    let id = consent.claims()["task"]["id"].as_str().unwrap().to_owned();
    let path = format!("/account/tasks/{id}/revoke");
    let form = alice.page(&path).await.form_to(&path);
    assert!(house.person().page(&path).await.path.starts_with("/sign-in"));
    let bob = house.signed_in("bob").await;
    assert_eq!(bob.page(&path).await.status, 404);
    let mut bobs = form.clone();
    bobs.fill("csrf", bob.page("/logout").await.form().value("csrf"));
    assert_eq!(bob.post(&path, &bobs.fields).await.page().status, 404);
    let mut without = form.clone();
    without.without("csrf");
    assert_eq!(alice.post(&path, &without.fields).await.page().status, 403);
    for strange in ["complete", "discharge", "x"] {
        let path = format!("/account/tasks/{id}/{strange}");
        assert_eq!(alice.page(&path).await.status, 404, "{strange}");
        assert_eq!(alice.post(&path, &form.fields).await.page().status, 404, "{strange}");
    }
    assert_eq!(alice.page("/account/tasks/task_none/revoke").await.status, 404);
    assert!(house.is_active(consent.access_token()).await);
    let request = house.request("GET", &path).header("Cookie", alice.cookie_header());
    let answer = house.send(request.header("Accept-Language", "de")).await;
    assert!(answer.body.contains("Diese Aufgabe beenden?"), "{}", answer.body);
}

#[tokio::test]
async fn introspection_says_where_the_task_stands_and_tells_its_client_how_much_is_left() {
    let house = House::open().await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let consent = allowed(&house, &agent, &alice).await;
    let body = json!({ "grant_id": consent.text("grant_id"), "scope": "orders:read", "max_derivations": 5 });
    let task = open(&agent, &body).await.ok();
    let params = [("scope", "orders:read"), ("task", task.text("id"))];
    let token = agent.exchange(consent.access_token(), &params).await.ok();
    let told = agent.introspect(token.access_token()).await.ok().json;
    assert_eq!(
        (&told["task"]["status"], &told["task"]["derivations_remaining"]),
        (&json!("active"), &json!(4))
    );
    let told = house.client("orders-api").introspect(token.access_token()).await.ok().json;
    assert_eq!(
        (&told["task"]["status"], told["task"].get("derivations_remaining")),
        (&json!("active"), None)
    );
}

#[tokio::test]
async fn tokens_carry_their_task_as_a_mission_where_that_is_switched_on() {
    for (fragment, carried) in [("", false), ("[tasks]\nmission_claim = true\n", true)] {
        let house = House::open_with(fragment).await;
        let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
        let token = allowed(&house, &agent, &alice).await;
        let claims = token.claims();
        let told = house.client("orders-api").introspect(token.access_token()).await.ok().json;
        if carried {
            let mission = json!({
                "id": claims["task"]["id"], "issuer": house.issuer(), "authority_hash": claims["task"]["authority_hash"]
            });
            assert_eq!(claims["mission"], mission);
            assert_eq!(
                (&told["mission"]["id"], &told["mission"]["state"]),
                (&mission["id"], &json!("active"))
            );
        } else {
            assert!(claims.get("mission").is_none() && told.get("mission").is_none());
        }
    }
}
