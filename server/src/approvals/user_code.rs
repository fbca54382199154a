//! The code without which a user is not asked from afar (`user_code`, Client-Initiated Backchannel Authentication
//! §7.1): whoever knows only a name cannot bother them.

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::backchannel::LONGEST_USER_CODE;
use protocol::client::Client;
use protocol::identifier::UserId;
use protocol::presented_secret::PresentedSecret;
use protocol::refusal::{ErrorCode, Refusal};

use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::sign_in;
use crate::store::{Change, CommitError, Record};

/// The shortest code, in characters.
pub const SHORTEST_USER_CODE: usize = 4;

/// Whether `user` may be asked: they set no code, or it came with the request. Wrong ones are counted, for each client and
/// for the user, whoever sends them. A client that cannot send any learns no more of a user with a code than of nobody.
///
/// # Errors
/// `missing_user_code`, `invalid_user_code` (Client-Initiated Backchannel Authentication §13).
pub(super) async fn check(
    app: &App,
    client: &Client,
    user: &UserId,
    sent: Option<&PresentedSecret>,
) -> Result<bool, Failure> {
    let Some(hash) = app.store.user_code_hash(user).await? else { return Ok(true) };
    if !client.metadata.backchannel_user_code_parameter && !app.settings.ciba.tell_unknown_users {
        return Ok(false);
    }
    let missing = || Refusal::new(ErrorCode::MissingUserCode, "this user is asked only with their user_code");
    let sent = sent.ok_or_else(missing)?;
    let wrong = || Refusal::new(ErrorCode::InvalidUserCode, "user_code is not this user's");
    let attempts = format!("backchannel {} {user}", client.id);
    if !app.user_code_failures.count(&attempts) || !app.wrong_codes_of_user.count(user.as_str()) {
        return Err(Refusal::new(ErrorCode::InvalidUserCode, "too many wrong codes; come again later").into());
    }
    if !sign_in::matches(app, sent.clone(), hash).await? {
        return Err(wrong().into());
    }
    app.user_code_failures.forgive(&attempts);
    app.wrong_codes_of_user.forgive(user.as_str());
    Ok(true)
}

/// Sets the code of `user`, or takes it away.
///
/// # Errors
/// `invalid_request` for a code that is too short or too long.
pub async fn set_user_code(
    app: &App,
    visit: &Visit,
    user: &UserId,
    code: Option<PresentedSecret>,
) -> Result<(), Failure> {
    let mut told = AuditEvent::new(Action::UserSetUserCode, Outcome::Granted, visit.now);
    told.request = Some(visit.id.clone());
    told.user = Some(user.clone());
    let hash = match code {
        None => {
            told.reason = Some("it was taken away".into());
            None
        }
        Some(code) => {
            let text = code.reveal();
            if text.chars().count() < SHORTEST_USER_CODE || text.len() > LONGEST_USER_CODE {
                return Err(Refusal::new(ErrorCode::InvalidRequest, "a code of 4 to 128 characters").into());
            }
            Some(sign_in::hash(app, code).await?)
        }
    };
    match app.store.commit(Change::new(told).keep(Record::UserCode { user: user.clone(), hash })).await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        Err(CommitError::Conflict(_)) => Err(Broken::Inconsistent("a code that could not be kept").into()),
    }
}
