//! The tests of the spool once more, on RocksDB: `make test-rocksdb`.

#[path = "it/spool.rs"]
mod spool;
