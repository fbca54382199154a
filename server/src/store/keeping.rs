//! Records as rows: made by the caller, written by the writer.

use std::sync::Arc;

use entity::{
    authorization_code, backchannel_delivery, backchannel_user_code, browser_session, client,
    client_registration, consent, deferral, deferred_request, details_type, initial_access_token,
    interaction, known_browser, one_time_link, pairwise_subject, pushed_request, resource_server,
    session_client, setting, signing_key, status_list, task, token, totp, user_account, webhook_delivery,
};
use protocol::audience::Audience;
use protocol::authorization_details::DetailsTypeDocument;
use protocol::client::Client;
use protocol::code::Code;
use protocol::consent::Consent;
use protocol::identifier::{ClientId, ConsentId, UserId};
use protocol::instance::Instance;
use protocol::numeric_date::NumericDate;
use protocol::resource_server::ResourceServer;
use protocol::task::Task;
use protocol::token::{Subject, Token};
use protocol::user::User;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel};
use serde::Serialize;

use super::change::{Origin, Record};
use super::{
    ActorReceipt, BrowserSession, OneTimeLink, SigningKey, StoreError, amending, credentials, federation,
    receipts, sql,
};
use crate::secret::SecretDigest;

/// The rows of one change, by table.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) consents: Vec<(Arc<Consent>, consent::Model)>,
    pub(super) tasks: Vec<(Arc<Task>, task::Model)>,
    pub(super) tokens: Vec<(Arc<Token>, SecretDigest, token::Model)>,
    pub(super) clients: Vec<(ClientId, client::Model)>,
    pub(super) users: Vec<(UserId, user_account::Model)>,
    pub(super) resource_servers: Vec<resource_server::Model>,
    pub(super) details_types: Vec<details_type::Model>,
    codes: Vec<authorization_code::Model>,
    pushed_requests: Vec<pushed_request::Model>,
    interactions: Vec<interaction::Model>,
    one_time_links: Vec<one_time_link::Model>,
    browser_sessions: Vec<browser_session::Model>,
    session_clients: Vec<session_client::Model>,
    signing_keys: Vec<signing_key::Model>,
    settings: Vec<setting::Model>,
    status_lists: Vec<status_list::Model>,
    credentials: credentials::Rows,
    deferred: Vec<deferred_request::Model>,
    deferrals: Vec<deferral::Model>,
    webhooks: Vec<webhook_delivery::Model>,
    user_codes: Vec<backchannel_user_code::Model>,
    deliveries: Vec<backchannel_delivery::Model>,
    subjects: Vec<pairwise_subject::Model>,
    receipts: Vec<ActorReceipt>,
    registrations: Vec<client_registration::Model>,
    initial_access_tokens: Vec<initial_access_token::Model>,
    federation: federation::Rows,
}

impl Rows {
    /// The rows of `records`.
    pub(super) fn of(records: Vec<Record>) -> Result<Self, StoreError> {
        let mut rows = Self::default();
        for record in records {
            rows.add(record)?;
        }
        Ok(rows)
    }

    fn add_token(&mut self, token: Token, digest: SecretDigest) -> Result<(), StoreError> {
        let row = token_row(&token, digest)?;
        self.tokens.push((Arc::new(token), digest, row));
        Ok(())
    }

