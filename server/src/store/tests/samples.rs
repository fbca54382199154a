//! Values to store.

use protocol::actor::Chain;
use protocol::audience::Audience;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::authority::Authority;
use protocol::authorization_details::AuthorizationDetails;
use protocol::client::{
    Client, ClientAuthentication, ClientKind, ClientMetadata, ClientStatus, KeySource, SigningAlg,
};
use protocol::code::Code;
use protocol::consent::{Consent, ConsentState, PassingOn};
use protocol::numeric_date::NumericDate;
use protocol::profile::SecurityProfile;
use protocol::task::{Intent, Task, TaskStatus};
use protocol::token::{Login, Subject, Token, TokenKind};
use protocol::user::User;
use serde_json::json;
use std::collections::BTreeSet;

use super::super::{BrowserSession, Record};
use crate::secret::SecretDigest;

pub(super) const NOW: NumericDate = NumericDate(1_800_000_000);
pub(super) const LATER: NumericDate = NumericDate(1_800_003_600);

pub(super) fn digest(text: &str) -> SecretDigest {
    SecretDigest::of(text)
}

pub(super) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(super) fn event() -> AuditEvent {
    AuditEvent::new(Action::TokenExchange, Outcome::Granted, NOW)
}

pub(super) fn authority() -> Authority {
    Authority {
        scope: "read".parse().unwrap(),
        details: AuthorizationDetails::none(),
        resources: BTreeSet::new(),
        until: LATER,
    }
}

pub(super) fn consent(name: &str) -> Consent {
    Consent {
        id: id(name),
        user: id("alice"),
        client: id("app"),
        actor: id("agent"),
        authority: authority(),
        claims: BTreeSet::new(),
        passing_on: PassingOn::UpTo(2),
        offline_access: false,
        created_at: NOW,
        brought_by: None,
        state: ConsentState::Active,
        types: std::collections::BTreeMap::new(),
        version: 1,
    }
}

pub(super) fn task(name: &str, consent: &str, parent: Option<&str>) -> Task {
    Task {
        id: id(name),
        root: id(parent.unwrap_or(name)),
        parent: parent.map(id),
        consent: id(consent),
        user: id("alice"),
        actor: id("agent"),
        intent: Intent::default(),
        intent_hash: String::new(),
        scope: None,
        resources: None,
        max_derivations: None,
        derivations: 0,
        suspended_by: None,
        details: AuthorizationDetails::none(),
        authority_hash: String::new(),
        deadline: LATER,
        status: TaskStatus::Active,
        version: 1,
        created_at: NOW,
    }
}

pub(super) fn token(name: &str) -> Token {
    Token {
        id: id(name),
        kind: TokenKind::Access,
        client: id("app"),
        instance: None,
        subject: Subject::User(id("alice")),
        chain: Chain::none(),
        brought: Chain::none(),
        may_act: None,
        audience: Audience::Resources,
        authority: authority(),
        cnf: None,
        issued_at: NOW,
        login: None,
        claims: protocol::claims_request::ClaimsRequest::default(),
        consent: None,
        task: None,
        parent: None,
        family: None,
        session: None,
        status: None,
    }
}

pub(super) fn under(consent: &str, name: &str) -> Token {
    Token { consent: Some(id(consent)), ..token(name) }
}

pub(super) fn child(parent: &str, token: Token) -> Token {
    Token { parent: Some(id(parent)), ..token }
}

pub(super) fn kept(token: Token) -> Record {
    let digest = digest(token.id.as_str());
    Record::Unissued { token, digest }
}

pub(super) fn refresh(name: &str, family: &str) -> Record {
    kept(Token { kind: TokenKind::Refresh, family: Some(id(family)), ..token(name) })
}

pub(super) fn code(name: &str, consent: &str) -> Record {
    let code = Code {
        client: id("app"),
        instance: None,
        user: id("alice"),
        consent: id(consent),
        task: None,
        requested_actor: None,
        authority: authority(),
        redirect_uri: Some("https://app.example/cb".into()),
        code_challenge: None,
        nonce: None,
        claims: protocol::claims_request::ClaimsRequest::default(),
        dpop_jkt: None,
        login: Login { auth_time: NOW, acr: None, amr: vec![] },
        session: Some(id("s1")),
    };
    Record::Code { digest: digest(name), code, expires_at: LATER }
}

pub(super) fn client(name: &str, shown: &str) -> Client {
    Client {
        id: id(name),
        name: shown.into(),
        kind: ClientKind::Service,
        profile: SecurityProfile::default(),
        authentication: ClientAuthentication::None,
        keys: KeySource::None,
        redirect_uris: vec![],
        post_logout_redirect_uris: vec![],
        grant_types: BTreeSet::new(),
        scope: "read".parse().unwrap(),
        resources: BTreeSet::new(),
        authorization_details_types: BTreeSet::new(),
        dpop_bound_access_tokens: false,
        require_pushed_authorization_requests: false,
        id_token_signed_response_alg: SigningAlg::Es256,
        resource_server: None,
        metadata: ClientMetadata::default(),
        own_sector: false,
        admin_api: false,
        status: ClientStatus::Active,
    }
}

pub(super) fn user(name: &str) -> User {
    User {
        id: id(name),
        username: name.to_uppercase(),
        name: name.into(),
        password_hash: None,
        claims: serde_json::Map::new(),
        admin: false,
        enabled: true,
    }
}

pub(super) fn session(name: &str, session: &str) -> BrowserSession {
    BrowserSession {
        id: name.into(),
        session: id(session),
        user: Some(id("alice")),
        expires_at: LATER,
        document: json!({"n": 1}),
    }
}
