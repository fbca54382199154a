//! Nothing is spliced: whatever tokens of whatever stories are put together, what comes of it is what the user, the
//! tasks and the rules of the house say, or nothing at all. Random stories are played over HTTP and held against a
//! model ([`model`]) that was written from the rules and not from the server.

mod model;
mod stage;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tests::{Database, INVENTORY, ORDERS};

use model::{ACCESS, AGENTS, Attempt, Key, ORDERS_API, PARTIES, Stands, Why, Words, World};
use stage::{Stage, Tally, WRONG_TYPES, Wish, all_places, all_words, chosen, homes, rightful};

/// What happens next, as throws of dice: what they mean depends on what there is by then.
#[derive(Clone, Debug)]
enum Step {
    /// A user lets somebody act.
    Consent([u16; 6]),
    /// Somebody gets a token of their own.
    Own([u16; 2]),
    /// A task is opened, or a part of one.
    Task([u16; 5]),
    /// Something ends, or rests, or goes on.
    End([u16; 2]),
    /// Time goes by.
    Later(u16),
    /// Somebody exchanges a token as it is meant to be.
    Derive([u16; 9]),
    /// An agent hands over and the other one takes it, somebody tries to lead it back, and a task runs dry.
    Weave([u16; 3]),
    /// Somebody exchanges something that does not belong together, or not to them.
    Splice([u16; 9], [u16; 2], [u16; 2]),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<[u16; 6]>().prop_map(Step::Consent),
        2 => any::<[u16; 2]>().prop_map(Step::Own),
        3 => any::<[u16; 5]>().prop_map(Step::Task),
        1 => any::<[u16; 2]>().prop_map(Step::End),
        1 => any::<u16>().prop_map(Step::Later),
        2 => any::<[u16; 3]>().prop_map(Step::Weave),
        14 => any::<[u16; 9]>().prop_map(Step::Derive),
        18 => any::<([u16; 9], [u16; 2], [u16; 2])>().prop_map(|(a, b, c)| Step::Splice(a, b, c)),
    ]
}

/// A few consents and tokens of agents' own to begin with, and then anything.
fn script() -> impl Strategy<Value = Vec<Step>> {
    let begin = prop::collection::vec(any::<[u16; 6]>().prop_map(Step::Consent), 3);
    let own = prop::collection::vec(any::<[u16; 2]>().prop_map(Step::Own), 2);
    let rest = prop::collection::vec(step(), 40..60);
    // One of them is to an agent that may pass it on, and to begin with it does.
    let first = [Step::Consent([0, 0, 0, 0, 1, 1]), Step::Own([0, 15])];
    (begin, own, any::<[u16; 3]>(), rest).prop_map(move |(begin, own, weave, rest)| {
        let begin = first.clone().into_iter().chain(begin).chain(own);
        begin.chain([Step::Weave(weave)]).chain(rest).collect()
    })
}

fn pick<T: Copy>(of: &[T], die: u16) -> Option<T> {
    (!of.is_empty()).then(|| of[usize::from(die) % of.len()])
}

fn party(die: u16) -> usize {
    usize::from(die) % PARTIES.len()
}

