//! The only room that writes mail, over SMTP.

use std::fmt;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::config::MailSettings;

/// That no person wrote it, so that no machine answers (RFC 3834 §5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
/// How long one mail may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Writes mail.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailer")
    }
}

/// Why mail cannot be sent. It names no address and no password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MailError {
    /// The settings.
    #[error("the server or the sender of the settings cannot be used")]
    Settings,
    /// The addressee.
    #[error("an address cannot be written to")]
    Address,
    /// The mail server.
    #[error("the mail server did not take it")]
    Refused,
    /// The mail server was too slow.
    #[error("the mail server did not answer in time")]
    TooSlow,
}

impl Mailer {
    /// A mailer for these settings; none where they name no server.
    ///
    /// # Errors
    /// [`MailError::Settings`].
    pub fn new(settings: &MailSettings) -> Result<Option<Self>, MailError> {
        let Some(server) = &settings.server else { return Ok(None) };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(server.reveal());
        let transport = transport.map_err(|_| MailError::Settings)?.timeout(Some(PATIENCE)).build();
        let from = settings.from.parse().map_err(|_| MailError::Settings)?;
        Ok(Some(Self { transport, from }))
    }

    /// Sends a text.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send(&self, to: &str, subject: &str, text: String) -> Result<(), MailError> {
        let to = to.parse().map_err(|_| MailError::Address)?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .message_id(None)
            .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
            .singlepart(SinglePart::plain(text))
            .map_err(|_| MailError::Address)?;
        match tokio::time::timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(MailError::Refused),
            Err(_) => Err(MailError::TooSlow),
        }
    }
}
