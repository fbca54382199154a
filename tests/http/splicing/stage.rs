//! The house in which the stories are played: everything that the model knows of is really there, and got there over
//! HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::Connection as _;
use tests::{Answer, Authentication, Client, Database, House, Person};

use super::declared::{Keys, declared};
use super::details::{self, Details};
use super::model::{Consent, Form, Key, Stands, Sub, Task, Token, World};
use super::parties::{AGENTS, PARTIES, SHOP, USERS, WEB, Who, Words, homes, joined};
use super::why::Why;

/// How often what was seen, over all stories.
#[derive(Default, Debug)]
pub(super) struct Tally {
    pub(super) made: usize,
    pub(super) refused: usize,
    /// Refused for this reason alone.
    pub(super) alone: BTreeMap<Why, usize>,
}

/// A party with the keys that it may come with.
struct Faces {
    bare: Client,
    own: Client,
    other: Client,
}

pub(super) enum Tables {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

/// The house, and what is known of it.
pub(super) struct Stage {
    pub(super) house: House,
    pub(super) world: World,
    pub(super) keys: Keys,
    people: Vec<Person>,
    parties: Vec<Faces>,
    pub(super) tables: Tables,
    /// When the story began.
    begun: i64,
}

/// A consent that somebody is asked for.
pub(super) struct Wish {
    pub(super) user: usize,
    /// Who asks.
    pub(super) asker: Who,
    /// Who is to act.
    pub(super) to: Who,
    pub(super) scope: Words,
    pub(super) places: Words,
    pub(super) details: Details,
    pub(super) travels: bool,
    /// At least for so long; nobody's lasts for more than eight hours.
    pub(super) lasts: i64,
}

impl Stage {
    pub(super) async fn open(database: Database) -> Self {
        let keys = Keys::default();
        let house = House::build(database, |town| declared(&keys, town)).await;
        let mut people = Vec::new();
        for user in USERS {
            people.push(house.signed_in(user).await);
        }
        let faces = |id: &'static str| {
            let client = |proof| Client::new(house.door(), id, proof);
            let plain = match id {
                "agent-d" => client(Authentication::PrivateKeyJwt(Arc::clone(&keys.agent_d))),
                "runner" | "other" => client(keys.vouched_for(&house, id)),
                id => house.client(id).without_dpop(),
            };
            let (own, other) = (plain.clone().with_dpop(), plain.clone().with_dpop());
            Faces { bare: plain, own, other }
        };
        let parties = PARTIES.iter().map(|party| faces(party.id)).collect();
        let tables = match database {
            Database::Sqlite => {
                Tables::Sqlite(sqlx::SqliteConnection::connect(house.database_url()).await.unwrap())
            }
            Database::Postgres => {
                Tables::Postgres(sqlx::PgConnection::connect(house.database_url()).await.unwrap())
            }
        };
        let mut stage = Self { house, world: World::default(), keys, people, parties, tables, begun: 0 };
        stage.look_at_clock();
        stage.begun = stage.world.now;
        stage
    }

    pub(super) fn look_at_clock(&mut self) {
        self.world.now = self.house.door().now().0;
    }

    pub(super) fn face(&self, who: Who, key: Option<Key>) -> &Client {
        let faces = &self.parties[who];
        match key {
            None => &faces.bare,
            Some(Key::Own) => &faces.own,
            Some(Key::Other) => &faces.other,
        }
    }

    /// How a party usually comes: with its key, if it has one.
    pub(super) const fn usual(who: Who) -> Option<Key> {
        if who == WEB || who == SHOP { None } else { Some(Key::Own) }
    }

    /// So many seconds, or some more, that no two consents end within seconds of each other: of several that allow the same,
    /// the one counts that lasts longest, and neither house nor model may have to guess which that is.
    fn told_apart(&mut self, lasts: i64) -> i64 {
        const APART: i64 = 12;
        const ALL: i64 = 100 * APART;
        self.look_at_clock();
        let nth = i64::try_from(self.world.consents.len()).unwrap();
        assert!(nth < 100, "too many consents to tell apart");
        let whole = (self.world.now + lasts - self.begun).div_euclid(ALL) + 1;
        self.begun + whole * ALL + nth * APART - self.world.now
    }

