//! Transaction tokens (Transaction Tokens §5 to §8): what goes from workload to workload inside a trust domain while a
//! request is worked on. One replaces another only to say less, or more of what happened; never more of what may.

use serde_json::{Map, Value};

use crate::numeric_date::NumericDate;
use crate::refusal::{ErrorCode, Refuse};
use crate::scope::Scope;
use crate::unverified_claims::{date, text};

/// The `typ` of its header.
pub const TYP: &str = "txntoken+jwt";
/// How often one may be replaced.
pub const MOST_REPLACEMENTS: usize = 5;
/// The largest `request_context` and `request_details`, in bytes of JSON.
pub const LARGEST_CONTEXT: usize = 4 * 1024;

/// A transaction token.
#[derive(Clone, PartialEq, Debug)]
pub struct TransactionToken {
    /// `iss`.
    pub issuer: String,
    /// `aud`: the trust domain.
    pub trust_domain: String,
    /// `sub`: whose authority it is, unique in the trust domain.
    pub subject: String,
    /// `txn`: the same for all that is done for one request.
    pub txn: String,
    /// `scope`: what it is for.
    pub scope: Scope,
    /// `req_wl`: the workload that asked for it.
    pub requesting_workload: String,
    /// The workloads that asked for those it replaces, the latest first.
    pub earlier_workloads: Vec<String>,
    /// `tctx`: the details of the transaction, which stay.
    pub tctx: Map<String, Value>,
    /// `rctx`: where the request came from.
    pub rctx: Map<String, Value>,
    /// `act`, where somebody acts.
    pub act: Option<Value>,
    /// `iat`.
    pub issued_at: NumericDate,
    /// `exp`.
    pub expires_at: NumericDate,
}

/// What a replacement asks for.
#[derive(Clone, PartialEq, Debug)]
pub struct Replacement {
    /// `scope`.
    pub scope: Scope,
    /// Who asks.
    pub workload: String,
    /// `request_details`: what is added to `tctx`.
    pub tctx: Map<String, Value>,
    /// `request_context`: what is added to `rctx`.
    pub rctx: Map<String, Value>,
    /// Who acts from now on.
    pub act: Option<Value>,
    /// Until when, at most.
    pub until: NumericDate,
}

/// Why a transaction token cannot be replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReplacementRefused {
    /// It is over.
    #[error("the transaction token is over")]
    Expired,
    /// More than it is for.
    #[error("scope holds more than the transaction token; ask for less")]
    Wider,
    /// Something that it says already would be said otherwise.
    #[error("request_details and request_context may add members, and change none")]
    Changed,
    /// It was replaced too often.
    #[error("a transaction token can be replaced five times")]
    TooOften,
    /// What it says would be too much.
    #[error("request_details and request_context are too large together with those of the transaction token")]
    TooLarge,
}

impl Refuse for ReplacementRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Wider => ErrorCode::InvalidScope,
            Self::Expired | Self::Changed | Self::TooOften | Self::TooLarge => ErrorCode::InvalidRequest,
        }
    }
}

impl TransactionToken {
    /// The token that takes its place (§8.3): of the same transaction, subject and domain, for no more and no longer.
    ///
    /// # Errors
    /// [`ReplacementRefused`].
    pub fn replaced(&self, by: Replacement, now: NumericDate) -> Result<Self, ReplacementRefused> {
        if self.expires_at.is_over(now) {
            return Err(ReplacementRefused::Expired);
        }
        if !by.scope.is_within(&self.scope) {
            return Err(ReplacementRefused::Wider);
        }
        if self.earlier_workloads.len() >= MOST_REPLACEMENTS {
            return Err(ReplacementRefused::TooOften);
        }
        let mut earlier_workloads = vec![self.requesting_workload.clone()];
        earlier_workloads.extend(self.earlier_workloads.iter().cloned());
        Ok(Self {
            scope: by.scope,
            requesting_workload: by.workload,
            earlier_workloads,
            tctx: added(&self.tctx, by.tctx)?,
            rctx: added(&self.rctx, by.rctx)?,
            act: by.act,
            issued_at: now,
            expires_at: self.expires_at.min(by.until),
            ..self.clone()
        })
    }

