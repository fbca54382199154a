//! What is read for a status list: what was ended in it, and what rests anywhere, whatever else there is.

use super::*;

const LIVE: u32 = 1_000_000;
const SIZE: u32 = 65_536;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_million_live_tokens_only_those_are_read_that_something_stands_against() {
    let place = Site::sqlite().open().await;
    let writer = &place.store.0.core.writer;
    let stopped = Client { status: ClientStatus::Suspended, ..client("stopped", "S") };
    place.keep(vec![Record::Client { client: stopped, origin: Origin::Admin }]).await;
    place.keep(vec![Record::Consent(consent("k99999"))]).await;
    place.keep(vec![Record::Task(task("w", "k", None)), Record::Task(task("part", "k", Some("w")))]).await;
    // Ten tokens are a stopped client's, ten are of a part, ten of no task were derived from those of the client.
    let fill = format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {LIVE} - 1) \
         INSERT INTO token (id, digest, kind, client_id, user_id, consent_id, task_id, parent_id, expires_at, \
         status_list, status_index, document) SELECT 't' || i, 'd' || i, 'access', \
         CASE WHEN i < 10 THEN 'stopped' ELSE 'app' END, 'alice', 'k' || (i / 10), \
         CASE WHEN i BETWEEN 10 AND 19 THEN 'part' ELSE 'w' || i END, \
         CASE WHEN i BETWEEN 20 AND 29 THEN 't' || (i - 20) END, {}, 'l' || (i / {SIZE}), i % {SIZE}, '{{}}' FROM n",
        LATER.0
    );
    sql::execute(writer, &fill, Vec::new()).await.unwrap();
    let of = async |list: &str| {
        let mut resting = place.store.resting(NOW).await.unwrap().remove(list).unwrap_or_default();
        resting.sort_unstable();
        (place.store.ended_in_list(list, NumericDate(0)).await.unwrap(), resting)
    };
    let from_client: Vec<u32> = (0..10).chain(20..30).collect();
    assert_eq!(of("l0").await, (vec![], from_client.clone()));
    let take = |version, status| {
        let take = Take::Task { id: id("w"), version, status, suspended_by: None };
        Change::housekeeping(NOW).take(take)
    };
    place.commit(take(1, TaskStatus::Suspended)).await;
    assert_eq!(of("l0").await, (vec![], (0..30).collect()));
    place.commit(take(2, TaskStatus::Revoked).end(Ending::Task(id("w")))).await;
    assert_eq!(of("l0").await, ((10..20).collect(), from_client));
    place.commit(Change::housekeeping(NOW).end(Ending::Consent(id("k99999")))).await;
    let last = (LIVE - 10) % SIZE;
    assert_eq!(of("l15").await, ((last..last + 10).collect(), vec![]));
    assert_eq!(of("l7").await, (vec![], vec![]));
    // Nothing of this looks at every token: that would be a million rows each second.
    for statement in [super::super::status_lists::RESTING, super::super::status_lists::ENDED] {
        let plan = format!("EXPLAIN QUERY PLAN {statement}");
        let values = vec!["l0".into(), NOW.0.into()];
        let values = if statement.contains("$2") { values } else { vec![NOW.0.into()] };
        for row in sql::query(writer, &plan, values).await.unwrap() {
            let step: String = row.try_get_by_index(3).unwrap();
            assert!(!step.starts_with("SCAN token") && !step.starts_with("SCAN t "), "{step}: {statement}");
            assert!(!step.contains("token_expires_at"), "{step}: {statement}");
        }
    }
}
