//! RocksDB where it is not built: nothing gets here, since `Engine::meets` says so first.

use std::path::Path;

use super::{Check, Engine, EngineError, Journals, Store, StoreOptions};

pub(super) const IS_BUILT: bool = false;

pub(super) fn open(dir: &Path, _: &StoreOptions) -> Result<Box<dyn Store>, EngineError> {
    Err(EngineError::NotBuilt { dir: dir.to_owned(), engine: Engine::RocksDb })
}

pub(super) fn check(dir: &Path, _: Check<'_>) -> Result<Journals, EngineError> {
    Err(EngineError::NotBuilt { dir: dir.to_owned(), engine: Engine::RocksDb })
}