    /// Its claims (§6.2).
    #[must_use]
    pub fn claims(&self) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        put("iss", self.issuer.as_str().into());
        put("aud", self.trust_domain.as_str().into());
        put("sub", self.subject.as_str().into());
        put("txn", self.txn.as_str().into());
        put("scope", self.scope.to_string().into());
        put("req_wl", self.requesting_workload.as_str().into());
        put("iat", self.issued_at.0.into());
        put("exp", self.expires_at.0.into());
        if !self.earlier_workloads.is_empty() {
            put("earlier_req_wl", self.earlier_workloads.clone().into());
        }
        for (name, context) in [("tctx", &self.tctx), ("rctx", &self.rctx)] {
            if !context.is_empty() {
                put(name, Value::Object(context.clone()));
            }
        }
        if let Some(act) = &self.act {
            put("act", act.clone());
        }
        claims
    }

    /// Reads the claims of one that this server signed; `None` where they are not those of one.
    #[must_use]
    pub fn of(claims: &Map<String, Value>) -> Option<Self> {
        let word = |name: &str| text(claims, name).ok()?.map(str::to_owned);
        let moment = |name: &str| date(claims, name).ok()?;
        let context = |name: &str| match claims.get(name) {
            None => Some(Map::new()),
            Some(value) => value.as_object().cloned(),
        };
        let earlier = match claims.get("earlier_req_wl") {
            None => Vec::new(),
            Some(all) => {
                let one = |value: &Value| value.as_str().map(str::to_owned);
                all.as_array()?.iter().map(one).collect::<Option<_>>()?
            }
        };
        Some(Self {
            issuer: word("iss")?,
            trust_domain: word("aud")?,
            subject: word("sub")?,
            txn: word("txn")?,
            scope: word("scope")?.parse().ok()?,
            requesting_workload: word("req_wl")?,
            earlier_workloads: earlier,
            tctx: context("tctx")?,
            rctx: context("rctx")?,
            act: claims.get("act").cloned(),
            issued_at: moment("iat")?,
            expires_at: moment("exp")?,
        })
    }
}

/// `before` with what is new in `more`. What is there stays as it is.
fn added(
    before: &Map<String, Value>,
    more: Map<String, Value>,
) -> Result<Map<String, Value>, ReplacementRefused> {
    let mut all = before.clone();
    for (name, value) in more {
        match all.get(&name) {
            Some(known) if *known != value => return Err(ReplacementRefused::Changed),
            Some(_) => {}
            None => {
                all.insert(name, value);
            }
        }
    }
    let fits = Value::Object(all.clone()).to_string().len() <= LARGEST_CONTEXT;
    if fits { Ok(all) } else { Err(ReplacementRefused::TooLarge) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn token() -> TransactionToken {
        TransactionToken {
            issuer: "https://as.example".into(),
            trust_domain: "trust.example".into(),
            subject: "alice".into(),
            txn: "task_1".into(),
            scope: "a b".parse().unwrap(),
            requesting_workload: "gateway".into(),
            earlier_workloads: Vec::new(),
            tctx: object(json!({"order": 7})),
            rctx: object(json!({"ip": "192.0.2.1"})),
            act: Some(json!({"sub": "gateway"})),
            issued_at: NumericDate(100),
            expires_at: NumericDate(160),
        }
    }

    fn less() -> Replacement {
        Replacement {
            scope: "a".parse().unwrap(),
            workload: "billing".into(),
            tctx: object(json!({"order": 7, "total": 3})),
            rctx: Map::new(),
            act: Some(json!({"sub": "billing", "act": {"sub": "gateway"}})),
            until: NumericDate(170),
        }
    }

    #[test]
    fn a_replacement_says_less_of_what_may_be_and_more_of_what_happened() {
        let new = token().replaced(less(), NumericDate(110)).unwrap();
        assert_eq!((new.scope.to_string().as_str(), new.expires_at), ("a", NumericDate(160)));
        assert_eq!(
            (new.requesting_workload.as_str(), new.earlier_workloads.as_slice()),
            ("billing", &["gateway".to_owned()][..])
        );
        assert_eq!(Value::Object(new.tctx.clone()), json!({"order": 7, "total": 3}));
        assert_eq!((&new.rctx, &new.txn, &new.subject), (&token().rctx, &token().txn, &token().subject));
        assert_eq!(TransactionToken::of(&new.claims()), Some(new));
    }

    #[test]
    fn what_it_may_not_be_replaced_by_is_refused() {
        use ReplacementRefused as R;
        let big = object(json!({"x": "y".repeat(LARGEST_CONTEXT)}));
        for (by, expected) in [
            (Replacement { scope: "a c".parse().unwrap(), ..less() }, R::Wider),
            (Replacement { tctx: object(json!({"order": 8})), ..less() }, R::Changed),
            (Replacement { rctx: object(json!({"ip": "::1"})), ..less() }, R::Changed),
            (Replacement { rctx: big, ..less() }, R::TooLarge),
        ] {
            assert_eq!(token().replaced(by, NumericDate(110)), Err(expected));
        }
        assert_eq!(token().replaced(less(), NumericDate(160)), Err(R::Expired));
        assert_eq!(
            (R::Wider.code(), R::Changed.code()),
            (ErrorCode::InvalidScope, ErrorCode::InvalidRequest)
        );
    }

    #[test]
    fn what_is_not_the_claims_of_one_is_not_read_as_one() {
        let claims = token().claims();
        assert!(TransactionToken::of(&claims).is_some());
        for name in ["iss", "aud", "sub", "txn", "scope", "req_wl", "iat", "exp"] {
            let mut bad = claims.clone();
            bad.remove(name);
            assert_eq!(TransactionToken::of(&bad), None, "{name}");
        }
        for (name, value) in [("tctx", json!("x")), ("earlier_req_wl", json!([1])), ("exp", json!("soon"))] {
            let mut bad = claims.clone();
            bad.insert(name.into(), value);
            assert_eq!(TransactionToken::of(&bad), None, "{name}");
        }
    }
}
