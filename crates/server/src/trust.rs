//! Whom this process trusts where it is the one that connects over TLS: a bucket's server, the target of
//! a benchmark. One rustls with ring, and authorities from a file: the system's, or one of your own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Where systems keep the certificates they trust.
const SYSTEM_CERTIFICATES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The file of the authorities: the one that is given, or else the system's. `option` is what gives one.
pub(crate) fn authorities(given: &Path, option: &str) -> anyhow::Result<PathBuf> {
    if !given.as_os_str().is_empty() {
        return Ok(given.to_owned());
    }
    let there = SYSTEM_CERTIFICATES.iter().map(PathBuf::from).find(|path| path.exists());
    there.with_context(|| format!("this system has no certificates in a known place; set {option}"))
}

/// The authorities in a file (PEM).
pub(crate) fn roots(file: &Path) -> anyhow::Result<RootCertStore> {
    let unreadable = || format!("cannot read the certificates {}", file.display());
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(unreadable)?;
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates);
    anyhow::ensure!(added > 0, "{} holds no certificate", file.display());
    Ok(roots)
}

/// A client that checks certificates with these authorities.
pub(crate) fn client(roots: RootCertStore) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("no TLS version is left")?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_come_from_the_file_that_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("none.pem");
        assert_eq!(authorities(&file, "--ca").expect("the given one"), file);
        let missing = roots(&file).expect_err("not there").to_string();
        assert!(missing.contains("none.pem"), "{missing}");
        std::fs::write(&file, "no certificate\n").expect("written");
        let empty = roots(&file).expect_err("no certificate in it").to_string();
        assert!(empty.contains("none.pem"), "{empty}");
    }
}
