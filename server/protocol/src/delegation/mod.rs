//! Token exchange: may this actor get a token derived from that one, and how much of it? (RFC 8693)
//!
//! [`decide`] asks its questions in the order of blame, so that the first answer a client's developer gets is the
//! one to mend first: *who* (was the token meant for whoever presents it, did the user allow this actor), *how far*
//! (the chain), *how long*, *where to*, *how much* (scope, details, resources), and last, of what all that leaves, *whether the
//! rules let it pass*, or a person has to approve it. It answers from the lineage's records, never from claims, and a
//! [`Delegation`] cannot be made in any other way. Nor can a token be issued that comes of another one: see [`Issuable`].

mod how_much;
mod issuable;
mod refused;
mod who;

use std::sync::Arc;

pub use issuable::{Issuable, NotIssuable};
pub use refused::{DelegationRefused, ReceiverRefused};

use crate::actor::Chain;
use crate::approval::{Policy, Wanted};
use crate::audience::{Audience, Resources};
use crate::authority::Authority;
use crate::authorization::Registered;
use crate::authorization_details::{AuthorizationDetails, DetailsTypes, TypesOf};
use crate::claims_request::ClaimsRequest;
use crate::client::Client;
use crate::confirmation::{Confirmation, Held};
use crate::consent::Consent;
use crate::destination::Destination;
use crate::identifier::{ClientId, ConsentId, InstanceId, RuleId, TokenId};
use crate::numeric_date::{NumericDate, Seconds};
use crate::scope::Scope;
use crate::task::Task;
use crate::token::{TaskRef, Token};
use crate::workload::Workload;

/// Everything that is known about an exchange: records and proofs, nothing that somebody merely claims.
#[derive(Clone, Copy, Debug)]
pub struct Story<'a> {
    /// The token of `subject_token`.
    pub subject: &'a Token,
    /// The authenticated client.
    pub presenter: &'a Client,
    /// Which instance of the presenter it is.
    pub instance: Option<&'a InstanceId>,
    /// What the presenter proved to hold.
    pub held: &'a Held,
    /// Who is to act: the subject of `actor_token`, or else the presenter.
    pub actor: &'a Client,
    /// The token of `actor_token`, where it is one of ours.
    pub actor_token: Option<&'a Token>,
    /// What `actor_token` proved, where it is one of the actor's platform: that somebody is a workload of the actor's.
    pub actor_workload: Option<&'a Workload>,
    /// The consent that the subject token comes from.
    pub consent: Option<&'a Consent>,
    /// Other consents of the user to the actor.
    pub other_consents: &'a [Arc<Consent>],
    /// The task that the subject token comes from.
    pub task: Option<&'a Task>,
    /// The task that the request names: the token is to be of it.
    pub onto: Option<&'a Task>,
    /// The client that the requested `audience` names: the token is to be handed over to it.
    pub receiver: Option<&'a Client>,
    /// Whether the requested `audience` names nobody who could be a receiver.
    pub names_nobody: bool,
    /// Whether the presenter is a workload of the trust domain (Transaction Tokens).
    pub in_trust_domain: bool,
    /// What admin rules say about this exchange.
    pub rules: RulesThatApply<'a>,
    /// What holds whatever allows it: rules that deny or have a person asked, and a person's yes.
    pub policy: Policy<'a>,
    /// What the server allows and how it is set up.
    pub terms: Terms<'a>,
}

/// The admin rules that speak about presenter, actor and user of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct RulesThatApply<'a> {
    /// The presenter may present tokens that are not addressed to it.
    pub may_present: Option<Allowed<'a>>,
    /// The actor may act for the user without a consent that names it.
    pub may_act: Option<Allowed<'a>>,
    /// The presenter may send an `actor_token` of this actor.
    pub actor_token: Option<Allowed<'a>>,
    /// The presenter may get tokens of the user without `act`.
    pub impersonate: Option<Allowed<'a>>,
}

/// A rule, and the resources it adds to those of the subject token.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    /// Its name, for the audit log.
    pub rule: &'a RuleId,
    /// Resources it opens.
    pub resources: &'a Resources,
}

/// How the server is set up.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The namespace of client ids: this server's issuer.
    pub issuer: &'a str,
    /// The life of an access token.
    pub token_life: Seconds,
    /// The longest chain.
    pub longest_chain: usize,
    /// The registered details types and resource servers.
    pub registered: Registered<'a>,
    /// The details types of the consents that were given under others.
    pub types_of: &'a TypesOf,
}

/// What the request asks for. `None` means that it was not named.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Asked {
    /// `scope`.
    pub scope: Option<Scope>,
    /// `authorization_details`.
    pub details: Option<AuthorizationDetails>,
    /// `resource`, and `audience` values that are resource servers.
    pub resources: Resources,
    /// `requested_token_type`, and where that is to go.
    pub destination: Destination,
}

