//! The audit log's vocabulary. Each decision is one event, written in the transaction of its effects; the canonical
//! form of an event (RFC 8785) is what a Merkle tree over the log will hash.

use serde::{Deserialize, Serialize};

use crate::actor::Chain;
use crate::audience::ResourceIndicator;
use crate::authorization_details::AuthorizationDetails;
use crate::destination::Destination;
use crate::identifier::{ClientId, ConsentId, InstanceId, RequestId, RuleId, TaskId, TokenId, UserId};
use crate::numeric_date::NumericDate;
use crate::refusal::{ErrorCode, Refusal};
use crate::scope::Scope;

/// What was decided upon.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Action {
    /// A client proved who it is, or failed to.
    #[serde(rename = "client.authenticate")]
    ClientAuthenticate,
    /// A user signed in, or failed to.
    #[serde(rename = "user.sign_in")]
    UserSignIn,
    /// A user signed out.
    #[serde(rename = "user.sign_out")]
    UserSignOut,
    /// A client was told that a session ended, or could not be.
    #[serde(rename = "logout.notify")]
    LogoutNotify,
    /// A user set a password.
    #[serde(rename = "user.set_password")]
    UserSetPassword,
    /// A link to set a password was made, or asked for in vain.
    #[serde(rename = "user.reset_link")]
    UserResetLink,
    /// A user added a passkey.
    #[serde(rename = "user.passkey_add")]
    UserPasskeyAdd,
    /// A user gave a passkey another name.
    #[serde(rename = "user.passkey_rename")]
    UserPasskeyRename,
    /// A user removed a passkey.
    #[serde(rename = "user.passkey_remove")]
    UserPasskeyRemove,
    /// A user set up an authenticator app.
    #[serde(rename = "user.totp_add")]
    UserTotpAdd,
    /// A user removed the authenticator app.
    #[serde(rename = "user.totp_remove")]
    UserTotpRemove,
    /// A user made recovery codes; those of before are void.
    #[serde(rename = "user.recovery_codes")]
    UserRecoveryCodes,
    /// A user ended sessions of theirs in other browsers.
    #[serde(rename = "user.session_end")]
    UserSessionEnd,
    /// A user set the code without which nobody asks them from afar, or took it away.
    #[serde(rename = "user.set_user_code")]
    UserSetUserCode,
    /// An account was made for somebody whom an upstream OpenID Provider signed in, or spoke of in a grant.
    #[serde(rename = "user.create")]
    UserCreate,
    /// An identity at an upstream OpenID Provider was linked to an account.
    #[serde(rename = "user.link")]
    UserLink,
    /// Such a link was taken away.
    #[serde(rename = "user.unlink")]
    UserUnlink,
    /// What an upstream OpenID Provider says changed an account: its rights, its name, its address.
    #[serde(rename = "user.update")]
    UserUpdate,
    /// An upstream OpenID Provider said that somebody signed out there.
    #[serde(rename = "upstream.logout")]
    UpstreamLogout,
    /// A client pushed an authorization request.
    #[serde(rename = "authorization.push")]
    AuthorizationPush,
    /// An authorization request was refused before anybody was asked.
    #[serde(rename = "authorization.request")]
    AuthorizationRequest,
    /// A device asked for a code that its user is to enter (RFC 8628).
    #[serde(rename = "authorization.device")]
    AuthorizationDevice,
    /// A client asked for a user's word from afar (CIBA).
    #[serde(rename = "authorization.backchannel")]
    AuthorizationBackchannel,
    /// A user approved, all or a part, or denied.
    #[serde(rename = "consent.decide")]
    ConsentDecide,
    /// A consent was ended.
    #[serde(rename = "consent.end")]
    ConsentEnd,
    /// A task was opened.
    #[serde(rename = "task.open")]
    TaskOpen,
    /// A task was suspended.
    #[serde(rename = "task.suspend")]
    TaskSuspend,
    /// A suspended task goes on.
    #[serde(rename = "task.resume")]
    TaskResume,
    /// A task was completed, and all that was derived for it ended.
    #[serde(rename = "task.complete")]
    TaskComplete,
    /// A task was called off, and all that was derived for it ended.
    #[serde(rename = "task.revoke")]
    TaskRevoke,
    /// A token request that was refused before its grant type was known to be understood.
    #[serde(rename = "token.request")]
    TokenRequest,
    /// A code was to be redeemed (RFC 6749 §4.1.3).
    #[serde(rename = "token.authorization_code")]
    TokenAuthorizationCode,
    /// A refresh token was to be used (RFC 6749 §6).
    #[serde(rename = "token.refresh")]
    TokenRefresh,
    /// A client wanted a token of its own (RFC 6749 §4.4).
    #[serde(rename = "token.client_credentials")]
    TokenClientCredentials,
    /// A token was to be exchanged (RFC 8693).
    #[serde(rename = "token.exchange")]
    TokenExchange,
    /// A device came for its token (RFC 8628 §3.4).
    #[serde(rename = "token.device_code")]
    TokenDeviceCode,
    /// A client came for the token of a user who was asked from afar, or it was pushed (CIBA).
    #[serde(rename = "token.ciba")]
    TokenCiba,
    /// An assertion of a trusted issuer was to be a grant (RFC 7523 §2.1).
    #[serde(rename = "token.jwt_bearer")]
    TokenJwtBearer,
    /// A token request waits for a person's approval.
    #[serde(rename = "deferral.ask")]
    DeferralAsk,
    /// A person approved a token request, or denied it.
    #[serde(rename = "deferral.decide")]
    DeferralDecide,
    /// A client asked in vain for the token of a request that waited for approval.
    #[serde(rename = "deferral.poll")]
    DeferralPoll,
    /// A client gave up a token request that waited.
    #[serde(rename = "deferral.cancel")]
    DeferralCancel,
    /// A token was revoked.
    #[serde(rename = "token.revoke")]
    TokenRevoke,
    /// A token was made that lets somebody register clients.
    #[serde(rename = "registration.token")]
    RegistrationToken,
    /// A client registered itself.
    #[serde(rename = "client.register")]
    ClientRegister,
    /// A client changed its registration.
    #[serde(rename = "client.update")]
    ClientUpdate,
    /// A client ended its registration, or never used it.
    #[serde(rename = "client.delete")]
    ClientDelete,
    /// A program called the admin API and looked at something, or was refused.
    #[serde(rename = "admin.call")]
    AdminCall,
    /// An admin declared a details type, or a new version of one.
    #[serde(rename = "details_type.declare")]
    DetailsTypeDeclare,
    /// An admin retired a details type: nothing of it can be asked for any more.
    #[serde(rename = "details_type.retire")]
    DetailsTypeRetire,
    /// An admin stopped an agent until it is resumed, and ended everything that it held.
    #[serde(rename = "agent.suspend")]
    AgentSuspend,
    /// An admin let a suspended agent act again.
    #[serde(rename = "agent.resume")]
    AgentResume,
    /// An admin stopped an agent for good, and ended everything that it held.
    #[serde(rename = "agent.retire")]
    AgentRetire,
    /// An admin stopped one instance of an agent for good, and ended everything that it held.
    #[serde(rename = "instance.end")]
    InstanceEnd,
    /// An admin ended everything of a user's.
    #[serde(rename = "user.end")]
    UserEnd,
    /// An admin disabled an account, and ended everything of its user's.
    #[serde(rename = "user.disable")]
    UserDisable,
    /// An admin enabled an account.
    #[serde(rename = "user.enable")]
    UserEnable,
    /// An upstream OpenID Provider, or an admin by its means, ended everything of a user's until they sign in anew.
    #[serde(rename = "user.revoke")]
    UserRevoke,
    /// An admin suspended all agents of their owner, and ended everything that they held.
    #[serde(rename = "owner.end")]
    OwnerEnd,
    /// A signing key was made.
    #[serde(rename = "key.make")]
    KeyMake,
    /// A signing key took over from the one before.
    #[serde(rename = "key.activate")]
    KeyActivate,
    /// A signing key was retired, its private part deleted.
    #[serde(rename = "key.retire")]
    KeyRetire,
    /// What the database keeps of secrets was encrypted, or encrypted anew under another key.
    #[serde(rename = "key.encrypt")]
    KeyEncrypt,
    /// The configuration was applied.
    #[serde(rename = "configuration.apply")]
    ConfigurationApply,
}

