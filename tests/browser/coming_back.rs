//! The way back to an application that wants the answer posted, and the choice of an account.

use tests::browser::Setup;

use crate::stage::play;

#[tokio::test]
async fn an_answer_is_posted_by_itself_where_scripts_run() {
    play(|stage| async move {
        let alice = stage.person().await;
        alice.goto(&stage.asks("order-book", &[("scope", "openid"), ("response_mode", "form_post")])).await;
        stage.sign_in(&alice, "alice").await;
        alice.click("consent-approve").await;
        let answer = stage.application.answer().await;
        assert_eq!(answer["state"], "the state & more");
        assert!(answer.contains_key("code") && answer.contains_key("iss"), "{answer:?}");
        alice.see("back").await;
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_posted_by_a_button_where_they_do_not() {
    play(|stage| async move {
        let alice = stage.person_with(Setup { scripts: false, ..Setup::default() }).await;
        alice.goto(&stage.asks("order-book", &[("scope", "openid"), ("response_mode", "form_post")])).await;
        alice.click("login-cancel").await;
        alice.click("form-post-continue").await;
        let answer = stage.application.answer().await;
        assert_eq!(
            (answer["error"].as_str(), answer["state"].as_str()),
            ("access_denied", "the state & more")
        );
    })
    .await;
}

#[tokio::test]
async fn a_person_goes_on_as_who_they_are_or_as_somebody_else() {
    play(|stage| async move {
        let alice = stage.signed_in("alice").await;
        let asks = || stage.asks("order-book", &[("scope", "openid"), ("prompt", "select_account")]);
        alice.goto(&asks()).await;
        let who = alice.see("select-account-who").await.text().await.unwrap();
        assert!(who.contains("alice"), "{who}");
        alice.click("select-account-continue").await;
        alice.click("consent-approve").await;
        assert!(stage.application.answer().await.contains_key("code"));
        alice.goto(&asks()).await;
        alice.click("select-account-other").await;
        alice.see("login-form").await;
        alice.goto(&asks()).await;
        alice.click("select-account-cancel").await;
        assert_eq!(stage.application.answer().await["error"], "access_denied");
    })
    .await;
}
