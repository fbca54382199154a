//! The tables, and how they come to be. Every step can be run again without harm.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::MigrationTrait;

mod m1_first;
mod m2_device_ciba;
mod m2_federation;
mod m2_keys;
mod m2_logout;
mod m2_registration;
mod m2_replay_without_rowid;
mod m2_users;
mod m3_endings;
mod m3_status_lists;
mod m3_tasks;
mod m3_wire;
mod m4_approvals;
mod m4_approvals2;
mod m4_approve;
mod m4_brought;
mod m4_consents;
mod m4_halt;
mod m4_stopping;
mod m4_story;
mod m4_tasks;
mod m4_under_way;
mod m4_workload;

/// All migrations, the oldest first.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m1_first::Migration),
            Box::new(m2_replay_without_rowid::Migration),
            Box::new(m2_registration::Migration),
            Box::new(m2_keys::Migration),
            Box::new(m2_logout::Migration),
            Box::new(m2_users::Migration),
            Box::new(m2_device_ciba::Migration),
            Box::new(m2_federation::Migration),
            Box::new(m3_wire::Migration),
            Box::new(m3_tasks::Migration),
            Box::new(m3_status_lists::Migration),
            Box::new(m3_endings::Migration),
            Box::new(m4_halt::Migration),
            Box::new(m4_tasks::Migration),
            Box::new(m4_consents::Migration),
            Box::new(m4_approvals::Migration),
            Box::new(m4_workload::Migration),
            Box::new(m4_story::Migration),
            Box::new(m4_brought::Migration),
            Box::new(m4_approve::Migration),
            Box::new(m4_stopping::Migration),
            Box::new(m4_under_way::Migration),
            Box::new(m4_approvals2::Migration),
        ]
    }
}
