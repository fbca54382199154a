//! What a path names, if it is there and that can be done to it now.

use protocol::client::Client;
use protocol::ending::{AccountOperation, Operation, Order};
use protocol::identifier::{ClientId, ConsentId, FamilyId, InstanceId, TaskId, TokenId, UserId};
use protocol::instance::Instance;
use protocol::task::Hand;
use protocol::token::Token;
use serde::Deserialize;

use super::super::admin_clients::page_of;
use super::super::client_marks::in_path;
use super::super::page::Browser;
use super::super::task_tree::may;
use super::super::views::{EndingInWords, TaskStep};
use crate::app::App;
use crate::store::{Anchor, StoreError};

/// What stands in the path of an ending: whose it is, or which thing, and what is to be done where there is a choice.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Named {
    client_id: Option<String>,
    instance: Option<String>,
    user_id: Option<String>,
    consent_id: Option<String>,
    task_id: Option<String>,
    family_id: Option<String>,
    token_id: Option<String>,
    ending: String,
}

/// What is to be ended, and the words for it.
pub(super) struct Wanted {
    pub(super) order: Order,
    pub(super) what: EndingInWords,
    /// Whom or what it is done to.
    pub(super) name: String,
    pub(super) id: String,
    /// Where the page is that asks.
    pub(super) path: String,
    pub(super) back: String,
}

type Found = Result<Option<Wanted>, StoreError>;

pub(super) async fn wanted(app: &App, browser: &Browser, named: &Named) -> Found {
    let ending = named.ending.as_str();
    match named {
        Named { client_id: Some(client), instance: Some(id), .. } => instance(app, browser, client, id).await,
        Named { client_id: Some(id), .. } => agent(app, id, ending).await,
        Named { user_id: Some(id), .. } => user(app, browser, id, ending).await,
        Named { consent_id: Some(id), .. } => consent(app, browser, id).await,
        Named { task_id: Some(id), .. } => task(app, browser, id, ending).await,
        Named { family_id: Some(id), .. } => family(app, browser, id).await,
        Named { token_id: Some(id), .. } => token(app, browser, id).await,
        _ => Ok(None),
    }
}

/// The agent of this id, if that can be done to it now.
async fn agent(app: &App, id: &str, operation: &str) -> Found {
    let (Ok(id), Ok(operation)) = (id.parse(), operation.parse::<Operation>()) else { return Ok(None) };
    let Some(client) = app.store.find_client(&id).await?.filter(|client| client.agent().is_some()) else {
        return Ok(None);
    };
    let halt = app.store.find_halt(&id).await?.map(|halted| halted.halt);
    Ok(operation.is_possible(halt).then(|| Wanted {
        what: in_words(operation),
        name: client.name.clone(),
        id: id.to_string(),
        path: path_of(&client, operation),
        back: page_of(&id),
        order: Order::Agent(id, operation),
    }))
}

/// The instance of this client, if it was seen and not ended.
async fn instance(app: &App, browser: &Browser, client: &str, id: &str) -> Found {
    let (Ok(client), Ok(id)) = (client.parse::<ClientId>(), id.parse::<InstanceId>()) else {
        return Ok(None);
    };
    let Some(found) = app.store.find_client(&client).await? else { return Ok(None) };
    let seen = app.store.find_instance(&Instance::new(&client, &id), browser.visit.now).await?;
    Ok(seen.filter(|seen| seen.ended_at.is_none()).map(|_| Wanted {
        what: EndingInWords::Instance,
        name: found.name.clone(),
        id: id.to_string(),
        path: path_of_instance(&client, &id),
        back: page_of(&client),
        order: Order::Instance(client, id),
    }))
}

/// The user of this id, if that can be done to them now. Nobody disables their own account.
async fn user(app: &App, browser: &Browser, id: &str, ending: &str) -> Found {
    let Ok(id) = id.parse::<UserId>() else { return Ok(None) };
    let Some(user) = app.store.find_user(&id).await? else { return Ok(None) };
    let halted = app.store.find_account_halt(&id).await?.is_some();
    let own = browser.admin().is_some_and(|admin| admin.user == id);
    let possible = [
        (EndingInWords::User, true, Order::User(id.clone())),
        (EndingInWords::Owner, true, Order::Owner(id.clone())),
        (EndingInWords::Disable, !halted && !own, Order::Account(id.clone(), AccountOperation::Disable)),
        (EndingInWords::Enable, halted, Order::Account(id.clone(), AccountOperation::Enable)),
    ];
    let found = possible.into_iter().find(|(what, can, _)| *can && what.word() == ending);
    Ok(found.map(|(what, _, order)| Wanted {
        order,
        what,
        name: user.name.clone(),
        id: user.username.clone(),
        path: format!("/admin/users/{id}/{}", what.word()),
        back: "/admin".to_owned(),
    }))
}

