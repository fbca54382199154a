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
use tower::ServiceExt as _;

use crate::app::App;
use crate::router::router;

/// How long a client may take to send its header fields.
const LONGEST_HEADER: Duration = Duration::from_secs(10);
/// How long answers that are on their way may take once the house closes.
const LONGEST_GOODBYE: Duration = Duration::from_secs(10);
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
    tokio::pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => answer(&app, &routes, stream, peer, &goodbye),
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

fn answer(app: &App, routes: &Router, stream: TcpStream, peer: SocketAddr, goodbye: &GracefulShutdown) {
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
    });
}

async fn sweep(app: Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        if let Err(error) = app.store.sweep(app.clock.now()).await {
            tracing::warn!(%error, "what is over could not be swept out");
        }
    }
}
