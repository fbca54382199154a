//! What is registered, compiled: details types with their schemas, and resource servers, this server among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use moka::sync::Cache;
use protocol::admin_api::AdminScope;
use protocol::audience::ResourceIndicator;
use protocol::authorization::{Registered, ResourceServers};
use protocol::authorization_details::{DetailsType, DetailsTypeDocument, DetailsTypes};
use protocol::client::SigningAlg;
use protocol::consent::Consent;
use protocol::identifier::DetailsTypeName;
use protocol::resource_server::{ResourceServer, TokenFormat};

use crate::failure::{Broken, Failure};
use crate::store::{KeptDetailsType, Store};

/// What is registered at a moment.
pub struct Registry {
    /// The details types.
    pub types: DetailsTypes,
    /// The resource servers.
    pub resource_servers: ResourceServers,
    /// This server as a resource.
    pub itself: ResourceIndicator,
}

impl Registry {
    /// The same, borrowed for the law.
    #[must_use]
    pub const fn registered(&self) -> Registered<'_> {
        Registered { types: &self.types, resource_servers: &self.resource_servers, itself: &self.itself }
    }

    /// Compiles what is registered. This server is a resource server too: userinfo and its own API are there.
    /// And its admin API is another.
    fn compile(
        itself: &ResourceIndicator,
        admin_api: &ResourceIndicator,
        types: &[KeptDetailsType],
        servers: &[ResourceServer],
    ) -> Result<Self, Failure> {
        let (retired, current): (Vec<_>, Vec<_>) = types.iter().partition(|kept| kept.retired_at.is_some());
        let compiled = |kept: Vec<&KeptDetailsType>| {
            let each = kept.into_iter().map(|kept| compile(kept.document.clone(), kept.version));
            each.collect::<Result<Vec<_>, _>>()
        };
        let types = DetailsTypes::of(compiled(current)?).with_retired(compiled(retired)?);
        let servers = servers.iter().cloned().chain([own(itself), admin(admin_api)]);
        let resource_servers = servers.map(|server| (server.identifier.clone(), Arc::new(server))).collect();
        Ok(Self { types, resource_servers, itself: itself.clone() })
    }
}

fn compile(document: DetailsTypeDocument, version: u32) -> Result<Arc<DetailsType>, Broken> {
    let compiled = DetailsType::of_version(document, version);
    compiled.map(Arc::new).map_err(|_| Broken::Inconsistent("a stored details type does not compile"))
}

/// This server's own scopes, with words for the consent page.
const OWN_SCOPES: [(&str, &str, &str); 8] = [
    ("openid", "Know who you are", "Wissen, wer Sie sind"),
    ("profile", "See your name and profile", "Ihren Namen und Ihr Profil sehen"),
    ("email", "See your e-mail address", "Ihre E-Mail-Adresse sehen"),
    ("address", "See your postal address", "Ihre Postanschrift sehen"),
    ("phone", "See your phone number", "Ihre Telefonnummer sehen"),
    ("grant_management_query", "See what you allowed it", "Sehen, was Sie ihm erlaubt haben"),
    ("grant_management_revoke", "End what you allowed it", "Beenden, was Sie ihm erlaubt haben"),
    ("tasks", "Open and end its own tasks", "Eigene Aufgaben beginnen und beenden"),
];

fn own(itself: &ResourceIndicator) -> ResourceServer {
    let words = |en: &str, de: &str| {
        BTreeMap::from([("en".to_owned(), en.to_owned()), ("de".to_owned(), de.to_owned())])
    };
    let scopes = OWN_SCOPES.iter().filter_map(|(scope, en, de)| Some((scope.parse().ok()?, words(en, de))));
    ResourceServer {
        identifier: itself.clone(),
        name: "Procura".into(),
        scopes: scopes.collect(),
        scope_groups: BTreeMap::new(),
        details_types: BTreeSet::new(),
        token_format: TokenFormat::Jwt,
        signing_alg: SigningAlg::Es256,
        token_life: None,
    }
}

/// The admin API, which is a resource by itself: what opens the rest of this server does not open it.
fn admin(admin_api: &ResourceIndicator) -> ResourceServer {
    let scopes = AdminScope::ALL.into_iter().filter_map(|scope| {
        let (en, de) = scope.words();
        let words = [("en".to_owned(), en.to_owned()), ("de".to_owned(), de.to_owned())];
        Some((scope.as_str().parse().ok()?, BTreeMap::from(words)))
    });
    ResourceServer { name: "Procura".into(), scopes: scopes.collect(), ..own(admin_api) }
}

/// The most versions of details types that are kept compiled beside those of today.
const MOST_VERSIONS: u64 = 1000;

/// The compiled registry of the documents that the store holds now.
pub struct RegistryCache {
    itself: ResourceIndicator,
    admin_api: ResourceIndicator,
    current: ArcSwapOption<Compiled>,
    /// Versions that consents were given under; what a version says never changes.
    versions: Cache<(DetailsTypeName, u32), Arc<DetailsType>>,
}

struct Compiled {
    types: Arc<Vec<KeptDetailsType>>,
    servers: Arc<Vec<ResourceServer>>,
    registry: Arc<Registry>,
}

impl RegistryCache {
    /// A cache for the server that is `itself`, with its admin API.
    #[must_use]
    pub fn new(itself: ResourceIndicator, admin_api: ResourceIndicator) -> Self {
        let versions = Cache::builder().max_capacity(MOST_VERSIONS).build();
        Self { itself, admin_api, current: ArcSwapOption::const_empty(), versions }
    }

    /// The registry, compiled anew only if the store's documents are others than last time.
    ///
    /// # Errors
    /// The store's; or a stored details type that does not compile.
    pub async fn current(&self, store: &Store) -> Result<Arc<Registry>, Failure> {
        let (types, servers) = (store.details_types().await?, store.resource_servers().await?);
        if let Some(compiled) = self.current.load().as_ref()
            && Arc::ptr_eq(&compiled.types, &types)
            && Arc::ptr_eq(&compiled.servers, &servers)
        {
            return Ok(Arc::clone(&compiled.registry));
        }
        let registry = Arc::new(Registry::compile(&self.itself, &self.admin_api, &types, &servers)?);
        self.current.store(Some(Arc::new(Compiled { types, servers, registry: Arc::clone(&registry) })));
        Ok(registry)
    }

    /// The registry as it counts for what comes of `consent`: with the versions of details types that it was given
    /// under. Where those are today's, as they mostly are, it is `current` itself.
    ///
    /// # Errors
    /// The store's; or a version that is not there.
    pub async fn of_consent(
        &self,
        store: &Store,
        current: &Arc<Registry>,
        consent: &Consent,
    ) -> Result<Arc<Registry>, Failure> {
        let mut older = Vec::new();
        for (name, version) in consent.versions() {
            if current.types.find(&name).is_some_and(|known| known.version() == version) {
                continue;
            }
            let key = (name, version);
            let known = match self.versions.get(&key) {
                Some(known) => known,
                None => {
                    let found = store.find_details_type_version(&key.0, version).await?;
                    let gone = || Broken::Inconsistent("a consent of a details type that is not there");
                    let compiled = compile(found.ok_or_else(gone)?, version)?;
                    self.versions.insert(key, Arc::clone(&compiled));
                    compiled
                }
            };
            older.push(known);
        }
        if older.is_empty() {
            return Ok(Arc::clone(current));
        }
        Ok(Arc::new(Registry {
            types: current.types.as_of(older),
            resource_servers: current.resource_servers.clone(),
            itself: current.itself.clone(),
        }))
    }
}
