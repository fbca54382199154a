//! Receipts prove a chain as it grew, and nothing that was changed, left out, moved or taken from another chain.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use proptest::sample::Index;
use protocol::actor::{Actor, Chain, SubProfile};
use protocol::numeric_date::NumericDate;
use protocol::receipts::{
    CLAIM, COMPLETE, Opened, Proven, Receipt, ReceiptsRefused as R, TYP, add_to, prh, verify,
};
use serde_json::{Map, Value, json};

const ISSUER: &str = "https://as.example";
const NOW: NumericDate = NumericDate(1_000);

fn actor(n: usize) -> Actor {
    Actor {
        sub: format!("agent-{n}").parse().unwrap(),
        iss: ISSUER.into(),
        sub_profile: SubProfile::AiAgent,
        instance: None,
    }
}

/// Signs as these tests do: the signature is a hash over the text, which nobody here can make but by this function.
fn signed(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let input = format!("{}.{}", encode(header), encode(claims));
    format!("{input}.{}", prh(&format!("the secret of the issuer {input}")))
}

fn part(compact: &str, index: usize) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(compact.split('.').nth(index)?).ok()?).ok()
}

fn open(_: &str, compact: &str) -> Option<Opened> {
    let (input, signature) = compact.rsplit_once('.')?;
    (signature == prh(&format!("the secret of the issuer {input}"))).then_some(())?;
    Some(Opened { header: part(compact, 0)?, claims: part(compact, 1)? })
}

fn check(claims: &Map<String, Value>) -> Result<Proven, R> {
    verify(claims, NOW, |issuer| issuer == ISSUER, open)
}

fn header() -> Value {
    json!({ "alg": "ES256", "typ": TYP, "kid": "k" })
}

/// The receipts of a chain of `depth` actors for `sub`, the newest first.
fn receipts(depth: usize, sub: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for n in 0..depth {
        let receipt = Receipt {
            issuer: ISSUER,
            sub,
            sub_profile: "user",
            actor: &actor(n),
            issued_at: NumericDate(900),
            expires_at: NumericDate(2_000),
            jti: &format!("rct_{n}"),
            origin_jti: Some(&format!("tok_{n}")),
            before: all.first().map(String::as_str),
        };
        all.insert(0, signed(&header(), &Value::Object(receipt.claims())));
    }
    all
}

/// The claims of a token with that chain and these receipts.
fn token(depth: usize, receipts: Vec<String>) -> Map<String, Value> {
    let chain = (0..depth).fold(Chain::none(), |chain, n| chain.extended_by(&actor(n), 99).unwrap());
    let jti = format!("tok_{}", depth.saturating_sub(1));
    let claims = json!({ "iss": ISSUER, "sub": "alice", "jti": jti, "act": chain.to_claim() });
    let mut claims = claims.as_object().unwrap().clone();
    add_to(&mut claims, receipts, true);
    claims
}

/// With a receipt made anew, well signed, after `change` to its claims.
fn forged(depth: usize, index: usize, change: impl FnOnce(&mut Map<String, Value>)) -> Result<Proven, R> {
    let mut all = receipts(depth, "alice");
    let mut claims = part(&all[index], 1).unwrap();
    change(&mut claims);
    all[index] = signed(&header(), &Value::Object(claims));
    check(&token(depth, all))
}

proptest! {
    #[test]
    fn the_receipts_of_a_chain_prove_all_of_it(depth in 1_usize..8) {
        let proven = check(&token(depth, receipts(depth, "alice"))).unwrap();
        let hops: Vec<_> = proven.hops.iter().map(|hop| hop.actor.0.clone()).collect();
        let wanted: Vec<_> = (0..depth).rev().map(|n| format!("agent-{n}")).collect();
        prop_assert_eq!(hops, wanted);
        prop_assert!(proven.complete && proven.same_subject && proven.of_this_token);
    }

    #[test]
    fn one_changed_byte_anywhere_is_detected(depth in 1_usize..6, which in any::<Index>(), at in any::<Index>(), bit in 0_u8..7) {
        let mut all = receipts(depth, "alice");
        let text = &mut all[which.index(depth)];
        let at = at.index(text.len());
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(bytes) {
            *text = changed;
            prop_assert!(check(&token(depth, all)).is_err());
        }
    }

    #[test]
    fn one_that_is_left_out_is_detected(depth in 2_usize..8, which in any::<Index>(), complete in any::<bool>()) {
        let mut all = receipts(depth, "alice");
        all.remove(which.index(depth));
        let mut claims = token(depth, all);
        if !complete {
            claims.remove(COMPLETE);
        }
        prop_assert!(check(&claims).is_err());
    }

    #[test]
    fn another_order_is_detected(depth in 2_usize..8, first in any::<Index>(), second in any::<Index>()) {
        let mut all = receipts(depth, "alice");
        let (first, second) = (first.index(depth), second.index(depth));
        prop_assume!(first != second);
        all.swap(first, second);
        prop_assert!(check(&token(depth, all)).is_err());
    }

    #[test]
    fn one_of_another_story_is_detected(depth in 1_usize..8, which in any::<Index>()) {
        let mut all = receipts(depth, "alice");
        let which = which.index(depth);
        all[which] = receipts(depth, "bob")[which].clone();
        prop_assert!(check(&token(depth, all)).is_err());
    }

    #[test]
    fn no_text_makes_the_verifier_panic(text in "\\PC{0,80}", depth in 0_usize..3) {
        let _ = check(&token(depth, vec![text.clone()]));
        let mut claims = token(depth, receipts(depth, "alice"));
        claims.insert("act".to_owned(), text.clone().into());
        let _ = check(&claims);
        if let Ok(any) = serde_json::from_str::<Map<String, Value>>(&text) {
            let _ = check(&any);
        }
    }
}

