//! Many changes, one transaction, one log.

use super::*;

promises! {
    the_log_has_no_gaps;
    a_change_that_lost_is_not_told_in_the_log;
    a_poisonous_change_fails_alone;
    many_changes_share_a_transaction;
    a_closed_store_writes_what_waited_and_nothing_more;
}

async fn the_log_has_no_gaps(place: &Place) {
    let key = |n: usize| ReplayKey::new("jti", &[&(n % 40).to_string()]);
    let mut given = Vec::new();
    let commits: Vec<_> = (0..200)
        .map(|n| {
            let store = place.store.clone();
            let change = Change::new(event()).first_time(key(n), LATER);
            tokio::spawn(async move { store.commit(change).await })
        })
        .collect();
    for commit in commits {
        if let Ok(committed) = commit.await.unwrap() {
            given.push(committed.seq.unwrap());
        }
    }
    given.sort_unstable();
    assert_eq!(given, (1..=40).collect::<Vec<_>>());
    assert_eq!(place.log().await, given);
    let newest: Vec<_> = place.store.audit_tail(3).await.unwrap().iter().map(|e| e.seq).collect();
    assert_eq!(newest, [40, 39, 38]);
}

async fn a_change_that_lost_is_not_told_in_the_log(place: &Place) {
    let take = || Change::new(event()).take(Take::Interaction("nothing".into()));
    assert!(place.store.commit(take()).await.is_err());
    assert!(place.log().await.is_empty());
    assert_eq!(place.commit(Change::new(event())).await.seq, Some(1));
    assert_eq!(place.store.audit_tail(1).await.unwrap()[0].event, event());
}

async fn a_poisonous_change_fails_alone(place: &Place) {
    place.keep(vec![kept(token("twice"))]).await;
    let change = |n: usize| {
        let name = if n == 7 { "twice".to_owned() } else { format!("t{n}") };
        Change::new(event()).keep(kept(token(&name)))
    };
    let (won, lost) = place.race(change).await;
    assert_eq!(won, 49);
    assert!(matches!(&lost[..], [CommitError::Broken(StoreError::Database(_))]), "{lost:?}");
    assert_eq!(place.log().await, (1..=49).collect::<Vec<_>>());
}

async fn many_changes_share_a_transaction(place: &Place) {
    let (won, _) = place.race(|n| Change::new(event()).keep(kept(token(&format!("t{n}"))))).await;
    let statistics = place.store.statistics();
    assert_eq!((won, statistics.changes), (50, 50));
    assert!(statistics.commits < 50, "{statistics:?}");
    place.store.ping().await.unwrap();
}

async fn a_closed_store_writes_what_waited_and_nothing_more(place: &Place) {
    let waiting: Vec<_> = (0..20)
        .map(|n| {
            let store = place.store.clone();
            let change = Change::new(event()).keep(kept(token(&format!("t{n}"))));
            tokio::spawn(async move { store.commit(change).await })
        })
        .collect();
    tokio::task::yield_now().await;
    place.store.close().await;
    let mut answered = 0;
    for one in waiting {
        match one.await.unwrap() {
            Ok(_) => answered += 1,
            Err(error) => assert!(matches!(error, CommitError::Broken(StoreError::Unavailable(_)))),
        }
    }
    let refused = place.store.commit(Change::new(event())).await;
    assert!(matches!(refused, Err(CommitError::Broken(StoreError::Unavailable(_)))), "{refused:?}");
    assert!(place.store.ping().await.is_err());
    let again = Store::open(&place.url).await.unwrap();
    assert_eq!(again.audit_after(0, 100).await.unwrap().len(), answered);
    again.close().await;
}
