//! Who may import whom. A row names a room (a module of `server/src`, or a part of one) and the rooms it may import.

/// What every room may borrow, and what that stands on.
const GROUND: &[&str] = &[
    "app",
    "attempts",
    "clock",
    "config",
    "failure",
    "issuer_keys",
    "jose",
    "key_sets",
    "mail",
    "logos",
    "outbound",
    "registry",
    "secret",
    "status_lists",
    "store",
    "upstreams",
    "tls",
    "trusted_issuers",
    "workloads",
    "webhooks",
];
/// The trades. None imports another, but for the exceptions in their rows.
const TRADES: &[&str] = &[
    "approvals",
    "authorization",
    "caller",
    "details_types",
    "endings",
    "federation",
    "logout",
    "receipts",
    "registration",
    "sign_in",
    "tasks",
    "tokens",
];

/// Room by room, from the ground up.
pub const ROOMS: &[(&str, &[&[&str]])] = &[
    ("clock", &[]),
    ("secret", &[]),
    ("attempts", &[]),
    ("config", &[&["secret"]]),
    ("jose", &[&["secret"]]),
    ("mail", &[&["config"]]),
    ("outbound", &[&["config", "secret"]]),
    ("logos", &[&["outbound"]]),
    ("store", &[&["secret"]]),
    ("upstreams", &[&["config", "outbound", "secret"]]),
    ("key_sets", &[&["config", "outbound"]]),
    ("tls", &[&["config"]]),
    ("issuer_keys", &[&["jose", "key_sets", "outbound"]]),
    ("workloads", &[&["config", "issuer_keys", "jose", "key_sets", "outbound", "tls"]]),
    ("trusted_issuers", &[&["issuer_keys", "jose"]]),
    ("webhooks", &[&["secret", "store"]]),
    ("failure", &[&["jose", "store"]]),
    ("registry", &[&["failure", "store"]]),
    ("status_lists", &[&["failure", "jose", "secret", "store"]]),
    ("app", &[GROUND]),
    ("keys", &[GROUND]),
    // A caller is what the others act for; an authorization of an agent opens a task.
    // What waits for a user's word is an authorization, and some of it is redeemed for the client it is pushed to.
    ("approvals", &[GROUND, &["authorization", "caller", "grants", "sign_in"]]),
    ("authorization", &[GROUND, &["caller", "registration", "tasks"]]),
    // Who a client is may stand in a document that has to be fetched first.
    ("caller", &[GROUND, &["registration"]]),
    // A task is stopped as tasks are, whoever stops it.
    ("endings", &[GROUND, &["tasks"]]),
    ("details_types", &[GROUND]),
    ("federation", &[GROUND]),
    ("registration", &[GROUND]),
    ("logout", &[GROUND]),
    ("sign_in", &[GROUND]),
    ("tasks", &[GROUND]),
    ("receipts", &[GROUND]),
    ("tokens", &[GROUND, &["caller"]]),
    ("grants", &[GROUND, &["caller", "federation", "tasks", "tokens"]]),
    ("endpoints", &[GROUND, TRADES, &["certification", "grants"]]),
    ("pages", &[GROUND, TRADES, &["pages/views"]]),
    // Views know nothing but values: what they show is given to them.
    ("pages/views", &[]),
    ("visit", &[&["app", "config", "secret", "tls"]]),
    ("router", &[&["app", "failure", "federation", "endpoints", "pages", "visit"]]),
    ("certification", &[GROUND, &["keys"]]),
    (
        "serve",
        &[&[
            "app",
            "approvals",
            "certification",
            "config",
            "keys",
            "logout",
            "registration",
            "router",
            "tls",
        ]],
    ),
    ("start", &[GROUND, &["keys", "sign_in"]]),
    (
        "cli",
        &[&[
            "certification",
            "clock",
            "config",
            "jose",
            "keys",
            "outbound",
            "secret",
            "serve",
            "start",
            "store",
            "tls",
            "cli/demo",
        ]],
    ),
    ("cli/hash", &[]),
    ("cli/users", &[&["cli", "clock", "secret", "sign_in", "store"]]),
    // It plays all parts of the story against an open house, over HTTP.
    ("cli/demo", &[GROUND, &["cli", "serve", "start"]]),
    ("lib", &[]),
    ("main", &[&["cli"]]),
];

/// Rooms that may be empty.
pub const MAY_BE_MISSING: &[&str] = &["cli/demo", "lib"];

/// Libraries, and the only rooms that may use them. What is not listed may be used anywhere.
pub const KEEPERS: &[(&[&str], &[&str])] = &[
    (&["axum"], &["router", "serve", "visit", "endpoints", "pages", "cli/demo"]),
    (&["tower", "tower_http"], &["router", "serve"]),
    (&["flate2"], &["status_lists"]),
    (&["tower_sessions"], &["router", "pages"]),
    (&["hyper", "hyper_util"], &["serve", "cli/demo"]),
    (&["http", "http_body_util"], &["endpoints", "pages", "cli/demo"]),
    (&["askama", "askama_web", "fluent_templates"], &["pages", "pages/views"]),
    (&["sea_orm", "sea_orm_migration", "sqlx", "entity", "migration"], &["store"]),
    (&["josekit"], &["jose"]),
    (&["aws_lc_rs"], &["jose", "secret", "config", "cli/hash", "cli/demo"]),
    (&["argon2"], &["sign_in", "config", "cli/hash", "cli/demo"]),
    (&["lettre"], &["mail"]),
    (&["totp_rs", "webauthn_rs"], &["sign_in"]),
    (&["qrcode"], &["pages/views"]),
    (&["reqwest"], &["outbound", "cli/demo"]),
    (&["oauth2", "openidconnect"], &["cli/demo", "federation", "upstreams"]),
    (&["chrono"], &["federation"]),
    (&["figment"], &["config"]),
    // The PEM of a certificate is read where it arrives.
    (&["rustls", "tokio_rustls"], &["outbound", "tls", "visit", "cli/demo"]),
    (&["x509_parser"], &["tls"]),
    (&["clap", "anyhow"], &["cli", "cli/hash", "cli/users", "cli/demo", "main"]),
    (&["tracing_subscriber"], &["config", "cli"]),
];

/// Everything that the law may depend on.
pub const LAW: &[&str] = &[
    "base64",
    "jsonschema",
    "serde",
    "serde_json",
    "serde_json_canonicalizer",
    "sha2",
    "subtle",
    "thiserror",
    "time",
    "url",
];

/// What of the standard library and the language the law must not know: I/O, clock, chance and waiting.
pub const LAW_MAY_NOT: &[&str] = &[
    "async",
    "await",
    "SystemTime",
    "Instant",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::thread",
    "std::time",
];
