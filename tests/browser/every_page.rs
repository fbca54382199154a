//! What holds for every page, seen through the browser.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use serde_json::json;
use tests::browser::{Person, Setup};
use tests::password_of;

use crate::stage::{Stage, play_at, refund};

/// What is wrong with a page, in words.
pub type Found<'a> = Pin<Box<dyn Future<Output = Vec<String>> + Send + 'a>>;
/// Looks at the page that a person has open.
type Look = for<'a> fn(&'a Person, &'a str) -> Found<'a>;

/// Every page in every state that looks different, one after the other.
struct Tour {
    stage: Arc<Stage>,
    look: Look,
    language: &'static str,
    found: Vec<String>,
}

impl Tour {
    async fn of(stage: Arc<Stage>, look: Look, language: &'static str) -> Vec<String> {
        let mut tour = Self { stage, look, language, found: Vec::new() };
        let person = tour.stage.person_with(Setup { language, ..Setup::default() }).await;
        tour.outside(&person).await;
        tour.asked(&person).await;
        tour.account(&person).await;
        tour.security(&person).await;
        tour.admin(&person).await;
        tour.found
    }

    async fn stop(&mut self, person: &Person, name: &str, id: &str) {
        person.see(id).await;
        let found = (self.look)(person, &format!("{name}.{}", self.language)).await;
        self.found.extend(found.into_iter().map(|what| format!("{name} ({}): {what}", self.language)));
    }

    async fn outside(&mut self, person: &Person) {
        let house = self.stage.house.door().clone();
        person.goto(&house.url("/")).await;
        self.stop(person, "home", "home").await;
        person.goto(&house.url("/authorize?client_id=nobody")).await;
        self.stop(person, "error", "error-page").await;
        let notice = self.stage.house.notices.iter().find(|notice| notice.username == "carol").unwrap();
        let link = notice.link.reveal().to_owned();
        person.goto(&link).await;
        self.stop(person, "set-password", "set-password-form").await;
        person.write("set-password", "four words in a row").await;
        person.write("set-password-again", "four words in a queue").await;
        person.click("set-password-submit").await;
        self.stop(person, "set-password-refused", "error-summary").await;
        person.goto(&house.url("/sign-in")).await;
        person.write("login-username", "alice").await;
        person.write("login-password", "not the password").await;
        person.click("login-submit").await;
        self.stop(person, "sign-in-refused", "error-summary").await;
    }

    async fn asked(&mut self, person: &Person) {
        let stage = Arc::clone(&self.stage);
        person.goto(&stage.asks_for_agent().await).await;
        self.stop(person, "sign-in", "login-form").await;
        stage.sign_in(person, "alice").await;
        self.stop(person, "consent", "consent-form").await;
        person.click("consent-approve").await;
        person.see("back").await;
        person.goto(&stage.asks("order-book", &[("scope", "openid"), ("prompt", "select_account")])).await;
        self.stop(person, "select-account", "select-account-form").await;
        let details = refund().to_string();
        let asked = [("authorization_details", details.as_str())];
        person.goto(&stage.pushes(&stage.refund_agent, &asked).await).await;
        self.stop(person, "consent-agent", "consent-form").await;
        person.goto(&stage.asks("order-book", &[("scope", "openid profile orders:read")])).await;
        self.stop(person, "consent-application", "consent-form").await;
        person.eval("document.querySelectorAll('[name=scope]').forEach(entry => entry.remove())").await;
        person.click("consent-approve").await;
        self.stop(person, "consent-refused", "error-summary").await;
        stage.application.answer().await;
    }

