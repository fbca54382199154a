//! A person in the loop of a token request: what is put before them, and what their yes is good for.
//!
//! A request that a rule or a details type holds up becomes a [`Question`]. The yes to it is bound to exactly what it
//! shows, by a hash over all of it ([`Wanted::hash`]); it is good for one token, which does not outlive it. When the
//! client comes back everything is decided anew, and whatever is not what was shown is refused.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::acr::Acr;
use crate::actor::Chain;
use crate::audience::{Audience, Resources};
use crate::authority::Authority;
use crate::authorization_details::{AuthorizationDetails, DetailsTypes};
use crate::client::Client;
use crate::destination::Destination;
use crate::identifier::{ClientId, ConsentId, DetailsTypeName, RuleId, TaskId, TokenId, UserId};
use crate::numeric_date::NumericDate;
use crate::refusal::{ErrorCode, Refuse};
use crate::rule::{Approver, Planned, Reason, Rule, Verdict, at_once, judge};
use crate::scope::Scope;
use crate::token::{Login, Subject, Token};

/// What a token request wants, apart from how long: everything that a person approves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// Who asks, and gets the token.
    pub client: ClientId,
    /// Whose authority it carries.
    pub subject: Subject,
    /// Who acts in it, the current one first.
    pub chain: Chain,
    /// Where it may be spent, or to whom it is handed over.
    pub audience: Audience,
    /// Whether it is an access token for here, or what leaves, and to where.
    #[serde(default)]
    pub destination: Destination,
    /// `scope`.
    pub scope: Scope,
    /// `authorization_details`.
    pub authorization_details: AuthorizationDetails,
    /// The version of each of their types: another one may say something else with the same values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<DetailsTypeName, u32>,
    /// The resource servers.
    pub resources: Resources,
    /// The task that it is derived for.
    pub task: Option<TaskId>,
    /// The task at the top of that one's tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub txn: Option<TaskId>,
    /// The consent that it comes from.
    pub consent: Option<ConsentId>,
    /// The token that it is derived from.
    pub parent: Option<TokenId>,
    /// Whether the user signed in for this very token, and so is there.
    #[serde(default)]
    pub user_present: bool,
}

impl Wanted {
    /// What `token` permits, and whose and who it is: an access token that would be issued. Its details are read by
    /// `types`.
    #[must_use]
    pub fn of(token: &Token, types: &DetailsTypes) -> Self {
        Self {
            client: token.client.clone(),
            subject: token.subject.clone(),
            chain: token.chain.clone(),
            audience: token.audience.clone(),
            destination: Destination::Here,
            scope: token.authority.scope.clone(),
            authorization_details: token.authority.details.clone(),
            types: types.versions(&token.authority.details),
            resources: token.authority.resources.clone(),
            task: token.task.as_ref().map(|task| task.id.clone()),
            txn: token.task.as_ref().map(|task| task.root.clone()),
            consent: token.consent.clone(),
            parent: token.parent.clone(),
            user_present: token.login.is_some() && token.parent.is_none(),
        }
    }

    /// The same, read by these details types, which may be others by now.
    #[must_use]
    pub fn read_by(&self, types: &DetailsTypes) -> Self {
        Self { types: types.versions(&self.authorization_details), ..self.clone() }
    }

    /// Its authority, for no time at all: how long, nobody is asked.
    #[must_use]
    pub fn authority(&self) -> Authority {
        Authority {
            scope: self.scope.clone(),
            details: self.authorization_details.clone(),
            resources: self.resources.clone(),
            until: NumericDate(0),
        }
    }

    /// Whether it is good for nothing but an exchange by its receiver: then that is when a person is asked, who sees
    /// the whole chain.
    const fn is_handed_over(&self) -> bool {
        matches!(self.audience, Audience::Actor(_))
    }

