//! A random world: who holds what, what came of what, and what waits.

use protocol::actor::{Actor, Chain, SubProfile};
use protocol::approval::{Question, Wanted};
use protocol::audience::Audience;
use protocol::authorization_details::DetailsTypes;
use protocol::client::GrantType;
use protocol::consent::Consent;
use protocol::deferred::{Asked, Deferred, Polling, Way};
use protocol::identifier::{ClientId, FamilyId, InstanceId, TaskId, UserId};
use protocol::instance::Instance;
use protocol::rule::{Approver, Reason};
use protocol::task::Task;
use protocol::token::{Subject, TokenKind};

use super::super::seeds::Die;
use super::*;

pub(super) const AGENTS: [&str; 4] = ["agent-0", "agent-1", "agent-2", "agent-3"];
pub(super) const USERS: [&str; 3] = ["alice", "bob", "carol"];
pub(super) const RUNS: [&str; 2] = ["run-0", "run-1"];

/// Everything that there is; nothing is alive that is not in it.
#[derive(Default)]
pub(super) struct World {
    pub(super) owners: Vec<UserId>,
    pub(super) consents: Vec<Consent>,
    pub(super) tasks: Vec<Task>,
    pub(super) tokens: Vec<Token>,
    pub(super) families: Vec<FamilyId>,
    pub(super) codes: Vec<(String, ConsentId)>,
    pub(super) pushed: Vec<Pushed>,
    pub(super) afar: Vec<FromAfar>,
    pub(super) deferrals: Vec<(String, Deferral)>,
    pub(super) links: Vec<(String, UserId)>,
}

/// A pushed request.
pub(super) struct Pushed {
    pub(super) name: String,
    pub(super) client: ClientId,
    pub(super) instance: Option<InstanceId>,
}

/// A `device_code` or an `auth_req_id` that nobody answered.
pub(super) struct FromAfar {
    pub(super) name: String,
    pub(super) client: ClientId,
    pub(super) instance: Option<InstanceId>,
    pub(super) user: Option<UserId>,
}

/// One of the parties, in one of its instances where they are told apart.
fn party(die: &mut Die) -> (ClientId, Option<InstanceId>) {
    if die.once_in(3) {
        return (id("app"), None);
    }
    (id(die.word(&AGENTS)), die.maybe(&RUNS).map(|run| id(run)))
}

fn actor(client: &ClientId, instance: Option<&InstanceId>) -> Actor {
    Actor {
        sub: client.clone(),
        iss: "https://as.example".into(),
        sub_profile: SubProfile::AiAgent,
        instance: instance.cloned(),
    }
}

impl World {
    /// A world under names that begin with `mark`.
    pub(super) fn random(die: &mut Die, mark: &str) -> Self {
        let mut world = Self { owners: AGENTS.map(|_| id(die.word(&USERS))).to_vec(), ..Self::default() };
        for n in 0..=die.below(6) {
            let (user, actor) = (id(die.word(&USERS)), id(die.word(&AGENTS)));
            let client = if die.once_in(2) { id("app") } else { id(die.word(&AGENTS)) };
            world.consents.push(Consent { user, actor, client, ..consent(&format!("k{mark}-{n}")) });
        }
        for n in 0..die.below(8) {
            let task = world.task(die, &format!("w{mark}-{n}"));
            world.tasks.push(task);
        }
        for n in 0..die.below(24) {
            let token = world.token(die, &format!("t{mark}-{n}"));
            if let Some(family) = token.family.clone().filter(|family| !world.families.contains(family)) {
                world.families.push(family);
            }
            world.tokens.push(token);
        }
        for n in 0..die.below(4) {
            world.codes.push((format!("c{mark}-{n}"), die.one(&world.consents).id.clone()));
        }
        for n in 0..die.below(5) {
            let (client, instance) = party(die);
            world.pushed.push(Pushed { name: format!("p{mark}-{n}"), client, instance });
        }
        for n in 0..die.below(6) {
            let (client, instance) = party(die);
            let user = die.maybe(&USERS).map(|user| id(user));
            world.afar.push(FromAfar { name: format!("d{mark}-{n}"), client, instance, user });
        }
        for n in 0..die.below(10) {
            let name = format!("q{mark}-{n}");
            let deferral = world.deferral(die, &name);
            world.deferrals.push((name, deferral));
        }
        for n in 0..die.below(3) {
            world.links.push((format!("l{mark}-{n}"), id(die.word(&USERS))));
        }
        world
    }

