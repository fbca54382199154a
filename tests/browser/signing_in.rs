//! Signing in and out, and setting a password.

use thirtyfour::By;

use crate::stage::play;

#[tokio::test]
async fn a_wrong_password_says_one_thing_and_keeps_the_username() {
    play(|stage| async move {
        let alice = stage.person().await;
        alice.goto(&stage.asks_for_agent().await).await;
        assert_eq!(
            alice.see("login-client-name").await.text().await.unwrap(),
            "to continue to Shop Assistant"
        );
        for username in ["alice", "nobody-at-all"] {
            // Anew, so that no error of the page before is taken for this one's.
            alice.goto(&stage.asks_for_agent().await).await;
            alice.write("login-username", username).await;
            alice.write("login-password", "not the password").await;
            alice.click("login-submit").await;
            let words = alice.see("error-summary-words").await.text().await.unwrap();
            assert_eq!(words, "The username or the password is wrong.", "{username}");
            let kept = alice.see("login-username").await.value().await.unwrap();
            assert_eq!(kept.as_deref(), Some(username));
            assert_eq!(alice.see("login-password").await.value().await.unwrap().as_deref(), Some(""));
            assert_eq!(alice.focused().await, "login-password");
            stage.house.told("user.sign_in", "access_denied").await;
        }
        stage.sign_in(&alice, "alice").await;
        alice.see("consent-form").await;
    })
    .await;
}

#[tokio::test]
async fn cancelling_at_sign_in_tells_the_client_access_denied() {
    play(|stage| async move {
        let alice = stage.person().await;
        alice.goto(&stage.asks_for_agent().await).await;
        alice.click("login-cancel").await;
        let answer = stage.application.answer().await;
        assert_eq!(answer["error"], "access_denied");
        assert_eq!(answer["state"], "the state & more");
    })
    .await;
}

#[tokio::test]
async fn whoever_is_signed_in_is_not_asked_to_sign_in_again() {
    play(|stage| async move {
        let alice = stage.signed_in("alice").await;
        alice.see("no-consents").await;
        alice.goto(&stage.asks_for_agent().await).await;
        alice.see("consent-form").await;
        alice.goto(&stage.asks("shop-assistant", &[("scope", "orders:read"), ("prompt", "login")])).await;
        alice.see("login-form").await;
    })
    .await;
}

#[tokio::test]
async fn the_cookie_is_bound_to_this_host_and_out_of_reach_of_scripts() {
    play(|stage| async move {
        let alice = stage.signed_in("alice").await;
        alice.see("no-consents").await;
        let cookies = alice.driver.get_all_cookies().await.unwrap();
        let mut names: Vec<_> = cookies.iter().map(|cookie| cookie.name.as_str()).collect();
        names.sort_unstable();
        // The state is for scripts to compare, and good for nothing else.
        const STATE: &str = "__Host-procura-state";
        assert_eq!(names, ["__Host-procura", "__Host-procura-browser", STATE]);
        let readable = alice.eval("document.cookie").await;
        assert!(readable.as_str().unwrap().starts_with(&format!("{STATE}=")), "{readable}");
        assert!(!readable.as_str().unwrap().contains(';'), "{readable}");
        let told = alice.cdp("Network.getCookies", serde_json::json!({})).await;
        for cookie in told["cookies"].as_array().unwrap() {
            let hidden = (cookie["name"] != STATE).into();
            assert_eq!((&cookie["httpOnly"], &cookie["secure"]), (&hidden, &true.into()), "{cookie}");
        }
    })
    .await;
}

#[tokio::test]
async fn signing_out_asks_first_and_then_nobody_is_signed_in() {
    play(|stage| async move {
        let alice = stage.signed_in("alice").await;
        alice.click("sign-out").await;
        alice.click("logout-cancel").await;
        alice.see("no-consents").await;
        alice.click("sign-out").await;
        alice.click("logout-confirm").await;
        alice.see("logged-out").await;
        stage.house.told("user.sign_out", "granted").await;

        alice.goto(&stage.house.url("/account")).await;
        alice.see("login-form").await;
        assert!(!alice.has("sign-out").await);
    })
    .await;
}

#[tokio::test]
async fn a_one_time_link_sets_a_password_once() {
    play(|stage| async move {
        let notice = stage.house.notices.iter().find(|notice| notice.username == "carol").unwrap();
        let link = notice.link.reveal().to_owned();
        let carol = stage.person().await;
        carol.goto(&link).await;
        carol.write("set-password", "four words in a row").await;
        carol.write("set-password-again", "four words in a queue").await;
        carol.click("set-password-submit").await;
        let words = carol.see("error-summary-words").await.text().await.unwrap();
        assert_eq!(words, "The two passwords are not the same.");

        carol.write("set-password", "four words in a row").await;
        carol.write("set-password-again", "four words in a row").await;
        carol.click("set-password-submit").await;
        carol.see("no-consents").await;

        carol.goto(&link).await;
        carol.see("error-page").await;
        assert_eq!(carol.heading().await, "This link no longer works");
        assert!(carol.driver.find_all(By::Css("input[type=password]")).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn whoever_wants_a_page_that_needs_an_admin_must_be_one() {
    play(|stage| async move {
        let alice = stage.signed_in("alice").await;
        alice.see("no-consents").await;
        alice.goto(&stage.house.url("/admin")).await;
        assert_eq!(alice.heading().await, "This page is not for your account");
    })
    .await;
}
