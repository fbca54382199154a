//! Who is told when a session ends.

use std::collections::BTreeSet;

use protocol::numeric_date::Seconds;

use super::*;

promises! {
    a_session_that_ends_many_times_at_once_queues_each_client_once;
    a_delivery_is_given_to_one_at_a_time_and_again_when_its_lease_is_over;
    what_is_settled_is_gone_or_comes_later;
    a_session_that_time_ends_queues_its_clients_once_and_one_that_goes_on_does_not;
}

async fn a_session_that_time_ends_queues_its_clients_once_and_one_that_goes_on_does_not(place: &Place) {
    two_sessions(place).await;
    // The cookie of the second one changed, and under the new one it lasts longer.
    let longer = BrowserSession { expires_at: LATER.plus(Seconds(100)), ..session("c3", "s2") };
    place.keep(vec![Record::BrowserSession(longer)]).await;
    place.store.sweep(NOW).await.unwrap();
    assert!(claim(place, NOW).await.is_empty(), "none is over yet");
    place.store.sweep(LATER).await.unwrap();
    place.store.sweep(LATER).await.unwrap();
    let told: BTreeSet<_> = claim(place, LATER).await.into_iter().map(|d| (d.session, d.client)).collect();
    assert_eq!(told, ["app", "web"].map(|client| (id("s1"), id(client))).into());
    assert!(place.lives(Anchor::Session(id("s2"))).await);
    place.store.sweep(LATER.plus(Seconds(100))).await.unwrap();
    let told = claim(place, LATER.plus(Seconds(100))).await;
    assert!(told.iter().any(|d| d.session == id("s2")), "{told:?}");
}

const LEASE: Seconds = Seconds(60);

fn takes_part(client: &str, session: &str) -> Record {
    Record::SessionClient(SessionClient {
        session: id(session),
        client: id(client),
        user: id("alice"),
        at: NOW,
    })
}

async fn two_sessions(place: &Place) {
    place
        .keep(vec![
            Record::BrowserSession(session("c1", "s1")),
            Record::BrowserSession(session("c2", "s2")),
            takes_part("web", "s1"),
            takes_part("app", "s1"),
            takes_part("web", "s1"),
            takes_part("web", "s2"),
        ])
        .await;
}

async fn claim(place: &Place, now: NumericDate) -> Vec<LogoutDelivery> {
    place.store.claim_logouts(None, now, LEASE, 10).await.unwrap()
}

async fn a_session_that_ends_many_times_at_once_queues_each_client_once(place: &Place) {
    two_sessions(place).await;
    assert_eq!(place.store.clients_of_session(&id("s1")).await.unwrap().len(), 2);
    let (won, lost) = place.race(|_| Change::new(event()).end(Ending::Session(id("s1")))).await;
    assert_eq!((won, lost.len()), (50, 0));
    assert!(place.store.clients_of_session(&id("s1")).await.unwrap().is_empty());
    assert_eq!(place.store.clients_of_session(&id("s2")).await.unwrap(), [id("web")]);
    let told: BTreeSet<_> =
        claim(place, NOW).await.into_iter().map(|d| (d.session, d.client, d.user, d.attempt)).collect();
    let expected = ["app", "web"].map(|client| (id("s1"), id(client), id("alice"), 1));
    assert_eq!(told, expected.into());
}

async fn a_delivery_is_given_to_one_at_a_time_and_again_when_its_lease_is_over(place: &Place) {
    two_sessions(place).await;
    let end = |session| Change::new(event()).end(Ending::Session(id(session)));
    place.commit(end("s1")).await;
    place.commit(end("s2")).await;
    let claims: Vec<_> = (0..20)
        .map(|_| {
            let store = place.store.clone();
            tokio::spawn(async move { store.claim_logouts(None, NOW, LEASE, 1).await.unwrap() })
        })
        .collect();
    let mut given = Vec::new();
    for one in claims {
        given.extend(one.await.unwrap().into_iter().map(|delivery| delivery.id));
    }
    // Whoever saw a row that another took away may come out with nothing; the next look finds the rest.
    given.extend(claim(place, NOW).await.into_iter().map(|delivery| delivery.id));
    let distinct: BTreeSet<_> = given.iter().collect();
    assert_eq!((given.len(), distinct.len()), (3, 3), "{given:?}");
    assert!(claim(place, NOW.plus(Seconds(59))).await.is_empty());
    let again = claim(place, NOW.plus(LEASE)).await;
    assert!(again.len() == 3 && again.iter().all(|delivery| delivery.attempt == 2), "{again:?}");
}

async fn what_is_settled_is_gone_or_comes_later(place: &Place) {
    two_sessions(place).await;
    for session in ["s1", "s2"] {
        place.commit(Change::new(event()).end(Ending::Session(id(session)))).await;
    }
    let of_s2 = place.store.claim_logouts(Some(&id("s2")), NOW, LEASE, 10).await.unwrap();
    assert_eq!(of_s2.len(), 1);
    let due_at = NOW.plus(Seconds(600));
    place.commit(Change::housekeeping(NOW).settle(Settled::Later { id: of_s2[0].id.clone(), due_at })).await;
    for delivery in claim(place, NOW).await {
        assert_eq!(delivery.session, id("s1"));
        place.commit(Change::housekeeping(NOW).settle(Settled::Over(delivery.id))).await;
    }
    assert!(claim(place, NOW.plus(Seconds(599))).await.is_empty());
    let later = claim(place, due_at).await;
    assert_eq!(later.iter().map(|d| (&d.id, d.attempt)).collect::<Vec<_>>(), [(&of_s2[0].id, 2)]);
}
