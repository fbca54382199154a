//! Transaction tokens: however often one is replaced, it stays of its transaction and never says more of what may be.

use proptest::prelude::*;
use protocol::numeric_date::NumericDate;
use protocol::scope::Scope;
use protocol::transaction_token::{MOST_REPLACEMENTS, Replacement, TransactionToken};
use serde_json::{Map, Value};

fn scopes() -> impl Strategy<Value = Scope> {
    proptest::sample::subsequence(vec!["a", "b", "c", "d"], 1..4)
        .prop_map(|words| words.join(" ").parse().unwrap())
}

fn contexts() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map("[a-c]", 0_u8..2, 0..3)
        .prop_map(|all| all.into_iter().map(|(name, value)| (name, value.into())).collect())
}

fn replacements() -> impl Strategy<Value = Replacement> {
    (scopes(), "[w-z]", contexts(), contexts(), 90_i64..200).prop_map(
        |(scope, workload, tctx, rctx, until)| Replacement {
            scope,
            workload,
            tctx,
            rctx,
            act: None,
            until: NumericDate(until),
        },
    )
}

fn first() -> impl Strategy<Value = TransactionToken> {
    (scopes(), contexts(), contexts(), 100_i64..180).prop_map(|(scope, tctx, rctx, until)| TransactionToken {
        issuer: "https://as.example".into(),
        trust_domain: "trust.example".into(),
        subject: "alice".into(),
        txn: "task".into(),
        scope,
        requesting_workload: "first".into(),
        earlier_workloads: Vec::new(),
        tctx,
        rctx,
        act: None,
        issued_at: NumericDate(100),
        expires_at: NumericDate(until),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_replacement_never_widens_nor_becomes_another_transaction(
        first in first(),
        all in proptest::collection::vec((replacements(), 0_i64..20), 0..9),
    ) {
        let mut now = NumericDate(100);
        let mut before = first.clone();
        let mut times = 0;
        for (by, later) in all {
            now = NumericDate(now.0 + later);
            let Ok(after) = before.replaced(by.clone(), now) else { continue };
            times += 1;
            prop_assert!(!before.expires_at.is_over(now));
            prop_assert!(after.scope.is_within(&before.scope) && after.scope.is_within(&first.scope));
            prop_assert_eq!(
                (&after.txn, &after.subject, &after.trust_domain, &after.issuer),
                (&first.txn, &first.subject, &first.trust_domain, &first.issuer)
            );
            prop_assert!(after.expires_at <= before.expires_at && after.expires_at <= first.expires_at);
            for (old, new) in [(&before.tctx, &after.tctx), (&before.rctx, &after.rctx)] {
                prop_assert!(old.iter().all(|(name, value)| new.get(name) == Some(value)));
            }
            prop_assert_eq!(&after.requesting_workload, &by.workload);
            prop_assert_eq!(&after.earlier_workloads[0], &before.requesting_workload);
            prop_assert_eq!(&after.earlier_workloads[1..], &before.earlier_workloads[..]);
            prop_assert_eq!(TransactionToken::of(&after.claims()), Some(after.clone()));
            before = after;
        }
        prop_assert!(times <= MOST_REPLACEMENTS);
    }
}
