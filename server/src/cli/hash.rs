//! `procura hash`: what the configuration wants instead of a secret.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use anyhow::bail;
use argon2::Argon2;
use argon2::password_hash::PasswordHasher as _;
use clap::Subcommand;

/// What is hashed.
#[derive(Debug, Subcommand)]
pub enum What {
    /// A user's password: an Argon2id PHC string for `password_hash`.
    Password,
    /// A client's secret: its SHA-256 for `secret_sha256`.
    Secret,
}

/// Reads one line from standard input and prints its hash.
///
/// # Errors
/// Nothing to hash, or standard input and output.
pub fn run(what: &What) -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    if text.is_empty() {
        bail!("type or pipe the secret into standard input");
    }
    let hash = match what {
        What::Password => match Argon2::default().hash_password(text.as_bytes()) {
            Ok(hash) => hash.to_string(),
            Err(error) => bail!("hashing failed: {error}"),
        },
        What::Secret => {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
            digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        }
    };
    writeln!(std::io::stdout(), "{hash}")?;
    Ok(ExitCode::SUCCESS)
}
