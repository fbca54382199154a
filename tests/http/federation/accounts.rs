//! Whose account it is: made, linked, taken away; and what its owner may do because of their groups.

use serde_json::{Value, json};
use tests::{Arrival, Database, Person, on_both_databases, password_of};

use super::{World, param};

on_both_databases! {
    a_right_that_came_with_a_group_goes_with_it,
    an_owner_links_and_unlinks_an_account,
    two_first_sign_ins_at_the_same_moment_make_one_account,
    nobody_new_is_called_by_somebody_elses_address_or_like_an_id,
}

const GROUPS: &str = "[[upstreams.groups]]\ngroup = \"ops\"\nadmin = true\n\
                      [[upstreams.groups]]\ngroup = \"sales\"\ngroups = [\"support\"]\n";

async fn a_right_that_came_with_a_group_goes_with_it(database: Database) {
    let world = World::on(database, GROUPS).await;
    world.groups(&["ops", "sales", "other"]);
    let zoe = world.signed_in().await;
    assert_eq!(zoe.page("/admin").await.status, 200);
    assert_eq!(world.user("zoe").await.claims["groups"], json!(["support"]));

    world.groups(&["sales"]);
    let zoe = world.signed_in().await;
    assert_eq!(zoe.page("/admin").await.status, 403);
    assert_eq!(world.user("zoe").await.claims["groups"], json!(["support"]));
    assert_eq!(world.count("user.update").await, 1);

    world.there.claim("groups", Value::Null);
    world.signed_in().await;
    assert!(!world.user("zoe").await.claims.contains_key("groups"));
    world.signed_in().await;
    assert_eq!(world.count("user.update").await, 2, "nothing changed, nothing is told");
}

async fn an_owner_links_and_unlinks_an_account(database: Database) {
    let world = World::on(database, GROUPS).await;
    world.groups(&["sales"]);
    let alice = world.house.signed_in("alice").await;
    let page = link(&world, &alice).await;
    assert!(page.text().contains("From now on you can sign in with The Company"), "{}", page.text());
    world.house.told("user.link", "granted").await;
    assert_eq!(world.count("user.create").await, 0);

    // From now on she comes in both ways, and is one.
    let zoe = world.signed_in().await;
    assert!(zoe.page("/account").await.text().contains("Alice Arnold"));
    assert_eq!(world.user("alice").await.claims["groups"], json!(["support"]));

    // Nobody else gets what is hers.
    let bob = world.house.signed_in("bob").await;
    let page = link(&world, &bob).await;
    assert_eq!(page.status, 403);
    assert!(page.text().contains("belongs to another account here"), "{}", page.text());

    let page = alice.page("/account/connections").await;
    let form = page.form();
    assert_eq!(form.buttons, [("unlink".to_owned(), "company".to_owned())]);
    let page = page.submit(&form, Some(("unlink", "company"))).await.page();
    assert!(page.text().contains("no longer linked"), "{}", page.text());
    world.house.told("user.unlink", "granted").await;
    assert!(!world.user("alice").await.claims.contains_key("groups"), "the rights go with the link");
    assert!(
        zoe.page("/account").await.path.starts_with("/sign-in"),
        "and so does the session that came by it"
    );
    assert_eq!(alice.page("/account").await.path, "/account");
}

async fn two_first_sign_ins_at_the_same_moment_make_one_account(database: Database) {
    let world = World::on(database, "").await;
    // With one nonce for both, since the upstream has one for everybody.
    let (one, other) = (world.house.person(), world.house.person());
    let sent = [world.leave(&one).await, world.leave(&other).await];
    let first = world.back(&sent[0], &[]);
    let (first, second) = tokio::join!(one.page(&first), async {
        other.page(&world.back_with(&sent[1], &[("error", "access_denied")], &[])).await
    });
    assert_eq!((first.status, second.status), (200, 403));
    world.signed_in().await;
    assert_eq!(world.count("user.create").await, 1);
}

