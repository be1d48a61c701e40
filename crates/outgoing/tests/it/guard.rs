//! Where the client goes, with a server that counts who comes.

use std::sync::Arc;

use frontdesk_outgoing::{Error, Request, Resolve, SystemResolver};
use url::Url;

use crate::fixture::{Names, Server, Silent, Then, client, local, patient};

const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().map_or("", |error| error.code())
}

#[tokio::test]
async fn no_name_and_no_spelling_of_this_machine_reaches_it() {
    let server = Server::new(HELLO, Then::Close).await;
    let port = server.address.port();
    // Each host, and what the resolver would say of it.
    for (host, answers) in [
        ("127.0.0.1", &[][..]),
        ("2130706433", &[]),
        ("0x7f.1", &[]),
        ("0177.0.0.1", &[]),
        ("127.1", &[]),
        ("0", &[]),
        ("[::1]", &[]),
        ("[::ffff:127.0.0.1]", &[]),
        ("localhost", &["127.0.0.1"]),
        ("127.0.0.1.nip.io", &["127.0.0.1"]),
        ("7f000001.rbndr.example", &["127.0.0.1"]),
        ("mapped.example", &["::ffff:127.0.0.1"]),
        ("six.example", &["::1"]),
        ("nowhere.example", &["0.0.0.0"]),
        ("10-0-0-1.sslip.example", &["10.0.0.1"]),
        ("metadata.google.internal", &["169.254.169.254"]),
        ("cgnat.example", &["100.64.0.1"]),
        ("benchmark.example", &["198.18.0.1"]),
        ("nat64.example", &["64:ff9b::7f00:1"]),
        ("both.example", &["::1", "127.0.0.1", "10.0.0.1"]),
    ] {
        let client = client(&[], Names::new([answers]), patient());
        let url = Url::parse(&format!("http://{host}:{port}/")).expect(host);
        assert_eq!(code(client.send(Request::get(url)).await), "outgoing.address", "{host}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_after_the_check_is_refused_when_it_is_dialled() {
    let server = Server::new(HELLO, Then::Close).await;
    let names = Names::new([&["127.0.0.1"][..], &["127.0.0.2"]]);
    let client = client(&["127.0.0.1/32"], Arc::clone(&names) as Arc<dyn Resolve>, patient());
    let url = Url::parse(&format!("http://rebind.example:{}/", server.address.port())).unwrap();
    client.guard().check_url(&url).expect("a name shows nothing yet");
    assert_eq!(names.asked(), 0);
    let answer = client.send(Request::get(url.clone())).await.expect("the address is allowed");
    // To the end, so that the connection could be used again if the server kept it.
    assert_eq!(answer.body.bytes().await.expect("five bytes"), "hello");
    // Each connection asked for the name once: what was checked is what was connected to.
    assert_eq!((names.asked(), server.connections()), (1, 1));
    assert_eq!(code(client.send(Request::get(url)).await), "outgoing.address");
    assert_eq!((names.asked(), server.connections()), (2, 1));
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_are_dialled() {
    let server = Server::new(HELLO, Then::Close).await;
    let forbidden = tokio::net::TcpListener::bind(("127.0.0.2", server.address.port())).await;
    let forbidden = forbidden.expect("a second address of this machine");
    let names = Names::new([&["127.0.0.2", "::1", "127.0.0.1"][..]]);
    let client = client(&["127.0.0.1/32"], names, patient());
    let url = Url::parse(&format!("http://mixed.example:{}/", server.address.port())).unwrap();
    let page = client.fetch_text(&url, 100).await.expect("one address is allowed");
    assert_eq!(page.text, "hello");
    assert_eq!(server.connections(), 1);
    let accept = std::future::poll_fn(|context| match forbidden.poll_accept(context) {
        std::task::Poll::Ready(_) => std::task::Poll::Ready(true),
        std::task::Poll::Pending => std::task::Poll::Ready(false),
    });
    assert!(!accept.await, "somebody came");
}

#[tokio::test]
async fn a_port_that_is_not_opened_is_not_dialled() {
    let server = Server::new(HELLO, Then::Close).await;
    let config = frontdesk_outgoing::OutgoingConfig {
        allow: vec!["127.0.0.1/32".parse().unwrap()],
        ..Default::default()
    };
    let guard = frontdesk_outgoing::Guard::new(config);
    let roots = rustls::RootCertStore::empty();
    let client = frontdesk_outgoing::Client::new(guard, roots, patient());
    let refused = client.send(Request::get(server.url("/"))).await;
    assert_eq!(code(refused), "outgoing.port");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn nothing_follows_a_redirect() {
    for status in ["301 Moved", "302 Found", "303 See", "307 T", "308 P", "300 Many", "304 Same"] {
        let inner = Server::new(HELLO, Then::Close).await;
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            inner.url("/latest/meta-data/")
        );
        let outer = Server::new(answer.as_bytes(), Then::Close).await;
        let answer = local(patient()).send(Request::get(outer.url("/"))).await;
        let Err(Error::Redirected { status: told }) = answer else { panic!("{answer:?}") };
        assert_eq!(told.to_string(), status[..3]);
        assert_eq!((outer.connections(), inner.connections()), (1, 0));
    }
}

#[tokio::test]
async fn user_info_and_other_schemes_go_nowhere() {
    let server = Server::new(HELLO, Then::Close).await;
    let address = server.address;
    for (url, expected) in [
        (format!("http://name:word@{address}/"), "outgoing.user_info"),
        (format!("http://api.example@{address}/"), "outgoing.user_info"),
        (format!("ftp://{address}/"), "outgoing.scheme"),
        (format!("gopher://{address}/_GET%20/"), "outgoing.scheme"),
    ] {
        let sent = local(patient()).send(Request::get(Url::parse(&url).unwrap())).await;
        assert_eq!(code(sent), expected, "{url}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_without_addresses_says_so() {
    for answers in [Names::new([&[][..]]), Names::new([])] {
        let client = client(&[], answers, patient());
        let url = Url::parse("http://nobody.example/").unwrap();
        assert_eq!(code(client.send(Request::get(url)).await), "outgoing.name");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_is_silent_is_not_waited_for() {
    let client = client(&[], Arc::new(Silent), patient());
    let url = Url::parse("http://nobody.example/").unwrap();
    assert_eq!(code(client.send(Request::get(url)).await), "outgoing.timeout");
}

#[tokio::test]
async fn the_systems_names_are_checked_like_any_other() {
    let server = Server::new(HELLO, Then::Close).await;
    let url = Url::parse(&format!("http://localhost:{}/", server.address.port())).unwrap();
    let open = client(&["127.0.0.1/32"], Arc::new(SystemResolver), patient());
    assert_eq!(open.fetch_text(&url, 100).await.expect("allowed").text, "hello");
    let closed = client(&["127.0.0.7/32"], Arc::new(SystemResolver), patient());
    assert_eq!(code(closed.fetch_text(&url, 100).await), "outgoing.address");
    assert_eq!(server.connections(), 1);
}
