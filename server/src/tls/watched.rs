//! Files that are read again when they change. They are compared by what is in them, not by their times, so that
//! links which are turned to another folder, as container platforms do, are seen too.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

use super::TlsUnfit;

/// What is in a file; it may be a key.
pub(super) type Content = Zeroizing<Vec<u8>>;

/// Something that was read from files.
pub(super) struct Watched<T> {
    key: &'static str,
    files: Vec<PathBuf>,
    read: fn(&[Content]) -> Result<T, String>,
    current: ArcSwap<T>,
    seen: AtomicU64,
}

impl<T> Watched<T> {
    /// Reads the files for the first time. `key` is the setting that names them.
    pub(super) fn open(
        key: &'static str,
        files: Vec<PathBuf>,
        read: fn(&[Content]) -> Result<T, String>,
    ) -> Result<Self, TlsUnfit> {
        let unfit = |reason| TlsUnfit { key, reason };
        let contents = contents(&files).map_err(unfit)?;
        let current = ArcSwap::from_pointee(read(&contents).map_err(unfit)?);
        Ok(Self { key, seen: AtomicU64::new(fingerprint(&contents)), files, read, current })
    }

    /// What was read last and is fit for use.
    pub(super) fn current(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Reads the files again, if what is in them has changed.
    pub(super) fn reload(&self) {
        let key = self.key;
        let contents = match contents(&self.files) {
            Ok(contents) => contents,
            Err(reason) => {
                // Once, and not at every look.
                if self.seen.swap(0, Ordering::Relaxed) != 0 {
                    tracing::error!(key, %reason, "a file is gone; what was read from it before is used on");
                }
                return;
            }
        };
        let found = fingerprint(&contents);
        if self.seen.swap(found, Ordering::Relaxed) == found {
            return;
        }
        match (self.read)(&contents) {
            Ok(new) => {
                self.current.store(Arc::new(new));
                tracing::info!(key, "a file has changed and is used from now on");
            }
            Err(reason) => {
                tracing::error!(key, %reason, "a file has changed and cannot be used; what was read from it before is used on");
            }
        }
    }
}

fn contents(files: &[PathBuf]) -> Result<Vec<Content>, String> {
    let read = |file: &PathBuf| {
        let content = std::fs::read(file).map(Zeroizing::new);
        content.map_err(|error| format!("{} cannot be read: {error}", file.display()))
    };
    files.iter().map(read).collect()
}

/// Tells one content from another. Nobody gains by finding another content with the same one: then it is not read.
fn fingerprint(contents: &[Content]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for content in contents {
        content.as_slice().hash(&mut hasher);
    }
    hasher.finish().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(contents: &[Content]) -> Result<u32, String> {
        let text = std::str::from_utf8(&contents[0]).map_err(|_| "not text".to_owned())?;
        text.parse().map_err(|_| "not a number".to_owned())
    }

    #[test]
    fn a_change_is_used_and_a_bad_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("number");
        assert!(Watched::open("n", vec![file.clone()], number).is_err());
        std::fs::write(&file, "1").unwrap();
        let watched = Watched::open("n", vec![file.clone()], number).unwrap();
        for (content, current) in [(Some("2"), 2), (Some("two"), 2), (None, 2), (Some("3"), 3)] {
            match content {
                Some(content) => std::fs::write(&file, content).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            watched.reload();
            assert_eq!(*watched.current(), current, "{content:?}");
        }
    }

    #[test]
    fn a_first_file_that_cannot_be_used_is_told_by_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("number");
        std::fs::write(&file, "one").unwrap();
        let unfit = Watched::open("the.key", vec![file], number).err().unwrap();
        assert_eq!(unfit.to_string(), "the.key: not a number");
    }
}