/// An exchange as it is meant to be, of a token that stands.
fn derive(world: &World, dice: &[u16; 9]) -> Option<Attempt> {
    let standing: Vec<usize> =
        (0..world.tokens.len()).filter(|i| world.stands(*i) && !world.tokens[*i].refresh).collect();
    let subject = pick(&standing, dice[0])?;
    let token = &world.tokens[subject];
    let sent_to_orders = token.handed.is_none() && token.places.contains(ORDERS) && dice[1].is_multiple_of(4);
    let by = token.handed.or(token.only).unwrap_or(if sent_to_orders { ORDERS_API } else { token.to });
    let mut attempt = rightful(by, subject);
    if token.to == by && token.key.is_none() && token.handed.is_none() {
        attempt.key = None;
    }
    let own = |i: &usize| world.stands(*i) && world.tokens[*i].sub == model::Sub::Client(by);
    let own: Vec<usize> = (0..world.tokens.len()).filter(own).collect();
    if dice[2].is_multiple_of(5) {
        attempt.actor = pick(&own, dice[2] / 5).map(|own| (own, ACCESS));
    }
    attempt.scope = chosen(&token.scope, dice[3]);
    if attempt.scope.is_empty() && !dice[3].is_multiple_of(3) {
        attempt.scope.clone_from(&token.scope);
    }
    attempt.places = match dice[4] % 4 {
        0 => Words::new(),
        1 if by == ORDERS_API => [INVENTORY].into(),
        2 => token.places.clone(),
        _ => homes(&attempt.scope),
    };
    if by == ORDERS_API && attempt.places.contains(INVENTORY) && dice[4] % 8 < 4 {
        attempt.scope.retain(|word| homes(&[*word].into()).contains(INVENTORY));
    }
    let somebody_acts = !token.acts.is_empty() || token.only == Some(by);
    let others: Vec<usize> = (0..AGENTS + 2).filter(|who| *who != by && !token.acts.contains(who)).collect();
    if dice[5].is_multiple_of(2) && somebody_acts {
        attempt.over_to = pick(&others, dice[6]);
    }
    let here = |task: &usize| token.consent.is_some_and(|consent| world.tasks[*task].consent == consent);
    let here: Vec<usize> = (0..world.tasks.len()).filter(here).collect();
    let parts = |task: &usize| world.tasks[*task].above.is_some() && world.tasks[*task].above == token.task;
    let parts: Vec<usize> = here.iter().copied().filter(parts).collect();
    if dice[7].is_multiple_of(3) {
        attempt.task = pick(&here, dice[8]);
    } else if dice[7] % 3 == 1 && !parts.is_empty() {
        let part = pick(&parts, dice[8])?;
        attempt.task = Some(part);
        attempt.over_to = Some(world.tasks[part].doer);
        attempt.scope.clone_from(&world.tasks[part].scope);
    }
    Some(attempt)
}

/// Puts something into an exchange that belongs to another one.
fn bend(world: &World, attempt: &mut Attempt, [what, die]: [u16; 2]) {
    let tokens: Vec<usize> = (0..world.tokens.len()).collect();
    let tasks: Vec<usize> = (0..world.tasks.len()).collect();
    let acts = &world.tokens[attempt.subject].acts;
    let wrong = WRONG_TYPES[usize::from(die) % WRONG_TYPES.len()];
    match what % 14 {
        0 | 1 => attempt.subject = pick(&tokens, die).unwrap_or(attempt.subject),
        2 | 3 => attempt.actor = pick(&tokens, die).map(|token| (token, ACCESS)),
        4 => attempt.by = party(die),
        5 => attempt.key = if die % 2 == 0 { None } else { Some(Key::Other) },
        6 => attempt.subject_as = wrong,
        7 => {
            let own: Vec<usize> = tokens
                .iter()
                .copied()
                .filter(|token| world.tokens[*token].sub == model::Sub::Client(attempt.by))
                .collect();
            attempt.actor = pick(&own, die).map(|token| (token, wrong));
        }
        8 => attempt.task = pick(&tasks, die),
        9 => attempt.places = all_places(),
        // Back to somebody who acted before, by way of the one who may speak for them.
        10 | 11 => {
            let own =
                |token: &usize| world.tokens[*token].sub == model::Sub::Client(0) && world.stands(*token);
            let own: Vec<usize> = tokens.iter().copied().filter(own).collect();
            attempt.by = ORDERS_API;
            attempt.key = Some(Key::Own);
            attempt.over_to = None;
            attempt.actor = pick(&own, die).map(|own| (own, ACCESS));
        }
        12 => attempt.over_to = pick(acts, die).or(Some(usize::from(die) % (AGENTS + 2))),
        _ => {
            attempt.scope = chosen(&all_words(), die);
            attempt.places = chosen(&all_places(), die >> 8);
        }
    }
}

