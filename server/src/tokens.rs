//! Tokens as they travel: writing them, recognising them, ending them.
//!
//! An issued token is found again by the SHA-256 of its text. Only texts that this server wrote, signature and all,
//! have a record, so that a record found *is* the proof that the token is ours and unaltered: no signature need be
//! checked, and an opaque token and a JWT are read alike.

use std::sync::Arc;

use protocol::audience::Audience;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::authority::Authority;
use protocol::client::{Client, SigningAlg};
use protocol::delegation::Issuable;
use protocol::id_token::{IdToken, pushed_claims};
use protocol::identifier::{SessionId, TokenId, UserId};
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::resource_server::TokenFormat;
use protocol::subject::{Perspective, perspective};
use protocol::token::{Subject, Token, TokenKind};
use protocol::userinfo;
use serde_json::Map;

use crate::app::{App, Visit};
use crate::caller::Caller;
use crate::failure::{Broken, Failure};
use crate::registry::Registry;
use crate::secret::{Secret, SecretDigest, random_id};
use crate::store::{Anchor, Change, CommitError, Ending, PairwiseSubject, Record};

/// The longest token that is looked up, and so the longest that is issued.
pub const LONGEST_TOKEN: usize = 16 * 1024;

/// A token and its text, not yet kept. There is none of what may not be issued.
pub struct Written {
    token: Issuable,
    text: Secret,
}

impl Written {
    /// This token, written so.
    #[must_use]
    pub const fn new(token: Issuable, text: Secret) -> Self {
        Self { token, text }
    }

    /// What it is.
    #[must_use]
    pub const fn token(&self) -> &Token {
        self.token.token()
    }

    /// Its text, for the one reply it leaves with.
    #[must_use]
    pub const fn text(&self) -> &Secret {
        &self.text
    }

    /// Both.
    #[must_use]
    pub fn into_parts(self) -> (Token, Secret) {
        (self.token.into_token(), self.text)
    }

    /// What is stored of it.
    #[must_use]
    pub fn record(&self) -> Record {
        Record::Token { token: self.token.clone(), digest: self.text.digest() }
    }
}

/// A new token id.
///
/// # Errors
/// Never in practice: the characters are ours.
pub fn new_id(app: &App) -> Result<TokenId, Failure> {
    random_id(app.entropy.as_ref(), "tok_")
        .parse()
        .map_err(|_| Broken::Other("a random id is no identifier").into())
}

/// Writes an access token of `client` as its resource servers want it: a JWT (RFC 9068) in the algorithm they ask for,
/// or a random reference. A token for an actor, and one for several resource servers that differ, is an ES256 JWT. A
/// client that knows its users by names of its own gets references only: in a JWT it would read their other name.
///
/// # Errors
/// A token that would be too long; the signing key's; the store's, where a status list is opened for it.
pub async fn write(
    app: &App,
    registry: &Registry,
    client: &Client,
    token: Issuable,
) -> Result<Written, Failure> {
    let issued = token.token();
    // Whoever gets a reference asks us anyway, and a hand-over is for nobody who validates offline.
    let form = form(registry, issued);
    let offline = form.0 == TokenFormat::Jwt && perspective(client) == Perspective::Public;
    let status = match offline && issued.audience == Audience::Resources {
        true => {
            let (until, now) = (issued.expires_at(), issued.issued_at);
            Some(app.status_lists.deal(&app.store, app.entropy.as_ref(), until, now).await?)
        }
        false => None,
    };
    let token = token.listed(status);
    let issued = token.token();
    let text = match (form, perspective(client)) {
        ((TokenFormat::Opaque, _), _) | (_, Perspective::Pairwise(_)) => {
            Secret::generate(app.entropy.as_ref(), "pat_")
        }
        ((TokenFormat::Jwt, alg), Perspective::Public) => {
            let mut claims = issued.claims(app.issuer());
            if let Some(task) = issued.task.as_ref().filter(|_| app.settings.tasks.mission_claim) {
                claims.insert("mission".to_owned(), task.as_mission(app.issuer()));
            }
            Secret::from_text(app.keys.sign(alg, "at+jwt", &claims)?)
        }
    };
    check_length(issued, &text)?;
    Ok(Written::new(token, text))
}

/// What could never be presented here is not issued: it is refused, and not cut short.
///
/// # Errors
/// `invalid_authorization_details`, or where the token has none, `invalid_scope`.
pub fn check_length(token: &Token, text: &Secret) -> Result<(), Refusal> {
    if text.reveal().len() <= LONGEST_TOKEN {
        return Ok(());
    }
    let (code, what) = match token.authority.details.is_empty() {
        true => (ErrorCode::InvalidScope, "scope words"),
        false => (ErrorCode::InvalidAuthorizationDetails, "or smaller authorization_details"),
    };
    let description = format!("the token would be longer than {LONGEST_TOKEN} bytes; ask for fewer {what}");
    Err(Refusal::new(code, description))
}

