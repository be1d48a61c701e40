//! Checks the engine's tables against its manifests, file by file.
//!
//! The engine checks each block when it is read, so damage in a table that is not read stays
//! unseen, and its manifest is not checked at all. Here every file is read and compared with the
//! checksum its manifest has for it, which also tells the name of a damaged one.
//!
//! ```text
//! keyspaces/{id}/current     version u64 | XXH3-128 of v{version} | 0 u8      (little endian)
//! keyspaces/{id}/v{version}  archive; its section "tables" holds
//!                            levels u8 * ( runs u8 * ( tables u32 * ( id u64 | 0 u8
//!                            | XXH3-128 of the file | u64 )))
//! keyspaces/{id}/tables/{id} one table
//! ```

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3Default;

use super::super::{EngineError, damaged, failed};

const CHUNK_BYTES: usize = 256 << 10;

/// A table with what its manifest says of it.
struct Table {
    id: u64,
    path: PathBuf,
    checksum: u128,
    bytes: u64,
}

fn checksum_of(path: &Path, mut done: impl FnMut(u64)) -> io::Result<u128> {
    let mut file = File::open(path)?;
    let mut hash = Xxh3Default::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hash.digest128());
        }
        hash.update(&buffer[..read]);
        done(read as u64);
    }
}

fn array<const N: usize>(reader: &mut dyn Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The tables a manifest names: (id, checksum).
fn read_manifest(path: &Path) -> Result<Vec<(u64, u128)>, String> {
    let archive = sfa::Reader::new(path).map_err(|error| error.to_string())?;
    let section = archive.toc().section(b"tables").ok_or("it has no list of tables")?;
    let mut reader = section.buf_reader(path).map_err(|error| error.to_string())?;
    let mut read = || -> io::Result<Vec<(u64, u128)>> {
        let mut tables = Vec::new();
        for _ in 0..u8::from_le_bytes(array(&mut reader)?) {
            for _ in 0..u8::from_le_bytes(array(&mut reader)?) {
                for _ in 0..u32::from_le_bytes(array(&mut reader)?) {
                    let id = u64::from_le_bytes(array(&mut reader)?);
                    let _checksum_type: [u8; 1] = array(&mut reader)?;
                    let checksum = u128::from_le_bytes(array(&mut reader)?);
                    let _sequence: [u8; 8] = array(&mut reader)?;
                    tables.push((id, checksum));
                }
            }
        }
        Ok(tables)
    };
    read().map_err(|error| error.to_string())
}

/// The tables of one tree; its manifest is checked on the way.
fn tables_of(tree: &Path) -> Result<Vec<Table>, EngineError> {
    let current = tree.join("current");
    let bytes = match std::fs::read(&current) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The engine deletes a tree without this file, as one that was never finished.
            let tables = std::fs::read_dir(tree.join("tables"));
            if tables.is_ok_and(|mut tables| tables.next().is_some()) {
                return Err(damaged(&current, "it is missing, but there are tables"));
            }
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed("read", &current, error)),
    };
    let Ok(bytes) = <[u8; 25]>::try_from(bytes) else {
        return Err(damaged(&current, "it does not have 25 bytes"));
    };
    let version = u64::from_le_bytes(bytes[..8].try_into().expect("8 of 25 bytes"));
    let expected = u128::from_le_bytes(bytes[8..24].try_into().expect("16 of 25 bytes"));
    let manifest = tree.join(format!("v{version}"));
    if bytes[24] != 0 || !manifest.exists() {
        return Err(damaged(&current, "it does not name a manifest"));
    }
    let actual =
        checksum_of(&manifest, |_| ()).map_err(|error| failed("read", &manifest, error))?;
    if actual != expected {
        return Err(damaged(&manifest, "its checksum is not the one in the file `current`"));
    }
    let listed = read_manifest(&manifest).map_err(|what| damaged(&manifest, &what))?;
    let mut tables = Vec::new();
    for (id, checksum) in listed {
        let path = tree.join("tables").join(id.to_string());
        let bytes = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(&path, "the table is missing"));
            }
            Err(error) => return Err(failed("inspect", &path, error)),
        };
        tables.push(Table { id, path, checksum, bytes });
    }
    Ok(tables)
}

/// Checks all manifests, and tables, newest first, while their bytes stay within `bytes_max`.
/// Calls `progress` with bytes done and bytes in all. Returns the bytes left unchecked.
pub(super) fn check(
    dir: &Path,
    bytes_max: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, EngineError> {
    let keyspaces = dir.join("keyspaces");
    let mut tables = Vec::new();
    for entry in std::fs::read_dir(&keyspaces).map_err(|error| failed("list", &keyspaces, error))? {
        let tree = entry.map_err(|error| failed("list", &keyspaces, error))?.path();
        if tree.is_dir() {
            tables.extend(tables_of(&tree)?);
        }
    }
    tables.sort_unstable_by_key(|table| std::cmp::Reverse(table.id));
    let total: u64 = tables.iter().map(|table| table.bytes).sum();
    let mut done = 0;
    for table in &tables {
        if done + table.bytes > bytes_max {
            break;
        }
        let actual = checksum_of(&table.path, |bytes| {
            done += bytes;
            progress(done, total);
        })
        .map_err(|error| failed("read", &table.path, error))?;
        if actual != table.checksum {
            return Err(damaged(&table.path, "its checksum is not the one in its manifest"));
        }
    }
    Ok(total - done)
}
