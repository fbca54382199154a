//! Stories of several steps, each held against the model like any other: dice alone come upon them too seldom.

use tests::{INVENTORY, ORDERS};

use super::borrowing;
use super::details::{Detail, Details};
use super::dice::{pick, standing};
use super::letters::{Says, Wrong};
use super::model::{ACCESS, Attempt, Form, JWT, Key, Sub, World};
use super::parties::{
    AGENTS, BELIEVED_OF, ORDERS_API, OTHER, RUNNER, SHOP, USERS, WEB, Who, Words, all_places, homes,
};
use super::stage::{Stage, Tally, Wish};
use super::trying::rightful;

/// One of the stories.
pub(super) async fn weave(stage: &mut Stage, which: u16, dice: [u16; 3], tally: &mut Tally) {
    match which % 8 {
        0 | 1 => pass_on(stage, dice, tally).await,
        2 => details(stage, dice, tally).await,
        3 => letters(stage, dice, tally).await,
        4 => workloads(stage, dice, tally).await,
        5 => borrowing::speaks_for_another(stage, dice, tally).await,
        6 => borrowing::other_consents_task(stage, dice, tally).await,
        _ => its_clients_alone(stage, dice, tally).await,
    }
}

pub(super) fn read() -> Words {
    ["orders:read"].into()
}

pub(super) fn orders() -> Words {
    [ORDERS].into()
}

pub(super) fn plain(world: &World, by: Who, subject: usize) -> Attempt {
    Attempt { scope: read(), places: orders(), ..rightful(world, by, subject) }
}

/// Whoever may speak for somebody who acted before tries to make them the actor of `subject` again.
async fn lead_back(stage: &mut Stage, subject: usize, die: u16, tally: &mut Tally) {
    let world = &stage.world;
    let own = standing(world, |form| form == Form::Access);
    let own: Vec<usize> = own.into_iter().filter(|one| world.tokens[*one].sub == Sub::Client(0)).collect();
    let actor = pick(&own, die).map(|own| (own, ACCESS));
    let attempt = Attempt { actor, ..plain(world, ORDERS_API, subject) };
    stage.attempt(&attempt, tally).await;
}

/// An access token with which somebody acts, that may read orders, and on which `is` holds.
pub(super) fn begun(world: &World, die: u16, is: impl Fn(usize) -> bool) -> Option<usize> {
    let begins = |token: &usize| {
        let known = &world.tokens[*token];
        let plain = known.acts.len() == 1 && known.acts[0] < AGENTS && known.handed.is_none();
        plain && known.scope.contains("orders:read") && is(*token)
    };
    let all = standing(world, |form| form == Form::Access);
    pick(&all.into_iter().filter(begins).collect::<Vec<_>>(), die)
}

fn travels(world: &World, token: usize) -> bool {
    world.tokens[token].consent.is_some_and(|consent| world.consents[consent].travels > 0)
}

/// An agent hands over and the other one takes it, somebody tries to lead it back, and a task runs dry.
async fn pass_on(stage: &mut Stage, dice: [u16; 3], tally: &mut Tally) {
    let world = &stage.world;
    let Some(subject) = begun(world, dice[0], |token| travels(world, token)) else { return };
    let (holder, acts, consent) = {
        let token = &world.tokens[subject];
        (token.to, token.acts.clone(), token.consent)
    };
    let others: Vec<usize> = (0..AGENTS).filter(|who| !acts.contains(who)).collect();
    let Some(receiver) = pick(&others, dice[1]) else { return };
    let before = stage.world.tokens.len();
    stage.attempt(&Attempt { over_to: Some(receiver), ..plain(&stage.world, holder, subject) }, tally).await;
    if stage.world.tokens.len() > before {
        // With an actor token of its own that is bound to another key than it proves, and then as it should be.
        stage.own(receiver, &read()).await;
        let actor = Some((stage.world.tokens.len() - 1, ACCESS));
        let stolen = Attempt { actor, key: Some(Key::Other), ..plain(&stage.world, receiver, before) };
        stage.attempt(&stolen, tally).await;
        let taken = stage.world.tokens.len();
        stage.attempt(&plain(&stage.world, receiver, before), tally).await;
        if stage.world.tokens.len() > taken {
            lead_back(stage, taken, dice[2], tally).await;
        }
    }
    // To one that is not registered for it, whatever the others may.
    let write: Words = ["inventory:write"].into();
    let known = &stage.world.tokens[subject];
    if known.scope.contains("inventory:write") && known.places.contains(INVENTORY) && !acts.contains(&3) {
        let there = |world: &World, by: Who, subject: usize| Attempt {
            scope: write.clone(),
            places: homes(&write),
            ..rightful(world, by, subject)
        };
        let handed = stage.world.tokens.len();
        let over = Attempt { over_to: Some(3), ..there(&stage.world, holder, subject) };
        stage.attempt(&over, tally).await;
        if stage.world.tokens.len() > handed {
            stage.attempt(&there(&stage.world, 3, handed), tally).await;
        }
    }
    let task = stage.world.tasks.len();
    if let Some(consent) = consent {
        stage.task(consent, None, &read(), &Details::new(), Some(1)).await;
    }
    if stage.world.tasks.len() > task {
        for _ in 0..2 {
            let attempt = Attempt { task: Some(task), ..plain(&stage.world, holder, subject) };
            stage.attempt(&attempt, tally).await;
        }
    }
}

