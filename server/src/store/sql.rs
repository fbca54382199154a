//! Statements in one dialect that both databases read, in few shapes, so that they are prepared once.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

/// The sizes in which rows are written and looked for.
const LADDER: [usize; 6] = [32, 16, 8, 4, 2, 1];

/// Divides `rows` into portions of the ladder's sizes, without padding.
pub(super) fn portions<T>(mut rows: Vec<T>) -> Vec<Vec<T>> {
    let mut portions = Vec::new();
    while !rows.is_empty() {
        let size = LADDER.into_iter().find(|size| *size <= rows.len()).unwrap_or(1);
        let rest = rows.split_off(size);
        portions.push(std::mem::replace(&mut rows, rest));
    }
    portions
}

/// Divides `items` into lists whose lengths are the ladder's, the last one repeated where there are too few.
pub(super) fn padded<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let fill = |portion: &[T]| {
        let size = LADDER.into_iter().rev().find(|size| *size >= portion.len()).unwrap_or(portion.len());
        let mut list = portion.to_vec();
        if let Some(last) = list.last().cloned() {
            list.resize(size, last);
        }
        list
    };
    items.chunks(LADDER[0]).map(fill).collect()
}

/// `$first, …, $last` for `count` values.
pub(super) fn holes(first: usize, count: usize) -> String {
    let all: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    all.join(",")
}

/// The number that stands as `member` in a row's `document`: the one thing that the two say differently.
pub(super) fn number_in_document<C: ConnectionTrait>(db: &C, member: &str) -> String {
    match db.get_database_backend() {
        DbBackend::Postgres => format!("CAST(CAST(document AS json) ->> '{member}' AS BIGINT)"),
        _ => format!("json_extract(document, '$.{member}')"),
    }
}

/// Runs a statement and returns how many rows it changed.
pub(super) async fn execute<C: ConnectionTrait>(db: &C, sql: &str, values: Vec<Value>) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(db.execute_raw(statement).await?.rows_affected())
}

/// Runs a statement and returns its rows.
pub(super) async fn query<C: ConnectionTrait>(
    db: &C,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_lose_nothing_and_have_the_ladders_sizes() {
        for count in 0..200 {
            let divided = portions((0..count).collect());
            assert!(divided.iter().all(|portion| LADDER.contains(&portion.len())));
            assert_eq!(divided.concat(), (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn padding_repeats_the_last_and_adds_nothing_new() {
        let lists = padded(&(0..37).collect::<Vec<_>>());
        assert_eq!(lists.iter().map(Vec::len).collect::<Vec<_>>(), [32, 8]);
        assert_eq!(lists[1], [32, 33, 34, 35, 36, 36, 36, 36]);
        assert!(padded::<u8>(&[]).is_empty());
    }
}
