//! Token exchange (RFC 8693): gather the story, let the law decide, write the token.

use std::sync::Arc;

use protocol::audience::{ResourceIndicator, Resources};
use protocol::audit::AuditEvent;
use protocol::authorization_details::TypesOf;
use protocol::client::{Client, GrantType};
use protocol::consent::Consent;
use protocol::delegation::{
    self, Allowed, Asked, Basis, Delegation, DelegationRefused, RulesThatApply, Story, Terms,
};
use protocol::identifier::{ClientId, InstanceId};
use protocol::instance::Instance;
use protocol::numeric_date::Seconds;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::resource_authorization_server::GrantKind;
use protocol::task::Task;
use protocol::token::{Subject, TaskRef, Token, TokenKind};
use protocol::token_request::{ExchangeRequest, TypedToken};
use protocol::token_type::TokenType;
use protocol::workload::WorkloadRefused;

use super::desk::{Brought, Desk, Granted, NotGranted, Once, Refused};
use super::foreign_token::{self, Foreign};
use super::other_domain::{self, Destination};
use super::reply::reply;
use super::{tell_of, transaction, trusted};
use crate::caller::{self, Proof};
use crate::failure::{Broken, Failure};
use crate::registry::Registry;
use crate::store::{Anchor, Record};
use crate::{tasks, tokens};

/// What is said of every subject token that is not taken.
const SUBJECT_NOT_ACCEPTABLE: &str = "the subject token is not acceptable";
/// What is said of every actor token that is not taken.
pub(super) const ACTOR_NOT_ACCEPTABLE: &str = "the actor token is not acceptable";

/// The tokens of the request, read from the lineage.
struct Presented {
    subject: Arc<Token>,
    /// What the subject token became, where it is somebody else's.
    foreign: Option<Foreign>,
    actor_token: Option<Arc<Token>>,
    workload: Option<Proof>,
    actor: Arc<Client>,
}

impl Presented {
    /// Everything that must be alive for these tokens to be. A token that somebody else issued is written only together
    /// with what comes of it.
    fn anchors(&self) -> Vec<Anchor> {
        let mut anchors = tokens::anchors(&self.subject);
        if self.foreign.as_ref().is_some_and(|foreign| !foreign.kept) {
            anchors.retain(|anchor| *anchor != Anchor::Token(self.subject.id.clone()));
        }
        anchors.extend(self.actor_token.iter().flat_map(|token| tokens::anchors(token)));
        anchors
    }
}

/// What the subject token comes from.
struct Lineage {
    consent: Option<Arc<Consent>>,
    others: Vec<Arc<Consent>>,
    task: Option<Arc<Task>>,
    /// The task that the request names.
    onto: Option<Arc<Task>>,
}

impl Lineage {
    /// The details types of the consents that were given under others than those of today.
    async fn types_of(&self, desk: &Desk<'_>, today: &Arc<Registry>) -> Result<TypesOf, Failure> {
        let onto = match &self.onto {
            Some(task) => desk.app.store.find_consent(&task.consent).await?,
            None => None,
        };
        let mut types_of = TypesOf::default();
        for consent in self.consent.iter().chain(&self.others).chain(&onto) {
            let then = desk.app.registry.of_consent(&desk.app.store, today, consent).await?;
            if !Arc::ptr_eq(&then, today) {
                types_of = types_of.with(consent, Arc::new(then.types.clone()));
            }
        }
        Ok(types_of)
    }
}

/// Exchanges a token.
pub(super) async fn exchange(desk: &Desk<'_>, request: &ExchangeRequest) -> Result<Granted, Refused> {
    let mut event = desk.event_of(request.scope.as_ref(), request.authorization_details.as_ref());
    let mut foreign = None;
    let decided = decide(desk, request, &mut event, &mut foreign).await;
    desk.told(&event, decided).map_err(|refused| Refused { foreign: foreign.map(Box::new), ..refused })
}

