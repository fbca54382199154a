//! The server's metadata (RFC 8414 §2, OpenID Connect Discovery §3), one document at both well-known places. Its
//! lists come from the enums that the rules match on, so that it cannot promise what is not there.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::acr::Acr;
use crate::audience::ResourceIndicator;
use crate::authorization_details::DetailsTypes;
use crate::authorization_request::DISPLAY_VALUES;
use crate::client::{
    AuthMethod, ContentEncryptionAlg, DeliveryMode, GrantType, KeyManagementAlg, SigningAlg, SubjectType,
};
use crate::federation::revocation;
use crate::grant_management::GrantAction;
use crate::resource_authorization_server::GrantKind;
use crate::scope::Scope;
use crate::standard_claims::BY_SCOPE;
use crate::token_request::JWT_DPOP;
use crate::userinfo::OPENID_SCOPES;
use crate::{grant_management, pkce, prompt, response_mode};

/// `authorization_endpoint`.
pub const AUTHORIZE: &str = "/authorize";
/// `token_endpoint`.
pub const TOKEN: &str = "/token";
/// `pushed_authorization_request_endpoint` (RFC 9126 §5).
pub const PAR: &str = "/par";
/// `jwks_uri`.
pub const JWKS: &str = "/jwks";
/// `introspection_endpoint` (RFC 7662).
pub const INTROSPECT: &str = "/introspect";
/// `revocation_endpoint` (RFC 7009).
pub const REVOKE: &str = "/revoke";
/// `userinfo_endpoint` (OpenID Connect Core §5.3).
pub const USERINFO: &str = "/userinfo";
/// `registration_endpoint` (RFC 7591 §3).
pub const REGISTER: &str = "/register";
/// `grant_management_endpoint` (Grant Management for OAuth 2.0).
pub const GRANTS: &str = "/grants";
/// `global_token_revocation_endpoint` (Global Token Revocation).
pub const GLOBAL_TOKEN_REVOCATION: &str = "/global-token-revocation";
/// Challenges for client attestations (OAuth 2.0 Attestation-Based Client Authentication, `challenge_endpoint`).
pub const ATTESTATION_CHALLENGE: &str = "/attestation-challenge";
/// `status_list_aggregation_endpoint` (Token Status List); each list is below it.
pub const STATUS_LISTS: &str = "/status-lists";
/// `tasks_endpoint`, Procura's own.
pub const TASKS: &str = "/tasks";

/// `end_session_endpoint` (RP-Initiated Logout §2.1).
pub const LOGOUT: &str = "/logout";
/// `check_session_iframe` (Session Management §3.3).
pub const CHECK_SESSION: &str = "/check-session";
/// `device_authorization_endpoint` (RFC 8628 §4).
pub const DEVICE_AUTHORIZATION: &str = "/device_authorization";
/// `verification_uri` (RFC 8628 §3.2): short, to be typed.
pub const DEVICE: &str = "/device";
/// `backchannel_authentication_endpoint` (Client-Initiated Backchannel Authentication §4).
pub const BACKCHANNEL_AUTHENTICATION: &str = "/backchannel/authorize";

/// Where OpenID Connect Discovery (§4) puts the document: behind the issuer's path.
pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
/// Where RFC 8414 (§3) puts it: between the issuer's host and its path.
pub const OAUTH_AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";

/// The grant profile of those that take identity assertions.
const ID_JAG_PROFILE: &str = "urn:ietf:params:oauth:grant-profile:id-jag";
/// The languages of the pages (BCP 47).
pub const UI_LOCALES: [&str; 2] = ["en", "de"];

