//! `[[trusted_issuers]]`: whose JWTs are believed, and as what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use protocol::audience::Resources;
use protocol::client::{KeySource, SigningAlg};
use protocol::identifier::{ClientId, DetailsTypeName};
use protocol::numeric_date::Seconds;
use protocol::scope::Scope;
use protocol::trusted_issuer::{Purpose, SubjectRule, TrustedIssuer};
use serde::Deserialize;
use url::Url;

use super::credentials::{WrittenKeys, keys};
use super::known::Known;
use super::login::{Whose, demand};
use super::problem::Entry;
use super::written::{Json, duration, some_duration};

/// A trusted issuer as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenTrustedIssuer {
    issuer: String,
    #[serde(default = "authorization_grants")]
    purposes: BTreeSet<Purpose>,
    #[serde(default)]
    jwks: Option<Json>,
    #[serde(default)]
    jwks_file: Option<String>,
    #[serde(default)]
    jwks_uri: Option<Url>,
    #[serde(default = "every_alg")]
    signing_algs: BTreeSet<SigningAlg>,
    #[serde(default = "sub")]
    subject_claim: String,
    #[serde(default)]
    subject_is: WrittenSubject,
    #[serde(default)]
    subjects: Option<BTreeMap<String, String>>,
    #[serde(default)]
    conditions: BTreeMap<String, OneOrSeveral>,
    #[serde(default)]
    audiences: BTreeSet<String>,
    clients: BTreeSet<ClientId>,
    scope: Scope,
    #[serde(default)]
    authorization_details_types: BTreeSet<DetailsTypeName>,
    #[serde(default)]
    resources: Resources,
    #[serde(default = "five_minutes", deserialize_with = "duration")]
    max_life: Seconds,
    #[serde(default, deserialize_with = "some_duration")]
    token_life: Option<Seconds>,
    #[serde(default = "yes")]
    single_use: bool,
    #[serde(default)]
    acr_values: Vec<String>,
    #[serde(default, deserialize_with = "some_duration")]
    max_age: Option<Seconds>,
    #[serde(default)]
    accounts: WrittenAccounts,
}

/// Who has an account.
#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenAccounts {
    /// Only who was here before.
    #[default]
    Known,
    /// Also of whom an identity assertion speaks for the first time.
    JustInTime,
}

/// A value, or a list of those of which each will do.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrSeveral {
    One(String),
    Several(BTreeSet<String>),
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenSubject {
    #[default]
    Username,
    UserId,
    Email,
    LinkedIdentity,
}

const fn yes() -> bool {
    true
}

fn authorization_grants() -> BTreeSet<Purpose> {
    [Purpose::AuthorizationGrants].into()
}

fn every_alg() -> BTreeSet<SigningAlg> {
    SigningAlg::ALL.into()
}

fn sub() -> String {
    "sub".to_owned()
}

const fn five_minutes() -> Seconds {
    Seconds::minutes(5)
}

impl From<OneOrSeveral> for BTreeSet<String> {
    fn from(written: OneOrSeveral) -> Self {
        match written {
            OneOrSeveral::One(value) => Self::from([value]),
            OneOrSeveral::Several(values) => values,
        }
    }
}

