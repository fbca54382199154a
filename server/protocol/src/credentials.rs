//! The access token that a request to a protected resource carries in its `Authorization` header (RFC 6750 §2.1,
//! RFC 9449 §7.1). Tokens in a query or a body are not read at all.

use crate::presented_secret::PresentedSecret;
use crate::refusal::{ErrorCode, Refuse};

/// An access token and the scheme it came under.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// `Authorization: Bearer`.
    Bearer(PresentedSecret),
    /// `Authorization: DPoP`.
    Dpop(PresentedSecret),
}

/// Why a header holds no access token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CredentialsRefused {
    /// Neither Bearer nor DPoP: as if there were none.
    #[error("the Authorization header must use the scheme DPoP or Bearer")]
    Scheme,
    /// Not one space and a token68 (RFC 9110 §11.2).
    #[error("the Authorization header must be the scheme, one space and the access token")]
    Malformed,
}

impl Refuse for CredentialsRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Scheme => ErrorCode::InvalidToken,
            Self::Malformed => ErrorCode::InvalidRequest,
        }
    }
}

impl Credentials {
    /// Parses the value of one `Authorization` header; the scheme's case does not matter.
    ///
    /// # Errors
    /// [`CredentialsRefused`] for another scheme or a malformed token.
    pub fn parse(header: &str) -> Result<Self, CredentialsRefused> {
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        let bearer = scheme.eq_ignore_ascii_case("Bearer");
        if !bearer && !scheme.eq_ignore_ascii_case("DPoP") {
            return Err(CredentialsRefused::Scheme);
        }
        if !is_token68(token) {
            return Err(CredentialsRefused::Malformed);
        }
        let token = PresentedSecret::from(token);
        Ok(if bearer { Self::Bearer(token) } else { Self::Dpop(token) })
    }

    /// The token, under whichever scheme.
    #[must_use]
    pub const fn token(&self) -> &PresentedSecret {
        match self {
            Self::Bearer(token) | Self::Dpop(token) => token,
        }
    }
}

/// `token68` (RFC 9110 §11.2): one or more characters, then any number of `=`.
pub(crate) fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    !body.is_empty() && body.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(header: &str) -> Option<CredentialsRefused> {
        Credentials::parse(header).err()
    }

    #[test]
    fn a_scheme_is_read_without_regard_to_case() {
        for header in ["Bearer a.b-c_d~e+f/==", "bEaReR a.b-c_d~e+f/=="] {
            let credentials = Credentials::parse(header).unwrap();
            assert!(matches!(credentials, Credentials::Bearer(_)));
            assert_eq!(credentials.token().reveal(), "a.b-c_d~e+f/==");
        }
        assert!(matches!(Credentials::parse("dpop x"), Ok(Credentials::Dpop(_))));
    }

    #[test]
    fn a_token_is_one_token68_behind_one_space() {
        for bad in [
            "Bearer",
            "Bearer ",
            "Bearer  a",
            "Bearer a b",
            "DPoP a,b",
            "Bearer ==",
            "Bearer a=b",
            "Bearer ä",
        ] {
            assert_eq!(refused(bad), Some(CredentialsRefused::Malformed), "{bad}");
        }
        for other in ["Basic YTpi", "", "BearerX a", "Bearer\ta"] {
            assert_eq!(refused(other), Some(CredentialsRefused::Scheme), "{other}");
        }
    }
}
