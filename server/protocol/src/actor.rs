//! `act` and `may_act` (RFC 8693 §4.1, §4.4), in the exact form of the actor profile: each actor has `sub`, `iss`
//! and `sub_profile`, and nothing that would say anything about validity.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::identifier::{ClientId, InstanceId};

/// Which kind of principal an identifier names (actor profile, `sub_profile`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubProfile {
    /// A person.
    User,
    /// A service.
    Service,
    /// An AI agent.
    AiAgent,
}

impl SubProfile {
    /// The word as it stands in tokens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Service => "service",
            Self::AiAgent => "ai_agent",
        }
    }
}

/// One actor of a chain.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Actor {
    /// The actor's client id in the namespace of `iss`.
    pub sub: ClientId,
    /// Whose namespace `sub` belongs to; not the issuer of the token.
    pub iss: Box<str>,
    /// What kind of principal acts.
    pub sub_profile: SubProfile,
    /// Which running copy of it, where it is known. It is the same actor all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

impl Actor {
    /// The identity members and no others (RFC 8693 §4.1: no `exp`, `nbf`, `aud`).
    #[must_use]
    pub fn to_claim(&self) -> Map<String, Value> {
        let mut claim = Map::new();
        claim.insert("sub".into(), self.sub.as_str().into());
        claim.insert("iss".into(), self.iss.as_ref().into());
        claim.insert("sub_profile".into(), self.sub_profile.as_str().into());
        if let Some(instance) = &self.instance {
            claim.insert("instance".into(), instance.as_str().into());
        }
        claim
    }

    /// Whether this is the same principal, in whichever instance: the pair of `iss` and `sub` decides.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.sub == other.sub && self.iss == other.iss
    }
}

/// Who acted, the current actor first. Empty where nobody acts for the subject.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chain(Vec<Actor>);

/// Why an actor cannot be put on a chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CannotExtend {
    /// It acted before and may not come back (A → B → A).
    AlreadyInChain,
    /// The chain would be deeper than allowed.
    TooLong,
    /// Its JSON would be larger than [`LARGEST_CHAIN`].
    TooLarge,
}

/// The largest `act` claim, in bytes of JSON.
pub const LARGEST_CHAIN: usize = 8 * 1024;

impl Chain {
    /// Nobody acts.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// One actor, as where an agent got its authority from the user itself.
    #[must_use]
    pub fn of(actor: Actor) -> Self {
        Self(vec![actor])
    }

    /// The party that acts now: the outermost `act`, the only one access decisions may use (RFC 8693 §4.1).
    #[must_use]
    pub fn current(&self) -> Option<&Actor> {
        self.0.first()
    }

    /// How many actors.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.0.len()
    }

    /// The actors, the current one first.
    #[must_use]
    pub fn actors(&self) -> &[Actor] {
        &self.0
    }

    /// The chain with `actor` as the current one.
    ///
    /// Narrowing one's own token does not make the chain longer: an actor that is already the current one is not
    /// repeated. One further down may not come back, nor does another instance of the current one take its place, since
    /// the chain would then name one that does not act. Nothing is ever cut off.
    ///
    /// # Errors
    /// [`CannotExtend`] where the actor acted before, or the chain would pass `longest` or [`LARGEST_CHAIN`].
    pub fn extended_by(&self, actor: &Actor, longest: usize) -> Result<Self, CannotExtend> {
        if self.current().is_some_and(|current| current.is(actor) && current.instance == actor.instance) {
            return Ok(self.clone());
        }
        if self.0.iter().any(|earlier| earlier.is(actor)) {
            return Err(CannotExtend::AlreadyInChain);
        }
        if self.0.len() >= longest {
            return Err(CannotExtend::TooLong);
        }
        let mut actors = Vec::with_capacity(self.0.len() + 1);
        actors.push(actor.clone());
        actors.extend_from_slice(&self.0);
        let chain = Self(actors);
        if chain.fits_on(&Self::none()) { Ok(chain) } else { Err(CannotExtend::TooLarge) }
    }

    /// Whether the `act` of all of them, with those who acted `before` innermost, is no larger than [`LARGEST_CHAIN`].
    #[must_use]
    pub fn fits_on(&self, before: &Self) -> bool {
        self.to_claim_on(before).is_none_or(|claim| claim.to_string().len() <= LARGEST_CHAIN)
    }

    /// Whether nobody acts.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The nested `act` claim, the current actor outermost; `None` where nobody acts.
    #[must_use]
    pub fn to_claim(&self) -> Option<Value> {
        self.to_claim_on(&Self::none())
    }

    /// The same, with those who acted `before` innermost.
    #[must_use]
    pub fn to_claim_on(&self, before: &Self) -> Option<Value> {
        self.0.iter().chain(&before.0).rev().fold(None, |inner: Option<Value>, actor| {
            let mut claim = actor.to_claim();
            if let Some(inner) = inner {
                claim.insert("act".into(), inner);
            }
            Some(Value::Object(claim))
        })
    }
}

