//! Somebody tries to exchange, and what comes of it is held against the model.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::Answer;

use super::details;
use super::letters;
use super::model::{Attempt, Form, Stands, Sub, Task, Token, World};
use super::parties::{PARTIES, SHOP, Who, Words, joined, words};
use super::stage::{Stage, Tables, Tally};
use super::why::errors;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

impl Stage {
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
        let details = details::to_json(&attempt.details).to_string();
        if !attempt.details.is_empty() {
            params.push(("authorization_details", &details));
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
                        details: token.details.clone(),
                        until: token.until,
                        stands: Stands::Active,
                        left: None,
                    });
                    token.task = Some(self.world.tasks.len() - 1);
                }
                self.compare(&answer.claims(), &token, &told);
                assert_eq!(details::read(&answer.json["authorization_details"]), token.details, "{told}");
                let line = token.task.map(|task| self.world.line(task)).unwrap_or_default();
                let mut counted = 0;
                for task in line {
                    if let Some(left) = &mut self.world.tasks[task].left {
                        *left -= 1;
                        counted += 1;
                    }
                }
                let opened = i64::from(made.opens.is_some());
                // What came from elsewhere is kept beside what came of it.
                let foreign = matches!(self.world.tokens[attempt.subject].form, Form::Foreign(_));
                let kept = 1 + i64::from(foreign);
                assert_eq!((before.0 + kept, before.1 + opened, before.2 + counted), after, "{told}");
                assert_eq!(event["outcome"], "granted", "{event}");
                self.world.tokens.push(token);
                for shown in
                    [Some(attempt.subject), attempt.actor.map(|(actor, _)| actor)].into_iter().flatten()
                {
                    let shown = &mut self.world.tokens[shown];
                    shown.taken = shown.form.is_taken_once();
                }
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
            let before = &self.world.tokens[from];
            if before.form == Form::Access {
                assert_eq!(claims["sub"], tests::unverified_claims(&before.text)["sub"], "{told}");
            }
        }
        assert_eq!(claims["client_id"], PARTIES[token.to].id, "{told}");
        let mut acts = Vec::new();
        let mut act = &claims["act"];
        while let Some(sub) = act["sub"].as_str() {
            acts.push((sub, act["iss"].as_str().unwrap()));
            act = &act["act"];
        }
        let here = token.acts.iter().map(|who| (PARTIES[*who].id, self.house.issuer()));
        let elsewhere = letters::ACTED[..token.brought].iter().map(|who| (*who, letters::PARTNER));
        assert_eq!(acts, here.chain(elsewhere).collect::<Vec<_>>(), "{told}");
        assert_eq!(details::read(&claims["authorization_details"]), token.details, "{told}");
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

/// An attempt as somebody would make it who comes by right, with their own key.
pub(super) fn rightful(world: &World, by: Who, subject: usize) -> Attempt {
    Attempt {
        by,
        key: Stage::usual(by),
        subject,
        subject_as: world.tokens[subject].form.declared(),
        actor: None,
        scope: Words::new(),
        places: Words::new(),
        details: details::Details::new(),
        over_to: None,
        task: None,
    }
}
