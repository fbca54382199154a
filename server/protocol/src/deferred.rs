//! Authorization requests whose user is elsewhere than the client: at another device, with a code to enter
//! (RFC 8628), or wherever they look at what waits for them (Client-Initiated Backchannel Authentication). The client
//! holds a reference, `device_code` or `auth_req_id`, and asks with it until there is an answer.

use serde::{Deserialize, Serialize};

use crate::acr::{self, Standing};
use crate::audience::Resources;
use crate::authorization_details::AuthorizationDetails;
use crate::client::{Client, DeliveryMode, GrantType};
use crate::fields::{self, FieldRefused};
use crate::grant_management::{GrantAction, GrantManagementRefused};
use crate::identifier::{ClientId, InstanceId, Jkt, X5tS256};
use crate::numeric_date::{NumericDate, Seconds};
use crate::params::{Params, RepeatedParameter};
use crate::prompt::AskedAcr;
use crate::refusal::{ErrorCode, Refuse};
use crate::scope::Scope;
use crate::token::Login;

/// By how much a client that asks too often must slow down, for good (RFC 8628 §3.5).
pub const SLOWER_BY: Seconds = Seconds(5);
/// The longest `acr_values`, in bytes.
const LONGEST_ACR_VALUES: usize = 512;

/// What is asked for, in the parameters that both requests share.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// `scope` (RFC 8628 §3.1).
    pub scope: Option<Scope>,
    /// Every `resource` (RFC 8707 §2).
    pub resources: Resources,
    /// `authorization_details` (RFC 9396 §3).
    pub authorization_details: Option<AuthorizationDetails>,
    /// `requested_actor`: the agent that the user is asked to authorize in the client's stead.
    pub requested_actor: Option<ClientId>,
    /// `acr_values` (OpenID Connect Core §3.1.2.1), the preferred first.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// `grant_management_action` and `grant_id`: what becomes of the user's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_management: Option<GrantAction>,
}

/// Why it cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AskedRefused {
    /// A shared parameter.
    #[error(transparent)]
    Field(#[from] FieldRefused),
    /// `grant_management_action` or `grant_id`.
    #[error(transparent)]
    GrantManagement(#[from] GrantManagementRefused),
    /// Too long, or not what such a parameter holds.
    #[error("{0} is malformed or too long")]
    Malformed(&'static str),
}

impl Refuse for AskedRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::GrantManagement(reason) => reason.code(),
            Self::Field(reason) => reason.code(),
            Self::Malformed(_) => ErrorCode::InvalidRequest,
        }
    }
}

impl From<RepeatedParameter> for AskedRefused {
    fn from(repeated: RepeatedParameter) -> Self {
        Self::Field(repeated.into())
    }
}

impl Asked {
    /// Reads the parameters.
    ///
    /// # Errors
    /// [`AskedRefused`] with the first that is wrong.
    pub fn parse(params: &Params) -> Result<Self, AskedRefused> {
        let actor = params.once("requested_actor")?.map(str::parse).transpose();
        let acr_values = params.once("acr_values")?.unwrap_or_default();
        if acr_values.len() > LONGEST_ACR_VALUES {
            return Err(AskedRefused::Malformed("acr_values"));
        }
        Ok(Self {
            scope: fields::scope(params)?,
            resources: fields::resources(params)?,
            authorization_details: fields::details(params)?,
            requested_actor: actor.map_err(|_| AskedRefused::Malformed("requested_actor"))?,
            acr_values: acr_values.split(' ').filter(|value| !value.is_empty()).map(str::to_owned).collect(),
            grant_management: GrantAction::parse(params)?,
        })
    }

    /// The authentication context that is asked of the user: `acr_values`, necessary where the access token is for
    /// `resource_servers` (RFC 9470 §5), or the wish that the client registered.
    #[must_use]
    pub fn acr_for(&self, client: &Client, resource_servers: bool) -> AskedAcr {
        match self.acr_values.is_empty() {
            false => AskedAcr { values: self.acr_values.clone(), necessary: resource_servers },
            true => AskedAcr { values: client.metadata.default_acr_values.clone(), necessary: false },
        }
    }
}

