//! The house from outside: every path over real HTTP, the stateful ones on both databases.

mod abuse;
mod account;
mod authorize;
mod bad_input;
mod client_authentication;
mod client_keys;
mod consent;
mod dpop;
mod federation;
mod grants;
mod introspect;
mod par;
mod revoke;
mod set_password;
mod sign_in;
mod stories;
mod tls;
mod token;
mod userinfo;
mod well_known;