    fn task(&self, die: &mut Die, name: &str) -> Task {
        let of = die.one(&self.consents).clone();
        let parent = die.maybe(&self.tasks).cloned();
        // A part of a task is its user's, under its consent or, handed over, under another agent's of that user.
        let (of, user) = match &parent {
            Some(parent) => {
                let users = self.consents.iter().filter(|consent| consent.user == parent.user);
                (die.one(&users.cloned().collect::<Vec<_>>()).clone(), parent.user.clone())
            }
            None => (of.clone(), of.user.clone()),
        };
        let plain = task(name, of.id.as_str(), None);
        let root = parent.as_ref().map_or_else(|| plain.id.clone(), |parent| parent.root.clone());
        let parent = parent.map(|parent| parent.id);
        Task { user, actor: id(die.word(&AGENTS)), root, parent, ..plain }
    }

    fn token(&self, die: &mut Die, name: &str) -> Token {
        let parent = die.maybe(&self.tokens).cloned();
        let agent: ClientId = id(die.word(&AGENTS));
        let run: Option<InstanceId> = die.maybe(&RUNS).map(|run| id(run));
        let client = if die.once_in(3) { id("app") } else { agent.clone() };
        let instance = run.clone().filter(|_| client == agent);
        let mut chain = parent.as_ref().map_or_else(Chain::none, |parent| parent.chain.clone());
        if die.once_in(2) {
            chain = chain.extended_by(&actor(&agent, run.as_ref()), 8).unwrap_or(chain);
        }
        let of = die.maybe(&self.consents).cloned();
        let subject = match (&parent, &of) {
            (Some(parent), _) => parent.subject.clone(),
            (None, Some(of)) => Subject::User(of.user.clone()),
            (None, None) => Subject::Client { id: agent, sub_profile: SubProfile::AiAgent },
        };
        let of = of.filter(|of| subject.user() == Some(&of.user)).map(|of| of.id);
        let tasks: Vec<&Task> = self.tasks.iter().filter(|task| subject.user() == Some(&task.user)).collect();
        let task = die.maybe(&tasks).map(|task| TaskRef {
            authority_hash: String::new(),
            id: task.id.clone(),
            root: task.root.clone(),
        });
        let audience = match die.once_in(6) {
            true => Audience::Actor(id(die.word(&AGENTS))),
            false => Audience::Resources,
        };
        // A refresh token is of a family, its own or that of one before it.
        let (kind, family) = match die.once_in(3) {
            true => {
                let known = die.maybe(&self.families).cloned();
                (TokenKind::Refresh, Some(known.unwrap_or_else(|| id(&format!("f{name}")))))
            }
            false => (TokenKind::Access, None),
        };
        let (parent, plain) = (parent.map(|parent| parent.id), super::token(name));
        let consent = of;
        Token { kind, client, instance, subject, chain, audience, consent, task, parent, family, ..plain }
    }

