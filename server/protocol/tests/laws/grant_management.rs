//! What is merged allows both parts and nothing that neither does.

use proptest::prelude::*;
use protocol::audience::Resources;
use protocol::authority::Authority;
use protocol::authorization::Registered;
use protocol::authorization_details::AuthorizationDetails;
use protocol::grant_management::union;
use protocol::numeric_date::NumericDate;
use serde_json::json;

use crate::world::{ISSUER, R1, R2, R3, World, details, resources};

const END: NumericDate = NumericDate(5_000);

fn a_detail() -> impl Strategy<Value = serde_json::Value> {
    let actions = prop::sample::subsequence(vec!["read", "write"], 1..=2);
    (any::<bool>(), actions, 1..4_u8).prop_map(|(every, actions, most)| match every {
        true => json!({"type": "every_rule", "actions": actions, "max": most}),
        false => json!({"type": "not_passed_on", "actions": actions}),
    })
}

prop_compose! {
    fn a_part()(
        words in prop::sample::subsequence(vec!["a", "b", "c", "d", "offline_access"], 0..=4),
        places in prop::sample::subsequence(vec![R1, R2, R3], 1..=3),
        some in prop::collection::vec(a_detail(), 0..3),
    ) -> Authority {
        Authority {
            scope: words.join(" ").parse().unwrap(),
            details: details(json!(some)),
            resources: resources(&places),
            until: END,
        }
    }
}

fn merged(world: &World, a: &Authority, b: &Authority) -> Option<Authority> {
    let itself = ISSUER.parse().unwrap();
    let registered =
        Registered { types: &world.types, resource_servers: &world.resource_servers, itself: &itself };
    union(a, b, END, registered).ok()
}

/// Everything that an authority allows, each thing by itself: a word at a place that knows it, or a detail at a place.
fn each(world: &World, whole: &Authority) -> Vec<Authority> {
    let mut all = Vec::new();
    for place in &whole.resources {
        let resources = Resources::from([place.clone()]);
        let server = &world.resource_servers[place];
        let alone = Authority {
            scope: "".parse().unwrap(),
            details: AuthorizationDetails::none(),
            resources,
            until: whole.until,
        };
        for word in whole.scope.iter().filter(|word| server.scopes.contains_key(*word)) {
            all.push(Authority { scope: word.as_str().parse().unwrap(), ..alone.clone() });
        }
        for detail in whole.details.iter() {
            all.push(Authority { details: AuthorizationDetails(vec![detail.clone()]), ..alone.clone() });
        }
    }
    all
}

proptest! {
    #[test]
    fn both_parts_lie_within_what_is_merged(a in a_part(), b in a_part()) {
        let world = World::narrowing();
        if let Some(both) = merged(&world, &a, &b) {
            prop_assert!(a.is_within(&both, &world.types), "{both:?}");
            prop_assert!(b.is_within(&both, &world.types), "{both:?}");
        }
    }

    #[test]
    fn whatever_is_merged_allows_at_a_place_one_of_the_parts_allows_there(a in a_part(), b in a_part()) {
        let world = World::narrowing();
        if let Some(both) = merged(&world, &a, &b) {
            for thing in each(&world, &both) {
                let within = |part: &Authority| thing.is_within(part, &world.types);
                prop_assert!(within(&a) || within(&b), "{thing:?}");
            }
        }
    }

    #[test]
    fn it_does_not_matter_which_part_came_first(a in a_part(), b in a_part()) {
        let world = World::narrowing();
        let (ab, ba) = (merged(&world, &a, &b), merged(&world, &b, &a));
        prop_assert_eq!(ab.is_some(), ba.is_some());
        if let (Some(ab), Some(ba)) = (ab, ba) {
            prop_assert!(ab.is_within(&ba, &world.types) && ba.is_within(&ab, &world.types));
        }
    }

    #[test]
    fn parts_for_the_same_places_can_always_be_merged(a in a_part(), b in a_part()) {
        let world = World::narrowing();
        let b = Authority { resources: a.resources.clone(), ..b };
        prop_assert!(merged(&world, &a, &b).is_some());
    }
}
