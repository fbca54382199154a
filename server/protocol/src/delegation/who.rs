//! Who: was the token meant for whoever presents it, and may this actor act? How far: the chain.

use super::{Asked, Basis, DelegationRefused, ReceiverRefused, Story};
use crate::actor::{CannotExtend, Chain};
use crate::audience::{Audience, InvalidTarget, Resources};
use crate::client::Client;
use crate::confirmation::Confirmation;
use crate::consent::{Consent, PassingOn};
use crate::identifier::InstanceId;
use crate::numeric_date::NumericDate;
use crate::token::{Subject, TokenKind};

impl Story<'_> {
    /// An access token is a subject token, and a transaction token inside its trust domain. A refresh token, an ID token
    /// and a JWT from elsewhere are too, but of nobody than the client that they were issued to. What was made for
    /// another authorization server is none.
    pub(super) fn check_subject_token(&self) -> Result<(), DelegationRefused> {
        match self.subject.kind {
            TokenKind::Access => Ok(()),
            TokenKind::Transaction if self.in_trust_domain => Ok(()),
            TokenKind::Transaction => Err(DelegationRefused::NotForPresenter),
            kind if kind.is_its_clients_alone() && self.subject.client == self.presenter.id => Ok(()),
            TokenKind::Refresh | TokenKind::Id | TokenKind::Foreign => {
                Err(DelegationRefused::NotForPresenter)
            }
            TokenKind::Assertion => Err(DelegationRefused::NotASubjectToken),
        }
    }

    /// The consent and the task are those that the subject token's record names: a story with a page missing, or
    /// one of another story, cannot be judged.
    pub(super) fn check_lineage(&self) -> Result<(), DelegationRefused> {
        let consent = self.consent.map(|consent| &consent.id) == self.subject.consent.as_ref();
        let task = self.task.map(|task| &task.id) == self.subject.task.as_ref().map(|task| &task.id);
        let user = self.consent.is_none_or(|consent| Some(&consent.user) == self.subject.subject.user());
        if consent && task && user { Ok(()) } else { Err(DelegationRefused::Expired) }
    }

    /// *Was this token meant for the presenter?* It is addressed to it, its `may_act` names it, it was issued to it
    /// (then, if bound, what it is bound to must be proven), or a rule says so. Else it may have been stolen or spliced. A token
    /// addressed to an actor is good for nothing but exchange by that actor, not even for whom it was issued to.
    pub(super) fn check_meant_for_presenter(&self) -> Result<(), DelegationRefused> {
        let presenter = self.presenter;
        match self.subject.kind {
            // Whose it is was asked before, and no rule makes it anybody else's.
            kind if kind.is_its_clients_alone() => return self.check_key(),
            TokenKind::Transaction => return Ok(()),
            _ if self.rules.may_present.is_some() => return Ok(()),
            _ => {}
        }
        if let Audience::Actor(actor) = &self.subject.audience {
            return if *actor == presenter.id { Ok(()) } else { Err(DelegationRefused::NotForPresenter) };
        }
        let own = presenter.resource_server.as_ref();
        let addressed = own.is_some_and(|own| self.subject.authority.resources.contains(own));
        let actor = presenter.as_actor(self.terms.issuer);
        let named = self.subject.may_act.as_ref().is_some_and(|may_act| may_act.is(&actor));
        if addressed || named {
            return Ok(());
        }
        if self.subject.client != presenter.id {
            return Err(DelegationRefused::NotForPresenter);
        }
        self.check_key()
    }

    /// What it is bound to is proven; and what one instance of a client got is not another's.
    fn check_key(&self) -> Result<(), DelegationRefused> {
        // What one instance got is not another's.
        if self.subject.instance.is_some() && self.subject.instance.as_ref() != self.instance {
            return Err(DelegationRefused::NotForPresenter);
        }
        match &self.subject.cnf {
            Some(cnf) if !self.held.proves(cnf) => Err(DelegationRefused::KeyNotProven),
            _ => Ok(()),
        }
    }

    /// The actor is alive, and is the presenter, or a rule lets the presenter speak for it. An actor token is an
    /// access token of the actor's own: it carries no chain and no user, and if it is bound, its key is proven, or,
    /// where a rule lets the presenter speak for the actor, the actor sent it to the presenter.
    pub(super) fn check_actor(&self, now: NumericDate) -> Result<(), DelegationRefused> {
        if !self.actor.is_live(now) {
            return Err(DelegationRefused::ActorNotLive);
        }
        let itself = self.actor.id == self.presenter.id;
        if !itself && self.rules.actor_token.is_none() {
            return Err(DelegationRefused::ActorTokenNotAcceptable);
        }
        // A workload token is for us alone, and its bearer is whom the actor gave it to.
        let workload = self.actor_workload.filter(|workload| !workload.expires_at.is_over(now));
        let copy = !itself || self.actor_instance() == self.instance;
        let Some(token) = self.actor_token else {
            let proven = workload.is_some() || (itself && self.actor_workload.is_none());
            return if proven && copy { Ok(()) } else { Err(DelegationRefused::ActorTokenNotAcceptable) };
        };
        let own = matches!(&token.subject, Subject::Client { id, .. } if *id == self.actor.id);
        let plain =
            token.kind == TokenKind::Access && token.chain.depth() == 0 && !token.expires_at().is_over(now);
        let sent_to_presenter = match &token.audience {
            Audience::Actor(id) => *id == self.presenter.id,
            Audience::Resources => {
                let own = self.presenter.resource_server.as_ref();
                own.is_some_and(|own| token.authority.resources.contains(own))
            }
        };
        let proven =
            token.cnf.as_ref().is_none_or(|cnf| self.held.proves(cnf)) || (!itself && sent_to_presenter);
        let one = self.actor_workload.is_none();
        if own && plain && proven && copy && one {
            Ok(())
        } else {
            Err(DelegationRefused::ActorTokenNotAcceptable)
        }
    }

    /// Which instance of the actor is to act: the one that its token was issued to or speaks of, or else the presenter.
    #[must_use]
    pub fn actor_instance(&self) -> Option<&InstanceId> {
        match (self.actor_token, self.actor_workload) {
            (Some(token), _) => token.instance.as_ref(),
            (None, Some(workload)) => workload.instance.as_ref(),
            (None, None) => self.instance,
        }
    }

    /// A sender-constrained subject never yields a bearer token, and agents never hold one. The new token is bound to
    /// what its presenter holds, whatever the subject token was bound to. A transaction token is bound to nothing, since it
    /// goes from one workload to the next: nobody need prove a key for it, but to show that the subject token is theirs.
    pub(super) fn binding(&self, asked: &Asked) -> Result<Option<Confirmation>, DelegationRefused> {
        if asked.destination.token_kind() == TokenKind::Transaction {
            return Ok(None);
        }
        let demanded = self.subject.cnf.is_some() || self.actor.needs_bound_tokens();
        Ok(self.presenter.binding_demand().or_either(demanded).bind(self.held)?)
    }

    /// *Did the user allow this actor?* `may_act` is exhaustive. Otherwise, in this order: it acts already; a live
    /// consent of the user to it covers the request; the current actor handed over to it; a rule says so.
    pub(super) fn basis(&self, asked: &Asked, now: NumericDate) -> Result<Basis, DelegationRefused> {
        let actor = self.actor.as_actor(self.terms.issuer);
        if self.subject.may_act.as_ref().is_some_and(|may_act| !may_act.is(&actor)) {
            return Err(DelegationRefused::ActorNotPermitted);
        }
        let acting = self.subject.chain.current().is_some_and(|current| current.is(&actor));
        let own = matches!(&self.subject.subject, Subject::Client { id, .. } if *id == self.actor.id);
        if acting || (own && self.subject.chain.depth() == 0) {
            return Ok(Basis::Acting);
        }
        if let Some(consent) = self.consent_to_actor(asked, now) {
            return Ok(Basis::Consent(consent.id.clone()));
        }
        let handed_over =
            self.subject.chain.depth() > 0 && self.subject.audience == Audience::Actor(actor.sub);
        if let (true, Some(consent)) = (handed_over, self.consent) {
            return match Self::may_travel_to(consent, self.subject.chain.depth() + 1) {
                true => Ok(Basis::PassedOn(consent.id.clone())),
                false => Err(DelegationRefused::MayNotBePassedOn),
            };
        }
        if let Some(allowed) = self.rules.may_act {
            return Ok(Basis::Rule(allowed.rule.clone()));
        }
        match self.rules.impersonate {
            Some(allowed) if self.subject.chain.depth() == 0 => {
                Ok(Basis::Impersonation(allowed.rule.clone()))
            }
            // Another consent allows it, but not there: that is about the target, and said of it as of every other.
            _ if self.allowed_elsewhere(asked, now) => Err(InvalidTarget::NotAvailable.into()),
            _ => Err(DelegationRefused::ActorNotPermitted),
        }
    }

    /// Whether nothing but where it wants to go speaks against a consent of the user to the actor.
    fn allowed_elsewhere(&self, asked: &Asked, now: NumericDate) -> bool {
        let anywhere = Asked { resources: Resources::new(), ..asked.clone() };
        !asked.resources.is_empty() && self.consent_to_actor(&anywhere, now).is_some()
    }

    /// The live consent of the subject's user to the actor: the subject token's own first, then, where nobody acts
    /// yet, any other that covers what is asked.
    fn consent_to_actor(&self, asked: &Asked, now: NumericDate) -> Option<&Consent> {
        let user = self.subject.subject.user()?;
        let fits = |c: &&Consent| c.user == *user && c.actor == self.actor.id && c.is_live(now);
        let covers = |c: &&Consent| {
            asked.scope.as_ref().is_none_or(|scope| scope.is_within(&c.authority.scope))
                && asked.resources.is_subset(&c.authority.resources)
                && asked.details.as_ref().is_none_or(|details| {
                    self.types_of(c).check_within(details, &c.authority.details).is_ok()
                })
        };
        if self.subject.chain.depth() > 0 {
            // Somebody acts already, under a consent that says how far it may travel. Another consent of the user
            // must not be a way around that: the current actor hands over, or nobody takes.
            return self.consent.filter(fits);
        }
        // What somebody else brought holds for what they brought it with.
        let own = |c: &&Consent| c.brought_by.is_none();
        let others = self.other_consents.iter().map(AsRef::as_ref).filter(own).filter(fits).filter(covers);
        self.consent.filter(fits).or_else(|| others.max_by_key(|c| c.authority.until))
    }

    /// *Does the named task belong to this story?* It is under the consent that the decision rests on, of its user, and is
    /// to be done by whoever is to hold the token: the receiver of a hand-over, or the actor. A part of the subject token's
    /// own task may go to anybody whom the task names; a root is only for the actor itself, who opened it.
    pub(super) fn check_onto(&self, basis: &Basis) -> Result<(), DelegationRefused> {
        let Some(onto) = self.onto else { return Ok(()) };
        let consent = self.consent_of(basis).is_some_and(|c| c.id == onto.consent && c.user == onto.user);
        let doer = self.receiver.unwrap_or(self.actor);
        let own = self.task.is_some_and(|task| task.id == onto.id);
        let part = self.task.is_some_and(|task| Some(&task.id) == onto.parent.as_ref());
        let root = onto.parent.is_none() && self.receiver.is_none() && !self.names_nobody;
        let theirs = own || (onto.actor == doer.id && (part || root));
        if consent && theirs { Ok(()) } else { Err(DelegationRefused::TaskNotOfThisStory) }
    }

    /// The consent that the decision rests on: what it permits bounds the new token.
    pub(super) fn consent_of(&self, basis: &Basis) -> Option<&Consent> {
        match basis {
            Basis::Consent(id) | Basis::PassedOn(id) => {
                let others = self.other_consents.iter().map(AsRef::as_ref);
                self.consent.into_iter().chain(others).find(|consent| consent.id == *id)
            }
            Basis::Acting | Basis::Rule(_) | Basis::Impersonation(_) => self.consent,
        }
    }

    /// The consent lets authority travel to a chain of `depth`.
    fn may_travel_to(consent: &Consent, depth: usize) -> bool {
        consent.passing_on != PassingOn::No && depth <= consent.passing_on.longest_chain()
    }

    /// The chain of the token to be. Impersonation adds nobody; that is what makes it one.
    pub(super) fn chain(&self, basis: &Basis) -> Result<Chain, DelegationRefused> {
        let longest = Self::longest_with(self.terms.longest_chain, self.actor);
        // Who acted elsewhere counts too.
        let brought = &self.subject.brought;
        let longest = longest.saturating_sub(brought.depth());
        let chain = match basis {
            Basis::Impersonation(_) => self.subject.chain.clone(),
            Basis::Acting if self.subject.chain.depth() == 0 => Chain::none(),
            Basis::Acting | Basis::Consent(_) | Basis::PassedOn(_) | Basis::Rule(_) => {
                let actor = self.actor.as_actor_in(self.terms.issuer, self.actor_instance());
                self.subject.chain.extended_by(&actor, longest).map_err(|reason| match reason {
                    CannotExtend::AlreadyInChain => DelegationRefused::ActorAlreadyInChain,
                    CannotExtend::TooLong | CannotExtend::TooLarge => DelegationRefused::ChainTooLong,
                })?
            }
        };
        if chain.fits_on(brought) { Ok(chain) } else { Err(DelegationRefused::ChainTooLong) }
    }

    /// How long a chain may be that may be this long without `one`, where `one` stands in it too.
    fn longest_with(longest: usize, one: &Client) -> usize {
        one.agent().and_then(|agent| agent.max_chain_depth).map_or(longest, |own| own.min(longest))
    }

    /// A hand-over goes to a live client that did not act yet, under a consent that lets it travel one further, and
    /// leaves room for it in the chain: what its receiver could not use is not handed over.
    pub(super) fn check_receiver(
        &self,
        basis: &Basis,
        chain: &Chain,
        now: NumericDate,
    ) -> Result<(), DelegationRefused> {
        if self.names_nobody {
            return Err(ReceiverRefused::Nobody.into());
        }
        let Some(receiver) = self.receiver else { return Ok(()) };
        let actor = receiver.as_actor(self.terms.issuer);
        if !receiver.is_live(now)
            || chain.depth() == 0
            || chain.actors().iter().any(|earlier| earlier.is(&actor))
        {
            return Err(ReceiverRefused::NotAcceptable.into());
        }
        let longest = [self.actor, receiver].into_iter().fold(self.terms.longest_chain, Self::longest_with);
        if chain.depth() + self.subject.brought.depth() >= longest {
            return Err(ReceiverRefused::ChainTooLong.into());
        }
        let consent = self.consent_of(basis).ok_or(ReceiverRefused::MayNotBePassedOn)?;
        if Self::may_travel_to(consent, chain.depth() + 1) {
            Ok(())
        } else {
            Err(ReceiverRefused::MayNotBePassedOn.into())
        }
    }
}
