//! Authorization details of two registered types, and what is within what: told from what their declaration and the
//! documentation say, and not by the server's narrowing.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::ORDERS;

use super::parties::Words;

/// How long a token with a seal lives at most.
pub(super) const LIFE_OF_SEALS: i64 = 120;
/// The types as they are declared. Refunds mean something everywhere and may be passed on; seals mean something at the
/// orders alone, and stay with whom they were given to.
pub(super) const DECLARED: &str = r#"
[[details_types]]
name = "refund"
may_be_passed_on = true
schema_json = '''{ "required": ["type", "actions", "amount", "region"], "properties": {
    "actions": { "type": "array", "minItems": 1, "items": { "enum": ["cancel", "look_up", "refund"] } },
    "amount": { "type": "integer", "minimum": 0 }, "region": { "enum": ["eu", "us"] },
    "folder": { "type": "string", "pattern": "^/[a-z0-9/]+$" } } }'''
narrowing = { actions = "subset", amount = "max", folder = { rule = "prefix", absent = "unrestricted" } }
words = { en = { name = "Refunds", sentence = "{actions} up to {amount} in {region}", fields = { folder = "In {folder}" } } }

[[details_types]]
name = "seal"
max_life = "2m"
schema_json = '''{ "required": ["type", "actions", "floor"], "properties": {
    "actions": { "type": "array", "minItems": 1, "items": { "enum": ["cancel", "look_up", "refund"] } },
    "floor": { "type": "integer", "minimum": 0 } } }'''
narrowing = { actions = "subset", floor = "min" }
words = { en = { name = "Seals", sentence = "{actions} from {floor}" } }
"#;

const ACTIONS: [&str; 3] = ["cancel", "look_up", "refund"];
const REGIONS: [&str; 2] = ["eu", "us"];
const FOLDERS: [&str; 5] = ["/shops", "/shops/bonn", "/shops/bonn/1", "/shops/berlin", "/shopsbeyond"];

/// A registered type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    Refund,
    Seal,
}

impl Kind {
    /// Whether the resource server of `place` knows it.
    pub(super) fn is_known_at(self, place: &str) -> bool {
        self == Self::Refund || place == ORDERS
    }

    pub(super) fn may_be_passed_on(self) -> bool {
        self == Self::Refund
    }
}

/// One authorization detail.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Detail {
    pub(super) kind: Kind,
    actions: Words,
    /// The greatest amount of a refund, the floor of a seal.
    bound: i64,
    /// Only of a refund: below which folder, everywhere where there is none.
    folder: Option<&'static str>,
    /// Only of a refund.
    region: &'static str,
}

/// Several of them, in no order.
pub(super) type Details = BTreeSet<Detail>;

