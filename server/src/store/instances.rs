//! The instances of a client, as far as anything is kept that shows them: the tokens that they got, those in which they
//! act, and that they were ended.

use protocol::identifier::{ClientId, InstanceId};
use protocol::instance::Instance;
use protocol::numeric_date::NumericDate;
use sea_orm::{DbErr, QueryResult, Value};

use super::{Store, StoreError, corrupt, sql};

/// An instance that was seen, or ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SeenInstance {
    /// Which of its client.
    pub id: InstanceId,
    /// When the first of the tokens was issued that are kept of it, if any is.
    pub first: Option<NumericDate>,
    /// When the last was.
    pub last: Option<NumericDate>,
    /// How many of them live.
    pub tokens: u64,
    /// When it was ended, if it was.
    pub ended_at: Option<NumericDate>,
}

/// Where the instances of a client stand: of a token's own, of one that acts in it, among the ended. `$1` is the client, `$2`
/// what their keys begin with.
const ALL: [&str; 3] = [
    "client_id = $1 AND instance IS NOT NULL",
    // Said twice, so that both databases look only where an instance of somebody else acts.
    "actor_instance IS NOT NULL AND substr(actor_instance, 1, length($2)) = $2",
    "substr(instance, 1, length($2)) = $2",
];
/// Where one of them stands. `$2` is its key.
const ONE: [&str; 3] = ["client_id = $1 AND instance = $2", "actor_instance = $2", "instance = $2"];

impl Store {
    /// The instances of a client that were seen or ended, the one that was seen last first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn instances_of(
        &self,
        client: &ClientId,
        now: NumericDate,
        limit: u64,
    ) -> Result<Vec<SeenInstance>, StoreError> {
        self.seen(client, &Instance::prefix(client), ALL, now, limit).await
    }

    /// This instance, if it was seen or ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_instance(
        &self,
        instance: &Instance,
        now: NumericDate,
    ) -> Result<Option<SeenInstance>, StoreError> {
        Ok(self.seen(instance.client(), instance.key(), ONE, now, 1).await?.pop())
    }

    async fn seen(
        &self,
        client: &ClientId,
        key: &str,
        [issued_to, acting, ended]: [&str; 3],
        now: NumericDate,
        limit: u64,
    ) -> Result<Vec<SeenInstance>, StoreError> {
        let db = self.reader();
        let issued = sql::number_in_document(db, "issued_at");
        let live = "CASE WHEN ended_at IS NULL AND expires_at > $3 THEN 1 ELSE 0 END AS live";
        let find = format!(
            "SELECT instance, MIN(issued), MAX(issued), SUM(live), MAX(ended) FROM (\
             SELECT instance, {issued} AS issued, {live}, CAST(NULL AS BIGINT) AS ended \
             FROM token WHERE {issued_to} \
             UNION ALL SELECT actor_instance, {issued}, {live}, CAST(NULL AS BIGINT) FROM token WHERE {acting} \
             UNION ALL SELECT instance, CAST(NULL AS BIGINT), 0, ended_at FROM ended_instance WHERE {ended}\
             ) seen GROUP BY instance ORDER BY COALESCE(MAX(issued), MAX(ended)) DESC, instance LIMIT {limit}"
        );
        let values = vec![Value::from(client.as_str()), Value::from(key), Value::from(now.0)];
        let prefix = Instance::prefix(client);
        let rows = sql::query(db, &find, values).await?;
        rows.iter().map(|row| instance(row, &prefix)).collect()
    }
}

fn instance(row: &QueryResult, prefix: &str) -> Result<SeenInstance, StoreError> {
    let key: String = row.try_get_by_index(0)?;
    let id = key.strip_prefix(prefix).and_then(|id| id.parse().ok());
    let date = |index: usize| -> Result<Option<NumericDate>, DbErr> {
        Ok(row.try_get_by_index::<Option<i64>>(index)?.map(NumericDate))
    };
    Ok(SeenInstance {
        id: id.ok_or_else(|| corrupt("token", &key))?,
        first: date(1)?,
        last: date(2)?,
        tokens: u64::try_from(row.try_get_by_index::<i64>(3)?).unwrap_or_default(),
        ended_at: date(4)?,
    })
}
