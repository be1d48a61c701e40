//! The scenario `idle`: what one more connection that does nothing costs in memory, as the slope
//! between two numbers of connections, so that the empty server does not count.

use std::time::{Duration, Instant};

use crate::{
    cpu::Process,
    descriptors,
    error::Error,
    herd::Herd,
    launch::{Endpoint, Server},
    product::Product,
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
    let Endpoint::Product(access) = &server.endpoint else {
        return Err(Error::Options("only the product has authenticated connections"));
    };
    if options.low >= options.high {
        return Err(Error::Options("the second reading needs more connections than the first"));
    }
    descriptors::check(options.high)?;
    let process = Process::new(server.pid);
    let mut herd = Herd::new(access, Product::silent()?, Vec::new())?;
    let started = Instant::now();
    herd.grow(options.low)?;
    let mut connecting = started.elapsed();
    herd.rest(options.settle)?;
    let (rss_low, slab_low) = (read_rss(process)?, kernel_slab_bytes());
    let started = Instant::now();
    herd.grow(options.high)?;
    connecting += started.elapsed();
    herd.rest(options.settle)?;
    let (rss_high, slab_high) = (read_rss(process)?, kernel_slab_bytes());
    let held = Instant::now();
    let cpu_before = process.cpu();
    herd.rest(options.hold)?;
    let cpu = cpu_before.zip(process.cpu()).map(|(before, after)| after.saturating_sub(before));
    let held_s = held.elapsed().as_secs_f64();
    let more = f64::from(options.high - options.low);
    Ok(IdleReport {
        scenario: "idle",
        connections_low: options.low,
        connections_high: options.high,
        rss_low_bytes: rss_low,
        rss_high_bytes: rss_high,
        bytes_per_connection: (rss_high as f64 - rss_low as f64) / more,
        slab_bytes_per_connection: slab_low
            .zip(slab_high)
            .map(|(low, high)| (high as f64 - low as f64) / more / 2.0),
        held_s: options.hold.as_secs_f64(),
        idle_cpu_us_per_s: cpu
            .filter(|_| !options.hold.is_zero())
            .map(|cpu| cpu.as_secs_f64() * 1e6 / held_s / f64::from(options.high)),
        connected_per_s: f64::from(options.high) / connecting.as_secs_f64(),
    })
}

fn read_rss(process: Process) -> Result<u64, Error> {
    process.rss_bytes().ok_or(Error::Options("this system does not tell a process's memory"))
}

/// Bytes of the kernel's objects in use; only the superuser may read them.
pub(crate) fn kernel_slab_bytes() -> Option<u64> {
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