async fn decide(
    desk: &Desk<'_>,
    request: &ExchangeRequest,
    event: &mut AuditEvent,
    foreign: &mut Option<Foreign>,
) -> Result<Granted, NotGranted> {
    let (app, now) = (desk.app, desk.visit.now);
    if desk.caller.client.is_public() {
        return Err(
            Refusal::new(ErrorCode::UnauthorizedClient, "a public client cannot exchange tokens").into()
        );
    }
    let registry = app.registry().await?;
    let mut presented = read_tokens(desk, request, &registry, event).await?;
    foreign.clone_from(&presented.foreign);
    tell_of_subject(event, &presented.subject);
    presented.subject = tokens::open_to_user(app, &registry, presented.subject)
        .await?
        .ok_or_else(|| not_acceptable(SUBJECT_NOT_ACCEPTABLE))?;
    let lineage = lineage(desk, request, &presented).await?;
    let types_of = lineage.types_of(desk, &registry).await?;
    let wanted = wanted(desk, request, &presented.subject).await?;
    let (resources, receiver) = match &wanted {
        Wanted::AccessToken => targets(desk, request, &registry).await?,
        Wanted::Grant(destination) => (destination.resources.clone(), Receiver::NotNamed),
        Wanted::TransactionToken(transaction) => (transaction.resources.clone(), Receiver::NotNamed),
    };
    let names_nobody = matches!(receiver, Receiver::Nobody);
    let receiver = receiver.client();
    event.actor = receiver.as_ref().map(|receiver| receiver.id.clone());
    let asked = Asked {
        scope: request.scope.clone(),
        details: request.authorization_details.clone(),
        resources,
        destination: wanted.destination(),
    };
    event.destination.clone_from(&asked.destination);
    if let Some(details) = &asked.details {
        types_of.of(presented.subject.consent.as_ref(), &registry.types).check(details)?;
    }
    let held = desk.caller.held();
    let manager = desk.manager_of(&presented.subject.subject).await?;
    let story = Story {
        subject: &presented.subject,
        presenter: &desk.caller.client,
        instance: desk.caller.instance.as_ref(),
        held: &held,
        actor: &presented.actor,
        actor_token: presented.actor_token.as_deref(),
        actor_workload: presented.workload.as_ref().map(|proof| &proof.workload),
        consent: lineage.consent.as_deref(),
        other_consents: &lineage.others,
        task: lineage.task.as_deref(),
        onto: lineage.onto.as_deref(),
        receiver: receiver.as_deref(),
        names_nobody,
        in_trust_domain: matches!(wanted, Wanted::TransactionToken(_)),
        rules: rules(desk, &presented),
        policy: desk.policy(manager.as_ref()),
        terms: Terms {
            issuer: app.issuer(),
            token_life: wanted.life(desk),
            longest_chain: longest_chain(desk, &presented.subject).await?,
            registered: registry.registered(),
            types_of: &types_of,
        },
    };
    let delegation = match delegation::decide(&story, &asked, now) {
        Ok(delegation) => delegation,
        Err(DelegationRefused::Policy(reason)) => {
            let not = NotGranted::Policy(reason);
            return Err(desk.unless_over(not, &presented.anchors(), GrantType::TokenExchange).await);
        }
        Err(reason) => return Err(told(desk, request, &presented, reason, event).await?.into()),
    };
    if let Wanted::Grant(destination) = &wanted {
        destination.check(&delegation.authority().scope)?;
    }
    event.rule = match delegation.basis() {
        Basis::Rule(rule) | Basis::Impersonation(rule) => Some(rule.clone()),
        Basis::Acting | Basis::Consent(_) | Basis::PassedOn(_) => None,
    };

    // An agent that acts for a user always does so for a task.
    let consent = match delegation.basis() {
        Basis::Consent(id) => lineage.consent.iter().chain(&lineage.others).find(|consent| consent.id == *id),
        _ => None,
    };
    let opened = match (consent, &presented.subject.task) {
        (Some(consent), None) if lineage.onto.is_none() => {
            Some(tasks::open(app, consent, delegation.authority(), now)?)
        }
        _ => None,
    };
    let requires = requires(desk, &presented, &lineage, &delegation, receiver.as_deref());
    let of_actor_token = of_actor_token(&presented, story.actor_instance());
    // What another consent than the subject token's allows may be replaced without the subject token's end.
    let other = consent.filter(|consent| presented.subject.consent.as_ref() != Some(&consent.id));
    let unamended = other.map(|consent| (consent.id.clone(), consent.version));
    let id = tokens::new_id(app)?;
    let token = delegation.into_issuable(id, opened.as_ref().map(TaskRef::from), now);
    let mut keep = Vec::new();
    if let Some(foreign) = &presented.foreign {
        keep.extend(foreign.record(desk)?);
    }
    keep.extend(opened.map(Record::Task));
    let issued = asked.destination.token_type();
    let written = match wanted {
        Wanted::AccessToken => tokens::write(app, &registry, &desk.caller.client, token).await?,
        Wanted::Grant(destination) => {
            event.reason = Some(format!("for {}", destination.server.issuer));
            let (written, seen) = destination.write(desk, token).await?;
            keep.extend(seen);
            written
        }
        Wanted::TransactionToken(transaction) => transaction.write(desk, token)?,
    };
    tell_of(event, written.token());
    keep.push(written.record());
    let mut reply = reply(written, request.scope.clone());
    reply.issued = Some(issued);
    let by_workload = presented.workload.and_then(|proof| proof.mark).map(|mark| {
        let (key, until) = mark.once();
        Once { of: Brought::ActorToken, key, until }
    });
    let by_subject = presented.foreign.and_then(|foreign| foreign.shown);
    let first_time = by_subject.into_iter().chain(by_workload).collect();
    let event = event.clone();
    Ok(Granted {
        event,
        first_time,
        requires,
        unamended,
        signed_in: None,
        take: None,
        keep,
        of_actor_token,
        newcomer: None,
        reply,
    })
}

