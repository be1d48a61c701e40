//! Ports for what is started again at the same address. They lie below those the system hands out by itself: it gives
//! one of its own to whoever connects somewhere while nobody listens there.

use std::{
    net::{Ipv4Addr, TcpListener},
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// For servers of the product.
pub(crate) static SERVERS: Ports = Ports::new(20_000, 8_000, 1);

/// Ports of one use. Test processes that run at the same time begin elsewhere.
#[derive(Debug)]
pub struct Ports {
    first: u16,
    count: u16,
    step: u16,
    next: AtomicU16,
}

impl Ports {
    /// `count` ports from `first` on, of which `step` are taken at once.
    pub const fn new(first: u16, count: u16, step: u16) -> Self {
        Self { first, count, step, next: AtomicU16::new(0) }
    }

    /// The first of some on which nobody listens.
    pub fn take(&self) -> u16 {
        let begin = process::id().wrapping_mul(101) % u32::from(self.count);
        std::iter::repeat_with(|| self.next.fetch_add(self.step, Ordering::Relaxed))
            .take(usize::from(self.count / self.step))
            .map(|next| self.first + ((begin + u32::from(next)) % u32::from(self.count)) as u16)
            .find(|port| (*port..*port + self.step).all(is_free))
            .expect("a free port")
    }
}

/// Whether nobody listens on a port.
fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
