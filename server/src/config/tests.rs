//! The configuration as its writer meets it: whole texts in, a configuration or problems out.

use std::collections::BTreeSet;
use std::path::Path;

use protocol::client::{ClientAuthentication, ClientKind, ClientMetadata, GrantType};
use protocol::numeric_date::Seconds;

use super::reading::keys_of;
use super::*;

mod logout;
mod other_domains;
mod refusals;
mod trusted_issuers;
mod upstreams;
mod workload;

const EXAMPLE: &str = include_str!("../../../config/example.toml");

fn file(text: &str) -> ConfigFile {
    ConfigFile { name: "t.toml".into(), text: text.into(), folder: PathBuf::from("/nowhere") }
}

fn loaded(text: &str) -> Config {
    read(Some(&file(text)), Vec::new()).unwrap()
}

fn refused(text: &str) -> Vec<String> {
    read(Some(&file(text)), Vec::new()).unwrap_err().iter().map(Problem::to_string).collect()
}

fn under(variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    read(None, variables).map_err(|problems| problems.iter().map(Problem::to_string).collect())
}

#[test]
fn the_default_file_says_what_the_code_says_and_declares_nothing() {
    let config = read(None, Vec::new()).unwrap();
    assert_eq!(config.settings, Settings::default());
    assert!(config.declared.users.is_empty() && config.declared.clients.is_empty());
    assert_eq!(config.declared.details_types.names().count(), 3);
    for key in keys_of::<Settings>()
        .iter()
        .chain(keys_of::<DpopSettings>())
        .chain(keys_of::<Limits>())
        .chain(keys_of::<MailSettings>())
    {
        assert!(mentions(DEFAULT, key), "{key}");
    }
}

#[test]
fn the_example_is_valid_and_its_settings_are_the_defaults() {
    let config = loaded(EXAMPLE);
    assert_eq!(config.settings, Settings::default());
    let ids: Vec<_> = config.declared.clients.iter().map(|client| client.id.as_str()).collect();
    assert_eq!(ids, ["shop-assistant", "orders-api", "operations", "refund-agent", "lookup-agent"]);
    assert!(config.declared.users[1].admin && config.declared.users[0].claims["email_verified"] == true);
    assert_eq!(config.declared.details_types.names().count(), 4);
    assert_eq!(config.declared.rules.len(), 3);
}

#[test]
fn the_example_mentions_every_key_there_is() {
    let tables = [
        keys_of::<Settings>(),
        keys_of::<DpopSettings>(),
        keys_of::<Limits>(),
        keys_of::<KeySettings>(),
        keys_of::<user::WrittenUser>(),
        keys_of::<resource_server::WrittenResourceServer>(),
        keys_of::<client::WrittenClient>(),
        keys_of::<client::WrittenAgent>(),
        keys_of::<ClientMetadata>(),
        keys_of::<OutboundSettings>(),
        keys_of::<RegistrationSettings>(),
        keys_of::<StatementIssuer>(),
        keys_of::<TlsSettings>(),
        keys_of::<MtlsSettings>(),
        keys_of::<ProxySettings>(),
        keys_of::<UserinfoSettings>(),
        keys_of::<details_type::WrittenDetailsType>(),
        keys_of::<rule::WrittenRule>(),
        keys_of::<webhook::WrittenWebhook>(),
        keys_of::<ApprovalSettings>(),
        keys_of::<trusted_issuer::WrittenTrustedIssuer>(),
        keys_of::<resource_authorization_server::WrittenResourceAuthorizationServer>(),
        keys_of::<TransactionTokenSettings>(),
        keys_of::<upstream::WrittenUpstream>(),
    ];
    for key in tables.concat().iter().chain(&DECLARATIONS) {
        assert!(mentions(EXAMPLE, key), "{key}");
    }
}

/// Whether a line sets the key or opens its table, be it commented out.
fn mentions(text: &str, key: &str) -> bool {
    let line_of = |line: &str| {
        let line = line.trim_start_matches(['#', ' ', '[']);
        let line =
            line.strip_prefix("details_types.").or(line.strip_prefix("resource_servers.")).unwrap_or(line);
        line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', ']', '.']))
    };
    text.lines().any(line_of)
}

#[test]
fn the_issuer_follows_the_address_unless_it_is_set() {
    assert_eq!(loaded("listen = \"127.0.0.1:9000\"").settings.issuer, "http://127.0.0.1:9000");
    assert_eq!(loaded("listen = \"[::1]:9000\"").settings.issuer, "http://[::1]:9000");
    let set =
        loaded("listen = \"0.0.0.0:80\"\nissuer = \"https://login.example/t1\"\nkeys.allow_plaintext = true");
    assert_eq!(set.settings.issuer, "https://login.example/t1");
}

