//! What `POST /token` is asked for, one variant for each grant type, each a table of its parameters in the order
//! of its specification.

use serde_json::{Map, Value};

use crate::audience::{InvalidTarget, LONGEST_RESOURCE, MOST_TARGETS, Resources};
use crate::authorization_details::AuthorizationDetails;
use crate::client::GrantType;
use crate::fields::{self, FieldRefused, required};
use crate::identifier::TaskId;
use crate::params::{Params, RepeatedParameter};
use crate::presented_secret::PresentedSecret;
use crate::refusal::{ErrorCode, Refuse};
use crate::scope::Scope;
use crate::token_type::TokenType;
use crate::transaction_token::LARGEST_CONTEXT;

/// A token request.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// `grant_type=authorization_code`.
    AuthorizationCode(CodeRequest),
    /// `grant_type=refresh_token`.
    RefreshToken(RefreshRequest),
    /// `grant_type=client_credentials`.
    ClientCredentials(ClientCredentialsRequest),
    /// `grant_type=urn:ietf:params:oauth:grant-type:token-exchange`.
    TokenExchange(Box<ExchangeRequest>),
    /// `grant_type=urn:ietf:params:oauth:grant-type:device_code`.
    DeviceCode(DeferredRequest),
    /// `grant_type=urn:openid:params:grant-type:ciba`.
    Ciba(DeferredRequest),
    /// `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`.
    JwtBearer(JwtBearerRequest),
    /// `grant_type=urn:ietf:params:oauth:grant-type:deferred`.
    Deferred(DeferralRequest),
}

/// Deferred Token Response §5.5: whether what was asked for before may be had now.
#[derive(Clone, Debug)]
pub struct DeferralRequest {
    /// `deferral_code`, REQUIRED.
    pub deferral_code: PresentedSecret,
}

/// RFC 8628 §3.4 and Client-Initiated Backchannel Authentication §10.1, which ask alike.
#[derive(Clone, Debug)]
pub struct DeferredRequest {
    /// `device_code` or `auth_req_id`, REQUIRED.
    pub reference: PresentedSecret,
    /// OPTIONAL (RFC 8707 §2.2).
    pub resources: Resources,
    /// OPTIONAL (RFC 9396 §6).
    pub authorization_details: Option<AuthorizationDetails>,
}

/// RFC 6749 §4.1.3. A `scope` here has no meaning and is ignored like any unknown parameter.
#[derive(Clone, Debug)]
pub struct CodeRequest {
    /// REQUIRED.
    pub code: PresentedSecret,
    /// OPTIONAL beside PKCE; compared with that of the authorization request if it is there.
    pub redirect_uri: Option<String>,
    /// REQUIRED if there was a challenge (RFC 7636 §4.5).
    pub code_verifier: Option<PresentedSecret>,
    /// OPTIONAL (RFC 8707 §2.2).
    pub resources: Resources,
    /// OPTIONAL (RFC 9396 §6).
    pub authorization_details: Option<AuthorizationDetails>,
}

/// RFC 6749 §6.
#[derive(Clone, Debug)]
pub struct RefreshRequest {
    /// REQUIRED.
    pub refresh_token: PresentedSecret,
    /// OPTIONAL.
    pub scope: Option<Scope>,
    /// OPTIONAL (RFC 8707 §2.2).
    pub resources: Resources,
    /// OPTIONAL (RFC 9396 §6).
    pub authorization_details: Option<AuthorizationDetails>,
    /// `task`, OPTIONAL, Procura's own: the task that the new token is to be of.
    pub task: Option<TaskId>,
}

/// RFC 6749 §4.4.2.
#[derive(Clone, Debug)]
pub struct ClientCredentialsRequest {
    /// OPTIONAL.
    pub scope: Option<Scope>,
    /// OPTIONAL (RFC 8707 §2.2).
    pub resources: Resources,
    /// OPTIONAL (RFC 9396 §6).
    pub authorization_details: Option<AuthorizationDetails>,
}