    /// A token request that waits for a person: for what comes of a token, or of nothing that is kept here.
    fn deferral(&self, die: &mut Die, name: &str) -> Deferral {
        let (client, instance) = party(die);
        let from = die.maybe(&self.tokens).filter(|_| die.once_in(2)).cloned();
        let parent = from.as_ref().map(|from| from.id.clone());
        let mut wanted = match from {
            Some(from) => Wanted {
                parent,
                audience: Audience::Resources,
                ..Wanted::of(&from, &DetailsTypes::default())
            },
            None => {
                let subject = match die.below(3) {
                    0 => Subject::Client { id: client.clone(), sub_profile: SubProfile::AiAgent },
                    _ => Subject::User(id(die.word(&USERS))),
                };
                Wanted { subject, ..Wanted::of(&super::token(name), &DetailsTypes::default()) }
            }
        };
        for _ in 0..die.below(3) {
            let (who, run) = (id(die.word(&AGENTS)), die.maybe(&RUNS).map(|run| id(run)));
            wanted.chain = wanted.chain.extended_by(&actor(&who, run.as_ref()), 8).unwrap_or(wanted.chain);
        }
        // It may go over to another task, or rest on another consent, than what it comes of.
        let user = wanted.subject.user().cloned();
        let tasks: Vec<&Task> = self.tasks.iter().filter(|task| user.as_ref() == Some(&task.user)).collect();
        if let Some(task) = die.maybe(&tasks) {
            wanted.task = Some(task.id.clone());
        }
        let of_user = self.consents.iter().filter(|consent| user.as_ref() == Some(&consent.user));
        if let Some(consent) = die.maybe(&of_user.collect::<Vec<_>>()) {
            wanted.consent = Some(consent.id.clone());
        }
        wanted.client = client;
        let (reason, approver) = (Reason::Rule(id("rule")), id(die.word(&USERS)));
        let standing = match die.below(5) {
            0 => Standing::Approved,
            1 => Standing::Denied,
            2 => Standing::Over,
            _ => Standing::Waiting,
        };
        Deferral {
            digest: digest(name),
            id: format!("ask_{name}"),
            asked: AskedOfPerson {
                question: Question {
                    wanted,
                    reason,
                    approver,
                    asked_as: Approver::Subject,
                    acr: None,
                    end: LATER,
                },
                grant_type: GrantType::TokenExchange,
                instance,
                key: None,
                certificate: None,
                asked_at: NOW,
            },
            polling: Polling { interval: Seconds(5), polled_at: None, expires_at: LATER },
            standing,
            approved: None,
            request: "sealed".into(),
            delivery: None,
        }
    }

    /// All of it, as it is kept.
    pub(super) async fn keep(&self, place: &Place) {
        place.keep(self.records()).await;
        for (name, deferral) in &self.deferrals {
            let yes = Step::Approve { until: LATER, hash: "hash".into() };
            let steps = match deferral.standing {
                Standing::Approved => vec![yes],
                Standing::Denied => vec![Step::Deny],
                Standing::Over => vec![yes, Step::Redeem],
                Standing::Waiting | Standing::Ended => Vec::new(),
            };
            for step in steps {
                let take = Take::Deferral { digest: digest(name), step };
                place.commit(Change::housekeeping(NOW).take(take)).await;
            }
        }
    }

    fn records(&self) -> Vec<Record> {
        let mut records: Vec<Record> = self.consents.iter().cloned().map(Record::Consent).collect();
        records.extend(self.tasks.iter().cloned().map(Record::Task));
        records.extend(self.tokens.iter().cloned().map(kept));
        records.extend(self.codes.iter().map(|(name, consent)| code(name, consent.as_str())));
        records.extend(self.pushed.iter().map(pushed));
        records.extend(self.afar.iter().map(from_afar));
        records.extend(self.deferrals.iter().map(|(_, deferral)| Record::Deferral(deferral.clone())));
        records.extend(self.links.iter().map(|(name, user)| {
            let (digest, user, purpose) = (digest(name), user.clone(), "set_password".to_owned());
            Record::OneTimeLink(OneTimeLink { digest, user, purpose, expires_at: LATER })
        }));
        for (agent, owner) in AGENTS.iter().zip(&self.owners) {
            records.push(Record::Client { client: owned(agent, owner), origin: Origin::Config });
        }
        records
    }

    /// The agents that `owner` answers for.
    pub(super) fn agents_of(&self, owner: &UserId) -> BTreeSet<ClientId> {
        let all = AGENTS.iter().zip(&self.owners);
        all.filter(|(_, known)| *known == owner).map(|(agent, _)| id(agent)).collect()
    }
}

