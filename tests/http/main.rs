//! The house from outside: every path over real HTTP, the stateful ones on both databases.

mod about_user;
mod abuse;
mod account;
mod authorize;
mod bad_input;
mod client_authentication;
mod consent;
mod context;
mod dpop;
mod fapi;
mod grants;
mod introspect;
mod par;
mod request_object;
mod response_mode;
mod revoke;
mod rp;
mod set_password;
mod sign_in;
mod stories;
mod token;
mod userinfo;
mod well_known;
