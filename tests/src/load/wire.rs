//! HTTP/1.1 as bare as it gets: requests are bytes that lie ready, answers a status, a head and a body.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection that stays open.
pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its status line and header fields.
    pub head: String,
    /// Its content.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header field; `name` in lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.map(|(field, value)| (field, value.trim())).find(|(field, _)| *field == name).map(|(_, v)| v)
    }

    /// The content as JSON; `null` where it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Wire {
    /// Connects.
    ///
    /// # Errors
    /// Where nobody listens.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }

    /// A connection that somebody made.
    #[must_use]
    pub fn over(stream: TcpStream) -> Self {
        Self { stream, buffer: Vec::with_capacity(8192) }
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// Where the connection ends before the answer does.
    pub async fn send(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.receive().await
    }

    /// Reads the next answer.
    ///
    /// # Errors
    /// Where the connection ends before the answer does.
    pub async fn receive(&mut self) -> io::Result<Answer> {
        self.buffer.clear();
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let status = head.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_default();
        let mut answer = Answer { status, head, body: Vec::new() };
        let length: usize =
            answer.field("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
        while self.buffer.len() < end + 4 + length {
            self.more().await?;
        }
        answer.body = self.buffer[end + 4..end + 4 + length].to_vec();
        Ok(answer)
    }

    async fn more(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// A GET request.
#[must_use]
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// A form posted to `path`, with further header fields.
#[must_use]
pub fn post(path: &str, fields: &[(&str, &str)], form: &[(&str, &str)]) -> Vec<u8> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n{fields}\r\n{body}",
        body.len()
    )
    .into_bytes()
}
