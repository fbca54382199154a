//! What is alive under something is found, and nothing else; instances are found by what they hold.

use protocol::instance::Instance;
use protocol::token::TokenKind;

use super::*;

promises! {
    what_lives_under_a_consent_a_task_or_a_client_is_found_and_nothing_else;
    an_instance_is_known_by_its_tokens_and_by_its_end;
}

/// An instance as these tests look at it: its id, first and last seen, its live tokens, whether it ended.
type Row = (String, Option<i64>, Option<i64>, u64, bool);

fn of_task(task: &str, name: &str) -> Token {
    let (id, root) = (id(task), id(task));
    Token { task: Some(TaskRef { id, root, authority_hash: String::new() }), ..under("k", name) }
}

fn issued(seconds: i64, token: Token) -> Record {
    kept(Token { issued_at: NOW.plus(Seconds(seconds)), ..token })
}

async fn what_lives_under_a_consent_a_task_or_a_client_is_found_and_nothing_else(place: &Place) {
    let over = |name: &str| {
        let authority = Authority { until: NOW, ..authority() };
        Token { authority, ..under("k", name) }
    };
    place
        .keep(vec![
            Record::Consent(consent("k")),
            Record::Consent(consent("l")),
            Record::Task(task("w", "k", None)),
            Record::Task(task("part", "k", Some("w"))),
            Record::Task(task("other", "k", None)),
            issued(1, of_task("w", "old")),
            issued(3, of_task("part", "new")),
            issued(2, of_task("other", "between")),
            issued(4, Token { kind: TokenKind::Id, ..under("k", "id") }),
            kept(over("over")),
            kept(under("k", "ended")),
            kept(under("l", "elsewhere")),
            issued(1, token("own")),
            kept(Token { client: id("somebody"), ..token("anothers") }),
        ])
        .await;
    place.commit(Change::housekeeping(NOW).end(Ending::Token(id("ended")))).await;
    let found = async |under: Under| -> Vec<String> {
        let found = place.store.tokens_under(&under, NOW).await.unwrap();
        found.into_iter().map(|token| token.id.to_string()).collect()
    };
    assert_eq!(found(Under::Consent(id("k"))).await, ["id", "new", "between", "old"]);
    assert_eq!(found(Under::Task(id("w"))).await, ["new", "old"], "its parts are its own");
    assert_eq!(found(Under::Task(id("part"))).await, ["new"]);
    assert_eq!(found(Under::Client(id("app"))).await, ["own"], "what a consent is behind stands with that");
    assert_eq!(found(Under::Consent(id("nothing"))).await, Vec::<String>::new());

    place.keep(vec![refresh("r1", "f"), refresh("r2", "f")]).await;
    let live = async || place.store.live_token_of_family(&id("f"), NOW).await.unwrap();
    assert_eq!(live().await.unwrap().family, Some(id("f")));
    place.commit(Change::housekeeping(NOW).end(Ending::Family(id("f")))).await;
    assert_eq!(live().await, None);
}

async fn an_instance_is_known_by_its_tokens_and_by_its_end(place: &Place) {
    let instance = |name: &str| Instance::new(&id("app"), &id(name));
    let of = |name: &str, of: &str| Token { instance: Some(id(of)), ..token(name) };
    let mut elsewhere = Token { client: id("gate"), ..token("acts") };
    let actor: protocol::actor::Actor = serde_json::from_value(
        json!({ "iss": "https://as.example", "sub": "app", "sub_profile": "ai_agent", "instance": "run-2" }),
    )
    .unwrap();
    elsewhere.chain = protocol::actor::Chain::of(actor);
    let sibling = Token { client: id("app-two"), ..of("sibling", "run-9") };
    place
        .keep(vec![
            issued(1, of("a", "run-1")),
            issued(5, of("b", "run-1")),
            issued(3, elsewhere),
            issued(9, sibling),
        ])
        .await;
    let seen = async || -> Vec<Row> {
        let all = place.store.instances_of(&id("app"), NOW, 10).await.unwrap();
        let since = |date: Option<NumericDate>| date.map(|date| date.0 - NOW.0);
        let row = |one: SeenInstance| {
            (one.id.to_string(), since(one.first), since(one.last), one.tokens, one.ended_at.is_some())
        };
        all.into_iter().map(row).collect()
    };
    let (one, two) = ("run-1".to_owned(), "run-2".to_owned());
    assert_eq!(
        seen().await,
        [(one.clone(), Some(1), Some(5), 2, false), (two.clone(), Some(3), Some(3), 1, false)],
        "the last seen first, also where it acts with what another client holds"
    );
    assert_eq!(place.store.instances_of(&id("app"), NOW, 1).await.unwrap().len(), 1);
    assert_eq!(place.store.find_instance(&instance("run-2"), NOW).await.unwrap().unwrap().tokens, 1);
    assert_eq!(place.store.find_instance(&instance("run-9"), NOW).await.unwrap(), None, "that is another's");
    assert_eq!(place.store.instances_of(&id("ap"), NOW, 10).await.unwrap(), []);

    place.commit(Change::housekeeping(NOW).end(Ending::Instance(instance("run-1")))).await;
    place.commit(Change::housekeeping(NOW).end(Ending::Instance(instance("never")))).await;
    let never = ("never".to_owned(), None, None, 0, true);
    let mut found = seen().await;
    found.sort();
    assert_eq!(found, [never, (one, Some(1), Some(5), 0, true), (two, Some(3), Some(3), 1, false)]);
    assert_eq!(
        place.store.find_instance(&instance("run-1"), NOW).await.unwrap().unwrap().ended_at,
        Some(NOW)
    );
}
