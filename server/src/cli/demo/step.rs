//! One step of the story: what was asked, what came back, and whether that is what should.

use serde_json::{Value, json};

use super::wire::Exchange;

/// A step, judged by what came back and by nothing else.
#[derive(Clone, Debug)]
pub struct Step {
    /// What happens, in a few words.
    pub name: &'static str,
    /// What there is to see in it, in a line or two.
    pub telling: &'static str,
    /// What should come back.
    pub expected: String,
    /// What was sent and answered; none where nothing could be sent.
    pub exchange: Option<Exchange>,
    /// The issued token's claims.
    pub claims: Option<Value>,
    /// What came back otherwise than it should.
    pub problems: Vec<String>,
}

impl Step {
    /// A step that came this far.
    #[must_use]
    pub fn new(name: &'static str, telling: &'static str, exchange: &Exchange) -> Self {
        Self {
            name,
            telling,
            expected: String::new(),
            exchange: Some(exchange.clone()),
            claims: None,
            problems: Vec::new(),
        }
    }

    /// The end of a story that could not go on.
    #[must_use]
    pub fn broken(reason: &anyhow::Error) -> Self {
        Self {
            name: "The story could not go on",
            telling: "",
            expected: "every step before this one leads to the next".into(),
            exchange: None,
            claims: None,
            problems: vec![format!("{reason:#}")],
        }
    }

    /// Says what should come back, and holds the status against it.
    #[must_use]
    pub fn expect(mut self, status: u16, words: &str) -> Self {
        self.expected = if words.is_empty() { status.to_string() } else { format!("{status}: {words}") };
        self.status(status)
    }

    /// A refusal: this status, this `error`, and a description that says why.
    #[must_use]
    pub fn expect_refusal(mut self, status: u16, error: &str) -> Self {
        self.expected = format!("{status} {error}");
        let answer = self.answer();
        let described = answer["error_description"].as_str().is_some_and(|text| !text.is_empty());
        self.status(status)
            .same("error", &answer["error"], &error.into())
            .that("it has an error_description", described)
    }

    fn status(self, status: u16) -> Self {
        let got = self.exchange.as_ref().map_or(0, |exchange| exchange.status);
        self.same("status", &got.into(), &status.into())
    }

    /// Takes the claims of the token that was issued.
    #[must_use]
    pub fn claims(mut self, claims: &Value) -> Self {
        self.claims = Some(claims.clone());
        self
    }

    /// Whether a claim of the issued token is what it should be; null stands for one that is not there.
    #[must_use]
    pub fn claim(self, pointer: &str, wanted: &Value) -> Self {
        let got = self.claims.as_ref().and_then(|claims| claims.pointer(pointer)).cloned();
        self.same(pointer, &got.unwrap_or_default(), wanted)
    }

    /// Whether one value is another.
    #[must_use]
    pub fn same(self, what: &str, got: &Value, wanted: &Value) -> Self {
        if got == wanted { self } else { self.problem(format!("{what} is {got} and not {wanted}")) }
    }

    /// Whether something holds.
    #[must_use]
    pub fn that(self, what: &str, holds: bool) -> Self {
        if holds { self } else { self.problem(format!("it does not hold that {what}")) }
    }

    fn problem(mut self, problem: String) -> Self {
        self.problems.push(problem);
        self
    }

    /// Whether everything came back as it should.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.problems.is_empty()
    }

    /// The answer as JSON.
    #[must_use]
    pub fn answer(&self) -> Value {
        self.exchange.as_ref().map(Exchange::json).unwrap_or_default()
    }

    /// The step for programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "request": self.exchange.as_ref().map(Exchange::request),
            "status": self.exchange.as_ref().map(|exchange| exchange.status),
            "claims": self.claims,
            "expected": self.expected,
            "ok": self.ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn answered(status: u16, body: &str) -> Exchange {
        Exchange {
            method: "POST".into(),
            url: "http://as.example/token".into(),
            parameters: Vec::new(),
            status,
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    fn refused(status: u16, body: &str) -> bool {
        Step::new("", "", &answered(status, body)).expect_refusal(400, "invalid_scope").ok()
    }

    #[test]
    fn a_refusal_is_right_with_its_status_its_error_and_a_description() {
        let body = r#"{"error":"invalid_scope","error_description":"ask for less"}"#;
        assert!(refused(400, body));
        assert!(!refused(401, body));
        assert!(!refused(400, r#"{"error":"invalid_request","error_description":"no"}"#));
        assert!(!refused(400, r#"{"error":"invalid_scope"}"#));
        assert!(!refused(200, "{}"));
    }

    #[test]
    fn a_claim_is_right_when_it_is_there_or_absent_as_it_should() {
        let step = || Step::new("", "", &answered(200, "")).claims(&json!({"act": {"sub": "a"}}));
        assert!(step().claim("/act/sub", &"a".into()).claim("/act/act", &Value::Null).ok());
        assert!(!step().claim("/act/sub", &"b".into()).ok());
        assert!(!step().claim("/may_act", &"a".into()).ok());
        assert!(!step().expect(201, "").ok());
    }
}
