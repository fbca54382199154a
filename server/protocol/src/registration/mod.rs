//! Clients that register themselves (RFC 7591, OpenID Connect Registration 1.0): from a JSON document to a client that
//! keeps to the rules, and back to the document that tells it what was registered.
//!
//! All of it is what somebody says of themselves. So what a client may have at most comes from the [`Policy`], and
//! what it asks beyond that is left out; the answer shows what is left (RFC 7591 §3.2.1).

mod checks;
mod echo;
mod grants;
mod keys;
mod members;
pub mod metadata_document;
pub mod redirect_uris;
mod refused;
pub mod sector;
pub mod software_statement;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::audience::Resources;
use crate::client::{
    AuthMethod, Client, ClientAuthentication, ClientKind, ClientMetadata, ClientStatus, GrantType, KeySource,
    SigningAlg,
};
use crate::identifier::{ClientId, DetailsTypeName};
use crate::profile::SecurityProfile;
use crate::scope::Scope;
use crate::strict_json;

pub use echo::{echo, logo, tells_of_itself};
pub use refused::RegistrationRefused;

use members::Members;

/// How deep a document may nest: a key set with certificates needs four.
const DEEPEST: usize = 8;

/// Reads a body as a document: one JSON object, in which no member stands twice.
///
/// # Errors
/// [`RegistrationRefused::NotAnObject`].
pub fn document(body: &[u8]) -> Result<Map<String, Value>, RegistrationRefused> {
    let text = std::str::from_utf8(body).map_err(|_| RegistrationRefused::NotAnObject)?;
    match strict_json::parse(text, DEEPEST) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(RegistrationRefused::NotAnObject),
    }
}

/// What a client that registers itself gets, and what it may have at most.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The rules that hold for it.
    pub profile: SecurityProfile,
    /// How it can authenticate here, whatever its profile permits.
    pub auth_methods: BTreeSet<AuthMethod>,
    /// The most it may ask for.
    pub scope: Scope,
    /// The resource servers it may ask tokens for.
    pub resources: Resources,
    /// The grant types it may use.
    pub grant_types: BTreeSet<GrantType>,
    /// The details types it may use.
    pub authorization_details_types: BTreeSet<DetailsTypeName>,
}

/// A registration that keeps to the rules, before it has an id.
#[derive(Clone, PartialEq, Debug)]
pub struct Registration {
    client_name: Option<String>,
    /// How the client will authenticate.
    pub method: AuthMethod,
    /// Its public keys.
    pub keys: KeySource,
    redirect_uris: Vec<String>,
    post_logout_redirect_uris: Vec<String>,
    grant_types: BTreeSet<GrantType>,
    scope: Scope,
    authorization_details_types: BTreeSet<DetailsTypeName>,
    dpop_bound_access_tokens: bool,
    require_pushed_authorization_requests: bool,
    id_token_signed_response_alg: SigningAlg,
    metadata: ClientMetadata,
}

impl Registration {
    /// Reads a document. What is not known is ignored (RFC 7591 §2), `null` is nothing.
    ///
    /// # Errors
    /// [`RegistrationRefused`].
    pub fn parse(document: &Map<String, Value>, policy: &Policy) -> Result<Self, RegistrationRefused> {
        let members = Members::of(document)?;
        let rules = policy.profile.rules();
        let method = match members.text("token_endpoint_auth_method")? {
            Some(name) => AuthMethod::ALL
                .into_iter()
                .find(|method| method.as_str() == name && policy.auth_methods.contains(method))
                .filter(|method| !method.is_of_platform())
                .ok_or(RegistrationRefused::Member("token_endpoint_auth_method"))?,
            None if rules.auth_methods.contains(&AuthMethod::ClientSecretBasic) => {
                AuthMethod::ClientSecretBasic
            }
            None => rules.auth_methods.first().copied().unwrap_or(AuthMethod::PrivateKeyJwt),
        };
        let alg = match members.text("id_token_signed_response_alg")? {
            Some(name) => {
                SigningAlg::find(name).ok_or(RegistrationRefused::Member("id_token_signed_response_alg"))?
            }
            // OpenID Connect Registration §2, where the profile lets it be.
            None if rules.signing_algs.contains(&SigningAlg::Rs256) => SigningAlg::Rs256,
            None => rules.signing_algs.first().copied().unwrap_or(SigningAlg::Es256),
        };
        let mut metadata: ClientMetadata = members.metadata()?;
        metadata.in_languages = members.in_languages()?;
        metadata.require_signed_request_object |= rules.signed_requests && !is_for_ciba_alone(&members)?;
        let redirect_uris = members.list("redirect_uris")?;
        let post_logout_redirect_uris = members.list("post_logout_redirect_uris")?;
        let grant_types = grants::grant_types(&members, policy, method)?;
        let asked: Option<Scope> = match members.text("scope")? {
            Some(text) => Some(text.parse().map_err(|_| RegistrationRefused::Member("scope"))?),
            None => None,
        };
        let registration = Self {
            client_name: members.name()?,
            method,
            keys: keys::read(&members)?,
            scope: asked.map_or_else(|| policy.scope.clone(), |asked| asked.common(&policy.scope)),
            authorization_details_types: details_types(&members, policy)?,
            dpop_bound_access_tokens: members.flag("dpop_bound_access_tokens")?,
            require_pushed_authorization_requests: rules.pushed_requests
                || members.flag("require_pushed_authorization_requests")?,
            id_token_signed_response_alg: alg,
            redirect_uris,
            post_logout_redirect_uris,
            grant_types,
            metadata,
        };
        checks::check(&registration, policy.profile)?;
        Ok(registration)
    }

