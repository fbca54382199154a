//! The main job, from the question to the resource server.

use tests::{Database, House, on_both_databases};

on_both_databases! { an_application_asks_for_an_agent_and_the_agent_acts }

async fn an_application_asks_for_an_agent_and_the_agent_acts(database: Database) {
    let house = House::on(database).await;
    let agent = house.client("agent-a");
    let token = house.delegated_token(&agent, "orders:read").await;
    let claims = token.claims();
    assert_eq!(claims["act"]["sub"], "agent-a");
    assert_eq!(claims["scope"], "orders:read");
    assert!(house.is_active(token.access_token()).await);
    house.told("token.exchange", "granted").await;
    house.close().await;
}
