//! A small world in which every law can be broken: two resource servers, three agents, a service, an application.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use protocol::actor::{Actor, Chain, SubProfile};
use protocol::approval::{Approved, Policy};
use protocol::audience::{Audience, ResourceIndicator, Resources};
use protocol::authority::Authority;
use protocol::authorization::Registered;
use protocol::authorization_details::{AuthorizationDetails, DetailsTypes, TypesOf};
use protocol::client::{
    Agent, Client, ClientAuthentication, ClientKind, ClientMetadata, ClientStatus, KeySource, SigningAlg,
};
use protocol::confirmation::{Confirmation, Held};
use protocol::consent::{Consent, ConsentState, PassingOn};
use protocol::delegation::{Allowed, Asked, RulesThatApply, Story, Terms};
use protocol::identifier::{RuleId, UserId};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::profile::SecurityProfile;
use protocol::resource_server::{ResourceServer, TokenFormat};
use protocol::task::{Intent, Task, TaskStatus};
use protocol::token::{Subject, TaskRef, Token, TokenKind};
use serde_json::json;

pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const NOW: NumericDate = NumericDate(1_000);
pub(crate) const R1: &str = "https://r1.example";
pub(crate) const R2: &str = "https://r2.example";
pub(crate) const R3: &str = "https://r3.example";

/// The two details types of this world; compiled once, since schemas take their time.
pub(crate) fn types() -> DetailsTypes {
    static TYPES: LazyLock<DetailsTypes> = LazyLock::new(compiled_types);
    TYPES.clone()
}

fn compiled_types() -> DetailsTypes {
    let words = json!({"en": {"name": "T", "sentence": "Do {actions}"}});
    let open = |rule: &str| json!({"rule": rule, "absent": "unrestricted"});
    let every_rule = json!({
        "name": "every_rule", "schema": {"properties": {"actions": {}}, "additionalProperties": true}, "words": words,
        "narrowing": {
            "actions": "subset", "max": open("max"), "min": open("min"), "path": "prefix", "glob": open("glob"),
            "before": open("before"), "equal": "equal", "any": "any",
            "nested": {"absent": "unrestricted"}, "nested.*": {"absent": "unrestricted"}, "nested.amount": "max"
        },
        "may_be_passed_on": true, "max_life": 200
    });
    let not_passed_on = json!({
        "name": "not_passed_on", "schema": {"properties": {"actions": {}}, "additionalProperties": true}, "words": words
    });
    DetailsTypes::new([every_rule, not_passed_on].map(|t| serde_json::from_value(t).unwrap())).unwrap()
}

/// Everything a story borrows from. Fields are changed one at a time to break one thing at a time.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) subject: Token,
    pub(crate) presenter: Client,
    pub(crate) held: Held,
    pub(crate) actor: Client,
    pub(crate) actor_token: Option<Token>,
    pub(crate) instance: Option<protocol::identifier::InstanceId>,
    pub(crate) actor_workload: Option<protocol::workload::Workload>,
    pub(crate) consent: Option<Consent>,
    pub(crate) other_consents: Vec<Arc<Consent>>,
    pub(crate) task: Option<Task>,
    pub(crate) onto: Option<Task>,
    pub(crate) receiver: Option<Client>,
    pub(crate) names_nobody: bool,
    pub(crate) in_trust_domain: bool,
    pub(crate) rules: Rules,
    pub(crate) restraints: Vec<protocol::rule::Rule>,
    pub(crate) approved: Option<Approved>,
    pub(crate) longest_chain: usize,
    pub(crate) types: DetailsTypes,
    pub(crate) types_of: TypesOf,
    pub(crate) resource_servers: BTreeMap<ResourceIndicator, Arc<ResourceServer>>,
    pub(crate) asked: Asked,
}

/// Which rules speak, each opening these resources.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    pub(crate) may_present: bool,
    pub(crate) may_act: Option<Resources>,
    pub(crate) actor_token: bool,
    pub(crate) impersonate: Option<Resources>,
}

