//! A person in front of a browser: Debian's Chromium, driven over WebDriver.
//!
//! One chromedriver for all tests that run at the same time, ended with the last of them; a browser with a fresh
//! profile for each person. Few run at once, since each takes a core.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::extensions::query::ElementQueryable as _;
use thirtyfour::{
    By, ChromiumLikeCapabilities as _, DesiredCapabilities, Key, LoggingPrefsLogLevel, WebDriver, WebElement,
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The browser.
const CHROMIUM: &str = "/usr/bin/chromium";
/// What drives it.
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";
/// How many tests may have a browser open at the same time.
const AT_ONCE: usize = 2;
/// How long to look for something on a page.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a page that was left may stay where it is. Some clicks lead nowhere.
const LEAVING: Duration = Duration::from_secs(2);

static ROOM: Semaphore = Semaphore::const_new(AT_ONCE);
static DRIVER: Mutex<Weak<Chromedriver>> = Mutex::new(Weak::new());
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Says aloud that a test did not run, and how many did not; where nothing may be left out (`CI=true`), fails it.
///
/// # Panics
/// With `CI=true`.
pub fn skip(test: &str, what_is_missing: &str) {
    let must_run = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!must_run, "{test} cannot run: {what_is_missing}");
    let count = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
    // Not `eprintln!`, which a passing test would keep to itself.
    let _ = writeln!(std::io::stderr(), "SKIPPED ({count} so far): {test}: {what_is_missing}");
}

/// Whether browser and driver are there; without them, the test is [skipped](skip).
#[must_use]
pub fn is_there(test: &str) -> bool {
    let missing: Vec<_> =
        [CHROMIUM, CHROMEDRIVER].into_iter().filter(|program| !Path::new(program).exists()).collect();
    if !missing.is_empty() {
        skip(test, &format!("there is no {}", missing.join(", no ")));
    }
    missing.is_empty()
}

/// A running chromedriver, on a port of its own choice.
struct Chromedriver {
    process: Mutex<Child>,
    url: String,
}

impl Chromedriver {
    fn shared() -> Arc<Self> {
        let mut known = DRIVER.lock().unwrap();
        if let Some(running) = known.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start());
        *known = Arc::downgrade(&started);
        started
    }

    fn start() -> Self {
        let mut process = Command::new(CHROMEDRIVER)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let said = BufReader::new(process.stdout.take().expect("its output is piped"));
        let port = said
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver says its port");
        Self { process: Mutex::new(process), url: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        let mut process = self.process.lock().unwrap();
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// How somebody's browser is set up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The language they prefer.
    pub language: &'static str,
    /// Whether pages may run scripts.
    pub scripts: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { language: "en", scripts: true }
    }
}

/// The browsers of one test.
pub struct Browsers {
    driver: Arc<Chromedriver>,
    open: Mutex<Vec<(WebDriver, TempDir)>>,
    _room: SemaphorePermit<'static>,
}

impl Browsers {
    /// Waits until there is room for one more test.
    pub async fn new() -> Self {
        let room = ROOM.acquire().await.expect("the room is never closed");
        Self { driver: Chromedriver::shared(), open: Mutex::new(Vec::new()), _room: room }
    }

    /// A person with a browser of their own.
    pub async fn person(&self, setup: Setup) -> Person {
        let profile = tempfile::tempdir().expect("room for a profile");
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(CHROMIUM).unwrap();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1000,900",
        ] {
            wanted.add_arg(argument).unwrap();
        }
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().display())).unwrap();
        let preferences = json!({
            "intl.accept_languages": setup.language,
            "credentials_enable_service": false,
            "profile.managed_default_content_settings.javascript": if setup.scripts { 1 } else { 2 },
        });
        wanted.add_experimental_option("prefs", preferences).unwrap();
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
        let driver = WebDriver::new(self.driver.url.as_str(), wanted).await.expect("a browser opens");
        self.open.lock().unwrap().push((driver.clone(), profile));
        Person { driver }
    }

    /// Closes every browser.
    pub async fn close(&self) {
        let open: Vec<_> = self.open.lock().unwrap().drain(..).collect();
        for (driver, _profile) in open {
            let _ = driver.quit().await;
        }
    }
}