    /// Whether the client is to get a secret.
    #[must_use]
    pub const fn needs_secret(&self) -> bool {
        matches!(self.method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost)
    }

    /// Where a document stands that says whose redirect URIs are one sector, to be fetched and
    /// [checked](sector::check) before anything is registered (OpenID Connect Registration §5).
    #[must_use]
    pub const fn sector_identifier_uri(&self) -> Option<&url::Url> {
        self.metadata.sector_identifier_uri.as_ref()
    }

    /// The redirect URIs.
    #[must_use]
    pub fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// The client of this id. Of its secret, if it [needs](Self::needs_secret) one, only the SHA-256 is kept.
    #[must_use]
    pub fn into_client(self, id: ClientId, secret_sha256: String, policy: &Policy) -> Client {
        let authentication = match self.method {
            AuthMethod::None => ClientAuthentication::None,
            AuthMethod::ClientSecretBasic => ClientAuthentication::ClientSecretBasic { secret_sha256 },
            AuthMethod::ClientSecretPost => ClientAuthentication::ClientSecretPost { secret_sha256 },
            // Nobody registers for what a platform vouches for; whoever did would still need a key.
            AuthMethod::PrivateKeyJwt
            | AuthMethod::WorkloadJwt
            | AuthMethod::SpiffeJwt
            | AuthMethod::SpiffeX509
            | AuthMethod::AttestJwtClientAuth
            | AuthMethod::AttestJwtClientAuthDpop => ClientAuthentication::PrivateKeyJwt,
            AuthMethod::TlsClientAuth => ClientAuthentication::TlsClientAuth,
            AuthMethod::SelfSignedTlsClientAuth => ClientAuthentication::SelfSignedTlsClientAuth,
        };
        let own_sector = sector::is_alone(&self.metadata, &self.grant_types);
        // Nobody ever answers for it, so it is never an agent.
        let for_itself = self.grant_types.iter().all(|grant| *grant == GrantType::ClientCredentials);
        Client {
            name: self.client_name.unwrap_or_else(|| id.to_string()),
            id,
            kind: if for_itself { ClientKind::Service } else { ClientKind::Application },
            profile: policy.profile,
            authentication,
            keys: self.keys,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            grant_types: self.grant_types,
            scope: self.scope,
            resources: policy.resources.clone(),
            authorization_details_types: self.authorization_details_types,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            id_token_signed_response_alg: self.id_token_signed_response_alg,
            resource_server: None,
            metadata: self.metadata,
            own_sector,
            // Nobody gets it but by the operator's word.
            admin_api: false,
            status: ClientStatus::Active,
        }
    }
}

/// Members that only this server says of a client; an update must not hold them (RFC 7592 §2.2).
const OURS_TO_SAY: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// Holds what an update says of the client's identity against the client (RFC 7592 §2.2). `is_secret` tells whether a
/// secret is the client's current one.
///
/// # Errors
/// [`RegistrationRefused`].
pub fn check_update(
    document: &Map<String, Value>,
    client: &Client,
    is_secret: impl Fn(&str) -> bool,
) -> Result<(), RegistrationRefused> {
    if let Some(ours) = OURS_TO_SAY.into_iter().find(|name| document.contains_key(*name)) {
        return Err(RegistrationRefused::NotTheirs(ours));
    }
    let members = Members::of(document)?;
    if members.text("client_id")? != Some(client.id.as_str()) {
        return Err(RegistrationRefused::OtherClient);
    }
    match members.text("client_secret")? {
        Some(secret) if !is_secret(secret) => Err(RegistrationRefused::OtherSecret),
        _ => Ok(()),
    }
}

/// Whether the document asks for no grant type that begins at the authorization endpoint.
fn is_for_ciba_alone(members: &Members<'_>) -> Result<bool, RegistrationRefused> {
    let grants: Vec<String> = members.list("grant_types")?;
    Ok(!grants.is_empty() && !grants.iter().any(|grant| grant == GrantType::AuthorizationCode.as_str()))
}

/// The details types that were asked for and are permitted; all that are permitted where none was named.
fn details_types(
    members: &Members<'_>,
    policy: &Policy,
) -> Result<BTreeSet<DetailsTypeName>, RegistrationRefused> {
    const MEMBER: &str = "authorization_details_types";
    if !members.has(MEMBER) {
        return Ok(policy.authorization_details_types.clone());
    }
    let asked = members.list(MEMBER)?;
    let permitted = policy.authorization_details_types.iter();
    Ok(permitted.filter(|name| asked.iter().any(|one| one == name.as_str())).cloned().collect())
}

/// The members that say something to people, and may say it in several languages (RFC 7591 §2.2).
const FOR_PEOPLE: [&str; 5] = ["client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri"];

/// A document's members by name, in a stable order.
type InLanguages = BTreeMap<String, String>;
