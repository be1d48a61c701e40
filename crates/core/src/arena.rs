//! Short-lived byte strings, many to an allocation.
//!
//! A message passes half a dozen ids and its own encoding along. Each as an allocation of its own
//! costs more than all else that is done with it, and `Bytes` made from a slice allocates once more
//! when it is cloned. Those of an arena share a piece of memory that goes with the last of them.

use bytes::{Bytes, BytesMut};

/// Memory taken at a time. One string that stays holds so much, so none may stay for long.
const CHUNK_BYTES: usize = 32 << 10;

/// Gives out byte strings.
#[derive(Debug, Default)]
pub struct Arena {
    chunk: BytesMut,
}

impl Arena {
    /// Returns a copy.
    pub fn copy(&mut self, bytes: &[u8]) -> Bytes {
        self.write(bytes.len(), |out| out.extend_from_slice(bytes))
    }

    /// Returns what `write` appends, which is about so many bytes.
    pub fn write(&mut self, bytes: usize, write: impl FnOnce(&mut BytesMut)) -> Bytes {
        if self.chunk.capacity() < bytes {
            self.chunk = BytesMut::with_capacity(bytes.max(CHUNK_BYTES));
        }
        write(&mut self.chunk);
        self.chunk.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_apart_and_outlive_the_arena() {
        let mut arena = Arena::default();
        let mut given: Vec<(Bytes, Vec<u8>)> = Vec::new();
        for round in 0..2_000_usize {
            let wanted = vec![round as u8; round % 300];
            given.push((arena.copy(&wanted), wanted));
        }
        let long = vec![1; CHUNK_BYTES + 1];
        given.push((arena.copy(&long), long));
        given.push((arena.copy(b"after"), b"after".to_vec()));
        drop(arena);
        for (bytes, wanted) in given {
            assert_eq!(bytes, wanted);
        }
    }
}
