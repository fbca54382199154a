//! Whatever happens in whichever order: somebody signs, everybody could have known the key, and nothing that lives
//! is without its key.

use proptest::prelude::*;
use protocol::client::SigningAlg;
use protocol::key_rotation::{KeyFacts, KeyState, Rotation, Step, after, due, retire};
use protocol::numeric_date::{NumericDate, Seconds};

/// What may happen.
#[derive(Clone, Debug)]
enum Event {
    /// Time passes.
    Wait(i64),
    /// A node looks after the keys, and stops after so many steps.
    Sweep(usize),
    /// Somebody rotates by hand.
    Rotate(usize),
    /// Somebody retires the key in this place, without haste.
    Retire(usize),
    /// A token is signed, for so long.
    Sign(usize, i64),
    /// The longest life of tokens is set anew; tokens signed later keep within it.
    SetLife(i64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0_i64..3000).prop_map(Event::Wait),
        3 => (0_usize..20).prop_map(Event::Sweep),
        1 => (0_usize..4).prop_map(Event::Rotate),
        1 => (0_usize..12).prop_map(Event::Retire),
        3 => ((0_usize..4), (0_i64..400)).prop_map(|(alg, life)| Event::Sign(alg, life)),
        1 => (1_i64..400).prop_map(Event::SetLife),
    ]
}

struct World {
    keys: Vec<KeyFacts>,
    rotation: Rotation,
    now: NumericDate,
    made: usize,
    published: Vec<(String, NumericDate)>,
    first: Vec<String>,
    tokens: Vec<(String, NumericDate)>,
}

impl World {
    fn take(&mut self, step: &Step) {
        let kid = format!("k{}", self.made);
        self.made += 1;
        if let Step::Make(_, state) = step {
            self.published.push((kid.clone(), self.now));
            if *state == KeyState::Active {
                self.first.push(kid.clone());
            }
        }
        for changed in after(&self.keys, step, self.rotation.longest_life, self.now, &kid) {
            match self.keys.iter_mut().find(|key| key.kid == changed.kid) {
                Some(key) => {
                    assert!(key.state != KeyState::Retired, "what is retired comes back");
                    *key = changed;
                }
                None => self.keys.push(changed),
            }
        }
    }

    fn sweep(&mut self, most: usize) {
        for _ in 0..most {
            let Some(step) = due(&self.keys, &self.rotation, self.now) else { return };
            self.take(&step);
        }
    }

    fn active(&self, alg: SigningAlg) -> Option<&KeyFacts> {
        self.keys.iter().find(|key| key.alg == alg && key.state == KeyState::Active)
    }

    fn play(&mut self, event: &Event) {
        match event {
            Event::Wait(seconds) => self.now = self.now.plus(Seconds(*seconds)),
            Event::Sweep(most) => self.sweep(*most),
            Event::Rotate(alg) => {
                let alg = SigningAlg::ALL[*alg];
                if !self.keys.iter().any(|key| key.alg == alg && key.state == KeyState::Next) {
                    self.take(&Step::Make(alg, KeyState::Next));
                }
            }
            Event::Retire(place) => {
                let Some(key) = self.keys.get(*place) else { return };
                for step in retire(&self.keys, &key.kid.clone(), false).unwrap_or_default() {
                    self.take(&step);
                }
            }
            Event::Sign(alg, life) => {
                let Some(key) = self.active(SigningAlg::ALL[*alg]) else { return };
                let life = Seconds(*life).min(self.rotation.longest_life);
                self.tokens.push((key.kid.clone(), self.now.plus(life)));
            }
            Event::SetLife(seconds) => {
                self.rotation.longest_life = Seconds(*seconds);
                // Whoever learns of it looks after the keys before anything is signed.
                self.sweep(20);
            }
        }
    }

    fn check(&self) {
        for alg in SigningAlg::ALL {
            let count = |state| self.keys.iter().filter(|key| key.alg == alg && key.state == state).count();
            assert_eq!(count(KeyState::Active), 1, "one key signs with {alg:?}");
            assert!(count(KeyState::Next) <= 1);
        }
        for key in self.keys.iter().filter(|key| matches!(key.state, KeyState::Active | KeyState::Former)) {
            let (_, published) = self.published.iter().find(|(kid, _)| *kid == key.kid).unwrap();
            let in_time = key.state != KeyState::Active
                || self.first.contains(&key.kid)
                || published.plus(self.rotation.overlap) <= key.since;
            assert!(in_time, "{} signs before everybody could know it", key.kid);
        }
        for (kid, until) in self.tokens.iter().filter(|(_, until)| !until.is_over(self.now)) {
            let key = self.keys.iter().find(|key| key.kid == *kid).unwrap();
            assert!(key.state != KeyState::Retired, "{kid} is gone, and a token until {until:?} lives");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn rotation_breaks_no_token_and_no_verifier(events in prop::collection::vec(event(), 1..80)) {
        let rotation =
            Rotation { every: Seconds(2000), overlap: Seconds(300), longest_life: Seconds(100) };
        let mut world = World {
            keys: Vec::new(), rotation, now: NumericDate(0), made: 0,
            published: Vec::new(), first: Vec::new(), tokens: Vec::new(),
        };
        world.sweep(20);
        for event in &events {
            world.play(event);
            world.check();
        }
    }

    #[test]
    fn looking_after_the_keys_comes_to_an_end(waits in prop::collection::vec(0_i64..100_000, 1..20)) {
        let rotation =
            Rotation { every: Seconds(2000), overlap: Seconds(300), longest_life: Seconds(100) };
        let mut world = World {
            keys: Vec::new(), rotation, now: NumericDate(0), made: 0,
            published: Vec::new(), first: Vec::new(), tokens: Vec::new(),
        };
        for wait in waits {
            world.now = world.now.plus(Seconds(wait));
            world.sweep(30);
            prop_assert_eq!(due(&world.keys, &world.rotation, world.now), None);
            world.check();
        }
    }
}
