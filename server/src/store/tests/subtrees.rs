//! Of everything that anybody holds exactly that ends which hangs on what was ended: random trees against a model that
//! knows nothing of SQL.

use std::collections::BTreeSet;

use protocol::actor::{Actor, Chain, SubProfile};
use protocol::consent::Consent;
use protocol::ending::Operation;
use protocol::identifier::{ClientId, TaskId, UserId};
use protocol::task::Task;
use protocol::token::{Subject, TokenKind};

use super::*;

promises! {
    exactly_the_subtree_of_each_ending_dies;
}

const AGENTS: [&str; 4] = ["agent-0", "agent-1", "agent-2", "agent-3"];
const USERS: [&str; 3] = ["alice", "bob", "carol"];
const TREES: u64 = 60;

/// A die whose throws are the same each time.
struct Die(u64);

impl Die {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn word(&mut self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }

    fn maybe<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        (!of.is_empty() && self.below(3) > 0).then(|| self.one(of))
    }
}

/// Everything that there is; nothing is alive that is not in it.
#[derive(Default)]
struct World {
    owners: Vec<UserId>,
    consents: Vec<Consent>,
    tasks: Vec<Task>,
    tokens: Vec<Token>,
    codes: Vec<(String, ConsentId)>,
}

impl World {
    /// A world under names that no other tree uses.
    fn random(die: &mut Die, tree: u64) -> Self {
        let mut world = Self { owners: AGENTS.map(|_| id(die.word(&USERS))).to_vec(), ..Self::default() };
        for n in 0..=die.below(6) {
            let (user, actor) = (id(die.word(&USERS)), id(die.word(&AGENTS)));
            let client = if die.below(2) == 0 { id("app") } else { id(die.word(&AGENTS)) };
            world.consents.push(Consent { user, actor, client, ..consent(&format!("k{tree}-{n}")) });
        }
        for n in 0..die.below(8) {
            let of = die.one(&world.consents).clone();
            let parent = die.maybe(&world.tasks).cloned();
            // A part of a task is its user's, under its consent or, handed over, under another agent's of that user.
            let (of, user) = match &parent {
                Some(parent) => {
                    let users = world.consents.iter().filter(|consent| consent.user == parent.user);
                    (die.one(&users.cloned().collect::<Vec<_>>()).clone(), parent.user.clone())
                }
                None => (of.clone(), of.user.clone()),
            };
            let plain = task(&format!("w{tree}-{n}"), of.id.as_str(), None);
            let root = parent.as_ref().map_or_else(|| plain.id.clone(), |parent| parent.root.clone());
            let parent = parent.map(|parent| parent.id);
            world.tasks.push(Task { user, actor: id(die.word(&AGENTS)), root, parent, ..plain });
        }
        for n in 0..die.below(24) {
            let token = world.token(die, &format!("t{tree}-{n}"));
            world.tokens.push(token);
        }
        for n in 0..die.below(4) {
            world.codes.push((format!("c{tree}-{n}"), die.one(&world.consents).id.clone()));
        }
        world
    }

    fn token(&self, die: &mut Die, name: &str) -> Token {
        let parent = die.maybe(&self.tokens).cloned();
        let agent = die.word(&AGENTS);
        let client = if die.below(3) == 0 { "app" } else { agent };
        let mut chain = parent.as_ref().map_or_else(Chain::none, |parent| parent.chain.clone());
        if die.below(2) == 0 {
            let actor = Actor {
                sub: id(agent),
                iss: "https://as.example".into(),
                sub_profile: SubProfile::AiAgent,
                instance: None,
            };
            chain = chain.extended_by(&actor, 8).unwrap_or(chain);
        }
        let of = die.maybe(&self.consents).cloned();
        let subject = match (&parent, &of) {
            (Some(parent), _) => parent.subject.clone(),
            (None, Some(of)) => Subject::User(of.user.clone()),
            (None, None) => Subject::Client { id: id(agent), sub_profile: SubProfile::AiAgent },
        };
        let of = of.filter(|of| subject.user() == Some(&of.user)).map(|of| of.id);
        let tasks: Vec<&Task> = self.tasks.iter().filter(|task| subject.user() == Some(&task.user)).collect();
        let task = die.maybe(&tasks).map(|task| TaskRef {
            authority_hash: String::new(),
            id: task.id.clone(),
            root: task.root.clone(),
        });
        let kind = if die.below(4) == 0 { TokenKind::Refresh } else { TokenKind::Access };
        let parent = parent.map(|parent| parent.id);
        Token { kind, client: id(client), subject, chain, consent: of, task, parent, ..token(name) }
    }

