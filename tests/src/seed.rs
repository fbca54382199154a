//! Where chance begins in a test that plays random stories: the same ones each time, and a new one with every run.

/// Names the seed that is played in place of the usual ones.
const VARIABLE: &str = "PROCURA_TEST_SEED";

/// Where the stories of a run begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seed {
    /// Where they begin each time.
    Usual,
    /// Where nobody chose, or where the environment says.
    Of(u64),
}

impl Seed {
    /// The seeds of this run, each with how many stories to play of it: as many `usual` ones as there are, and one of a
    /// seed that nobody chose. Where the environment names a seed, its stories and no others.
    #[must_use]
    pub fn of_this_run(usual: u32) -> Vec<(Self, u32)> {
        match std::env::var(VARIABLE) {
            Ok(named) => {
                let number = named.parse().unwrap_or_else(|_| panic!("{VARIABLE} is no number: {named}"));
                vec![(Self::Of(number), usual)]
            }
            Err(_) => vec![(Self::Usual, usual), (Self::Of(fresh()), 1)],
        }
    }

    /// Its number as the 32 bytes that a generator begins with; none where it begins where it always does.
    #[must_use]
    pub fn bytes(self) -> Option<[u8; 32]> {
        let Self::Of(number) = self else { return None };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Some(bytes)
    }

    /// As long as what it gives is there, a failure says how to play its stories again.
    #[must_use]
    pub const fn told(self) -> Told {
        Told(self)
    }
}

/// Says how a story that failed is played again.
pub struct Told(Seed);

impl Drop for Told {
    fn drop(&mut self) {
        if let (true, Seed::Of(number)) = (std::thread::panicking(), self.0) {
            eprintln!("to play this again: {VARIABLE}={number}");
        }
    }
}

fn fresh() -> u64 {
    use server::secret::{Entropy as _, SystemEntropy};
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