/// What the client is told of a refusal. With a token that is over, or rests, nobody learns which audiences could have been:
/// that it is so is said of all of them. And what the client is not told of its audience, the auditor is.
async fn told(
    desk: &Desk<'_>,
    request: &ExchangeRequest,
    presented: &Presented,
    reason: DelegationRefused,
    event: &mut AuditEvent,
) -> Result<Refusal, Failure> {
    let about_target = matches!(reason, DelegationRefused::Receiver(_) | DelegationRefused::Target(_));
    if about_target && !request.audiences.is_empty() && presented.foreign.is_none() {
        let anchors = tokens::anchors(&presented.subject);
        if let Some(refusal) = desk.over(&anchors, GrantType::TokenExchange).await? {
            return Ok(refusal);
        }
    }
    if let DelegationRefused::Receiver(why) = &reason {
        event.reason = Some(why.to_string());
    }
    Ok(reason.into())
}

/// Everything that must be alive when the token is written.
fn requires(
    desk: &Desk<'_>,
    presented: &Presented,
    lineage: &Lineage,
    delegation: &Delegation,
    receiver: Option<&Client>,
) -> Vec<Anchor> {
    let mut requires = presented.anchors();
    requires.extend(delegation.consents().cloned().map(Anchor::Consent));
    requires.push(Anchor::Client(desk.caller.client.id.clone()));
    requires.push(Anchor::Client(presented.actor.id.clone()));
    requires.extend(delegation.chain().actors().iter().filter_map(|actor| {
        let instance = actor.instance.as_ref()?;
        Some(Anchor::Instance(Instance::new(&actor.sub, instance)))
    }));
    requires.extend(lineage.onto.iter().map(|task| Anchor::Task(task.id.clone())));
    requires.extend(receiver.iter().map(|receiver| Anchor::Client(receiver.id.clone())));
    requires.dedup();
    requires
}

/// What of that an actor token stands for, where one was sent: its client, the copy of it that acts, and the token itself.
fn of_actor_token(presented: &Presented, instance: Option<&InstanceId>) -> Vec<Anchor> {
    let Presented { subject, actor_token, workload, actor, .. } = presented;
    if actor_token.is_none() && workload.is_none() {
        return Vec::new();
    }
    let mut its: Vec<Anchor> = actor_token.iter().flat_map(|token| tokens::anchors(token)).collect();
    its.push(Anchor::Client(actor.id.clone()));
    its.extend(instance.map(|instance| Anchor::Instance(Instance::new(&actor.id, instance))));
    let subjects = tokens::anchors(subject);
    its.retain(|anchor| !subjects.contains(anchor));
    its
}

/// What is to be written, by `requested_token_type`.
enum Wanted<'a> {
    AccessToken,
    Grant(Destination<'a>),
    TransactionToken(Box<transaction::Wanted>),
}

async fn wanted<'a>(
    desk: &Desk<'a>,
    request: &ExchangeRequest,
    subject: &Token,
) -> Result<Wanted<'a>, Failure> {
    let requested = request.requested_token_type;
    if let Some(kind) = GrantKind::of(requested) {
        return Ok(Wanted::Grant(other_domain::destination(desk, request, kind, subject).await?));
    }
    match requested {
        TokenType::TxnToken => {
            let wanted = transaction::wanted(desk, request, subject)?;
            Ok(Wanted::TransactionToken(Box::new(wanted)))
        }
        // A transaction token is no credential: nothing but another one comes of it.
        _ if subject.kind == TokenKind::Transaction => Err(not_acceptable(SUBJECT_NOT_ACCEPTABLE)),
        _ => Ok(Wanted::AccessToken),
    }
}

