//! Whatever is sent: it is bounded, and never our fault.

use serde_json::json;
use tests::{Answer, House};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const GETS: [&str; 14] = [
    "/",
    "/authorize",
    "/jwks",
    "/userinfo",
    "/sign-in",
    "/consent",
    "/logout",
    "/set-password",
    "/account",
    "/admin",
    "/grants/x",
    "/healthz",
    "/readyz",
    "/.well-known/openid-configuration",
];
const POSTS: [&str; 10] = [
    "/token",
    "/par",
    "/introspect",
    "/revoke",
    "/userinfo",
    "/authorize",
    "/sign-in",
    "/consent",
    "/logout",
    "/account/consents/end",
];

fn check(answer: &Answer, what: &str) {
    assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.body);
    assert!(answer.header("x-request-id").starts_with("req_"), "{what}");
    for inside in ["panicked", "sqlx", "src/", "SELECT "] {
        assert!(!answer.body.contains(inside), "{what}: {}", answer.body);
    }
}

#[tokio::test]
async fn nothing_that_is_sent_breaks_anything() {
    let house = House::open().await;
    let bodies = [
        "",
        "&",
        "=&=&=",
        "a",
        "%",
        "%zz",
        "%00",
        "a=%00",
        "a=%ff",
        "grant_type=client_credentials&grant_type=client_credentials",
        "client_id=web&client_id=web",
        "client_id=%00",
        "client_id=%F0%9F%A6%80&client_secret=%F0%9F%A6%80",
        "client_id=web&client_secret=wrong&grant_type=urn%3aietf%3aparams%3aoauth%3agrant-type%3atoken-exchange",
        "client_id=shop&response_type=code&redirect_uri=%0d%0aSet-Cookie%3a+x",
        "client_id=shop&grant_type=authorization_code&code=x",
        "client_id=shop&grant_type=refresh_token&refresh_token=x&scope=%22",
        "client_id=shop&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback&response_type=code&state=%0d%0aX%3a+y&scope=x",
        "client_assertion=a.b.c&client_assertion_type=urn%3aietf%3aparams%3aoauth%3aclient-assertion-type%3ajwt-bearer",
        "csrf=x&interaction=x&decision=approve",
        "interaction=' OR 1=1 --&username='; DROP TABLE token; --&password=x",
        "link=%00&password=x",
        "authorization_details=[[[[",
        "max_age=99999999999999999999999999",
        "{\"grant_type\":\"client_credentials\"}",
    ];
    for path in POSTS {
        for body in bodies {
            let request = house.request("POST", path).body(body);
            let form = request.header("Content-Type", "application/x-www-form-urlencoded");
            check(&house.send(form).await, &format!("POST {path} {body}"));
        }
        for kind in [
            "application/json",
            "text/plain",
            "multipart/form-data",
            "",
            "application/x-www-form-urlencoded; charset=utf-16",
        ] {
            let request = house.request("POST", path).header("Content-Type", kind).body("{}");
            check(&house.send(request).await, &format!("POST {path} as {kind}"));
        }
        for header in [
            ("Authorization", "Basic"),
            ("Authorization", "Basic Og=="),
            ("Authorization", "DPoP x"),
            ("DPoP", "x"),
            ("Cookie", "__Host-procura=x"),
            ("Cookie", "__Host-procura=AAAAAAAAAAAAAAAAAAAAAA"),
            ("Host", "evil.example"),
            ("Origin", "null"),
            ("X-Forwarded-For", "1.2.3.4, %00"),
            ("Accept-Language", "x;q=9,,,"),
        ] {
            let request =
                house.request("POST", path).header(header.0, header.1).form(&[("client_id", "shop")]);
            check(&house.send(request).await, &format!("POST {path} with {header:?}"));
        }
    }
    let long = "x".repeat(3000);
    for path in GETS {
        for query in [
            "",
            "?",
            "?%",
            "?a=%00",
            "?interaction=%00",
            "?interaction=x",
            "?link=x",
            "?client_id=shop&client_id=shop",
            "?id_token_hint=a.b.c&post_logout_redirect_uri=https://evil.example",
            "?state=%ff",
            long.as_str(),
        ] {
            check(
                &house.send(house.request("GET", &format!("{path}{query}"))).await,
                &format!("GET {path}{query}"),
            );
        }
    }
    let alice = house.signed_in("alice").await;
    for path in
        ["/grants/%00", "/grants/%2e%2e", "/%2e%2e/%2e%2e", "//", "/assets/../x", "/nowhere", "/grants/"]
    {
        check(&house.send(house.request("GET", path).header("Cookie", alice.cookie_header())).await, path);
    }
}

