//! The HTTP client of this process where it asks others: a bucket, a running Frontdesk. hyper over the one rustls of
//! the house; nothing follows a redirect.

use std::time::Duration;

use frontdesk_outgoing::{Client, Guard, OutgoingConfig, Timeouts};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::RootCertStore;

use crate::trust;

/// How long an unused connection is kept for the next request.
const IDLE: Duration = Duration::from_secs(30);
/// Unused connections that are kept.
const IDLE_MAX: usize = 8;

/// Sends requests whose body is `B`.
pub(crate) type Requests<B> = legacy::Client<HttpsConnector<HttpConnector>, B>;

/// A client that checks certificates by these authorities, and speaks without TLS only if it may.
pub(crate) fn requests<B>(
    roots: RootCertStore,
    allow_http: bool,
    connect_timeout: Duration,
) -> anyhow::Result<Requests<B>>
where
    B: http_body::Body + Send,
    B::Data: Send,
{
    let connector = HttpsConnectorBuilder::new().with_tls_config(trust::client(roots)?);
    let connector = if allow_http { connector.https_or_http() } else { connector.https_only() };
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    plain.set_nodelay(true);
    plain.set_connect_timeout(Some(connect_timeout));
    Ok(legacy::Client::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_MAX)
        .pool_timer(TokioTimer::new())
        .build(connector.enable_http1().wrap_connector(plain)))
}

/// The client for addresses that people name.
pub(crate) fn to_named(config: &OutgoingConfig) -> anyhow::Result<Client> {
    let roots = match trust::authorities(&config.ca_file, "outgoing.ca_file") {
        Ok(file) => trust::roots(&file)?,
        // Whoever has no https to ask needs none.
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "nobody is asked by https");
            RootCertStore::empty()
        }
    };
    Ok(Client::new(Guard::new(config.clone()), roots, Timeouts::default()))
}
