//! One MySQL or MariaDB database of a cluster: what is wrong with it is said in words when it is opened
//! ([`Opening`]), and later nobody waits for it beyond a deadline ([`Pool`]).
//!
//! The history keeps its shards by it, the catalog the first of them. Addresses hold a password, so
//! errors and logs name host, port and database alone; statements are not logged.

mod error;
mod open;
mod pool;

pub use error::{
    AwayError, OpenError, is_conflict, is_full, is_lost, number, numbers, shows_values,
};
pub use open::{Found, Opening, within};
pub use pool::{Lease, Pool, PoolOptions, prepare, rollback};