/// How it was decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Granted,
    /// It was not.
    Refused,
}

/// One decision. The sequence number is given by the log when it is written.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AuditEvent {
    /// When.
    pub time: NumericDate,
    /// What.
    pub action: Action,
    /// Yes or no.
    pub outcome: Outcome,
    /// The OAuth error, where it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorCode>,
    /// Why, in words for the auditor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The HTTP request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestId>,
    /// The client that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
    /// Which instance of it, or of the actor that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// The user it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The chain of actors after the decision, the current one first.
    #[serde(default, skip_serializing_if = "no_chain")]
    pub chain: Chain,
    /// The actor a consent or a hand-over is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ClientId>,
    /// The consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentId>,
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    /// The root task: one value through the whole tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub txn: Option<TaskId>,
    /// The token that was issued or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// The token it was derived from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<TokenId>,
    /// The admin rule that allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// What was granted, or, where refused, asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "no_details")]
    pub authorization_details: AuthorizationDetails,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceIndicator>,
    /// What it is and where it goes, where that is no access token for here.
    #[serde(default, skip_serializing_if = "Destination::is_here")]
    pub destination: Destination,
}

fn no_chain(chain: &Chain) -> bool {
    chain.depth() == 0
}

fn no_details(details: &AuthorizationDetails) -> bool {
    details.is_empty()
}

