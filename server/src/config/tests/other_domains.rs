//! The authorization servers of other domains and the trust domain: what is declared is read, and what is wrong is told
//! by its key.

use std::collections::BTreeSet;

use protocol::numeric_date::Seconds;
use protocol::resource_authorization_server::GrantKind;

use super::{EXAMPLE, loaded, refused};

const SERVER: &str = "\n[[resource_authorization_servers]]\nissuer = \"https://saas.example\"\n\
    clients = { \"orders-api\" = \"there\" }\nresources = [\"https://orders.example\"]\n";

#[test]
fn a_server_has_the_defaults_that_the_example_says() {
    let declared = loaded(&format!("{EXAMPLE}{SERVER}")).declared.resource_authorization_servers;
    let server = &declared[0];
    assert_eq!((&server.grants, server.life), (&[GrantKind::IdJag].into(), Seconds::minutes(5)));
    assert_eq!((&server.scope, &server.sign_in_client, &server.claims), (&None, &None, &BTreeSet::new()));
    assert!(server.groups.is_empty() && server.login == protocol::step_up::Demand::default());
    assert!(loaded(EXAMPLE).declared.resource_authorization_servers.is_empty());
}

#[test]
fn a_server_with_one_thing_wrong_is_refused_for_that_thing_alone() {
    for (from, to, key, reason) in [
        ("\"https://saas.example\"", "\"\"", "issuer", "must be 1 to 500"),
        ("{ \"orders-api\" = \"there\" }", "{}", "clients", "must name"),
        ("\"orders-api\" =", "\"nobody\" =", "clients.nobody", "no client or agent"),
        ("\"there\"", "\"\"", "clients.orders-api", "must be 1 to 255"),
        ("[\"https://orders.example\"]", "[]", "resources", "must name"),
        ("https://orders.example", "https://o.example", "resources", "no resource server"),
        ("resources =", "grants = []\nresources =", "grants", "must name"),
        ("resources =", "grants = [\"saml\"]\nresources =", "grants", "must be one of"),
        ("resources =", "scope = \"orders:fly\"\nresources =", "scope", "no resource server"),
        ("resources =", "sign_in_client = \"nobody\"\nresources =", "sign_in_client", "no client or agent"),
        ("resources =", "claims = [\"password\"]\nresources =", "claims", "no claim"),
        ("resources =", "life = \"2h\"\nresources =", "life", "3600"),
        ("resources =", "acr_values = [\"1\"]\nresources =", "acr_values", "none of"),
        ("resources =", "max_age = 0\nresources =", "max_age", "1 second"),
        ("resources =", "trust = 1\nresources =", "trust", "no such key"),
    ] {
        let told = refused(&format!("{EXAMPLE}{}", SERVER.replacen(from, to, 1)));
        assert_eq!(told.len(), 1, "{to}: {told:?}");
        assert!(told[0].contains(&format!("resource_authorization_servers[0].{key}")), "{told:?}");
        assert!(told[0].contains(reason), "{told:?}");
    }
    let twice = refused(&format!("{EXAMPLE}{SERVER}{SERVER}"));
    assert!(twice.len() == 1 && twice[0].contains("resource_authorization_servers[1].issuer"), "{twice:?}");
}

#[test]
fn a_trust_domain_has_a_name_and_workloads_that_are_declared() {
    let written = |lines: &str| {
        EXAMPLE.replacen("[transaction_tokens]\n", &format!("[transaction_tokens]\n{lines}\n"), 1)
    };
    let none = loaded(EXAMPLE).settings.transaction_tokens;
    assert_eq!((none.trust_domain.as_deref(), none.life), (None, Seconds::minutes(1)));
    let one = written("trust_domain = \"trust.example\"").replacen("clients = []\nlife", "life", 1);
    let settings = loaded(&one).settings.transaction_tokens;
    assert!(!settings.admit("trust.example", &"orders-api".parse().unwrap()));
    for (lines, from, to, key) in [
        ("trust_domain = \"\"", "", "", "transaction_tokens.trust_domain"),
        ("", "life = \"1m\"", "life = \"1h\"", "transaction_tokens.life"),
    ] {
        let told = refused(&written(lines).replacen(from, to, 1));
        assert!(told.len() == 1 && told[0].contains(key), "{told:?}");
    }
    for (trust_domain, client, reason) in [
        ("trust_domain = \"trust.example\"", "nobody", "no client or agent"),
        ("", "orders-api", "without transaction_tokens.trust_domain"),
    ] {
        let section = format!("[transaction_tokens]\n{trust_domain}\nclients = [\"{client}\"]\n");
        let (before, after) = EXAMPLE.split_once("[transaction_tokens]\n").unwrap();
        let after = after.replacen("\nclients = []\n", "\n", 1);
        let told = refused(&format!("{before}{section}{after}"));
        assert!(told.len() == 1 && told[0].contains(reason), "{told:?}");
    }
}
