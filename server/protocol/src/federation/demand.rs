//! How somebody has to sign in at the upstream, because of what was asked here; and what their login there is then
//! worth here.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Upstream;
use crate::numeric_date::{NumericDate, Seconds};
use crate::prompt::Prompt;
use crate::token::Login;

/// How far two servers' clocks may lie apart.
pub const LEEWAY: Seconds = Seconds(60);
/// The longest `acr` and word of `amr` that is told on, in bytes.
const LONGEST_WORD: usize = 255;
/// The most words of `amr`.
const MOST_METHODS: usize = 20;

/// What is asked of the upstream.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Demand {
    /// Sign in again, whoever is signed in (`prompt=login`).
    pub login: bool,
    /// Let the user choose whom to sign in as (`prompt=select_account`).
    pub select_account: bool,
    /// How long ago somebody may have signed in (`max_age`).
    pub max_age: Option<Seconds>,
    /// The contexts that are liked, best first, in this server's words.
    pub acr_values: Vec<String>,
}

/// Why a login at the upstream is not enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LoginRefused {
    /// It had to be fresh, and the upstream does not say when it was (OpenID Connect Core §2, §3.1.2.1: with
    /// `max_age`, `auth_time` is required).
    #[error("the upstream does not say when the user signed in")]
    NoAuthTime,
    /// It was before the moment that was demanded (OpenID Connect Core §3.1.3.7, 13.).
    #[error("the user signed in too long ago at the upstream")]
    TooOld,
}

impl Demand {
    /// What an authorization request asks of the upstream.
    #[must_use]
    pub fn of(prompt: Prompt, max_age: Option<Seconds>, acr_values: Vec<String>) -> Self {
        let (login, select_account) = match prompt {
            Prompt::Nothing => (false, false),
            Prompt::Ask { login, select_account, .. } => (login, select_account),
        };
        Self { login, select_account, max_age, acr_values }
    }

    /// Sign in again, whatever else.
    #[must_use]
    pub fn again() -> Self {
        Self { login: true, ..Self::default() }
    }

    /// The parameters of the authorization request at the upstream (OpenID Connect Core §3.1.2.1).
    #[must_use]
    pub fn params(&self, upstream: &Upstream) -> Vec<(&'static str, String)> {
        let mut params = Vec::new();
        let prompts = [(self.login, "login"), (self.select_account, "select_account")];
        let prompts: Vec<&str> =
            prompts.into_iter().filter_map(|(asked, word)| asked.then_some(word)).collect();
        if !prompts.is_empty() {
            params.push(("prompt", prompts.join(" ")));
        }
        // Whoever asks by `max_age` is told `auth_time`, by which alone a fresh login can be told from an old one.
        if let Some(max_age) = self.longest() {
            params.push(("max_age", max_age.0.max(0).to_string()));
        }
        let acr_values: Vec<String> =
            self.acr_values.iter().flat_map(|wanted| upstream_names(upstream, wanted)).collect();
        if !acr_values.is_empty() {
            params.push(("acr_values", acr_values.join(" ")));
        }
        params
    }

    /// How old a login may be; none of age where somebody has to sign in again.
    const fn longest(&self) -> Option<Seconds> {
        if self.login { Some(Seconds(0)) } else { self.max_age }
    }

    /// The login that the upstream's claims tell of, if it is as fresh as was demanded of it at `asked_at`.
    ///
    /// # Errors
    /// [`LoginRefused`].
    pub fn login(
        &self,
        claims: &Map<String, Value>,
        upstream: &Upstream,
        asked_at: NumericDate,
        now: NumericDate,
    ) -> Result<Login, LoginRefused> {
        let said = claims.get("auth_time").and_then(Value::as_i64).map(NumericDate);
        if let Some(longest) = self.longest() {
            let said = said.ok_or(LoginRefused::NoAuthTime)?;
            if asked_at.since(said) > Seconds(longest.0.saturating_add(LEEWAY.0)) {
                return Err(LoginRefused::TooOld);
            }
        }
        // Without `auth_time` the ID token itself is all that is known, and nobody asked for more.
        let issued = claims.get("iat").and_then(Value::as_i64).map(NumericDate);
        let auth_time = said.or(issued).map_or(now, |time| time.min(now));
        Ok(Login { auth_time, acr: acr(claims, upstream), amr: amr(claims, upstream) })
    }
}

/// What a context that is called `wanted` here is called at the upstream.
fn upstream_names(upstream: &Upstream, wanted: &str) -> Vec<String> {
    let named: Vec<String> =
        upstream.acr.iter().filter(|(_, ours)| *ours == wanted).map(|(theirs, _)| theirs.clone()).collect();
    let as_it_is = named.is_empty() && upstream.pass_acr;
    if as_it_is { vec![wanted.to_owned()] } else { named }
}

