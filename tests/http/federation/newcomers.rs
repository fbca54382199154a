//! Identity assertions from a company whose people sign in at the service: of whom they speak when somebody never came, by
//! which name, and how they must have signed in at the company.

use protocol::federation::Identity;
use protocol::federation::account::LinkedBy;
use protocol::federation::rights::Rights;
use protocol::identifier::UserId;
use serde_json::{Value, json};
use server::store::{Change, Ending, FederatedIdentity, Record};
use tests::{Database, ORDERS, on_both_databases};

use super::cross_domain::{Domains, GRANT, Lines, USUAL, present};

on_both_databases! {
    somebody_who_never_came_gets_the_account_that_a_sign_in_would_make_where_that_is_declared,
    whoever_could_not_sign_in_gets_no_account_by_an_assertion_either,
    a_grant_that_is_refused_leaves_no_account_behind,
    the_service_is_told_its_own_name_for_the_user_and_takes_it_where_it_is_declared_so,
    the_company_speaks_of_nobody_whose_login_is_not_what_the_service_needs,
}

const NEWCOMERS: Lines<'_> = Lines {
    server: "claims = [\"preferred_username\", \"email\", \"email_verified\", \"groups\"]",
    trust: "subject_is = \"linked_identity\"\naccounts = \"just_in_time\"",
    upstream: "",
};

/// Who somebody of the company is at the service.
async fn account(domains: &Domains, username: &str) -> Option<UserId> {
    let there = domains.company.store().find_user_by_username(username).await.unwrap().unwrap();
    let identity = Identity { issuer: domains.company.issuer().to_owned(), subject: there.id.to_string() };
    domains.service.store().find_identity(&identity).await.unwrap().and_then(|known| known.user)
}

/// What was told at the service of things that were done, the oldest first.
async fn told(domains: &Domains, action: &str) -> Vec<Value> {
    let events = domains.service.events().await;
    let events = events.iter().map(|event| serde_json::to_value(event).unwrap());
    events.filter(|event| event["action"] == action && event["outcome"] == "granted").collect()
}

/// How many accounts were made there.
async fn made(domains: &Domains) -> usize {
    told(domains, "user.create").await.len()
}

async fn somebody_who_never_came_gets_the_account_that_a_sign_in_would_make_where_that_is_declared(
    database: Database,
) {
    let domains = Domains::open_with(database, NEWCOMERS).await;
    let (here, there) = domains.agent();
    let (login, before) = (domains.allowed_by("bob", &here).await, made(&domains).await);
    assert_eq!(account(&domains, "bob").await, None);
    // Two at once are about the same person.
    let [one, two] =
        [domains.grant(&here, &login, "id-jag").await, domains.grant(&here, &login, "id-jag").await];
    let (one, two) = (one.ok(), two.ok());
    let (first, second) =
        tokio::join!(present(&there, one.access_token()), present(&there, two.access_token()));
    let (first, second) = (first.ok(), second.ok());
    let bob = account(&domains, "bob").await.expect("an account");
    assert_eq!((&first.claims()["sub"], &second.claims()["sub"]), (&json!(bob), &json!(bob)));
    assert_eq!(made(&domains).await, before + 1);
    let event = told(&domains, "user.create").await.pop().unwrap();
    assert_eq!((&event["user"], &event["reason"]), (&json!(bob), &json!("upstream company")));
    let user = domains.service.store().find_user(&bob).await.unwrap().unwrap();
    assert!(user.enabled && !user.admin && user.password_hash.is_none());
    assert_eq!(
        (user.username.as_str(), &user.claims["email"]),
        ("bob@company", &json!("bob@people.example"))
    );
    // Whoever has the name here is somebody else.
    let namesake = domains.service.store().find_user_by_username("bob").await.unwrap().unwrap();
    assert_ne!(namesake.id, bob);
    // When he comes himself, it is his.
    domains.signs_in_at_the_service("bob").await;
    let event = told(&domains, "user.sign_in").await.pop().unwrap();
    assert_eq!((&event["user"], made(&domains).await), (&json!(bob), before + 1));
    // Once he is out, no assertion brings him back, nor makes him anew.
    let change = Change::housekeeping(domains.service.door().now());
    let change = change.set_account(bob.clone(), protocol::ending::AccountOperation::Revoke);
    domains.service.store().commit(change.end(Ending::User(bob.clone()))).await.unwrap();
    let third = domains.grant(&here, &login, "id-jag").await.ok();
    present(&there, third.access_token()).await.refused("invalid_grant");
    assert_eq!(made(&domains).await, before + 1);
    // The other kind of grant is about nobody who never came.
    let of_admin = domains.allowed_by("admin", &here).await;
    let grant = domains.grant(&here, &of_admin, "jwt").await.ok();
    present(&there, grant.access_token()).await.refused("invalid_grant");
    assert_eq!(account(&domains, "admin").await, None);
}

