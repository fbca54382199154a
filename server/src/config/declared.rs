//! What the configuration declares. Users get their ids when they are first applied; until then they are known by
//! their usernames, and [`Declared::resolve`] turns those into ids.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use protocol::audience::{ResourceIndicator, Resources};
use protocol::authorization_details::DetailsTypes;
use protocol::client::{
    Agent, Client, ClientAuthentication, ClientKind, ClientMetadata, ClientStatus, GrantType, KeySource,
    SigningAlg,
};
use protocol::identifier::{ClientId, DetailsTypeName, RuleId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::profile::SecurityProfile;
use protocol::resource_authorization_server::ResourceAuthorizationServer;
use protocol::resource_server::ResourceServer;
use protocol::rule::{Approver, Rule, RuleEffect, Rules};
use protocol::scope::Scope;
use protocol::trusted_issuer::TrustedIssuer;
use serde_json::{Map, Value};

use super::client::{WrittenAgent, WrittenClient};
use super::credentials::Credential;
use super::details_type::{self, WrittenDetailsType};
use super::hidden::Hidden;
use super::known::{self, Known};
use super::layers::Layers;
use super::problem::{Problem, Problems};
use super::reading::{section, section_of_two};
use super::resource_authorization_server::WrittenResourceAuthorizationServer;
use super::resource_server::WrittenResourceServer;
use super::rule::WrittenRule;
use super::trusted_issuer::WrittenTrustedIssuer;
use super::upstream::{DeclaredUpstream, WrittenUpstream};
use super::user::WrittenUser;
use super::webhook::{DeclaredWebhook, WrittenWebhook};
use super::workload::{DeclaredPlatforms, WrittenAttester, WrittenTrustDomain, WrittenWorkloadIssuer};

/// Everything declared, in the order of the file; agents come after the other clients.
#[derive(Clone, Debug)]
pub struct Declared {
    source: String,
    /// `[[users]]`.
    pub users: Vec<DeclaredUser>,
    /// `[[resource_servers]]`.
    pub resource_servers: Vec<ResourceServer>,
    /// `[[clients]]` and `[[agents]]`.
    pub clients: Vec<DeclaredClient>,
    /// `[[details_types]]` and the built-in ones.
    pub details_types: DetailsTypes,
    /// `[[rules]]`.
    pub rules: Vec<DeclaredRule>,
    /// `[[webhooks]]`.
    pub webhooks: Vec<DeclaredWebhook>,
    /// `[[upstreams]]`.
    pub upstreams: Vec<DeclaredUpstream>,
    /// `[[trusted_issuers]]`, with where their keys are.
    pub trusted_issuers: Vec<(TrustedIssuer, KeySource)>,
    /// `[[workload_issuers]]`, `[[trust_domains]]` and `[[client_attesters]]`.
    pub platforms: DeclaredPlatforms,
    /// `[[resource_authorization_servers]]`.
    pub resource_authorization_servers: Vec<ResourceAuthorizationServer>,
    /// Of which clients one workload could be either, a sentence each. It may be meant: then the `client_id` that comes with
    /// the platform's token says which it is.
    pub overlaps: Vec<String>,
}

/// A declared user.
#[derive(Clone, PartialEq, Debug)]
pub struct DeclaredUser {
    /// What they type to sign in.
    pub username: String,
    /// How pages address them.
    pub name: String,
    /// Further claims, `email` and `email_verified` among them.
    pub claims: Map<String, Value>,
    /// Whether they may see the admin pages.
    pub admin: bool,
    /// Their password as an Argon2id PHC string; without one, they set it by a one-time link.
    pub password_hash: Option<Hidden>,
}

/// A declared client: as [`Client`], but an agent's owner is known by username.
#[derive(Clone, PartialEq, Debug)]
pub struct DeclaredClient {
    /// `client_id`.
    pub id: ClientId,
    /// `client_name`.
    pub name: String,
    /// Application, service or agent.
    pub kind: DeclaredKind,
    /// Which rules hold for it beyond those for everybody.
    pub profile: SecurityProfile,
    /// How it proves who it is.
    pub authentication: ClientAuthentication,
    /// Its public keys.
    pub keys: KeySource,
    /// Registered redirect URIs.
    pub redirect_uris: Vec<String>,
    /// Registered post-logout redirect URIs.
    pub post_logout_redirect_uris: Vec<String>,
    /// The grant types it may use.
    pub grant_types: BTreeSet<GrantType>,
    /// The most it may ask for.
    pub scope: Scope,
    /// The resource servers it may ask tokens for.
    pub resources: Resources,
    /// The details types it may use.
    pub authorization_details_types: BTreeSet<DetailsTypeName>,
    /// Whether its tokens must be bound to a key (RFC 9449 §5.2).
    pub dpop_bound_access_tokens: bool,
    /// Whether it must push its authorization requests (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// How its ID tokens are signed.
    pub id_token_signed_response_alg: SigningAlg,
    /// The resource server that it is.
    pub resource_server: Option<ResourceIndicator>,
    /// What else it registered.
    pub metadata: ClientMetadata,
    /// Whether it may have tokens for the admin API.
    pub admin_api: bool,
}

/// What kind of principal a declared client is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeclaredKind {
    /// Something people use.
    Application,
    /// A program that acts for itself or is called with tokens.
    Service,
    /// An AI agent.
    Agent(DeclaredAgent),
}

