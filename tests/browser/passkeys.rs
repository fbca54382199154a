//! Passkeys, apps and sessions in a real browser, with an authenticator that the browser itself pretends to have.

use serde_json::{Value, json};
use tests::browser::{Person, Setup};
use tests::{code_at, password_of};
use thirtyfour::By;

use crate::stage::play_at;

/// Gives the browser a device that keeps passkeys and finds its user by itself.
async fn plug_in(person: &Person) -> String {
    person.cdp("WebAuthn.enable", json!({ "enableUI": false })).await;
    let options = json!({ "options": {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": true,
        "hasUserVerification": true,
        "isUserVerified": true,
        "automaticPresenceSimulation": true,
    }});
    let added = person.cdp("WebAuthn.addVirtualAuthenticator", options).await;
    added["authenticatorId"].as_str().unwrap().to_owned()
}

async fn passkeys_on(person: &Person, device: &str) -> Vec<Value> {
    let told = person.cdp("WebAuthn.getCredentials", json!({ "authenticatorId": device })).await;
    told["credentials"].as_array().unwrap().clone()
}

/// Whether the device's user is there and lets itself be verified.
async fn verifies(person: &Person, device: &str, does: bool) {
    let set = json!({ "authenticatorId": device, "isUserVerified": does });
    person.cdp("WebAuthn.setUserVerified", set).await;
}

async fn present(person: &Person, device: &str, is: bool) {
    let set = json!({ "authenticatorId": device, "enabled": is });
    person.cdp("WebAuthn.setAutomaticPresenceSimulation", set).await;
}

#[tokio::test]
async fn a_passkey_is_made_and_then_signs_in_without_a_password() {
    play_at("localhost", |stage| async move {
        let alice = stage.person().await;
        let device = plug_in(&alice).await;
        stage.sign_in(&alice, "alice").await;
        alice.see("no-consents").await;
        alice.goto(&stage.house.url("/account/security")).await;
        alice.click("add-passkey").await;
        alice.write("passkey-name", "My laptop").await;
        alice.click("add-passkey-submit").await;
        alice.see("recovery-codes").await;
        assert_eq!(alice.driver.find_all(By::Css("#codes li")).await.unwrap().len(), 10);
        let made = passkeys_on(&alice, &device).await;
        assert_eq!((made.len(), &made[0]["rpId"]), (1, &json!("localhost")));
        assert_eq!(made[0]["isResidentCredential"], true, "it says itself whose it is");
        alice.click("recovery-codes-kept").await;
        let list = alice.see("passkeys").await.text().await.unwrap();
        assert!(list.contains("My laptop"), "{list}");

        alice.click("sign-out").await;
        alice.click("logout-confirm").await;
        alice.see("logged-out").await;
        // With the device away, the name field has nothing to offer, and the button is there.
        present(&alice, &device, false).await;
        alice.goto(&stage.asks("shop-assistant", &[("scope", "openid orders:read")])).await;
        alice.see("login-passkey").await;
        present(&alice, &device, true).await;
        if !alice.has("consent-form").await {
            alice.click("login-passkey").await;
        }
        alice.see("consent-form").await;
        let events = stage.house.events().await;
        let reasons: Vec<_> = events.iter().filter_map(|event| event.event.reason.as_deref()).collect();
        assert!(reasons.contains(&"pop user mfa"), "{reasons:?}");
        alice.click("consent-approve").await;
        assert!(stage.application.answer().await.contains_key("code"));
    })
    .await;
}