async fn whoever_could_not_sign_in_gets_no_account_by_an_assertion_either(database: Database) {
    for (upstream, reason) in [
        ("accounts = \"linked\"", "no account belongs to this identity"),
        ("required_groups = [\"staff\"]", "the user is in none of the required groups"),
    ] {
        let mut domains = Domains::open_with(database, USUAL).await;
        let trust = format!("{}\n", NEWCOMERS.trust);
        let changed = domains.service.config().replace(&format!("{}\n", USUAL.trust), &trust);
        let changed = changed.replace("client_secret = ", &format!("{upstream}\nclient_secret = "));
        domains.service.restart_changed(move |_| changed).await;
        let (here, there) = domains.agent();
        let (login, before) = (domains.allowed_by("bob", &here).await, made(&domains).await);
        let grant = domains.grant(&here, &login, "id-jag").await.ok();
        present(&there, grant.access_token()).await.refused("invalid_grant");
        let event = domains.service.told("token.jwt_bearer", "invalid_grant").await;
        assert!(event["reason"].as_str().unwrap().contains(reason), "{event}");
        assert_eq!((account(&domains, "bob").await, made(&domains).await), (None, before));
    }
}

async fn a_grant_that_is_refused_leaves_no_account_behind(database: Database) {
    let mut domains = Domains::open_with(database, NEWCOMERS).await;
    let (here, there) = domains.agent();
    let (login, before) = (domains.allowed_by("bob", &here).await, made(&domains).await);
    let grant = domains.grant(&here, &login, "id-jag").await.ok();
    let ask = async |more: &[(&str, &str)]| {
        let usual = [("grant_type", GRANT), ("assertion", grant.access_token())];
        there.token(&[&usual, more].concat()).await
    };
    for (more, code) in [
        ([("scope", "orders:write"), ("resource", ORDERS)], "invalid_scope"),
        ([("scope", "orders:read"), ("resource", "https://other.example")], "invalid_target"),
    ] {
        ask(&more).await.refused(code);
        domains.service.told("token.jwt_bearer", code).await;
    }
    // A rule that denies it, and a person who would have to be asked and cannot be waited for.
    let rule = |effect: &str| {
        format!("\n[[rules]]\nid = \"held-up\"\nclient = \"agent-b\"\n{effect}\nscope = \"orders:read\"\n")
    };
    let (usual, key) = (domains.service.config().to_owned(), there.dpop.clone());
    for effect in ["effect = \"deny\"", "effect = \"ask\""] {
        let config = format!("{usual}{}", rule(effect));
        domains.service.restart_changed(move |_| config).await;
        let (_, mut there) = domains.agent();
        there.dpop.clone_from(&key);
        present(&there, grant.access_token()).await.refused("access_denied");
        assert_eq!((account(&domains, "bob").await, made(&domains).await), (None, before), "{effect}");
        if effect.contains("ask") {
            // Where the client waits, there is somebody to be asked.
            let params = [
                ("grant_type", GRANT),
                ("assertion", grant.access_token()),
                ("resource", ORDERS),
                ("completion_mode", "deferred"),
            ];
            there.token(&params).await.refused("authorization_pending");
            let bob = account(&domains, "bob").await.expect("an account");
            assert_eq!(made(&domains).await, before + 1);
            assert_eq!(domains.service.told("deferral.ask", "granted").await["user"], json!(bob));
        }
    }
}