#[tokio::test]
async fn the_wrong_method_is_405() {
    let house = House::open().await;
    for (method, paths) in [
        ("GET", vec!["/token", "/par", "/introspect", "/revoke", "/account/consents/end"]),
        ("POST", vec!["/jwks", "/account", "/admin", "/healthz", "/grants/x"]),
        ("PUT", [GETS.as_slice(), POSTS.as_slice()].concat()),
        ("DELETE", vec!["/token", "/jwks"]),
        ("PATCH", vec!["/token", "/consent"]),
    ] {
        for path in paths {
            let request = house.request(method, path).header("Sec-Fetch-Site", "same-origin");
            assert_eq!(house.send(request).await.status, 405, "{method} {path}");
        }
    }
    assert_eq!(house.send(house.request("GET", "/no/such/path")).await.status, 404);
}

#[tokio::test]
async fn what_is_too_large_is_told_so() {
    let house = House::open().await;
    for path in POSTS {
        let form = house.request("POST", path).header("Content-Type", "application/x-www-form-urlencoded");
        let answer = house.send(form.body(format!("a={}", "x".repeat(70_000)))).await;
        assert_eq!(answer.status, 413, "{path}");
    }
    let long = format!("/authorize?state={}", "x".repeat(9000));
    assert_eq!(house.send(house.request("GET", &long)).await.status, 414);
    let large = house.request("GET", "/jwks").header("X-Large", "x".repeat(40_000));
    assert_eq!(house.send(large).await.status, 431);
    let web = house.client("web");
    let many: Vec<(String, String)> = (0..101).map(|n| (format!("p{n}"), "x".into())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    web.token(&many).await.refused("invalid_request");
    web.token(&[("grant_type", &"x".repeat(20_001))]).await.refused("invalid_request");
}

#[tokio::test]
async fn the_token_endpoint_takes_forms_and_nothing_twice() {
    let house = House::open().await;
    house
        .send(house.request("POST", "/token").json(&json!({"grant_type": "client_credentials"})))
        .await
        .refused("invalid_request");
    let web = house.client("web");
    for name in ["grant_type", "scope", "authorization_details"] {
        let value = if name == "grant_type" { "client_credentials" } else { "orders:read" };
        let params = [("grant_type", "client_credentials"), (name, value), (name, value)];
        let answer = web.token(&params).await;
        assert_eq!(answer.json["error"], "invalid_request", "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn details_are_bounded_in_number_depth_and_spelling() {
    let house = House::open().await;
    let agent = house.client("agent-a");
    let detail = json!({"type": "agent_task", "actions": ["read"]});
    let deep =
        format!(r#"[{{"type":"agent_task","actions":["read"],"x":{}{}}}]"#, "[".repeat(500), "]".repeat(500));
    let many = json!(vec![detail; 21]).to_string();
    for details in [
        many.as_str(),
        deep.as_str(),
        r#"[{"type":"agent_task","actions":["read"],"actions":["write"]}]"#,
        r#"[{"type":"agent_task","actions":["read"],"purpose":"\u0000"}]"#,
        r#"[{"type":"agent_task","actions":["read"],"max_amount":1e999}]"#,
        r#"[{"type":"agent_task","actions":["read"],"max_amount":-1}]"#,
        r#"[{"actions":["read"]}]"#,
        r#"{"type":"agent_task","actions":["read"]}"#,
        "[]]",
        "null",
        "[1]",
    ] {
        let ask = house.ask(&agent).with("authorization_details", details);
        let answer = agent.push(&ask.params()).await;
        let shown: String = details.chars().take(80).collect();
        assert_eq!(answer.json["error"], "invalid_authorization_details", "{shown}: {}", answer.body);
    }
}

async fn raw(house: &House, text: &[u8]) -> String {
    let address = house.issuer().strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(text).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_is_no_http_is_no_request() {
    let house = House::open().await;
    for text in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n",
    ] {
        let answer = raw(&house, text).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4"),
            "{answer}"
        );
    }
    let two = raw(&house, b"POST /token HTTP/1.1\r\nHost: x\r\nAuthorization: Basic a\r\nAuthorization: Basic b\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    assert!(two.starts_with("HTTP/1.1 400"), "{two}");
    assert_eq!(house.send(house.request("GET", "/healthz")).await.status, 200);
}
