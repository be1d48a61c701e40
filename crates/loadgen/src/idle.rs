//! The scenario `idle`: what one more connection that does nothing costs in memory, as the slope
//! between two numbers of connections, so that the empty server does not count.

use std::time::{Duration, Instant};

use crate::{
    cpu::Process,
    error::{Error, io},
    generator::{Dialect as _, Happened},
    launch::{Endpoint, Server},
    link::Link,
    poll::Poller,
    product::{Door, Product, tickets_door},
    progress::Progress,
    report::IdleReport,
};

/// What to run.
#[derive(Debug, Clone)]
pub struct IdleOptions {
    /// Connections at the first reading.
    pub low: u32,
    /// Connections at the second; both server and generator need so many open files.
    pub high: u32,
    /// Quiet time before each reading.
    pub settle: Duration,
}

impl Default for IdleOptions {
    /// The published shape: 2,000 and 19,000 connections of one process.
    fn default() -> Self {
        Self { low: 2_000, high: 19_000, settle: Duration::from_secs(2) }
    }
}

/// Connects visitors who never write. Pings are answered meanwhile.
pub fn idle(options: &IdleOptions, server: &Server) -> Result<IdleReport, Error> {
    let Endpoint::Product(access) = &server.endpoint else {
        return Err(Error::Options("only the product has authenticated connections"));
    };
    if options.low >= options.high {
        return Err(Error::Options("the second reading needs more connections than the first"));
    }
    let process = Process::new(server.pid);
    let mut herd = Herd {
        door: tickets_door(access)?,
        product: Product::silent()?,
        poller: Poller::new(1_024).map_err(io("poll"))?,
        links: Vec::new(),
        scratch: vec![0; 64 << 10],
        progress: Progress::new(),
    };
    let started = Instant::now();
    herd.grow(options.low)?;
    let mut connecting = started.elapsed();
    herd.rest(options.settle)?;
    let rss_low = read_rss(process)?;
    let started = Instant::now();
    herd.grow(options.high)?;
    connecting += started.elapsed();
    herd.rest(options.settle)?;
    let rss_high = read_rss(process)?;
    let more = f64::from(options.high - options.low);
    Ok(IdleReport {
        scenario: "idle",
        connections_low: options.low,
        connections_high: options.high,
        rss_low_bytes: rss_low,
        rss_high_bytes: rss_high,
        bytes_per_connection: (rss_high as f64 - rss_low as f64) / more,
        connected_per_s: f64::from(options.high) / connecting.as_secs_f64(),
    })
}

fn read_rss(process: Process) -> Result<u64, Error> {
    process.rss_bytes().ok_or(Error::Options("this system does not tell a process's memory"))
}

/// Visitors who are connected.
struct Herd {
    door: Door,
    product: Product,
    poller: Poller,
    links: Vec<Link>,
    scratch: Vec<u8>,
    progress: Progress,
}

impl Herd {
    fn grow(&mut self, to: u32) -> Result<(), Error> {
        while (self.links.len() as u32) < to {
            let index = self.links.len() as u32;
            let link = self.door.visitor(index)?;
            link.register(&self.poller, index.into())?;
            self.links.push(link);
            if index.is_multiple_of(256) {
                self.tend(Duration::ZERO)?;
                self.progress.tell(|| format!("{index} connections"));
            }
        }
        Ok(())
    }

    fn rest(&mut self, time: Duration) -> Result<(), Error> {
        let ends = Instant::now() + time;
        loop {
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.tend(left)?;
        }
    }

    /// Answers pings.
    fn tend(&mut self, wait: Duration) -> Result<(), Error> {
        let mut ready = Vec::new();
        self.poller.wait(&mut ready, Some(wait)).map_err(io("poll"))?;
        let (mut out, mut happened): (Vec<u8>, Vec<Happened>) = (Vec::new(), Vec::new());
        for event in ready {
            let Self { links, product, scratch, .. } = self;
            let link = &mut links[event.key as usize];
            if event.writable {
                link.flush(&self.poller, event.key)?;
            }
            if event.readable {
                let peer = link.peer;
                out.clear();
                link.receive(scratch, |bytes| product.read(peer, bytes, &mut out, &mut happened))?;
                if !out.is_empty() {
                    link.send(&self.poller, event.key, &out)?;
                }
            }
        }
        Ok(())
    }
}
