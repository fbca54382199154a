//! Somebody on this machine who is told things over HTTP, and answers as a test wants.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// How long to wait for something to be heard.
const PATIENCE: Duration = Duration::from_secs(15);

/// A listener that keeps what it is told.
pub struct Receiver {
    /// Where it listens: `http://127.0.0.1` and a port.
    pub origin: String,
    heard: tokio::sync::Mutex<mpsc::UnboundedReceiver<Heard>>,
    answers: Answers,
}

/// What to answer, and after how long; `200` at once when nothing is left.
type Answers = Arc<Mutex<VecDeque<(u16, Duration)>>>;

/// A request as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heard {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Heard {
    /// A header field; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The body as a form.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

impl Receiver {
    /// Listens.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (sender, heard) = mpsc::unbounded_channel();
        let answers = Answers::default();
        let to_give = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(listen(stream, sender.clone(), Arc::clone(&to_give)));
            }
        });
        Self { origin, heard: tokio::sync::Mutex::new(heard), answers }
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Answers the next request so, after this many milliseconds.
    pub fn answer(&self, status: u16, after: u64) {
        self.answers.lock().unwrap().push_back((status, Duration::from_millis(after)));
    }

    /// What it was told next.
    pub async fn next(&self) -> Heard {
        let mut heard = self.heard.lock().await;
        tokio::time::timeout(PATIENCE, heard.recv()).await.expect("something is heard").unwrap()
    }

    /// What it was told already and nobody asked for yet.
    pub async fn already(&self) -> Vec<Heard> {
        let mut heard = self.heard.lock().await;
        std::iter::from_fn(|| heard.try_recv().ok()).collect()
    }
}

async fn listen(mut stream: TcpStream, heard: mpsc::UnboundedSender<Heard>, answers: Answers) {
    let Some(request) = read(&mut stream).await else { return };
    let (status, after) = answers.lock().unwrap().pop_front().unwrap_or((200, Duration::ZERO));
    let _ = heard.send(request);
    tokio::time::sleep(after).await;
    let page = "<!doctype html><html lang=en><title>Heard</title>";
    let length = if status == 204 { 0 } else { page.len() };
    let answer = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{}",
        &page[..length]
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<Heard> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
        let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap_or(0));
        if bytes.len() < end + 4 + length {
            continue;
        }
        let body = String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned();
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        return Some(Heard { method, target, headers, body });
    }
}
