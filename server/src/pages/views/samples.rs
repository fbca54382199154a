//! Every page with realistic content, and with hostile content, for the tests.

use askama::Template as _;
use protocol::audit::Outcome;
use protocol::authorization_details::RiskLevel;
use protocol::client::ClientStatus;
use protocol::client_rules::{self, Line, Source, Topic, Words};
use protocol::numeric_date::{NumericDate, Seconds};
use protocol::task::{Intent, TaskStatus};

use super::*;

/// A page under a name.
pub struct Sample {
    pub name: &'static str,
    pub html: String,
}

/// What others wrote: as it is, or hostile. A hostile text still holds the harmless one.
#[derive(Clone, Copy)]
pub struct Theirs {
    pub hostile: bool,
}

impl Theirs {
    fn s(self, text: &str) -> String {
        if self.hostile { format!("{text}<script>alert(1)</script>\"'\u{202e}") } else { text.to_owned() }
    }

    fn some(self, text: &str) -> Option<String> {
        Some(self.s(text))
    }
}

const NOW: NumericDate = NumericDate(1_796_000_000);

fn agent(t: Theirs) -> ActorInWords {
    ActorInWords {
        name: t.s("Refund Agent"),
        is_agent: true,
        owner_name: t.some("Olga Owner"),
        purpose: t.some("Answers customers and refunds what they are owed"),
        expires_at: Some(NOW.plus(Seconds::days(90))),
    }
}

fn task(t: Theirs) -> Intent {
    Intent {
        purpose: t.some("Refund order 4711, which arrived broken"),
        reference: t.some("TICKET-2081"),
        success_criteria: vec![t.s("The customer has the money back")],
        limits: vec![t.s("Never more than the order cost"), t.s("No letters to the customer")],
    }
}

pub fn details(t: Theirs) -> Vec<DetailEntry> {
    let entry = |index, type_name: &str, sentence: &str, lines: &[&str], risk| DetailEntry {
        index,
        type_name: t.s(type_name),
        sentence: t.s(sentence),
        lines: lines.iter().map(|line| t.s(line)).collect(),
        risk,
        mark: None,
    };
    vec![
        entry(
            0,
            "A task",
            "Do this: refund",
            &["Only at https://api.shop.example/orders", "At most 50", "In EUR"],
            RiskLevel::High,
        ),
        entry(
            1,
            "Tools of an MCP server",
            "Use find_order, add_note on https://mcp.shop.example",
            &["At most 20 calls"],
            RiskLevel::Medium,
        ),
        entry(2, "Secrets in Vault", "In Vault, at shop/orders/*: read, list", &[], RiskLevel::Low),
    ]
}

pub fn scopes(t: Theirs) -> Vec<ScopeEntry> {
    let entry = |value: &str, words: &str, resource: Option<&str>, required| ScopeEntry {
        value: t.s(value),
        words: t.s(words),
        resource_name: resource.map(|name| t.s(name)),
        required,
        mark: None,
    };
    vec![
        entry("openid", "Know who you are", None, true),
        entry("orders.read", "See your orders", Some("Shop API"), false),
        entry("orders.refund", "Refund your orders", Some("Shop API"), false),
    ]
}

pub fn consent(language: Language, t: Theirs) -> ConsentPage {
    ConsentPage {
        page: Page::for_user(language, t.s("Alice Example"), false),
        csrf: t.s("csrf-1"),
        interaction: t.s("i_1"),
        asked: Asked::ForActor { client_name: t.s("Shop Assistant"), actor: agent(t) },
        marks: marks(t),
        introduced: None,
        return_host: t.some("shop.example"),
        task: Some(task(t)),
        resources: vec![ResourceInWords {
            name: t.s("Shop API"),
            identifier: t.s("https://api.shop.example"),
        }],
        scopes: scopes(t),
        claims: vec![],
        details: details(t),
        durations: OfferedDuration::up_to(Seconds::days(1), language),
        passing_on_max: 2,
        offline_access: true,
        standing: None,
        refused: None,
        afar: None,
    }
}

