//! What holds for every page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use askama::Template as _;

use super::samples::{self, Theirs};
use super::*;

const FRIENDLY: Theirs = Theirs { hostile: false };
const HOSTILE: Theirs = Theirs { hostile: true };

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn files(folder: &Path, extension: &str) -> Vec<(PathBuf, String)> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == extension));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The keys of a language, each with its place-holders.
fn messages(language: &str) -> BTreeSet<(String, BTreeSet<String>)> {
    let mut all = BTreeSet::new();
    for (_, text) in files(&root().join("locales").join(language), "ftl") {
        let mut current: Option<(String, BTreeSet<String>)> = None;
        for line in text.lines() {
            let key = line
                .split_once(" = ")
                .map(|(key, _)| key)
                .filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()));
            if let Some(key) = key {
                all.extend(current.take());
                current = Some((key.to_owned(), BTreeSet::new()));
            }
            if let Some((_, places)) = &mut current {
                places.extend(
                    line.split("{ $")
                        .skip(1)
                        .filter_map(|rest| rest.split([' ', '}']).next())
                        .map(str::to_owned),
                );
            }
        }
        all.extend(current);
    }
    all
}

fn keys() -> BTreeSet<String> {
    messages("en").into_iter().map(|(key, _)| key).collect()
}

/// The sources in which keys may stand: templates, and the view models without their tests.
fn sources() -> String {
    let views = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages/views");
    let mut sources = files(&root().join("templates"), "html");
    sources.extend(files(&views, "rs").into_iter().filter(|(path, _)| !path.ends_with("tests.rs")));
    sources.iter().map(|(_, text)| text.split("#[cfg(test)]\nmod tests {").next().unwrap()).collect()
}

#[test]
fn both_languages_have_the_same_keys_with_the_same_places() {
    assert_eq!(messages("en"), messages("de"));
    assert!(messages("en").len() > 100);
}

