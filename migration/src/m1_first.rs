//! The first tables.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, boolean, integer, text, text_null};

/// The first tables.
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m1_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        let head = Query::insert()
            .into_table("audit_head")
            .columns(["id", "seq"])
            .values_panic([1.into(), 0_i64.into()])
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .to_owned();
        manager.execute(head).await
    }

    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("the first tables are never taken away".to_owned()))
    }
}

/// A table whose first column is its primary key.
fn table(name: &'static str, mut key: ColumnDef, columns: Vec<ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name).if_not_exists().col(key.primary_key().take());
    for column in columns {
        table.col(column);
    }
    table
}

fn tables() -> Vec<TableCreateStatement> {
    [declared(), lineage(), once(), ours()].concat()
}

/// What the configuration or an admin declares.
fn declared() -> Vec<TableCreateStatement> {
    let document = || text("document");
    vec![
        table(
            "client",
            text("id"),
            vec![text("origin"), text("status"), big_integer_null("expires_at"), document()],
        ),
        table(
            "user_account",
            text("id"),
            vec![text("username_lower"), text("origin"), boolean("enabled"), document()],
        ),
        table("resource_server", text("identifier"), vec![text("origin"), document()]),
        table("details_type", text("name"), vec![text("origin"), document()]),
    ]
}

/// Consent → task → token → child token.
fn lineage() -> Vec<TableCreateStatement> {
    let document = || text("document");
    vec![
        table(
            "consent",
            text("id"),
            vec![
                text("user_id"),
                text("client_id"),
                text("actor_id"),
                text("state"),
                big_integer("created_at"),
                big_integer("expires_at"),
                document(),
            ],
        ),
        table(
            "task",
            text("id"),
            vec![
                text("root_id"),
                text_null("parent_id"),
                text("consent_id"),
                text("user_id"),
                text("actor_id"),
                text("status"),
                big_integer("deadline"),
                big_integer("version"),
                document(),
            ],
        ),
        table(
            "token",
            text("id"),
            vec![
                text("digest"),
                text("kind"),
                text("client_id"),
                text_null("user_id"),
                text_null("consent_id"),
                text_null("task_id"),
                text_null("parent_id"),
                text_null("family_id"),
                text_null("session_id"),
                big_integer("expires_at"),
                big_integer_null("ended_at"),
                document(),
            ],
        ),
        table("ended_family", text("family_id"), vec![big_integer("ended_at"), big_integer("expires_at")]),
    ]
}

/// What may be used once.
fn once() -> Vec<TableCreateStatement> {
    let document = || text("document");
    let expires_at = || big_integer("expires_at");
    let taken_at = || big_integer_null("taken_at");
    vec![
        table(
            "authorization_code",
            text("digest"),
            vec![
                text("client_id"),
                text("consent_id"),
                expires_at(),
                big_integer_null("redeemed_at"),
                integer("attempts").default(0).take(),
                text_null("token_id"),
                document(),
            ],
        ),
        table(
            "pushed_request",
            text("digest"),
            vec![text("client_id"), expires_at(), taken_at(), document()],
        ),
        table("interaction", text("id"), vec![expires_at(), taken_at(), document()]),
        table(
            "browser_session",
            text("id"),
            vec![
                text("session_id"),
                text_null("user_id"),
                expires_at(),
                big_integer_null("ended_at"),
                document(),
            ],
        ),
        table(
            "one_time_link",
            text("digest"),
            vec![text("user_id"), text("purpose"), expires_at(), taken_at()],
        ),
        table("replay", text("key"), vec![expires_at()]),
    ]
}

/// What belongs to the server itself.
fn ours() -> Vec<TableCreateStatement> {
    vec![
        table(
            "signing_key",
            text("kid"),
            vec![text("alg"), text("state"), big_integer("created_at"), text("document")],
        ),
        table("setting", text("name"), vec![text("value")]),
        table(
            "audit_event",
            big_integer("seq"),
            vec![
                big_integer("time"),
                text("action"),
                text("outcome"),
                text_null("client_id"),
                text_null("user_id"),
                text_null("consent_id"),
                text_null("txn"),
                text("document"),
            ],
        ),
        table("audit_head", integer("id"), vec![big_integer("seq")]),
    ]
}

/// Each index is one more page to write with every row, so there are those that a statement asks by, and no others.
fn indexes() -> Vec<IndexCreateStatement> {
    let plain = [
        ("consent", "user_id"),
        ("consent", "client_id"),
        ("consent", "actor_id"),
        ("consent", "created_at"),
        ("task", "root_id"),
        ("task", "consent_id"),
        ("token", "consent_id"),
        ("token", "task_id"),
        ("token", "expires_at"),
        ("ended_family", "expires_at"),
        ("authorization_code", "consent_id"),
        ("authorization_code", "expires_at"),
        ("pushed_request", "expires_at"),
        ("interaction", "expires_at"),
        ("browser_session", "session_id"),
        ("browser_session", "expires_at"),
        ("one_time_link", "expires_at"),
        ("replay", "expires_at"),
    ];
    // Of most rows these are empty.
    let sparse =
        [("task", "parent_id"), ("token", "parent_id"), ("token", "family_id"), ("token", "session_id")];
    let unique = [("user_account", "username_lower"), ("token", "digest")];
    let index = |(table, column): &(&'static str, &'static str)| {
        let mut index = Index::create();
        index.name(format!("{table}_{column}")).table(*table).col(*column).if_not_exists();
        index
    };
    let mut all: Vec<_> = plain.iter().map(index).collect();
    all.extend(sparse.iter().map(|named| index(named).and_where(Expr::col(named.1).is_not_null()).take()));
    all.extend(unique.iter().map(|named| index(named).unique().take()));
    all
}