impl WrittenTrustedIssuer {
    pub(super) fn check(
        self,
        known: &Known,
        folder: &Path,
        mut entry: Entry<'_>,
    ) -> Option<(TrustedIssuer, KeySource)> {
        self.check_values(&mut entry);
        self.check_references(known, &mut entry);
        let subjects = match (self.subject_is, self.subjects) {
            (WrittenSubject::Username, Some(listed)) => SubjectRule::Listed(listed),
            (_, Some(_)) => {
                entry.no("subject_is", "says nothing beside subjects, which lists the users by username");
                return None;
            }
            (WrittenSubject::Username, None) => SubjectRule::Username,
            (WrittenSubject::UserId, None) => SubjectRule::UserId,
            (WrittenSubject::Email, None) => SubjectRule::Email,
            (WrittenSubject::LinkedIdentity, None) => SubjectRule::LinkedIdentity,
        };
        let login = demand(self.acr_values, self.max_age, Whose::Theirs, &mut entry);
        let written = WrittenKeys { jwks: self.jwks, file: self.jwks_file, uri: self.jwks_uri };
        let (source, _) = keys(written, true, folder, &mut entry)?;
        let trusted = TrustedIssuer {
            issuer: self.issuer,
            purposes: self.purposes,
            signing_algs: self.signing_algs,
            subject_claim: self.subject_claim,
            subjects,
            conditions: self.conditions.into_iter().map(|(name, values)| (name, values.into())).collect(),
            audiences: self.audiences,
            clients: self.clients,
            scope: self.scope,
            details_types: self.authorization_details_types,
            resources: self.resources,
            max_life: self.max_life,
            token_life: self.token_life,
            single_use: self.single_use,
            login,
            new_accounts: self.accounts == WrittenAccounts::JustInTime,
        };
        Some((trusted, source))
    }

    fn check_values(&self, entry: &mut Entry<'_>) {
        entry.check((1..=500).contains(&self.issuer.len()), "issuer", "must be 1 to 500 characters");
        entry.check(!self.purposes.is_empty(), "purposes", "must name a purpose, or be left out");
        let for_subjects = self.audiences.is_empty() || self.purposes.contains(&Purpose::SubjectTokens);
        entry.check(for_subjects, "audiences", "is for an issuer with the purpose \"subject_tokens\"");
        let of_people = self.purposes.contains(&Purpose::IdentityAssertions);
        let asks = [("acr_values", !self.acr_values.is_empty()), ("max_age", self.max_age.is_some())];
        for (key, asked) in asks {
            entry.check(
                !asked || of_people,
                key,
                "is for an issuer with the purpose \"identity_assertions\"",
            );
        }
        entry.check(!self.signing_algs.is_empty(), "signing_algs", "must name an algorithm, or be left out");
        entry.check(!self.subject_claim.is_empty(), "subject_claim", "must name a claim, or be left out");
        entry.check(
            !self.clients.is_empty(),
            "clients",
            "must name the clients that may present its assertions",
        );
        entry.check(!self.scope.is_empty(), "scope", "must name the most that its assertions bring");
        let lives = [("max_life", Some(self.max_life)), ("token_life", self.token_life)];
        for (name, life) in lives.into_iter().filter_map(|(name, life)| Some((name, life?))) {
            entry.check((1..=3600).contains(&life.0), name, "must be from 1 to 3600 seconds");
        }
    }

    fn check_references(&self, known: &Known, entry: &mut Entry<'_>) {
        if self.accounts == WrittenAccounts::JustInTime {
            let linked = self.subject_is == WrittenSubject::LinkedIdentity && self.subject_claim == "sub";
            let reason = match linked && self.purposes.contains(&Purpose::IdentityAssertions) {
                false => {
                    "just_in_time goes with the purpose \"identity_assertions\" and with subject_is = \"linked_identity\""
                }
                true => "just_in_time makes accounts as the upstream of this issuer does, and there is none",
            };
            let fits = linked && known.upstream_issuers.contains(&self.issuer);
            entry.check(fits && self.purposes.contains(&Purpose::IdentityAssertions), "accounts", reason);
        }
        for client in &self.clients {
            let declared = known.clients.contains(client.as_str());
            entry.check(
                declared,
                "clients",
                format_args!("no client or agent has the id {:?}", client.as_str()),
            );
        }
        for word in self.scope.iter() {
            let declared = known.scopes.contains(word.as_str());
            entry.check(
                declared,
                "scope",
                format_args!("no resource server has the scope {:?}", word.as_str()),
            );
        }
        for name in &self.authorization_details_types {
            let declared = known.details_types.contains(name.as_str());
            let reason = format_args!("no details type is named {:?}", name.as_str());
            entry.check(declared, "authorization_details_types", reason);
        }
        for resource in &self.resources {
            let declared = known.resources.contains(resource.as_str());
            entry.check(declared, "resources", format_args!("no resource server is {:?}", resource.as_str()));
        }
    }
}
