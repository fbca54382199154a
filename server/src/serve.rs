//! The listener: bounded requests in, answers out, and a quiet end.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use crate::app::App;
use crate::registration;
use crate::router::router;

/// How long a client may take to send its header fields.
const LONGEST_HEADER: Duration = Duration::from_secs(10);
/// How long answers that are on their way may take once the house closes.
const LONGEST_GOODBYE: Duration = Duration::from_secs(10);
/// How many connections are open at once; one more is closed at once.
const MOST_CONNECTIONS: usize = 4096;
/// How often what is over is swept out.
const SWEEP: Duration = Duration::from_secs(60);

/// Answers on `listener` until `stop` is ready, then finishes what it began.
///
/// # Errors
/// None yet: a connection that fails is only that connection's end.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) -> io::Result<()> {
    let routes = router(&app);
    let goodbye = GracefulShutdown::new();
    let sweeper = tokio::spawn(sweep(Arc::clone(&app)));
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match Arc::clone(&room).try_acquire_owned() {
                    Ok(place) => answer(&app, &routes, stream, peer, &goodbye, place),
                    Err(_) => drop(stream),
                },
                // Out of file descriptors or the like: breathe, then go on.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(LONGEST_GOODBYE, goodbye.shutdown()).await;
    sweeper.abort();
    app.store.close().await;
    Ok(())
}

fn answer(
    app: &App,
    routes: &Router,
    stream: TcpStream,
    peer: SocketAddr,
    goodbye: &GracefulShutdown,
    place: OwnedSemaphorePermit,
) {
    let _ = stream.set_nodelay(true);
    let service = routes.clone().map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(LONGEST_HEADER)
        .max_buf_size(app.settings.limits.header_bytes.max(8192))
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let connection = goodbye.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(place);
    });
}

async fn sweep(app: Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        if let Err(failure) = registration::expire(&app, app.clock.now()).await {
            tracing::warn!(?failure, "clients that were never used could not be ended");
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
