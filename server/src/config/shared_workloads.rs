//! Clients that one workload could be. Those that are declared to be the very same are refused: one of them is a mistake.
//! Where it takes a look at patterns to see that one token could fit both, the operator is told, and may mean it.

use std::collections::BTreeMap;

use protocol::client::ClientAuthentication;
use protocol::workload::WorkloadIdentity;
use protocol::workload::spiffe::SpiffePattern;

use super::declared::DeclaredClient;
use super::problem::Problems;

/// Which workload a client is declared to be.
#[derive(Clone, Copy)]
enum Workload<'a> {
    OfPlatform(&'a WorkloadIdentity),
    OfTrustDomain(&'a SpiffePattern),
}

impl<'a> Workload<'a> {
    const fn of(client: &'a DeclaredClient) -> Option<Self> {
        match &client.authentication {
            ClientAuthentication::WorkloadJwt(identity) => Some(Self::OfPlatform(identity)),
            ClientAuthentication::SpiffeJwt { spiffe_id }
            | ClientAuthentication::SpiffeX509 { spiffe_id } => Some(Self::OfTrustDomain(spiffe_id)),
            _ => None,
        }
    }

    /// The key that it is written under.
    const fn field(self) -> &'static str {
        match self {
            Self::OfPlatform(_) => "workload",
            Self::OfTrustDomain(_) => "spiffe_id",
        }
    }

    /// What says which it is, as a text.
    fn as_written(self) -> String {
        match self {
            // How its instances are told apart does not make it another.
            Self::OfPlatform(identity) => {
                let bare = WorkloadIdentity { instance_claim: None, ..identity.clone() };
                serde_json::json!(bare).to_string()
            }
            Self::OfTrustDomain(pattern) => pattern.to_string(),
        }
    }

    fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::OfPlatform(one), Self::OfPlatform(two)) => one.overlaps(two),
            (Self::OfTrustDomain(one), Self::OfTrustDomain(two)) => one.overlaps(two),
            _ => false,
        }
    }
}

/// Refuses clients that are the same workload, and says of which others one workload could be either.
pub(super) fn tell(clients: &[(&str, &DeclaredClient)], problems: &mut Problems) -> Vec<String> {
    let mut same: BTreeMap<String, &str> = BTreeMap::new();
    let mut earlier: Vec<(&str, Workload<'_>)> = Vec::new();
    let mut overlaps = Vec::new();
    for (key, client) in clients {
        let Some(workload) = Workload::of(client) else { continue };
        let field = workload.field();
        if let Some(earlier) = same.insert(workload.as_written(), key) {
            let id = client.id.as_str();
            problems.add(format!("{key}.{field}"), format_args!("{id:?} is the same workload as {earlier}"));
            continue;
        }
        for (other, _) in earlier.iter().filter(|(_, other)| other.overlaps(workload)) {
            overlaps.push(format!("{other}.{field} and {key}.{field} both fit some workloads"));
        }
        earlier.push((key, workload));
    }
    overlaps
}