/// RFC 8693 §2.1.
#[derive(Clone, Debug)]
pub struct ExchangeRequest {
    /// `resource`, OPTIONAL, may repeat.
    pub resources: Resources,
    /// `audience`, OPTIONAL, may repeat: logical names, which for us are client ids and resource identifiers.
    pub audiences: Vec<String>,
    /// OPTIONAL.
    pub scope: Option<Scope>,
    /// OPTIONAL: an access token unless it says otherwise, or a grant for another domain, or a transaction token.
    pub requested_token_type: TokenType,
    /// `request_context` and `request_details`, OPTIONAL (Transaction Tokens §7.1); read only where a transaction token
    /// is asked for.
    pub transaction: Transaction,
    /// `subject_token` and `subject_token_type`, both REQUIRED.
    pub subject_token: TypedToken,
    /// `actor_token`, OPTIONAL, and `actor_token_type`, REQUIRED with it and not allowed without.
    pub actor_token: Option<TypedToken>,
    /// OPTIONAL (RFC 9396 §6).
    pub authorization_details: Option<AuthorizationDetails>,
    /// `task`, OPTIONAL, Procura's own: the task that the new token is to be of.
    pub task: Option<TaskId>,
}

/// What a request for a transaction token says of the transaction (Transaction Tokens §7.1).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Transaction {
    /// `request_context`: where the request came from.
    pub context: Map<String, Value>,
    /// `request_details`: what is asked for.
    pub details: Map<String, Value>,
}

/// The other name of the JWT bearer grant, by which a client says that it sends a proof of its key along
/// (draft-parecki-oauth-jwt-dpop-grant, used by the Identity Assertion JWT Authorization Grant).
pub const JWT_DPOP: &str = "urn:ietf:params:oauth:grant-type:jwt-dpop";

/// RFC 7523 §2.1.
#[derive(Clone, Debug)]
pub struct JwtBearerRequest {
    /// Whether a DPoP proof must come along: by the name under which the grant was asked for.
    pub needs_proof: bool,
    /// REQUIRED: one JWT.
    pub assertion: PresentedSecret,
    /// OPTIONAL (RFC 7521 §4.1).
    pub scope: Option<Scope>,
    /// OPTIONAL (RFC 8707 §2.2).
    pub resources: Resources,
    /// OPTIONAL (RFC 9396 §6).
    pub authorization_details: Option<AuthorizationDetails>,
}

/// A token and what it is said to be.
#[derive(Clone, Debug)]
pub struct TypedToken {
    /// The token.
    pub token: PresentedSecret,
    /// The declared type; the token must turn out to be of it.
    pub token_type: TokenType,
}

/// Why a token request was refused before anything was looked up.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenRequestRefused {
    /// A shared parameter.
    #[error(transparent)]
    Field(#[from] FieldRefused),
    /// A `grant_type` that is not offered (RFC 6749 §5.2).
    #[error("grant_type is not supported; the metadata lists those that are")]
    UnsupportedGrantType,
    /// A token type that RFC 8693 §3 does not know.
    #[error("{0} must be one of the token types of RFC 8693 section 3")]
    UnknownTokenType(&'static str),
    /// Something that is not issued here was asked for (RFC 8693 §2.2.2).
    #[error("requested_token_type is none that is issued here; leave it out for an access token")]
    RequestedTokenType,
    /// `request_context` or `request_details` is no JSON object, or too large (Transaction Tokens §7.1).
    #[error("{0} must be a JSON object of 4096 bytes at most")]
    MalformedTransaction(&'static str),
    /// `task` is no task's id.
    #[error("task is malformed")]
    MalformedTask,
    /// `actor_token_type` without `actor_token` (RFC 8693 §2.1).
    #[error("actor_token_type was sent without actor_token")]
    ActorTokenMissing,
}

impl Refuse for TokenRequestRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Field(reason) => reason.code(),
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
            Self::UnknownTokenType(_)
            | Self::RequestedTokenType
            | Self::MalformedTransaction(_)
            | Self::MalformedTask
            | Self::ActorTokenMissing => ErrorCode::InvalidRequest,
        }
    }
}

impl From<RepeatedParameter> for TokenRequestRefused {
    fn from(repeated: RepeatedParameter) -> Self {
        Self::Field(repeated.into())
    }
}

