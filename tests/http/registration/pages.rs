//! What people are shown of clients, and admins of what a client may do.

use serde_json::json;
use tests::{Authentication, Client, Database, House, ORDERS, Site};

use super::{BACK, manage, open, registered, settings};

/// The beginning of a PNG.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

#[tokio::test]
async fn r_7591_21_people_are_told_that_nobody_vouches_for_a_client_and_where_their_answer_goes() {
    let house = open(Database::Sqlite).await;
    let more = json!({ "client_name": "Your Bank", "client_name#de": "Ihre Bank" });
    let (_, client) = registered(&house, &more).await;
    let alice = house.signed_in("alice").await;
    let ask = |client: &Client| house.ask(client).scope("orders:read").resource(ORDERS);
    let text = ask(&client).returning_to(BACK).brought_by(&alice).await.page().text();
    for words in ["Your Bank", "registered itself", "Your answer goes to rp.example"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let local = json!({ "redirect_uris": ["http://127.0.0.1:8400/cb"] });
    let (_, local) = registered(&house, &local).await;
    let text = ask(&local).returning_to("http://127.0.0.1:9000/cb").brought_by(&alice).await.page().text();
    assert!(text.contains("a program on this device"), "{text}");
    // A client that the operator declared is not spoken of so.
    let text = ask(&house.client("shop")).brought_by(&alice).await.page().text();
    assert!(!text.contains("registered itself") && !text.contains("this device"), "{text}");
}

#[tokio::test]
async fn r_7591_22_logo_and_links_are_shown_where_they_are_the_clients_own_and_come_from_here() {
    let site = Site::open().await;
    let house = House::open_with(&format!("{}{}", settings("enabled = \"open\""), site.reachable())).await;
    site.shows("/logo.png", "200 OK", &["Content-Type: text/html"], PNG);
    let back = site.url("/cb");
    let own = json!({
        "redirect_uris": [back], "logo_uri": site.url("/logo.png"), "policy_uri": site.url("/privacy"),
        "tos_uri": site.url("/terms"),
    });
    let (_, client) = registered(&house, &own).await;
    let ask = house.ask(&client).returning_to(&back).scope("orders:read").resource(ORDERS);
    let page = ask.brought_by(&house.person()).await.page();
    let path = format!("/clients/{}/logo", client.id);
    for piece in [
        format!("id=\"login-client-logo\" src=\"{path}\""),
        format!("id=\"login-client-policy\" href=\"{}\"", site.url("/privacy")),
        format!("id=\"login-client-tos\" href=\"{}\"", site.url("/terms")),
    ] {
        assert!(page.html.contains(&piece), "{piece}: {}", page.html);
    }
    assert_eq!(site.asked_for("/logo.png"), 0, "the page itself asks nobody");
    for _ in 0..3 {
        let logo = house.send(house.request("GET", &path)).await.ok();
        assert_eq!(
            (logo.header("content-type"), logo.header("x-content-type-options")),
            ("image/png", "nosniff")
        );
        assert_eq!(logo.header("content-security-policy"), "default-src 'none'; sandbox");
    }
    assert_eq!(site.asked_for("/logo.png"), 1);

    let foreign = json!({ "logo_uri": site.url("/logo.png"), "policy_uri": site.url("/privacy") });
    let (_, foreign) = registered(&house, &foreign).await;
    let ask = house.ask(&foreign).returning_to(BACK).scope("orders:read").resource(ORDERS);
    let page = ask.brought_by(&house.person()).await.page();
    for mark in ["login-client-logo", "login-client-policy", "login-client-tos"] {
        assert!(!page.html.contains(mark), "{mark}: {}", page.html);
    }
    assert_eq!(house.send(house.request("GET", &format!("/clients/{}/logo", foreign.id))).await.status, 404);
}

#[tokio::test]
async fn a_logo_is_a_picture_within_bounds_and_nothing_else() {
    let site = Site::open().await;
    let house = House::open_with(&format!("{}{}", settings("enabled = \"open\""), site.reachable())).await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let large = [PNG, &vec![0; 200_000]].concat();
    for (n, (status, body)) in
        [("200 OK", &svg[..]), ("200 OK", b"<html>"), ("200 OK", &large), ("404 Not Found", PNG)]
            .into_iter()
            .enumerate()
    {
        let path = format!("/{n}.png");
        site.shows(&path, status, &["Content-Type: image/png"], body);
        let more = json!({ "redirect_uris": [site.url("/cb")], "logo_uri": site.url(&path) });
        let (answer, client) = registered(&house, &more).await;
        let logo = format!("/clients/{}/logo", client.id);
        assert_eq!(house.send(house.request("GET", &logo)).await.status, 404, "{n}");
        assert_eq!(site.asked_for(&path), 1);
        manage(&house, &answer, "DELETE", None).await.ok();
    }
    for nobody in ["nobody", "%2e%2e", "a%00b"] {
        assert_eq!(house.send(house.request("GET", &format!("/clients/{nobody}/logo"))).await.status, 404);
    }
}

#[tokio::test]
async fn a_logo_within_is_not_fetched() {
    let site = Site::open().await;
    let house = House::open_with(&format!("{}{}", settings("enabled = \"open\""), site.out_of_reach())).await;
    site.shows("/logo.png", "200 OK", &[], PNG);
    let more = json!({ "redirect_uris": [site.url("/cb")], "logo_uri": site.url("/logo.png") });
    let (_, client) = registered(&house, &more).await;
    assert_eq!(house.send(house.request("GET", &format!("/clients/{}/logo", client.id))).await.status, 404);
    assert_eq!(site.asked_for("/logo.png"), 0);
}

#[tokio::test]
async fn an_admin_sees_what_a_client_may_do_and_nobody_else_does() {
    let house = open(Database::Sqlite).await;
    let (_, client) = registered(&house, &json!({ "client_name": "New <b>one</b>" })).await;
    let admin = house.signed_in("admin").await;
    let list = admin.page("/admin/clients").await;
    assert!(list.html.contains("id=\"admin-clients\"") && !list.html.contains("<b>one"), "{}", list.html);
    assert!(
        list.text().contains(&client.id)
            && list.text().contains("agent-a")
            && list.text().contains("Its own")
    );
    let one = admin.page(&format!("/admin/clients/{}", client.id)).await;
    let text = one.text();
    for words in ["client_secret_basic", "authorization_code", BACK, "orders:read", "oauth2.1", "Life of an"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let agent = admin.page("/admin/clients/agent-a").await.text();
    assert!(agent.contains("Bound to a key or to its certificate") && agent.contains("AI agent"), "{agent}");
    assert_eq!(admin.page("/admin/clients/nobody").await.status, 404);
    let alice = house.signed_in("alice").await;
    for path in ["/admin/clients".to_owned(), format!("/admin/clients/{}", client.id)] {
        assert_eq!(alice.page(&path).await.status, 403);
        assert!(house.person().page(&path).await.path.starts_with("/sign-in"));
    }
    let by_url = Client::new(house.door(), "https://app.example/client.json", Authentication::None);
    let escaped: String = url::form_urlencoded::byte_serialize(by_url.id.as_bytes()).collect();
    assert_eq!(admin.page(&format!("/admin/clients/{escaped}")).await.status, 404);
}
