//! What is offered is within what was registered, what is approved within what was offered, and what a token takes
//! within what was approved.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use protocol::audience::{InvalidTarget, ResourceIndicator};
use protocol::authority::Authority;
use protocol::authorization::{Approval, AuthorizationRefused, Named, Registered, approve, offer, take};
use protocol::authorization_details::{AuthorizationDetails, DetailsTypes, InvalidAuthorizationDetails};
use protocol::client::Client;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::refusal::Refuse as _;
use protocol::resource_server::ResourceServer;
use serde_json::json;

use crate::world::{ISSUER, NOW, R1, R2, R3, World, agent, client, details, resources};

/// A registry of three resource servers and this one, which knows `openid` and `email`.
struct Registry {
    types: DetailsTypes,
    servers: BTreeMap<ResourceIndicator, Arc<ResourceServer>>,
    itself: ResourceIndicator,
}

impl Registry {
    fn new() -> Self {
        let world = World::narrowing();
        let mut servers = world.resource_servers;
        let itself: ResourceIndicator = ISSUER.parse().unwrap();
        let mut own = ResourceServer::clone(&servers[&R1.parse::<ResourceIndicator>().unwrap()]);
        own.identifier = itself.clone();
        own.details_types.clear();
        own.scopes = ["openid", "email"].map(|word| (word.parse().unwrap(), BTreeMap::new())).into();
        servers.insert(itself.clone(), Arc::new(own));
        Self { types: world.types, servers, itself }
    }

    fn registered(&self) -> Registered<'_> {
        Registered { types: &self.types, resource_servers: &self.servers, itself: &self.itself }
    }
}

const END: NumericDate = NumericDate(9_000);

fn named(scope: &str) -> Named {
    Named { scope: Some(scope.parse().unwrap()), ..Named::default() }
}

fn app() -> Client {
    let mut app = client("app", protocol::client::ClientKind::Application);
    app.scope = "openid email offline_access a b c".parse().unwrap();
    app
}

fn offered(named: &Named) -> Result<Authority, AuthorizationRefused> {
    let registry = Registry::new();
    offer(&app(), &app(), named, registry.registered(), END, NOW)
}

#[test]
fn without_a_resource_those_follow_that_the_scope_belongs_to() {
    let at = |scope: &str| offered(&named(scope)).unwrap().resources;
    assert_eq!(at("b"), resources(&[R1, R2]));
    assert_eq!(at("openid"), resources(&[ISSUER]));
    assert_eq!(at("openid c"), resources(&[ISSUER, R1, R2]));
    let at_one = Named { resources: resources(&[R1]), ..named("b") };
    assert_eq!(offered(&at_one).unwrap().resources, resources(&[R1]));
}

#[test]
fn identity_scopes_bring_this_server_along_whatever_resource_is_named() {
    let asked = Named { resources: resources(&[R1]), ..named("openid b") };
    assert_eq!(offered(&asked).unwrap().resources, resources(&[ISSUER, R1]));
}

#[test]
fn nothing_offline_alone_and_nothing_unknown_can_be_asked_for() {
    assert_eq!(offered(&Named::default()), Err(AuthorizationRefused::NothingAsked));
    assert_eq!(offered(&named("offline_access")), Err(AuthorizationRefused::NothingAsked));
    assert_eq!(offered(&named("zz")), Err(AuthorizationRefused::ScopeNotAllowed), "not the client's");
    let elsewhere = Named { resources: resources(&[R3]), ..named("b") };
    assert_eq!(offered(&elsewhere), Err(AuthorizationRefused::ScopeNotAllowed), "not known there");
    assert!(offered(&named("a offline_access")).unwrap().scope.contains("offline_access"));
}

#[test]
fn a_resource_must_be_registered_and_the_actors() {
    let registry = Registry::new();
    let at = |place: &str| Named { resources: resources(&[place]), ..named("a") };
    let ask = |actor: &Client, place: &str| offer(&app(), actor, &at(place), registry.registered(), END, NOW);
    assert!(ask(&app(), R1).is_ok());
    assert_eq!(ask(&app(), "https://nobody.example"), Err(InvalidTarget::NotAvailable.into()));
    let mut narrow = agent("a");
    narrow.resources = resources(&[R2]);
    assert_eq!(ask(&narrow, R1), Err(InvalidTarget::NotAvailable.into()));
    let mut nowhere = agent("a");
    nowhere.resources.clear();
    assert_eq!(
        offer(&app(), &nowhere, &named("a"), registry.registered(), END, NOW),
        Err(InvalidTarget::NotNamed.into())
    );
}

