//! Of everything that anybody holds, and of everything that waits, exactly that ends which hangs on what was ended: random
//! worlds against a model that knows nothing of SQL.

mod model;
mod world;

use protocol::audience::Audience;

use super::seeds::{Die, Seed};
use super::*;
use model::Left;
use world::{What, World};

promises! {
    exactly_the_subtree_of_each_ending_dies;
}

const TREES: u64 = 70;

/// How much died and how much lived of what waits.
#[derive(Default, Debug)]
struct Tally {
    levels: [u32; 8],
    codes: [u32; 2],
    pushed: [u32; 2],
    afar: [u32; 2],
    deferrals: [u32; 2],
    links: [u32; 2],
    tokens: [u32; 2],
    families: [u32; 2],
}

async fn exactly_the_subtree_of_each_ending_dies(place: &Place) {
    for (seed, trees) in Seed::of_this_run(TREES) {
        let _told = seed.told();
        let (mut died, mut tally) = (Ended::default(), Tally::default());
        for tree in 0..trees {
            let mut die = Die::of(seed, tree);
            let world = World::random(&mut die, &tree.to_string());
            let what = What::random(&mut die, &world);
            tally.levels[what.level()] += 1;
            // Whatever earlier trees left would be counted too.
            wipe(place).await;
            world.keep(place).await;
            let done = place.commit(what.change()).await.ended;
            let left = world.after(&what);
            let told = format!("tree {tree}, {what:?}");
            assert_eq!(done, left.ended, "{told}");
            what_was_granted_is_as_it_should_be(place, &left, &told, &mut tally).await;
            what_waits_is_as_it_should_be(place, &left, &told, &mut tally).await;
            died += done;
        }
        // Trees in which nothing dies, or nothing lives, would prove nothing.
        if seed.usual {
            assert!(died.consents > 10 && died.tasks > 10 && died.tokens > 50, "{died:?}");
            assert!(died.agents > 5 && tally.levels.iter().all(|often| *often > 2), "{tally:?}");
            let Tally { codes, pushed, afar, deferrals, links, tokens, families, .. } = &tally;
            for kind in [codes, pushed, afar, deferrals, links, tokens, families] {
                assert!(kind.iter().all(|often| *often > 2), "{tally:?}");
            }
        }
    }
}

async fn what_was_granted_is_as_it_should_be(place: &Place, left: &Left, told: &str, tally: &mut Tally) {
    for (id, stands) in &left.tokens {
        let at = token_ended_at(place, id).await;
        assert_eq!(at.is_none(), *stands, "{told}: {id}");
        tally.tokens[usize::from(*stands)] += 1;
    }
    for (id, stands) in &left.families {
        assert_eq!(place.lives(Anchor::Family(id.clone())).await, *stands, "{told}: {id}");
        tally.families[usize::from(*stands)] += 1;
    }
    for (id, stands) in &left.tasks {
        let found = place.store.find_task(id).await.unwrap().unwrap();
        let wanted = if *stands { TaskStatus::Active } else { TaskStatus::Revoked };
        assert_eq!(found.status, wanted, "{told}: {id}");
    }
    for (id, stands) in &left.consents {
        let found = place.store.find_consent(id).await.unwrap().unwrap();
        let wanted = if *stands { ConsentState::Active } else { ConsentState::Revoked };
        assert_eq!(found.state, wanted, "{told}: {id}");
    }
}

async fn what_waits_is_as_it_should_be(place: &Place, left: &Left, told: &str, tally: &mut Tally) {
    let store = &place.store;
    for (name, stands) in &left.codes {
        let found = store.find_code(&digest(name)).await.unwrap().unwrap();
        assert_eq!(found.redeemed, !stands, "{told}: {name}");
        tally.codes[usize::from(*stands)] += 1;
    }
    for (name, stands) in &left.pushed {
        let found = store.find_pushed_request(&digest(name), NOW).await.unwrap();
        assert_eq!(found.is_some(), *stands, "{told}: {name}");
        tally.pushed[usize::from(*stands)] += 1;
    }
    for (name, stands) in &left.afar {
        let found = store.find_deferred(&digest(name)).await.unwrap().unwrap();
        assert_eq!(found.waits(NOW), *stands, "{told}: {name}");
        tally.afar[usize::from(*stands)] += 1;
    }
    for (name, standing) in &left.deferrals {
        let found = store.find_deferral(&digest(name)).await.unwrap().unwrap();
        assert_eq!(found.standing, *standing, "{told}: {name}: {:?}", found.asked);
        let stands = matches!(standing, Standing::Waiting | Standing::Approved);
        if stands || *standing == Standing::Ended {
            tally.deferrals[usize::from(stands)] += 1;
        }
    }
    for (name, stands) in &left.links {
        let found = store.find_one_time_link(&digest(name), NOW).await.unwrap();
        assert_eq!(found.is_some(), *stands, "{told}: {name}");
        tally.links[usize::from(*stands)] += 1;
    }
}

async fn token_ended_at(place: &Place, id: &TokenId) -> Option<i64> {
    let find = "SELECT ended_at FROM token WHERE id = $1";
    let rows = sql::query(&place.store.0.core.reader, find, vec![id.as_str().into()]).await.unwrap();
    rows[0].try_get_by_index(0).unwrap()
}

async fn wipe(place: &Place) {
    for table in [
        "token",
        "task",
        "consent",
        "authorization_code",
        "pushed_request",
        "deferred_request",
        "deferral",
        "backchannel_delivery",
        "one_time_link",
        "ended_family",
        "ended_instance",
        "client",
    ] {
        let delete = format!("DELETE FROM {table}");
        sql::execute(&place.store.0.core.writer, &delete, Vec::new()).await.unwrap();
    }
}
