//! A bad network between client and server: TCP in, TCP out, and in between latency, silence, slow
//! readers, cuts and resets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// How long one direction may outlive the other.
const LINGER: Duration = Duration::from_secs(1);

/// What the network does now. Changes hold for connections that exist, too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Weather {
    /// Every piece arrives this much later.
    pub latency: Duration,
    /// Nothing goes through, in either direction, and nobody is told.
    pub blackhole: bool,
    /// Bytes a second towards clients; 0 is as fast as it goes.
    pub down_bytes_per_s: u64,
    /// New connections are taken and at once reset.
    pub refusing: bool,
    /// Rises with each [`ChaosProxy::cut`] and [`ChaosProxy::reset`].
    cuts: u64,
    /// Whether the last one was a reset.
    reset: bool,
}

/// See the module. Ends with its value.
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
    task: JoinHandle<()>,
}

impl ChaosProxy {
    /// Begins to forward to `server` from a port of its own.
    pub async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let weather = Arc::new(watch::Sender::new(Weather::default()));
        let changes = Arc::clone(&weather);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if changes.borrow().refusing {
                    reset(&client);
                    continue;
                }
                let changes = changes.subscribe();
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(server).await {
                        forward(client, server, changes).await;
                    }
                });
            }
        });
        Self { address, weather, task }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather.
    pub fn change(&self, change: impl FnOnce(&mut Weather)) {
        self.weather.send_modify(change);
    }

    /// Ends every connection with FIN on both sides.
    pub fn cut(&self) {
        self.change(|weather| {
            weather.cuts += 1;
            weather.reset = false;
        });
    }

    /// Ends every connection with RST on both sides.
    pub fn reset(&self) {
        self.change(|weather| {
            weather.cuts += 1;
            weather.reset = true;
        });
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Makes the next close of a stream a reset.
fn reset(stream: &TcpStream) {
    // A stream that is gone cannot be reset any more.
    drop(SockRef::from(stream).set_linger(Some(Duration::ZERO)));
}

async fn forward(
    mut client: TcpStream,
    mut server: TcpStream,
    mut weather: watch::Receiver<Weather>,
) {
    // Nagle would add a latency of its own.
    drop(client.set_nodelay(true));
    drop(server.set_nodelay(true));
    let cuts = weather.borrow_and_update().cuts;
    let by_reset = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pump(from_client, to_server, weather.clone(), false);
        let down = pump(from_server, to_client, weather.clone(), true);
        let cut =
            async { weather.wait_for(|now| now.cuts != cuts).await.is_ok_and(|now| now.reset) };
        tokio::pin!(up, down);
        tokio::select! {
            by_reset = cut => by_reset,
            // One side has closed: what is under way to the other still gets there.
            () = &mut up => {
                drop(tokio::time::timeout(LINGER, &mut down).await);
                false
            }
            () = &mut down => {
                drop(tokio::time::timeout(LINGER, &mut up).await);
                false
            }
        }
    };
    if by_reset {
        reset(&client);
        reset(&server);
    }
}

/// Carries bytes one way. A piece keeps the latency that held when it came.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut weather: watch::Receiver<Weather>,
    down: bool,
) {
    let mut piece = vec![0; 16 * 1_024];
    loop {
        let rate = if down { weather.borrow().down_bytes_per_s } else { 0 };
        // A slow reader also has a small window: take no more than a tenth of a second's worth.
        let room = if rate == 0 { piece.len() } else { (rate / 10).clamp(64, 16_384) as usize };
        let Ok(count) = from.read(&mut piece[..room]).await else { break };
        if count == 0 {
            break;
        }
        let came = Instant::now();
        let late = weather.borrow().latency;
        if late > Duration::ZERO {
            sleep_until(came + late).await;
        }
        if weather.wait_for(|now| !now.blackhole).await.is_err() {
            break;
        }
        if to.write_all(&piece[..count]).await.is_err() {
            break;
        }
        if let Some(millis) = (count as u64 * 1_000).checked_div(rate) {
            sleep_until(came + Duration::from_millis(millis)).await;
        }
    }
    // The other side may be gone already.
    drop(to.shutdown().await);
}
