//! The admin API: where it is, what opens it, and who may.
//!
//! It is a protected resource of this server's own, beside userinfo and `/tasks` but with an audience of its own, so
//! that a token for one of them is none for the other (RFC 8707 §2). Its tokens belong to programs that the operator
//! declared for it, come by client credentials alone, and are bound to a key or to a certificate.

use std::collections::BTreeSet;

use crate::audience::{Audience, ResourceIndicator};
use crate::client::{AuthMethod, Client, ClientKind, GrantType};
use crate::refusal::{ErrorCode, Refuse};
use crate::token::Token;

/// The path behind the issuer that names it as a resource (RFC 8707 §2).
pub const RESOURCE: &str = "/admin/api";
/// Where its first version is.
pub const V1: &str = "/admin/api/v1";

/// A scope word of the admin API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AdminScope {
    /// To look at agents, users, consents and tasks.
    Read,
    /// To stop, to let go on and to end.
    Endings,
    /// To declare and to retire details types.
    DetailsTypes,
}

impl AdminScope {
    /// Every word.
    pub const ALL: [Self; 3] = [Self::Read, Self::Endings, Self::DetailsTypes];

    /// As it stands in requests and tokens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "admin:read",
            Self::Endings => "admin:endings",
            Self::DetailsTypes => "admin:details_types",
        }
    }

    /// What it means, in English and in German.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Read => {
                ("See agents, users, consents and tasks", "Agenten, Nutzer, Zustimmungen und Aufgaben sehen")
            }
            Self::Endings => {
                ("Stop agents and end what they hold", "Agenten anhalten und beenden, was sie haben")
            }
            Self::DetailsTypes => {
                ("Declare and retire details types", "Detailtypen festlegen und stilllegen")
            }
        }
    }

    /// Whether this is a scope word of the admin API.
    #[must_use]
    pub fn is_one(word: &str) -> bool {
        Self::ALL.into_iter().any(|scope| scope.as_str() == word)
    }
}

/// Why a token does not open the admin API.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AdminRefused {
    /// It is for something else.
    #[error("this token is not for the admin API; name it as the resource when you ask for one")]
    OtherAudience,
    /// It speaks of a user or of somebody else, or somebody acts in it.
    #[error("the admin API takes a client's own token alone")]
    NotTheClientsOwn,
    /// Whoever finds it could use it.
    #[error("the admin API takes tokens that are bound to a key or to a certificate alone")]
    NotBound,
    /// It was not issued for this.
    #[error("the access token lacks the scope for this")]
    ScopeMissing,
}

impl Refuse for AdminRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::ScopeMissing => ErrorCode::InsufficientScope,
            Self::OtherAudience | Self::NotTheClientsOwn | Self::NotBound => ErrorCode::InvalidToken,
        }
    }
}

/// Whether a live token, whose key was proven where it is bound to one, opens this part of the admin API at `itself`.
///
/// # Errors
/// [`AdminRefused`].
pub fn check(token: &Token, itself: &ResourceIndicator, scope: AdminScope) -> Result<(), AdminRefused> {
    if token.audience != Audience::Resources || !token.authority.resources.contains(itself) {
        return Err(AdminRefused::OtherAudience);
    }
    if token.subject.user().is_some() || token.chain.depth() > 0 || token.parent.is_some() {
        return Err(AdminRefused::NotTheClientsOwn);
    }
    if token.cnf.is_none() {
        return Err(AdminRefused::NotBound);
    }
    match token.authority.scope.contains(scope.as_str()) {
        true => Ok(()),
        false => Err(AdminRefused::ScopeMissing),
    }
}

/// What keeps a client from having the admin API, each by the member that says so.
pub fn unfit(
    is_service: bool,
    method: AuthMethod,
    grant_types: &BTreeSet<GrantType>,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    // What is known twice can be stolen in two places, and what is issued in other ways has other ways to go astray.
    let has_key = match method {
        AuthMethod::PrivateKeyJwt | AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTlsClientAuth => true,
        AuthMethod::None
        | AuthMethod::ClientSecretBasic
        | AuthMethod::ClientSecretPost
        | AuthMethod::WorkloadJwt
        | AuthMethod::SpiffeJwt
        | AuthMethod::SpiffeX509
        | AuthMethod::AttestJwtClientAuth
        | AuthMethod::AttestJwtClientAuthDpop => false,
    };
    let alone = grant_types.iter().all(|grant| *grant == GrantType::ClientCredentials);
    [
        (is_service, "kind", "a client with admin_api = true is a service"),
        (
            has_key,
            "authentication",
            "a client with admin_api = true proves itself with a key that nobody else has: private_key_jwt, \
             tls_client_auth or self_signed_tls_client_auth",
        ),
        (alone, "grant_types", "a client with admin_api = true has client_credentials and nothing else"),
    ]
    .into_iter()
    .filter(|(fit, ..)| !fit)
    .map(|(_, member, why)| (member, why))
}