/// Writes a refresh token: always a random reference.
#[must_use]
pub fn write_refresh(app: &App, token: Issuable) -> Written {
    Written::new(token, Secret::generate(app.entropy.as_ref(), "prt_"))
}

/// What goes into an ID token beside its access token.
#[derive(Clone, Copy, Default)]
pub struct Along<'a> {
    /// `nonce` of the authorization request. After a refresh there is none (OpenID Connect Core §12.2).
    pub nonce: Option<&'a str>,
    /// The browser session that the client may hear of as `sid`.
    pub session: Option<&'a SessionId>,
    /// What was approved with the login: it bounds what the ID token can be exchanged for. Nothing means what its access
    /// token permits.
    pub approved: Option<&'a Authority>,
    /// Where it is pushed: the `auth_req_id` it is pushed for, and the refresh token that goes with it, if one does.
    pub pushed: Option<(&'a str, Option<&'a str>)>,
}

/// What is stored of a token that has no text of ours that could be asked for: a JWT of somebody else.
#[must_use]
pub fn record_of_foreign(app: &App, token: Issuable) -> Record {
    Record::Token { token, digest: SecretDigest::of(&random_id(app.entropy.as_ref(), "for_")) }
}

/// Writes the ID token that goes with an access token of `client` (OpenID Connect Core §2), signed and, where it
/// registered so, encrypted; with its record, which is of the signed text, since nobody but the client sees another.
/// None where the access token is nobody's sign-in. All that is said of the login is as it was when the user signed in.
///
/// # Errors
/// The store's, the signing key's, and where the client has no key to encrypt to.
pub async fn id_token(
    app: &App,
    client: &Client,
    access: &Written,
    along: &Along<'_>,
) -> Result<Option<(Secret, Record)>, Failure> {
    let token = access.token();
    let (Some(user), Some(login)) = (token.subject.user(), &token.login) else { return Ok(None) };
    let about_user = match token.claims.id_token.is_empty() {
        true => Map::new(),
        false => {
            let gone = || Broken::Inconsistent("a live token of a user that is not there");
            let user = app.store.find_user(user).await?.ok_or_else(gone)?;
            userinfo::by_name(&user, &token.claims.id_token)
        }
    };
    let alg = client.id_token_signed_response_alg;
    let sid = along.session.map(|session| protocol::logout::sid(session, &client.id));
    let mut claims = IdToken {
        issuer: app.issuer(),
        subject: &app.subject_for(client, user),
        client: &client.id,
        expires_at: token.expires_at(),
        issued_at: token.issued_at,
        login,
        nonce: along.nonce,
        sid: sid.as_deref(),
        access_token: Some(access.text().reveal()),
        about_user: &about_user,
        alg,
    }
    .claims();
    if let Some((auth_req_id, refresh_token)) = along.pushed {
        claims.extend(pushed_claims(auth_req_id, refresh_token, alg));
    }
    let jwt = app.keys.sign(alg, "JWT", &claims)?;
    let approved = along.approved.unwrap_or(&token.authority);
    let record = Issuable::beside(token, new_id(app)?, approved, along.session.cloned());
    let record = record.map_err(Broken::from)?;
    let record = Record::Token { token: record, digest: SecretDigest::of(&jwt) };
    let encryption = client.metadata.id_token_encryption();
    let text = app.encrypt_to(client, jwt, encryption, token.issued_at).await?;
    Ok(Some((Secret::from_text(text), record)))
}

/// The name of its own by which `client` is about to see `user`, where its subjects are pairwise: to know who is meant
/// when it comes back with it.
#[must_use]
pub fn subject_seen(app: &App, client: &Client, user: &UserId) -> Option<PairwiseSubject> {
    match perspective(client) {
        Perspective::Public => None,
        Perspective::Pairwise(_) => {
            Some(PairwiseSubject { subject: app.subject_for(client, user), user: user.clone() })
        }
    }
}

fn form(registry: &Registry, token: &Token) -> (TokenFormat, SigningAlg) {
    let fallback = (TokenFormat::Jwt, SigningAlg::Es256);
    if token.audience != Audience::Resources {
        return fallback;
    }
    let servers = token.authority.resources.iter().filter(|resource| **resource != registry.itself);
    let mut forms =
        servers.filter_map(|r| registry.resource_servers.get(r)).map(|s| (s.token_format, s.signing_alg));
    let first = forms.next().unwrap_or(fallback);
    if forms.all(|form| form == first) { first } else { fallback }
}

/// The record of a presented token, if it is one of ours. Whether it is alive is another question.
///
/// # Errors
/// The store's.
pub async fn read(app: &App, presented: &str) -> Result<Option<Arc<Token>>, Failure> {
    if presented.len() > LONGEST_TOKEN {
        return Ok(None);
    }
    Ok(app.store.find_token(&SecretDigest::of(presented)).await?)
}