impl From<InvalidTarget> for TokenRequestRefused {
    fn from(target: InvalidTarget) -> Self {
        Self::Field(target.into())
    }
}

impl TokenRequest {
    /// Reads the parameters of a token request.
    ///
    /// # Errors
    /// [`TokenRequestRefused`] where one is missing, repeated or malformed, or the grant type is not offered.
    pub fn parse(params: &Params) -> Result<Self, TokenRequestRefused> {
        let grant_type = required(params, "grant_type")?;
        if grant_type == JWT_DPOP {
            return JwtBearerRequest::parse(params, true).map(Self::JwtBearer);
        }
        match GrantType::find(grant_type).ok_or(TokenRequestRefused::UnsupportedGrantType)? {
            GrantType::AuthorizationCode => CodeRequest::parse(params).map(Self::AuthorizationCode),
            GrantType::RefreshToken => RefreshRequest::parse(params).map(Self::RefreshToken),
            GrantType::ClientCredentials => {
                ClientCredentialsRequest::parse(params).map(Self::ClientCredentials)
            }
            GrantType::TokenExchange => ExchangeRequest::parse(params).map(Box::new).map(Self::TokenExchange),
            GrantType::DeviceCode => DeferredRequest::parse(params, "device_code").map(Self::DeviceCode),
            GrantType::Ciba => DeferredRequest::parse(params, "auth_req_id").map(Self::Ciba),
            GrantType::JwtBearer => JwtBearerRequest::parse(params, false).map(Self::JwtBearer),
            GrantType::Deferred => {
                let deferral_code = required(params, "deferral_code")?.into();
                Ok(Self::Deferred(DeferralRequest { deferral_code }))
            }
        }
    }

    /// Its grant type.
    #[must_use]
    pub const fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::RefreshToken(_) => GrantType::RefreshToken,
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
            Self::TokenExchange(_) => GrantType::TokenExchange,
            Self::DeviceCode(_) => GrantType::DeviceCode,
            Self::Ciba(_) => GrantType::Ciba,
            Self::JwtBearer(_) => GrantType::JwtBearer,
            Self::Deferred(_) => GrantType::Deferred,
        }
    }
}

/// Whether the client can wait for a person to approve what it asks for: `deferred` among the words of
/// `completion_mode` (Deferred Token Response §5.1). Without it, nothing is ever deferred; words that mean nothing here
/// are passed over.
///
/// # Errors
/// A repeated parameter.
pub fn can_wait(params: &Params) -> Result<bool, TokenRequestRefused> {
    let modes = params.once("completion_mode")?.unwrap_or_default();
    Ok(modes.split(' ').any(|mode| mode == "deferred"))
}

impl CodeRequest {
    fn parse(params: &Params) -> Result<Self, TokenRequestRefused> {
        Ok(Self {
            code: required(params, "code")?.into(),
            redirect_uri: params.once("redirect_uri")?.map(str::to_owned),
            code_verifier: params.once("code_verifier")?.map(PresentedSecret::from),
            resources: fields::resources(params)?,
            authorization_details: fields::details(params)?,
        })
    }
}

impl RefreshRequest {
    fn parse(params: &Params) -> Result<Self, TokenRequestRefused> {
        Ok(Self {
            refresh_token: required(params, "refresh_token")?.into(),
            scope: fields::scope(params)?,
            resources: fields::resources(params)?,
            authorization_details: fields::details(params)?,
            task: task(params)?,
        })
    }
}

impl DeferredRequest {
    fn parse(params: &Params, reference: &'static str) -> Result<Self, TokenRequestRefused> {
        Ok(Self {
            reference: required(params, reference)?.into(),
            resources: fields::resources(params)?,
            authorization_details: fields::details(params)?,
        })
    }
}

impl ClientCredentialsRequest {
    fn parse(params: &Params) -> Result<Self, TokenRequestRefused> {
        Ok(Self {
            scope: fields::scope(params)?,
            resources: fields::resources(params)?,
            authorization_details: fields::details(params)?,
        })
    }
}

impl JwtBearerRequest {
    fn parse(params: &Params, needs_proof: bool) -> Result<Self, TokenRequestRefused> {
        Ok(Self {
            needs_proof,
            assertion: required(params, "assertion")?.into(),
            scope: fields::scope(params)?,
            resources: fields::resources(params)?,
            authorization_details: fields::details(params)?,
        })
    }
}

