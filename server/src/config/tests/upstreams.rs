//! Upstreams: what is declared is read, and what is wrong with one is told by its key. And the words of resource servers
//! that are kept for groups.

use protocol::federation::Accounts;
use protocol::numeric_date::Seconds;

use super::{EXAMPLE, loaded, refused};
use crate::config::{AssertionAudience, UpstreamCredential};

const UPSTREAM: &str = "\n[[upstreams]]\nid = \"company\"\nissuer = \"https://login.company.example\"\n\
    client_id = \"procura\"\nclient_secret = \"x\"\nname = \"The Company\"\n";

#[test]
fn an_upstream_has_the_defaults_that_the_example_says() {
    let declared = loaded(&format!("{EXAMPLE}{UPSTREAM}")).declared.upstreams;
    let known = &declared[0];
    let upstream = &known.upstream;
    assert!(matches!(known.credential, UpstreamCredential::Basic(_)));
    assert_eq!(known.scope, "openid profile email".parse().unwrap());
    assert!(known.userinfo && known.button && upstream.pass_acr);
    assert_eq!((upstream.accounts, upstream.session_life), (Accounts::Create, Seconds::minutes(12 * 60)));
    assert!(!upstream.link_by_email && upstream.links.is_empty() && upstream.groups.is_empty());
    assert!(upstream.required_groups.is_empty() && upstream.email_domains.is_empty());
    assert!(loaded(EXAMPLE).declared.upstreams.is_empty());
}

#[test]
fn an_upstream_that_is_shown_an_assertion_has_no_secret() {
    let text = UPSTREAM.replace("client_secret = \"x\"", "authentication = \"private_key_jwt\"");
    let declared = loaded(&format!("{EXAMPLE}{text}")).declared.upstreams;
    let UpstreamCredential::PrivateKeyJwt { audience, .. } = &declared[0].credential else { panic!("none") };
    assert_eq!(*audience, AssertionAudience::Issuer);
}

#[test]
fn an_upstream_with_one_thing_wrong_is_refused_for_that_thing_alone() {
    for (from, to, key, reason) in [
        ("\"company\"", "\"The Company\"", "id", ""),
        ("\"company\"", "\"Company\"", "id", "small letters"),
        ("\"company\"", "\"a.b\"", "id", "small letters"),
        ("https://login.company.example", "http://login.company.example", "issuer", "https URL"),
        ("https://login.company.example", "https://login.company.example?x", "issuer", "without query"),
        ("https://login.company.example", "https://login.company.example#x", "issuer", "fragment"),
        ("https://login.company.example", "https://u@login.company.example", "issuer", "https URL"),
        ("https://login.company.example", "login.company.example", "issuer", "https URL"),
        ("\"procura\"", "\"\"", "client_id", "1 to 200"),
        ("\"The Company\"", "\" \"", "name", "1 to 200"),
        ("\"The Company\"", "{ de = \"Die Firma\" }", "name", "en must be one"),
        ("client_secret = \"x\"", "", "client_secret", "exactly one"),
        ("client_secret = \"x\"", "client_secret = \" \"", "client_secret", "is empty"),
        (
            "client_secret = \"x\"",
            "client_secret = \"x\"\nclient_secret_env = \"PROCURA_NO_SUCH\"",
            "client_secret",
            "exactly one",
        ),
        (
            "client_secret = \"x\"",
            "client_secret_env = \"PROCURA_NO_SUCH\"",
            "client_secret_env",
            "is not set",
        ),
        ("client_secret = \"x\"", "client_secret_file = \"none\"", "client_secret_file", "cannot be read"),
        (
            "client_secret = \"x\"",
            "client_secret = \"x\"\nauthentication = \"private_key_jwt\"",
            "client_secret",
            "there is none",
        ),
        ("client_id", "scope = \"profile\"\nclient_id", "scope", "must hold openid"),
        ("client_id", "session_life = 59\nclient_id", "session_life", "from 60"),
        ("client_id", "session_life = \"31d\"\nclient_id", "session_life", "2592000"),
        ("client_id", "email_domains = [\"a b\"]\nclient_id", "email_domains", "is no domain"),
        ("client_id", "link_by_email = true\nclient_id", "link_by_email", "needs email_domains"),
        ("client_id", "links = { them = \"nobody\" }\nclient_id", "links", "there is no [[users]] entry"),
        ("client_id", "accounts = \"some\"\nclient_id", "accounts", ""),
        ("client_id", "authentication = \"tls\"\nclient_id", "authentication", ""),
        ("client_id", "colour = \"red\"\nclient_id", "", "colour"),
    ] {
        assert_eq!(UPSTREAM.matches(from).count(), 1, "{from}");
        let problems = refused(&format!("{EXAMPLE}{}", UPSTREAM.replace(from, to)));
        let told = problems.first().map(String::as_str).unwrap_or_default();
        let at = if key.is_empty() { "upstreams[0]".to_owned() } else { format!("upstreams[0].{key}") };
        assert!(problems.len() == 1 && told.contains(&at) && told.contains(reason), "{to}: {problems:?}");
    }
}

#[test]
fn two_upstreams_are_two() {
    let second = UPSTREAM.replace("\"company\"", "\"other\"");
    let problems = refused(&format!("{EXAMPLE}{UPSTREAM}{second}"));
    assert!(problems[0].contains("upstreams[1].issuer"), "{problems:?}");
    let second = UPSTREAM.replace("login.company", "login.other");
    let problems = refused(&format!("{EXAMPLE}{UPSTREAM}{second}"));
    assert!(problems[0].contains("upstreams[1].id"), "{problems:?}");
}

#[test]
fn words_are_kept_for_groups_that_have_names_and_are_words_of_their_server() {
    let nothing = "scope_groups = {}";
    assert_eq!(EXAMPLE.matches(nothing).count(), 1);
    assert!(loaded(EXAMPLE).declared.resource_servers[0].scope_groups.is_empty());
    let right = "scope_groups = { \"orders:write\" = [\"support\", \"bosses\"] }";
    let servers = loaded(&EXAMPLE.replace(nothing, right)).declared.resource_servers;
    assert_eq!(servers[0].scope_groups.len(), 1);
    for (with, key, reason) in [
        ("{ \"orders:fly\" = [\"x\"] }", "orders:fly", "none of its scopes"),
        ("{ \"orders:write\" = [] }", "orders:write", "at least one group"),
        ("{ \"orders:write\" = [\"\"] }", "orders:write", "at least one group"),
    ] {
        let problems = refused(&EXAMPLE.replace(nothing, &format!("scope_groups = {with}")));
        let told = format!("t.toml: resource_servers[0].scope_groups.{key}: ");
        assert!(problems.len() == 1 && problems[0].starts_with(&told), "{problems:?}");
        assert!(problems[0].contains(reason), "{problems:?}");
    }
}
