//! What is refused among declared things: the example with one thing wrong at a time.

use super::{EXAMPLE, refused};

/// Each mutilation of the example: what is replaced, by what, the key that is told and a part of the reason.
#[test]
fn the_example_with_one_thing_wrong_is_refused_for_that_thing_alone() {
    let refund_x = "og1b0QL38pVYeuKR-NFIST98pr8tiQaSba2AcdQAwQQ";
    let refund_y = "i8zz-FfbhIe6R68cllVeh3fa2zGYmzNz3K2JQxQ-SJI";
    let lookup_key = "x = \"jqjie16nuHvcdw1Bis0fSnV5pweCJl7xn0Eqx9_-LPY\", y = \"eKDQzLhGRA7qoW6FcyGSvGDe46beSVE4jIm_SZ2yIfM\"";
    let shared_key = format!("x = \"{refund_x}\", y = \"{refund_y}\"");
    let private_key = format!("{lookup_key}, d = \"{refund_x}\"");
    let cases: &[(&str, &str, &str, &str)] = &[
        (lookup_key, &shared_key, "agents[1].jwks", "shares a public key with agents[0]"),
        // references to nothing
        ("owner = \"bob\"\n\n", "owner = \"carol\"\n\n", "agents[0].owner", "no user is named \"carol\""),
        (
            "scope = \"orders:read\"\nresources = [\"https://orders.example\"]\nauthor",
            "scope = \"orders:fly\"\nresources = [\"https://orders.example\"]\nauthor",
            "agents[1].scope",
            "no resource server declares \"orders:fly\"",
        ),
        (
            "resource_server = \"https://orders.example\"",
            "resource_server = \"https://orders.example/\"",
            "clients[1].resource_server",
            "no resource server is",
        ),
        (
            "details_types = [\"agent_task\", \"order_access\"]\n\n# \"jwt\"",
            "details_types = [\"agent_tusk\"]\n\n# \"jwt\"",
            "resource_servers[0].details_types",
            "no details type is named",
        ),
        (
            "authorization_details_types = [\"agent_task\", \"order_access\"]\n\n",
            "authorization_details_types = [\"none\"]\n\n",
            "clients[0].authorization_details_types",
            "no details type is named \"none\"",
        ),
        (
            "scope = \"orders:read\"\nresources = [\"https://orders.example\"]\n\n",
            "scope = \"orders:read\"\nresources = [\"https://o.example\"]\n\n",
            "clients[1].resources",
            "no resource server is \"https://o.example\"",
        ),
        (
            "client = \"orders-api\"",
            "client = \"order-api\"",
            "rules[0].client",
            "no client or agent has the id \"order-api\"",
        ),
        ("actor = \"lookup-agent\"", "actor = \"look-agent\"", "rules[1].actor", "no client or agent"),
        (
            "subjects = [\"alice\", \"bob\"]",
            "subjects = [\"alice\", \"Bob\"]",
            "rules[0].subjects",
            "no user is named \"Bob\"",
        ),
        (
            "resources = [\"https://orders.example\"]\n\n[[rules]]",
            "resources = [\"https://x.example\"]\n\n[[rules]]",
            "rules[0].resources",
            "no resource server is",
        ),
        // rules that restrain
        (
            "approver = \"owner\"",
            "approver = \"boss\"",
            "rules[2].approver",
            "must be subject, owner, manager, or user: and a username",
        ),
        (
            "approver = \"owner\"",
            "approver = \"user:carol\"",
            "rules[2].approver",
            "no user is named \"carol\"",
        ),
        (
            "approver_acr = \"urn:procura:acr:multi-factor\"",
            "approver_acr = \"gold\"",
            "rules[2].approver_acr",
            "must be one of",
        ),
        (
            "actor = \"lookup-agent\"",
            "actor = \"lookup-agent\"\napprover_acr = \"phr\"",
            "rules[1].approver_acr",
            "only a rule with effect ask demands",
        ),
        (
            "details_type = \"order_access\"",
            "details_type = \"none\"",
            "rules[2].details_type",
            "no details type is named \"none\"",
        ),
        ("details_type = \"order_access\"\n", "", "rules[2].actions", "names actions of no details_type"),
        (
            "actions = [\"refund\"]\nscope = \"orders:write\"",
            "actions = [\"refund\"]\nscope = \"orders:fly\"",
            "rules[2].scope",
            "no resource server declares \"orders:fly\"",
        ),
        // a name that is misspelt asks nobody
        (
            "actions = [\"refund\"]\nscope",
            "actions = [\"refnd\"]\nscope",
            "rules[2].actions",
            "the schema of \"order_access\" lists no action \"refnd\"",
        ),
        (
            "approval_needed = false",
            "approval_needed = [\"refnd\"]",
            "details_types[0].approval_needed",
            "the schema lists no value \"refnd\"",
        ),
        (
            "levels = { read = \"low\"",
            "levels = { raed = \"low\"",
            "details_types[0].risk.levels.raed",
            "is no value that the schema lists",
        ),
        (
            "max_amount = \"At most {max_amount} euros\"",
            "max_amout = \"At most {max_amount} euros\"",
            "details_types[0].words.en.fields.max_amout",
            "is no property of the schema",
        ),
        ("effect = \"ask\"", "effect = \"deny\"", "rules[2].approver", "only a rule with effect ask"),
        (
            "actor = \"lookup-agent\"",
            "actor = \"lookup-agent\"\nscope = \"orders:read\"",
            "rules[1].effect",
            "only a rule with effect ask or deny",
        ),
        (
            "actor = \"lookup-agent\"",
            "actor = \"lookup-agent\"\napprover = \"owner\"",
            "rules[1].approver",
            "only a rule with effect ask names an approver",
        ),
        ("client = \"orders-api\"\n", "", "rules[0].client", "is missing"),
        // users
        (
            "username = \"bob\"\nname = \"Bob Brandt\"",
            "username = \"bob\"\nname = \" \"",
            "users[1].name",
            "1 to 200 characters",
        ),
        ("email = \"bob@orders.example\"", "email = \"bob\"", "users[1].email", "must be an e-mail address"),
        ("email = \"bob@orders.example\"", "", "users[1].email_verified", "no email"),
        (
            "# password_hash = \"$argon2id$v=19$m=19456,t=2,p=1$…$…\"",
            "password_hash = \"$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"",
            "users[0].password_hash",
            "Argon2id",
        ),
        (
            "# password_hash = \"$argon2id$v=19$m=19456,t=2,p=1$…$…\"",
            "password_hash = \"$argon2id$v=19$m=19456,t=2,p=1\"",
            "users[0].password_hash",
            "Argon2id",
        ),
        ("locale = \"en\"", "sub = \"1\"", "users[0].claims.sub", "not for the table of claims"),
        // resource servers
        (
            "\"orders:write\" = \"Change, cancel and refund your orders\"",
            "\"orders:write\" = { de = \"x\" }",
            "resource_servers[0].scopes.orders:write",
            "English are missing",
        ),
        (
            "\"orders:write\" = \"Change, cancel and refund your orders\"",
            "\"orders:write\" = \" \"",
            "resource_servers[0].scopes.orders:write",
            "must not be empty",
        ),
        (
            "\"orders:write\" = \"Change",
            "email = \"x\"\n\"orders:write\" = \"Change",
            "resource_servers[0].scopes.email",
            "belongs to OpenID Connect",
        ),
        (
            "token_life = \"2m\"\n\n# Its scopes",
            "token_life = \"2d\"\n\n# Its scopes",
            "resource_servers[0].token_life",
            "1 to 86400",
        ),
        (
            "token_format = \"jwt\"",
            "token_format = \"saml\"",
            "resource_servers[0].token_format",
            "one of jwt, opaque",
        ),
        (
            "signing_alg = \"ES256\"\n\n# The life",
            "signing_alg = \"HS256\"\n\n# The life",
            "resource_servers[0].signing_alg",
            "one of ES256",
        ),
        // clients
        (
            "http://127.0.0.1:8400/callback",
            "http://shop.example/callback",
            "clients[0].redirect_uris[0]",
            "must be https",
        ),
        (
            "http://127.0.0.1:8400/\"",
            "http://127.0.0.1:8400/#\"",
            "clients[0].post_logout_redirect_uris[0]",
            "fragment",
        ),
        (
            "redirect_uris = [\"https://agents.orders.example/refund/callback\"]",
            "",
            "agents[0].redirect_uris",
            "is empty",
        ),
        (
            "grant_types = [\"authorization_code\", \"refresh_token\"]\n\n# The most it",
            "grant_types = [\"client_credentials\"]\n\n# The most it",
            "clients[0].grant_types",
            "public client may not have client_credentials",
        ),
        (
            "grant_types = [\"authorization_code\", \"refresh_token\"]\n\n# The most it",
            "grant_types = [\"urn:ietf:params:oauth:grant-type:token-exchange\"]\n\n# The most it",
            "clients[0].grant_types",
            "public client may not have urn:",
        ),
        (
            "grant_types = [\"authorization_code\", \"refresh_token\"]\n\n# The most it",
            "grant_types = []\n\n# The most it",
            "clients[0].grant_types",
            "at least one",
        ),
        (
            "grant_types = [\"authorization_code\", \"refresh_token\"]\n\n# The most it",
            "grant_types = [\"password\"]\n\n# The most it",
            "clients[0].grant_types[0]",
            "must be one of",
        ),
        // the admin API
        ("admin_api = true\n", "", "clients[2].scope", "only a client with admin_api"),
        (
            "admin_api = true\n",
            "admin_api = true\nresources = [\"https://a.example/admin/api\"]\n",
            "clients[2].resources",
            "no resource server is",
        ),
        (
            "name = \"Operations\"\nkind = \"service\"",
            "name = \"Operations\"\nkind = \"application\"\ngrant_types = [\"client_credentials\"]",
            "clients[2].kind",
            "is a service",
        ),
        (
            "admin_api = true\n",
            "admin_api = true\ngrant_types = [\"client_credentials\", \"urn:ietf:params:oauth:grant-type:token-exchange\"]\n",
            "clients[2].grant_types",
            "client_credentials and nothing else",
        ),
        (
            "authentication = \"none\"",
            "authentication = \"private_key_jwt\"",
            "clients[0].jwks",
            "is missing",
        ),
        (
            "authentication = \"none\"",
            "authentication = \"client_secret_post\"",
            "clients[0].secret_sha256",
            "is missing",
        ),
        (
            "authentication = \"none\"",
            "authentication = \"none\"\nsecret_sha256 = \"00\"",
            "clients[0].secret_sha256",
            "has no secret",
        ),
        (
            "authentication = \"none\"",
            "authentication = \"none\"\njwks = { keys = [] }\njwks_uri = \"https://x.example/\"",
            "clients[0].jwks",
            "write one of",
        ),
        (
            "profile = \"oauth2.1\"\n\n# What else",
            "profile = \"fapi2\"\napplication_type = \"native\"\n\n# What else",
            "clients[0].authentication",
            "fapi2 does not permit none",
        ),
        (
            "profile = \"oauth2.1\"\n\n# What else",
            "subject_type = \"both\"\n\n# What else",
            "clients[0].subject_type",
            "public, pairwise",
        ),
        (
            "# jwks_uri = \"https://orders.example/jwks.json\"",
            "jwks_uri = \"https://orders.example/jwks.json\"",
            "clients[1].jwks",
            "write one of",
        ),
        (
            "authentication = \"none\"",
            "authentication = \"client_secret_post\"\nsecret_sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
            "clients[0].secret_sha256",
            "SHA-256 of nothing",
        ),
        (
            "authentication = \"none\"",
            "authentication = \"client_secret_post\"\nsecret_sha256 = \"7357e0195006ea26789bd4c33f0cc1921b7ff974fc65d67aab26c5827dc757\"",
            "clients[0].secret_sha256",
            "64 hexadecimal",
        ),
        (lookup_key, &private_key, "agents[1].jwks.keys[0]", "private part"),
        (
            "# jwks_file = \"orders-api.jwks.json\"",
            "jwks_file = \"x.json\"",
            "clients[1].jwks",
            "write one of",
        ),
        ("kind = \"application\"", "kind = \"agent\"", "clients[0].kind", "one of application, service"),
        // agents
        (
            "purpose = \"Finds orders and their state for other agents.\"",
            "purpose = \"\"",
            "agents[1].purpose",
            "1 to 1000",
        ),
        ("expires = 2030-06-30T00:00:00Z\n\n", "expires = 2030-06-30\n\n", "agents[0].expires", "RFC 3339"),
        ("expires = 2030-06-30T00:00:00Z\n\n", "", "agents[0].expires", "is missing"),
        ("max_chain_depth = 2", "max_chain_depth = 11", "agents[0].max_chain_depth", "from 1 to 10"),
        (
            "Default: \"private_key_jwt\".\nauthentication = \"private_key_jwt\"",
            "Default: \"private_key_jwt\".\nauthentication = \"client_secret_basic\"",
            "agents[0].authentication",
            "a key that nobody else has",
        ),
        // details types
        ("[details_types.schema]\n", "[details_types.schema]\ntype = 5\n", "details_types[0].schema", ""),
        (
            "{actions}\"\nfields = { orders = \"Only",
            "{acts}\"\nfields = { orders = \"Only",
            "details_types[0].words",
            "acts",
        ),
        (
            "[details_types.narrowing]\n",
            "[details_types.narrowing]\nlimit = \"max\"\n",
            "details_types[0].narrowing.limit",
            "no property",
        ),
        (
            "max_amount = { rule = \"max\"",
            "max_amount = { rule = \"prefix\"",
            "details_types[0].narrowing.max_amount",
            "the rule is for texts",
        ),
        (
            "max_amount = { type = \"number\", minimum = 0 }",
            "max_amount = { type = \"number\", format = \"money\" }",
            "details_types[0].schema",
            "/properties/max_amount/format names a format",
        ),
        (
            "[details_types.schema]\n",
            "[details_types.schema]\ntype = \"array\"\n",
            "details_types[0].schema",
            "no object",
        ),
        ("name = \"Ihre Bestellungen\"", "name = \"\"", "details_types[0].words.de.name", "empty"),
        (
            "[details_types.words.de]",
            "[details_types.words.de_DE]",
            "details_types[0].words.de_DE",
            "language tag",
        ),
        ("[details_types.words.en]", "[details_types.words.fr]", "details_types[0].words", "`en` is missing"),
        ("\nmax_life = \"5m\"", "\nmax_life = 0", "details_types[0].max_life", "positive"),
        (
            "\nmax_life = \"5m\"",
            "\nmax_life = 60\nschema_json = \"{}\"",
            "details_types[0].schema",
            "either schema",
        ),
        // rules
        ("effect = \"may_act\"", "effect = \"may_fly\"", "rules[0].effect", "one of may_act"),
        (
            "effect = \"may_act\"",
            "effect = \"may_act\"\nactor = \"lookup-agent\"",
            "rules[0].actor",
            "only a rule with effect actor_token",
        ),
        ("actor = \"lookup-agent\"", "", "rules[1].actor", "is missing"),
        ("actor = \"lookup-agent\"", "actor = \"refund-agent\"", "rules[1].actor", "another client"),
        (
            "actor = \"lookup-agent\"",
            "actor = \"lookup-agent\"\nsubjects = [\"bob\"]",
            "rules[1].effect",
            "neither subjects nor resources",
        ),
        ("subjects = [\"alice\", \"bob\"]", "subjects = []", "rules[0].subjects", "names nobody"),
        (
            "effect = \"may_act\"\n\n# The usernames that it speaks of. Default: everybody; impersonate must name them.\nsubjects = [\"alice\", \"bob\"]",
            "effect = \"impersonate\"",
            "rules[0].subjects",
            "must name the users",
        ),
        (
            "resources = [\"https://orders.example\"]\n\n[[rules]]",
            "\n[[rules]]",
            "rules[0].resources",
            "must name the resource servers",
        ),
        // claims of the wrong type, and names for users without a sector to be for
        (
            "family_name = \"Arnold\", locale = \"en\"",
            "family_name = \"Arnold\", birthdate = \"yesterday\"",
            "users[0].claims.birthdate",
            "OpenID Connect Core 5.1",
        ),
        (
            "id = \"orders-api\"\n",
            "id = \"orders-api\"\nsubject_type = \"pairwise\"\n",
            "clients[1].subject_type",
            "sector_identifier_uri",
        ),
    ];
    let mut surprises = Vec::new();
    for (from, to, key, reason) in cases {
        assert_eq!(EXAMPLE.matches(from).count(), 1, "stands not once in the example: {from}");
        let problems = refused(&EXAMPLE.replace(from, to));
        let as_expected = match problems.as_slice() {
            [told] => told.starts_with(&format!("t.toml: {key}: ")) && told.contains(reason),
            _ => false,
        };
        if !as_expected {
            surprises.push((to, problems));
        }
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
}

#[test]
fn a_client_and_a_resource_server_may_not_have_one_name() {
    let text = EXAMPLE.replace("id = \"orders-api\"", "id = \"https://orders.example\"");
    let problems = refused(&text);
    assert!(problems[0].starts_with("t.toml: resource_servers[0].identifier: "), "{problems:?}");
}

#[test]
fn names_that_must_be_unique_are_told_where_they_stand_twice() {
    let user = |name: &str| format!("[[users]]\nusername={name:?}\nname=\"U\"\n");
    let server = "[[resource_servers]]\nidentifier=\"https://o.example\"\nname=\"O\"\nscopes={}\n";
    let client = "[[clients]]\nid=\"c\"\nname=\"C\"\nkind=\"application\"\nauthentication=\"none\"\n\
                  redirect_uris=[\"https://c.example\"]\n";
    let details_type = "[[details_types]]\nname=\"t\"\nschema={}\nwords={en={name=\"T\",sentence=\"t\"}}\n";
    for (text, problem) in [
        (user("alice") + &user("Alice"), "users[1].username: \"alice\" is already users[0].username"),
        (
            server.repeat(2),
            "resource_servers[1].identifier: \"https://o.example\" is already resource_servers[0].identifier",
        ),
        (client.repeat(2), "clients[1].id: \"c\" is already clients[0].id"),
        (details_type.repeat(2), "details_types[1].name: \"t\" is already details_types[0].name"),
    ] {
        assert_eq!(refused(&text), [format!("t.toml: {problem}")]);
    }
}

#[test]
fn an_agent_may_not_have_the_id_of_a_client_nor_a_rule_that_of_another() {
    let agent = refused(&EXAMPLE.replace("id = \"lookup-agent\"\nname", "id = \"orders-api\"\nname"));
    assert_eq!(agent[0], "t.toml: agents[1].id: \"orders-api\" is already clients[1].id");
    let from = "lookup-agent-works-for-refund-agent";
    let rule = refused(&EXAMPLE.replace(from, "orders-api-acts-for-its-callers"));
    assert_eq!(rule, ["t.toml: rules[1].id: \"orders-api-acts-for-its-callers\" is already rules[0].id"]);
}

#[test]
fn a_schema_that_names_a_member_twice_is_none() {
    let text = "[[details_types]]\nname=\"t\"\nschema_json='{\"properties\":{\"a\":{\"const\":1,\"const\":2}}}'\n\
                words={en={name=\"T\",sentence=\"t\"}}\n";
    let problems = refused(text);
    assert!(
        matches!(&problems[..], [one] if one.contains("details_types[0].schema_json: is not JSON")),
        "{problems:?}"
    );
}