    fn add(&mut self, record: Record) -> Result<(), StoreError> {
        match record {
            Record::Token { token, digest } => self.add_token(token.into_token(), digest)?,
            #[cfg(test)]
            Record::Unissued { token, digest } => self.add_token(token, digest)?,
            Record::Code { digest, code, expires_at } => {
                self.codes.push(code_row(&code, digest, expires_at)?)
            }
            Record::PushedRequest { digest, client, instance, document, expires_at } => {
                self.pushed_requests.push(pushed_request::Model {
                    digest: digest.to_text(),
                    client_id: client.into(),
                    instance: instance.map(|instance| instance.key().to_owned()),
                    expires_at: expires_at.0,
                    taken_at: None,
                    document: document.to_string(),
                });
            }
            Record::Interaction { id, document, expires_at } => self.interactions.push(interaction::Model {
                id,
                expires_at: expires_at.0,
                taken_at: None,
                document: document.to_string(),
            }),
            Record::Consent(consent) => {
                let row = consent_row(&consent)?;
                self.consents.push((Arc::new(consent), row));
            }
            Record::Task(task) => {
                let row = task_row(&task, None)?;
                self.tasks.push((Arc::new(task), row));
            }
            Record::OpenedTask { task, opening, request } => {
                let row = task_row(&task, Some((opening, request)))?;
                self.tasks.push((Arc::new(task), row));
            }
            Record::StatusList { id, size, expires_at } => self.status_lists.push(status_list::Model {
                id,
                size: i64::from(size),
                expires_at: expires_at.0,
            }),
            Record::OneTimeLink(link) => self.one_time_links.push(link_row(link)),
            Record::SigningKey(key) => self.signing_keys.push(key_row(key)),
            Record::Setting { name, value } => self.settings.push(setting::Model { name, value }),
            Record::Client { client, origin } => {
                let row = client_row(&client, origin)?;
                self.clients.push((client.id, row));
            }
            Record::User { user, origin } => {
                let row = user_row(&user, origin)?;
                self.users.push((user.id, row));
            }
            Record::ResourceServer { resource_server, origin } => {
                self.resource_servers.push(resource_server_row(&resource_server, origin)?);
            }
            Record::DetailsType { details_type, version, retired_at, origin } => {
                self.details_types.push(details_type_row(&details_type, version, retired_at, origin)?);
            }
            Record::BrowserSession(session) => self.browser_sessions.push(session_row(session)),
            Record::FederatedIdentity(kept) => self.federation.add_identity(&kept)?,
            Record::FederatedSession(kept) => self.federation.add_session(kept),
            Record::Passkey(_)
            | Record::PasskeyName { .. }
            | Record::Totp(_)
            | Record::RecoveryCodes { .. }
            | Record::KnownBrowser { .. } => self.add_credential(record),
            Record::Registered(registered) => self.registrations.push(registered.into_row()),
            Record::InitialAccessToken(token) => self.initial_access_tokens.push(token.into_row()),
            Record::SessionClient(client) => self.session_clients.push(client.row()),
            Record::AnswerDelivery(delivery) => self.deliveries.push(delivery.row()),
            Record::ActorReceipt(receipt) => self.receipts.push(receipt),
            Record::PairwiseSubject(subject) => self.subjects.push(subject.row()),
            Record::Deferred(request) => self.deferred.push(request.row()?),
            Record::Deferral(deferral) => self.deferrals.push(deferral.row()?),
            Record::WebhookDelivery(delivery) => self.webhooks.push(delivery.row()?),
            Record::UserCode { user, hash } => {
                self.user_codes.push(backchannel_user_code::Model { user_id: user.into(), hash });
            }
        }
        Ok(())
    }

    /// What people sign in with.
    fn add_credential(&mut self, record: Record) {
        let rows = &mut self.credentials;
        match record {
            Record::Passkey(passkey) => rows.passkeys.push(credentials::passkey_row(passkey)),
            Record::PasskeyName { id, user, name } => rows.names.push([id, user.into(), name]),
            Record::Totp(totp) => rows.totps.push(totp::Model {
                user_id: totp.user.into(),
                created_at: totp.created_at.0,
                secret: totp.secret.reveal().to_owned(),
            }),
            Record::RecoveryCodes { user, digests } => rows.codes.push((user, digests)),
            Record::KnownBrowser { mark, user, expires_at } => rows.browsers.push(known_browser::Model {
                digest: mark.to_text(),
                user_id: user.into(),
                expires_at: expires_at.0,
            }),
            _ => {}
        }
    }

    /// Whether a resource server or a details type is among them.
    pub(super) fn has_declared(&self) -> bool {
        !self.resource_servers.is_empty() || !self.details_types.is_empty()
    }
}

/// Writes the rows of all changes, each table's in one go.
pub(super) async fn write<C: ConnectionTrait>(db: &C, changes: &[&Rows]) -> Result<(), DbErr> {
    for rows in changes {
        write_replacing(db, rows).await?;
    }
    let all = || changes.iter();
    insert(db, all().flat_map(|r| &r.consents).map(|(_, row)| row.clone()).collect()).await?;
    let held = all().flat_map(|r| &r.consents).flat_map(|(consent, _)| amending::held(consent));
    insert(db, held.collect()).await?;
    insert(db, all().flat_map(|r| &r.status_lists).cloned().collect()).await?;
    insert(db, all().flat_map(|r| &r.tasks).map(|(_, row)| row.clone()).collect()).await?;
    insert(db, all().flat_map(|r| &r.tokens).map(|(_, _, row)| row.clone()).collect()).await?;
    insert(db, all().flat_map(|r| &r.codes).cloned().collect()).await?;
    insert(db, all().flat_map(|r| &r.pushed_requests).cloned().collect()).await?;
    insert(db, all().flat_map(|r| &r.deferred).cloned().collect()).await?;
    insert(db, all().flat_map(|r| &r.deferrals).cloned().collect()).await?;
    insert(db, all().flat_map(|r| &r.webhooks).cloned().collect()).await?;
    insert(db, all().flat_map(|r| &r.deliveries).cloned().collect()).await?;
    insert(db, all().flat_map(|r| &r.interactions).cloned().collect()).await?;
    insert(db, all().flat_map(|r| &r.initial_access_tokens).cloned().collect()).await?;
    insert(db, all().flat_map(|r| &r.one_time_links).cloned().collect()).await
}