/// A person in front of a browser.
#[derive(Clone)]
pub struct Person {
    /// The session, for what is not below.
    pub driver: WebDriver,
}

impl Person {
    /// Types an address.
    pub async fn goto(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    /// The element of this id, as soon as it is there.
    pub async fn see(&self, id: &str) -> WebElement {
        let found = self.driver.query(By::Id(id)).wait(PATIENCE, Duration::from_millis(50)).first().await;
        match found {
            Ok(element) => element,
            Err(_) => panic!("no #{id} at {}:\n{}", self.url().await, self.text().await),
        }
    }

    /// Whether there is an element of this id on the page as it is.
    pub async fn has(&self, id: &str) -> bool {
        !self.driver.find_all(By::Id(id)).await.unwrap().is_empty()
    }

    /// Clicks the element of this id. Where that leads elsewhere, it waits a while for the page to go: what is looked
    /// for next must not be found on the page before.
    pub async fn click(&self, id: &str) {
        let element = self.see(id).await;
        let leads = matches!(element.tag_name().await.unwrap().as_str(), "a" | "button");
        let page = self.driver.find(By::Tag("html")).await.unwrap();
        element.click().await.unwrap();
        let deadline = tokio::time::Instant::now() + LEAVING;
        while leads && page.tag_name().await.is_ok() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Empties the field of this id and types into it.
    pub async fn write(&self, id: &str, text: &str) {
        let field = self.see(id).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Types, wherever the focus is.
    pub async fn type_keys(&self, text: &str) {
        self.driver.action_chain().send_keys(text).perform().await.unwrap();
    }

    /// Waits until the browser is at this URL.
    pub async fn wait_for_url(&self, url: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.url().await != url {
            assert!(tokio::time::Instant::now() < deadline, "at {}, and not at {url}", self.url().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Presses a key, wherever the focus is.
    pub async fn press(&self, key: Key) {
        self.driver.action_chain().key_down(key.clone()).key_up(key).perform().await.unwrap();
    }

    /// The id of the element that has the focus.
    pub async fn focused(&self) -> String {
        self.driver.active_element().await.unwrap().id().await.unwrap().unwrap_or_default()
    }

    /// Presses Tab until the element of this id has the focus.
    pub async fn tab_to(&self, id: &str) {
        for _ in 0..50 {
            if self.focused().await == id {
                return;
            }
            self.press(Key::Tab).await;
        }
        panic!("Tab does not lead to #{id}");
    }

    /// What the page says.
    pub async fn text(&self) -> String {
        self.driver.find(By::Tag("body")).await.unwrap().text().await.unwrap()
    }

    /// The main heading.
    pub async fn heading(&self) -> String {
        self.driver.find(By::Tag("h1")).await.unwrap().text().await.unwrap()
    }

    /// Where the browser is.
    pub async fn url(&self) -> String {
        self.driver.current_url().await.unwrap().to_string()
    }

    /// The value of an expression on the page.
    pub async fn eval(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.driver.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// Makes the window this wide, as narrow as a telephone if need be.
    pub async fn be_wide(&self, width: u32) {
        let metrics = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Prefers `light` or `dark`.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.cdp("Emulation.setEmulatedMedia", features).await;
    }

    /// A command of the Chrome DevTools Protocol.
    pub async fn cdp(&self, method: &str, parameters: Value) -> Value {
        self.driver.cdp().send_raw(method, parameters).await.unwrap()
    }

    /// The whole page as a PNG.
    pub async fn picture(&self) -> Vec<u8> {
        use base64::Engine as _;
        let height = self.eval("document.documentElement.scrollHeight").await;
        let width = self.eval("innerWidth").await;
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let shot = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let taken = self.cdp("Page.captureScreenshot", shot).await;
        base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }

    /// What the browser complained of since it was last asked: errors and violations of the content security policy.
    /// That a page came with a status of 400 and more is told here too, and is no complaint.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.unwrap();
        let complains = |message: &str| !message.contains("the server responded with a status of");
        log.into_iter().map(|entry| entry.message).filter(|message| complains(message)).collect()
    }
}
