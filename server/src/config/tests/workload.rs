//! Platforms and the workloads that clients are: what is declared is read, and what is wrong with it is told by its key.

use protocol::client::{ClientAuthentication, KeySource};
use protocol::numeric_date::Seconds;
use protocol::workload::Condition;
use serde_json::json;

use super::{EXAMPLE, loaded, refused};

const PLATFORM: &str = "\n[[workload_issuers]]\nissuer = \"https://platform.example\"\n";
const TRUST_DOMAIN: &str =
    "\n[[trust_domains]]\nname = \"acme.example\"\nbundle_endpoint = \"https://spire.acme.example/bundle\"\n";
const CLIENT: &str = "\n[[clients]]\nid = \"batch\"\nname = \"Batch\"\nkind = \"service\"\n\
    authentication = \"workload_jwt\"\n\
    workload = { issuer = \"https://platform.example\", claims = { sub = \"batch\" } }\n";

fn with(client: &str) -> String {
    format!("{EXAMPLE}{PLATFORM}{TRUST_DOMAIN}{client}")
}

#[test]
fn a_platform_has_the_defaults_of_its_preset() {
    let presets = ["", "preset = \"kubernetes\"", "preset = \"github_actions\""];
    for (preset, max_age, single_use, instance_claim) in [
        (presets[0], 600, true, None),
        (presets[1], 3600, false, Some("/kubernetes.io/pod/uid")),
        (presets[2], 600, true, Some("run_id")),
    ] {
        let declared = loaded(&format!("{EXAMPLE}{PLATFORM}{preset}\n")).declared.platforms;
        let (rule, keys) = &declared.issuers[0];
        assert_eq!((rule.max_age, rule.single_use), (Seconds(max_age), single_use), "{preset}");
        assert_eq!(rule.instance_claim.as_deref(), instance_claim);
        assert_eq!((rule.issuer.as_str(), keys), ("https://platform.example", &KeySource::None));
    }
    let github = loaded(&format!("{EXAMPLE}\n[[workload_issuers]]\npreset = \"github_actions\"\n"));
    assert_eq!(github.declared.platforms.issuers[0].0.issuer, "https://token.actions.githubusercontent.com");
    assert!(loaded(EXAMPLE).declared.platforms.issuers.is_empty());
}

#[test]
fn a_client_is_the_workload_that_its_conditions_say() {
    let claims =
        "{ sub = \"batch\", attempt = 1, env = { one_of = [\"a\", \"b\"] }, ref = { glob = \"heads/*\" } }";
    let declared = loaded(&with(&CLIENT.replace("{ sub = \"batch\" }", claims))).declared;
    let client = declared.clients.iter().find(|client| client.id.as_str() == "batch").unwrap();
    let ClientAuthentication::WorkloadJwt(identity) = &client.authentication else { panic!() };
    assert_eq!((identity.audience.as_deref(), identity.instance_claim.as_deref()), (None, None));
    assert_eq!(identity.claims["attempt"], Condition::Equal(json!(1)));
    assert_eq!(identity.claims["env"], Condition::OneOf(vec![json!("a"), json!("b")]));
    assert_eq!(identity.claims["ref"], Condition::Glob("heads/*".parse().unwrap()));
}

#[test]
fn what_is_wrong_with_a_workload_is_told_by_its_key() {
    for (from, to, key, reason) in [
        (
            "issuer = \"https://platform.example\", ",
            "issuer = \"https://o.example\", ",
            "workload.issuer",
            "no workload",
        ),
        ("{ sub = \"batch\" }", "{}", "workload.claims", "must name"),
        ("sub = \"batch\"", "sub = [\"batch\"]", "workload.claims.sub", "must be a text"),
        ("sub = \"batch\"", "sub = { one_of = [] }", "workload.claims.sub", "must be a text"),
        ("sub = \"batch\"", "sub = { glob = \"*\" }", "workload.claims.sub", "would fit anything"),
        ("sub = \"batch\"", "sub = { glob = \"batch\" }", "workload.claims.sub", "exact value"),
        ("sub = \"batch\"", "sub = { like = \"batch\" }", "workload.claims.sub", "must be a text"),
        ("\nworkload = ", "\nspiffe_id = \"spiffe://acme.example/a\"\nworkload = ", "spiffe_id", "goes with"),
        (
            "authentication = \"workload_jwt\"",
            "authentication = \"spiffe_jwt\"\nspiffe_id = \"spiffe://acme.example/a\"",
            "workload",
            "goes with",
        ),
        (
            "workload = { issuer = \"https://platform.example\", claims = { sub = \"batch\" } }",
            "",
            "workload",
            "is missing",
        ),
    ] {
        let told = refused(&with(&CLIENT.replacen(from, to, 1)));
        assert_eq!(told.len(), 1, "{to}: {told:?}");
        assert!(told[0].contains(&format!(".{key}:")) || told[0].contains(&format!(".{key}")), "{told:?}");
        assert!(told[0].contains(reason), "{told:?}");
    }
}

