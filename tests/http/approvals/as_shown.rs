//! A yes is to what the page showed, in the words and by the versions in which it did.

use super::signing_in::RISKY;
use super::*;

on_both_databases! {
    a_consent_keeps_its_words_and_its_risk_on_the_page_of_an_approval,
    what_changed_since_the_page_was_opened_is_shown_again_before_anything_is_approved,
}

async fn a_consent_keeps_its_words_and_its_risk_on_the_page_of_an_approval(database: Database) {
    let settings = format!("token_life = \"1h\"\n[approvals]\ninterval = 60\n{RISKY}");
    let mut house = House::on_with(database, &settings).await;
    let agent = house.client("agent-a");
    let alice = house.signed_in("alice").await;
    let details = json!([{"type": "mcp_tool", "tools": ["note"]}]);
    let text = details.to_string();
    let wait =
        [("authorization_details", text.as_str()), ("resource", ORDERS), ("completion_mode", "deferred")];
    let allow = async |house: &House, agent: &Client, alice: &Person| {
        let ask = house.ask(agent).scope("orders:read offline_access").details(&details).resource(ORDERS);
        ask.approved_by(alice).await.redeem(agent).await.ok().text("refresh_token").to_owned()
    };
    let given = allow(&house, &agent, &alice).await;
    let asked = agent.refresh(&given, &wait).await.refused("authorization_pending");
    let open = question(&alice).await;
    assert!(open.text().contains("Use note") && open.text().contains("Low risk"), "{}", open.text());

    // The type says something else from now on, and calls it risky.
    let redeclared = |config: String| {
        config.replace("Use {tools}", "Hand {tools} over").replace("note = \"low\"", "note = \"high\"")
    };
    house.restart_changed(redeclared).await;
    let agent = again(&house, &agent);
    let page = question(&alice).await;
    let words = page.text();
    assert!(words.contains("Use note") && words.contains("Low risk"), "{words}");
    assert!(!words.contains("Hand note over") && !words.contains("High risk"), "{words}");
    // Nothing of it changed, so that the page which was open is as good.
    let done = open.approve(|_| {}).await.page();
    assert!(done.html.contains("approvals-answered"), "{}", done.text());
    assert_eq!(poll(&agent, &asked).await.ok().json["authorization_details"], details);
    // What is allowed from now on is asked about in the words of now.
    let given = allow(&house, &agent, &alice).await;
    agent.refresh(&given, &wait).await.refused("authorization_pending");
    let words = question(&alice).await.text();
    assert!(words.contains("Hand note over") && words.contains("High risk"), "{words}");
}

async fn what_changed_since_the_page_was_opened_is_shown_again_before_anything_is_approved(
    database: Database,
) {
    let mut house = House::on_with(database, &format!("token_life = \"1h\"\n{RULES}")).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let asked = waits(&house, &agent).await;
    let open = question(&alice).await;
    assert!(open.text().contains("Change your orders"), "{}", open.text());
    house.restart_changed(|config| config.replace("Change your orders", "Cancel and sell your orders")).await;
    let agent = again(&house, &agent);
    let shown = open.approve(|_| {}).await.page();
    assert_eq!(shown.status, 400, "{}", shown.text());
    for words in ["has changed since you opened this page", "Cancel and sell your orders"] {
        assert!(shown.text().contains(words), "{words}: {}", shown.text());
    }
    poll(&agent, &asked).await.refused("authorization_pending");
    // The old page is still none, also after the new one was shown; and a no needs no page.
    assert_eq!(open.approve(|_| {}).await.page().status, 400);
    house.later(INTERVAL + 1);
    poll(&agent, &asked).await.refused("authorization_pending");
    let done = shown.approve(|_| {}).await.page();
    assert!(done.html.contains("approvals-answered"), "{}", done.text());
    house.told("deferral.decide", "granted").await;
    house.later(2 * INTERVAL);
    poll(&agent, &asked).await.ok();

    let asked = waits(&house, &agent).await;
    let open = question(&alice).await;
    house.restart_changed(|config| config.replace("agent-a the agent", "agent-a the other")).await;
    let done = open.deny().await.page();
    assert!(done.html.contains("approvals-answered"), "{}", done.text());
    poll(&again(&house, &agent), &asked).await.refused("access_denied");
}
