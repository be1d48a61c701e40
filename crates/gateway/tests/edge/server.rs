//! A server of edge loops with a service that does what a test's messages say.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    thread::JoinHandle,
    time::Duration,
};

use axum::{Router, extract::State, response::Response, routing::get};
use crossbeam_channel::{Receiver, Sender, unbounded};
use frontdesk_gateway::edge::{
    CloseReason, ConnId, ConnMeta, EdgeLimits, EdgeLoop, EdgeSnapshot, Io, LoopHandle, Message,
    MovableConn, Payload, Service, TimerKey,
    echo::EchoUpgrade,
    front::{FrontLimits, TlsSource, serve},
    upgrade::WsUpgrade,
};
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_util::sync::CancellationToken;

/// What happened on a loop, in order.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    Connected(ConnMeta),
    Adopted { on: usize },
    Closed { on: usize, why: CloseReason },
    Queued(usize),
    Drained { queued: usize },
    Timer(u16),
    Paused(ConnId),
    Renewed,
}

pub(crate) enum Command {
    Adopt(Box<MovableConn>),
    Resume(ConnId),
    CloseAll(u16),
    Stop,
}

type Handles = Arc<OnceLock<Vec<LoopHandle<Command>>>>;

/// Echoes; some text messages are orders: see `message`.
struct Script {
    number: usize,
    loops: Handles,
    events: Sender<Event>,
    open: Vec<ConnId>,
    block: Payload,
}

impl Script {
    fn tell(&self, event: Event) {
        // The test may have ended before its server.
        drop(self.events.send(event));
    }
}

impl Service for Script {
    type Command = Command;

    fn connected(&mut self, io: &mut Io<'_>, conn: ConnId, meta: ConnMeta) {
        self.open.push(conn);
        io.set_timer(TimerKey::Conn(conn, 7), Duration::from_millis(30));
        self.tell(Event::Connected(meta));
    }

    fn message(&mut self, io: &mut Io<'_>, conn: ConnId, message: Message<'_>) {
        match message {
            Message::Text("move") => {
                let movable = Box::new(io.take(conn).expect("an open connection can be taken"));
                self.open.retain(|open| *open != conn);
                let to = &self.loops.get().unwrap()[1];
                assert!(to.send(Command::Adopt(movable)).is_ok());
            }
            Message::Text("renew") => {
                io.send(conn, &Payload::text("before"));
                let renewed = io.renew(conn).expect("an open connection can begin anew");
                assert!(!io.is_open(conn) && io.is_open(renewed));
                assert_eq!(renewed.index(), conn.index());
                // Nobody is there any more.
                io.send(conn, &Payload::text("to the old one"));
                io.close(conn, 3500, "the old one");
                io.send(renewed, &Payload::text("after"));
                self.open.retain(|open| *open != conn);
                self.open.push(renewed);
                self.tell(Event::Renewed);
            }
            Message::Text("block") => {
                io.send(conn, &self.block);
                self.tell(Event::Queued(io.queued_bytes(conn)));
            }
            Message::Text("page") => {
                io.send(conn, &Payload::binary(vec![b'x'; 4 << 20]));
                self.tell(Event::Queued(io.queued_bytes(conn)));
            }
            Message::Text("drain") => {
                io.send(conn, &Payload::binary(vec![b'x'; 4 << 20]));
                io.tell_drained(conn);
                self.tell(Event::Queued(io.queued_bytes(conn)));
            }
            Message::Text("pause") => {
                io.pause_reading(conn);
                self.tell(Event::Paused(conn));
            }
            Message::Text("stall") => {
                // The fault itself: a loop that stands still, as under SIGSTOP or a dead disk.
                let stall = crossbeam_channel::after(Duration::from_millis(1500));
                assert!(stall.recv().is_ok());
            }
            Message::Text("short") => io.limit_messages(conn, 10),
            Message::Text("close") => io.close(conn, 3500, "as you wish"),
            Message::Text(text) => io.send(conn, &Payload::text(text)),
            Message::Binary(bytes) => io.send(conn, &Payload::binary(bytes.to_vec())),
        }
    }