async fn nobody_new_is_called_by_somebody_elses_address_or_like_an_id(database: Database) {
    let world = World::on(database, "email_domains = [\"company.example\"]\n").await;
    let called = async |preferred: &str, email: &str| {
        world.there.claim("sub", json!(format!("sub of {preferred} {email}")));
        world.there.claim("preferred_username", json!(preferred));
        world.there.claim("email", json!(email));
        world.signed_in().await;
        let made = world.house.store().users_by_email(email).await.unwrap();
        assert_eq!(made.len(), 1, "{email}");
        made[0].username.clone()
    };
    assert_eq!(called("carol@corp.example", "mallory@company.example").await, "carol");
    assert_eq!(called("dave@corp.example", "dave@corp.example").await, "dave");
    assert!(called("usr_1", "eve@company.example").await.starts_with("company-"));
    assert_eq!(called("zoe@company.example", "zoe@company.example").await, "zoe@company.example");
}

/// Goes through linking: the page in the end.
async fn link(world: &World, person: &Person) -> tests::Page {
    let page = person.page("/account/connections").await;
    let leaving = page.submit(&page.form(), Some(("link", "company"))).await.page();
    let sent = leaving.link("leaving-go").parse().unwrap();
    person.page(&world.back(&sent, &[])).await
}

#[tokio::test]
async fn linking_needs_a_fresh_sign_in_a_form_of_ours_and_the_same_person_to_come_back() {
    let world = World::open("").await;
    let alice = world.house.signed_in("alice").await;
    let page = alice.page("/account/connections").await;
    let mut forged = page.form();
    forged.without("csrf");
    assert_eq!(page.submit(&forged, Some(("link", "company"))).await.page().status, 403);

    let leaving = page.submit(&page.form(), Some(("link", "company"))).await.page();
    let sent = leaving.link("leaving-go").parse().unwrap();
    // Somebody else signs in at the same browser meanwhile.
    alice.sign_in("bob", &password_of("bob")).await;
    assert_eq!(alice.page(&world.back(&sent, &[])).await.status, 400);
    assert_eq!(world.count("user.link").await, 0);

    let bob = alice;
    let form = bob.page("/account/connections").await;
    world.house.later(301);
    let old = bob.page("/account/connections").await;
    assert!(tests::Form::all(&old.html).is_empty(), "nothing to press");
    let asked = form.submit(&form.form(), Some(("link", "company"))).await.page();
    assert!(asked.path.starts_with("/sign-in"), "{}", asked.path);
}

#[tokio::test]
async fn the_last_way_in_is_not_taken_away() {
    let world = World::open("").await;
    let zoe = world.signed_in().await;
    let page = zoe.page("/account/connections").await;
    assert!(page.text().contains("The Company"));
    assert!(tests::Form::all(&page.html).is_empty(), "{}", page.html);
    let csrf = zoe.page("/logout").await.form().value("csrf").to_owned();
    let fields = [("csrf".to_owned(), csrf), ("unlink".to_owned(), "company".to_owned())];
    let Arrival::Page(page) = zoe.post("/account/connections", &fields).await else { panic!("led away") };
    assert_eq!(page.status, 400);
    assert_eq!(world.count("user.unlink").await, 0);
}

#[tokio::test]
async fn an_account_of_the_same_address_is_not_given_away() {
    let world = World::open("").await;
    world.there.claim("email", json!("alice@people.example"));
    world.there.claim("preferred_username", json!("alice"));
    world.signed_in().await;
    assert_eq!(world.count("user.link").await, 0);
    assert_eq!(world.user("alice@company").await.email(), Some("alice@people.example"));
}