/// Details are narrowed, widened, handed over, and led round by a task that has less of them.
async fn details(stage: &mut Stage, dice: [u16; 3], tally: &mut Tally) {
    let world = &stage.world;
    let has_some = |token: usize| !world.tokens[token].details.is_empty() && travels(world, token);
    let Some(subject) = begun(world, dice[0], has_some) else { return };
    let (holder, acts, consent, own) = {
        let token = &world.tokens[subject];
        (token.to, token.acts.clone(), token.consent, token.details.clone())
    };
    let others: Vec<usize> = (0..AGENTS).filter(|who| !acts.contains(who)).collect();
    let Some(receiver) = pick(&others, dice[1]) else { return };
    for detail in own {
        let with = |world: &World, details: Details| Attempt { details, ..plain(world, holder, subject) };
        // Each field outward, one after the other; what is not the other fields' to make good.
        for die in 0..6 {
            let attempt = with(&stage.world, [detail.more(die)].into());
            stage.attempt(&attempt, tally).await;
        }
        // Where nobody knows it.
        let mut astray = with(&stage.world, [detail.clone()].into());
        (astray.scope, astray.places) = (Words::new(), [INVENTORY].into());
        stage.attempt(&astray, tally).await;
        // Handed over, and taken with less of it, and with more of it again.
        let handed = stage.world.tokens.len();
        let over = Attempt { over_to: Some(receiver), ..with(&stage.world, [detail.less(dice[2])].into()) };
        stage.attempt(&over, tally).await;
        if stage.world.tokens.len() > handed {
            for details in [detail.less(dice[2]), detail.less(dice[2]).more(dice[1]), detail.more(0)] {
                let attempt = Attempt { details: [details].into(), ..plain(&stage.world, receiver, handed) };
                stage.attempt(&attempt, tally).await;
            }
        }
        // A task that has a part of it, and one that has none.
        let Some(consent) = consent else { continue };
        for part in [Details::from([detail.less(dice[1])]), Details::new(), [detail.more(dice[1])].into()] {
            let task = stage.world.tasks.len();
            stage.task(consent, None, &read(), &part, None).await;
            if stage.world.tasks.len() > task {
                for details in [Details::from([detail.clone()]), part, Details::new()] {
                    let attempt = Attempt { task: Some(task), ..with(&stage.world, details) };
                    stage.attempt(&attempt, tally).await;
                }
            }
        }
    }
}

