//! A mail server that takes everything and delivers nothing.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};

/// How long to wait for a mail that must come, and for one that must not.
const PATIENCE: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_millis(400);

/// A mail as it came: to whom, and the whole text with its head.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The addressee on the envelope.
    pub to: String,
    /// The message, its lines as they were before they were packed for the way.
    pub text: String,
}

/// The mail server, on an address of this machine.
pub struct PostOffice {
    /// The configuration that makes a house use it.
    pub config: String,
    mails: Mutex<mpsc::UnboundedReceiver<Mail>>,
}

impl PostOffice {
    /// Opens.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, mails) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, sender.clone()));
            }
        });
        let config =
            format!("[mail]\nserver = \"smtp://{address}\"\nfrom = \"The Shop <login@shop.example>\"\n");
        Self { config, mails: Mutex::new(mails) }
    }

    /// The next mail.
    pub async fn mail(&self) -> Mail {
        let mail = tokio::time::timeout(PATIENCE, async { self.mails.lock().await.recv().await }).await;
        mail.expect("a mail comes").unwrap()
    }

    /// No mail comes.
    pub async fn stays_empty(&self) {
        let mail = tokio::time::timeout(SILENCE, async { self.mails.lock().await.recv().await }).await;
        assert!(mail.is_err(), "{mail:?}");
    }
}

/// Undoes quoted-printable (RFC 2045 §6.7), where a mail says that it is packed so.
fn unpack(text: &str) -> String {
    if !text.contains("quoted-printable") {
        return text.to_owned();
    }
    let joined = text.replace("=\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        match piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&piece.as_bytes()[2..]);
            }
            None => bytes.extend_from_slice(format!("={piece}").as_bytes()),
        }
    }
    String::from_utf8(bytes).expect("mail is UTF-8")
}

async fn serve(stream: TcpStream, mails: mpsc::UnboundedSender<Mail>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let (mut to, mut text, mut in_data) = (String::new(), String::new(), false);
    write.write_all(b"220 post.example ESMTP\r\n").await.ok()?;
    while let Some(line) = lines.next_line().await.ok()? {
        let answer = match (in_data, line.split_ascii_whitespace().next().unwrap_or_default()) {
            (true, ".") => {
                in_data = false;
                mails.send(Mail { to: std::mem::take(&mut to), text: unpack(&text) }).ok()?;
                text.clear();
                "250 taken"
            }
            (true, _) => {
                text.push_str(line.strip_prefix('.').unwrap_or(&line));
                text.push('\n');
                continue;
            }
            (false, "DATA") => {
                in_data = true;
                "354 go on"
            }
            (false, "QUIT") => "221 goodbye",
            (false, "RCPT") => {
                to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                "250 good"
            }
            (false, _) => "250 good",
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    None
}