/// Whoever may speak for somebody who acted before tries to make them the actor of `subject` again.
async fn lead_back(stage: &mut Stage, subject: usize, die: u16, tally: &mut Tally) {
    let world = &stage.world;
    let own = |token: &usize| world.tokens[*token].sub == model::Sub::Client(0) && world.stands(*token);
    let own: Vec<usize> = (0..world.tokens.len()).filter(own).collect();
    let attempt = Attempt {
        actor: pick(&own, die).map(|own| (own, ACCESS)),
        scope: ["orders:read"].into(),
        places: [ORDERS].into(),
        ..rightful(ORDERS_API, subject)
    };
    stage.attempt(&attempt, tally).await;
}

/// A story of several steps, each held against the model like any other.
async fn weave(stage: &mut Stage, dice: [u16; 3], tally: &mut Tally) {
    let world = &stage.world;
    let begins = |token: &usize| {
        let known = &world.tokens[*token];
        let travels = known.consent.is_some_and(|consent| world.consents[consent].travels > 0);
        let plain = known.acts.len() == 1 && known.handed.is_none() && !known.refresh;
        plain && travels && known.scope.contains("orders:read") && world.stands(*token)
    };
    let begins: Vec<usize> = (0..world.tokens.len()).filter(begins).collect();
    let Some(subject) = pick(&begins, dice[0]) else { return };
    let (holder, acts, consent) = {
        let token = &world.tokens[subject];
        (token.to, token.acts.clone(), token.consent)
    };
    let read: Words = ["orders:read"].into();
    let orders: Words = [ORDERS].into();
    let plain = |by: usize, subject: usize| Attempt {
        scope: read.clone(),
        places: orders.clone(),
        ..rightful(by, subject)
    };
    let others: Vec<usize> = (0..AGENTS).filter(|who| !acts.contains(who)).collect();
    let Some(receiver) = pick(&others, dice[1]) else { return };
    let before = stage.world.tokens.len();
    stage.attempt(&Attempt { over_to: Some(receiver), ..plain(holder, subject) }, tally).await;
    if stage.world.tokens.len() > before {
        // With an actor token of its own that is bound to another key than it proves, and then as it should be.
        stage.own(receiver, &read).await;
        let actor = Some((stage.world.tokens.len() - 1, ACCESS));
        let stolen = Attempt { actor, key: Some(Key::Other), ..plain(receiver, before) };
        stage.attempt(&stolen, tally).await;
        let taken = stage.world.tokens.len();
        stage.attempt(&plain(receiver, before), tally).await;
        if stage.world.tokens.len() > taken {
            lead_back(stage, taken, dice[2], tally).await;
        }
    }
    let task = stage.world.tasks.len();
    if let Some(consent) = consent {
        stage.task(consent, None, &read, Some(1)).await;
    }
    if stage.world.tasks.len() > task {
        for _ in 0..2 {
            stage.attempt(&Attempt { task: Some(task), ..plain(holder, subject) }, tally).await;
        }
    }
}

