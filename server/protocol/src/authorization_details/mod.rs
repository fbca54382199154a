//! `authorization_details` (RFC 9396): bounded, typed by the registered details types, and ordered by *within*.

mod built_in;
mod declaration;
mod details_type;
mod example;
mod narrowing;
mod schema;
mod types_of;
mod values;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use built_in::documents as built_in;
pub use details_type::{
    ApprovalNeeded, DetailsType, DetailsTypeDocument, InvalidDetailsType, Risk, RiskLevel,
};
pub use narrowing::{Absent, FieldRule, Narrowing, Rule};
pub use types_of::TypesOf;
pub use words::{InWords, Words};

use crate::identifier::DetailsTypeName;
use crate::numeric_date::NumericDate;
use crate::refusal::{ErrorCode, Refuse};
use crate::strict_json;
use crate::task::{self, Unfit};
use crate::visible_text::says_what_it_shows;

/// The type whose details are tasks: their words become those of the task that an authorization opens.
pub const AGENT_TASK: &str = "agent_task";

/// The most details in one request.
pub const MOST_DETAILS: usize = 20;
/// The largest `authorization_details` parameter, in bytes.
pub const LARGEST_PARAMETER: usize = 16 * 1024;
/// The deepest nesting, the array itself included.
pub const DEEPEST: usize = 8;

/// One authorization detail. It names its type; whether the type knows it, [`DetailsTypes::check`] says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct AuthorizationDetail {
    type_name: DetailsTypeName,
    members: Map<String, Value>,
}

/// A list of authorization details; several of one type stay apart (RFC 9396 §2).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorizationDetails(pub Vec<AuthorizationDetail>);

/// Why `authorization_details` were refused (RFC 9396 §5).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidAuthorizationDetails {
    /// Not JSON, not an array of objects, a member named twice, or nested too deep.
    #[error(
        "authorization_details must be a JSON array of objects, each member named once and nothing nested deeper than 8 levels"
    )]
    Malformed,
    /// Characters that nobody sees, or that turn what stands around them.
    #[error("authorization_details holds invisible characters, or such as change the direction of text")]
    Unseen,
    /// More than [`MOST_DETAILS`] or [`LARGEST_PARAMETER`].
    #[error("authorization_details holds too much: at most 20 objects and 16384 bytes")]
    TooMuch,
    /// No string `type`.
    #[error("each authorization detail needs a string member type")]
    NoType,
    /// A type that is not registered, or that this client may not use.
    #[error("authorization detail {index}: its type is not supported here")]
    UnknownType {
        /// The position in the request, from 0.
        index: usize,
    },
    /// The type's schema says no.
    #[error("authorization detail {index}: {reason}")]
    Schema {
        /// The position in the request, from 0.
        index: usize,
        /// Where and which keyword of the schema.
        reason: String,
    },
    /// Words or a deadline of a task that are not what they must be.
    #[error("authorization detail {index}: {member} is not what it must be, or too long")]
    Task {
        /// The position in the request, from 0.
        index: usize,
        /// Which member.
        member: &'static str,
    },
    /// Its deadline has passed.
    #[error("authorization detail {index}: the deadline is over")]
    Over {
        /// The position in the request, from 0.
        index: usize,
    },
    /// A second task: one authorization opens one, and says one thing of what is to be done.
    #[error("authorization detail {index}: there is an agent_task already; ask for one task at a time")]
    SecondTask {
        /// The position in the request, from 0.
        index: usize,
    },
    /// Wider than what it is to be taken from.
    #[error(
        "authorization detail {index} is not within what was granted; ask for the same or less, naming every field that restricts it"
    )]
    TooWide {
        /// The position in the request, from 0.
        index: usize,
    },
}

impl Refuse for InvalidAuthorizationDetails {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidAuthorizationDetails
    }
}

impl AuthorizationDetail {
    /// The `type`.
    #[must_use]
    pub const fn type_name(&self) -> &DetailsTypeName {
        &self.type_name
    }

