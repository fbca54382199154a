//! One connection: its handshake, its requests, its end. Everything about it is bounded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt as _;

use super::Entrance;
use crate::app::App;
use crate::tls::{Accepted, ClientCertificate, ListenerTls};

/// How long a client may take to send its header fields.
const LONGEST_HEADER: Duration = Duration::from_secs(10);
/// How long a TLS handshake may take.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(10);
/// How long one connection is used before the client is asked to make another.
const LONGEST_CONNECTION: Duration = Duration::from_secs(30 * 60);
/// How long the requests that are under way then may take.
const LONGEST_LEAVING: Duration = Duration::from_secs(60);

/// How many requests of one HTTP/2 connection are answered at once.
const MOST_STREAMS: u32 = 100;
/// How many HTTP/2 streams that a client opened and reset at once are kept before the connection is ended: the bound
/// on floods of them (CVE-2023-44487).
const MOST_RESETS: usize = 20;
/// How often an HTTP/2 client is asked whether it is still there.
const PING: Duration = Duration::from_secs(30);

/// Receives connections.
#[derive(Clone)]
pub(super) struct Reception {
    pub(super) app: Arc<App>,
    pub(super) routes: Router,
    /// One for each open connection.
    pub(super) places: Arc<Semaphore>,
    /// One for each handshake that is under way.
    pub(super) handshakes: Arc<Semaphore>,
    /// Whether the house closes.
    pub(super) closing: watch::Receiver<bool>,
}

impl Reception {
    /// Lets a connection in, if there is a place for it.
    pub(super) fn receive(&self, entrance: Entrance, stream: TcpStream, peer: SocketAddr) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let reception = self.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let app = Arc::clone(&reception.app);
            match entrance {
                Entrance::Main => match &app.tls.main {
                    Some(tls) => reception.shake_hands(tls, stream, peer).await,
                    None => reception.http1(stream, peer, None).await,
                },
                // There is no such listener without its certificate.
                Entrance::Mtls => {
                    if let Some(tls) = &app.tls.mtls {
                        reception.shake_hands(tls, stream, peer).await;
                    }
                }
            }
            drop(place);
        });
    }

    async fn shake_hands(mut self, tls: &ListenerTls, stream: TcpStream, peer: SocketAddr) {
        let Ok(turn) = Arc::clone(&self.handshakes).try_acquire_owned() else { return };
        let handshake = tokio::time::timeout(LONGEST_HANDSHAKE, tls.accept(stream));
        let accepted = tokio::select! {
            accepted = handshake => accepted,
            _ = self.closing.wait_for(|closing| *closing) => return,
        };
        drop(turn);
        match accepted {
            Ok(Ok(Accepted { stream, http2: true, certificate })) => {
                self.http2(stream, peer, certificate).await;
            }
            Ok(Ok(Accepted { stream, http2: false, certificate })) => {
                self.http1(stream, peer, certificate).await;
            }
            Ok(Err(error)) => tracing::debug!(%error, "a handshake failed"),
            Err(_) => tracing::debug!("a handshake took too long"),
        }
    }

    async fn http1<S>(self, stream: S, peer: SocketAddr, certificate: Option<Arc<ClientCertificate>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = TowerToHyperService::new(arrived(self.routes.clone(), peer, certificate));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(LONGEST_HEADER)
            .max_buf_size(self.app.settings.limits.header_bytes.max(8192))
            .serve_connection(TokioIo::new(stream), service);
        self.attend(connection).await;
    }

    async fn http2<S>(self, stream: S, peer: SocketAddr, certificate: Option<Arc<ClientCertificate>>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = TowerToHyperService::new(arrived(self.routes.clone(), peer, certificate));
        let header_bytes = u32::try_from(self.app.settings.limits.header_bytes).unwrap_or(u32::MAX);
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MOST_STREAMS)
            .max_header_list_size(header_bytes)
            .max_pending_accept_reset_streams(MOST_RESETS)
            .max_local_error_reset_streams(MOST_RESETS)
            .keep_alive_interval(PING)
            .keep_alive_timeout(LONGEST_HEADER)
            .serve_connection(TokioIo::new(stream), service);
        self.attend(connection).await;
    }

    /// Answers until the client leaves, until it stayed for long, or until the house closes.
    async fn attend<C: GracefulConnection>(mut self, connection: C)
    where
        C::Error: std::fmt::Display,
    {
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            _ = self.closing.wait_for(|closing| *closing) => None,
            () = tokio::time::sleep(LONGEST_CONNECTION) => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                connection.as_mut().graceful_shutdown();
                match tokio::time::timeout(LONGEST_LEAVING, connection).await {
                    Ok(ended) => ended,
                    Err(_) => return,
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// The routes, for requests that arrived on this connection.
fn arrived(
    routes: Router,
    peer: SocketAddr,
    certificate: Option<Arc<ClientCertificate>>,
) -> impl tower::Service<
    hyper::Request<hyper::body::Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone
+ Send
+ 'static {
    routes.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(certificate) = &certificate {
            request.extensions_mut().insert(Arc::clone(certificate));
        }
        request
    })
}