impl ExchangeRequest {
    fn parse(params: &Params) -> Result<Self, TokenRequestRefused> {
        let requested_token_type = requested_token_type(params)?;
        let scope = fields::scope(params)?;
        if requested_token_type == TokenType::TxnToken && scope.is_none() {
            return Err(FieldRefused::Missing("scope").into());
        }
        Ok(Self {
            resources: fields::resources(params)?,
            audiences: audiences(params)?,
            scope,
            requested_token_type,
            transaction: transaction(params, requested_token_type)?,
            subject_token: TypedToken {
                token: required(params, "subject_token")?.into(),
                token_type: token_type("subject_token_type", required(params, "subject_token_type")?)?,
            },
            actor_token: actor_token(params)?,
            authorization_details: fields::details(params)?,
            task: task(params)?,
        })
    }
}

fn task(params: &Params) -> Result<Option<TaskId>, TokenRequestRefused> {
    params.once("task")?.map(|id| id.parse().map_err(|_| TokenRequestRefused::MalformedTask)).transpose()
}

fn token_type(parameter: &'static str, name: &str) -> Result<TokenType, TokenRequestRefused> {
    TokenType::find(name).ok_or(TokenRequestRefused::UnknownTokenType(parameter))
}

fn requested_token_type(params: &Params) -> Result<TokenType, TokenRequestRefused> {
    match params.once("requested_token_type")? {
        None => Ok(TokenType::AccessToken),
        Some(name) => match TokenType::find(name) {
            Some(
                known @ (TokenType::AccessToken | TokenType::IdJag | TokenType::Jwt | TokenType::TxnToken),
            ) => Ok(known),
            _ => Err(TokenRequestRefused::RequestedTokenType),
        },
    }
}

fn transaction(params: &Params, requested: TokenType) -> Result<Transaction, TokenRequestRefused> {
    if requested != TokenType::TxnToken {
        return Ok(Transaction::default());
    }
    let object = |name: &'static str| match params.once(name)? {
        None => Ok(Map::new()),
        Some(text) if text.len() > LARGEST_CONTEXT => Err(TokenRequestRefused::MalformedTransaction(name)),
        Some(text) => serde_json::from_str(text).map_err(|_| TokenRequestRefused::MalformedTransaction(name)),
    };
    Ok(Transaction { context: object("request_context")?, details: object("request_details")? })
}

fn actor_token(params: &Params) -> Result<Option<TypedToken>, TokenRequestRefused> {
    match (params.once("actor_token")?, params.once("actor_token_type")?) {
        (None, None) => Ok(None),
        (Some(token), Some(name)) => {
            let token_type = token_type("actor_token_type", name)?;
            Ok(Some(TypedToken { token: token.into(), token_type }))
        }
        (Some(_), None) => Err(FieldRefused::Missing("actor_token_type").into()),
        (None, Some(_)) => Err(TokenRequestRefused::ActorTokenMissing),
    }
}

