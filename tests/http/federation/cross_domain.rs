//! A company and a service that its people sign in to: an agent carries what it was allowed at the company to the
//! service (Identity Assertion JWT Authorization Grant), and chains domains (Identity Chaining).

use serde_json::json;
use server::store::{Change, Ending};
use tests::{Answer, Arrival, Client, Database, House, ORDERS, on_both_databases, password_of};

use super::{leave, upstream};

on_both_databases! {
    an_agent_carries_what_it_was_allowed_at_the_company_to_the_service,
    a_grant_is_good_where_it_was_made_for_and_as_what_it_was_made,
    what_ends_at_the_company_is_over_at_the_service_when_the_grant_is,
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TYPES: &str = "urn:ietf:params:oauth:token-type:";

/// What is declared beside the usual, a line or several each.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a> {
    /// Of the service, at the company.
    pub(super) server: &'a str,
    /// Of the company as trusted issuer, at the service.
    pub(super) trust: &'a str,
    /// Of the company as upstream, at the service.
    pub(super) upstream: &'a str,
}

/// The usual: users are who they are at the company.
pub(super) const USUAL: Lines<'_> =
    Lines { server: "", trust: "subject_is = \"linked_identity\"", upstream: "" };

/// The two domains. The agent is `agent-a` at the company and `agent-b` at the service.
pub(super) struct Domains {
    pub(super) company: House,
    pub(super) service: House,
}

impl Domains {
    async fn open(database: Database) -> Self {
        Self::open_with(database, USUAL).await
    }

    pub(super) async fn open_with(database: Database, lines: Lines<'_>) -> Self {
        let callback = "http://127.0.0.1/federation/company/callback";
        let mut company =
            House::build(database, |town| town.replace("https://web.example/callback", callback)).await;
        let trust = format!(
            "{}\n[[trusted_issuers]]\nissuer = \"{issuer}\"\njwks_uri = \"{issuer}/jwks\"\n\
             purposes = [\"identity_assertions\", \"authorization_grants\"]\n{trust}\n\
             clients = [\"agent-b\"]\nscope = \"orders:read\"\nresources = [\"https://orders.example\"]\n",
            upstream(company.issuer(), lines.upstream),
            issuer = company.issuer(),
            trust = lines.trust
        );
        let service = House::build(database, move |town| {
            let grants = format!("id = \"agent-b\"\ngrant_types = [\"{GRANT}\", \"{EXCHANGE}\"]");
            format!("{trust}{}", town.replacen("id = \"agent-b\"", &grants, 1))
        })
        .await;
        let server = format!(
            "\n[[resource_authorization_servers]]\nissuer = \"{}\"\ngrants = [\"id-jag\", \"jwt\"]\n\
             clients = {{ \"agent-a\" = \"agent-b\" }}\nresources = [\"https://orders.example\"]\n\
             sign_in_client = \"web\"\nlife = \"90s\"\n{}\n",
            service.issuer(),
            lines.server
        );
        company.restart_changed(|config| format!("{config}{server}")).await;
        let domains = Self { company, service };
        domains.signs_in_at_the_service("alice").await;
        assert!(domains.service.store().find_user_by_username("alice@company").await.unwrap().is_some());
        domains
    }

    /// Somebody comes to the service by the company's sign-in, so the service knows who they are there.
    pub(super) async fn signs_in_at_the_service(&self, username: &str) {
        let person = self.service.person();
        let sent = leave(person.page("/sign-in").await).await;
        let path = sent.as_str().strip_prefix(self.company.issuer()).expect("sent to the company");
        let page = self.company.person().page(path).await;
        let back = match page.sign_in(username, &password_of(username)).await {
            Arrival::Away(url) => url,
            Arrival::Page(page) => page.approve(|_| {}).await.away(),
        };
        person.get(back.as_str().strip_prefix(self.service.issuer()).expect("back at the service")).await;
    }

    /// The agent, at the company and at the service, with one key.
    pub(super) fn agent(&self) -> (Client, Client) {
        let here = self.company.client("agent-a");
        let mut there = self.service.client("agent-b");
        there.dpop.clone_from(&here.dpop);
        (here, there)
    }

    /// Alice signs in at the company for the agent and allows it something.
    pub(super) async fn allowed(&self, agent: &Client) -> Answer {
        self.allowed_by("alice", agent).await
    }

    /// Somebody does.
    pub(super) async fn allowed_by(&self, username: &str, agent: &Client) -> Answer {
        let ask = self.company.ask(agent).scope("openid offline_access orders:read orders:write");
        let code = ask.approved_by(&self.company.signed_in(username).await).await;
        code.redeem(agent).await.ok()
    }

    /// A grant of this kind for the service.
    pub(super) async fn grant(&self, agent: &Client, login: &Answer, requested: &str) -> Answer {
        let (token, kind) = match requested {
            "id-jag" => (login.text("id_token"), "id_token"),
            _ => (login.access_token(), "access_token"),
        };
        let (kind, requested) = (format!("{TYPES}{kind}"), format!("{TYPES}{requested}"));
        let params = [
            ("grant_type", EXCHANGE),
            ("subject_token", token),
            ("subject_token_type", &kind),
            ("requested_token_type", &requested),
            ("audience", self.service.issuer()),
            ("scope", "orders:read"),
        ];
        agent.token(&params).await
    }

    pub(super) fn later(&self, seconds: i64) {
        self.company.later(seconds);
        self.service.later(seconds);
    }
}