#[test]
fn a_spiffe_id_is_one_of_a_trust_domain_that_is_declared() {
    let svid = |id: &str| {
        let plain = CLIENT.split("workload = ").next().unwrap().replace("workload_jwt", "spiffe_jwt");
        with(&format!("{plain}spiffe_id = \"{id}\"\n"))
    };
    assert_eq!(loaded(&svid("spiffe://acme.example/batch/*")).declared.platforms.trust_domains.len(), 1);
    for (id, reason) in [
        ("spiffe://other.example/batch", "no trust domain"),
        ("spiffe://acme.example", "no workload in it"),
        ("spiffe://acme.example/*", "no workload in it"),
        ("acme.example/batch", "spiffe://"),
        ("spiffe://acme.example/a//b", "none of them empty"),
    ] {
        let told = refused(&svid(id));
        assert!(
            told.len() == 1 && told[0].contains("spiffe_id") && told[0].contains(reason),
            "{id}: {told:?}"
        );
    }
}

#[test]
fn an_attester_has_a_name_and_keys_and_a_client_names_one_that_is_declared() {
    let attester = "\n[[client_attesters]]\nname = \"orchestrator\"\njwks_uri = \"https://o.example/keys\"\n";
    let client = "\n[[clients]]\nid = \"fleet\"\nname = \"Fleet\"\nkind = \"service\"\n\
        authentication = \"attest_jwt_client_auth\"\nattester = \"orchestrator\"\n";
    let written = format!("{attester}{client}");
    let right = format!("{EXAMPLE}{written}");
    let declared = loaded(&right).declared;
    let fleet = declared.clients.iter().find(|client| client.id.as_str() == "fleet").unwrap();
    let vouched = ClientAuthentication::AttestJwtClientAuth { attester: "orchestrator".into() };
    assert_eq!(fleet.authentication, vouched);
    let combined = written.replacen("attest_jwt_client_auth", "attest_jwt_client_auth_dpop", 1);
    let declared_so = loaded(&format!("{EXAMPLE}{combined}")).declared;
    let fleet = declared_so.clients.iter().find(|client| client.id.as_str() == "fleet").unwrap();
    let vouched = ClientAuthentication::AttestJwtClientAuthDpop { attester: "orchestrator".into() };
    assert_eq!(fleet.authentication, vouched);
    assert_eq!(declared.platforms.attesters[0].0, "orchestrator");
    for (from, to, key, reason) in [
        ("\nattester = \"orchestrator\"", "", "attester", "is missing"),
        ("\nattester = \"orchestrator\"", "\nattester = \"o\"", "attester", "no client attester is named"),
        ("jwks_uri = \"https://o.example/keys\"", "", "jwks", "is missing or empty"),
        ("jwks_uri = \"https://o.example/keys\"", "jwks = { keys = [] }", "jwks", "at least one key"),
        ("jwks_uri = \"https://o", "jwks_uri = \"http://o", "jwks_uri", "must be https"),
        ("\nname = \"orchestrator\"", "\nname = \"\"", "name", "1 to 100"),
        ("attest_jwt_client_auth", "none", "attester", "goes with attest_jwt_client_auth"),
    ] {
        let told = refused(&format!("{EXAMPLE}{}", written.replacen(from, to, 1)));
        let fits = |told: &String| told.contains(&format!("].{key}")) && told.contains(reason);
        assert!(told.iter().any(fits), "{to}: {told:?}");
    }
    let told = refused(&format!("{right}{attester}"));
    assert!(told.iter().any(|told| told.contains("already")), "{told:?}");
}

