//! Everything that there is in a story: who let whom do what, the tasks, the tokens, and what of it stands.

use super::details::Details;
use super::parties::{Who, Words};

/// The type of an access token.
pub(super) const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The type of any JWT.
pub(super) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// What a token can be declared to be.
pub(super) const DECLARED_AS: [&str; 5] = [
    ACCESS,
    "urn:ietf:params:oauth:token-type:refresh_token",
    "urn:ietf:params:oauth:token-type:id_token",
    JWT,
    "urn:ietf:params:oauth:token-type:saml2",
];
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
    pub(super) details: Details,
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
    pub(super) details: Details,
    pub(super) until: i64,
    pub(super) stands: Stands,
    /// How many more tokens, where somebody counts.
    pub(super) left: Option<u32>,
}

/// What kind of token it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Access,
    Refresh,
    Id,
    /// A JWT of somebody else about a user: `true` where it is one that the partner makes for us.
    Foreign(bool),
    /// A platform's token of one of its workloads.
    Workload,
}

impl Form {
    /// What it is rightly declared to be.
    pub(super) const fn declared(self) -> &'static str {
        match self {
            Self::Access => DECLARED_AS[0],
            Self::Refresh => DECLARED_AS[1],
            Self::Id => DECLARED_AS[2],
            Self::Foreign(_) | Self::Workload => JWT,
        }
    }

    /// Whether it is taken once and never again.
    pub(super) const fn is_taken_once(self) -> bool {
        matches!(self, Self::Foreign(_) | Self::Workload)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) form: Form,
    pub(super) sub: Sub,
    /// To whom it was issued.
    pub(super) to: Who,
    /// Who acts, the current actor first.
    pub(super) acts: Vec<Who>,
    /// How many acted elsewhere, before any of those.
    pub(super) brought: usize,
    /// Who alone may act with it.
    pub(super) only: Option<Who>,
    /// The one actor it is for.
    pub(super) handed: Option<Who>,
    pub(super) scope: Words,
    pub(super) places: Words,
    pub(super) details: Details,
    pub(super) key: Option<(Who, Key)>,
    pub(super) consent: Option<usize>,
    pub(super) task: Option<usize>,
    /// The token that it was made of.
    pub(super) from: Option<usize>,
    /// The authorization code that it goes back to.
    pub(super) family: Option<usize>,
    pub(super) until: i64,
    pub(super) over: bool,
    /// It was taken, where it is taken once.
    pub(super) taken: bool,
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
    pub(super) details: Details,
    pub(super) over_to: Option<Who>,
    pub(super) task: Option<usize>,
}

/// Everything that there is.
#[derive(Default, Debug)]
pub(super) struct World {
    pub(super) now: i64,
    pub(super) consents: Vec<Consent>,
    pub(super) tasks: Vec<Task>,
    pub(super) tokens: Vec<Token>,
}

impl World {
    pub(super) fn consent_stands(&self, consent: usize) -> bool {
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

    /// Everything ends that goes back to the same authorization code.
    pub(super) fn end_family(&mut self, family: usize) {
        self.tokens
            .iter_mut()
            .filter(|token| token.family == Some(family))
            .for_each(|token| token.over = true);
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
}
