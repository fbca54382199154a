//! What may become of a token, told a second time and in another way than the server does: a story is looked at as a
//! whole, everything that speaks against it is named, and none of the product's own rules is asked.

use std::collections::BTreeSet;

use tests::{INVENTORY, ORDERS};

/// The type of an access token.
pub(super) const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The longest chain of this house.
pub(super) const LONGEST: usize = 3;
/// The life of an access token.
const LIFE: i64 = 300;
/// All scope words, and the place where each has a meaning.
pub(super) const WORDS: [(&str, &str); 4] = [
    ("orders:read", ORDERS),
    ("orders:write", ORDERS),
    ("inventory:read", INVENTORY),
    ("inventory:write", INVENTORY),
];
/// The resource servers.
pub(super) const PLACES: [&str; 2] = [ORDERS, INVENTORY];

/// One of [`PARTIES`].
pub(super) type Who = usize;
/// Words of a scope, or places, as they are named.
pub(super) type Words = BTreeSet<&'static str>;

/// Somebody who comes with tokens.
pub(super) struct Party {
    pub(super) id: &'static str,
    /// An agent, and how deep the chains may be that it stands in.
    pub(super) agent: Option<usize>,
    /// The resource server that it is.
    pub(super) place: Option<&'static str>,
}

const fn agent(id: &'static str, deepest: usize) -> Party {
    Party { id, agent: Some(deepest), place: None }
}

pub(super) const PARTIES: [Party; 8] = [
    agent("agent-a", LONGEST),
    agent("agent-b", LONGEST),
    agent("agent-c", LONGEST),
    agent("agent-d", 2),
    Party { id: "orders-api", agent: None, place: Some(ORDERS) },
    Party { id: "inventory-api", agent: None, place: Some(INVENTORY) },
    Party { id: "web", agent: None, place: None },
    Party { id: "shop", agent: None, place: None },
];
pub(super) const AGENTS: usize = 4;
pub(super) const ORDERS_API: Who = 4;
pub(super) const WEB: Who = 6;
pub(super) const SHOP: Who = 7;

/// Which key of its own a party proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    /// The one that it always uses.
    Own,
    /// Another one, as a thief of its credentials would.
    Other,
}

/// Whose authority it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sub {
    User(&'static str),
    Client(Who),
}

#[derive(Debug)]
pub(super) struct Consent {
    pub(super) id: String,
    pub(super) user: &'static str,
    pub(super) to: Who,
    pub(super) scope: Words,
    pub(super) places: Words,
    /// How many further actors it may travel to.
    pub(super) travels: usize,
    pub(super) until: i64,
    pub(super) over: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stands {
    Active,
    Suspended,
    Over,
}

#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) consent: usize,
    pub(super) doer: Who,
    pub(super) above: Option<usize>,
    pub(super) scope: Words,
    pub(super) places: Words,
    pub(super) until: i64,
    pub(super) stands: Stands,
    /// How many more tokens, where somebody counts.
    pub(super) left: Option<u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) sub: Sub,
    /// To whom it was issued.
    pub(super) to: Who,
    /// Who acts, the current actor first.
    pub(super) acts: Vec<Who>,
    /// Who alone may act with it.
    pub(super) only: Option<Who>,
    /// The one actor it is for.
    pub(super) handed: Option<Who>,
    pub(super) scope: Words,
    pub(super) places: Words,
    pub(super) key: Option<(Who, Key)>,
    pub(super) consent: Option<usize>,
    pub(super) task: Option<usize>,
    /// The token that it was made of.
    pub(super) from: Option<usize>,
    pub(super) until: i64,
    pub(super) over: bool,
    /// A refresh token.
    pub(super) refresh: bool,
}

/// A token exchange that somebody tries.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) by: Who,
    pub(super) key: Option<Key>,
    pub(super) subject: usize,
    pub(super) subject_as: &'static str,
    pub(super) actor: Option<(usize, &'static str)>,
    pub(super) scope: Words,
    pub(super) places: Words,
    pub(super) over_to: Option<Who>,
    pub(super) task: Option<usize>,
}

