//! Who lives around the house: people, clients, resource servers, declared in one configuration.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::digest::{SHA256, digest};

use crate::client::Authentication;
use crate::key::Key;

/// The resource server of `orders-api`; scopes `orders:read` and `orders:write`.
pub const ORDERS: &str = "https://orders.example";
/// The resource server of `inventory-api`; scopes `inventory:read` and `inventory:write`.
pub const INVENTORY: &str = "https://inventory.example";

const PEOPLE: [(&str, &str, bool); 3] =
    [("alice", "Alice Arnold", false), ("bob", "Bob Brandt", false), ("admin", "Ada Admin", true)];
const ALL_SCOPES: &str = "orders:read orders:write inventory:read inventory:write";

/// The password of `alice`, `bob` or `admin`.
#[must_use]
pub fn password_of(username: &str) -> String {
    format!("the secret of {username}")
}

fn password_hash(username: &str) -> &'static str {
    static HASHES: OnceLock<BTreeMap<&str, String>> = OnceLock::new();
    let hash = |username: &str| {
        let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
        cheap.hash_password(password_of(username).as_bytes()).unwrap().to_string()
    };
    &HASHES.get_or_init(|| PEOPLE.iter().map(|(name, ..)| (*name, hash(name))).collect())[username]
}

/// How each client authenticates.
pub(crate) type Credentials = BTreeMap<String, Authentication>;

/// The declarations, and the credentials of the clients in them.
pub(crate) fn declare() -> (String, Credentials) {
    let mut toml = String::new();
    let mut credentials = Credentials::new();
    for (username, name, admin) in PEOPLE {
        let hash = password_hash(username);
        let _ = writeln!(
            toml,
            "[[users]]\nusername = \"{username}\"\nname = \"{name}\"\nadmin = {admin}\n\
             email = \"{username}@people.example\"\nemail_verified = true\npassword_hash = \"{hash}\"\n"
        );
    }
    for (identifier, name) in [(ORDERS, "orders"), (INVENTORY, "inventory")] {
        let _ = writeln!(
            toml,
            "[[resource_servers]]\nidentifier = \"{identifier}\"\nname = \"The {name}\"\n\
             details_types = [\"agent_task\", \"mcp_tool\"]\n[resource_servers.scopes]\n\
             \"{name}:read\" = \"See your {name}\"\n\"{name}:write\" = \"Change your {name}\"\n"
        );
    }
    let reach = format!(
        "resources = [\"{ORDERS}\", \"{INVENTORY}\"]\nauthorization_details_types = [\"agent_task\", \"mcp_tool\"]"
    );
    let _ = writeln!(
        toml,
        "[[clients]]\nid = \"shop\"\nname = \"The shop\"\nkind = \"application\"\nauthentication = \"none\"\n\
         redirect_uris = [\"http://127.0.0.1/callback\"]\n\
         scope = \"openid profile email offline_access {ALL_SCOPES}\"\n{reach}\n"
    );
    credentials.insert("shop".into(), Authentication::None);
    for (id, method, authentication) in [
        ("web", "client_secret_basic", Authentication::Basic("the secret of web".into())),
        ("post", "client_secret_post", Authentication::Post("the secret of post".into())),
    ] {
        let _ = writeln!(
            toml,
            "[[clients]]\nid = \"{id}\"\nname = \"The {id}\"\nkind = \"application\"\n\
             authentication = \"{method}\"\nsecret_sha256 = \"{}\"\n\
             redirect_uris = [\"https://{id}.example/callback\"]\n\
             grant_types = [\"authorization_code\", \"refresh_token\", \"client_credentials\", \"{EXCHANGE}\"]\n\
             scope = \"openid profile email offline_access grant_management_query grant_management_revoke \
             {ALL_SCOPES}\"\n{reach}\n",
            hex(&format!("the secret of {id}"))
        );
        credentials.insert(id.into(), authentication);
    }
    for (id, identifier) in [("orders-api", ORDERS), ("inventory-api", INVENTORY)] {
        let key = Arc::new(Key::generate());
        let _ = writeln!(
            toml,
            "[[clients]]\nid = \"{id}\"\nname = \"The {id}\"\nkind = \"service\"\n\
             authentication = \"private_key_jwt\"\njwks = {}\nresource_server = \"{identifier}\"\n\
             grant_types = [\"client_credentials\", \"{EXCHANGE}\"]\nscope = \"{ALL_SCOPES}\"\n{reach}\n",
            key.jwks_toml()
        );
        credentials.insert(id.into(), Authentication::PrivateKeyJwt(key));
    }
    for id in ["agent-a", "agent-b", "agent-c"] {
        let key = Arc::new(Key::generate());
        let _ = writeln!(
            toml,
            "[[agents]]\nid = \"{id}\"\nname = \"{id} the agent\"\nowner = \"bob\"\npurpose = \"Does what it is told.\"\n\
             expires = 2099-01-01T00:00:00Z\nredirect_uris = [\"https://{id}.example/callback\"]\n\
             scope = \"openid offline_access tasks {ALL_SCOPES}\"\n{reach}\njwks = {}\n",
            key.jwks_toml()
        );
        credentials.insert(id.into(), Authentication::PrivateKeyJwt(key));
    }
    (toml, credentials)
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// `secret_sha256` of a secret.
#[must_use]
pub fn secret_sha256(secret: &str) -> String {
    hex(secret)
}

fn hex(secret: &str) -> String {
    digest(&SHA256, secret.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
