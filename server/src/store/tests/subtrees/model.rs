//! What an ending leaves of a world, told from what the documentation says of it and not from the store.

use protocol::identifier::{ClientId, FamilyId, InstanceId, TaskId, UserId};
use protocol::token::Subject;

use super::world::{What, World};
use super::*;

/// What an ending leaves, each thing with whether it still stands.
pub(super) struct Left {
    pub(super) ended: Ended,
    pub(super) consents: Vec<(ConsentId, bool)>,
    pub(super) tasks: Vec<(TaskId, bool)>,
    pub(super) tokens: Vec<(TokenId, bool)>,
    pub(super) families: Vec<(FamilyId, bool)>,
    pub(super) codes: Vec<(String, bool)>,
    pub(super) pushed: Vec<(String, bool)>,
    pub(super) afar: Vec<(String, bool)>,
    pub(super) deferrals: Vec<(String, Standing)>,
    pub(super) links: Vec<(String, bool)>,
}

/// Who stands where the ending falls.
struct Struck<'a> {
    world: &'a World,
    what: &'a What,
}

impl Struck<'_> {
    fn client(&self, client: &ClientId) -> bool {
        match self.what {
            What::Agent(agent) => client == agent,
            What::Owner(owner) => self.world.agents_of(owner).contains(client),
            _ => false,
        }
    }

    fn user(&self, user: Option<&UserId>) -> bool {
        matches!(self.what, What::User(ended) if user == Some(ended))
    }

    fn subject(&self, subject: &Subject) -> bool {
        match subject {
            Subject::User(user) => self.user(Some(user)),
            Subject::Client { id, .. } => self.client(id),
        }
    }

    /// This client, in this instance of it.
    fn party(&self, client: &ClientId, instance: Option<&InstanceId>) -> bool {
        let itself = matches!(self.what, What::Instance(of, run) if of == client && Some(run) == instance);
        itself || self.client(client)
    }

    fn chain(&self, chain: &protocol::actor::Chain) -> bool {
        chain.actors().iter().any(|actor| self.party(&actor.sub, actor.instance.as_ref()))
    }
}

impl World {
    /// What is left of it.
    pub(super) fn after(&self, what: &What) -> Left {
        let struck = Struck { world: self, what };
        let dead_consents = self.dead_consents(&struck);
        let dead_tasks = self.dead_tasks(&struck, &dead_consents);
        let dead_tokens = self.dead_tokens(&struck, &dead_consents, &dead_tasks);
        let dead_deferral = |deferral: &Deferral| {
            let (asked, wanted) = (&deferral.asked, &deferral.asked.question.wanted);
            // What was answered with no, and what was fetched, stays as it is.
            matches!(deferral.standing, Standing::Waiting | Standing::Approved)
                && (struck.party(&wanted.client, asked.instance.as_ref())
                    || struck.chain(&wanted.chain)
                    || struck.subject(&wanted.subject)
                    || struck.user(Some(&asked.question.approver))
                    || wanted.parent.as_ref().is_some_and(|id| dead_tokens.contains(id))
                    || wanted.task.as_ref().is_some_and(|id| dead_tasks.contains(id))
                    || wanted.consent.as_ref().is_some_and(|id| dead_consents.contains(id)))
        };
        let deferrals = self.deferrals.iter().map(|(name, deferral)| {
            let standing = if dead_deferral(deferral) { Standing::Ended } else { deferral.standing };
            (name.clone(), standing)
        });
        let pushed = self.pushed.iter().map(|one| {
            // It is nobody's yet, and ends with whoever pushed it alone.
            (one.name.clone(), !struck.party(&one.client, one.instance.as_ref()))
        });
        let afar = self.afar.iter().map(|one| {
            let dead = struck.party(&one.client, one.instance.as_ref()) || struck.user(one.user.as_ref());
            (one.name.clone(), !dead)
        });
        let mut left = Left {
            ended: Ended {
                consents: dead_consents.len() as u64,
                tasks: dead_tasks.len() as u64,
                tokens: dead_tokens.len() as u64,
                agents: match what {
                    What::Agent(_) => 1,
                    What::Owner(owner) => self.agents_of(owner).len() as u64,
                    _ => 0,
                },
                ..Ended::default()
            },
            consents: self.consents.iter().map(|c| (c.id.clone(), !dead_consents.contains(&c.id))).collect(),
            tasks: self.tasks.iter().map(|t| (t.id.clone(), !dead_tasks.contains(&t.id))).collect(),
            tokens: self.tokens.iter().map(|t| (t.id.clone(), !dead_tokens.contains(&t.id))).collect(),
            families: self.families.iter().map(|f| (f.clone(), *what != What::Family(f.clone()))).collect(),
            codes: self.codes.iter().map(|(n, c)| (n.clone(), !dead_consents.contains(c))).collect(),
            pushed: pushed.collect(),
            afar: afar.collect(),
            deferrals: deferrals.collect(),
            links: self.links.iter().map(|(n, user)| (n.clone(), !struck.user(Some(user)))).collect(),
        };
        let plain = [&left.codes, &left.pushed, &left.afar, &left.links];
        let void = plain.into_iter().flatten().filter(|(_, stands)| !stands).count();
        let asked = left.deferrals.iter().filter(|(_, standing)| *standing == Standing::Ended).count();
        left.ended.pending = (void + asked) as u64;
        left
    }

    fn dead_consents(&self, struck: &Struck<'_>) -> BTreeSet<ConsentId> {
        let dead = self.consents.iter().filter(|consent| {
            struck.client(&consent.client)
                || struck.client(&consent.actor)
                || struck.user(Some(&consent.user))
                || *struck.what == What::Consent(consent.id.clone())
        });
        dead.map(|consent| consent.id.clone()).collect()
    }

    fn dead_tasks(&self, struck: &Struck<'_>, dead_consents: &BTreeSet<ConsentId>) -> BTreeSet<TaskId> {
        let mut dead = BTreeSet::new();
        // Parents stand before their children.
        for task in &self.tasks {
            let parent = task.parent.as_ref().is_some_and(|parent| dead.contains(parent));
            let own = struck.client(&task.actor)
                || struck.user(Some(&task.user))
                || dead_consents.contains(&task.consent)
                || *struck.what == What::Task(task.id.clone());
            if parent || own {
                dead.insert(task.id.clone());
            }
        }
        dead
    }

    fn dead_tokens(
        &self,
        struck: &Struck<'_>,
        dead_consents: &BTreeSet<ConsentId>,
        dead_tasks: &BTreeSet<TaskId>,
    ) -> BTreeSet<TokenId> {
        let mut dead = BTreeSet::new();
        for token in &self.tokens {
            let receives = matches!(&token.audience, Audience::Actor(to) if struck.client(to));
            let acts = struck.party(&token.client, token.instance.as_ref())
                || struck.chain(&token.chain)
                || struck.subject(&token.subject)
                || receives;
            let of_task = token.task.as_ref().map(|task| dead_tasks.contains(&task.id));
            // What went over to another task lives with that, and not with the one it came from.
            let went_over = matches!(struck.what, What::Task(_)) && of_task == Some(false);
            let derived = token.parent.as_ref().is_some_and(|id| dead.contains(id));
            let hangs = token.consent.as_ref().is_some_and(|id| dead_consents.contains(id))
                || of_task == Some(true)
                || derived && !went_over
                || *struck.what == What::Token(token.id.clone())
                || token.family.as_ref().is_some_and(|id| *struck.what == What::Family(id.clone()));
            if acts || hangs {
                dead.insert(token.id.clone());
            }
        }
        dead
    }
}