/// Every `audience`; together with the resources no more than [`MOST_TARGETS`] (RFC 8693 §2.1.1).
fn audiences(params: &Params) -> Result<Vec<String>, InvalidTarget> {
    if params.every("audience").count() + params.every("resource").count() > MOST_TARGETS {
        return Err(InvalidTarget::TooMany);
    }
    if params.every("audience").any(|name| name.len() > LONGEST_RESOURCE) {
        return Err(InvalidTarget::NotAvailable);
    }
    let mut named: Vec<String> = params.every("audience").map(str::to_owned).collect();
    named.sort();
    named.dedup();
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

    fn parse(pairs: &[(&str, &str)]) -> Result<TokenRequest, TokenRequestRefused> {
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        TokenRequest::parse(&Params::try_from(pairs).unwrap())
    }

    fn exchange(more: &[(&str, &str)]) -> Result<ExchangeRequest, TokenRequestRefused> {
        let mut pairs = vec![("grant_type", GrantType::TokenExchange.as_str())];
        for default in [("subject_token", "s"), ("subject_token_type", ACCESS_TOKEN)] {
            if !more.iter().any(|(name, _)| *name == default.0) {
                pairs.push(default);
            }
        }
        pairs.extend(more);
        match parse(&pairs)? {
            TokenRequest::TokenExchange(request) => Ok(*request),
            other => panic!("{other:?}"),
        }
    }

    fn refused(more: &[(&str, &str)]) -> (TokenRequestRefused, ErrorCode) {
        let refused = exchange(more).unwrap_err();
        let code = refused.code();
        (refused, code)
    }

    #[test]
    fn a_missing_grant_type_is_invalid_and_an_unknown_one_unsupported() {
        assert_eq!(parse(&[]).unwrap_err().code(), ErrorCode::InvalidRequest);
        for other in ["password", "implicit", "Authorization_Code"] {
            let refused = parse(&[("grant_type", other)]).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::UnsupportedGrantType, "{other}");
        }
        let twice = [("grant_type", "refresh_token"), ("grant_type", "refresh_token")];
        assert_eq!(parse(&twice).unwrap_err(), RepeatedParameter("grant_type").into());
    }

    #[test]
    fn each_grant_type_has_its_required_parameter() {
        let each = [
            ("authorization_code", "code"),
            ("refresh_token", "refresh_token"),
            (GrantType::DeviceCode.as_str(), "device_code"),
            (GrantType::Ciba.as_str(), "auth_req_id"),
            (GrantType::JwtBearer.as_str(), "assertion"),
            (GrantType::Deferred.as_str(), "deferral_code"),
        ];
        for (grant_type, name) in each {
            let missing = parse(&[("grant_type", grant_type)]).unwrap_err();
            assert_eq!(missing, FieldRefused::Missing(name).into());
            let request = parse(&[("grant_type", grant_type), (name, "x")]).unwrap();
            assert_eq!(request.grant_type().as_str(), grant_type);
        }
        let request = parse(&[("grant_type", "client_credentials"), ("scope", "a")]).unwrap();
        assert!(matches!(request, TokenRequest::ClientCredentials(r) if r.scope == "a".parse().ok()));
    }

    #[test]
    fn only_whoever_says_so_can_wait() {
        let read = |form: &str| can_wait(&Params::parse(form.as_bytes()).unwrap());
        assert_eq!(read("a=b"), Ok(false));
        assert_eq!(read("completion_mode=deferred"), Ok(true));
        assert_eq!(read("completion_mode=later+deferred"), Ok(true));
        for other in ["completion_mode=later", "completion_mode=", "completion_mode=undeferred"] {
            assert_eq!(read(other), Ok(false), "{other}");
        }
        assert!(read("completion_mode=deferred&completion_mode=deferred").is_err());
    }

    #[test]
    fn a_code_request_ignores_scope_and_unknown_parameters() {
        let sent = [("grant_type", "authorization_code"), ("code", "x"), ("scope", "\""), ("zz", "1")];
        let TokenRequest::AuthorizationCode(request) = parse(&sent).unwrap() else { panic!() };
        assert_eq!(request.code.reveal(), "x");
        assert!(request.code_verifier.is_none() && request.redirect_uri.is_none());
    }

    #[test]
    fn an_exchange_needs_a_subject_token_and_its_type() {
        let read = exchange(&[]).unwrap();
        assert_eq!(read.subject_token.token.reveal(), "s");
        assert_eq!(read.subject_token.token_type, TokenType::AccessToken);
        assert_eq!(read.requested_token_type, TokenType::AccessToken);
        for name in ["subject_token", "subject_token_type"] {
            let missing = (FieldRefused::Missing(name).into(), ErrorCode::InvalidRequest);
            assert_eq!(refused(&[(name, "")]), missing);
        }
        let unknown = TokenRequestRefused::UnknownTokenType("subject_token_type");
        assert_eq!(refused(&[("subject_token_type", "urn:x")]), (unknown, ErrorCode::InvalidRequest));
    }

    #[test]
    fn actor_token_and_its_type_come_together_or_not_at_all() {
        let jwt = TokenType::Jwt.as_str();
        let actor =
            exchange(&[("actor_token", "a"), ("actor_token_type", jwt)]).unwrap().actor_token.unwrap();
        assert_eq!((actor.token.reveal(), actor.token_type), ("a", TokenType::Jwt));
        assert_eq!(
            refused(&[("actor_token", "a")]),
            (FieldRefused::Missing("actor_token_type").into(), ErrorCode::InvalidRequest)
        );
        assert_eq!(
            refused(&[("actor_token_type", jwt)]),
            (TokenRequestRefused::ActorTokenMissing, ErrorCode::InvalidRequest)
        );
    }

    #[test]
    fn only_what_is_issued_here_can_be_asked_for() {
        for known in [TokenType::AccessToken, TokenType::IdJag, TokenType::Jwt, TokenType::TxnToken] {
            let asked = exchange(&[("requested_token_type", known.as_str()), ("scope", "a")]).unwrap();
            assert_eq!(asked.requested_token_type, known);
        }
        for other in
            [TokenType::Saml2.as_str(), TokenType::IdToken.as_str(), TokenType::RefreshToken.as_str(), "x"]
        {
            let expected = (TokenRequestRefused::RequestedTokenType, ErrorCode::InvalidRequest);
            assert_eq!(refused(&[("requested_token_type", other)]), expected, "{other}");
        }
    }

    #[test]
    fn a_transaction_token_needs_a_scope_and_its_context_is_json_of_bounded_size() {
        let ask = |more: &[(&str, &str)]| {
            exchange(&[&[("requested_token_type", TokenType::TxnToken.as_str())], more].concat())
        };
        assert_eq!(ask(&[]).unwrap_err(), FieldRefused::Missing("scope").into());
        let read = ask(&[("scope", "a"), ("request_details", "{\"order\":7}")]).unwrap();
        assert_eq!(
            (read.transaction.details["order"].as_i64(), read.transaction.context.len()),
            (Some(7), 0)
        );
        let large = format!("{{\"x\":\"{}\"}}", "y".repeat(LARGEST_CONTEXT));
        for bad in ["x", "[]", "\"x\"", &large] {
            let expected = TokenRequestRefused::MalformedTransaction("request_context");
            assert_eq!(ask(&[("scope", "a"), ("request_context", bad)]).unwrap_err(), expected);
        }
        // To other requests they are unknown parameters.
        assert!(exchange(&[("request_context", "x")]).is_ok());
    }

    #[test]
    fn the_jwt_bearer_grant_has_another_name_by_which_it_needs_a_proof() {
        for (name, needs_proof) in [(GrantType::JwtBearer.as_str(), false), (JWT_DPOP, true)] {
            let TokenRequest::JwtBearer(request) =
                parse(&[("grant_type", name), ("assertion", "x")]).unwrap()
            else {
                panic!()
            };
            assert_eq!(request.needs_proof, needs_proof);
        }
    }

    #[test]
    fn resource_and_audience_may_repeat_and_are_all_kept() {
        let named = [("audience", "b"), ("resource", "urn:c"), ("audience", "a"), ("resource", "urn:d")];
        let read = exchange(&named).unwrap();
        assert_eq!(read.audiences, ["a", "b"]);
        assert_eq!(read.resources.iter().map(|r| r.as_str()).collect::<Vec<_>>(), ["urn:c", "urn:d"]);
    }

    #[test]
    fn too_many_targets_together_are_an_invalid_target() {
        let many: Vec<_> = (0..=MOST_TARGETS)
            .map(|i| if i % 2 == 0 { ("audience", "a") } else { ("resource", "urn:r") })
            .collect();
        assert_eq!(refused(&many), (InvalidTarget::TooMany.into(), ErrorCode::InvalidTarget));
        assert!(exchange(&many[1..]).is_ok());
    }

    #[test]
    fn tokens_and_codes_do_not_print() {
        let hush = exchange(&[
            ("subject_token", "hush"),
            ("actor_token", "hush"),
            ("actor_token_type", ACCESS_TOKEN),
        ]);
        assert!(!format!("{hush:?}").contains("hush"));
        let code = [("grant_type", "authorization_code"), ("code", "hush"), ("code_verifier", "hush")];
        assert!(!format!("{:?}", parse(&code)).contains("hush"));
    }
}
