//! Where something goes is a part of what is approved: another domain, a transaction, or resource servers here.

use super::*;

on_both_databases! {
    a_person_sees_to_which_other_domain_something_goes_and_a_yes_for_here_is_none_for_there,
    a_person_sees_the_transaction_that_a_token_is_for,
}

const SAAS: &str = "https://saas.example";
const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const TXN: &str = "urn:ietf:params:oauth:token-type:txn_token";

fn servers() -> String {
    let server = |issuer: &str| {
        format!(
            "[[resource_authorization_servers]]\nissuer = \"{issuer}\"\ngrants = [\"id-jag\", \"jwt\"]\n\
             clients = {{ \"agent-a\" = \"crm-agent\" }}\nresources = [\"{ORDERS}\"]\n\
             scope = \"orders:read orders:write\"\nlife = \"1m\"\n"
        )
    };
    format!("{RULES}\n{}{}", server(SAAS), server("https://other.example"))
}

/// The answer of a form of hers, as if another page's hash stood in it.
async fn approve_as(person: &Person, form: &tests::Form, shown: &str) -> u16 {
    let mut form = form.clone();
    form.fill("shown", shown);
    let mut fields = form.fields.clone();
    fields.push(("decision".into(), "approve".into()));
    person.post(&form.action, &fields).await.page().status
}

/// The question that waits for this person and is not at one of these paths.
async fn next_question(person: &Person, known: &[&Page]) -> Page {
    let list = person.page("/approvals").await.html;
    let ids = list.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let fresh = ids.filter(|path| path.starts_with("/approvals/ask_"));
    let fresh =
        fresh.into_iter().find(|path| known.iter().all(|page| page.path != *path)).unwrap().to_owned();
    person.page(&fresh).await
}

async fn a_person_sees_to_which_other_domain_something_goes_and_a_yes_for_here_is_none_for_there(
    database: Database,
) {
    let mut house = House::on_with(database, &servers()).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("openid offline_access orders:read orders:write").resource(ORDERS);
    let login = ask.approved_by(&alice).await.redeem(&agent).await.ok();
    let refresh = login.text("refresh_token");
    let write = ("scope", "orders:write");
    let wait = ("completion_mode", "deferred");
    let here = agent.refresh(refresh, &[write, wait]).await.refused("authorization_pending");
    let page_here = question(&alice).await;
    assert!(!page_here.html.contains("approval-destination"), "nothing leaves: {}", page_here.text());

    let mut all = vec![(here, page_here)];
    for (requested, audience, words) in [
        (JWT, SAAS, "another domain"),
        (ID_JAG, SAAS, "tells it who the user is"),
        (ID_JAG, "https://other.example", "tells it who the user is"),
    ] {
        let params = [write, wait, ("requested_token_type", requested), ("audience", audience)];
        let asked = exchange_of(&agent, refresh, "refresh_token", &params).await;
        let asked = asked.refused("authorization_pending");
        let told = house.told("deferral.ask", "granted").await;
        assert_eq!(told["destination"], json!({ "requested_token_type": requested, "audience": audience }));
        let page = next_question(&alice, &all.iter().map(|(_, page)| page).collect::<Vec<_>>()).await;
        for words in [words, audience, requested, "Change your orders"] {
            assert!(page.text().contains(words), "{words}: {}", page.text());
        }
        all.push((asked, page));
    }

    // What one page showed is no yes to another, either way.
    for (index, (_, page)) in all.iter().enumerate() {
        for (_, other) in all.iter().enumerate().filter(|(n, _)| *n != index).map(|(_, other)| other) {
            let shown = other.form().value("shown").to_owned();
            assert_ne!(page.form().value("shown"), shown);
            assert_eq!(approve_as(&alice, &page.form(), &shown).await, 400);
        }
    }
    let [(here, page_here), (chained, page_chained), (jag, page_jag), (other, _)] =
        all.try_into().unwrap_or_else(|_| panic!("four were asked"));
    page_here.approve(|_| {}).await.page();
    for asked in [&chained, &jag, &other] {
        poll(&agent, asked).await.refused("authorization_pending");
    }
    let token = poll(&agent, &here).await.ok();
    assert_eq!(token.claims()["aud"], ORDERS);

    page_chained.approve(|_| {}).await.page();
    let told = house.told("deferral.decide", "granted").await;
    assert_eq!(told["destination"]["audience"], SAAS);
    let grant = poll(&agent, &chained).await.ok();
    assert_eq!((grant.text("issued_token_type"), &grant.claims()["aud"]), (JWT, &json!(SAAS)));
    let told = house.told("token.exchange", "granted").await;
    assert_eq!(told["destination"]["requested_token_type"], JWT);

    // The server is declared no more when the client comes back.
    page_jag.approve(|_| {}).await.page();
    house.restart_changed(|config| config.replace(SAAS, "https://elsewhere.example")).await;
    poll(&again(&house, &agent), &jag).await.refused("invalid_target");
    house.told("token.exchange", "invalid_target").await;
}

async fn a_person_sees_the_transaction_that_a_token_is_for(database: Database) {
    let fragment = "[transaction_tokens]\ntrust_domain = \"trust.example\"\nclients = [\"orders-api\"]\n\
                    [[rules]]\nid = \"orders-api-acts\"\nclient = \"orders-api\"\neffect = \"may_act\"\n\
                    resources = [\"https://orders.example\"]\n\
                    [[rules]]\nid = \"changes\"\nclient = \"orders-api\"\neffect = \"ask\"\n\
                    scope = \"orders:write\"\n";
    let house = House::on_with(database, fragment).await;
    let (agent, api) = (house.client("agent-a"), house.client("orders-api"));
    let alice = house.signed_in("alice").await;
    let token = house.delegated_token(&agent, "orders:write").await;
    let ask = async |details: &str| {
        let params = [
            ("requested_token_type", TXN),
            ("audience", "trust.example"),
            ("scope", "orders:write"),
            ("request_details", details),
            ("completion_mode", "deferred"),
        ];
        let asked = exchange_of(&api, token.access_token(), "access_token", &params).await;
        asked.refused("authorization_pending")
    };
    let seven = ask(r#"{"order":7,"amount":"12 EUR"}"#).await;
    let page = question(&alice).await;
    for words in ["trust.example", "order: 7", "amount: \"12 EUR\"", TXN] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    let told = house.told("deferral.ask", "granted").await;
    assert_eq!(told["destination"]["request_details"]["order"], 7);
    let eight = ask(r#"{"order":8,"amount":"12 EUR"}"#).await;
    let other = next_question(&alice, &[&page]).await;
    assert_eq!(approve_as(&alice, &other.form(), page.form().value("shown")).await, 400);
    page.approve(|_| {}).await.page();
    poll(&api, &eight).await.refused("authorization_pending");
    let issued = poll(&api, &seven).await.ok();
    assert_eq!(issued.text("issued_token_type"), TXN);
    assert_eq!(issued.claims()["tctx"]["order"], 7);
}
