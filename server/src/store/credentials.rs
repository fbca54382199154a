//! What people sign in with besides a password, and the browsers that they are known in.

use entity::{known_browser, passkey, recovery_code, totp};
use protocol::identifier::UserId;
use protocol::numeric_date::NumericDate;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, Value,
};

use super::{Store, StoreError, corrupt, read, sql};
use crate::secret::{Secret, SecretDigest};

/// The most passkeys of one user that are looked at.
const MOST_PASSKEYS: u64 = 100;

/// A passkey (WebAuthn).
#[derive(Clone, PartialEq, Debug)]
pub struct Passkey {
    /// The credential id, in base64url.
    pub id: String,
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// How often it signed, as far as it counts; many never do.
    pub counter: u32,
    /// When it was added.
    pub created_at: NumericDate,
    /// When it was last used.
    pub used_at: Option<NumericDate>,
    /// Its public key and what is known of it.
    pub document: serde_json::Value,
}

/// An authenticator app.
#[derive(Debug)]
pub struct Totp {
    /// Whose it is.
    pub user: UserId,
    /// The secret that app and server share, sealed.
    pub secret: Secret,
    /// When it was set up.
    pub created_at: NumericDate,
}

/// Something of a user's that is thrown away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Forget {
    /// A passkey, if it is this user's.
    Passkey {
        /// Whose.
        user: UserId,
        /// Which.
        id: String,
    },
    /// The authenticator app.
    Totp(UserId),
    /// All recovery codes.
    RecoveryCodes(UserId),
    /// All browsers that they are known in.
    KnownBrowsers(UserId),
    /// All one-time links.
    OneTimeLinks(UserId),
    /// An initial access token, which is nobody's in particular.
    InitialAccessToken(SecretDigest),
}

impl Forget {
    pub(super) async fn run<C: ConnectionTrait>(&self, db: &C) -> Result<(), DbErr> {
        let (statement, user) = match self {
            Self::Passkey { user, id } => {
                let delete = "DELETE FROM passkey WHERE user_id = $1 AND id = $2";
                let values = vec![Value::from(user.as_str()), Value::from(id.as_str())];
                return sql::execute(db, delete, values).await.map(|_| ());
            }
            Self::InitialAccessToken(digest) => {
                let delete = "DELETE FROM initial_access_token WHERE digest = $1";
                return sql::execute(db, delete, vec![Value::from(digest.to_text())]).await.map(|_| ());
            }
            Self::Totp(user) => ("DELETE FROM totp WHERE user_id = $1", user),
            Self::RecoveryCodes(user) => ("DELETE FROM recovery_code WHERE user_id = $1", user),
            Self::OneTimeLinks(user) => ("DELETE FROM one_time_link WHERE user_id = $1", user),
            Self::KnownBrowsers(user) => ("DELETE FROM known_browser WHERE user_id = $1", user),
        };
        sql::execute(db, statement, vec![Value::from(user.as_str())]).await.map(|_| ())
    }
}

/// What is kept, as rows.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) passkeys: Vec<passkey::Model>,
    /// Id, owner and new name.
    pub(super) names: Vec<[String; 3]>,
    pub(super) totps: Vec<totp::Model>,
    pub(super) codes: Vec<(UserId, Vec<SecretDigest>)>,
    pub(super) browsers: Vec<known_browser::Model>,
}

impl Rows {
    pub(super) async fn write<C: ConnectionTrait>(&self, db: &C) -> Result<(), DbErr> {
        for row in &self.passkeys {
            let insert = passkey::Entity::insert(row.clone().into_active_model());
            insert.exec_without_returning(db).await?;
        }
        for [id, user, name] in &self.names {
            let rename = "UPDATE passkey SET name = $3 WHERE id = $1 AND user_id = $2";
            sql::execute(db, rename, [id, user, name].map(|text| Value::from(text.clone())).into()).await?;
        }
        for row in &self.totps {
            let mut replace = OnConflict::column(totp::Column::UserId);
            replace.update_columns([totp::Column::CreatedAt, totp::Column::Secret]);
            let insert = totp::Entity::insert(row.clone().into_active_model()).on_conflict(replace);
            insert.exec_without_returning(db).await?;
        }
        for (user, digests) in &self.codes {
            Forget::RecoveryCodes(user.clone()).run(db).await?;
            let rows = digests.iter().map(|digest| recovery_code::Model {
                digest: digest.to_text(),
                user_id: user.as_str().to_owned(),
                taken_at: None,
            });
            super::keeping::insert(db, rows.collect()).await?;
        }
        for row in &self.browsers {
            let mut replace = OnConflict::column(known_browser::Column::Digest);
            replace.update_column(known_browser::Column::ExpiresAt);
            let insert = known_browser::Entity::insert(row.clone().into_active_model()).on_conflict(replace);
            insert.exec_without_returning(db).await?;
        }
        Ok(())
    }
}