    async fn account(&mut self, person: &Person) {
        let stage = Arc::clone(&self.stage);
        let agent = stage.house.client("agent-a");
        let token = stage.house.delegated_token(&agent, "orders:read orders:write").await;
        let handed = [("audience", "agent-b"), ("scope", "orders:read"), ("resource", tests::ORDERS)];
        let handed = agent.exchange(token.access_token(), &handed).await.ok();
        let given = [("scope", "orders:read"), ("resource", tests::ORDERS)];
        stage.house.client("agent-b").exchange(handed.access_token(), &given).await.ok();
        person.goto(&stage.house.url("/account")).await;
        self.stop(person, "account", "consents").await;
        let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
        let part = serde_json::json!({
            "parent": token.claims()["task"]["id"], "actor": "agent-b", "scope": "orders:read", "purpose": "Look up"
        });
        agent.call_with("POST", "/tasks", own.access_token(), &[], Some(&part)).await.ok();
        person.goto(&stage.house.url("/account")).await;
        self.stop(person, "account-tasks", "consents").await;
        person.eval("document.querySelector('.task-steps a').click()").await;
        self.stop(person, "account-task", "task-form").await;
        person.click("task-confirm").await;
        self.stop(person, "account-task-stepped", "task-stepped").await;
        for _ in 0..2 {
            person.eval("document.querySelector('.consent form').submit()").await;
            person.see("consent-ended").await;
        }
        person.eval("document.querySelector('#ended-consents').open = true").await;
        self.stop(person, "account-ended", "ended-consents").await;
        self.elsewhere(person).await;
        person.click("sign-out").await;
        self.stop(person, "sign-out", "logout-form").await;
        person.click("logout-confirm").await;
        self.stop(person, "signed-out", "logged-out").await;
    }

    /// Bob, who sets up an app and a passkey (at least its page), changes his password and forgets it.
    async fn security(&mut self, person: &Person) {
        let house = self.stage.house.door().clone();
        person.goto(&house.url("/sign-in")).await;
        self.stage.sign_in(person, "bob").await;
        person.see("no-consents").await;
        person.goto(&house.url("/account/security/password")).await;
        self.stop(person, "change-password", "change-password-form").await;
        person.goto(&house.url("/account/security/passkey")).await;
        self.stop(person, "add-passkey", "add-passkey-form").await;
        person.goto(&house.url("/account/security/totp")).await;
        self.stop(person, "add-totp", "add-totp-form").await;
        let secret = person.see("totp-secret").await.text().await.unwrap();
        person.write("totp-code", &tests::code_at(&secret, house.now())).await;
        person.click("add-totp-submit").await;
        self.stop(person, "recovery-codes", "recovery-codes").await;
        person.goto(&house.url("/account/security")).await;
        self.stop(person, "security", "security").await;
        person.click("sign-out").await;
        person.click("logout-confirm").await;
        person.see("logged-out").await;
        self.stage.sign_in(person, "bob").await;
        person.see("second-factor").await;
        person.eval("document.querySelector('#recovery').open = true").await;
        self.stop(person, "second-factor", "second-factor").await;
        person.write("second-factor-code", "000000").await;
        person.click("second-factor-submit").await;
        self.stop(person, "second-factor-refused", "error-summary").await;
        self.stage.house.later(60);
        person.write("second-factor-code", &tests::code_at(&secret, house.now())).await;
        person.click("second-factor-submit").await;
        person.see("no-consents").await;
        person.goto(&house.url("/account/security")).await;
        person.click("remove-totp").await;
        self.stop(person, "security-said", "security-said").await;
        person.click("sign-out").await;
        person.click("logout-confirm").await;
        person.see("logged-out").await;
        person.goto(&house.url("/forgot-password")).await;
        self.stop(person, "forgot", "forgot-form").await;
        person.write("forgot-email", "nobody@people.example").await;
        person.click("forgot-submit").await;
        self.stop(person, "forgot-sent", "forgot-sent").await;
    }

