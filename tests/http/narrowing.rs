//! How details narrow, at the edges of every rule: where a code is redeemed, at refresh, at exchange, and for tasks.

use serde_json::{Value, json};
use server::store::{Change, Origin, Record};
use tests::{Answer, Client, Code, Database, House, ORDERS, Person, on_both_databases};

on_both_databases! {
    each_rule_holds_at_its_edges_wherever_details_narrow,
    a_format_of_the_schema_holds_wherever_details_are_asked_for,
    a_name_with_a_dot_is_never_taken_for_a_path,
    a_member_that_is_named_twice_or_a_number_that_is_none_is_refused,
    a_version_that_was_accepted_with_an_unknown_format_goes_on,
}

const REFUSED: &str = "invalid_authorization_details";

/// A house where the agents and APIs of the town know `refund`, of this schema and these rules.
async fn house(database: Database, schema: &Value, narrowing: &str) -> House {
    let declared = format!(
        "\n[[details_types]]\nname = \"refund\"\nmay_be_passed_on = true\nschema_json = '{schema}'\n\
         narrowing = {{ {narrowing} }}\nwords = {{ en = {{ name = \"R\", sentence = \"R\" }} }}\n"
    );
    let known = |town: String| town.replace("\"mcp_tool\"]", "\"mcp_tool\", \"refund\"]");
    House::build(database, move |town| format!("{}{declared}", known(town))).await
}

/// What Alice allowed the agent, and every place where it can ask for a part.
struct Allowed<'a> {
    house: &'a House,
    agent: &'a Client,
    code: Code,
    refresh_token: String,
    access_token: String,
    grant: String,
    own: String,
}

impl<'a> Allowed<'a> {
    async fn all_of(house: &'a House, agent: &'a Client, alice: &Person, given: &Value) -> Self {
        let ask = house.ask(agent).scope("offline_access").details(given).resource(ORDERS);
        let token = ask.approved_by(alice).await.redeem(agent).await.ok();
        let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
        Self {
            house,
            agent,
            code: ask.approved_by(alice).await,
            refresh_token: token.text("refresh_token").to_owned(),
            access_token: token.access_token().to_owned(),
            grant: token.text("grant_id").to_owned(),
            own: own.access_token().to_owned(),
        }
    }

    /// Asks for `details` in each place; what is refused is told to the audit log as that.
    async fn gives(&self, details: &str, fits: bool) {
        let asked = [("authorization_details", details), ("resource", ORDERS)];
        let refreshed = self.agent.refresh(&self.refresh_token, &asked).await;
        self.is_answered("token.refresh", details, refreshed, fits).await;
        let exchanged = self.agent.exchange(&self.access_token, &asked).await;
        self.is_answered("token.exchange", details, exchanged, fits).await;
        let body = json!({
            "grant_id": self.grant, "purpose": "p",
            "authorization_details": serde_json::from_str::<Value>(details).unwrap(),
        });
        let task = self.agent.call_with("POST", "/tasks", &self.own, &[], Some(&body)).await;
        assert_eq!(task.status < 300, fits, "{details} for a task: {}", task.body);
        // A code is good for one try: it is the last place that is asked.
        let redeemed = self.agent.token(&[self.code.params(), asked.to_vec()].concat()).await;
        assert_eq!(redeemed.status < 300, fits, "{details} with a code: {}", redeemed.body);
        if !fits {
            task.refused(REFUSED);
            redeemed.refused(REFUSED);
        }
    }

    async fn is_answered(&self, action: &str, details: &str, answer: Answer, fits: bool) {
        assert_eq!(answer.status < 300, fits, "{details} at {action}: {}", answer.body);
        if !fits {
            answer.refused(REFUSED);
            self.house.told(action, REFUSED).await;
        }
    }
}

