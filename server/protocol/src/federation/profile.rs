//! What an upstream says about somebody, as far as it is fit to be kept: everything is bounded, and nothing is
//! taken for more than it says.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Upstream;
use crate::user::MANAGER;

/// In which claims things stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimNames {
    /// What to call somebody in lists.
    pub username: String,
    /// How to address them.
    pub name: String,
    /// Their e-mail address; whether it is verified stands in `email_verified`.
    pub email: String,
    /// Their groups: a list of texts, or one text.
    pub groups: String,
    /// The username, here, of their manager. None is read where no claim is named.
    pub manager: Option<String>,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            username: "preferred_username".into(),
            name: "name".into(),
            email: "email".into(),
            groups: "groups".into(),
            manager: None,
        }
    }
}

/// What is known of somebody from their upstream.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Profile {
    /// What to call them in lists.
    pub username: Option<String>,
    /// How to address them.
    pub name: Option<String>,
    /// Their e-mail address.
    pub email: Option<Email>,
    /// Their groups there.
    pub groups: BTreeSet<String>,
    /// The username of their manager.
    pub manager: Option<String>,
    /// Other claims of OpenID Connect that are kept with an account.
    pub further: Map<String, Value>,
}

/// An e-mail address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Email {
    /// The address.
    pub address: String,
    /// Whether the upstream made sure that it is theirs, and is believed.
    pub verified: bool,
}

/// The longest name and username, in characters, as everywhere in this server.
const LONGEST_NAME: usize = 200;
/// The longest e-mail address, in bytes.
const LONGEST_EMAIL: usize = 254;
/// The most groups that are looked at.
const MOST_GROUPS: usize = 500;
/// The longest name of a group, in bytes.
const LONGEST_GROUP: usize = 256;
/// How the ids of users begin here.
const OUR_IDS: &str = "usr_";
/// The claims of OpenID Connect Core §5.1 that are kept beside name and address.
const FURTHER: [&str; 6] = ["given_name", "family_name", "middle_name", "nickname", "locale", "zoneinfo"];

impl Profile {
    /// Reads the claims of somebody who was signed in by `upstream`.
    #[must_use]
    pub fn read(claims: &Map<String, Value>, upstream: &Upstream) -> Self {
        let names = &upstream.claims;
        let further =
            FURTHER.into_iter().filter_map(|name| Some((name.to_owned(), text(claims, name)?.into())));
        Self {
            username: text(claims, &names.username).filter(|name| !name.chars().any(char::is_whitespace)),
            name: text(claims, &names.name),
            email: email(claims, upstream),
            groups: groups(claims.get(&names.groups)),
            manager: names.manager.as_deref().and_then(|name| text(claims, name)),
            further: further.collect(),
        }
    }

    /// The usernames that somebody new may get, the best one first; `random` is at the end of the last one.
    #[must_use]
    pub fn usernames(&self, upstream: &Upstream, random: &str) -> Vec<String> {
        let said = self.username.as_deref().or(self.email.as_ref().map(|email| email.address.as_str()));
        let best = said.and_then(|said| self.harmless(said, upstream));
        let mut names: Vec<String> = best.iter().map(|best| (*best).to_owned()).collect();
        // With a dot in it, what is behind the @ would be a domain.
        let mark = if upstream.id.as_str().contains('.') { '-' } else { '@' };
        names.extend(best.map(|best| format!("{best}{mark}{}", upstream.id)));
        names.push(format!("{}-{random}", upstream.id));
        names.retain(|name| name.chars().count() <= LONGEST_NAME);
        names
    }

