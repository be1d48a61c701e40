//! The scenario `idle`: what one more connection that does nothing costs in memory, as the slope
//! between two numbers of connections, so that the empty server does not count.

use std::time::{Duration, Instant};

use crate::{
    cpu::Process,
    descriptors,
    error::Error,
    herd::Herd,
    launch::Server,
    meter::{Cost, Meter},
    product::Product,
    report::{IdleCost, IdleReport},
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
    /// How long all of them are held, answering pings, to see what they cost in CPU; none by default.
    pub hold: Duration,
}

impl Default for IdleOptions {
    /// The published shape: 2,000 and 19,000 connections of one process.
    fn default() -> Self {
        Self { low: 2_000, high: 19_000, settle: Duration::from_secs(2), hold: Duration::ZERO }
    }
}

/// Connects visitors who never write. Pings are answered meanwhile.
pub fn idle(options: &IdleOptions, server: &Server) -> Result<IdleReport, Error> {
    let access = server.product("only the product has authenticated connections")?;
    if options.low >= options.high {
        return Err(Error::Options("the second reading needs more connections than the first"));
    }
    descriptors::check_staying(options.high)?;
    let process = Process::new(server.pid);
    let mut herd = Herd::new(access, Product::silent()?, Vec::new())?;
    let started = Instant::now();
    herd.grow(options.low)?;
    let mut connecting = started.elapsed();
    herd.rest(options.settle)?;
    let low = Reading::of([process], options.low);
    let started = Instant::now();
    herd.grow(options.high)?;
    connecting += started.elapsed();
    herd.rest(options.settle)?;
    let high = Reading::of([process], options.high);
    let meter = Meter::start(process);
    herd.rest(options.hold)?;
    let held = meter.read();
    let unknown = Error::Options("this system does not tell a process's memory");
    let (Some(rss_low_bytes), Some(rss_high_bytes)) = (low.rss, high.rss) else {
        return Err(unknown);
    };
    Ok(IdleReport {
        scenario: "idle",
        connections_low: options.low,
        connections_high: options.high,
        rss_low_bytes,
        rss_high_bytes,
        cost: IdleCost {
            connected_per_s: f64::from(options.high) / connecting.as_secs_f64(),
            ..high.cost_since(&low, options.hold, held)
        },
    })
}

/// Memory at one number of connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    connections: u32,
    /// Of all servers.
    pub(crate) rss: Option<u64>,
    /// The kernel's objects.
    slab: Option<u64>,
}

impl Reading {
    pub(crate) fn of(servers: impl IntoIterator<Item = Process>, connections: u32) -> Self {
        let rss = servers.into_iter().map(Process::rss_bytes).sum();
        Self { connections, rss, slab: kernel_slab_bytes() }
    }

    /// What one more connection costs, by an earlier reading of fewer, and by what was used while all were
    /// held for so long. How fast they came is for the caller to say.
    pub(crate) fn cost_since(&self, before: &Self, hold: Duration, held: Cost) -> IdleCost {
        let more = f64::from(self.connections - before.connections);
        let slope = |low: Option<u64>, high: Option<u64>| {
            low.zip(high).map(|(low, high)| (high as f64 - low as f64) / more)
        };
        let each =
            |cpu: Duration| cpu.as_secs_f64() * 1e6 / held.seconds / f64::from(self.connections);
        IdleCost {
            connected_per_s: 0.0,
            bytes_per_connection: slope(before.rss, self.rss),
            slab_bytes_per_connection: slope(before.slab, self.slab)
                .map(|slab| slab / 2.0)
                .filter(|_| self.rss.is_some()),
            held_s: hold.as_secs_f64(),
            idle_cpu_us_per_s: held.server_cpu.filter(|_| !hold.is_zero()).map(each),
        }
    }
}

/// Bytes of the kernel's objects in use; only the superuser may read them.
fn kernel_slab_bytes() -> Option<u64> {
    slab_bytes(&std::fs::read_to_string("/proc/slabinfo").ok()?)
}

/// Sums active objects by their size; the names stand before, two lines of head above.
fn slab_bytes(slabinfo: &str) -> Option<u64> {
    let is_cache = |line: &&str| !line.starts_with('#') && !line.starts_with("slabinfo - ");
    slabinfo.lines().filter(is_cache).map(cache_bytes).sum()
}

fn cache_bytes(line: &str) -> Option<u64> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let active: u64 = fields.next()?.parse().ok()?;
    let object: u64 = fields.nth(1)?.parse().ok()?;
    Some(active * object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slab_is_the_sum_of_what_is_in_use() {
        let text = "slabinfo - version: 2.1\n# name <active_objs> <num_objs> <objsize>\n\
                    TCP 10 16 2560 12 8 : tunables 0 0 0\nsock_inode_cache 3 4 1000 1 1 : t\n";
        assert_eq!(slab_bytes(text), Some(10 * 2_560 + 3_000));
        assert_eq!(slab_bytes("TCP few"), None);
    }
}
