//! What an upstream may send back, and what must not be believed.

use serde_json::{Value, json};
use tests::{Database, on_both_databases};

use super::{World, has_no, param};

on_both_databases! { an_answer_counts_once }

async fn an_answer_counts_once(database: Database) {
    let world = World::on(database, "").await;
    let person = world.house.person();
    let sent = world.leave(&person).await;
    let back = world.back(&sent, &[]);
    assert_eq!(person.page(&back).await.path, "/account");
    let tokens = world.there.heard().iter().filter(|line| line.starts_with("POST /token")).count();
    let again = person.page(&back).await;
    assert_eq!(again.status, 400, "{}", again.text());
    world.house.told("user.sign_in", "access_denied").await;
    let asked = world.there.heard().iter().filter(|line| line.starts_with("POST /token")).count();
    assert_eq!(asked, tokens, "the code is not even tried");
}

#[tokio::test]
async fn two_at_once_with_one_answer_are_one_sign_in() {
    let world = World::open("").await;
    let person = world.house.person();
    let sent = world.leave(&person).await;
    let back = world.back(&sent, &[]);
    let (one, other) = tokio::join!(person.page(&back), person.page(&back));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    assert_eq!(world.count("user.sign_in").await, 1);
}

#[tokio::test]
async fn somebody_is_sent_with_state_nonce_and_pkce_and_each_is_another_every_time() {
    let world = World::open("").await;
    let person = world.house.person();
    let (first, second) = (world.leave(&person).await, world.leave(&person).await);
    for name in ["state", "nonce", "code_challenge"] {
        assert!(param(&first, name).len() >= 43, "{name}");
        assert_ne!(param(&first, name), param(&second, name), "{name}");
    }
    assert_eq!(param(&first, "code_challenge_method"), "S256");
    assert_eq!(param(&first, "response_type"), "code");
    assert_eq!(param(&first, "scope"), "openid email profile");
    assert_eq!(param(&first, "redirect_uri"), world.house.url("/federation/company/callback"));
    assert_eq!(param(&first, "ui_locales"), "en");
    for name in ["prompt", "max_age", "login_hint", "acr_values"] {
        has_no(&first, name);
    }
    assert_eq!(person.page(&world.back(&first, &[])).await.path, "/account");
    let heard = world.there.heard();
    let token = heard.iter().find(|line| line.starts_with("POST /token")).unwrap();
    assert!(token.contains("code_verifier=") && token.contains("grant_type=authorization_code"), "{token}");
}

#[tokio::test]
async fn an_answer_for_another_browser_another_state_or_another_upstream_is_none() {
    let world = World::open("").await;
    let (alice, mallory) = (world.house.person(), world.house.person());
    let sent = world.leave(&mallory).await;
    let back = world.back(&sent, &[]);
    alice.page("/sign-in").await;
    assert_eq!(alice.page(&back).await.status, 400, "the attacker's answer in somebody else's browser");
    let forged = back.replace(&param(&sent, "state"), &"x".repeat(43));
    assert_eq!(mallory.page(&forged).await.status, 400);
    assert_eq!(mallory.page(&back.replace("/company/", "/other/")).await.status, 404);
    assert_eq!(mallory.page("/federation/company/callback").await.status, 400);
    assert_eq!(mallory.page("/federation/company/callback?code=a&state=b&state=b").await.status, 400);
    assert_eq!(world.count("user.sign_in").await, 0);
    assert_eq!(mallory.page(&back).await.path, "/account", "the right one still counts");
}

#[tokio::test]
async fn it_is_too_late_after_a_quarter_of_an_hour() {
    let world = World::open("").await;
    let person = world.house.person();
    let sent = world.leave(&person).await;
    world.house.later(15 * 60);
    assert_eq!(person.page(&world.back(&sent, &[])).await.status, 400);
}

