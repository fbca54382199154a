//! What an authorization request asks for (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1 and their extensions).
//! It is read only after client and return address are proven, so that whatever is wrong here can be told to the
//! client by redirect.

use serde::{Deserialize, Serialize};

use crate::acr;
use crate::audience::Resources;
use crate::authorization_details::AuthorizationDetails;
use crate::claims_request::{ClaimsRequest, InvalidClaims};
use crate::client::Client;
use crate::fields::{self, FieldRefused, required};
use crate::grant_management::{GrantAction, GrantManagementRefused};
use crate::identifier::{ClientId, Jkt};
use crate::numeric_date::Seconds;
use crate::params::{Params, RepeatedParameter};
use crate::pkce::{CodeChallenge, InvalidChallenge};
use crate::profile::CodeChallengeRule;
use crate::prompt::{AskedAcr, InvalidPrompt, Prompt};
use crate::refusal::{ErrorCode, Refuse};
use crate::response_mode::{ResponseMode, UnsupportedResponseMode};
use crate::scope::Scope;
use crate::token::Login;

/// The longest `state`, in bytes.
pub const LONGEST_STATE: usize = 2048;
/// The longest `nonce`, in bytes.
pub const LONGEST_NONCE: usize = 512;
/// The longest `id_token_hint`, in bytes.
pub const LONGEST_ID_TOKEN_HINT: usize = 8192;
/// The longest `login_hint`, `ui_locales` and `acr_values`, in bytes; a longer one is as if it were not there.
const LONGEST_HINT: usize = 256;

/// The values of `display` (OpenID Connect Core §3.1.2.1), for discovery. The pages fit all of them.
pub const DISPLAY_VALUES: [&str; 4] = ["page", "popup", "touch", "wap"];

/// An authorization request with `response_type=code`: there is no other kind. `client_id` and `redirect_uri` have
/// been taken from the parameters before, and so has a request object that held them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// `scope` (RFC 6749 §3.3).
    pub scope: Option<Scope>,
    /// `state`, returned exactly as it came (RFC 6749 §4.1.1).
    pub state: Option<String>,
    /// `response_mode`, if one was named.
    #[serde(default)]
    pub response_mode: Option<ResponseMode>,
    /// `nonce` (OpenID Connect Core §3.1.2.1).
    pub nonce: Option<String>,
    /// `code_challenge` with `code_challenge_method=S256` (RFC 7636 §4.3).
    pub code_challenge: Option<CodeChallenge>,
    /// Every `resource` (RFC 8707 §2.1).
    pub resources: Resources,
    /// `authorization_details` (RFC 9396 §2).
    pub authorization_details: Option<AuthorizationDetails>,
    /// `prompt` (OpenID Connect Core §3.1.2.1).
    pub prompt: Prompt,
    /// `max_age` (OpenID Connect Core §3.1.2.1).
    pub max_age: Option<Seconds>,
    /// `acr_values` (OpenID Connect Core §3.1.2.1), in the order in which they are liked.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// `claims` (OpenID Connect Core §5.5).
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// `login_hint` (OpenID Connect Core §3.1.2.1): it may fill in a name, and does nothing else.
    pub login_hint: Option<String>,
    /// `ui_locales` (OpenID Connect Core §3.1.2.1), the preferred languages.
    pub ui_locales: Option<String>,
    /// `id_token_hint` (OpenID Connect Core §3.1.2.1), not yet verified.
    pub id_token_hint: Option<String>,
    /// `dpop_jkt` (RFC 9449 §10).
    pub dpop_jkt: Option<Jkt>,
    /// `requested_actor`: the agent that the user is asked to authorize in the client's stead.
    pub requested_actor: Option<ClientId>,
    /// `grant_management_action` and `grant_id`: what becomes of the user's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_management: Option<GrantAction>,
}

