//! Signing in at another OpenID Provider, the *upstream*, of which this server is a client (OpenID Connect Core §1).
//!
//! Who somebody is there is an [`Identity`], issuer and `sub` together, and never an e-mail address: addresses are
//! given to others in time, and anybody may write any address into an account of their own (OpenID Connect Core
//! §5.7). What the upstream says of groups becomes rights here anew at each sign-in ([`rights`]); which account
//! somebody gets is decided in one place ([`account`]).

pub mod account;
pub mod demand;
pub mod home_realm;
pub mod logout_token;
pub mod profile;
pub mod revocation;
pub mod rights;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::identifier::UpstreamId;
use crate::numeric_date::Seconds;

use profile::ClaimNames;
use rights::GroupRights;

/// Who somebody is at an upstream (OpenID Connect Core §5.7): the pair is unique and never given to somebody else.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
}

/// An upstream, as far as the law needs to know it.
#[derive(Clone, PartialEq, Debug)]
pub struct Upstream {
    /// What its paths here are called.
    pub id: UpstreamId,
    /// Its issuer identifier.
    pub issuer: String,
    /// Who this server is there.
    pub client_id: String,
    /// What people call it, by language; `en` where a language is missing.
    pub names: BTreeMap<String, String>,
    /// The domains of e-mail addresses that it speaks for.
    pub email_domains: BTreeSet<String>,
    /// Where in its claims things stand.
    pub claims: ClaimNames,
    /// What its groups are worth here.
    pub groups: Vec<GroupRights>,
    /// Only members of one of these may sign in; everybody, where it is empty.
    pub required_groups: BTreeSet<String>,
    /// Whether somebody new gets an account.
    pub accounts: Accounts,
    /// Whether a local account of the same verified address is taken for the same person's.
    pub link_by_email: bool,
    /// `sub` and the username of the local account that it is linked to.
    pub links: BTreeMap<String, String>,
    /// Its authentication contexts (`acr`) and what they are called here.
    pub acr: BTreeMap<String, String>,
    /// Whether contexts that are not listed, and methods (`amr`), are told on as they come.
    pub pass_acr: bool,
    /// The longest a session lasts that began there.
    pub session_life: Seconds,
}

/// Who has an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accounts {
    /// Whoever signs in for the first time gets one, just in time.
    Create,
    /// Only who is linked to one already.
    Linked,
}

impl Upstream {
    /// What people call it in this language.
    #[must_use]
    pub fn name_in(&self, language: &str) -> &str {
        let named = self.names.get(language).or_else(|| self.names.get("en"));
        named.or_else(|| self.names.values().next()).map_or(self.id.as_str(), String::as_str)
    }

    /// Whether it speaks for the domain of this address.
    #[must_use]
    pub fn speaks_for(&self, email: &str) -> bool {
        home_realm::domain_of(email).is_some_and(|domain| self.email_domains.contains(&domain))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The upstream of a company.
    pub(crate) fn company() -> Upstream {
        Upstream {
            id: "company".parse().unwrap(),
            issuer: "https://login.company.example".into(),
            client_id: "procura".into(),
            names: BTreeMap::from([("en".into(), "The Company".into()), ("de".into(), "Die Firma".into())]),
            email_domains: BTreeSet::from(["company.example".into()]),
            claims: ClaimNames::default(),
            groups: Vec::new(),
            required_groups: BTreeSet::new(),
            accounts: Accounts::Create,
            link_by_email: false,
            links: BTreeMap::new(),
            acr: BTreeMap::new(),
            pass_acr: true,
            session_life: Seconds::minutes(60),
        }
    }

    #[test]
    fn a_name_is_told_in_the_language_of_the_page_or_in_english() {
        let mut upstream = company();
        assert_eq!(upstream.name_in("de"), "Die Firma");
        assert_eq!(upstream.name_in("fr"), "The Company");
        upstream.names.clear();
        assert_eq!(upstream.name_in("en"), "company");
    }

    #[test]
    fn it_speaks_for_its_domains_and_not_for_those_below_or_beside_them() {
        assert!(company().speaks_for("Alice@Company.Example"));
        for other in
            ["a@sub.company.example", "a@company.example.evil", "a@evilcompany.example", "company.example"]
        {
            assert!(!company().speaks_for(other), "{other}");
        }
    }
}