pub(super) fn passkey_row(passkey: Passkey) -> passkey::Model {
    passkey::Model {
        id: passkey.id,
        user_id: passkey.user.into(),
        name: passkey.name,
        counter: i64::from(passkey.counter),
        created_at: passkey.created_at.0,
        used_at: passkey.used_at.map(|at| at.0),
        document: passkey.document.to_string(),
    }
}

/// A passkey signed: only if its counter went on since (WebAuthn §7.2 step 22). One that does not count stays at 0.
pub(super) async fn use_passkey<C: ConnectionTrait>(
    db: &C,
    id: &str,
    counter: u32,
    document: &serde_json::Value,
    at: NumericDate,
) -> Result<bool, DbErr> {
    let used = "UPDATE passkey SET used_at = $1, counter = $2, document = $3 \
                WHERE id = $4 AND (counter < $2 OR (counter = 0 AND $2 = 0))";
    let values = vec![
        Value::from(at.0),
        Value::from(i64::from(counter)),
        Value::from(document.to_string()),
        Value::from(id),
    ];
    sql::execute(db, used, values).await.map(|changed| changed == 1)
}

fn passkey(row: passkey::Model) -> Result<Passkey, StoreError> {
    Ok(Passkey {
        user: row.user_id.parse().map_err(|_| corrupt("passkey", &row.id))?,
        counter: row.counter.try_into().map_err(|_| corrupt("passkey", &row.id))?,
        created_at: NumericDate(row.created_at),
        used_at: row.used_at.map(NumericDate),
        document: read("passkey", &row.id, &row.document)?,
        name: row.name,
        id: row.id,
    })
}

impl Store {
    /// The passkeys of a user, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn passkeys_of_user(&self, user: &UserId) -> Result<Vec<Passkey>, StoreError> {
        let find = passkey::Entity::find().filter(passkey::Column::UserId.eq(user.as_str()));
        let find = find.order_by_asc(passkey::Column::CreatedAt).order_by_asc(passkey::Column::Id);
        find.limit(MOST_PASSKEYS).all(self.reader()).await?.into_iter().map(passkey).collect()
    }

    /// The passkey of this credential id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_passkey(&self, id: &str) -> Result<Option<Passkey>, StoreError> {
        passkey::Entity::find_by_id(id).one(self.reader()).await?.map(passkey).transpose()
    }

    /// The authenticator app of a user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_totp(&self, user: &UserId) -> Result<Option<Totp>, StoreError> {
        let found = totp::Entity::find_by_id(user.as_str()).one(self.reader()).await?;
        Ok(found.map(|row| Totp {
            user: user.clone(),
            secret: Secret::from_text(row.secret),
            created_at: NumericDate(row.created_at),
        }))
    }

    /// How many recovery codes a user has left.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_recovery_codes(&self, user: &UserId) -> Result<u64, StoreError> {
        use recovery_code::Column;
        let left = recovery_code::Entity::find()
            .filter(Column::UserId.eq(user.as_str()))
            .filter(Column::TakenAt.is_null());
        Ok(left.count(self.reader()).await?)
    }

    /// Whether a browser with this mark is one that the user was signed in with before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn knows_browser(&self, mark: &SecretDigest, now: NumericDate) -> Result<bool, StoreError> {
        let found = known_browser::Entity::find_by_id(mark.to_text()).one(self.reader()).await?;
        Ok(found.is_some_and(|row| !NumericDate(row.expires_at).is_over(now)))
    }
}