/// What of the document depends on the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The issuer identifier, exactly as it stands in tokens. Never taken from a request.
    pub issuer: &'a str,
    /// Every scope of every resource server.
    pub scopes: &'a Scope,
    /// The registered details types.
    pub details_types: &'a DetailsTypes,
    /// The resource servers (RFC 9728 §4).
    pub resources: &'a [ResourceIndicator],
    /// Whether clients may register themselves (RFC 7591).
    pub registration: bool,
    /// Whether a client id may be the URL of a metadata document.
    pub client_id_metadata_documents: bool,
    /// The methods by which platforms vouch for clients, as far as such platforms are trusted here.
    pub platforms: &'a [AuthMethod],
    /// Whether every authorization request must say what becomes of the user's word (Grant Management for OAuth 2.0).
    pub grant_management_action_required: bool,
    /// What is done with client certificates, where they can be shown.
    pub certificates: Option<Certificates<'a>>,
    /// The grants that are issued for other domains.
    pub chaining: &'a BTreeSet<GrantKind>,
    /// Whether identity assertions of others are taken (Identity Assertion JWT Authorization Grant §7.2).
    pub identity_assertions: bool,
}

/// What is done with client certificates (RFC 8705).
#[derive(Clone, Copy, Debug)]
pub struct Certificates<'a> {
    /// The base URL where they are asked for, if it is not the issuer's (§5).
    pub base: Option<&'a str>,
    /// Whether there are authorities that vouch for them (§2.1).
    pub authorities: bool,
}

/// Where browsers go, and what anybody reads: endpoints that have no use for a certificate (RFC 8705 §5).
const WITHOUT_CERTIFICATES: [&str; 7] = [
    "challenge_endpoint",
    "authorization_endpoint",
    "jwks_uri",
    "end_session_endpoint",
    "check_session_iframe",
    "service_documentation",
    "status_list_aggregation_endpoint",
];

/// The paths of both well-known documents on the issuer's host. They differ for an issuer with a path: OpenID Connect
/// appends, RFC 8414 inserts.
#[must_use]
pub fn well_known_paths(issuer: &str) -> [String; 2] {
    let after_scheme = issuer.find("://").map_or(0, |at| at + 3);
    let path = issuer[after_scheme..].find('/').map_or("", |at| &issuer[after_scheme + at..]);
    let path = path.trim_end_matches('/');
    [format!("{path}{OPENID_CONFIGURATION}"), format!("{OAUTH_AUTHORIZATION_SERVER}{path}")]
}

/// The `uri` of a status list.
#[must_use]
pub fn status_list_uri(issuer: &str, list: &str) -> String {
    format!("{}{STATUS_LISTS}/{list}", issuer.trim_end_matches('/'))
}

/// The document. Members without a value are left out (RFC 8414 §3.2), those with a default never.
#[must_use]
pub fn metadata(facts: &Facts<'_>) -> Map<String, Value> {
    let mut document = Map::new();
    document.insert("issuer".to_owned(), facts.issuer.into());
    endpoints(facts.issuer, &mut document);
    authorization(facts, &mut document);
    authentication(facts, &mut document);
    backchannel(&mut document);
    introspection(&mut document);
    openid(&mut document);
    registration(facts, &mut document);
    logout(facts.issuer, &mut document);
    other_domains(facts, &mut document);
    let openid_scopes = OPENID_SCOPES.into_iter().map(str::to_owned);
    let own_scopes = facts.scopes.iter().map(ToString::to_string);
    let own_scopes = own_scopes.filter(|scope| !OPENID_SCOPES.contains(&scope.as_str()));
    put(&mut document, "scopes_supported", openid_scopes.chain(own_scopes));
    put(
        &mut document,
        "authorization_details_types_supported",
        facts.details_types.names().map(ToString::to_string),
    );
    put(&mut document, "protected_resources", facts.resources.iter().map(ToString::to_string));
    // Last, since it speaks of every endpoint above.
    certificates(facts, &mut document);
    document
}

