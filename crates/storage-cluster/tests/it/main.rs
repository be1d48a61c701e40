//! The back ends of a cluster against the real services, which `scripts/services` starts.

mod bus;
mod conformance;
mod faults;
mod kafka;
mod services;