/// Writes what may replace an earlier row, one by one: there are few of them, and two of one batch may be the same.
async fn write_replacing<C: ConnectionTrait>(db: &C, rows: &Rows) -> Result<(), DbErr> {
    for (_, row) in &rows.clients {
        replace_client(db, row.clone()).await?;
    }
    // Whose word counts for a user is decided by who writes: an account may be declared that a start made before.
    for (_, row) in &rows.users {
        replace_user(db, row.clone()).await?;
    }
    for row in &rows.resource_servers {
        use resource_server::Column;
        replace(db, row.clone(), Column::Identifier, Some(Column::Origin), &[]).await?;
    }
    for row in &rows.details_types {
        replace_details_type(db, row.clone()).await?;
    }
    for row in &rows.browser_sessions {
        use browser_session::Column;
        replace(db, row.clone(), Column::Id, None, &[Column::EndedAt]).await?;
    }
    for row in &rows.session_clients {
        replace(db, row.clone(), session_client::Column::Id, None, &[]).await?;
    }
    for row in &rows.signing_keys {
        replace(db, row.clone(), signing_key::Column::Kid, None, &[]).await?;
    }
    for row in &rows.registrations {
        use client_registration::Column;
        let kept = [Column::RegisteredAt, Column::UsedAt];
        replace(db, row.clone(), Column::ClientId, None, &kept).await?;
    }
    for row in &rows.settings {
        replace(db, row.clone(), setting::Column::Name, None, &[]).await?;
    }
    for row in &rows.user_codes {
        replace(db, row.clone(), backchannel_user_code::Column::UserId, None, &[]).await?;
    }
    for row in &rows.subjects {
        replace(db, row.clone(), pairwise_subject::Column::Subject, None, &[]).await?;
    }
    for receipt in &rows.receipts {
        receipts::keep(db, receipt).await?;
    }
    rows.credentials.write(db).await?;
    rows.federation.write(db).await
}

