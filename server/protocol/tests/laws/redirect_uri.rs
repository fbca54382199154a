//! Return addresses.

use proptest::prelude::*;
use protocol::redirect_uri::find;
use url::Url;

const REGISTERED: [&str; 4] = [
    "https://client.example/cb?tenant=1",
    "http://127.0.0.1/cb",
    "http://[::1]:8080/cb",
    "com.example.app:/cb",
];

fn registered() -> Vec<String> {
    REGISTERED.map(str::to_owned).to_vec()
}

/// Registered addresses with something cut out and something put in.
fn mutated() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(String::new()),
        Just("@evil.example".to_owned()),
        Just(":8080".to_owned()),
        Just(".evil.example".to_owned()),
        Just("/../".to_owned()),
        Just("//evil.example/".to_owned()),
        Just("#".to_owned()),
        "[ -~]{0,5}",
        ":[0-9]{1,6}",
        ".{0,3}",
    ];
    (prop::sample::select(REGISTERED.to_vec()), any::<prop::sample::Index>(), 0..4_usize, piece).prop_map(
        |(uri, at, cut, piece)| {
            let at = at.index(uri.len() + 1);
            let after = (at + cut).min(uri.len());
            format!("{}{piece}{}", &uri[..at], &uri[after..])
        },
    )
}

proptest! {
    #[test]
    fn whatever_is_found_leads_to_a_host_that_was_registered(requested in prop_oneof![mutated(), any::<String>()]) {
        if let Ok(address) = find(&registered(), Some(&requested)) {
            let found = Url::parse(address.as_str()).unwrap();
            let same_place = REGISTERED.iter().map(|uri| Url::parse(uri).unwrap()).any(|uri| {
                let port_matters = !matches!(uri.host_str(), Some("127.0.0.1" | "[::1]"));
                uri.scheme() == found.scheme()
                    && uri.host() == found.host()
                    && uri.path() == found.path()
                    && uri.query() == found.query()
                    && (!port_matters || uri.port() == found.port())
                    && found.username().is_empty()
                    && found.fragment().is_none()
            });
            prop_assert!(same_place, "{}", requested);
        }
    }

    #[test]
    fn any_port_of_the_loopback_is_found_and_no_port_of_another_host(port in 1_u16..) {
        let loopback = format!("http://127.0.0.1:{port}/cb");
        let found = find(&registered(), Some(&loopback)).unwrap();
        prop_assert_eq!(found.as_str(), loopback.as_str());
        let elsewhere = format!("https://client.example:{port}/cb?tenant=1");
        prop_assert!(find(&registered(), Some(&elsewhere)).is_err());
    }

    #[test]
    fn a_redirect_goes_where_it_should_and_carries_exactly_what_it_should(
        uri in prop::sample::select(REGISTERED.to_vec()), values in prop::collection::vec(any::<String>(), 1..4)
    ) {
        let params: Vec<_> = values.iter().map(|value| ("state", value.as_str())).collect();
        let url = find(&registered(), Some(uri)).unwrap().redirect(&params);
        prop_assert!(url.starts_with(uri) && url.bytes().all(|b| (0x21..=0x7e).contains(&b)), "{}", url);
        let read = Url::parse(&url).unwrap();
        let states: Vec<_> = read.query_pairs().filter(|(n, _)| n == "state").map(|(_, v)| v.into_owned()).collect();
        prop_assert_eq!(states, values);
        prop_assert_eq!(read.query_pairs().any(|(n, v)| n == "tenant" && v == "1"), uri.contains("tenant=1"));
    }
}
