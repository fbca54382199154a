//! Token Status Lists (draft-ietf-oauth-status-list): whoever validates tokens offline looks a token's status up in a
//! signed list, at the place that the token names.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::numeric_date::{NumericDate, Seconds};

/// `typ` of a signed list.
pub const TYP: &str = "statuslist+jwt";
/// Its media type.
pub const MEDIA_TYPE: &str = "application/statuslist+jwt";
/// How many bits a status takes: there are three of them.
const BITS: usize = 2;
/// How many statuses a byte holds.
const PER_BYTE: usize = 8 / BITS;

/// The status of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// `0x00`: nothing is known against it.
    Valid,
    /// `0x01`: it was ended, for good.
    Invalid,
    /// `0x02`: it rests, and may go on.
    Suspended,
}

/// Where a token's status stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatusRef {
    /// The id of the list.
    pub list: String,
    /// The place in it.
    pub index: u32,
}

/// A list: two bits each, the lowest index in the least significant bits of its byte.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatusList(Vec<u8>);

impl StatusList {
    /// A list of at least `size` places, all valid.
    #[must_use]
    pub fn new(size: u32) -> Self {
        Self(vec![0; (size as usize).div_ceil(PER_BYTE)])
    }

    /// The list of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes, which are deflated into `lst`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Sets one status; a place beyond the end is left alone.
    pub fn set(&mut self, index: u32, status: Status) {
        let (byte, shift) = place(index);
        if let Some(byte) = self.0.get_mut(byte) {
            *byte = (*byte & !(0b11 << shift)) | (status.bits() << shift);
        }
    }

    /// One status; `None` beyond the end, and for a value without a meaning here.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<Status> {
        let (byte, shift) = place(index);
        match (self.0.get(byte)? >> shift) & 0b11 {
            0 => Some(Status::Valid),
            1 => Some(Status::Invalid),
            2 => Some(Status::Suspended),
            _ => None,
        }
    }
}

const fn place(index: u32) -> (usize, usize) {
    let index = index as usize;
    (index / PER_BYTE, (index % PER_BYTE) * BITS)
}

impl Status {
    const fn bits(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Suspended => 2,
        }
    }
}

impl StatusRef {
    /// The `status` claim of a token, whose list is at `uri`.
    #[must_use]
    pub fn to_claim(&self, uri: &str) -> Value {
        json!({ "status_list": { "idx": self.index, "uri": uri } })
    }
}

/// The claims of a signed list: `sub` is the `uri` that tokens name, `lst` the deflated bytes in base64url.
#[must_use]
pub fn claims(
    issuer: &str,
    uri: &str,
    lst: &str,
    aggregation_uri: &str,
    issued_at: NumericDate,
    (ttl, life): (Seconds, Seconds),
) -> Map<String, Value> {
    let list = json!({ "bits": BITS, "lst": lst, "aggregation_uri": aggregation_uri });
    let claims = [
        ("iss", issuer.into()),
        ("sub", uri.into()),
        ("iat", issued_at.0.into()),
        ("exp", issued_at.plus(life).0.into()),
        ("ttl", ttl.0.into()),
        ("status_list", list),
    ];
    claims.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_bits_are_laid_out_as_in_the_drafts_example() {
        // The draft's example has the application-specific value 3 at places 3, 10 and 11.
        let list = StatusList::from_bytes(vec![0xc9, 0x44, 0xf9]);
        let expected = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
        for (index, value) in (0..).zip(expected) {
            assert_eq!(list.get(index).map(Status::bits), (value < 3).then_some(value), "{index}");
        }
        assert_eq!(list.get(12), None);
        let mut made = StatusList::new(12);
        for (index, value) in (0..).zip(expected) {
            match value {
                1 => made.set(index, Status::Invalid),
                2 => made.set(index, Status::Suspended),
                _ => {}
            }
        }
        assert_eq!(made.as_bytes(), [0x09, 0x44, 0x09]);
    }

    #[test]
    fn what_is_suspended_comes_back_and_neighbours_are_not_touched() {
        let mut list = StatusList::new(9);
        assert_eq!(list.as_bytes().len(), 3);
        list.set(4, Status::Suspended);
        list.set(5, Status::Invalid);
        list.set(4, Status::Valid);
        let all: Vec<_> = (0..9).map(|index| list.get(index)).collect();
        let expected = |index| if index == 5 { Status::Invalid } else { Status::Valid };
        assert_eq!(all, (0..9).map(|index| Some(expected(index))).collect::<Vec<_>>());
        list.set(1_000, Status::Invalid);
        assert_eq!(list.as_bytes().len(), 3);
    }

    #[test]
    fn a_signed_list_says_whose_it_is_and_how_long_it_is_to_be_believed() {
        let uri = "https://as.example/status-lists/x";
        let life = (Seconds(30), Seconds(150));
        let claims =
            claims("https://as.example", uri, "eNo", "https://as.example/status-lists", NumericDate(7), life);
        assert_eq!(
            Value::Object(claims),
            json!({
                "iss": "https://as.example", "sub": uri, "iat": 7, "exp": 157, "ttl": 30,
                "status_list": {"bits": 2, "lst": "eNo", "aggregation_uri": "https://as.example/status-lists"}
            })
        );
        let claim = StatusRef { list: "x".into(), index: 3 }.to_claim(uri);
        assert_eq!(claim, json!({"status_list": {"idx": 3, "uri": uri}}));
    }
}
