//! `/token`.

mod authorization_code;
mod client_credentials;
mod exchange;
mod exchange_refused;
mod jwt_bearer;
mod refresh;
