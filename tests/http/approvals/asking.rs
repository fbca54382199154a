//! A request that needs a person: who is asked, what they see, and what their word does.

use super::*;

on_both_databases! {
    an_agent_reads_at_once_and_asks_a_person_before_it_changes_anything,
    a_no_is_final,
    a_rule_says_who_approves_and_nobody_else_sees_it,
    of_many_answers_one_counts_and_of_many_polls_one_gets_the_token,
    nobody_approves_who_is_not_signed_in_as_the_approver,
    of_many_requests_at_once_no_more_wait_than_may,
    where_nothing_is_left_for_the_first_token_its_client_still_asks_by_refresh,
}

async fn an_agent_reads_at_once_and_asks_a_person_before_it_changes_anything(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let given = given(&house, &agent).await;
    agent.exchange(&given, &[("scope", "orders:read"), ("resource", ORDERS)]).await.ok();
    let refused = agent.exchange(&given, &WAITING[..2]).await.refused("access_denied");
    assert!(refused.text("error_description").contains("completion_mode=deferred"), "{}", refused.body);
    let told = house.told("token.exchange", "access_denied").await;
    assert!(
        refused.text("error_description").contains(told["request"].as_str().unwrap()),
        "{}",
        refused.body
    );
    assert_eq!(told["rule"], "alice-approves");
    assert!(alice.page("/approvals").await.html.contains("no-approvals"), "nobody is asked unless it waits");

    let asked = agent.exchange(&given, &WAITING).await.refused("authorization_pending");
    assert_eq!(asked.header("cache-control"), "no-store");
    assert_eq!(asked.json["interval"], INTERVAL);
    let life = asked.json["expires_in"].as_i64().unwrap();
    assert!((1..=300).contains(&life), "no longer than the subject token: {life}");
    assert!(asked.text("deferral_code").len() >= 43);
    let told = house.told("deferral.ask", "granted").await;
    assert_eq!((&told["rule"], &told["scope"]), (&json!("alice-approves"), &json!("orders:write")));
    assert!(told["task"].is_string() && told["parent"].is_string(), "{told}");
    let before = house.events().await.len();
    poll(&agent, &asked).await.refused("authorization_pending");
    poll(&agent, &asked).await.refused("slow_down");
    assert_eq!(house.events().await.len(), before);

    assert!(alice.page("/account").await.html.contains("approvals-waiting"));
    assert!(alice.page("/account/approvals").await.text().contains("agent-a the agent"));
    let page = question(&alice).await;
    for words in [
        "agent-a the agent wants to do this for you",
        "Change your orders",
        "Alice Arnold",
        "it lapses",
        "once",
    ] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert!(!page.text().contains("See your orders"), "only what is asked: {}", page.text());
    let done = page.approve(|_| {}).await.page();
    assert!(done.path == "/approvals" && done.html.contains("approvals-answered"), "{}", done.text());
    let told = house.told("deferral.decide", "granted").await;
    assert!(told["reason"].as_str().unwrap().contains("approved by"), "{told}");

    let token = poll(&agent, &asked).await.ok();
    assert_eq!(token.header("cache-control"), "no-store");
    let claims = token.claims();
    assert_eq!((&claims["scope"], &claims["act"]["sub"]), (&json!("orders:write"), &json!("agent-a")));
    assert!(claims["task"]["id"].is_string() && claims["cnf"]["jkt"].is_string(), "{claims}");
    let told = house.told("token.exchange", "granted").await;
    assert!(told["reason"].as_str().unwrap().starts_with("approved by"), "{told}");
    assert!(house.is_active(token.access_token()).await);
    poll(&agent, &asked).await.refused("invalid_grant");
    house.told("deferral.poll", "invalid_grant").await;
    assert_eq!(page.approve(|_| {}).await.page().status, 400, "an answer is given once");
    let again = [("scope", "orders:write"), ("resource", ORDERS)];
    agent.exchange(token.access_token(), &again).await.refused("access_denied");
}

async fn a_no_is_final(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    let page = question(&alice).await;
    let done = page.deny().await.page();
    assert!(done.text().contains("Denied"), "{}", done.text());
    house.told("deferral.decide", "access_denied").await;
    for _ in 0..2 {
        poll(&agent, &asked).await.refused("access_denied");
        house.told("deferral.poll", "access_denied").await;
    }
    assert_eq!(page.approve(|_| {}).await.page().status, 400);
    poll(&agent, &asked).await.refused("access_denied");
}