/// Inserts `rows` in portions of few sizes.
pub(super) async fn insert<C, M>(db: &C, rows: Vec<M>) -> Result<(), DbErr>
where
    C: ConnectionTrait,
    M: IntoActiveModel<<<M as sea_orm::ModelTrait>::Entity as EntityTrait>::ActiveModel>
        + sea_orm::ModelTrait,
{
    for portion in sql::portions(rows) {
        let models = portion.into_iter().map(IntoActiveModel::into_active_model);
        M::Entity::insert_many(models).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Inserts `row` or replaces the one of the same `key`, apart from the `kept` columns. A row that an admin
/// declared (`origin`) is replaced by an admin's only, and what was declared at all never by what somebody said of
/// themselves.
pub(super) async fn replace<C, M, A>(
    db: &C,
    row: M,
    key: <A::Entity as EntityTrait>::Column,
    origin: Option<<A::Entity as EntityTrait>::Column>,
    kept: &[<A::Entity as EntityTrait>::Column],
) -> Result<(), DbErr>
where
    C: ConnectionTrait,
    M: IntoActiveModel<A>,
    A: ActiveModelTrait,
    <A::Entity as EntityTrait>::Column: Copy,
{
    let conflict = on_conflict(key, origin, kept);
    let insert = <A::Entity as EntityTrait>::insert(row.into_active_model()).on_conflict(conflict);
    insert.exec_without_returning(db).await.map(|_| ())
}

/// Likewise; a client that an admin stopped stays so, whatever is declared of it.
async fn replace_client<C: ConnectionTrait>(db: &C, row: client::Model) -> Result<(), DbErr> {
    use client::Column;
    let kept = [Column::Status, Column::Halt, Column::HaltedAt];
    let mut conflict = on_conflict(Column::Id, Some(Column::Origin), &kept);
    let status = "CASE WHEN client.halt IS NULL THEN excluded.status ELSE client.status END";
    conflict.value(Column::Status, Expr::cust(status));
    let insert = client::Entity::insert(row.into_active_model()).on_conflict(conflict);
    insert.exec_without_returning(db).await.map(|_| ())
}

/// Writes an account. What an admin disabled stays so, whatever is written.
async fn replace_user<C: ConnectionTrait>(db: &C, row: user_account::Model) -> Result<(), DbErr> {
    use user_account::Column;
    let mut conflict = on_conflict(Column::Id, None, &[Column::Enabled, Column::HaltedAt, Column::RevokedAt]);
    let enabled =
        "CASE WHEN user_account.halted_at IS NULL THEN excluded.enabled ELSE user_account.enabled END";
    conflict.value(Column::Enabled, Expr::cust(enabled));
    let insert = user_account::Entity::insert(row.into_active_model()).on_conflict(conflict);
    insert.exec_without_returning(db).await.map(|_| ())
}

/// Likewise; a newer version stays.
async fn replace_details_type<C: ConnectionTrait>(db: &C, row: details_type::Model) -> Result<(), DbErr> {
    use details_type::Column;
    let mut conflict = on_conflict(Column::Name, Some(Column::Origin), &[]);
    conflict.action_and_where(Expr::cust("details_type.version <= excluded.version"));
    let insert = details_type::Entity::insert(row.into_active_model()).on_conflict(conflict);
    insert.exec_without_returning(db).await.map(|_| ())
}

/// What is done where a row of the same `key` is there.
fn on_conflict<K>(key: K, origin: Option<K>, kept: &[K]) -> OnConflict
where
    K: sea_orm::ColumnTrait + sea_orm::Iterable + Copy,
{
    let is_kept = |column: &K| kept.iter().any(|k| k.as_column_ref() == column.as_column_ref());
    let columns = K::iter().filter(|column| !is_kept(column));
    let mut conflict = OnConflict::column(key);
    conflict.update_columns(columns);
    if let Some(origin) = origin {
        let (stands, comes) = (|| Expr::col(origin.as_column_ref()), || Expr::cust("excluded.origin"));
        let declared = comes().is_not_in(["registered", "document"]);
        let same = comes().eq(stands());
        conflict.action_and_where(comes().eq("admin").or(same).or(declared.and(stands().ne("admin"))));
    }
    conflict
}

pub(super) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Database("a document cannot be written".to_owned()))
}

/// The word that a small enum is in JSON.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn token_row(token: &Token, digest: SecretDigest) -> Result<token::Model, StoreError> {
    // What acted before is found by the lineage.
    let current = token.chain.current().filter(|current| current.sub != token.client);
    let foreign = current.and_then(|current| Some(Instance::new(&current.sub, current.instance.as_ref()?)));
    let speaks = match &token.subject {
        Subject::Client { id, .. } => Some(id).filter(|id| **id != token.client),
        Subject::User(_) => None,
    };
    let acts = current.map(|current| &current.sub).or(speaks);
    let receiver = match &token.audience {
        Audience::Actor(receiver) => Some(receiver),
        Audience::Resources => None,
    };
    Ok(token::Model {
        id: token.id.as_str().to_owned(),
        digest: digest.to_text(),
        kind: word(&token.kind),
        client_id: token.client.as_str().to_owned(),
        user_id: token.subject.user().map(|id| id.as_str().to_owned()),
        consent_id: token.consent.as_ref().map(|id| id.as_str().to_owned()),
        task_id: token.task.as_ref().map(|task| task.id.as_str().to_owned()),
        parent_id: token.parent.as_ref().map(|id| id.as_str().to_owned()),
        family_id: token.family.as_ref().map(|id| id.as_str().to_owned()),
        session_id: token.session.as_ref().map(|id| id.as_str().to_owned()),
        expires_at: token.expires_at().0,
        ended_at: None,
        status_list: token.status.as_ref().map(|status| status.list.clone()),
        status_index: token.status.as_ref().map(|status| i64::from(status.index)),
        instance: token.issued_to().map(|instance| instance.key().to_owned()),
        actor_instance: foreign.map(|instance| instance.key().to_owned()),
        actor_id: acts.map(|id| id.as_str().to_owned()),
        receiver_id: receiver.map(|id| id.as_str().to_owned()),
        document: json(token)?,
    })
}