/// A rule, what was given, what is asked for, and whether that is within it.
const EDGES: [(&str, &str, &str, bool); 32] = [
    ("prefix", r#""/""#, r#""/a/b""#, true),
    ("prefix", r#""/""#, r#""//a""#, false),
    ("prefix", r#""/""#, r#""/..""#, false),
    ("prefix", r#"["/a","/b"]"#, r#"["/b/c"]"#, true),
    ("prefix", r#"["/a","/b"]"#, r#"["/b/c","/"]"#, false),
    ("prefix", r#"["/a"]"#, "[]", false),
    ("glob", r#""ü/*""#, r#""ü/ß""#, true),
    ("glob", r#""u\u0308/*""#, r#""ü/ß""#, false),
    ("equal", "1", "1.0", true),
    ("equal", "0", "-0", true),
    ("equal", "1", r#""1""#, false),
    ("equal", "null", "0", false),
    ("equal", "{}", r#"{"a":1}"#, false),
    ("equal", r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, true),
    ("equal", "9007199254740993", "9007199254740992", false),
    ("max", "9007199254740992", "9007199254740993", false),
    ("max", "9007199254740993", "1.5", true),
    ("max", "18446744073709551615", "18446744073709551615", true),
    ("max", "1", "1.0000000000000002", false),
    ("max", "5", "-0", true),
    ("max", "5", "null", false),
    ("max", "5", "[4]", false),
    ("min", "9007199254740993", "9007199254740992.0", false),
    ("min", "0", "-0.0", true),
    ("min", "0", "-1e-300", false),
    ("subset", r#"["a","b"]"#, r#"["b","b"]"#, true),
    ("subset", r#"[1,2]"#, "[1.0]", true),
    ("subset", r#"["a"]"#, "[]", false),
    ("subset", r#"["a"]"#, r#"["a",null]"#, false),
    ("before", r#""2030-01-01T00:00:00Z""#, r#""2030-01-01T01:00:00+01:00""#, true),
    ("before", r#""2030-01-01T00:00:00Z""#, r#""2030-01-01T00:00:00.1Z""#, false),
    ("before", r#""2030-01-01T00:00:00Z""#, r#""2029""#, false),
];

async fn each_rule_holds_at_its_edges_wherever_details_narrow(database: Database) {
    let rules = ["subset", "equal", "max", "min", "prefix", "glob", "before"];
    let properties: serde_json::Map<String, Value> =
        rules.iter().map(|rule| ((*rule).to_owned(), json!({}))).collect();
    let narrowing: Vec<_> = rules.iter().map(|rule| format!("{rule} = \"{rule}\"")).collect();
    let house = house(database, &json!({"properties": properties}), &narrowing.join(", ")).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    for (rule, given, asked, fits) in EDGES {
        let of = |value: &str| format!("[{{\"type\":\"refund\",\"{rule}\":{value}}}]");
        let given: Value = serde_json::from_str(&of(given)).unwrap();
        Allowed::all_of(&house, &agent, &alice, &given).await.gives(&of(asked), fits).await;
    }
}

async fn a_format_of_the_schema_holds_wherever_details_are_asked_for(database: Database) {
    let schema = json!({"properties": {
        "until": {"type": "string", "format": "date-time"}, "at": {"type": "string", "format": "uri"}
    }});
    let narrowing = "until = { rule = \"before\", absent = \"unrestricted\" }, at = \"any\"";
    let house = house(database, &schema, narrowing).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    for (details, why) in [
        (json!([{"type": "refund", "until": "banana"}]), "/until"),
        (json!([{"type": "refund", "until": "2030-02-30T00:00:00Z"}]), "/until"),
        (json!([{"type": "refund", "at": "not a uri"}]), "/at"),
    ] {
        let ask = house.ask(&agent).details(&details).resource(ORDERS);
        assert_eq!(ask.brought_by(&alice).await.param("error"), REFUSED);
        assert!(ask.brought_by(&alice).await.param("error_description").contains(why));
        agent.push(&ask.params()).await.refused(REFUSED);
    }
    // What was given leaves both open.
    let given = json!([{"type": "refund"}]);
    for (until, fits) in [("2030-01-01T00:00:00Z", true), ("banana", false)] {
        let asked = json!([{"type": "refund", "until": until, "at": "https://a.example"}]);
        Allowed::all_of(&house, &agent, &alice, &given).await.gives(&asked.to_string(), fits).await;
    }
}

async fn a_name_with_a_dot_is_never_taken_for_a_path(database: Database) {
    let schema = json!({"properties": {"x": {}}, "additionalProperties": true});
    let house = house(database, &schema, "x = \"equal\", \"x.a\" = \"any\"").await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    for (given, asked, fits) in [
        (json!({"x.a": 1}), json!({"x.a": 1}), true),
        (json!({"x.a": 1}), json!({"x.a": 999}), false),
        (json!({"x.a": 1}), json!({}), false),
        (json!({}), json!({"x.a": 1}), false),
    ] {
        let of = |mut detail: Value| {
            detail["type"] = "refund".into();
            json!([detail])
        };
        Allowed::all_of(&house, &agent, &alice, &of(given)).await.gives(&of(asked).to_string(), fits).await;
    }
}

async fn a_member_that_is_named_twice_or_a_number_that_is_none_is_refused(database: Database) {
    let schema = json!({"properties": {"max": {"type": "number"}, "of": {}}});
    let house = house(database, &schema, "max = \"max\"").await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let given = json!([{"type": "refund", "max": 5, "of": {"a": 1}}]);
    for details in [
        r#"[{"type":"refund","max":9,"max":5,"of":{"a":1}}]"#,
        r#"[{"type":"refund","max":5,"of":{"a":2,"a":1}}]"#,
        r#"[{"type":"refund","type":"refund","max":5,"of":{"a":1}}]"#,
        r#"[{"type":"refund","max":1e400,"of":{"a":1}}]"#,
        r#"[{"type":"refund","max":-1e400,"of":{"a":1}}]"#,
        r#"[{"type":"refund","max":NaN,"of":{"a":1}}]"#,
    ] {
        let ask = house.ask(&agent).with("authorization_details", details).resource(ORDERS);
        assert_eq!(ask.brought_by(&alice).await.param("error"), REFUSED, "{details}");
        agent.push(&ask.params()).await.refused(REFUSED);
        let allowed = Allowed::all_of(&house, &agent, &alice, &given).await;
        let asked = [("authorization_details", details), ("resource", ORDERS)];
        agent.refresh(&allowed.refresh_token, &asked).await.refused(REFUSED);
        agent.exchange(&allowed.access_token, &asked).await.refused(REFUSED);
        agent.token(&[allowed.code.params(), asked.to_vec()].concat()).await.refused(REFUSED);
    }
}

async fn a_version_that_was_accepted_with_an_unknown_format_goes_on(database: Database) {
    let mut house = house(database, &json!({"properties": {"amount": {}}}), "amount = \"equal\"").await;
    // As an earlier version of this program kept it.
    let document = json!({
        "name": "refund", "narrowing": {"amount": "max", "zip.typo": "equal"},
        "schema": {"properties": {"amount": {"type": "number"}, "zip": {"type": "string", "format": "zip"}}},
        "words": {"en": {"name": "", "sentence": "Refund {amount}"}, "no language": {"name": "x", "sentence": "x"}},
    });
    let event = protocol::audit::AuditEvent::new(
        protocol::audit::Action::DetailsTypeDeclare,
        protocol::audit::Outcome::Granted,
        house.door().now(),
    );
    let record = Record::DetailsType {
        details_type: serde_json::from_value(document).unwrap(),
        version: 2,
        retired_at: None,
        origin: Origin::Admin,
    };
    house.store().commit(Change::new(event).keep(record)).await.unwrap();
    house.restart().await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let given = json!([{"type": "refund", "amount": 5, "zip": "whatever it was"}]);
    for (amount, fits) in [(4, true), (6, false)] {
        let asked = json!([{"type": "refund", "amount": amount, "zip": "whatever it was"}]);
        Allowed::all_of(&house, &agent, &alice, &given).await.gives(&asked.to_string(), fits).await;
    }
    let admin = house.signed_in("admin").await;
    assert_eq!(admin.page("/admin/details-types/refund").await.status, 200);
}
