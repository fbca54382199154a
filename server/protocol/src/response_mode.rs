//! How an authorization response reaches the client (OAuth 2.0 Multiple Response Type Encoding Practices §2.1,
//! Form Post Response Mode, JARM §2.3). With `response_type=code` alone nothing travels in a fragment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::params::Params;
use crate::refusal::{ErrorCode, Refuse};

/// A response mode.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ResponseMode {
    /// The parameters stand in the query of the redirect URI.
    #[default]
    Query,
    /// The browser posts the parameters as a form (Form Post Response Mode §2).
    FormPost,
    /// One signed JWT stands in the query (JARM §2.3.1).
    QueryJwt,
    /// The browser posts one signed JWT as a form (JARM §2.3.3).
    FormPostJwt,
}

/// The `response_mode` values that mean something here, for discovery (`response_modes_supported`). `jwt` is
/// `query.jwt`, since there is no other response type than `code` (JARM §2.3.4).
pub const VALUES: [&str; 5] = ["query", "form_post", "jwt", "query.jwt", "form_post.jwt"];

/// A mode that is not supported: how to answer the client is not known, so it is not answered there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("response_mode must be query, form_post, jwt, query.jwt, form_post.jwt or absent, and sent once")]
pub struct UnsupportedResponseMode;

impl Refuse for UnsupportedResponseMode {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

impl ResponseMode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Query, Self::FormPost, Self::QueryJwt, Self::FormPostJwt];

    /// As it stands in a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
            Self::QueryJwt => "query.jwt",
            Self::FormPostJwt => "form_post.jwt",
        }
    }

    /// Whether the response is one JWT (JARM §2).
    #[must_use]
    pub const fn is_jwt(self) -> bool {
        matches!(self, Self::QueryJwt | Self::FormPostJwt)
    }

    /// Whether the browser posts the response as a form.
    #[must_use]
    pub const fn is_form(self) -> bool {
        matches!(self, Self::FormPost | Self::FormPostJwt)
    }

    /// The mode that a request names, if it names one.
    ///
    /// # Errors
    /// [`UnsupportedResponseMode`], also where it names several.
    pub fn find(params: &Params) -> Result<Option<Self>, UnsupportedResponseMode> {
        let named = params.once("response_mode").map_err(|_| UnsupportedResponseMode)?;
        named.map(str::parse).transpose()
    }
}

impl FromStr for ResponseMode {
    type Err = UnsupportedResponseMode;

    fn from_str(text: &str) -> Result<Self, UnsupportedResponseMode> {
        if text == "jwt" {
            return Ok(Self::QueryJwt);
        }
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or(UnsupportedResponseMode)
    }
}

impl fmt::Display for ResponseMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for ResponseMode {
    type Error = UnsupportedResponseMode;
    fn try_from(text: String) -> Result<Self, UnsupportedResponseMode> {
        text.parse()
    }
}

impl From<ResponseMode> for String {
    fn from(mode: ResponseMode) -> Self {
        mode.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_discovery_is_a_mode_and_every_mode_is_told() {
        for value in VALUES {
            assert!(value.parse::<ResponseMode>().is_ok(), "{value}");
        }
        for mode in ResponseMode::ALL {
            assert_eq!(mode.as_str().parse(), Ok(mode));
            assert!(VALUES.contains(&mode.as_str()));
        }
        assert_eq!("jwt".parse(), Ok(ResponseMode::QueryJwt));
    }

    #[test]
    fn nothing_travels_in_a_fragment() {
        for other in ["fragment", "fragment.jwt", "web_message", "", "Query", "query "] {
            assert_eq!(other.parse::<ResponseMode>(), Err(UnsupportedResponseMode), "{other}");
        }
    }

    #[test]
    fn a_mode_is_named_once_or_not_at_all() {
        let params = |form: &str| Params::parse(form.as_bytes()).unwrap();
        assert_eq!(ResponseMode::find(&params("a=b")), Ok(None));
        assert_eq!(ResponseMode::find(&params("response_mode=form_post")), Ok(Some(ResponseMode::FormPost)));
        let twice = params("response_mode=query&response_mode=query");
        assert_eq!(ResponseMode::find(&twice), Err(UnsupportedResponseMode));
    }
}
