//! TLS on the listener of the real binary: https only, secure cookies, sockets over it, and a
//! certificate that is replaced while the server runs.

use std::{fs, io, net::SocketAddr, path::Path, sync::Arc};

use frontdesk_protocol::{
    Encoding, decode_server, encode_client,
    wire::{self, client_frame::Frame as Out, server_frame::Frame as In},
};
use frontdesk_testkit::{
    TestServer, run_to_end,
    server::{ADMIN_EMAIL, PASSWORD},
    soon,
};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

use crate::FRONTDESK;

/// Writes a new certificate of `localhost` and its key into the directory.
pub(crate) fn issue(dir: &Path) -> CertificateDer<'static> {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("signed");
    fs::write(dir.join("key.pem"), signed.signing_key.serialize_pem()).expect("written");
    fs::write(dir.join("cert.pem"), signed.cert.pem()).expect("written");
    signed.cert.der().clone()
}

async fn connect(
    at: SocketAddr,
    trusted: &CertificateDer<'static>,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("there are TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(at).await?).await
}

/// One request on a connection of its own: head, in lower case, and body of the answer.
async fn ask(
    at: SocketAddr,
    trusted: &CertificateDer<'static>,
    path: &str,
    body: Option<Value>,
) -> (String, String) {
    let (head, body) = ask_as(at, trusted, path, body, "").await;
    (head.to_ascii_lowercase(), body)
}

/// The same with a cookie; the head as it came.
pub(crate) async fn ask_as(
    at: SocketAddr,
    trusted: &CertificateDer<'static>,
    path: &str,
    body: Option<Value>,
    cookie: &str,
) -> (String, String) {
    let mut stream = soon("a handshake", connect(at, trusted)).await.expect("trusted");
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let method = if body.is_empty() { "GET" } else { "POST" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: https://localhost:{port}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\nCookie: {cookie}\r\n\
         Connection: close\r\n\r\n{body}",
        port = at.port(),
        length = body.len(),
    );
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut answer = Vec::new();
    soon("an answer", stream.read_to_end(&mut answer)).await.expect("the answer ends cleanly");
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn s26_the_listener_speaks_https_only_and_follows_its_certificate() {
    let files = tempfile::tempdir().expect("a directory");
    let first = issue(files.path());
    let server = TestServer::builder(FRONTDESK)
        .set("tls.certificate", files.path().join("cert.pem").display())
        .set("tls.key", files.path().join("key.pem").display())
        .allow_error("the former certificate stays in use")
        .start()
        .await;
    let at = server.address();

    let (head, _) = ask(at, &first, "/healthz", None).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("strict-transport-security: max-age=31536000"), "{head}");
    let signing = json!({"email": ADMIN_EMAIL, "password": PASSWORD});
    let (head, body) = ask(at, &first, "/api/v1/sign-in", Some(signing)).await;
    assert!(head.starts_with("http/1.1 200"), "{head} {body}");
    let cookie = head.lines().find(|line| line.starts_with("set-cookie: __host-frontdesk="));
    let cookie = cookie.expect("a cookie that only https carries");
    for part in ["; secure", "; httponly", "; path=/", "; samesite=lax"] {
        assert!(cookie.contains(part), "{part} is missing: {cookie}");
    }

    // A socket.
    let wanted =
        json!({"kind": "visitor", "inbox_key": server.installed.inbox_key, "language": "en"});
    let (_, ticket) = ask(at, &first, "/api/v1/tickets", Some(wanted)).await;
    let ticket: Value = serde_json::from_str(&ticket).expect("JSON");
    let mut request = "wss://localhost/ws/v1".into_client_request().expect("a request");
    let subprotocol = Encoding::Proto.subprotocol().parse().expect("a header");
    request.headers_mut().insert("Sec-WebSocket-Protocol", subprotocol);
    let stream = connect(at, &first).await.expect("trusted");
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.expect("upgraded");
    let hello = wire::Hello {
        ticket: ticket["ticket"].as_str().expect("a ticket").to_owned(),
        ..wire::Hello::default()
    };
    let frame = wire::ClientFrame { r#ref: 1, frame: Some(Out::Hello(hello)) };
    let mut bytes = Vec::new();
    encode_client(Encoding::Proto, &frame, &mut bytes).expect("encoded");
    socket.send(Message::binary(bytes)).await.expect("sent");
    let heard = soon("a welcome", socket.next()).await.expect("open").expect("a frame");
    let frame = decode_server(Encoding::Proto, &heard.into_data()).expect("decoded");
    assert!(matches!(frame.frame, Some(In::Welcome(_))), "{frame:?}");

    // Plain http gets no page, and no answer that could carry a secret.
    let mut plain = TcpStream::connect(at).await.expect("accepted");
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("written");
    let mut rest = Vec::new();
    soon("the connection ends", plain.read_to_end(&mut rest)).await.unwrap_or(0);
    assert!(!rest.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&rest));

    // A new certificate is taken up; who is connected stays.
    let second = issue(files.path());
    server.logged("the certificate was read again").await;
    let (head, _) = ask(at, &second, "/healthz", None).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(connect(at, &first).await.is_err(), "the former one is gone");
    socket.send(Message::Ping("still here".into())).await.expect("sent");
    let heard = soon("a pong", socket.next()).await.expect("open").expect("a frame");
    assert_eq!(heard, Message::Pong("still here".into()));

    // One that cannot be used is named, and the former one stays.
    fs::write(files.path().join("cert.pem"), "no certificate").expect("written");
    server.logged("the former certificate stays in use").await;
    let (head, _) = ask(at, &second, "/healthz", None).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_refuses_the_start() {
    let dir = tempfile::tempdir().expect("a directory");
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    for place in [&one, &other] {
        fs::create_dir(place).expect("a directory");
        issue(place);
    }
    let path = |place: &Path, name: &str| place.join(name).display().to_string();
    let data = dir.path().join("data").display().to_string();
    let missing = path(&one, "missing.pem");
    for (certificate, key, named) in [
        (path(&one, "cert.pem"), path(&other, "key.pem"), "do not fit together"),
        (missing.clone(), path(&one, "key.pem"), missing.as_str()),
        (path(&one, "cert.pem"), String::new(), "must both be set"),
    ] {
        let output = run_to_end(
            FRONTDESK,
            &["serve", "--listen", "127.0.0.1:0", "--data-dir", &data],
            &[("FRONTDESK__TLS__CERTIFICATE", &certificate), ("FRONTDESK__TLS__KEY", &key)],
        )
        .await;
        assert!(!output.status.success(), "{certificate} {key}");
        assert!(output.stderr.contains(named), "no {named:?} in: {}", output.stderr);
        assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    }
}