    /// All members, `type` included.
    #[must_use]
    pub const fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The `locations` member (RFC 9396 §2.2), if it is there.
    pub fn locations(&self) -> Option<impl Iterator<Item = &str>> {
        Some(self.members.get("locations")?.as_array()?.iter().filter_map(Value::as_str))
    }

    /// Whether it is a task: an `agent_task`, whoever declared what one may hold.
    #[must_use]
    pub fn is_task(&self) -> bool {
        self.type_name.as_str() == AGENT_TASK
    }

    /// A text member, such as the `purpose` of an `agent_task`.
    #[must_use]
    pub fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member)?.as_str()
    }
}

impl TryFrom<Map<String, Value>> for AuthorizationDetail {
    type Error = InvalidAuthorizationDetails;

    fn try_from(members: Map<String, Value>) -> Result<Self, InvalidAuthorizationDetails> {
        let written =
            members.get("type").and_then(Value::as_str).ok_or(InvalidAuthorizationDetails::NoType)?;
        let type_name = written.parse().map_err(|_| InvalidAuthorizationDetails::NoType)?;
        Ok(Self { type_name, members })
    }
}

impl From<AuthorizationDetail> for Map<String, Value> {
    fn from(detail: AuthorizationDetail) -> Self {
        detail.members
    }
}