fn below(folder: &str, other: &str) -> bool {
    folder == other || folder.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

impl Detail {
    /// Whether whoever has `given` has this.
    pub(super) fn is_within(&self, given: &Self) -> bool {
        let bound = match self.kind {
            Kind::Refund => self.bound <= given.bound,
            Kind::Seal => self.bound >= given.bound,
        };
        let folder = match (self.folder, given.folder) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(there)) => below(own, there),
        };
        self.kind == given.kind
            && self.actions.is_subset(&given.actions)
            && bound
            && folder
            && self.region == given.region
    }

    /// As much as there is of both.
    fn common(&self, other: &Self) -> Option<Self> {
        let actions: Words = self.actions.intersection(&other.actions).copied().collect();
        let folder = match (self.folder, other.folder) {
            (None, folder) | (folder, None) => folder,
            (Some(a), Some(b)) if below(a, b) => Some(a),
            (Some(a), Some(b)) if below(b, a) => Some(b),
            _ => return None,
        };
        let bound = match self.kind {
            Kind::Refund => self.bound.min(other.bound),
            Kind::Seal => self.bound.max(other.bound),
        };
        let fits = self.kind == other.kind && self.region == other.region && !actions.is_empty();
        fits.then(|| Self { actions, folder, bound, ..self.clone() })
    }

    pub(super) fn json(&self) -> Value {
        match self.kind {
            Kind::Refund => {
                let mut detail = json!({
                    "type": "refund", "actions": self.actions, "amount": self.bound, "region": self.region
                });
                if let Some(folder) = self.folder {
                    detail["folder"] = folder.into();
                }
                detail
            }
            Kind::Seal => json!({ "type": "seal", "actions": self.actions, "floor": self.bound }),
        }
    }

    fn read(detail: &Value) -> Self {
        let known =
            |of: &[&'static str], text: &Value| of.iter().copied().find(|one| text.as_str() == Some(*one));
        let actions = detail["actions"].as_array().unwrap().iter();
        let actions: Words = actions.map(|action| known(&ACTIONS, action).unwrap()).collect();
        match detail["type"].as_str().unwrap() {
            "refund" => Self {
                kind: Kind::Refund,
                actions,
                bound: detail["amount"].as_i64().unwrap(),
                folder: known(&FOLDERS, &detail["folder"]),
                region: known(&REGIONS, &detail["region"]).unwrap(),
            },
            "seal" => Self {
                kind: Kind::Seal,
                actions,
                bound: detail["floor"].as_i64().unwrap(),
                folder: None,
                region: "",
            },
            kind => panic!("{kind}"),
        }
    }

    /// One as the dice fall.
    pub(super) fn thrown(die: u16) -> Self {
        let mask = 1 + die % 7;
        let actions = (0..3).filter(|index| mask >> index & 1 == 1).map(|index| ACTIONS[index]).collect();
        let bound = [10, 50, 100][usize::from(die / 7 % 3)];
        let folders = [None, None, Some(FOLDERS[0]), Some(FOLDERS[1])];
        match die / 21 % 3 {
            0 => Self { kind: Kind::Seal, actions, bound, folder: None, region: "" },
            _ => Self {
                kind: Kind::Refund,
                actions,
                bound,
                folder: folders[usize::from(die / 63 % 4)],
                region: REGIONS[usize::from(die / 252 % 4 / 3)],
            },
        }
    }

    /// A part of it, or all of it.
    pub(super) fn less(&self, die: u16) -> Self {
        let mut less = self.clone();
        match die % 4 {
            0 if less.actions.len() > 1 => drop(less.actions.pop_last()),
            1 => less.bound += if self.kind == Kind::Refund { -1 } else { 1 },
            2 if self.kind == Kind::Refund => {
                less.folder = match self.folder {
                    None => Some(FOLDERS[usize::from(die / 4) % FOLDERS.len()]),
                    Some("/shops") => Some(FOLDERS[1 + usize::from(die / 4) % 3]),
                    Some("/shops/bonn") => Some("/shops/bonn/1"),
                    same => same,
                }
            }
            _ => {}
        }
        less
    }

    /// What lies beyond it: in one of its fields, whichever the die says, or else in its bound.
    pub(super) fn more(&self, die: u16) -> Self {
        let mut more = self.clone();
        match (die % 6, self.kind) {
            (0, _) => more.actions = ACTIONS.into(),
            (1, Kind::Refund) => more.folder = None,
            (2, Kind::Refund) => {
                more.folder = match self.folder {
                    Some("/shops") => Some("/shopsbeyond"),
                    Some("/shops/bonn") => Some("/shops"),
                    _ => Some("/shops/berlin"),
                }
            }
            (3, Kind::Refund) => more.region = if self.region == "eu" { "us" } else { "eu" },
            (4, kind) => {
                let other = if kind == Kind::Refund { 0 } else { 21 };
                more = Self { actions: self.actions.clone(), bound: self.bound, ..Self::thrown(other) };
            }
            _ => {}
        }
        if more.is_within(self) {
            more.bound = self.bound + if self.kind == Kind::Refund { 1 } else { -1 };
        }
        more
    }
}

/// The details of a claim or a response; none where there is no such member.
pub(super) fn read(claim: &Value) -> Details {
    claim.as_array().into_iter().flatten().map(Detail::read).collect()
}

pub(super) fn to_json(details: &Details) -> Value {
    details.iter().map(Detail::json).collect()
}

/// Whether each of them is within one of `given`.
pub(super) fn are_within(details: &Details, given: &Details) -> bool {
    details.iter().all(|detail| given.iter().any(|given| detail.is_within(given)))
}

/// As much as there is of both, nothing told twice.
pub(super) fn common(a: &Details, b: &Details) -> Details {
    let both: Details = a.iter().flat_map(|one| b.iter().filter_map(|other| one.common(other))).collect();
    let told_by_another =
        |detail: &Detail| both.iter().any(|other| other != detail && detail.is_within(other));
    both.iter().filter(|detail| !told_by_another(detail)).cloned().collect()
}
