//! What may become of a token, told a second time and in another way than the server does: a story is looked at as a
//! whole, everything that speaks against it is named, and none of the product's own rules is asked.

use std::collections::BTreeSet;

use tests::{INVENTORY, ORDERS};

use super::details::{self, Detail, Details, LIFE_OF_SEALS};
use super::model::{Attempt, Form, Sub, Token, World};
use super::parties::{BELIEVED_OF, LONGEST, ORDERS_API, PARTIES, RUNNER, SHOP, WORDS, Who, Words};
use super::why::Why;

/// The life of an access token.
const LIFE: i64 = 300;

/// Why an actor may act.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Allowed {
    Acts,
    By(usize),
    HandedOver(usize),
    Rule,
}

/// What an attempt that may be makes.
pub(super) struct Made {
    pub(super) token: Token,
    /// It is of a task that is opened for it.
    pub(super) opens: Option<usize>,
}

impl World {
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
        let places = self.places(attempt, actor, allowed, &consents, &tasks, &mut against);
        let scope = self.scope(attempt, actor, &places, &consents, &tasks, &mut against);
        let details = self.details(attempt, actor, allowed, &places, &consents, &tasks, &mut against);
        if attempt.scope.is_empty() && attempt.details.is_empty() {
            if PARTIES[actor].agent.is_some() {
                against.insert(Why::NothingNamed);
            } else if scope.is_empty() && details.is_empty() {
                against.insert(Why::ScopeTooWide);
            }
        }
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
        let sealed = details.iter().any(|detail| detail.kind == details::Kind::Seal);
        let life = if sealed { LIFE_OF_SEALS } else { LIFE };
        let until = ends.chain(deadlines).fold(subject.until.min(self.now + life), i64::min);
        let own = match allowed {
            Some(Allowed::By(consent)) => Some(consent),
            _ => subject.consent,
        };
        let token = Token {
            text: String::new(),
            form: Form::Access,
            sub: subject.sub,
            to: attempt.by,
            acts,
            brought: subject.brought,
            only: None,
            handed: attempt.over_to,
            scope,
            places,
            details,
            key: attempt.key.map(|key| (attempt.by, key)),
            consent: own,
            task,
            from: Some(attempt.subject),
            family: subject.family,
            until,
            over: false,
            taken: false,
        };
        Ok(Made { token, opens })
    }

    /// Who is to act: the presenter, or whose token came as `actor_token`.
    fn actor(&self, attempt: &Attempt, against: &mut BTreeSet<Why>) -> Who {
        let Some((index, declared)) = attempt.actor else { return attempt.by };
        let token = &self.tokens[index];
        let form = token.form;
        if declared != form.declared() || !matches!(form, Form::Access | Form::Workload) {
            against.insert(Why::WrongType);
        }
        if !self.stands(index) {
            against.insert(Why::Over);
        }
        if token.taken {
            against.insert(Why::Replayed);
        }
        let Sub::Client(who) = token.sub else {
            against.insert(Why::ActorToken);
            return attempt.by;
        };
        let proven = token.key.is_none() || token.key == attempt.key.map(|key| (attempt.by, key));
        let fits = if who == attempt.by {
            proven
        } else {
            // Two rules of this house: the orders may speak for agent-a, with what agent-a sent to them, and for the
            // runner, with what the runner's platform says of it.
            let sent = token.places.contains(ORDERS);
            match form {
                Form::Workload => attempt.by == ORDERS_API && who == RUNNER,
                _ => attempt.by == ORDERS_API && (who == 0 || who == RUNNER) && (proven || sent),
            }
        };
        if !token.acts.is_empty() || !fits {
            against.insert(Why::ActorToken);
        }
        who
    }

    /// Whether the subject token is one, and was meant for whoever comes with it.
    fn look_at_subject(&self, attempt: &Attempt, against: &mut BTreeSet<Why>) {
        let subject = &self.tokens[attempt.subject];
        if attempt.subject_as != subject.form.declared() || subject.form == Form::Workload {
            against.insert(Why::WrongType);
        }
        if !self.stands(attempt.subject) {
            against.insert(Why::Over);
        }
        if subject.taken {
            against.insert(Why::Replayed);
        }
        let by = attempt.by;
        match subject.form {
            Form::Access => self.look_at_access_token(subject, attempt, against),
            // A client's alone, whatever its audience is.
            Form::Refresh | Form::Id if subject.to != by => drop(against.insert(Why::NotMeant)),
            Form::Foreign(_) if !BELIEVED_OF.contains(&by) => drop(against.insert(Why::NotMeant)),
            Form::Foreign(false) => drop(against.insert(Why::NotTrusted)),
            _ => {}
        }
    }

    fn look_at_access_token(&self, subject: &Token, attempt: &Attempt, against: &mut BTreeSet<Why>) {
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
            attempt.scope.is_subset(&consent.scope)
                && attempt.places.is_subset(&consent.places)
                && details::are_within(&attempt.details, &consent.details)
        };
        let others = (0..self.consents.len()).filter(gave);
        let elsewhere = others.clone().any(|other| {
            let consent = &self.consents[other];
            attempt.scope.is_subset(&consent.scope) && details::are_within(&attempt.details, &consent.details)
        });
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
        let Token { acts: before, brought, .. } = &self.tokens[attempt.subject];
        if allowed == Some(Allowed::Acts) {
            return before.clone();
        }
        if before.contains(&actor) {
            against.insert(Why::Cycle);
            return before.clone();
        }
        let acts: Vec<Who> = std::iter::once(actor).chain(before.iter().copied()).collect();
        if acts.len() + brought > deepest(&acts) {
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
        if then.len() + self.tokens[attempt.subject].brought > deepest(&then)
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
        actor: Who,
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
        there.retain(|place| PARTIES[actor].places.contains(place));
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
        there.retain(|word| PARTIES[actor].words.contains(word));
        if attempt.scope.is_empty() && attempt.details.is_empty() {
            return there;
        }
        if !attempt.scope.is_subset(&there) {
            against.insert(Why::ScopeTooWide);
        }
        attempt.scope.clone()
    }

    #[expect(clippy::too_many_arguments, reason = "a story is looked at as a whole")]
    fn details(
        &self,
        attempt: &Attempt,
        actor: Who,
        allowed: Option<Allowed>,
        places: &Words,
        consents: &BTreeSet<usize>,
        tasks: &BTreeSet<usize>,
        against: &mut BTreeSet<Why>,
    ) -> Details {
        let own = std::iter::once(&self.tokens[attempt.subject].details);
        let given = consents.iter().map(|consent| &self.consents[*consent].details);
        let given = own.chain(given).chain(tasks.iter().map(|task| &self.tasks[*task].details));
        let travels = attempt.over_to.is_some() || matches!(allowed, Some(Allowed::HandedOver(_)));
        let stays = |detail: &Detail| travels && !detail.kind.may_be_passed_on();
        let means_something = |detail: &Detail| {
            let known = places.iter().any(|place| detail.kind.is_known_at(place));
            known && PARTIES[actor].kinds.contains(&detail.kind)
        };
        if attempt.scope.is_empty() && attempt.details.is_empty() {
            let all = given.cloned().reduce(|a, b| details::common(&a, &b)).unwrap_or_default();
            return all.into_iter().filter(|detail| means_something(detail) && !stays(detail)).collect();
        }
        let mut given = given;
        let within = given.all(|source| details::are_within(&attempt.details, source));
        if !within || !attempt.details.iter().all(means_something) {
            against.insert(Why::DetailsTooWide);
        }
        if attempt.details.iter().any(stays) {
            against.insert(Why::DetailStays);
        }
        attempt.details.clone()
    }
}

/// How long a chain of these may be.
fn deepest(acts: &[Who]) -> usize {
    acts.iter().filter_map(|who| PARTIES[*who].agent).fold(LONGEST, usize::min)
}