#[tokio::test]
async fn another_servers_answer_is_told_by_its_iss() {
    let world = World::open("").await;
    let person = world.house.person();
    let sent = world.leave(&person).await;
    let elsewhere = world.back(&sent, &[("iss", "https://other.example")]);
    assert_eq!(person.page(&elsewhere).await.status, 400);
    let issuer = world.there.issuer.clone();
    let sent = world.leave(&person).await;
    assert_eq!(person.page(&world.back(&sent, &[("iss", &issuer)])).await.path, "/account");

    // Where it promises to name itself, a missing name is a wrong one.
    let world = World::open("").await;
    world.there.say(|says| says.names_itself = true);
    world.refused().await;
    let person = world.house.person();
    let (sent, issuer) = (world.leave(&person).await, world.there.issuer.clone());
    assert_eq!(person.page(&world.back(&sent, &[("iss", &issuer)])).await.path, "/account");
}

#[tokio::test]
async fn an_id_token_that_does_not_hold_signs_nobody_in() {
    let world = World::open("").await;
    let now = world.house.door().now().0;
    let wrong: [(&str, Value); 9] = [
        ("iss", json!("https://other.example")),
        ("aud", json!("another-client")),
        ("aud", json!(["web", "another-client"])),
        ("azp", json!("another-client")),
        ("exp", json!(now - 61)),
        ("iat", json!(now - 3600)),
        ("iat", json!(now + 3600)),
        ("sub", json!("")),
        ("at_hash", json!("bm90IHRoaXMgb25lIGF0IA")),
    ];
    for (name, value) in wrong {
        let right = world.there.issuer.clone();
        world.there.claim(name, value.clone());
        let page = world.refused().await;
        assert_eq!(page.status, 502, "{name} = {value}: {}", page.text());
        world.house.told("user.sign_in", "access_denied").await;
        for (name, value) in [
            ("iss", json!(right)),
            ("aud", json!("web")),
            ("azp", Value::Null),
            ("exp", json!(now + 300)),
            ("iat", json!(now)),
            ("sub", json!("zoe")),
            ("at_hash", Value::Null),
        ] {
            world.there.claim(name, value);
        }
    }
    world.signed_in().await;
}

#[tokio::test]
async fn a_wrong_nonce_and_none_at_all_are_refused() {
    let world = World::open("").await;
    for nonce in [json!("another"), Value::Null] {
        let person = world.house.person();
        let sent = world.leave(&person).await;
        let back = world.back(&sent, &[]);
        world.there.claim("nonce", nonce);
        assert_eq!(person.page(&back).await.status, 502);
    }
}

#[tokio::test]
async fn an_id_token_without_a_fitting_signature_is_refused() {
    let world = World::open("").await;
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256", "kid": "first" }),
        json!({ "alg": "RS256", "kid": "first" }),
        json!({ "alg": "ES256", "kid": "unknown" }),
        json!({ "alg": "ES256", "kid": "first", "crit": ["x"] }),
        json!({ "alg": "ES256", "kid": "first", "typ": "at+jwt" }),
    ] {
        world.there.say(|says| says.header = header.clone());
        assert_eq!(world.refused().await.status, 502, "{header}");
    }
}

#[tokio::test]
async fn new_keys_of_the_upstream_are_fetched_when_they_are_first_seen() {
    let world = World::open("").await;
    world.signed_in().await;
    world.house.later(30);
    world.there.change_key("second");
    world.signed_in().await;
}

#[tokio::test]
async fn userinfo_counts_only_if_it_is_about_the_same_user() {
    let world = World::open("").await;
    world.there.say(|says| says.userinfo = Some(json!({ "sub": "somebody else", "name": "Z" })));
    assert_eq!(world.refused().await.status, 502);
    let told = json!({ "sub": "zoe", "name": "ignored", "given_name": "Zoe" });
    world.there.say(|says| says.userinfo = Some(told));
    world.signed_in().await;
    let zoe = world.user("zoe").await;
    assert_eq!(zoe.claims["given_name"], "Zoe");
    assert_eq!(zoe.name, "zoe at the company", "the ID token counts before it");
}

