//! The listeners: bounded connections in, answers out, and a quiet end.

mod connection;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::app::App;
use crate::config::Settings;
use crate::keys::watch::follow;
use crate::registration;
use crate::router::router;
use crate::{approvals, certification, logout};
use connection::Reception;

/// How long answers that are on their way may take once the house closes.
const LONGEST_GOODBYE: Duration = Duration::from_secs(10);
/// How many connections are open at once, at all listeners; one more is closed at once.
const MOST_CONNECTIONS: u32 = 4096;
/// How many TLS handshakes are under way at once; one more is closed at once.
const MOST_HANDSHAKES: usize = 1024;
/// How often what is over is swept out.
const SWEEP: Duration = Duration::from_secs(60);

/// Which listener somebody came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Entrance {
    /// The one for everybody.
    Main,
    /// The one that asks for client certificates (RFC 8705 §5).
    Mtls,
}

/// Where connections come in.
pub struct Listeners {
    /// For everybody.
    pub main: TcpListener,
    /// For those who show a certificate, where the settings name an address for them.
    pub mtls: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(main: TcpListener) -> Self {
        Self { main, mtls: None }
    }
}

impl Listeners {
    /// With a listener for certificates at the address that the settings name, unless there is one already.
    ///
    /// # Errors
    /// When that address cannot be listened on.
    pub async fn complete(self, settings: &Settings) -> io::Result<Self> {
        let Self { main, mtls } = self;
        let mtls = match (mtls, settings.mtls.listen) {
            (None, Some(address)) => Some(TcpListener::bind(address).await?),
            (mtls, _) => mtls,
        };
        Ok(Self { main, mtls })
    }
}

/// Answers on the listeners until `stop` is ready, then finishes what it began.
///
/// # Errors
/// When the address for client certificates cannot be listened on. A connection that fails is only that
/// connection's end.
pub async fn serve(
    app: Arc<App>,
    listeners: impl Into<Listeners>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let Listeners { main: listener, mtls } = listeners.into().complete(&app.settings).await?;
    let (close, closing) = watch::channel(false);
    let reception = Reception {
        routes: router(&app),
        app: Arc::clone(&app),
        places: Arc::new(Semaphore::new(MOST_CONNECTIONS as usize)),
        handshakes: Arc::new(Semaphore::new(MOST_HANDSHAKES)),
        closing,
    };
    let chores = [
        tokio::spawn(sweep(Arc::clone(&app))),
        tokio::spawn(reload(Arc::clone(&app))),
        tokio::spawn(follow(Arc::clone(&app))),
        tokio::spawn(logout::deliver_for_ever(Arc::clone(&app))),
        tokio::spawn(approvals::deliver_for_ever(Arc::clone(&app))),
        tokio::spawn(approvals::tell_webhooks_for_ever(Arc::clone(&app))),
        tokio::spawn(certification::warn_for_ever(Arc::clone(&app))),
    ];
    tokio::pin!(stop);
    loop {
        let (entrance, accepted) = tokio::select! {
            accepted = listener.accept() => (Entrance::Main, accepted),
            accepted = accept(mtls.as_ref()) => (Entrance::Mtls, accepted),
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => reception.receive(entrance, stream, peer),
            // Out of file descriptors or the like: breathe, then go on.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop((listener, mtls));
    let _ = close.send(true);
    // Every connection has a place; once all places are free, everybody has left.
    let _ = tokio::time::timeout(LONGEST_GOODBYE, reception.places.acquire_many(MOST_CONNECTIONS)).await;
    chores.iter().for_each(JoinHandle::abort);
    app.store.close().await;
    Ok(())
}

/// The next connection to a listener that may not be there.
async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// Looks at the files for TLS from time to time.
async fn reload(app: Arc<App>) {
    let pause = Duration::from_secs(app.settings.tls.reload.0.unsigned_abs());
    loop {
        tokio::time::sleep(pause).await;
        let app = Arc::clone(&app);
        let _ = tokio::task::spawn_blocking(move || app.tls.reload()).await;
    }
}

async fn sweep(app: Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        if let Err(failure) = registration::expire(&app, app.clock.now()).await {
            tracing::warn!(?failure, "clients that were never used could not be ended");
        }
        if let Err(error) = app.store.finish_endings(app.clock.now()).await {
            tracing::warn!(%error, "what somebody held who was stopped could not be marked as ended yet");
        }
        loop {
            match app.store.sweep(app.clock.now()).await {
                Ok(0) => break,
                // Portion by portion, so that nobody waits for the sweeper.
                Ok(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(error) => {
                    tracing::warn!(%error, "what is over could not be swept out");
                    break;
                }
            }
        }
    }
}