    /// Alice is signed in; a television and an agent ask her from elsewhere.
    async fn elsewhere(&mut self, person: &Person) {
        let stage = Arc::clone(&self.stage);
        person.goto(&stage.house.url("/device")).await;
        self.stop(person, "device", "device-form").await;
        person.write("user-code", "BBBB-BBBB").await;
        person.click("device-submit").await;
        self.stop(person, "device-refused", "error-summary").await;
        let tv = tests::Client::new(stage.house.door(), "television", tests::Authentication::None);
        let asked = tv.post("/device_authorization", &[("scope", "openid orders:read")]).await.ok();
        person.goto(&stage.house.url("/device")).await;
        person.write("user-code", &asked.text("user_code").to_lowercase()).await;
        person.click("device-submit").await;
        self.stop(person, "device-consent", "device-code").await;
        person.click("device-approve").await;
        self.stop(person, "device-answered", "device-answered").await;

        person.goto(&stage.house.url("/approvals")).await;
        self.stop(person, "approvals-empty", "no-approvals").await;
        let secret = tests::Authentication::Basic("the secret of the till".into());
        let till = tests::Client::new(stage.house.door(), "till", secret);
        let details = refund().to_string();
        let asks = [
            ("scope", "openid orders:read"),
            ("login_hint", "alice"),
            ("binding_message", "Order 4711"),
            ("authorization_details", details.as_str()),
        ];
        for _ in 0..2 {
            till.post("/backchannel/authorize", &asks).await.ok();
        }
        person.goto(&stage.house.url("/account")).await;
        self.stop(person, "account-approvals", "approvals-waiting").await;
        person.goto(&stage.house.url("/approvals")).await;
        self.stop(person, "approvals", "approvals").await;
        person.eval("document.querySelector('#approvals a').click()").await;
        self.stop(person, "approvals-question", "binding-message").await;
        person.click("ciba-deny").await;
        self.stop(person, "approvals-answered", "approvals-answered").await;
        person.eval("document.querySelector('#approvals a').click()").await;
        person.see("binding-message").await;
        person.click("ciba-approve").await;
        person.see("approvals-answered").await;
        person.write("approvals-code", "1").await;
        person.click("approvals-code-submit").await;
        self.stop(person, "approvals-code-refused", "error-summary").await;
        self.approval(person).await;
    }

    /// An agent needs alice's approval; the page was open for too long, and then it was not.
    async fn approval(&mut self, person: &Person) {
        let stage = Arc::clone(&self.stage);
        stage.agent_needs_approval().await;
        person.goto(&stage.house.url("/approvals")).await;
        person.eval("document.querySelector('#approvals a').click()").await;
        self.stop(person, "approval", "approval-form").await;
        person.eval("document.querySelector('[name=csrf]').value = 'another'").await;
        person.click("approval-approve").await;
        self.stop(person, "approval-too-old", "error-summary").await;
        person.click("approval-approve").await;
        person.see("approvals-answered").await;
    }

    /// The admin looks at one consent and one task, and ends one token.
    async fn one_thing(&mut self, person: &Person) {
        let house = self.stage.house.door().clone();
        let agent = self.stage.house.client("agent-a");
        agent.own_token("orders:read", tests::ORDERS).await.ok();
        person.goto(&house.url("/admin/clients/agent-a")).await;
        self.stop(person, "admin-client-holds", "held-tokens").await;
        person.goto(&house.url("/admin")).await;
        person.eval("document.querySelector('#admin-consents tbody .acts a').click()").await;
        self.stop(person, "admin-consent", "held-tokens").await;
        person.eval("document.querySelector('#admin-consent-tasks .task-line > a').click()").await;
        self.stop(person, "admin-task", "held-tokens").await;
        person.eval("document.querySelector('#held-tokens tbody td a').click()").await;
        self.stop(person, "admin-ending-token", "ending-form").await;
        person.click("ending-confirm").await;
        self.stop(person, "admin-ended-token", "ended-lines").await;
    }

