//! The house from outside: every path over real HTTP, the stateful ones on both databases.

mod abuse;
mod account;
mod authorize;
mod bad_input;
mod certification;
mod client_authentication;
mod client_keys;
mod consent;
mod dpop;
mod grants;
mod introspect;
mod keys;
mod logout;
mod par;
mod registration;
mod revoke;
mod set_password;
mod sign_in;
mod signed_introspection;
mod stories;
mod tls;
mod token;
mod userinfo;
mod well_known;
