//! Token requests that wait for a person: answered once, used once, and ended with what they come from.

use protocol::approval::{Question, Wanted};
use protocol::authorization_details::DetailsTypes;
use protocol::client::GrantType;
use protocol::consent::Consent;
use protocol::deferred::Polling;
use protocol::rule::{Approver, Reason};
use protocol::task::Task;
use protocol::token::Subject;

use super::*;

promises! {
    an_answer_is_given_once_and_a_yes_is_used_once;
    each_ending_takes_what_waits_for_it_and_nothing_else;
    a_webhook_is_told_by_one_at_a_time_and_again_when_its_lease_is_over;
    no_more_wait_than_there_is_room_for_however_many_ask_at_once_and_at_whichever_node;
    what_somebody_has_a_part_in_who_neither_asked_nor_answers_ends_with_them;
}

/// A request of the agent's for something that comes of this token.
fn deferral(name: &str, client: &str, approver: &str, from: &Token) -> Deferral {
    let wanted = Wanted {
        client: id(client),
        parent: Some(from.id.clone()),
        ..Wanted::of(from, &DetailsTypes::default())
    };
    let reason = Reason::Rule(id("rule"));
    Deferral {
        digest: digest(name),
        id: format!("ask_{name}"),
        asked: AskedOfPerson {
            question: Question {
                wanted,
                reason,
                approver: id(approver),
                asked_as: Approver::Subject,
                acr: None,
                end: LATER,
            },
            grant_type: GrantType::TokenExchange,
            key: None,
            certificate: None,
            instance: None,
            asked_at: NOW,
        },
        polling: Polling { interval: Seconds(5), polled_at: None, expires_at: LATER },
        standing: Standing::Waiting,
        approved: None,
        request: "sealed".into(),
        delivery: None,
    }
}

/// A yes, to something.
fn yes(until: NumericDate) -> Step {
    Step::Approve { until, hash: "hash".into() }
}

fn take(name: &str, step: Step) -> Change {
    Change::housekeeping(NOW).take(Take::Deferral { digest: digest(name), step })
}

async fn standing(place: &Place, name: &str) -> Standing {
    place.store.find_deferral(&digest(name)).await.unwrap().unwrap().standing
}

async fn an_answer_is_given_once_and_a_yes_is_used_once(place: &Place) {
    let from = token("t1");
    let records = ["a", "b", "c"].map(|name| Record::Deferral(deferral(name, "agent", "bob", &from)));
    place.keep(records.into()).await;
    assert_eq!(place.store.count_deferrals_for(&id("bob"), NOW).await.unwrap(), 3);
    assert!(place.store.find_deferral_for(&id("alice"), "ask_a").await.unwrap().is_none());
    assert!(place.store.commit(take("a", Step::Redeem)).await.is_err(), "nobody has answered");
    let until = NOW.plus(Seconds(60));
    let answers = |n: usize| take("a", if n.is_multiple_of(2) { yes(until) } else { Step::Deny });
    let (won, lost) = place.race(answers).await;
    assert_eq!((won, lost.len()), (1, 49));
    place.commit(take("b", yes(until))).await;
    assert!(place.store.commit(take("b", Step::Deny)).await.is_err());
    let kept = place.store.find_deferral(&digest("b")).await.unwrap().unwrap();
    assert_eq!((kept.polling.expires_at, kept.approved.as_deref()), (until, Some("hash")));
    let (won, _) = place.race(|_| take("b", Step::Redeem)).await;
    assert_eq!((won, standing(place, "b").await), (1, Standing::Over));
    place.commit(take("c", Step::Deny)).await;
    for step in [Step::Redeem, yes(until)] {
        assert!(place.store.commit(take("c", step)).await.is_err());
    }
    assert_eq!(place.store.count_deferrals_for(&id("bob"), NOW).await.unwrap(), 0);
    let late = Change::housekeeping(LATER).take(Take::Deferral { digest: digest("d"), step: Step::Deny });
    place.keep(vec![Record::Deferral(deferral("d", "agent", "bob", &from))]).await;
    assert!(place.store.commit(late).await.is_err(), "it is over");
}

