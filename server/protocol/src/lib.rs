//! The law of Procura: the words of OAuth and the rules of delegation.
//!
//! Everything here is a function of values. There is no I/O, no clock, no chance and no `async`; time arrives as
//! a [`numeric_date::NumericDate`] argument, keys and signatures are checked elsewhere. That makes each rule
//! something a test can state as a law.

pub mod acr;
pub mod actor;
pub mod audience;
pub mod audit;
pub mod authority;
pub mod authorization;
pub mod authorization_details;
pub mod authorization_request;
pub mod authorization_response;
pub mod backchannel;
pub mod certificate;
pub mod claims_request;
pub mod client;
pub mod client_assertion;
pub mod code;
pub mod confirmation;
pub mod consent;
pub mod credentials;
pub mod deferred;
pub mod delegation;
pub mod device;
pub mod dpop;
pub mod fields;
pub mod id_token;
pub mod identifier;
pub mod introspection;
pub mod jwt_bearer;
pub mod key_rotation;
pub mod local_path;
pub mod logout;
pub mod metadata;
pub mod numeric_date;
pub mod params;
pub mod password;
pub mod pkce;
pub mod presented;
pub mod presented_secret;
pub mod profile;
pub mod prompt;
pub mod public_jwk;
pub mod recovery_code;
pub mod redirect_uri;
pub mod refusal;
pub mod request_object;
pub mod resource_server;
pub mod response_mode;
pub mod rule;
pub mod scope;
pub mod signed_introspection;
pub mod standard_claims;
pub mod step_up;
pub mod subject;
pub mod task;
pub mod third_party_login;
pub mod token;
pub mod token_request;
pub mod token_type;
pub mod unverified_claims;
pub mod user;
pub mod user_code;
pub mod userinfo;
