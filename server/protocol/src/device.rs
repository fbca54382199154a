//! Where somebody is signed in, in words that help to know it again and tell nobody more than that: the kind of browser
//! and system, and the neighbourhood of the address.

// Addresses as values: nothing here opens a connection.
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A browser, as far as it can be told apart from others.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Device {
    /// The browser's name, if it is one that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// The operating system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Its address without the part that stands for one household: `203.0.113.*`, `2001:db8:7:*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}

/// The marks of browsers in `User-Agent` (RFC 9110 §10.1.5), the more particular ones first: each names the others too.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Likewise of systems.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

impl Device {
    /// The device that sent this `User-Agent` from this address.
    #[must_use]
    pub fn of(user_agent: Option<&str>, address: Option<IpAddr>) -> Self {
        let known = |marks: &[(&str, &str)]| {
            let agent = user_agent.unwrap_or_default();
            marks.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| (*name).to_owned())
        };
        Self { browser: known(&BROWSERS), system: known(&SYSTEMS), network: address.map(neighbourhood) }
    }
}

/// The first three numbers of an IPv4 address, the first 48 bits of an IPv6 address.
#[must_use]
pub fn neighbourhood(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.*")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:*")
        }
    }
}

/// What one subscriber of the Internet has: an IPv4 address, or a network of 64 bits (RFC 6177). Failures are counted by
/// it, since whoever has the network has all its addresses.
#[must_use]
pub fn household(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_apart_though_they_name_each_other() {
        for (agent, browser, system) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", "Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Safari/537.36 Edg/140.0.0.0",
                "Edge",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Mobile Safari/537.36",
                "Chrome",
                "Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari",
                "iPhone",
            ),
        ] {
            let device = Device::of(Some(agent), None);
            assert_eq!((device.browser.as_deref(), device.system.as_deref()), (Some(browser), Some(system)));
        }
        assert_eq!(Device::of(Some("curl/8.0"), None), Device::default());
        assert_eq!(Device::of(None, None), Device::default());
    }

    #[test]
    fn an_address_is_told_without_the_household() {
        for (address, near, house) in [
            ("203.0.113.77", "203.0.113.*", "203.0.113.77"),
            ("::ffff:203.0.113.77", "203.0.113.*", "203.0.113.77"),
            ("2001:db8:7:8:9::1", "2001:db8:7:*", "2001:db8:7:8::/64"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!((neighbourhood(address).as_str(), household(address).as_str()), (near, house));
        }
    }
}
