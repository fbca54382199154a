//! Coming in and going out: what one sees before anybody is signed in, and after.

use askama::Template as _;

use super::super::*;
use super::consent::marks;
use super::federation::upstream;
use super::{Samples, Theirs};

/// Signing in and out, a new password, errors, and the home page.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    let mut samples = Samples::new();
    let mut add = |name, html| samples.push((name, html));
    let page = Page::new(language);
    let alice = Page::for_user(language, t.s("Alice Example"), false);

    let sign_in = SignInPage {
        page: page.clone(),
        csrf: t.s("csrf-1"),
        interaction: t.s("i_1"),
        next: t.s("/admin"),
        again: false,
        passkey: t.some(r#"{"challenge":"x"}"#),
        forgot: true,
        client_name: t.some("Shop Assistant"),
        marks: marks(t),
        username: t.s("alice"),
        upstreams: vec![upstream(t)],
        home_realms: true,
        refused: None,
    };
    let refused = |refused| SignInPage { refused: Some(refused), ..sign_in.clone() };
    add("sign-in", sign_in.render());
    add("sign-in-wrong", refused(SignInRefused::WrongUsernameOrPassword).render());
    add("sign-in-passkey-refused", refused(SignInRefused::Passkey).render());
    add("sign-in-again", SignInPage { again: true, client_name: None, ..sign_in.clone() }.render());
    add("sign-in-too-many", refused(SignInRefused::TooManyAttempts).render());
    add("sign-in-too-old", refused(SignInRefused::FormTooOld).render());
    add(
        "sign-in-plain",
        SignInPage {
            client_name: None,
            marks: ClientMarks::default(),
            username: String::new(),
            passkey: None,
            forgot: false,
            ..sign_in.clone()
        }
        .render(),
    );

    let select_account = |form_too_old| SelectAccountPage {
        page: alice.clone(),
        csrf: t.s("csrf-1"),
        interaction: t.s("i_1"),
        client_name: t.s("Shop Assistant"),
        user_name: t.s("Alice Example"),
        username: t.s("alice"),
        form_too_old,
    };
    add("select-account", select_account(false).render());
    add("select-account-too-old", select_account(true).render());
    let form_post = FormPostPage {
        page: page.clone(),
        action: t.s("https://shop.example/callback"),
        host: t.s("shop.example"),
        fields: vec![("code".into(), t.s("pac_1")), ("state".into(), t.s("xyz"))],
    };
    add("form-post", form_post.render());

    for what in WhatHappened::ALL {
        let code = t.some("invalid_request");
        let description = t.some("redirect_uri is not one of the registered ones");
        let error = ErrorPage { page: page.clone(), what, code, description, request_id: t.s("r_8Zp0q1") };
        add(what.key(), error.render());
    }
    let link_used = ErrorPage {
        page: page.clone(),
        what: WhatHappened::LinkUsed,
        code: None,
        description: None,
        request_id: "r_2".into(),
    };
    add("error-plain", link_used.render());

    let sign_out = SignOutPage {
        page: alice.clone(),
        csrf: t.s("csrf-1"),
        client_name: t.some("Shop Assistant"),
        carried: vec![(t.s("state"), t.s("xyz"))],
    };
    add("sign-out", sign_out.render());
    let signed_out = |to: Option<&str>, client_name| SignedOutPage {
        page: page.clone(),
        continue_to: to.map(|to| t.s(to)),
        client_name,
        frames: vec![],
        goes_on: false,
    };
    add("signed-out", signed_out(None, None).render());
    add(
        "signed-out-continue",
        signed_out(Some("https://shop.example/bye"), t.some("Shop Assistant")).render(),
    );
    let frames = SignedOutPage {
        frames: vec![
            t.s("https://shop.example/out?iss=x&sid=y"),
            t.s("https://books.example/out?iss=x&sid=y"),
        ],
        goes_on: true,
        ..signed_out(Some("https://shop.example/bye"), t.some("Shop Assistant"))
    };
    add("signed-out-frames", frames.render());
    add("signed-out-continue-plain", signed_out(Some("https://shop.example/bye"), None).render());

    let set_password = |refused| SetPasswordPage {
        page: page.clone(),
        csrf: t.s("csrf-1"),
        link: t.s("link-secret"),
        username: t.s("alice"),
        shortest: 12,
        refused,
    };
    add("set-password", set_password(None).render());
    for (name, refused) in [
        ("set-password-too-short", PasswordRefused::TooShort),
        ("set-password-too-long", PasswordRefused::TooLong),
        ("set-password-own-name", PasswordRefused::OwnName),
        ("set-password-common", PasswordRefused::Common),
        ("set-password-not-the-same", PasswordRefused::NotTheSame),
        ("set-password-too-old", PasswordRefused::FormTooOld),
    ] {
        add(name, set_password(Some(refused)).render());
    }

    let test_server = Page { test_server: true, ..page.clone() };
    add("home-test-server", HomePage { page: test_server, issuer: t.s("https://as.example") }.render());
    add("home", HomePage { page: alice, issuer: t.s("https://as.example") }.render());
    samples
}
