//! Stories in which somebody borrows what is another one's: their word, or their task.

use tests::ORDERS;

use super::details::Details;
use super::dice::pick;
use super::model::{ACCESS, Attempt, Form, Sub};
use super::parties::{ORDERS_API, USERS, WEB, Who};
use super::stage::{Stage, Tally, Wish};
use super::weave::{begun, orders, plain, read};

/// A user lets `to` read orders, asked by `asker`.
pub(super) async fn let_read(stage: &mut Stage, user: usize, asker: Who, to: Who) {
    let wish = Wish {
        user,
        asker,
        to,
        scope: read(),
        places: orders(),
        details: Details::new(),
        travels: false,
        lasts: 10_000,
    };
    stage.consent(&wish).await;
}

fn user_of(stage: &Stage, token: usize) -> usize {
    let sub = stage.world.tokens[token].sub;
    USERS.iter().position(|user| sub == Sub::User(user)).unwrap()
}

/// The orders are sent the tokens of many, and speak for those for whom a rule lets them, and not where the user named
/// somebody else.
pub(super) async fn speaks_for_another(stage: &mut Stage, dice: [u16; 3], tally: &mut Tally) {
    let orders_read = |token: usize| stage.world.tokens[token].places.contains(ORDERS);
    let Some(subject) = begun(&stage.world, dice[0], orders_read) else { return };
    let acting = stage.world.tokens[subject].acts[0];
    stage.own(acting, &read()).await;
    let sent = Some((stage.world.tokens.len() - 1, ACCESS));
    // And somebody for whom there is no rule.
    let user = user_of(stage, subject);
    let_read(stage, user, 1, 1).await;
    let other = stage.world.tokens.len() - 1;
    stage.own(1, &read()).await;
    let of_other = Some((stage.world.tokens.len() - 1, ACCESS));
    for by in [ORDERS_API, 5] {
        for (actor, subject) in [(sent, subject), (of_other, other)] {
            let attempt = Attempt { actor, ..plain(&stage.world, by, subject) };
            stage.attempt(&attempt, tally).await;
        }
    }
    // With its own token beside it, it may do itself what it may, until that one was ended.
    let holder = stage.world.tokens[subject].to;
    let right = Attempt { actor: sent, ..plain(&stage.world, holder, subject) };
    stage.attempt(&right, tally).await;
    if let (true, Some((own, _))) = (holder == acting, sent) {
        stage.revoke(own).await;
        stage.attempt(&right, tally).await;
    }
    // The user lets the first agent act, and for this the orders and nobody else.
    let_read(stage, user, 0, 0).await;
    let_read(stage, user, WEB, WEB).await;
    let_read(stage, user, WEB, ORDERS_API).await;
    let for_orders = stage.world.tokens.len() - 1;
    stage.own(0, &read()).await;
    let first = stage.world.tokens.len() - 1;
    let of_first = Some((first, ACCESS));
    let by_orders = plain(&stage.world, ORDERS_API, for_orders);
    stage.attempt(&Attempt { actor: of_first, ..by_orders.clone() }, tally).await;
    stage.attempt(&by_orders, tally).await;
    // What the orders made of the first agent's own token says who acts, and is nobody's actor token.
    let on = stage.world.tokens.len();
    stage.attempt(&plain(&stage.world, ORDERS_API, first), tally).await;
    if stage.world.tokens.len() > on {
        let by_own_account = stage.world.tokens.iter().rposition(|token| {
            token.sub == Sub::User(USERS[user])
                && token.acts.first() == Some(&0)
                && token.places.contains(ORDERS)
        });
        if let Some(subject) = by_own_account {
            let attempt = Attempt { actor: Some((on, ACCESS)), ..plain(&stage.world, ORDERS_API, subject) };
            stage.attempt(&attempt, tally).await;
        }
    }
    // The sign-in that came with it is the application's, and what was allowed is not.
    let login = for_orders - 1;
    assert_eq!(stage.world.tokens[login].form, Form::Id);
    stage.attempt(&plain(&stage.world, WEB, login), tally).await;
}

/// A token goes over to a task of the same user and the same agent, which is of another consent.
pub(super) async fn other_consents_task(stage: &mut Stage, dice: [u16; 3], tally: &mut Tally) {
    let Some(subject) = begun(&stage.world, dice[0], |_| true) else { return };
    let (holder, of) = (stage.world.tokens[subject].to, stage.world.tokens[subject].consent);
    let user = user_of(stage, subject);
    let_read(stage, user, holder, holder).await;
    let here = |task: &usize| {
        let task = &stage.world.tasks[*task];
        task.doer == holder && task.above.is_none() && Some(task.consent) != of
    };
    let others: Vec<usize> = (0..stage.world.tasks.len()).filter(here).collect();
    let latest = others.last().copied();
    for task in [pick(&others, dice[1]), latest] {
        let attempt = Attempt { task, ..plain(&stage.world, holder, subject) };
        stage.attempt(&attempt, tally).await;
    }
}
