//! Telling a user by mail that a question from elsewhere waits for them. It may be their only way to learn of it.

use std::sync::Arc;

use protocol::user::User;

use crate::app::App;
use crate::authorization::Offer;

/// A question that waits.
pub struct News {
    /// Whom it is asked of.
    pub user: Arc<User>,
    /// Who asks for what.
    pub offer: Offer,
    /// What the client shows too (CIBA §7.1).
    pub binding_message: Option<String>,
    /// Where it waits. Only its user sees anything there, and only signed in.
    pub link: String,
}

/// What a mail says: subject and text.
pub type Letter = Arc<dyn Fn(&News) -> (String, String) + Send + Sync>;

/// Writes to the user, if mail is sent at all and somebody made sure of their address. Whoever asked is answered
/// before any of this happens, and learns nothing of it.
pub(super) fn begin(app: &Arc<App>, news: News, letter: &Letter) {
    if app.mailer.is_none() || !app.settings.ciba.mail {
        return;
    }
    let (app, letter) = (Arc::clone(app), Arc::clone(letter));
    tokio::spawn(async move { write(&app, &news, &letter).await });
}

async fn write(app: &App, news: &News, letter: &Letter) {
    let (Some(mailer), Some(to)) = (&app.mailer, news.user.verified_email()) else { return };
    let user = news.user.id.as_str();
    // Questions can be made to wait for a moment only, and then there could be any number of them.
    if !app.question_mails.count(user) {
        tracing::info!(user, "too many questions: this one is not told by mail");
        return;
    }
    let (subject, text) = letter(news);
    if let Err(reason) = mailer.send(to, &subject, text).await {
        tracing::error!(%reason, user, "a mail about a question was not sent");
    }
}
