//! From somebody who was signed in at an upstream to an account here.

use std::sync::Arc;

use protocol::audit::Action;
use protocol::federation::account::{
    self, AccountRefused, Candidate, Known, LinkedBy, MOST_IDENTITIES, Story, Verdict,
};
use protocol::federation::profile::Profile;
use protocol::federation::rights::{self, Rights};
use protocol::federation::{Identity, Upstream};
use protocol::identifier::UserId;
use protocol::numeric_date::Seconds;
use protocol::user::{MANAGER, User};
use serde_json::Map;

use super::{Proven, Trouble, event};
use crate::app::{App, Visit};
use crate::failure::Broken;
use crate::secret::random_id;
use crate::store::{
    Anchor, Change, CommitError, Conflict, FederatedIdentity, Origin, Record, ReplayKey, StoreError,
};
use crate::upstreams::Connection;

/// How long it is remembered that an identity or a name was taken: longer than any request takes, so that of two at
/// the same moment one finds what the other wrote.
const A_MOMENT: Seconds = Seconds(60);
/// The claims of an account that its upstream says, and takes away again.
const THEIRS: [&str; 9] = [
    "email",
    "email_verified",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "locale",
    "zoneinfo",
    MANAGER,
];

/// Gives somebody their account, as it is after what the upstream says of them now. `owner` is who came to link it.
///
/// # Errors
/// [`Trouble`].
pub async fn enter(
    app: &App,
    visit: &Visit,
    connection: &Connection,
    proven: &Proven,
    owner: Option<&UserId>,
) -> Result<Arc<User>, Trouble> {
    let scene = Scene { app, visit, upstream: connection.upstream(), proven };
    match scene.enter(owner).await {
        // Somebody else did the same at the same moment: what they wrote is there now.
        Err(Stopped::TooLate) => scene.enter(owner).await,
        other => other,
    }
    .map_err(Stopped::trouble)
}

/// The account of somebody who is to get it together with something else, which alone makes them need one.
pub struct Newcomer {
    /// They.
    pub user: Arc<User>,
    /// What makes the account theirs, if it is not yet.
    change: Change,
    /// What of that tells that somebody else did the same meanwhile.
    marks: Vec<ReplayKey>,
}

impl Newcomer {
    /// `change`, which hangs on the account, together with what makes it; and how to tell that it was there by then.
    pub fn with(self, change: Change) -> (Change, Meanwhile) {
        (change.after(self.change), Meanwhile(self.marks))
    }
}

/// How to tell that somebody else gave a newcomer their account, while something was to be written together with it.
#[derive(Default)]
pub struct Meanwhile(Vec<ReplayKey>);

impl Meanwhile {
    /// Whether this conflict says so. What came with the change counts as shown then ([`Change::after`]).
    #[must_use]
    pub fn is_told_by(&self, conflict: &Conflict) -> bool {
        matches!(conflict, Conflict::Replayed(key) if self.0.contains(key))
    }

    /// Whether this conflict says that the account was changed. Nothing counts as shown then.
    #[must_use]
    pub fn has_changed(&self, conflict: &Conflict) -> bool {
        *conflict == Conflict::Changed && !self.0.is_empty()
    }
}

/// What [`enter`] would do for somebody without an account that is known as theirs, undone: it is done in one commit with
/// what is issued to them.
///
/// # Errors
/// [`Trouble`].
pub async fn prepare(
    app: &App,
    visit: &Visit,
    connection: &Connection,
    proven: &Proven,
) -> Result<Newcomer, Trouble> {
    let scene = Scene { app, visit, upstream: connection.upstream(), proven };
    scene.prepare().await.map_err(Stopped::trouble)
}

enum Stopped {
    Trouble(Trouble),
    TooLate,
}

impl Stopped {
    fn trouble(self) -> Trouble {
        match self {
            Self::Trouble(trouble) => trouble,
            Self::TooLate => Trouble::Broken(StoreError::Unavailable("an account is being made").into()),
        }
    }
}

impl<T: Into<Trouble>> From<T> for Stopped {
    fn from(trouble: T) -> Self {
        Self::Trouble(trouble.into())
    }
}

struct Scene<'a> {
    app: &'a App,
    visit: &'a Visit,
    upstream: &'a Upstream,
    proven: &'a Proven,
}

