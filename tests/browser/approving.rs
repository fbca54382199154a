//! The user answers, and the client gets exactly that.

use protocol::consent::{Consent, PassingOn};
use tests::browser::Person;
use thirtyfour::By;

use crate::stage::{Application, Stage, VERIFIER, play, refund};

async fn only_consent(stage: &Stage) -> Consent {
    let mut consents = stage.consents("alice").await;
    assert_eq!(consents.len(), 1, "{consents:?}");
    consents.remove(0)
}

async fn untick(person: &Person, name: &str, value: &str) {
    let entry = By::Css(format!("input[name={name}][value='{value}']"));
    let entry = person.driver.find(entry).await.unwrap();
    entry.click().await.unwrap();
    assert!(!entry.is_selected().await.unwrap());
}

#[tokio::test]
async fn a_user_approves_and_the_client_gets_a_code_with_state_and_iss() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        alice.click("consent-approve").await;

        let answer = stage.application.answer().await;
        assert_eq!(answer["state"], "the state & more");
        assert_eq!(answer["iss"], stage.house.issuer());
        assert_eq!(answer.len(), 4, "code, state, iss and session_state: {answer:?}");
        alice.see("back").await;
        let consent = only_consent(&stage).await;
        assert_eq!((consent.actor.as_str(), consent.client.as_str()), ("refund-agent", "shop-assistant"));
        assert_eq!(consent.authority.scope.to_string(), "offline_access openid orders:read orders:write");
        assert_eq!(serde_json::to_value(&consent.authority.details).unwrap(), refund());
        assert_ne!(consent.passing_on, PassingOn::No);
        let told = stage.house.told("consent.decide", "granted").await;
        assert_eq!(told["actor"], "refund-agent");

        let client = tests::Client::new(stage.house.door(), "shop-assistant", tests::Authentication::None);
        let code = [
            ("grant_type", "authorization_code"),
            ("code", &answer["code"]),
            ("code_verifier", VERIFIER),
            ("redirect_uri", &stage.application.redirect_uri),
        ];
        client.token(&code).await.ok();
    })
    .await;
}

#[tokio::test]
async fn the_page_says_who_asks_for_whom_and_the_task_once() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        assert_eq!(
            alice.heading().await,
            "Shop Assistant wants to let the AI agent Refund Agent act for you"
        );
        let page = alice.text().await;
        assert!(page.contains("Bob Brandt answers for it."), "{page}");
        for once in
            ["which arrived broken", "TICKET-2081", "has the money back", "No letters", "Do this: refund"]
        {
            assert_eq!(page.matches(once).count(), 1, "{once}: {page}");
        }
        for there in ["At most 50", "In EUR", "find_order, add_note", "See your orders", "Change your orders"]
        {
            assert!(page.contains(there), "{there}: {page}");
        }
        assert!(!page.contains('{') && !page.contains("agent_task"), "nothing raw: {page}");
    })
    .await;
}

#[tokio::test]
async fn what_a_user_strikes_is_not_in_the_consent() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        untick(&alice, "scope", "orders:write").await;
        untick(&alice, "detail", "1").await;
        untick(&alice, "passing_on", "yes").await;
        untick(&alice, "offline_access", "yes").await;
        alice.click("consent-approve").await;

        assert!(stage.application.answer().await.contains_key("code"));
        let consent = only_consent(&stage).await;
        assert_eq!(consent.authority.scope.to_string(), "openid orders:read");
        assert_eq!(serde_json::to_value(&consent.authority.details).unwrap()[0], refund()[0]);
        assert_eq!(consent.authority.details.iter().count(), 1);
        assert_eq!((consent.passing_on, consent.offline_access), (PassingOn::No, false));
    })
    .await;
}

#[tokio::test]
async fn a_user_shortens_the_time() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        let quarter = alice.driver.find(By::Css("#consent-until option[value='900']")).await.unwrap();
        assert_eq!(quarter.text().await.unwrap(), "15 minutes");
        quarter.click().await.unwrap();
        alice.click("consent-approve").await;

        stage.application.answer().await;
        let consent = only_consent(&stage).await;
        assert_eq!(consent.authority.until.since(consent.created_at).0, 900);
    })
    .await;
}

