//! What `POST /tasks` is asked for: a JSON object of few members, each bounded, and none that nobody knows.

use serde_json::{Map, Value};

use super::Intent;
use super::words::{self, Unfit};
use crate::audience::{InvalidTarget, MOST_TARGETS, Resources};
use crate::authorization_details::{AuthorizationDetails, InvalidAuthorizationDetails};
use crate::identifier::{ClientId, ConsentId, TaskId};
use crate::numeric_date::NumericDate;
use crate::refusal::{ErrorCode, Refuse};
use crate::scope::{InvalidScope, Scope};
use crate::strict_json;

/// The deepest nesting of the body: that of authorization details, and the object around them.
const DEEPEST: usize = crate::authorization_details::DEEPEST + 1;

/// Where a task is to be opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Under {
    /// A root task of the caller's own, under a consent to it: `grant_id`.
    Consent(ConsentId),
    /// A part of a task of the caller's own, for another actor: `parent` and `actor`.
    Parent {
        /// The task it is a part of.
        parent: TaskId,
        /// Who is to do it.
        actor: ClientId,
    },
}

/// A request for a task.
#[derive(Clone, PartialEq, Debug)]
pub struct TaskRequest {
    /// Where.
    pub under: Under,
    /// `purpose`, `reference`, `success_criteria`, `limits`.
    pub intent: Intent,
    /// `scope`; what is not named is not there.
    pub scope: Option<Scope>,
    /// `resource`: one URI or several; all that there are, where none is named.
    pub resources: Resources,
    /// `authorization_details`.
    pub details: AuthorizationDetails,
    /// `deadline` (RFC 3339).
    pub deadline: Option<NumericDate>,
    /// `max_derivations`, at least 1.
    pub max_derivations: Option<u32>,
}

/// Why a request for a task was refused before anything was looked up.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TaskRequestRefused {
    /// Not a JSON object, a member named twice, or nested too deep.
    #[error("send a JSON object, each member named once")]
    Malformed,
    /// A member that is not known here.
    #[error("the body holds a member that a task does not have; see the documentation of tasks")]
    UnknownMember,
    /// A member of the wrong kind or out of its bounds.
    #[error("{0} is not what it must be, or too long")]
    Member(&'static str),
    /// Neither or both of `grant_id` and `parent`.
    #[error("name either grant_id, or parent and actor")]
    Under,
    /// `scope`.
    #[error(transparent)]
    Scope(#[from] InvalidScope),
    /// `resource`.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// `authorization_details`.
    #[error(transparent)]
    Details(#[from] InvalidAuthorizationDetails),
}

impl From<Unfit> for TaskRequestRefused {
    fn from(Unfit(member): Unfit) -> Self {
        Self::Member(member)
    }
}

impl Refuse for TaskRequestRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Malformed | Self::UnknownMember | Self::Member(_) | Self::Under => {
                ErrorCode::InvalidRequest
            }
            Self::Scope(reason) => reason.code(),
            Self::Target(reason) => reason.code(),
            Self::Details(reason) => reason.code(),
        }
    }
}

const MEMBERS: [&str; 12] = [
    "grant_id",
    "parent",
    "actor",
    "purpose",
    "reference",
    "success_criteria",
    "limits",
    "scope",
    "resource",
    "authorization_details",
    "deadline",
    "max_derivations",
];

impl TaskRequest {
    /// Reads a request's body.
    ///
    /// # Errors
    /// [`TaskRequestRefused`].
    pub fn parse(body: &str) -> Result<Self, TaskRequestRefused> {
        let Ok(Value::Object(members)) = strict_json::parse(body, DEEPEST) else {
            return Err(TaskRequestRefused::Malformed);
        };
        if members.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(TaskRequestRefused::UnknownMember);
        }
        let read = Reader(&members);
        Ok(Self {
            under: read.under()?,
            intent: words::intent(&members)?,
            scope: read.any_text("scope")?.map(str::parse::<Scope>).transpose()?.filter(|s| !s.is_empty()),
            resources: read.resources()?,
            details: match members.get("authorization_details") {
                None => AuthorizationDetails::none(),
                Some(details) => AuthorizationDetails::parse(&details.to_string())?,
            },
            deadline: words::deadline(&members)?,
            max_derivations: read.max_derivations()?,
        })
    }
}

struct Reader<'a>(&'a Map<String, Value>);

