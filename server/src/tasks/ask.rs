//! `POST /tasks`: a root task under a consent, or a part of a task for another actor.

use protocol::audience::Resources;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::authority::Authority;
use protocol::authorization_details::InvalidAuthorizationDetails;
use protocol::client::Client;
use protocol::consent::Consent;
use protocol::identifier::{ClientId, ConsentId, TaskId};
use protocol::numeric_date::NumericDate;
use protocol::refusal::{ErrorCode, Refusal};
use protocol::task::{self, Asked, Family, Task, TaskRequest, Under};

use super::operate::{By, Seen, see, seen};
use super::{Plan, make};
use crate::app::{App, Visit};
use crate::failure::{Broken, Failure};
use crate::secret::SecretDigest;
use crate::store::{Anchor, Change, CommitError, Conflict, Record, ReplayKey};

/// A task that was opened, or had been with the same key.
pub struct Opened {
    /// The task, as it stands with those above it.
    pub seen: Seen,
    /// Whether it was there already.
    pub again: bool,
}

/// Opens the task that `client` asks for; with the same `key` and the same body the same one, whenever it asks.
///
/// # Errors
/// What cannot be opened, told to the audit log.
pub async fn ask(
    app: &App,
    visit: &Visit,
    client: &Client,
    body: &str,
    key: Option<&str>,
) -> Result<Opened, Failure> {
    let mut told = AuditEvent::new(Action::TaskOpen, Outcome::Granted, visit.now);
    told.request = Some(visit.id.clone());
    told.client = Some(client.id.clone());
    match open(app, visit, client, body, key, &mut told).await {
        Err(Failure::Refused(refusal)) => {
            app.tell(told.refused(&refusal)).await?;
            Err(refusal.into())
        }
        answer => answer,
    }
}

async fn open(
    app: &App,
    visit: &Visit,
    client: &Client,
    body: &str,
    key: Option<&str>,
    told: &mut AuditEvent,
) -> Result<Opened, Failure> {
    let request = TaskRequest::parse(body)?;
    let opening = key.map(|key| opening(&client.id, key)).transpose()?;
    if let Some(opening) = &opening
        && let Some(opened) = app.store.find_task_by_opening(opening).await?
    {
        return same(app, visit, client, opened, body, told).await;
    }
    let plan = match &request.under {
        Under::Consent(id) => Source::Root(own_consent(app, visit, client, id).await?),
        Under::Parent { parent, actor } => part(app, client, parent, actor).await?,
    };
    let task = plan.judge(app, visit, client, &request).await?;
    tell_of(told, &task);
    let record = match opening {
        Some(opening) => Record::OpenedTask { task: task.clone(), opening, request: SecretDigest::of(body) },
        None => Record::Task(task.clone()),
    };
    let mut change = Change::new(told.clone())
        .keep(record)
        .requires(Anchor::Client(client.id.clone()))
        .requires(Anchor::Client(task.actor.clone()))
        .requires(Anchor::User(task.user.clone()))
        .requires(Anchor::Consent(task.consent.clone()));
    change = super::rooms(app, &task).into_iter().fold(change, Change::room);
    change = task.parent.clone().map(Anchor::Task).into_iter().fold(change, Change::requires);
    if let Some(opening) = &opening {
        let key = ReplayKey::new("task", &[&opening.to_text()]);
        change = change.first_time(key, task.deadline);
    }
    match app.store.commit(change).await {
        Ok(_) => {
            let line = std::iter::once(task).chain(plan.above()).collect();
            let opened =
                seen(line, By::Client(&client.id), visit.now).map(|seen| Opened { seen, again: false });
            Ok(opened.ok_or(Broken::Inconsistent("a task that is not its opener's"))?)
        }
        Err(CommitError::Broken(error)) => Err(error.into()),
        // Somebody sent the same at the same moment.
        Err(CommitError::Conflict(Conflict::Replayed(_))) => match &opening {
            Some(opening) => match app.store.find_task_by_opening(opening).await? {
                Some(opened) => same(app, visit, client, opened, body, told).await,
                None => Err(Refusal::new(ErrorCode::InvalidRequest, "this key was used before").into()),
            },
            None => Err(Broken::Inconsistent("a mark that nobody set").into()),
        },
        Err(CommitError::Conflict(Conflict::NoRoom)) => Err(super::no_room(&task)),
        Err(CommitError::Conflict(_)) => Err(no_such_task().into()),
    }
}