/// What speaks against an attempt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Why {
    NoExchange,
    WrongType,
    Over,
    NotMeant,
    KeyNotProven,
    Unbound,
    ActorToken,
    NotAllowed,
    Cycle,
    TooDeep,
    Receiver,
    TaskElsewhere,
    Exhausted,
    NothingNamed,
    ScopeTooWide,
    TargetTooWide,
    TargetNotNamed,
}

impl Why {
    pub(super) const ALL: [Self; 17] = [
        Self::NoExchange,
        Self::WrongType,
        Self::Over,
        Self::NotMeant,
        Self::KeyNotProven,
        Self::Unbound,
        Self::ActorToken,
        Self::NotAllowed,
        Self::Cycle,
        Self::TooDeep,
        Self::Receiver,
        Self::TaskElsewhere,
        Self::Exhausted,
        Self::NothingNamed,
        Self::ScopeTooWide,
        Self::TargetTooWide,
        Self::TargetNotNamed,
    ];

    /// The error of RFC 6749 and RFC 8693 for it.
    pub(super) const fn error(self) -> &'static str {
        match self {
            Self::NoExchange => "unauthorized_client",
            Self::NothingNamed | Self::ScopeTooWide => "invalid_scope",
            Self::Receiver | Self::TargetTooWide | Self::TargetNotNamed => "invalid_target",
            _ => "invalid_request",
        }
    }

    /// Whether it is about tokens, actor and chain, and blamed before anything that was asked for.
    const fn is_about_the_story(self) -> bool {
        !matches!(
            self,
            Self::Over
                | Self::Exhausted
                | Self::Receiver
                | Self::NothingNamed
                | Self::ScopeTooWide
                | Self::TargetTooWide
                | Self::TargetNotNamed
        )
    }
}

/// The errors of which one must come.
pub(super) fn errors(against: &BTreeSet<Why>) -> BTreeSet<&'static str> {
    let story = against.iter().filter(|why| why.is_about_the_story()).map(|why| why.error());
    let story: BTreeSet<_> = story.collect();
    if story.is_empty() { against.iter().map(|why| why.error()).collect() } else { story }
}

/// Why an actor may act.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Allowed {
    Acts,
    By(usize),
    HandedOver(usize),
    Rule,
}

/// Everything that there is.
#[derive(Default, Debug)]
pub(super) struct World {
    pub(super) now: i64,
    pub(super) consents: Vec<Consent>,
    pub(super) tasks: Vec<Task>,
    pub(super) tokens: Vec<Token>,
}

/// What an attempt that may be makes.
pub(super) struct Made {
    pub(super) token: Token,
    /// It is of a task that is opened for it.
    pub(super) opens: Option<usize>,
}

impl World {
    fn consent_stands(&self, consent: usize) -> bool {
        !self.consents[consent].over && self.consents[consent].until > self.now
    }

    /// The task and those above it.
    pub(super) fn line(&self, task: usize) -> Vec<usize> {
        std::iter::successors(Some(task), |task| self.tasks[*task].above).collect()
    }

    pub(super) fn task_stands(&self, task: usize) -> bool {
        let stands = |task: &usize| {
            let task = &self.tasks[*task];
            task.stands == Stands::Active && task.until > self.now
        };
        self.line(task).iter().all(stands) && self.consent_stands(self.tasks[task].consent)
    }

    pub(super) fn stands(&self, token: usize) -> bool {
        let token = &self.tokens[token];
        !token.over
            && token.until > self.now
            && token.consent.is_none_or(|consent| self.consent_stands(consent))
            && token.task.is_none_or(|task| self.task_stands(task))
    }

    /// The token ends, and everything that was made of it.
    pub(super) fn end_token(&mut self, token: usize) {
        self.tokens[token].over = true;
        let children: Vec<_> =
            (0..self.tokens.len()).filter(|i| self.tokens[*i].from == Some(token)).collect();
        children.into_iter().for_each(|child| self.end_token(child));
    }

