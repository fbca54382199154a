//! Parameters that several requests share: `scope`, `resource` and `authorization_details`.

use crate::audience::{InvalidTarget, MOST_TARGETS, Resources};
use crate::authorization_details::{AuthorizationDetails, InvalidAuthorizationDetails};
use crate::params::{Params, RepeatedParameter};
use crate::refusal::{ErrorCode, Refuse};
use crate::scope::{InvalidScope, Scope};

/// Why one of the shared parameters was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FieldRefused {
    /// It came more than once.
    #[error(transparent)]
    Repeated(#[from] RepeatedParameter),
    /// It is missing (RFC 6749 §4.1.2.1, §5.2).
    #[error("{0} is required")]
    Missing(&'static str),
    /// `scope`.
    #[error(transparent)]
    Scope(#[from] InvalidScope),
    /// `resource` or `audience`.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// `authorization_details`.
    #[error(transparent)]
    Details(#[from] InvalidAuthorizationDetails),
}

impl Refuse for FieldRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Repeated(reason) => reason.code(),
            Self::Missing(_) => ErrorCode::InvalidRequest,
            Self::Scope(reason) => reason.code(),
            Self::Target(reason) => reason.code(),
            Self::Details(reason) => reason.code(),
        }
    }
}

/// The value of a parameter that must come, exactly once.
pub(crate) fn required<'a>(params: &'a Params, name: &'static str) -> Result<&'a str, FieldRefused> {
    params.once(name)?.ok_or(FieldRefused::Missing(name))
}

/// `scope` (RFC 6749 §3.3). One that holds no word counts as absent.
pub(crate) fn scope(params: &Params) -> Result<Option<Scope>, FieldRefused> {
    let scope = params.once("scope")?.map(str::parse::<Scope>).transpose()?;
    Ok(scope.filter(|scope| !scope.is_empty()))
}

/// Every `resource` (RFC 8707 §2).
pub(crate) fn resources(params: &Params) -> Result<Resources, FieldRefused> {
    if params.every("resource").count() > MOST_TARGETS {
        return Err(InvalidTarget::TooMany.into());
    }
    Ok(params.every("resource").map(str::parse).collect::<Result<_, _>>()?)
}

/// `authorization_details` (RFC 9396 §2, §6).
pub(crate) fn details(params: &Params) -> Result<Option<AuthorizationDetails>, FieldRefused> {
    Ok(params.once("authorization_details")?.map(AuthorizationDetails::parse).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(form: &str) -> Params {
        Params::parse(form.as_bytes()).unwrap()
    }

    #[test]
    fn a_scope_of_spaces_is_no_scope() {
        assert_eq!(scope(&params("scope=++")), Ok(None));
        assert_eq!(scope(&params("scope=a+b")), Ok(Some("a b".parse().unwrap())));
    }

    #[test]
    fn each_parameter_is_refused_with_the_code_of_its_own_specification() {
        let code = |refused: FieldRefused| refused.code();
        assert_eq!(scope(&params("scope=%22")).map_err(code), Err(ErrorCode::InvalidScope));
        assert_eq!(scope(&params("scope=a&scope=b")).map_err(code), Err(ErrorCode::InvalidRequest));
        assert_eq!(resources(&params("resource=%2Frelative")).map_err(code), Err(ErrorCode::InvalidTarget));
        assert_eq!(
            details(&params("authorization_details=%7B%7D")).map_err(code),
            Err(ErrorCode::InvalidAuthorizationDetails)
        );
        assert_eq!(required(&params("a=1"), "code").map_err(code), Err(ErrorCode::InvalidRequest));
    }

    #[test]
    fn more_than_ten_resources_are_too_many() {
        let form = |n: usize| (0..n).map(|i| format!("resource=urn:x:{i}")).collect::<Vec<_>>().join("&");
        assert_eq!(resources(&params(&form(MOST_TARGETS))).map(|r| r.len()), Ok(MOST_TARGETS));
        assert_eq!(resources(&params(&form(MOST_TARGETS + 1))), Err(InvalidTarget::TooMany.into()));
    }
}
