//! `[[clients]]` and `[[agents]]`.

use std::collections::BTreeSet;
use std::path::Path;

use protocol::admin_api::{self, AdminScope};
use protocol::audience::{ResourceIndicator, Resources};
use protocol::certificate::certificates_of;
use protocol::client::{
    AuthMethod, ClientAuthentication, ClientMetadata, DeliveryMode, GrantType, KeySource, SigningAlg,
    SubjectType,
};
use protocol::identifier::{ClientId, DetailsTypeName};
use protocol::numeric_date::NumericDate;
use protocol::profile::{Judged, SecurityProfile};
use protocol::registration::redirect_uris::{self, is_loopback};
use protocol::scope::{Scope, ScopeToken};
use protocol::subject;
use serde::Deserialize;
use url::Url;

use super::credentials::{Credential, WrittenKeys, keys, needs_keys, secret};
use super::declared::{DeclaredAgent, DeclaredClient, DeclaredKind};
use super::known::Known;
use super::problem::Entry;
use super::user::is_short;
use super::workload::{WrittenPlatform, WrittenWorkload};
use super::written::{Json, moment};

/// A client as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenClient {
    id: ClientId,
    name: String,
    kind: WrittenKind,
    authentication: AuthMethod,
    #[serde(default)]
    secret_sha256: Option<String>,
    #[serde(default)]
    jwks: Option<Json>,
    #[serde(default)]
    jwks_file: Option<String>,
    #[serde(default)]
    jwks_uri: Option<Url>,
    #[serde(default)]
    workload: Option<WrittenWorkload>,
    #[serde(default)]
    spiffe_id: Option<String>,
    #[serde(default)]
    attester: Option<String>,
    #[serde(default)]
    profile: SecurityProfile,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    #[serde(default)]
    grant_types: Option<BTreeSet<GrantType>>,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    resources: Resources,
    #[serde(default)]
    authorization_details_types: BTreeSet<DetailsTypeName>,
    #[serde(default)]
    dpop_bound_access_tokens: bool,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    #[serde(default = "es256")]
    id_token_signed_response_alg: SigningAlg,
    #[serde(default)]
    resource_server: Option<ResourceIndicator>,
    #[serde(default)]
    admin_api: bool,
}

/// An agent as written: a client with an owner, a purpose and an end, that proves itself with a key of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenAgent {
    id: ClientId,
    name: String,
    owner: String,
    purpose: String,
    #[serde(deserialize_with = "moment")]
    expires: NumericDate,
    #[serde(default)]
    max_chain_depth: Option<usize>,
    #[serde(default = "private_key_jwt")]
    authentication: AuthMethod,
    #[serde(default)]
    jwks: Option<Json>,
    #[serde(default)]
    jwks_file: Option<String>,
    #[serde(default)]
    jwks_uri: Option<Url>,
    #[serde(default)]
    workload: Option<WrittenWorkload>,
    #[serde(default)]
    spiffe_id: Option<String>,
    #[serde(default)]
    attester: Option<String>,
    #[serde(default)]
    profile: SecurityProfile,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    #[serde(default)]
    grant_types: Option<BTreeSet<GrantType>>,
    #[serde(default)]
    scope: Scope,
    #[serde(default)]
    resources: Resources,
    #[serde(default)]
    authorization_details_types: BTreeSet<DetailsTypeName>,
    #[serde(default)]
    require_pushed_authorization_requests: bool,
    #[serde(default = "es256")]
    id_token_signed_response_alg: SigningAlg,
    #[serde(default)]
    resource_server: Option<ResourceIndicator>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenKind {
    Application,
    Service,
}

const fn es256() -> SigningAlg {
    SigningAlg::Es256
}

const fn private_key_jwt() -> AuthMethod {
    AuthMethod::PrivateKeyJwt
}

/// What an agent may do unless it says otherwise. To ask people who are elsewhere it must be permitted by name.
const AGENTS_USUAL: [GrantType; 5] = [
    GrantType::AuthorizationCode,
    GrantType::RefreshToken,
    GrantType::ClientCredentials,
    GrantType::TokenExchange,
    GrantType::JwtBearer,
];

