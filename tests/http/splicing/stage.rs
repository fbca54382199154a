//! The house in which the stories are played: everything that the model knows of is really there, and got there over
//! HTTP.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Connection as _;
use tests::{Answer, Authentication, Client, Database, House, INVENTORY, Key as Pair, ORDERS, Person};

use super::model::{
    ACCESS, AGENTS, Attempt, Consent, Key, LONGEST, ORDERS_API, PARTIES, PLACES, SHOP, Stands, Sub, Task,
    Token, WEB, WORDS, Who, Why, Words, World, errors,
};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const USERS: [&str; 2] = ["alice", "bob"];

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

enum Tables {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

/// The house, and what is known of it.
pub(super) struct Stage {
    house: House,
    pub(super) world: World,
    people: Vec<Person>,
    parties: Vec<Faces>,
    tables: Tables,
}

/// A consent that somebody is asked for.
pub(super) struct Wish {
    pub(super) user: usize,
    /// Who is to act: 0 to 3 an agent that asks itself, 4 to 7 an agent that the web asks for, 8 the orders, 9 the web.
    pub(super) way: usize,
    pub(super) scope: Words,
    pub(super) places: Words,
    pub(super) travels: bool,
    pub(super) lasts: i64,
}

impl Stage {
    pub(super) async fn open(database: Database) -> Self {
        let key = std::sync::Arc::new(Pair::generate());
        let fragment = format!(
            "max_chain_depth = {LONGEST}\n\
             [[rules]]\nid = \"orders-go-on\"\nclient = \"orders-api\"\neffect = \"may_act\"\nresources = [\"{INVENTORY}\"]\n\
             [[rules]]\nid = \"orders-for-a\"\nclient = \"orders-api\"\neffect = \"actor_token\"\nactor = \"agent-a\"\n\
             [[agents]]\nid = \"agent-d\"\nname = \"D\"\nowner = \"bob\"\npurpose = \"Does what it is told.\"\n\
             expires = 2099-01-01T00:00:00Z\nredirect_uris = [\"https://agent-d.example/callback\"]\n\
             scope = \"openid offline_access tasks orders:read orders:write inventory:read inventory:write\"\n\
             resources = [\"{ORDERS}\", \"{INVENTORY}\"]\nmax_chain_depth = 2\njwks = {}\n",
            key.jwks_toml()
        );
        let house = House::on_with(database, &fragment).await;
        let mut people = Vec::new();
        for user in USERS {
            people.push(house.signed_in(user).await);
        }
        let faces = |id: &str| {
            let plain = match id {
                "agent-d" => {
                    Client::new(house.door(), id, Authentication::PrivateKeyJwt(std::sync::Arc::clone(&key)))
                }
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
        let mut stage = Self { house, world: World::default(), people, parties, tables };
        stage.look_at_clock();
        stage
    }

    fn look_at_clock(&mut self) {
        self.world.now = self.house.door().now().0;
    }

    fn face(&self, who: Who, key: Option<Key>) -> &Client {
        let faces = &self.parties[who];
        match key {
            None => &faces.bare,
            Some(Key::Own) => &faces.own,
            Some(Key::Other) => &faces.other,
        }
    }

    /// How a party usually comes: with its key, if it has one.
    const fn usual(who: Who) -> Option<Key> {
        if who == WEB || who == SHOP { None } else { Some(Key::Own) }
    }

    /// A user is asked, and says yes.
    pub(super) async fn consent(&mut self, wish: &Wish) {
        let (asker, to) = match wish.way {
            way if way < AGENTS => (way, way),
            way if way < 2 * AGENTS => (WEB, way - AGENTS),
            8 => (WEB, ORDERS_API),
            _ => (WEB, WEB),
        };
        let places = homes(&wish.scope).union(&wish.places).copied().collect::<Words>();
        let client = self.face(asker, Self::usual(asker)).clone();
        let by_itself = asker == to && asker < AGENTS;
        let scope = format!("{}{}", joined(&wish.scope), if by_itself { " offline_access" } else { "" });
        let mut ask = self.house.ask(&client).with("prompt", "consent").scope(&scope);
        if asker != to {
            ask = ask.actor(PARTIES[to].id);
        }
        ask = places.iter().fold(ask, |ask, place| ask.resource(place));
        let change = |form: &mut tests::Form| {
            form.fill("until", &wish.lasts.to_string());
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
        let code = ask.code(&page.approve(change).await.param("code"));
        self.look_at_clock();
        let mut params = code.params();
        let homes = homes(&wish.scope);
        params.extend(homes.iter().map(|place| ("resource", *place)));
        let answer = client.token(&params).await.ok();
        let until = self.world.now + wish.lasts;
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
                places,
                until,
                stands: Stands::Active,
                left: None,
            });
            self.world.tasks.len() - 1
        });
        assert_eq!(claims.get("task").is_some(), task.is_some(), "{claims}");
        let token = Token {
            text: answer.access_token().to_owned(),
            sub: Sub::User(user),
            to: asker,
            acts: if by_itself { vec![asker] } else { Vec::new() },
            only: (asker != to).then_some(to),
            handed: (asker != to).then_some(to),
            scope: wish.scope.clone(),
            places: homes,
            key: Self::usual(asker).map(|key| (asker, key)),
            consent: Some(consent),
            task,
            from: None,
            until: claims["exp"].as_i64().unwrap(),
            over: false,
            refresh: false,
        };
        if by_itself {
            let text = answer.text("refresh_token").to_owned();
            self.world.tokens.push(Token { text, refresh: true, until, ..token.clone() });
        }
        self.world.tokens.push(token);
    }

