//! Whom a backchannel authentication request is asked of (Client-Initiated Backchannel Authentication §7.1).

use std::sync::Arc;

use protocol::backchannel::{Expected, Hint, HintRefused, HintedSubject};
use protocol::client::{Client, SubjectType};
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::user::User;
use serde_json::{Map, Value};

use crate::app::App;
use crate::failure::Failure;
use crate::jose;

/// The user that `hint` names, if there is one who may use their account.
///
/// # Errors
/// A hint that is not what it says it is.
pub(super) async fn find(
    app: &App,
    client: &Client,
    hint: &Hint,
    expected: Expected<'_>,
) -> Result<Option<Arc<User>>, Failure> {
    let found = match hint {
        Hint::LoginHint(written) => by_any_name(app, client, written).await?,
        Hint::IdToken(token) => by_sub(app, client, &sub_of_id_token(app, client, token)?).await?,
        Hint::LoginHintToken(token) => {
            let claims = claims_of(app, client, token, expected.now).await.ok_or(HintRefused::Malformed)?;
            match HintedSubject::check(&claims, expected)? {
                HintedSubject::Sub(sub) => by_sub(app, client, &sub).await?,
                HintedSubject::Username(name) => app.store.find_only_user_named(&name).await?,
            }
        }
    };
    Ok(found.filter(|user| user.enabled))
}

/// The user whom the client knows by this `sub`. A client with pairwise subjects knows nobody by another one.
async fn by_sub(app: &App, client: &Client, sub: &str) -> Result<Option<Arc<User>>, Failure> {
    if client.metadata.subject_type == SubjectType::Pairwise {
        let found = app.store.find_user_by_pairwise_subject(sub).await?;
        return Ok(found.filter(|user| app.subject_for(client, &user.id) == sub));
    }
    match sub.parse() {
        Ok(id) => Ok(app.store.find_user(&id).await?),
        Err(_) => Ok(None),
    }
}

/// The one user whom this names in any way: by username, by `sub`, or by an address that somebody made sure of. What
/// names several names none of them, since people may choose what they are called, also by the name of somebody else.
async fn by_any_name(app: &App, client: &Client, written: &str) -> Result<Option<Arc<User>>, Failure> {
    let mut found = app.store.users_named(written).await?;
    let by_sub = by_sub(app, client, written).await?.filter(|user| user.enabled);
    found.extend(by_sub.filter(|user| found.iter().all(|known| known.id != user.id)));
    Ok(found.pop().filter(|_| found.is_empty()))
}

/// An ID token that this client got once; it may be over.
fn sub_of_id_token(app: &App, client: &Client, token: &str) -> Result<String, Failure> {
    let refused =
        || Refusal::new(ErrorCode::InvalidRequest, "id_token_hint is not an ID token that this client got");
    let claims = app.keys.verify_own(token, "JWT").map_err(|_| refused())?;
    let is_clients = match claims.get("aud") {
        Some(Value::String(aud)) => aud == client.id.as_str(),
        Some(Value::Array(all)) => all.iter().any(|aud| aud.as_str() == Some(client.id.as_str())),
        _ => false,
    };
    let sub = claims.get("sub").and_then(Value::as_str).filter(|_| is_clients);
    Ok(sub.ok_or_else(refused)?.to_owned())
}

/// The claims of a JWT that the client signed.
async fn claims_of(app: &App, client: &Client, token: &str, now: NumericDate) -> Option<Map<String, Value>> {
    let unverified = jose::decode(token).ok()?;
    let alg = unverified.alg().ok()?;
    app.verify_of(client, token, unverified.kid(), alg, now).await.ok()
}
