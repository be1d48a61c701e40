//! The owner's epoch of a partition as `progress` keeps it: with marks for a partition that is being moved.

/// Nothing is applied: the partition is being copied to another shard.
pub(super) const PAUSED: u64 = 1 << 62;
/// The partition lies on another shard, whatever is still here.
pub(super) const CLOSED: u64 = 1 << 63;

/// The epoch without marks.
pub(super) fn owner(stored: u64) -> u64 {
    stored & !(PAUSED | CLOSED)
}

/// Whether the partition lies here.
pub(super) fn is_here(stored: u64) -> bool {
    stored & CLOSED == 0
}
