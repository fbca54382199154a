//! The harness of the tests from outside: a house that really serves, and the clients and people that come to it.
//!
//! A test opens a [`House`] on a database of its own, lets clients ([`Client`]) and people ([`Person`]) come over
//! HTTP, and looks at the answers and at the audit log.

mod answer;
mod ask;
mod authenticator;
pub mod browser;
mod client;
mod database;
mod fake_provider;
mod form;
mod house;
mod key;
pub mod load;
mod person;
mod pki;
mod post_office;
mod postgres;
pub mod program;
mod receiver;
mod secured;
mod seed;
mod site;
pub mod street;
mod town;

pub use answer::Answer;
pub use ask::{Ask, Code};
pub use authenticator::{Passkey, code_at};
pub use client::{Authentication, Client, Proof};
pub use database::Database;
pub use fake_provider::{FakeProvider, Says};
pub use form::Form;
pub use house::{Door, House, Neighbour};
pub use key::{Key, random, unverified_claims, unverified_header};
pub use person::{Arrival, Page, Person};
pub use pki::{Authority, Identity, Wanted};
pub use post_office::{Mail, PostOffice};
pub use receiver::{Heard, Receiver};
pub use secured::Secured;
pub use seed::{Seed, Told};
pub use site::Site;
pub use town::{INVENTORY, ORDERS, password_of, secret_sha256};

/// Makes of each named function two tests, `sqlite::…` and `postgres::…`. Each function takes a [`Database`]; one
/// that is not named here is dead code, which the compiler tells.
#[macro_export]
macro_rules! on_both_databases {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name($crate::Database::Sqlite).await; })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() {
                if $crate::Database::postgres_is_there(concat!(module_path!(), "::", stringify!($name))) {
                    super::$name($crate::Database::Postgres).await;
                }
            })*
        }
    };
}
