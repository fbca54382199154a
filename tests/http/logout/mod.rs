//! Signing out, at a client's wish or one's own, and who learns of it.

mod back_channel;
mod front_channel;
mod request;
mod session_state;
mod third_party_login;

use tests::{Authentication, Client, Database, House, ORDERS, Person, Receiver};
use url::Url;

/// A house with web clients that want to be told when sessions end, and somebody who listens for them.
pub struct Scene {
    pub house: House,
    pub receiver: Receiver,
    /// Told at `/rp/back`.
    pub rp: Client,
    /// Told at `/other/back`.
    pub other: Client,
    /// Told at `/framed/back` and, in a frame, at `/framed/front`.
    pub framed: Client,
}

const SECRET: &str = "the secret of";

impl Scene {
    pub async fn on(database: Database) -> Self {
        Self::with(database, Receiver::open().await, "id_token_signed_response_alg = \"RS256\"").await
    }

    /// With these lines in the registration of `rp`.
    pub async fn with(database: Database, receiver: Receiver, of_rp: &str) -> Self {
        let origin = receiver.origin.clone();
        let client = |id: &str, more: &str| {
            format!(
                "[[clients]]\nid = \"{id}\"\nname = \"The {id}\"\nkind = \"application\"\n\
                 authentication = \"client_secret_basic\"\n\
                 secret_sha256 = \"{}\"\n\
                 redirect_uris = [\"https://{id}.example/callback\"{}]\n\
                 post_logout_redirect_uris = [\"https://{id}.example/bye\", \"https://{id}.example/bye?x=1\"]\n\
                 backchannel_logout_uri = \"{origin}/{id}/back?tenant=1\"\n\
                 scope = \"openid profile offline_access orders:read\"\nresources = [\"{ORDERS}\"]\n{more}\n",
                hex(&format!("{SECRET} {id}")),
                if id == "framed" { format!(", \"{origin}/callback\"") } else { String::new() }
            )
        };
        let front = format!("frontchannel_logout_uri = \"{origin}/framed/front?a=1\"");
        let initiate = "initiate_login_uri = \"https://other.example/begin\"\nclient_uri = \"https://other.example/\"\n\
             subject_type = \"pairwise\"";
        let fragment = format!(
            "[outbound]\npermitted_addresses = [\"127.0.0.1/32\"]\ntimeout = \"5s\"\n\n{}{}{}",
            client("rp", of_rp),
            client("other", initiate),
            client("framed", &front)
        );
        let house = House::on_with(database, &fragment).await;
        let basic = |id: &str| Authentication::Basic(format!("{SECRET} {id}"));
        let rp = Client::new(house.door(), "rp", basic("rp"));
        let other = Client::new(house.door(), "other", basic("other"));
        let framed = Client::new(house.door(), "framed", basic("framed"));
        Self { house, receiver, rp, other, framed }
    }

    /// `person` signs in to `client`; the ID token it got.
    pub async fn signs_in_to(&self, person: &Person, client: &Client) -> String {
        let ask = self.house.ask(client).scope("openid");
        let redeemed = ask.approved_by(person).await.redeem(client).await.ok();
        redeemed.text("id_token").to_owned()
    }

    /// Whether somebody is signed in in the browser of `person`.
    pub async fn is_signed_in(&self, person: &Person) -> bool {
        person.page("/account").await.path == "/account"
    }
}

/// `/logout` with these parameters.
pub fn logout(params: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
    format!("/logout?{query}")
}

pub fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn hex(secret: &str) -> String {
    use std::fmt::Write as _;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