#[test]
fn an_actor_other_than_the_client_must_be_registered_for_what_is_not_about_identity() {
    let registry = Registry::new();
    let mut narrow = agent("a");
    narrow.scope = "a".parse().unwrap();
    let ask = |scope: &str| offer(&app(), &narrow, &named(scope), registry.registered(), END, NOW);
    assert!(ask("openid a").is_ok());
    assert_eq!(ask("a b"), Err(AuthorizationRefused::ScopeNotAllowed));
    assert_eq!(ask("a offline_access"), Err(AuthorizationRefused::ScopeNotAllowed));
}

#[test]
fn details_must_fit_their_type_and_be_both_clients_and_actors() {
    let registry = Registry::new();
    let asked = |value| Named { details: Some(details(value)), ..Named::default() };
    let read = asked(json!([{"type": "not_passed_on", "actions": ["read"]}]));
    assert!(offered(&read).is_ok());
    assert!(matches!(offered(&asked(json!([{"type": "zz"}]))), Err(AuthorizationRefused::Details(_))));
    let unknown = AuthorizationRefused::Details(InvalidAuthorizationDetails::UnknownType { index: 0 });
    let mut without = agent("a");
    without.authorization_details_types.clear();
    assert_eq!(offer(&app(), &without, &read, registry.registered(), END, NOW), Err(unknown.clone()));
    let mut client_without = app();
    client_without.authorization_details_types.clear();
    assert_eq!(
        offer(&client_without, &agent("a"), &read, registry.registered(), END, NOW),
        Err(unknown.clone())
    );
    // Its place is a resource server that is not among the targets.
    let misplaced = Named {
        resources: resources(&[R2]),
        ..asked(json!([{"type": "not_passed_on", "actions": ["read"], "locations": [R1]}]))
    };
    assert_eq!(offered(&misplaced), Err(unknown));
}

#[test]
fn a_refusal_has_the_error_of_its_own_specification() {
    use protocol::refusal::ErrorCode::{InvalidAuthorizationDetails as D, InvalidScope, InvalidTarget as T};
    assert_eq!(AuthorizationRefused::ScopeNotAllowed.code(), InvalidScope);
    assert_eq!(AuthorizationRefused::ScopeTooWide.code(), InvalidScope);
    assert_eq!(AuthorizationRefused::NothingAsked.code(), InvalidScope);
    assert_eq!(AuthorizationRefused::from(InvalidTarget::NotNamed).code(), T);
    assert_eq!(AuthorizationRefused::from(InvalidAuthorizationDetails::Malformed).code(), D);
}

#[test]
fn striking_everything_leaves_nothing_and_striking_a_scope_its_resource() {
    let registry = Registry::new();
    let all = offered(&named("openid a b offline_access")).unwrap();
    let approval = |scope: &str| Approval { scope: scope.parse().unwrap(), details: [].into(), until: END };
    assert_eq!(approve(&all, &approval(""), registry.registered()), None);
    assert_eq!(approve(&all, &approval("offline_access"), registry.registered()), None);
    let only_openid = approve(&all, &approval("openid"), registry.registered()).unwrap();
    assert_eq!(only_openid.resources, resources(&[ISSUER]));
    let shorter = Approval { until: NumericDate(1_500), ..approval("a") };
    assert_eq!(approve(&all, &shorter, registry.registered()).unwrap().until, NumericDate(1_500));
    let longer = Approval { until: NumericDate(99_000), ..approval("a") };
    assert_eq!(approve(&all, &longer, registry.registered()).unwrap().until, END);
}

#[test]
fn a_token_is_for_one_place_and_carries_what_means_something_there() {
    let registry = Registry::new();
    let given = offered(&Named { resources: resources(&[R1, R2]), ..named("openid a b c") }).unwrap();
    let take = |named: &Named| take(&given, named, registry.registered(), Seconds(300), NOW);
    assert_eq!(take(&Named::default()), Err(InvalidTarget::NotNamed.into()));
    let at_r2 = take(&Named { resources: resources(&[R2]), ..Named::default() }).unwrap();
    assert_eq!(at_r2.scope.to_string(), "b c");
    assert_eq!(at_r2.until, NumericDate(NOW.0 + 300));
    let inferred = take(&named("openid a")).unwrap();
    assert_eq!(inferred.resources, resources(&[ISSUER, R1]));
    assert_eq!(take(&named("a zz")), Err(AuthorizationRefused::ScopeTooWide));
    // An answer without a scope would read as if all had been granted.
    let elsewhere = Named { resources: resources(&[R2]), ..named("a") };
    assert_eq!(take(&elsewhere), Err(AuthorizationRefused::ScopeNotAllowed));
    let beyond = Named { resources: resources(&[R3]), ..Named::default() };
    assert_eq!(take(&beyond), Err(InvalidTarget::NotAvailable.into()));
}

