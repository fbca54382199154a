//! A person in the loop of a token request: rules that have them asked, the deferred token response, and their answer.

use serde_json::{Value, json};
use tests::{
    Answer, Client, Database, Heard, House, INVENTORY, ORDERS, Page, Person, PostOffice, Receiver,
    on_both_databases, unverified_claims, unverified_header,
};

use crate::elsewhere::{Elsewhere, question};

on_both_databases! {
    an_agent_reads_at_once_and_asks_a_person_before_it_changes_anything,
    a_no_is_final,
    a_rule_says_who_approves_and_nobody_else_sees_it,
    of_many_answers_one_counts_and_of_many_polls_one_gets_the_token,
    a_yes_to_one_request_releases_no_other,
    what_waits_is_the_clients_and_its_keys_alone,
    what_waits_lapses_and_so_does_what_was_approved,
    what_waits_ends_with_all_that_it_comes_from,
    everything_is_decided_anew_when_the_client_comes_back,
    a_client_gives_up_what_it_asked_for,
    what_needs_approval_is_left_out_of_the_first_token_and_had_by_refresh,
    a_client_waits_for_a_token_of_its_own_too,
    nobody_approves_who_is_not_signed_in_as_the_approver,
    what_waits_outlives_a_restart,
    a_receiver_of_a_hand_over_is_asked_about_with_the_whole_chain,
    by_backchannel_it_is_the_user_who_approves_and_nobody_in_their_place,
    webhooks_are_told_what_waits_and_what_became_of_it_and_no_more_than_ids,
}

const DEFERRED: &str = "urn:ietf:params:oauth:grant-type:deferred";
/// Longer than any test takes by itself.
const INTERVAL: i64 = 60;

const RULES: &str = r#"
[approvals]
interval = 60

[[rules]]
id = "alice-approves"
client = "agent-a"
effect = "ask"
scope = "orders:write"

[[rules]]
id = "bob-approves"
client = "agent-b"
effect = "ask"
approver = "owner"
scope = "orders:write"

[[rules]]
id = "ada-approves"
client = "agent-c"
effect = "ask"
approver = "user:admin"
scope = "orders:write"

[[rules]]
id = "ada-approves-stock"
client = "orders-api"
effect = "ask"
approver = "user:admin"
scope = "inventory:write"

[[rules]]
id = "nobody-deletes"
effect = "deny"
details_type = "agent_task"
actions = ["delete"]
"#;

async fn open(database: Database) -> House {
    House::on_with(database, RULES).await
}

/// What an exchange for changing orders sends, and that its client can wait.
const WAITING: [(&str, &str); 3] =
    [("scope", "orders:write"), ("resource", ORDERS), ("completion_mode", "deferred")];

/// A token that `agent` may exchange for reading and changing orders.
async fn given(house: &House, agent: &Client) -> String {
    house.token_for(agent, "orders:read orders:write").await
}

/// `agent` asks to change orders, and a person is asked.
async fn waits(house: &House, agent: &Client) -> Answer {
    let given = given(house, agent).await;
    agent.exchange(&given, &WAITING).await.refused("authorization_pending")
}

async fn poll(client: &Client, asked: &Answer) -> Answer {
    client.token(&[("grant_type", DEFERRED), ("deferral_code", asked.text("deferral_code"))]).await
}

