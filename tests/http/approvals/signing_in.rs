//! How the approver has to be signed in: of just now where harm could be done, and as strongly as a rule demands.

use tests::{code_at, password_of};

use super::*;

on_both_databases! {
    what_could_do_harm_takes_a_sign_in_of_just_now_and_what_could_not_does_not,
    a_rule_demands_a_stronger_sign_in_and_a_weaker_one_gives_no_yes,
    what_could_do_harm_takes_a_sign_in_of_just_now_by_backchannel_and_on_a_device_too,
}

pub(super) const RISKY: &str = r#"
[[details_types]]
name = "mcp_tool"
approval_needed = ["pay", "note"]

[details_types.schema]
required = ["type", "tools"]

[details_types.schema.properties]
tools = { type = "array", items = { type = "string" } }

[details_types.words.en]
name = "Tools"
sentence = "Use {tools}"

[details_types.risk]
field = "tools"
levels = { note = "low", pay = "high" }
"#;

async fn what_could_do_harm_takes_a_sign_in_of_just_now_and_what_could_not_does_not(database: Database) {
    let house =
        House::on_with(database, &format!("token_life = \"1h\"\n[approvals]\ninterval = 60\n{RISKY}")).await;
    let (agent, shop) = (house.client("agent-a"), house.client("shop"));
    let alice = house.signed_in("alice").await;
    let details = json!([{"type": "mcp_tool", "tools": ["note", "pay"]}]);
    let ask = house.ask(&shop).actor("agent-a").details(&details).resource(ORDERS);
    let given = ask.approved_by(&alice).await.redeem(&shop).await.ok();
    let wait = async |tool: &str| {
        let details = json!([{"type": "mcp_tool", "tools": [tool]}]).to_string();
        let params = [
            ("authorization_details", details.as_str()),
            ("resource", ORDERS),
            ("completion_mode", "deferred"),
        ];
        agent.exchange(given.access_token(), &params).await.refused("authorization_pending")
    };
    // What she sees while her sign-in is of just now, she answers when it is not any more.
    let paying = wait("pay").await;
    let open = question(&alice).await;
    assert_eq!((open.status, open.text().contains("High risk")), (200, true), "{}", open.text());
    house.later(11 * 60);
    let sent = open.approve(|_| {}).await.page();
    assert!(sent.path.starts_with("/sign-in?next="), "{}", sent.path);
    poll(&agent, &paying).await.refused("authorization_pending");
    let looked = alice.page(&open.path).await;
    assert!(looked.path.starts_with("/sign-in?next="), "{}", looked.path);
    let back = looked.sign_in("alice", &password_of("alice")).await.page();
    assert_eq!((back.status, back.path.as_str()), (200, open.path.as_str()), "{}", back.text());
    let done = back.approve(|_| {}).await.page();
    assert!(done.html.contains("approvals-answered"), "{}", done.text());
    let token = poll(&agent, &paying).await.ok();
    assert_eq!(token.json["authorization_details"][0]["tools"], json!(["pay"]));

    let noting = wait("note").await;
    house.later(11 * 60);
    approve(&alice).await;
    poll(&agent, &noting).await.ok();
    // To say no, no such sign-in is needed.
    let denied = wait("pay").await;
    let fresh = house.signed_in("alice").await;
    let page = question(&fresh).await;
    house.later(11 * 60);
    assert!(page.deny().await.page().html.contains("approvals-answered"));
    poll(&agent, &denied).await.refused("access_denied");
}