fn endpoints(issuer: &str, document: &mut Map<String, Value>) {
    let base = issuer.trim_end_matches('/');
    for (name, path) in [
        ("authorization_endpoint", AUTHORIZE),
        ("token_endpoint", TOKEN),
        ("pushed_authorization_request_endpoint", PAR),
        ("jwks_uri", JWKS),
        ("introspection_endpoint", INTROSPECT),
        ("revocation_endpoint", REVOKE),
        ("userinfo_endpoint", USERINFO),
        ("grant_management_endpoint", GRANTS),
        ("global_token_revocation_endpoint", GLOBAL_TOKEN_REVOCATION),
        ("tasks_endpoint", TASKS),
        ("status_list_aggregation_endpoint", STATUS_LISTS),
        ("device_authorization_endpoint", DEVICE_AUTHORIZATION),
        ("backchannel_authentication_endpoint", BACKCHANNEL_AUTHENTICATION),
    ] {
        document.insert(name.to_owned(), format!("{base}{path}").into());
    }
}

fn authorization(facts: &Facts<'_>, document: &mut Map<String, Value>) {
    put(document, "response_types_supported", ["code"]);
    put(document, "response_modes_supported", response_mode::VALUES);
    // The last one is another name of the JWT grant.
    let grant_types = GrantType::ALL.map(GrantType::as_str).into_iter().chain([JWT_DPOP]);
    put(document, "grant_types_supported", grant_types);
    put(document, "code_challenge_methods_supported", [pkce::METHOD]);
    put(document, "prompt_values_supported", prompt::VALUES);
    let actions = grant_management::AT_THE_ENDPOINT.into_iter().chain(GrantAction::NAMES);
    put(document, "grant_management_actions_supported", actions);
    put(document, "global_token_revocation_endpoint_auth_methods_supported", [revocation::TYP]);
    for (name, value) in [
        ("authorization_response_iss_parameter_supported", true),
        ("deferred_token_response_supported", true),
        ("request_parameter_supported", true),
        ("request_uri_parameter_supported", true),
        ("require_request_uri_registration", true),
        ("require_signed_request_object", false),
        ("require_pushed_authorization_requests", false),
        ("claims_parameter_supported", true),
        ("grant_management_action_required", facts.grant_management_action_required),
        ("actor_receipts_supported", true),
    ] {
        document.insert(name.to_owned(), value.into());
    }
    put(document, "request_object_signing_alg_values_supported", SigningAlg::ALL.map(SigningAlg::as_str));
    signed_and_encrypted("authorization", document);
}

/// What is signed, and encrypted where the client registered so.
fn signed_and_encrypted(what: &str, document: &mut Map<String, Value>) {
    let algs = KeyManagementAlg::ALL.map(KeyManagementAlg::as_str);
    let encs = ContentEncryptionAlg::ALL.map(ContentEncryptionAlg::as_str);
    put(document, &format!("{what}_signing_alg_values_supported"), SigningAlg::ALL.map(SigningAlg::as_str));
    put(document, &format!("{what}_encryption_alg_values_supported"), algs);
    put(document, &format!("{what}_encryption_enc_values_supported"), encs);
}

/// How clients authenticate and bind tokens. Introspection is not for public clients: a `client_id` alone proves
/// nothing (RFC 7662 §2.1).
fn authentication(facts: &Facts<'_>, document: &mut Map<String, Value>) {
    let authorities = facts.certificates.is_some_and(|certificates| certificates.authorities);
    let offered = || AuthMethod::offered(facts.certificates.is_some(), authorities);
    let methods = || offered().chain(facts.platforms.iter().copied());
    let proving = methods().filter(|method| *method != AuthMethod::None);
    let algs = || SigningAlg::ALL.map(SigningAlg::as_str);
    put(document, "token_endpoint_auth_methods_supported", methods().map(AuthMethod::as_str));
    put(document, "revocation_endpoint_auth_methods_supported", methods().map(AuthMethod::as_str));
    put(document, "introspection_endpoint_auth_methods_supported", proving.map(AuthMethod::as_str));
    for endpoint in ["token", "revocation", "introspection"] {
        put(document, &format!("{endpoint}_endpoint_auth_signing_alg_values_supported"), algs());
    }
    put(document, "dpop_signing_alg_values_supported", algs());
    if facts.platforms.iter().any(|method| method.is_attested()) {
        put(document, "client_attestation_signing_alg_values_supported", algs());
        if facts.platforms.contains(&AuthMethod::AttestJwtClientAuth) {
            put(document, "client_attestation_pop_signing_alg_values_supported", algs());
        }
        let base = facts.issuer.trim_end_matches('/');
        document.insert("challenge_endpoint".to_owned(), format!("{base}{ATTESTATION_CHALLENGE}").into());
    }
}

