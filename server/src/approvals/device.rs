//! The device flow (RFC 8628): a device asks, and its user enters the code that it shows.

use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::client::GrantType;
use protocol::deferred::{Asked, Deferred, Polling, Way};
use protocol::identifier::UserId;
use protocol::numeric_date::Seconds;
use protocol::params::Params;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::user_code::UserCode;

use super::{event_of, keep, refuse, tell_of, wanted};
use crate::app::{App, Visit};
use crate::authorization;
use crate::caller::Caller;
use crate::failure::{Broken, Failure};
use crate::secret::{Secret, SecretDigest, random_id};
use crate::store::{Change, DeferredRequest, Record};

/// How often a code is drawn before somebody looks into why they are all taken.
const MOST_DRAWS: usize = 5;

/// What the device is told (RFC 8628 §3.2).
pub struct DeviceAsked {
    /// `device_code`.
    pub device_code: Secret,
    /// `user_code`.
    pub user_code: UserCode,
    /// `expires_in`.
    pub expires_in: Seconds,
    /// `interval`.
    pub interval: Seconds,
}

/// Why no request was found by a code.
#[derive(Debug)]
pub enum NotEntered {
    /// There is none, or none that waits.
    Wrong,
    /// Too many codes that were none, of this user or from this address.
    TooMany,
    /// Something of ours.
    Broken(Broken),
}

impl From<Failure> for NotEntered {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(broken) => Self::Broken(broken),
            Failure::Refused(_) => Self::Wrong,
        }
    }
}

/// Takes in the request of a device.
///
/// # Errors
/// What cannot be asked for, told to the audit log.
pub async fn ask_device(
    app: &App,
    visit: &Visit,
    caller: &Caller,
    params: &Params,
) -> Result<DeviceAsked, Failure> {
    let mut told = event_of(Action::AuthorizationDevice, visit, caller);
    let asked = match check(app, visit, caller, params, &mut told).await {
        Ok(asked) => asked,
        Err(Failure::Refused(refusal)) if may_tell(app, visit, caller, &told) => {
            return Err(refuse(app, caller, &told, refusal).await);
        }
        Err(failure) => return Err(failure),
    };
    let device_code = Secret::generate(app.entropy.as_ref(), "pdc_");
    let user_code = draw(app).await?;
    let settings = &app.settings.device;
    let record = DeferredRequest {
        digest: device_code.digest(),
        id: random_id(app.entropy.as_ref(), "req_"),
        user: None,
        user_code: Some(SecretDigest::of(user_code.letters())),
        polling: Polling {
            interval: settings.interval,
            polled_at: None,
            expires_at: visit.now.plus(settings.code_life),
        },
        answered: false,
        delivery: None,
        request: Deferred {
            client: caller.client.id.clone(),
            instance: caller.instance.clone(),
            asked,
            way: Way::Device { from: visit.from.map(|ip| ip.to_string()) },
            dpop_jkt: caller.key.clone(),
            certificate: caller.certificate.clone(),
            asked_at: visit.now,
        },
    };
    let change =
        if may_tell(app, visit, caller, &told) { Change::new(told) } else { Change::housekeeping(visit.now) };
    keep(app, caller, change, Record::Deferred(record)).await?;
    Ok(DeviceAsked { device_code, user_code, expires_in: settings.code_life, interval: settings.interval })
}

/// A public client's id is no secret: whoever sends it must not be able to fill the log.
fn may_tell(app: &App, visit: &Visit, caller: &Caller, told: &AuditEvent) -> bool {
    !caller.client.is_public() || app.may_tell_of_stranger(visit, told)
}

async fn check(
    app: &App,
    visit: &Visit,
    caller: &Caller,
    params: &Params,
    told: &mut AuditEvent,
) -> Result<Asked, Failure> {
    if !caller.client.grant_types.contains(&GrantType::DeviceCode) {
        let description = "this client is not registered for the device flow";
        return Err(Refusal::new(ErrorCode::UnauthorizedClient, description).into());
    }
    let asked = Asked::parse(params)?;
    tell_of(told, &asked);
    authorization::offer_of(app, &caller.client, wanted(&asked), visit.now).await?;
    Ok(asked)
}

/// A code that no other request has.
async fn draw(app: &App) -> Result<UserCode, Failure> {
    for _ in 0..MOST_DRAWS {
        let mut bytes = [0; 64];
        app.entropy.fill(&mut bytes);
        let Some(code) = UserCode::of_random(&bytes) else { continue };
        let digest = SecretDigest::of(code.letters());
        if app.store.find_deferred_by_user_code(&digest).await?.is_none() {
            return Ok(code);
        }
    }
    Err(Broken::Other("no user code was free").into())
}

/// The request whose code `user` entered. Codes that are none are counted, by user and by address (RFC 8628 §5.1).
///
/// # Errors
/// [`NotEntered`].
pub async fn enter_user_code(
    app: &App,
    visit: &Visit,
    user: &UserId,
    written: &str,
) -> Result<DeferredRequest, NotEntered> {
    let source = visit.source();
    let attempts = [format!("device user {user}"), format!("device address {source}")];
    // Counted before it is looked up, so that many at once are bounded like many in a row.
    let counted = attempts.each_ref().map(|attempts| app.user_code_failures.count(attempts));
    if counted.contains(&false) {
        return Err(NotEntered::TooMany);
    }
    let found = match UserCode::parse(written) {
        Some(code) => {
            let digest = SecretDigest::of(code.letters());
            app.store.find_deferred_by_user_code(&digest).await.map_err(Failure::from)?
        }
        None => None,
    };
    if let Some(found) = found.filter(|found| found.waits(visit.now)) {
        attempts.iter().for_each(|attempts| app.user_code_failures.forgive(attempts));
        return Ok(found);
    }
    let refusal = Refusal::new(ErrorCode::AccessDenied, "a user code that is none, or not any more");
    let mut told = AuditEvent::new(Action::AuthorizationDevice, Outcome::Refused, visit.now);
    told.request = Some(visit.id.clone());
    told.user = Some(user.clone());
    app.tell_of_stranger(visit, told.refused(&refusal)).await?;
    Err(NotEntered::Wrong)
}
