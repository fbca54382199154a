//! What somebody tries, as the dice fall: what is meant to be, and what does not belong together.

use tests::{INVENTORY, ORDERS};

use super::details::{self, Detail, Details};
use super::model::{Attempt, DECLARED_AS, Form, Key, Sub, World};
use super::parties::{
    AGENTS, BELIEVED_OF, ORDERS_API, PARTIES, RUNNER, WEB, Who, Words, all_places, all_words, chosen, homes,
};
use super::trying::rightful;

/// As many dice as it takes to throw one exchange.
pub(super) type Dice = [u16; 12];

pub(super) fn pick<T: Copy>(of: &[T], die: u16) -> Option<T> {
    (!of.is_empty()).then(|| of[usize::from(die) % of.len()])
}

/// The tokens of this kind that somebody could bring by right.
pub(super) fn standing(world: &World, is: impl Fn(Form) -> bool) -> Vec<usize> {
    let stands = |token: &usize| {
        let known = &world.tokens[*token];
        is(known.form) && !known.taken && world.stands(*token)
    };
    (0..world.tokens.len()).filter(stands).collect()
}

/// Who comes with the token by right.
fn holder(world: &World, subject: usize, die: u16) -> Who {
    let token = &world.tokens[subject];
    match token.form {
        Form::Foreign(_) => BELIEVED_OF[usize::from(die) % BELIEVED_OF.len()],
        Form::Access => {
            let sent = token.handed.is_none() && token.places.contains(ORDERS) && die.is_multiple_of(4);
            token.handed.or(token.only).unwrap_or(if sent { ORDERS_API } else { token.to })
        }
        _ => token.to,
    }
}

/// An actor token, sometimes: one of the presenter's own, or where the orders speak for the runner, its platform's.
fn actor(world: &World, by: Who, subject: usize, die: u16) -> Option<usize> {
    let token = &world.tokens[subject];
    let allowed = |to: Who| {
        let gave = |consent: &usize| {
            let consent = &world.consents[*consent];
            consent.to == to && token.sub == Sub::User(consent.user)
        };
        (0..world.consents.len()).any(|consent| gave(&consent) && world.consent_stands(consent))
    };
    let acts = token.acts.first() == Some(&RUNNER);
    let of_runner = |one: &usize| world.tokens[*one].sub == Sub::Client(RUNNER);
    let vouched = standing(world, |form| form == Form::Workload);
    let vouched: Vec<usize> = vouched.into_iter().filter(of_runner).collect();
    let for_runner = by == ORDERS_API && (acts || (token.acts.is_empty() && allowed(RUNNER)));
    if by == RUNNER && die.is_multiple_of(3) || for_runner && !die.is_multiple_of(4) {
        return pick(&vouched, die / 4);
    }
    let own = standing(world, |form| form == Form::Access);
    let own: Vec<usize> = own.into_iter().filter(|one| world.tokens[*one].sub == Sub::Client(by)).collect();
    if die.is_multiple_of(5) { pick(&own, die / 5) } else { None }
}

/// What there is for the actor: of the subject token, of a consent of the user's to the actor where nobody acts yet, and
/// of the task.
fn there_is(world: &World, attempt: &Attempt, actor: Who, die: u16) -> (Words, Details) {
    let token = &world.tokens[attempt.subject];
    let (mut scope, mut details) = (token.scope.clone(), token.details.clone());
    let to_actor = |consent: &usize| {
        let known = &world.consents[*consent];
        known.to == actor && token.sub == Sub::User(known.user) && world.consent_stands(*consent)
    };
    let own = token.consent.is_some_and(|own| world.consents[own].to == actor);
    if token.acts.is_empty() && !own {
        let others: Vec<usize> = (0..world.consents.len()).filter(to_actor).collect();
        if let Some(other) = pick(&others, die) {
            scope = &scope & &world.consents[other].scope;
            details = details::common(&details, &world.consents[other].details);
        }
    }
    if let Some(task) = attempt.task {
        scope = &scope & &world.tasks[task].scope;
        details = details::common(&details, &world.tasks[task].details);
    }
    let kinds = PARTIES[actor].kinds;
    (PARTIES[actor].of(&scope), details.into_iter().filter(|detail| kinds.contains(&detail.kind)).collect())
}