fn consents(language: Language, t: Theirs) -> Vec<(&'static str, ConsentPage)> {
    let whole = consent(language, t);
    let client_name = t.s("Order Book");
    let plain = ConsentPage {
        asked: Asked::Application { client_name },
        claims: ["email", "birthdate"].into_iter().filter_map(claim_key).collect(),
        task: None,
        details: vec![],
        passing_on_max: 0,
        offline_access: false,
        refused: Some(ConsentRefused::NothingLeft),
        ..whole.clone()
    };
    let itself = ConsentPage {
        asked: Asked::Actor(agent(t)),
        scopes: vec![],
        passing_on_max: 1,
        offline_access: false,
        ..whole.clone()
    };
    let service =
        ActorInWords { is_agent: false, owner_name: None, purpose: None, expires_at: None, ..agent(t) };
    let by_service = ConsentPage {
        asked: Asked::Actor(service.clone()),
        scopes: vec![],
        details: vec![],
        task: Some(Intent::default()),
        refused: Some(ConsentRefused::FormTooOld),
        ..whole.clone()
    };
    let for_service = ConsentPage {
        asked: Asked::ForActor { client_name: t.s("Order Book"), actor: service },
        ..whole.clone()
    };
    let from_device = Afar::Device {
        user_code: t.s("WDJB-MJHT"),
        from: t.some("203.0.113.7"),
        from_here: false,
        asked_at: NOW,
    };
    let on_device = ConsentPage { afar: Some(from_device), return_host: None, ..whole.clone() };
    let binding_message = t.some("W4SCT");
    let from_afar = Afar::Backchannel { id: "req_1".into(), binding_message, asked_at: NOW };
    let from_afar = ConsentPage { afar: Some(from_afar), return_host: None, ..itself.clone() };
    let introduced = |document_host, is_here| {
        let client_name = t.s("Somebody's Agent");
        let introduced = Introduced { document_host, return_host: t.some("shop.example"), is_here };
        ConsentPage {
            asked: Asked::Application { client_name },
            introduced: Some(introduced),
            ..whole.clone()
        }
    };
    let standing = |replaced: bool| {
        let entry = |sentence: &str, lines: &[&str], stays| StandingEntry {
            what: Permitted { sentence: t.s(sentence), lines: lines.iter().map(|line| t.s(line)).collect() },
            stays,
        };
        let entries = vec![
            entry("In Vault, at shop/orders/*: read, list", &[], true),
            entry("Do this: refund", &["At most 20", "In EUR"], !replaced),
            entry("See your orders", &[], true),
        ];
        let mut page = ConsentPage { task: None, ..whole.clone() };
        page.standing = Some(Standing { replaced, until: NOW, entries });
        page.details.iter_mut().for_each(|entry| entry.mark = Some(Mark::New));
        page.scopes.iter_mut().for_each(|entry| entry.mark = Some(Mark::Already));
        page.refused = (!replaced).then_some(ConsentRefused::Inseparable);
        page
    };
    vec![
        ("consent-merge", standing(false)),
        ("consent-replace", standing(true)),
        ("consent-registered-itself", introduced(None, false)),
        ("consent-by-document", introduced(t.some("agents.example"), true)),
        ("consent-device", on_device),
        ("consent-ciba", from_afar),
        ("consent", whole),
        ("consent-application", plain),
        ("consent-agent", itself),
        ("consent-service", by_service),
        ("consent-for-service", for_service),
    ]
}

fn marks(t: Theirs) -> ClientMarks {
    ClientMarks {
        logo: t.some("/clients/shop/logo"),
        policy: t.some("https://shop.example/privacy"),
        tos: t.some("https://shop.example/terms"),
    }
}

fn admin_clients(language: Language, t: Theirs) -> (AdminClientsPage, AdminClientPage) {
    let page = Page::for_user(language, t.s("Olga Owner"), true);
    let row = |id: &str, kind, vouched, status| ClientRow {
        id: t.s(id),
        path: format!("/admin/clients/{id}"),
        name: t.s("Shop Assistant"),
        kind,
        profile: "oauth2.1",
        vouched,
        status,
    };
    let clients = vec![
        row("shop", Kind::Application, VouchedFor::Operator, ClientStatus::Active),
        row("dyn_1", Kind::Service, VouchedFor::Nobody, ClientStatus::Suspended),
        row("refund-agent", Kind::Agent, VouchedFor::Document, ClientStatus::Retired),
    ];
    let said = [
        client_rules::Said::Words(Words::Required),
        client_rules::Said::Values(vec![t.s("ES256"), t.s("https://shop.example/cb")]),
        client_rules::Said::Values(vec![]),
        client_rules::Said::Lasts(Seconds::minutes(1)),
    ];
    let said = said.into_iter().cycle();
    let sources = [Source::Everybody, Source::Profile, Source::Registration].into_iter().cycle();
    let mut lines: Vec<Line> = AdminClientPage::TOPICS
        .into_iter()
        .zip(said.zip(sources))
        .map(|(topic, (said, source))| Line { topic, said, source })
        .collect();
    lines.extend(AdminClientPage::WORDS.into_iter().map(|words| Line {
        topic: Topic::Keys,
        said: client_rules::Said::Words(words),
        source: Source::Profile,
    }));
    let endings = EndingInWords::ALL[..3]
        .iter()
        .map(|what| EndingLink { what: *what, path: format!("/admin/clients/refund-agent/{}", what.word()) });
    let (client, halted_at, endings) = (clients[0].clone(), Some(NOW), endings.collect());
    let one = AdminClientPage { page: page.clone(), client, halted_at, endings, lines };
    (AdminClientsPage { page, clients }, one)
}