fn acr(claims: &Map<String, Value>, upstream: &Upstream) -> Option<String> {
    let theirs = claims.get("acr")?.as_str().filter(|acr| is_word(acr))?;
    match upstream.acr.get(theirs) {
        Some(ours) => Some(ours.clone()),
        None => upstream.pass_acr.then(|| theirs.to_owned()),
    }
}

fn amr(claims: &Map<String, Value>, upstream: &Upstream) -> Vec<String> {
    let words = claims.get("amr").and_then(Value::as_array).filter(|_| upstream.pass_acr);
    let words = words.into_iter().flatten().filter_map(Value::as_str).filter(|word| is_word(word));
    words.take(MOST_METHODS).map(str::to_owned).collect()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_WORD && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::tests::company;
    use super::*;

    const ASKED: NumericDate = NumericDate(10_000);
    const NOW: NumericDate = NumericDate(10_030);

    fn login(demand: &Demand, claims: Value) -> Result<Login, LoginRefused> {
        demand.login(claims.as_object().unwrap(), &company(), ASKED, NOW)
    }

    #[test]
    fn what_was_asked_here_is_asked_there() {
        let of = |prompt: &str, max_age: Option<i64>| {
            Demand::of(prompt.parse().unwrap(), max_age.map(Seconds), Vec::new()).params(&company())
        };
        assert_eq!(of("", None), []);
        assert_eq!(of("consent", None), [], "what is approved is approved here");
        assert_eq!(of("login", None), [("prompt", "login".into()), ("max_age", "0".into())]);
        assert_eq!(of("login select_account", Some(60))[0], ("prompt", "login select_account".into()));
        assert_eq!(of("select_account", Some(60))[1], ("max_age", "60".into()));
    }

    #[test]
    fn contexts_are_asked_for_by_the_names_that_the_upstream_knows() {
        let mut upstream = company();
        upstream.acr =
            BTreeMap::from([("possessionorinherence".into(), "phr".into()), ("2".into(), "phr".into())]);
        let demand = Demand { acr_values: vec!["phr".into(), "other".into()], ..Demand::default() };
        assert_eq!(demand.params(&upstream), [("acr_values", "2 possessionorinherence other".into())]);
        upstream.pass_acr = false;
        assert_eq!(demand.params(&upstream), [("acr_values", "2 possessionorinherence".into())]);
    }

    #[test]
    fn a_fresh_login_is_one_after_the_demand_and_must_be_told() {
        let again = Demand::again();
        assert_eq!(login(&again, json!({"auth_time": 10_010})).unwrap().auth_time, NumericDate(10_010));
        assert_eq!(
            login(&again, json!({"auth_time": 9_940})).unwrap().auth_time,
            NumericDate(9_940),
            "leeway"
        );
        assert_eq!(login(&again, json!({"auth_time": 9_939})), Err(LoginRefused::TooOld));
        assert_eq!(login(&again, json!({"iat": 10_020})), Err(LoginRefused::NoAuthTime));
        assert_eq!(login(&again, json!({"auth_time": "10010"})), Err(LoginRefused::NoAuthTime));
    }

    #[test]
    fn max_age_counts_from_the_moment_it_was_asked() {
        let demand = Demand { max_age: Some(Seconds(100)), ..Demand::default() };
        assert!(login(&demand, json!({"auth_time": 9_840})).is_ok());
        assert_eq!(login(&demand, json!({"auth_time": 9_839})), Err(LoginRefused::TooOld));
        assert_eq!(login(&demand, json!({})), Err(LoginRefused::NoAuthTime));
    }

    #[test]
    fn nobody_signed_in_later_than_now() {
        let far = login(&Demand::default(), json!({"auth_time": 99_999})).unwrap();
        assert_eq!(far.auth_time, NOW);
        assert_eq!(login(&Demand::default(), json!({"iat": 10_001})).unwrap().auth_time, NumericDate(10_001));
        assert_eq!(login(&Demand::default(), json!({})).unwrap().auth_time, NOW);
    }

    #[test]
    fn contexts_and_methods_are_told_on_translated_or_not_at_all() {
        let claims = json!({"acr": "urn:x:2", "amr": ["pwd", "otp", 7, "", "a b"]});
        let claims = claims.as_object().unwrap();
        let mut upstream = company();
        let told = |upstream: &Upstream| Demand::default().login(claims, upstream, ASKED, NOW).unwrap();
        assert_eq!(told(&upstream).acr.as_deref(), Some("urn:x:2"));
        assert_eq!(told(&upstream).amr, ["pwd", "otp"]);
        upstream.acr = BTreeMap::from([("urn:x:2".into(), "phr".into())]);
        assert_eq!(told(&upstream).acr.as_deref(), Some("phr"));
        upstream.pass_acr = false;
        assert_eq!((told(&upstream).acr.as_deref(), told(&upstream).amr.len()), (Some("phr"), 0));
        upstream.acr.clear();
        assert_eq!(told(&upstream).acr, None);
    }
}
