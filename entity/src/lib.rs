//! The tables as sea-orm entities. No logic lives here: rows become protocol types in the server's store.
//!
//! Times are epoch seconds, documents are JSON text, digests are base64url text.

pub mod actor_receipt;
pub mod audit_event;
pub mod audit_head;
pub mod authorization_code;
pub mod backchannel_delivery;
pub mod backchannel_user_code;
pub mod browser_session;
pub mod client;
pub mod client_registration;
pub mod consent;
pub mod consent_details_type;
pub mod deferral;
pub mod deferred_request;
pub mod details_type;
pub mod details_type_version;
pub mod ended_family;
pub mod federated_identity;
pub mod federated_session;
pub mod initial_access_token;
pub mod interaction;
pub mod key_ring;
pub mod known_browser;
pub mod logout_delivery;
pub mod one_time_link;
pub mod pairwise_subject;
pub mod passkey;
pub mod pushed_request;
pub mod recovery_code;
pub mod replay;
pub mod resource_server;
pub mod session_client;
pub mod setting;
pub mod signing_key;
pub mod status_list;
pub mod task;
pub mod token;
pub mod totp;
pub mod user_account;
pub mod webhook_delivery;