impl WrittenClient {
    pub(super) fn check(
        self,
        metadata: ClientMetadata,
        known: &Known,
        folder: &Path,
        mut entry: Entry<'_>,
    ) -> Option<(DeclaredClient, Vec<Credential>)> {
        let (kind, usual): (_, &[GrantType]) = match self.kind {
            WrittenKind::Application => {
                (DeclaredKind::Application, &[GrantType::AuthorizationCode, GrantType::RefreshToken])
            }
            WrittenKind::Service => (DeclaredKind::Service, &[GrantType::ClientCredentials]),
        };
        let has_secret =
            matches!(self.authentication, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost);
        let method = self.authentication.as_str();
        if self.secret_sha256.is_some() && !has_secret {
            entry.no("secret_sha256", format_args!("authentication is {method}, which has no secret"));
        }
        let written = WrittenKeys { jwks: self.jwks, file: self.jwks_file, uri: self.jwks_uri };
        let keys = keys(written, needs_keys(self.authentication), folder, &mut entry);
        let platform =
            WrittenPlatform { workload: self.workload, spiffe_id: self.spiffe_id, attester: self.attester };
        let platform = platform.check(self.authentication, known, &mut entry);
        let proof = match self.authentication {
            AuthMethod::None => Some((ClientAuthentication::None, Vec::new())),
            AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => {
                let post = self.authentication == AuthMethod::ClientSecretPost;
                secret(self.secret_sha256.as_deref(), post, &mut entry)
            }
            AuthMethod::PrivateKeyJwt => Some((ClientAuthentication::PrivateKeyJwt, Vec::new())),
            AuthMethod::TlsClientAuth => Some((ClientAuthentication::TlsClientAuth, Vec::new())),
            AuthMethod::SelfSignedTlsClientAuth => {
                Some((ClientAuthentication::SelfSignedTlsClientAuth, Vec::new()))
            }
            AuthMethod::WorkloadJwt
            | AuthMethod::SpiffeJwt
            | AuthMethod::SpiffeX509
            | AuthMethod::AttestJwtClientAuth
            | AuthMethod::AttestJwtClientAuthDpop => platform.map(|platform| (platform, Vec::new())),
        };
        let client = DeclaredClient {
            id: self.id,
            name: self.name,
            kind,
            profile: self.profile,
            // Where the proof is unfit, that was told, and this client goes nowhere; its other keys are still checked.
            authentication: proof.as_ref().map_or(ClientAuthentication::None, |proof| proof.0.clone()),
            keys: keys.as_ref().map_or(KeySource::None, |keys| keys.0.clone()),
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            grant_types: self.grant_types.unwrap_or_else(|| usual.iter().copied().collect()),
            scope: self.scope,
            resources: self.resources,
            authorization_details_types: self.authorization_details_types,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            id_token_signed_response_alg: self.id_token_signed_response_alg,
            resource_server: self.resource_server,
            metadata,
            admin_api: self.admin_api,
        };
        check(&client, self.authentication, known, &mut entry);
        let (_, mut credentials) = proof?;
        credentials.extend(keys?.1);
        Some((client, credentials))
    }
}