#[tokio::test]
async fn the_upstreams_no_is_a_page_that_offers_to_try_again_or_otherwise() {
    let world = World::open("").await;
    let person = world.house.person();
    let page = world.house.ask(&world.house.client("shop")).scope("orders:read").brought_by(&person).await;
    let sent = super::leave(page.page()).await;
    let said = [("error", "access_denied"), ("error_description", "<b>no</b>")];
    let page = person.page(&world.back_with(&sent, &said, &[])).await;
    assert_eq!(page.status, 403);
    assert!(page.text().contains("The Company did not sign you in"), "{}", page.text());
    assert!(!page.html.contains("<b>no</b>"), "the upstream's words are not shown");
    let otherwise = page.link("upstream-otherwise");
    assert!(person.page(&otherwise).await.text().contains("The shop"), "the request still waits");
    let again = super::leave(page).await;
    assert_ne!(param(&again, "state"), param(&sent, "state"));
    world.house.told("user.sign_in", "access_denied").await;
}

#[tokio::test]
async fn an_upstream_that_is_away_is_a_page_at_once_the_second_time() {
    let world = World::open("").await;
    world.there.say(|says| says.hangs = true);
    let ask = |person: tests::Person| async move {
        let form = person.page("/sign-in").await;
        let fields = tests::Form::all(&form.html)
            .into_iter()
            .find(|f| !f.buttons.is_empty() && f.buttons[0].0 == "upstream");
        form.submit(&fields.unwrap(), Some(("upstream", "company"))).await.page()
    };
    let begun = std::time::Instant::now();
    let page = ask(world.house.person()).await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("The Company does not answer"), "{}", page.text());
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "bounded");
    let heard = world.there.heard().len();
    assert_eq!(ask(world.house.person()).await.status, 503);
    assert_eq!(world.there.heard().len(), heard, "nobody is made to wait again");
    world.house.signed_in("alice").await;

    // It is asked again after a pause.
    world.there.say(|says| says.hangs = false);
    world.house.later(16);
    let now = world.house.door().now().0;
    for (name, value) in [("iat", now), ("exp", now + 300), ("auth_time", now)] {
        world.there.claim(name, value.into());
    }
    world.signed_in().await;
}

#[tokio::test]
async fn a_token_endpoint_that_refuses_or_fails_signs_nobody_in() {
    let world = World::open("").await;
    for status in [400, 401] {
        world.there.say(|says| says.token_status = status);
        assert_eq!(world.refused().await.status, 502, "{status}");
    }
}

#[tokio::test]
async fn an_upstream_that_goes_away_on_the_way_back_is_away_and_not_untrue() {
    let world = World::open("").await;
    let told = json!({ "sub": "zoe" });
    world.there.say(|says| says.userinfo = Some(told));
    for place in ["/token", "/userinfo", "/jwks"] {
        for status in [500, 503, 429, 0] {
            let person = world.house.person();
            let sent = world.leave(&person).await;
            let back = world.back(&sent, &[]);
            if place == "/jwks" {
                // A new key has to be looked for, and what was asked a moment ago is not asked again.
                world.house.later(11);
                world.there.change_key(&format!("key-{status}"));
            }
            world.there.say(|says| says.out_of_order = vec![(place, status)]);
            let page = person.page(&back).await;
            assert_eq!(page.status, 503, "{place} {status}: {}", page.text());
            assert!(page.text().contains("The Company does not answer"), "{}", page.text());
            let event = world.house.told("user.sign_in", "access_denied").await;
            let reason = event["reason"].as_str().unwrap();
            assert!(reason.ends_with("the upstream does not answer"), "{reason}");
            assert!(person.page("/account").await.path.starts_with("/sign-in"), "nobody is signed in");
            world.there.say(|says| says.out_of_order.clear());
            // After a failure it is not asked about itself at once.
            world.house.later(16);
        }
    }
    world.signed_in().await;
}

#[tokio::test]
async fn an_upstream_that_says_it_cannot_now_is_away_and_one_that_says_no_has_spoken() {
    let world = World::open("").await;
    for (error, status) in [
        ("temporarily_unavailable", 503),
        ("server_error", 503),
        ("access_denied", 403),
        ("login_required", 403),
    ] {
        let person = world.house.person();
        let sent = world.leave(&person).await;
        let page = person.page(&world.back_with(&sent, &[("error", error)], &[])).await;
        assert_eq!(page.status, status, "{error}: {}", page.text());
    }
}