/// What a partner says of a user: right, once more, in the wrong hands, of the wrong making, of another user.
async fn letters(stage: &mut Stage, dice: [u16; 3], tally: &mut Tally) {
    let world = &stage.world;
    let to = |consent: &usize| {
        let known = &world.consents[*consent];
        let known = BELIEVED_OF.contains(&known.to) && known.scope.contains("orders:read");
        known && world.consent_stands(*consent)
    };
    let consents: Vec<usize> = (0..world.consents.len()).filter(to).collect();
    let Some(consent) = pick(&consents, dice[0]) else { return };
    let (by, of) = (world.consents[consent].to, world.consents[consent].user);
    let given = world.consents[consent].details.clone();
    let user = USERS.iter().position(|user| *user == of).unwrap();
    let mut says = Says { scope: Some(read()), ..Says::thrown([dice[1], dice[2]]) };
    says.details = given;
    says.acted = says.acted.min(2);
    // Somebody whom the user lets act too, and of whom the partner knows nothing.
    borrowing::let_read(stage, user, 2, 2).await;
    let letter = stage.letter(user, &says, Wrong::Nothing);
    let right =
        Attempt { details: stage.world.tokens[letter].details.clone(), ..plain(&stage.world, by, letter) };
    let write = Attempt { scope: ["orders:write"].into(), ..right.clone() };
    let wider = right.details.iter().map(|detail| detail.more(dice[2])).collect();
    let attempts = [
        // More than it says; by somebody of whom it is not believed; declared as something that it is not.
        write,
        Attempt { details: wider, ..right.clone() },
        Attempt { by: 2, details: Details::new(), ..right.clone() },
        // Of a type of which the partner may not speak, if it does.
        Attempt { details: says.details.clone(), ..right.clone() },
        Attempt { subject_as: ACCESS, ..right.clone() },
        Attempt { key: None, ..right.clone() },
        right.clone(),
        right.clone(),
    ];
    for attempt in &attempts {
        stage.attempt(attempt, tally).await;
    }
    for wrong in [Wrong::Purpose, Wrong::User, Wrong::Key, Wrong::Audience] {
        let letter = stage.letter(user, &says, wrong);
        let attempt = Attempt { subject: letter, ..right.clone() };
        stage.attempt(&attempt, tally).await;
    }
    // So many acted there that nobody can follow; and the other user, who may have allowed something else.
    for acted in [3, 2] {
        let crowd = Says { acted, ..says.clone() };
        let letter = stage.letter(user, &crowd, Wrong::Nothing);
        let taken = stage.world.tokens.len();
        stage.attempt(&Attempt { subject: letter, ..right.clone() }, tally).await;
        if stage.world.tokens.len() > taken && by < AGENTS {
            let over = Attempt { over_to: Some((by + 1) % AGENTS), ..plain(&stage.world, by, taken) };
            stage.attempt(&over, tally).await;
        }
    }
    let letter = stage.letter(1 - user, &says, Wrong::Nothing);
    stage.attempt(&Attempt { subject: letter, ..right }, tally).await;
    everything_there_is(stage, user, dice, tally).await;
}

/// A service that names nothing gets what the partner says and the user allowed it, and nothing that only one of them
/// says.
async fn everything_there_is(stage: &mut Stage, user: usize, dice: [u16; 3], tally: &mut Tally) {
    let refund = Detail::thrown(21 + dice[1] % 21);
    let wish = Wish {
        user,
        asker: WEB,
        to: ORDERS_API,
        scope: ["orders:read", "orders:write"].into(),
        places: orders(),
        details: [refund.clone()].into(),
        travels: false,
        lasts: 15_000,
    };
    stage.consent(&wish).await;
    let says = Says { scope: Some(read()), details: [refund.more(5)].into(), acted: 0 };
    let letter = stage.letter(user, &says, Wrong::Nothing);
    let attempt = Attempt { places: orders(), ..rightful(&stage.world, ORDERS_API, letter) };
    stage.attempt(&attempt, tally).await;
}

