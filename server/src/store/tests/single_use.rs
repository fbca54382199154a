//! What many may try at once, and one gets.

use super::*;

promises! {
    a_code_is_redeemed_once;
    a_refresh_token_is_rotated_once;
    a_key_is_seen_once;
    the_ring_of_keys_is_changed_by_one_at_a_time;
    a_one_time_thing_is_taken_once_and_in_time;
    equal_keys_in_one_batch_have_one_winner;
    what_comes_after_another_change_is_written_with_it_or_not_at_all;
}

async fn a_code_is_redeemed_once(place: &Place) {
    place.keep(vec![code("c", "k")]).await;
    let redeem = |n: usize| {
        let token = token(&format!("t{n}"));
        Change::new(event())
            .take(Take::Code { digest: digest("c"), token: Some(token.id.clone()) })
            .keep(kept(token))
    };
    let (won, lost) = place.race(redeem).await;
    assert_eq!(won, 1);
    assert!(lost.iter().all(|e| *e == CommitError::Conflict(Conflict::AlreadyTaken)), "{lost:?}");
    assert!(place.store.find_code(&digest("c")).await.unwrap().unwrap().redeemed);
    let mut issued = 0;
    for n in 0..50 {
        issued += usize::from(place.token_lives(&format!("t{n}")).await);
    }
    assert_eq!(issued, 1);
    // The code names the winner's token, whoever else was in the batch.
    place.commit(Change::new(event()).end(Ending::CodeTokens(digest("c")))).await;
    for n in 0..50 {
        assert!(!place.token_lives(&format!("t{n}")).await);
    }
}

async fn a_refresh_token_is_rotated_once(place: &Place) {
    place.keep(vec![refresh("r", "f")]).await;
    let rotate = |n: usize| {
        Change::new(event())
            .requires(Anchor::Token(id("r")))
            .requires(Anchor::Family(id("f")))
            .take(Take::Refresh(id("r")))
            .keep(refresh(&format!("r{n}"), "f"))
    };
    let (won, lost) = place.race(rotate).await;
    assert_eq!((won, lost.len()), (1, 49));
    assert!(lost.iter().all(|e| matches!(e, CommitError::Conflict(_))), "{lost:?}");
    assert!(!place.token_lives("r").await);
}

async fn a_key_is_seen_once(place: &Place) {
    let key = ReplayKey::new("dpop", &["k", "jti"]);
    let (won, lost) = place.race(|_| Change::housekeeping(NOW).first_time(key, LATER)).await;
    assert_eq!(won, 1);
    assert!(lost.iter().all(|e| *e == CommitError::Conflict(Conflict::Replayed(key))), "{lost:?}");
}

async fn the_ring_of_keys_is_changed_by_one_at_a_time(place: &Place) {
    for version in 0..3 {
        assert_eq!(place.store.signing_keys_version().await.unwrap(), version);
        let (won, lost) = place.race(|_| Change::housekeeping(NOW).take(Take::SigningKeys(version))).await;
        assert_eq!(won, 1);
        assert!(lost.iter().all(|e| *e == CommitError::Conflict(Conflict::AlreadyTaken)), "{lost:?}");
    }
    for other in [0, 2, 4, -1] {
        let refused = place.store.commit(Change::housekeeping(NOW).take(Take::SigningKeys(other))).await;
        assert_eq!(refused.unwrap_err(), CommitError::Conflict(Conflict::AlreadyTaken));
    }
}

