//! A black-box conformance suite by RFC section, for any authorization server.
//!
//! It knows the server by its metadata alone and by a small [`profile`]. Each [`check`] is named by the requirement
//! it is about; the [`report`] says how each came out.

pub mod answer;
pub mod browser;
pub mod check;
pub mod ciba;
pub mod discovery;
pub mod fapi2;
pub mod flow;
pub mod forms;
pub mod jarm;
pub mod jose;
pub mod logout;
pub mod oauth21;
pub mod oidc_core;
pub mod post;
pub mod profile;
pub mod report;
pub mod rfc7009;
pub mod rfc7523;
pub mod rfc7591;
pub mod rfc7592;
pub mod rfc7636;
pub mod rfc7662;
pub mod rfc8414;
pub mod rfc8628;
pub mod rfc8693;
pub mod rfc8705;
pub mod rfc8707;
pub mod rfc9068;
pub mod rfc9101;
pub mod rfc9126;
pub mod rfc9207;
pub mod rfc9396;
pub mod rfc9449;
pub mod rfc9701;
pub mod schema;
pub mod world;

use check::{Check, Level, Problem};
use report::{Line, Outcome, Report};
use world::World;

/// Every check, specification by specification.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    [
        rfc8414::CHECKS,
        rfc7636::CHECKS,
        rfc9207::CHECKS,
        rfc9126::CHECKS,
        rfc9101::CHECKS,
        jarm::CHECKS,
        rfc7523::CHECKS,
        rfc8707::CHECKS,
        rfc9396::CHECKS,
        rfc9068::CHECKS,
        rfc7662::CHECKS,
        rfc7009::CHECKS,
        rfc9449::CHECKS,
        rfc7591::CHECKS,
        rfc7592::CHECKS,
        rfc8693::CHECKS,
        oauth21::CHECKS,
        oidc_core::CHECKS,
        discovery::CHECKS,
        logout::CHECKS,
        rfc8628::CHECKS,
        ciba::CHECKS,
        rfc8705::CHECKS,
        fapi2::CHECKS,
        rfc9701::CHECKS,
    ]
    .into_iter()
    .flatten()
}

/// Whether `id` is the requirement, or one of the specification, that `asked` names.
fn is_asked(id: &str, asked: &str) -> bool {
    id.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Runs the checks that `only` names, or all, one after the other.
pub async fn run(world: &World, only: &[String]) -> Report {
    let mut lines = Vec::new();
    for check in checks() {
        if !only.is_empty() && !only.iter().any(|asked| is_asked(check.id, asked)) {
            continue;
        }
        let (outcome, reason) = match (check.run)(world).await {
            Ok(()) => (Outcome::Pass, None),
            Err(Problem::Skipped(reason)) => (Outcome::Skipped, Some(reason)),
            Err(Problem::Failed(reason)) if check.level == Level::Must => (Outcome::Fail, Some(reason)),
            Err(Problem::Failed(reason)) => (Outcome::Warning, Some(reason)),
        };
        let Check { id, level, section, sentence, .. } = *check;
        lines.push(Line { id, level, section, sentence, outcome, reason });
    }
    Report { issuer: world.issuer.clone(), lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_requirement_is_checked_once() {
        let mut ids: Vec<_> = checks().map(|check| check.id).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
        assert!(all >= 500, "{all}");
    }

    #[test]
    fn policy_checks_are_named_so() {
        for check in checks() {
            assert_eq!(check.id.starts_with("P-"), check.level == Level::Policy, "{}", check.id);
        }
    }
}
