//! The account page: what was allowed, and the button that ends it.

use thirtyfour::By;

use crate::stage::play;

#[tokio::test]
async fn the_account_page_ends_a_consent_by_its_button_and_then_lists_it_as_ended() {
    play(|stage| async move {
        let agent = stage.house.client("agent-a");
        let token = stage.house.delegated_token(&agent, "orders:read").await.access_token().to_owned();
        let alice = stage.signed_in("alice").await;
        let consents = alice.see("consents").await.text().await.unwrap();
        for there in ["agent-a the agent", "asked through The shop", "See your orders", "live token"] {
            assert!(consents.contains(there), "{there}: {consents}");
        }
        alice.driver.find(By::Css(".consent .button.end")).await.unwrap().click().await.unwrap();

        let ended = alice.see("consent-ended").await.text().await.unwrap();
        for words in
            ["Ended: agent-a the agent can do nothing for you any more.", "1 consent", "1 task", "It took"]
        {
            assert!(ended.contains(words), "{words}: {ended}");
        }
        alice.see("no-consents").await;
        alice.driver.find(By::Css("#ended-consents summary")).await.unwrap().click().await.unwrap();
        let list = alice.see("ended-consents").await.text().await.unwrap();
        assert!(list.contains("agent-a the agent") && list.contains("Ended"), "{list}");
        stage.house.told("consent.end", "granted").await;
        assert!(!stage.house.is_active(&token).await);

        alice.driver.refresh().await.unwrap();
        alice.see("no-consents").await;
        assert!(!alice.has("consent-ended").await, "it is told once");
    })
    .await;
}

#[tokio::test]
async fn nobody_sees_or_ends_what_somebody_else_allowed() {
    play(|stage| async move {
        let agent = stage.house.client("agent-a");
        stage.house.token_for(&agent, "orders:read").await;
        let bob = stage.signed_in("bob").await;
        bob.see("no-consents").await;
        let consent = stage.consents("alice").await.remove(0);

        let csrf = {
            bob.goto(&stage.house.url("/logout")).await;
            bob.eval("document.querySelector('[name=csrf]').value").await
        };
        let form = format!(
            "(() => {{ const f = document.querySelector('form'); f.action = '/account/consents/end'; \
             f.insertAdjacentHTML('beforeend', '<input name=consent value={}>'); f.submit(); }})()",
            consent.id
        );
        assert!(csrf.is_string());
        bob.eval(&form).await;
        bob.see("error-page").await;
        assert_eq!(bob.heading().await, "There is no such page");
        assert!(stage.consents("alice").await[0].is_live(stage.house.door().now()));
    })
    .await;
}

#[tokio::test]
async fn a_task_rests_and_goes_on_by_the_links_of_the_account_page_and_a_question() {
    play(|stage| async move {
        let agent = stage.house.client("agent-a");
        let token = stage.house.delegated_token(&agent, "orders:read").await;
        let task = token.claims()["task"]["id"].as_str().unwrap().to_owned();
        let alice = stage.signed_in("alice").await;
        let step = async |alice: &tests::browser::Person, operation: &str| {
            let link = format!("a[href='/account/tasks/{task}/{operation}']");
            alice.driver.find(By::Css(&link)).await.unwrap().click().await.unwrap();
            alice.see("task-form").await;
        };
        step(&alice, "suspend").await;
        assert_eq!(alice.heading().await, "Suspend this task?");
        alice.click("task-cancel").await;
        alice.see("consents").await;
        assert!(stage.house.is_active(token.access_token()).await, "nothing was done yet");
        step(&alice, "suspend").await;
        alice.click("task-confirm").await;
        let told = alice.see("task-stepped").await.text().await.unwrap();
        assert!(told.starts_with("Suspended: agent-a the agent"), "{told}");
        let shown = alice.see(&task).await.text().await.unwrap();
        assert!(shown.contains("Suspended") && shown.contains("Resume"), "{shown}");
        assert!(!stage.house.is_active(token.access_token()).await);
        step(&alice, "resume").await;
        alice.click("task-confirm").await;
        alice.see("task-stepped").await;
        assert!(stage.house.is_active(token.access_token()).await);
        step(&alice, "revoke").await;
        alice.click("task-confirm").await;
        let told = alice.see("task-stepped").await.text().await.unwrap();
        assert!(told.contains("1 task") && told.contains("It took"), "{told}");
        assert!(!stage.house.is_active(token.access_token()).await);
        stage.house.told("task.revoke", "granted").await;
    })
    .await;
}
