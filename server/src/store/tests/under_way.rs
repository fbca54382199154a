//! Who is stopped is stopped at once; what they hold is ended after that.

use protocol::ending::{AccountOperation, Operation};
use sea_orm::TransactionTrait as _;

use super::*;

promises! {
    whoever_is_stopped_is_stopped_while_what_they_hold_is_still_being_ended;
    what_was_not_ended_because_somebody_died_a_sweep_ends;
    nobody_acts_again_before_what_they_held_is_ended;
    what_an_agent_gets_after_it_was_resumed_is_nobodys_to_end;
    of_two_who_finish_an_ending_one_does;
    an_ending_that_cannot_be_finished_keeps_no_other_waiting;
    nobody_is_signed_in_whose_account_was_disabled_a_moment_ago;
}

fn agent() -> Record {
    let agent =
        Agent { owner: id("olga"), purpose: "Works.".into(), expires_at: LATER, max_chain_depth: None };
    Record::Client {
        client: Client { kind: ClientKind::Agent(agent), ..client("agent", "Agent") },
        origin: Origin::Config,
    }
}

fn of_agent(name: &str) -> Record {
    kept(Token { client: id("agent"), ..token(name) })
}

fn operate(operation: Operation) -> Change {
    Change::new(event()).operate(id("agent"), operation)
}

/// Each way to stop somebody, what is stopped by it, what they hold, and what lets them act again.
fn ways() -> [(Change, Anchor, &'static str, Option<Change>); 4] {
    let account = |operation| Change::new(event()).set_account(id("alice"), operation);
    [
        (operate(Operation::Suspend), Anchor::Client(id("agent")), "t1", Some(operate(Operation::Resume))),
        (
            Change::new(event()).end(Ending::Owner(id("olga"))),
            Anchor::Client(id("agent")),
            "t2",
            Some(operate(Operation::Resume)),
        ),
        (
            account(AccountOperation::Disable),
            Anchor::User(id("alice")),
            "t3",
            Some(account(AccountOperation::Enable)),
        ),
        (operate(Operation::Retire), Anchor::Client(id("agent")), "t4", None),
    ]
}

async fn furnish(place: &Place) {
    place.keep(vec![agent(), declared_user("alice")]).await;
}

fn declared_user(name: &str) -> Record {
    Record::User { user: user(name), origin: Origin::Config }
}

async fn whoever_is_stopped_is_stopped_while_what_they_hold_is_still_being_ended(place: &Place) {
    if !place.url.starts_with("postgres") {
        // SQLite has one writer: while somebody else writes nobody is stopped at all.
        return;
    }
    furnish(place).await;
    for (stop, stopped, held, release) in ways() {
        place.keep(vec![of_agent(held)]).await;
        let reader = sea_orm::Database::connect(&place.url).await.unwrap();
        let busy = reader.begin().await.unwrap();
        let hold = "SELECT id FROM token WHERE id = $1 FOR UPDATE";
        sql::query(&busy, hold, vec![held.into()]).await.unwrap();
        let store = place.store.clone();
        let stopping = tokio::spawn(async move { store.commit(stop).await });
        while place.lives(stopped.clone()).await {
            assert!(!stopping.is_finished(), "{stopped:?} is not stopped");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(
            !stopping.is_finished() && place.token_lives(held).await,
            "nothing was held up: this shows nothing"
        );
        busy.commit().await.unwrap();
        let ended = stopping.await.unwrap().unwrap().ended;
        assert_eq!((ended.tokens, ended.under_way), (1, Vec::new()));
        assert!(!place.token_lives(held).await);
        if let Some(release) = release {
            place.commit(release).await;
        }
        reader.close().await.unwrap();
    }
}

async fn what_was_not_ended_because_somebody_died_a_sweep_ends(place: &Place) {
    furnish(place).await;
    for (stop, stopped, held, release) in ways() {
        place.keep(vec![of_agent(held)]).await;
        let ended = place.store.write(stop).await.unwrap().ended;
        assert_eq!((ended.tokens, ended.under_way.len()), (0, 1), "{stopped:?}");
        assert!(place.token_lives(held).await && !place.lives(stopped.clone()).await);
        let sweeper = Store::open(&place.url).await.unwrap();
        sweeper.finish_endings(NOW).await.unwrap();
        sweeper.close().await;
        assert!(!place.token_lives(held).await, "{stopped:?}");
        if let Some(release) = release {
            place.commit(release).await;
        }
    }
}

async fn nobody_acts_again_before_what_they_held_is_ended(place: &Place) {
    furnish(place).await;
    for (stop, stopped, held, release) in ways() {
        let Some(release) = release else { continue };
        place.keep(vec![of_agent(held)]).await;
        place.store.write(stop).await.unwrap();
        let ended = place.commit(release).await.ended;
        assert_eq!(ended.tokens, 1, "{stopped:?}");
        assert!(place.lives(stopped).await && !place.token_lives(held).await);
    }
}

async fn what_an_agent_gets_after_it_was_resumed_is_nobodys_to_end(place: &Place) {
    furnish(place).await;
    place.store.write(operate(Operation::Suspend)).await.unwrap();
    place.commit(operate(Operation::Resume)).await;
    place.keep(vec![of_agent("new")]).await;
    place.store.finish_endings(NOW).await.unwrap();
    assert!(place.token_lives("new").await);
}

async fn of_two_who_finish_an_ending_one_does(place: &Place) {
    furnish(place).await;
    place.keep(vec![of_agent("t")]).await;
    let mut begun = place.store.write(operate(Operation::Suspend)).await.unwrap().ended;
    let other = Store::open(&place.url).await.unwrap();
    let mut again = begun.clone();
    let (mine, theirs) = tokio::join!(
        place.store.finish_what_began(&mut begun, NOW),
        other.finish_what_began(&mut again, NOW)
    );
    assert_eq!((mine, theirs), ((), ()));
    assert_eq!(begun.tokens + again.tokens, 1);
    assert!(begun.under_way.is_empty() && again.under_way.is_empty());
    other.close().await;
}

async fn nobody_is_signed_in_whose_account_was_disabled_a_moment_ago(place: &Place) {
    furnish(place).await;
    place.keep(vec![Record::BrowserSession(session("cookie", "s"))]).await;
    let is_there = async || place.store.find_browser_session("cookie", NOW).await.unwrap().is_some();
    assert!(is_there().await);
    let disable = Change::new(event()).set_account(id("alice"), AccountOperation::Disable);
    place.store.write(disable).await.unwrap();
    assert!(!is_there().await);
}

async fn an_ending_that_cannot_be_finished_keeps_no_other_waiting(place: &Place) {
    furnish(place).await;
    place.keep(vec![of_agent("t")]).await;
    place.store.write(operate(Operation::Suspend)).await.unwrap();
    // It comes first, and nobody can read it.
    let spoilt = "INSERT INTO ending_under_way (stopped) VALUES ('a: spoilt')";
    sql::execute(&place.store.0.core.writer, spoilt, Vec::new()).await.unwrap();
    assert!(matches!(place.store.finish_endings(NOW).await, Err(StoreError::Corrupt { .. })));
    assert!(!place.token_lives("t").await);
}
