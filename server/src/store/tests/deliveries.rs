//! Which clients are told that their user has answered.

use protocol::numeric_date::Seconds;

use super::*;
use crate::secret::SecretDigest;

promises! {
    an_answer_is_given_to_one_at_a_time_and_again_when_its_lease_is_over;
    what_is_postponed_comes_later_and_what_is_delivered_never_again;
}

const LEASE: Seconds = Seconds(60);

async fn queue(place: &Place, name: &str) -> SecretDigest {
    let digest = SecretDigest::of(name);
    let delivery = AnswerDelivery { digest, due_at: NOW, expires_at: NOW.plus(Seconds(300)) };
    place.keep(vec![Record::AnswerDelivery(delivery)]).await;
    digest
}

async fn claim(place: &Place, now: NumericDate) -> Vec<(SecretDigest, u32)> {
    place.store.claim_answers(None, now, LEASE, 10).await.unwrap()
}

async fn an_answer_is_given_to_one_at_a_time_and_again_when_its_lease_is_over(place: &Place) {
    let digest = queue(place, "a").await;
    let claims: Vec<_> = (0..20)
        .map(|_| {
            let store = place.store.clone();
            tokio::spawn(async move { store.claim_answers(Some(&digest), NOW, LEASE, 1).await.unwrap() })
        })
        .collect();
    let mut given = Vec::new();
    for one in claims {
        given.extend(one.await.unwrap());
    }
    assert_eq!(given, [(digest, 1)]);
    assert!(claim(place, NOW.plus(Seconds(59))).await.is_empty());
    assert_eq!(claim(place, NOW.plus(LEASE)).await, [(digest, 2)]);
}

async fn what_is_postponed_comes_later_and_what_is_delivered_never_again(place: &Place) {
    let (later, done) = (queue(place, "later").await, queue(place, "done").await);
    assert_eq!(place.store.claim_answers(Some(&later), NOW, LEASE, 10).await.unwrap(), [(later, 1)]);
    assert_eq!(claim(place, NOW).await, [(done, 1)]);
    let due_at = NOW.plus(Seconds(200));
    let notes = [Note::Postponed { digest: later, due_at }, Note::Delivered(done)];
    place.commit(notes.into_iter().fold(Change::housekeeping(NOW), Change::note)).await;
    assert!(claim(place, NOW.plus(Seconds(199))).await.is_empty());
    assert_eq!(claim(place, due_at).await, [(later, 2)]);
    // When its request is over, nobody needs to be told any more.
    place.store.sweep(NOW.plus(Seconds(300))).await.unwrap();
    assert!(claim(place, NOW.plus(Seconds(1000))).await.is_empty());
}