fn code_row(
    code: &Code,
    digest: SecretDigest,
    expires_at: NumericDate,
) -> Result<authorization_code::Model, StoreError> {
    Ok(authorization_code::Model {
        digest: digest.to_text(),
        client_id: code.client.as_str().to_owned(),
        consent_id: code.consent.as_str().to_owned(),
        expires_at: expires_at.0,
        redeemed_at: None,
        attempts: 0,
        token_id: None,
        document: json(code)?,
    })
}

fn consent_row(consent: &Consent) -> Result<consent::Model, StoreError> {
    let id: &ConsentId = &consent.id;
    Ok(consent::Model {
        id: id.as_str().to_owned(),
        user_id: consent.user.as_str().to_owned(),
        client_id: consent.client.as_str().to_owned(),
        actor_id: consent.actor.as_str().to_owned(),
        state: word(&consent.state),
        created_at: consent.created_at.0,
        expires_at: consent.authority.until.0,
        version: i64::from(consent.version),
        brought_by: consent.brought_by.clone(),
        ended_at: None,
        document: json(consent)?,
    })
}

fn task_row(task: &Task, opening: Option<(SecretDigest, SecretDigest)>) -> Result<task::Model, StoreError> {
    Ok(task::Model {
        id: task.id.as_str().to_owned(),
        root_id: task.root.as_str().to_owned(),
        parent_id: task.parent.as_ref().map(|id| id.as_str().to_owned()),
        consent_id: task.consent.as_str().to_owned(),
        user_id: task.user.as_str().to_owned(),
        actor_id: task.actor.as_str().to_owned(),
        status: word(&task.status),
        deadline: task.deadline.0,
        version: i64::from(task.version),
        max_derivations: task.max_derivations.map(i64::from),
        derivations: i64::from(task.derivations),
        suspended_by: task.suspended_by.as_ref().map(word),
        opening: opening.map(|(key, _)| key.to_text()),
        opened_by: opening.map(|(_, request)| request.to_text()),
        created_at: task.created_at.0,
        document: json(task)?,
    })
}

fn client_row(client: &Client, origin: Origin) -> Result<client::Model, StoreError> {
    Ok(client::Model {
        id: client.id.as_str().to_owned(),
        origin: origin.as_str().to_owned(),
        status: word(&client.status),
        expires_at: client.agent().map(|agent| agent.expires_at.0),
        halt: None,
        halted_at: None,
        document: json(client)?,
    })
}

fn user_row(user: &User, origin: Origin) -> Result<user_account::Model, StoreError> {
    Ok(user_account::Model {
        id: user.id.as_str().to_owned(),
        username_lower: user.username.to_ascii_lowercase(),
        origin: origin.as_str().to_owned(),
        email_lower: user.email().map(str::to_ascii_lowercase),
        enabled: user.enabled,
        halted_at: None,
        revoked_at: None,
        document: json(user)?,
    })
}

fn resource_server_row(
    server: &ResourceServer,
    origin: Origin,
) -> Result<resource_server::Model, StoreError> {
    Ok(resource_server::Model {
        identifier: server.identifier.as_str().to_owned(),
        origin: origin.as_str().to_owned(),
        document: json(server)?,
    })
}

fn details_type_row(
    document: &DetailsTypeDocument,
    version: u32,
    retired_at: Option<NumericDate>,
    origin: Origin,
) -> Result<details_type::Model, StoreError> {
    Ok(details_type::Model {
        name: document.name.as_str().to_owned(),
        origin: origin.as_str().to_owned(),
        version: i64::from(version),
        retired_at: retired_at.map(|at| at.0),
        document: json(document)?,
    })
}

fn link_row(link: OneTimeLink) -> one_time_link::Model {
    one_time_link::Model {
        digest: link.digest.to_text(),
        user_id: link.user.into(),
        purpose: link.purpose,
        expires_at: link.expires_at.0,
        taken_at: None,
    }
}

fn session_row(session: BrowserSession) -> browser_session::Model {
    browser_session::Model {
        id: session.id,
        session_id: session.session.into(),
        user_id: session.user.map(String::from),
        expires_at: session.expires_at.0,
        ended_at: None,
        document: session.document.to_string(),
    }
}

fn key_row(key: SigningKey) -> signing_key::Model {
    signing_key::Model {
        kid: key.facts.kid,
        alg: key.facts.alg.as_str().to_owned(),
        state: key.facts.state.as_str().to_owned(),
        created_at: key.created_at.0,
        since: key.facts.since.0,
        longest_life: key.facts.longest_life.0,
        document: key.document.to_string(),
    }
}
