//! What one message to many sockets of a loop costs, until the last of them has it.
//!
//! Expected on a 2-core machine: one send of 200 bytes is about 7 us, a thousand of them 7 ms; with the
//! readers beside the loop a little more. The frame itself is encoded once.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread::JoinHandle,
    time::Duration,
};

use axum::{Router, extract::State, response::Response, routing::get};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use frontdesk_gateway::edge::{
    CloseReason, ConnId, ConnMeta, EdgeLimits, EdgeLoop, Io, LoopHandle, Message, Payload, Service,
    TimerKey,
    echo::EchoUpgrade,
    front::{FrontLimits, serve},
};
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_util::sync::CancellationToken;

const PAYLOAD_BYTES: usize = 200;
/// A server's frame of that size has four bytes of head.
const FRAME_BYTES: usize = PAYLOAD_BYTES + 4;

/// Sends the payload to everybody when told to.
struct Broadcast {
    open: Vec<ConnId>,
    payload: Payload,
    /// Told of each connection: the client knows of it before the loop does.
    connected: Sender<()>,
}

enum Command {
    Send,
    Stop,
}

impl Service for Broadcast {
    type Command = Command;

    fn connected(&mut self, _: &mut Io<'_>, conn: ConnId, _: ConnMeta) {
        self.open.push(conn);
        self.connected.send(()).expect("the benchmark waits");
    }

    fn message(&mut self, _: &mut Io<'_>, _: ConnId, _: Message<'_>) {}

    fn closed(&mut self, _: &mut Io<'_>, conn: ConnId, _: CloseReason) {
        self.open.retain(|open| *open != conn);
    }

    fn timer(&mut self, _: &mut Io<'_>, _: TimerKey) {}

    fn command(&mut self, io: &mut Io<'_>, command: Command) {
        match command {
            Command::Send => {
                for conn in &self.open {
                    io.send(*conn, &self.payload);
                }
            }
            Command::Stop => io.stop(Duration::ZERO),
        }
    }

    fn turn_end(&mut self, _: &mut Io<'_>) {}
}

async fn upgrade(State(edge): State<LoopHandle<Command>>, upgrade: EchoUpgrade) -> Response {
    upgrade.accept(move |socket| assert!(edge.connect(socket).is_ok(), "the loop runs"))
}

struct Server {
    address: SocketAddr,
    edge: LoopHandle<Command>,
    thread: Option<JoinHandle<()>>,
    shutdown: CancellationToken,
    connected: Receiver<()>,
    _runtime: Runtime,
}

impl Server {
    fn start() -> Self {
        let (edge_loop, edge) = EdgeLoop::open(EdgeLimits::default()).expect("a loop");
        let payload = Payload::binary(vec![b'x'; PAYLOAD_BYTES]);
        let (say, connected) = mpsc::channel();
        let service = Broadcast { open: Vec::new(), payload, connected: say };
        let thread = std::thread::spawn(move || drop(edge_loop.run(service).expect("it runs")));
        let router = Router::new().route("/ws", get(upgrade)).with_state(edge.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shutdown = CancellationToken::new();
        runtime.spawn(serve(listener, None, router, FrontLimits::default(), shutdown.clone()));
        Self { address, edge, thread: Some(thread), shutdown, connected, _runtime: runtime }
    }

    fn connect(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("the server listens");
        let request = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                       Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(request.as_bytes()).expect("the server reads");
        // Nothing follows the head before the first message.
        let mut head = BufReader::new(&mut stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            head.read_line(&mut line).expect("a line of the answer");
        }
        self.connected.recv().expect("the loop takes it");
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
        assert!(self.edge.send(Command::Stop).is_ok(), "the loop runs");
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the loop ends");
        }
    }
}

fn fan_out(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fan_out/200_bytes");
    for (name, count) in [("1_socket", 1), ("100_sockets", 100), ("1k_sockets", 1_000)] {
        let server = Server::start();
        let mut sockets: Vec<TcpStream> = (0..count).map(|_| server.connect()).collect();
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                assert!(server.edge.send(Command::Send).is_ok(), "the loop runs");
                for socket in &mut sockets {
                    socket.read_exact(&mut [0; FRAME_BYTES]).expect("a frame");
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, fan_out);
criterion_main!(benches);