    /// The task ends, with its parts, and every token of them.
    pub(super) fn end_task(&mut self, task: usize) {
        let parts: Vec<_> = (0..self.tasks.len()).filter(|i| self.line(*i).contains(&task)).collect();
        for part in parts {
            self.tasks[part].stands = Stands::Over;
            let of: Vec<_> = (0..self.tokens.len()).filter(|i| self.tokens[*i].task == Some(part)).collect();
            of.into_iter().for_each(|token| self.end_token(token));
        }
    }

    /// The consent ends, with its tasks, and every token of them.
    pub(super) fn end_consent(&mut self, consent: usize) {
        self.consents[consent].over = true;
        let of: Vec<_> = (0..self.tasks.len()).filter(|i| self.tasks[*i].consent == consent).collect();
        of.into_iter().for_each(|task| self.end_task(task));
        let of: Vec<_> =
            (0..self.tokens.len()).filter(|i| self.tokens[*i].consent == Some(consent)).collect();
        of.into_iter().for_each(|token| self.end_token(token));
    }

    /// What comes of the attempt: a token, or everything that speaks against it.
    pub(super) fn judge(&self, attempt: &Attempt) -> Result<Made, BTreeSet<Why>> {
        if attempt.by == SHOP {
            return Err([Why::NoExchange].into());
        }
        let mut against = BTreeSet::new();
        let actor = self.actor(attempt, &mut against);
        self.look_at_subject(attempt, &mut against);
        let allowed = self.allowed(attempt, actor, &mut against);
        let acts = self.acts(attempt, actor, allowed, &mut against);
        let consent = match allowed {
            Some(Allowed::By(consent) | Allowed::HandedOver(consent)) => Some(consent),
            _ => self.tokens[attempt.subject].consent,
        };
        self.look_at_receiver(attempt, &acts, consent, &mut against);
        self.look_at_task(attempt, actor, consent, &mut against);
        let consents: BTreeSet<_> = consent.into_iter().chain(self.tokens[attempt.subject].consent).collect();
        let tasks: BTreeSet<_> = self.tokens[attempt.subject].task.into_iter().chain(attempt.task).collect();
        if !consents.iter().all(|consent| self.consent_stands(*consent))
            || !tasks.iter().all(|task| self.task_stands(*task))
        {
            against.insert(Why::Over);
        }
        let places = self.places(attempt, allowed, &consents, &tasks, &mut against);
        let scope = self.scope(attempt, actor, &places, &consents, &tasks, &mut against);
        let subject = &self.tokens[attempt.subject];
        let opens = match allowed {
            Some(Allowed::By(consent)) if subject.task.is_none() && attempt.task.is_none() => Some(consent),
            _ => None,
        };
        let task = attempt.task.or(subject.task);
        let counted = task.map(|task| self.line(task)).unwrap_or_default();
        if counted.iter().any(|task| self.tasks[*task].left == Some(0)) {
            against.insert(Why::Exhausted);
        }
        if !against.is_empty() {
            return Err(against);
        }
        let ends = consents.iter().map(|consent| self.consents[*consent].until);
        let deadlines = tasks.iter().map(|task| self.tasks[*task].until);
        let until = ends.chain(deadlines).fold(subject.until.min(self.now + LIFE), i64::min);
        let own = match allowed {
            Some(Allowed::By(consent)) => Some(consent),
            _ => subject.consent,
        };
        let token = Token {
            text: String::new(),
            sub: subject.sub,
            to: attempt.by,
            acts,
            only: None,
            handed: attempt.over_to,
            scope,
            places,
            key: attempt.key.map(|key| (attempt.by, key)),
            consent: own,
            task,
            from: Some(attempt.subject),
            until,
            over: false,
            refresh: false,
        };
        Ok(Made { token, opens })
    }

