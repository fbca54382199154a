//! `procura receipts`: who let whom act, proven with nothing but a file and the issuer's public keys.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use protocol::numeric_date::NumericDate;
use protocol::receipts::{Opened, Proven, ReceiptsRefused, verify};
use serde_json::{Map, Value};

use crate::clock::{Clock as _, SystemClock};
use crate::jose;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// What can be done with receipts.
#[derive(Debug, Subcommand)]
pub enum ReceiptsCommand {
    /// Verify the receipts in an introspection answer or an access token, without asking anybody.
    Verify(Verify),
}

/// What is verified, and with whose keys.
#[derive(Debug, Args)]
pub struct Verify {
    /// The JSON of an introspection answer, or an access token; without a file, standard input.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The issuer's JWK Set, as it publishes it at its jwks_uri.
    #[arg(long, value_name = "FILE")]
    pub jwks: PathBuf,
    /// The issuer whose receipts count.
    #[arg(long, value_name = "URL")]
    pub issuer: String,
    /// As of when, such as 2026-01-31T12:00:00Z; without it, now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

/// Does what the arguments say.
///
/// # Errors
/// What cannot be read.
pub fn run(command: &ReceiptsCommand) -> anyhow::Result<ExitCode> {
    match command {
        ReceiptsCommand::Verify(asked) => check(asked, &mut std::io::stdout()),
    }
}

fn check(asked: &Verify, out: &mut impl std::io::Write) -> anyhow::Result<ExitCode> {
    let now = match &asked.at {
        None => SystemClock.now(),
        Some(at) => NumericDate::parse_rfc3339(at).context("--at is no time like 2026-01-31T12:00:00Z")?,
    };
    let keys = keys(&asked.jwks)?;
    let text = match &asked.file {
        Some(file) => read(file)?,
        None => bounded(std::io::stdin().lock()).context("standard input cannot be read")?,
    };
    let claims = claims(text.trim(), &keys)?;
    match prove(&claims, &asked.issuer, &keys, now) {
        Ok(proven) => {
            tell(&proven, out)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(reason) => {
            writeln!(out, "not proven: {reason}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Proves the chain of an introspection answer or a token by the receipts in it, with these keys of their issuer.
///
/// # Errors
/// Why it is not proven.
pub fn prove(
    claims: &Map<String, Value>,
    issuer: &str,
    keys: &[Map<String, Value>],
    now: NumericDate,
) -> Result<Proven, ReceiptsRefused> {
    verify(claims, now, |known| known == issuer, |_, compact| open(compact, keys))
}

/// One line for each hop, the oldest first, and what the whole of them is worth.
fn tell(proven: &Proven, out: &mut impl std::io::Write) -> std::io::Result<()> {
    for hop in proven.hops.iter().rev() {
        let token = hop.origin_jti.as_deref().unwrap_or("-");
        writeln!(out, "{} {} for {} token {token}", hop.issued_at.to_rfc3339(), hop.actor.0, hop.sub)?;
    }
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    writeln!(
        out,
        "proven; every actor: {}, one sub: {}, made with this token: {}",
        yes(proven.complete),
        yes(proven.same_subject),
        yes(proven.of_this_token)
    )
}

fn bounded(from: impl std::io::Read) -> anyhow::Result<String> {
    let mut text = String::new();
    from.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        bail!("it is longer than a mebibyte");
    }
    Ok(text)
}

fn read(file: &Path) -> anyhow::Result<String> {
    let open = std::fs::File::open(file).map_err(anyhow::Error::from);
    open.and_then(bounded).with_context(|| format!("{} cannot be read", file.display()))
}

/// The keys of a JWK Set.
fn keys(file: &Path) -> anyhow::Result<Vec<Map<String, Value>>> {
    let set: Value =
        serde_json::from_str(&read(file)?).with_context(|| format!("{} is no JSON", file.display()))?;
    let keys = set["keys"].as_array().with_context(|| format!("{} is no JWK Set", file.display()))?;
    Ok(keys.iter().filter_map(Value::as_object).cloned().collect())
}

/// The claims: those of a JSON object as they stand, or those of an access token that is well signed.
fn claims(text: &str, keys: &[Map<String, Value>]) -> anyhow::Result<Map<String, Value>> {
    if text.starts_with('{') {
        return serde_json::from_str(text).context("the JSON is malformed");
    }
    match open(text, keys) {
        Some(opened) if opened.header.get("typ").and_then(Value::as_str) == Some("at+jwt") => {
            Ok(opened.claims)
        }
        _ => bail!("this is neither a JSON object nor an access token that one of the keys signed"),
    }
}

/// A JWT that one of the keys signed.
fn open(compact: &str, keys: &[Map<String, Value>]) -> Option<Opened> {
    let unverified = jose::decode(compact).ok()?;
    let alg = unverified.alg().ok()?;
    let fits = |key: &&Map<String, Value>| match (unverified.kid(), key.get("kid").and_then(Value::as_str)) {
        (Some(named), Some(kid)) => named == kid,
        _ => true,
    };
    let mut verified =
        keys.iter().filter(fits).filter_map(|key| jose::verify_with_jwk(compact, alg, key).ok());
    Some(Opened { claims: verified.next()?, header: unverified.header })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_and_no_token_is_not_read() {
        assert!(claims("x", &[]).is_err());
        assert!(claims("{", &[]).is_err());
        assert_eq!(claims("{}", &[]).unwrap(), Map::new());
        assert!(bounded(std::io::repeat(b'a')).is_err());
    }
}
