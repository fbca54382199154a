//! Actor receipts (draft-mcguinness-oauth-actor-receipts): one signed JWT for each actor that joined a chain, each
//! linked to the one before it by a hash. They prove who was added by whom; they permit nothing.
//!
//! What a receipt says is made here, and so is what whoever gets them must ask of them ([`verify`]), whoever that is:
//! a resource server, or an auditor with nothing but a file and the issuer's public keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::actor::Actor;
use crate::client::SigningAlg;
use crate::numeric_date::NumericDate;

/// `typ` of a receipt.
pub const TYP: &str = "actor-receipt+jwt";
/// The claim, and the introspection member, with the receipts, the newest first.
pub const CLAIM: &str = "actor_receipts";
/// The claim, and the introspection member, that says that there is one for every actor.
pub const COMPLETE: &str = "actor_receipts_complete";
/// The parameter of an introspection request that asks for them.
pub const PARAMETER: &str = "actor_receipts";
/// How far the issuer's clock may be ahead.
const LEEWAY: i64 = 60;
/// The deepest `act` that is looked at.
const DEEPEST: usize = 32;

/// What a receipt says: at this hop this actor joined.
#[derive(Clone, Debug)]
pub struct Receipt<'a> {
    /// Who signs it.
    pub issuer: &'a str,
    /// `sub` of the token that was issued at the hop.
    pub sub: &'a str,
    /// `sub_profile` of that token.
    pub sub_profile: &'a str,
    /// Who joined.
    pub actor: &'a Actor,
    /// When.
    pub issued_at: NumericDate,
    /// Not before everything that may ever hang on it.
    pub expires_at: NumericDate,
    /// Its own id.
    pub jti: &'a str,
    /// `jti` of the token that was issued at the hop, if that is known.
    pub origin_jti: Option<&'a str>,
    /// The receipt of the hop before, byte for byte; none at the first.
    pub before: Option<&'a str>,
}

impl Receipt<'_> {
    /// Its claims.
    #[must_use]
    pub fn claims(&self) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        put("iss", self.issuer.into());
        put("sub", self.sub.into());
        put("sub_profile", self.sub_profile.into());
        put("act", Value::Object(self.actor.to_claim()));
        put("iat", self.issued_at.0.into());
        put("exp", self.expires_at.0.into());
        put("jti", self.jti.into());
        if let Some(origin) = self.origin_jti {
            put("origin_jti", origin.into());
        }
        if let Some(before) = self.before {
            put("prh", prh(before).into());
        }
        claims
    }
}

/// `prh`: the SHA-256 over the ASCII of a compact receipt, in base64url.
#[must_use]
pub fn prh(compact: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(compact.as_bytes()))
}

/// The members of an introspection answer with the receipts of a chain; `complete` where they are those of everybody in
/// it.
pub fn add_to(claims: &mut Map<String, Value>, receipts: Vec<String>, complete: bool) {
    if !receipts.is_empty() {
        claims.insert(CLAIM.to_owned(), receipts.into());
        if complete {
            claims.insert(COMPLETE.to_owned(), true.into());
        }
    }
}

/// A receipt whose signature was verified.
#[derive(Clone, PartialEq, Debug)]
pub struct Opened {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

/// A hop that is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hop {
    /// Who joined: `sub` and `iss` of the actor.
    pub actor: (String, String),
    /// Who says so.
    pub issuer: String,
    /// For whom the token was that was issued then.
    pub sub: String,
    /// When.
    pub issued_at: NumericDate,
    /// The token that was issued then.
    pub origin_jti: Option<String>,
}

/// What the receipts of a token prove.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
    /// The hops, the newest first.
    pub hops: Vec<Hop>,
    /// There is one for every actor of the token's `act`.
    pub complete: bool,
    /// All hops were made for the same `sub` as the token's.
    pub same_subject: bool,
    /// The newest hop made this very token, not another one of the same chain.
    pub of_this_token: bool,
}

