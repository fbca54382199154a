//! Which account somebody gets who was signed in by an upstream.
//!
//! An identity that is known gets its account. Nobody gets an account that others have by saying so at the upstream:
//! an account that is there already is linked by its owner, who is signed in to it; by the configuration; or, where
//! the configuration says that the upstream speaks for the domain of its verified address, by that address.

use serde::{Deserialize, Serialize};

use super::profile::Profile;
use super::{Accounts, Upstream};
use crate::identifier::UserId;
use crate::numeric_date::{NumericDate, Seconds};
use crate::refusal::{ErrorCode, Refuse};

/// How long ago the owner of an account may have signed in who links it or takes a link away.
pub const FRESH: Seconds = Seconds::minutes(5);
/// The most identities of one account.
pub const MOST_IDENTITIES: usize = 10;

/// How an identity came to its account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkedBy {
    /// The account was made for it, just in time.
    Creation,
    /// The owner of the account linked it.
    Owner,
    /// The configuration did.
    Configuration,
    /// Its verified e-mail address did.
    Email,
}

/// The account of an identity that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// The account.
    pub user: UserId,
    /// How it came to it.
    pub by: LinkedBy,
}

/// A local account with the e-mail address of whoever signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The account.
    pub user: UserId,
    /// Whether somebody made sure here that the address belongs to the account's owner.
    pub verified: bool,
    /// Whether it may see the admin pages.
    pub admin: bool,
    /// Whether it may be used.
    pub enabled: bool,
    /// Whether any identity belongs to it already.
    pub linked: bool,
}

/// What is known when somebody comes back from an upstream.
#[derive(Clone, Debug)]
pub struct Story<'a> {
    /// The upstream.
    pub upstream: &'a Upstream,
    /// What it says of them.
    pub profile: &'a Profile,
    /// The account of their identity.
    pub known: Option<&'a Known>,
    /// The account that the configuration links their identity to.
    pub declared: Option<&'a UserId>,
    /// The local accounts with their address.
    pub same_email: &'a [Candidate],
    /// The account whose owner came to link it.
    pub owner: Option<&'a UserId>,
}

/// Which account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The one that is theirs.
    SignIn(UserId),
    /// This one, which from now on is theirs.
    Link(UserId, LinkedBy),
    /// A new one.
    Create,
}

/// Why they get none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AccountRefused {
    /// They are in none of the groups whose members may come in.
    #[error("the user is in none of the required groups")]
    NotAMember,
    /// Their identity is unknown here, and there are no new accounts.
    #[error("no account belongs to this identity")]
    NoAccount,
    /// The identity that somebody wants to link belongs to another account.
    #[error("this identity belongs to another account")]
    OfSomebodyElse,
    /// The configuration does not link this identity any more.
    #[error("the configuration does not link this identity any more")]
    LinkWithdrawn,
}

impl Refuse for AccountRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::AccessDenied
    }
}

/// Decides which account it is.
///
/// # Errors
/// [`AccountRefused`].
pub fn decide(story: &Story<'_>) -> Result<Verdict, AccountRefused> {
    let Story { upstream, profile, .. } = story;
    let required = &upstream.required_groups;
    if !required.is_empty() && required.is_disjoint(&profile.groups) {
        return Err(AccountRefused::NotAMember);
    }
    if let Some(owner) = story.owner {
        return match story.known {
            Some(known) if known.user == *owner => Ok(Verdict::SignIn(owner.clone())),
            Some(_) => Err(AccountRefused::OfSomebodyElse),
            None if story.declared.is_some_and(|declared| declared != owner) => {
                Err(AccountRefused::OfSomebodyElse)
            }
            None => Ok(Verdict::Link(owner.clone(), LinkedBy::Owner)),
        };
    }
    if let Some(declared) = story.declared {
        return Ok(match story.known {
            Some(known) if known.user == *declared => Verdict::SignIn(declared.clone()),
            _ => Verdict::Link(declared.clone(), LinkedBy::Configuration),
        });
    }
    match story.known {
        Some(known) if known.by == LinkedBy::Configuration => Err(AccountRefused::LinkWithdrawn),
        Some(known) => Ok(Verdict::SignIn(known.user.clone())),
        None => match by_email(story) {
            Some(user) => Ok(Verdict::Link(user, LinkedBy::Email)),
            None if upstream.accounts == Accounts::Create => Ok(Verdict::Create),
            None => Err(AccountRefused::NoAccount),
        },
    }
}

