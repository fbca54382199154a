//! What issuers of identity assertions brought, and that what was ended does not come back by itself.

use protocol::consent::Consent;
use protocol::task::Task;
use sea_orm::TransactionTrait as _;

use super::*;

promises! {
    what_an_issuer_brought_a_client_for_a_user_ends_together;
    what_was_ended_needs_a_sign_in_after_its_end_whoever_ended_it;
    the_last_end_counts;
    whoever_ends_it_waits_for_what_is_being_brought;
    of_what_two_nodes_bring_while_it_is_ended_nothing_lives_on;
    what_was_brought_is_swept_long_after_it_is_over_and_its_end_is_remembered;
}

const ISSUER: &str = "https://them.example";

fn brought(name: &str) -> Consent {
    Consent { brought_by: Some(ISSUER.into()), ..consent(name) }
}

fn signed_in(auth_time: Option<NumericDate>) -> SignedIn {
    SignedIn::At { issuer: ISSUER.into(), user: id("alice"), client: id("app"), auth_time }
}

/// Only if the user signed in there in time.
fn bring(auth_time: Option<NumericDate>) -> Change {
    Change::housekeeping(NOW).requires(Anchor::User(id("alice"))).requires_signed_in(signed_in(auth_time))
}

async fn prepare(place: &Place, consents: Vec<Consent>) {
    place.keep(vec![Record::User { user: user("alice"), origin: Origin::Config }]).await;
    place.keep(consents.into_iter().map(Record::Consent).collect()).await;
}

async fn what_an_issuer_brought_a_client_for_a_user_ends_together(place: &Place) {
    let other_issuer = Consent { brought_by: Some("https://other.example".into()), ..consent("other") };
    let other_client = Consent { client: id("shop"), ..brought("shops") };
    let other_user = Consent { user: id("bob"), ..brought("bobs") };
    let all = vec![brought("k"), brought("beside"), consent("own"), other_issuer, other_client, other_user];
    prepare(place, all).await;
    let under = |name: &str, consent: &str| Token { consent: Some(id(consent)), ..token(name) };
    place.keep(vec![Record::Task(task("w", "beside", None)), kept(under("t", "beside"))]).await;
    let done = place.commit(Change::new(event()).end(Ending::Consent(id("own")))).await;
    assert_eq!(done.ended, Ended { consents: 1, ..Ended::default() }, "what the user allowed stands alone");
    let done = place.commit(Change::new(event()).end(Ending::Consent(id("k")))).await;
    assert_eq!(done.ended, Ended { consents: 2, tasks: 1, tokens: 1, ..Ended::default() });
    assert!(!place.token_lives("t").await && !place.lives(Anchor::Consent(id("beside"))).await);
    for name in ["other", "shops", "bobs"] {
        assert!(place.lives(Anchor::Consent(id(name))).await, "{name}");
    }
}

async fn what_was_ended_needs_a_sign_in_after_its_end_whoever_ended_it(place: &Place) {
    prepare(place, Vec::new()).await;
    place.commit(bring(None)).await;
    // What the user allowed here, and what another issuer brought, is of no account.
    let theirs = Consent { brought_by: Some("https://other.example".into()), ..consent("theirs") };
    place.keep(vec![Record::Consent(consent("own")), Record::Consent(theirs)]).await;
    let both = [Ending::Consent(id("own")), Ending::Consent(id("theirs"))];
    place.commit(both.into_iter().fold(Change::new(event()), Change::end)).await;
    place.commit(bring(None)).await;
    let endings = [
        Ending::Consent(id("k")),
        Ending::User(id("alice")),
        Ending::Agent(id("agent")),
        Ending::Client(id("app")),
    ];
    for ending in endings {
        sql::execute(&place.store.0.core.writer, "DELETE FROM consent", vec![]).await.unwrap();
        sql::execute(&place.store.0.core.writer, "DELETE FROM brought_end", vec![]).await.unwrap();
        place.keep(vec![Record::Consent(brought("k"))]).await;
        place.commit(bring(None)).await;
        place.commit(Change::new(event()).end(ending.clone())).await;
        for too_early in [None, Some(NumericDate(NOW.0 - 1)), Some(NOW)] {
            let refused = place.store.commit(bring(too_early)).await;
            assert_eq!(
                refused,
                Err(CommitError::Conflict(Conflict::NotSignedIn)),
                "{ending:?} {too_early:?}"
            );
        }
        place.commit(bring(Some(NumericDate(NOW.0 + 1)))).await;
        let other_client =
            SignedIn::At { issuer: ISSUER.into(), user: id("alice"), client: id("b"), auth_time: None };
        place.commit(Change::housekeeping(NOW).requires_signed_in(other_client)).await;
    }
}

