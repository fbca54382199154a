//! Nothing is spliced: whatever tokens of whatever stories are put together, what comes of it is what the user, the
//! tasks and the rules of the house say, or nothing at all. Random stories are played over HTTP and held against a
//! model ([`judge`]) that was written from the rules and not from the server.

mod borrowing;
mod declared;
mod details;
mod dice;
mod judge;
mod letters;
mod limits;
mod model;
mod parties;
mod stage;
mod trying;
mod weave;
mod why;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tests::{Database, Seed};

use details::{Detail, Details};
use dice::{Dice, bend, derive, pick};
use letters::{Says, Wrong};
use model::Stands;
use parties::{AGENTS, ORDERS_API, OTHER, PARTIES, RUNNER, WEB, all_places, all_words, chosen, homes};
use stage::{Stage, Tally, Wish};
use why::Why;

/// What happens next, as throws of dice: what they mean depends on what there is by then.
#[derive(Clone, Debug)]
enum Step {
    /// A user lets somebody act.
    Consent([u16; 7]),
    /// Somebody gets a token of their own.
    Own([u16; 2]),
    /// A partner says something of a user, or a platform of a workload.
    Letter([u16; 4]),
    /// A task is opened, or a part of one.
    Task([u16; 6]),
    /// Something ends, or rests, or goes on.
    End([u16; 2]),
    /// Time goes by.
    Later(u16),
    /// Somebody exchanges a token as it is meant to be.
    Derive(Dice),
    /// One of the stories that dice alone come upon too seldom.
    Weave([u16; 4]),
    /// Somebody exchanges something that does not belong together, or not to them.
    Splice(Dice, [u16; 2], [u16; 2]),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<[u16; 7]>().prop_map(Step::Consent),
        2 => any::<[u16; 2]>().prop_map(Step::Own),
        3 => any::<[u16; 4]>().prop_map(Step::Letter),
        3 => any::<[u16; 6]>().prop_map(Step::Task),
        2 => any::<[u16; 2]>().prop_map(Step::End),
        2 => any::<u16>().prop_map(Step::Later),
        2 => any::<[u16; 4]>().prop_map(Step::Weave),
        16 => any::<Dice>().prop_map(Step::Derive),
        22 => any::<(Dice, [u16; 2], [u16; 2])>().prop_map(|(a, b, c)| Step::Splice(a, b, c)),
    ]
}

/// A few consents and tokens of agents' own to begin with, and then anything.
fn script() -> impl Strategy<Value = Vec<Step>> {
    let begin = prop::collection::vec(any::<[u16; 7]>().prop_map(Step::Consent), 3);
    let own = prop::collection::vec(any::<[u16; 2]>().prop_map(Step::Own), 2);
    let rest = prop::collection::vec(step(), 40..60);
    // One of them is to an agent that may pass it on, and to begin with it does.
    let first = [Step::Consent([0, 0, 0, 0, 1, 1, 54]), Step::Own([0, 15])];
    (begin, own, any::<[[u16; 4]; 2]>(), rest).prop_map(move |(begin, own, weave, rest)| {
        let begin = first.clone().into_iter().chain(begin).chain(own);
        begin.chain(weave.map(Step::Weave)).chain(rest).collect()
    })
}

/// What a user is asked for, and what they make of it.
fn wish(dice: &[u16; 7]) -> Wish {
    let ways = [(0, 0), (0, 0), (1, 1), (2, 2), (3, 3), (WEB, 0), (WEB, 0), (WEB, 1), (WEB, 2), (WEB, 3)];
    let ways = [&ways[..], &[(WEB, ORDERS_API), (WEB, WEB), (RUNNER, RUNNER), (WEB, RUNNER), (OTHER, OTHER)]];
    let ways = ways.concat();
    let (asker, to) = ways[usize::from(dice[1]) % ways.len()];
    let mut scope = chosen(&all_words(), dice[2] | 1 << (dice[2] % 4));
    if dice[3].is_multiple_of(2) {
        scope = all_words();
    }
    scope = PARTIES[to].of(&scope);
    if scope.is_empty() {
        scope = ["orders:read"].into();
    }
    let places =
        chosen(&all_places(), dice[3]).into_iter().filter(|place| PARTIES[to].places.contains(place));
    let lasts = if dice[5].is_multiple_of(4) { 640 } else { 20_000 };
    Wish {
        user: usize::from(dice[0] % 2),
        asker,
        to,
        places: homes(&scope).into_iter().chain(places).collect(),
        scope,
        details: (0..dice[6] % 4).map(|one| Detail::thrown((dice[6] / 4).wrapping_mul(one + 1))).collect(),
        travels: !dice[4].is_multiple_of(4),
        lasts,
    }
}

