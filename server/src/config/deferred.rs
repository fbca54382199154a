//! `[device]`, `[ciba]` and `[approvals]`: requests that wait for somebody who is elsewhere than the client.

use std::num::NonZeroU32;

use protocol::numeric_date::Seconds;
use serde::Deserialize;

use super::written::duration;

/// The device flow (RFC 8628).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceSettings {
    /// The life of a `device_code` and its `user_code`.
    #[serde(deserialize_with = "duration")]
    pub code_life: Seconds,
    /// How long a device must wait between two times it asks for its answer.
    #[serde(deserialize_with = "duration")]
    pub interval: Seconds,
    /// How many codes may be tried per minute, by one user and from one address.
    pub user_code_attempts_per_minute: NonZeroU32,
}

/// Client-Initiated Backchannel Authentication.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CibaSettings {
    /// The life of a request that does not ask for another one.
    #[serde(deserialize_with = "duration")]
    pub request_life: Seconds,
    /// The longest life that a request may ask for (`requested_expiry`).
    #[serde(deserialize_with = "duration")]
    pub longest_request_life: Seconds,
    /// How long a client must wait between two times it asks for its answer.
    #[serde(deserialize_with = "duration")]
    pub interval: Seconds,
    /// How many requests may wait for one user: nobody is to be worn down until they say yes.
    pub most_waiting_per_user: NonZeroU32,
    /// Whether a client is told that its hint names nobody (`unknown_user_id`). Otherwise the request waits until it is
    /// over, as if nobody had answered.
    pub tell_unknown_users: bool,
    /// Whether users are told by mail of what waits for them, where mail is configured.
    pub mail: bool,
}

/// Token requests that a person has to approve (Deferred Token Response).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApprovalSettings {
    /// How long a request waits for its answer.
    #[serde(deserialize_with = "duration")]
    pub request_life: Seconds,
    /// How long a yes is good: to fetch the token, and for the token itself.
    #[serde(deserialize_with = "duration")]
    pub approval_life: Seconds,
    /// How long a client must wait between two times it asks for the answer.
    #[serde(deserialize_with = "duration")]
    pub interval: Seconds,
    /// How many requests may wait for one person.
    pub most_waiting_per_user: NonZeroU32,
    /// How many requests of one client may wait.
    pub most_waiting_per_client: NonZeroU32,
    /// Whether people are told by mail of what waits for them, where mail is configured.
    pub mail: bool,
}

impl Default for ApprovalSettings {
    fn default() -> Self {
        Self {
            request_life: Seconds::minutes(60),
            approval_life: Seconds::minutes(10),
            interval: Seconds(5),
            most_waiting_per_user: NonZeroU32::MIN.saturating_add(19),
            most_waiting_per_client: NonZeroU32::MIN.saturating_add(99),
            mail: true,
        }
    }
}

impl Default for DeviceSettings {
    fn default() -> Self {
        Self {
            code_life: Seconds::minutes(10),
            interval: Seconds(5),
            user_code_attempts_per_minute: NonZeroU32::MIN.saturating_add(9),
        }
    }
}

impl Default for CibaSettings {
    fn default() -> Self {
        Self {
            request_life: Seconds::minutes(5),
            longest_request_life: Seconds::minutes(30),
            interval: Seconds(5),
            most_waiting_per_user: NonZeroU32::MIN.saturating_add(9),
            tell_unknown_users: false,
            mail: true,
        }
    }
}
