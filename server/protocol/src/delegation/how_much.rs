//! How long and how much: rights only shrink, and more than there is is refused, never trimmed in silence.

use super::{Asked, Basis, DelegationRefused, ReceiverRefused, Story};
use crate::audience::{InvalidTarget, Resources};
use crate::authorization::Registered;
use crate::authorization_details::{
    AuthorizationDetail, AuthorizationDetails, DetailsTypes, InvalidAuthorizationDetails,
};
use crate::consent::Consent;
use crate::numeric_date::NumericDate;
use crate::scope::Scope;
use crate::task::Task;

impl Story<'_> {
    /// Until when: the earliest of the token's own life and the ends of everything it comes from.
    pub(super) fn until(
        &self,
        basis: &Basis,
        details: &AuthorizationDetails,
        resources: &Resources,
        now: NumericDate,
    ) -> NumericDate {
        let end = |types: &DetailsTypes| {
            let registered = Registered { types, ..self.terms.registered };
            registered.end(details, resources, self.terms.token_life, now)
        };
        let by_type = self.consents(basis).map(|consent| end(self.types_of(consent)));
        by_type.fold(end(self.subject_types()).min(self.end(basis)), NumericDate::min)
    }

    /// When everything that the token comes from is over.
    pub(super) fn end(&self, basis: &Basis) -> NumericDate {
        let consents = self.consents(basis).map(|consent| consent.authority.until);
        let deadlines = self.tasks().map(|task| task.deadline);
        let actor = self.actor.agent().map(|agent| agent.expires_at);
        consents.chain(deadlines).chain(actor).fold(self.subject.expires_at(), NumericDate::min)
    }

    /// Nothing is derived from what is over.
    pub(super) fn check_not_over(&self, basis: &Basis, now: NumericDate) -> Result<(), DelegationRefused> {
        let dead = self.subject.expires_at().is_over(now)
            || self.consents(basis).any(|consent| !consent.is_live(now))
            || self.tasks().any(|task| task.own_status(now).is_final());
        let rests = self.tasks().any(|task| !task.is_live(now));
        match (dead, rests) {
            (true, _) => Err(DelegationRefused::Expired),
            (false, true) => Err(DelegationRefused::Resting),
            (false, false) => Ok(()),
        }
    }

    /// Where: what was asked, or the one place there is, within what the subject token, the consent, the rule and
    /// the actor's registration allow.
    pub(super) fn resources(&self, basis: &Basis, asked: &Asked) -> Result<Resources, DelegationRefused> {
        let mut allowed = self.subject.authority.resources.clone();
        match basis {
            Basis::Rule(_) => {
                allowed.extend(self.rules.may_act.into_iter().flat_map(|a| a.resources.iter().cloned()))
            }
            Basis::Impersonation(_) => {
                allowed.extend(self.rules.impersonate.into_iter().flat_map(|a| a.resources.iter().cloned()));
            }
            Basis::Acting | Basis::Consent(_) | Basis::PassedOn(_) => {
                for consent in self.consents(basis) {
                    allowed.retain(|resource| consent.authority.resources.contains(resource));
                }
            }
        }
        for there in self.tasks().filter_map(|task| task.resources.as_ref()) {
            allowed.retain(|resource| there.contains(resource));
        }
        allowed.retain(|resource| self.actor.resources.contains(resource));
        if !asked.resources.is_empty() {
            let within = asked.resources.is_subset(&allowed);
            return if within {
                Ok(asked.resources.clone())
            } else {
                Err(InvalidTarget::NotAvailable.into())
            };
        }
        // A hand-over keeps all of them for its receiver to choose from; a token to be spent names its place.
        if allowed.is_empty() || (self.receiver.is_none() && allowed.len() > 1) {
            return Err(InvalidTarget::NotNamed.into());
        }
        Ok(allowed)
    }

    /// What: what was asked, checked against everything it is taken from. A service that names nothing gets what
    /// all of them have in common; an agent must name what it needs.
    pub(super) fn scope_and_details(
        &self,
        basis: &Basis,
        asked: &Asked,
        resources: &Resources,
    ) -> Result<(Scope, AuthorizationDetails), DelegationRefused> {
        let named_nothing = asked.scope.as_ref().is_none_or(Scope::is_empty)
            && asked.details.as_ref().is_none_or(AuthorizationDetails::is_empty);
        if named_nothing {
            return if self.actor.agent().is_some() {
                Err(DelegationRefused::NothingNamed)
            } else {
                self.all_there_is(basis, resources)
            };
        }
        let scope = asked.scope.clone().unwrap_or_default();
        let details = asked.details.clone().unwrap_or_default();
        self.check_scope(basis, &scope, resources)?;
        self.check_details(basis, &details, resources)?;
        Ok((scope, details))
    }

    fn check_scope(
        &self,
        basis: &Basis,
        scope: &Scope,
        resources: &Resources,
    ) -> Result<(), DelegationRefused> {
        let mut sources = self
            .consents(basis)
            .map(|c| &c.authority.scope)
            .chain(self.tasks().filter_map(|task| task.scope.as_ref()))
            .chain([&self.subject.authority.scope, &self.actor.scope]);
        if !sources.all(|source| scope.is_within(source)) {
            return Err(DelegationRefused::ScopeTooWide);
        }
        if scope.is_within(&self.terms.registered.known_scope(resources)) {
            Ok(())
        } else {
            Err(DelegationRefused::ScopeNotThere)
        }
    }

    fn check_details(
        &self,
        basis: &Basis,
        details: &AuthorizationDetails,
        resources: &Resources,
    ) -> Result<(), DelegationRefused> {
        self.subject_types().check_within(details, &self.subject.authority.details)?;
        // Within a detail that says nothing of a member lies whatever is said of it, so it is asked what it is.
        self.subject_types().check(details)?;
        for consent in self.consents(basis) {
            self.types_of(consent).check_within(details, &consent.authority.details)?;
        }
        for task in self.tasks() {
            self.types_of_task(task).check_within(details, &task.details)?;
        }
        if details.iter().any(|detail| !self.may_travel(basis, detail)) {
            return Err(match self.receiver {
                Some(_) => ReceiverRefused::MayNotBePassedOn.into(),
                None => DelegationRefused::MayNotBePassedOn,
            });
        }
        match details.iter().position(|detail| !self.may_hold(detail, resources)) {
            Some(index) => Err(InvalidAuthorizationDetails::TooWide { index }.into()),
            None => Ok(()),
        }
    }

    fn all_there_is(
        &self,
        basis: &Basis,
        resources: &Resources,
    ) -> Result<(Scope, AuthorizationDetails), DelegationRefused> {
        let mut scope = self
            .subject
            .authority
            .scope
            .common(&self.actor.scope)
            .common(&self.terms.registered.known_scope(resources));
        let mut details = self.subject.authority.details.clone();
        for consent in self.consents(basis) {
            scope = scope.common(&consent.authority.scope);
            details = self.types_of(consent).common(&details, &consent.authority.details);
        }
        for task in self.tasks() {
            scope = task.scope.as_ref().map_or_else(|| scope.clone(), |tasks| scope.common(tasks));
            details = self.types_of_task(task).common(&details, &task.details);
        }
        details.0.retain(|detail| self.may_hold(detail, resources) && self.may_travel(basis, detail));
        if scope.is_empty() && details.is_empty() {
            Err(DelegationRefused::ScopeTooWide)
        } else {
            Ok((scope, details))
        }
    }

    /// Where authority is handed over or was, the details' types must allow it.
    fn may_travel(&self, basis: &Basis, detail: &AuthorizationDetail) -> bool {
        let travels = self.receiver.is_some() || matches!(basis, Basis::PassedOn(_));
        let allowed = |types: &DetailsTypes| types.may_be_passed_on(detail);
        let by_consents = || self.consents(basis).all(|consent| allowed(self.types_of(consent)));
        !travels || (allowed(self.subject_types()) && by_consents())
    }

    /// The actor may use the type, and the detail has a meaning at one of the resources (RFC 9396 §9.1).
    fn may_hold(&self, detail: &AuthorizationDetail, resources: &Resources) -> bool {
        self.actor.authorization_details_types.contains(detail.type_name())
            && self.terms.registered.understands(resources, detail)
    }

    /// A consent's details are judged by the versions of their types that it was given under.
    pub(super) fn types_of(&self, consent: &Consent) -> &DetailsTypes {
        self.terms.types_of.of(Some(&consent.id), self.terms.registered.types)
    }

    fn types_of_task(&self, task: &Task) -> &DetailsTypes {
        self.terms.types_of.of(Some(&task.consent), self.terms.registered.types)
    }

    /// The subject token's as those of the consent that it comes from.
    pub(super) fn subject_types(&self) -> &DetailsTypes {
        self.terms.types_of.of(self.subject.consent.as_ref(), self.terms.registered.types)
    }

    /// Every task that bounds the new token: the subject token's and the one it is to be of.
    fn tasks(&self) -> impl Iterator<Item = &Task> {
        let onto = self.onto.filter(|onto| self.task.is_none_or(|own| own.id != onto.id));
        self.task.into_iter().chain(onto)
    }

    /// Every consent that bounds the new token: the subject token's and the one the decision rests on.
    fn consents(&self, basis: &Basis) -> impl Iterator<Item = &Consent> {
        let own = self.consent_of(basis);
        let inherited = self.consent.filter(move |inherited| own.is_none_or(|own| own.id != inherited.id));
        own.into_iter().chain(inherited)
    }
}