#[test]
fn a_file_changes_what_it_names_and_leaves_the_rest() {
    let settings = loaded("token_life = 90\n[dpop]\nnonce = \"off\"").settings;
    assert_eq!((settings.token_life, settings.dpop.nonce), (Seconds(90), DpopNonce::Off));
    assert_eq!(settings.dpop.proof_window, Seconds(60));
}

#[test]
fn the_environment_is_stronger_than_the_file() {
    let variables = [
        ("PROCURA_LISTEN", "[::1]:9000"),
        ("PROCURA_DATABASE_URL", "postgres://u:p@[::1]/procura"),
        ("PROCURA_DPOP__NONCE", "off"),
        ("PROCURA_LIMITS__BODY_BYTES", "32768"),
        ("PROCURA_TOKEN_LIFE", "2m"),
        ("PROCURA_CODE_LIFE", "30"),
        ("PROCURA_LOG", "info,server=debug"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = read(Some(&file("token_life = 90\nlog = \"warn\"")), variables).unwrap().settings;
    assert_eq!(settings.listen.to_string(), "[::1]:9000");
    assert_eq!(settings.database_url.reveal(), "postgres://u:p@[::1]/procura");
    assert_eq!(settings.dpop, DpopSettings { nonce: DpopNonce::Off, ..DpopSettings::default() });
    assert_eq!(settings.limits.body_bytes, 32_768);
    assert_eq!((settings.token_life, settings.code_life), (Seconds(120), Seconds(30)));
    assert_eq!(settings.log, "info,server=debug");
}

#[test]
fn unknown_and_ill_formed_variables_are_refused_by_their_own_name() {
    for (name, value, reason) in [
        ("PROCURA_TOKEN_LIVE", "5m", "no such key"),
        ("PROCURA_DPOP__NONE", "off", "no such key"),
        ("PROCURA_DPOP_NONCE", "off", "no such key"),
        ("PROCURA_", "x", "no such key"),
        ("PROCURA_DPOP__", "x", "no such key"),
        ("PROCURA_DPOP", "off", "must be a table, not a text"),
        ("PROCURA_DPOP__NONCE", "maybe", "must be one of required, off"),
        ("PROCURA_TOKEN_LIFE", "soon", "must be whole seconds, or a text"),
        ("PROCURA_TOKEN_LIFE", "-1", "must be from 1 to 86400 seconds"),
        ("PROCURA_CODE_LIFE", "11m", "must be from 1 to 600 seconds"),
        ("PROCURA_ISSUER", "", "must be a URL"),
        ("PROCURA_USERS", "[{username=eve,name=Eve}]", "belong in the file"),
    ] {
        let problems = under(&[(name, value)]).unwrap_err();
        assert!(problems[0].starts_with(&format!("environment: {name}: ")), "{problems:?}");
        assert!(problems[0].contains(reason), "{problems:?}");
    }
}

#[test]
fn variables_that_are_no_settings_are_passed_over() {
    let others =
        [("PROCURA_CONFIG", "x"), ("PROCURA_TEST_POSTGRES", "x"), ("PATH", "x"), ("PROCURATOR", "x")];
    assert!(under(&others).is_ok());
}

#[test]
fn all_problems_are_told_at_once_and_each_on_one_line() {
    let problems = refused(
        "foo = 1\ntoken_life = \"x\"\nlisten = 5\n[dpop]\nnonce = \"?\"\n[[users]]\nusername = \"a\"\nbar = 1\n\
         [[clients]]\nid = \"c\"\nname = 1\nkind = \"x\"\n",
    );
    let keys: Vec<_> = problems.iter().map(|line| line.split(": ").nth(1).unwrap()).collect();
    let expected: BTreeSet<_> = [
        "foo",
        "token_life",
        "listen",
        "dpop.nonce",
        "users[0].bar",
        "users[0].name",
        "clients[0].name",
        "clients[0].kind",
    ]
    .into();
    assert!(expected.is_subset(&keys.iter().copied().collect()), "{problems:#?}");
    assert!(problems.iter().all(|line| !line.contains('\n')), "{problems:#?}");
}

#[test]
fn a_syntax_error_comes_alone_with_its_place_and_without_its_line() {
    let problems = refused("listen = \"127.0.0.1:1\"\ndatabase_url = hunter2\n");
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("t.toml: line 2, column "), "{problems:?}");
    assert!(!problems[0].contains("hunter2"), "{problems:?}");
}

#[test]
fn problems_never_quote_values_that_may_be_secret() {
    for text in [
        "database_url = \"mysql://u:hunter2@db\"",
        "database_url = [\"hunter2\"]",
        "[[users]]\nusername = \"a\"\nname = \"A\"\npassword_hash = \"hunter2\"",
        "[[clients]]\nid=\"c\"\nname=\"C\"\nkind=\"service\"\nauthentication=\"client_secret_basic\"\nsecret_sha256=\"hunter2\"",
    ] {
        let problems = refused(text).join("\n");
        assert!(!problems.contains("hunter2"), "{problems}");
    }
    let config = loaded("database_url = \"postgres://u:hunter2@db/x\"");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_file_that_is_not_there_is_a_problem() {
    let problems = load(Some(Path::new("/nowhere/procura.toml"))).unwrap_err();
    assert!(problems[0].to_string().starts_with("/nowhere/procura.toml: (whole file): cannot be read"));
}

#[test]
fn settings_out_of_bounds_are_refused() {
    for (text, key) in [
        ("issuer = \"http://login.example\"", "issuer"),
        ("issuer = \"https://login.example/\"", "issuer"),
        ("issuer = \"https://login.example?x=1\"", "issuer"),
        ("issuer = \"https://login.example#x\"", "issuer"),
        ("issuer = \"https://LOGIN.example\"", "issuer"),
        ("issuer = \"https://login.example:443\"", "issuer"),
        ("issuer = \"https://u@login.example\"", "issuer"),
        ("issuer = \"login.example\"", "issuer"),
        ("issuer = \"ftp://127.0.0.1\"", "issuer"),
        ("listen = \"0.0.0.0:8080\"", "listen"),
        ("database_url = \"mysql://db\"", "database_url"),
        ("log = \"server=loud\"", "log"),
        ("log = \"\"", "log"),
        ("log_format = \"xml\"", "log_format"),
        ("pushed_request_life = 4", "pushed_request_life"),
        ("pushed_request_life = 601", "pushed_request_life"),
        ("refresh_token_life = 0", "refresh_token_life"),
        ("session_life = 0", "session_life"),
        ("consent_life = 0", "consent_life"),
        ("agent_consent_life = 0", "agent_consent_life"),
        ("max_chain_depth = 0", "max_chain_depth"),
        ("max_chain_depth = 11", "max_chain_depth"),
        ("max_chain_depth = -1", "max_chain_depth"),
        ("dpop.proof_window = 0", "dpop.proof_window"),
        ("dpop.nonce_life = 0", "dpop.nonce_life"),
        ("limits.body_bytes = 1", "limits.body_bytes"),
        ("limits.header_bytes = 1", "limits.header_bytes"),
        ("limits.uri_bytes = 1", "limits.uri_bytes"),
        ("limits.sign_in_attempts_per_minute = 0", "limits.sign_in_attempts_per_minute"),
        (
            "limits.failed_client_authentications_per_minute = 0",
            "limits.failed_client_authentications_per_minute",
        ),
        ("users = 1", "users"),
        ("users = [1]", "users[0]"),
    ] {
        let problems = refused(text);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].starts_with(&format!("t.toml: {key}: ")), "{text}: {problems:?}");
    }
}

