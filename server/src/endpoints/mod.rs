//! Doors for programs. Each one gathers what was sent, calls a trade, and replies.

pub mod admin_api;
pub mod backchannel_authentication;
pub mod certification;
pub mod challenge;
pub mod device_authorization;
pub mod global_token_revocation;
pub mod grants;
pub mod health;
pub mod introspect;
pub mod jwks;
pub mod metadata;
pub mod par;
pub mod protected;
pub mod register;
pub mod reply;
pub mod revoke;
pub mod sent;
pub mod status_lists;
pub mod tasks;
pub mod token;
pub mod upstream_logout;
pub mod userinfo;
