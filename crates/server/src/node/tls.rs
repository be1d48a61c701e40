//! The listener's certificate: read at the start, read again when a file changes.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use frontdesk_gateway::edge::front::TlsSource;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::sync::watch;

use crate::config::Tls;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// The newest configuration, kept up by a task; `None` without a certificate.
pub(crate) fn source(tls: &Tls) -> anyhow::Result<Option<TlsSource>> {
    if tls.certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let first = Arc::new(read(&tls.certificate, &tls.key)?);
    let (sender, source) = watch::channel(first);
    let tls = tls.clone();
    tokio::spawn(async move {
        let mut seen = changed_at(&tls);
        while !sender.is_closed() {
            tokio::time::sleep(LOOK).await;
            let now = changed_at(&tls);
            if now == seen {
                continue;
            }
            seen = now;
            match read(&tls.certificate, &tls.key) {
                Ok(config) => {
                    sender.send_replace(Arc::new(config));
                    tracing::info!("the certificate was read again");
                }
                Err(error) => tracing::error!("the former certificate stays in use: {error:#}"),
            }
        }
    });
    Ok(Some(source))
}

fn changed_at(tls: &Tls) -> [Option<SystemTime>; 2] {
    [&tls.certificate, &tls.key]
        .map(|path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok())
}

fn read(certificate: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read the certificate {}", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the key {}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("no TLS version is left")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("certificate and key do not fit together")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