/// The consent of this id, if it stands.
async fn consent(app: &App, browser: &Browser, id: &str) -> Found {
    let Ok(id) = id.parse::<ConsentId>() else { return Ok(None) };
    let found = app.store.find_consent(&id).await?.filter(|consent| consent.is_live(browser.visit.now));
    let Some(consent) = found else { return Ok(None) };
    Ok(Some(Wanted {
        what: EndingInWords::Consent,
        name: name_of_client(app, &consent.actor).await?,
        path: format!("/admin/consents/{id}/end"),
        back: format!("/admin/consents/{id}"),
        id: id.to_string(),
        order: Order::Consent(id),
    }))
}

/// The task of this id, if that can be done to it now.
async fn task(app: &App, browser: &Browser, id: &str, ending: &str) -> Found {
    let Ok(id) = id.parse::<TaskId>() else { return Ok(None) };
    let step = [
        (EndingInWords::Task, TaskStep::Revoke),
        (EndingInWords::SuspendTask, TaskStep::Suspend),
        (EndingInWords::ResumeTask, TaskStep::Resume),
    ];
    let Some((what, step)) = step.into_iter().find(|(what, _)| what.word() == ending) else {
        return Ok(None);
    };
    let found = app.store.find_task(&id).await?;
    let Some(task) = found.filter(|task| may(task, step, Hand::Admin, browser.visit.now)) else {
        return Ok(None);
    };
    Ok(Some(Wanted {
        what,
        name: name_of_client(app, &task.actor).await?,
        path: format!("/admin/tasks/{id}/{ending}"),
        back: format!("/admin/tasks/{id}"),
        id: id.to_string(),
        order: Order::Task(id, step.operation()),
    }))
}

/// The token of this id, if it lives.
async fn token(app: &App, browser: &Browser, id: &str) -> Found {
    let Ok(id) = id.parse::<TokenId>() else { return Ok(None) };
    let Some(token) = app.store.find_token_by_id(&id).await? else { return Ok(None) };
    let lives = app.store.is_alive(&[Anchor::Token(id.clone())], browser.visit.now).await?.is_ok();
    if !lives {
        return Ok(None);
    }
    let what = (EndingInWords::Token, format!("/admin/tokens/{id}/end"));
    of_token(app, &token, what, id.to_string(), Order::Token(id)).await
}

/// The refresh family of this id, if a refresh token of it lives.
async fn family(app: &App, browser: &Browser, id: &str) -> Found {
    let Ok(id) = id.parse::<FamilyId>() else { return Ok(None) };
    let Some(token) = app.store.live_token_of_family(&id, browser.visit.now).await? else { return Ok(None) };
    let what = (EndingInWords::Family, format!("/admin/families/{id}/end"));
    of_token(app, &token, what, id.to_string(), Order::Family(id)).await
}

/// What is about a token, or the family of one. The way back leads to what it hangs on.
async fn of_token(
    app: &App,
    token: &Token,
    (what, path): (EndingInWords, String),
    id: String,
    order: Order,
) -> Found {
    let back = match &token.consent {
        Some(consent) => format!("/admin/consents/{consent}"),
        None => page_of(&token.client),
    };
    Ok(Some(Wanted { order, what, name: name_of_client(app, &token.client).await?, id, path, back }))
}

async fn name_of_client(app: &App, id: &ClientId) -> Result<String, StoreError> {
    let client = app.store.find_client(id).await?;
    Ok(client.map_or_else(|| id.to_string(), |client| client.name.clone()))
}

/// Where the page is that asks whether to do this to an agent.
pub(in crate::pages) fn path_of(agent: &Client, operation: Operation) -> String {
    format!("{}/{}", page_of(&agent.id), operation.as_str())
}

/// Where the page is that asks whether to end this instance.
pub(in crate::pages) fn path_of_instance(client: &ClientId, id: &InstanceId) -> String {
    format!("{}/instances/{}/end", page_of(client), in_path(id.as_str()))
}

/// An operation for the pages.
pub(in crate::pages) const fn in_words(operation: Operation) -> EndingInWords {
    match operation {
        Operation::Suspend => EndingInWords::Suspend,
        Operation::Resume => EndingInWords::Resume,
        Operation::Retire => EndingInWords::Retire,
    }
}
