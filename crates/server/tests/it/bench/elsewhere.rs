//! `frontdesk bench --target`: a server that runs already, measured over the network, with and without
//! TLS before it.

use std::{net::SocketAddr, path::Path, sync::Arc};

use frontdesk_testkit::{
    TestServer,
    server::{ADMIN_EMAIL, PASSWORD, run_to_end},
};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{assert_clean, bench};
use crate::{FRONTDESK, heavy};

const ENV: [(&str, &str); 1] = [("FRONTDESK_BENCH_ADMIN_PASSWORD", PASSWORD)];
const TEXT: [&str; 9] =
    ["text", "--rate", "100", "--seconds", "1", "--visitors", "5", "--agents", "2"];

/// A server whose limits allow what all visitors of a run do from one address.
async fn server() -> TestServer {
    let limits = [
        "visitor_rate_per_s",
        "visitor_burst",
        "ip_rate_per_s",
        "ip_burst",
        "http_per_address_per_minute",
    ];
    limits
        .iter()
        .fold(TestServer::builder(FRONTDESK), |server, name| {
            server.set(&format!("limits.{name}"), 100_000)
        })
        .start()
        .await
}

/// How a run finds the server at this address.
fn target<'a>(base: &'a str, server: &'a TestServer) -> [&'a str; 6] {
    let key = &server.installed.inbox_key;
    ["--target", base, "--admin-email", ADMIN_EMAIL, "--inbox-key", key]
}

fn assert_delivered(report: &Value) {
    assert_clean(report);
    assert_eq!(report["acked"], report["delivered"], "{report}");
}

#[tokio::test]
async fn a_server_elsewhere_is_measured_by_the_public_protocol_alone() {
    let _alone = heavy().await;
    let server = server().await;
    let base = server.base();
    let target = target(&base, &server);
    let report = bench(&[&TEXT[..], &target].concat(), &ENV).await;
    assert_delivered(&report);
    assert!(report["pinned"] == false && report["generator_cores"].is_f64(), "{report}");
    for unknown in ["server_cpu_s_per_million", "server_cores", "server_rss_bytes"] {
        assert!(report[unknown].is_null(), "{unknown} in {report}");
    }

    let floor = [&["bench"], &TEXT[..], &target, &["--subject", "f0"]].concat();
    let out = run_to_end(FRONTDESK, &floor, &ENV).await;
    assert!(!out.status.success() && out.stderr.contains("--target"), "{out:?}");
    let out = run_to_end(FRONTDESK, &[&["bench"], &TEXT[..], &target].concat(), &[]).await;
    assert!(!out.status.success() && out.stderr.contains("FRONTDESK_BENCH"), "{out:?}");
    let ca = [&["bench"], &TEXT[..], &target, &["--ca", "ca.pem"]].concat();
    let out = run_to_end(FRONTDESK, &ca, &ENV).await;
    assert!(!out.status.success() && out.stderr.contains("https://"), "{out:?}");
}

/// Ends TLS before a server, with a certificate for 127.0.0.1 that is written to `file`.
async fn tls_before(server: SocketAddr, file: &Path) -> SocketAddr {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("signed");
    std::fs::write(file, signed.cert.pem()).expect("written");
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("there are TLS versions")
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .expect("they fit together");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that does not trust the certificate goes away.
                let Ok(mut near) = acceptor.accept(near).await else { return };
                let mut far = TcpStream::connect(server).await.expect("the server listens");
                // Either side may end it in the middle.
                drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
            });
        }
    });
    address
}

#[tokio::test]
async fn a_server_behind_tls_is_measured_when_its_authority_is_known() {
    let _alone = heavy().await;
    let server = server().await;
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("ca.pem");
    let base = format!("https://{}", tls_before(server.address(), &file).await);
    let target = target(&base, &server);
    let ca = ["--ca", file.to_str().expect("a plain path")];
    let report = bench(&[&TEXT[..], &target, &ca].concat(), &ENV).await;
    assert_delivered(&report);

    // Generators of a crowd are processes of their own, and their agents at the same server.
    let crowd = ["idle", "--connections", "30", "--per-process", "20"];
    let chat = ["--chatting", "10", "--rate", "50", "--seconds", "1"];
    let report = bench(&[&crowd[..], &chat, &target, &ca].concat(), &ENV).await;
    assert_delivered(&report["chat"]);
    assert_eq!(report["processes"], 2, "{report}");

    let other = dir.path().join("other.pem");
    tls_before(server.address(), &other).await;
    let ca = ["--ca", other.to_str().expect("a plain path")];
    let strange = [&["bench"], &TEXT[..], &target, &ca].concat();
    let out = run_to_end(FRONTDESK, &strange, &ENV).await;
    assert!(!out.status.success() && out.stderr.contains("--ca FILE"), "{out:?}");
    assert!(!out.stderr.contains("panicked"), "{out:?}");

    let named = base.replace("127.0.0.1", "localhost");
    let ca = ["--ca", file.to_str().expect("a plain path")];
    let wrong = [&["bench"], &TEXT[..], &self::target(&named, &server), &ca].concat();
    let out = run_to_end(FRONTDESK, &wrong, &ENV).await;
    assert!(!out.status.success() && out.stderr.contains("another name"), "{out:?}");
}