fn pushed(pushed: &Pushed) -> Record {
    let instance = pushed.instance.as_ref().map(|run| Instance::new(&pushed.client, run));
    let client = pushed.client.clone();
    Record::PushedRequest {
        digest: digest(&pushed.name),
        client,
        instance,
        document: json!({}),
        expires_at: LATER,
    }
}

fn from_afar(asked: &FromAfar) -> Record {
    Record::Deferred(DeferredRequest {
        digest: digest(&asked.name),
        id: format!("req_{}", asked.name),
        user: asked.user.clone(),
        user_code: None,
        polling: Polling { interval: Seconds(5), polled_at: None, expires_at: LATER },
        answered: false,
        delivery: None,
        request: Deferred {
            client: asked.client.clone(),
            instance: asked.instance.clone(),
            asked: Asked {
                scope: None,
                resources: BTreeSet::new(),
                authorization_details: None,
                requested_actor: None,
                acr_values: Vec::new(),
                grant_management: None,
            },
            way: Way::Device { from: None },
            dpop_jkt: None,
            certificate: None,
            asked_at: NOW,
        },
    })
}

fn owned(agent: &str, owner: &UserId) -> Client {
    let owned = Agent {
        owner: owner.clone(),
        purpose: "Does what it is told.".into(),
        expires_at: LATER,
        max_chain_depth: None,
    };
    Client { kind: ClientKind::Agent(owned), ..client(agent, agent) }
}

/// What is ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Token(TokenId),
    Family(FamilyId),
    Task(TaskId),
    Consent(ConsentId),
    Instance(ClientId, InstanceId),
    Agent(ClientId),
    User(UserId),
    Owner(UserId),
}

impl What {
    /// Something of this world, at any of the levels at which there is something.
    pub(super) fn random(die: &mut Die, world: &World) -> Self {
        let of_tokens = |die: &mut Die| (!world.tokens.is_empty()).then(|| die.one(&world.tokens).id.clone());
        match die.below(8) {
            0 => Self::User(id(die.word(&USERS))),
            1 => Self::Consent(die.one(&world.consents).id.clone()),
            2 if !world.tasks.is_empty() => Self::Task(die.one(&world.tasks).id.clone()),
            3 if !world.families.is_empty() => Self::Family(die.one(&world.families).clone()),
            4 => Self::Instance(id(die.word(&AGENTS)), id(die.word(&RUNS))),
            5 => Self::Agent(id(die.word(&AGENTS))),
            6 => Self::Owner(id(die.word(&USERS))),
            _ => of_tokens(die).map_or_else(|| Self::Agent(id(die.word(&AGENTS))), Self::Token),
        }
    }

    /// Its place among the levels.
    pub(super) const fn level(&self) -> usize {
        match self {
            Self::Token(_) => 0,
            Self::Family(_) => 1,
            Self::Task(_) => 2,
            Self::Consent(_) => 3,
            Self::Instance(..) => 4,
            Self::Agent(_) => 5,
            Self::User(_) => 6,
            Self::Owner(_) => 7,
        }
    }

    /// The change that ends it.
    pub(super) fn change(&self) -> Change {
        let change = Change::new(event());
        match self {
            Self::Agent(agent) => change.operate(agent.clone(), protocol::ending::Operation::Suspend),
            Self::Token(token) => change.end(Ending::Token(token.clone())),
            Self::Family(family) => change.end(Ending::Family(family.clone())),
            Self::Task(task) => change.end(Ending::Task(task.clone())),
            Self::Consent(consent) => change.end(Ending::Consent(consent.clone())),
            Self::Instance(client, run) => change.end(Ending::Instance(Instance::new(client, run))),
            Self::User(user) => change.end(Ending::User(user.clone())),
            Self::Owner(owner) => change.end(Ending::Owner(owner.clone())),
        }
    }
}