/// Whether every text in it, names of members too, says what it shows.
fn reads_as_it_is(value: &Value) -> bool {
    match value {
        Value::String(text) => says_what_it_shows(text),
        Value::Array(items) => items.iter().all(reads_as_it_is),
        Value::Object(members) => {
            members.iter().all(|(name, value)| says_what_it_shows(name) && reads_as_it_is(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

impl AuthorizationDetails {
    /// None at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Parses the request parameter (RFC 9396 §2): a JSON array of objects with a `type` each.
    ///
    /// # Errors
    /// [`InvalidAuthorizationDetails`] for anything else, or for too much of it.
    pub fn parse(parameter: &str) -> Result<Self, InvalidAuthorizationDetails> {
        if parameter.len() > LARGEST_PARAMETER {
            return Err(InvalidAuthorizationDetails::TooMuch);
        }
        let value =
            strict_json::parse(parameter, DEEPEST).map_err(|_| InvalidAuthorizationDetails::Malformed)?;
        // JSON escapes are undone by now, so this reads what a person would.
        if !reads_as_it_is(&value) {
            return Err(InvalidAuthorizationDetails::Unseen);
        }
        let Value::Array(items) = value else { return Err(InvalidAuthorizationDetails::Malformed) };
        if items.len() > MOST_DETAILS {
            return Err(InvalidAuthorizationDetails::TooMuch);
        }
        let detail = |item| match item {
            Value::Object(members) => AuthorizationDetail::try_from(members),
            _ => Err(InvalidAuthorizationDetails::Malformed),
        };
        items.into_iter().map(detail).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The details, in the order they were given.
    pub fn iter(&self) -> impl Iterator<Item = &AuthorizationDetail> {
        self.0.iter()
    }

    /// Whether a task is among them.
    #[must_use]
    pub fn hold_task(&self) -> bool {
        self.iter().any(AuthorizationDetail::is_task)
    }

    /// Checks what the details of one request for an authorization must be to each other and to the clock: there is one
    /// task at most, and no deadline is over.
    ///
    /// # Errors
    /// The first detail that is not so.
    pub fn check_together(&self, now: NumericDate) -> Result<(), InvalidAuthorizationDetails> {
        let mut tasks = self.iter().enumerate().filter(|(_, detail)| detail.is_task());
        match tasks.nth(1) {
            Some((index, _)) => Err(InvalidAuthorizationDetails::SecondTask { index }),
            None => self.check_deadlines(now),
        }
    }

    /// Checks that no deadline is over: whatever came of such a detail would be over with it.
    ///
    /// # Errors
    /// The first detail whose deadline is.
    pub fn check_deadlines(&self, now: NumericDate) -> Result<(), InvalidAuthorizationDetails> {
        let is_over = |detail| task::deadline_of(detail).is_some_and(|deadline| deadline.is_over(now));
        match self.iter().position(is_over) {
            Some(index) => Err(InvalidAuthorizationDetails::Over { index }),
            None => Ok(()),
        }
    }

    /// The JSON array for tokens and responses; `None` where there is none (RFC 8414 §3.2 dislikes empty arrays).
    #[must_use]
    pub fn to_claim(&self) -> Option<Value> {
        let array = || Value::Array(self.0.iter().map(|d| Value::Object(d.members.clone())).collect());
        (!self.0.is_empty()).then(array)
    }
}

fn by_name(
    compiled: impl IntoIterator<Item = Arc<DetailsType>>,
) -> BTreeMap<DetailsTypeName, Arc<DetailsType>> {
    compiled.into_iter().map(|known| (known.document().name.clone(), known)).collect()
}

/// The registered details types, by name.
#[derive(Clone, Debug, Default)]
pub struct DetailsTypes {
    current: BTreeMap<DetailsTypeName, Arc<DetailsType>>,
    /// Those that nothing is asked of any more. They bound what was allowed under their earlier versions still.
    retired: BTreeMap<DetailsTypeName, Arc<DetailsType>>,
}

impl DetailsTypes {
    /// Compiles the documents; of two with one name the later counts.
    ///
    /// # Errors
    /// The name of the type that cannot be registered, and why.
    pub fn new(
        documents: impl IntoIterator<Item = DetailsTypeDocument>,
    ) -> Result<Self, (DetailsTypeName, InvalidDetailsType)> {
        let compile = |document: DetailsTypeDocument| {
            let name = document.name.clone();
            match DetailsType::new(document) {
                Ok(compiled) => Ok((name, Arc::new(compiled))),
                Err(reason) => Err((name, reason)),
            }
        };
        let current = documents.into_iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Self { current, retired: BTreeMap::new() })
    }

    /// Those that are compiled; of two with one name the later counts.
    #[must_use]
    pub fn of(compiled: impl IntoIterator<Item = Arc<DetailsType>>) -> Self {
        Self { current: by_name(compiled), retired: BTreeMap::new() }
    }

    /// The same, with the last versions of types that are retired.
    #[must_use]
    pub fn with_retired(self, compiled: impl IntoIterator<Item = Arc<DetailsType>>) -> Self {
        Self { retired: by_name(compiled), ..self }
    }

    /// The same, but for the versions that something was allowed under: each counts as [`DetailsType::beside`] says,
    /// beside the last version where its type is retired. It never counts for more than it did before that.
    #[must_use]
    pub fn as_of(&self, versions: impl IntoIterator<Item = Arc<DetailsType>>) -> Self {
        let mut then = self.clone();
        for version in versions {
            let name = version.document().name.clone();
            let counts = match self.current.get(&name).or_else(|| self.retired.get(&name)) {
                Some(last) => Arc::new(version.beside(last)),
                None => version,
            };
            then.current.insert(name, counts);
        }
        then
    }

    /// The version of the type of each detail, so far as it is registered.
    #[must_use]
    pub fn versions(&self, details: &AuthorizationDetails) -> BTreeMap<DetailsTypeName, u32> {
        let version = |detail: &AuthorizationDetail| {
            let known = self.find(&detail.type_name)?;
            Some((detail.type_name.clone(), known.version()))
        };
        details.iter().filter_map(version).collect()
    }

    /// All of both, without those that lie within another.
    #[must_use]
    pub fn union(&self, a: &AuthorizationDetails, b: &AuthorizationDetails) -> AuthorizationDetails {
        AuthorizationDetails(self.greatest(a.iter().chain(b.iter()).cloned().collect()))
    }

    /// The type of this name.
    #[must_use]
    pub fn find(&self, name: &DetailsTypeName) -> Option<&Arc<DetailsType>> {
        self.current.get(name)
    }

    /// All names, for `authorization_details_types_supported` (RFC 9396 §10).
    pub fn names(&self) -> impl Iterator<Item = &DetailsTypeName> {
        self.current.keys()
    }

    /// Checks every detail against its type (RFC 9396 §5), and a task against the law of tasks' words; one bad detail
    /// refuses them all.
    ///
    /// # Errors
    /// The first detail that is of no registered type, does not fit its schema, or says what a task does not.
    pub fn check(&self, details: &AuthorizationDetails) -> Result<(), InvalidAuthorizationDetails> {
        for (index, detail) in details.iter().enumerate() {
            let known =
                self.find(&detail.type_name).ok_or(InvalidAuthorizationDetails::UnknownType { index })?;
            known
                .check(&detail.members)
                .map_err(|reason| InvalidAuthorizationDetails::Schema { index, reason })?;
            if detail.is_task() {
                let unfit = |Unfit(member)| InvalidAuthorizationDetails::Task { index, member };
                task::intent_asked(&detail.members).map_err(unfit)?;
                task::deadline_asked(&detail.members).map_err(unfit)?;
            }
        }
        Ok(())
    }

    /// Whether `asked` is within `given`: of the same registered type and narrower by its rules.
    #[must_use]
    pub fn detail_within(&self, asked: &AuthorizationDetail, given: &AuthorizationDetail) -> bool {
        asked.type_name == given.type_name
            && self
                .find(&asked.type_name)
                .is_some_and(|known| known.document().narrowing.is_within(&asked.members, &given.members))
    }

    /// Checks that each of `asked` is within one of `given`.
    ///
    /// # Errors
    /// [`InvalidAuthorizationDetails::TooWide`] with the first that is not.
    pub fn check_within(
        &self,
        asked: &AuthorizationDetails,
        given: &AuthorizationDetails,
    ) -> Result<(), InvalidAuthorizationDetails> {
        let covered = |detail: &AuthorizationDetail| given.iter().any(|g| self.detail_within(detail, g));
        match asked.iter().position(|detail| !covered(detail)) {
            Some(index) => Err(InvalidAuthorizationDetails::TooWide { index }),
            None => Ok(()),
        }
    }

    /// Whether an agent may pass `detail` on to another; never where its type is not registered.
    #[must_use]
    pub fn may_be_passed_on(&self, detail: &AuthorizationDetail) -> bool {
        self.find(&detail.type_name).is_some_and(|known| known.document().may_be_passed_on)
    }

    /// What both permit: the greatest details that are within one of `a` and within one of `b`.
    #[must_use]
    pub fn common(&self, a: &AuthorizationDetails, b: &AuthorizationDetails) -> AuthorizationDetails {
        let pairs = a.iter().flat_map(|left| b.iter().map(move |right| (left, right)));
        let met: Vec<Value> =
            pairs.filter_map(|(left, right)| self.common_detail(left, right)).map(Value::Object).collect();
        let met: Vec<AuthorizationDetail> = narrowing::in_stable_order(met)
            .into_iter()
            .filter_map(|value| match value {
                Value::Object(members) => AuthorizationDetail::try_from(members).ok(),
                _ => None,
            })
            .collect();
        AuthorizationDetails(self.greatest(met))
    }

    fn common_detail(&self, a: &AuthorizationDetail, b: &AuthorizationDetail) -> Option<Map<String, Value>> {
        if a.type_name != b.type_name {
            return None;
        }
        self.find(&a.type_name)?.document().narrowing.common(&a.members, &b.members)
    }

    /// Leaves out what is within another one that stays.
    fn greatest(&self, details: Vec<AuthorizationDetail>) -> Vec<AuthorizationDetail> {
        let mut kept: Vec<AuthorizationDetail> = Vec::new();
        for detail in details {
            if kept.iter().any(|k| self.detail_within(&detail, k)) {
                continue;
            }
            kept.retain(|k| !self.detail_within(k, &detail));
            kept.push(detail);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_but_an_array_of_objects_with_a_type_is_refused() {
        use InvalidAuthorizationDetails::{Malformed, NoType};
        for (text, reason) in [
            ("{}", Malformed),
            ("[1]", Malformed),
            ("[", Malformed),
            ("\"x\"", Malformed),
            (r#"[{"type":"a","type":"b"}]"#, Malformed),
            (r#"[{}]"#, NoType),
            (r#"[{"type":1}]"#, NoType),
            (r#"[{"type":""}]"#, NoType),
        ] {
            assert_eq!(AuthorizationDetails::parse(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn a_task_is_one_and_its_words_and_deadline_are_those_of_any_task() {
        use InvalidAuthorizationDetails::{Over, SecondTask, Task};
        let types = DetailsTypes::new(built_in()).unwrap();
        let now = NumericDate::parse_rfc3339("2026-06-01T00:00:00Z").unwrap();
        let judge = |value: Value| {
            let details = AuthorizationDetails::parse(&value.to_string()).unwrap();
            types.check(&details).and_then(|()| details.check_together(now))
        };
        let with = |name: &str, value: Value| {
            let mut task = serde_json::json!({"type": AGENT_TASK, "actions": ["read"]});
            task[name] = value;
            task
        };
        let fine = with("deadline", "2026-06-01T00:00:01Z".into());
        let tool =
            serde_json::json!({"type": "mcp_tool", "server": "https://m.example", "tools": ["search"]});
        assert_eq!(judge(serde_json::json!([tool, fine])), Ok(()));
        for (task, reason) in [
            (with("purpose", " ".into()), Task { index: 1, member: "purpose" }),
            (with("purpose", "a\u{7}".into()), Task { index: 1, member: "purpose" }),
            (with("limits", vec![""].into()), Task { index: 1, member: "limits" }),
            (with("deadline", "2026-02-30T00:00:00Z".into()), Task { index: 1, member: "deadline" }),
            (with("deadline", "2026-06-01T00:00:00Z".into()), Over { index: 1 }),
        ] {
            assert_eq!(judge(serde_json::json!([tool, task])), Err(reason), "{task}");
        }
        assert_eq!(judge(serde_json::json!([fine, tool, fine])), Err(SecondTask { index: 2 }));
        let other = AuthorizationDetails::parse(r#"[{"type":"a","deadline":"2026-01-01"}]"#).unwrap();
        assert_eq!(other.check_together(now), Err(Over { index: 0 }), "nobody knows when that is");
    }

    #[test]
    fn what_a_person_would_not_read_as_it_stands_is_refused_wherever_it_stands() {
        for text in [
            r#"[{"type":"a","x":"\u202eenim"}]"#,
            r#"[{"type":"a","x":{"y":["\u200b"]}}]"#,
            r#"[{"type":"a","\u2066":1}]"#,
        ] {
            assert_eq!(AuthorizationDetails::parse(text), Err(InvalidAuthorizationDetails::Unseen), "{text}");
        }
    }

    #[test]
    fn number_and_size_are_bounded() {
        let many = format!("[{}]", vec![r#"{"type":"agent_task"}"#; MOST_DETAILS + 1].join(","));
        assert_eq!(AuthorizationDetails::parse(&many), Err(InvalidAuthorizationDetails::TooMuch));
        let large = format!(r#"[{{"type":"{}"}}]"#, "x".repeat(LARGEST_PARAMETER));
        assert_eq!(AuthorizationDetails::parse(&large), Err(InvalidAuthorizationDetails::TooMuch));
    }

    #[test]
    fn as_much_as_is_allowed_is_allowed() {
        let list = |n: usize| format!("[{}]", vec![r#"{"type":"agent_task"}"#; n].join(","));
        assert_eq!(AuthorizationDetails::parse(&list(MOST_DETAILS)).unwrap().iter().count(), MOST_DETAILS);
        let mut exact = r#"[{"type":"a","x":""}]"#.to_owned();
        exact.insert_str(exact.len() - 3, &"x".repeat(LARGEST_PARAMETER - exact.len()));
        assert_eq!(exact.len(), 16_384, "what the error message says");
        assert!(AuthorizationDetails::parse(&exact).is_ok());
    }

    #[test]
    fn a_detail_of_an_unknown_type_is_within_nothing() {
        let details = AuthorizationDetails::parse(r#"[{"type":"nobody_knows"}]"#).unwrap();
        let types = DetailsTypes::new(built_in()).unwrap();
        assert_eq!(types.check(&details), Err(InvalidAuthorizationDetails::UnknownType { index: 0 }));
        assert!(types.check_within(&details, &details).is_err());
    }
}