impl Wanted<'_> {
    /// Where that is to go.
    fn destination(&self) -> protocol::destination::Destination {
        match self {
            Self::AccessToken => protocol::destination::Destination::Here,
            Self::Grant(destination) => destination.asked(),
            Self::TransactionToken(transaction) => transaction.destination(),
        }
    }

    const fn life(&self, desk: &Desk<'_>) -> Seconds {
        match self {
            Self::AccessToken => desk.app.settings.token_life,
            Self::Grant(destination) => destination.server.life,
            Self::TransactionToken(_) => desk.app.settings.transaction_tokens.life,
        }
    }
}

/// Reads subject and actor token. What is not ours, or over, or something else than it is declared to be, is not
/// acceptable, and why is not told apart (RFC 8693 §2.2.2).
async fn read_tokens(
    desk: &Desk<'_>,
    request: &ExchangeRequest,
    registry: &Registry,
    event: &mut AuditEvent,
) -> Result<Presented, Failure> {
    let foreign = match &request.subject_token {
        TypedToken { token, token_type: TokenType::Jwt } => {
            let otherwise = || not_acceptable(SUBJECT_NOT_ACCEPTABLE);
            Some(foreign_token::read(desk, registry, token.reveal(), otherwise, event).await?)
        }
        _ => None,
    };
    let subject = match &foreign {
        Some(foreign) => Arc::clone(&foreign.token),
        None => read(desk, &request.subject_token, SUBJECT_NOT_ACCEPTABLE).await?,
    };
    if let Some(token) = request.actor_token.as_ref().filter(|token| token.token_type == TokenType::Jwt) {
        let (actor, proof) = workload(desk, token, event).await?;
        return Ok(Presented { subject, foreign, actor_token: None, workload: Some(proof), actor });
    }
    let actor_token = match &request.actor_token {
        Some(token) => Some(read(desk, token, ACTOR_NOT_ACCEPTABLE).await?),
        None => None,
    };
    let actor = match actor_token.as_ref().map(|token| &token.subject) {
        None => desk.caller.client.clone(),
        Some(Subject::Client { id, .. }) if *id == desk.caller.client.id => desk.caller.client.clone(),
        Some(Subject::Client { id, .. }) => client(desk, id).await?,
        Some(Subject::User(_)) => return Err(not_acceptable(ACTOR_NOT_ACCEPTABLE)),
    };
    Ok(Presented { subject, foreign, actor_token, workload: None, actor })
}

/// Whose workload a platform's token speaks of: the caller's own, or that of an actor for which a rule lets the caller
/// speak. It must be one of them and no more; nobody else is tried, so that no key is looked for at anybody's word.
async fn workload(
    desk: &Desk<'_>,
    token: &TypedToken,
    event: &mut AuditEvent,
) -> Result<(Arc<Client>, Proof), Failure> {
    let (app, caller) = (desk.app, &desk.caller.client);
    let mut candidates = vec![Arc::clone(caller)];
    for id in app.rules.actors_of(&caller.id) {
        candidates.extend(app.store.find_client(id).await?);
    }
    let mut found = None;
    for candidate in candidates {
        let proven = caller::prove_workload(app, &candidate, token.token.reveal(), desk.visit.now).await;
        let proof = match proven {
            Ok(proof) => proof,
            Err(WorkloadRefused::KeysAway) => {
                event.reason = Some(WorkloadRefused::KeysAway.to_string());
                return Err(trusted::keys_away().into());
            }
            Err(_) => continue,
        };
        if found.replace((candidate, proof)).is_some() {
            return Err(not_acceptable(ACTOR_NOT_ACCEPTABLE));
        }
    }
    found.ok_or_else(|| not_acceptable(ACTOR_NOT_ACCEPTABLE))
}

async fn read(desk: &Desk<'_>, presented: &TypedToken, refusal: &'static str) -> Result<Arc<Token>, Failure> {
    let token = tokens::read(desk.app, presented.token.reveal()).await?;
    let declared = presented.token_type;
    let fits = |token: &Arc<Token>| declared.fits(token.kind) && !token.expires_at().is_over(desk.visit.now);
    token.filter(fits).ok_or_else(|| not_acceptable(refusal))
}

fn not_acceptable(description: &'static str) -> Failure {
    Refusal::new(ErrorCode::InvalidRequest, description).into()
}

async fn client(desk: &Desk<'_>, id: &ClientId) -> Result<Arc<Client>, Failure> {
    desk.app
        .store
        .find_client(id)
        .await?
        .ok_or_else(|| Broken::Inconsistent("a token of a client that is not there").into())
}

