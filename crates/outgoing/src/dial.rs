//! Turns a host into a connection. The addresses that the resolver gives are checked here and one of exactly these is
//! connected to: nothing asks for the name a second time, so what is checked is what is used.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Uri, uri::Scheme};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tower_service::Service;

use crate::{Guard, Refused, address};

/// Addresses of one name that are tried at most.
const ADDRESSES_MAX: usize = 8;

/// The addresses of a name, some day.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Gives the addresses of names. Whatever it gives is checked by the guard before it is used.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// Looks a name up.
    fn resolve(&self, host: &str) -> Resolving;
}

/// Asks the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> Resolving {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error(transparent)]
    Refused(Refused),
    #[error("the name has no address")]
    Name(#[source] io::Error),
    #[error("no address of the host takes a connection")]
    Connect(#[source] io::Error),
    #[error("no connection in time")]
    Timeout,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Boxed<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;
type Tcp = TokioIo<TcpStream>;

/// Checks and connects; no TLS yet.
#[derive(Debug, Clone)]
struct Dial {
    guard: Guard,
    resolver: Arc<dyn Resolve>,
    limit: Duration,
}

impl Dial {
    async fn connect(self, host: &Uri) -> Result<Tcp, DialError> {
        let deadline = Instant::now() + self.limit;
        let (addresses, port) = self.addresses(host).await?;
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        let count = addresses.len();
        for (tried, address) in addresses.into_iter().enumerate() {
            // One that is silent leaves time for the others.
            let left = deadline.saturating_duration_since(Instant::now());
            let share = left / (count - tried).try_into().unwrap_or(u32::MAX);
            match timeout(share, TcpStream::connect(SocketAddr::new(address, port))).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true).map_err(DialError::Connect)?;
                    return Ok(TokioIo::new(stream));
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        if last.kind() == io::ErrorKind::TimedOut {
            return Err(DialError::Timeout);
        }
        Err(DialError::Connect(last))
    }

    /// The host's addresses that may be dialled. Those that may not are left out, because a name may have addresses on
    /// both sides of a border; a name that has no other is refused.
    async fn addresses(&self, uri: &Uri) -> Result<(Vec<IpAddr>, u16), DialError> {
        let host = uri.host().ok_or(DialError::Refused(Refused::Url))?;
        let usual = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(usual);
        self.guard.check_port(port).map_err(DialError::Refused)?;
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let found = match literal {
            Ok(address) => vec![address],
            Err(_) => self.resolver.resolve(host).await.map_err(DialError::Name)?,
        };
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in found.into_iter().map(address::canonical) {
            match self.guard.check_address(address) {
                Ok(()) if allowed.len() < ADDRESSES_MAX => allowed.push(address),
                Ok(()) => {}
                Err(reason) => refused = Some(reason),
            }
        }
        if allowed.is_empty() {
            return Err(refused.map_or_else(
                || DialError::Name(io::ErrorKind::NotFound.into()),
                DialError::Refused,
            ));
        }
        Ok((allowed, port))
    }
}

impl Service<Uri> for Dial {
    type Response = Tcp;
    type Error = DialError;
    type Future = Boxed<Tcp, DialError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, host: Uri) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move { dial.connect(&host).await })
    }
}

/// [`Dial`], then TLS where the scheme asks for it, within one limit.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    https: HttpsConnector<Dial>,
    limit: Duration,
}

impl Connector {
    pub(crate) fn new(
        guard: Guard,
        roots: RootCertStore,
        resolver: Arc<dyn Resolve>,
        limit: Duration,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the ciphers of TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(Dial { guard, resolver, limit });
        Self { https, limit }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Tcp>;
    type Error = BoxError;
    type Future = Boxed<MaybeHttpsStream<Tcp>, BoxError>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, host: Uri) -> Self::Future {
        let deadline = Instant::now() + self.limit;
        let connecting = self.https.call(host);
        Box::pin(async move {
            let connected = timeout_at(deadline, connecting).await;
            connected.unwrap_or_else(|_| Err(DialError::Timeout.into()))
        })
    }
}