/// What makes a declared client an agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclaredAgent {
    /// The username of who answers for it.
    pub owner: String,
    /// What it is for.
    pub purpose: String,
    /// When it ends.
    pub expires_at: NumericDate,
    /// The longest chain it may stand in, if less than the server's.
    pub max_chain_depth: Option<usize>,
}

/// A declared rule: as [`Rule`], but users are known by username.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeclaredRule {
    /// Its name.
    pub id: RuleId,
    /// The client that it permits something, or restrains.
    pub client: Option<ClientId>,
    /// What it permits or restrains.
    pub effect: RuleEffect,
    /// The usernames it speaks of; `None` is everybody.
    pub subjects: Option<BTreeSet<String>>,
    /// The resource servers it is for.
    pub resources: Resources,
    /// The username of who approves, where it names one: they stand in for the approver of the effect.
    pub approver: Option<String>,
}

/// What is declared, with user ids in place of usernames.
#[derive(Clone, PartialEq, Debug)]
pub struct Resolved {
    /// All clients, agents among them, active.
    pub clients: Vec<Client>,
    /// All rules.
    pub rules: Rules,
}

impl Declared {
    /// Reads and checks every section; `None` when something was too broken to go on with.
    pub(super) fn read(layers: &Layers, folder: &Path, problems: &mut Problems) -> Option<Self> {
        let known = Known::of(&layers.root);
        known::tell_duplicates(&layers.root, problems);
        let users = section::<WrittenUser>(layers, "users", problems);
        let users = users.into_iter().map(|(key, user)| user.check(problems.at(&key))).collect();
        let servers = section::<WrittenResourceServer>(layers, "resource_servers", problems);
        let resource_servers =
            servers.into_iter().map(|(key, server)| server.check(&known, problems.at(&key))).collect();

        let mut proven = Vec::new();
        for (key, client, metadata) in
            section_of_two::<WrittenClient, ClientMetadata>(layers, "clients", problems)
        {
            let checked = client.check(metadata, &known, folder, problems.at(&key));
            proven.extend(checked.map(|(client, credentials)| (key, client, credentials)));
        }
        for (key, agent, metadata) in
            section_of_two::<WrittenAgent, ClientMetadata>(layers, "agents", problems)
        {
            let checked = agent.check(metadata, &known, folder, problems.at(&key));
            proven.extend(checked.map(|(client, credentials)| (key, client, credentials)));
        }
        tell_shared_credentials(&proven, problems);
        let clients = proven.iter().map(|(key, client, _)| (key.as_str(), client));
        let overlaps = super::shared_workloads::tell(&clients.collect::<Vec<_>>(), problems);

        let types = section::<WrittenDetailsType>(layers, "details_types", problems);
        let types =
            types.into_iter().filter_map(|(key, document)| document.check(problems.at(&key))).collect();
        let details_types = details_type::all(types, problems);
        let rules = section::<WrittenRule>(layers, "rules", problems);
        let rules = rules
            .into_iter()
            .filter_map(|(key, rule)| rule.check(&known, &details_types, problems.at(&key)))
            .collect();
        let webhooks = section::<WrittenWebhook>(layers, "webhooks", problems);
        let webhooks = webhooks.into_iter().map(|(key, webhook)| webhook.check(problems.at(&key))).collect();
        let upstreams = section::<WrittenUpstream>(layers, "upstreams", problems);
        let upstreams: Vec<_> = upstreams
            .into_iter()
            .filter_map(|(key, upstream)| upstream.check(&known.usernames, folder, problems.at(&key)))
            .collect();
        let trusted = section::<WrittenTrustedIssuer>(layers, "trusted_issuers", problems);
        let trusted_issuers = trusted
            .into_iter()
            .filter_map(|(key, issuer)| issuer.check(&known, folder, problems.at(&key)))
            .collect();
        let platforms = platforms(layers, folder, problems);
        let servers =
            section::<WrittenResourceAuthorizationServer>(layers, "resource_authorization_servers", problems);
        let resource_authorization_servers =
            servers.into_iter().map(|(key, server)| server.check(&known, problems.at(&key))).collect();
        problems.found.is_empty().then(|| Self {
            source: problems.source.clone(),
            users,
            resource_servers,
            clients: proven.into_iter().map(|(_, client, _)| client).collect(),
            details_types,
            rules,
            webhooks,
            upstreams,
            trusted_issuers,
            platforms,
            resource_authorization_servers,
            overlaps,
        })
    }

    /// What is wrong with the declaration of this user, where somebody whom nobody declared is called so already.
    #[must_use]
    pub fn name_taken(&self, user: usize) -> Problem {
        let username = self.users.get(user).map_or("", |user| user.username.as_str());
        Problem {
            source: self.source.clone(),
            key: format!("users[{user}].username"),
            reason: format!(
                "{username:?} belongs to an account that an upstream made at a sign-in; declare another username, \
                 to which the upstream's links may lead its owner"
            ),
        }
    }