impl World {
    pub(crate) fn decide(
        &self,
    ) -> Result<protocol::delegation::Delegation, protocol::delegation::DelegationRefused> {
        let rule: RuleId = "rule".parse().unwrap();
        let none = Resources::new();
        let allowed = |resources| Allowed { rule: &rule, resources };
        let story = Story {
            subject: &self.subject,
            presenter: &self.presenter,
            instance: self.instance.as_ref(),
            held: &self.held,
            actor: &self.actor,
            actor_token: self.actor_token.as_ref(),
            actor_workload: self.actor_workload.as_ref(),
            consent: self.consent.as_ref(),
            other_consents: &self.other_consents,
            task: self.task.as_ref(),
            onto: self.onto.as_ref(),
            receiver: self.receiver.as_ref(),
            names_nobody: self.names_nobody,
            in_trust_domain: self.in_trust_domain,
            rules: RulesThatApply {
                may_present: self.rules.may_present.then(|| allowed(&none)),
                may_act: self.rules.may_act.as_ref().map(allowed),
                actor_token: self.rules.actor_token.then(|| allowed(&none)),
                impersonate: self.rules.impersonate.as_ref().map(allowed),
            },
            policy: Policy { rules: &self.restraints, approved: self.approved.as_ref(), ..Policy::default() },
            terms: Terms {
                issuer: ISSUER,
                token_life: Seconds(300),
                longest_chain: self.longest_chain,
                registered: Registered {
                    types: &self.types,
                    resource_servers: &self.resource_servers,
                    itself: &ISSUER.parse().unwrap(),
                },
                types_of: &self.types_of,
            },
        };
        protocol::delegation::decide(&story, &self.asked, NOW)
    }

    /// The agent `a` narrows the token that the user gave it.
    pub(crate) fn narrowing() -> Self {
        let consent = consent("a");
        let task = task(&consent);
        let subject = Token {
            id: "subject".parse().unwrap(),
            kind: TokenKind::Access,
            client: "a".parse().unwrap(),
            instance: None,
            subject: Subject::User(user()),
            chain: Chain::of(actor("a")),
            brought: Chain::none(),
            may_act: None,
            audience: Audience::Resources,
            authority: Authority { until: NumericDate(1_250), ..consent.authority.clone() },
            cnf: Some(jkt("key-a")),
            issued_at: NOW,
            login: None,
            claims: protocol::claims_request::ClaimsRequest::default(),
            consent: Some(consent.id.clone()),
            task: Some(TaskRef::from(&task)),
            parent: None,
            family: None,
            session: None,
            status: None,
        };
        Self {
            subject,
            presenter: agent("a"),
            held: key("key-a"),
            actor: agent("a"),
            actor_token: None,
            instance: None,
            actor_workload: None,
            consent: Some(consent),
            other_consents: Vec::new(),
            task: Some(task),
            onto: None,
            receiver: None,
            names_nobody: false,
            in_trust_domain: false,
            rules: Rules::default(),
            restraints: Vec::new(),
            approved: None,
            longest_chain: 5,
            types: types(),
            types_of: TypesOf::default(),
            resource_servers: [(R1, "a b c"), (R2, "b c d"), (R3, "a")].map(resource_server).into(),
            asked: Asked {
                scope: Some("a".parse().unwrap()),
                details: None,
                resources: resources(&[R1]),
                ..Asked::default()
            },
        }
    }

    /// The agent `a` gets what the user allowed it through the application `app` (`requested_actor`).
    pub(crate) fn from_application() -> Self {
        let mut world = Self::narrowing();
        world.subject.client = "app".parse().unwrap();
        world.subject.chain = Chain::none();
        world.subject.may_act = Some(actor("a"));
        world.subject.audience = Audience::Actor("a".parse().unwrap());
        world.subject.cnf = None;
        world
    }

    /// The agent `a` hands over to the agent `b`.
    pub(crate) fn handing_over() -> Self {
        Self { receiver: Some(agent("b")), ..Self::narrowing() }
    }

    /// The agent `b` takes what `a` handed over to it.
    pub(crate) fn handed_over() -> Self {
        let mut world = Self::narrowing();
        world.subject.audience = Audience::Actor("b".parse().unwrap());
        world.presenter = agent("b");
        world.actor = agent("b");
        world.held = key("key-b");
        world
    }

    /// The service `s` exchanges a token that was sent to it for one for a resource server further down.
    pub(crate) fn downstream() -> Self {
        let mut world = Self::narrowing();
        world.presenter =
            Client { resource_server: Some(R1.parse().unwrap()), ..client("s", ClientKind::Service) };
        world.actor = world.presenter.clone();
        world.held = key("key-s");
        world.rules.may_act = Some(resources(&[R3]));
        world.asked.resources = resources(&[R3]);
        world
    }

    /// The service `s` got a user's token from an application; nobody acts yet, and no rule speaks.
    pub(crate) fn unacted() -> Self {
        let mut world = Self::downstream();
        world.rules.may_act = None;
        world.subject.chain = Chain::none();
        world
    }
}

pub(crate) fn user() -> UserId {
    "alice".parse().unwrap()
}

