//! Grant Management: a client sees and ends the consents that were asked through it.

use tests::{Client, Database, House, on_both_databases};

on_both_databases! { a_client_sees_and_ends_its_consents }

async fn managing(client: &Client, scope: &str) -> String {
    client
        .token(&[("grant_type", "client_credentials"), ("scope", scope)])
        .await
        .ok()
        .access_token()
        .to_owned()
}

async fn a_client_sees_and_ends_its_consents(database: Database) {
    let house = House::on(database).await;
    let (web, alice) = (house.client("web"), house.signed_in("alice").await);
    let code = house.ask(&web).scope("offline_access orders:read").approved_by(&alice).await;
    let token = code.redeem(&web).await.ok();
    let path = format!("/grants/{}", token.text("grant_id"));
    let (query, revoke) =
        (managing(&web, "grant_management_query").await, managing(&web, "grant_management_revoke").await);

    let shown = web.call("GET", &path, &query).await.ok();
    assert!(shown.json["scopes"][0]["scope"].as_str().unwrap().contains("orders:read"), "{}", shown.body);
    web.call("DELETE", &path, &query).await.refused_with(403, "insufficient_scope");
    web.call("GET", &path, &revoke).await.refused_with(403, "insufficient_scope");
    let post = house.client("post");
    let foreign = managing(&post, "grant_management_query grant_management_revoke").await;
    for method in ["GET", "DELETE"] {
        let (theirs, none) =
            (post.call(method, &path, &foreign).await, post.call(method, "/grants/con_none", &foreign).await);
        assert_eq!((theirs.status, none.status), (404, 404));
        assert_eq!(theirs.body, none.body);
        // A user's token is not the client's.
        assert!([401, 403].contains(&web.call(method, &path, token.access_token()).await.status));
        assert_eq!(house.send(house.request(method, &path)).await.status, 401);
    }
    assert!(house.is_active(token.access_token()).await);

    assert_eq!(web.call("DELETE", &path, &revoke).await.status, 204);
    let event = house.told("consent.end", "granted").await;
    assert_eq!(event["client"], "web");
    assert!(!house.is_active(token.access_token()).await);
    web.refresh(token.text("refresh_token"), &[]).await.refused("invalid_grant");
    assert_eq!(web.call("GET", &path, &query).await.status, 404);
    assert_eq!(web.call("DELETE", &path, &revoke).await.status, 404);
}