/// The `act` claim of a JWT that `issuer` made, which is not us (`own`): whom it acts for there. The outermost actor is
/// of its own namespace, since it speaks for nobody else; and none of them is of ours, since we speak for those.
#[must_use]
pub fn brought(act: &Value, issuer: &str, own: &str) -> Option<Chain> {
    let mut actors: Vec<Actor> = Vec::new();
    let mut next = Some(act);
    while let Some(act) = next {
        let members = act.as_object()?;
        let iss = members.get("iss").map_or(Some(issuer), Value::as_str)?;
        let speaks = if actors.is_empty() { iss == issuer } else { iss != own };
        if !speaks || iss == own || iss.len() > LONGEST_NAMESPACE || actors.len() >= LONGEST_BROUGHT {
            return None;
        }
        let profile = members.get("sub_profile").map_or(Some(""), Value::as_str)?;
        let sub_profile = match profile.split(' ').any(|word| word == SubProfile::AiAgent.as_str()) {
            true => SubProfile::AiAgent,
            false => SubProfile::Service,
        };
        let sub = members.get("sub")?.as_str()?.parse().ok()?;
        // Which copy of it acts there says nothing here.
        actors.push(Actor { sub, iss: iss.into(), sub_profile, instance: None });
        next = members.get("act");
    }
    Some(Chain(actors))
}

