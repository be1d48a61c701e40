//! Where things are: loops by number over all nodes, and which loop owns each partition.
//!
//! A loop's number is its node's number and its place there. A node that is alone has number 0, so its
//! loops are numbered from 0.

use std::sync::atomic::{AtomicU16, Ordering};

use frontdesk_core::{
    id::{AccountId, ConversationId},
    partition_of,
};

/// Bits of a loop's number that tell its place on its node.
const PLACE_BITS: u32 = 8;
/// The number of no loop.
const NOBODY: u16 = u16::MAX;

/// The number of a loop: of `node`, at `place` there.
pub const fn loop_number(node: u8, place: u8) -> u16 {
    (node as u16) << PLACE_BITS | place as u16
}

/// The node of a loop.
pub const fn node_of(loop_number: u16) -> u8 {
    (loop_number >> PLACE_BITS) as u8
}

/// The place of a loop on its node.
pub const fn place_of(loop_number: u16) -> usize {
    (loop_number & ((1 << PLACE_BITS) - 1)) as usize
}

/// The partition whose owner has the account's desk.
pub fn account_partition(account: AccountId, partitions: u16) -> u16 {
    // The same hash: an id is an id.
    partition_of(&ConversationId::from_bytes(*account.as_bytes()), partitions)
}

/// Who owns each partition, as far as this node knows. Read without a lock at every message.
#[derive(Debug)]
pub struct Owners {
    loops: Box<[AtomicU16]>,
}

impl Owners {
    /// All partitions belong to the loops of this node, which is alone.
    pub fn alone(partitions: u16, loops: u16) -> Self {
        Self { loops: (0..partitions).map(|partition| AtomicU16::new(partition % loops)).collect() }
    }

    /// Nobody owns anything yet.
    pub fn nobody(partitions: u16) -> Self {
        Self { loops: (0..partitions).map(|_| AtomicU16::new(NOBODY)).collect() }
    }

    /// How many partitions there are.
    pub fn partitions(&self) -> u16 {
        // Made from a u16.
        self.loops.len() as u16
    }

    /// The loop that owns a partition; `None` while nobody does.
    pub fn owner(&self, partition: u16) -> Option<u16> {
        let owner = self.loops[usize::from(partition)].load(Ordering::Acquire);
        (owner != NOBODY).then_some(owner)
    }

    /// The loop that owns a conversation.
    pub fn owner_of(&self, conversation: &ConversationId) -> Option<u16> {
        self.owner(partition_of(conversation, self.partitions()))
    }

    /// Notes a new owner, or that nobody owns it; says whether that is another than before.
    pub fn set(&self, partition: u16, owner: Option<u16>) -> bool {
        let owner = owner.unwrap_or(NOBODY);
        self.loops[usize::from(partition)].swap(owner, Ordering::AcqRel) != owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_tells_node_and_place() {
        let number = loop_number(3, 7);
        assert_eq!((node_of(number), place_of(number)), (3, 7));
        assert_eq!(loop_number(0, 2), 2, "a node that is alone counts its loops from 0");
    }

    #[test]
    fn partitions_have_one_owner_or_none() {
        let owners = Owners::nobody(4);
        assert_eq!(owners.owner(1), None);
        assert!(owners.set(1, Some(loop_number(2, 0))));
        assert!(!owners.set(1, Some(loop_number(2, 0))), "no change");
        assert_eq!(owners.owner(1), Some(0x200));
        assert!(owners.set(1, None));
        let alone = Owners::alone(4, 2);
        assert_eq!((0..4).map(|p| alone.owner(p)).collect::<Vec<_>>(), [0, 1, 0, 1].map(Some));
    }
}