/// Whether a client has the admin API, as it is now.
#[must_use]
pub fn may_administer(client: &Client) -> bool {
    let is_service = matches!(client.kind, ClientKind::Service);
    client.admin_api
        && unfit(is_service, client.authentication.method(), &client.grant_types).next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{Chain, SubProfile};
    use crate::authority::Authority;
    use crate::authorization_details::AuthorizationDetails;
    use crate::claims_request::ClaimsRequest;
    use crate::confirmation::Confirmation;
    use crate::numeric_date::NumericDate;
    use crate::token::{Subject, TokenKind};

    fn itself() -> ResourceIndicator {
        "https://as.example/admin/api".parse().unwrap()
    }

    fn token() -> Token {
        let client = "ops".parse::<crate::identifier::ClientId>().unwrap();
        Token {
            id: "tok_1".parse().unwrap(),
            kind: TokenKind::Access,
            client: client.clone(),
            instance: None,
            subject: Subject::Client { id: client, sub_profile: SubProfile::Service },
            chain: Chain::none(),
            brought: Chain::none(),
            may_act: None,
            audience: Audience::Resources,
            authority: Authority {
                scope: "admin:read".parse().unwrap(),
                details: AuthorizationDetails::none(),
                resources: [itself()].into(),
                until: NumericDate(100),
            },
            cnf: Some(Confirmation::Jkt("x".repeat(43).parse().unwrap())),
            issued_at: NumericDate(0),
            login: None,
            claims: ClaimsRequest::default(),
            consent: None,
            task: None,
            parent: None,
            family: None,
            session: None,
            status: None,
        }
    }

    #[test]
    fn a_clients_own_bound_token_with_the_scope_opens_it() {
        assert_eq!(check(&token(), &itself(), AdminScope::Read), Ok(()));
        let lacking = check(&token(), &itself(), AdminScope::Endings);
        assert_eq!(lacking, Err(AdminRefused::ScopeMissing));
    }

    #[test]
    fn a_token_for_anything_else_of_this_server_does_not() {
        let mut other = token();
        other.authority.resources = ["https://as.example".parse().unwrap()].into();
        assert_eq!(check(&other, &itself(), AdminScope::Read), Err(AdminRefused::OtherAudience));
    }

    #[test]
    fn a_users_token_and_a_derived_one_do_not() {
        let mut users = token();
        users.subject = Subject::User("usr_1".parse().unwrap());
        assert_eq!(check(&users, &itself(), AdminScope::Read), Err(AdminRefused::NotTheClientsOwn));
        let mut derived = token();
        derived.parent = Some("tok_0".parse().unwrap());
        assert_eq!(check(&derived, &itself(), AdminScope::Read), Err(AdminRefused::NotTheClientsOwn));
    }

    #[test]
    fn a_token_that_anybody_could_use_does_not() {
        let unbound = Token { cnf: None, ..token() };
        assert_eq!(check(&unbound, &itself(), AdminScope::Read), Err(AdminRefused::NotBound));
    }

    #[test]
    fn only_a_service_with_a_key_of_its_own_and_client_credentials_alone_is_fit() {
        let own = BTreeSet::from([GrantType::ClientCredentials]);
        assert_eq!(unfit(true, AuthMethod::PrivateKeyJwt, &own).count(), 0);
        let more = BTreeSet::from([GrantType::ClientCredentials, GrantType::TokenExchange]);
        for (is_service, method, grants, member) in [
            (false, AuthMethod::PrivateKeyJwt, &own, "kind"),
            (true, AuthMethod::ClientSecretBasic, &own, "authentication"),
            (true, AuthMethod::None, &own, "authentication"),
            (true, AuthMethod::TlsClientAuth, &more, "grant_types"),
        ] {
            let told: Vec<_> = unfit(is_service, method, grants).map(|(member, _)| member).collect();
            assert_eq!(told, [member]);
        }
    }

    #[test]
    fn its_words_are_told_from_all_others() {
        assert!(AdminScope::ALL.into_iter().all(|scope| AdminScope::is_one(scope.as_str())));
        assert!(
            !AdminScope::is_one("tasks") && !AdminScope::is_one("admin:") && !AdminScope::is_one("admin")
        );
    }
}
