//! The platforms and attesters whose word about workloads and instances is taken, and the keys that they sign with. They speak for nobody else.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use protocol::client::AuthMethod;
use protocol::numeric_date::NumericDate;
use protocol::workload::WorkloadIssuer;
use protocol::workload::spiffe::{self, TrustDomain};
use serde_json::Value;

use crate::config::DeclaredPlatforms;
use crate::issuer_keys::IssuerKeys;
use crate::jose::JoseError;
use crate::key_sets::KeySets;
use crate::outbound::Outbound;
use crate::tls::{Bundle, ClientCertificate};

/// All of them.
#[derive(Default)]
pub struct Workloads {
    issuers: BTreeMap<String, Issuer>,
    trust_domains: BTreeMap<TrustDomain, TrustBundle>,
    attesters: BTreeMap<String, IssuerKeys>,
}

/// A platform that issues tokens to its workloads.
pub struct Issuer {
    /// What is accepted of it.
    pub rule: WorkloadIssuer,
    /// Its keys.
    pub keys: IssuerKeys,
}

/// What is known of a trust domain: the keys that sign its JWT-SVIDs, and the authorities of its X509-SVIDs.
pub struct TrustBundle {
    /// Its keys.
    pub keys: IssuerKeys,
    /// The authorities that were read last, and of what.
    latest: ArcSwapOption<(Arc<Value>, Option<Bundle>)>,
}

impl Workloads {
    /// These.
    ///
    /// # Errors
    /// [`JoseError`] for keys that cannot be read.
    pub fn new(declared: &DeclaredPlatforms) -> Result<Self, JoseError> {
        let mut all = Self::default();
        for (rule, source) in &declared.issuers {
            let keys = IssuerKeys::new(&rule.issuer, source, Value::clone)?;
            all.issuers.insert(rule.issuer.clone(), Issuer { rule: rule.clone(), keys });
        }
        for (name, source) in &declared.trust_domains {
            let keys = IssuerKeys::new(name.as_str(), source, spiffe::jwt_keys)?;
            all.trust_domains.insert(name.clone(), TrustBundle { keys, latest: ArcSwapOption::empty() });
        }
        for (name, source) in &declared.attesters {
            all.attesters.insert(name.clone(), IssuerKeys::new(name, source, Value::clone)?);
        }
        Ok(all)
    }

    /// The platform of this `iss`, compared as a string.
    #[must_use]
    pub fn issuer(&self, issuer: &str) -> Option<&Issuer> {
        self.issuers.get(issuer)
    }

    /// The trust domain of this name.
    #[must_use]
    pub fn trust_domain(&self, name: &TrustDomain) -> Option<&TrustBundle> {
        self.trust_domains.get(name)
    }

    /// The keys of the attester of this name.
    #[must_use]
    pub fn attester(&self, name: &str) -> Option<&IssuerKeys> {
        self.attesters.get(name)
    }

    /// How clients can authenticate by their word, where client certificates can be shown, or not.
    #[must_use]
    pub fn methods(&self, certificates: bool) -> Vec<AuthMethod> {
        let there = |method: &AuthMethod| match method {
            AuthMethod::WorkloadJwt => !self.issuers.is_empty(),
            AuthMethod::SpiffeJwt => !self.trust_domains.is_empty(),
            AuthMethod::SpiffeX509 => certificates && !self.trust_domains.is_empty(),
            AuthMethod::AttestJwtClientAuth | AuthMethod::AttestJwtClientAuthDpop => {
                !self.attesters.is_empty()
            }
            _ => false,
        };
        AuthMethod::ALL.into_iter().filter(there).collect()
    }
}

impl TrustBundle {
    /// Whether an authority of the trust domain vouches for the certificate at `now`; where none does, whether one does
    /// that was published since. No other authority counts.
    pub async fn vouches_for(
        &self,
        certificate: &ClientCertificate,
        key_sets: &KeySets,
        outbound: &Outbound,
        now: NumericDate,
    ) -> bool {
        let Some(bundle) = self.keys.published(key_sets, outbound, now).await else { return false };
        if self.vouches(&bundle, certificate, now) {
            return true;
        }
        let newer = self.keys.newer(key_sets, outbound, &bundle, now).await;
        newer.is_some_and(|newer| self.vouches(&newer, certificate, now))
    }

    /// Whether an authority in `bundle` does. Its certificates are read once for each bundle that was published.
    fn vouches(&self, bundle: &Arc<Value>, certificate: &ClientCertificate, now: NumericDate) -> bool {
        let latest = self.latest.load_full().filter(|latest| Arc::ptr_eq(&latest.0, bundle));
        let latest = latest.unwrap_or_else(|| {
            let read = Arc::new((Arc::clone(bundle), Bundle::of(spiffe::authorities(bundle))));
            self.latest.store(Some(Arc::clone(&read)));
            read
        });
        latest.1.as_ref().is_some_and(|authorities| authorities.vouches_for(certificate, now))
    }
}
