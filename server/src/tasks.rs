//! Tasks: every authorization of an agent opens one, named or not.

use protocol::authorization_details::AuthorizationDetails;
use protocol::consent::Consent;
use protocol::identifier::TaskId;
use protocol::numeric_date::NumericDate;
use protocol::task::{self, Intent, Task, TaskStatus};

use crate::app::App;
use crate::failure::{Broken, Failure};
use crate::secret::random_id;

/// Opens a root task under `consent` for `details`. Its words come from an `agent_task` detail, if there is one; its
/// deadline is the earliest that the details name, and never after the consent's end.
///
/// # Errors
/// Never in practice: the characters of the id are ours.
pub fn open(
    app: &App,
    consent: &Consent,
    details: &AuthorizationDetails,
    now: NumericDate,
) -> Result<Task, Failure> {
    let id: TaskId = random_id(app.entropy.as_ref(), "task_")
        .parse()
        .map_err(|_| Broken::Other("a random id is no identifier"))?;
    let intent = Intent::of(details);
    let until = consent.authority.until;
    Ok(Task {
        root: id.clone(),
        id,
        parent: None,
        consent: consent.id.clone(),
        user: consent.user.clone(),
        actor: consent.actor.clone(),
        intent_hash: intent.hash(app.issuer()),
        intent,
        authority_hash: task::authority_hash(app.issuer(), details),
        deadline: task::deadline(details).map_or(until, |deadline| deadline.min(until)),
        details: details.clone(),
        status: TaskStatus::Active,
        version: 1,
        created_at: now,
    })
}