async fn the_last_end_counts(place: &Place) {
    prepare(place, vec![brought("k")]).await;
    let end = |name: &str, at| Change::housekeeping(at).end(Ending::Consent(id(name)));
    let later = NumericDate(NOW.0 + 100);
    place.commit(end("k", later)).await;
    place.keep(vec![Record::Consent(brought("next"))]).await;
    // A node whose clock is behind takes nothing of it back.
    place.commit(end("next", NOW)).await;
    assert!(place.store.commit(bring(Some(later))).await.is_err());
    place.commit(bring(Some(NumericDate(later.0 + 1)))).await;
}

async fn whoever_ends_it_waits_for_what_is_being_brought(place: &Place) {
    prepare(place, vec![brought("k")]).await;
    // Another writer, half way: nothing had ended, and the consent that it brings is not yet to be seen.
    let other = place.store.0.core.writer.begin().await.unwrap();
    let issue = bring(None);
    let lives = crate::store::anchors::Lives::hold(&other, &[&issue]).await.unwrap();
    assert!(lives.first_dead(&issue.requires, NOW).is_none());
    assert_eq!(crate::store::sign_ins::must_sign_in(&other, &issue).await.unwrap(), None);
    let late = Token { consent: Some(id("late")), ..token("late") };
    let rows = keeping::Rows::of(vec![Record::Consent(brought("late")), kept(late)]).unwrap();
    keeping::write(&other, &[&rows]).await.unwrap();
    let store = place.store.clone();
    let ending = Change::new(event()).end(Ending::Consent(id("k")));
    let ending = tokio::spawn(async move { store.commit(ending).await });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!ending.is_finished());
    other.commit().await.unwrap();
    assert_eq!(ending.await.unwrap().unwrap().ended.consents, 2);
    assert!(!place.token_lives("late").await && place.store.commit(bring(None)).await.is_err());
}

async fn of_what_two_nodes_bring_while_it_is_ended_nothing_lives_on(place: &Place) {
    prepare(place, vec![brought("k")]).await;
    let other = Store::open(&place.url).await.unwrap();
    let commit = |n: usize| {
        let under = format!("k{n}");
        let new = Token { consent: Some(id(&under)), ..token(&under) };
        let change = match n {
            15 => Change::new(event()).end(Ending::Consent(id("k"))),
            _ => bring(None).keep(Record::Consent(brought(&under))).keep(kept(new)),
        };
        let store = if n.is_multiple_of(2) { place.store.clone() } else { other.clone() };
        tokio::spawn(async move { store.commit(change).await })
    };
    let commits: Vec<_> = (0..30).map(commit).collect();
    for (n, one) in commits.into_iter().enumerate() {
        match one.await.unwrap() {
            Ok(_) => {}
            Err(error) => {
                assert_eq!((n == 15, error), (false, CommitError::Conflict(Conflict::NotSignedIn)));
            }
        }
    }
    for n in 0..30 {
        assert!(!place.token_lives(&format!("k{n}")).await, "{n}");
    }
    other.close().await;
}

async fn what_was_brought_is_swept_long_after_it_is_over_and_its_end_is_remembered(place: &Place) {
    const DAY: i64 = 86_400;
    let until = |until| Authority { until, ..authority() };
    let over = NumericDate(NOW.0 + 10);
    let ran_out = |name: &str| Consent { authority: until(over), ..brought(name) };
    let own = Consent { authority: until(over), ..consent("own") };
    let far = NumericDate(NOW.0 + 1000 * DAY);
    let ended = Consent { authority: until(far), client: id("shop"), ..brought("ended") };
    let stands = Consent { authority: until(far), client: id("stands"), ..brought("stands") };
    prepare(place, vec![ran_out("k"), ran_out("with-task"), own, ended, stands]).await;
    place.keep(vec![Record::Task(Task { deadline: far, ..task("w", "with-task", None) })]).await;
    place.commit(Change::housekeeping(NOW).end(Ending::Consent(id("ended")))).await;
    let there = async |name: &str| place.store.find_consent_now(&id(name)).await.unwrap().is_some();
    place.store.sweep(NumericDate(NOW.0 + 29 * DAY)).await.unwrap();
    assert!(there("k").await && there("ended").await);
    place.store.sweep(NumericDate(over.0 + 30 * DAY)).await.unwrap();
    assert!(!there("k").await && !there("ended").await, "what ran out, and what was ended");
    for name in ["with-task", "own", "stands"] {
        assert!(there(name).await, "{name}");
    }
    let again =
        SignedIn::At { issuer: ISSUER.into(), user: id("alice"), client: id("shop"), auth_time: None };
    let again = || Change::housekeeping(NOW).requires_signed_in(again.clone());
    assert_eq!(place.store.commit(again()).await, Err(CommitError::Conflict(Conflict::NotSignedIn)));
    place.store.sweep(NumericDate(NOW.0 + 3649 * DAY)).await.unwrap();
    assert!(place.store.commit(again()).await.is_err());
    place.store.sweep(NumericDate(NOW.0 + 3650 * DAY)).await.unwrap();
    place.commit(again()).await;
}
