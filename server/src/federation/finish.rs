//! The way back: the code for tokens, and every check of OpenID Connect Core §3.1.3.7 on what they say.

use chrono::{DateTime, Utc};
use openidconnect::core::{CoreGenderClaim, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClaimsVerificationError, Nonce, OAuth2TokenResponse as _,
    PkceCodeVerifier, RequestTokenError, SignatureVerificationError, SubjectIdentifier, TokenResponse as _,
    UserInfoClaims,
};
use protocol::federation::Identity;
use protocol::federation::demand::LEEWAY;
use protocol::federation::profile::Profile;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::params::Params;
use serde_json::{Map, Value};

use super::relying_party::{Further, RelyingParty, assertion, relying_party};
use super::{Attempt, PATIENCE, Proven, Trouble};
use crate::app::{App, Visit};
use crate::outbound::OutboundError;
use crate::store::{Change, CommitError, ReplayKey};
use crate::upstreams::{Connection, Provider, Through};

/// The algorithms that ID tokens may be signed with: those that this server itself knows, and none with a secret.
const ALGS: [CoreJwsSigningAlgorithm; 4] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// How long ago an ID token may have been issued: it comes straight from the upstream.
const OLDEST: Seconds = Seconds::minutes(10);
/// The longest `sub` (OpenID Connect Core §2) and `sid`, in bytes.
const LONGEST: usize = 255;

/// Whom the upstream signed in, by what it sent the browser back with.
///
/// # Errors
/// [`Trouble`].
pub async fn finish(
    app: &App,
    visit: &Visit,
    connection: &Connection,
    attempt: &Attempt,
    params: &Params,
) -> Result<Proven, Trouble> {
    let one = |name| params.once(name).map_err(|_| Trouble::NotAsked);
    use_up(app, visit, attempt).await?;
    let provider = connection.known(&app.outbound, visit.now).await?;
    // Another server's answer at this one's address (RFC 9207 §2.4) is told before anything of it is used.
    match one("iss")? {
        Some(issuer) if issuer != connection.upstream().issuer => return Err(Trouble::NotAsked),
        None if provider.names_itself() => return Err(Trouble::NotAsked),
        _ => {}
    }
    match one("error")? {
        // RFC 6749 §4.1.2.1: it would have answered otherwise, if it could.
        Some("temporarily_unavailable" | "server_error") => return Err(Trouble::Unreachable),
        Some(_) => return Err(Trouble::SaidNo),
        None => {}
    }
    let code = one("code")?.ok_or(Trouble::NotAsked)?;
    let answer = Exchange { app, visit, connection, attempt }.run(&provider, code).await?;
    prove(connection, attempt, answer, visit.now)
}

/// An answer counts once, however it ends, and on whichever node.
async fn use_up(app: &App, visit: &Visit, attempt: &Attempt) -> Result<(), Trouble> {
    let key = ReplayKey::new("federation state", &[attempt.upstream.as_str(), &attempt.state]);
    let change = Change::housekeeping(visit.now).first_time(key, attempt.asked_at.plus(PATIENCE));
    if attempt.is_over(visit.now) {
        return Err(Trouble::NotAsked);
    }
    match app.store.commit(change).await {
        Ok(_) => Ok(()),
        Err(CommitError::Conflict(_)) => Err(Trouble::NotAsked),
        Err(CommitError::Broken(error)) => Err(error.into()),
    }
}

struct Exchange<'a> {
    app: &'a App,
    visit: &'a Visit,
    connection: &'a Connection,
    attempt: &'a Attempt,
}

/// Claims that the upstream vouches for: those of the ID token, and beside them those of userinfo.
struct Vouched {
    id_token: Map<String, Value>,
    userinfo: Map<String, Value>,
}