/// A token as far as its user, being in the groups that they are in now, may let others use it; none where nothing of
/// it is left.
///
/// # Errors
/// The store's.
pub async fn open_to_user(
    app: &App,
    registry: &Registry,
    token: Arc<Token>,
) -> Result<Option<Arc<Token>>, Failure> {
    let Some(user) = token.subject.user() else { return Ok(Some(token)) };
    let open = app.open_to(registry.registered(), user, &token.authority).await?;
    Ok(open.map(|authority| match authority == token.authority {
        true => token,
        false => Arc::new(Token { authority, ..token.as_ref().clone() }),
    }))
}

/// Everything that must be alive for a token to be.
#[must_use]
pub fn anchors(token: &Token) -> Vec<Anchor> {
    let mut anchors = vec![Anchor::Token(token.id.clone()), Anchor::Client(token.client.clone())];
    match &token.subject {
        Subject::User(user) => anchors.push(Anchor::User(user.clone())),
        Subject::Client { id, .. } if *id != token.client => anchors.push(Anchor::Client(id.clone())),
        Subject::Client { .. } => {}
    }
    // An actor that was stopped stops everything it stands in the chain of.
    let actors = token.chain.actors().iter().filter(|actor| actor.sub != token.client);
    anchors.extend(actors.map(|actor| Anchor::Client(actor.sub.clone())));
    anchors.extend(token.issued_to().into_iter().chain(token.acting()).map(Anchor::Instance));
    anchors.extend(token.consent.clone().map(Anchor::Consent));
    anchors.extend(token.task.as_ref().map(|task| Anchor::Task(task.id.clone())));
    anchors.extend(token.family.clone().map(Anchor::Family));
    anchors.extend(token.session.clone().map(Anchor::Session));
    anchors
}

/// The record of a presented access or refresh token that is alive.
///
/// # Errors
/// The store's.
pub async fn read_alive_of_any_kind(
    app: &App,
    presented: &str,
    now: NumericDate,
) -> Result<Option<Arc<Token>>, Failure> {
    let Some(token) = read(app, presented).await?.filter(|token| token.kind.is_introspected()) else {
        return Ok(None);
    };
    let alive = !token.expires_at().is_over(now) && app.store.is_alive(&anchors(&token), now).await?.is_ok();
    Ok(alive.then_some(token))
}

/// The record of a presented access token that is alive.
///
/// # Errors
/// The store's.
pub async fn read_alive(app: &App, presented: &str, now: NumericDate) -> Result<Option<Arc<Token>>, Failure> {
    let token = read_alive_of_any_kind(app, presented, now).await?;
    Ok(token.filter(|token| token.kind == TokenKind::Access))
}

/// Ends a presented token of the caller's (RFC 7009 §2.1): an access token with all that was derived from it, a
/// refresh token with its family.
///
/// # Errors
/// `invalid_grant` for a token of another client, or of another instance of this one, which stays as it is; a replayed proof or assertion.
pub async fn revoke(app: &App, visit: &Visit, caller: &Caller, presented: &str) -> Result<(), Failure> {
    let mut event = AuditEvent::new(Action::TokenRevoke, Outcome::Granted, visit.now);
    event.request = Some(visit.id.clone());
    event.client = Some(caller.client.id.clone());
    let found = read(app, presented).await?;
    if let Some(token) = &found {
        event.user = token.subject.user().cloned();
        event.chain = token.chain.clone();
        event.consent.clone_from(&token.consent);
        event.token = Some(token.id.clone());
        // What one instance got is no other one's to end, as it is none to use.
        let is_instances = token.instance.is_none() || token.instance == caller.instance;
        if token.client != caller.client.id || !is_instances {
            let whose = if is_instances { "client" } else { "instance of this client" };
            let description = format!("the token was not issued to this {whose}");
            let refusal = Refusal::new(ErrorCode::InvalidGrant, description);
            let change = caller.mark(Change::new(event.refused(&refusal)));
            return match app.store.commit(change).await {
                Err(CommitError::Broken(error)) => Err(error.into()),
                Ok(_) | Err(CommitError::Conflict(_)) => Err(refusal.into()),
            };
        }
    }
    // For a token that is nowhere there is nothing to tell, but what the caller showed is used up all the same.
    let change = match found.as_deref() {
        None => Change::housekeeping(visit.now),
        Some(token) => Change::new(event).end(match (&token.kind, &token.family) {
            (TokenKind::Refresh, Some(family)) => Ending::Family(family.clone()),
            _ => Ending::Token(token.id.clone()),
        }),
    };
    match app.store.commit(caller.mark(change)).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(conflict)) => match caller.replayed(&conflict) {
            Some(refusal) => Err(refusal.into()),
            None => Err(Broken::Inconsistent("an ending that could not be written").into()),
        },
    }
}
