//! The order of batches: numbers what goes to a node, and finds out what got lost on the way from one.

use std::collections::HashMap;

use bytes::Bytes;
use prost::Message as _;

use super::{Malformed, v1};

/// What a batch that came says about the link it came by.
#[derive(Debug, PartialEq)]
pub enum Received {
    /// The next one.
    InOrder(v1::Batch),
    /// Something is missing before it, or its sender began a new life: connections that used the link have
    /// to begin anew. It counts all the same.
    AfterGap(v1::Batch),
    /// It came before, or belongs to a former life.
    Old,
}

/// Links from all nodes to this one, and the numbers of what goes to them.
#[derive(Debug)]
pub struct Links {
    node: u8,
    life: u64,
    sent: HashMap<u8, u64>,
    received: HashMap<u8, (u64, u64)>,
}

impl Links {
    /// Of a node in one of its lives; `life` is random.
    pub fn new(node: u8, life: u64) -> Self {
        Self { node, life, sent: HashMap::new(), received: HashMap::new() }
    }

    /// Puts commands into the next batch for a node.
    pub fn seal(&mut self, to: u8, commands: Vec<v1::Command>) -> Bytes {
        let number = self.sent.entry(to).or_default();
        *number += 1;
        let batch =
            v1::Batch { node: self.node.into(), life: self.life, number: *number, commands };
        Bytes::from(batch.encode_to_vec())
    }

    /// Opens a batch.
    pub fn open(&mut self, bytes: Bytes) -> Result<Received, Malformed> {
        let batch = v1::Batch::decode(bytes).map_err(|error| Malformed(error.to_string()))?;
        let node = u8::try_from(batch.node).map_err(|_| Malformed::of("node"))?;
        let (life, number) = (batch.life, batch.number);
        Ok(match self.received.insert(node, (life, number)) {
            // Whoever sent it may have sent others before this node listened: nothing hangs on those.
            None => Received::InOrder(batch),
            Some((known, last)) if known == life && number == last + 1 => Received::InOrder(batch),
            Some((known, last)) if known == life && number <= last => {
                self.received.insert(node, (known, last));
                Received::Old
            }
            Some(_) => Received::AfterGap(batch),
        })
    }

    /// Forgets a node that is gone.
    pub fn forget(&mut self, node: u8) {
        self.received.remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_and_a_new_life_are_noticed() {
        let (mut a, mut b) = (Links::new(1, 7), Links::new(2, 8));
        let batches: Vec<Bytes> = (0..4).map(|_| a.seal(2, Vec::new())).collect();
        let number = |received: Received| match received {
            Received::InOrder(batch) => (true, batch.number),
            Received::AfterGap(batch) => (false, batch.number),
            Received::Old => (false, 0),
        };
        let mut open = |batch: &Bytes| number(b.open(batch.clone()).expect("a batch"));
        assert_eq!(open(&batches[0]), (true, 1));
        assert_eq!(open(&batches[1]), (true, 2));
        assert_eq!(open(&batches[1]), (false, 0), "a double");
        assert_eq!(open(&batches[3]), (false, 4), "the third is missing");
        assert_eq!(open(&batches[2]), (false, 0), "it came too late");
        let mut again = Links::new(1, 9);
        assert_eq!(open(&again.seal(2, Vec::new())), (false, 1), "a new life");
        assert_eq!(open(&again.seal(2, Vec::new())), (true, 2));
        assert!(b.open(Bytes::from_static(b"\xff\xff")).is_err());
    }
}
