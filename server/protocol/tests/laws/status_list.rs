//! A status list says of each place what was said last, and nothing of others.

use std::collections::BTreeMap;

use proptest::prelude::*;
use protocol::status_list::{Status, StatusList};

proptest! {
    #[test]
    fn each_place_has_what_was_set_there_last_and_all_others_are_valid(
        size in 1_u32..300,
        sets in proptest::collection::vec((0_u32..300, 0_u8..3), 0..200),
    ) {
        let mut list = StatusList::new(size);
        let mut expected = BTreeMap::new();
        for (index, value) in sets {
            let status = [Status::Valid, Status::Invalid, Status::Suspended][usize::from(value)];
            list.set(index, status);
            expected.insert(index, status);
        }
        let read = StatusList::from_bytes(list.as_bytes().to_vec());
        for index in 0..size {
            let set = expected.get(&index).copied().unwrap_or(Status::Valid);
            prop_assert_eq!(read.get(index), Some(set));
        }
    }
}