    /// A party gets a token of its own.
    pub(super) async fn own(&mut self, who: Who, scope: &Words) {
        let homes = homes(scope);
        let mut params = vec![("grant_type", "client_credentials")];
        let words = joined(scope);
        params.push(("scope", &words));
        params.extend(homes.iter().map(|place| ("resource", *place)));
        self.look_at_clock();
        let answer = self.face(who, Self::usual(who)).token(&params).await.ok();
        self.world.tokens.push(Token {
            text: answer.access_token().to_owned(),
            sub: Sub::Client(who),
            to: who,
            acts: Vec::new(),
            only: None,
            handed: None,
            scope: scope.clone(),
            places: homes,
            key: Self::usual(who).map(|key| (who, key)),
            consent: None,
            task: None,
            from: None,
            until: answer.claims()["exp"].as_i64().unwrap(),
            over: false,
            refresh: false,
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
        most: Option<u32>,
    ) {
        let (places, granted) = (homes(scope), &self.world.consents[consent]);
        if granted.to >= AGENTS || places.is_empty() {
            return;
        }
        let mut body = json!({ "scope": joined(scope), "resource": places, "purpose": "Look after it" });
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
        let answer = self.call_tasks(opener, "/tasks", Some(&body)).await;
        if answer.status != 201 {
            return;
        }
        let above = above.map(|(above, _)| above);
        let until = above.map_or(self.world.consents[consent].until, |above| self.world.tasks[above].until);
        self.world.tasks.push(Task {
            id: answer.text("id").to_owned(),
            consent,
            doer,
            above,
            scope: scope.clone(),
            places,
            until,
            stands: Stands::Active,
            left: most,
        });
    }

    /// Somebody ends a token of theirs.
    pub(super) async fn revoke(&mut self, token: usize) {
        let known = self.world.tokens[token].clone();
        if known.refresh || known.over {
            return;
        }
        self.face(known.to, Self::usual(known.to)).revoke(&known.text).await.ok();
        self.world.end_token(token);
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

    /// How many tokens and tasks there are, and how many tokens were counted for tasks.
    async fn rows(&mut self) -> (i64, i64, i64) {
        let sql = "SELECT (SELECT count(*) FROM token), (SELECT count(*) FROM task), \
                   (SELECT CAST(coalesce(sum(derivations), 0) AS BIGINT) FROM task)";
        match &mut self.tables {
            Tables::Sqlite(tables) => sqlx::query_as(sql).fetch_one(tables).await.unwrap(),
            Tables::Postgres(tables) => sqlx::query_as(sql).fetch_one(tables).await.unwrap(),
        }
    }

    /// Whether something is about to be over, so that model and house might disagree by a second.
    fn is_twilight(&self) -> bool {
        let world = &self.world;
        let ends = world.tokens.iter().map(|token| token.until);
        let ends = ends.chain(world.consents.iter().map(|consent| consent.until));
        let mut ends = ends.chain(world.tasks.iter().map(|task| task.until));
        ends.any(|end| (end - 5..=end + 2).contains(&world.now))
    }

    async fn send(&self, attempt: &Attempt) -> Answer {
        let text = |token: usize| self.world.tokens[token].text.as_str();
        let mut params = vec![
            ("grant_type", EXCHANGE),
            ("subject_token", text(attempt.subject)),
            ("subject_token_type", attempt.subject_as),
        ];
        if let Some((actor, declared)) = attempt.actor {
            params.extend([("actor_token", text(actor)), ("actor_token_type", declared)]);
        }
        let scope = joined(&attempt.scope);
        if !scope.is_empty() {
            params.push(("scope", &scope));
        }
        params.extend(attempt.places.iter().map(|place| ("resource", *place)));
        params.extend(attempt.over_to.map(|to| ("audience", PARTIES[to].id)));
        params.extend(attempt.task.map(|task| ("task", self.world.tasks[task].id.as_str())));
        self.face(attempt.by, attempt.key).token(&params).await
    }

    /// Somebody tries, and it comes as the model says: a token that is just so, or a refusal after which nothing is
    /// other than before.
    pub(super) async fn attempt(&mut self, attempt: &Attempt, tally: &mut Tally) {
        self.look_at_clock();
        while self.is_twilight() {
            self.house.later(8);
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.look_at_clock();
        }
        let before = self.rows().await;
        let answer = self.send(attempt).await;
        let after = self.rows().await;
        let event = self.house.last_event().await;
        match self.world.judge(attempt) {
            Err(against) => {
                let wanted = errors(&against);
                let error = answer.json["error"].as_str().unwrap_or("no error");
                let told = self.story(attempt);
                assert!(wanted.contains(error), "{against:?} speak against it: {}\n{told}", answer.body);
                assert_eq!(answer.status, 400, "{}", answer.body);
                assert!(answer.json.get("access_token").is_none(), "{}", answer.body);
                assert_eq!(before, after, "a refusal took or left something\n{told}");
                if attempt.by != SHOP {
                    assert_eq!(
                        (&event["action"], &event["error"]),
                        (&json!("token.exchange"), &json!(error))
                    );
                }
                tally.refused += 1;
                if against.len() == 1 {
                    *tally.alone.entry(*against.first().unwrap()).or_default() += 1;
                }
            }
            Ok(made) => {
                let told = self.story(attempt);
                assert_eq!(answer.status, 200, "nothing speaks against it: {}\n{told}", answer.body);
                let mut token = made.token;
                token.text = answer.access_token().to_owned();
                if let Some(consent) = made.opens {
                    let id = answer.claims()["task"]["id"].as_str().unwrap().to_owned();
                    self.world.tasks.push(Task {
                        id,
                        consent,
                        doer: self.world.consents[consent].to,
                        above: None,
                        scope: token.scope.clone(),
                        places: token.places.clone(),
                        until: self.world.consents[consent].until,
                        stands: Stands::Active,
                        left: None,
                    });
                    token.task = Some(self.world.tasks.len() - 1);
                }
                self.compare(&answer.claims(), &token, &told);
                let line = token.task.map(|task| self.world.line(task)).unwrap_or_default();
                let mut counted = 0;
                for task in line {
                    if let Some(left) = &mut self.world.tasks[task].left {
                        *left -= 1;
                        counted += 1;
                    }
                }
                let opened = i64::from(made.opens.is_some());
                assert_eq!((before.0 + 1, before.1 + opened, before.2 + counted), after, "{told}");
                assert_eq!(event["outcome"], "granted", "{event}");
                self.world.tokens.push(token);
                tally.made += 1;
            }
        }
    }

    /// The token is what the model says, claim by claim.
    fn compare(&self, claims: &Value, token: &Token, told: &str) {
        let sub = match token.sub {
            Sub::Client(who) => PARTIES[who].id.to_owned(),
            Sub::User(_) => claims["sub"].as_str().unwrap().to_owned(),
        };
        assert_eq!(claims["sub"], sub.as_str(), "{told}");
        if let (Sub::User(_), Some(from)) = (token.sub, token.from) {
            let before = tests::unverified_claims(&self.world.tokens[from].text);
            assert_eq!(claims["sub"], before["sub"], "{told}");
        }
        assert_eq!(claims["client_id"], PARTIES[token.to].id, "{told}");
        let mut acts = Vec::new();
        let mut act = &claims["act"];
        while let Some(sub) = act["sub"].as_str() {
            acts.push(sub);
            act = &act["act"];
        }
        assert_eq!(acts, token.acts.iter().map(|who| PARTIES[*who].id).collect::<Vec<_>>(), "{told}");
        assert_eq!(words(claims["scope"].as_str().unwrap_or_default()), token.scope, "{told}");
        let aud: BTreeSet<&str> = match &claims["aud"] {
            Value::String(one) => [one.as_str()].into(),
            several => several.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect(),
        };
        let wanted = token.handed.map_or_else(|| token.places.clone(), |to| [PARTIES[to].id].into());
        assert_eq!(aud, wanted, "{told}");
        let key = token.key.map(|(who, key)| self.face(who, Some(key)).dpop.as_ref().unwrap().thumbprint());
        assert_eq!(claims["cnf"]["jkt"].as_str(), key.as_deref(), "{told}");
        let exp = claims["exp"].as_i64().unwrap();
        assert!((token.until - 3..=token.until + 3).contains(&exp), "{exp} is not {}\n{told}", token.until);
        let task = token.task.map(|task| &self.world.tasks[task]);
        assert_eq!(claims["task"]["id"].as_str(), task.map(|task| task.id.as_str()), "{told}");
        let root = token.task.map(|task| *self.world.line(task).last().unwrap());
        let root = root.map(|root| self.world.tasks[root].id.as_str());
        assert_eq!(claims["txn"].as_str(), root, "{told}");
        assert!(claims.get("may_act").is_none(), "{told}");
    }

    /// The attempt and the tokens in it, for whoever must find out what went wrong.
    fn story(&self, attempt: &Attempt) -> String {
        let token = |index: usize| Token { text: String::new(), ..self.world.tokens[index].clone() };
        let (subject, actor) = (token(attempt.subject), attempt.actor.map(|(actor, _)| token(actor)));
        let consent = subject.consent.map(|consent| &self.world.consents[consent]);
        let tasks = [subject.task, attempt.task].map(|task| task.map(|task| &self.world.tasks[task]));
        format!("{attempt:#?}\nsubject {subject:#?}\nactor {actor:#?}\n{consent:#?}\n{tasks:#?}")
    }
}

/// Where these words have a meaning.
pub(super) fn homes(scope: &Words) -> Words {
    WORDS.iter().filter(|(word, _)| scope.contains(word)).map(|(_, place)| *place).collect()
}

fn joined(words: &Words) -> String {
    words.iter().copied().collect::<Vec<_>>().join(" ")
}

fn words(scope: &str) -> Words {
    WORDS.iter().map(|(word, _)| *word).filter(|word| scope.split(' ').any(|there| there == *word)).collect()
}

/// Words, or places, by the bits of `mask`.
pub(super) fn chosen(of: &Words, mask: u16) -> Words {
    of.iter().enumerate().filter(|(index, _)| mask >> index & 1 == 1).map(|(_, word)| *word).collect()
}

pub(super) fn all_words() -> Words {
    WORDS.iter().map(|(word, _)| *word).collect()
}

pub(super) fn all_places() -> Words {
    PLACES.into()
}

/// What an access token is wrongly declared to be.
pub(super) const WRONG_TYPES: [&str; 3] = [
    "urn:ietf:params:oauth:token-type:refresh_token",
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:saml2",
];

/// An attempt as somebody would make it who comes by right, with their own key.
pub(super) fn rightful(by: Who, subject: usize) -> Attempt {
    Attempt {
        by,
        key: Stage::usual(by),
        subject,
        subject_as: ACCESS,
        actor: None,
        scope: Words::new(),
        places: Words::new(),
        over_to: None,
        task: None,
    }
}
