//! What the client takes as an answer, and how long it waits for it.

use std::{sync::Arc, time::Duration};

use frontdesk_outgoing::{Client, Error, Guard, OutgoingConfig, Phase, Request, Timeouts};
use http::{HeaderValue, header::AUTHORIZATION};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket},
};
use tokio_rustls::TlsAcceptor;
use url::Url;

use crate::fixture::{Names, Server, Then, client, local, patient};

const SHORT: Duration = Duration::from_millis(50);

async fn fetch(answer: &[u8], then: Then, timeouts: Timeouts) -> Result<String, Error> {
    let server = Server::new(answer, then).await;
    Ok(local(timeouts).fetch_text(&server.url("/page"), 2_000).await?.text)
}

#[tokio::test]
async fn a_request_carries_what_was_given_and_asks_for_no_compression() {
    let server =
        Server::new(b"HTTP/1.1 404 None\r\ncontent-length: 2\r\n\r\nno", Then::Close).await;
    let request = Request::post(server.url("/v1/x?y=1#z"), "body")
        .header(AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
    let answer = local(patient()).send(request).await.expect("a status is an answer");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.body.bytes().await.expect("two bytes"), "no");
    let heads = server.heads();
    let head = heads[0].to_ascii_lowercase();
    assert!(head.starts_with("post /v1/x?y=1 http/1.1\r\n"), "{head}");
    for line in [
        format!("host: {}", server.address),
        "authorization: bearer abc".into(),
        "accept-encoding: identity".into(),
        "content-length: 4".into(),
        "user-agent: frontdesk/".into(),
    ] {
        assert!(head.contains(&format!("\r\n{line}")), "{line} in {head}");
    }
}

#[tokio::test]
async fn bodies_end_where_the_limit_is() {
    let exact = format!("HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n{}", "a".repeat(2_000));
    assert_eq!(fetch(exact.as_bytes(), Then::Close, patient()).await.expect("fits").len(), 2_000);
    let unsized_one = format!("HTTP/1.1 200 OK\r\n\r\n{}", "a".repeat(2_000));
    assert_eq!(
        fetch(unsized_one.as_bytes(), Then::Close, patient()).await.expect("fits").len(),
        2_000
    );
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 2001\r\n\r\n";
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (answer, then) in [(&announced[..], Then::Hang), (chunked, Then::Repeat)] {
        let failed = fetch(answer, then, patient()).await.expect_err("too large");
        assert!(matches!(failed, Error::TooLarge { bytes_max: 2_000 }), "{failed:?}");
        assert_eq!(failed.code(), "outgoing.too_large");
    }
}