/// The one local account of the same address: verified there by an upstream that speaks for its domain, verified
/// here, of nobody else, of nobody who may do more than others, and linked to nothing yet.
fn by_email(story: &Story<'_>) -> Option<UserId> {
    let email = story.profile.email.as_ref().filter(|email| email.verified)?;
    if !story.upstream.link_by_email || !story.upstream.speaks_for(&email.address) {
        return None;
    }
    match story.same_email {
        [only] if only.verified && only.enabled && !only.admin && !only.linked => Some(only.user.clone()),
        _ => None,
    }
}

/// Whether somebody who signed in at `auth_time` may change what their account is linked to. A moment ago it was
/// them; later it may be somebody who found the browser open.
#[must_use]
pub fn is_fresh(auth_time: NumericDate, now: NumericDate) -> bool {
    now.since(auth_time) <= FRESH
}

/// Whether a link may go: not the last way into an account, nor one that its owner did not make.
#[must_use]
pub const fn may_unlink(has_password_or_passkey: bool, identities: usize, by: LinkedBy) -> bool {
    matches!(by, LinkedBy::Owner | LinkedBy::Email) && (has_password_or_passkey || identities > 1)
}

#[cfg(test)]
mod tests {
    use super::super::profile::Email;
    use super::super::tests::company;
    use super::*;

    fn user(id: &str) -> UserId {
        id.parse().unwrap()
    }

    fn profile(address: &str, verified: bool) -> Profile {
        Profile { email: Some(Email { address: address.into(), verified }), ..Profile::default() }
    }

    fn candidate(id: &str) -> Candidate {
        Candidate { user: user(id), verified: true, admin: false, enabled: true, linked: false }
    }

    struct World {
        upstream: Upstream,
        profile: Profile,
        known: Option<Known>,
        declared: Option<UserId>,
        same_email: Vec<Candidate>,
        owner: Option<UserId>,
    }

    impl World {
        fn new() -> Self {
            let profile = profile("alice@company.example", true);
            Self {
                upstream: company(),
                profile,
                known: None,
                declared: None,
                same_email: Vec::new(),
                owner: None,
            }
        }

        fn known(by: LinkedBy) -> Self {
            Self { known: Some(Known { user: user("u1"), by }), ..Self::new() }
        }

        fn decide(&self) -> Result<Verdict, AccountRefused> {
            decide(&Story {
                upstream: &self.upstream,
                profile: &self.profile,
                known: self.known.as_ref(),
                declared: self.declared.as_ref(),
                same_email: &self.same_email,
                owner: self.owner.as_ref(),
            })
        }
    }

    #[test]
    fn whoever_is_known_gets_their_account_whatever_their_address_is_now() {
        for by in [LinkedBy::Creation, LinkedBy::Owner, LinkedBy::Email] {
            let mut world = World::known(by);
            world.same_email = vec![candidate("u2")];
            world.upstream.link_by_email = true;
            assert_eq!(world.decide(), Ok(Verdict::SignIn(user("u1"))));
        }
    }

    #[test]
    fn somebody_new_gets_a_new_account_or_none() {
        let mut world = World::new();
        assert_eq!(world.decide(), Ok(Verdict::Create));
        world.upstream.accounts = Accounts::Linked;
        assert_eq!(world.decide(), Err(AccountRefused::NoAccount));
    }

    #[test]
    fn an_account_of_the_same_address_is_not_theirs_unless_the_configuration_says_so() {
        let mut world = World::new();
        world.same_email = vec![candidate("u2")];
        assert_eq!(world.decide(), Ok(Verdict::Create), "off by default");
        world.upstream.link_by_email = true;
        assert_eq!(world.decide(), Ok(Verdict::Link(user("u2"), LinkedBy::Email)));
    }

