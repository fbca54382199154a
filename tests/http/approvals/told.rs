//! Who is told of what waits: the approver by mail, others by webhooks.

use super::*;

on_both_databases! {
    a_client_is_told_that_it_may_ask_and_by_nobody_elses_word_and_no_more_than_that,
    webhooks_are_told_what_waits_and_what_became_of_it_and_no_more_than_ids,
    webhooks_are_told_of_questions_by_backchannel_too_and_of_nobody_who_is_not_there,
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

async fn webhooks_are_told_of_questions_by_backchannel_too_and_of_nobody_who_is_not_there(
    database: Database,
) {
    let receiver = Receiver::open().await;
    let url = receiver.url("/hook");
    let town = Elsewhere::with(database, &format!("[[webhooks]]\nid = \"ops\"\nurl = \"{url}\"\n")).await;
    let (house, till, alice) = (&town.house, town.client("till"), town.house.signed_in("alice").await);
    let id = house.store().find_user_by_username("alice").await.unwrap().unwrap().id.to_string();
    for decision in ["approved", "denied"] {
        let asked = town.ask_alice(&till, &[("binding_message", "W4SCT")]).await.ok();
        let (requested, members) = event_of(house, &receiver.next().await, &url).await;
        assert_eq!(requested, "urn:procura:event:approval-requested");
        let approval = members["approval"].as_str().unwrap();
        let expires_at = members["expires_at"].as_i64().unwrap();
        let left = expires_at - house.door().now().0;
        assert!((290..=300).contains(&left), "{members}");
        let link = format!("{}/approvals/{approval}", house.issuer());
        assert!(approval.starts_with("req_"), "{members}");
        let about = json!({
            "approval": approval, "approver": id, "client": "till", "subject": id,
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token"
        });
        let with = |more: Value| {
            let mut about = about.clone();
            about.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            about
        };
        assert_eq!(members, with(json!({"link": link, "expires_at": expires_at})));
        assert!(!members.to_string().contains(asked.text("auth_req_id")), "{members}");
        let page = alice.page(&format!("/approvals/{approval}")).await;
        match decision {
            "approved" => drop(page.approve(|_| {}).await.page()),
            _ => drop(page.deny().await.page()),
        }
        let (answered, members) = event_of(house, &receiver.next().await, &url).await;
        assert_eq!(answered, "urn:procura:event:approval-answered");
        assert_eq!(members, with(json!({"decision": decision})));
    }
    // Whoever the hint does not name is not told of, and a device asks nobody in particular.
    till.post("/backchannel/authorize", &[("scope", "openid"), ("login_hint", "nobody")]).await.ok();
    let asked = town.tv_asks().await;
    let page = alice.page(&format!("/device?user_code={}", asked.text("user_code"))).await;
    page.approve(|_| {}).await.page();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(receiver.already().await.is_empty());
}

/// What `agent-b` was told: which request, and by which bearer token.
fn told_of(heard: &Heard) -> (Value, String) {
    assert_eq!((heard.method.as_str(), heard.header("content-type")), ("POST", "application/json"));
    (serde_json::from_str(&heard.body).unwrap(), heard.header("authorization").to_owned())
}

async fn a_client_is_told_that_it_may_ask_and_by_nobody_elses_word_and_no_more_than_that(database: Database) {
    let receiver = Receiver::open().await;
    let url = receiver.url("/deferred");
    let settings = format!("[outbound]\npermitted_addresses = [\"127.0.0.0/8\"]\n{RULES}");
    let declared = "id = \"agent-b\"\n";
    let house = House::build(database, |town| {
        let town =
            town.replace(declared, &format!("{declared}deferred_client_notification_endpoint = \"{url}\"\n"));
        format!("{settings}\n{town}")
    })
    .await;
    let (agent, bob) = (house.client("agent-b"), house.signed_in("bob").await);
    let given = given(&house, &agent).await;
    let ask = async |token: Option<&str>| {
        let more: Vec<_> = token.map(|token| ("client_notification_token", token)).into_iter().collect();
        agent.exchange(&given, &[&WAITING[..], &more].concat()).await
    };
    for malformed in ["two words", &"x".repeat(1025)] {
        ask(Some(malformed)).await.refused("invalid_request");
        house.told("token.exchange", "invalid_request").await;
    }
    const TOKEN: &str = "bm90aWZ5LW1lLWJ5LXRoaXMtdG9rZW4";
    // A receiver that is away is told again; a yes, and a no.
    receiver.answer(503, 0);
    for approved in [true, false] {
        let asked = ask(Some(TOKEN)).await.refused("authorization_pending");
        house.later(5);
        assert!(receiver.already().await.is_empty(), "nobody has answered");
        match approved {
            true => drop(approve(&bob).await),
            false => drop(question(&bob).await.deny().await.page()),
        }
        let (body, bearer) = told_of(&receiver.next().await);
        assert_eq!(
            (body, bearer),
            (json!({"deferral_code": asked.text("deferral_code")}), format!("Bearer {TOKEN}"))
        );
        if approved {
            house.later(3);
            assert_eq!(told_of(&receiver.next().await).0["deferral_code"], asked.text("deferral_code"));
            poll(&agent, &asked).await.ok();
        } else {
            poll(&agent, &asked).await.refused("access_denied");
        }
    }
    // Without a token to know the server by, none is sent; and an ending is an answer too.
    let asked = ask(None).await.refused("authorization_pending");
    let event = house.told("deferral.ask", "granted").await;
    let consent = event["consent"].as_str().unwrap().parse().unwrap();
    let change = server::store::Change::housekeeping(house.door().now());
    house.store().commit(change.end(server::store::Ending::Consent(consent))).await.unwrap();
    house.later(3);
    let told = told_of(&receiver.next().await);
    assert_eq!(told, (json!({"deferral_code": asked.text("deferral_code")}), String::new()));
    poll(&agent, &asked).await.refused("access_denied");
    // Whoever gives it up is not told of it, nor is a client that registered no endpoint.
    let given_up = waits(&house, &agent).await;
    agent.post("/revoke", &[("token", given_up.text("deferral_code"))]).await.ok();
    let silent = house.client("agent-a");
    let asked = waits(&house, &silent).await;
    approve(&house.signed_in("alice").await).await;
    house.later(5);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(receiver.already().await.is_empty());
    poll(&silent, &asked).await.ok();
}