/// The questions before an ending, and what came of it.
fn admin_details_types(language: Language, t: Theirs) -> (AdminDetailsTypesPage, AdminDetailsTypePage) {
    let page = Page::for_user(language, t.s("Olga Owner"), true);
    let row = |by_admin, retired_at| DetailsTypeRow {
        name: t.s("mcp_tool"),
        words: t.s("Tools of an MCP server"),
        path: "/admin/details-types/mcp_tool".into(),
        version: 2,
        by_admin,
        max_life: by_admin.then(|| OfferedDuration::new(Seconds::minutes(5), language).label),
        may_be_passed_on: by_admin,
        consents: 3,
        retired_at,
    };
    let preview = |tag: &str, entry| Preview { language: t.s(tag), risk: language.t("risk-high"), entry };
    let field = |rule| FieldRow { field: t.s("tools"), rule, open: rule == Some("max") };
    let rules = ["subset", "equal", "max", "min", "prefix", "glob", "before", "any"].map(Some);
    let risk = |level| RiskRow { value: t.s("delete"), level };
    let version = |version, since, current| VersionRow { version, since, consents: 1, current };
    let one = AdminDetailsTypePage {
        page: page.clone(),
        row: row(true, Some(NOW)),
        previews: details(t).into_iter().map(|entry| preview("en", entry)).collect(),
        fields: rules.into_iter().chain([None]).map(field).collect(),
        risk_field: t.some("actions"),
        risks: vec![risk(RiskLevel::Low), risk(RiskLevel::High)],
        risk_default: RiskLevel::Medium,
        versions: vec![version(2, Some(NOW), true), version(1, None, false)],
    };
    (
        AdminDetailsTypesPage {
            page,
            types: vec![row(false, None), row(true, Some(NOW)), row(false, Some(NOW))],
        },
        one,
    )
}

fn admin_endings(language: Language, t: Theirs) -> Vec<(&'static str, askama::Result<String>)> {
    let page = Page::for_user(language, t.s("Olga Owner"), true);
    let mut samples = Vec::new();
    for what in EndingInWords::ALL {
        let asked = AdminEndingPage {
            page: page.clone(),
            csrf: t.s("csrf-1"),
            what,
            name: t.s("Refund Agent"),
            id: t.s("refund-agent"),
            agents: match what {
                EndingInWords::Owner => vec![t.s("Refund Agent"), t.s("Mail Agent")],
                _ => vec![],
            },
            action: "/admin/clients/refund-agent/suspend".into(),
            back: "/admin".into(),
        };
        samples.push((what.question(), asked.render()));
        let ended = match what {
            EndingInWords::Resume => EndedInNumbers::default(),
            _ => EndedInNumbers { agents: 1, sessions: 2, consents: 3, tasks: 1, tokens: 20, pending: 2 },
        };
        let (page, name, back) = (page.clone(), t.s("Refund Agent"), "/admin".into());
        samples.push((what.done(), AdminEndedPage { page, what, name, ended, back }.render()));
    }
    samples
}

fn permitted(t: Theirs) -> Vec<Permitted> {
    let lines = vec![t.s("Only at https://api.shop.example/orders"), t.s("At most 50"), t.s("In EUR")];
    vec![
        Permitted { sentence: t.s("Do this: refund"), lines },
        Permitted { sentence: t.s("See your orders"), lines: vec![] },
    ]
}