    async fn admin(&mut self, person: &Person) {
        let house = self.stage.house.door().clone();
        let agent = self.stage.house.client("agent-a");
        self.stage.house.delegated_token(&agent, "orders:read").await;
        agent.exchange("no token", &[("scope", "orders:read")]).await;
        person.goto(&house.url("/sign-in")).await;
        person.write("login-username", "admin").await;
        person.write("login-password", &password_of("admin")).await;
        person.click("login-submit").await;
        self.stop(person, "account-empty", "no-consents").await;
        person.goto(&house.url("/admin")).await;
        self.stop(person, "admin", "admin-events").await;
        person.goto(&house.url("/admin/details-types")).await;
        self.stop(person, "admin-details-types", "admin-details-types").await;
        person.goto(&house.url("/admin/details-types/mcp_tool")).await;
        self.stop(person, "admin-details-type", "details-example").await;
        person.goto(&house.url("/admin/clients")).await;
        self.stop(person, "admin-clients", "admin-clients").await;
        person.goto(&house.url("/admin/clients/agent-a")).await;
        self.stop(person, "admin-client", "admin-client").await;
        self.one_thing(person).await;
        person.goto(&house.url("/admin/clients/agent-a")).await;
        person.click("ending-suspend").await;
        self.stop(person, "admin-ending", "ending-form").await;
        person.click("ending-confirm").await;
        self.stop(person, "admin-ended", "ended-lines").await;
        person.goto(&house.url("/admin")).await;
        person.eval("document.querySelector('#admin-users form').submit()").await;
        self.stop(person, "reset-link", "reset-link").await;
    }
}

fn narrow<'a>(person: &'a Person, _: &'a str) -> Found<'a> {
    Box::pin(async move {
        person.be_wide(320).await;
        let wide = person.eval("document.documentElement.scrollWidth").await;
        let out = "[...document.querySelectorAll('main *, header *')].filter(e => !e.closest('.scroll, .visually-hidden')) \
             .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 90))";
        let out = person.eval(out).await;
        person.be_wide(1000).await;
        let mut found = Vec::new();
        if wide.as_i64() > Some(320) {
            found.push(format!("is {wide} pixels wide"));
        }
        found.extend(out.as_array().into_iter().flatten().map(|element| format!("sticks out: {element}")));
        found
    })
}

#[tokio::test]
async fn no_page_scrolls_sideways_at_320_pixels() {
    play_at("localhost", |stage| async move {
        // The language with the longer words.
        let found = Tour::of(stage, narrow, "de").await;
        assert!(found.is_empty(), "{found:#?}");
    })
    .await;
}

fn focus<'a>(person: &'a Person, _: &'a str) -> Found<'a> {
    Box::pin(async move {
        let mut found = Vec::new();
        person.eval("document.activeElement.blur()").await;
        let reachable = person.eval("document.querySelectorAll('a[href], button, input:not([type=hidden]):not([tabindex]):not(:disabled), select, summary').length").await;
        for _ in 0..reachable.as_u64().unwrap() {
            person.press(thirtyfour::Key::Tab).await;
            let seen = person
                .eval(
                    "(() => { const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect(); \
                     return [`${e.outerHTML.slice(0, 90)} at ${[b.left, b.top, b.width, b.height].map(Math.round)}, ${s.outlineStyle} ${s.outlineWidth}`, e === document.body || s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 \
                     && b.width > 4 && b.height > 4 && (b.top >= 0 || b.height > innerHeight && b.bottom > 0) && b.left >= 0]; })()",
                )
                .await;
            if seen[1] != true {
                found.push(format!("the focus cannot be seen on {}", seen[0]));
            }
        }
        found
    })
}

#[tokio::test]
async fn the_focus_can_be_seen_wherever_it_is() {
    play_at("localhost", |stage| async move {
        let found = Tour::of(stage, focus, "en").await;
        assert!(found.is_empty(), "{found:#?}");
    })
    .await;
}

fn headings<'a>(person: &'a Person, _: &'a str) -> Found<'a> {
    Box::pin(async move {
        let levels = person
            .eval("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => Number(h.tagName[1]))")
            .await;
        let levels: Vec<_> =
            levels.as_array().unwrap().iter().filter_map(serde_json::Value::as_u64).collect();
        let orderly = levels.first() == Some(&1)
            && levels.iter().filter(|level| **level == 1).count() == 1
            && levels.windows(2).all(|pair| pair[1] <= pair[0] + 1);
        let unnamed = "[...document.querySelectorAll('input:not([type=hidden]), select')] \
            .filter(e => !e.closest('[aria-hidden]') && !e.ariaHidden && !(e.labels[0]?.textContent.trim())).map(e => e.outerHTML)";
        let unnamed = person.eval(unnamed).await;
        let mut found: Vec<_> =
            unnamed.as_array().unwrap().iter().map(|field| format!("has no label: {field}")).collect();
        if !orderly {
            found.push(format!("headings of levels {levels:?}"));
        }
        found
    })
}