async fn play(stage: &mut Stage, step: &Step, nth: usize, tally: &mut Tally) {
    match step {
        Step::Consent(dice) => {
            let mut scope = chosen(&all_words(), dice[2] | 1 << (dice[2] % 4));
            if dice[3] % 2 == 0 {
                scope = all_words();
            }
            let lasts = if dice[5] % 4 == 0 { 640 } else { 40_000 };
            let wish = Wish {
                user: usize::from(dice[0] % 2),
                way: [0, 0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9][usize::from(dice[1] % 12)],
                scope,
                places: chosen(&all_places(), dice[3]),
                travels: dice[4] % 4 > 0,
                lasts: lasts + 20 * i64::try_from(nth).unwrap(),
            };
            stage.consent(&wish).await;
        }
        Step::Own(dice) => {
            let scope = chosen(&all_words(), dice[1] | 1 << (dice[1] % 4));
            stage.own([0, 0, 0, 1, 2, 3, 4, 5, 6][usize::from(dice[0] % 9)], &scope).await;
        }
        Step::Task(dice) => {
            let world = &stage.world;
            let consents: Vec<usize> = (0..world.consents.len()).collect();
            let tasks: Vec<usize> =
                (0..world.tasks.len()).filter(|task| world.tasks[*task].stands == Stands::Active).collect();
            let most = (dice[4] % 3 > 0).then(|| u32::from(dice[4] / 3 % 2) + 1);
            if let (true, Some(above)) = (dice[0] % 2 == 0, pick(&tasks, dice[1])) {
                let (consent, scope) =
                    (world.tasks[above].consent, chosen(&world.tasks[above].scope, dice[2]));
                let doer = usize::from(dice[3]) % AGENTS;
                stage.task(consent, Some((above, doer)), &scope, most).await;
            } else if let Some(consent) = pick(&consents, dice[1]) {
                let scope = chosen(&world.consents[consent].scope, dice[2] | 1);
                stage.task(consent, None, &scope, most).await;
            }
        }
        Step::End([what, die]) => {
            let world = &stage.world;
            let tokens: Vec<usize> = (0..world.tokens.len()).collect();
            let tasks: Vec<usize> = (0..world.tasks.len()).collect();
            let consents: Vec<usize> = (0..world.consents.len()).collect();
            let operations = ["suspend", "suspend", "resume", "resume", "complete", "revoke"];
            match what % 8 {
                0 if pick(&consents, *die).is_some() => {
                    stage.end_consent(usize::from(*die) % consents.len()).await;
                }
                1 | 2 if !tokens.is_empty() => stage.revoke(usize::from(*die) % tokens.len()).await,
                _ if !tasks.is_empty() => {
                    let operation = operations[usize::from(what / 8) % operations.len()];
                    stage.operate(usize::from(*die) % tasks.len(), operation).await;
                }
                _ => {}
            }
        }
        Step::Weave(dice) => weave(stage, *dice, tally).await,
        Step::Later(die) => stage.later(i64::from(die % 130)),
        Step::Derive(dice) => {
            if let Some(attempt) = derive(&stage.world, dice) {
                stage.attempt(&attempt, tally).await;
            }
        }
        Step::Splice(dice, first, second) => {
            let Some(mut attempt) = derive(&stage.world, dice) else { return };
            bend(&stage.world, &mut attempt, *first);
            if second[0] % 3 == 0 {
                bend(&stage.world, &mut attempt, *second);
            }
            stage.attempt(&attempt, tally).await;
        }
    }
}

/// Plays as many stories; the same ones each time, so that a failure can be looked at.
fn nothing_is_spliced(database: Database, cases: u32) -> Tally {
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let tally = std::sync::Mutex::new(Tally::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let played = TestRunner::new_with_rng(config, rng).run(&script(), |script| {
        let mut seen = Tally::default();
        runtime.block_on(async {
            let mut stage = Box::pin(Stage::open(database)).await;
            for (nth, step) in script.iter().enumerate() {
                Box::pin(play(&mut stage, step, nth, &mut seen)).await;
            }
        });
        let mut tally = tally.lock().unwrap();
        tally.made += seen.made;
        tally.refused += seen.refused;
        for (why, often) in seen.alone {
            *tally.alone.entry(why).or_default() += often;
        }
        Ok(())
    });
    if let Err(failure) = played {
        panic!("{failure}");
    }
    tally.into_inner().unwrap()
}

#[test]
fn tokens_of_different_stories_make_no_token_and_those_of_one_make_what_it_allows() {
    let tally = nothing_is_spliced(Database::Sqlite, 12);
    // Stories in which everything is refused, or nothing for a reason, would prove nothing of that reason.
    for why in Why::ALL {
        assert!(tally.alone.contains_key(&why), "{why:?} was never the only reason: {tally:?}");
    }
    assert!(tally.made > 150 && tally.refused > 200, "{tally:?}");
}

#[test]
fn tokens_of_different_stories_make_no_token_on_postgresql_either() {
    if Database::postgres_is_there("splicing") {
        let tally = nothing_is_spliced(Database::Postgres, 3);
        assert!(tally.made > 20 && tally.refused > 40, "{tally:?}");
    }
}
