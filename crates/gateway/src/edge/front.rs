//! The front door: takes every connection, TLS and HTTP/1.1 included, and gives requests to the
//! router of routes. A WebSocket leaves it with the upgrade; see [`upgrade`](super::upgrade).
//!
//! Bounds: connections in their HTTP phase (further ones wait in the kernel's backlog), the time for
//! the TLS handshake and for each request head.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use http::Request;
use hyper::{
    body::Incoming,
    rt::{Read, Write},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// Where a request's socket comes from: an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end of the socket; behind a proxy that is the proxy.
    pub address: SocketAddr,
    /// Whether the socket carries TLS.
    pub tls: bool,
}

/// Limits of the front door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontLimits {
    /// Most connections in their HTTP phase at once. Enough for thousands of half-sent requests to
    /// wait for their timeout beside the honest ones.
    pub http_connections_max: usize,
    /// Time for a request head, from the first moment it could be sent.
    pub header_timeout: Duration,
    /// Time for the TLS handshake.
    pub tls_timeout: Duration,
    /// Most bytes of a request head, which hyper buffers.
    pub header_bytes_max: usize,
    /// How long requests under way may take to finish once the server stops.
    pub drain_timeout: Duration,
}

impl Default for FrontLimits {
    fn default() -> Self {
        Self {
            http_connections_max: 8192,
            header_timeout: Duration::from_secs(10),
            tls_timeout: Duration::from_secs(10),
            header_bytes_max: 32 << 10,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// A certificate that may be exchanged while the server runs: each new connection takes the newest.
pub type TlsSource = watch::Receiver<Arc<ServerConfig>>;

/// Serves connections until `shutdown`, then lets requests under way finish. Returns when the last
/// connection in its HTTP phase is gone or `drain_timeout` has passed.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsSource>,
    router: Router,
    limits: FrontLimits,
    shutdown: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(limits.http_connections_max));
    let tasks = TaskTracker::new();
    let drain_timeout = limits.drain_timeout;
    // Cut short at the end of the drain, when waiting is over.
    let cut = CancellationToken::new();
    let door = Arc::new(Door { tls, router, limits, shutdown: shutdown.clone() });
    while let Some((tcp, address, permit)) = accept(&listener, &permits, &shutdown).await {
        let (door, cut) = (Arc::clone(&door), cut.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = door.connection(tcp, address) => {}
                () = cut.cancelled() => {}
            }
            drop(permit);
        });
    }
    // Connections from here on are refused by the kernel.
    drop(listener);
    tasks.close();
    if timeout(drain_timeout, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "requests still under way were cut off");
        cut.cancel();
        tasks.wait().await;
    }
}

/// The next connection, once there is room for one; `None` at shutdown.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let next = async {
        let permit =
            Arc::clone(permits).acquire_owned().await.expect("the semaphore is never closed");
        let mut told = false;
        loop {
            match listener.accept().await {
                Ok((tcp, mut address)) => {
                    // An IPv4 client of a dual-stack listener is the same client.
                    address.set_ip(address.ip().to_canonical());
                    return (tcp, address, permit);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Out of descriptors or memory: others must go first.
                    if !told {
                        tracing::error!(%error, "connections cannot be accepted for now");
                        told = true;
                    }
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = shutdown.cancelled() => None,
        next = next => Some(next),
    }
}

/// What all connections of one listener share.
struct Door {
    tls: Option<TlsSource>,
    router: Router,
    limits: FrontLimits,
    shutdown: CancellationToken,
}

impl Door {
    async fn connection(&self, tcp: TcpStream, address: SocketAddr) {
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "socket was gone before it was served");
            return;
        }
        let Some(tls) = &self.tls else {
            return self.http(TokioIo::new(tcp), Peer { address, tls: false }).await;
        };
        let acceptor = TlsAcceptor::from(Arc::clone(&tls.borrow()));
        match timeout(self.limits.tls_timeout, acceptor.accept(tcp)).await {
            Ok(Ok(stream)) => self.http(TokioIo::new(stream), Peer { address, tls: true }).await,
            Ok(Err(error)) => tracing::debug!(%error, "tls handshake failed"),
            Err(_) => tracing::debug!("tls handshake took too long"),
        }
    }

    async fn http<T: Read + Write + Unpin + Send + 'static>(&self, stream: T, peer: Peer) {
        let service = service_fn(|request: Request<Incoming>| {
            let router = self.router.clone();
            async move {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(peer);
                Ok::<_, Infallible>(match router.oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                })
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout)
            .max_buf_size(self.limits.header_bytes_max)
            .serve_connection(stream, service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            // The client's doing: a timeout, a reset, something that is no HTTP.
            tracing::debug!(%error, "http connection ended early");
        }
    }
}

/// Errors of `accept` that concern a connection which went away while it waited.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}
