//! What somebody may do here because of the groups they are in at their upstream.
//!
//! Rights that come from there are kept apart from those that were given here: at each sign-in the former are taken
//! away and given anew, the latter are never touched.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::user::{GROUPS, User};

/// What an account may do beyond what everybody may.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Rights {
    /// See the admin pages.
    #[serde(default)]
    pub admin: bool,
    /// The groups here: what applications are told as `groups`.
    #[serde(default)]
    pub groups: BTreeSet<String>,
}

/// What a group of an upstream is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupRights {
    /// The group's name there.
    pub group: String,
    /// Its members' rights here.
    pub rights: Rights,
}

impl Rights {
    /// What an account may do, from what it says of itself.
    #[must_use]
    pub fn of(user: &User) -> Self {
        Self { admin: user.admin, groups: user.groups() }
    }

    /// The account with these rights and no others.
    #[must_use]
    pub fn given_to(&self, mut user: User) -> User {
        user.admin = self.admin;
        if self.groups.is_empty() {
            user.claims.remove(GROUPS);
        } else {
            let groups: Vec<_> = self.groups.iter().cloned().collect();
            user.claims.insert(GROUPS.to_owned(), groups.into());
        }
        user
    }

    fn and(mut self, more: &Self) -> Self {
        self.admin |= more.admin;
        self.groups.extend(more.groups.iter().cloned());
        self
    }

    /// Those that are among `most` too.
    #[must_use]
    pub fn within(&self, most: &Self) -> Self {
        Self {
            admin: self.admin && most.admin,
            groups: self.groups.intersection(&most.groups).cloned().collect(),
        }
    }

    fn without(&self, less: &Self) -> Self {
        Self {
            admin: self.admin && !less.admin,
            groups: self.groups.difference(&less.groups).cloned().collect(),
        }
    }
}

/// The rights of somebody who is in these groups at the upstream.
#[must_use]
pub fn mapped(groups: &BTreeSet<String>, table: &[GroupRights]) -> Rights {
    let theirs = table.iter().filter(|row| groups.contains(&row.group));
    theirs.fold(Rights::default(), |rights, row| rights.and(&row.rights))
}

/// The most that an upstream with this table can give anybody.
#[must_use]
pub fn most(table: &[GroupRights]) -> Rights {
    table.iter().fold(Rights::default(), |rights, row| rights.and(&row.rights))
}

/// The rights of an account that has `has`, `granted` of them by its upstream, when the upstream now grants `now`:
/// what it has then, and what of that is the upstream's.
#[must_use]
pub fn regrant(has: &Rights, granted: &Rights, now: &Rights) -> (Rights, Rights) {
    let own = has.without(granted);
    let granted = now.without(&own);
    (own.and(&granted), granted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rights(admin: bool, groups: &[&str]) -> Rights {
        Rights { admin, groups: groups.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn a_member_has_the_rights_of_all_their_groups_and_of_no_other() {
        let row = |group: &str, rights| GroupRights { group: group.into(), rights };
        let table = [
            row("ops", rights(true, &[])),
            row("sales", rights(false, &["support"])),
            row("sales", rights(false, &["orders"])),
        ];
        let mapped = |groups: &[&str]| mapped(&groups.iter().map(|g| (*g).to_owned()).collect(), &table);
        assert_eq!(mapped(&[]), Rights::default());
        assert_eq!(mapped(&["Ops", "other"]), Rights::default(), "names are compared as they are");
        assert_eq!(mapped(&["sales"]), rights(false, &["orders", "support"]));
        assert_eq!(mapped(&["sales", "ops"]), rights(true, &["orders", "support"]));
    }

    #[test]
    fn a_right_that_came_with_a_group_goes_with_it() {
        let (has, granted) = regrant(&Rights::default(), &Rights::default(), &rights(true, &["support"]));
        assert_eq!((&has, &granted), (&rights(true, &["support"]), &rights(true, &["support"])));
        let (has, granted) = regrant(&has, &granted, &rights(false, &[]));
        assert_eq!((has, granted), (Rights::default(), Rights::default()));
    }

    #[test]
    fn a_right_that_was_given_here_stays() {
        let local = rights(true, &["staff"]);
        let (has, granted) = regrant(&local, &Rights::default(), &rights(true, &["staff", "support"]));
        assert_eq!(granted, rights(false, &["support"]));
        assert_eq!(regrant(&has, &granted, &Rights::default()).0, local);
    }

    #[test]
    fn what_an_upstream_cannot_give_any_more_lapses_and_what_it_can_stays() {
        let row = |group: &str, rights| GroupRights { group: group.into(), rights };
        let granted = rights(true, &["support", "orders"]);
        let has = rights(true, &["local", "support", "orders"]);
        let lapse = |table: &[GroupRights]| regrant(&has, &granted, &granted.within(&most(table)));
        let table = [row("ops", rights(true, &[])), row("sales", rights(false, &["orders", "other"]))];
        assert_eq!(lapse(&table), (rights(true, &["local", "orders"]), rights(true, &["orders"])));
        assert_eq!(lapse(&[]), (rights(false, &["local"]), Rights::default()));
    }

    fn any_rights() -> impl Strategy<Value = Rights> {
        let groups = proptest::collection::btree_set(prop_oneof!["a", "b", "c"], 0..3);
        (any::<bool>(), groups).prop_map(|(admin, groups)| Rights { admin, groups })
    }

    proptest! {
        #[test]
        fn without_any_group_an_account_is_what_it_was_before_its_first(
            local in any_rights(), first in any_rights(), second in any_rights()
        ) {
            let (has, granted) = regrant(&local, &Rights::default(), &first);
            let (has, granted) = regrant(&has, &granted, &second);
            prop_assert_eq!(&has, &local.clone().and(&second), "what is local, and what is granted now");
            prop_assert_eq!(regrant(&has, &granted, &Rights::default()), (local, Rights::default()));
        }

        #[test]
        fn the_same_groups_again_change_nothing(local in any_rights(), now in any_rights()) {
            let once = regrant(&local, &Rights::default(), &now);
            prop_assert_eq!(regrant(&once.0, &once.1, &now), once);
        }
    }
}