/// Whether whoever is signed in may say yes to a request that asks for an authentication context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readiness {
    /// They may.
    Ready,
    /// They may be able to sign in as it asks.
    SignInAgain,
    /// They cannot.
    TooWeak,
}

impl Readiness {
    /// Holds a login against the `asked` contexts. As at the authorization endpoint, what cannot be reached is passed
    /// over unless it is `necessary`, and whoever `tried` to reach it is not asked a second time.
    #[must_use]
    pub fn of(asked: &AskedAcr, login: &Login, tried: bool) -> Self {
        match acr::standing(&asked.values, Some(login)) {
            Standing::Met => Self::Ready,
            Standing::Raise(_) if !tried => Self::SignInAgain,
            Standing::Raise(_) | Standing::Unknown if asked.necessary => Self::TooWeak,
            Standing::Raise(_) | Standing::Unknown => Self::Ready,
        }
    }
}

/// A request that waits for its user, as it is kept.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Deferred {
    /// Who asked, and may ask for the answer.
    pub client: ClientId,
    /// Which instance of it, where they are told apart: no other may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// What was asked.
    pub asked: Asked,
    /// How the user comes to it.
    pub way: Way,
    /// The key that was proven with the request: no other gets the answer (RFC 9449 §5).
    pub dpop_jkt: Option<Jkt>,
    /// The certificate that was held with the request (RFC 8705 §3), for tokens that are pushed.
    #[serde(default)]
    pub certificate: Option<X5tS256>,
    /// When it was asked.
    pub asked_at: NumericDate,
}

/// How the user comes to the request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// They enter a code that another device shows (RFC 8628 §3.3).
    Device {
        /// The network address that the device asked from, to be compared by the user (RFC 8628 §5.4).
        from: Option<String>,
    },
    /// It waits for them (CIBA §7).
    Backchannel {
        /// What the client shows too, so that the user knows one from the other (CIBA §7.1).
        binding_message: Option<String>,
        /// How the client learns of the answer.
        delivery: DeliveryMode,
    },
}

impl Way {
    /// The grant type that asks for the answer.
    #[must_use]
    pub const fn grant_type(&self) -> GrantType {
        match self {
            Self::Device { .. } => GrantType::DeviceCode,
            Self::Backchannel { .. } => GrantType::Ciba,
        }
    }
}

/// How a request that has no answer yet is asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Polling {
    /// How long the client must wait between two times.
    pub interval: Seconds,
    /// When it asked last.
    pub polled_at: Option<NumericDate>,
    /// When the request is over.
    pub expires_at: NumericDate,
}

/// Why there is nothing for the client that asks (RFC 8628 §3.5, CIBA §11).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The user has not answered yet.
    #[error("the user has not answered yet")]
    Pending,
    /// Nor has it waited as long as it must.
    #[error("you ask too often; wait five seconds longer from now on")]
    SlowDown,
    /// It is over.
    #[error("the request is over; make a new one")]
    Expired,
    /// The user said no.
    #[error("the user said no")]
    Denied,
}

impl Refuse for NoAnswer {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Pending => ErrorCode::AuthorizationPending,
            Self::SlowDown => ErrorCode::SlowDown,
            Self::Expired => ErrorCode::ExpiredToken,
            Self::Denied => ErrorCode::AccessDenied,
        }
    }
}

