//! What is registered, compiled: details types with their schemas, and resource servers, this server among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use protocol::admin_api::AdminScope;
use protocol::audience::ResourceIndicator;
use protocol::authorization::{Registered, ResourceServers};
use protocol::authorization_details::{DetailsTypeDocument, DetailsTypes};
use protocol::client::SigningAlg;
use protocol::resource_server::{ResourceServer, TokenFormat};

use crate::failure::{Broken, Failure};
use crate::store::Store;

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
        types: &[DetailsTypeDocument],
        servers: &[ResourceServer],
    ) -> Result<Self, Failure> {
        let types = DetailsTypes::new(types.iter().cloned())
            .map_err(|_| Broken::Inconsistent("a stored details type does not compile"))?;
        let servers = servers.iter().cloned().chain([own(itself), admin(admin_api)]);
        let resource_servers = servers.map(|server| (server.identifier.clone(), Arc::new(server))).collect();
        Ok(Self { types, resource_servers, itself: itself.clone() })
    }
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

/// The compiled registry of the documents that the store holds now.
pub struct RegistryCache {
    itself: ResourceIndicator,
    admin_api: ResourceIndicator,
    current: ArcSwapOption<Compiled>,
}

struct Compiled {
    types: Arc<Vec<DetailsTypeDocument>>,
    servers: Arc<Vec<ResourceServer>>,
    registry: Arc<Registry>,
}

impl RegistryCache {
    /// A cache for the server that is `itself`, with its admin API.
    #[must_use]
    pub const fn new(itself: ResourceIndicator, admin_api: ResourceIndicator) -> Self {
        Self { itself, admin_api, current: ArcSwapOption::const_empty() }
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
}
