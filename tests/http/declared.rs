//! Whom the configuration declares, and who was there before.

use std::sync::Arc;

use protocol::user::User;
use server::clock::SystemClock;
use server::config::ConfigFile;
use server::secret::SystemEntropy;
use server::store::{Change, Origin, Record};
use tests::{Database, House, on_both_databases, password_of};

on_both_databases! {
    a_name_of_somebody_whom_nobody_declared_is_not_declared,
    the_first_admin_may_be_declared_later_and_ends_with_the_declaration,
}

async fn user(house: &House, username: &str) -> User {
    house.store().find_user_by_username(username).await.unwrap().unwrap().as_ref().clone()
}

/// Why a house with this configuration is not opened.
async fn refusal(text: String) -> String {
    let file = ConfigFile { name: "house.toml".into(), text, folder: ".".into() };
    let Ok(config) = server::config::read(Some(&file), []) else { panic!("it cannot be read") };
    let opened = server::start::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy));
    match Box::pin(opened).await {
        Ok(_) => panic!("it is open"),
        Err(refusal) => refusal.to_string(),
    }
}

async fn a_name_of_somebody_whom_nobody_declared_is_not_declared(database: Database) {
    let mut house = House::on(database).await;
    house.has_somebody_called("carol").await;
    let (before, events) = (user(&house, "carol").await, house.events().await.len());
    let declared = "\n[[users]]\nusername = \"Carol\"\nname = \"The real Carol\"\nadmin = true\n";
    let refusal = refusal(format!("{}{declared}", house.config())).await;
    assert!(refusal.contains("users[3].username: \"Carol\" belongs to an account"), "{refusal}");
    assert_eq!((user(&house, "carol").await, house.events().await.len()), (before.clone(), events));
    // Another name is as good, and the account stays whose it was.
    house
        .restart_changed(|config| format!("{config}{}", declared.replace("Carol\"\nname", "Cara\"\nname")))
        .await;
    assert_eq!(user(&house, "cara").await.name, "The real Carol");
    assert_eq!(user(&house, "carol").await, before);
    house.restart_changed(|config| config.replace("\"Cara\"", "\"Clara\"")).await;
    assert!(!user(&house, "cara").await.enabled && user(&house, "carol").await.enabled);
}

async fn the_first_admin_may_be_declared_later_and_ends_with_the_declaration(database: Database) {
    // The database was made with an `admin` who was declared: out of the way with them, and with every other one.
    let nobody = |town: String| {
        let town = town.replace("username = \"admin\"", "username = \"ada\"");
        town.replace("admin = true\nemail", "admin = false\nemail")
    };
    let mut house = House::build(database, nobody).await;
    let former = User { username: "former".into(), ..user(&house, "admin").await };
    let kept = Record::User { user: former, origin: Origin::Config };
    house.store().commit(Change::housekeeping(house.door().now()).keep(kept)).await.unwrap();
    house.restart().await;
    let first = user(&house, "admin").await;
    assert!(first.admin && first.enabled && first.password_hash.is_none(), "{first:?}");

    let hash = house.config().lines().find(|line| line.starts_with("password_hash")).unwrap();
    let declared = format!("\n[[users]]\nusername = \"admin\"\nname = \"Declared\"\nadmin = false\n{hash}\n");
    house.restart_changed(|config| format!("{config}{declared}")).await;
    let second = user(&house, "admin").await;
    assert_eq!((&second.id, second.name.as_str(), second.admin), (&first.id, "Declared", false));
    let person = house.person();
    person.sign_in("admin", &password_of("alice")).await;
    assert_eq!(person.page("/admin").await.status, 403);

    house.restart_changed(|config| config.replace(&declared, "")).await;
    assert!(!user(&house, "admin").await.enabled);
    assert!(person.page("/account").await.path.starts_with("/sign-in"));
}
