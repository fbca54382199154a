//! `prompt` and `max_age`.

use proptest::prelude::*;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::prompt::{Approved, Next, Prompt, SessionState, SignedIn, next};

fn state() -> impl Strategy<Value = SessionState> {
    let login = (0..100_i64, any::<bool>())
        .prop_map(|(at, for_this_request)| SignedIn { auth_time: NumericDate(at), for_this_request });
    let consent = prop::sample::select(vec![
        Approved::No,
        Approved::AskAgain,
        Approved::Before,
        Approved::ForThisRequest,
    ]);
    (prop::option::of(login), consent).prop_map(|(login, consent)| SessionState { login, consent })
}

fn prompt() -> impl Strategy<Value = Prompt> {
    "(none|((login|consent|select_account) ){0,3})".prop_map(|text| text.parse().unwrap())
}

fn max_age() -> impl Strategy<Value = Option<Seconds>> {
    prop::option::of((0..100_i64).prop_map(Seconds))
}

proptest! {
    #[test]
    fn none_never_shows_a_page_and_the_others_never_refuse(s in state(), p in prompt(), m in max_age(), now in 0..200_i64) {
        let next = next(&s, p, m, NumericDate(now));
        let page = matches!(next, Next::SignIn | Next::Consent);
        let refused = matches!(next, Next::Refuse(_));
        prop_assert!(if p == Prompt::Nothing { !page } else { !refused }, "{:?}", next);
    }

    #[test]
    fn nobody_goes_on_without_a_login_and_a_consent(s in state(), p in prompt(), m in max_age(), now in 0..200_i64) {
        if next(&s, p, m, NumericDate(now)) == Next::Proceed {
            prop_assert!(s.login.is_some());
            prop_assert!(matches!(s.consent, Approved::Before | Approved::ForThisRequest));
        }
    }

    #[test]
    fn signing_in_and_approving_always_leads_on(s in state(), p in prompt(), m in max_age(), now in 100..200_i64) {
        let mut state = s;
        let mut steps = 0;
        loop {
            match next(&state, p, m, NumericDate(now)) {
                Next::SignIn => {
                    state.login = Some(SignedIn { auth_time: NumericDate(now), for_this_request: true });
                }
                Next::Consent => state.consent = Approved::ForThisRequest,
                Next::Proceed | Next::Refuse(_) => break,
            }
            steps += 1;
            prop_assert!(steps <= 2, "{:?}", state);
        }
    }
}
