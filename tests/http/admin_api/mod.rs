//! The admin API: who may call it, and what it does.

mod details_types;
mod endings;
mod lists;
mod opening;

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Answer, Authentication, Client, Database, House, Key};

/// Where it is.
pub const V1: &str = "/admin/api/v1";

/// A house with two programs of the operator: `ops`, which may do everything, and `watch`, which may look.
pub struct Ops {
    /// The house.
    pub house: House,
    /// May look and end.
    pub ops: Client,
    /// May look.
    pub watch: Client,
}

impl Ops {
    /// On this database, with a fragment of TOML in the configuration.
    pub async fn on_with(database: Database, fragment: &str) -> Self {
        let [ops, watch] = [(); 2].map(|()| Arc::new(Key::generate()));
        let declared = format!(
            "{}{}",
            declared("ops", &ops, "admin:read admin:endings"),
            declared("watch", &watch, "admin:read")
        );
        let fragment = fragment.to_owned();
        let house = House::build(database, move |town| format!("{fragment}\n{town}\n{declared}")).await;
        let client = |id: &str, key: Arc<Key>| {
            Client::new(house.door(), id, Authentication::PrivateKeyJwt(key)).with_dpop()
        };
        let (ops, watch) = (client("ops", ops), client("watch", watch));
        Self { house, ops, watch }
    }

    /// On this database.
    pub async fn on(database: Database) -> Self {
        Self::on_with(database, "").await
    }

    /// Gets a path as `ops`.
    pub async fn get(&self, path: &str) -> Answer {
        call(&self.house, &self.ops, "GET", path, None).await
    }

    /// Posts to a path as `ops`.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        call(&self.house, &self.ops, "POST", path, Some(body)).await
    }

    /// Ends something as `ops`.
    pub async fn end(&self, level: &str, id: &str, operation: &str) -> Answer {
        let body = json!({ "level": level, "id": id, "operation": operation, "reason": "because of a test" });
        self.post("/endings", &body).await
    }

    /// Ends an instance of a client as `ops`.
    pub async fn end_instance(&self, client: &str, instance: &str) -> Answer {
        let order = json!({ "level": "instance", "id": client, "instance": instance, "operation": "revoke" });
        self.post("/endings", &order).await
    }

    /// The id of a user.
    pub async fn user(&self, username: &str) -> String {
        let found = self.house.store().find_user_by_username(username).await.unwrap();
        found.unwrap().id.to_string()
    }
}

/// A program of the operator, as it is declared.
pub fn declared(id: &str, key: &Key, scope: &str) -> String {
    format!(
        "[[clients]]\nid = \"{id}\"\nname = \"{id} of the operator\"\nkind = \"service\"\n\
         authentication = \"private_key_jwt\"\nadmin_api = true\nscope = \"{scope}\"\njwks = {}\n",
        key.jwks_toml()
    )
}

/// A token for the admin API, with all that the client may have.
pub async fn token(house: &House, client: &Client) -> String {
    let resource = house.url("/admin/api");
    let params = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
    client.token(&params).await.ok().access_token().to_owned()
}

/// Calls a path of the admin API with a fresh token.
pub async fn call(house: &House, client: &Client, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let token = token(house, client).await;
    client.call_with(method, &format!("{V1}{path}"), &token, &[], body).await
}