#[tokio::test]
async fn after_the_password_the_passkey_is_the_second_step_and_a_user_who_is_not_verified_stays_outside() {
    play_at("localhost", |stage| async move {
        let alice = stage.person().await;
        let device = plug_in(&alice).await;
        stage.sign_in(&alice, "alice").await;
        alice.goto(&stage.house.url("/account/security/passkey")).await;
        alice.click("add-passkey-submit").await;
        alice.see("recovery-codes").await;
        alice.goto(&stage.house.url("/logout")).await;
        alice.click("logout-confirm").await;
        alice.see("logged-out").await;

        verifies(&alice, &device, false).await;
        stage.sign_in(&alice, "alice").await;
        alice.click("second-factor-passkey").await;
        let complaint = alice.driver.find(By::Css("#second-factor-passkey-form .alert")).await.unwrap();
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
        while !complaint.is_displayed().await.unwrap() {
            assert!(tokio::time::Instant::now() < deadline, "the page says that nothing came of it");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        verifies(&alice, &device, true).await;
        alice.click("second-factor-passkey").await;
        alice.see("no-consents").await;
        stage.house.told("user.sign_in", "granted").await;
    })
    .await;
}

#[tokio::test]
async fn an_app_is_set_up_by_its_square_or_by_hand_and_its_code_is_asked_for() {
    play_at("127.0.0.1", |stage| async move {
        // Nothing of this needs a script.
        let alice = stage.person_with(Setup { scripts: false, ..Setup::default() }).await;
        stage.sign_in(&alice, "alice").await;
        alice.see("no-consents").await;
        alice.goto(&stage.house.url("/account/security")).await;
        alice.click("add-totp").await;
        let square = alice.see("totp-square").await.rect().await.unwrap();
        assert!(square.width > 150.0 && (square.width - square.height).abs() < 1.0, "{square:?}");
        let secret = alice.see("totp-secret").await.text().await.unwrap();
        alice.write("totp-code", "000000").await;
        alice.click("add-totp-submit").await;
        alice.see("error-summary").await;
        let now = stage.house.door().now();
        alice.write("totp-code", &code_at(&secret, now)).await;
        alice.click("add-totp-submit").await;
        alice.see("recovery-codes").await;
        let code = alice.driver.find(By::Css("#codes code")).await.unwrap().text().await.unwrap();
        alice.click("recovery-codes-kept").await;
        alice.see("totp-on").await;

        let elsewhere = stage.person().await;
        stage.house.later(60);
        stage.sign_in(&elsewhere, "alice").await;
        assert_eq!(elsewhere.focused().await, "second-factor-code", "one can type at once");
        elsewhere.write("second-factor-code", &code_at(&secret, stage.house.door().now())).await;
        elsewhere.click("second-factor-submit").await;
        elsewhere.see("no-consents").await;

        let third = stage.person_with(Setup { scripts: false, ..Setup::default() }).await;
        stage.sign_in(&third, "alice").await;
        third.driver.find(By::Css("#recovery summary")).await.unwrap().click().await.unwrap();
        third.write("recovery-code", &code.to_lowercase()).await;
        third.click("recovery-submit").await;
        third.see("no-consents").await;

        elsewhere.goto(&stage.house.url("/account/security")).await;
        let sessions = elsewhere.see("sessions").await.text().await.unwrap();
        assert!(sessions.contains("Chrome on Linux") && sessions.contains("This browser"), "{sessions}");
        assert_eq!(elsewhere.driver.find_all(By::Css("#sessions > li")).await.unwrap().len(), 3);
        elsewhere.click("end-other-sessions").await;
        elsewhere.see("security-said").await;
        assert_eq!(elsewhere.driver.find_all(By::Css("#sessions > li")).await.unwrap().len(), 1);
        alice.goto(&stage.house.url("/account")).await;
        alice.see("login-form").await;
    })
    .await;
}

#[tokio::test]
async fn a_password_is_changed_with_the_old_one() {
    play_at("127.0.0.1", |stage| async move {
        let alice = stage.signed_in("alice").await;
        alice.goto(&stage.house.url("/account/security")).await;
        alice.click("change-password").await;
        alice.write("old-password", "not the old one").await;
        alice.write("set-password", "four entirely new words").await;
        alice.write("set-password-again", "four entirely new words").await;
        alice.click("change-password-submit").await;
        let words = alice.see("error-summary-words").await.text().await.unwrap();
        assert_eq!(words, "The password until now is wrong.");
        alice.write("old-password", &password_of("alice")).await;
        alice.write("set-password", "four entirely new words").await;
        alice.write("set-password-again", "four entirely new words").await;
        alice.click("change-password-submit").await;
        alice.see("security-said").await;
        stage.house.told("user.set_password", "granted").await;
    })
    .await;
}