fn account(language: Language, t: Theirs) -> AccountPage {
    let what = permitted(t);
    let task = |purpose, status, deadline| TaskSummary {
        id: "t_1".into(),
        purpose,
        reference: t.some("TICKET-2081"),
        status,
        deadline: NOW.plus(deadline),
        success_criteria: vec![t.s("The customer has the money")],
        limits: vec![t.s("Write to nobody else")],
        depth: 0,
        actor_name: None,
        part_of: None,
        rests_above: false,
        steps: vec![TaskStep::Suspend, TaskStep::Revoke],
    };
    let whole =
        task(t.some("Refund order 4711, which arrived broken"), TaskStatus::Active, Seconds::minutes(60));
    let part = TaskSummary {
        id: "t_2".into(),
        depth: 1,
        actor_name: t.some("Mail Agent"),
        part_of: Some(whole.purpose.clone()),
        rests_above: true,
        steps: vec![TaskStep::Resume, TaskStep::Revoke],
        ..task(t.some("Find the address"), TaskStatus::Suspended, Seconds::minutes(30))
    };
    let over = |status: TaskStatus| TaskSummary {
        id: status.as_str().into(),
        steps: vec![],
        ..task(None, status, Seconds::minutes(30))
    };
    let first = ConsentSummary {
        id: t.s("c_1"),
        actor_name: t.s("Refund Agent"),
        kind: Kind::Agent,
        client_name: t.some("Shop Assistant"),
        open: None,
        since: NOW,
        until: NOW.plus(Seconds::days(1)),
        what: what.clone(),
        passing_on_max: 2,
        offline_access: true,
        tasks: vec![
            whole.clone(),
            part.clone(),
            TaskSummary { id: "t_3".into(), depth: 2, part_of: Some(None), actor_name: None, ..part.clone() },
            TaskSummary { id: "t_4".into(), depth: 3, ..part },
            over(TaskStatus::Completed),
            over(TaskStatus::Revoked),
            over(TaskStatus::Expired),
        ],
        tokens: vec![
            LiveTokens { chain: vec![t.s("Refund Agent")], count: 1 },
            LiveTokens { chain: vec![t.s("Mail Agent"), t.s("Refund Agent")], count: 2 },
        ],
    };
    let second = ConsentSummary {
        id: "c_2".into(),
        actor_name: t.s("Order Book"),
        kind: Kind::Application,
        client_name: None,
        open: t.some("https://books.example/sign-in?iss=https%3A%2F%2Fas.example"),
        what: permitted(t)[1..].to_vec(),
        passing_on_max: 0,
        offline_access: false,
        tasks: vec![],
        tokens: vec![],
        ..first.clone()
    };
    let ended =
        |kind, end| EndedConsent { actor_name: t.s("Old Agent"), kind, since: NOW, what: what.clone(), end };
    AccountPage {
        page: Page::for_user(language, t.s("Alice Example"), true),
        csrf: t.s("csrf-1"),
        just_ended: t.some("Travel Agent"),
        just_stepped: Some((TaskStep::Suspend.done().to_owned(), t.s("Travel Agent"))),
        waiting: 2,
        connections: true,
        consents: vec![first, second],
        ended: vec![ended(Kind::Agent, ConsentEnd::Revoked), ended(Kind::Service, ConsentEnd::TimeOver)],
    }
}

fn device(language: Language, t: Theirs) -> DevicePage {
    DevicePage {
        page: Page::for_user(language, t.s("Alice Example"), false),
        user_code: t.s("WDJB-MJHT"),
        refused: Some(UserCodeRefused::Wrong),
        answered: None,
    }
}

fn approvals(language: Language, t: Theirs) -> ApprovalsPage {
    let entry = |id: &str, kind, binding_message| WaitingEntry {
        id: id.into(),
        client_name: t.s("Refund Agent"),
        kind,
        binding_message,
        asked_at: NOW,
        until: NOW.plus(Seconds::minutes(5)),
    };
    ApprovalsPage {
        page: Page::for_user(language, t.s("Alice Example"), false),
        csrf: t.s("csrf-1"),
        answered: Some(Answered { allowed: true, client_name: t.s("Order Book") }),
        waiting: vec![
            entry("req_1", Kind::Agent, t.some("W4SCT")),
            entry("req_2", Kind::Service, None),
            entry("req_3", Kind::Application, None),
        ],
        has_user_code: true,
        user_code_told: Some(UserCodeTold::Set),
    }
}

fn approval(language: Language, t: Theirs) -> ApprovalPage {
    ApprovalPage {
        page: Page::for_user(language, t.s("Olga Owner"), false),
        csrf: t.s("csrf-1"),
        id: "ask_1".into(),
        shown: "hash".into(),
        refused: None,
        asker_name: t.s("Refund Agent"),
        kind: Kind::Agent,
        subject_name: t.some("Alice Example"),
        is_own: false,
        way: vec![t.s("Alice Example"), t.s("Refund Agent"), t.s("Lookup Agent")],
        risk: RiskLevel::High,
        task: Some(TaskInWords {
            purpose: t.some("Refund order 4711, which arrived broken"),
            reference: t.some("TICKET-2081"),
            success_criteria: vec![t.s("The customer has the money back")],
            limits: vec![t.s("No letters")],
        }),
        details: vec![DetailEntry {
            mark: None,
            index: 0,
            type_name: t.s("A task"),
            sentence: t.s("Do this: refund"),
            lines: vec![t.s("At most 50")],
            risk: RiskLevel::High,
        }],
        scopes: vec![Permitted { sentence: t.s("Change your orders"), lines: Vec::new() }],
        resources: vec![ResourceInWords {
            name: t.s("The orders"),
            identifier: t.s("https://orders.example"),
        }],
        destination: None,
        asked_at: NOW,
        until: NOW.plus(Seconds::minutes(60)),
        approval_minutes: 10,
    }
}