impl Polling {
    /// What a client is told that asks at `now`, before there is an answer. Whoever is told to slow down must wait
    /// [`SLOWER_BY`] longer, now and every time after.
    #[must_use]
    pub fn poll(&self, now: NumericDate) -> NoAnswer {
        let too_soon = self.polled_at.is_some_and(|before| !before.plus(self.interval).is_over(now));
        match (self.expires_at.is_over(now), too_soon) {
            (true, _) => NoAnswer::Expired,
            (false, true) => NoAnswer::SlowDown,
            (false, false) => NoAnswer::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(form: &str) -> Result<Asked, AskedRefused> {
        Asked::parse(&Params::parse(form.as_bytes()).unwrap())
    }

    #[test]
    fn what_is_asked_is_read_with_empty_and_unknown_parameters_passed_over() {
        let read =
            asked("scope=a+b&resource=urn:x&requested_actor=agent&acr_values=2+1&zz=1&nonce=").unwrap();
        assert_eq!(read.scope, "a b".parse().ok());
        assert_eq!(read.requested_actor.unwrap().as_str(), "agent");
        assert_eq!(read.acr_values, ["2", "1"]);
        let nothing = asked("scope=").unwrap();
        assert!(nothing.scope.is_none() && nothing.resources.is_empty() && nothing.acr_values.is_empty());
    }

    #[test]
    fn what_is_malformed_or_sent_twice_is_refused() {
        for form in ["requested_actor=a%20b", "scope=a&scope=b", "acr_values=1&acr_values=2"] {
            assert_eq!(asked(form).unwrap_err().code(), ErrorCode::InvalidRequest, "{form}");
        }
        let long = format!("acr_values={}", "x".repeat(LONGEST_ACR_VALUES + 1));
        assert_eq!(asked(&long), Err(AskedRefused::Malformed("acr_values")));
    }

    #[test]
    fn who_may_say_yes_signed_in_as_it_is_asked_or_could_not_and_need_not() {
        use crate::acr::{Acr, Method, login};
        let password = login(&[Method::Password], NumericDate(1));
        let both = login(&[Method::Password, Method::OneTimeCode], NumericDate(1));
        let multi = Acr::MultiFactor.as_str();
        for (values, necessary, login, tried, expected) in [
            ("", true, &password, false, Readiness::Ready),
            (multi, true, &both, false, Readiness::Ready),
            (multi, true, &password, false, Readiness::SignInAgain),
            (multi, false, &password, false, Readiness::SignInAgain),
            (multi, true, &password, true, Readiness::TooWeak),
            (multi, false, &password, true, Readiness::Ready),
            ("unknown", true, &both, false, Readiness::TooWeak),
            ("unknown", false, &both, false, Readiness::Ready),
        ] {
            let values = values.split(' ').filter(|value| !value.is_empty()).map(str::to_owned).collect();
            let asked = AskedAcr { values, necessary };
            assert_eq!(Readiness::of(&asked, login, tried), expected, "{asked:?} {tried}");
        }
    }

    const START: NumericDate = NumericDate(1000);

    fn polling(interval: i64, polled_at: Option<i64>) -> Polling {
        let polled_at = polled_at.map(|ago| START.plus(Seconds(ago)));
        Polling { interval: Seconds(interval), polled_at, expires_at: START.plus(Seconds(600)) }
    }

    #[test]
    fn the_first_time_is_never_too_soon_and_the_next_is_until_the_interval_has_passed() {
        assert_eq!(polling(5, None).poll(START), NoAnswer::Pending);
        for (after, told) in [(0, NoAnswer::SlowDown), (4, NoAnswer::SlowDown), (5, NoAnswer::Pending)] {
            assert_eq!(polling(5, Some(0)).poll(START.plus(Seconds(after))), told, "{after}");
        }
    }

    #[test]
    fn what_is_over_is_over_however_often_it_is_asked() {
        for polled_at in [None, Some(599)] {
            assert_eq!(polling(5, polled_at).poll(START.plus(Seconds(600))), NoAnswer::Expired);
        }
    }

    proptest! {
        #[test]
        fn whoever_waits_as_long_as_told_is_never_told_to_slow_down(waits in proptest::collection::vec(0_i64..20, 1..20)) {
            let mut known = Polling { interval: Seconds(5), polled_at: None, expires_at: NumericDate(i64::MAX) };
            let mut now = START;
            for wait in waits {
                let obeys = known.polled_at.is_none() || wait >= known.interval.0;
                now = now.plus(Seconds(wait));
                let told = known.poll(now);
                prop_assert_eq!(told == NoAnswer::SlowDown, !obeys);
                if told == NoAnswer::SlowDown {
                    known.interval = Seconds(known.interval.0 + SLOWER_BY.0);
                }
                known.polled_at = Some(now);
            }
        }
    }
}