    fn closed(&mut self, io: &mut Io<'_>, conn: ConnId, why: CloseReason) {
        assert!(!io.is_open(conn));
        let before = self.open.len();
        self.open.retain(|open| *open != conn);
        assert_eq!(self.open.len() + 1, before, "closed once, and only what was open");
        self.tell(Event::Closed { on: self.number, why });
    }

    fn timer(&mut self, _: &mut Io<'_>, key: TimerKey) {
        if let TimerKey::Conn(_, number) = key {
            self.tell(Event::Timer(number));
        }
    }

    fn drained(&mut self, io: &mut Io<'_>, conn: ConnId) {
        self.tell(Event::Drained { queued: io.queued_bytes(conn) });
    }

    fn command(&mut self, io: &mut Io<'_>, command: Command) {
        match command {
            Command::Adopt(movable) => {
                let conn = io.adopt(*movable).unwrap();
                self.open.push(conn);
                self.tell(Event::Adopted { on: self.number });
            }
            Command::Resume(conn) => io.resume_reading(conn),
            Command::CloseAll(code) => {
                for conn in self.open.clone() {
                    io.close(conn, code, "");
                }
                io.stop(Duration::from_secs(10));
            }
            Command::Stop => io.stop(Duration::ZERO),
        }
    }

    fn turn_end(&mut self, _: &mut Io<'_>) {}
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) loops: Vec<LoopHandle<Command>>,
    events: Receiver<Event>,
    threads: Vec<JoinHandle<()>>,
    runtime: Runtime,
    shutdown: CancellationToken,
}

impl Server {
    pub(crate) fn start(limits: &EdgeLimits) -> Self {
        Self::start_with(limits, FrontLimits::default(), None)
    }

    pub(crate) fn start_with(
        limits: &EdgeLimits,
        front: FrontLimits,
        tls: Option<TlsSource>,
    ) -> Self {
        let (sender, events) = unbounded();
        let handles = Handles::default();
        let opened: Vec<_> = (0..2).map(|_| EdgeLoop::open(limits.clone()).unwrap()).collect();
        let loops: Vec<_> = opened.iter().map(|(_, handle)| handle.clone()).collect();
        assert!(handles.set(loops.clone()).is_ok());
        let threads = opened
            .into_iter()
            .enumerate()
            .map(|(number, (edge, _))| {
                let service = Script {
                    number,
                    loops: Arc::clone(&handles),
                    events: sender.clone(),
                    open: Vec::new(),
                    block: Payload::binary(vec![b'x'; 64 << 10]),
                };
                std::thread::spawn(move || drop(edge.run(service).unwrap()))
            })
            .collect();
        let router = Router::new()
            .route("/ws", get(product))
            .route("/echo", get(any))
            .route("/plain", get(|| async { "plain" }))
            .with_state(loops[0].clone());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        runtime.spawn(serve(listener, tls, router, front, shutdown.clone()));
        Self { address, loops, events, threads, runtime, shutdown }
    }

    /// The next thing that happened but for timers.
    pub(crate) fn event(&self) -> Event {
        loop {
            match self.any_event() {
                Event::Timer(_) => {}
                event => return event,
            }
        }
    }

    pub(crate) fn any_event(&self) -> Event {
        self.events.recv_timeout(Duration::from_secs(20)).expect("an event within 20 s")
    }

    pub(crate) fn counters(&self, number: usize) -> EdgeSnapshot {
        self.loops[number].metrics().snapshot()
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(crate) fn shut_front_door(&self) {
        self.shutdown.cancel();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
        for handle in &self.loops {
            // A loop that was stopped by the test refuses.
            drop(handle.send(Command::Stop));
        }
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "a loop panicked");
        }
    }
}

async fn product(State(edge): State<LoopHandle<Command>>, upgrade: WsUpgrade) -> Response {
    let client = upgrade.peer.address.ip();
    upgrade.accept(client, move |socket| assert!(edge.connect(socket).is_ok()))
}

async fn any(State(edge): State<LoopHandle<Command>>, upgrade: EchoUpgrade) -> Response {
    upgrade.accept(move |socket| assert!(edge.connect(socket).is_ok()))
}
