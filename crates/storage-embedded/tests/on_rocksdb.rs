//! The tests of the history once more, on RocksDB: `make test-rocksdb`.

#[path = "conformance.rs"]
mod conformance;
#[path = "history_crash.rs"]
mod history_crash;
#[path = "kill.rs"]
mod kill;
