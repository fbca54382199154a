//! The floor: the four signatures of an exchange, computed the way the server does, and nothing else.

use std::hint::black_box;
use std::time::Duration;

use anyhow::Context as _;
use josekit::jws::JwsHeader;
use protocol::client::SigningAlg;
use serde_json::{Map, Value, json};
use server::jose::{self, ClientKeys, KeyRing, SigningKey};
use tests::load::scene::sign;

/// Processor time for each.
pub struct Floor {
    pub assertion: Duration,
    pub proof: Duration,
    pub subject: Duration,
    pub signed: Duration,
}

impl Floor {
    pub fn together(&self) -> Duration {
        self.assertion + self.proof + self.subject + self.signed
    }
}

/// Measures each for about `length`.
pub fn measure(length: Duration) -> anyhow::Result<Floor> {
    let key = || SigningKey::generate(SigningAlg::Es256);
    let (client, holder) = (key()?, key()?);
    let ring = KeyRing::new(vec![key()?], &[])?;

    let jwks = json!({ "keys": [client.public_jwk()] });
    let keys = ClientKeys::parse(&jwks)?;
    let claims = json!({
        "iss": "courier", "sub": "courier", "aud": "http://127.0.0.1:8080", "iat": 1, "exp": 2,
        "jti": "0123456789abcdefghijkl",
    });
    let assertion = sign(&client, JwsHeader::new(), &claims)?;

    let mut header = JwsHeader::new();
    header.set_token_type("dpop+jwt");
    let public = ["kty", "crv", "x", "y"].map(|name| (name.to_owned(), holder.public_jwk()[name].clone()));
    header.set_claim("jwk", Some(Value::Object(public.into_iter().collect())))?;
    let claims = json!({
        "htm": "POST", "htu": "http://127.0.0.1:8080/token", "iat": 1, "jti": "0123456789abcdefghijkl",
        "nonce": "0123456789abcdefghijklmnopqrstuvwxyz0123456789ab",
    });
    let proof = sign(&holder, header, &claims)?;

    let claims = access_token();
    let subject = ring.sign(SigningAlg::Es256, "at+jwt", &claims)?;
    Ok(Floor {
        assertion: cost(length, || {
            keys.verify(black_box(&assertion), None, SigningAlg::Es256).map(|claims| drop(black_box(claims)))
        })?,
        proof: cost(length, || jose::verify_dpop(black_box(&proof)).map(|proof| drop(black_box(proof))))?,
        subject: cost(length, || {
            ring.verify_own(black_box(&subject), "at+jwt").map(|claims| drop(black_box(claims)))
        })?,
        signed: cost(length, || {
            ring.sign(SigningAlg::Es256, "at+jwt", black_box(&claims)).map(|token| drop(black_box(token)))
        })?,
    })
}

/// The claims of a delegated token, as long as the server's.
fn access_token() -> Map<String, Value> {
    let claims = json!({
        "iss": "http://127.0.0.1:8080", "sub": "usr_0123456789abcdefghijkl", "sub_profile": "user",
        "aud": "https://orders.example", "exp": 2, "iat": 1, "jti": "tok_0123456789abcdefghijkl",
        "client_id": "courier", "scope": "orders:read",
        "authorization_details": [{ "type": "order_access", "actions": ["read"], "max_amount": 20 }],
        "act": { "sub": "courier", "iss": "http://127.0.0.1:8080", "sub_profile": "ai_agent" },
        "cnf": { "jkt": "0123456789abcdefghijklmnopqrstuvwxyz0123456" }, "auth_time": 1, "amr": ["pwd"],
        "txn": "task_0123456789abcdefghijkl",
        "task": {
            "id": "task_0123456789abcdefghijkl",
            "authority_hash": "sha-256:0123456789abcdefghijklmnopqrstuvwxyz0123456",
        },
    });
    claims.as_object().cloned().unwrap_or_default()
}

/// The processor time of one `work`, from as many as fit into `length`.
fn cost<E>(length: Duration, work: impl Fn() -> Result<(), E>) -> anyhow::Result<Duration>
where
    E: std::error::Error + Send + Sync + 'static,
{
    const PORTION: u32 = 100;
    (0..PORTION).try_for_each(|_| work())?;
    let start = on_processor()?;
    let mut count = 0;
    loop {
        (0..PORTION).try_for_each(|_| work())?;
        count += PORTION;
        let used = on_processor()? - start;
        if used >= length {
            return Ok(used / count);
        }
    }
}

/// The time that this thread was on a processor, in nanoseconds by the kernel's own count.
fn on_processor() -> anyhow::Result<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(told.split(' ').next().context("an empty schedstat")?.parse()?))
}