#[test]
fn what_is_wrong_with_a_platform_is_told_by_its_key() {
    for (wrong, key, reason) in [
        ("\n[[workload_issuers]]\n", "issuer", "characters"),
        ("\n[[workload_issuers]]\nissuer = \"urn:x\"\n", "issuer", "no https URL"),
        ("\n[[workload_issuers]]\nissuer = \"https://a.example\"\nmax_age = \"2d\"\n", "max_age", "1 day"),
        (
            "\n[[workload_issuers]]\nissuer = \"https://a.example\"\nsigning_algs = []\n",
            "signing_algs",
            "must name",
        ),
        (
            "\n[[trust_domains]]\nname = \"spiffe://b.example\"\nbundle = { keys = [] }\n",
            "name",
            "small letters",
        ),
        ("\n[[trust_domains]]\nname = \"b.example\"\nbundle = { keys = [] }\n", "bundle", "holds no key"),
        ("\n[[trust_domains]]\nname = \"b.example\"\n", "bundle", "write one of"),
        (PLATFORM, "issuer", "already"),
        (TRUST_DOMAIN, "name", "already"),
    ] {
        let told = refused(&with(wrong));
        assert!(
            told.iter().any(|told| told.contains(&format!("].{key}")) && told.contains(reason)),
            "{wrong}: {told:?}"
        );
    }
    // Whoever is trusted for workloads never speaks for users.
    let both = format!(
        "{PLATFORM}[[trusted_issuers]]\nissuer = \"https://platform.example\"\n\
         jwks_uri = \"https://platform.example/jwks\"\nclients = [\"orders-api\"]\nscope = \"orders:read\"\n"
    );
    let told = refused(&format!("{EXAMPLE}{both}"));
    assert!(told.iter().any(|told| told.contains("already")), "{told:?}");
}

fn another(id: &str, workload: &str) -> String {
    CLIENT
        .replace("id = \"batch\"", &format!("id = {id:?}"))
        .replace("claims = { sub = \"batch\" }", workload)
}

#[test]
fn two_clients_are_not_the_same_workload() {
    for again in ["claims = { sub = \"batch\" }", "claims = { sub = \"batch\" }, instance_claim = \"job\""] {
        let told = refused(&with(&format!("{CLIENT}{}", another("again", again))));
        assert!(told.len() == 1 && told[0].contains("is the same workload as clients["), "{told:?}");
    }
}

#[test]
fn where_one_workload_could_be_two_clients_the_operator_is_told() {
    let overlaps = |workload: &str| {
        loaded(&with(&format!("{CLIENT}{}", another("again", workload)))).declared.overlaps.len()
    };
    for (workload, expected) in [
        ("claims = { sub = \"other\" }", 0),
        ("claims = { sub = { glob = \"b*\" } }", 1),
        ("claims = { sub = { glob = \"c*\" } }", 0),
        ("claims = { sub = { one_of = [\"a\", \"batch\"] } }", 1),
        ("claims = { sub = \"batch\", ref = \"main\" }", 1),
        ("claims = { ref = \"main\" }", 1),
        ("claims = { sub = { glob = \"b*\" } }, audience = \"https://api.example\"", 0),
    ] {
        assert_eq!(overlaps(workload), expected, "{workload}");
    }
    let patterns = |one: &str, two: &str| {
        let clients = [("one", one), ("two", two)].map(|(id, pattern)| {
            let plain = CLIENT.split("workload = ").next().unwrap().replace("workload_jwt", "spiffe_jwt");
            let plain = plain.replace("id = \"batch\"", &format!("id = {id:?}"));
            format!("{plain}spiffe_id = \"spiffe://acme.example/{pattern}\"\n")
        });
        loaded(&with(&clients.concat())).declared.overlaps
    };
    assert_eq!(patterns("batch", "batch/*").len(), 0);
    let told = patterns("batch/*", "batch/a");
    assert!(told.len() == 1 && told[0].contains("].spiffe_id and clients["), "{told:?}");
}
