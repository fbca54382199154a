//! Somebody whose JWTs are believed, for what, and how far: an issuer that is trusted for one thing never speaks for
//! another.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::audience::Resources;
use crate::authority::Authority;
use crate::authorization_details::AuthorizationDetails;
use crate::client::{Client, SigningAlg};
use crate::federation::Identity;
use crate::identifier::{ClientId, DetailsTypeName};
use crate::numeric_date::{NumericDate, Seconds};
use crate::scope::Scope;
use crate::step_up::Demand;

/// The words that nobody else's JWT can bring: there is nobody to be absent.
const NEVER: &str = crate::authorization::OFFLINE_ACCESS;

/// Somebody whose JWTs are believed, and how far.
#[derive(Clone, PartialEq, Debug)]
pub struct TrustedIssuer {
    /// `iss`, compared as a string.
    pub issuer: String,
    /// What its JWTs are believed as.
    pub purposes: BTreeSet<Purpose>,
    /// The algorithms it signs with.
    pub signing_algs: BTreeSet<SigningAlg>,
    /// The claim that names the user.
    pub subject_claim: String,
    /// How what it says becomes one of our users.
    pub subjects: SubjectRule,
    /// What other claims must hold: each names one of these values.
    pub conditions: BTreeMap<String, BTreeSet<String>>,
    /// What `aud` of a subject token may hold, where it is not this server.
    pub audiences: BTreeSet<String>,
    /// The clients that may present its JWTs.
    pub clients: BTreeSet<ClientId>,
    /// The most that they bring.
    pub scope: Scope,
    /// The types of authorization details that they may bring.
    pub details_types: BTreeSet<DetailsTypeName>,
    /// Where its tokens are good; empty means wherever the client's are.
    pub resources: Resources,
    /// The longest one of its JWTs may live.
    pub max_life: Seconds,
    /// The longest life of a token for one, if less than the server's.
    pub token_life: Option<Seconds>,
    /// Whether each of its JWTs is taken once.
    pub single_use: bool,
    /// What its identity assertions must say of the login there.
    pub login: Demand,
    /// Whether somebody of whom an identity assertion speaks, and who never was here, gets an account as if they signed in.
    pub new_accounts: bool,
}

/// What the JWTs of an issuer are believed as.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// `assertion` at the token endpoint (RFC 7523 §2.1), also where it chains domains (Identity Chaining §2.4).
    AuthorizationGrants,
    /// `subject_token` of a token exchange, by the type `jwt` (RFC 8693 §2.1).
    SubjectTokens,
    /// `assertion` that says who signed in there, and what was allowed there (Identity Assertion JWT Authorization
    /// Grant §4.4).
    IdentityAssertions,
}

/// How the value of the subject's claim becomes one of our users.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubjectRule {
    /// It is their username.
    Username,
    /// It is their id here.
    UserId,
    /// It is the verified address of one of ours, and the issuer says that it is verified.
    Email,
    /// It is their name at that issuer, where they signed in before and whose identity is linked to their account.
    LinkedIdentity,
    /// It is written down: the value, and the username.
    Listed(BTreeMap<String, String>),
}

/// Which of our users a JWT speaks of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LocalName {
    /// Known by username.
    Username(String),
    /// Known by id.
    UserId(String),
    /// Known by address.
    Email(String),
    /// Known by who they are there.
    Identity(Identity),
}

impl TrustedIssuer {
    /// Which of our users `named` is; `None` where nobody is written down for it.
    #[must_use]
    pub fn local_name(&self, named: &str) -> Option<LocalName> {
        match &self.subjects {
            SubjectRule::Username => Some(LocalName::Username(named.to_owned())),
            SubjectRule::UserId => Some(LocalName::UserId(named.to_owned())),
            SubjectRule::Email => Some(LocalName::Email(named.to_owned())),
            SubjectRule::LinkedIdentity => {
                Some(LocalName::Identity(Identity { issuer: self.issuer.clone(), subject: named.to_owned() }))
            }
            SubjectRule::Listed(users) => users.get(named).cloned().map(LocalName::Username),
        }
    }

    /// Whether this client may bring a JWT of this issuer for this purpose, signed with this algorithm.
    #[must_use]
    pub fn trusts(&self, purpose: Purpose, client: &ClientId, alg: SigningAlg) -> bool {
        self.purposes.contains(&purpose) && self.clients.contains(client) && self.signing_algs.contains(&alg)
    }