/// An exchange as it is meant to be.
pub(super) fn derive(world: &World, dice: &Dice) -> Option<Attempt> {
    let usual = |form| !matches!(form, Form::Workload | Form::Foreign(false));
    let brought = |token: &usize| {
        let known = &world.tokens[*token];
        known.form == Form::Access || known.only.is_none()
    };
    // Once in a while of one that stood before.
    let subjects = match dice[0] % 10 {
        0 => {
            let stood = |token: &usize| usual(world.tokens[*token].form) && !world.stands(*token);
            (0..world.tokens.len()).filter(stood).collect()
        }
        _ => standing(world, usual),
    };
    let subjects: Vec<usize> = subjects.into_iter().filter(brought).collect();
    let subject = pick(&subjects, dice[0] / 10)?;
    let token = &world.tokens[subject];
    let by = holder(world, subject, dice[1]);
    let mut attempt = rightful(world, by, subject);
    attempt.actor =
        actor(world, by, subject, dice[2]).map(|actor| (actor, world.tokens[actor].form.declared()));
    let actor = match attempt.actor.map(|(actor, _)| world.tokens[actor].sub) {
        Some(Sub::Client(who)) => who,
        _ => by,
    };
    let here = |task: &usize| token.consent.is_some_and(|consent| world.tasks[*task].consent == consent);
    let here: Vec<usize> = (0..world.tasks.len()).filter(here).collect();
    let parts = |task: &usize| world.tasks[*task].above.is_some() && world.tasks[*task].above == token.task;
    let parts: Vec<usize> = here.iter().copied().filter(parts).collect();
    let somebody_acts = !token.acts.is_empty() || token.only == Some(by);
    let others = (0..AGENTS + 2).chain([RUNNER]);
    let others: Vec<usize> = others.filter(|who| *who != by && !token.acts.contains(who)).collect();
    if dice[5].is_multiple_of(2) && somebody_acts {
        attempt.over_to = pick(&others, dice[6]);
    }
    let part = pick(&parts, dice[8]).filter(|_| dice[7] % 3 == 1);
    if dice[7].is_multiple_of(3) {
        attempt.task = pick(&here, dice[8]);
    } else if let Some(part) = part {
        attempt.task = Some(part);
        attempt.over_to = Some(world.tasks[part].doer);
    }
    let (scope, details) = there_is(world, &attempt, actor, dice[9]);
    attempt.details = match dice[10] % 4 {
        0 => Details::new(),
        1 => details.clone(),
        _ => details.iter().take(1 + usize::from(dice[10] % 2)).map(|detail| detail.less(dice[11])).collect(),
    };
    attempt.scope = chosen(&scope, dice[3]);
    if attempt.scope.is_empty() && !dice[3].is_multiple_of(3) || part.is_some() {
        attempt.scope.clone_from(&scope);
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
    if !attempt.places.is_empty() && !dice[10].is_multiple_of(8) {
        let (places, travels) = (attempt.places.clone(), attempt.over_to.is_some());
        let fits = |kind: details::Kind| {
            (!travels || kind.may_be_passed_on()) && places.iter().any(|place| kind.is_known_at(place))
        };
        attempt.details.retain(|detail| fits(detail.kind));
    }
    Some(attempt)
}

/// Details that do not belong here: of another story, wider, or from nowhere.
fn bend_details(world: &World, attempt: &mut Attempt, what: u16, die: u16) {
    let subject = &world.tokens[attempt.subject];
    let own = attempt.details.iter().chain(&subject.details).cloned().collect::<Vec<Detail>>();
    let mut strange = (0..world.tokens.len())
        .filter(|token| world.tokens[*token].consent != subject.consent)
        .flat_map(|token| &world.tokens[token].details);
    let mut above = subject.consent.map(|consent| &world.consents[consent].details).into_iter().flatten();
    let from = match what % 4 {
        0 | 1 if !own.is_empty() => Some(own[usize::from(die / 6) % own.len()].more(die)),
        // What the consent gave, and the token did not take.
        2 => above.nth(usize::from(die % 2)).cloned(),
        _ => strange.nth(usize::from(die % 5)).cloned(),
    };
    if what.is_multiple_of(3) {
        attempt.details.clear();
    }
    attempt.details.insert(from.unwrap_or_else(|| Detail::thrown(die)));
}

/// Puts something into an exchange that belongs to another one.
pub(super) fn bend(world: &World, attempt: &mut Attempt, [what, die]: [u16; 2]) {
    let tokens: Vec<usize> = (0..world.tokens.len()).collect();
    let tasks: Vec<usize> = (0..world.tasks.len()).collect();
    let acts = &world.tokens[attempt.subject].acts;
    let declared = |token: usize| world.tokens[token].form.declared();
    let wrong = DECLARED_AS[usize::from(die) % DECLARED_AS.len()];
    let of = |who: Who| {
        let own = |token: &usize| world.tokens[*token].sub == Sub::Client(who);
        tokens.iter().copied().filter(own).collect::<Vec<usize>>()
    };
    let some = |forms: &[Form]| {
        let is = |token: &usize| forms.contains(&world.tokens[*token].form);
        tokens.iter().copied().filter(is).collect::<Vec<usize>>()
    };
    match what % 24 {
        0 | 1 => attempt.subject = pick(&tokens, die).unwrap_or(attempt.subject),
        2 | 3 => attempt.actor = pick(&tokens, die).map(|token| (token, declared(token))),
        4 => attempt.by = usize::from(die) % PARTIES.len(),
        5 => attempt.key = if die % 2 == 0 { None } else { Some(Key::Other) },
        6 => attempt.subject_as = wrong,
        7 => attempt.actor = pick(&of(attempt.by), die).map(|token| (token, wrong)),
        8 => attempt.task = pick(&tasks, die),
        9 => attempt.places = all_places(),
        // Back to somebody who acted before, by way of the one who may speak for them.
        10 | 11 => {
            let own: Vec<usize> = of(0).into_iter().filter(|token| world.stands(*token)).collect();
            attempt.by = ORDERS_API;
            attempt.key = Some(Key::Own);
            attempt.over_to = None;
            attempt.actor = pick(&own, die).map(|own| (own, declared(own)));
        }
        12 => attempt.over_to = pick(acts, die).or(Some(usize::from(die) % (AGENTS + 2))),
        13 => {
            attempt.scope = chosen(&all_words(), die);
            attempt.places = chosen(&all_places(), die >> 8);
        }
        14..=17 => bend_details(world, attempt, what / 24, die),
        // What is only its client's, and what others say, in somebody else's hands or with somebody else's key.
        18 | 19 => {
            let some = some(&[Form::Refresh, Form::Id, Form::Foreign(true), Form::Foreign(false)]);
            attempt.subject = pick(&some, die).unwrap_or(attempt.subject);
            attempt.by = if die % 2 == 0 { attempt.by } else { usize::from(die / 2) % WEB };
        }
        20 => attempt.actor = pick(&some(&[Form::Workload]), die).map(|token| (token, declared(token))),
        21 => {
            let some = some(&[Form::Refresh, Form::Id, Form::Foreign(true)]);
            attempt.actor = pick(&some, die).map(|token| (token, declared(token)));
        }
        22 => {
            attempt.scope.clear();
            attempt.details.clear();
        }
        _ => attempt.subject = pick(&some(&[Form::Workload]), die).unwrap_or(attempt.subject),
    }
    if matches!(what % 24, 0 | 1 | 18 | 19 | 23) {
        attempt.subject_as = declared(attempt.subject);
    }
}
