//! What ends with what.

use super::*;

promises! {
    ending_a_consent_ends_its_subtree_and_nothing_else;
    nothing_is_derived_from_a_consent_that_ends_at_the_same_moment;
    an_ending_waits_for_what_is_being_derived_and_ends_it_too;
    ending_a_family_ends_what_came_of_it;
    ending_a_session_ends_what_hangs_on_it;
    a_code_that_comes_again_ends_what_it_produced;
}

async fn ending_a_consent_ends_its_subtree_and_nothing_else(place: &Place) {
    let of = TaskRef { authority_hash: String::new(), id: id("w"), root: id("w") };
    place
        .keep(vec![
            Record::Consent(consent("k")),
            Record::Consent(consent("other")),
            Record::Task(task("w", "k", None)),
            Record::Task(task("ow", "other", None)),
            code("c", "k"),
            code("oc", "other"),
            kept(under("k", "t1")),
            kept(Token { task: Some(of), ..under("k", "t2") }),
            kept(child("t1", under("other", "t3"))),
            kept(child("t3", under("other", "t4"))),
            kept(under("other", "o1")),
            kept(child("o1", under("other", "o2"))),
        ])
        .await;
    let done = place.commit(Change::new(event()).end(Ending::Consent(id("k")))).await;
    assert_eq!(done.ended, Ended { consents: 1, tasks: 1, tokens: 4, pending: 1, ..Ended::default() });
    for dead in ["t1", "t2", "t3", "t4"] {
        assert!(!place.token_lives(dead).await, "{dead}");
    }
    for alive in ["o1", "o2"] {
        assert!(place.token_lives(alive).await, "{alive}");
    }
    assert!(!place.lives(Anchor::Task(id("w"))).await && place.lives(Anchor::Task(id("ow"))).await);
    assert!(place.store.find_code(&digest("c")).await.unwrap().unwrap().redeemed);
    assert!(!place.store.find_code(&digest("oc")).await.unwrap().unwrap().redeemed);
    assert!(place.lives(Anchor::Consent(id("other"))).await);
    let again = place.commit(Change::new(event()).end(Ending::Consent(id("k")))).await;
    assert_eq!(again.ended, Ended::default());
    assert!(place.store.tokens_of_consent(&id("k"), NOW).await.unwrap().is_empty());
    assert_eq!(place.store.tokens_of_consent(&id("other"), NOW).await.unwrap().len(), 2);
    let live = place.store.consents_for(&id("alice"), &id("agent"), None, NOW).await.unwrap();
    assert_eq!(live.into_iter().map(|c| c.id).collect::<Vec<_>>(), [id::<ConsentId>("other")]);
}

async fn nothing_is_derived_from_a_consent_that_ends_at_the_same_moment(place: &Place) {
    place.keep(vec![Record::Consent(consent("k")), kept(under("k", "root"))]).await;
    let derive = |n: usize| {
        if n == 25 {
            return Change::new(event()).end(Ending::Consent(id("k")));
        }
        let change = Change::new(event()).requires(Anchor::Token(id("root")));
        // Half of them under another consent: only the lineage leads to them.
        let consent = if n.is_multiple_of(2) { "k" } else { "elsewhere" };
        change.keep(kept(child("root", under(consent, &format!("d{n}")))))
    };
    let (won, lost) = place.race(derive).await;
    assert!(won >= 1 && lost.iter().all(|e| matches!(e, CommitError::Conflict(_))), "{lost:?}");
    for n in 0..50 {
        assert!(!place.token_lives(&format!("d{n}")).await, "d{n}");
    }
    assert_eq!(place.log().await, (1..=i64::try_from(won).unwrap()).collect::<Vec<_>>());
}

async fn ending_a_family_ends_what_came_of_it(place: &Place) {
    place
        .keep(vec![refresh("r1", "f"), kept(child("r1", token("a1"))), kept(child("a1", token("e1")))])
        .await;
    let rotate = Change::housekeeping(NOW).take(Take::Refresh(id("r1"))).keep(refresh("r2", "f"));
    place.commit(rotate).await;
    assert!(place.token_lives("a1").await, "rotation ends the refresh token and nothing else");
    place.keep(vec![refresh("x", "g")]).await;
    let done = place.commit(Change::new(event()).end(Ending::Family(id("f")))).await;
    assert_eq!(done.ended.tokens, 3);
    for dead in ["r2", "a1", "e1"] {
        assert!(!place.token_lives(dead).await, "{dead}");
    }
    assert!(place.token_lives("x").await);
    assert!(!place.lives(Anchor::Family(id("f"))).await && place.lives(Anchor::Family(id("g"))).await);
}