impl<'a> Reader<'a> {
    fn any_text(&self, name: &'static str) -> Result<Option<&'a str>, TaskRequestRefused> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(TaskRequestRefused::Member(name)),
        }
    }

    fn id<T: std::str::FromStr>(&self, name: &'static str) -> Result<Option<T>, TaskRequestRefused> {
        let id = self.any_text(name)?.map(str::parse).transpose();
        id.map_err(|_| TaskRequestRefused::Member(name))
    }

    fn under(&self) -> Result<Under, TaskRequestRefused> {
        match (self.id("grant_id")?, self.id("parent")?, self.id("actor")?) {
            (Some(consent), None, None) => Ok(Under::Consent(consent)),
            (None, Some(parent), Some(actor)) => Ok(Under::Parent { parent, actor }),
            _ => Err(TaskRequestRefused::Under),
        }
    }

    fn resources(&self) -> Result<Resources, TaskRequestRefused> {
        let one = |value: &Value| match value {
            Value::String(text) => Ok(text.parse()?),
            _ => Err(TaskRequestRefused::Member("resource")),
        };
        match self.0.get("resource") {
            None => Ok(Resources::new()),
            Some(Value::Array(items)) if items.len() > MOST_TARGETS => Err(InvalidTarget::TooMany.into()),
            Some(Value::Array(items)) => items.iter().map(one).collect(),
            Some(value) => Ok(Resources::from([one(value)?])),
        }
    }

    fn max_derivations(&self) -> Result<Option<u32>, TaskRequestRefused> {
        let refused = || TaskRequestRefused::Member("max_derivations");
        let read = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
        self.0.get("max_derivations").map(|value| read(value).ok_or_else(refused)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::words::{LONGEST_PURPOSE, LONGEST_REFERENCE, LONGEST_SENTENCE, MOST_SENTENCES};
    use super::*;

    fn parse(mut body: Value) -> Result<TaskRequest, TaskRequestRefused> {
        if body.get("grant_id").is_none() && body.get("parent").is_none() {
            body["grant_id"] = "con_1".into();
        }
        TaskRequest::parse(&body.to_string())
    }

    #[test]
    fn every_member_is_read() {
        let read = parse(json!({
            "purpose": "p", "reference": "r", "success_criteria": ["s"], "limits": ["l"], "scope": "a b",
            "resource": "https://r.example", "authorization_details": [{"type": "t"}],
            "deadline": "2026-01-01T00:00:00Z", "max_derivations": 3
        }))
        .unwrap();
        assert_eq!(read.under, Under::Consent("con_1".parse().unwrap()));
        assert_eq!(read.intent.purpose.as_deref(), Some("p"));
        assert_eq!((read.intent.success_criteria.len(), read.intent.limits.len()), (1, 1));
        assert_eq!(read.scope.unwrap().to_string(), "a b");
        assert_eq!((read.resources.len(), read.details.iter().count()), (1, 1));
        assert_eq!(read.deadline, NumericDate::parse_rfc3339("2026-01-01T00:00:00Z"));
        assert_eq!(read.max_derivations, Some(3));
    }

    #[test]
    fn a_task_is_opened_under_a_consent_or_as_a_part_for_somebody_and_never_both() {
        let part = parse(json!({"parent": "task_1", "actor": "b"})).unwrap();
        let expected = Under::Parent { parent: "task_1".parse().unwrap(), actor: "b".parse().unwrap() };
        assert_eq!(part.under, expected);
        for wrong in [
            json!({"parent": "task_1"}),
            json!({"grant_id": "con_1", "actor": "b"}),
            json!({"grant_id": "con_1", "parent": "task_1", "actor": "b"}),
        ] {
            assert_eq!(parse(wrong).unwrap_err(), TaskRequestRefused::Under);
        }
        assert_eq!(TaskRequest::parse("{}").unwrap_err(), TaskRequestRefused::Under);
    }

    #[test]
    fn what_is_malformed_unknown_or_out_of_bounds_is_refused() {
        for text in ["", "[]", "{", r#"{"grant_id":"a","grant_id":"b"}"#] {
            assert_eq!(TaskRequest::parse(text).unwrap_err(), TaskRequestRefused::Malformed, "{text}");
        }
        assert_eq!(parse(json!({"zz": 1})).unwrap_err(), TaskRequestRefused::UnknownMember);
        let long = "x".repeat(LONGEST_PURPOSE + 1);
        for (name, value) in [
            ("purpose", json!(long)),
            ("purpose", json!("  ")),
            ("purpose", json!("a\u{1b}[31mb")),
            ("purpose", json!("/repos/\u{202e}enim")),
            ("purpose", json!(1)),
            ("reference", json!("x".repeat(LONGEST_REFERENCE + 1))),
            ("limits", json!("l")),
            ("limits", json!(vec!["l"; MOST_SENTENCES + 1])),
            ("success_criteria", json!([1])),
            ("success_criteria", json!(["x".repeat(LONGEST_SENTENCE + 1)])),
            ("resource", json!(1)),
            ("deadline", json!("tomorrow")),
            ("max_derivations", json!(0)),
            ("max_derivations", json!(1.5)),
            ("max_derivations", json!(u64::MAX)),
            ("scope", json!(["a"])),
        ] {
            assert_eq!(
                parse(json!({ name: value })).unwrap_err(),
                TaskRequestRefused::Member(name),
                "{value}"
            );
        }
        assert!(parse(json!({"purpose": "x".repeat(LONGEST_PURPOSE)})).is_ok());
    }

    #[test]
    fn each_shared_member_is_refused_with_the_code_of_its_own_specification() {
        for (body, code) in [
            (json!({"scope": "\""}), ErrorCode::InvalidScope),
            (json!({"resource": "r"}), ErrorCode::InvalidTarget),
            (json!({"resource": vec!["urn:r"; MOST_TARGETS + 1]}), ErrorCode::InvalidTarget),
            (json!({"authorization_details": {}}), ErrorCode::InvalidAuthorizationDetails),
            (json!({"limits": 1}), ErrorCode::InvalidRequest),
        ] {
            assert_eq!(parse(body.clone()).unwrap_err().code(), code, "{body}");
        }
    }
}