/// Why receipts prove nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReceiptsRefused {
    /// `act` is not a line of objects with `sub` and `iss`, or too deep.
    #[error("act is not a chain of actors, each with sub and iss")]
    MalformedChain,
    /// `actor_receipts` is no array of texts, or empty, or `actor_receipts_complete` no boolean.
    #[error("actor_receipts is not a non-empty array of JWTs")]
    Malformed,
    /// There are none.
    #[error("there are no receipts")]
    None,
    /// More than actors.
    #[error("there are more receipts than actors")]
    TooMany,
    /// It says that they are complete, and they are not.
    #[error("actor_receipts_complete is true, but there is not one receipt for every actor")]
    NotComplete,
    /// Signed by somebody who is not trusted; nobody was asked for their keys.
    #[error("receipt {0} is of an issuer that is not trusted")]
    UnknownIssuer(usize),
    /// No signature that verifies, or not by an algorithm that is taken.
    #[error("receipt {0} is not signed by its issuer")]
    BadSignature(usize),
    /// Another `typ`.
    #[error("receipt {0} is no actor-receipt+jwt")]
    WrongType(usize),
    /// A claim is missing, or not what it must be.
    #[error("receipt {0} has no usable {1}")]
    BadClaim(usize, &'static str),
    /// Over, or from the future.
    #[error("receipt {0} is over, or from the future")]
    NotNow(usize),
    /// Not the hash of the next older one.
    #[error("receipt {0} is not linked to the one before it")]
    BrokenLink(usize),
    /// Of another actor than the one that stands in this place of the chain.
    #[error("receipt {0} is of another actor than the one in this place of act")]
    OtherActor(usize),
    /// The newest one is of a token for somebody else.
    #[error("the newest receipt is of a token for another sub")]
    OtherSubject,
}

