//! Notes on which sites widgets are seen, cheaply: a site costs one write a minute however often it asks,
//! and an inbox some writes a minute however many sites somebody makes up.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use frontdesk_catalog::{Catalog, Seen};
use frontdesk_core::id::{AccountId, InboxId};
use parking_lot::Mutex;

use crate::{gate::bounded, limit::Limiter, state::now_ms};

/// How long after a write the same site is only counted.
const WRITE_EVERY: Duration = Duration::from_mins(1);
/// Sites remembered; beyond it those whose minute is over are forgotten, and then new ones not noted.
const SITES_MAX: usize = 10_000;
/// Writes a minute of one inbox.
const WRITES_PER_MINUTE: u32 = 30;
/// Bytes of a site's name: a host has 253 at most.
const ORIGIN_BYTES_MAX: usize = 300;

/// What is known of sites since their rows were written.
pub(crate) struct Sightings {
    sites: Mutex<HashMap<Site, Pending>>,
    writes: Limiter<InboxId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Site {
    inbox: InboxId,
    origin: String,
    refused: bool,
}

#[derive(Debug)]
struct Pending {
    written: Instant,
    /// Requests since then.
    requests: u64,
}

impl Default for Sightings {
    fn default() -> Self {
        let nobody = InboxId::from_bytes([0; 12]);
        Self {
            sites: Mutex::default(),
            writes: Limiter::new("sightings", WRITES_PER_MINUTE, nobody),
        }
    }
}

impl Sightings {
    /// Notes a request from a site. That it cannot be written is logged and nobody's trouble.
    pub(crate) async fn note(
        &self,
        catalog: &Catalog,
        (account, inbox): (AccountId, InboxId),
        origin: &str,
        page: &str,
        refused: bool,
    ) {
        let origin = bounded(origin, ORIGIN_BYTES_MAX);
        let site = Site { inbox, origin, refused };
        let Some(requests) = self.due(&site, Instant::now()) else { return };
        let page = page_of(page, &site.origin);
        let seen = Seen {
            account,
            inbox,
            origin: &site.origin,
            page: &page,
            refused,
            requests,
            now_ms: now_ms(),
        };
        if let Err(error) = catalog.note_sighting(seen).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(inbox.id = %inbox, error, "a site's visit was not noted");
        }
    }

    /// How many requests of this site are not in its row yet.
    pub(crate) fn unwritten(&self, inbox: InboxId, origin: &str, refused: bool) -> u64 {
        let site = Site { inbox, origin: origin.to_owned(), refused };
        self.sites.lock().get(&site).map_or(0, |pending| pending.requests)
    }

    /// Counts a request; says how many to write, if it is time to.
    fn due(&self, site: &Site, now: Instant) -> Option<u64> {
        let mut sites = self.sites.lock();
        if let Some(pending) = sites.get_mut(site) {
            pending.requests += 1;
            let waits = now.duration_since(pending.written) < WRITE_EVERY;
            if waits || self.writes.count(&site.inbox).retry_after.is_some() {
                return None;
            }
            pending.written = now;
            return Some(std::mem::take(&mut pending.requests));
        }
        if sites.len() >= SITES_MAX {
            sites.retain(|_, pending| now.duration_since(pending.written) < WRITE_EVERY);
        }
        if sites.len() >= SITES_MAX || self.writes.count(&site.inbox).retry_after.is_some() {
            return None;
        }
        sites.insert(site.clone(), Pending { written: now, requests: 0 });
        Some(1)
    }
}

/// The page's address without what may say something about a person; empty where it is none of the site.
fn page_of(page: &str, origin: &str) -> String {
    let page = page.split(['?', '#']).next().unwrap_or_default();
    let of_site =
        page.strip_prefix(origin).is_some_and(|path| path.is_empty() || path.starts_with('/'));
    if of_site { page.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(n: u8, origin: &str) -> Site {
        let inbox = InboxId::from_bytes([n; 12]);
        Site { inbox, origin: origin.to_owned(), refused: true }
    }

    #[test]
    fn a_site_is_written_once_a_minute_with_all_its_requests() {
        let sightings = Sightings::default();
        let shop = site(1, "https://shop.example");
        let start = Instant::now();
        assert_eq!(sightings.due(&shop, start), Some(1));
        for _ in 0..9 {
            assert_eq!(sightings.due(&shop, start + WRITE_EVERY / 2), None);
        }
        assert_eq!(sightings.unwritten(shop.inbox, &shop.origin, true), 9);
        assert_eq!(sightings.unwritten(shop.inbox, &shop.origin, false), 0);
        assert_eq!(sightings.due(&shop, start + WRITE_EVERY), Some(10));
        assert_eq!(sightings.unwritten(shop.inbox, &shop.origin, true), 0);
    }

    #[test]
    fn made_up_sites_cost_an_inbox_a_bounded_number_of_writes() {
        let sightings = Sightings::default();
        let now = Instant::now();
        let written = (0..1_000)
            .filter(|n| sightings.due(&site(1, &format!("https://{n}.example")), now).is_some())
            .count();
        assert_eq!(written, WRITES_PER_MINUTE as usize);
        assert_eq!(sightings.due(&site(2, "https://shop.example"), now), Some(1));
    }

    #[test]
    fn a_page_is_kept_without_its_query_and_only_of_its_own_site() {
        let shop = "https://shop.example";
        for (page, kept) in [
            ("https://shop.example/cart?user=7#pay", "https://shop.example/cart"),
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example.evil/x", ""),
            ("https://other.example/x", ""),
            ("", ""),
        ] {
            assert_eq!(page_of(page, shop), kept, "{page}");
        }
    }
}