/// The longest chain that is taken from elsewhere.
const LONGEST_BROUGHT: usize = 5;
/// The longest `iss` of an actor from elsewhere, in bytes.
const LONGEST_NAMESPACE: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(id: &str) -> Actor {
        Actor {
            sub: id.parse().unwrap(),
            iss: "https://as.example".into(),
            sub_profile: SubProfile::AiAgent,
            instance: None,
        }
    }

    #[test]
    fn the_current_actor_is_outermost_and_the_oldest_deepest() {
        let chain = Chain::of(agent("a")).extended_by(&agent("b"), 5).unwrap();
        let act = chain.to_claim().unwrap();
        assert_eq!(act["sub"], "b");
        assert_eq!(act["act"]["sub"], "a");
        assert!(act["act"].get("act").is_none());
    }

    #[test]
    fn narrowing_does_not_repeat_the_current_actor() {
        let chain = Chain::of(agent("a"));
        assert_eq!(chain.extended_by(&agent("a"), 1).unwrap(), chain);
    }

    #[test]
    fn an_earlier_actor_may_not_come_back() {
        let chain = Chain::of(agent("a")).extended_by(&agent("b"), 5).unwrap();
        assert_eq!(chain.extended_by(&agent("a"), 5), Err(CannotExtend::AlreadyInChain));
    }

    #[test]
    fn a_chain_is_refused_beyond_its_depth_and_never_cut() {
        let chain = Chain::of(agent("a")).extended_by(&agent("b"), 2).unwrap();
        assert_eq!(chain.extended_by(&agent("c"), 2), Err(CannotExtend::TooLong));
    }

    #[test]
    fn an_instance_stands_beside_its_actor_and_is_no_actor_of_its_own() {
        let copy = |id: &str| Actor { instance: Some(id.parse().unwrap()), ..agent("a") };
        let chain = Chain::of(copy("1"));
        assert_eq!(chain.to_claim().unwrap()["instance"], "1");
        assert_eq!(chain.to_claim().unwrap()["sub"], "a");
        assert!(copy("1").is(&copy("2")) && copy("1").is(&agent("a")));
        assert_eq!(chain.extended_by(&copy("1"), 1).unwrap(), chain);
        for other in [copy("2"), agent("a")] {
            assert_eq!(chain.extended_by(&other, 5), Err(CannotExtend::AlreadyInChain));
        }
        let longer = chain.extended_by(&agent("b"), 5).unwrap();
        assert_eq!(longer.extended_by(&copy("2"), 5), Err(CannotExtend::AlreadyInChain));
        assert_eq!(serde_json::to_value(agent("a")).unwrap().get("instance"), None);
    }

    #[test]
    fn equal_subjects_of_two_namespaces_are_two_actors() {
        let elsewhere = Actor { iss: "https://other.example".into(), ..agent("a") };
        assert_eq!(Chain::of(agent("a")).extended_by(&elsewhere, 5).unwrap().depth(), 2);
    }

    #[test]
    fn a_chain_above_eight_kibibytes_is_refused() {
        let far = |i: usize| Actor { iss: "https://x.example/".repeat(60).into(), ..agent(&format!("a{i}")) };
        let mut chain = Chain::none();
        let refused = (0..100).find_map(|i| match chain.extended_by(&far(i), 1000) {
            Ok(longer) => {
                chain = longer;
                None
            }
            Err(reason) => Some(reason),
        });
        assert_eq!(refused, Some(CannotExtend::TooLarge));
    }

    #[test]
    fn a_chain_of_exactly_eight_kibibytes_is_still_one() {
        let of_size = |extra: usize| Actor { iss: "x".repeat(extra).into(), ..agent("a") };
        let empty = Chain::of(of_size(0)).to_claim().unwrap().to_string().len();
        let none = Chain::none();
        assert!(none.extended_by(&of_size(8192 - empty), 5).is_ok());
        assert_eq!(none.extended_by(&of_size(8193 - empty), 5), Err(CannotExtend::TooLarge));
    }

    #[test]
    fn who_acted_before_counts_in_the_size_of_the_chain_that_is_written() {
        let of_size = |extra: usize| Chain::of(Actor { iss: "x".repeat(extra).into(), ..agent("b") });
        let own = Chain::of(agent("a"));
        let small = own.to_claim_on(&of_size(0)).unwrap().to_string().len();
        assert!(own.fits_on(&of_size(LARGEST_CHAIN - small)));
        assert!(!own.fits_on(&of_size(LARGEST_CHAIN - small + 1)));
        assert!(own.fits_on(&Chain::none()) && Chain::none().fits_on(&Chain::none()));
    }

    #[test]
    fn sub_profiles_read_as_they_are_registered() {
        for (profile, word) in
            [(SubProfile::User, "user"), (SubProfile::Service, "service"), (SubProfile::AiAgent, "ai_agent")]
        {
            assert_eq!(profile.as_str(), word);
            assert_eq!(serde_json::to_value(profile).unwrap(), word);
        }
    }

    #[test]
    fn a_chain_from_elsewhere_is_read_whole_or_not_at_all() {
        const THEM: &str = "https://them.example";
        const US: &str = "https://as.example";
        let read = |act: Value| brought(&act, THEM, US);
        let two = serde_json::json!({
            "sub": "b", "sub_profile": "ai_agent", "act": {"sub": "a", "iss": "https://third.example"}
        });
        let chain = read(two).unwrap();
        let acts: Vec<_> = chain.actors().iter().map(|a| (a.sub.as_str(), &*a.iss, a.sub_profile)).collect();
        let expected =
            [("b", THEM, SubProfile::AiAgent), ("a", "https://third.example", SubProfile::Service)];
        assert_eq!(acts, expected);
        let on = Chain::of(agent("x")).to_claim_on(&chain).unwrap();
        assert_eq!(
            (&on["sub"], &on["act"]["sub"], &on["act"]["act"]["sub"]),
            (&"x".into(), &"b".into(), &"a".into())
        );
        for wrong in [
            serde_json::json!("b"),
            serde_json::json!({}),
            serde_json::json!({"sub": ""}),
            serde_json::json!({"sub": "b", "iss": 1}),
            serde_json::json!({"sub": "b", "iss": "https://third.example"}),
            serde_json::json!({"sub": "b", "iss": US}),
            serde_json::json!({"sub": "b", "act": {"sub": "a", "iss": US}}),
            serde_json::json!({"sub": "b", "act": "a"}),
            serde_json::json!({"sub": "b", "sub_profile": 1}),
            (0..6).fold(
                serde_json::json!({"sub": "z"}),
                |act, i| serde_json::json!({"sub": i.to_string(), "act": act}),
            ),
        ] {
            assert_eq!(read(wrong.clone()), None, "{wrong}");
        }
    }

    #[test]
    fn an_actor_says_who_it_is_and_nothing_about_validity() {
        let mut names: Vec<_> = agent("a").to_claim().keys().cloned().collect();
        names.sort();
        assert_eq!(names, ["iss", "sub", "sub_profile"]);
    }
}