/// Requests for users who are elsewhere (Client-Initiated Backchannel Authentication §4).
fn backchannel(document: &mut Map<String, Value>) {
    let modes = DeliveryMode::ALL.map(DeliveryMode::as_str);
    put(document, "backchannel_token_delivery_modes_supported", modes);
    let algs = SigningAlg::ALL.map(SigningAlg::as_str);
    put(document, "backchannel_authentication_request_signing_alg_values_supported", algs);
    document.insert("backchannel_user_code_parameter_supported".to_owned(), true.into());
}

/// How introspection is answered by a JWT (RFC 9701 §7).
fn introspection(document: &mut Map<String, Value>) {
    put(document, "introspection_signing_alg_values_supported", SigningAlg::ALL.map(SigningAlg::as_str));
    let algs = KeyManagementAlg::ALL.map(KeyManagementAlg::as_str);
    put(document, "introspection_encryption_alg_values_supported", algs);
    let encs = ContentEncryptionAlg::ALL.map(ContentEncryptionAlg::as_str);
    put(document, "introspection_encryption_enc_values_supported", encs);
}

/// Tokens that are bound to certificates, and where to come with one (RFC 8705 §3.3, §5).
fn certificates(facts: &Facts<'_>, document: &mut Map<String, Value>) {
    let Some(certificates) = facts.certificates else { return };
    document.insert("tls_client_certificate_bound_access_tokens".to_owned(), true.into());
    let issuer = facts.issuer.trim_end_matches('/');
    let alias = |(name, url): (&String, &Value)| {
        let direct = name.ends_with("_endpoint") && !WITHOUT_CERTIFICATES.contains(&name.as_str());
        let path = url.as_str()?.strip_prefix(issuer)?;
        direct.then(|| Some((name.clone(), format!("{}{path}", certificates.base?).into())))?
    };
    let aliases: Map<String, Value> = document.iter().filter_map(alias).collect();
    if !aliases.is_empty() {
        document.insert("mtls_endpoint_aliases".to_owned(), Value::Object(aliases));
    }
}

fn openid(document: &mut Map<String, Value>) {
    put(document, "subject_types_supported", SubjectType::ALL.map(SubjectType::as_str));
    signed_and_encrypted("id_token", document);
    signed_and_encrypted("userinfo", document);
    put(document, "acr_values_supported", Acr::ALL.map(Acr::as_str));
    put(document, "display_values_supported", DISPLAY_VALUES);
    put(document, "ui_locales_supported", UI_LOCALES);
    put(document, "claim_types_supported", ["normal"]);
    let of_id_token =
        ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"];
    let of_scopes = BY_SCOPE.into_iter().flat_map(|(_, claims)| claims.iter().copied());
    put(document, "claims_supported", of_id_token.into_iter().chain(of_scopes));
}

/// How clients come to be known here, other than by the operator.
fn registration(facts: &Facts<'_>, document: &mut Map<String, Value>) {
    if facts.registration {
        let base = facts.issuer.trim_end_matches('/');
        document.insert("registration_endpoint".to_owned(), format!("{base}{REGISTER}").into());
    }
    if facts.client_id_metadata_documents {
        document.insert("client_id_metadata_document_supported".to_owned(), true.into());
    }
}

/// How sessions end (RP-Initiated Logout §2.1, Back-Channel Logout §2.1, Front-Channel Logout §3, Session Management
/// §3.3).
fn logout(issuer: &str, document: &mut Map<String, Value>) {
    let base = issuer.trim_end_matches('/');
    document.insert("end_session_endpoint".to_owned(), format!("{base}{LOGOUT}").into());
    document.insert("check_session_iframe".to_owned(), format!("{base}{CHECK_SESSION}").into());
    for name in [
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
    ] {
        document.insert(name.to_owned(), true.into());
    }
}