/// The pages of questions from elsewhere, in every state.
fn afar(language: Language, t: Theirs) -> Vec<(&'static str, askama::Result<String>)> {
    let answered = |allowed| Some(Answered { allowed, client_name: t.s("TV") });
    let (device, approvals) = (device(language, t), approvals(language, t));
    let approval = approval(language, t);
    vec![
        ("approval", approval.render()),
        (
            "approval-own",
            ApprovalPage { subject_name: None, task: None, risk: RiskLevel::Low, ..approval.clone() }
                .render(),
        ),
        (
            "approval-itself",
            ApprovalPage {
                is_own: true,
                subject_name: None,
                refused: Some(ConsentRefused::FormTooOld),
                risk: RiskLevel::Medium,
                ..approval.clone()
            }
            .render(),
        ),
        (
            "approval-leaving",
            ApprovalPage {
                refused: Some(ConsentRefused::TooWeak),
                destination: Some(DestinationInWords {
                    sentence: language.sentence("approval-trust-domain", &[("name", &t.s("trust.example"))]),
                    token_type: "urn:ietf:params:oauth:token-type:txn_token",
                    details: vec![t.s("order: 7")],
                }),
                ..approval
            }
            .render(),
        ),
        ("device", DevicePage { refused: None, ..device.clone() }.render()),
        ("device-wrong", device.render()),
        (
            "device-too-many",
            DevicePage { refused: Some(UserCodeRefused::TooMany), ..device.clone() }.render(),
        ),
        ("device-allowed", DevicePage { answered: answered(true), ..device.clone() }.render()),
        ("device-denied", DevicePage { answered: answered(false), ..device }.render()),
        ("approvals", approvals.render()),
        (
            "approvals-empty",
            ApprovalsPage { waiting: vec![], answered: None, has_user_code: false, ..approvals.clone() }
                .render(),
        ),
        (
            "approvals-code-refused",
            ApprovalsPage {
                answered: answered(false),
                user_code_told: Some(UserCodeTold::Refused),
                ..approvals.clone()
            }
            .render(),
        ),
        (
            "approvals-code-removed",
            ApprovalsPage { user_code_told: Some(UserCodeTold::Removed), ..approvals }.render(),
        ),
    ]
}

fn admin(language: Language, t: Theirs) -> AdminPage {
    let agent = |id: &str, expired, status| AgentRow {
        id: t.s(id),
        path: format!("/admin/clients/{id}"),
        name: t.s("Refund Agent"),
        owner_name: t.s("Olga Owner"),
        purpose: t.s("Answers customers and refunds what they are owed"),
        expires_at: NOW,
        expired,
        status,
    };
    let event = |seq, action: &str, outcome, chain: &[&str], reason| AuditRow {
        seq,
        time: NOW,
        action: t.s(action),
        outcome,
        client: t.some("refund-agent"),
        chain: chain.iter().map(|name| t.s(name)).collect(),
        reason,
    };
    AdminPage {
        page: Page::for_user(language, t.s("Olga Owner"), true),
        csrf: t.s("csrf-1"),
        users: vec![
            UserRow {
                id: t.s("usr_1"),
                username: t.s("alice"),
                name: t.s("Alice Example"),
                email: t.some("alice@shop.example"),
                has_password: true,
                has_agents: true,
                enabled: true,
                halted: false,
                path: "/admin/users/usr_1".into(),
            },
            UserRow {
                id: t.s("usr_2"),
                username: t.s("carol"),
                name: t.s("Carol Example"),
                email: None,
                has_password: false,
                has_agents: false,
                enabled: false,
                halted: true,
                path: "/admin/users/usr_2".into(),
            },
        ],
        tasks: vec![TaskRow {
            id: t.s("task_7Qa1"),
            user_name: t.s("Alice Example"),
            actor_name: t.s("Refund Agent"),
            purpose: t.some("Answer ticket 4711"),
            deadline: NOW.plus(Seconds::days(1)),
        }],
        agents: vec![
            agent("refund-agent", false, ClientStatus::Active),
            agent("mail-agent", false, ClientStatus::Suspended),
            agent("old-agent", true, ClientStatus::Active),
            agent("first-agent", true, ClientStatus::Retired),
        ],
        consents: vec![ConsentRow {
            id: t.s("c_9Xk2"),
            user_name: t.s("Alice Example"),
            actor_name: t.s("Refund Agent"),
            client_name: t.s("Shop Assistant"),
            what: permitted(t),
            since: NOW,
            until: NOW.plus(Seconds::days(1)),
        }],
        events: vec![
            event(128, "token.exchange", Outcome::Granted, &["mail-agent", "refund-agent"], None),
            event(
                127,
                "token.exchange",
                Outcome::Refused,
                &["refund-agent"],
                t.some("the scope orders.delete is not in the subject token"),
            ),
            event(126, "consent.decide", Outcome::Granted, &[], None),
        ],
    }
}

