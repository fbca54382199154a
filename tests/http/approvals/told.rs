//! Who is told of what waits: the approver by mail, others by webhooks.

use super::*;

on_both_databases! {
    webhooks_are_told_what_waits_and_what_became_of_it_and_no_more_than_ids,
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