impl WrittenAgent {
    pub(super) fn check(
        self,
        metadata: ClientMetadata,
        known: &Known,
        folder: &Path,
        mut entry: Entry<'_>,
    ) -> Option<(DeclaredClient, Vec<Credential>)> {
        let owned = known.usernames.contains(&self.owner);
        entry.check(owned, "owner", format_args!("no user is named {:?}", self.owner));
        let meant = !self.purpose.trim().is_empty() && self.purpose.chars().count() <= 1000;
        entry.check(meant, "purpose", "must be 1 to 1000 characters: people read it before they consent");
        let deep = self.max_chain_depth.is_none_or(|depth| (1..=10).contains(&depth));
        entry.check(deep, "max_chain_depth", "must be from 1 to 10");
        let written = WrittenKeys { jwks: self.jwks, file: self.jwks_file, uri: self.jwks_uri };
        let keys = keys(written, needs_keys(self.authentication), folder, &mut entry);
        let platform =
            WrittenPlatform { workload: self.workload, spiffe_id: self.spiffe_id, attester: self.attester };
        let platform = platform.check(self.authentication, known, &mut entry);
        let authentication = match self.authentication {
            AuthMethod::PrivateKeyJwt => Some(ClientAuthentication::PrivateKeyJwt),
            AuthMethod::TlsClientAuth => Some(ClientAuthentication::TlsClientAuth),
            AuthMethod::SelfSignedTlsClientAuth => Some(ClientAuthentication::SelfSignedTlsClientAuth),
            AuthMethod::WorkloadJwt
            | AuthMethod::SpiffeJwt
            | AuthMethod::SpiffeX509
            | AuthMethod::AttestJwtClientAuth
            | AuthMethod::AttestJwtClientAuthDpop => platform,
            AuthMethod::None | AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => {
                let unfit = "an agent proves itself with a key that nobody else has, private_key_jwt, \
                             tls_client_auth or self_signed_tls_client_auth, or by the word of its platform or attester, \
                             workload_jwt, spiffe_jwt, spiffe_x509, attest_jwt_client_auth or \
                             attest_jwt_client_auth_dpop";
                entry.no("authentication", unfit);
                None
            }
        };
        let agent = DeclaredAgent {
            owner: self.owner,
            purpose: self.purpose,
            expires_at: self.expires,
            max_chain_depth: self.max_chain_depth,
        };
        let client = DeclaredClient {
            id: self.id,
            name: self.name,
            kind: DeclaredKind::Agent(agent),
            profile: self.profile,
            // Where the method is unfit, that was told, and this agent goes nowhere.
            authentication: authentication.clone().unwrap_or(ClientAuthentication::PrivateKeyJwt),
            keys: keys.as_ref().map_or(KeySource::None, |keys| keys.0.clone()),
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            grant_types: self.grant_types.unwrap_or_else(|| AGENTS_USUAL.into()),
            scope: self.scope,
            resources: self.resources,
            authorization_details_types: self.authorization_details_types,
            // An agent's tokens are bound to one thing or the other.
            dpop_bound_access_tokens: !metadata.tls_client_certificate_bound_access_tokens,
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            id_token_signed_response_alg: self.id_token_signed_response_alg,
            resource_server: self.resource_server,
            metadata,
            admin_api: false,
        };
        check(&client, self.authentication, known, &mut entry);
        authentication?;
        keys.map(|(_, credentials)| (client, credentials))
    }
}

/// What holds for every client.
fn check(client: &DeclaredClient, method: AuthMethod, known: &Known, entry: &mut Entry<'_>) {
    entry.check(is_short(&client.name), "name", "must be 1 to 200 characters");
    let registered = [
        ("redirect_uris", &client.redirect_uris),
        ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
    ];
    for (field, uris) in registered {
        for (i, uri) in uris.iter().enumerate() {
            if let Err(why) = redirect_uris::check(uri) {
                entry.no(format_args!("{field}[{i}]"), why);
            }
        }
    }
    for (field, why) in protocol::logout::unfit(&client.metadata, &client.redirect_uris) {
        entry.no(field, why);
    }
    let by_code = client.grant_types.contains(&GrantType::AuthorizationCode);
    if by_code && client.redirect_uris.is_empty() {
        entry.no("redirect_uris", "is empty; name one, or set grant_types without authorization_code");
    }
    entry.check(!client.grant_types.is_empty(), "grant_types", "must name at least one grant type");
    if method == AuthMethod::None {
        // RFC 6749 §4.4 reserves the first for confidential clients; whoever exchanges, or asks people who are
        // elsewhere, must be known.
        for grant in [GrantType::ClientCredentials, GrantType::TokenExchange, GrantType::Ciba] {
            let refused = client.grant_types.contains(&grant);
            entry.check(
                !refused,
                "grant_types",
                format_args!("a public client may not have {}", grant.as_str()),
            );
        }
    }
    let judged = Judged {
        method,
        redirect_uris: &client.redirect_uris,
        id_token_signed_response_alg: client.id_token_signed_response_alg,
        metadata: &client.metadata,
    };
    for no in client.profile.judge(&judged) {
        let key = if no.member == "token_endpoint_auth_method" { "authentication" } else { no.member };
        entry.no(key, no.why);
    }
    check_backchannel(client, entry);
    check_certificate(client, method, entry);
    check_admin_api(client, method, entry);
    let sector_identifier_uri = client.metadata.sector_identifier_uri.as_ref();
    if client.metadata.subject_type == SubjectType::Pairwise
        && let Err(why) = subject::sector(sector_identifier_uri, &client.redirect_uris)
    {
        entry.no("subject_type", why);
    }
    check_references(client, known, entry);
}

