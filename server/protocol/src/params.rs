//! Request parameters as `application/x-www-form-urlencoded` (RFC 6749 Appendix B): bounded, never twice, and
//! without a second reading: what does not decode cleanly is refused, not repaired.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::{ErrorCode, Refuse};

/// The most parameters of one request.
pub const MOST_PARAMETERS: usize = 100;
/// The longest name, in bytes.
pub const LONGEST_NAME: usize = 100;
/// The longest value, in bytes.
pub const LONGEST_VALUE: usize = 20_000;

/// The parameters of one request, as they were sent. Nothing in them is proven, and their values may be secrets:
/// `Debug` shows the names only.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<(String, String)>", into = "Vec<(String, String)>")]
pub struct Params(Vec<(String, String)>);

/// Why a body or a query is no list of parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidParams {
    /// More than [`MOST_PARAMETERS`].
    #[error("too many parameters in one request")]
    TooMany,
    /// A name above [`LONGEST_NAME`] or a value above [`LONGEST_VALUE`].
    #[error("a parameter is too long")]
    TooLong,
    /// A broken percent escape, text that is not UTF-8, or a NUL.
    #[error("the parameters must be UTF-8 text in application/x-www-form-urlencoded")]
    Encoding,
}

/// A parameter came more than once (RFC 6749 §3.1, §3.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0} must not be sent more than once")]
pub struct RepeatedParameter(pub &'static str);

impl Refuse for InvalidParams {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

impl Refuse for RepeatedParameter {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

impl Params {
    /// Parses a request body or the query of a URL (without its `?`).
    ///
    /// A parameter without a value counts as absent (RFC 6749 §3.1, §3.2).
    ///
    /// # Errors
    /// [`InvalidParams`] where it is too much, too long or not cleanly encoded.
    pub fn parse(form: &[u8]) -> Result<Self, InvalidParams> {
        let pieces = form.split(|b| *b == b'&').filter(|piece| !piece.is_empty());
        let mut pairs = Vec::new();
        for (count, piece) in pieces.enumerate() {
            if count >= MOST_PARAMETERS {
                return Err(InvalidParams::TooMany);
            }
            let mut halves = piece.splitn(2, |b| *b == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            pairs.push((name, decode(halves.next().unwrap_or_default())?));
        }
        Self::try_from(pairs)
    }

    /// The value of a parameter that may come once.
    ///
    /// # Errors
    /// [`RepeatedParameter`] where it came more often.
    pub fn once(&self, name: &'static str) -> Result<Option<&str>, RepeatedParameter> {
        let mut values = self.every(name);
        let first = values.next();
        if values.next().is_some() { Err(RepeatedParameter(name)) } else { Ok(first) }
    }

    /// Every value of a parameter that may come more than once: `resource` (RFC 8707 §2) and `audience`
    /// (RFC 8693 §2.1).
    pub fn every(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Checks that none of `names` came more than once.
    ///
    /// # Errors
    /// The first that did.
    pub fn check_not_repeated(&self, names: &[&'static str]) -> Result<(), RepeatedParameter> {
        names.iter().try_for_each(|name| self.once(name).map(|_| ()))
    }

    /// The same parameters without those named, as to leave out a client's credentials before a pushed request is
    /// stored (RFC 9126 §2.1).
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }
}

impl TryFrom<Vec<(String, String)>> for Params {
    type Error = InvalidParams;

    fn try_from(mut pairs: Vec<(String, String)>) -> Result<Self, InvalidParams> {
        if pairs.len() > MOST_PARAMETERS {
            return Err(InvalidParams::TooMany);
        }
        if pairs.iter().any(|(name, value)| name.len() > LONGEST_NAME || value.len() > LONGEST_VALUE) {
            return Err(InvalidParams::TooLong);
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self(pairs))
    }
}

impl From<Params> for Vec<(String, String)> {
    fn from(params: Params) -> Self {
        params.0
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params")?;
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Decodes one name or value: `+` is a space, `%` and two hex digits are a byte, and the whole is UTF-8.
///
/// A NUL is no text for us: databases refuse it, and no parameter of any specification may hold one.
pub(crate) fn decode(encoded: &[u8]) -> Result<String, InvalidParams> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next())? << 4 | hex(rest.next())?,
            other => other,
        });
    }
    if bytes.contains(&0) {
        return Err(InvalidParams::Encoding);
    }
    String::from_utf8(bytes).map_err(|_| InvalidParams::Encoding)
}

fn hex(digit: Option<u8>) -> Result<u8, InvalidParams> {
    let digit = char::from(digit.ok_or(InvalidParams::Encoding)?);
    digit.to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(InvalidParams::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(form: &str) -> Params {
        Params::parse(form.as_bytes()).unwrap()
    }

    #[test]
    fn a_parameter_is_decoded_once() {
        let read = params("scope=a+b%2Bc&state=%C3%A9%2520");
        assert_eq!(read.once("scope"), Ok(Some("a b+c")));
        assert_eq!(read.once("state"), Ok(Some("é%20")));
        assert_eq!(read.once("nonce"), Ok(None));
    }

    #[test]
    fn an_empty_value_counts_as_absent() {
        let read = params("state=&scope&=x&&nonce=n");
        assert_eq!(read.once("state"), Ok(None));
        assert_eq!(read.once("scope"), Ok(None));
        assert_eq!(read.once("nonce"), Ok(Some("n")));
    }

    #[test]
    fn a_repeated_parameter_is_refused_by_name_and_resource_may_repeat() {
        let read = params("scope=a&scope=a&resource=x&resource=y&zz=1&zz=2");
        assert_eq!(read.once("scope"), Err(RepeatedParameter("scope")));
        assert_eq!(read.every("resource").collect::<Vec<_>>(), ["x", "y"]);
        assert!(read.check_not_repeated(&["state", "nonce"]).is_ok());
        assert_eq!(read.check_not_repeated(&["state", "scope"]), Err(RepeatedParameter("scope")));
    }

    #[test]
    fn what_does_not_decode_cleanly_is_refused() {
        for bad in ["a=%", "a=%4", "a=%zz", "a=%+1", "a=%C3", "%FF=a", "a=%00"] {
            assert_eq!(Params::parse(bad.as_bytes()), Err(InvalidParams::Encoding), "{bad}");
        }
        assert_eq!(Params::parse(b"a=\xff"), Err(InvalidParams::Encoding));
    }

    #[test]
    fn number_and_length_are_bounded() {
        let many = |n: usize| vec!["a=b"; n].join("&");
        assert!(Params::parse(many(MOST_PARAMETERS).as_bytes()).is_ok());
        assert_eq!(Params::parse(many(MOST_PARAMETERS + 1).as_bytes()), Err(InvalidParams::TooMany));
        let long = |name: usize, value: usize| format!("{}={}", "n".repeat(name), "v".repeat(value));
        assert!(Params::parse(long(LONGEST_NAME, LONGEST_VALUE).as_bytes()).is_ok());
        for (name, value) in [(LONGEST_NAME + 1, 1), (1, LONGEST_VALUE + 1)] {
            assert_eq!(Params::parse(long(name, value).as_bytes()), Err(InvalidParams::TooLong));
        }
    }

    #[test]
    fn values_do_not_print() {
        assert_eq!(format!("{:?}", params("client_secret=hush")), "Params[\"client_secret\"]");
    }

    #[test]
    fn stored_parameters_read_back_within_the_same_bounds() {
        let read = params("a=1&client_secret=hush&resource=x&resource=y").without(&["client_secret"]);
        let stored = serde_json::to_string(&read).unwrap();
        assert_eq!(stored, r#"[["a","1"],["resource","x"],["resource","y"]]"#);
        assert_eq!(serde_json::from_str::<Params>(&stored).unwrap(), read);
        let long = serde_json::to_string(&[("a", "v".repeat(LONGEST_VALUE + 1))]).unwrap();
        assert!(serde_json::from_str::<Params>(&long).is_err());
    }
}