async fn a_rule_demands_a_stronger_sign_in_and_a_weaker_one_gives_no_yes(database: Database) {
    let rule = "[approvals]\ninterval = 60\n[[rules]]\nid = \"strong\"\nclient = \"agent-a\"\neffect = \"ask\"\n\
                approver_acr = \"urn:procura:acr:multi-factor\"\nscope = \"orders:write\"\n";
    let mut house = House::on_with(database, &format!("token_life = \"1h\"\n{rule}")).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let given = given(&house, &agent).await;
    let ask = async |agent: &Client| agent.exchange(&given, &WAITING).await.refused("authorization_pending");
    let asked = ask(&agent).await;
    // A password is all that she has: she is sent to sign in once, and then told that it is not enough.
    let sent = question(&alice).await;
    assert!(sent.path.starts_with("/sign-in?next="), "{}", sent.path);
    let weak = sent.sign_in("alice", &password_of("alice")).await.page();
    assert!(weak.path.starts_with("/approvals/ask_") && weak.status == 403, "{} {}", weak.status, weak.path);
    assert!(weak.text().contains("second factor"), "{}", weak.text());
    let refused = weak.approve(|_| {}).await.page();
    assert_eq!(refused.status, 403, "{}", refused.text());
    poll(&agent, &asked).await.refused("authorization_pending");
    // Whoever cannot say yes can say no.
    assert!(refused.deny().await.page().html.contains("approvals-answered"));
    poll(&agent, &asked).await.refused("access_denied");

    let asked = ask(&agent).await;
    let page = alice.page("/account/security/totp").await;
    let secret = page.text_of("totp-secret");
    alice.prove(&page, "/account/security/totp", &code_at(&secret, house.door().now())).await.page();
    house.later(60);
    let strong = house.person();
    let half = strong.page("/sign-in").await.sign_in("alice", &password_of("alice")).await.page();
    strong.prove(&half, "/sign-in/second-factor", &code_at(&secret, house.door().now())).await.page();
    approve(&strong).await;
    house.told("deferral.decide", "granted").await;
    // The demand grew before the client came back: this yes is none any more.
    let phr = "approver_acr = \"phr\"";
    let multi = "approver_acr = \"urn:procura:acr:multi-factor\"";
    house.restart_changed(|config| config.replace(multi, phr)).await;
    let refused = poll(&again(&house, &agent), &asked).await.refused("access_denied");
    assert!(refused.text("error_description").contains("not what was approved"), "{}", refused.body);
    house.restart_changed(|config| config.replace(phr, multi)).await;
    poll(&again(&house, &agent), &asked).await.ok();
}

async fn what_could_do_harm_takes_a_sign_in_of_just_now_by_backchannel_and_on_a_device_too(
    database: Database,
) {
    let town = Elsewhere::with(database, RISKY).await;
    let (house, agent, alice) = (&town.house, town.client("agent-d"), town.house.signed_in("alice").await);
    let using = |tool: &str| json!([{"type": "mcp_tool", "tools": [tool]}]).to_string();
    let ask = async |tool: &str| {
        let (details, client) = (using(tool), &agent);
        town.ask_alice(client, &[("authorization_details", &details)]).await.ok()
    };
    // Nine minutes after she signed in she sees it, and three minutes later she may not say yes any more.
    house.later(9 * 60);
    let paying = ask("pay").await;
    let open = town.question(&alice).await;
    assert_eq!((open.status, open.text().contains("High risk")), (200, true), "{}", open.text());
    house.later(3 * 60);
    let sent = open.approve(|_| {}).await.page();
    assert!(sent.path.starts_with("/sign-in?next="), "{}", sent.path);
    town.poll(&agent, &paying).await.refused("authorization_pending");
    let looked = alice.page(&open.path).await;
    assert!(looked.path.starts_with("/sign-in?next="), "{}", looked.path);
    let back = looked.sign_in("alice", &password_of("alice")).await.page();
    assert_eq!((back.status, back.path.as_str()), (200, open.path.as_str()), "{}", back.text());
    assert!(back.approve(|_| {}).await.page().html.contains("approvals-answered"));
    house.told("consent.decide", "granted").await;
    house.later(crate::elsewhere::INTERVAL);
    let token = town.poll(&agent, &paying).await.ok();
    assert_eq!(token.json["authorization_details"][0]["tools"], json!(["pay"]));

    // What could not do harm takes none, and neither does a no.
    house.later(11 * 60);
    let noting = ask("note").await;
    let page = town.question(&alice).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.approve(|_| {}).await.page().html.contains("approvals-answered"));
    town.poll(&agent, &noting).await.ok();
    let alice = house.signed_in("alice").await;
    house.later(9 * 60);
    let denied = ask("pay").await;
    let open = town.question(&alice).await;
    house.later(3 * 60);
    assert!(open.deny().await.page().html.contains("approvals-answered"));
    town.poll(&agent, &denied).await.refused("access_denied");

    // What a device asks is no smaller.
    let asked = async |tool: &str| {
        let params = [("scope", "openid"), ("authorization_details", &using(tool))];
        let asked = agent.post("/device_authorization", &params).await.ok();
        format!("/device?user_code={}", asked.text("user_code"))
    };
    let paying = asked("pay").await;
    let sent = alice.page(&paying).await;
    assert!(sent.path.starts_with("/sign-in?next="), "{}", sent.path);
    let back = sent.sign_in("alice", &password_of("alice")).await.page();
    assert!(back.status == 200 && back.text().contains("High risk"), "{}", back.text());
    house.later(11 * 60);
    assert_eq!(alice.page(&asked("note").await).await.status, 200);
}