#[tokio::test]
async fn headings_go_down_one_step_at_a_time_and_every_field_has_a_label() {
    play_at("localhost", |stage| async move {
        let found = Tour::of(stage, headings, "en").await;
        assert!(found.is_empty(), "{found:#?}");
    })
    .await;
}

pub fn axe_source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/node_modules/axe-core/axe.min.js")
}

pub fn axe<'a>(person: &'a Person, _: &'a str) -> Found<'a> {
    Box::pin(async move {
        // Our policy allows no script; axe is one.
        person.cdp("Page.setBypassCSP", json!({ "enabled": true })).await;
        let source = std::fs::read_to_string(axe_source()).unwrap();
        let mut found = Vec::new();
        for scheme in ["light", "dark"] {
            person.prefer(scheme).await;
            // Colours on their way from one scheme to the other are nobody's choice.
            person.eval("void document.getAnimations().forEach(a => a.finish())").await;
            let run = json!({
                "expression": format!("{source};axe.run(document, {{ resultTypes: ['violations'] }}).then(r => JSON.stringify(r.violations \
                    .filter(v => v.impact === 'serious' || v.impact === 'critical') \
                    .map(v => v.id + ': ' + v.nodes.map(n => n.html + ' ' + (n.any[0]?.message ?? '')).join(' | '))))"),
                "awaitPromise": true,
                "returnByValue": true,
            });
            let told = person.cdp("Runtime.evaluate", run).await;
            let told: Vec<String> =
                serde_json::from_str(told["result"]["value"].as_str().unwrap_or_else(|| panic!("{told}")))
                    .unwrap();
            found.extend(told.into_iter().map(|violation| format!("in {scheme}: {violation}")));
        }
        person.prefer("light").await;
        found
    })
}

#[tokio::test]
async fn axe_finds_nothing_serious_on_any_page_in_light_and_in_dark() {
    if !axe_source().exists() {
        let how = "there is no axe-core; run npm ci --prefix tests/browser";
        return tests::browser::skip("axe_finds_nothing_serious_on_any_page_in_light_and_in_dark", how);
    }
    play_at("localhost", |stage| async move {
        let somebody = stage.person().await;
        somebody
            .goto("data:text/html,<html lang=en><title>t</title><main><h1 style='color:%23bbb'>pale</h1>")
            .await;
        let pale = axe(&somebody, "").await;
        assert!(
            pale.iter().any(|found| found.contains("color-contrast")),
            "axe sees what is wrong: {pale:?}"
        );

        let found = Tour::of(stage, axe, "en").await;
        assert!(found.is_empty(), "{found:#?}");
    })
    .await;
}

pub fn pictures<'a>(person: &'a Person, name: &'a str) -> Found<'a> {
    Box::pin(async move {
        let folder = PathBuf::from(std::env::var_os("PROCURA_TEST_PICTURES").unwrap());
        for (scheme, width) in [("light", 1000), ("dark", 1000), ("light", 390), ("dark", 320)] {
            person.prefer(scheme).await;
            person.be_wide(width).await;
            std::fs::write(folder.join(format!("{name}.{width}.{scheme}.png")), person.picture().await)
                .unwrap();
        }
        person.prefer("light").await;
        person.be_wide(1000).await;
        Vec::new()
    })
}

/// Leaves a picture of every page in the folder `PROCURA_TEST_PICTURES`.
#[tokio::test]
#[ignore = "for eyes, not for the machine: set PROCURA_TEST_PICTURES to a folder"]
async fn every_page_can_be_looked_at() {
    play_at("localhost", |stage| async move {
        for language in ["en", "de"] {
            Tour::of(Arc::clone(&stage), pictures, language).await;
        }
    })
    .await;
}
