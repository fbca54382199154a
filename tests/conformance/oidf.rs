//! The files for runs of the official suite: they load, and what the plans speak of is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use protocol::client::AuthMethod;
use serde_json::Value;
use server::config::{self, Config, ConfigFile, DeclaredClient};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/oidf")
}

fn procura() -> Config {
    let file = ConfigFile::open(&folder().join("procura.toml")).unwrap();
    config::read(Some(&file), []).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

/// Each run: the plan with its variants, and its configuration.
fn runs() -> Vec<(String, String, Value)> {
    let list = std::fs::read_to_string(folder().join("plans.list")).unwrap();
    let run = |line: &str| {
        let (plan, file) = line.split_once(' ').unwrap();
        let text = std::fs::read_to_string(folder().join(file)).unwrap();
        (plan.to_owned(), file.to_owned(), serde_json::from_str(&text).unwrap())
    };
    list.lines().map(run).collect()
}

#[test]
fn the_configuration_is_valid_and_that_of_a_test_server() {
    let config = procura();
    assert!(config.settings.certification.is_some());
    let claims = &config.declared.users[0].claims;
    let missing: Vec<_> = protocol::standard_claims::BY_SCOPE
        .into_iter()
        .flat_map(|(_, names)| names)
        .filter(|name| !["name", "preferred_username"].contains(*name) && claims.get(**name).is_none())
        .collect();
    assert!(missing.is_empty(), "alice has no {missing:?}");
}

#[test]
fn every_file_belongs_to_a_run_and_every_run_has_its_file() {
    let named: BTreeSet<String> = runs().into_iter().map(|(_, file, _)| file).collect();
    let there = std::fs::read_dir(folder().join("plans")).unwrap();
    let there: BTreeSet<String> =
        there.map(|entry| format!("plans/{}", entry.unwrap().file_name().to_string_lossy())).collect();
    assert_eq!(named, there);
}

#[test]
fn every_plan_of_the_foundation_that_fits_has_a_run() {
    let plans: BTreeSet<String> =
        runs().into_iter().map(|(plan, ..)| plan.split('[').next().unwrap().to_owned()).collect();
    for plan in [
        "oidcc-config-certification-test-plan",
        "oidcc-basic-certification-test-plan",
        "oidcc-formpost-basic-certification-test-plan",
        "oidcc-dynamic-certification-test-plan",
        "oidcc-rp-initiated-logout-certification-test-plan",
        "oidcc-backchannel-rp-initiated-logout-certification-test-plan",
        "oidcc-frontchannel-rp-initiated-logout-certification-test-plan",
        "oidcc-session-management-certification-test-plan",
        "oidcc-3rdparty-init-login-certification-test-plan",
        "fapi2-security-profile-final-test-plan",
        "fapi2-message-signing-final-test-plan",
        "fapi-ciba-id1-test-plan",
    ] {
        assert!(plans.contains(plan), "{plan}");
    }
}

#[test]
fn every_client_of_a_run_is_declared_with_what_the_suite_has_of_it() {
    let config = procura();
    let mut seen = 0;
    for (plan, file, run) in runs() {
        assert_eq!(
            run["server"]["discoveryUrl"],
            format!("{}/.well-known/openid-configuration", config.settings.issuer),
            "{file}"
        );
        let callback = format!("/test/a/{}/callback", run["alias"].as_str().unwrap());
        for (place, certificate) in [("client", "mtls"), ("client2", "mtls2"), ("client_secret_post", "")] {
            let Some(id) = run[place]["client_id"].as_str() else {
                let registers =
                    plan.contains("dynamic") || plan.contains("3rdparty") || plan.contains("config");
                assert!(place != "client" || registers, "{file} has no {place}");
                continue;
            };
            let found = config.declared.clients.iter().find(|client| client.id.as_str() == id);
            let client = found.unwrap_or_else(|| panic!("{file}: nobody is {id}"));
            check(client, &run[place], &run[certificate], &format!("{file}: {id}"));
            let comes_back = client.redirect_uris.iter().any(|uri| uri.contains(&callback));
            assert!(
                comes_back || plan.starts_with("fapi-ciba"),
                "{file}: {id} does not return to {callback}"
            );
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen}");
}

fn check(client: &DeclaredClient, known: &Value, certificate: &Value, what: &str) {
    match client.authentication.method() {
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => {
            let secret = known["client_secret"].as_str().unwrap();
            let digest = server::secret::SecretDigest::of(secret).to_text();
            let stored = serde_json::to_value(&client.authentication).unwrap().to_string();
            assert!(stored.contains(&digest), "{what}: another secret");
        }
        _ => {
            // The suite's key is the private half of the declared one.
            let declared = serde_json::to_value(&client.keys).unwrap().to_string();
            for member in ["x", "y", "kid"] {
                let of_suite = known["jwks"]["keys"][0][member].as_str().unwrap();
                assert!(declared.contains(of_suite), "{what}: another key");
            }
            assert!(known["jwks"]["keys"][0]["d"].is_string(), "{what}: no private key");
            let pem = certificate["cert"].as_str().unwrap_or_default();
            assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{what}: no certificate");
        }
    }
}

#[test]
fn the_hooks_of_the_plans_are_those_of_the_configuration() {
    let config = procura();
    let secret = config.settings.certification.as_ref().unwrap().hook_secret.reveal().to_owned();
    let hooks = format!("{}/certification/{secret}/ciba/{{auth_req_id}}/{{action}}", config.settings.issuer);
    for (plan, file, run) in runs() {
        if plan.starts_with("fapi-ciba") {
            assert_eq!(run["automated_ciba_approval_url"], hooks, "{file}");
        }
        if plan.starts_with("fapi") {
            let resource = run["resource"]["resourceUrl"].as_str().unwrap();
            assert!(resource.ends_with("/certification/resource"), "{file}: {resource}");
        }
    }
}