async fn approve(person: &Person) -> Page {
    let done = question(person).await.approve(|_| {}).await.page();
    assert!(done.path == "/approvals" && done.html.contains("approvals-answered"), "{}", done.text());
    done
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

async fn a_yes_to_one_request_releases_no_other(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let given = given(&house, &agent).await;
    let first = agent.exchange(&given, &WAITING).await.refused("authorization_pending");
    approve(&alice).await;
    let second = agent.exchange(&given, &WAITING).await.refused("authorization_pending");
    poll(&agent, &second).await.refused("authorization_pending");
    poll(&agent, &first).await.ok();
    house.later(INTERVAL + 1);
    poll(&agent, &second).await.refused("authorization_pending");
    // What was approved is no way to anything wider, or elsewhere, either: the client sends nothing but the code.
    let third = agent.exchange(&given, &WAITING).await.refused("authorization_pending");
    let code = third.text("deferral_code");
    let wider = [("grant_type", DEFERRED), ("deferral_code", code), ("scope", "orders:read orders:write")];
    question(&alice).await;
    agent.token(&wider).await.refused("authorization_pending");
}

async fn what_waits_is_the_clients_and_its_keys_alone(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    approve(&alice).await;
    for stranger in [house.client("agent-b"), house.client("agent-a"), house.client("agent-a").without_dpop()]
    {
        poll(&stranger, &asked).await.refused("invalid_grant");
        house.told("deferral.poll", "invalid_grant").await;
    }
    let made_up = [("grant_type", DEFERRED), ("deferral_code", "pdf_nothing")];
    agent.token(&made_up).await.refused("invalid_grant");
    agent.token(&made_up[..1]).await.refused("invalid_request");
    poll(&agent, &asked).await.ok();
}

async fn what_waits_lapses_and_so_does_what_was_approved(database: Database) {
    let house = House::on_with(database, &format!("token_life = \"1h\"\n{RULES}")).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let given = given(&house, &agent).await;
    let ask = || agent.exchange(&given, &WAITING);
    let approved = ask().await.refused("authorization_pending");
    approve(&alice).await;
    let lapses = ask().await.refused("authorization_pending");
    let page = question(&alice).await;
    house.later(560);
    let token = poll(&agent, &approved).await.ok();
    let life = token.json["expires_in"].as_i64().unwrap();
    assert!(life <= 40, "nothing outlives the yes of ten minutes: {life}");
    let too_late = ask().await.refused("authorization_pending");
    page.deny().await.page();
    approve(&alice).await;
    house.later(601);
    poll(&agent, &too_late).await.refused("expired_token");
    house.told("deferral.poll", "expired_token").await;
    poll(&agent, &lapses).await.refused("access_denied");
    let lapses = ask().await.refused("authorization_pending");
    let page = question(&alice).await;
    house.later(2_500);
    assert_eq!(page.approve(|_| {}).await.page().status, 400);
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
    poll(&agent, &lapses).await.refused("expired_token");
}

async fn what_waits_ends_with_all_that_it_comes_from(database: Database) {
    let house = open(database).await;
    let (agent, alice, bob) =
        (house.client("agent-a"), house.signed_in("alice").await, house.signed_in("admin").await);
    for approved in [false, true] {
        let asked = waits(&house, &agent).await;
        let page = question(&alice).await;
        if approved {
            approve(&alice).await;
        }
        let account = alice.page("/account").await;
        account.submit(&account.form_to("/account/consents/end"), None).await.page();
        house.told("consent.end", "granted").await;
        poll(&agent, &asked).await.refused("access_denied");
        house.told("deferral.poll", "access_denied").await;
        assert!(alice.page("/approvals").await.html.contains("no-approvals"));
        assert_eq!(page.approve(|_| {}).await.page().status, 400);
    }
    let given = given(&house, &agent).await;
    let asked = agent.exchange(&given, &WAITING).await.refused("authorization_pending");
    house.client("shop").revoke(&given).await.ok();
    poll(&agent, &asked).await.refused("access_denied");

    // An agent that is stopped, and an approver who is.
    let asked = waits(&house, &agent).await;
    let path = "/admin/clients/agent-a/suspend";
    let page = bob.page(path).await;
    let ended = page.submit(&page.form_to(path), None).await.page();
    assert!(ended.html.contains("id=\"ended\""), "{}", ended.text());
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
    poll(&agent, &asked).await.refused("invalid_client");
    let other = house.client("agent-c");
    let asked = waits(&house, &other).await;
    let ada = house.store().find_user_by_username("admin").await.unwrap().unwrap();
    let ending = server::store::Ending::User(ada.id.clone());
    let change = server::store::Change::housekeeping(house.door().now()).end(ending);
    let ended = house.store().commit(change).await.unwrap().ended;
    assert!(ended.pending >= 1, "{ended:?}");
    poll(&other, &asked).await.refused("access_denied");
}

async fn everything_is_decided_anew_when_the_client_comes_back(database: Database) {
    let mut house = House::on_with(database, &format!("token_life = \"1h\"\n{RULES}")).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    approve(&alice).await;
    let deny = "[[rules]]\nid = \"stop\"\neffect = \"deny\"\nscope = \"orders:write\"\n";
    house.restart_changed(|config| format!("{config}\n{deny}")).await;
    let agent = again(&house, &agent);
    let refused = poll(&agent, &asked).await.refused("access_denied");
    assert!(refused.text("error_description").contains("denies"), "{}", refused.body);
    let told = house.told("token.exchange", "access_denied").await;
    assert_eq!(told["rule"], "stop");
    // Another person has to approve from now on: the yes of the first is none.
    house
        .restart_changed(|config| {
            config.replace(deny, "").replace(
                "effect = \"ask\"\nscope = \"orders:write\"",
                "effect = \"ask\"\napprover = \"user:admin\"\nscope = \"orders:write\"",
            )
        })
        .await;
    let agent = again(&house, &agent);
    let refused = poll(&agent, &asked).await.refused("access_denied");
    assert!(refused.text("error_description").contains("not what was approved"), "{}", refused.body);
    // And once all is as it was, it is good still.
    house
        .restart_changed(|config| {
            config.replace("approver = \"user:admin\"\nscope = \"orders:write\"", "scope = \"orders:write\"")
        })
        .await;
    poll(&again(&house, &agent), &asked).await.ok();
}

/// The same client with the same key, at a house that was opened again.
fn again(house: &House, client: &Client) -> Client {
    let mut again = house.client(&client.id);
    again.dpop.clone_from(&client.dpop);
    again
}

async fn a_client_gives_up_what_it_asked_for(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    let page = question(&alice).await;
    let hint = ("token_type_hint", "urn:ietf:params:oauth:token-type:deferral-code");
    let params = [("token", asked.text("deferral_code")), hint];
    house.client("agent-b").post("/revoke", &params).await.refused("invalid_grant");
    poll(&agent, &asked).await.refused("authorization_pending");
    agent.post("/revoke", &params).await.ok();
    house.told("deferral.cancel", "granted").await;
    poll(&agent, &asked).await.refused("invalid_grant");
    assert!(alice.page("/approvals").await.html.contains("no-approvals"));
    assert_eq!(page.approve(|_| {}).await.page().status, 400);
    agent.post("/revoke", &params).await.ok();
    agent.post("/revoke", &[("token", "pdf_nothing"), hint]).await.ok();
}

async fn what_needs_approval_is_left_out_of_the_first_token_and_had_by_refresh(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("openid offline_access orders:read orders:write").resource(ORDERS);
    let code = ask.approved_by(&alice).await;
    let first = code.redeem(&agent).await.ok();
    assert_eq!(first.json["scope"], "openid orders:read", "{}", first.body);
    let told = house.told("token.authorization_code", "granted").await;
    assert!(told["reason"].as_str().unwrap().contains("approve each time"), "{told}");
    let refresh = first.text("refresh_token").to_owned();
    agent.refresh(&refresh, &[("scope", "orders:read")]).await.ok();
    agent.refresh(&refresh, &[]).await.refused("access_denied");
    house.told("token.refresh", "access_denied").await;
    let wait = [("scope", "orders:write"), ("completion_mode", "deferred")];
    let asked = agent.refresh(&refresh, &wait).await.refused("authorization_pending");
    assert_eq!(asked.json["expires_in"], 3600);
    approve(&alice).await;
    let token = poll(&agent, &asked).await.ok();
    assert_eq!(token.claims()["scope"], "orders:write");
    assert!(token.json["expires_in"].as_i64().unwrap() <= 300);
    house.told("token.refresh", "granted").await;
    agent.refresh(&refresh, &wait).await.refused("authorization_pending");

    // What is denied nobody gets, on no way.
    let details = json!([{"type": "agent_task", "actions": ["read", "delete"]}]);
    let ask = house.ask(&agent).scope("orders:read").details(&details).resource(ORDERS);
    let first = ask.approved_by(&alice).await.redeem(&agent).await.ok();
    assert!(first.json.get("authorization_details").is_none(), "{}", first.body);
}

async fn a_client_waits_for_a_token_of_its_own_too(database: Database) {
    let house = open(database).await;
    let (api, ada) = (house.client("orders-api"), house.signed_in("admin").await);
    api.own_token("inventory:read", INVENTORY).await.ok();
    api.own_token("inventory:write", INVENTORY).await.refused("access_denied");
    let wait = [
        ("grant_type", "client_credentials"),
        ("scope", "inventory:write"),
        ("resource", INVENTORY),
        ("completion_mode", "deferred"),
    ];
    let asked = api.token(&wait).await.refused("authorization_pending");
    let page = question(&ada).await;
    assert!(page.text().contains("on its own account"), "{}", page.text());
    approve(&ada).await;
    assert_eq!(poll(&api, &asked).await.ok().claims()["sub"], "orders-api");
    // Where the subject is to approve and there is none, nobody can.
    let agent = house.client("agent-a");
    let wait = [
        ("grant_type", "client_credentials"),
        ("scope", "orders:write"),
        ("resource", ORDERS),
        ("completion_mode", "deferred"),
    ];
    let refused = agent.token(&wait).await.refused("access_denied");
    assert!(refused.text("error_description").contains("nobody"), "{}", refused.body);
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

async fn what_waits_outlives_a_restart(database: Database) {
    let mut house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    let cookies = alice.copied();
    house.restart().await;
    drop(cookies);
    approve(&house.signed_in("alice").await).await;
    house.restart().await;
    poll(&again(&house, &agent), &asked).await.ok();
}

async fn a_receiver_of_a_hand_over_is_asked_about_with_the_whole_chain(database: Database) {
    let house = open(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let details = json!([{"type": "agent_task", "actions": ["refund"], "purpose": "Refund order 4711"}]);
    let details_text = details.to_string();
    let more = "[[rules]]\nid = \"refunds\"\neffect = \"ask\"\napprover = \"owner\"\ndetails_type = \"agent_task\"\n\
                actions = [\"refund\"]\n";
    drop(house);
    let house = House::on_with(database, &format!("{RULES}\n{more}")).await;
    let [a, b] = [a.id, b.id].map(|id| house.client(&id));
    let (alice, bob) = (house.signed_in("alice").await, house.signed_in("bob").await);
    let shop = house.client("shop");
    let ask = house.ask(&shop).actor("agent-a").scope("orders:read").details(&details).resource(ORDERS);
    let given = ask.approved_by(&alice).await.redeem(&shop).await.ok();
    let read = [("scope", "orders:read"), ("resource", ORDERS)];
    a.exchange(given.access_token(), &read).await.ok();
    let wait = [
        ("authorization_details", details_text.as_str()),
        ("resource", ORDERS),
        ("completion_mode", "deferred"),
    ];
    let asked = a.exchange(given.access_token(), &wait).await.refused("authorization_pending");
    let page = question(&bob).await;
    for words in ["Do this: refund", "Refund order 4711", "for Alice Arnold"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    approve(&bob).await;
    let token = poll(&a, &asked).await.ok();
    assert_eq!(token.json["authorization_details"], details);
    let over =
        [("audience", "agent-b"), ("authorization_details", details_text.as_str()), ("resource", ORDERS)];
    let handed = a.exchange(token.access_token(), &over).await.ok();
    b.exchange(handed.access_token(), &wait[..2]).await.refused("access_denied");
    let asked = b.exchange(handed.access_token(), &wait).await.refused("authorization_pending");
    let page = question(&bob).await;
    let way = page.text();
    let (alice, a, b_at) =
        (way.rfind("Alice Arnold"), way.rfind("agent-a the agent"), way.rfind("agent-b the agent"));
    assert!(alice < a && a < b_at, "{way}");
    approve(&bob).await;
    let token = poll(&b, &asked).await.ok();
    assert_eq!(token.claims()["act"]["act"]["sub"], "agent-a");
}

async fn by_backchannel_it_is_the_user_who_approves_and_nobody_in_their_place(database: Database) {
    for (approver, in_token) in [("subject", true), ("owner", false)] {
        let rule = format!(
            "[[rules]]\nid = \"refunds\"\neffect = \"ask\"\napprover = \"{approver}\"\n\
             details_type = \"agent_task\"\nactions = [\"refund\"]\n"
        );
        let town = Elsewhere::with(database, &rule).await;
        let (agent, alice) = (town.client("agent-d"), town.house.signed_in("alice").await);
        let details =
            json!([{ "type": "agent_task", "actions": ["refund"], "purpose": "Refund order 4711" }]);
        let details_text = details.to_string();
        let asked = town.ask_alice(&agent, &[("authorization_details", &details_text)]).await.ok();
        town.question(&alice).await.approve(|_| {}).await.page();
        let token = town.poll(&agent, &asked).await.ok();
        let granted = token.json.get("authorization_details").unwrap_or(&Value::Null);
        assert_eq!(granted == &details, in_token, "{approver}: {}", token.body);
    }
}

#[tokio::test]
async fn a_details_type_can_need_approval_for_some_of_its_actions() {
    let more = r#"
[[details_types]]
name = "mcp_tool"
approval_needed = ["pay"]

[details_types.schema]
required = ["type", "tools"]

[details_types.schema.properties]
tools = { type = "array", items = { type = "string" } }

[details_types.words.en]
name = "Tools"
sentence = "Use {tools}"

[details_types.risk]
field = "tools"
levels = { look = "low", pay = "high" }
"#;
    let house = House::open_with(more).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let details = json!([{"type": "mcp_tool", "tools": ["look", "pay"]}]);
    let shop = house.client("shop");
    let ask = house.ask(&shop).actor("agent-a").details(&details).resource(ORDERS);
    let given = ask.approved_by(&alice).await.redeem(&shop).await.ok();
    let exchange = |tools: Value, more: &[(&'static str, &'static str)]| {
        let details = json!([{"type": "mcp_tool", "tools": tools}]).to_string();
        let (agent, given, more) = (agent.clone(), given.access_token().to_owned(), more.to_vec());
        async move {
            let mut params = vec![("authorization_details", details.as_str()), ("resource", ORDERS)];
            params.extend(more);
            agent.exchange(&given, &params).await
        }
    };
    exchange(json!(["look"]), &[]).await.ok();
    exchange(json!(["pay"]), &[]).await.refused("access_denied");
    let told = house.told("token.exchange", "access_denied").await;
    assert!(told.get("rule").is_none(), "{told}");
    let asked = exchange(json!(["pay"]), &[("completion_mode", "deferred")]).await;
    let asked = asked.refused("authorization_pending");
    let page = question(&alice).await;
    assert!(page.text().contains("Use pay") && page.text().contains("High risk"), "{}", page.text());
    approve(&alice).await;
    let token = poll(&agent, &asked).await.ok();
    assert_eq!(token.json["authorization_details"][0]["tools"], json!(["pay"]));
    // An application with its user in front of it has their word.
    let ask = house.ask(&shop).details(&details).resource(ORDERS);
    let own = ask.approved_by(&alice).await.redeem(&shop).await.ok();
    assert_eq!(own.json["authorization_details"], details);
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
    let other = [("scope", "orders:write"), ("resource", ORDERS), ("completion_mode", "later")];
    agent.exchange(&given, &other).await.refused("invalid_request");
}

#[tokio::test]
async fn the_approver_is_told_by_mail_of_what_waits_and_of_nothing_secret() {
    let post = PostOffice::open().await;
    let house = House::open_with(&format!("{}\n{RULES}", post.config)).await;
    let agent = house.client("agent-b");
    let asked = waits(&house, &agent).await;
    let mail = post.mail().await;
    assert_eq!(mail.to, "bob@people.example");
    for words in
        ["agent-b the agent, an AI agent", "Change your orders", "for Alice Arnold", "/approvals/ask_"]
    {
        assert!(mail.text.contains(words), "{words}: {}", mail.text);
    }
    assert!(!mail.text.contains(asked.text("deferral_code")), "{}", mail.text);
    let link = mail.text.lines().find(|line| line.starts_with("http")).unwrap().to_owned();
    let path = link.strip_prefix(house.issuer()).unwrap();
    let bob = house.signed_in("bob").await;
    bob.page(path).await.approve(|_| {}).await.page();
    poll(&agent, &asked).await.ok();
    post.stays_empty().await;
}

#[tokio::test]
async fn discovery_tells_of_deferred_token_responses() {
    let house = House::open().await;
    let told = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.ok();
    assert_eq!(told.json["deferred_token_response_supported"], true);
    assert!(told.json["grant_types_supported"].as_array().unwrap().contains(&json!(DEFERRED)));
}

/// What a webhook was told: the claims of the event token, whose signature this house's keys must have made.
async fn event_of(house: &House, heard: &Heard, url: &str) -> (String, Value) {
    assert_eq!((heard.method.as_str(), heard.header("content-type")), ("POST", "application/secevent+jwt"));
    let header = unverified_header(&heard.body);
    assert_eq!(header["typ"], "secevent+jwt");
    let jwks = house.send(house.request("GET", "/jwks")).await.ok().json;
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    assert_eq!((&key["alg"], &header["alg"]), (&json!("ES256"), &json!("ES256")));
    house.app().keys.verify_own(&heard.body, "secevent+jwt").unwrap();
    let claims = unverified_claims(&heard.body);
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(house.issuer()), &json!(url)));
    assert!(claims["iat"].is_i64() && claims["jti"].is_string(), "{claims}");
    let events = claims["events"].as_object().unwrap();
    let (uri, members) = events.iter().next().unwrap();
    (uri.clone(), members.clone())
}

async fn webhooks_are_told_what_waits_and_what_became_of_it_and_no_more_than_ids(database: Database) {
    let receiver = Receiver::open().await;
    let url = receiver.url("/hook");
    let settings = format!(
        "[outbound]\npermitted_addresses = [\"127.0.0.0/8\"]\n{RULES}\n[[webhooks]]\nid = \"ops\"\nurl = \"{url}\"\n"
    );
    let mut house = House::on_with(database, &settings).await;
    let (agent, bob) = (house.client("agent-b"), house.signed_in("bob").await);
    // The receiver is broken at first; it is told again.
    receiver.answer(500, 0);
    let asked = waits(&house, &agent).await;
    let first = receiver.next().await;
    house.later(3);
    let second = receiver.next().await;
    let (requested, members) = event_of(&house, &second, &url).await;
    assert_eq!(requested, "urn:procura:event:approval-requested");
    assert_eq!(unverified_claims(&first.body)["jti"], unverified_claims(&second.body)["jti"]);
    let user =
        async |name: &str| house.store().find_user_by_username(name).await.unwrap().unwrap().id.to_string();
    assert_eq!(
        (members["approver"].as_str(), members["subject"].as_str(), members["client"].as_str()),
        (Some(user("bob").await.as_str()), Some(user("alice").await.as_str()), Some("agent-b"))
    );
    let link = members["link"].as_str().unwrap().to_owned();
    assert!(link.ends_with(&format!("/approvals/{}", members["approval"].as_str().unwrap())), "{members}");
    let text = members.to_string();
    for hidden in ["Alice", "Bob", "people.example", "orders", asked.text("deferral_code")] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    question(&bob).await.deny().await.page();
    let (answered, members) = event_of(&house, &receiver.next().await, &url).await;
    assert_eq!(answered, "urn:procura:event:approval-answered");
    assert_eq!(members["decision"], "denied");
    assert!(receiver.already().await.is_empty(), "what was taken is not sent again");
    // What a house did not come to tell, the next one tells.
    receiver.answer(503, 0);
    waits(&house, &agent).await;
    receiver.next().await;
    house.restart().await;
    house.later(200);
    let (requested, _) = event_of(&house, &receiver.next().await, &url).await;
    assert_eq!(requested, "urn:procura:event:approval-requested");
}