/// How the client learns of the answer (CIBA §4, Deferred Token Response §6.2).
fn check_backchannel(client: &DeclaredClient, entry: &mut Entry<'_>) {
    let rules = client.profile.rules();
    let mode = client.metadata.backchannel_token_delivery_mode.unwrap_or(DeliveryMode::Poll);
    let endpoint = client.metadata.backchannel_client_notification_endpoint.as_ref();
    if mode != DeliveryMode::Poll && endpoint.is_none() {
        entry.no("backchannel_client_notification_endpoint", "is missing: where the client is notified");
    }
    if endpoint.is_some_and(|url| url.scheme() != "https" && !is_loopback(url)) {
        entry.no("backchannel_client_notification_endpoint", "must be https");
    }
    let deferred = client.metadata.deferred_client_notification_endpoint.as_ref();
    if deferred.is_some_and(|url| url.scheme() != "https" && !is_loopback(url)) {
        entry.no("deferred_client_notification_endpoint", "must be https");
    }
    let profile = client.profile.as_str();
    if mode == DeliveryMode::Push && !rules.pushed_tokens {
        entry.no(
            "backchannel_token_delivery_mode",
            format_args!("the profile {profile} does not permit push"),
        );
    }
    let alg = client.metadata.backchannel_authentication_request_signing_alg;
    if alg.is_some_and(|alg| !rules.signing_algs.contains(&alg)) {
        entry
            .no("backchannel_authentication_request_signing_alg", format_args!("not permitted in {profile}"));
    }
}

/// What a client is known by, if it proves itself with a certificate; and that tokens have one binding (RFC 8705).
fn check_certificate(client: &DeclaredClient, method: AuthMethod, entry: &mut Entry<'_>) {
    let metadata = &client.metadata;
    if method == AuthMethod::TlsClientAuth {
        if let Err(wrong) = metadata.certificate_name() {
            entry.no("authentication", wrong);
        }
    } else if metadata.has_certificate_name() {
        entry.no("authentication", "only tls_client_auth goes with a name for a certificate");
    }
    if client.dpop_bound_access_tokens && metadata.tls_client_certificate_bound_access_tokens {
        let twice = "tokens are bound to a key or to a certificate, not to both";
        entry.no("tls_client_certificate_bound_access_tokens", twice);
    }
    if let (AuthMethod::SelfSignedTlsClientAuth, KeySource::Jwks(jwks)) = (method, &client.keys)
        && certificates_of(jwks).next().is_none()
    {
        entry.no("jwks", "needs a key with x5c: the client's certificate");
    }
}

/// Only a client that is declared for the admin API has its scope words, and only one that is fit is declared for it.
fn check_admin_api(client: &DeclaredClient, method: AuthMethod, entry: &mut Entry<'_>) {
    if !client.admin_api {
        if client.scope.iter().any(|word| AdminScope::is_one(word.as_str())) {
            entry.no("scope", "only a client with admin_api = true has scopes of the admin API");
        }
        return;
    }
    let is_service = client.kind == DeclaredKind::Service;
    for (member, why) in admin_api::unfit(is_service, method, &client.grant_types) {
        entry.no(member, why);
    }
}

fn check_references(client: &DeclaredClient, known: &Known, entry: &mut Entry<'_>) {
    let unknown =
        |word: &&ScopeToken| !known.scopes.contains(word.as_str()) && !AdminScope::is_one(word.as_str());
    for scope in client.scope.iter().filter(unknown) {
        entry.no("scope", format_args!("no resource server declares {:?}", scope.as_str()));
    }
    let unknown = |resource: &&ResourceIndicator| !known.resources.contains(resource.as_str());
    for resource in client.resources.iter().filter(unknown) {
        entry.no("resources", format_args!("no resource server is {:?}", resource.as_str()));
    }
    if let Some(resource) = client.resource_server.as_ref().filter(unknown) {
        entry.no("resource_server", format_args!("no resource server is {:?}", resource.as_str()));
    }
    let unknown = |name: &&DetailsTypeName| !known.details_types.contains(name.as_str());
    for name in client.authorization_details_types.iter().filter(unknown) {
        entry.no("authorization_details_types", format_args!("no details type is named {:?}", name.as_str()));
    }
}