impl Scene<'_> {
    async fn enter(&self, owner: Option<&UserId>) -> Result<Arc<User>, Stopped> {
        let row = self.app.store.find_identity(&self.proven.identity).await?;
        match self.verdict(row.as_ref(), owner).await? {
            Ok(Verdict::SignIn(user)) => {
                let row = row.ok_or(Trouble::Broken(Broken::Inconsistent("an identity without its row")))?;
                self.update(&user, row).await
            }
            Ok(Verdict::Link(user, by)) => {
                let link = self.link(&user, by).await?;
                if let Some(row) = row {
                    self.withdraw(row).await?;
                }
                self.make(link).await
            }
            Ok(Verdict::Create) => self.make(self.create().await?).await,
            Err(refused) => {
                if refused == AccountRefused::LinkWithdrawn
                    && let Some(row) = row
                {
                    self.withdraw(row).await?;
                }
                Err(Trouble::Account(refused).into())
            }
        }
    }

    /// The same, as far as it can be done together with something else.
    async fn prepare(&self) -> Result<Newcomer, Stopped> {
        let row = self.app.store.find_identity(&self.proven.identity).await?;
        match self.verdict(row.as_ref(), None).await? {
            Ok(Verdict::Create) => self.create().await,
            Ok(Verdict::Link(user, by)) if row.is_none() => self.link(&user, by).await,
            // Somebody else did it at this moment.
            Ok(Verdict::SignIn(_) | Verdict::Link(..)) => Err(Stopped::TooLate),
            Err(refused) => Err(Trouble::Account(refused).into()),
        }
    }

    async fn make(&self, newcomer: Newcomer) -> Result<Arc<User>, Stopped> {
        self.commit(newcomer.change).await?;
        Ok(newcomer.user)
    }

    /// Whose account it is, where `row` is what is known of the identity.
    async fn verdict(
        &self,
        row: Option<&FederatedIdentity>,
        owner: Option<&UserId>,
    ) -> Result<Result<Verdict, AccountRefused>, Stopped> {
        let store = &self.app.store;
        let identity = &self.proven.identity;
        let known = row.and_then(|row| Some(Known { user: row.user.clone()?, by: row.by }));
        let declared = match self.upstream.links.get(&identity.subject) {
            Some(username) => store.find_user_by_username(username).await?.map(|user| user.id.clone()),
            None => None,
        };
        let story = Story {
            upstream: self.upstream,
            profile: &self.proven.profile,
            known: known.as_ref(),
            declared: declared.as_ref(),
            same_email: &self.same_email().await?,
            owner,
        };
        Ok(account::decide(&story))
    }

    /// The local accounts with the same address, where that may matter.
    async fn same_email(&self) -> Result<Vec<Candidate>, StoreError> {
        let email = self.proven.profile.email.as_ref().filter(|_| self.upstream.link_by_email);
        let Some(email) = email else { return Ok(Vec::new()) };
        let mut candidates = Vec::new();
        for user in self.app.store.users_by_email(&email.address).await? {
            let linked = !self.app.store.identities_of_user(&user.id).await?.is_empty();
            candidates.push(Candidate {
                verified: user.verified_email().is_some(),
                admin: user.admin,
                enabled: user.enabled,
                linked,
                user: user.id,
            });
        }
        Ok(candidates)
    }

    /// The rights that the upstream grants now.
    fn mapped(&self) -> Rights {
        rights::mapped(&self.proven.profile.groups, &self.upstream.groups)
    }

    async fn user(&self, id: &UserId) -> Result<Arc<User>, Stopped> {
        let user = self.app.store.find_user_now(id).await?;
        let user = user.ok_or(Trouble::Broken(Broken::Inconsistent("an identity of nobody")))?;
        if user.enabled { Ok(user) } else { Err(Trouble::Disabled.into()) }
    }

    /// Somebody who was here before.
    async fn update(&self, id: &UserId, row: FederatedIdentity) -> Result<Arc<User>, Stopped> {
        let before = self.user(id).await?;
        let (has, granted) = rights::regrant(&Rights::of(&before), &row.granted, &self.mapped());
        let mut after = has.given_to(before.as_ref().clone());
        if row.by == LinkedBy::Creation {
            after = as_said(after, &self.proven.profile);
        }
        let changed = after != *before;
        if !changed && granted == row.granted {
            return Ok(before);
        }
        let words = if has == Rights::of(&before) { "the profile changed" } else { "the rights changed" };
        let change = self.change(Action::UserUpdate, words, id);
        let change = self.keep(change, FederatedIdentity { granted, ..row }, (&before, &after)).await?;
        self.commit(change).await?;
        Ok(Arc::new(after))
    }

    /// An account that was there gets the identity.
    async fn link(&self, id: &UserId, by: LinkedBy) -> Result<Newcomer, Stopped> {
        let before = self.user(id).await?;
        if self.app.store.identities_of_user(id).await?.len() >= MOST_IDENTITIES {
            return Err(Trouble::Account(AccountRefused::NoAccount).into());
        }
        let (has, granted) = rights::regrant(&Rights::of(&before), &Rights::default(), &self.mapped());
        let after = has.given_to(before.as_ref().clone());
        let words = match by {
            LinkedBy::Owner => "linked by its owner",
            LinkedBy::Configuration => "linked by the configuration",
            LinkedBy::Email => "linked by its verified e-mail address",
            LinkedBy::Creation => "linked",
        };
        let change = self.taken_once(self.change(Action::UserLink, words, id));
        let change = self.keep(change, self.row(id.clone(), by, granted), (&before, &after)).await?;
        Ok(Newcomer { user: Arc::new(after), change, marks: vec![self.mark()] })
    }

    /// Somebody new.
    async fn create(&self) -> Result<Newcomer, Stopped> {
        let entropy = self.app.entropy.as_ref();
        let id: UserId =
            random_id(entropy, "usr_").parse().map_err(|_| Broken::Other("a random id is no identifier"))?;
        let profile = &self.proven.profile;
        let mut username = None;
        for name in profile.usernames(self.upstream, &random_id(entropy, "")) {
            if self.app.store.find_user_by_username(&name).await?.is_none() {
                username = Some(name);
                break;
            }
        }
        let username = username.ok_or(Broken::Other("every username is taken"))?;
        let (has, granted) = rights::regrant(&Rights::default(), &Rights::default(), &self.mapped());
        let user = User {
            id: id.clone(),
            name: profile.display_name().unwrap_or(&username).to_owned(),
            password_hash: None,
            claims: profile.claims(),
            admin: false,
            enabled: true,
            username,
        };
        let user = has.given_to(user);
        let name = ReplayKey::new("username", &[&user.username.to_ascii_lowercase()]);
        let mut told = event(Action::UserCreate, self.visit, self.upstream, "");
        told.user = Some(id.clone());
        let change = self
            .taken_once(Change::new(told))
            .first_time(name, self.visit.now.plus(A_MOMENT))
            .keep(Record::User { user: user.clone(), origin: Origin::Admin })
            .keep(Record::FederatedIdentity(self.row(id, LinkedBy::Creation, granted)));
        Ok(Newcomer { user: Arc::new(user), change, marks: vec![self.mark(), name] })
    }

    /// Takes an identity away from the account it had, with the rights that came from it.
    async fn withdraw(&self, row: FederatedIdentity) -> Result<(), Stopped> {
        let change = withdrawn(self.app, self.visit, self.upstream, row, "withdrawn by the configuration");
        self.commit(change.await?).await
    }

    fn row(&self, user: UserId, by: LinkedBy, granted: Rights) -> FederatedIdentity {
        let identity: Identity = self.proven.identity.clone();
        FederatedIdentity { identity, user: Some(user), by, linked_at: self.visit.now, granted }
    }

    /// A change to an account, as long as it may be used.
    fn change(&self, action: Action, words: &str, user: &UserId) -> Change {
        let mut told = event(action, self.visit, self.upstream, words);
        told.user = Some(user.clone());
        Change::new(told).requires(Anchor::User(user.clone()))
    }

    fn taken_once(&self, change: Change) -> Change {
        change.first_time(self.mark(), self.visit.now.plus(A_MOMENT))
    }

    /// That somebody got this identity.
    fn mark(&self) -> ReplayKey {
        let Identity { issuer, subject } = &self.proven.identity;
        ReplayKey::new("federated identity", &[issuer, subject])
    }

    async fn keep(
        &self,
        change: Change,
        row: FederatedIdentity,
        (before, after): (&User, &User),
    ) -> Result<Change, StoreError> {
        let change = change.requires_unchanged(before).keep(Record::FederatedIdentity(row));
        if before == after {
            return Ok(change);
        }
        let origin = self.app.store.user_origin(&after.id).await?;
        Ok(change.keep(Record::User { user: after.clone(), origin }))
    }

    async fn commit(&self, change: Change) -> Result<(), Stopped> {
        match self.app.store.commit(change).await {
            Ok(_) => Ok(()),
            Err(CommitError::Conflict(Conflict::NotAlive(_))) => Err(Trouble::Disabled.into()),
            Err(CommitError::Conflict(_)) => Err(Stopped::TooLate),
            Err(CommitError::Broken(error)) => Err(error.into()),
        }
    }
}

