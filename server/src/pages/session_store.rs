//! Browser sessions in the database, for tower-sessions. The cookie's value is a secret: only its digest is kept.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use protocol::identifier::SessionId;
use protocol::numeric_date::{NumericDate, Seconds};
use serde_json::Value;
use time::OffsetDateTime;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

use super::federation::{Ends, UNTIL};
use super::page::SIGNED_IN;
use super::sign_in::PASSWORD;
use crate::app::App;
use crate::authorization::SignedIn;
use crate::secret::SecretDigest;
use crate::store::{self, BrowserSession, Change};

/// The name of the session's cookie: bound to this host, this path and encrypted transport (RFC 6265bis §4.1.3.2).
pub const COOKIE: &str = "__Host-procura";

/// The adapter.
#[derive(Clone)]
pub struct Sessions(pub Arc<App>);

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

/// What a session is called in the lineage while nobody is signed in: nothing hangs on it.
const NOBODYS: &str = "ses_nobodys";
/// How long it lasts then: anybody can begin one.
const NOBODYS_LIFE: Seconds = Seconds::minutes(30);

fn digest(id: &Id) -> String {
    SecretDigest::of(&id.to_string()).to_text()
}

fn broken(reason: impl fmt::Display) -> Error {
    Error::Backend(reason.to_string())
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // 128 random bits do not meet; should they, the row would be another browser's.
        while self.load(&record.id).await?.is_some() {
            record.id = Id::default();
        }
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let signed_in: Option<SignedIn> =
            record.data.get(SIGNED_IN).cloned().and_then(|value| serde_json::from_value(value).ok());
        let nobodys: SessionId = NOBODYS.parse().map_err(broken)?;
        let end = NumericDate(record.expiry_date.unix_timestamp());
        let end = if signed_in.is_some() { end } else { end.min(self.0.clock.now().plus(NOBODYS_LIFE)) };
        // One that began at an upstream lasts as long as the upstream's sessions may.
        let latest: Option<Ends> =
            record.data.get(UNTIL).cloned().and_then(|value| serde_json::from_value(value).ok());
        let end = latest.map_or(end, |latest| end.min(latest.0));
        // A session that begins, begins with the password that it was proven by, or not at all.
        let mut data = record.data.clone();
        let password = data.remove(PASSWORD).and_then(|mark| serde_json::from_value(mark).ok());
        let kept = BrowserSession {
            id: digest(&record.id),
            session: signed_in.as_ref().map_or(nobodys, |signed_in| signed_in.session.clone()),
            user: signed_in.map(|signed_in| signed_in.user),
            expires_at: end,
            document: serde_json::to_value(&data).map_err(broken)?,
        };
        let change = Change::housekeeping(self.0.clock.now());
        let change = match (password, &kept.user) {
            (Some(mark), Some(user)) => change.requires_password(user.clone(), mark),
            _ => change,
        };
        let change = change.keep(store::Record::BrowserSession(kept));
        self.0.store.commit(change).await.map(|_| ()).map_err(broken)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found =
            self.0.store.find_browser_session(&digest(id), self.0.clock.now()).await.map_err(broken)?;
        let Some(kept) = found else { return Ok(None) };
        let data: HashMap<String, Value> = serde_json::from_value(kept.document).map_err(broken)?;
        let expiry_date = OffsetDateTime::from_unix_timestamp(kept.expires_at.0).map_err(broken)?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let change = Change::housekeeping(self.0.clock.now()).drop_session(&digest(id));
        self.0.store.commit(change).await.map(|_| ()).map_err(broken)
    }
}
