//! `/token`.

mod authorization_code;
mod client_credentials;
mod exchange;
mod exchange_refused;
mod foreign_tokens;
mod identity_assertions;
mod jwt_bearer;
mod other_domain;
mod own_tokens;
mod refresh;
mod step_up;
mod transaction_tokens;
