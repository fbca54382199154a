//! What can be used once is used once, however many try at the same moment and at whichever node.

use std::sync::Arc;

use protocol::audit::{Action, Outcome};
use protocol::authorization::Approval;
use protocol::token::Login;
use server::app::{App, Visit};
use server::approvals::{self, Answerer};
use server::authorization::Decision;
use server::clock::{Clock as _, SystemClock};
use tests::load::scene::{self, AGENT, refreshing};
use tests::load::wire::{self, Answer};
use tests::street::Street;
use tests::{Database, on_both_databases};

use crate::{refusal, text};

on_both_databases! {
    a_code_is_redeemed_once,
    a_refresh_token_is_rotated_once,
    a_proof_is_accepted_once,
    a_client_assertion_is_accepted_once,
    one_client_assertion_does_not_introspect_twice,
    a_device_code_is_redeemed_once_and_answered_once,
}

/// How many try.
const RUNNERS: usize = 50;

/// The one answer that was no refusal.
#[track_caller]
fn only_winner<'a>(answers: &'a [Answer], error: &str) -> &'a Answer {
    let winners: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(winners.len(), 1, "{} of {} got something", winners.len(), answers.len());
    for loser in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refusal(loser), error, "{} {}", loser.status, loser.json());
    }
    winners[0]
}

/// How often the log tells that this was granted, and refused.
async fn told(street: &Street, action: Action) -> (usize, usize) {
    let events = street.nodes[0].app.store.audit_after(0, 100_000).await.unwrap();
    let count = |outcome| {
        let fits = |event: &&protocol::audit::LoggedEvent| {
            event.event.action == action && event.event.outcome == outcome
        };
        events.iter().filter(fits).count()
    };
    (count(Outcome::Granted), count(Outcome::Refused))
}

async fn a_code_is_redeemed_once(database: Database) {
    let street = Street::on(database).await;
    let codes = scene::codes(&street.nodes[0].app, 3).await.unwrap();
    for (round, code) in (1..).zip(&codes) {
        let answers = street.race(vec![code.redemption(); RUNNERS]).await;
        let token = text(only_winner(&answers, "invalid_grant"), "access_token");
        assert_eq!(told(&street, Action::TokenAuthorizationCode).await, (round, round * (RUNNERS - 1)));
        // The code came again, so that what the first one got may be in wrong hands.
        let answer = street.send(0, &street.scene.introspection(&token).unwrap()).await;
        assert_eq!(answer.json()["active"], false);
    }
}

async fn a_refresh_token_is_rotated_once(database: Database) {
    let street = Street::on(database).await;
    for code in scene::codes(&street.nodes[0].app, 3).await.unwrap() {
        let first = text(&street.send(0, &code.redemption()).await, "refresh_token");
        let answers = street.race(vec![refreshing(&first); RUNNERS]).await;
        let next = text(only_winner(&answers, "invalid_grant"), "refresh_token");
        // One of two that hold the same token is a thief; nobody knows which, so the family ends.
        assert_eq!(refusal(&street.send(0, &refreshing(&next)).await), "invalid_grant");
    }
    assert_eq!(told(&street, Action::TokenRefresh).await.0, 3);
}

async fn a_proof_is_accepted_once(database: Database) {
    let street = Street::on(database).await;
    let scene = &street.scene;
    let proof = scene.proof("/token", &scene.nonce().await.unwrap()).unwrap();
    let request = |_| scene.exchange_with(&scene.assertion(AGENT, &scene.agent_key).unwrap(), &proof);
    let answers = street.race((0..RUNNERS).map(request).collect()).await;
    only_winner(&answers, "invalid_dpop_proof");
    assert_eq!(told(&street, Action::TokenExchange).await, (1, RUNNERS - 1));
}

async fn a_client_assertion_is_accepted_once(database: Database) {
    let street = Street::on(database).await;
    let scene = &street.scene;
    let nonce = scene.nonce().await.unwrap();
    let assertion = scene.assertion(AGENT, &scene.agent_key).unwrap();
    let request = |_| scene.exchange_with(&assertion, &scene.proof("/token", &nonce).unwrap());
    let answers = street.race((0..RUNNERS).map(request).collect()).await;
    only_winner(&answers, "invalid_client");
    assert_eq!(told(&street, Action::TokenExchange).await, (1, RUNNERS - 1));
}

async fn one_client_assertion_does_not_introspect_twice(database: Database) {
    let street = Street::on(database).await;
    let request = street.scene.introspection("no token").unwrap();
    let answers = street.race(vec![request; RUNNERS]).await;
    only_winner(&answers, "invalid_client");
}

/// Alice answers at this node what the device of this code asks; whether that counted.
async fn answer(app: Arc<App>, user_code: String, allow: bool) -> bool {
    let alice = app.store.find_user_by_username("alice").await.unwrap().unwrap();
    let visit =
        Visit { now: SystemClock.now(), id: "req_test".parse().unwrap(), from: None, certificate: None };
    let Ok(waiting) = approvals::enter_user_code(&app, &visit, &alice.id, &user_code).await else {
        return false;
    };
    let offer = approvals::offer_for(&app, &visit, &waiting, &alice.id).await.unwrap();
    if !allow {
        return approvals::deny(&app, &visit, &waiting, &alice.id, &offer).await.is_ok();
    }
    let login = Login { auth_time: visit.now, acr: None, amr: Vec::new() };
    let answerer = Answerer { user: alice.id.clone(), login, session: None };
    let (scope, until) = (offer.authority.scope.clone(), offer.authority.until);
    let decision =
        Decision { approval: Approval { scope, details: Default::default(), until }, passing_on: false };
    approvals::approve(&app, &visit, &waiting, &answerer, &offer, &decision).await.is_ok()
}

async fn a_device_code_is_redeemed_once_and_answered_once(database: Database) {
    let street = Street::on(database).await;
    for round in 1..=3 {
        let ask = [("client_id", "desk"), ("scope", "openid orders:read")];
        let asked = street.send(0, &wire::post("/device_authorization", &[], &ask)).await;
        // A yes and a no at the same moment, at two nodes where there are two.
        let (first, last) = (&street.nodes[0].app, &street.nodes[street.nodes.len() - 1].app);
        let answers = [(first, true), (last, false), (first, false), (last, true)]
            .map(|(app, allow)| tokio::spawn(answer(Arc::clone(app), text(&asked, "user_code"), allow)));
        let mut counted = 0;
        for answer in answers {
            counted += usize::from(answer.await.unwrap());
        }
        assert_eq!(counted, 1);
        let (yes, no) = told(&street, Action::ConsentDecide).await;
        assert_eq!(yes + no, round, "{yes} {no}");

        let device_code = text(&asked, "device_code");
        let poll = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", "desk"),
            ("device_code", &device_code),
        ];
        let answers = street.race(vec![wire::post("/token", &[], &poll); RUNNERS]).await;
        if answers.iter().all(|answer| refusal(answer) == "access_denied") {
            continue;
        }
        let token = text(only_winner(&answers, "invalid_grant"), "access_token");
        let answer = street.send(0, &street.scene.introspection(&token).unwrap()).await;
        assert_eq!(answer.json()["active"], true, "whoever was late takes nothing away");
    }
}