    fn records(&self) -> Vec<Record> {
        let mut records: Vec<Record> = self.consents.iter().cloned().map(Record::Consent).collect();
        records.extend(self.tasks.iter().cloned().map(Record::Task));
        records.extend(self.tokens.iter().cloned().map(kept));
        records.extend(self.codes.iter().map(|(name, consent)| code(name, consent.as_str())));
        for (agent, owner) in AGENTS.iter().zip(&self.owners) {
            records.push(Record::Client { client: owned(agent, owner), origin: Origin::Config });
        }
        records
    }

    /// What is left of it.
    fn after(&self, what: &What) -> Left {
        let is = |client: &ClientId| match what {
            What::Agent(agent) => client == agent,
            What::Owner(owner) => self.agents_of(owner).contains(client),
            What::User(_) | What::Consent(_) | What::Task(_) | What::Token(_) => false,
        };
        let of_user = |user: Option<&UserId>| matches!(what, What::User(ended) if user == Some(ended));
        let dead_consents: BTreeSet<ConsentId> = self
            .consents
            .iter()
            .filter(|consent| {
                is(&consent.client)
                    || is(&consent.actor)
                    || of_user(Some(&consent.user))
                    || *what == What::Consent(consent.id.clone())
            })
            .map(|consent| consent.id.clone())
            .collect();
        let mut dead_tasks = BTreeSet::new();
        // Parents stand before their children.
        for task in &self.tasks {
            let parent = task.parent.as_ref().is_some_and(|parent| dead_tasks.contains(parent));
            let own = is(&task.actor)
                || of_user(Some(&task.user))
                || dead_consents.contains(&task.consent)
                || *what == What::Task(task.id.clone());
            if parent || own {
                dead_tasks.insert(task.id.clone());
            }
        }
        let mut dead_tokens = BTreeSet::new();
        for token in &self.tokens {
            let speaks = matches!(&token.subject, Subject::Client { id, .. } if is(id));
            let acts = is(&token.client) || speaks || token.chain.actors().iter().any(|actor| is(&actor.sub));
            let of_task = token.task.as_ref().map(|task| dead_tasks.contains(&task.id));
            // What went over to another task lives with that, and not with the one it came from.
            let went_over = matches!(what, What::Task(_)) && of_task == Some(false);
            let derived = token.parent.as_ref().is_some_and(|id| dead_tokens.contains(id));
            let hangs = token.consent.as_ref().is_some_and(|id| dead_consents.contains(id))
                || of_task == Some(true)
                || derived && !went_over
                || *what == What::Token(token.id.clone());
            if acts || hangs || of_user(token.subject.user()) {
                dead_tokens.insert(token.id.clone());
            }
        }
        let void = self.codes.iter().filter(|(_, consent)| dead_consents.contains(consent)).count();
        Left {
            ended: Ended {
                consents: dead_consents.len() as u64,
                tasks: dead_tasks.len() as u64,
                tokens: dead_tokens.len() as u64,
                pending: void as u64,
                agents: match what {
                    What::Owner(owner) => self.agents_of(owner).len() as u64,
                    _ => 0,
                },
                ..Ended::default()
            },
            consents: self.consents.iter().map(|c| (c.id.clone(), !dead_consents.contains(&c.id))).collect(),
            tasks: self.tasks.iter().map(|t| (t.id.clone(), !dead_tasks.contains(&t.id))).collect(),
            tokens: self.tokens.iter().map(|t| (t.id.clone(), !dead_tokens.contains(&t.id))).collect(),
            codes: self.codes.iter().map(|(n, c)| (n.clone(), !dead_consents.contains(c))).collect(),
        }
    }

