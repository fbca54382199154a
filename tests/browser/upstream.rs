//! Signing in at an upstream, as people see it: the button, the typed address, the way there and back, the account's
//! links, and an upstream that is away.

use tests::browser::Setup;
use tests::{Database, FakeProvider, House};

use crate::every_page::{axe, axe_source, pictures};
use crate::stage::play;

async fn world() -> (House, FakeProvider) {
    let now = server::clock::Clock::now(&server::clock::SystemClock);
    let there = FakeProvider::open("procura", "zoe", now).await;
    let upstream = format!(
        "[outbound]\npermitted_addresses = [\"127.0.0.1/32\"]\ntimeout = \"1s\"\n\n[[upstreams]]\nid = \"company\"\n\
         issuer = \"{}\"\nclient_id = \"procura\"\nclient_secret = \"a secret\"\n\
         name = {{ en = \"The Company\", de = \"Die Firma\" }}\nemail_domains = [\"company.example\"]\n",
        there.issuer
    );
    (House::on_with(Database::Sqlite, &upstream).await, there)
}

#[tokio::test]
async fn a_button_and_a_typed_address_lead_there_and_back_without_a_script_too() {
    play(|stage| async move {
        let (house, _there) = world().await;
        for scripts in [true, false] {
            let zoe = stage.person_with(Setup { scripts, ..Setup::default() }).await;
            zoe.goto(&house.url("/sign-in")).await;
            let button = zoe.see("upstream-company").await;
            assert_eq!(button.text().await.unwrap(), "Continue with The Company");
            zoe.click("upstream-company").await;
            zoe.wait_for_url(&house.url("/account")).await;
            zoe.goto(&house.url("/logout")).await;
            zoe.click("logout-confirm").await;
            zoe.see("logged-out").await;

            zoe.goto(&house.url("/sign-in")).await;
            zoe.write("login-username", "somebody@company.example").await;
            zoe.press(thirtyfour::Key::Enter).await;
            zoe.wait_for_url(&house.url("/account")).await;
        }
    })
    .await;
}

#[tokio::test]
async fn enter_signs_in_here_and_not_there() {
    play(|stage| async move {
        let (house, there) = world().await;
        let alice = stage.person().await;
        alice.goto(&house.url("/sign-in")).await;
        alice.write("login-username", "alice").await;
        alice.write("login-password", &tests::password_of("alice")).await;
        alice.press(thirtyfour::Key::Enter).await;
        alice.wait_for_url(&house.url("/account")).await;
        assert!(there.heard().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_pages_around_an_upstream_are_fit_for_everybody() {
    play(|stage| async move {
        let (house, there) = world().await;
        let mut found = Vec::new();
        for language in ["en", "de"] {
            let alice = stage.person_with(Setup { language, ..Setup::default() }).await;
            let look = async |name: &str| {
                let mut found = Vec::new();
                if axe_source().exists() {
                    found = axe(&alice, name).await;
                } else {
                    tests::browser::skip(name, "there is no axe-core; run npm ci --prefix tests/browser");
                }
                if std::env::var_os("PROCURA_TEST_PICTURES").is_some() {
                    pictures(&alice, &format!("{name}.{language}")).await;
                }
                found.into_iter().map(|what| format!("{name} ({language}): {what}")).collect::<Vec<_>>()
            };
            alice.goto(&house.url("/sign-in")).await;
            alice.see("upstream-company").await;
            found.extend(look("sign-in-upstream").await);
            alice.write("login-username", "alice").await;
            alice.write("login-password", &tests::password_of("alice")).await;
            alice.click("login-submit").await;
            alice.wait_for_url(&house.url("/account")).await;
            alice.goto(&house.url("/account/connections")).await;
            if language == "en" {
                alice.see("no-connections").await;
                found.extend(look("connections-none").await);
                alice.click("link-company").await;
                alice.see("connection-added").await;
            }
            alice.see("connections").await;
            found.extend(look("connections").await);
            alice.goto(&house.url("/federation/company/callback?code=x&state=y")).await;
            alice.see("upstream-trouble").await;
            found.extend(look("upstream-not-asked").await);
        }
        there.say(|says| says.hangs = true);
        house.later(120);
        let zoe = stage.person().await;
        zoe.goto(&house.url("/sign-in")).await;
        zoe.click("upstream-company").await;
        zoe.see("upstream-trouble").await;
        assert_eq!(zoe.heading().await, "The Company does not answer");
        zoe.click("upstream-otherwise").await;
        zoe.see("login-form").await;
        assert!(found.is_empty(), "{found:#?}");
    })
    .await;
}