    /// A user is asked, and says yes.
    pub(super) async fn consent(&mut self, wish: &Wish) {
        let (asker, to) = (wish.asker, wish.to);
        let known = |detail: &&details::Detail| {
            let understood = wish.places.iter().any(|place| detail.kind.is_known_at(place));
            understood && PARTIES[to].kinds.contains(&detail.kind)
        };
        let details: Details = wish.details.iter().filter(known).cloned().collect();
        let client = self.face(asker, Self::usual(asker)).clone();
        let by_itself = asker == to;
        let absent = by_itself && PARTIES[to].agent.is_some();
        let lasting = if absent { " offline_access" } else { "" };
        let scope = format!("openid {}{lasting}", joined(&wish.scope));
        let mut ask = self.house.ask(&client).with("prompt", "consent").scope(&scope);
        if !by_itself {
            ask = ask.actor(PARTIES[to].id);
        }
        if !details.is_empty() {
            ask = ask.details(&details::to_json(&details));
        }
        ask = wish.places.iter().fold(ask, |ask, place| ask.resource(place));
        let lasts = self.told_apart(wish.lasts);
        let change = |form: &mut tests::Form| {
            form.fill("until", &lasts.to_string());
            if !wish.travels && form.value("passing_on") == "yes" {
                form.untick("passing_on", "yes");
            }
        };
        let page = ask.brought_by(&self.people[wish.user]).await.page();
        let page = if page.path.starts_with("/sign-in") {
            page.sign_in(USERS[wish.user], &tests::password_of(USERS[wish.user])).await.page()
        } else {
            page
        };
        // What nothing is asked for falls away.
        let homes = homes(&wish.scope);
        let means_something = |place: &&str| {
            homes.contains(*place) || details.iter().any(|detail| detail.kind.is_known_at(place))
        };
        let places: Words = wish.places.iter().copied().filter(means_something).collect();
        let code = ask.code(&page.approve(change).await.param("code"));
        self.look_at_clock();
        let mut params = code.params();
        params.extend(homes.iter().map(|place| ("resource", *place)));
        let answer = client.token(&params).await.ok();
        let until = self.world.now + lasts;
        let user = USERS[wish.user];
        let travels = match PARTIES[to].agent {
            Some(deepest) if wish.travels => deepest - 1,
            _ => 0,
        };
        let consent = self.world.consents.len();
        self.world.consents.push(Consent {
            id: answer.text("grant_id").to_owned(),
            user,
            to,
            scope: wish.scope.clone(),
            places: places.clone(),
            details: details.clone(),
            travels,
            until,
            over: false,
        });
        let claims = answer.claims();
        let task = PARTIES[to].agent.is_some().then(|| {
            self.world.tasks.push(Task {
                id: claims["task"]["id"].as_str().unwrap().to_owned(),
                consent,
                doer: to,
                above: None,
                scope: wish.scope.clone(),
                places: places.clone(),
                details: details.clone(),
                until,
                stands: Stands::Active,
                left: None,
            });
            self.world.tasks.len() - 1
        });
        assert_eq!(claims.get("task").is_some(), task.is_some(), "{claims}");
        let here = |detail: &&details::Detail| homes.iter().any(|place| detail.kind.is_known_at(place));
        let token = Token {
            text: answer.access_token().to_owned(),
            form: Form::Access,
            sub: Sub::User(user),
            to: asker,
            acts: if absent { vec![asker] } else { Vec::new() },
            brought: 0,
            only: (!by_itself).then_some(to),
            handed: (!by_itself).then_some(to),
            scope: wish.scope.clone(),
            places: homes.clone(),
            details: details.iter().filter(here).cloned().collect(),
            key: Self::usual(asker).map(|key| (asker, key)),
            consent: Some(consent),
            task,
            from: None,
            family: Some(consent),
            until: claims["exp"].as_i64().unwrap(),
            over: false,
            taken: false,
        };
        assert_eq!(details::read(&claims["authorization_details"]), token.details, "{claims}");
        // The others bring all that was approved, to the client that authenticates for it.
        let whole = Token { places, details, scope: wish.scope.clone(), key: None, ..token.clone() };
        let text = |name: &str| answer.text(name).to_owned();
        if absent {
            self.world.tokens.push(Token {
                text: text("refresh_token"),
                form: Form::Refresh,
                until,
                ..whole.clone()
            });
        }
        // An ID token ends with the access token beside it.
        let beside = Some(self.world.tokens.len() + 1);
        self.world.tokens.push(Token { text: text("id_token"), form: Form::Id, from: beside, ..whole });
        self.world.tokens.push(token);
    }

    /// A party gets a token of its own.
    pub(super) async fn own(&mut self, who: Who, scope: &Words) {
        let scope = &PARTIES[who].of(scope);
        if scope.is_empty() {
            return;
        }
        let homes = homes(scope);
        let mut params = vec![("grant_type", "client_credentials")];
        let words = joined(scope);
        params.push(("scope", &words));
        params.extend(homes.iter().map(|place| ("resource", *place)));
        self.look_at_clock();
        let answer = self.face(who, Self::usual(who)).token(&params).await.ok();
        self.world.tokens.push(Token {
            text: answer.access_token().to_owned(),
            form: Form::Access,
            sub: Sub::Client(who),
            to: who,
            acts: Vec::new(),
            brought: 0,
            only: None,
            handed: None,
            scope: scope.clone(),
            places: homes,
            details: Details::new(),
            key: Self::usual(who).map(|key| (who, key)),
            consent: None,
            task: None,
            from: None,
            family: None,
            until: answer.claims()["exp"].as_i64().unwrap(),
            over: false,
            taken: false,
        });
    }