    /// As much of a name as its owner may have here. Many choose for themselves what they are called at their upstream,
    /// and others here are named by their addresses and ids: an address is a username only where it is theirs, as an
    /// upstream says that speaks for its domain, and else what stands before the `@`; what looks like an id is none.
    fn harmless<'a>(&self, said: &'a str, upstream: &Upstream) -> Option<&'a str> {
        let own = self.email.as_ref().filter(|email| email.verified && upstream.speaks_for(&email.address));
        let is_own = own.is_some_and(|email| email.address.eq_ignore_ascii_case(said));
        let name = if is_own { said } else { said.split('@').next().unwrap_or_default() };
        let is_id = name.get(..OUR_IDS.len()).is_some_and(|start| start.eq_ignore_ascii_case(OUR_IDS));
        (!name.is_empty() && !is_id).then_some(name)
    }

    /// How pages address them.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        let address = self.email.as_ref().map(|email| email.address.as_str());
        self.name.as_deref().or(self.username.as_deref()).or(address)
    }

    /// The claims that are kept with an account that the upstream made.
    #[must_use]
    pub fn claims(&self) -> Map<String, Value> {
        let mut claims = self.further.clone();
        if let Some(email) = &self.email {
            claims.insert("email".into(), email.address.as_str().into());
            claims.insert("email_verified".into(), email.verified.into());
        }
        if let Some(manager) = &self.manager {
            claims.insert(MANAGER.into(), manager.as_str().into());
        }
        claims
    }
}

