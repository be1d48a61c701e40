//! Connections that are held: visitors who say nothing, and the agents they may write to. Pings are
//! answered, all else is read and forgotten.

use std::{
    os::fd::AsFd,
    time::{Duration, Instant},
};

use crate::{
    error::{Error, io},
    generator::{Dialect as _, Happened},
    launch::ProductAccess,
    link::Link,
    poll::Poller,
    product::{Agent, Door, Product, VisitorOf, tickets_door},
    progress::Progress,
};

/// Between so many new connections those before are looked after.
const TEND_EVERY: u32 = 256;
/// Key of what is waited for beside connections.
const CALLER: u64 = u64::MAX;

/// Everybody who is connected.
pub(crate) struct Herd {
    door: Door,
    product: Product,
    poller: Poller,
    team: Vec<Agent>,
    /// Visitors by their number.
    links: Vec<Link>,
    visitor_of: Vec<VisitorOf>,
    scratch: Vec<u8>,
    progress: Progress,
}

/// A herd taken apart.
pub(crate) struct Members {
    pub(crate) product: Product,
    pub(crate) team: Vec<Agent>,
    pub(crate) links: Vec<Link>,
    pub(crate) visitor_of: Vec<VisitorOf>,
}

impl Herd {
    /// Agents only, if there are any.
    pub(crate) fn new(
        access: &ProductAccess,
        product: Product,
        team: Vec<Agent>,
    ) -> Result<Self, Error> {
        let poller = Poller::new(1_024).map_err(io("poll"))?;
        for (place, agent) in (0..).zip(&team) {
            agent.link.register(&poller, agent_key(place))?;
        }
        Ok(Self {
            door: tickets_door(access)?,
            product,
            poller,
            team,
            links: Vec::new(),
            visitor_of: Vec::new(),
            scratch: vec![0; 64 << 10],
            progress: Progress::new(),
        })
    }

    /// Lets visitors in, one after the other, until there are so many.
    pub(crate) fn grow(&mut self, to: u32) -> Result<(), Error> {
        while (self.links.len() as u32) < to {
            let index = self.links.len() as u32;
            let (link, visitor) = self.door.visitor(index)?;
            link.register(&self.poller, index.into())?;
            self.links.push(link);
            self.visitor_of.push(visitor);
            if index.is_multiple_of(TEND_EVERY) {
                self.tend(Duration::ZERO)?;
                self.progress.tell(|| format!("{index} connections"));
            }
        }
        Ok(())
    }

    /// Holds everybody for that long.
    pub(crate) fn rest(&mut self, time: Duration) -> Result<(), Error> {
        let ends = Instant::now() + time;
        loop {
            let left = ends.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.tend(Some(left))?;
        }
    }

    /// Holds everybody until there is something to read there.
    pub(crate) fn rest_until(&mut self, caller: impl AsFd) -> Result<(), Error> {
        self.poller.add(&caller, CALLER).map_err(io("poll"))?;
        while !self.tend(None)? {}
        self.poller.remove(&caller).map_err(io("poll"))
    }

    /// Lets go of everybody without closing anything.
    pub(crate) fn apart(self) -> Members {
        let Self { product, team, links, visitor_of, .. } = self;
        Members { product, team, links, visitor_of }
    }

    /// Answers pings. Says whether the caller wants something.
    fn tend(&mut self, wait: impl Into<Option<Duration>>) -> Result<bool, Error> {
        let (mut ready, mut called) = (Vec::new(), false);
        self.poller.wait(&mut ready, wait.into()).map_err(io("poll"))?;
        let (mut out, mut happened): (Vec<u8>, Vec<Happened>) = (Vec::new(), Vec::new());
        for event in ready {
            if event.key == CALLER {
                called = true;
                continue;
            }
            let Self { links, team, product, scratch, .. } = self;
            let link = match agent_place(event.key) {
                Some(place) => &mut team[place].link,
                None => &mut links[event.key as usize],
            };
            if event.writable {
                link.flush(&self.poller, event.key)?;
            }
            if event.readable {
                let peer = link.peer;
                out.clear();
                let parse = |bytes: &[u8]| product.read(peer, bytes, &mut out, &mut happened);
                link.receive(&self.poller, event.key, scratch, parse)?;
                if !out.is_empty() {
                    link.send(&self.poller, event.key, &out)?;
                }
            }
        }
        Ok(called)
    }
}

/// Keys of agents stand behind those of any number of visitors.
fn agent_key(place: u64) -> u64 {
    1 << 32 | place
}

fn agent_place(key: u64) -> Option<usize> {
    key.checked_sub(1 << 32).map(|place| place as usize)
}
