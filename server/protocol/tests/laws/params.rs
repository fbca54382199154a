//! Request parameters.

use proptest::prelude::*;
use protocol::params::Params;
use url::form_urlencoded;

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(("[a-z_]{1,9}", "[^\0]{1,40}"), 0..12)
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Params::parse(&bytes);
    }

    #[test]
    fn what_a_client_encodes_is_what_is_read(pairs in pairs()) {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let read = Params::parse(form.as_bytes()).unwrap();
        prop_assert_eq!(Vec::<(String, String)>::from(read), pairs);
    }

    #[test]
    fn stored_parameters_read_back_to_themselves(pairs in pairs()) {
        let params = Params::try_from(pairs).unwrap();
        let stored = serde_json::to_string(&params).unwrap();
        prop_assert_eq!(serde_json::from_str::<Params>(&stored).unwrap(), params);
    }

    #[test]
    fn a_parameter_is_read_once_or_refused_and_never_chosen_among_several(pairs in pairs()) {
        let params = Params::try_from(pairs.clone()).unwrap();
        let values: Vec<_> = pairs.iter().filter(|(name, _)| name == "a").map(|(_, v)| v.as_str()).collect();
        match params.once("a") {
            Ok(Some(value)) => prop_assert_eq!(values, [value]),
            Ok(None) => prop_assert!(values.is_empty()),
            Err(_) => prop_assert!(values.len() > 1),
        }
    }

    #[test]
    fn no_value_prints(value in "[A-Z]{12}") {
        let params = Params::try_from(vec![("code".to_owned(), value.clone())]).unwrap();
        let printed = format!("{params:?}");
        prop_assert!(!printed.contains(&value));
    }
}