/// A text that says something, without control characters and not too long.
fn text(claims: &Map<String, Value>, name: &str) -> Option<String> {
    let text = claims.get(name)?.as_str()?.trim();
    let fits =
        !text.is_empty() && text.chars().count() <= LONGEST_NAME && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

/// An upstream that speaks for certain domains is believed for these alone: what it says of other addresses may be
/// what their owner typed.
fn email(claims: &Map<String, Value>, upstream: &Upstream) -> Option<Email> {
    let address = text(claims, &upstream.claims.email)?;
    let plain = address.len() <= LONGEST_EMAIL && !address.chars().any(char::is_whitespace);
    super::home_realm::domain_of(&address).filter(|_| plain)?;
    let said = claims.get("email_verified") == Some(&Value::Bool(true));
    let verified = said && (upstream.email_domains.is_empty() || upstream.speaks_for(&address));
    Some(Email { address, verified })
}

fn groups(claim: Option<&Value>) -> BTreeSet<String> {
    let one = |value: &Value| value.as_str().filter(|text| text.len() <= LONGEST_GROUP).map(str::to_owned);
    match claim {
        Some(Value::Array(items)) => items.iter().take(MOST_GROUPS).filter_map(one).collect(),
        Some(value) => one(value).into_iter().collect(),
        None => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::company;
    use super::*;

    fn read(claims: Value) -> Profile {
        Profile::read(claims.as_object().unwrap(), &company())
    }

    #[test]
    fn the_usual_claims_are_read_by_default_and_others_where_they_are_named() {
        let claims = json!({
            "preferred_username": "alice", "name": "Alice Arnold", "email": "alice@company.example",
            "email_verified": true, "groups": ["a", "b"], "given_name": "Alice", "salary": 1
        });
        let profile = read(claims.clone());
        assert_eq!(profile.username.as_deref(), Some("alice"));
        assert_eq!(profile.display_name(), Some("Alice Arnold"));
        assert_eq!(
            Value::Object(profile.claims()),
            json!({"given_name": "Alice", "email": "alice@company.example", "email_verified": true})
        );
        assert_eq!(profile.groups, BTreeSet::from(["a".into(), "b".into()]));
        let mut upstream = company();
        upstream.claims.username = "given_name".into();
        upstream.claims.groups = "name".into();
        let profile = Profile::read(claims.as_object().unwrap(), &upstream);
        assert_eq!(profile.username.as_deref(), Some("Alice"));
        assert_eq!(profile.groups, BTreeSet::from(["Alice Arnold".into()]), "one text is one group");
    }

    #[test]
    fn a_manager_is_read_where_a_claim_is_named_for_it_and_only_a_name() {
        let claims = json!({"manager": "bob", "boss": "carol", "list": ["bob"]});
        let read = |claim: Option<&str>| {
            let mut upstream = company();
            upstream.claims.manager = claim.map(str::to_owned);
            Profile::read(claims.as_object().unwrap(), &upstream).claims().get("manager").cloned()
        };
        assert_eq!(read(None), None);
        assert_eq!(read(Some("boss")), Some("carol".into()));
        for none in ["list", "missing"] {
            assert_eq!(read(Some(none)), None, "{none}");
        }
    }

    #[test]
    fn an_address_counts_as_verified_only_if_it_is_said_and_the_upstream_speaks_for_its_domain() {
        let verified = |email: &str, said: Value| {
            read(json!({"email": email, "email_verified": said})).email.map(|email| email.verified)
        };
        assert_eq!(verified("a@company.example", true.into()), Some(true));
        assert_eq!(verified("a@company.example", false.into()), Some(false));
        assert_eq!(verified("a@company.example", "true".into()), Some(false), "a text is no yes");
        assert_eq!(verified("a@company.example", Value::Null), Some(false));
        assert_eq!(verified("a@elsewhere.example", true.into()), Some(false));
        assert_eq!(verified("no address", true.into()), None);
    }

    #[test]
    fn what_is_empty_too_long_or_no_text_is_passed_over() {
        let long = "x".repeat(201);
        for bad in [json!(""), json!(" "), json!(long), json!("a\u{7}"), json!(7), json!(["a"]), json!(null)]
        {
            let profile = read(json!({"preferred_username": bad, "name": bad, "given_name": bad}));
            assert_eq!(profile, Profile::default(), "{bad}");
        }
        assert_eq!(read(json!({"preferred_username": "a b"})).username, None, "usernames have no spaces");
        let many: Vec<_> = (0..2000).map(|n| n.to_string()).collect();
        assert_eq!(read(json!({"groups": many})).groups.len(), MOST_GROUPS);
        assert!(read(json!({"groups": ["x".repeat(257), 7, {"a": 1}]})).groups.is_empty());
    }

    #[test]
    fn a_username_is_asked_for_then_marked_with_the_upstream_and_at_last_made_up() {
        let usernames = |claims: Value| read(claims).usernames(&company(), "r4nd0m");
        let alice = usernames(json!({"preferred_username": "alice", "email": "a@company.example"}));
        assert_eq!(alice, ["alice", "alice@company", "company-r4nd0m"]);
        let by_email = usernames(json!({"email": "a@company.example", "email_verified": true}));
        assert_eq!(by_email, ["a@company.example", "a@company.example@company", "company-r4nd0m"]);
        assert_eq!(usernames(json!({})), ["company-r4nd0m"]);
        let long = usernames(json!({"preferred_username": "x".repeat(200)}));
        assert_eq!(long.len(), 2, "what would be too long is left out");
    }

    #[test]
    fn nobody_is_called_by_an_address_that_is_not_surely_theirs_nor_like_an_id() {
        let best = |username: &str, email: &str, verified: bool| {
            let claims = json!({"preferred_username": username, "email": email, "email_verified": verified});
            read(claims).usernames(&company(), "r4nd0m").remove(0)
        };
        let (own, other) = ("a@company.example", "carol@corp.example");
        assert_eq!(best("A@company.example", own, true), "A@company.example");
        for (username, email, verified) in
            [(own, own, false), (own, "b@company.example", true), (other, own, true), (other, other, true)]
        {
            let local = username.split('@').next().unwrap();
            assert_eq!(best(username, email, verified), local, "{username} {email} {verified}");
        }
        for id in ["usr_1", "USR_1", "usr_1@corp.example", "@corp.example"] {
            assert_eq!(best(id, own, true), "company-r4nd0m", "{id}");
        }
        let unverified = read(json!({"email": own})).usernames(&company(), "r4nd0m");
        assert_eq!(unverified, ["a", "a@company", "company-r4nd0m"]);
        let mut dotted = company();
        dotted.id = "corp.example".parse().unwrap();
        let names = read(json!({"preferred_username": "carol"})).usernames(&dotted, "r4nd0m");
        assert_eq!(names, ["carol", "carol-corp.example", "corp.example-r4nd0m"]);
    }
}