    /// Who is to act: the presenter, or whose token came as `actor_token`.
    fn actor(&self, attempt: &Attempt, against: &mut BTreeSet<Why>) -> Who {
        let Some((index, declared)) = attempt.actor else { return attempt.by };
        if declared != ACCESS || self.tokens[index].refresh {
            against.insert(Why::WrongType);
        }
        if !self.stands(index) {
            against.insert(Why::Over);
        }
        let token = &self.tokens[index];
        let Sub::Client(who) = token.sub else {
            against.insert(Why::ActorToken);
            return attempt.by;
        };
        let proven = token.key.is_none() || token.key == attempt.key.map(|key| (attempt.by, key));
        let fits = if who == attempt.by {
            proven
        } else {
            // The one rule of this house: the orders may speak for agent-a, with what agent-a sent to them.
            let sent = token.places.contains(ORDERS);
            attempt.by == ORDERS_API && who == 0 && (proven || sent)
        };
        if !token.acts.is_empty() || !fits {
            against.insert(Why::ActorToken);
        }
        who
    }

    /// Whether the subject token is one, and was meant for whoever comes with it.
    fn look_at_subject(&self, attempt: &Attempt, against: &mut BTreeSet<Why>) {
        let subject = &self.tokens[attempt.subject];
        if attempt.subject_as != ACCESS || subject.refresh {
            against.insert(Why::WrongType);
        }
        if !self.stands(attempt.subject) {
            against.insert(Why::Over);
        }
        let by = attempt.by;
        let sent_there = PARTIES[by].place.is_some_and(|place| subject.places.contains(place));
        if subject.handed.is_some_and(|to| to != by) {
            against.insert(Why::NotMeant);
        } else if subject.handed.is_none() && !sent_there && subject.only != Some(by) {
            if subject.to != by {
                against.insert(Why::NotMeant);
            } else if subject.key.is_some() && subject.key != attempt.key.map(|key| (by, key)) {
                against.insert(Why::KeyNotProven);
            }
        }
    }

    /// Whether the user, or an admin, lets the actor act.
    fn allowed(&self, attempt: &Attempt, actor: Who, against: &mut BTreeSet<Why>) -> Option<Allowed> {
        let subject = &self.tokens[attempt.subject];
        let agents = PARTIES[actor].agent.is_some() || PARTIES[attempt.by].agent.is_some();
        if (subject.key.is_some() || agents) && attempt.key.is_none() {
            against.insert(Why::Unbound);
        }
        if subject.only.is_some_and(|only| only != actor) {
            against.insert(Why::NotAllowed);
            return None;
        }
        let nobody_acts = subject.acts.is_empty();
        if subject.acts.first() == Some(&actor) || (nobody_acts && subject.sub == Sub::Client(actor)) {
            return Some(Allowed::Acts);
        }
        let gave = |consent: &usize| {
            let consent = &self.consents[*consent];
            consent.to == actor && subject.sub == Sub::User(consent.user)
        };
        let gave = |consent: &usize| gave(consent) && self.consent_stands(*consent);
        if let Some(own) = subject.consent.filter(gave) {
            return Some(Allowed::By(own));
        }
        let covers = |consent: &usize| {
            let consent = &self.consents[*consent];
            attempt.scope.is_subset(&consent.scope) && attempt.places.is_subset(&consent.places)
        };
        let others = (0..self.consents.len()).filter(gave);
        let elsewhere = others.clone().any(|other| attempt.scope.is_subset(&self.consents[other].scope));
        let others = others.filter(covers);
        if let (true, Some(other)) = (nobody_acts, others.max_by_key(|other| self.consents[*other].until)) {
            return Some(Allowed::By(other));
        }
        if let (false, Some(consent), true) = (nobody_acts, subject.consent, subject.handed == Some(actor)) {
            if self.consents[consent].travels == 0 || subject.acts.len() > self.consents[consent].travels {
                against.insert(Why::NotAllowed);
            }
            return Some(Allowed::HandedOver(consent));
        }
        // The other rule of this house: the orders go on to the inventory.
        if actor == ORDERS_API {
            return Some(Allowed::Rule);
        }
        // What is allowed, but not there, is about the place.
        against.insert(if nobody_acts && elsewhere { Why::TargetTooWide } else { Why::NotAllowed });
        None
    }

