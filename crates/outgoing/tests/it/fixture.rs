//! A server that answers every request with the same bytes, and resolvers.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use frontdesk_outgoing::{
    Client, Guard, OutgoingConfig, Resolve, Resolving, SystemResolver, Timeouts,
};
use parking_lot::Mutex;
use rustls::RootCertStore;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

/// What a server does after it wrote its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Close,
    Hang,
    Repeat,
}

/// Ends with its value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn new(answer: &[u8], then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (count, seen, answer) = (Arc::clone(&connections), Arc::clone(&heads), answer.to_vec());
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (seen, answer) = (Arc::clone(&seen), answer.clone());
                held.push(tokio::spawn(serve(stream, answer, then, seen)));
            }
        });
        Self { address, connections, heads, task }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).expect("a URL")
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: Vec<u8>, then: Then, seen: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read_buf(&mut head).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    seen.lock().push(String::from_utf8(head).expect("a head in ASCII"));
    // The client may hang up before it has read everything.
    if stream.write_all(&answer).await.is_err() {
        return;
    }
    match then {
        Then::Close => drop(stream.shutdown().await),
        Then::Hang => std::future::pending().await,
        Then::Repeat => {
            while stream.write_all(b"400\r\n").await.is_ok()
                && stream.write_all(&[b'a'; 0x400]).await.is_ok()
                && stream.write_all(b"\r\n").await.is_ok()
            {}
        }
    }
}

/// Gives prepared answers, one after the other; the last one stays.
#[derive(Debug)]
pub(crate) struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Names {
    pub(crate) fn new<'a>(answers: impl IntoIterator<Item = &'a [&'a str]>) -> Arc<Self> {
        let parse =
            |list: &[&str]| list.iter().map(|text| text.parse().expect("an address")).collect();
        let answers = answers.into_iter().map(parse).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: AtomicUsize::new(0) })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Names {
    fn resolve(&self, _host: &str) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock();
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { next.ok_or_else(|| io::ErrorKind::NotFound.into()) })
    }
}

/// Never gives an answer.
#[derive(Debug)]
pub(crate) struct Silent;

impl Resolve for Silent {
    fn resolve(&self, _host: &str) -> Resolving {
        Box::pin(std::future::pending())
    }
}

pub(crate) fn patient() -> Timeouts {
    let limit = Duration::from_secs(20);
    Timeouts { connect: limit, first_byte: limit, idle: limit, total: limit }
}

/// A client that may dial these networks at any port.
pub(crate) fn client(allow: &[&str], resolver: Arc<dyn Resolve>, timeouts: Timeouts) -> Client {
    let allow = allow.iter().map(|net| net.parse().expect("a network")).collect();
    let guard = Guard::new(OutgoingConfig { allow, any_port: true, ..OutgoingConfig::default() });
    Client::with_resolver(guard, RootCertStore::empty(), timeouts, resolver)
}

/// A client that may dial this machine.
pub(crate) fn local(timeouts: Timeouts) -> Client {
    client(&["127.0.0.1/32"], Arc::new(SystemResolver), timeouts)
}