async fn a_rule_says_who_approves_and_nobody_else_sees_it(database: Database) {
    let house = open(database).await;
    let people =
        [house.signed_in("alice").await, house.signed_in("bob").await, house.signed_in("admin").await];
    for (agent, approver) in [("agent-a", 0), ("agent-b", 1), ("agent-c", 2)] {
        let agent = house.client(agent);
        let asked = waits(&house, &agent).await;
        let page = question(&people[approver]).await;
        for (index, person) in people.iter().enumerate().filter(|(index, _)| *index != approver) {
            assert!(person.page("/approvals").await.html.contains("no-approvals"), "{index}");
            assert_eq!(person.page(&page.path).await.status, 400, "{index}");
        }
        let for_alice = page.text().contains("for Alice Arnold");
        assert_eq!(for_alice, approver != 0, "{}", page.text());
        approve(&people[approver]).await;
        poll(&agent, &asked).await.ok();
    }
}

async fn of_many_answers_one_counts_and_of_many_polls_one_gets_the_token(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    let page = question(&alice).await;
    let form = page.form();
    let answers: Vec<_> = ["approve", "deny", "approve", "deny"]
        .map(|answer| {
            let (alice, form) = (alice.clone(), form.clone());
            tokio::spawn(async move {
                let mut fields = form.fields.clone();
                fields.push(("decision".into(), answer.into()));
                let page = alice.post(&form.action, &fields).await.page();
                (answer, page.status)
            })
        })
        .into();
    let mut won = Vec::new();
    for answer in answers {
        let (answer, status) = answer.await.unwrap();
        if status == 200 { won.push(answer) } else { assert_eq!(status, 400) }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    let expected = if won[0] == "approve" { 200 } else { 400 };
    assert_eq!(poll(&agent, &asked).await.status, expected, "{won:?}");

    let asked = waits(&house, &agent).await;
    approve(&alice).await;
    let polls: Vec<_> = (0..10)
        .map(|_| {
            let (agent, code) = (agent.clone(), asked.text("deferral_code").to_owned());
            let params = [("grant_type", DEFERRED), ("deferral_code", code.as_str())]
                .map(|(name, value)| (name.to_owned(), value.to_owned()));
            tokio::spawn(async move {
                let params: Vec<_> = params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
                agent.token(&params).await
            })
        })
        .collect();
    let mut won = Vec::new();
    for poll in polls {
        let answer = poll.await.unwrap();
        if answer.status == 200 { won.push(answer) } else { drop(answer.refused("invalid_grant")) }
    }
    assert_eq!(won.len(), 1);
    assert!(house.is_active(won[0].access_token()).await);
}

async fn nobody_approves_who_is_not_signed_in_as_the_approver(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    let page = question(&alice).await;
    let yes = |form: &tests::Form| {
        let mut fields = form.fields.clone();
        fields.push(("decision".into(), "approve".into()));
        fields
    };
    let form = page.form();
    // Nobody at all.
    let stranger = house.person();
    assert!(stranger.page(&page.path).await.html.contains("login-form"));
    assert!(stranger.post(&form.action, &yes(&form)).await.page().html.contains("login-form"));
    // The agent with its token, instead of a person with a session.
    let token = house.delegated_token(&agent, "orders:read").await;
    let request = house.request("POST", &page.path).bearer_auth(token.access_token());
    let answer = house.send(request.form(&yes(&form))).await;
    assert_ne!(answer.status, 200, "{}", answer.body);
    // Somebody else who is signed in, with a form of their own and alice's hash.
    let bob = house.signed_in("bob").await;
    let own = bob.page("/approvals").await.form_to("/approvals/user-code");
    let mut fields = vec![("csrf".to_owned(), own.value("csrf").to_owned())];
    fields.push(("shown".into(), form.value("shown").into()));
    fields.push(("decision".into(), "approve".into()));
    assert_eq!(bob.post(&form.action, &fields).await.page().status, 400);
    // Alice, but not by a form of hers; by one that is too old; or by one that showed something else.
    let without = |name: &str| yes(&form).into_iter().filter(|(known, _)| known != name).collect::<Vec<_>>();
    assert_eq!(alice.post(&form.action, &without("csrf")).await.page().status, 403);
    let mut old = form.clone();
    old.fill("csrf", "another");
    assert_eq!(alice.post(&form.action, &yes(&old)).await.page().status, 400);
    let mut other = form.clone();
    other.fill("shown", "another");
    assert_eq!(alice.post(&form.action, &yes(&other)).await.page().status, 400);
    assert_eq!(alice.post(&form.action, &without("shown")).await.page().status, 400);
    // Her session, after she signed out.
    let copied = alice.copied();
    let out = alice.page("/logout").await;
    out.submit(&out.form(), None).await;
    assert!(copied.post(&form.action, &yes(&form)).await.page().html.contains("login-form"));
    poll(&agent, &asked).await.refused("authorization_pending");
    // In time and signed in, it is hers to give.
    approve(&house.signed_in("alice").await).await;
    house.later(INTERVAL + 1);
    poll(&agent, &asked).await.ok();
}

#[tokio::test]
async fn a_person_is_not_buried_in_questions_and_neither_is_the_house() {
    let house =
        House::open_with(&RULES.replace("interval = 60", "interval = 60\nmost_waiting_per_user = 2")).await;
    let agent = house.client("agent-a");
    let given = given(&house, &agent).await;
    for _ in 0..2 {
        agent.exchange(&given, &WAITING).await.refused("authorization_pending");
    }
    let refused = agent.exchange(&given, &WAITING).await.refused("access_denied");
    assert!(refused.text("error_description").contains("too many"), "{}", refused.body);
    house.told("token.exchange", "access_denied").await;
    // A word that means nothing here is passed over.
    let other = [("scope", "orders:write"), ("resource", ORDERS), ("completion_mode", "later")];
    let refused = agent.exchange(&given, &other).await.refused("access_denied");
    assert!(refused.text("error_description").contains("completion_mode=deferred"), "{}", refused.body);
}

async fn of_many_requests_at_once_no_more_wait_than_may(database: Database) {
    let few = RULES.replace("interval = 60", "interval = 60\nmost_waiting_per_client = 3");
    let house = House::on_with(database, &few).await;
    let agent = house.client("agent-a");
    let given = given(&house, &agent).await;
    agent.own_token("orders:read", ORDERS).await.ok();
    let asking: Vec<_> = (0..12)
        .map(|_| {
            let (agent, given) = (agent.clone(), given.clone());
            tokio::spawn(async move { agent.exchange(&given, &WAITING).await })
        })
        .collect();
    let mut waiting = Vec::new();
    for asked in asking {
        let asked = asked.await.unwrap();
        match asked.text("error") {
            "authorization_pending" => waiting.push(asked),
            _ => {
                let refused = asked.refused("access_denied");
                assert!(refused.text("error_description").contains("too many"), "{}", refused.body);
            }
        }
    }
    assert_eq!(waiting.len(), 3);
    // Of another client there is room still, and of this one once one is given up.
    waits(&house, &house.client("agent-b")).await;
    agent.exchange(&given, &WAITING).await.refused("access_denied");
    agent.post("/revoke", &[("token", waiting[0].text("deferral_code"))]).await.ok();
    agent.exchange(&given, &WAITING).await.refused("authorization_pending");
}

async fn where_nothing_is_left_for_the_first_token_its_client_still_asks_by_refresh(database: Database) {
    let house = open(database).await;
    // Whoever allowed it is not the one who approves each use of it.
    let (agent, alice) = (house.client("agent-b"), house.signed_in("alice").await);
    let allowed = async |scope: &str| {
        let code = house.ask(&agent).scope(scope).resource(ORDERS).approved_by(&alice).await;
        code.redeem(&agent).await
    };
    let refused = allowed("orders:write").await.refused("access_denied");
    assert!(refused.text("error_description").contains("offline_access"), "{}", refused.body);
    let first = allowed("offline_access orders:write").await.ok();
    assert!(first.claims().get("authorization_details").is_none());
    let scope = first.claims()["scope"].clone();
    assert!(!scope.to_string().contains("orders:write"), "{scope}");
    let asked = agent.refresh(first.text("refresh_token"), &WAITING).await.refused("authorization_pending");
    question(&house.signed_in("bob").await).await.approve(|_| {}).await.page();
    assert_eq!(poll(&agent, &asked).await.ok().claims()["scope"], "orders:write");
}