    fn planned<'a>(
        &'a self,
        authority: &'a Authority,
        actor: &'a Client,
        types: &'a DetailsTypes,
    ) -> Planned<'a> {
        let mut parties = vec![&self.client, &actor.id];
        parties.extend(self.chain.actors().iter().map(|actor| &actor.sub));
        let user = self.subject.user();
        Planned { parties, user, acts: self.chain.depth() > 0 || !self.user_present, authority, types }
    }

    /// The base64url SHA-256 of its canonical JSON (RFC 8785), with words in front that nothing else is hashed with.
    #[must_use]
    pub fn hash(&self) -> String {
        let canonical = serde_json_canonicalizer::to_vec(self)
            .unwrap_or_else(|_| serde_json::json!(self).to_string().into_bytes());
        let mut hash = Sha256::new();
        hash.update(b"procura approval v2\0");
        hash.update(canonical);
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

/// What a person is asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Question {
    /// What they approve.
    pub wanted: Wanted,
    /// What says that they must.
    pub reason: Reason,
    /// Who.
    pub approver: UserId,
    /// As whom they are asked.
    #[serde(default)]
    pub asked_as: Approver,
    /// What their sign-in must be worth at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<Acr>,
    /// When it is over in any case, since what it comes from is.
    pub end: NumericDate,
}

impl Question {
    /// Whether a person with this login may say yes.
    #[must_use]
    pub fn is_for(&self, login: &Login) -> bool {
        self.acr.is_none_or(|acr| Acr::reached(login) >= acr)
    }
}

/// The yes of a person, as it is found when the client comes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Approved {
    /// Whose.
    pub by: UserId,
    /// What their sign-in was worth at least, where that was asked.
    pub acr: Option<Acr>,
    /// The hash of what they were shown.
    pub hash: String,
    /// Until when it is good. Nothing that it brings outlives it.
    pub until: NumericDate,
}

/// What holds for a token that is to be issued, beside everything that it is derived from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy<'a> {
    /// The admin rules.
    pub rules: &'a [Rule],
    /// The manager of the token's user, where that user has one who may use their account.
    pub manager: Option<&'a UserId>,
    /// The yes that the client came back for.
    pub approved: Option<&'a Approved>,
}

/// Why a token is not issued although everything that it is derived from allows it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyRefused {
    /// A rule denies it.
    #[error("an admin rule denies this")]
    Denied(RuleId),
    /// A person must approve.
    #[error("a person must approve this first; send completion_mode=deferred to have them asked")]
    ApprovalNeeded(Box<Question>),
    /// A person must approve, and there is none.
    #[error("a person must approve this, and nobody is there who may")]
    NobodyToAsk(Reason),
    /// Several people must approve.
    #[error("different people must approve different parts of this; ask for them one by one")]
    AskApart,
    /// What would be issued is not what was approved.
    #[error("what would be issued now is not what was approved; ask again")]
    NotAsApproved,
    /// What was approved has ended.
    #[error("what was approved is over; ask again")]
    ApprovalOver,
}

impl Refuse for PolicyRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::AccessDenied
    }
}

impl PolicyRefused {
    /// The rule that refused it.
    #[must_use]
    pub fn rule(&self) -> Option<&RuleId> {
        match self {
            Self::Denied(rule) => Some(rule),
            Self::NobodyToAsk(reason) => reason.rule(),
            Self::ApprovalNeeded(question) => question.reason.rule(),
            Self::AskApart | Self::NotAsApproved | Self::ApprovalOver => None,
        }
    }
}

impl Reason {
    /// The rule, if it is one.
    #[must_use]
    pub const fn rule(&self) -> Option<&RuleId> {
        match self {
            Self::Rule(rule) => Some(rule),
            Self::DetailsType(_) => None,
        }
    }
}

