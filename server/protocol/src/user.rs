//! A local account.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::identifier::UserId;

/// The claim in which a user's groups stand.
pub const GROUPS: &str = "groups";
/// The claim in which the username of a user's manager stands.
pub const MANAGER: &str = "manager";

/// A user.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct User {
    /// `sub`.
    pub id: UserId,
    /// What they type to sign in; unique, compared without regard to ASCII case.
    pub username: String,
    /// How pages address them.
    pub name: String,
    /// Their password as an Argon2id PHC string; none until it is set by a one-time link.
    pub password_hash: Option<String>,
    /// Further OpenID Connect claims (`email`, `given_name`, …).
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// Whether they may see the admin pages.
    #[serde(default)]
    pub admin: bool,
    /// Whether the account may be used.
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl User {
    /// Their e-mail address, verified or not.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.claims.get("email").and_then(Value::as_str)
    }

    /// Their e-mail address, if somebody made sure that it is theirs.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        let verified = self.claims.get("email_verified") == Some(&Value::Bool(true));
        self.email().filter(|_| verified)
    }

    /// The username of their manager, where one is known.
    #[must_use]
    pub fn manager(&self) -> Option<&str> {
        self.claims.get(MANAGER).and_then(Value::as_str)
    }

    /// The groups they are in.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<String> {
        let groups = self.claims.get(GROUPS).and_then(Value::as_array);
        groups.into_iter().flatten().filter_map(|group| group.as_str().map(str::to_owned)).collect()
    }
}

const fn yes() -> bool {
    true
}
