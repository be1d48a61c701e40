//! A load process of R12: visitors by the thousand that lose their connections at once and come back
//! as the real client does. The test starts this binary again, once for each process, and talks to it
//! by lines.

use std::{
    io::{BufRead as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk_protocol::wire::{self, client_frame::Frame as Out, server_frame::Frame as In};
use frontdesk_testkit::{Gone, Http, Rng, Socket, SocketOptions, socket::Refused};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

/// Where a process finds what it is to do, as JSON.
pub(crate) const ORDER: &str = "FRONTDESK_HERD";
/// Stands before each line for the test.
pub(crate) const MARK: &str = "HERD ";
/// First and longest wait of the real client (`backoff.ts`).
const BACKOFF: (u64, u64) = (500, 30_000);
/// From dialling to the welcome, as the real client waits.
const CONNECT: Duration = Duration::from_secs(10);
/// Everybody is cut within this time.
const CUT_OVER_MS: u64 = 1_000;

/// What a process is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) address: SocketAddr,
    pub(crate) inbox_key: String,
    /// The third byte of its addresses 127.0.x.y.
    pub(crate) network: u8,
    pub(crate) visitors: usize,
    /// How long after the cut it reports.
    pub(crate) report_after_s: u64,
}

/// What it found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// From the first cut to each visitor's welcome.
    pub(crate) back_ms: Vec<u64>,
    /// Handshakes refused for now since the cut.
    pub(crate) refused: u64,
    /// Those that did not say when to come back.
    pub(crate) refused_without_time: u64,
    /// Attempts that failed in another way.
    pub(crate) failed: u64,
}

enum Event {
    Live(Instant),
    Refused { told: bool },
    Failed,
}

struct Visitor {
    order: Arc<Order>,
    options: SocketOptions,
    rng: Rng,
    resume_token: String,
    events: mpsc::UnboundedSender<Event>,
}

impl Visitor {
    fn note(&self, event: Event) {
        // The process may be on its way out.
        self.events.send(event).unwrap_or_default();
    }

    /// Tries until it is live, with full jitter.
    async fn live(&mut self) -> Socket {
        let mut attempt = 0;
        loop {
            let wait = match timeout(CONNECT, self.try_once()).await {
                Ok(Ok(socket)) => {
                    self.note(Event::Live(Instant::now()));
                    return socket;
                }
                Ok(Err(Some(Refused::Answer { status: 429 | 503, retry_after, .. }))) => {
                    self.note(Event::Refused { told: retry_after.is_some() });
                    retry_after.unwrap_or_default()
                }
                _ => {
                    self.note(Event::Failed);
                    Duration::ZERO
                }
            };
            let longest = (BACKOFF.0 << attempt.min(16)).min(BACKOFF.1);
            attempt += 1;
            sleep(wait + Duration::from_millis(self.rng.pick(0..longest))).await;
        }
    }

    async fn try_once(&mut self) -> Result<Socket, Option<Refused>> {
        let mut hello =
            wire::Hello { resume_token: self.resume_token.clone(), ..wire::Hello::default() };
        if self.resume_token.is_empty() {
            let body = json!({"kind": "visitor", "inbox_key": self.order.inbox_key});
            let from = self.options.from.expect("everybody has an address");
            let http = Http::new_from(from, self.order.address);
            let request = http.request(reqwest::Method::POST, "/api/v1/tickets").json(&body);
            let answer = http.try_send(request).await.ok_or(None)?;
            let ticket = (answer.status == 200).then(|| answer.json()["ticket"].clone());
            ticket
                .as_ref()
                .and_then(|ticket| ticket.as_str())
                .ok_or(None)?
                .clone_into(&mut hello.ticket);
        }
        let mut socket = Socket::open(self.order.address, &self.options).await.map_err(Some)?;
        let lost = |gone: Gone| Some(Refused::Lost(format!("{gone:?}")));
        socket.send(1, Out::Hello(hello)).await.map_err(lost)?;
        loop {
            if let Some(In::Welcome(welcome)) = socket.hear().await.map_err(lost)?.frame {
                self.resume_token = welcome.resume_token;
                return Ok(socket);
            }
        }
    }

    async fn run(mut self, mut cut: watch::Receiver<bool>) {
        let mut socket = self.live().await;
        loop {
            tokio::select! {
                heard = socket.hear() => assert!(heard.is_ok(), "closed before the cut: {heard:?}"),
                told = cut.wait_for(|cut| *cut) => {
                    told.expect("the process lives");
                    break;
                }
            }
        }
        sleep(Duration::from_millis(self.rng.pick(0..CUT_OVER_MS))).await;
        drop(socket);
        let longest = BACKOFF.0;
        sleep(Duration::from_millis(self.rng.pick(0..longest))).await;
        loop {
            let mut socket = self.live().await;
            while socket.hear().await.is_ok() {}
        }
    }
}

fn tell(what: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{MARK}{what}").and_then(|()| out.flush()).expect("the test listens");
}

fn told() -> String {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).expect("the test speaks");
    line
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a load process, started by r12"]
async fn one_process() {
    let order = std::env::var(ORDER).expect("r12 says what to do");
    let order: Arc<Order> = Arc::new(serde_json::from_str(&order).expect("an order"));
    let (events, mut seen) = mpsc::unbounded_channel();
    let (cut_now, cut) = watch::channel(false);
    let mut visitors = JoinSet::new();
    for number in 0..order.visitors {
        let host = u8::try_from(number % 200 + 1).expect("an address");
        let from = Some(IpAddr::V4(Ipv4Addr::new(127, 0, order.network, host)));
        let visitor = Visitor {
            order: Arc::clone(&order),
            options: SocketOptions { from, ..SocketOptions::default() },
            rng: Rng::new(u64::from(order.network) << 32 | number as u64),
            resume_token: String::new(),
            events: events.clone(),
        };
        visitors.spawn(visitor.run(cut.clone()));
        if number % 10 == 9 {
            // They come no faster than they are admitted.
            sleep(Duration::from_millis(100)).await;
        }
    }
    let mut live = 0;
    while live < order.visitors {
        live += usize::from(matches!(seen.recv().await, Some(Event::Live(_))));
    }
    tell("ready");
    tokio::task::spawn_blocking(told).await.expect("a line");
    let began = Instant::now();
    cut_now.send_replace(true);
    let mut report = Report { back_ms: vec![], refused: 0, refused_without_time: 0, failed: 0 };
    let until = tokio::time::Instant::now() + Duration::from_secs(order.report_after_s);
    while let Ok(Some(event)) = tokio::time::timeout_at(until, seen.recv()).await {
        match event {
            Event::Live(at) => {
                let took = at.duration_since(began).as_millis();
                report.back_ms.push(u64::try_from(took).expect("a short run"));
            }
            Event::Refused { told } => {
                report.refused += 1;
                report.refused_without_time += u64::from(!told);
            }
            Event::Failed => report.failed += 1,
        }
    }
    tell(&serde_json::to_string(&report).expect("a report has a JSON form"));
    // The sockets stay open until the test has looked at the server.
    tokio::task::spawn_blocking(told).await.expect("a line");
    visitors.abort_all();
}
