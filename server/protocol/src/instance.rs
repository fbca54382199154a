//! The instances of a client: its running copies, as far as a platform or their keys tell them apart. Consents, cycles and
//! the depth of chains are of the client; an instance can be ended alone, and then it never comes back.

use crate::identifier::{ClientId, InstanceId};

/// One instance of one client. Two clients may have instances of the same name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Instance {
    client: ClientId,
    key: Box<str>,
}

impl Instance {
    /// This one of this client.
    #[must_use]
    pub fn new(client: &ClientId, id: &InstanceId) -> Self {
        Self { client: client.clone(), key: format!("{}{id}", Self::prefix(client)).into() }
    }

    /// What the keys of all instances of a client begin with, and of no other client's.
    #[must_use]
    pub fn prefix(client: &ClientId) -> String {
        // No id holds a space, so that no two instances have one key.
        format!("{client} ")
    }

    /// Whose it is.
    #[must_use]
    pub const fn client(&self) -> &ClientId {
        &self.client
    }

    /// The one text for both.
    #[must_use]
    pub const fn key(&self) -> &str {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_of_the_same_name_of_two_clients_are_two() {
        let instance = |client: &str, id: &str| Instance::new(&client.parse().unwrap(), &id.parse().unwrap());
        assert_ne!(instance("a", "1").key(), instance("b", "1").key());
        assert_ne!(instance("a", "b1"), instance("ab", "1"));
        assert_eq!(instance("a", "1").client().as_str(), "a");
        let prefix = |client: &str| Instance::prefix(&client.parse().unwrap());
        assert_eq!(instance("a", "1").key().strip_prefix(&prefix("a")), Some("1"));
        assert!(!instance("ab", "1").key().starts_with(&prefix("a")));
    }
}