    async fn call_tasks(&self, who: Who, path: &str, body: Option<&Value>) -> Answer {
        let client = self.face(who, Some(Key::Own));
        let own = [("grant_type", "client_credentials"), ("scope", "tasks")];
        let own = client.token(&own).await.ok();
        client.call_with("POST", path, own.access_token(), &[], body).await
    }

    /// An agent opens a task under a consent to it, or a part of one of its tasks for somebody else.
    pub(super) async fn task(
        &mut self,
        consent: usize,
        above: Option<(usize, Who)>,
        scope: &Words,
        details: &Details,
        most: Option<u32>,
    ) {
        let (places, granted) = (homes(scope), &self.world.consents[consent]);
        if granted.to >= AGENTS || places.is_empty() {
            return;
        }
        let mut body = json!({ "scope": joined(scope), "resource": places, "purpose": "Look after it" });
        if !details.is_empty() {
            body["authorization_details"] = details::to_json(details);
        }
        let (opener, doer) = match above {
            None => {
                body["grant_id"] = granted.id.as_str().into();
                (granted.to, granted.to)
            }
            Some((above, doer)) => {
                body["parent"] = self.world.tasks[above].id.as_str().into();
                body["actor"] = PARTIES[doer].id.into();
                (self.world.tasks[above].doer, doer)
            }
        };
        if let Some(most) = most {
            body["max_derivations"] = most.into();
        }
        if opener >= AGENTS {
            return;
        }
        let given = match above {
            Some((above, _)) => &self.world.tasks[above].details,
            None => &granted.details,
        };
        let within = details::are_within(details, given);
        let answer = self.call_tasks(opener, "/tasks", Some(&body)).await;
        if answer.status != 201 {
            return;
        }
        assert!(within, "a task that may do more than what it is of: {body}");
        let above = above.map(|(above, _)| above);
        let until = above.map_or(self.world.consents[consent].until, |above| self.world.tasks[above].until);
        self.world.tasks.push(Task {
            id: answer.text("id").to_owned(),
            consent,
            doer,
            above,
            scope: scope.clone(),
            places,
            details: details.clone(),
            until,
            stands: Stands::Active,
            left: most,
        });
    }

    /// Somebody ends a token of theirs.
    pub(super) async fn revoke(&mut self, token: usize) {
        let known = self.world.tokens[token].clone();
        if known.form.is_taken_once() || known.over {
            return;
        }
        self.face(known.to, Self::usual(known.to)).revoke(&known.text).await.ok();
        match (known.form, known.family) {
            (Form::Refresh, Some(family)) => self.world.end_family(family),
            _ => self.world.end_token(token),
        }
    }

    /// A user ends a consent.
    pub(super) async fn end_consent(&mut self, consent: usize) {
        self.look_at_clock();
        let known = &self.world.consents[consent];
        if known.over || known.until <= self.world.now + 4 {
            return;
        }
        let user = USERS.iter().position(|user| *user == known.user).unwrap();
        let page = self.people[user].page("/account").await;
        let forms = tests::Form::all(&page.html).into_iter();
        let mut ends = forms.filter(|form| form.action == "/account/consents/end");
        let form = ends.find(|form| form.value("consent") == known.id).unwrap();
        page.submit(&form, None).await.page();
        self.house.told("consent.end", "granted").await;
        self.world.end_consent(consent);
    }

    /// A task is suspended, goes on, is done or called off, by whoever does it.
    pub(super) async fn operate(&mut self, task: usize, operation: &str) {
        self.look_at_clock();
        let known = &self.world.tasks[task];
        let stands = known.stands != Stands::Over && known.until > self.world.now + 4;
        let rests = !stands
            || !self.world.line(task).iter().all(|task| self.world.tasks[*task].stands == Stands::Active);
        if rests && (known.stands != Stands::Suspended || operation != "resume") {
            return;
        }
        if known.doer >= AGENTS {
            return;
        }
        let path = format!("/tasks/{}/{operation}", known.id);
        self.call_tasks(known.doer, &path, None).await.ok();
        match operation {
            "suspend" => self.world.tasks[task].stands = Stands::Suspended,
            "resume" => self.world.tasks[task].stands = Stands::Active,
            _ => self.world.end_task(task),
        }
    }

    pub(super) fn later(&mut self, seconds: i64) {
        self.house.later(seconds);
        self.look_at_clock();
    }
}
