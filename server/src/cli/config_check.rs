//! `procura config check`: reads the configuration as a start would, and tells what it found.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::config::{self, Config, Problem};
use crate::tls::Tls;

/// Writes that the configuration is valid, or every problem on a line of its own, and gives the exit code: 0 or 1.
///
/// # Errors
/// When `out` cannot be written to.
pub fn run(path: Option<&Path>, out: &mut impl Write) -> io::Result<ExitCode> {
    let valid = tell(&config::load(path), out)?;
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(loaded: &Result<Config, Vec<Problem>>, out: &mut impl Write) -> io::Result<bool> {
    match loaded {
        Ok(config) => {
            // What the files for TLS hold is no text of the configuration, but a start would end there.
            if let Err(unfit) = Tls::open(&config.settings) {
                writeln!(out, "{unfit}")?;
                return Ok(false);
            }
            writeln!(out, "configuration is valid: {}", summary(config))?;
            for overlap in &config.declared.overlaps {
                writeln!(out, "note: {overlap}: such a workload is whichever of the two it says it is")?;
            }
        }
        Err(problems) => {
            for problem in problems {
                writeln!(out, "{problem}")?;
            }
        }
    }
    Ok(loaded.is_ok())
}

fn summary(config: &Config) -> String {
    let declared = &config.declared;
    let agents = declared.clients.iter().filter(|client| client.is_agent()).count();
    [
        (declared.users.len(), "user"),
        (declared.resource_servers.len(), "resource server"),
        (declared.clients.len() - agents, "client"),
        (agents, "agent"),
        (declared.details_types.names().count(), "details type"),
        (declared.rules.len(), "rule"),
    ]
    .map(|(n, noun)| format!("{n} {noun}{}", if n == 1 { "" } else { "s" }))
    .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (bool, String) {
        let file = config::ConfigFile { name: "t.toml".into(), text: text.into(), folder: ".".into() };
        let mut out = Vec::new();
        let valid = tell(&config::read(Some(&file), Vec::new()), &mut out).unwrap();
        (valid, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_valid_configuration_is_counted() {
        let (valid, text) = told("[[users]]\nusername = \"alice\"\nname = \"Alice\"");
        assert!(valid);
        assert_eq!(
            text,
            "configuration is valid: 1 user, 0 resource servers, 0 clients, 0 agents, 3 details types, 0 rules\n"
        );
    }

    #[test]
    fn a_workload_that_could_be_two_clients_is_told_of_a_valid_configuration() {
        let client = |id: &str, sub: &str| {
            format!(
                "[[clients]]\nid = \"{id}\"\nname = \"{id}\"\nkind = \"service\"\n\
                 authentication = \"workload_jwt\"\n\
                 workload = {{ issuer = \"https://p.example\", claims = {{ sub = {sub} }} }}\n"
            )
        };
        let platform = "[[workload_issuers]]\nissuer = \"https://p.example\"\n";
        let (one, two) = (client("one", "\"batch\""), client("two", "{ glob = \"b*\" }"));
        let (valid, text) = told(&format!("{platform}{one}{two}"));
        assert!(valid && text.lines().count() == 2, "{text}");
        assert!(text.contains("note: clients[0].workload and clients[1].workload both fit"), "{text}");
    }

    #[test]
    fn a_certificate_that_is_not_there_is_a_problem() {
        let (valid, text) = told("[tls]\ncertificate = \"/nowhere/chain.pem\"\nkey = \"/nowhere/key.pem\"");
        assert!(!valid && text.starts_with("tls.certificate: /nowhere/chain.pem cannot be read"), "{text}");
    }

    #[test]
    fn every_problem_is_one_line() {
        let (valid, text) = told("token_life = 0\nfoo = 1");
        assert!(!valid);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.lines().all(|line| line.starts_with("t.toml: ")), "{text}");
    }
}