/// An event as the log holds it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LoggedEvent {
    /// Its place in the log, from 1, without gaps.
    pub seq: i64,
    /// The event.
    #[serde(flatten)]
    pub event: AuditEvent,
}

impl AuditEvent {
    /// An event about which only these three things are known yet.
    #[must_use]
    pub fn new(action: Action, outcome: Outcome, time: NumericDate) -> Self {
        Self {
            time,
            action,
            outcome,
            error: None,
            reason: None,
            request: None,
            client: None,
            instance: None,
            user: None,
            chain: Chain::none(),
            actor: None,
            consent: None,
            task: None,
            txn: None,
            token: None,
            parent: None,
            rule: None,
            scope: None,
            authorization_details: AuthorizationDetails::none(),
            resources: Vec::new(),
            destination: Destination::Here,
        }
    }

    /// The same event as a refusal.
    #[must_use]
    pub fn refused(mut self, refusal: &Refusal) -> Self {
        self.outcome = Outcome::Refused;
        self.error = Some(refusal.code);
        self.reason = Some(refusal.description.clone().into_owned());
        self
    }
}

impl LoggedEvent {
    /// The canonical JSON (RFC 8785) of the event.
    ///
    /// # Errors
    /// Only where a detail holds a number that JSON cannot say.
    pub fn canonical(&self) -> Result<String, serde_json::Error> {
        serde_json_canonicalizer::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_from_its_canonical_form() {
        let refusal = Refusal::new(ErrorCode::InvalidScope, "too wide");
        let event =
            AuditEvent::new(Action::TokenExchange, Outcome::Granted, NumericDate(7)).refused(&refusal);
        let logged = LoggedEvent { seq: 3, event };
        let text = logged.canonical().unwrap();
        assert_eq!(
            text,
            r#"{"action":"token.exchange","error":"invalid_scope","outcome":"refused","reason":"too wide","seq":3,"time":7}"#
        );
        assert_eq!(serde_json::from_str::<LoggedEvent>(&text).unwrap(), logged);
    }
}