#[test]
fn a_token_lives_no_longer_than_type_resource_server_and_approval_allow() {
    let mut registry = Registry::new();
    let asked = Named {
        details: Some(details(json!([{"type": "every_rule", "actions": ["read"]}]))),
        resources: resources(&[R1]),
        ..Named::default()
    };
    let given = offered(&asked).unwrap();
    let until = |registry: &Registry, given: &Authority| {
        take(given, &Named::default(), registry.registered(), Seconds(300), NOW).unwrap().until
    };
    assert_eq!(until(&registry, &given), NumericDate(NOW.0 + 200), "the type");
    let soon = Authority { until: NumericDate(NOW.0 + 5), ..given.clone() };
    assert_eq!(until(&registry, &soon), NumericDate(NOW.0 + 5), "the approval");
    let server = registry.servers.get_mut(&R1.parse::<ResourceIndicator>().unwrap()).unwrap();
    Arc::make_mut(server).token_life = Some(Seconds(60));
    assert_eq!(until(&registry, &given), NumericDate(NOW.0 + 60), "the resource server");
}

#[test]
fn details_are_taken_only_within_what_was_approved() {
    let registry = Registry::new();
    let given = offered(&Named {
        details: Some(details(json!([{"type": "every_rule", "actions": ["read", "write"]}]))),
        resources: resources(&[R1]),
        ..Named::default()
    })
    .unwrap();
    let take = |value| {
        let named = Named { details: Some(details(value)), ..Named::default() };
        take(&given, &named, registry.registered(), Seconds(300), NOW)
    };
    assert!(take(json!([{"type": "every_rule", "actions": ["read"]}])).is_ok());
    assert!(matches!(
        take(json!([{"type": "every_rule", "actions": ["read", "delete"]}])),
        Err(AuthorizationRefused::Details(InvalidAuthorizationDetails::TooWide { index: 0 }))
    ));
}

fn asked() -> impl Strategy<Value = Named> {
    let words = vec!["openid", "email", "offline_access", "a", "b", "c", "d"];
    let scope = proptest::option::of(
        proptest::sample::subsequence(words, 0..=7).prop_map(|w| w.join(" ").parse().unwrap()),
    );
    let places = proptest::sample::subsequence(vec![ISSUER, R1, R2, R3], 0..=4);
    let one = proptest::sample::subsequence(vec!["read", "write"], 1..=2).prop_flat_map(|actions| {
        proptest::sample::select(vec!["every_rule", "not_passed_on"])
            .prop_map(move |name| json!({"type": name, "actions": actions}))
    });
    let list = proptest::option::of(proptest::collection::vec(one, 0..3).prop_map(|l| details(json!(l))));
    (scope, places, list).prop_map(|(scope, places, details)| Named {
        scope,
        details,
        resources: resources(&places),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn each_step_stays_within_the_one_before(
        first in asked(),
        struck in asked(),
        kept in proptest::collection::btree_set(0_usize..3, 0..3),
        until in 900_i64..12_000,
        second in asked(),
    ) {
        let registry = Registry::new();
        let registered = registry.registered();
        let Ok(offered) = offered(&first) else { return Ok(()) };
        prop_assert!(offered.scope.is_within(&app().scope));
        prop_assert!(offered.resources.iter().all(|r| registry.servers.contains_key(r)));
        let approval = Approval { scope: struck.scope.unwrap_or_default(), details: kept, until: NumericDate(until) };
        let Some(approved) = approve(&offered, &approval, registered) else { return Ok(()) };
        prop_assert!(approved.is_within(&offered, &registry.types));
        prop_assert!(approved.scope.is_within(&approval.scope) && approved.until.0 <= until);
        prop_assert!(!approved.resources.is_empty());
        let Ok(taken) = take(&approved, &second, registered, Seconds(300), NOW) else { return Ok(()) };
        prop_assert!(taken.is_within(&approved, &registry.types));
        prop_assert!(taken.scope.is_within(&registered.known_scope(&taken.resources)));
        prop_assert!(taken.until.0 <= NOW.0 + 300);
        let _: AuthorizationDetails = taken.details;
    }

    #[test]
    fn approving_everything_gives_the_whole_offer(first in asked()) {
        let registry = Registry::new();
        let Ok(offered) = offered(&first) else { return Ok(()) };
        let approval = Approval { scope: offered.scope.clone(), details: (0..3).collect(), until: END };
        let approved = approve(&offered, &approval, registry.registered()).unwrap();
        prop_assert_eq!(&approved.scope, &offered.scope);
        prop_assert_eq!(&approved.details, &offered.details);
        prop_assert_eq!(approved.until, offered.until);
    }
}
