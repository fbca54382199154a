//! `[[users]]`.

use std::collections::BTreeMap;

use argon2::password_hash::phc::PasswordHash;
use protocol::standard_claims;
use protocol::user::MANAGER;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::declared::DeclaredUser;
use super::hidden::Hidden;
use super::problem::Entry;
use super::written::Json;

/// A user as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenUser {
    username: String,
    name: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    claims: BTreeMap<String, Json>,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    password_hash: Option<Hidden>,
}

/// Claims that the server says itself, of the token or of the user; a table of claims may not contradict it.
const OURS: [&str; 25] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "sid",
    "act",
    "may_act",
    "cnf",
    "scope",
    "client_id",
    "txn",
    "name",
    "preferred_username",
    "email",
    "email_verified",
];

const LONGEST_NAME: usize = 200;

impl WrittenUser {
    pub(super) fn check(self, mut entry: Entry<'_>) -> DeclaredUser {
        let username_fits =
            is_short(&self.username) && !self.username.chars().any(|c| c.is_whitespace() || c.is_control());
        entry.check(username_fits, "username", "must be 1 to 200 characters without spaces");
        entry.check(is_short(&self.name), "name", "must be 1 to 200 characters");
        entry.check(
            !self.email_verified || self.email.is_some(),
            "email_verified",
            "there is no email to be verified",
        );
        for claim in self.claims.keys().filter(|claim| OURS.contains(&claim.as_str())) {
            entry.no(format_args!("claims.{claim}"), "this claim is not for the table of claims");
        }
        for (claim, Json(value)) in &self.claims {
            let standard = standard_claims::scope_of(claim).is_some();
            if standard && standard_claims::told(claim, value).is_none() {
                entry.no(
                    format_args!("claims.{claim}"),
                    "is not what OpenID Connect Core 5.1 says of this claim",
                );
            }
        }
        if let Some(Json(manager)) = self.claims.get(MANAGER) {
            let named = manager
                .as_str()
                .is_some_and(|manager| is_short(manager) && !manager.eq_ignore_ascii_case(&self.username));
            entry.check(named, "claims.manager", "must be the username of somebody else");
        }
        let mut claims: Map<_, _> =
            self.claims.into_iter().map(|(name, Json(value))| (name, value)).collect();
        if let Some(email) = self.email {
            entry.check(is_email(&email), "email", "must be an e-mail address");
            claims.insert("email".into(), Value::String(email));
            claims.insert("email_verified".into(), Value::Bool(self.email_verified));
        }
        if let Some(hash) = &self.password_hash {
            entry.check(
                is_argon2id(hash.reveal()),
                "password_hash",
                "must be an Argon2id hash as a PHC string, $argon2id$v=19$…",
            );
        }
        DeclaredUser {
            username: self.username,
            name: self.name,
            claims,
            admin: self.admin,
            password_hash: self.password_hash,
        }
    }
}

/// Not empty, not beyond what pages show.
pub(super) fn is_short(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= LONGEST_NAME
}

fn is_email(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let parts = text.rsplit_once('@');
    plain && text.len() <= 254 && parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
}

fn is_argon2id(text: &str) -> bool {
    let Ok(hash) = PasswordHash::new(text) else { return false };
    hash.algorithm == argon2::ARGON2ID_IDENT
        && hash.version == Some(19)
        && hash.salt.is_some()
        && hash.hash.is_some()
        && argon2::Params::try_from(&hash).is_ok()
}
