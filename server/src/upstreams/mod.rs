//! The OpenID Providers that people may sign in at: what the configuration says of them, and what they say of
//! themselves.

mod discovery;
mod through;

use std::sync::Arc;

use protocol::federation::{Upstream, home_realm};
use protocol::numeric_date::{NumericDate, Seconds};

use crate::config::DeclaredUpstream;
use crate::outbound::Outbound;

pub use discovery::{Metadata, Provider, Unreachable};
pub use through::Through;

use discovery::Door;

/// One of them.
pub struct Connection {
    /// What the configuration says.
    pub declared: DeclaredUpstream,
    door: Door,
}

/// All of them, in the order of the configuration.
#[derive(Default)]
pub struct Upstreams(Vec<Arc<Connection>>);

impl Upstreams {
    /// Those that are declared.
    #[must_use]
    pub fn new(declared: Vec<DeclaredUpstream>) -> Self {
        let connect = |declared| Arc::new(Connection { declared, door: Door::default() });
        Self(declared.into_iter().map(connect).collect())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.0.iter()
    }

    /// The one of this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Arc<Connection>> {
        self.iter().find(|connection| connection.upstream().id.as_str() == id)
    }

    /// The one with this issuer identifier.
    #[must_use]
    pub fn of_issuer(&self, issuer: &str) -> Option<&Arc<Connection>> {
        self.iter().find(|connection| connection.upstream().issuer == issuer)
    }

    /// The one that speaks for the domain of what somebody typed.
    #[must_use]
    pub fn of_address(&self, typed: &str) -> Option<&Arc<Connection>> {
        let found = home_realm::find(self.iter().map(|connection| connection.upstream()), typed)?;
        self.find(found.id.as_str())
    }

    /// Whether any speaks for a domain.
    #[must_use]
    pub fn have_domains(&self) -> bool {
        self.iter().any(|connection| !connection.upstream().email_domains.is_empty())
    }
}

/// How old what an upstream says of itself may be when somebody is sent there. That it still answers is seen before,
/// so that nobody is sent to a door that does not open.
const FRESH: Seconds = Seconds(60);
/// How old it may be when somebody comes back.
const KNOWN: Seconds = Seconds::minutes(60);

impl Connection {
    /// As the law knows it.
    #[must_use]
    pub const fn upstream(&self) -> &Upstream {
        &self.declared.upstream
    }

    /// What it says of itself, now that somebody is to be sent there.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn to_go(&self, outbound: &Outbound, now: NumericDate) -> Result<Arc<Provider>, Unreachable> {
        self.door.ask(&self.upstream().issuer, outbound, now, FRESH).await
    }

    /// What it says of itself, for whoever comes from there.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn known(&self, outbound: &Outbound, now: NumericDate) -> Result<Arc<Provider>, Unreachable> {
        self.door.ask(&self.upstream().issuer, outbound, now, KNOWN).await
    }

    /// The same, asked anew because a key is unknown (OpenID Connect Core §10.1.1); but not at every stranger's wish.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn with_new_keys(
        &self,
        outbound: &Outbound,
        now: NumericDate,
    ) -> Result<Arc<Provider>, Unreachable> {
        self.door.ask(&self.upstream().issuer, outbound, now, Seconds(10)).await
    }
}
