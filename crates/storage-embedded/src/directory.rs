//! The directory within one process: claims, values, locations and limits in memory.
//!
//! Everything in it ends by itself, so what is due is swept when a table has doubled since the
//! last sweep: the cost per call stays constant and nothing needs a timer. A table that is full of
//! what is not yet due refuses, it never forgets early.

use std::hash::Hash;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_storage::{Admission, Directory, DirectoryError, NodeId, Quota};
use hashbrown::HashMap;
use parking_lot::Mutex;
use tokio::time::Instant;

/// A table is not swept before it has this many entries.
const SWEEP_ENTRIES_MIN: usize = 1024;

/// How much a directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryOptions {
    /// Entries of each kind: claims, values, locations, limits.
    pub entries_max: usize,
}

impl Default for DirectoryOptions {
    fn default() -> Self {
        Self { entries_max: 1_000_000 }
    }
}

/// Entries that end by themselves.
#[derive(Debug)]
struct Table<K, V> {
    entries: HashMap<K, (V, Instant)>,
    entries_max: usize,
    sweep_at: usize,
}

impl<K: Eq + Hash, V> Table<K, V> {
    fn new(entries_max: usize) -> Self {
        Self { entries: HashMap::new(), entries_max, sweep_at: SWEEP_ENTRIES_MIN }
    }

    fn get<Q>(&self, key: &Q, now: Instant) -> Option<&V>
    where
        Q: Hash + hashbrown::Equivalent<K> + ?Sized,
    {
        self.entries.get(key).filter(|(_, ends)| *ends > now).map(|(value, _)| value)
    }

    fn put(&mut self, key: K, value: V, ends: Instant, now: Instant) -> Result<(), DirectoryError> {
        let limit = self.sweep_at.min(self.entries_max);
        if self.entries.len() >= limit && !self.entries.contains_key(&key) {
            self.entries.retain(|_, (_, ends)| *ends > now);
            self.sweep_at = (2 * self.entries.len()).max(SWEEP_ENTRIES_MIN);
            if self.entries.len() >= self.entries_max {
                return Err(DirectoryError::Full { entries_max: self.entries_max });
            }
        }
        self.entries.insert(key, (value, ends));
        Ok(())
    }
}

/// The directory of one process.
#[derive(Debug)]
pub struct InProcessDirectory {
    claims: Mutex<Table<String, ()>>,
    values: Mutex<Table<String, Bytes>>,
    locations: Mutex<Table<String, Vec<(NodeId, Instant)>>>,
    /// The theoretical arrival time of each bucket; due once it lies in the past.
    limits: Mutex<Table<String, ()>>,
}

impl InProcessDirectory {
    /// Makes an empty directory.
    pub fn new(options: DirectoryOptions) -> Self {
        let max = options.entries_max;
        Self {
            claims: Mutex::new(Table::new(max)),
            values: Mutex::new(Table::new(max)),
            locations: Mutex::new(Table::new(max)),
            limits: Mutex::new(Table::new(max)),
        }
    }
}

impl Default for InProcessDirectory {
    fn default() -> Self {
        Self::new(DirectoryOptions::default())
    }
}

#[async_trait]
impl Directory for InProcessDirectory {
    async fn claim(&self, key: &str, ttl: Duration) -> Result<bool, DirectoryError> {
        let now = Instant::now();
        let mut claims = self.claims.lock();
        if claims.get(key, now).is_some() {
            return Ok(false);
        }
        claims.put(key.to_owned(), (), now + ttl, now)?;
        Ok(true)
    }

    async fn put(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), DirectoryError> {
        let now = Instant::now();
        self.values.lock().put(key.to_owned(), value, now + ttl, now)
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, DirectoryError> {
        Ok(self.values.lock().get(key, Instant::now()).cloned())
    }

    async fn remove(&self, key: &str) -> Result<Option<Bytes>, DirectoryError> {
        let now = Instant::now();
        let removed = self.values.lock().entries.remove(key);
        Ok(removed.filter(|(_, ends)| *ends > now).map(|(value, _)| value))
    }

    async fn locate(&self, user: &str) -> Result<Vec<NodeId>, DirectoryError> {
        let now = Instant::now();
        let locations = self.locations.lock();
        let Some(nodes) = locations.get(user, now) else { return Ok(Vec::new()) };
        let mut nodes: Vec<_> =
            nodes.iter().filter(|(_, ends)| *ends > now).map(|(node, _)| node.clone()).collect();
        nodes.sort_unstable();
        Ok(nodes)
    }

    async fn announce(
        &self,
        user: &str,
        node: &NodeId,
        ttl: Duration,
    ) -> Result<(), DirectoryError> {
        let now = Instant::now();
        let mut locations = self.locations.lock();
        let mut nodes = locations.get(user, now).cloned().unwrap_or_default();
        nodes.retain(|(other, ends)| other != node && *ends > now);
        nodes.push((node.clone(), now + ttl));
        let ends = nodes.iter().map(|(_, ends)| *ends).max().unwrap_or(now);
        locations.put(user.to_owned(), nodes, ends, now)
    }

    async fn withdraw(&self, user: &str, node: &NodeId) -> Result<(), DirectoryError> {
        let mut locations = self.locations.lock();
        if let Some((nodes, _)) = locations.entries.get_mut(user) {
            nodes.retain(|(other, _)| other != node);
            if nodes.is_empty() {
                locations.entries.remove(user);
            }
        }
        Ok(())
    }

    async fn admit(&self, bucket: &str, quota: Quota) -> Result<Admission, DirectoryError> {
        let now = Instant::now();
        let mut limits = self.limits.lock();
        let arrival = limits.entries.get(bucket).map_or(now, |((), arrival)| (*arrival).max(now));
        let next = arrival + quota.interval;
        let ahead = next.duration_since(now);
        let allowed = quota.interval * quota.burst.get();
        if let Some(retry_after) = ahead.checked_sub(allowed).filter(|time| !time.is_zero()) {
            return Ok(Admission::Refused { retry_after });
        }
        limits.put(bucket.to_owned(), (), next, now)?;
        Ok(Admission::Admitted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_full_directory_refuses_until_something_ends() {
        let directory = InProcessDirectory::new(DirectoryOptions { entries_max: 3 });
        let ttl = Duration::from_secs(1);
        for key in ["a", "b", "c"] {
            assert!(directory.claim(key, ttl).await.unwrap());
        }
        let refused = directory.claim("d", ttl).await;
        assert!(matches!(refused, Err(DirectoryError::Full { entries_max: 3 })), "{refused:?}");
        assert!(!directory.claim("a", ttl).await.unwrap(), "nothing is forgotten early");
        tokio::time::advance(ttl).await;
        assert!(directory.claim("d", ttl).await.unwrap());
        assert_eq!(directory.claims.lock().entries.len(), 1, "what ended was swept");
    }
}