/// Why the actor may act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Basis {
    /// It acts already: it narrows its own token.
    Acting,
    /// The user consented to it.
    Consent(ConsentId),
    /// The current actor handed over to it, as the consent allows.
    PassedOn(ConsentId),
    /// An admin rule says so.
    Rule(RuleId),
    /// An admin rule allows a token without `act`: worth a look in the audit log.
    Impersonation(RuleId),
}

/// A decision to derive a token. Only [`decide`] makes one.
#[derive(Clone, PartialEq, Debug)]
pub struct Delegation {
    basis: Basis,
    chain: Chain,
    authority: Authority,
    audience: Audience,
    destination: Destination,
    cnf: Option<Confirmation>,
    onto: Option<TaskRef>,
    subject: Token,
    client: ClientId,
    instance: Option<InstanceId>,
}

/// Decides an exchange.
///
/// # Errors
/// The first reason against it, in the order of blame.
pub fn decide(story: &Story<'_>, asked: &Asked, now: NumericDate) -> Result<Delegation, DelegationRefused> {
    // who
    story.check_subject_token()?;
    story.check_lineage()?;
    story.check_meant_for_presenter()?;
    story.check_actor(now)?;
    let cnf = story.binding(asked)?;
    let basis = story.basis(asked, now)?;
    // how far
    let chain = story.chain(&basis)?;
    story.check_onto(&basis)?;
    // how long
    story.check_not_over(&basis, now)?;
    // where to: whoever names a target learns of it only what was not to be said of every other
    story.check_receiver(&basis, &chain, now)?;
    // how much
    if let Some(details) = &asked.details {
        details.check_deadlines(now)?;
    }
    let resources = story.resources(&basis, asked)?;
    let (scope, details) = story.scope_and_details(&basis, asked, &resources)?;
    let until = story.until(&basis, &details, &resources, now);
    let end = story.end(&basis);

    let mut delegation = Delegation {
        basis,
        chain,
        authority: Authority { scope, details, resources, until },
        audience: story.receiver.map_or(Audience::Resources, |receiver| Audience::Actor(receiver.id.clone())),
        destination: asked.destination.clone(),
        cnf,
        onto: story.onto.map(TaskRef::from),
        subject: story.subject.clone(),
        client: story.presenter.id.clone(),
        instance: story.instance.cloned(),
    };
    // whether at all
    let types = match &delegation.basis {
        Basis::Consent(id) => story.terms.types_of.of(Some(id), story.terms.registered.types),
        _ => story.subject_types(),
    };
    let approved_until = story.policy.check(&delegation.wanted(types), story.actor, types, end, now)?;
    delegation.authority.until = approved_until.map_or(until, |approved| approved.min(until));
    Ok(delegation)
}

impl Delegation {
    /// Why the actor may act.
    #[must_use]
    pub const fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The chain of the token to be.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What the token will permit.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What a person would approve of it, its details read by `types`.
    fn wanted(&self, types: &DetailsTypes) -> Wanted {
        let task = self.onto.as_ref().or(self.subject.task.as_ref());
        let consent = match &self.basis {
            Basis::Consent(id) => Some(id),
            _ => self.subject.consent.as_ref(),
        };
        Wanted {
            client: self.client.clone(),
            subject: self.subject.subject.clone(),
            chain: self.chain.clone(),
            audience: self.audience.clone(),
            destination: self.destination.clone(),
            scope: self.authority.scope.clone(),
            authorization_details: self.authority.details.clone(),
            types: types.versions(&self.authority.details),
            resources: self.authority.resources.clone(),
            task: task.map(|task| task.id.clone()),
            txn: task.map(|task| task.root.clone()),
            consent: consent.cloned(),
            parent: Some(self.subject.id.clone()),
            user_present: false,
        }
    }

    /// The consents that must still stand when the token is written.
    pub fn consents(&self) -> impl Iterator<Item = &ConsentId> {
        let own = match &self.basis {
            Basis::Consent(id) | Basis::PassedOn(id) => Some(id),
            Basis::Acting | Basis::Rule(_) | Basis::Impersonation(_) => None,
        };
        let inherited = self.subject.consent.as_ref();
        own.into_iter().chain(inherited.filter(move |id| Some(*id) != own))
    }

    /// The token that was decided upon. It hangs on the subject token, and on the task that was named, or on
    /// `task` where one was opened for it, and is of the kind that its destination takes.
    #[must_use]
    pub fn into_issuable(self, id: TokenId, task: Option<TaskRef>, now: NumericDate) -> Issuable {
        let consent = match self.basis {
            Basis::Consent(id) => Some(id),
            _ => self.subject.consent,
        };
        Issuable::decided(Token {
            id,
            kind: self.destination.token_kind(),
            client: self.client,
            instance: self.instance,
            subject: self.subject.subject,
            chain: self.chain,
            brought: self.subject.brought,
            may_act: None,
            audience: self.audience,
            authority: self.authority,
            cnf: self.cnf,
            issued_at: now,
            login: self.subject.login,
            claims: ClaimsRequest::default(),
            consent,
            task: self.onto.or(task).or(self.subject.task),
            parent: Some(self.subject.id),
            family: self.subject.family,
            session: self.subject.session,
            status: None,
        })
    }
}