#[test]
fn a_well_signed_receipt_that_says_something_else_is_detected() {
    let set = |name: &'static str, value: Value| {
        move |claims: &mut Map<String, Value>| {
            claims.insert(name.to_owned(), value);
        }
    };
    let other = |n: usize| Value::Object(actor(n).to_claim());
    for (name, value, index, reason) in [
        ("sub", json!("bob"), 0, R::OtherSubject),
        ("sub", json!(""), 0, R::BadClaim(0, "sub")),
        ("act", other(7), 0, R::OtherActor(0)),
        ("act", json!({ "sub": "agent-2" }), 0, R::BadClaim(0, "act")),
        ("act", json!({ "sub": "agent-2", "iss": "https://other.example" }), 0, R::OtherActor(0)),
        ("act", json!({ "sub": "agent-2", "iss": ISSUER, "act": {} }), 0, R::BadClaim(0, "act")),
        ("act", json!({ "sub": "agent-2", "iss": ISSUER, "cnf": {} }), 0, R::BadClaim(0, "act")),
        ("exp", json!(1_000), 0, R::NotNow(0)),
        ("exp", json!("2000"), 0, R::BadClaim(0, "exp")),
        ("iat", json!(1_061), 0, R::NotNow(0)),
        ("prh", json!("x"), 0, R::BrokenLink(0)),
        ("prh", json!(1), 0, R::BadClaim(0, "prh")),
        ("prh_alg", json!("sha-1"), 0, R::BadClaim(0, "prh_alg")),
        ("jti", json!(1), 0, R::BadClaim(0, "jti")),
        ("iss", json!("https://other.example"), 0, R::UnknownIssuer(0)),
        ("act", other(7), 1, R::BrokenLink(0)),
        ("prh", json!("x"), 2, R::BrokenLink(1)),
    ] {
        assert_eq!(forged(3, index, set(name, value.clone())), Err(reason), "{name} {value}");
    }
    for name in ["iss", "sub", "act", "iat", "exp", "jti"] {
        let without = forged(1, 0, |claims| drop(claims.remove(name)));
        assert!(matches!(without, Err(R::BadClaim(0, _) | R::UnknownIssuer(0))), "{name} {without:?}");
    }
    assert_eq!(forged(1, 0, |claims| drop(claims.insert("prh".into(), "x".into()))), Err(R::BrokenLink(0)));
    assert!(forged(1, 0, set("prh_alg", json!("sha-256"))).is_ok());
    assert!(forged(1, 0, set("scope", json!("everything"))).is_ok(), "what a receipt permits is never read");
}

#[test]
fn the_outer_claims_must_fit_their_receipts() {
    let with = |name: &str, value: Value| {
        let mut claims = token(2, receipts(2, "alice"));
        claims.insert(name.to_owned(), value);
        check(&claims)
    };
    assert_eq!(with(CLAIM, json!([])), Err(R::Malformed));
    assert_eq!(with(CLAIM, json!("x")), Err(R::Malformed));
    assert_eq!(with(CLAIM, json!([1, 2])), Err(R::Malformed));
    assert_eq!(with(COMPLETE, json!("true")), Err(R::Malformed));
    assert_eq!(with("act", json!({ "sub": "agent-1" })), Err(R::MalformedChain));
    assert_eq!(with("act", json!("agent-1")), Err(R::MalformedChain));
    assert_eq!(with("sub", json!("bob")), Err(R::OtherSubject));
    assert_eq!(check(&token(1, receipts(2, "alice"))), Err(R::TooMany));
    assert_eq!(check(&token(0, receipts(1, "alice"))), Err(R::TooMany));
    let mut none = token(2, Vec::new());
    assert_eq!(check(&none), Err(R::None));
    none.insert(COMPLETE.to_owned(), true.into());
    assert_eq!(check(&none), Err(R::NotComplete));
    // A chain that others began is proven as far as it goes.
    let mut newest_of_two = token(2, Vec::new());
    let receipt = Receipt {
        issuer: ISSUER,
        sub: "alice",
        sub_profile: "user",
        actor: &actor(1),
        issued_at: NumericDate(900),
        expires_at: NumericDate(2_000),
        jti: "rct",
        origin_jti: None,
        before: None,
    };
    let alone = signed(&header(), &Value::Object(receipt.claims()));
    newest_of_two.insert(CLAIM.to_owned(), json!([alone]));
    let proven = check(&newest_of_two).unwrap();
    assert!(!proven.complete && !proven.of_this_token && proven.same_subject);
}

#[test]
fn whom_nobody_trusts_is_not_asked_for_keys() {
    let claims = token(2, receipts(2, "alice"));
    let asked = std::cell::Cell::new(false);
    let refused = verify(
        &claims,
        NOW,
        |_| false,
        |_, compact| {
            asked.set(true);
            open("", compact)
        },
    );
    assert_eq!((refused, asked.get()), (Err(R::UnknownIssuer(0)), false));
}

#[test]
fn a_token_of_the_issuer_of_another_type_is_no_receipt() {
    let mut all = receipts(1, "alice");
    for header in [
        json!({ "alg": "ES256", "typ": "at+jwt" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "HS256", "typ": TYP }),
        json!({ "alg": "none", "typ": TYP }),
        json!({ "alg": "ES256", "typ": TYP, "crit": ["x"], "x": 1 }),
    ] {
        all[0] = signed(&header, &Value::Object(part(&all[0], 1).unwrap()));
        assert!(
            matches!(check(&token(1, all.clone())), Err(R::WrongType(0) | R::BadSignature(0))),
            "{header}"
        );
    }
}