#[tokio::test]
async fn where_nothing_is_left_ticked_the_page_asks_again() {
    play(|stage| async move {
        let alice = stage.person().await;
        alice.goto(&stage.asks("order-book", &[("scope", "orders:read")])).await;
        stage.sign_in(&alice, "alice").await;
        alice.see("consent-form").await;
        untick(&alice, "scope", "orders:read").await;
        alice.click("consent-approve").await;

        let words = alice.see("error-summary-words").await.text().await.unwrap();
        assert_eq!(words, "Nothing is left to allow. Tick at least one entry, or deny.");
        assert!(stage.application.heard_nothing().await);
        assert!(stage.consents("alice").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_user_denies_and_the_client_is_told_access_denied() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        alice.click("consent-deny").await;

        let answer = stage.application.answer().await;
        assert_eq!(answer["error"], "access_denied");
        assert_eq!(
            (answer["state"].as_str(), answer["iss"].as_str()),
            ("the state & more", stage.house.issuer())
        );
        assert!(!answer.contains_key("code"));
        assert!(stage.consents("alice").await.is_empty());
        stage.house.told("consent.decide", "access_denied").await;
    })
    .await;
}

#[tokio::test]
async fn the_back_button_after_approving_says_that_it_was_answered_and_gives_no_second_code() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        let page = alice.url().await;
        alice.click("consent-approve").await;
        stage.application.answer().await;
        alice.see("back").await;

        alice.driver.back().await.unwrap();
        alice.see("error-page").await;
        assert_eq!(alice.url().await, page);
        let words = alice.text().await;
        assert!(words.contains("You have answered it already"), "{words}");
        assert!(!alice.has("consent-approve").await);
        assert!(stage.application.heard_nothing().await);
        assert_eq!(stage.consents("alice").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_page_in_two_tabs_is_answered_once() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        let page = alice.url().await;
        let first = alice.driver.window().await.unwrap();
        let second = alice.driver.new_tab().await.unwrap();
        alice.driver.switch_to_window(second).await.unwrap();
        alice.goto(&page).await;
        alice.see("consent-form").await;

        alice.driver.switch_to_window(first).await.unwrap();
        alice.click("consent-approve").await;
        assert!(stage.application.answer().await.contains_key("code"));

        let tabs = alice.driver.windows().await.unwrap();
        alice.driver.switch_to_window(tabs[1].clone()).await.unwrap();
        alice.click("consent-approve").await;
        alice.see("error-page").await;
        assert!(stage.application.heard_nothing().await);
        assert_eq!(stage.consents("alice").await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_agent_asks_for_itself() {
    play(|stage| async move {
        let alice = stage.person().await;
        let details = refund().to_string();
        let asked = [("scope", "orders:read"), ("authorization_details", details.as_str())];
        alice.goto(&stage.pushes(&stage.refund_agent, &asked).await).await;
        stage.sign_in(&alice, "alice").await;
        alice.see("consent-form").await;
        assert_eq!(alice.heading().await, "Refund Agent, an AI agent, wants to act for you");
        alice.click("consent-approve").await;

        assert!(stage.application.answer().await.contains_key("code"));
        let consent = only_consent(&stage).await;
        assert_eq!((consent.actor.as_str(), consent.client.as_str()), ("refund-agent", "refund-agent"));
    })
    .await;
}

#[tokio::test]
async fn an_application_that_waits_on_ipv6_gets_its_answer_too() {
    let Ok(application) = Application::open("::1").await else {
        return tests::browser::skip(
            "an_application_that_waits_on_ipv6_gets_its_answer_too",
            "there is no IPv6",
        );
    };
    play(|stage| async move {
        let alice = stage.person().await;
        alice.goto(&stage.asks_from(&application, "shop-assistant", &[("scope", "orders:read")])).await;
        stage.sign_in(&alice, "alice").await;
        alice.click("consent-approve").await;
        assert!(application.answer().await.contains_key("code"));
    })
    .await;
}

#[tokio::test]
async fn a_person_approves_an_action_by_keyboard_and_the_agent_gets_exactly_that() {
    play(|stage| async move {
        let (agent, asked) = stage.agent_needs_approval().await;
        let alice = stage.signed_in("alice").await;
        alice.goto(&stage.house.url("/approvals")).await;
        alice.eval("document.querySelector('#approvals a').click()").await;
        alice.see("approval-form").await;
        assert_eq!(
            alice.heading().await,
            "agent-c the agent wants to do this for you, and needs your approval"
        );
        let page = alice.text().await;
        for there in
            ["Do this: refund", "High risk", "which arrived broken", "Change your orders", "it lapses"]
        {
            assert!(page.contains(there), "{there}: {page}");
        }
        assert!(!page.contains('{') && !page.contains("agent_task"), "nothing raw: {page}");
        alice.eval("document.querySelector('#approval-approve').focus()").await;
        alice.driver.find(By::Css("#approval-approve")).await.unwrap().send_keys("\u{e007}").await.unwrap();
        alice.see("approvals-answered").await;
        let poll = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:deferred"),
            ("deferral_code", asked.text("deferral_code")),
        ];
        let token = agent.token(&poll).await.ok();
        assert_eq!(token.json["authorization_details"][0], refund()[0]);
        agent.token(&poll).await.refused("invalid_grant");
    })
    .await;
}