async fn the_service_is_told_its_own_name_for_the_user_and_takes_it_where_it_is_declared_so(
    database: Database,
) {
    let lines = Lines {
        server: "claims = [\"aud_sub\"]",
        trust: "subject_claim = \"aud_sub\"\nsubject_is = \"user_id\"",
        ..USUAL
    };
    let domains = Domains::open_with(database, lines).await;
    let (here, there) = domains.agent();
    let login = domains.allowed(&here).await;
    // Nobody said yet who she is there.
    let grant = domains.grant(&here, &login, "id-jag").await.ok();
    assert_eq!(grant.claims().get("aud_sub"), None);
    present(&there, grant.access_token()).await.refused("invalid_grant");
    // She linked who she is there, to her account at the company.
    let known = domains.service.store().find_user_by_username("bob").await.unwrap().unwrap();
    let alice = domains.company.store().find_user_by_username("alice").await.unwrap().unwrap();
    let link = async |subject: String, user: Option<UserId>| {
        let kept = FederatedIdentity {
            identity: Identity { issuer: domains.service.issuer().to_owned(), subject },
            user,
            by: LinkedBy::Owner,
            linked_at: domains.company.door().now(),
            granted: Rights::default(),
        };
        let change = Change::housekeeping(domains.company.door().now()).keep(Record::FederatedIdentity(kept));
        domains.company.store().commit(change).await.unwrap();
    };
    link(known.id.to_string(), Some(alice.id.clone())).await;
    let grant = domains.grant(&here, &login, "id-jag").await.ok();
    assert_eq!(grant.claims()["aud_sub"], json!(known.id));
    assert_ne!(grant.claims()["sub"], json!(known.id));
    let token = present(&there, grant.access_token()).await.ok();
    assert_eq!(token.claims()["sub"], json!(known.id));
    // Who has two names there is told by neither.
    link("another".to_owned(), Some(alice.id.clone())).await;
    let grant = domains.grant(&here, &login, "id-jag").await.ok();
    assert_eq!(grant.claims().get("aud_sub"), None);
    link("another".to_owned(), None).await;

    // A service that does not say so goes by who she is at the company, whatever else it is told.
    let usual = Domains::open_with(database, Lines { server: lines.server, ..USUAL }).await;
    let (here, there) = usual.agent();
    let alice = account(&usual, "alice").await.unwrap();
    let company = usual.company.store().find_user_by_username("alice").await.unwrap().unwrap();
    let kept = FederatedIdentity {
        identity: Identity { issuer: usual.service.issuer().to_owned(), subject: known.id.to_string() },
        user: Some(company.id.clone()),
        by: LinkedBy::Owner,
        linked_at: usual.company.door().now(),
        granted: Rights::default(),
    };
    let change = Change::housekeeping(usual.company.door().now()).keep(Record::FederatedIdentity(kept));
    usual.company.store().commit(change).await.unwrap();
    let login = usual.allowed(&here).await;
    let grant = usual.grant(&here, &login, "id-jag").await.ok();
    assert_eq!(grant.claims()["aud_sub"], json!(known.id));
    assert_eq!(present(&there, grant.access_token()).await.ok().claims()["sub"], json!(alice));
}

async fn the_company_speaks_of_nobody_whose_login_is_not_what_the_service_needs(database: Database) {
    let domains = Domains::open_with(database, Lines { server: "max_age = \"2m\"", ..USUAL }).await;
    let (here, there) = domains.agent();
    let login = domains.allowed(&here).await;
    for requested in ["id-jag", "jwt"] {
        domains.grant(&here, &login, requested).await.ok();
    }
    domains.later(121);
    for requested in ["id-jag", "jwt"] {
        let refused = domains.grant(&here, &login, requested).await;
        let refused = refused.refused_with(400, "insufficient_user_authentication");
        assert_eq!((&refused.json["max_age"], refused.json.get("acr_values")), (&json!(120), None));
        domains.company.told("token.exchange", "insufficient_user_authentication").await;
    }
    // She signs in again, as the answer says, and it goes on.
    let again = domains.allowed(&here).await;
    let grant = domains.grant(&here, &again, "id-jag").await.ok();
    present(&there, grant.access_token()).await.ok();
}

#[tokio::test]
async fn the_company_speaks_of_nobody_whose_login_is_too_weak() {
    let server = "acr_values = [\"phr\", \"urn:procura:acr:multi-factor\"]";
    let domains = Domains::open_with(Database::Sqlite, Lines { server, ..USUAL }).await;
    let (here, _) = domains.agent();
    let login = domains.allowed(&here).await;
    let refused = domains.grant(&here, &login, "id-jag").await.refused("insufficient_user_authentication");
    assert_eq!(refused.text("acr_values"), "phr urn:procura:acr:multi-factor");
}
