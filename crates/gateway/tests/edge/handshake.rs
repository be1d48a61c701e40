//! The way in: handshakes that are refused, HTTP beside WebSocket, TLS, limits of the front door.

use std::{sync::Arc, time::Duration};

use frontdesk_gateway::edge::{EdgeLimits, Subprotocol, front::FrontLimits};
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, sync::watch};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, ServerName},
    },
};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

use super::{
    client::{Client, GOOD, TEXT, frame},
    server::{Event, Server},
};

fn without(name: &str, instead: &'static str) -> Vec<&'static str> {
    let kept = GOOD.iter().copied().filter(|header| !header.starts_with(name));
    kept.chain([instead]).filter(|header| !header.is_empty()).collect()
}

#[test]
fn a_bad_handshake_gets_a_problem_with_a_code() {
    let server = Server::start(&EdgeLimits::default());
    let cases = [
        (GOOD[..1].to_vec(), 426, "handshake.not_upgrade"),
        (without("Upgrade", "Upgrade: h2c"), 426, "handshake.not_upgrade"),
        (without("Sec-WebSocket-Version", ""), 426, "handshake.version"),
        (without("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), 426, "handshake.version"),
        (without("Sec-WebSocket-Key", ""), 400, "handshake.key"),
        (without("Sec-WebSocket-Key", "Sec-WebSocket-Key: c2hvcnQ="), 400, "handshake.key"),
        (without("Sec-WebSocket-Protocol", ""), 400, "handshake.subprotocol"),
        (
            without("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: frontdesk.v2"),
            400,
            "handshake.subprotocol",
        ),
    ];
    for (mut headers, status, code) in cases {
        headers.push("X-Last: 1");
        let (mut client, head) = Client::request(server.address, "GET /ws", &headers, b"");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{code}: {head}");
        assert!(head.contains("application/problem+json"), "{head}");
        let len = head.to_lowercase().split("content-length: ").nth(1).unwrap().to_owned();
        let len: usize = len.lines().next().unwrap().parse().unwrap();
        let mut body = vec![0; len];
        std::io::Read::read_exact(&mut client.socket, &mut body).unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], code);
        assert_eq!(problem["status"], status);
    }
    assert_eq!(server.counters(0).accepted, 0);
}

#[test]
fn a_good_handshake_tells_who_comes_and_answers_as_the_rfc_says() {
    let server = Server::start(&EdgeLimits::default());
    let headers = without("X-", "Origin: https://shop.example");
    let (_client, head) = Client::request(server.address, "GET /ws", &headers, b"");
    let lower = head.to_lowercase();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(lower.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
    assert!(lower.contains("sec-websocket-protocol: frontdesk.v1.json"), "{head}");
    let Event::Connected(meta) = server.event() else { panic!("connected comes first") };
    assert_eq!(meta.subprotocol, Subprotocol::Json);
    assert_eq!(meta.origin.as_deref(), Some("https://shop.example"));
    assert!(meta.peer.is_loopback() && !meta.tls);
}

#[test]
fn frames_sent_with_the_handshake_are_not_lost() {
    let server = Server::start(&EdgeLimits::default());
    let behind = [frame(TEXT, b"one"), frame(TEXT, b"two"), vec![TEXT]].concat();
    let mut client = Client::connect_with(server.address, &behind);
    assert_eq!(client.hear(), "one");
    assert_eq!(client.hear(), "two");
    client.send(&frame(TEXT, b"three")[1..]);
    assert_eq!(client.hear(), "three");
}

#[test]
fn a_half_sent_head_is_cut_off_and_others_wait_no_longer_than_that() {
    let front = FrontLimits {
        http_connections_max: 2,
        header_timeout: Duration::from_millis(300),
        ..FrontLimits::default()
    };
    let server = Server::start_with(&EdgeLimits::default(), front, None);
    let mut slow: Vec<_> = (0..2)
        .map(|_| {
            let mut socket = std::net::TcpStream::connect(server.address).unwrap();
            std::io::Write::write_all(&mut socket, b"GET /ws HTTP/1.1\r\nHost: te").unwrap();
            socket
        })
        .collect();
    // Both places are taken: this one is served when the slow ones are thrown out.
    let mut client = Client::connect(server.address);
    client.say("hello");
    assert_eq!(client.hear(), "hello");
    for socket in &mut slow {
        let mut rest = Vec::new();
        // Closed, perhaps with a 408 before.
        drop(std::io::Read::read_to_end(socket, &mut rest));
    }
    // Upgraded connections take no place in the HTTP phase.
    let clients: Vec<_> = (0..5).map(|_| Client::connect(server.address)).collect();
    assert_eq!(clients.len(), 5);
}

#[test]
fn a_shut_front_door_refuses_and_keeps_the_sockets() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    client.say("before");
    assert_eq!(client.hear(), "before");
    let (mut idle, head) = Client::request(server.address, "GET /plain", &GOOD[..1], b"");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    server.shut_front_door();
    // The kept-alive connection ends; only then is it sure that the door is shut.
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut idle.socket, &mut rest).unwrap();
    assert!(rest.starts_with(b"plain"));
    client.say("after");
    assert_eq!(client.hear(), "after");
}

#[test]
fn tls_carries_frames_both_ways_and_ends_cleanly() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = signed.cert.der().clone();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let (_keep, source) = watch::channel(Arc::new(config));
    let server = Server::start_with(&EdgeLimits::default(), FrontLimits::default(), Some(source));
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    server.runtime().block_on(async {
        let tcp = TcpStream::connect(server.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
        let mut request = "wss://localhost/ws".into_client_request().unwrap();
        let protocol = "frontdesk.v1.proto".parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (mut socket, _) = tokio_tungstenite::client_async(request, tls).await.unwrap();
        for size in [0, 1, 200, 20_000, 300_000, 1 << 20] {
            let message = Message::binary(vec![size as u8; size]);
            socket.send(message.clone()).await.unwrap();
            assert_eq!(socket.next().await.unwrap().unwrap(), message, "{size}");
        }
        socket.send(Message::text("close")).await.unwrap();
        let Message::Close(Some(close)) = socket.next().await.unwrap().unwrap() else {
            panic!("a close frame is next")
        };
        assert_eq!(u16::from(close.code), 3500);
        assert!(socket.next().await.is_none(), "the stream ends after the close handshake");
    });
    let Event::Connected(meta) = server.event() else { panic!("connected comes first") };
    assert!(meta.tls);
    assert_eq!(meta.subprotocol, Subprotocol::Proto);
}