/// What a task is to have of what is above it.
fn part(of: &Details, die: u16) -> Details {
    match die % 5 {
        0 => Details::new(),
        1 => of.clone(),
        2 => of.iter().map(|detail| detail.more(die / 5)).collect(),
        _ => of.iter().map(|detail| detail.less(die / 5)).collect(),
    }
}

async fn play(stage: &mut Stage, step: &Step, tally: &mut Tally) {
    match step {
        Step::Consent(dice) => {
            stage.consent(&wish(dice)).await;
        }
        Step::Own(dice) => {
            let scope = chosen(&all_words(), dice[1] | 1 << (dice[1] % 4));
            let who = [0, 0, 0, 1, 2, 3, 4, 5, 6, RUNNER, OTHER];
            stage.own(who[usize::from(dice[0]) % who.len()], &scope).await;
        }
        Step::Letter(dice) => {
            if dice[0] % 3 == 0 {
                stage.workload(if dice[1] % 4 == 0 { OTHER } else { RUNNER });
            } else {
                let says = Says::thrown([dice[1], dice[2]]);
                stage.letter(usize::from(dice[0] / 3 % 2), &says, Wrong::thrown(dice[3]));
            }
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
                let details = part(&world.tasks[above].details, dice[5]);
                stage.task(consent, Some((above, doer)), &scope, &details, most).await;
            } else if let Some(consent) = pick(&consents, dice[1]) {
                let scope = chosen(&world.consents[consent].scope, dice[2] | 1);
                let details = part(&world.consents[consent].details, dice[5]);
                stage.task(consent, None, &scope, &details, most).await;
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
        Step::Weave([which, a, b, c]) => weave::weave(stage, *which, [*a, *b, *c], tally).await,
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

/// Plays as many stories of a seed.
fn nothing_is_spliced(database: Database, seed: Seed, cases: u32) -> Tally {
    let _told = seed.told();
    let config = Config { cases, max_shrink_iters: 60, failure_persistence: None, ..Config::default() };
    let rng = match seed.bytes() {
        Some(bytes) => TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
        None => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    };
    let tally = std::sync::Mutex::new(Tally::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let played = TestRunner::new_with_rng(config, rng).run(&script(), |script| {
        let mut seen = Tally::default();
        runtime.block_on(async {
            let mut stage = Box::pin(Stage::open(database)).await;
            for step in &script {
                Box::pin(play(&mut stage, step, &mut seen)).await;
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
    for (seed, cases) in Seed::of_this_run(12) {
        let tally = nothing_is_spliced(Database::Sqlite, seed, cases);
        if seed != Seed::Usual {
            continue;
        }
        // Stories in which everything is refused, or nothing for a reason, would prove nothing of that reason.
        for why in Why::ALL {
            assert!(tally.alone.contains_key(&why), "{why:?} was never the only reason: {tally:?}");
        }
        assert!(tally.made > 150 && tally.refused > 200, "{tally:?}");
    }
}

#[test]
fn tokens_of_different_stories_make_no_token_on_postgresql_either() {
    if !Database::postgres_is_there("splicing") {
        return;
    }
    for (seed, cases) in Seed::of_this_run(3) {
        let tally = nothing_is_spliced(Database::Postgres, seed, cases);
        assert!(seed != Seed::Usual || tally.made > 20 && tally.refused > 40, "{tally:?}");
    }
}
