//! Signing out, and watching a session, in a real browser.

use std::time::Duration;

use tests::browser::{Person, Setup};

use crate::stage::{Application, Stage, VERIFIER, play};

/// Alice signs in to an application; her browser is at the application then. Its `session_state` and ID token.
async fn signed_in_to(stage: &Stage, person: &Person, client: &str) -> (String, String) {
    person.goto(&stage.asks(client, &[("scope", "openid")])).await;
    stage.sign_in(person, "alice").await;
    person.click("consent-approve").await;
    person.see("back").await;
    let answer = stage.application.answer().await;
    let params = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", &*answer["code"]),
        ("code_verifier", VERIFIER),
        ("redirect_uri", &*stage.application.redirect_uri),
    ];
    let redeemed = stage.house.send(stage.house.request("POST", "/token").form(&params)).await.ok();
    (answer["session_state"].clone(), redeemed.text("id_token").to_owned())
}

/// What the frame answers to a message of the page that the person has open.
async fn asked(stage: &Stage, person: &Person, message: &str) -> String {
    let script = "
        const [source, message, done] = arguments;
        let frame = document.querySelector('iframe');
        const ask = () => frame.contentWindow.postMessage(message, new URL(source).origin);
        window.addEventListener('message', event => {
            if (event.source === frame.contentWindow) done(event.origin + ' ' + event.data);
        }, { once: true });
        if (frame) { ask(); } else {
            frame = document.createElement('iframe');
            frame.addEventListener('load', ask);
            frame.src = source;
            document.body.append(frame);
        }";
    let arguments = vec![stage.house.url("/check-session").into(), message.into()];
    let answer = person.driver.execute_async(script, arguments).await.unwrap();
    let answer = answer.json().as_str().unwrap().to_owned();
    let (origin, word) = answer.split_once(' ').unwrap();
    assert_eq!(origin, stage.house.issuer());
    word.to_owned()
}

#[tokio::test]
async fn a_page_sees_whether_its_session_is_still_the_same() {
    play(|stage| async move {
        let alice = stage.person().await;
        let (state, _) = signed_in_to(&stage, &alice, "order-book").await;
        let known = format!("order-book {state}");
        assert_eq!(asked(&stage, &alice, &known).await, "unchanged");
        assert_eq!(asked(&stage, &alice, &known).await, "unchanged");
        assert_eq!(asked(&stage, &alice, &format!("diary {state}")).await, "changed");
        assert_eq!(asked(&stage, &alice, &format!("order-book {}.x", "0".repeat(64))).await, "changed");
        for malformed in ["", "order-book", "order-book x", &format!("{known} x"), &known.to_uppercase()] {
            assert_eq!(asked(&stage, &alice, malformed).await, "error", "{malformed}");
        }
        // Another site that got hold of it learns nothing by it.
        let other = Application::open("127.0.0.1").await.unwrap();
        let here = alice.url().await;
        alice.goto(&other.redirect_uri).await;
        assert_eq!(asked(&stage, &alice, &known).await, "changed");

        alice.goto(&stage.house.url("/logout")).await;
        alice.click("logout-confirm").await;
        alice.see("logged-out").await;
        alice.goto(&here).await;
        assert_eq!(asked(&stage, &alice, &known).await, "changed");
    })
    .await;
}

#[tokio::test]
async fn the_state_of_nobody_is_unchanged_until_somebody_signs_in() {
    play(|stage| async move {
        let person = stage.person().await;
        person.goto(&stage.asks("order-book", &[("scope", "openid"), ("prompt", "none")])).await;
        person.see("back").await;
        let answer = stage.application.answer().await;
        assert_eq!(answer["error"], "login_required");
        let known = format!("order-book {}", answer["session_state"]);
        assert_eq!(asked(&stage, &person, &known).await, "unchanged");
        let here = person.url().await;
        stage.sign_in(&person, "alice").await;
        person.see("no-consents").await;
        person.goto(&here).await;
        assert_eq!(asked(&stage, &person, &known).await, "changed");
    })
    .await;
}

/// Signs out as the Diary wants it, and looks at what reached the Diary: first the frame, then the person.
async fn signs_out(scripts: bool) {
    play(move |stage| async move {
        let alice = stage.person_with(Setup { scripts, ..Setup::default() }).await;
        let (_, id_token) = signed_in_to(&stage, &alice, "diary").await;
        let back = &stage.application.redirect_uri;
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("id_token_hint", &id_token)
            .append_pair("post_logout_redirect_uri", back)
            .append_pair("state", "until then")
            .finish();
        alice.goto(&stage.house.url(&format!("/logout?{query}"))).await;
        let framed = stage.application.answer().await;
        assert_eq!(framed["iss"], stage.house.issuer());
        assert_eq!(framed["sid"], tests::unverified_claims(&id_token)["sid"]);
        let returned = tokio::time::timeout(Duration::from_secs(9), stage.application.answer()).await;
        assert_eq!(returned.unwrap()["state"], "until then");
        alice.wait_for_url(&format!("{back}?state=until+then")).await;
        alice.goto(&stage.house.url("/account")).await;
        alice.see("login-form").await;
    })
    .await;
}

#[tokio::test]
async fn the_applications_page_is_loaded_in_a_frame_and_then_the_browser_goes_back() {
    signs_out(true).await;
}

#[tokio::test]
async fn without_scripts_too() {
    signs_out(false).await;
}