#[test]
fn every_key_that_is_used_exists() {
    let (sources, keys) = (sources(), keys());
    let mut used = BTreeSet::new();
    for call in [".t(\"", ".t_with(\"", ".t_count(\"", ".t_name(\"", ".sentence(\""] {
        used.extend(sources.split(call).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    }
    assert!(used.len() > 80, "found only {used:?}");
    let missing: Vec<_> = used.difference(&keys).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for sample in samples::friendly() {
        assert!(!sample.html.contains("Unknown localization"), "{}: {}", sample.name, sample.html);
    }
}

#[test]
fn every_key_that_exists_is_used() {
    let sources = sources();
    let idle: Vec<_> = keys().into_iter().filter(|key| !sources.contains(&format!("\"{key}\""))).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

#[test]
fn german_pages_speak_german() {
    let words: Vec<_> =
        samples::all(Language::German, FRIENDLY).into_iter().filter(|s| s.name == "consent").collect();
    assert!(words[0].html.contains("</bdi> für Sie handeln lassen"), "{}", words[0].html);
    assert!(words[0].html.contains(r#"<html lang="de""#));
}

/// How a page names a script, which is always a file of ours.
const OUR_SCRIPT: &str = "<script src=\"/assets/";

#[test]
fn what_others_wrote_never_becomes_markup() {
    for language in Language::ALL {
        for sample in samples::all(language, HOSTILE) {
            let html = &sample.html;
            let ours = sample.html.replace(OUR_SCRIPT, "");
            assert!(!ours.contains("<script"), "{}: {html}", sample.name);
            if sample.name != "error-plain" && !sample.name.starts_with("signed-out") {
                assert!(html.contains("&#60;script&#62;"), "{}: nothing hostile was shown", sample.name);
            }
        }
    }
}

#[test]
fn no_template_switches_escaping_off_or_brings_style_or_script() {
    for (path, text) in files(&root().join("templates"), "html") {
        let text = text.replace(OUR_SCRIPT, "");
        for forbidden in
            ["|safe", "| safe", "escape", "<style", "<script", " style=", " onclick", "javascript:", "{{-"]
        {
            let text = text.replace(OUR_SCRIPT, "");
            assert!(!text.contains(forbidden), "{}: {forbidden}", path.display());
        }
    }
    assert!(!CSS.contains("url(") && !CSS.contains("@import"), "the sheet fetches nothing");
    assert!(LOGO.starts_with("<svg ") && !LOGO.contains("style"));
}

#[test]
fn every_text_of_others_is_set_apart_in_direction() {
    for sample in samples::all(Language::English, HOSTILE) {
        for (at, _) in sample.html.match_indices('\u{202e}') {
            let before = &sample.html[..at];
            let tag = &before[before.rfind('<').unwrap()..];
            let apart = ["<bdi", "<code"].iter().any(|t| tag.starts_with(t)) || tag.contains("dir=\"auto\"");
            let in_attribute = !tag.contains('>');
            assert!(apart || in_attribute, "{}: {tag}", sample.name);
        }
    }
}

#[test]
fn every_page_has_one_heading_a_language_a_main_landmark_and_a_skip_link() {
    for sample in samples::friendly() {
        let count = |needle: &str| sample.html.matches(needle).count();
        for needle in ["<h1", "<main id=\"main\"", "href=\"#main\"", "<title>", "<header", "<footer"] {
            assert_eq!(count(needle), 1, "{}: {needle}", sample.name);
        }
        assert_eq!(count("<html lang=\"en\"") + count("<html lang=\"de\""), 1, "{}", sample.name);
        assert!(sample.html.starts_with("<!doctype html>"), "{}", sample.name);
    }
}

#[test]
fn no_id_stands_twice_and_every_reference_leads_to_one() {
    for sample in samples::friendly() {
        let values = |attribute: &str| -> Vec<&str> {
            let open = format!(" {attribute}=\"");
            let found = sample.html.split(&open).skip(1).filter_map(|rest| rest.split('"').next());
            found.flat_map(str::split_whitespace).collect()
        };
        let ids = values("id");
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), distinct.len(), "{}: {ids:?}", sample.name);
        for attribute in ["for", "aria-labelledby", "aria-describedby"] {
            for reference in values(attribute) {
                assert!(distinct.contains(&reference), "{}: {attribute}={reference}", sample.name);
            }
        }
    }
}

/// On a phone the rows of a table are cards, and each cell shows the name of its column.
#[test]
fn every_cell_of_a_table_names_its_column() {
    let mut seen = 0;
    for sample in samples::friendly() {
        for table in sample.html.split("<table").skip(1).filter_map(|rest| rest.split("</table>").next()) {
            for cell in table.split("<td").skip(1) {
                let label = cell.strip_prefix(" data-label=\"").and_then(|rest| rest.split('"').next());
                let column = format!(">{}</th>", label.unwrap_or_default());
                assert!(label.is_some() && table.contains(&column), "{}: {cell}", sample.name);
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn every_field_has_a_label() {
    for sample in samples::friendly() {
        for tag in ["<input ", "<select "] {
            for field in sample.html.split(tag).skip(1).map(|rest| rest.split('>').next().unwrap()) {
                if field.contains("type=\"hidden\"") || field.contains("aria-hidden") {
                    continue;
                }
                let id = field.split("id=\"").nth(1).unwrap().split('"').next().unwrap();
                assert!(sample.html.contains(&format!("for=\"{id}\"")), "{}: {id}", sample.name);
            }
        }
    }
}

#[test]
fn every_page_has_the_ids_that_it_is_known_by() {
    for (name, ids) in [
        (
            "sign-in",
            &[
                "login-form",
                "login-username",
                "login-password",
                "login-submit",
                "login-cancel",
                "login-client-name",
                "login-client-logo",
                "login-client-policy",
                "login-client-tos",
            ][..],
        ),
        ("sign-in-wrong", &["login-form", "error-summary"]),
        (
            "consent",
            &[
                "consent-form",
                "consent-approve",
                "consent-deny",
                "consent-scopes",
                "consent-authorization-details",
                "consent-until",
                "consent-passing-on",
                "consent-offline-access",
                "consent-task",
            ],
        ),
        ("consent-application", &["consent-form", "consent-scopes", "consent-claims", "error-summary"]),
        (
            "select-account",
            &[
                "select-account-form",
                "select-account-who",
                "select-account-continue",
                "select-account-other",
                "select-account-cancel",
            ],
        ),
        ("form-post", &["form-post", "form-post-continue"]),
        ("error-request-refused", &["error-page", "error-code", "error-description", "error-request"]),
        ("sign-out", &["logout-form", "logout-confirm", "logout-cancel"]),
        ("signed-out", &["logged-out"]),
        ("sign-in", &["login-passkey-form", "login-passkey", "login-forgot"]),
        (
            "second-factor",
            &["second-factor-form", "second-factor-code", "second-factor-submit", "recovery-form"],
        ),
        ("security", &["security", "passkeys", "sessions", "this-session", "recovery-codes-left", "totp-on"]),
        ("security", &["connections-label", "connections-link"]),
        ("security-no-passkeys", &["no-passkeys", "sessions"]),
        ("add-passkey", &["add-passkey-form", "add-passkey-submit"]),
        ("add-totp", &["add-totp-form", "totp-secret", "totp-square", "totp-code"]),
        ("recovery-codes", &["recovery-codes", "codes"]),
        ("change-password", &["change-password-form", "old-password", "set-password"]),
        ("forgot", &["forgot-form", "forgot-email"]),
        ("forgot-sent", &["forgot-sent"]),
        ("reset-link", &["reset-link", "the-link"]),
        ("signed-out-frames", &["logged-out", "logout-continue"]),
        ("set-password", &["set-password-form", "set-password", "set-password-again", "set-password-submit"]),
        ("account", &["consents", "ended-consents", "consent-ended", "connections-link"]),
        ("account", &["ended-lines", "ended-took"]),
        ("account-stepped", &["task-stepped"]),
        ("account-empty", &["no-consents"]),
        ("consent-device", &["consent-form", "device-code", "device-approve", "device-deny"]),
        ("consent-ciba", &["consent-form", "binding-message", "ciba-approve", "ciba-deny"]),
        ("device", &["device-form", "user-code", "device-submit"]),
        ("device-allowed", &["device-answered"]),
        ("approvals", &["approvals", "approvals-answered", "approvals-code", "approvals-code-submit"]),
        ("approvals-empty", &["no-approvals"]),
        (
            "approval",
            &["approval-form", "approval-approve", "approval-deny", "approval-lapses", "approval-way"],
        ),
        ("admin", &["admin-agents", "admin-consents", "admin-events"]),
        ("admin-clients", &["admin-clients"]),
        (
            "admin-client",
            &["admin-client", "admin-client-halted", "ending-suspend", "ending-resume", "ending-retire"],
        ),
        ("admin-client", &["admin-instances", "instances-more", "held-families", "held-tokens", "held-more"]),
        ("admin-consent", &["admin-consent-details", "admin-consent-tasks", "held-tokens", "ending-end"]),
        ("admin-task", &["admin-task-scopes", "admin-task-parts", "held-tokens", "ending-suspend"]),
        ("ending-suspend-question", &["ending-form", "ending-confirm", "ending-cancel", "ending-lines"]),
        ("ending-owner-question", &["ending-form", "ending-agents"]),
        ("ending-suspend-done", &["ended", "ended-lines", "ended-took", "ended-back"]),
        ("ending-resume-done", &["ended", "ended-nothing"]),
        ("consent-registered-itself", &["consent-form", "consent-introduced"]),
        ("home", &["home", "issuer"]),
        ("home-test-server", &["home", "test-server"]),
    ] {
        let sample = samples::friendly().into_iter().find(|s| s.name == name).unwrap();
        for id in ids {
            assert!(sample.html.contains(&format!("id=\"{id}\"")), "{name}: {id}");
        }
    }
}

#[test]
fn every_scope_and_every_line_of_every_detail_is_on_the_consent_page_and_can_be_struck() {
    let html = samples::consent(Language::English, FRIENDLY).render().unwrap();
    for detail in samples::details(FRIENDLY) {
        let shown = [&detail.type_name, &detail.sentence].into_iter().chain(&detail.lines);
        for text in shown {
            assert!(html.contains(&format!(">{text}</span>")), "{text}");
        }
        assert!(html.contains(&format!(r#"name="detail" value="{}" checked"#, detail.index)));
    }
    for scope in samples::scopes(FRIENDLY) {
        assert!(html.contains(&scope.words) && html.contains(&format!("<code>{}</code>", scope.value)));
        let tickable = html.contains(&format!(r#"name="scope" value="{}" checked"#, scope.value));
        let fixed = html.contains(&format!(r#"type="hidden" name="scope" value="{}""#, scope.value));
        assert_eq!((tickable, fixed), (!scope.required, scope.required), "{}", scope.value);
    }
    for risk in ["High risk", "Medium risk", "Low risk"] {
        assert!(html.contains(risk), "{risk} is said in words");
    }
}

#[test]
fn denying_is_there_at_once_and_is_what_the_enter_key_does() {
    for sample in samples::friendly().into_iter().filter(|s| s.name.starts_with("consent")) {
        let deny = sample.html.find(r#"value="deny""#).unwrap();
        assert!(deny < sample.html.find(r#"value="approve""#).unwrap(), "{}", sample.name);
        assert_eq!(sample.html.matches(r#"type="submit""#).count(), 2, "{}", sample.name);
        assert!(!sample.html.contains("autofocus"), "{}", sample.name);
    }
}

#[test]
fn the_last_duration_is_chosen_at_first() {
    let html = samples::consent(Language::English, FRIENDLY).render().unwrap();
    assert!(html.contains(r#"<option value="86400" selected>1 day</option>"#), "{html}");
    assert_eq!(html.matches(" selected>").count(), 1);
}

#[test]
fn a_link_that_leads_to_no_web_page_is_not_offered() {
    let page = SignedOutPage {
        page: Page::default(),
        continue_to: Some("javascript:alert(1)".into()),
        client_name: None,
        frames: vec![],
        goes_on: true,
    };
    assert!(!page.render().unwrap().contains("javascript"));
}

#[test]
fn the_cancel_button_submits_without_a_password() {
    let sample = samples::friendly().into_iter().find(|s| s.name == "sign-in").unwrap();
    assert!(sample.html.contains(r#"name="decision" value="cancel" formnovalidate"#));
    assert!(sample.html.find("login-submit").unwrap() < sample.html.find("login-cancel").unwrap());
}

/// Leaves every page in `target/pages/`, to be looked at with a browser.
#[test]
fn every_page_can_be_looked_at() {
    let folder = root().join("target/pages");
    fs::create_dir_all(&folder).unwrap();
    let sheet = format!("href=\"{}\"", root().join("templates/procura.css").display());
    for language in Language::ALL {
        for sample in samples::all(language, FRIENDLY) {
            let html = sample.html.replace("href=\"/assets/procura.css\"", &sheet);
            fs::write(folder.join(format!("{}.{}.html", sample.name, language.code())), html).unwrap();
        }
    }
}