impl Exchange<'_> {
    async fn run(&self, provider: &Provider, code: &str) -> Result<Vouched, Trouble> {
        let Self { app, visit, connection, attempt } = self;
        let client = relying_party(app, connection, provider)?;
        let http = Through(&app.outbound);
        let assertion = assertion(app, connection, provider, visit.now)?;
        let mut request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|_| self.not_proven("the upstream has no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()));
        if let Some(assertion) = &assertion {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            request = request
                .add_extra_param("client_assertion_type", kind)
                .add_extra_param("client_assertion", assertion.reveal());
        }
        let tokens = request.request_async(&http).await.map_err(|error| self.token_refused(&error))?;
        let id_token = tokens.id_token().ok_or_else(|| self.not_proven("there is no ID token"))?;

        let access_token = tokens.access_token();
        let verified = match self.verify(&client, id_token, access_token) {
            // A key that is not known yet: the upstream may have new ones (OpenID Connect Core §10.1.1).
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) => {
                let provider = connection.with_new_keys(&app.outbound, visit.now).await?;
                let client = relying_party(app, connection, &provider)?;
                self.verify(&client, id_token, access_token)
            }
            verified => verified,
        };
        let (claims, subject) = verified.map_err(|error| self.not_proven(&error.to_string()))?;

        let mut userinfo = Map::new();
        if connection.declared.userinfo
            && let Ok(request) = client.user_info(access_token.clone(), Some(subject))
        {
            let told: Result<UserInfoClaims<Further, CoreGenderClaim>, _> =
                request.request_async(&http).await;
            let told = told.map_err(|error| match error {
                openidconnect::UserInfoError::Request(_) => Trouble::Unreachable,
                other => self.not_proven(&other.to_string()),
            })?;
            userinfo = object(serde_json::to_value(&told));
        }
        Ok(Vouched { id_token: claims, userinfo })
    }

    /// The claims of the ID token and whom it is about.
    fn verify(
        &self,
        client: &RelyingParty,
        id_token: &openidconnect::IdToken<
            Further,
            CoreGenderClaim,
            openidconnect::core::CoreJweContentEncryptionAlgorithm,
            CoreJwsSigningAlgorithm,
        >,
        access_token: &openidconnect::AccessToken,
    ) -> Result<(Map<String, Value>, SubjectIdentifier), ClaimsVerificationError> {
        let now = self.visit.now;
        let client_id = &self.connection.upstream().client_id;
        let other = |words: &str| ClaimsVerificationError::Other(words.to_owned());
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ALGS)
            .set_time_fn(move || moment(now.plus(Seconds(-LEEWAY.0))))
            .set_issue_time_verifier_fn(move |issued| is_recent(issued, now));
        let nonce = Nonce::new(self.attempt.nonce.clone());
        let claims = id_token.claims(&verifier, &nonce)?;
        if claims.authorized_party().is_some_and(|azp| azp.as_str() != client_id) {
            return Err(other("azp is another client"));
        }
        if let Some(told) = claims.access_token_hash() {
            let alg = id_token.signing_alg().map_err(ClaimsVerificationError::SignatureVerification)?;
            let key =
                id_token.signing_key(&verifier).map_err(ClaimsVerificationError::SignatureVerification)?;
            let hash = AccessTokenHash::from_token(access_token, alg, key);
            if hash.map_err(|_| other("at_hash cannot be checked"))? != *told {
                return Err(other("at_hash is another token's"));
            }
        }
        Ok((object(serde_json::to_value(claims)), claims.subject().clone()))
    }

    fn not_proven(&self, reason: &str) -> Trouble {
        let upstream = &self.connection.upstream().id;
        tracing::warn!(%upstream, %reason, "what an upstream answered does not hold");
        Trouble::NotProven
    }

    fn token_refused<T: openidconnect::ErrorResponse>(
        &self,
        error: &RequestTokenError<OutboundError, T>,
    ) -> Trouble {
        match error {
            RequestTokenError::Request(error) => {
                let upstream = &self.connection.upstream().id;
                tracing::warn!(%upstream, reason = %error, "an upstream's token endpoint does not answer");
                Trouble::Unreachable
            }
            // What it says may hold what was sent, so it is not logged.
            RequestTokenError::ServerResponse(_) => self.not_proven("the token endpoint refused"),
            RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
                self.not_proven("the token endpoint's answer cannot be read")
            }
        }
    }
}

fn prove(
    connection: &Connection,
    attempt: &Attempt,
    answer: Vouched,
    now: NumericDate,
) -> Result<Proven, Trouble> {
    let upstream = connection.upstream();
    let login = attempt.demand.login(&answer.id_token, upstream, attempt.asked_at, now);
    let login = login.map_err(Trouble::Login)?;
    let text = |name: &str| answer.id_token.get(name).and_then(Value::as_str).map(str::to_owned);
    let fits = |text: &String| !text.is_empty() && text.len() <= LONGEST;
    let subject = text("sub").filter(fits).ok_or(Trouble::NotProven)?;
    let sid = text("sid").filter(fits);
    // What the ID token says itself counts before what userinfo says.
    let mut claims = answer.userinfo;
    claims.extend(answer.id_token);
    let profile = Profile::read(&claims, upstream);
    Ok(Proven { identity: Identity { issuer: upstream.issuer.clone(), subject }, profile, login, sid })
}

fn is_recent(issued: DateTime<Utc>, now: NumericDate) -> Result<(), String> {
    let age = now.since(NumericDate(issued.timestamp()));
    let recent = (-LEEWAY.0..=OLDEST.0).contains(&age.0);
    if recent { Ok(()) } else { Err("iat is not of now".to_owned()) }
}

fn moment(at: NumericDate) -> DateTime<Utc> {
    DateTime::from_timestamp(at.0, 0).unwrap_or_default()
}

fn object(value: serde_json::Result<Value>) -> Map<String, Value> {
    match value {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}
