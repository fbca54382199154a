//! What must not be answered, and what the person is shown instead.

use crate::stage::play;

#[tokio::test]
async fn a_request_that_waited_too_long_waits_no_longer() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        stage.house.later(601);
        alice.click("consent-approve").await;

        alice.see("error-page").await;
        assert_eq!(alice.heading().await, "Nothing is waiting here any more");
        assert!(stage.application.heard_nothing().await);
        assert!(stage.consents("alice").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_form_with_a_tampered_token_is_asked_again_and_decides_nothing() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        alice.eval("document.querySelector('[name=csrf]').value = 'made up'").await;
        alice.click("consent-approve").await;

        let words = alice.see("error-summary-words").await.text().await.unwrap();
        assert!(words.contains("open for too long"), "{words}");
        assert!(stage.application.heard_nothing().await);
        assert!(stage.consents("alice").await.is_empty());

        alice.click("consent-approve").await;
        assert!(stage.application.answer().await.contains_key("code"), "sent once more, it is taken");
    })
    .await;
}

#[tokio::test]
async fn a_form_of_another_site_decides_nothing() {
    play(|stage| async move {
        let alice = stage.signed_in("alice").await;
        alice.see("no-consents").await;
        alice.goto(&stage.application.redirect_uri).await;
        stage.application.answer().await;
        let form = format!(
            "(() => {{ const f = document.createElement('form'); f.method = 'post'; f.action = '{}'; \
             document.body.append(f); f.submit(); }})()",
            stage.house.url("/logout")
        );
        alice.eval(&form).await;
        alice.see("logout-form").await;

        alice.goto(&stage.house.url("/account")).await;
        alice.see("no-consents").await;
    })
    .await;
}

#[tokio::test]
async fn another_browser_cannot_take_over_a_waiting_request() {
    play(|stage| async move {
        let alice = stage.alice_is_asked().await;
        let page = alice.url().await;
        let bob = stage.signed_in("bob").await;
        for path in [page.clone(), page.replace("/consent", "/sign-in")] {
            bob.goto(&path).await;
            bob.see("error-page").await;
            assert_eq!(bob.heading().await, "Nothing is waiting here any more");
        }
        alice.click("consent-approve").await;
        assert!(stage.application.answer().await.contains_key("code"), "alice's own browser still can");
        assert!(stage.consents("bob").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_request_with_a_foreign_return_address_stays_here() {
    play(|stage| async move {
        let alice = stage.person().await;
        let asked = stage.asks("shop-assistant", &[("scope", "orders:read")]);
        alice.goto(&asked.replace("callback", "elsewhere")).await;
        alice.see("error-page").await;
        assert_eq!(alice.heading().await, "This request cannot be trusted");
        assert!(alice.url().await.starts_with(stage.house.issuer()));
    })
    .await;
}
