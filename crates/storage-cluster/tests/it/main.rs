//! The back ends of a cluster against the real services, which `scripts/services` starts.

mod bus;
mod conformance;
mod either;
mod faults;
mod kafka;
mod mysql;
mod mysql_faults;
mod mysql_moves;
mod mysql_open;
mod services;
mod spool;