#[tokio::test]
async fn what_an_application_asks_of_the_login_goes_along_to_the_upstream_of_an_address() {
    let world = World::open("email_domains = [\"company.example\"]\nacr = { theirs = \"phr\" }\n").await;
    let shop = world.house.client("shop");
    let ask = world.house.ask(&shop).scope("orders:read").with("login_hint", "zoe@company.example");
    for (name, value, sent_as) in
        [("prompt", "login", "login"), ("max_age", "100", "100"), ("acr_values", "phr other", "theirs other")]
    {
        let person = world.house.person();
        let page = ask.clone().with(name, value).brought_by(&person).await.page();
        // The address stands there already: to go on is enough.
        let form = page.form_to("/sign-in");
        assert_eq!(form.value("username"), "zoe@company.example");
        let leaving = page.submit(&form, None).await.page();
        let sent: url::Url = leaving.link("leaving-go").parse().unwrap();
        assert_eq!(param(&sent, "login_hint"), "zoe@company.example");
        assert_eq!(param(&sent, name), sent_as);
    }
}

#[tokio::test]
async fn this_server_proves_itself_by_an_assertion_of_its_own_key_where_it_is_to() {
    for (lines, at_token_endpoint) in [("", false), ("assertion_audience = \"token_endpoint\"\n", true)] {
        let now = server::clock::Clock::now(&server::clock::SystemClock);
        let there = tests::FakeProvider::open("web", "zoe", now).await;
        let config = super::upstream(&there.issuer, lines)
            .replace("client_secret = \"the secret of web\"", "authentication = \"private_key_jwt\"");
        let house = tests::House::open_with(&config).await;
        let world = World { house, there };
        world.signed_in().await;
        world.signed_in().await;
        let heard = world.there.heard();
        let forms = heard.iter().filter(|line| line.starts_with("POST /token")).map(|line| {
            let body = line.split_once('\n').unwrap().1;
            url::form_urlencoded::parse(body.as_bytes()).into_owned().collect::<Vec<_>>()
        });
        let mut seen = std::collections::BTreeSet::new();
        for form in forms {
            let field =
                |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            assert_eq!(field("client_secret"), None);
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            assert_eq!(field("client_assertion_type").as_deref(), Some(kind));
            let assertion = field("client_assertion").expect("an assertion");
            let claims =
                world.house.app().keys.verify_own(&assertion, "JWT").expect("signed with a key of /jwks");
            assert_eq!(tests::unverified_header(&assertion)["alg"], "ES256");
            assert_eq!((&claims["iss"], &claims["sub"]), (&json!("web"), &json!("web")));
            let issuer = &world.there.issuer;
            let audience = if at_token_endpoint { format!("{issuer}/token") } else { issuer.clone() };
            assert_eq!(claims["aud"], json!(audience), "and nobody else");
            let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
            assert!((1..=300).contains(&life), "{life}");
            assert!(seen.insert(claims["jti"].as_str().unwrap().to_owned()), "each is another");
        }
        assert_eq!(seen.len(), 2);
    }
}

#[tokio::test]
async fn what_is_demanded_of_us_is_demanded_there_and_must_be_told() {
    let world = World::open("").await;
    let now = world.house.door().now().0;
    let ask = || world.house.ask(&world.house.client("shop")).scope("orders:read");
    for (name, value, params) in [
        ("prompt", "login", &[("prompt", "login"), ("max_age", "0")][..]),
        ("max_age", "100", &[("max_age", "100")]),
    ] {
        for (auth_time, fresh) in [(json!(now), true), (json!(now - 200), false), (Value::Null, false)] {
            let person = world.house.person();
            let ask =
                ask().with(name, value).with("login_hint", "zoe@elsewhere.example").with("ui_locales", "de");
            let sent = super::leave(ask.brought_by(&person).await.page()).await;
            for (name, value) in params {
                assert_eq!(param(&sent, name), *value);
            }
            assert_eq!(param(&sent, "login_hint"), "zoe@elsewhere.example");
            assert_eq!(param(&sent, "ui_locales"), "de");
            world.there.claim("auth_time", auth_time.clone());
            let page = person.page(&world.back(&sent, &[])).await;
            assert_eq!(page.path.starts_with("/consent"), fresh, "{name}, {auth_time}: {}", page.text());
            assert_eq!(page.status, if fresh { 200 } else { 403 });
        }
    }
}