async fn each_ending_takes_what_waits_for_it_and_nothing_else(place: &Place) {
    for (index, ending) in [
        Ending::Consent(id("con")),
        Ending::Task(id("tsk")),
        Ending::Token(id("root")),
        Ending::Client(id("agent")),
        Ending::Agent(id("agent")),
        Ending::User(id("alice")),
        Ending::User(id("bob")),
        Ending::Session(id("ses")),
    ]
    .into_iter()
    .enumerate()
    {
        let of = |text: &str| format!("{text}-{index}");
        let own = TaskRef { id: id(&of("tsk")), root: id(&of("tsk")), authority_hash: String::new() };
        let consent = Consent { user: id(&of("alice")), actor: id(&of("agent")), ..consent(&of("con")) };
        let task =
            Task { user: id(&of("alice")), actor: id(&of("agent")), ..task(&of("tsk"), &of("con"), None) };
        let root = Token {
            client: id(&of("agent")),
            subject: Subject::User(id(&of("alice"))),
            task: Some(own),
            session: Some(id(&of("ses"))),
            ..under(&of("con"), &of("root"))
        };
        let other = Token { subject: Subject::User(id(&of("carol"))), ..token(&of("other")) };
        let (waits, stays) = (of("waits"), of("stays"));
        place
            .keep(vec![
                Record::Consent(consent),
                Record::Task(task),
                kept(root.clone()),
                kept(other.clone()),
                Record::Deferral(deferral(&waits, &of("agent"), &of("bob"), &root)),
                Record::Deferral(deferral(&stays, &of("other-agent"), &of("dora"), &other)),
                Record::Deferral(deferral(&of("denied"), &of("agent"), &of("bob"), &root)),
            ])
            .await;
        place.commit(take(&of("denied"), Step::Deny)).await;
        if index % 2 == 0 {
            place.commit(take(&waits, yes(LATER))).await;
        }
        let ending = match ending {
            Ending::Consent(_) => Ending::Consent(id(&of("con"))),
            Ending::Task(_) => Ending::Task(id(&of("tsk"))),
            Ending::Token(_) => Ending::Token(id(&of("root"))),
            Ending::Client(_) => Ending::Client(id(&of("agent"))),
            Ending::Agent(_) => Ending::Agent(id(&of("agent"))),
            Ending::User(user) => Ending::User(id(&of(user.as_str()))),
            _ => {
                place.keep(vec![Record::BrowserSession(session(&of("cookie"), &of("ses")))]).await;
                Ending::Session(id(&of("ses")))
            }
        };
        let ended = place.commit(Change::housekeeping(NOW).end(ending.clone())).await.ended;
        assert!(ended.pending >= 1, "{ending:?} {ended:?}");
        assert_eq!(standing(place, &waits).await, Standing::Ended, "{ending:?}");
        assert_eq!(standing(place, &stays).await, Standing::Waiting, "{ending:?}");
        assert_eq!(standing(place, &of("denied")).await, Standing::Denied, "{ending:?}");
        assert!(place.store.commit(take(&waits, Step::Redeem)).await.is_err(), "{ending:?}");
        assert!(place.store.commit(take(&waits, yes(LATER))).await.is_err(), "{ending:?}");
    }
}

async fn a_webhook_is_told_by_one_at_a_time_and_again_when_its_lease_is_over(place: &Place) {
    let lease = Seconds(60);
    let event = json!({"jti": "1"}).as_object().unwrap().clone();
    let delivery = WebhookDelivery {
        digest: digest("1"),
        webhook: "hook".into(),
        event: event.clone(),
        due_at: NOW,
        expires_at: LATER,
        attempts: 0,
    };
    place.keep(vec![Record::WebhookDelivery(delivery)]).await;
    let claims: Vec<_> = (0..20)
        .map(|_| {
            let store = place.store.clone();
            tokio::spawn(async move { store.claim_webhooks(NOW, lease, 5).await.unwrap() })
        })
        .collect();
    let mut given = Vec::new();
    for one in claims {
        given.extend(one.await.unwrap());
    }
    assert_eq!(given.iter().map(|one| (one.attempts, one.event.clone())).collect::<Vec<_>>(), [(1, event)]);
    assert!(place.store.claim_webhooks(NOW.plus(Seconds(59)), lease, 5).await.unwrap().is_empty());
    assert_eq!(place.store.claim_webhooks(NOW.plus(lease), lease, 5).await.unwrap()[0].attempts, 2);
    let due_at = NOW.plus(Seconds(200));
    let later = Note::WebhookLater { digest: digest("1"), due_at };
    place.commit(Change::housekeeping(NOW).note(later)).await;
    assert!(place.store.claim_webhooks(NOW.plus(Seconds(199)), lease, 5).await.unwrap().is_empty());
    assert_eq!(place.store.claim_webhooks(due_at, lease, 5).await.unwrap().len(), 1);
    place.commit(Change::housekeeping(NOW).note(Note::WebhookDone(digest("1")))).await;
    assert!(place.store.claim_webhooks(LATER, lease, 5).await.unwrap().is_empty());
}

/// A second node on the same database, where there can be one.
async fn neighbour(place: &Place) -> Store {
    if place.url.starts_with("sqlite") { place.store.clone() } else { Store::open(&place.url).await.unwrap() }
}

