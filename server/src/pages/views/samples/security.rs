//! What one signs in with, and where one is signed in.

use askama::Template as _;

use super::super::*;
use super::{NOW, Samples, Theirs};

/// The pages about signing in, with all that they can say.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    let mut samples = Vec::new();
    let page = Page::new(language);
    let alice = Page::for_user(language, t.s("Alice Example"), false);
    let second = SecondFactorPage {
        page: page.clone(),
        csrf: t.s("csrf-1"),
        interaction: t.s("i_1"),
        next: t.s("/admin"),
        username: t.s("alice"),
        passkey: t.some(r#"{"challenge":"x"}"#),
        code: true,
        refused: None,
    };
    samples.push(("second-factor", second.render()));
    for (name, refused) in [
        ("second-factor-wrong", SecondFactorRefused::WrongCode),
        ("second-factor-recovery-wrong", SecondFactorRefused::WrongRecoveryCode),
        ("second-factor-passkey", SecondFactorRefused::Passkey),
        ("second-factor-too-many", SecondFactorRefused::TooManyAttempts),
        ("second-factor-too-old", SecondFactorRefused::FormTooOld),
    ] {
        let passkey = None;
        samples.push((name, SecondFactorPage { refused: Some(refused), passkey, ..second.clone() }.render()));
    }
    let row = |id: &str, name: &str, used| PasskeyRow { id: t.s(id), name: t.s(name), added: NOW, used };
    let session = |browser: &str, system: Option<String>, current| SessionRow {
        id: t.s("ses_1"),
        browser: Some(browser.to_owned()),
        system,
        network: Some("203.0.113.*".into()),
        since: NOW,
        current,
    };
    let whole = SecurityPage {
        page: alice.clone(),
        csrf: t.s("csrf-1"),
        said: None,
        has_password: true,
        passkeys: Some(vec![row("k1", "My phone", Some(NOW)), row("k2", "The yellow key", None)]),
        totp: Some(NOW),
        recovery_codes: Some(9),
        connections: true,
        sessions: vec![
            session("Firefox", Some("Linux".into()), true),
            session("Safari", None, false),
            SessionRow { browser: None, ..session("", None, false) },
        ],
    };
    samples.push(("security", whole.render()));
    samples.push(("security-no-passkeys", SecurityPage { passkeys: None, ..whole.clone() }.render()));
    for said in Said::ALL {
        let bare = SecurityPage {
            said: Some(said),
            has_password: false,
            passkeys: Some(Vec::new()),
            totp: None,
            recovery_codes: Some(0),
            connections: false,
            sessions: Vec::new(),
            ..whole.clone()
        };
        samples.push((said.key(), bare.render()));
    }
    let options = t.s(r#"{"challenge":"x"}"#);
    for (name, refused) in [
        ("add-passkey", None),
        ("add-passkey-refused", Some(PasskeyRefused::Refused)),
        ("add-passkey-too-many", Some(PasskeyRefused::TooMany)),
        ("add-passkey-too-old", Some(PasskeyRefused::FormTooOld)),
    ] {
        let (page, csrf, options) = (alice.clone(), t.s("csrf-1"), options.clone());
        samples.push((name, AddPasskeyPage { page, csrf, options, refused }.render()));
    }
    for (name, refused) in [
        ("add-totp", None),
        ("add-totp-wrong", Some(TotpRefused::WrongCode)),
        ("add-totp-too-old", Some(TotpRefused::FormTooOld)),
    ] {
        let square = Square::of("otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQ").unwrap();
        let (page, csrf, secret) = (alice.clone(), t.s("csrf-1"), t.s("GEZDGNBVGY3TQOJQ"));
        samples.push((name, AddTotpPage { page, csrf, secret, square, refused }.render()));
    }
    let codes = vec![t.s("01AB-CDEF-GHJK-MNPQ"), t.s("2345-6789-ABCD-EFGH")];
    let issuer = t.s("https://as.example");
    samples.push(("recovery-codes", RecoveryCodesPage { page: alice.clone(), issuer, codes }.render()));
    for (name, refused) in [
        ("change-password", None),
        ("change-password-old", Some(ChangeRefused::Old)),
        ("change-password-too-many", Some(ChangeRefused::TooManyAttempts)),
        ("change-password-short", Some(ChangeRefused::New(PasswordRefused::TooShort))),
        ("change-password-other", Some(ChangeRefused::New(PasswordRefused::NotTheSame))),
    ] {
        let (page, csrf, username) = (alice.clone(), t.s("csrf-1"), t.s("alice"));
        samples.push((name, ChangePasswordPage { page, csrf, username, shortest: 12, refused }.render()));
    }
    for (name, sent, too_old) in
        [("forgot", false, false), ("forgot-too-old", false, true), ("forgot-sent", true, false)]
    {
        samples.push((
            name,
            ForgotPasswordPage { page: alice.clone(), csrf: t.s("csrf-1"), sent, too_old }.render(),
        ));
    }
    let (username, link) = (t.s("alice"), t.s("https://as.example/set-password?link=x"));
    samples.push(("reset-link", ResetLinkPage { page: alice, username, link }.render()));
    samples
}