#[test]
fn a_broken_entry_does_not_make_references_to_it_problems_too() {
    let problems = refused(&EXAMPLE.replace("username = \"bob\"", "username = \"bob\"\nfoo = 1"));
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[test]
fn two_clients_may_not_share_a_secret() {
    let client = |id: &str| {
        format!(
            "[[clients]]\nid=\"{id}\"\nname=\"C\"\nkind=\"service\"\nauthentication=\"client_secret_basic\"\n\
             secret_sha256=\"7357e0195006ea26789bd4c33f0cc1921b7ff974fc65d67aab26c5827dc7578c\"\n"
        )
    };
    let problems = refused(&(client("a") + &client("b")));
    assert_eq!(problems, ["t.toml: clients[1].secret_sha256: \"b\" shares the secret with clients[0]"]);
    let config = loaded(&client("a"));
    let ClientAuthentication::ClientSecretBasic { secret_sha256 } =
        &config.declared.clients[0].authentication
    else {
        panic!("{config:?}");
    };
    assert!(crate::secret::SecretDigest::of("orders-api-secret").matches(secret_sha256));
    assert_eq!(config.declared.clients[0].grant_types, [GrantType::ClientCredentials].into());
}

#[test]
fn a_jwks_file_is_found_beside_the_configuration() {
    let folder = std::env::temp_dir().join(format!("procura-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let jwks =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"5MRcdWmgME8xqv4NXC6Osm418dmIB7OTy-3xcgBMhm8"}]}"#;
    std::fs::write(folder.join("c.json"), jwks).unwrap();
    let text = "[[clients]]\nid=\"c\"\nname=\"C\"\nkind=\"service\"\nauthentication=\"private_key_jwt\"\njwks_file=\"c.json\"";
    std::fs::write(folder.join("c.toml"), text).unwrap();
    let file = ConfigFile::open(&folder.join("c.toml")).unwrap();
    let found = read(Some(&file), Vec::new());
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(found.is_ok(), "{found:?}");
    assert!(refused(text)[0].starts_with("t.toml: clients[0].jwks_file: cannot be read"));
}

#[test]
fn a_password_hash_and_further_claims_are_kept() {
    let hash =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let text = format!(
        "[[users]]\nusername=\"a\"\nname=\"A\"\npassword_hash=\"{hash}\"\nclaims={{birthdate=1990-01-02, n=[1]}}"
    );
    let user = loaded(&text).declared.users.remove(0);
    assert_eq!(user.password_hash.unwrap().reveal(), hash);
    assert_eq!(
        serde_json::Value::from(user.claims),
        serde_json::json!({"birthdate": "1990-01-02", "n": [1]})
    );
}

#[test]
fn a_declared_details_type_replaces_the_built_in_one_of_its_name() {
    let config = loaded(
        "[[details_types]]\nname=\"mcp_tool\"\nschema_json='{\"properties\":{\"tools\":{}}}'\n\
         [details_types.words.en]\nname=\"T\"\nsentence=\"{tools}\"",
    );
    let types = config.declared.details_types;
    assert_eq!(types.names().count(), 3);
    let replaced = types.find(&"mcp_tool".parse().unwrap()).unwrap();
    assert_eq!(replaced.document().words["en"].name, "T");
}

#[test]
fn a_details_type_that_programs_declare_may_be_named_when_it_is_listed() {
    let server = "[[resource_servers]]\nidentifier=\"https://r.example\"\nname=\"R\"\ndetails_types=[\"gift\"]\n\
                  [resource_servers.scopes]\n\"gifts\"=\"Give\"";
    assert!(refused(server).iter().any(|problem| problem.contains("no details type is named \"gift\"")));
    let config = loaded(&format!("program_details_types = [\"gift\"]\n{server}"));
    assert!(config.declared.resource_servers[0].details_types.contains(&"gift".parse().unwrap()));
    assert_eq!(config.declared.details_types.names().count(), 3, "naming it declares nothing");
}

#[test]
fn usernames_become_user_ids_when_they_are_known() {
    let declared = loaded(EXAMPLE).declared;
    let ids = |username: &str| format!("u-{username}").parse().ok();
    let resolved = declared.resolve(ids).unwrap();
    let owners: Vec<_> = resolved
        .clients
        .iter()
        .filter_map(|client| match &client.kind {
            ClientKind::Agent(agent) => Some(agent.owner.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(owners, ["u-bob", "u-bob"]);
    assert!(resolved.clients[3].dpop_bound_access_tokens);
    let api = "orders-api".parse().unwrap();
    assert!(resolved.rules.may_act(&api, Some(&"u-alice".parse().unwrap())).is_some());
    assert!(resolved.rules.may_act(&api, Some(&"alice".parse().unwrap())).is_none());

    let problem = declared.resolve(|_| None).unwrap_err();
    assert_eq!(problem.to_string(), "t.toml: agents[id=refund-agent].owner: the user \"bob\" has no id");
}

#[test]
fn an_issuer_that_is_another_port_than_the_one_listened_on_leads_elsewhere() {
    let leads_elsewhere = |listen: &str, issuer: Option<&str>| {
        let issuer = issuer.map(|issuer| ("PROCURA_ISSUER", issuer));
        let variables: Vec<_> = [Some(("PROCURA_LISTEN", listen)), issuer].into_iter().flatten().collect();
        under(&variables).unwrap().settings.links_lead_elsewhere()
    };
    assert!(!leads_elsewhere("127.0.0.1:9000", None), "it follows");
    assert!(leads_elsewhere("127.0.0.1:9000", Some("http://127.0.0.1:8080")));
    assert!(!leads_elsewhere("0.0.0.0:8080", Some("http://localhost:8080")));
    assert!(leads_elsewhere("127.0.0.1:8080", Some("http://localhost")));
}