    /// Who acts then.
    fn acts(
        &self,
        attempt: &Attempt,
        actor: Who,
        allowed: Option<Allowed>,
        against: &mut BTreeSet<Why>,
    ) -> Vec<Who> {
        let before = &self.tokens[attempt.subject].acts;
        if allowed == Some(Allowed::Acts) {
            return before.clone();
        }
        if before.contains(&actor) {
            against.insert(Why::Cycle);
            return before.clone();
        }
        let acts: Vec<Who> = std::iter::once(actor).chain(before.iter().copied()).collect();
        if acts.len() > deepest(&acts) {
            against.insert(Why::TooDeep);
        }
        acts
    }

    fn look_at_receiver(
        &self,
        attempt: &Attempt,
        acts: &[Who],
        consent: Option<usize>,
        against: &mut BTreeSet<Why>,
    ) {
        let Some(receiver) = attempt.over_to else { return };
        if acts.is_empty() || acts.contains(&receiver) {
            against.insert(Why::Receiver);
            return;
        }
        let then: Vec<Who> = std::iter::once(receiver).chain(acts.iter().copied()).collect();
        if then.len() > deepest(&then)
            || consent.is_none_or(|consent| acts.len() > self.consents[consent].travels)
        {
            against.insert(Why::Receiver);
        }
    }

    /// The named task is of the same consent, and of whoever is to hold the token.
    fn look_at_task(
        &self,
        attempt: &Attempt,
        actor: Who,
        consent: Option<usize>,
        against: &mut BTreeSet<Why>,
    ) {
        let Some(index) = attempt.task else { return };
        let (task, own) = (&self.tasks[index], self.tokens[attempt.subject].task);
        let doer = attempt.over_to.unwrap_or(actor);
        let part = task.above.is_some() && task.above == own;
        let begins = task.above.is_none() && attempt.over_to.is_none();
        let theirs = own == Some(index) || (task.doer == doer && (part || begins));
        if consent != Some(task.consent) || !theirs {
            against.insert(Why::TaskElsewhere);
        }
    }

    fn places(
        &self,
        attempt: &Attempt,
        allowed: Option<Allowed>,
        consents: &BTreeSet<usize>,
        tasks: &BTreeSet<usize>,
        against: &mut BTreeSet<Why>,
    ) -> Words {
        let mut there = self.tokens[attempt.subject].places.clone();
        if allowed == Some(Allowed::Rule) {
            there.insert(INVENTORY);
        } else {
            there.retain(|place| consents.iter().all(|c| self.consents[*c].places.contains(place)));
        }
        there.retain(|place| tasks.iter().all(|task| self.tasks[*task].places.contains(place)));
        if !attempt.places.is_empty() {
            if !attempt.places.is_subset(&there) {
                against.insert(Why::TargetTooWide);
            }
            return attempt.places.clone();
        }
        if there.is_empty() || (attempt.over_to.is_none() && there.len() > 1) {
            against.insert(Why::TargetNotNamed);
        }
        there
    }

    fn scope(
        &self,
        attempt: &Attempt,
        actor: Who,
        places: &Words,
        consents: &BTreeSet<usize>,
        tasks: &BTreeSet<usize>,
        against: &mut BTreeSet<Why>,
    ) -> Words {
        let mut there = self.tokens[attempt.subject].scope.clone();
        there.retain(|word| consents.iter().all(|c| self.consents[*c].scope.contains(word)));
        there.retain(|word| tasks.iter().all(|task| self.tasks[*task].scope.contains(word)));
        there.retain(|word| WORDS.iter().any(|(known, place)| known == word && places.contains(place)));
        if !attempt.scope.is_empty() {
            if !attempt.scope.is_subset(&there) {
                against.insert(Why::ScopeTooWide);
            }
            return attempt.scope.clone();
        }
        if PARTIES[actor].agent.is_some() {
            against.insert(Why::NothingNamed);
        } else if there.is_empty() {
            against.insert(Why::ScopeTooWide);
        }
        there
    }
}

/// How long a chain of these may be.
fn deepest(acts: &[Who]) -> usize {
    acts.iter().filter_map(|who| PARTIES[*who].agent).fold(LONGEST, usize::min)
}