/// What a platform says of its workloads: the orders speak for the runner with it, and for nobody else.
async fn workloads(stage: &mut Stage, dice: [u16; 3], tally: &mut Tally) {
    let wish = Wish {
        user: usize::from(dice[0] % 2),
        asker: WEB,
        to: RUNNER,
        scope: ["orders:read", "orders:write"].into(),
        places: orders(),
        details: [Detail::thrown(dice[1])].into(),
        travels: true,
        lasts: 12_000,
    };
    stage.consent(&wish).await;
    let subject = stage.world.tokens.len() - 1;
    let own = stage.workload(RUNNER);
    // With its own token of its platform, with the other's, and with that of its twin.
    let other = stage.workload(OTHER);
    for (by, actor) in [(RUNNER, other), (OTHER, own), (OTHER, other), (RUNNER, own), (RUNNER, own)] {
        let actor = Some((actor, JWT));
        let attempt = Attempt { actor, ..plain(&stage.world, by, subject) };
        stage.attempt(&attempt, tally).await;
    }
    let acting = stage.world.tokens.len() - 1;
    if !stage.world.tokens[acting].acts.contains(&RUNNER) {
        return;
    }
    // At the orders now.
    let (own, other) = (stage.workload(RUNNER), stage.workload(OTHER));
    stage.own(RUNNER, &read()).await;
    let plain_own = stage.world.tokens.len() - 1;
    for (by, actor, declared) in [
        (ORDERS_API, other, JWT),
        (ORDERS_API, own, ACCESS),
        (5, own, JWT),
        (ORDERS_API, own, JWT),
        (ORDERS_API, own, JWT),
        (ORDERS_API, plain_own, JWT),
        (ORDERS_API, plain_own, ACCESS),
    ] {
        let attempt = Attempt { actor: Some((actor, declared)), ..plain(&stage.world, by, acting) };
        stage.attempt(&attempt, tally).await;
    }
    let elsewhere = Attempt { places: all_places(), ..plain(&stage.world, RUNNER, acting) };
    stage.attempt(&elsewhere, tally).await;
    // As a subject it is nothing.
    let workload = stage.workload(RUNNER);
    stage.attempt(&plain(&stage.world, RUNNER, workload), tally).await;
}

/// ID tokens and refresh tokens: by whom they are, by others, declared as each other, with another key, and more than
/// they bring.
async fn its_clients_alone(stage: &mut Stage, dice: [u16; 3], tally: &mut Tally) {
    for form in [Form::Id, Form::Refresh] {
        let world = &stage.world;
        let begins = |token: &usize| !world.tokens[*token].acts.is_empty();
        let all: Vec<usize> = standing(world, |one| one == form).into_iter().filter(begins).collect();
        let Some(subject) = pick(&all, dice[0]) else { continue };
        let by = world.tokens[subject].to;
        let (scope, details) = (world.tokens[subject].scope.clone(), world.tokens[subject].details.clone());
        let one: Words = scope.iter().copied().take(1).collect();
        let places = homes(&one);
        let here = |detail: &Detail| places.iter().any(|place| detail.kind.is_known_at(place));
        let part = details.iter().map(|detail| detail.less(dice[1])).filter(here).collect();
        let beyond: Details = details.iter().map(|detail| detail.more(dice[1])).filter(here).collect();
        let other = (by + 1) % AGENTS;
        let right =
            Attempt { scope: one, places: places.clone(), details: part, ..rightful(world, by, subject) };
        let as_other = if form == Form::Id { Form::Refresh } else { Form::Id };
        let attempts = [
            right.clone(),
            Attempt { details: beyond, ..right.clone() },
            Attempt { by: other, ..right.clone() },
            Attempt { by: WEB, key: None, ..right.clone() },
            // Whatever else it is sent to, it is no access token there.
            Attempt { by: ORDERS_API, ..right.clone() },
            Attempt { key: None, ..right.clone() },
            // An agent binds what it gets to whatever key it proves then.
            Attempt { key: Some(Key::Other), ..right.clone() },
            Attempt { subject_as: as_other.declared(), ..right.clone() },
            Attempt { subject_as: ACCESS, ..right.clone() },
            Attempt { subject_as: JWT, ..right.clone() },
            // It is nobody's actor token.
            Attempt { actor: Some((subject, form.declared())), ..right.clone() },
            Attempt { by: SHOP, key: None, ..right.clone() },
            // To oneself nobody hands over.
            Attempt { over_to: Some(by), details: Details::new(), ..right.clone() },
            Attempt { over_to: Some(other), ..right.clone() },
        ];
        for attempt in &attempts {
            stage.attempt(attempt, tally).await;
        }
        // And no more, once it was ended; a refresh token takes with it what came of the same code.
        if dice[2].is_multiple_of(2) {
            stage.revoke(subject).await;
            stage.attempt(&right, tally).await;
        }
    }
}
