//! Clients whose id is the URL of a document about them (draft-ietf-oauth-client-id-metadata-document). What the
//! document says is kept as a client, for as long as the answer says that it is fresh.

use std::sync::Arc;

use protocol::audit::Action;
use protocol::client::{Client, ClientStatus};
use protocol::identifier::ClientId;
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::refusal::{ErrorCode, Refusal, Refuse as _};
use protocol::registration::metadata_document::{self as law, DocumentRefused};
use protocol::subject;
use url::Url;

use super::{committed, event};
use crate::app::{App, Visit};
use crate::failure::Failure;
use crate::outbound::Answer;
use crate::store::{Change, Origin, Record, Registered, RegisteredBy};

/// The client of this id: declared, registered, or found where its id points to.
///
/// # Errors
/// A refusal that says what is wrong with the document, for its developer; the store's.
pub async fn find_client(app: &App, visit: &Visit, id: &ClientId) -> Result<Option<Arc<Client>>, Failure> {
    let found = app.store.find_client(id).await?;
    let Some(url) = law::url_of(id) else { return Ok(found) };
    let registered = app.store.find_registration(id).await?.map(|registered| registered.by);
    let over = found.as_ref().is_some_and(|client| client.status == ClientStatus::Retired);
    match (&found, &registered) {
        // Somebody declared it, and nothing is fetched for it.
        (Some(_), None) if !over => return Ok(found),
        _ if !app.settings.registration.client_id_metadata_documents => return Ok(None),
        (Some(client), Some(_)) if client.status == ClientStatus::Suspended => return Ok(found),
        (Some(_), Some(RegisteredBy::Document(until))) if !until.is_over(visit.now) => return Ok(found),
        _ => {}
    }
    let known = match (found.as_deref(), &registered) {
        (Some(client), Some(RegisteredBy::Document(until))) if client.status == ClientStatus::Active => {
            Some(Known { client, until: *until })
        }
        _ => None,
    };
    match fetch(app, visit, id, &url, known).await {
        Err(Failure::Refused(refusal)) => {
            let told = event(Action::ClientRegister, visit, Some(id)).refused(&refusal);
            app.tell_of_stranger(visit, told).await?;
            Err(Failure::Refused(refusal))
        }
        Err(broken) => Err(broken),
        // What the store holds now: should somebody have declared it meanwhile, that counts.
        Ok(()) => Ok(app.store.find_client(id).await?),
    }
}

/// What an earlier document said, which is not fresh any more.
struct Known<'a> {
    client: &'a Client,
    until: NumericDate,
}

/// How long what an earlier document said may still count where its host cannot be asked: strangers who have it asked
/// all the time keep no client out for that, and no client keeps what its document says no more for good.
const STALE: Seconds = Seconds::days(1);

async fn fetch(
    app: &App,
    visit: &Visit,
    id: &ClientId,
    url: &Url,
    known: Option<Known<'_>>,
) -> Result<(), Failure> {
    let busy =
        || Refusal::new(ErrorCode::TemporarilyUnavailable, "too many clients are looked up; try again later");
    let source = visit.source();
    let host = url.host_str().unwrap_or_default();
    // Neither may one address make us ask around, nor may many of them make us ask one host.
    if !app.registrations.count(&source) {
        return Err(busy().into());
    }
    if !app.document_hosts.count(host) {
        let counts = known.is_some_and(|known| !known.until.plus(STALE).is_over(visit.now));
        return if counts { Ok(()) } else { Err(busy().into()) };
    }
    if known.is_none() && app.store.count_registrations().await? >= app.settings.registration.most_clients {
        return Err(busy().into());
    }
    let answer = app.outbound.get(url, "application/json").await;
    let answer =
        answer.inspect_err(|error| tracing::info!(%url, %error, "a metadata document was not found"));
    let answer = answer.ok().filter(is_document).ok_or(DocumentRefused::NotThere).map_err(refusal)?;
    let client = read(app, visit, id, &answer).await?;
    let client = match &known {
        Some(known) => subject::moved(known.client, client),
        None => client,
    };
    let until = visit.now.plus(law::freshness(answer.max_age));
    let registered = Registered {
        client: id.clone(),
        by: RegisteredBy::Document(until),
        at: visit.now,
        software_statement: None,
    };
    let change = match known {
        Some(known) if *known.client == client => Change::housekeeping(visit.now),
        Some(_) => Change::new(event(Action::ClientUpdate, visit, Some(id))),
        None => Change::new(event(Action::ClientRegister, visit, Some(id))),
    };
    let change = change.keep(Record::Client { client, origin: Origin::Document });
    committed(app.store.commit(change.keep(Record::Registered(registered))).await)?;
    Ok(())
}

async fn read(app: &App, visit: &Visit, id: &ClientId, answer: &Answer) -> Result<Client, Failure> {
    let document = protocol::registration::document(&answer.body);
    let mut document = document.map_err(|reason| refusal(reason.into()))?;
    let client = law::read(id, &document, &app.settings.registration_policy()).map_err(refusal)?;
    // The same proofs as for a client that registers itself, but for statements: nobody signs for these.
    document.remove("software_statement");
    document.insert("token_endpoint_auth_method".to_owned(), client.authentication.method().as_str().into());
    super::register::proven_document(app, visit, document).await?;
    Ok(client)
}

/// 200 and nothing else, of JSON, and short.
fn is_document(answer: &Answer) -> bool {
    let kind = answer.content_type.as_deref().unwrap_or_default();
    let is_json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    answer.status == 200 && is_json && answer.body.len() <= law::LARGEST
}

/// For whoever looks at the page: it is the client that is wrong, and its developer who can help.
fn refusal(reason: DocumentRefused) -> Refusal {
    let code = match &reason {
        DocumentRefused::Refused(refused) => refused.code(),
        _ => ErrorCode::InvalidClientMetadata,
    };
    Refusal::new(code, reason.to_string())
}
