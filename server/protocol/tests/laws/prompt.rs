//! `prompt` and `max_age`.

use proptest::prelude::*;
use protocol::acr::{Acr, Standing};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::prompt::{Approved, Asked, Next, Prompt, PromptRefused, SessionState, SignedIn, next};

fn state() -> impl Strategy<Value = SessionState> {
    let login = (0..100_i64, any::<bool>())
        .prop_map(|(at, for_this_request)| SignedIn { auth_time: NumericDate(at), for_this_request });
    let consent = prop::sample::select(vec![
        Approved::No,
        Approved::AskAgain,
        Approved::Before,
        Approved::ForThisRequest,
    ]);
    let context =
        prop::sample::select(vec![Standing::Met, Standing::Raise(Acr::MultiFactor), Standing::Unknown]);
    (prop::option::of(login), any::<bool>(), context, consent).prop_map(
        |(login, account_chosen, context, consent)| SessionState { login, account_chosen, context, consent },
    )
}

fn asked() -> impl Strategy<Value = Asked> {
    let prompt =
        "(none|((login|consent|select_account) ){0,3})".prop_map(|text| text.parse::<Prompt>().unwrap());
    let max_age = prop::option::of((0..100_i64).prop_map(Seconds));
    (prompt, max_age, any::<bool>()).prop_map(|(prompt, max_age, acr_necessary)| Asked {
        prompt,
        max_age,
        acr_necessary,
    })
}

proptest! {
    #[test]
    fn none_never_shows_a_page_and_the_others_refuse_only_what_cannot_be_met(s in state(), a in asked(), now in 0..200_i64) {
        let next = next(&s, &a, NumericDate(now));
        let page = matches!(next, Next::SignIn | Next::SelectAccount | Next::Consent);
        let unmet = next == Next::Refuse(PromptRefused::Unmet);
        let refused = matches!(next, Next::Refuse(_));
        prop_assert!(if a.prompt == Prompt::Nothing { !page } else { !refused || unmet }, "{:?}", next);
        prop_assert!(!unmet || (a.acr_necessary && s.context != Standing::Met));
    }

    #[test]
    fn nobody_goes_on_without_a_login_and_a_consent(s in state(), a in asked(), now in 0..200_i64) {
        if next(&s, &a, NumericDate(now)) == Next::Proceed {
            prop_assert!(s.login.is_some());
            prop_assert!(matches!(s.consent, Approved::Before | Approved::ForThisRequest));
        }
    }

    #[test]
    fn nobody_goes_on_below_a_context_that_is_necessary(s in state(), a in asked(), now in 0..200_i64) {
        let next = next(&s, &a, NumericDate(now));
        if a.acr_necessary && matches!(next, Next::Proceed | Next::Consent) {
            prop_assert_eq!(s.context, Standing::Met);
        }
    }

    #[test]
    fn signing_in_choosing_and_approving_always_leads_on(s in state(), a in asked(), now in 100..200_i64) {
        let mut state = s;
        let mut steps = 0;
        loop {
            match next(&state, &a, NumericDate(now)) {
                Next::SignIn => {
                    state.login = Some(SignedIn { auth_time: NumericDate(now), for_this_request: true });
                }
                Next::SelectAccount => state.account_chosen = true,
                Next::Consent => state.consent = Approved::ForThisRequest,
                Next::Proceed | Next::Refuse(_) => break,
            }
            steps += 1;
            prop_assert!(steps <= 3, "{:?}", state);
        }
    }
}