/// The change that takes an identity away from its account, with the rights that came from it.
pub(super) async fn withdrawn(
    app: &App,
    visit: &Visit,
    upstream: &Upstream,
    row: FederatedIdentity,
    words: &str,
) -> Result<Change, StoreError> {
    let mut told = event(Action::UserUnlink, visit, upstream, words);
    told.user.clone_from(&row.user);
    let mut change = Change::new(told);
    let before = match &row.user {
        Some(user) => app.store.find_user_now(user).await?,
        None => None,
    };
    if let Some(before) = before {
        let (has, _) = rights::regrant(&Rights::of(&before), &row.granted, &Rights::default());
        let after = has.given_to(before.as_ref().clone());
        if after != *before {
            let origin = app.store.user_origin(&after.id).await?;
            change = change.requires_unchanged(&before).keep(Record::User { user: after, origin });
        }
    }
    let nobodys = FederatedIdentity { user: None, granted: Rights::default(), ..row };
    Ok(change.keep(Record::FederatedIdentity(nobodys)))
}

/// An account that the upstream made, as the upstream describes it now. Its username stays.
fn as_said(mut user: User, profile: &Profile) -> User {
    if let Some(name) = profile.display_name() {
        name.clone_into(&mut user.name);
    }
    let kept = user.claims.into_iter().filter(|(name, _)| !THEIRS.contains(&name.as_str()));
    let mut claims: Map<_, _> = kept.collect();
    claims.extend(profile.claims());
    user.claims = claims;
    user
}