    /// Whether the claims hold what they must. A claim that is a list fits by one of its values.
    #[must_use]
    pub fn conditions_hold(&self, claims: &Map<String, Value>) -> bool {
        let is = |value: &Value, accepted: &BTreeSet<String>| match value {
            Value::String(text) => accepted.contains(text),
            Value::Bool(_) | Value::Number(_) => accepted.contains(&value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        self.conditions.iter().all(|(name, accepted)| match claims.get(name) {
            Some(Value::Array(all)) => all.iter().any(|value| is(value, accepted)),
            Some(value) => is(value, accepted),
            None => false,
        })
    }

    /// The most that `client` may be granted by a JWT of this issuer: scope and resources within both, and never for
    /// the user's absence.
    #[must_use]
    pub fn most_for(&self, client: &Client) -> (Scope, Resources) {
        let scope =
            self.scope.common(&client.scope).iter().filter(|word| word.as_str() != NEVER).cloned().collect();
        let resources = match self.resources.is_empty() {
            true => client.resources.clone(),
            false => self.resources.intersection(&client.resources).cloned().collect(),
        };
        (scope, resources)
    }

    /// What a JWT that says so much brings to `client`, until `until`: of what it says no more than the issuer may say
    /// and the client may have. A part that it does not speak of is as much as that.
    #[must_use]
    pub fn brings(&self, said: &Said, client: &Client, until: NumericDate) -> Authority {
        let (scope, resources) = self.most_for(client);
        let scope = said.scope.as_ref().map_or_else(|| scope.clone(), |said| said.common(&scope));
        let resources = match &said.resources {
            Some(named) => named.intersection(&resources).cloned().collect(),
            None => resources,
        };
        let may = |name: &DetailsTypeName| {
            self.details_types.contains(name) && client.authorization_details_types.contains(name)
        };
        let details = said.details.iter().flat_map(AuthorizationDetails::iter);
        let details = AuthorizationDetails(details.filter(|d| may(d.type_name())).cloned().collect());
        Authority { scope, details, resources, until }
    }
}

/// What a JWT says of how much is allowed. `None` means that it does not speak of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Said {
    /// `scope`.
    pub scope: Option<Scope>,
    /// `authorization_details`.
    pub details: Option<AuthorizationDetails>,
    /// `resource`.
    pub resources: Option<Resources>,
}

impl Said {
    /// Whether it allows anything by itself.
    #[must_use]
    pub fn names_something(&self) -> bool {
        self.scope.as_ref().is_some_and(|scope| !scope.is_empty())
            || self.details.as_ref().is_some_and(|details| !details.is_empty())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn trusted() -> TrustedIssuer {
        TrustedIssuer {
            issuer: "https://idp.example".into(),
            purposes: [Purpose::AuthorizationGrants, Purpose::SubjectTokens, Purpose::IdentityAssertions]
                .into(),
            signing_algs: BTreeSet::from([SigningAlg::Es256]),
            subject_claim: "sub".into(),
            subjects: SubjectRule::Username,
            conditions: BTreeMap::new(),
            audiences: BTreeSet::new(),
            clients: BTreeSet::from(["client".parse().unwrap()]),
            scope: "a:read b:read offline_access".parse().unwrap(),
            details_types: BTreeSet::from(["known".parse().unwrap(), "theirs".parse().unwrap()]),
            resources: Resources::new(),
            max_life: Seconds(300),
            token_life: None,
            single_use: true,
            login: Demand::default(),
            new_accounts: false,
        }
    }

    fn client() -> Client {
        serde_json::from_value(json!({
            "id": "client", "name": "C", "kind": "service", "authentication": "none", "grant_types": [],
            "scope": "a:read c:read offline_access", "resources": ["urn:a", "urn:c"],
            "authorization_details_types": ["known", "ours"],
            "id_token_signed_response_alg": "ES256", "status": "active"
        }))
        .unwrap()
    }

    #[test]
    fn what_is_accepted_is_written_down_purpose_by_purpose() {
        let client = |id: &str| id.parse::<ClientId>().unwrap();
        let one = TrustedIssuer { purposes: [Purpose::SubjectTokens].into(), ..trusted() };
        assert!(one.trusts(Purpose::SubjectTokens, &client("client"), SigningAlg::Es256));
        for (purpose, id, alg) in [
            (Purpose::AuthorizationGrants, "client", SigningAlg::Es256),
            (Purpose::IdentityAssertions, "client", SigningAlg::Es256),
            (Purpose::SubjectTokens, "other", SigningAlg::Es256),
            (Purpose::SubjectTokens, "client", SigningAlg::Rs256),
        ] {
            assert!(!one.trusts(purpose, &client(id), alg), "{purpose:?} {id} {alg:?}");
        }
    }

    #[test]
    fn users_are_found_by_name_by_id_by_address_by_link_or_in_a_list_and_nobody_else_is_one() {
        let listed = BTreeMap::from([("ext-1".to_owned(), "alice".to_owned())]);
        let there = Identity { issuer: trusted().issuer, subject: "x".into() };
        for (subjects, named, expected) in [
            (SubjectRule::Username, "alice", Some(LocalName::Username("alice".into()))),
            (SubjectRule::UserId, "usr_1", Some(LocalName::UserId("usr_1".into()))),
            (SubjectRule::Email, "a@b.example", Some(LocalName::Email("a@b.example".into()))),
            (SubjectRule::LinkedIdentity, "x", Some(LocalName::Identity(there))),
            (SubjectRule::Listed(listed.clone()), "ext-1", Some(LocalName::Username("alice".into()))),
            (SubjectRule::Listed(listed), "alice", None),
        ] {
            let rule = TrustedIssuer { subjects, ..trusted() };
            assert_eq!(rule.local_name(named), expected, "{:?}", rule.subjects);
        }
    }

    #[test]
    fn every_condition_must_hold_and_a_list_fits_by_one_value() {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let conditions =
            [("tenant".to_owned(), names(&["acme", "acme-2"])), ("groups".to_owned(), names(&["staff"]))];
        let rule = TrustedIssuer { conditions: conditions.into(), ..trusted() };
        let holds = |claims: Value| rule.conditions_hold(claims.as_object().unwrap());
        assert!(holds(json!({"tenant": "acme-2", "groups": ["x", "staff"]})));
        assert!(holds(json!({"tenant": ["acme"], "groups": "staff"})));
        for bad in [
            json!({}),
            json!({"tenant": "acme"}),
            json!({"tenant": "acm", "groups": ["staff"]}),
            json!({"tenant": "acme", "groups": []}),
            json!({"tenant": "acme", "groups": {"staff": true}}),
            json!({"tenant": null, "groups": "staff"}),
        ] {
            assert!(!holds(bad.clone()), "{bad}");
        }
        let flag = TrustedIssuer { conditions: [("admin".to_owned(), names(&["true"]))].into(), ..trusted() };
        assert!(flag.conditions_hold(json!({"admin": true}).as_object().unwrap()));
        assert!(!flag.conditions_hold(json!({"admin": false}).as_object().unwrap()));
        assert!(trusted().conditions_hold(&Map::new()));
    }

    #[test]
    fn what_it_brings_is_within_what_is_trusted_to_the_issuer_and_what_the_client_is_registered_for() {
        let client = client();
        let (scope, resources) = trusted().most_for(&client);
        assert_eq!((scope, resources), ("a:read".parse().unwrap(), client.resources.clone()));
        let narrow: Resources = ["urn:a", "urn:b"].iter().map(|r| r.parse().unwrap()).collect();
        let (_, resources) = TrustedIssuer { resources: narrow, ..trusted() }.most_for(&client);
        assert_eq!(resources, Resources::from(["urn:a".parse().unwrap()]));
    }

    #[test]
    fn what_a_jwt_says_only_ever_narrows_and_details_are_only_those_it_says() {
        let until = NumericDate(9);
        let silent = trusted().brings(&Said::default(), &client(), until);
        assert_eq!((silent.scope.to_string().as_str(), silent.details.is_empty()), ("a:read", true));
        assert_eq!((silent.resources, silent.until), (client().resources, until));
        let details = r#"[{"type":"known"},{"type":"ours"},{"type":"theirs"}]"#;
        let said = Said {
            scope: "a:read b:read c:read offline_access d".parse().ok(),
            details: AuthorizationDetails::parse(details).ok(),
            resources: Some(["urn:a", "urn:b"].iter().map(|r| r.parse().unwrap()).collect()),
        };
        let brought = trusted().brings(&said, &client(), until);
        assert_eq!(brought.scope.to_string(), "a:read");
        assert_eq!(brought.resources, Resources::from(["urn:a".parse().unwrap()]));
        let types: Vec<_> = brought.details.iter().map(|detail| detail.type_name().as_str()).collect();
        assert_eq!(types, ["known"]);
        assert!(said.names_something() && !Said::default().names_something());
        assert!(!Said { scope: Some(Scope::empty()), ..Said::default() }.names_something());
    }
}