pub(crate) fn jkt(text: &str) -> Confirmation {
    Confirmation::Jkt(text.parse().unwrap())
}

pub(crate) fn x5t(text: &str) -> Confirmation {
    Confirmation::X5tS256(text.parse().unwrap())
}

/// Nothing but a key.
pub(crate) fn key(text: &str) -> Held {
    Held::key(text.parse().unwrap())
}

/// Nothing but a certificate.
pub(crate) fn certificate(text: &str) -> Held {
    Held { key: None, certificate: Some(text.parse().unwrap()) }
}

pub(crate) fn actor(id: &str) -> Actor {
    Actor { sub: id.parse().unwrap(), iss: ISSUER.into(), sub_profile: SubProfile::AiAgent, instance: None }
}

pub(crate) fn resources(all: &[&str]) -> Resources {
    all.iter().map(|r| r.parse().unwrap()).collect()
}

pub(crate) fn details(value: serde_json::Value) -> AuthorizationDetails {
    AuthorizationDetails::parse(&value.to_string()).unwrap()
}

pub(crate) fn agent(id: &str) -> Client {
    let agent = Agent {
        owner: "owner".parse().unwrap(),
        purpose: "test".into(),
        expires_at: NumericDate(5_000),
        max_chain_depth: None,
    };
    client(id, ClientKind::Agent(agent))
}

pub(crate) fn client(id: &str, kind: ClientKind) -> Client {
    Client {
        id: id.parse().unwrap(),
        name: id.into(),
        kind,
        profile: SecurityProfile::default(),
        authentication: ClientAuthentication::PrivateKeyJwt,
        keys: KeySource::None,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: protocol::client::GrantType::ALL.into(),
        scope: "a b c".parse().unwrap(),
        resources: resources(&[R1, R2, R3]),
        authorization_details_types: ["every_rule", "not_passed_on"].map(|t| t.parse().unwrap()).into(),
        dpop_bound_access_tokens: false,
        require_pushed_authorization_requests: false,
        id_token_signed_response_alg: SigningAlg::Es256,
        resource_server: None,
        metadata: ClientMetadata::default(),
        own_sector: false,
        admin_api: false,
        status: ClientStatus::Active,
    }
}

pub(crate) fn consent(to: &str) -> Consent {
    Consent {
        id: format!("consent-{to}").parse().unwrap(),
        user: user(),
        client: "app".parse().unwrap(),
        actor: to.parse().unwrap(),
        authority: Authority {
            scope: "a b d".parse().unwrap(),
            details: details(json!([
                {"type": "every_rule", "actions": ["read", "write"], "path": "/a", "max": 10},
                {"type": "not_passed_on", "actions": ["read"]}
            ])),
            resources: resources(&[R1, R2]),
            until: NumericDate(2_000),
        },
        claims: std::collections::BTreeSet::new(),
        passing_on: PassingOn::UpTo(2),
        offline_access: false,
        created_at: NumericDate(900),
        brought_by: None,
        state: ConsentState::Active,
        types: std::collections::BTreeMap::new(),
        version: 1,
    }
}

pub(crate) fn task(consent: &Consent) -> Task {
    Task {
        id: "task".parse().unwrap(),
        root: "task".parse().unwrap(),
        parent: None,
        consent: consent.id.clone(),
        user: user(),
        actor: consent.actor.clone(),
        intent: Intent::default(),
        intent_hash: String::new(),
        scope: None,
        resources: None,
        max_derivations: None,
        derivations: 0,
        details: consent.authority.details.clone(),
        authority_hash: "sha-256:x".into(),
        deadline: NumericDate(2_000),
        status: TaskStatus::Active,
        suspended_by: None,
        version: 1,
        created_at: NumericDate(900),
    }
}

fn resource_server((identifier, scope): (&str, &str)) -> (ResourceIndicator, Arc<ResourceServer>) {
    let words = |word: &str| (word.parse().unwrap(), [("en".to_owned(), word.to_owned())].into());
    let identifier: ResourceIndicator = identifier.parse().unwrap();
    let server = ResourceServer {
        identifier: identifier.clone(),
        name: "R".into(),
        scopes: scope.split(' ').map(words).collect(),
        scope_groups: std::collections::BTreeMap::new(),
        details_types: ["every_rule", "not_passed_on"].map(|t| t.parse().unwrap()).into(),
        token_format: TokenFormat::Jwt,
        signing_alg: SigningAlg::Es256,
        token_life: None,
    };
    (identifier, Arc::new(server))
}
