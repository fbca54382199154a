//! The authorization code: everything it stands for, kept under the hash of the code (RFC 6749 §4.1.2).

use serde::{Deserialize, Serialize};

use crate::authority::Authority;
use crate::claims_request::ClaimsRequest;
use crate::identifier::{ClientId, ConsentId, InstanceId, Jkt, SessionId, TaskId, UserId};
use crate::pkce::CodeChallenge;
use crate::token::Login;

/// What a code stands for. It is bound to the client, the redirect URI, the challenge and, where there is
/// one, the instance and the key.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Code {
    /// Who may redeem it.
    pub client: ClientId,
    /// Which instance of it, where one asked for itself: no other may. A request that a browser alone brought is of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Who approved.
    pub user: UserId,
    /// What was approved.
    pub consent: ConsentId,
    /// The task that the authorization opened, where an agent was authorized.
    pub task: Option<TaskId>,
    /// The actor the user was asked about, where it is not the client itself (`requested_actor`).
    pub requested_actor: Option<ClientId>,
    /// The granted part of what this request asked for; within the consent.
    pub authority: Authority,
    /// `redirect_uri` of the authorization request; none where the answer is not brought by the user's browser, but
    /// asked for with a `device_code` (RFC 8628) or an `auth_req_id` (CIBA).
    pub redirect_uri: Option<String>,
    /// `code_challenge`, always S256 (RFC 7636 §4.2).
    pub code_challenge: Option<CodeChallenge>,
    /// `nonce` (OpenID Connect Core §3.1.2.1).
    pub nonce: Option<String>,
    /// The claims about the user that were asked for by name, as far as they were approved.
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// `dpop_jkt` (RFC 9449 §10).
    pub dpop_jkt: Option<Jkt>,
    /// How the user logged in.
    pub login: Login,
    /// The browser session in which it was approved; none where the client is elsewhere than that browser.
    pub session: Option<SessionId>,
}