#[tokio::test]
async fn an_upstream_that_speaks_for_a_domain_may_be_believed_its_addresses() {
    let lines = "email_domains = [\"People.Example\"]\nlink_by_email = true\n";
    let world = World::open(lines).await;
    for (email, verified) in [("alice@people.example", false), ("admin@people.example", true)] {
        world.there.claim("email", json!(email));
        world.there.claim("email_verified", json!(verified));
        world.there.claim("sub", json!(format!("sub of {email}")));
        world.signed_in().await;
        assert_eq!(world.count("user.link").await, 0, "{email}");
    }
    world.there.claim("sub", json!("alice there"));
    world.there.claim("email", json!("alice@people.example"));
    // The one of before has the same address: now there are two, and nobody knows who is meant.
    world.signed_in().await;
    assert_eq!(world.count("user.link").await, 0);

    world.there.claim("sub", json!("bob there"));
    world.there.claim("email", json!("bob@people.example"));
    let bob = world.signed_in().await;
    world.house.told("user.sign_in", "granted").await;
    assert_eq!(world.count("user.link").await, 1);
    assert!(bob.page("/account").await.text().contains("Bob Brandt"));
}

#[tokio::test]
async fn the_configuration_links_and_an_unknown_person_stays_out_where_there_are_no_new_accounts() {
    let lines = "accounts = \"linked\"\nlinks = { zoe = \"bob\" }\n";
    let world = World::open(lines).await;
    let bob = world.signed_in().await;
    assert!(bob.page("/account").await.text().contains("Bob Brandt"));
    world.there.claim("sub", json!("mallory"));
    let page = world.refused().await;
    assert_eq!(page.status, 403);
    world.house.told("user.sign_in", "access_denied").await;
    let unknown = page.text();

    // Somebody whose account is disabled reads the same.
    let user = protocol::user::User { enabled: false, ..world.user("bob").await };
    let kept = server::store::Record::User { user, origin: server::store::Origin::Config };
    let change = server::store::Change::housekeeping(world.house.door().now()).keep(kept);
    world.house.store().commit(change).await.unwrap();
    world.there.claim("sub", json!("zoe"));
    let disabled = world.refused().await;
    let words = |text: &str| text.split("Try again").next().unwrap_or_default().to_owned();
    assert_eq!(words(&disabled.text()), words(&unknown));
}

#[tokio::test]
async fn where_groups_are_required_others_stay_out() {
    let world = World::open("required_groups = [\"staff\"]\n").await;
    world.groups(&["guests"]);
    assert_eq!(world.refused().await.status, 403);
    assert_eq!(world.count("user.create").await, 0);
    world.groups(&["staff"]);
    world.signed_in().await;
}

#[tokio::test]
async fn a_typed_address_of_a_known_domain_leads_there_and_no_other_does() {
    let world = World::open("email_domains = [\"company.example\"]\nbutton = false\n").await;
    let person = world.house.person();
    let page = person.page("/sign-in").await;
    assert!(!page.html.contains("upstream-form"), "no button");
    // That address belongs to nobody here: the answer tells nothing of accounts.
    let leaving = page.sign_in("nobody.yet@Company.Example", "").await.page();
    let sent: url::Url = leaving.link("leaving-go").parse().unwrap();
    assert_eq!(param(&sent, "login_hint"), "nobody.yet@Company.Example");
    let page = person.page("/sign-in").await;
    assert_eq!(page.sign_in("alice@elsewhere.example", "wrong").await.page().status, 401);
    let page = person.page("/sign-in").await;
    assert_eq!(page.sign_in("alice", "").await.page().status, 401);
    // What was typed as password goes nowhere.
    let page = person.page("/sign-in").await;
    page.sign_in("x@company.example", "my password").await.page();
    assert!(world.there.heard().iter().all(|line| !line.contains("password")));
}

#[tokio::test]
async fn a_session_that_began_there_lasts_as_long_as_the_upstream_allows() {
    let world = World::open("session_life = \"10m\"\n").await;
    let zoe = world.signed_in().await;
    world.house.later(300);
    assert_eq!(zoe.page("/account").await.path, "/account");
    world.house.later(301);
    assert!(zoe.page("/account").await.path.starts_with("/sign-in"), "using it does not make it longer");
    let alice = world.house.signed_in("alice").await;
    world.house.later(601);
    assert_eq!(alice.page("/account").await.path, "/account", "one that began here lasts as ever");
}
