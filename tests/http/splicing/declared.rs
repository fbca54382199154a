//! What is declared in the house of the stories, and the keys of those who speak for others there.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Authentication, House, INVENTORY, Key, ORDERS, random};

use super::details::DECLARED;
use super::letters::{GRANTS_ONLY, PARTNER, PLATFORM};
use super::parties::LONGEST;

/// The keys of those whom the house knows by them.
pub(super) struct Keys {
    pub(super) agent_d: Arc<Key>,
    /// The partner's, and of the issuer that is trusted with something else.
    pub(super) partner: Key,
    pub(super) platform: Arc<Key>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            agent_d: Arc::new(Key::generate()),
            partner: Key::generate(),
            platform: Arc::new(Key::generate()),
        }
    }
}

impl Keys {
    /// How a workload of the platform proves who it is: with a fresh token each time.
    pub(super) fn vouched_for(&self, house: &House, id: &'static str) -> Authentication {
        let (platform, door) = (Arc::clone(&self.platform), house.door().clone());
        let token = move || platform.sign(&header(), &of_workload(&door.issuer, id, door.now().0));
        Authentication::Platform("jwt-bearer", Arc::new(token))
    }
}

pub(super) fn header() -> Value {
    json!({ "alg": "ES256", "typ": "JWT" })
}

/// The claims of the platform's token for the workload of this name.
pub(super) fn of_workload(issuer: &str, id: &str, now: i64) -> Value {
    json!({
        "iss": PLATFORM, "sub": format!("repo:acme/{id}"), "aud": issuer, "iat": now, "exp": now + 250,
        "jti": random(), "repository": format!("acme/{id}")
    })
}

/// An agent of this id, with more in its table.
fn agent(id: &str, scope: &str, more: &str) -> String {
    format!(
        "[[agents]]\nid = \"{id}\"\nname = \"{id}\"\nowner = \"bob\"\npurpose = \"Does what it is told.\"\n\
         expires = 2099-01-01T00:00:00Z\nredirect_uris = [\"https://{id}.example/callback\"]\n\
         scope = \"openid offline_access tasks {scope}\"\n{more}\n"
    )
}

/// The house's configuration around `town`.
pub(super) fn declared(keys: &Keys, town: String) -> String {
    let rule = |id: &str, client: &str, more: &str| {
        format!("[[rules]]\nid = \"{id}\"\nclient = \"{client}\"\n{more}\n")
    };
    let rules = [
        rule("orders-go-on", "orders-api", &format!("effect = \"may_act\"\nresources = [\"{INVENTORY}\"]")),
        rule("orders-for-a", "orders-api", "effect = \"actor_token\"\nactor = \"agent-a\""),
        rule("orders-for-runner", "orders-api", "effect = \"actor_token\"\nactor = \"runner\""),
    ];
    let both = format!("resources = [\"{ORDERS}\", \"{INVENTORY}\"]");
    let types = "authorization_details_types = [\"refund\", \"seal\"]";
    let grants = "grant_types = [\"authorization_code\", \"refresh_token\", \"client_credentials\", \
                  \"urn:ietf:params:oauth:grant-type:token-exchange\"]";
    let workload = |id: &str| {
        format!(
            "authentication = \"workload_jwt\"\n{grants}\n\
             workload = {{ issuer = \"{PLATFORM}\", claims = {{ repository = \"acme/{id}\" }} }}"
        )
    };
    let agents = [
        agent(
            "agent-d",
            "orders:read orders:write inventory:read",
            &format!(
                "{both}\nauthorization_details_types = [\"seal\"]\nmax_chain_depth = 2\njwks = {}",
                keys.agent_d.jwks_toml()
            ),
        ),
        agent(
            "runner",
            "orders:read orders:write",
            &format!(
                "resources = [\"{ORDERS}\"]\nauthorization_details_types = [\"refund\"]\n{}",
                workload("runner")
            ),
        ),
        agent(
            "other",
            "orders:read orders:write inventory:read inventory:write",
            &format!("{both}\n{types}\n{}", workload("other")),
        ),
    ];
    let trusted = |issuer: &str, purpose: &str| {
        format!(
            "[[trusted_issuers]]\nissuer = \"{issuer}\"\njwks = {}\npurposes = [\"{purpose}\"]\n\
             clients = [\"agent-a\", \"agent-b\", \"orders-api\"]\n\
             scope = \"orders:read orders:write inventory:read\"\n\
             authorization_details_types = [\"refund\"]\n",
            keys.partner.jwks_toml()
        )
    };
    let issuers = [
        trusted(PARTNER, "subject_tokens"),
        trusted(GRANTS_ONLY, "authorization_grants"),
        format!("[[workload_issuers]]\nissuer = \"{PLATFORM}\"\njwks = {}\n", keys.platform.jwks_toml()),
    ];
    // The orders know both types, the inventory refunds alone; everybody who was here before may use both.
    let town = town.replace("\"mcp_tool\"]", "\"mcp_tool\", \"refund\"]");
    let town = town.replacen("\"refund\"]", "\"refund\", \"seal\"]", 1);
    let may = "authorization_details_types = [\"agent_task\", \"mcp_tool\", \"refund\"";
    let town = town.replace(&format!("{may}]"), &format!("{may}, \"seal\"]"));
    format!(
        "max_chain_depth = {LONGEST}\n{}{}{}{DECLARED}\n{town}",
        rules.concat(),
        agents.concat(),
        issuers.concat()
    )
}