/// What goes to other domains (Identity Chaining §3), and what is taken of them (Identity Assertion JWT Authorization
/// Grant §7.2). Of whom, is nobody's business.
fn other_domains(facts: &Facts<'_>, document: &mut Map<String, Value>) {
    let issued = facts.chaining.iter().map(|kind| kind.token_type().as_str());
    put(document, "identity_chaining_requested_token_types_supported", issued);
    if facts.identity_assertions {
        put(document, "authorization_grant_profiles_supported", [ID_JAG_PROFILE]);
    }
}

/// Adds a list, unless it is empty.
fn put<V: Into<Value>>(document: &mut Map<String, Value>, name: &str, values: impl IntoIterator<Item = V>) {
    let values: Vec<Value> = values.into_iter().map(Into::into).collect();
    if !values.is_empty() {
        document.insert(name.to_owned(), Value::Array(values));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization_details::built_in;
    use crate::token_type::TokenType;
    use serde_json::json;

    fn document(issuer: &str) -> Map<String, Value> {
        metadata(&Facts {
            issuer,
            scopes: &"orders:read openid".parse().unwrap(),
            details_types: &DetailsTypes::new(built_in()).unwrap(),
            resources: &["urn:orders".parse().unwrap()],
            registration: false,
            client_id_metadata_documents: false,
            platforms: &[],
            grant_management_action_required: false,
            certificates: None,
            chaining: &BTreeSet::new(),
            identity_assertions: false,
        })
    }

    fn with_certificates(base: Option<&str>, authorities: bool) -> Map<String, Value> {
        metadata(&Facts {
            issuer: "https://as.example/t1",
            scopes: &Scope::empty(),
            details_types: &DetailsTypes::new(built_in()).unwrap(),
            resources: &[],
            registration: false,
            client_id_metadata_documents: false,
            platforms: &[AuthMethod::WorkloadJwt],
            grant_management_action_required: false,
            certificates: Some(Certificates { base, authorities }),
            chaining: &BTreeSet::new(),
            identity_assertions: false,
        })
    }

    #[test]
    fn certificates_are_spoken_of_only_where_they_can_be_shown() {
        let without = document("https://as.example");
        assert_eq!(without.get("tls_client_certificate_bound_access_tokens"), None);
        assert_eq!(without.get("mtls_endpoint_aliases"), None);
        let methods = |told: &Map<String, Value>| told["token_endpoint_auth_methods_supported"].to_string();
        assert!(!methods(&without).contains("tls_client_auth"));
        let told = with_certificates(Some("https://mtls.example"), true);
        assert_eq!(told["tls_client_certificate_bound_access_tokens"], true);
        assert!(methods(&told).contains("\"tls_client_auth\",\"self_signed_tls_client_auth\""));
        let self_signed = with_certificates(None, false);
        assert!(!methods(&self_signed).contains("\"tls_client_auth\""));
        assert!(methods(&self_signed).contains("\"self_signed_tls_client_auth\""));
        assert_eq!(self_signed.get("mtls_endpoint_aliases"), None);
    }

    #[test]
    fn every_endpoint_that_clients_call_themselves_has_an_alias_and_no_other_has() {
        let told = with_certificates(Some("https://mtls.example/x"), true);
        let aliases = told["mtls_endpoint_aliases"].as_object().unwrap();
        assert_eq!(aliases["token_endpoint"], "https://mtls.example/x/token");
        for name in ["pushed_authorization_request_endpoint", "introspection_endpoint", "userinfo_endpoint"] {
            assert!(aliases.contains_key(name), "{name}");
        }
        for name in ["authorization_endpoint", "jwks_uri", "issuer"] {
            assert!(!aliases.contains_key(name), "{name}");
        }
    }

    #[test]
    fn every_endpoint_is_an_address_under_the_issuer() {
        let told = document("https://as.example/t1");
        assert_eq!(told["issuer"], "https://as.example/t1");
        let addresses = told.iter().filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri");
        let addresses: Vec<_> = addresses.map(|(_, address)| address.as_str().unwrap()).collect();
        assert_eq!(addresses.len(), 14);
        assert!(addresses.iter().all(|address| address.starts_with("https://as.example/t1/")));
        assert_eq!(told["pushed_authorization_request_endpoint"], "https://as.example/t1/par");
        assert_eq!(document("https://as.example/")["token_endpoint"], "https://as.example/token");
    }

    #[test]
    fn what_a_default_would_widen_is_said() {
        let told = document("https://as.example");
        for (name, value) in [
            ("response_types_supported", json!(["code"])),
            ("response_modes_supported", json!(["query", "form_post", "jwt", "query.jwt", "form_post.jwt"])),
            ("code_challenge_methods_supported", json!(["S256"])),
            ("subject_types_supported", json!(["public", "pairwise"])),
            ("request_parameter_supported", json!(true)),
            ("request_uri_parameter_supported", json!(true)),
            ("require_request_uri_registration", json!(true)),
            ("claims_parameter_supported", json!(true)),
            ("authorization_response_iss_parameter_supported", json!(true)),
            (
                "grant_types_supported",
                GrantType::ALL.map(GrantType::as_str).into_iter().chain([JWT_DPOP]).collect(),
            ),
            ("protected_resources", json!(["urn:orders"])),
            ("authorization_details_types_supported", json!(["agent_task", "mcp_tool", "vault:path_access"])),
        ] {
            assert_eq!(told[name], value, "{name}");
        }
    }

    #[test]
    fn wherever_a_jwt_may_authenticate_its_algorithms_are_listed_and_none_is_never_one() {
        let told = document("https://as.example");
        // Who revokes globally is no client, and its one method is a JWT of a kind of its own.
        let of_clients = |name: &&String| !name.starts_with("global_token_revocation");
        let lists = told.keys().filter(|name| name.ends_with("auth_methods_supported")).filter(of_clients);
        let lists: Vec<_> = lists.collect();
        assert_eq!(lists.len(), 3);
        for list in lists {
            let algs = list.replace("auth_methods", "auth_signing_alg_values");
            assert_eq!(told[&algs], json!(["ES256", "EdDSA", "PS256", "RS256"]), "{algs}");
        }
        let introspection = told["introspection_endpoint_auth_methods_supported"].as_array().unwrap();
        assert!(!introspection.contains(&json!("none")));
        assert!(told["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!("none")));
    }

    #[test]
    fn attestations_are_spoken_of_only_where_somebody_makes_them() {
        let attested = |platforms: &[AuthMethod]| {
            metadata(&Facts {
                issuer: "https://as.example/t1",
                scopes: &Scope::empty(),
                details_types: &DetailsTypes::default(),
                resources: &[],
                registration: false,
                client_id_metadata_documents: false,
                platforms,
                grant_management_action_required: false,
                certificates: Some(Certificates { base: Some("https://mtls.example"), authorities: true }),
                chaining: &BTreeSet::new(),
                identity_assertions: false,
            })
        };
        let told = attested(&[AuthMethod::AttestJwtClientAuth]);
        assert_eq!(told["challenge_endpoint"], "https://as.example/t1/attestation-challenge");
        let methods = told["token_endpoint_auth_methods_supported"].as_array().unwrap();
        assert!(methods.contains(&json!("attest_jwt_client_auth")));
        for name in [
            "client_attestation_signing_alg_values_supported",
            "client_attestation_pop_signing_alg_values_supported",
        ] {
            assert_eq!(told[name], json!(["ES256", "EdDSA", "PS256", "RS256"]), "{name}");
        }
        assert!(!told["mtls_endpoint_aliases"].as_object().unwrap().contains_key("challenge_endpoint"));
        // Whose proof is the DPoP proof is told of that by `dpop_signing_alg_values_supported`.
        let combined = attested(&[AuthMethod::AttestJwtClientAuthDpop]);
        assert_eq!(combined["challenge_endpoint"], told["challenge_endpoint"]);
        assert!(combined.contains_key("client_attestation_signing_alg_values_supported"));
        assert!(!combined.contains_key("client_attestation_pop_signing_alg_values_supported"));
        let methods = combined["token_endpoint_auth_methods_supported"].as_array().unwrap();
        assert!(methods.contains(&json!("attest_jwt_client_auth_dpop")));
        let without = attested(&[AuthMethod::WorkloadJwt]);
        assert!(
            !without.keys().any(|name| name.contains("attestation") || name.contains("challenge_endpoint"))
        );
    }

    #[test]
    fn registration_is_told_of_where_there_is_one() {
        let closed = document("https://as.example");
        assert!(!closed.contains_key("registration_endpoint"));
        assert!(!closed.contains_key("client_id_metadata_document_supported"));
        let open = metadata(&Facts {
            issuer: "https://as.example",
            scopes: &Scope::empty(),
            details_types: &DetailsTypes::default(),
            resources: &[],
            registration: true,
            grant_management_action_required: true,
            client_id_metadata_documents: true,
            platforms: &[],
            certificates: None,
            chaining: &BTreeSet::new(),
            identity_assertions: false,
        });
        assert_eq!(open["registration_endpoint"], "https://as.example/register");
        assert_eq!(open["client_id_metadata_document_supported"], true);
    }

    #[test]
    fn other_domains_are_spoken_of_where_something_goes_there_or_is_taken_of_them() {
        const ISSUED: &str = "identity_chaining_requested_token_types_supported";
        const TAKEN: &str = "authorization_grant_profiles_supported";
        let alone = document("https://as.example");
        assert!(!alone.contains_key(ISSUED) && !alone.contains_key(TAKEN));
        let types = DetailsTypes::default();
        let scopes = Scope::empty();
        let told = metadata(&Facts {
            issuer: "https://as.example",
            scopes: &scopes,
            details_types: &types,
            resources: &[],
            registration: false,
            grant_management_action_required: false,
            client_id_metadata_documents: false,
            platforms: &[],
            certificates: None,
            chaining: &[GrantKind::IdJag, GrantKind::Jwt].into(),
            identity_assertions: true,
        });
        let names = [TokenType::IdJag.as_str(), TokenType::Jwt.as_str()];
        assert_eq!((&told[ISSUED], &told[TAKEN]), (&json!(names), &json!([ID_JAG_PROFILE])));
        assert!(
            told["grant_types_supported"].as_array().unwrap().contains(&json!(GrantType::JwtBearer.as_str()))
        );
    }

    #[test]
    fn no_list_is_empty_and_none_names_a_thing_twice() {
        let bare = metadata(&Facts {
            issuer: "https://as.example",
            scopes: &Scope::empty(),
            details_types: &DetailsTypes::default(),
            resources: &[],
            registration: false,
            client_id_metadata_documents: false,
            platforms: &[],
            grant_management_action_required: false,
            certificates: None,
            chaining: &BTreeSet::new(),
            identity_assertions: false,
        });
        assert!(!bare.contains_key("protected_resources"));
        for (name, list) in document("https://as.example").iter().chain(&bare) {
            let Some(items) = list.as_array() else { continue };
            let distinct: std::collections::BTreeSet<_> = items.iter().map(ToString::to_string).collect();
            assert!(!items.is_empty() && distinct.len() == items.len(), "{name}");
        }
    }

    #[test]
    fn openid_appends_to_the_issuers_path_and_rfc_8414_inserts_before_it() {
        let both = |openid: &str, oauth: &str| [openid.to_owned(), oauth.to_owned()];
        for root in ["https://as.example", "https://as.example/"] {
            assert_eq!(well_known_paths(root), both(OPENID_CONFIGURATION, OAUTH_AUTHORIZATION_SERVER));
        }
        assert_eq!(
            well_known_paths("https://as.example:8443/t1/"),
            both("/t1/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/t1")
        );
    }
}