#[tokio::test]
async fn every_phase_has_its_limit() {
    let (nothing, head) = (b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel");
    let endless = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (answer, then, timeouts, expected) in [
        (&nothing[..], Then::Hang, Timeouts { first_byte: SHORT, ..patient() }, Phase::FirstByte),
        (nothing, Then::Hang, Timeouts { total: SHORT, ..patient() }, Phase::Total),
        (head, Then::Hang, Timeouts { idle: SHORT, ..patient() }, Phase::Idle),
        (head, Then::Hang, Timeouts { total: SHORT * 4, ..patient() }, Phase::Total),
        (endless, Then::Repeat, Timeouts { total: SHORT * 4, ..patient() }, Phase::Total),
    ] {
        let server = Server::new(answer, then).await;
        let request = Request::get(server.url("/")).bytes_max(usize::MAX).timeouts(timeouts);
        let failed = async {
            let mut answer = local(patient()).send(request).await?;
            while answer.body.chunk().await?.is_some() {}
            Ok(())
        };
        match failed.await {
            Err(Error::Timeout(phase)) => assert_eq!(phase, expected, "{timeouts:?}"),
            other => panic!("{other:?} with {timeouts:?}"),
        }
    }
}

#[tokio::test]
async fn a_tls_handshake_that_hangs_is_a_connection_that_does_not_come() {
    let server = Server::new(b"", Then::Hang).await;
    let mut url = server.url("/");
    url.set_scheme("https").unwrap();
    let client = local(Timeouts { connect: SHORT, ..patient() });
    let failed = client.send(Request::get(url)).await.expect_err("no TLS there");
    assert!(matches!(failed, Error::Timeout(Phase::Connect)), "{failed:?}");
}

#[tokio::test]
async fn what_is_no_answer_has_a_code() {
    for (answer, expected) in [
        (&b"SSH-2.0-OpenSSH_9.6\r\n"[..], "outgoing.broken"),
        (b"", "outgoing.broken"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel", "outgoing.broken"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "outgoing.broken"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b", "outgoing.encoding"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\n\r\nok", ""),
        (b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", "outgoing.status"),
        (b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", "outgoing.status"),
        (b"HTTP/1.1 200 OK\r\n\r\n\xff\xfe\xff", "outgoing.charset"),
    ] {
        let got = fetch(answer, Then::Close, patient()).await;
        let code = got.as_ref().err().map_or("", Error::code);
        assert_eq!(code, expected, "{got:?} of {:?}", String::from_utf8_lossy(answer));
    }
    let mut large = b"HTTP/1.1 200 OK\r\nx: ".to_vec();
    large.resize(1 << 20, b'a');
    let failed = fetch(&large, Then::Close, patient()).await.expect_err("a head has a limit");
    assert_eq!(failed.code(), "outgoing.broken");
}

#[tokio::test]
async fn a_port_where_nobody_listens_cannot_be_connected_to() {
    // Bound and not listening: nobody else gets the port, and nobody answers.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap()).parse().unwrap();
    let failed = local(patient()).send(Request::get(url)).await.expect_err("nobody there");
    assert_eq!(failed.code(), "outgoing.connect");
}

#[tokio::test]
async fn certificates_are_checked_against_the_name_and_the_authorities() {
    let own = rcgen::generate_simple_self_signed(vec!["model.example".into()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((tcp, _)) = listener.accept().await {
            // A client that does not trust hangs up.
            let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
            let mut head = [0; 1_024];
            if stream.read(&mut head).await.is_ok_and(|count| count > 0) {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
                stream.write_all(answer).await.unwrap();
            }
        }
    });
    let mut trusting = RootCertStore::empty();
    trusting.add(own.cert.der().clone()).unwrap();
    for (host, roots, expected) in [
        ("model.example", trusting.clone(), "hello"),
        ("other.example", trusting, "outgoing.tls"),
        ("model.example", RootCertStore::empty(), "outgoing.tls"),
    ] {
        let allow = vec!["127.0.0.1/32".parse().unwrap()];
        let guard =
            Guard::new(OutgoingConfig { allow, any_port: true, ..OutgoingConfig::default() });
        let names = Names::new([&["127.0.0.1"][..]]);
        let client = Client::with_resolver(guard, roots, patient(), names);
        let url = Url::parse(&format!("https://{host}:{port}/")).unwrap();
        let got = client.fetch_text(&url, 100).await;
        let got = got.map_or_else(|error| error.code().to_owned(), |page| page.text);
        assert_eq!(got, expected, "{host}");
    }
    server.abort();
}

#[tokio::test]
async fn an_error_never_holds_what_was_sent() {
    let server = Server::new(b"garbage\r\n\r\n", Then::Close).await;
    let mut value = HeaderValue::from_static("Bearer sk-planted");
    value.set_sensitive(true);
    let request = Request::post(server.url("/"), "planted body").header(AUTHORIZATION, value);
    assert!(!format!("{request:?}").contains("sk-planted"), "{request:?}");
    let failed = client(&["127.0.0.1/32"], Names::new([]), patient()).send(request).await;
    let failed = failed.expect_err("no HTTP");
    let told = format!("{failed} {failed:?}");
    assert!(!told.contains("planted"), "{told}");
}