async fn no_more_wait_than_there_is_room_for_however_many_ask_at_once_and_at_whichever_node(place: &Place) {
    let (from, other_node) = (token("t1"), neighbour(place).await);
    let people = ["bob", "dora"].map(|who| Record::User { user: user(who), origin: Origin::Config });
    let clients =
        ["agent", "other"].map(|who| Record::Client { client: client(who, who), origin: Origin::Config });
    place.keep(people.into_iter().chain(clients).collect()).await;
    let ask = |name: String, client: &str, approver: &str, most: [u64; 2]| {
        Change::housekeeping(NOW)
            .requires(Anchor::Client(id(client)))
            .requires(Anchor::User(id(approver)))
            .keep(Record::Deferral(deferral(&name, client, approver, &from)))
            .room(Room::DeferralsOf { client: id(client), most: most[0] })
            .room(Room::DeferralsFor { approver: id(approver), most: most[1] })
    };
    // The narrower room decides, whichever it is.
    let asked = [("agent", "bob", [5, 50], 5), ("agent", "dora", [5, 50], 0), ("other", "bob", [50, 8], 3)];
    for (number, (client, approver, most, fit)) in asked.into_iter().enumerate() {
        let commits: Vec<_> = (0..40)
            .map(|n: usize| {
                let store = if n.is_multiple_of(2) { place.store.clone() } else { other_node.clone() };
                let change = ask(format!("{number}-{n}"), client, approver, most);
                tokio::spawn(async move { store.commit(change).await })
            })
            .collect();
        let mut won = 0;
        for commit in commits {
            match commit.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => {
                    assert!(matches!(error, CommitError::Conflict(Conflict::NoRoom)), "{error:?}");
                }
            }
        }
        assert_eq!(won, fit, "{client} {approver}");
    }
    assert_eq!(place.store.count_deferrals_for(&id("bob"), NOW).await.unwrap(), 8);
    // What is answered, given up or over makes room.
    let waiting = place.store.deferrals_for(&id("bob"), NOW).await.unwrap();
    let of_other = waiting.iter().find(|one| one.asked.question.wanted.client.as_str() == "other").unwrap();
    let cancel = Take::Deferral { digest: of_other.digest, step: Step::Cancel };
    place.commit(Change::housekeeping(NOW).take(cancel)).await;
    place.commit(ask("late".into(), "other", "bob", [50, 8])).await;
    assert!(place.store.commit(ask("too late".into(), "other", "bob", [50, 8])).await.is_err());
}

async fn what_somebody_has_a_part_in_who_neither_asked_nor_answers_ends_with_them(place: &Place) {
    let actor = |name: &str, instance: Option<&str>| protocol::actor::Actor {
        sub: id(name),
        iss: "https://as.example".into(),
        sub_profile: protocol::actor::SubProfile::AiAgent,
        instance: instance.map(id),
    };
    // No token, no consent and no task is behind it: the questions name them, and nothing else does.
    let question = |name: &str, subject: Subject, actor: protocol::actor::Actor| {
        let mut deferral = deferral(name, "caller", "bob", &token("t1"));
        let wanted = &mut deferral.asked.question.wanted;
        (wanted.subject, wanted.chain) = (subject, protocol::actor::Chain::of(actor));
        (wanted.parent, wanted.consent, wanted.task) = (None, None, None);
        Record::Deferral(deferral)
    };
    let alice = || Subject::User(id("alice"));
    let itself = Subject::Client { id: id("lone"), sub_profile: protocol::actor::SubProfile::AiAgent };
    place
        .keep(vec![
            question("alices", alice(), actor("a", None)),
            question("carols", Subject::User(id("carol")), actor("b", Some("run-1"))),
            question("siblings", Subject::User(id("carol")), actor("b", Some("run-2"))),
            question("own", itself, actor("c", None)),
            question("stays", Subject::User(id("alice-2")), actor("agent", None)),
        ])
        .await;
    let instance = protocol::instance::Instance::new(&id("b"), &id("run-1"));
    for (ending, ended) in [
        (Ending::Agent(id("nobody")), None),
        (Ending::User(id("alice")), Some("alices")),
        (Ending::Instance(instance), Some("carols")),
        (Ending::Agent(id("b")), Some("siblings")),
        (Ending::Agent(id("lone")), Some("own")),
    ] {
        let done = place.commit(Change::housekeeping(NOW).end(ending.clone())).await.ended;
        assert_eq!(done.pending, u64::from(ended.is_some()), "{ending:?} {done:?}");
        if let Some(name) = ended {
            assert_eq!(standing(place, name).await, Standing::Ended, "{ending:?}");
        }
    }
    assert_eq!(standing(place, "stays").await, Standing::Waiting);
}