/// The pages about signing in, with all that they can say.
fn security(language: Language, t: Theirs) -> Vec<(&'static str, askama::Result<String>)> {
    let mut samples = Vec::new();
    let page = Page::new(language);
    let alice = Page::for_user(language, t.s("Alice Example"), false);
    let second = SecondFactorPage {
        page: page.clone(),
        csrf: t.s("csrf-1"),
        interaction: t.s("i_1"),
        next: t.s("/admin"),
        username: t.s("alice"),
        passkey: t.some(r#"{"challenge":"x"}"#),
        code: true,
        refused: None,
    };
    samples.push(("second-factor", second.render()));
    for (name, refused) in [
        ("second-factor-wrong", SecondFactorRefused::WrongCode),
        ("second-factor-recovery-wrong", SecondFactorRefused::WrongRecoveryCode),
        ("second-factor-passkey", SecondFactorRefused::Passkey),
        ("second-factor-too-many", SecondFactorRefused::TooManyAttempts),
        ("second-factor-too-old", SecondFactorRefused::FormTooOld),
    ] {
        let passkey = None;
        samples.push((name, SecondFactorPage { refused: Some(refused), passkey, ..second.clone() }.render()));
    }
    let row = |id: &str, name: &str, used| PasskeyRow { id: t.s(id), name: t.s(name), added: NOW, used };
    let session = |browser: &str, system: Option<String>, current| SessionRow {
        id: t.s("ses_1"),
        browser: Some(browser.to_owned()),
        system,
        network: Some("203.0.113.*".into()),
        since: NOW,
        current,
    };
    let whole = SecurityPage {
        page: alice.clone(),
        csrf: t.s("csrf-1"),
        said: None,
        has_password: true,
        passkeys: Some(vec![row("k1", "My phone", Some(NOW)), row("k2", "The yellow key", None)]),
        totp: Some(NOW),
        recovery_codes: Some(9),
        connections: true,
        sessions: vec![
            session("Firefox", Some("Linux".into()), true),
            session("Safari", None, false),
            SessionRow { browser: None, ..session("", None, false) },
        ],
    };
    samples.push(("security", whole.render()));
    samples.push(("security-no-passkeys", SecurityPage { passkeys: None, ..whole.clone() }.render()));
    for said in Said::ALL {
        let bare = SecurityPage {
            said: Some(said),
            has_password: false,
            passkeys: Some(Vec::new()),
            totp: None,
            recovery_codes: Some(0),
            connections: false,
            sessions: Vec::new(),
            ..whole.clone()
        };
        samples.push((said.key(), bare.render()));
    }
    let options = t.s(r#"{"challenge":"x"}"#);
    for (name, refused) in [
        ("add-passkey", None),
        ("add-passkey-refused", Some(PasskeyRefused::Refused)),
        ("add-passkey-too-many", Some(PasskeyRefused::TooMany)),
        ("add-passkey-too-old", Some(PasskeyRefused::FormTooOld)),
    ] {
        let (page, csrf, options) = (alice.clone(), t.s("csrf-1"), options.clone());
        samples.push((name, AddPasskeyPage { page, csrf, options, refused }.render()));
    }
    for (name, refused) in [
        ("add-totp", None),
        ("add-totp-wrong", Some(TotpRefused::WrongCode)),
        ("add-totp-too-old", Some(TotpRefused::FormTooOld)),
    ] {
        let square = Square::of("otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQ").unwrap();
        let (page, csrf, secret) = (alice.clone(), t.s("csrf-1"), t.s("GEZDGNBVGY3TQOJQ"));
        samples.push((name, AddTotpPage { page, csrf, secret, square, refused }.render()));
    }
    let codes = vec![t.s("01AB-CDEF-GHJK-MNPQ"), t.s("2345-6789-ABCD-EFGH")];
    let issuer = t.s("https://as.example");
    samples.push(("recovery-codes", RecoveryCodesPage { page: alice.clone(), issuer, codes }.render()));
    for (name, refused) in [
        ("change-password", None),
        ("change-password-old", Some(ChangeRefused::Old)),
        ("change-password-too-many", Some(ChangeRefused::TooManyAttempts)),
        ("change-password-short", Some(ChangeRefused::New(PasswordRefused::TooShort))),
        ("change-password-other", Some(ChangeRefused::New(PasswordRefused::NotTheSame))),
    ] {
        let (page, csrf, username) = (alice.clone(), t.s("csrf-1"), t.s("alice"));
        samples.push((name, ChangePasswordPage { page, csrf, username, shortest: 12, refused }.render()));
    }
    for (name, sent, too_old) in
        [("forgot", false, false), ("forgot-too-old", false, true), ("forgot-sent", true, false)]
    {
        samples.push((
            name,
            ForgotPasswordPage { page: alice.clone(), csrf: t.s("csrf-1"), sent, too_old }.render(),
        ));
    }
    let (username, link) = (t.s("alice"), t.s("https://as.example/set-password?link=x"));
    samples.push(("reset-link", ResetLinkPage { page: alice, username, link }.render()));
    samples
}

/// Every page in every state.
pub fn all(language: Language, t: Theirs) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut add = |name, html: askama::Result<String>| samples.push(Sample { name, html: html.unwrap() });
    let page = Page::new(language);
    let alice = Page::for_user(language, t.s("Alice Example"), false);

    let sign_in = SignInPage {
        page: page.clone(),
        csrf: t.s("csrf-1"),
        interaction: t.s("i_1"),
        next: t.s("/admin"),
        again: false,
        passkey: t.some(r#"{"challenge":"x"}"#),
        forgot: true,
        client_name: t.some("Shop Assistant"),
        marks: marks(t),
        username: t.s("alice"),
        upstreams: vec![upstream(t)],
        home_realms: true,
        refused: None,
    };
    let refused = |refused| SignInPage { refused: Some(refused), ..sign_in.clone() };
    add("sign-in", sign_in.render());
    add("sign-in-wrong", refused(SignInRefused::WrongUsernameOrPassword).render());
    add("sign-in-passkey-refused", refused(SignInRefused::Passkey).render());
    add("sign-in-again", SignInPage { again: true, client_name: None, ..sign_in.clone() }.render());
    add("sign-in-too-many", refused(SignInRefused::TooManyAttempts).render());
    add("sign-in-too-old", refused(SignInRefused::FormTooOld).render());
    add(
        "sign-in-plain",
        SignInPage {
            client_name: None,
            marks: ClientMarks::default(),
            username: String::new(),
            passkey: None,
            forgot: false,
            ..sign_in.clone()
        }
        .render(),
    );

    let select_account = |form_too_old| SelectAccountPage {
        page: alice.clone(),
        csrf: t.s("csrf-1"),
        interaction: t.s("i_1"),
        client_name: t.s("Shop Assistant"),
        user_name: t.s("Alice Example"),
        username: t.s("alice"),
        form_too_old,
    };
    add("select-account", select_account(false).render());
    add("select-account-too-old", select_account(true).render());
    let form_post = FormPostPage {
        page: page.clone(),
        action: t.s("https://shop.example/callback"),
        host: t.s("shop.example"),
        fields: vec![("code".into(), t.s("pac_1")), ("state".into(), t.s("xyz"))],
    };
    add("form-post", form_post.render());

    for (name, html) in federation(&page, &alice, t) {
        add(name, html);
    }
    for (name, consent) in consents(language, t) {
        add(name, consent.render());
    }

    for what in WhatHappened::ALL {
        let code = t.some("invalid_request");
        let description = t.some("redirect_uri is not one of the registered ones");
        let error = ErrorPage { page: page.clone(), what, code, description, request_id: t.s("r_8Zp0q1") };
        add(what.key(), error.render());
    }
    let link_used = ErrorPage {
        page: page.clone(),
        what: WhatHappened::LinkUsed,
        code: None,
        description: None,
        request_id: "r_2".into(),
    };
    add("error-plain", link_used.render());

    let sign_out = SignOutPage {
        page: alice.clone(),
        csrf: t.s("csrf-1"),
        client_name: t.some("Shop Assistant"),
        carried: vec![(t.s("state"), t.s("xyz"))],
    };
    add("sign-out", sign_out.render());
    let signed_out = |to: Option<&str>, client_name| SignedOutPage {
        page: page.clone(),
        continue_to: to.map(|to| t.s(to)),
        client_name,
        frames: vec![],
        goes_on: false,
    };
    add("signed-out", signed_out(None, None).render());
    add(
        "signed-out-continue",
        signed_out(Some("https://shop.example/bye"), t.some("Shop Assistant")).render(),
    );
    let frames = SignedOutPage {
        frames: vec![
            t.s("https://shop.example/out?iss=x&sid=y"),
            t.s("https://books.example/out?iss=x&sid=y"),
        ],
        goes_on: true,
        ..signed_out(Some("https://shop.example/bye"), t.some("Shop Assistant"))
    };
    add("signed-out-frames", frames.render());
    add("signed-out-continue-plain", signed_out(Some("https://shop.example/bye"), None).render());

    let set_password = |refused| SetPasswordPage {
        page: page.clone(),
        csrf: t.s("csrf-1"),
        link: t.s("link-secret"),
        username: t.s("alice"),
        shortest: 12,
        refused,
    };
    add("set-password", set_password(None).render());
    for (name, refused) in [
        ("set-password-too-short", PasswordRefused::TooShort),
        ("set-password-too-long", PasswordRefused::TooLong),
        ("set-password-own-name", PasswordRefused::OwnName),
        ("set-password-common", PasswordRefused::Common),
        ("set-password-not-the-same", PasswordRefused::NotTheSame),
        ("set-password-too-old", PasswordRefused::FormTooOld),
    ] {
        add(name, set_password(Some(refused)).render());
    }

    for (name, html) in security(language, t) {
        add(name, html);
    }
    add("account", account(language, t).render());
    add(
        "account-empty",
        AccountPage {
            consents: vec![],
            ended: vec![],
            just_ended: None,
            just_stepped: None,
            waiting: 0,
            ..account(language, t)
        }
        .render(),
    );
    for step in TaskStep::ALL {
        let page = AccountTaskPage {
            page: Page::for_user(language, t.s("Alice Example"), true),
            csrf: t.s("csrf-1"),
            step,
            actor_name: t.s("Refund Agent"),
            purpose: t.some("Refund order 4711, which arrived broken"),
            reference: t.some("TICKET-2081"),
            parts: match step {
                TaskStep::Resume => vec![],
                _ => vec![(t.s("Mail Agent"), t.some("Find the address")), (t.s("Mail Agent"), None)],
            },
            action: "/account/tasks/t_1/suspend".into(),
        };
        add(step.question(), page.render());
        add(step.done(), AccountTaskPage { purpose: None, reference: None, ..page }.render());
    }
    for (name, page) in afar(language, t) {
        add(name, page);
    }
    add("admin", admin(language, t).render());
    add(
        "admin-empty",
        AdminPage { agents: vec![], consents: vec![], events: vec![], ..admin(language, t) }.render(),
    );
    let (list, one) = admin_clients(language, t);
    let (types, of_type) = admin_details_types(language, t);
    add("admin-details-types", types.render());
    add("admin-details-type", of_type.render());
    let without = AdminDetailsTypePage { previews: vec![], ..of_type };
    add("admin-details-type-without-example", without.render());
    add("admin-clients", list.render());
    add("admin-client", one.render());
    for (name, html) in admin_endings(language, t) {
        add(name, html);
    }
    let test_server = Page { test_server: true, ..page.clone() };
    add("home-test-server", HomePage { page: test_server, issuer: t.s("https://as.example") }.render());
    add("home", HomePage { page: alice, issuer: t.s("https://as.example") }.render());
    samples
}

fn upstream(t: Theirs) -> UpstreamButton {
    UpstreamButton { id: "company".into(), name: t.s("The Company") }
}

/// The pages around an upstream.
fn federation(page: &Page, alice: &Page, t: Theirs) -> Vec<(&'static str, askama::Result<String>)> {
    let leaving = LeavingPage {
        page: page.clone(),
        upstream_name: t.s("The Company"),
        url: t.s("https://login.company.example/authorize?client_id=procura"),
    };
    let trouble = |what, linking| UpstreamTroublePage {
        page: page.clone(),
        csrf: t.s("csrf-1"),
        interaction: t.s("i_1"),
        next: t.s("/admin"),
        linking,
        upstream: "company".into(),
        upstream_name: t.s("The Company"),
        what,
        request_id: t.s("r_3"),
    };
    let connections = ConnectionsPage {
        page: alice.clone(),
        csrf: t.s("csrf-1"),
        fresh: true,
        just_linked: t.some("The Company"),
        just_unlinked: t.some("The Partner"),
        linked: [true, false]
            .map(|may_go| LinkedUpstream {
                upstream: Some("company".into()),
                name: t.s("The Company"),
                since: NOW,
                may_go,
            })
            .into(),
        others: vec![UpstreamButton { id: "partner".into(), name: t.s("The Partner") }],
    };
    let old = ConnectionsPage { fresh: false, just_linked: None, just_unlinked: None, ..connections.clone() };
    let none = ConnectionsPage { linked: Vec::new(), others: Vec::new(), ..old.clone() };
    let mut samples = vec![
        ("leaving", leaving.render()),
        ("connections", connections.render()),
        ("connections-old", old.render()),
        ("connections-none", none.render()),
        ("upstream-linking", trouble(UpstreamTrouble::OfAnother, true).render()),
    ];
    samples.extend(UpstreamTrouble::ALL.map(|what| (what.key(), trouble(what, false).render())));
    samples
}

/// The pages in both languages, as friendly people fill them.
pub fn friendly() -> Vec<Sample> {
    Language::ALL.into_iter().flat_map(|language| all(language, Theirs { hostile: false })).collect()
}