async fn a_one_time_thing_is_taken_once_and_in_time(place: &Place) {
    let link =
        OneTimeLink { digest: digest("l"), user: id("alice"), purpose: "password".into(), expires_at: LATER };
    let (document, expires_at) = (json!({"a": 1}), LATER);
    let pushed = Record::PushedRequest {
        digest: digest("p"),
        client: id("app"),
        instance: None,
        document,
        expires_at,
    };
    let waiting = Record::Interaction { id: "i".into(), document: json!({"b": 1}), expires_at };
    place.keep(vec![Record::OneTimeLink(link.clone()), pushed, waiting]).await;
    let store = &place.store;
    assert_eq!(store.find_one_time_link(&digest("l"), NOW).await.unwrap(), Some(link));
    assert_eq!(
        store.find_pushed_request(&digest("p"), NOW).await.unwrap().unwrap().document,
        json!({"a": 1})
    );
    assert_eq!(store.find_interaction("i", NOW).await.unwrap().unwrap().document, json!({"b": 1}));
    assert!(store.find_interaction("i", LATER).await.unwrap().is_none());
    for take in
        [Take::OneTimeLink(digest("l")), Take::PushedRequest(digest("p")), Take::Interaction("i".into())]
    {
        let taken = Err(CommitError::Conflict(Conflict::AlreadyTaken));
        let late = store.commit(Change::housekeeping(LATER).take(take.clone())).await;
        assert_eq!(late, taken, "{take:?} is over");
        place.commit(Change::housekeeping(NOW).take(take.clone())).await;
        let again = store.commit(Change::housekeeping(NOW).take(take.clone())).await;
        assert_eq!(again, taken, "{take:?} twice");
    }
    assert!(store.find_one_time_link(&digest("l"), NOW).await.unwrap().is_none());
    assert!(store.find_pushed_request(&digest("p"), NOW).await.unwrap().is_none());
    assert!(store.find_interaction("i", NOW).await.unwrap().is_none());
}

async fn equal_keys_in_one_batch_have_one_winner(place: &Place) {
    let key = |n: usize| ReplayKey::new("jti", &[&n.to_string()]);
    place.keep(vec![code("c", "k")]).await;
    let prepared = |n: usize, change: Change| {
        let rows = keeping::Rows::of(vec![kept(token(&format!("t{n}")))]).unwrap();
        batch::Prepared { change, rows }
    };
    let take = || Take::Code { digest: digest("c"), token: None };
    let changes = [
        prepared(0, Change::new(event()).first_time(key(1), LATER)),
        prepared(1, Change::new(event()).first_time(key(1), LATER).first_time(key(2), LATER)),
        prepared(2, Change::new(event()).first_time(key(3), LATER).take(take())),
        prepared(3, Change::new(event()).first_time(key(4), LATER).take(take())),
    ];
    let batch: Vec<_> = changes.iter().collect();
    let Ok(verdicts) = batch::run(&place.store.0.core.writer, &batch, None).await else {
        panic!("no commit")
    };
    let seq = |seq| Ok(Committed { seq: Some(seq), ended: Ended::default() });
    assert_eq!(verdicts, [seq(1), Err(Conflict::Replayed(key(1))), seq(2), Err(Conflict::AlreadyTaken)]);
    assert!(place.token_lives("t0").await && !place.token_lives("t1").await);
    assert!(place.token_lives("t2").await && !place.token_lives("t3").await);
}

async fn what_comes_after_another_change_is_written_with_it_or_not_at_all(place: &Place) {
    let [shown, taken] = ["shown", "taken"].map(|name| ReplayKey::new(name, &["x"]));
    let both = |n: usize| {
        let newcomer = user(&format!("newcomer-{n}"));
        let first = Change::new(event())
            .first_time(taken, LATER)
            .keep(Record::User { user: newcomer, origin: Origin::Admin });
        let own = ReplayKey::new("own", &[&n.to_string()]);
        Change::new(event()).first_time(own, LATER).keep(kept(token(&format!("t{n}")))).after(first)
    };
    let there = async |n: usize| {
        let user = place.store.find_user(&id(&format!("newcomer-{n}"))).await.unwrap().is_some();
        assert_eq!(user, place.token_lives(&format!("t{n}")).await, "{n}");
        user
    };
    // Whoever shows something old claims nothing: the next one finds it free.
    place.commit(Change::housekeeping(NOW).first_time(shown, LATER)).await;
    let replayed = place.store.commit(both(100).first_time(shown, LATER)).await;
    assert_eq!(replayed.unwrap_err(), CommitError::Conflict(Conflict::Replayed(shown)));
    assert!(!there(100).await);
    let (won, lost) = place.race(both).await;
    assert_eq!(won, 1);
    assert!(lost.iter().all(|e| *e == CommitError::Conflict(Conflict::Replayed(taken))), "{lost:?}");
    let mut made = 0;
    for n in 0..50 {
        made += usize::from(there(n).await);
    }
    assert_eq!(made, 1);
    // What the others showed themselves counts as shown.
    let own = ReplayKey::new("own", &["7"]);
    let again = place.store.commit(Change::housekeeping(NOW).first_time(own, LATER)).await;
    assert_eq!(again.unwrap_err(), CommitError::Conflict(Conflict::Replayed(own)));
}