/// Why an authorization request was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AuthorizationRequestRefused {
    /// A shared parameter.
    #[error(transparent)]
    Field(#[from] FieldRefused),
    /// A `response_mode` that is not supported.
    #[error(transparent)]
    ResponseMode(#[from] UnsupportedResponseMode),
    /// A `response_mode` that this client did not register (FAPI 2.0 Message Signing §5.3.3).
    #[error("response_mode, which is query unless it is sent, is none that this client registered")]
    OtherResponseMode,
    /// A plain response for a client that gets signed ones (FAPI 2.0 Message Signing §5.4.1).
    #[error("this client gets signed responses only: send response_mode=jwt (JARM)")]
    PlainResponse,
    /// Another `response_type` than `code` (RFC 6749 §4.1.2.1).
    #[error("response_type must be code")]
    ResponseType,
    /// `registration` (OpenID Connect Core §7.2.1).
    #[error("registration is not supported")]
    Registration,
    /// `code_challenge` or its method.
    #[error(transparent)]
    CodeChallenge(#[from] InvalidChallenge),
    /// No `code_challenge`, and this client needs one (RFC 9700 §2.1.1).
    #[error("code_challenge is required, with code_challenge_method S256")]
    NoCodeChallenge,
    /// The client must push its requests (RFC 9126 §5), and this one was not.
    #[error("this client must push its authorization requests (RFC 9126)")]
    NotPushed,
    /// A task that came by the browser, where whoever sits there could have written it.
    #[error(
        "a task has to be pushed: send a request with an agent_task to the PAR endpoint (RFC 9126) first"
    )]
    TaskNotPushed,
    /// `prompt`.
    #[error(transparent)]
    Prompt(#[from] InvalidPrompt),
    /// `claims`.
    #[error(transparent)]
    Claims(#[from] InvalidClaims),
    /// `grant_management_action` or `grant_id`.
    #[error(transparent)]
    GrantManagement(#[from] GrantManagementRefused),
    /// Too long, or not what such a parameter holds.
    #[error("{0} is malformed or too long")]
    Malformed(&'static str),
}

impl Refuse for AuthorizationRequestRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::GrantManagement(reason) => reason.code(),
            Self::Field(reason) => reason.code(),
            Self::ResponseType => ErrorCode::UnsupportedResponseType,
            Self::Registration => ErrorCode::RegistrationNotSupported,
            Self::CodeChallenge(reason) => reason.code(),
            Self::Prompt(reason) => reason.code(),
            Self::Claims(reason) => reason.code(),
            Self::ResponseMode(reason) => reason.code(),
            Self::OtherResponseMode
            | Self::PlainResponse
            | Self::NoCodeChallenge
            | Self::NotPushed
            | Self::TaskNotPushed
            | Self::Malformed(_) => ErrorCode::InvalidRequest,
        }
    }
}

impl From<RepeatedParameter> for AuthorizationRequestRefused {
    fn from(repeated: RepeatedParameter) -> Self {
        Self::Field(repeated.into())
    }
}

/// The `state` to return with any answer, also where the request itself is refused: the one that was sent, if just
/// one was and it is not too long.
#[must_use]
pub fn state(params: &Params) -> Option<&str> {
    params.once("state").ok().flatten().filter(|state| state.len() <= LONGEST_STATE)
}

impl AuthorizationRequest {
    /// Reads the parameters. `request` and `request_uri` are resolved before; `display`, `claims_locales` and unknown
    /// parameters are ignored.
    ///
    /// # Errors
    /// [`AuthorizationRequestRefused`] with the first that is wrong.
    pub fn parse(params: &Params) -> Result<Self, AuthorizationRequestRefused> {
        check_kind(params)?;
        Ok(Self {
            scope: fields::scope(params)?,
            state: at_most(params, "state", LONGEST_STATE)?,
            response_mode: ResponseMode::find(params)?,
            nonce: at_most(params, "nonce", LONGEST_NONCE)?,
            code_challenge: CodeChallenge::from_params(
                params.once("code_challenge")?,
                params.once("code_challenge_method")?,
            )?,
            resources: fields::resources(params)?,
            authorization_details: fields::details(params)?,
            prompt: params.once("prompt")?.map(str::parse).transpose()?.unwrap_or_default(),
            max_age: max_age(params)?,
            acr_values: acr_values(params)?,
            claims: params.once("claims")?.map(ClaimsRequest::parse).transpose()?.unwrap_or_default(),
            login_hint: hint(params, "login_hint")?,
            ui_locales: hint(params, "ui_locales")?,
            id_token_hint: at_most(params, "id_token_hint", LONGEST_ID_TOKEN_HINT)?,
            dpop_jkt: dpop_jkt(params)?,
            requested_actor: requested_actor(params)?,
            grant_management: GrantAction::parse(params)?,
        })
    }

    /// Whether an ID token is asked for (OpenID Connect Core §3.1.2.1).
    #[must_use]
    pub fn is_openid(&self) -> bool {
        self.scope.as_ref().is_some_and(|scope| scope.contains("openid"))
    }

    /// Checks that the request has a code challenge if this client needs one: public clients and agents always, the
    /// others as their profile says.
    ///
    /// # Errors
    /// [`AuthorizationRequestRefused::NoCodeChallenge`] where it has none.
    pub fn check_code_challenge(&self, client: &Client) -> Result<(), AuthorizationRequestRefused> {
        let by_profile = match client.profile.rules().code_challenge {
            CodeChallengeRule::Always => true,
            CodeChallengeRule::UnlessOpenId => !self.is_openid(),
            CodeChallengeRule::PublicOnly => false,
        };
        let needed = by_profile || client.is_public() || client.agent().is_some();
        if needed && self.code_challenge.is_none() {
            return Err(AuthorizationRequestRefused::NoCodeChallenge);
        }
        Ok(())
    }

    /// Checks that a request that came to the authorization endpoint as it is, plain or as a request object, may: who has
    /// to push pushes, and a task is never asked for in any other way (mission-bound-authorization).
    ///
    /// # Errors
    /// [`AuthorizationRequestRefused::NotPushed`], [`AuthorizationRequestRefused::TaskNotPushed`].
    pub fn check_unpushed(&self, client: &Client) -> Result<(), AuthorizationRequestRefused> {
        if client.needs_pushed_requests() {
            return Err(AuthorizationRequestRefused::NotPushed);
        }
        match &self.authorization_details {
            Some(details) if details.hold_task() => Err(AuthorizationRequestRefused::TaskNotPushed),
            _ => Ok(()),
        }
    }

    /// How the response to `client` travels: as it asked, or as is usual for it.
    #[must_use]
    pub fn answered_in(&self, client: &Client) -> ResponseMode {
        client.response_mode(self.response_mode)
    }

    /// Checks that the response may travel so.
    ///
    /// # Errors
    /// [`AuthorizationRequestRefused::PlainResponse`], [`AuthorizationRequestRefused::OtherResponseMode`].
    pub fn check_response_mode(&self, client: &Client) -> Result<(), AuthorizationRequestRefused> {
        if !client.may_be_answered_in(self.response_mode.unwrap_or_default()) {
            return Err(AuthorizationRequestRefused::OtherResponseMode);
        }
        let plain = self.response_mode.is_none_or(|mode| !mode.is_jwt());
        if plain && client.needs_signed_responses() {
            return Err(AuthorizationRequestRefused::PlainResponse);
        }
        Ok(())
    }

    /// `max_age`, or what the client registered in its place (OpenID Connect Registration §2).
    #[must_use]
    pub fn max_age_for(&self, client: &Client) -> Option<Seconds> {
        self.max_age.or(client.metadata.default_max_age)
    }

    /// The authentication context that is asked for: by the `acr` claim, else by `acr_values`, else by what the client
    /// registered (OpenID Connect Core §5.5.1.1).
    ///
    /// What the claim demands as essential is necessary. `acr_values` is a wish, as long as the client only wants to
    /// know who signed in; where the access token is for `resource_servers`, one of them may have asked for it, and a
    /// token that is refused there again would lead in circles (RFC 9470 §5).
    #[must_use]
    pub fn acr_for(&self, client: &Client, resource_servers: bool) -> AskedAcr {
        if let Some(wanted) = self.claims.acr().filter(|wanted| !wanted.values.is_empty()) {
            return AskedAcr { values: wanted.texts(), necessary: wanted.essential };
        }
        if !self.acr_values.is_empty() {
            return AskedAcr { values: self.acr_values.clone(), necessary: resource_servers };
        }
        AskedAcr { values: client.metadata.default_acr_values.clone(), necessary: false }
    }

    /// The login as it is told to the client: with the context that it asked for, where that is met, under the very
    /// name it asked for.
    #[must_use]
    pub fn told_login(&self, client: &Client, login: &Login) -> Login {
        acr::told_login(&self.acr_for(client, false).values, login)
    }

    /// Whether the user whom the client calls `subject` may be the one: where the `claims` parameter asks for a `sub`,
    /// nobody else is (OpenID Connect Core §5.5.1).
    #[must_use]
    pub fn takes_subject(&self, subject: &str) -> bool {
        self.claims.subjects().all(|wanted| wanted.takes(&subject.into()))
    }
}

/// What decides how to answer at all comes first.
fn check_kind(params: &Params) -> Result<(), AuthorizationRequestRefused> {
    ResponseMode::find(params)?;
    params.check_not_repeated(&["response_mode", "client_id", "redirect_uri"])?;
    if required(params, "response_type")? != "code" {
        return Err(AuthorizationRequestRefused::ResponseType);
    }
    if params.every("registration").next().is_some() {
        return Err(AuthorizationRequestRefused::Registration);
    }
    Ok(())
}

fn at_most(
    params: &Params,
    name: &'static str,
    longest: usize,
) -> Result<Option<String>, AuthorizationRequestRefused> {
    match params.once(name)? {
        Some(text) if text.len() > longest => Err(AuthorizationRequestRefused::Malformed(name)),
        text => Ok(text.map(str::to_owned)),
    }
}

/// A hint is never a reason to refuse (OpenID Connect Core §15.1), unless it comes twice.
fn hint(params: &Params, name: &'static str) -> Result<Option<String>, RepeatedParameter> {
    Ok(params.once(name)?.filter(|text| text.len() <= LONGEST_HINT).map(str::to_owned))
}

/// The values, divided by spaces (OpenID Connect Core §3.1.2.1).
fn acr_values(params: &Params) -> Result<Vec<String>, RepeatedParameter> {
    let values = hint(params, "acr_values")?.unwrap_or_default();
    Ok(values.split(' ').filter(|value| !value.is_empty()).map(str::to_owned).collect())
}

fn max_age(params: &Params) -> Result<Option<Seconds>, AuthorizationRequestRefused> {
    let digits = |text: &str| {
        let all_digits = text.bytes().all(|b| b.is_ascii_digit());
        let seconds = all_digits.then(|| text.parse::<u32>().ok()).flatten();
        seconds.map(|s| Seconds(s.into())).ok_or(AuthorizationRequestRefused::Malformed("max_age"))
    };
    params.once("max_age")?.map(digits).transpose()
}

/// A SHA-256 thumbprint has the form of an S256 challenge.
fn dpop_jkt(params: &Params) -> Result<Option<Jkt>, AuthorizationRequestRefused> {
    let malformed = || AuthorizationRequestRefused::Malformed("dpop_jkt");
    let thumbprint = |text: &str| {
        text.parse::<CodeChallenge>().map_err(|_| malformed())?;
        text.parse().map_err(|_| malformed())
    };
    params.once("dpop_jkt")?.map(thumbprint).transpose()
}

fn requested_actor(params: &Params) -> Result<Option<ClientId>, AuthorizationRequestRefused> {
    let actor = params.once("requested_actor")?.map(str::parse).transpose();
    actor.map_err(|_| AuthorizationRequestRefused::Malformed("requested_actor"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use AuthorizationRequestRefused::{Malformed, PlainResponse, ResponseType};

    fn params(more: &[(&str, &str)]) -> Params {
        let code = [("client_id", "c"), ("response_type", "code")];
        let default = code.iter().filter(|(name, _)| !more.iter().any(|(n, _)| n == name));
        let pairs: Vec<_> = default.chain(more).map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Params::try_from(pairs).unwrap()
    }

    fn parse(more: &[(&str, &str)]) -> Result<AuthorizationRequest, AuthorizationRequestRefused> {
        AuthorizationRequest::parse(&params(more))
    }

    fn code(more: &[(&str, &str)]) -> ErrorCode {
        parse(more).unwrap_err().code()
    }

    fn client(authentication: &str) -> Client {
        serde_json::from_value(serde_json::json!({
            "id": "c", "name": "C", "kind": "application", "grant_types": [], "scope": "", "status": "active",
            "authentication": match authentication {
                "none" => serde_json::json!("none"),
                method => serde_json::json!({ method: { "secret_sha256": "x" } }),
            },
            "id_token_signed_response_alg": "ES256",
        }))
        .unwrap()
    }

    #[test]
    fn who_has_to_push_pushes_and_so_does_everybody_who_asks_for_a_task() {
        use AuthorizationRequestRefused::{NotPushed, TaskNotPushed};
        let pushes = Client { require_pushed_authorization_requests: true, ..client("client_secret_basic") };
        let may = |client: &Client, details: &str| {
            parse(&[("authorization_details", details)]).unwrap().check_unpushed(client)
        };
        let (task, other) = (r#"[{"type":"mcp_tool"},{"type":"agent_task"}]"#, r#"[{"type":"mcp_tool"}]"#);
        assert_eq!(may(&client("none"), other), Ok(()));
        assert_eq!(may(&client("none"), task), Err(TaskNotPushed));
        assert_eq!(may(&pushes, other), Err(NotPushed));
        assert_eq!(parse(&[]).unwrap().check_unpushed(&pushes), Err(NotPushed));
    }

    #[test]
    fn only_the_code_is_given_and_never_in_a_fragment() {
        assert_eq!(code(&[("response_type", "")]), ErrorCode::InvalidRequest);
        for other in ["token", "code id_token", "id_token", "Code"] {
            assert_eq!(parse(&[("response_type", other)]), Err(ResponseType), "{other}");
        }
        for mode in crate::response_mode::VALUES {
            assert_eq!(parse(&[("response_mode", mode)]).unwrap().response_mode, mode.parse().ok());
        }
        for other in ["fragment", "fragment.jwt", "zz"] {
            let refused = parse(&[("response_mode", other), ("response_type", "token")]);
            assert_eq!(refused, Err(UnsupportedResponseMode.into()), "{other}");
        }
    }

    #[test]
    fn parameters_come_once_except_resource() {
        for name in [
            "scope",
            "state",
            "nonce",
            "code_challenge",
            "prompt",
            "max_age",
            "login_hint",
            "ui_locales",
            "acr_values",
            "claims",
            "id_token_hint",
            "dpop_jkt",
            "requested_actor",
            "authorization_details",
            "client_id",
            "redirect_uri",
            "response_type",
        ] {
            assert_eq!(
                parse(&[(name, "code"), (name, "code")]),
                Err(RepeatedParameter(name).into()),
                "{name}"
            );
        }
        let both = parse(&[("resource", "urn:a"), ("resource", "urn:b")]).unwrap();
        assert_eq!(both.resources.len(), 2);
    }

    #[test]
    fn state_comes_back_exactly_or_not_at_all() {
        let odd = "é &=#%20\"<script>";
        assert_eq!(parse(&[("state", odd)]).unwrap().state.as_deref(), Some(odd));
        assert_eq!(state(&params(&[("state", odd), ("scope", "\"")])), Some(odd));
        let long = "s".repeat(LONGEST_STATE + 1);
        assert_eq!(parse(&[("state", &long)]), Err(Malformed("state")));
        assert_eq!(state(&params(&[("state", &long)])), None);
        assert!(parse(&[("state", &long[1..])]).is_ok());
        assert_eq!(state(&params(&[("state", "a"), ("state", "b")])), None);
    }

    #[test]
    fn a_nonce_is_kept_whole_or_refused() {
        let nonce = "n".repeat(LONGEST_NONCE);
        assert_eq!(parse(&[("nonce", &nonce)]).unwrap().nonce, Some(nonce.clone()));
        assert_eq!(parse(&[("nonce", &format!("{nonce}n"))]), Err(Malformed("nonce")));
    }

    #[test]
    fn registration_is_not_supported() {
        assert_eq!(code(&[("registration", "x")]), ErrorCode::RegistrationNotSupported);
    }

    #[test]
    fn each_parameter_is_refused_with_the_code_of_its_specification() {
        for (name, value, expected) in [
            ("scope", "\"", ErrorCode::InvalidScope),
            ("resource", "/relative", ErrorCode::InvalidTarget),
            ("authorization_details", "{}", ErrorCode::InvalidAuthorizationDetails),
            ("prompt", "none login", ErrorCode::InvalidRequest),
            ("max_age", "-1", ErrorCode::InvalidRequest),
            ("max_age", "+1", ErrorCode::InvalidRequest),
            ("max_age", "x", ErrorCode::InvalidRequest),
            ("max_age", "99999999999999999999", ErrorCode::InvalidRequest),
            ("dpop_jkt", "short", ErrorCode::InvalidRequest),
            ("requested_actor", "a b", ErrorCode::InvalidRequest),
            ("code_challenge", "a", ErrorCode::InvalidRequest),
            ("claims", "[]", ErrorCode::InvalidRequest),
            ("grant_management_action", "update", ErrorCode::InvalidRequest),
            ("grant_management_action", "merge", ErrorCode::InvalidRequest),
            ("grant_id", "con_1", ErrorCode::InvalidRequest),
            ("id_token_hint", &"x".repeat(LONGEST_ID_TOKEN_HINT + 1), ErrorCode::InvalidRequest),
        ] {
            assert_eq!(code(&[(name, value)]), expected, "{name}={value}");
        }
    }

    #[test]
    fn hints_and_preferences_are_never_a_reason_to_refuse() {
        let long = "x".repeat(LONGEST_HINT + 1);
        let hints = ["display", "acr_values", "claims_locales", "login_hint", "ui_locales", "zz"];
        let sent: Vec<_> = hints.iter().map(|name| (*name, long.as_str())).collect();
        let read = parse(&sent).unwrap();
        assert_eq!((read.login_hint, read.ui_locales, read.acr_values.len()), (None, None, 0));
        assert_eq!(parse(&[("login_hint", "alice")]).unwrap().login_hint.as_deref(), Some("alice"));
    }

    #[test]
    fn a_stored_request_reads_back_as_it_was() {
        let challenge = "c".repeat(43);
        let read = parse(&[
            ("scope", "openid a"),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", "urn:a"),
            ("authorization_details", r#"[{"type":"t","x":1}]"#),
            ("prompt", "login"),
            ("max_age", "0"),
            ("acr_values", "phr  x"),
            ("claims", r#"{"userinfo":{"name":{"essential":true}},"id_token":{"acr":{"values":["a"]}}}"#),
            ("response_mode", "form_post.jwt"),
            ("dpop_jkt", &challenge),
            ("requested_actor", "agent"),
            ("grant_management_action", "merge"),
            ("grant_id", "con_1"),
        ])
        .unwrap();
        assert_eq!(read.max_age, Some(Seconds(0)));
        assert_eq!(read.requested_actor.as_ref().map(ClientId::as_str), Some("agent"));
        let stored = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<AuthorizationRequest>(&stored).unwrap(), read);
    }

    #[test]
    fn a_challenge_is_needed_unless_a_confidential_client_asks_for_an_id_token() {
        let openid = parse(&[("scope", "openid")]).unwrap();
        let plain = parse(&[("scope", "a")]).unwrap();
        let challenge = "c".repeat(43);
        let proven = parse(&[("code_challenge", &challenge), ("code_challenge_method", "S256")]).unwrap();
        let (public, confidential) = (client("none"), client("client_secret_basic"));
        let mut agent = confidential.clone();
        agent.kind = serde_json::from_value(
            serde_json::json!({"agent": {"owner": "u", "purpose": "p", "expires_at": 9}}),
        )
        .unwrap();
        assert_eq!(openid.check_code_challenge(&confidential), Ok(()));
        for (request, client) in
            [(&openid, &public), (&openid, &agent), (&plain, &confidential), (&plain, &public)]
        {
            let refused = request.check_code_challenge(client).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::InvalidRequest);
            assert_eq!(proven.check_code_challenge(client), Ok(()));
        }
    }

    #[test]
    fn the_profile_says_who_else_needs_a_challenge() {
        let openid = parse(&[("scope", "openid")]).unwrap();
        let plain = parse(&[("scope", "a")]).unwrap();
        let mut confidential = client("client_secret_basic");
        confidential.profile = crate::profile::SecurityProfile::Oidc;
        assert_eq!(plain.check_code_challenge(&confidential), Ok(()));
        confidential.profile = crate::profile::SecurityProfile::Fapi2;
        assert!(openid.check_code_challenge(&confidential).is_err());
    }

    #[test]
    fn a_client_of_message_signing_that_registered_how_gets_signed_responses_only() {
        let mut signed = client("client_secret_basic");
        let modes = |client: &Client| {
            let refused = |mode: &str| {
                let request = if mode.is_empty() { parse(&[]) } else { parse(&[("response_mode", mode)]) };
                let request = request.unwrap();
                (request.check_response_mode(client).err(), request.answered_in(client))
            };
            ["", "form_post", "jwt"].map(refused)
        };
        let free =
            [(None, ResponseMode::Query), (None, ResponseMode::FormPost), (None, ResponseMode::QueryJwt)];
        assert_eq!(modes(&signed), free);
        signed.profile = crate::profile::SecurityProfile::Fapi2MessageSigning;
        assert_eq!(modes(&signed), free);
        signed.metadata.authorization_signed_response_alg = Some(crate::client::SigningAlg::Ps256);
        let bound = [
            (Some(PlainResponse), ResponseMode::QueryJwt),
            (Some(PlainResponse), ResponseMode::FormPost),
            (None, ResponseMode::QueryJwt),
        ];
        assert_eq!(modes(&signed), bound);
    }

    #[test]
    fn a_client_that_registered_response_modes_is_answered_in_one_of_them() {
        let mut client = client("client_secret_basic");
        let of = |client: &Client, mode: &str| {
            let request = if mode.is_empty() { parse(&[]) } else { parse(&[("response_mode", mode)]) };
            let request = request.unwrap();
            (request.check_response_mode(client).is_ok(), request.answered_in(client))
        };
        client.metadata.response_modes = vec![ResponseMode::FormPost, ResponseMode::QueryJwt];
        for (mode, fits, answered) in [
            ("form_post", true, ResponseMode::FormPost),
            ("jwt", true, ResponseMode::QueryJwt),
            ("query.jwt", true, ResponseMode::QueryJwt),
            ("form_post.jwt", false, ResponseMode::FormPost),
            ("query", false, ResponseMode::FormPost),
            ("", false, ResponseMode::FormPost),
        ] {
            assert_eq!(of(&client, mode), (fits, answered), "{mode}");
        }
        client.metadata.response_modes = vec![ResponseMode::Query];
        assert_eq!(of(&client, ""), (true, ResponseMode::Query));
        assert_eq!(of(&client, "form_post"), (false, ResponseMode::Query));
    }

    #[test]
    fn the_claim_is_stronger_than_acr_values_and_these_than_what_is_registered() {
        let mut client = client("none");
        client.metadata.default_acr_values = vec!["registered".into()];
        client.metadata.default_max_age = Some(Seconds(7));
        let asked = |more: &[(&str, &str)], servers| {
            let asked = parse(more).unwrap().acr_for(&client, servers);
            (asked.values.join(" "), asked.necessary)
        };
        let claim = |essential: bool| {
            format!(r#"{{"id_token":{{"acr":{{"essential":{essential},"values":["a","b"]}}}}}}"#)
        };
        assert_eq!(asked(&[], true), ("registered".into(), false));
        assert_eq!(asked(&[("acr_values", "x y")], false), ("x y".into(), false));
        assert_eq!(asked(&[("acr_values", "x y")], true), ("x y".into(), true));
        assert_eq!(asked(&[("acr_values", "x"), ("claims", &claim(true))], false), ("a b".into(), true));
        assert_eq!(asked(&[("claims", &claim(false))], true), ("a b".into(), false));
        let any = r#"{"id_token":{"acr":{"essential":true}}}"#;
        assert_eq!(asked(&[("claims", any)], true), ("registered".into(), false));
        assert_eq!(parse(&[]).unwrap().max_age_for(&client), Some(Seconds(7)));
        assert_eq!(parse(&[("max_age", "9")]).unwrap().max_age_for(&client), Some(Seconds(9)));
    }

    #[test]
    fn a_login_is_told_by_the_name_that_was_asked_for() {
        use crate::acr::{Acr, Method, login};
        let strong = login(
            &[Method::Password, Method::Passkey { synced: false, user_verified: true }],
            crate::numeric_date::NumericDate(1),
        );
        let told = |values: &str| {
            let request = parse(&[("acr_values", values)]).unwrap();
            request.told_login(&client("none"), &strong).acr.unwrap()
        };
        assert_eq!(told("urn:procura:acr:multi-factor"), Acr::MultiFactor.as_str());
        assert_eq!(told("unknown"), Acr::PhishingResistant.as_str());
        assert_eq!(told(" "), Acr::PhishingResistant.as_str());
    }

    #[test]
    fn where_a_sub_is_asked_for_nobody_else_will_do() {
        let request = parse(&[("claims", r#"{"id_token":{"sub":{"value":"u"}}}"#)]).unwrap();
        assert!(request.takes_subject("u") && !request.takes_subject("v"));
        assert!(parse(&[]).unwrap().takes_subject("v"));
    }
}
