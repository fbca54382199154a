//! Without scripts, without a mouse, and in another language.

use tests::browser::Setup;
use thirtyfour::Key;

use crate::stage::play;

#[tokio::test]
async fn everything_works_without_scripts() {
    play(|stage| async move {
        let alice = stage.person_with(Setup { scripts: false, ..Setup::default() }).await;
        alice.goto("data:text/html,<title>no</title><script>document.title='yes'</script>").await;
        assert_eq!(alice.driver.title().await.unwrap(), "no", "scripts are off");
        alice.goto(&stage.asks_for_agent().await).await;
        stage.sign_in(&alice, "alice").await;
        alice.click("consent-approve").await;
        assert!(stage.application.answer().await.contains_key("code"));

        alice.goto(&stage.house.url("/account")).await;
        alice.see("consents").await;
    })
    .await;
}

#[tokio::test]
async fn the_keyboard_alone_is_enough_to_sign_in_to_strike_and_to_approve() {
    play(|stage| async move {
        let alice = stage.person().await;
        alice.goto(&stage.asks_for_agent().await).await;
        alice.see("login-form").await;
        assert_eq!(alice.focused().await, "login-username", "one can type at once");
        alice.type_keys("alice").await;
        alice.press(Key::Tab).await;
        alice.type_keys(&tests::password_of("alice")).await;
        alice.press(Key::Enter).await;

        alice.see("consent-form").await;
        alice.tab_to("detail-1").await;
        alice.press(Key::Space).await;
        alice.tab_to("consent-approve").await;
        alice.press(Key::Enter).await;
        assert!(stage.application.answer().await.contains_key("code"));
        let consents = stage.consents("alice").await;
        assert_eq!(consents[0].authority.details.iter().count(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_enter_key_on_an_entry_denies_rather_than_allows() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        alice.tab_to("detail-0").await;
        alice.press(Key::Enter).await;
        assert_eq!(stage.application.answer().await["error"], "access_denied");
    })
    .await;
}

#[tokio::test]
async fn whoever_prefers_german_reads_german() {
    play(|stage| async move {
        let anna = stage.person_with(Setup { language: "de-AT,de,en", ..Setup::default() }).await;
        anna.goto(&stage.asks_for_agent().await).await;
        anna.see("login-form").await;
        assert_eq!(anna.heading().await, "Anmelden");
        stage.sign_in(&anna, "alice").await;
        anna.see("consent-form").await;
        assert_eq!(anna.eval("document.documentElement.lang").await, "de");
        assert_eq!(
            anna.heading().await,
            "Shop Assistant möchte den KI-Agenten Refund Agent für Sie handeln lassen"
        );
    })
    .await;
}