    /// Puts user ids in place of usernames.
    ///
    /// # Errors
    /// The first owner or subject that has no id: not every declared user was applied.
    pub fn resolve(&self, user_id_of: impl Fn(&str) -> Option<UserId>) -> Result<Resolved, Problem> {
        let id_of = |username: &str, key: String| {
            user_id_of(username).ok_or_else(|| Problem {
                source: self.source.clone(),
                key,
                reason: format!("the user {username:?} has no id"),
            })
        };
        let clients = self.clients.iter().map(|client| client.resolve(id_of)).collect::<Result<_, _>>()?;
        let rules = self.rules.iter().enumerate().map(|(i, rule)| rule.resolve(i, id_of));
        Ok(Resolved { clients, rules: Rules(rules.collect::<Result<_, _>>()?) })
    }
}

impl DeclaredClient {
    /// Whether it is an agent.
    #[must_use]
    pub const fn is_agent(&self) -> bool {
        matches!(self.kind, DeclaredKind::Agent(_))
    }

    fn resolve(&self, id_of: impl Fn(&str, String) -> Result<UserId, Problem>) -> Result<Client, Problem> {
        let kind = match &self.kind {
            DeclaredKind::Application => ClientKind::Application,
            DeclaredKind::Service => ClientKind::Service,
            DeclaredKind::Agent(agent) => ClientKind::Agent(Agent {
                owner: id_of(&agent.owner, format!("agents[id={}].owner", self.id))?,
                purpose: agent.purpose.clone(),
                expires_at: agent.expires_at,
                max_chain_depth: agent.max_chain_depth,
            }),
        };
        Ok(Client {
            id: self.id.clone(),
            name: self.name.clone(),
            kind,
            profile: self.profile,
            authentication: self.authentication.clone(),
            keys: self.keys.clone(),
            redirect_uris: self.redirect_uris.clone(),
            post_logout_redirect_uris: self.post_logout_redirect_uris.clone(),
            grant_types: self.grant_types.clone(),
            scope: self.scope.clone(),
            resources: self.resources.clone(),
            authorization_details_types: self.authorization_details_types.clone(),
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            id_token_signed_response_alg: self.id_token_signed_response_alg,
            resource_server: self.resource_server.clone(),
            metadata: self.metadata.clone(),
            own_sector: false,
            admin_api: self.admin_api,
            status: ClientStatus::Active,
        })
    }
}

impl DeclaredRule {
    fn resolve(
        &self,
        index: usize,
        id_of: impl Fn(&str, String) -> Result<UserId, Problem>,
    ) -> Result<Rule, Problem> {
        let ids = |usernames: &BTreeSet<String>| {
            usernames.iter().map(|username| id_of(username, format!("rules[{index}].subjects"))).collect()
        };
        let mut effect = self.effect.clone();
        if let (RuleEffect::Ask { approver, .. }, Some(username)) = (&mut effect, &self.approver) {
            *approver = Approver::User(id_of(username, format!("rules[{index}].approver"))?);
        }
        Ok(Rule {
            id: self.id.clone(),
            client: self.client.clone(),
            effect,
            subjects: self.subjects.as_ref().map(ids).transpose()?,
            resources: self.resources.clone(),
        })
    }
}

/// Who vouches for workloads.
fn platforms(layers: &Layers, folder: &Path, problems: &mut Problems) -> DeclaredPlatforms {
    let issuers = section::<WrittenWorkloadIssuer>(layers, "workload_issuers", problems);
    let issuers =
        issuers.into_iter().filter_map(|(key, issuer)| issuer.check(folder, problems.at(&key))).collect();
    let trust_domains = section::<WrittenTrustDomain>(layers, "trust_domains", problems);
    let trust_domains = trust_domains
        .into_iter()
        .filter_map(|(key, domain)| domain.check(folder, problems.at(&key)))
        .collect();
    let attesters = section::<WrittenAttester>(layers, "client_attesters", problems);
    let attesters = attesters
        .into_iter()
        .filter_map(|(key, attester)| attester.check(folder, problems.at(&key)))
        .collect();
    DeclaredPlatforms { issuers, trust_domains, attesters }
}

fn tell_shared_credentials(proven: &[(String, DeclaredClient, Vec<Credential>)], problems: &mut Problems) {
    let mut first: BTreeMap<&Credential, &str> = BTreeMap::new();
    for (key, client, credentials) in proven {
        for credential in credentials {
            let earlier = *first.entry(credential).or_insert(key);
            if earlier == key {
                continue;
            }
            let (field, noun) = match credential {
                Credential::Key(_) => ("jwks", "a public key"),
                Credential::SecretSha256(_) => ("secret_sha256", "the secret"),
            };
            let id = client.id.as_str();
            problems.add(format!("{key}.{field}"), format_args!("{id:?} shares {noun} with {earlier}"));
        }
    }
}