    #[test]
    fn every_doubt_about_an_address_leaves_the_account_alone() {
        type Doubt = (&'static str, fn(&mut World));
        let doubts: [Doubt; 9] = [
            ("not verified there", |w| w.profile = profile("alice@company.example", false)),
            ("another domain", |w| w.profile = profile("alice@elsewhere.example", true)),
            ("no address", |w| w.profile.email = None),
            ("not verified here", |w| w.same_email[0].verified = false),
            ("an admin", |w| w.same_email[0].admin = true),
            ("not to be used", |w| w.same_email[0].enabled = false),
            ("linked already", |w| w.same_email[0].linked = true),
            ("two accounts", |w| w.same_email.push(candidate("u3"))),
            ("no domains", |w| w.upstream.email_domains.clear()),
        ];
        for (doubt, change) in doubts {
            let mut world = World::new();
            world.upstream.link_by_email = true;
            world.same_email = vec![candidate("u2")];
            change(&mut world);
            assert_eq!(world.decide(), Ok(Verdict::Create), "{doubt}");
        }
    }

    #[test]
    fn an_owner_links_what_is_nobodys_and_not_what_is_anothers() {
        let mut world = World { owner: Some(user("u1")), ..World::new() };
        assert_eq!(world.decide(), Ok(Verdict::Link(user("u1"), LinkedBy::Owner)));
        world.known = Some(Known { user: user("u1"), by: LinkedBy::Owner });
        assert_eq!(world.decide(), Ok(Verdict::SignIn(user("u1"))));
        world.known = Some(Known { user: user("u2"), by: LinkedBy::Owner });
        assert_eq!(world.decide(), Err(AccountRefused::OfSomebodyElse));
        world.known = None;
        world.declared = Some(user("u2"));
        assert_eq!(world.decide(), Err(AccountRefused::OfSomebodyElse));
    }

    #[test]
    fn the_configuration_links_and_takes_the_link_away_again() {
        let mut world = World { declared: Some(user("u2")), ..World::new() };
        assert_eq!(world.decide(), Ok(Verdict::Link(user("u2"), LinkedBy::Configuration)));
        world.known = Some(Known { user: user("u1"), by: LinkedBy::Creation });
        assert_eq!(world.decide(), Ok(Verdict::Link(user("u2"), LinkedBy::Configuration)));
        world.known = Some(Known { user: user("u2"), by: LinkedBy::Configuration });
        assert_eq!(world.decide(), Ok(Verdict::SignIn(user("u2"))));
        world.declared = None;
        assert_eq!(world.decide(), Err(AccountRefused::LinkWithdrawn));
    }

    #[test]
    fn where_groups_are_required_only_their_members_come_in() {
        let mut world = World::known(LinkedBy::Creation);
        world.upstream.required_groups = ["staff".to_owned(), "guests".to_owned()].into();
        for owner in [None, Some(user("u1"))] {
            world.owner = owner;
            world.profile.groups.clear();
            assert_eq!(world.decide(), Err(AccountRefused::NotAMember));
            world.profile.groups.insert("guests".into());
            assert_eq!(world.decide(), Ok(Verdict::SignIn(user("u1"))));
        }
    }

    #[test]
    fn links_change_only_shortly_after_a_sign_in_and_never_lock_their_owner_out() {
        assert!(is_fresh(NumericDate(1000), NumericDate(1300)));
        assert!(!is_fresh(NumericDate(1000), NumericDate(1301)));
        assert!(may_unlink(true, 1, LinkedBy::Owner));
        assert!(may_unlink(false, 2, LinkedBy::Owner));
        assert!(!may_unlink(false, 1, LinkedBy::Owner));
        assert!(!may_unlink(true, 2, LinkedBy::Creation), "the account is the upstream's");
        assert!(!may_unlink(true, 2, LinkedBy::Configuration), "it would be back at the next sign-in");
    }
}