/// What a key of a client opens.
fn opening(client: &ClientId, key: &str) -> Result<SecretDigest, Refusal> {
    let fine = (1..=255).contains(&key.len()) && key.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    if !fine {
        let description = "Idempotency-Key must be 1 to 255 visible ASCII characters";
        return Err(Refusal::new(ErrorCode::InvalidRequest, description));
    }
    Ok(SecretDigest::of(&format!("{}:{client}{key}", client.as_str().len())))
}

/// The task that was opened with the key, as it stands now, if that was by the same request, byte for byte.
async fn same(
    app: &App,
    visit: &Visit,
    client: &Client,
    opened: (Task, Option<String>),
    body: &str,
    told: &mut AuditEvent,
) -> Result<Opened, Failure> {
    let (task, request) = opened;
    tell_of(told, &task);
    if request == Some(SecretDigest::of(body).to_text()) {
        let seen = see(app, visit, By::Client(&client.id), &task.id).await?;
        Ok(Opened { seen: seen.ok_or_else(no_such_task)?, again: true })
    } else {
        let description = "this Idempotency-Key opened another task; use a new one for each";
        Err(Refusal::new(ErrorCode::InvalidRequest, description).into())
    }
}

/// Where a task comes from.
enum Source {
    Root(Consent),
    Part { line: Vec<Task>, consent: Consent, actor: Option<std::sync::Arc<Client>>, siblings: u64 },
}

/// The live consent to the client itself; another's is as one that is not there.
async fn own_consent(app: &App, visit: &Visit, client: &Client, id: &ConsentId) -> Result<Consent, Failure> {
    let found = app.store.find_consent(id).await?;
    let own = found.filter(|consent| consent.actor == client.id && consent.is_live(visit.now));
    let consent = own.ok_or_else(|| {
        Refusal::new(ErrorCode::InvalidRequest, "there is no live consent of this grant_id to this client")
    })?;
    Ok(consent.as_ref().clone())
}

async fn part(app: &App, client: &Client, parent: &TaskId, actor: &ClientId) -> Result<Source, Failure> {
    let line = app.store.line_of_task(parent).await?;
    let Some(own) = line.first().filter(|task| task.actor == client.id) else {
        return Err(no_such_task().into());
    };
    let consent = app.store.find_consent(&own.consent).await?;
    let consent = consent.ok_or(Broken::Inconsistent("a task of a consent that is not there"))?;
    // Whether there is such a client is judged with everything else about it, so that it cannot be told apart.
    let actor = app.store.find_client(actor).await?;
    let siblings = app.store.count_children(parent).await?;
    Ok(Source::Part { consent: consent.as_ref().clone(), line, actor, siblings })
}

fn no_such_task() -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, "there is no such task of this client, or it is over")
}

impl Source {
    /// The tasks above it.
    fn above(&self) -> impl Iterator<Item = Task> {
        let line = match self {
            Self::Root(_) => &[],
            Self::Part { line, .. } => line.as_slice(),
        };
        line.iter().cloned()
    }