pub(super) async fn present(client: &Client, grant: &str) -> Answer {
    client.token(&[("grant_type", GRANT), ("assertion", grant), ("resource", ORDERS)]).await
}

async fn an_agent_carries_what_it_was_allowed_at_the_company_to_the_service(database: Database) {
    let domains = Domains::open(database).await;
    let (here, there) = domains.agent();
    let login = domains.allowed(&here).await;
    let known = domains.service.store().find_user_by_username("alice@company").await.unwrap().unwrap();
    for requested in ["id-jag", "jwt"] {
        let grant = domains.grant(&here, &login, requested).await.ok();
        domains.company.told("token.exchange", "granted").await;
        let answer = present(&there, grant.access_token()).await.ok();
        let event = domains.service.told("token.jwt_bearer", "granted").await;
        assert_eq!(event["reason"], format!("by an assertion of {}", domains.company.issuer()));
        let token = answer.claims();
        assert_eq!((&token["iss"], &token["sub"]), (&json!(domains.service.issuer()), &json!(known.id)));
        assert_eq!((&token["aud"], &token["scope"]), (&json!(ORDERS), &json!("orders:read")));
        // Who acts stands in the names of both domains.
        let act = &token["act"];
        assert_eq!((&act["sub"], &act["iss"]), (&json!("agent-b"), &json!(domains.service.issuer())));
        assert_eq!(
            (&act["act"]["sub"], &act["act"]["iss"]),
            (&json!("agent-a"), &json!(domains.company.issuer()))
        );
        assert_eq!(token["cnf"]["jkt"], here.dpop.as_ref().unwrap().thumbprint());
        // Whichever grant it was, there is a task, and the user sees what they allowed.
        assert!(
            token["task"]["id"].is_string() && answer.json["grant_id"].is_string(),
            "{requested}: {token}"
        );
        assert_eq!(grant.claims()["auth_time"], login.claims()["auth_time"], "{requested}");
        // The service's API takes it.
        assert!(domains.service.is_active(answer.access_token()).await);
        assert!(!domains.company.is_active(answer.access_token()).await);
        assert!(answer.json.get("refresh_token").is_none());
    }
}

async fn a_grant_is_good_where_it_was_made_for_and_as_what_it_was_made(database: Database) {
    let domains = Domains::open(database).await;
    let (here, there) = domains.agent();
    let login = domains.allowed(&here).await;
    let refused = async |client: &Client, grant: &str| {
        present(client, grant).await.refused("invalid_grant");
        domains.service.told("token.jwt_bearer", "invalid_grant").await;
    };
    for requested in ["id-jag", "jwt"] {
        let grant = domains.grant(&here, &login, requested).await.ok();
        // Another key than the one it was made for, none at all, and another client.
        refused(&domains.service.client("agent-b"), grant.access_token()).await;
        refused(&there.clone().without_dpop(), grant.access_token()).await;
        let another = domains.service.client("agent-c");
        refused(&another, grant.access_token()).await;
        // The company takes nothing of its own for somebody else's word.
        let at_home = here.token(&[("grant_type", GRANT), ("assertion", grant.access_token())]).await;
        at_home.refused("invalid_grant");
        // More than it says.
        let more = [
            ("grant_type", GRANT),
            ("assertion", grant.access_token()),
            ("scope", "orders:write"),
            ("resource", ORDERS),
        ];
        there.token(&more).await.refused("invalid_scope");
        // Once.
        let answer = present(&there, grant.access_token()).await.ok();
        refused(&there, grant.access_token()).await;
        // What the service issued is no grant for it again, and a token of the company is none either.
        refused(&there, answer.access_token()).await;
        refused(&there, login.access_token()).await;
        refused(&there, login.text("id_token")).await;
    }
    // Somebody whom the service never saw.
    let ask = domains.company.ask(&here).scope("openid orders:read");
    let code = ask.approved_by(&domains.company.signed_in("bob").await).await;
    let bobs = code.redeem(&here).await.ok();
    let grant = domains.grant(&here, &bobs, "id-jag").await.ok();
    refused(&there, grant.access_token()).await;
    // Too late.
    let late = domains.grant(&here, &login, "id-jag").await.ok();
    domains.later(101);
    refused(&there, late.access_token()).await;
}

async fn what_ends_at_the_company_is_over_at_the_service_when_the_grant_is(database: Database) {
    let domains = Domains::open(database).await;
    let (here, there) = domains.agent();
    let login = domains.allowed(&here).await;
    let mut tokens = Vec::new();
    for requested in ["id-jag", "jwt"] {
        let grant = domains.grant(&here, &login, requested).await.ok();
        // Presented a while later, it brings so much less.
        domains.later(10);
        let token = present(&there, grant.access_token()).await.ok();
        assert_eq!(token.claims()["exp"], grant.claims()["exp"], "{requested}");
        assert_eq!(token.json["expires_in"], 80, "{requested}");
        tokens.push(token);
    }
    let alice = domains.company.store().find_user_by_username("alice").await.unwrap().unwrap();
    let change = Change::housekeeping(domains.company.door().now()).end(Ending::User(alice.id.clone()));
    domains.company.store().commit(change).await.unwrap();
    // From now on there is no other grant; what was carried over lives as long as the one it came with.
    domains.grant(&here, &login, "id-jag").await.refused("invalid_request");
    domains.grant(&here, &login, "jwt").await.refused("invalid_request");
    for token in &tokens {
        assert!(domains.service.is_active(token.access_token()).await);
    }
    domains.later(81);
    for token in &tokens {
        assert!(!domains.service.is_active(token.access_token()).await);
    }
}