/// The consent and the task of the subject token, and the user's other consents to the actor.
async fn lineage(
    desk: &Desk<'_>,
    request: &ExchangeRequest,
    presented: &Presented,
) -> Result<Lineage, Failure> {
    let store = &desk.app.store;
    let subject = &presented.subject;
    let consent = match &subject.consent {
        Some(id) => store.find_consent(id).await?,
        None => None,
    };
    let task = match &subject.task {
        Some(task) => store.find_task(&task.id).await?,
        None => None,
    };
    let actor = &presented.actor.id;
    let known = consent.as_ref().is_some_and(|consent| consent.actor == *actor)
        || subject.chain.current().is_some_and(|current| current.sub == *actor);
    let others = match subject.subject.user() {
        Some(user) if !known => {
            store.consents_for(user, actor, None, desk.visit.now).await?.into_iter().map(Arc::new).collect()
        }
        _ => Vec::new(),
    };
    let onto = match &request.task {
        Some(id) => Some(store.find_task(id).await?.ok_or(DelegationRefused::TaskNotOfThisStory)?),
        None => None,
    };
    Ok(Lineage { consent, others, task, onto })
}

/// The longest chain the server and every actor so far may stand in; the judge knows the new actor's own.
async fn longest_chain(desk: &Desk<'_>, subject: &Token) -> Result<usize, Failure> {
    let mut longest = desk.app.settings.max_chain_depth;
    for actor in subject.chain.actors() {
        let known = client(desk, &actor.sub).await?;
        longest =
            known.agent().and_then(|agent| agent.max_chain_depth).map_or(longest, |own| own.min(longest));
    }
    Ok(longest)
}

/// Whom the token is to be handed over to.
enum Receiver {
    NotNamed,
    Client(Arc<Client>),
    /// Whoever is named is nobody, or several are.
    Nobody,
}

impl Receiver {
    fn client(self) -> Option<Arc<Client>> {
        match self {
            Self::Client(client) => Some(client),
            Self::NotNamed | Self::Nobody => None,
        }
    }
}

/// `resource` and `audience`: resource servers, or one client that the token is to be handed over to. All of them
/// count, none is passed over (RFC 8693 §2.1). Whether there is somebody of a name is judged with everything else that
/// speaks against a target, so that it cannot be told apart.
async fn targets(
    desk: &Desk<'_>,
    request: &ExchangeRequest,
    registry: &Registry,
) -> Result<(Resources, Receiver), Failure> {
    let mut resources = request.resources.clone();
    let mut receiver = Receiver::NotNamed;
    for audience in &request.audiences {
        let resource = audience.parse::<ResourceIndicator>().ok();
        if let Some(resource) = resource.as_ref().filter(|one| registry.resource_servers.contains_key(one)) {
            resources.insert(resource.clone());
            continue;
        }
        let named = match audience.parse::<ClientId>() {
            Ok(id) => desk.app.store.find_client(&id).await?,
            Err(_) => None,
        };
        receiver = match (named, receiver, resource) {
            (Some(named), Receiver::NotNamed, _) => Receiver::Client(named),
            (Some(named), Receiver::Client(before), _) if before.id == named.id => Receiver::Client(before),
            // A resource server that is not there is one that is not allowed.
            (None, before, Some(resource)) => {
                resources.insert(resource);
                before
            }
            _ => Receiver::Nobody,
        };
    }
    Ok((resources, receiver))
}

fn rules<'a>(desk: &'a Desk<'_>, presented: &Presented) -> RulesThatApply<'a> {
    let rules = &desk.app.rules;
    let (client, actor) = (&desk.caller.client.id, &presented.actor.id);
    let user = presented.subject.subject.user();
    let allowed = |rule: &'a protocol::rule::Rule| Allowed { rule: &rule.id, resources: &rule.resources };
    RulesThatApply {
        may_present: rules.may_present(client, user).map(allowed),
        may_act: rules.may_act(actor, user).map(allowed),
        actor_token: rules.actor_token(client, actor).map(allowed),
        impersonate: user.and_then(|user| rules.impersonate(client, user)).map(allowed),
    }
}

/// Whose story a refused exchange was about.
fn tell_of_subject(event: &mut AuditEvent, subject: &Token) {
    event.user = subject.subject.user().cloned();
    event.chain = subject.chain.clone();
    event.consent.clone_from(&subject.consent);
    event.task = subject.task.as_ref().map(|task| task.id.clone());
    event.txn = subject.task.as_ref().map(|task| task.root.clone());
    event.parent = Some(subject.id.clone());
}