    /// The task, if the law allows it.
    async fn judge(
        &self,
        app: &App,
        visit: &Visit,
        client: &Client,
        request: &TaskRequest,
    ) -> Result<Task, Failure> {
        let (Self::Root(of) | Self::Part { consent: of, .. }) = self;
        let registry = app.registry_of(Some(of)).await?;
        registry.types.check(&request.details)?;
        request.details.check_deadlines(visit.now)?;
        let (consent, given) = match self {
            Self::Root(consent) => (consent, consent.authority.clone()),
            Self::Part { line, consent, .. } => {
                let parent = line.first().ok_or_else(no_such_task)?;
                (consent, parent.authority(consent))
            }
        };
        let authority = Authority {
            scope: request.scope.clone().unwrap_or_default(),
            details: request.details.clone(),
            resources: named(&request.resources, &given.resources),
            until: until(request, &given),
        };
        if authority.is_empty() {
            let description = "a task must name what it needs: send scope or authorization_details";
            return Err(Refusal::new(ErrorCode::InvalidScope, description).into());
        }
        if authority.until.is_over(visit.now) {
            return Err(Refusal::new(ErrorCode::InvalidRequest, "the deadline is over").into());
        }
        let (actor, parent) = match self {
            Self::Root(_) => (client.id.clone(), None),
            Self::Part { line, actor, siblings, .. } => {
                let parent = line.first().ok_or_else(no_such_task)?;
                let above: Vec<_> = line.iter().skip(1).map(|task| &task.actor).collect();
                let family = Family {
                    opener: client,
                    parent,
                    above: &above,
                    parent_status: task::effective(line, visit.now),
                    consent,
                    depth: line.len(),
                    siblings: *siblings,
                    most_children: u64::from(app.settings.tasks.most_children.get()),
                    deepest: app.settings.max_chain_depth.saturating_sub(1),
                };
                let max_derivations = request.max_derivations;
                let asked = Asked { actor: actor.as_deref(), authority: &authority, max_derivations };
                let actor = task::check_child(&family, &asked, &registry.types, visit.now)?;
                (actor.id.clone(), Some(parent))
            }
        };
        check_within(&authority, &given, &registry.types)?;
        let plan = Plan {
            consent,
            actor: &actor,
            parent,
            intent: request.intent.clone(),
            authority,
            max_derivations: request.max_derivations,
        };
        make(app, plan, visit.now)
    }
}

/// A task permits nothing that it is not given, each part with the error of its own.
fn check_within(
    asked: &Authority,
    given: &Authority,
    types: &protocol::authorization_details::DetailsTypes,
) -> Result<(), Failure> {
    if !asked.scope.is_within(&given.scope) {
        let description = "scope holds more than the consent allows; ask for less";
        return Err(Refusal::new(ErrorCode::InvalidScope, description).into());
    }
    if !asked.resources.is_subset(&given.resources) {
        return Err(protocol::audience::InvalidTarget::NotAvailable.into());
    }
    if asked.until > given.until {
        let description = "the deadline is after the end of the consent; name an earlier one, or none";
        return Err(Refusal::new(ErrorCode::InvalidRequest, description).into());
    }
    let within: Result<(), InvalidAuthorizationDetails> = types.check_within(&asked.details, &given.details);
    Ok(within?)
}

/// When the task is to end: as it is asked for, which is judged and not trimmed, or else with what it is taken from; and
/// before that where a detail of it does.
fn until(request: &TaskRequest, given: &Authority) -> NumericDate {
    match request.deadline {
        Some(asked) if asked > given.until => asked,
        asked => {
            task::deadline(&request.details).into_iter().chain(asked).fold(given.until, NumericDate::min)
        }
    }
}

fn named(asked: &Resources, given: &Resources) -> Resources {
    if asked.is_empty() { given.clone() } else { asked.clone() }
}

/// Writes a task into the event that tells of it.
pub(super) fn tell_of(told: &mut AuditEvent, task: &Task) {
    told.user = Some(task.user.clone());
    told.actor = Some(task.actor.clone());
    told.consent = Some(task.consent.clone());
    told.task = Some(task.id.clone());
    told.txn = Some(task.root.clone());
    told.scope.clone_from(&task.scope);
    told.authorization_details = task.details.clone();
    told.resources = task.resources.iter().flatten().cloned().collect();
}