/// Verifies the receipts in the claims of a token or of an introspection answer, by the draft's consumer rules.
/// `trusted` says whether an issuer may sign receipts, and is asked before anything is done with its name; `open`
/// verifies the signature of a compact receipt with that issuer's keys.
///
/// # Errors
/// The first reason why they prove nothing.
pub fn verify(
    claims: &Map<String, Value>,
    now: NumericDate,
    trusted: impl Fn(&str) -> bool,
    open: impl Fn(&str, &str) -> Option<Opened>,
) -> Result<Proven, ReceiptsRefused> {
    let chain = chain(claims)?;
    let receipts = listed(claims, chain.len())?;
    let mut hops = Vec::with_capacity(receipts.len());
    for (index, compact) in receipts.iter().enumerate() {
        let issuer = claimed_issuer(compact).filter(|issuer| trusted(issuer));
        let issuer = issuer.ok_or(ReceiptsRefused::UnknownIssuer(index))?;
        let opened = open(&issuer, compact).ok_or(ReceiptsRefused::BadSignature(index))?;
        let older = receipts.get(index + 1).map(String::as_str);
        hops.push(hop(index, &opened, &issuer, older, now)?);
    }
    if let Some(index) = hops.iter().zip(&chain).position(|(hop, actor)| hop.actor != *actor) {
        return Err(ReceiptsRefused::OtherActor(index));
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let newest = hops.first().ok_or(ReceiptsRefused::None)?;
    if text("sub") != Some(newest.sub.as_str()) {
        return Err(ReceiptsRefused::OtherSubject);
    }
    Ok(Proven {
        complete: hops.len() == chain.len(),
        same_subject: hops.iter().all(|hop| hop.sub == newest.sub),
        of_this_token: text("iss") == Some(newest.issuer.as_str())
            && newest.origin_jti.is_some()
            && text("jti") == newest.origin_jti.as_deref(),
        hops,
    })
}

/// The visible actors, the current one first.
fn chain(claims: &Map<String, Value>) -> Result<Vec<(String, String)>, ReceiptsRefused> {
    let mut actors = Vec::new();
    let mut next = claims.get("act");
    while let Some(act) = next {
        let act = act.as_object().ok_or(ReceiptsRefused::MalformedChain)?;
        let (sub, iss) = pair(act).ok_or(ReceiptsRefused::MalformedChain)?;
        actors.push((sub.to_owned(), iss.to_owned()));
        if actors.len() > DEEPEST {
            return Err(ReceiptsRefused::MalformedChain);
        }
        next = act.get("act");
    }
    Ok(actors)
}

fn pair(act: &Map<String, Value>) -> Option<(&str, &str)> {
    let text = |name: &str| act.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    Some((text("sub")?, text("iss")?))
}

/// The compact receipts, if there may be as many.
fn listed(claims: &Map<String, Value>, depth: usize) -> Result<Vec<String>, ReceiptsRefused> {
    let complete = match claims.get(COMPLETE) {
        None => false,
        Some(complete) => complete.as_bool().ok_or(ReceiptsRefused::Malformed)?,
    };
    let Some(listed) = claims.get(CLAIM) else {
        return Err(if complete { ReceiptsRefused::NotComplete } else { ReceiptsRefused::None });
    };
    let texts = listed.as_array().filter(|listed| !listed.is_empty());
    let texts = texts.and_then(|all| all.iter().map(|one| one.as_str().map(str::to_owned)).collect());
    let texts: Vec<String> = texts.ok_or(ReceiptsRefused::Malformed)?;
    if texts.len() > depth {
        return Err(ReceiptsRefused::TooMany);
    }
    if complete && texts.len() != depth { Err(ReceiptsRefused::NotComplete) } else { Ok(texts) }
}

/// The issuer that a receipt names before anybody looked at its signature.
fn claimed_issuer(compact: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(compact.split('.').nth(1)?).ok()?;
    let claims: Map<String, Value> = serde_json::from_slice(&claims).ok()?;
    claims.get("iss").and_then(Value::as_str).map(str::to_owned)
}

/// What a receipt with a good signature says, and that it is linked to `older`.
fn hop(
    index: usize,
    opened: &Opened,
    issuer: &str,
    older: Option<&str>,
    now: NumericDate,
) -> Result<Hop, ReceiptsRefused> {
    let Opened { header, claims } = opened;
    if header.get("typ").and_then(Value::as_str) != Some(TYP) {
        return Err(ReceiptsRefused::WrongType(index));
    }
    let alg = header.get("alg").and_then(Value::as_str).and_then(SigningAlg::find);
    if alg.is_none() || header.contains_key("crit") {
        return Err(ReceiptsRefused::BadSignature(index));
    }
    let bad = |name: &'static str| ReceiptsRefused::BadClaim(index, name);
    let text = |name: &'static str| -> Result<Option<String>, ReceiptsRefused> {
        match claims.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(_) => Err(bad(name)),
        }
    };
    let needed = |name: &'static str| text(name)?.ok_or_else(|| bad(name));
    let date = |name: &'static str| claims.get(name).and_then(Value::as_i64).ok_or_else(|| bad(name));
    if needed("iss")? != issuer {
        return Err(bad("iss"));
    }
    needed("jti")?;
    let act = claims.get("act").and_then(Value::as_object).ok_or_else(|| bad("act"))?;
    let (sub, iss) = pair(act).ok_or_else(|| bad("act"))?;
    if act.contains_key("act") || act.contains_key("cnf") {
        return Err(bad("act"));
    }
    let (issued_at, expires_at) = (date("iat")?, date("exp")?);
    if expires_at <= now.0 || issued_at > now.0.saturating_add(LEEWAY) {
        return Err(ReceiptsRefused::NotNow(index));
    }
    if text("prh_alg")?.is_some_and(|alg| alg != "sha-256") {
        return Err(bad("prh_alg"));
    }
    if text("prh")? != older.map(prh) {
        return Err(ReceiptsRefused::BrokenLink(index));
    }
    Ok(Hop {
        actor: (sub.to_owned(), iss.to_owned()),
        issuer: issuer.to_owned(),
        sub: needed("sub")?,
        issued_at: NumericDate(issued_at),
        origin_jti: text("origin_jti")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_hash_of_a_receipt_is_over_its_very_text() {
        // printf %s abc | openssl dgst -sha256 -binary | basenc --base64url
        assert_eq!(prh("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert_ne!(prh("abc"), prh("abc "));
    }

    #[test]
    fn nothing_is_said_of_a_chain_without_receipts() {
        let mut claims = Map::new();
        add_to(&mut claims, Vec::new(), true);
        assert!(claims.is_empty());
        add_to(&mut claims, vec!["a.b.c".to_owned()], false);
        assert_eq!(Value::Object(claims.clone()), json!({ CLAIM: ["a.b.c"] }));
        add_to(&mut claims, vec!["a.b.c".to_owned()], true);
        assert_eq!(Value::Object(claims), json!({ CLAIM: ["a.b.c"], COMPLETE: true }));
    }
}