impl Policy<'_> {
    /// Whether what is `wanted` may be issued at `now`, and the moment that it may not outlive, where somebody's yes
    /// says so. `actor` is who is to act, whose owner counts as the owner; `end` is when all that it comes from is over.
    ///
    /// # Errors
    /// [`PolicyRefused`], with the question where a person is to be asked.
    pub fn check(
        &self,
        wanted: &Wanted,
        actor: &Client,
        types: &DetailsTypes,
        end: NumericDate,
        now: NumericDate,
    ) -> Result<Option<NumericDate>, PolicyRefused> {
        if let Some(approved) = self.approved {
            if approved.hash != wanted.hash() {
                return Err(PolicyRefused::NotAsApproved);
            }
            if approved.until.is_over(now) {
                return Err(PolicyRefused::ApprovalOver);
            }
        }
        let authority = wanted.authority();
        match judge(self.rules, &wanted.planned(&authority, actor, types)) {
            Verdict::Allow => Ok(self.approved.map(|approved| approved.until)),
            Verdict::Deny(rule) => Err(PolicyRefused::Denied(rule)),
            Verdict::AskApart => Err(PolicyRefused::AskApart),
            Verdict::Ask { .. } if self.approved.is_none() && wanted.is_handed_over() => Ok(None),
            Verdict::Ask { reason, approver, acr } => {
                let asked_as = approver;
                let approver = match &asked_as {
                    Approver::Subject => wanted.subject.user().cloned(),
                    Approver::Owner => actor.agent().map(|agent| agent.owner.clone()),
                    // Nobody is above themselves.
                    Approver::Manager => {
                        self.manager.filter(|manager| Some(*manager) != wanted.subject.user()).cloned()
                    }
                    Approver::User(user) => Some(user.clone()),
                };
                let Some(approver) = approver else { return Err(PolicyRefused::NobodyToAsk(reason)) };
                match self.approved {
                    Some(approved) if approved.by == approver && acr <= approved.acr => {
                        Ok(Some(approved.until))
                    }
                    Some(_) => Err(PolicyRefused::NotAsApproved),
                    None => {
                        let question =
                            Question { wanted: wanted.clone(), reason, approver, asked_as, acr, end };
                        Err(PolicyRefused::ApprovalNeeded(Box::new(question)))
                    }
                }
            }
        }
    }

    /// The part of a token that can be issued at once ([`at_once`]); `answered` tells that its user has just approved
    /// this very token.
    #[must_use]
    pub fn at_once(&self, token: &Token, actor: &Client, types: &DetailsTypes, answered: bool) -> Authority {
        let wanted = Wanted::of(token, types);
        let reaches = |acr: Acr| token.login.as_ref().is_some_and(|login| Acr::reached(login) >= acr);
        let has = |approver: &Approver, acr: Option<Acr>| {
            let said = answered && *approver == Approver::Subject && acr.is_none_or(reaches);
            wanted.is_handed_over() || said
        };
        at_once(self.rules, &wanted.planned(&token.authority, actor, types), has)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::acr::{self, Method};
    use crate::actor::SubProfile;
    use crate::authorization_details::DetailsType;
    use crate::resource_authorization_server::GrantKind;
    use crate::rule::{RuleEffect, What};
    use serde_json::json;

    const NOW: NumericDate = NumericDate(100);

    fn wanted() -> Wanted {
        Wanted {
            client: "agent".parse().unwrap(),
            subject: Subject::User("alice".parse().unwrap()),
            chain: Chain::none(),
            audience: Audience::Resources,
            destination: Destination::Here,
            scope: "a".parse().unwrap(),
            authorization_details: AuthorizationDetails::none(),
            types: BTreeMap::new(),
            resources: Resources::from(["https://r.example".parse().unwrap()]),
            task: "task".parse().ok(),
            txn: "root".parse().ok(),
            consent: "consent".parse().ok(),
            parent: "token".parse().ok(),
            user_present: false,
        }
    }

    fn jag(issuer: &str) -> Destination {
        Destination::other_domain(GrantKind::IdJag, issuer)
    }

    fn transaction(details: serde_json::Value) -> Destination {
        let request_details = details.as_object().unwrap().clone();
        Destination::Transaction { audience: "trust.example".into(), request_details }
    }

    fn agent() -> Client {
        serde_json::from_value(json!({
            "id": "agent", "name": "Agent", "authentication": "private_key_jwt", "grant_types": [], "scope": "a",
            "kind": {"agent": {"owner": "bob", "purpose": "p", "expires_at": 1_000}},
            "id_token_signed_response_alg": "ES256", "status": "active"
        }))
        .unwrap()
    }

    fn asking(approver: Approver) -> Rule {
        let effect = RuleEffect::Ask { approver, acr: None, what: What::default() };
        Rule { id: "ask".parse().unwrap(), client: None, effect, subjects: None, resources: Resources::new() }
    }

    fn check(
        rules: &[Rule],
        approved: Option<&Approved>,
        wanted: &Wanted,
    ) -> Result<Option<NumericDate>, PolicyRefused> {
        let manager = "max".parse().ok();
        let policy = Policy { rules, manager: manager.as_ref(), approved };
        policy.check(wanted, &agent(), &DetailsTypes::default(), NumericDate(900), NOW)
    }

    fn yes(by: &str) -> Approved {
        Approved { by: by.parse().unwrap(), acr: None, hash: wanted().hash(), until: NumericDate(160) }
    }

    #[test]
    fn every_member_of_what_is_wanted_changes_its_hash() {
        let changes: [fn(&mut Wanted); 19] = [
            |w| w.client = "other".parse().unwrap(),
            |w| w.subject = Subject::User("eve".parse().unwrap()),
            |w| w.chain = Chain::of(agent().as_actor("https://as.example")),
            |w| w.audience = Audience::Actor("agent".parse().unwrap()),
            |w| w.destination = jag("https://saas.example"),
            |w| w.destination = jag("https://other.example"),
            |w| w.destination = Destination::other_domain(GrantKind::Jwt, "https://saas.example"),
            |w| w.destination = transaction(json!({})),
            |w| w.destination = transaction(json!({"order": 7})),
            |w| w.scope = "a b".parse().unwrap(),
            |w| w.authorization_details = AuthorizationDetails::parse(r#"[{"type":"t"}]"#).unwrap(),
            |w| w.types = BTreeMap::from([("t".parse().unwrap(), 1)]),
            |w| w.types = BTreeMap::from([("t".parse().unwrap(), 2)]),
            |w| w.resources.clear(),
            |w| w.task = None,
            |w| w.txn = None,
            |w| w.consent = None,
            |w| w.parent = None,
            |w| w.user_present = true,
        ];
        let mut hashes = vec![wanted().hash()];
        for (index, change) in changes.into_iter().enumerate() {
            let mut other = wanted();
            change(&mut other);
            assert!(!hashes.contains(&other.hash()), "{index}");
            hashes.push(other.hash());
        }
        assert_eq!(wanted().hash(), wanted().hash());
    }

    #[test]
    fn the_rule_says_whether_the_subject_the_owner_or_a_named_user_is_asked() {
        let named = Approver::User("carol".parse().unwrap());
        let all = [
            (Approver::Subject, "alice"),
            (Approver::Owner, "bob"),
            (Approver::Manager, "max"),
            (named, "carol"),
        ];
        for (approver, expected) in all {
            match check(&[asking(approver)], None, &wanted()) {
                Err(PolicyRefused::ApprovalNeeded(question)) => {
                    assert_eq!(question.approver.as_str(), expected);
                    assert_eq!(question.reason.rule().map(RuleId::as_str), Some("ask"));
                    assert_eq!((question.wanted, question.end), (wanted(), NumericDate(900)));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn where_nobody_could_approve_it_is_refused() {
        let id = "agent".parse().unwrap();
        let own = Wanted { subject: Subject::Client { id, sub_profile: SubProfile::AiAgent }, ..wanted() };
        let refused = check(&[asking(Approver::Subject)], None, &own);
        assert!(matches!(refused, Err(PolicyRefused::NobodyToAsk(_))), "{refused:?}");
    }

    #[test]
    fn a_yes_is_good_for_what_was_shown_to_whoever_had_to_approve_until_its_end() {
        let rules = [asking(Approver::Owner)];
        assert_eq!(check(&rules, Some(&yes("bob")), &wanted()), Ok(Some(NumericDate(160))));
        assert_eq!(check(&[], Some(&yes("bob")), &wanted()), Ok(Some(NumericDate(160))));
        assert_eq!(check(&rules, Some(&yes("alice")), &wanted()), Err(PolicyRefused::NotAsApproved));
        let more = Wanted { scope: "a b".parse().unwrap(), ..wanted() };
        assert_eq!(check(&rules, Some(&yes("bob")), &more), Err(PolicyRefused::NotAsApproved));
        let over = Approved { until: NOW, ..yes("bob") };
        assert_eq!(check(&rules, Some(&over), &wanted()), Err(PolicyRefused::ApprovalOver));
    }

    #[test]
    fn a_yes_is_good_only_where_its_sign_in_was_worth_what_the_rule_demands_now() {
        let rule = |acr| {
            let effect = RuleEffect::Ask { approver: Approver::Owner, acr, what: What::default() };
            [Rule { effect, ..asking(Approver::Owner) }]
        };
        let multi = Some(Acr::MultiFactor);
        match check(&rule(multi), None, &wanted()) {
            Err(PolicyRefused::ApprovalNeeded(question)) => {
                let by = |methods: &[Method]| question.is_for(&acr::login(methods, NOW));
                assert_eq!(question.acr, multi);
                assert!(by(&[Method::Password, Method::OneTimeCode]) && !by(&[Method::Password]));
            }
            other => panic!("{other:?}"),
        }
        for (reached, demanded, good) in [
            (None, None, true),
            (multi, None, true),
            (multi, multi, true),
            (Some(Acr::PhishingResistant), multi, true),
            (None, multi, false),
            (Some(Acr::SingleFactor), multi, false),
            (multi, Some(Acr::PhishingResistant), false),
        ] {
            let approved = Approved { acr: reached, ..yes("bob") };
            let checked = check(&rule(demanded), Some(&approved), &wanted());
            assert_eq!(checked.is_ok(), good, "{reached:?} {demanded:?}");
        }
    }

    #[test]
    fn what_is_denied_nobody_can_approve() {
        let deny = Rule { effect: RuleEffect::Deny { what: What::default() }, ..asking(Approver::Owner) };
        let refused = check(&[asking(Approver::Owner), deny], Some(&yes("bob")), &wanted());
        assert!(matches!(refused, Err(PolicyRefused::Denied(_))), "{refused:?}");
    }

    #[test]
    fn nobody_approves_as_manager_where_there_is_none_or_it_would_be_the_user() {
        let alice = "alice".parse().unwrap();
        for manager in [None, Some(&alice)] {
            let rules = [asking(Approver::Manager)];
            let policy = Policy { rules: &rules, manager, approved: None };
            let refused = policy.check(&wanted(), &agent(), &DetailsTypes::default(), NumericDate(900), NOW);
            assert!(matches!(refused, Err(PolicyRefused::NobodyToAsk(_))), "{refused:?}");
        }
    }

    #[test]
    fn a_yes_to_one_version_of_a_details_type_is_none_to_another() {
        let types = |version| {
            let document =
                json!({"name": "t", "schema": {}, "words": {"en": {"name": "T", "sentence": "T"}}});
            let kind = DetailsType::of_version(serde_json::from_value(document).unwrap(), version).unwrap();
            DetailsTypes::of([Arc::new(kind)])
        };
        let details = AuthorizationDetails::parse(r#"[{"type":"t"}]"#).unwrap();
        let first = Wanted { authorization_details: details, ..wanted() }.read_by(&types(1));
        let rules = [asking(Approver::Owner)];
        let approved = Approved { hash: first.hash(), ..yes("bob") };
        assert!(check(&rules, Some(&approved), &first).is_ok());
        let second = first.read_by(&types(2));
        assert_eq!(check(&rules, Some(&approved), &second), Err(PolicyRefused::NotAsApproved));
    }
}
