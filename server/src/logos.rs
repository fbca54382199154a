//! Clients' logos: fetched by this server and shown from it, so that no third party learns who looks at a page.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::Semaphore;
use url::Url;

use crate::outbound::Outbound;

/// The largest logo, in bytes.
const LARGEST: usize = 128 * 1024;
/// How much of them is remembered, in bytes.
const MOST: u64 = 16 * 1024 * 1024;
/// How long one is shown before it is asked for again, be it there or not.
const FRESH: Duration = Duration::from_secs(3600);
/// How many are fetched at once; whoever else wants one waits.
const AT_ONCE: usize = 4;

/// A picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logo {
    /// Its media type: one of those that cannot hold a script.
    pub media_type: &'static str,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// The logos that were seen last.
pub struct Logos {
    seen: Cache<Url, Option<Arc<Logo>>>,
    fetching: Semaphore,
}

impl Default for Logos {
    fn default() -> Self {
        Self::new()
    }
}

impl Logos {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        let weigh = |url: &Url, logo: &Option<Arc<Logo>>| {
            let bytes = logo.as_ref().map_or(0, |logo| logo.bytes.len());
            u32::try_from(200 + url.as_str().len() + bytes).unwrap_or(u32::MAX)
        };
        let seen = Cache::builder().weigher(weigh).max_capacity(MOST).time_to_live(FRESH).build();
        Self { seen, fetching: Semaphore::new(AT_ONCE) }
    }

    /// The logo at `url`, if there is one that may be shown.
    pub async fn find(&self, outbound: &Outbound, url: &Url) -> Option<Arc<Logo>> {
        if let Some(known) = self.seen.get(url) {
            return known;
        }
        let _turn = self.fetching.acquire().await.ok()?;
        // Whoever waited may find what another fetched meanwhile.
        if let Some(known) = self.seen.get(url) {
            return known;
        }
        let logo = fetch(outbound, url).await;
        self.seen.insert(url.clone(), logo.clone());
        logo
    }
}

async fn fetch(outbound: &Outbound, url: &Url) -> Option<Arc<Logo>> {
    let answer = outbound.get(url, "image/png, image/jpeg, image/webp, image/gif").await;
    let answer = answer.inspect_err(|error| tracing::info!(%url, %error, "a logo was not found")).ok()?;
    if answer.status != 200 || answer.body.len() > LARGEST {
        return None;
    }
    let media_type = media_type(&answer.body)?;
    Some(Arc::new(Logo { media_type, bytes: answer.body }))
}

/// What the bytes themselves say they are, whatever the answer said. SVG is none of these: it can hold scripts.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

impl fmt::Debug for Logos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Logos(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_what_its_bytes_say_and_no_svg_or_html() {
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\n..."), Some("image/png"));
        assert_eq!(media_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(media_type(b"GIF89a"), Some("image/gif"));
        assert_eq!(media_type(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        for bad in [&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], b"<html>", b"", b"GIF88a", b"\x89PNG"]
        {
            assert_eq!(media_type(bad), None);
        }
    }
}