async fn ending_a_session_ends_what_hangs_on_it(place: &Place) {
    let on = |name: &str, session: &str| Token { session: Some(id(session)), ..token(name) };
    place
        .keep(vec![
            Record::User { user: user("alice"), origin: Origin::Config },
            Record::BrowserSession(session("c1", "s1")),
            Record::BrowserSession(session("c2", "s2")),
            kept(on("t1", "s1")),
            kept(child("t1", token("t2"))),
            kept(on("u", "s2")),
        ])
        .await;
    place.commit(Change::new(event()).end(Ending::Session(id("s1")))).await;
    assert!(!place.token_lives("t1").await && !place.token_lives("t2").await);
    assert!(place.token_lives("u").await && place.lives(Anchor::Session(id("s2"))).await);
    place.keep(vec![Record::BrowserSession(session("c1", "s1"))]).await;
    assert!(place.store.find_browser_session("c1", NOW).await.unwrap().is_none(), "it does not rise again");
    let there = place.store.find_browser_session("c2", NOW).await.unwrap();
    assert_eq!(there, Some(session("c2", "s2")));
    place.commit(Change::housekeeping(NOW).drop_session("c2")).await;
    assert!(place.store.find_browser_session("c2", NOW).await.unwrap().is_none());
    assert!(place.token_lives("u").await, "dropping a cookie ends nothing");
}

async fn a_code_that_comes_again_ends_what_it_produced(place: &Place) {
    place.keep(vec![code("c", "k"), kept(token("free"))]).await;
    let access = Token { family: Some(id("f")), ..token("a") };
    let redeem = Change::new(event())
        .take(Take::Code { digest: digest("c"), token: Some(access.id.clone()) })
        .keep(kept(access))
        .keep(refresh("r", "f"));
    place.commit(redeem).await;
    place.keep(vec![kept(child("a", token("e")))]).await;
    let again = Change::new(event()).bump_attempts(digest("c")).end(Ending::CodeTokens(digest("c")));
    assert_eq!(place.commit(again).await.ended.tokens, 3);
    for dead in ["a", "r", "e"] {
        assert!(!place.token_lives(dead).await, "{dead}");
    }
    assert!(place.token_lives("free").await && !place.lives(Anchor::Family(id("f"))).await);
    assert_eq!(place.store.find_code(&digest("c")).await.unwrap().unwrap().attempts, 1);
}

async fn an_ending_waits_for_what_is_being_derived_and_ends_it_too(place: &Place) {
    use sea_orm::TransactionTrait as _;
    place.keep(vec![Record::Consent(consent("k")), kept(under("k", "root"))]).await;
    // Another writer, half way: it saw the parent alive, and what it derives is not yet to be seen.
    let other = place.store.0.core.writer.begin().await.unwrap();
    let derive = Change::housekeeping(NOW).requires(Anchor::Token(id("root")));
    let lives = crate::store::anchors::Lives::hold(&other, &[&derive]).await.unwrap();
    assert!(lives.first_dead(&derive.requires, NOW).is_none());
    let rows = keeping::Rows::of(vec![kept(child("root", under("elsewhere", "late")))]).unwrap();
    keeping::write(&other, &[&rows]).await.unwrap();
    let store = place.store.clone();
    let ending =
        tokio::spawn(async move { store.commit(Change::new(event()).end(Ending::Consent(id("k")))).await });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!ending.is_finished());
    other.commit().await.unwrap();
    let done = ending.await.unwrap().unwrap();
    let named = Named { consents: vec![id("k")], ..Named::default() };
    assert_eq!(done.ended, Ended { consents: 1, tokens: 2, named, ..Ended::default() });
    assert!(!place.token_lives("root").await && !place.token_lives("late").await);
}
