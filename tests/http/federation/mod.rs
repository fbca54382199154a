//! Signing in at an upstream OpenID Provider: another Procura, and one that says whatever a test wants.

mod accounts;
mod answers;
mod cross_domain;
mod logout;
mod newcomers;
mod procura;
mod revocation;
mod rights;
mod ticket;

use serde_json::{Value, json};
use tests::{Arrival, Database, FakeProvider, House, Page, Person};
use url::Url;

/// The configuration of an upstream, with more lines of its own.
fn upstream(issuer: &str, lines: &str) -> String {
    format!(
        "[outbound]\npermitted_addresses = [\"127.0.0.1/32\"]\ntimeout = \"8s\"\n\n\
         [[upstreams]]\nid = \"company\"\nissuer = \"{issuer}\"\nclient_id = \"web\"\n\
         client_secret = \"the secret of web\"\nname = {{ en = \"The Company\", de = \"Die Firma\" }}\n{lines}\n"
    )
}

/// A house and an upstream that says whatever a test wants, of somebody called `zoe` to begin with.
struct World {
    house: House,
    there: FakeProvider,
}

impl World {
    async fn open(lines: &str) -> Self {
        Self::on(Database::Sqlite, lines).await
    }

    async fn on(database: Database, lines: &str) -> Self {
        // The house's clock begins with the real one.
        let now = server::clock::Clock::now(&server::clock::SystemClock);
        let there = FakeProvider::open("web", "zoe", now).await;
        let house = House::on_with(database, &upstream(&there.issuer, lines)).await;
        Self { house, there }
    }

    /// The same, where some words at the resource servers are kept for groups: a line of TOML.
    async fn keeping_for_groups(database: Database, lines: &str, scope_groups: &str) -> Self {
        let kept = format!("{scope_groups}\n[resource_servers.scopes]\n\"orders:read\"");
        let change = |town: String| town.replace("[resource_servers.scopes]\n\"orders:read\"", &kept);
        Self::with_town(database, lines, change).await
    }

    /// The same, with the declarations changed by `change`.
    async fn with_town(database: Database, lines: &str, change: impl FnOnce(String) -> String) -> Self {
        let now = server::clock::Clock::now(&server::clock::SystemClock);
        let there = FakeProvider::open("web", "zoe", now).await;
        let fragment = upstream(&there.issuer, lines);
        let house = House::build(database, |town| format!("{fragment}\n{}", change(town))).await;
        Self { house, there }
    }

    /// Presses the button: where the browser is sent.
    async fn leave(&self, person: &Person) -> Url {
        leave(person.page("/sign-in").await).await
    }

    /// The path that the upstream sends the browser back to; from now on its ID tokens have the right nonce.
    fn back(&self, sent: &Url, params: &[(&str, &str)]) -> String {
        self.there.claim("nonce", param(sent, "nonce").into());
        self.back_with(sent, &[("code", "a code")], params)
    }

    fn back_with(&self, sent: &Url, usual: &[(&str, &str)], params: &[(&str, &str)]) -> String {
        let mut back = Url::parse(&param(sent, "redirect_uri")).unwrap();
        back.query_pairs_mut()
            .append_pair("state", &param(sent, "state"))
            .extend_pairs(usual)
            .extend_pairs(params);
        back.as_str().strip_prefix(self.house.issuer()).unwrap().to_owned()
    }

    /// The whole way: where the browser is in the end.
    async fn sign_in(&self, person: &Person) -> Arrival {
        let sent = self.leave(person).await;
        person.get(&self.back(&sent, &[])).await
    }

    /// Somebody who must be signed in.
    async fn signed_in(&self) -> Person {
        let person = self.house.person();
        let page = self.sign_in(&person).await.page();
        assert_eq!((page.status, page.path.as_str()), (200, "/account"), "{}", page.text());
        person
    }

    /// Somebody who must not be: the page that says so.
    async fn refused(&self) -> Page {
        let person = self.house.person();
        let page = self.sign_in(&person).await.page();
        assert!(page.status >= 400, "{} {}", page.status, page.text());
        assert!(person.page("/account").await.path.starts_with("/sign-in"), "nobody is signed in");
        page
    }

    /// The groups that the upstream tells.
    fn groups(&self, groups: &[&str]) {
        self.there.claim("groups", json!(groups));
    }

    /// The user of this name as they are now.
    async fn user(&self, username: &str) -> protocol::user::User {
        let found = self.house.store().find_user_by_username(username).await.unwrap();
        found.unwrap_or_else(|| panic!("no user {username}")).as_ref().clone()
    }

    /// How often this was told.
    async fn count(&self, action: &str) -> usize {
        let events = self.house.events().await;
        let is_it = |event: &Value| event["action"] == action && event["outcome"] == "granted";
        events.iter().filter(|event| is_it(&serde_json::to_value(event).unwrap())).count()
    }
}

/// Presses the button of the company on a sign-in page.
async fn leave(page: Page) -> Url {
    let form = tests::Form::all(&page.html)
        .into_iter()
        .find(|form| form.buttons.contains(&("upstream".to_owned(), "company".to_owned())));
    let form = form.unwrap_or_else(|| panic!("no button at {}: {}", page.path, page.text()));
    let leaving = page.submit(&form, Some(("upstream", "company"))).await.page();
    assert_eq!(leaving.status, 200, "{}", leaving.text());
    let url = leaving.link("leaving-go");
    assert!(leaving.html.contains("http-equiv=\"refresh\""), "without a click too");
    url.parse().unwrap()
}

#[track_caller]
fn param(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("no {name} in {url}"))
}

#[track_caller]
fn has_no(url: &Url, name: &str) {
    assert!(!url.query_pairs().any(|(known, _)| known == name), "{name} in {url}");
}