    fn agents_of(&self, owner: &UserId) -> BTreeSet<ClientId> {
        AGENTS
            .iter()
            .zip(&self.owners)
            .filter(|(_, known)| *known == owner)
            .map(|(id, _)| super::id(id))
            .collect()
    }
}

/// What is ended.
#[derive(Debug, PartialEq, Eq)]
enum What {
    Token(TokenId),
    Task(TaskId),
    Consent(ConsentId),
    Agent(ClientId),
    User(UserId),
    Owner(UserId),
}

/// What an ending leaves, each thing with whether it still stands.
struct Left {
    ended: Ended,
    consents: Vec<(ConsentId, bool)>,
    tasks: Vec<(TaskId, bool)>,
    tokens: Vec<(TokenId, bool)>,
    codes: Vec<(String, bool)>,
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

async fn exactly_the_subtree_of_each_ending_dies(place: &Place) {
    let mut died = Ended::default();
    let mut lived = 0;
    for tree in 0..TREES {
        let mut die = Die(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(tree + 1));
        let world = World::random(&mut die, tree);
        // Whatever earlier trees left would be counted too.
        wipe(place).await;
        place.keep(world.records()).await;
        let (tasks, tokens) = (die.maybe(&world.tasks).cloned(), die.maybe(&world.tokens).cloned());
        let what = match (die.below(6), tasks, tokens) {
            (0, ..) => What::Agent(id(die.word(&AGENTS))),
            (1, ..) => What::User(id(die.word(&USERS))),
            (2, Some(task), _) => What::Task(task.id),
            (3, _, Some(token)) => What::Token(token.id),
            (4, ..) => What::Consent(die.one(&world.consents).id.clone()),
            _ => What::Owner(id(die.word(&USERS))),
        };
        let change = Change::new(event());
        let change = match &what {
            What::Agent(agent) => change.operate(agent.clone(), Operation::Suspend),
            What::Token(token) => change.end(Ending::Token(token.clone())),
            What::Task(task) => change.end(Ending::Task(task.clone())),
            What::Consent(consent) => change.end(Ending::Consent(consent.clone())),
            What::User(user) => change.end(Ending::User(user.clone())),
            What::Owner(owner) => change.end(Ending::Owner(owner.clone())),
        };
        let done = place.commit(change).await.ended;
        let left = world.after(&what);
        let told = format!("tree {tree}, {what:?}");
        assert_eq!(done, left.ended, "{told}");
        for (id, stands) in left.tokens {
            let at = token_ended_at(place, &id).await;
            assert_eq!(at.is_none(), stands, "{told}: {id}");
            lived += usize::from(stands);
        }
        for (id, stands) in left.tasks {
            let found = place.store.find_task(&id).await.unwrap().unwrap();
            let wanted = if stands { TaskStatus::Active } else { TaskStatus::Revoked };
            assert_eq!(found.status, wanted, "{told}: {id}");
        }
        for (id, stands) in left.consents {
            let found = place.store.find_consent(&id).await.unwrap().unwrap();
            let wanted = if stands { ConsentState::Active } else { ConsentState::Revoked };
            assert_eq!(found.state, wanted, "{told}: {id}");
        }
        for (name, stands) in left.codes {
            let found = place.store.find_code(&digest(&name)).await.unwrap().unwrap();
            assert_eq!(found.redeemed, !stands, "{told}: {name}");
        }
        died += done;
    }
    // Trees in which nothing dies, or nothing lives, would prove nothing.
    assert!(died.consents > 10 && died.tasks > 10 && died.tokens > 50 && died.agents > 5, "{died:?}");
    assert!(lived > 20, "{lived}");
}

async fn token_ended_at(place: &Place, id: &TokenId) -> Option<i64> {
    let find = "SELECT ended_at FROM token WHERE id = $1";
    let rows = sql::query(&place.store.0.core.reader, find, vec![id.as_str().into()]).await.unwrap();
    rows[0].try_get_by_index(0).unwrap()
}

async fn wipe(place: &Place) {
    for table in ["token", "task", "consent", "authorization_code", "client"] {
        let delete = format!("DELETE FROM {table}");
        sql::execute(&place.store.0.core.writer, &delete, Vec::new()).await.unwrap();
    }
}
