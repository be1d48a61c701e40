//! What a connection of this node has sent to owners of partitions and may be without an answer: when a link to another node
//! loses something, or a partition gets another owner, nothing that comes later may overtake what was lost (ADR 038).

use smallvec::SmallVec;

/// A client that has no answer for 20 s sends its message again; a little longer, seconds.
const ANSWER_S: u32 = 25;

/// The messages of one connection.
#[derive(Debug, Default)]
pub(super) struct SentElsewhere {
    by_node: SmallVec<[Sent; 2]>,
    by_partition: SmallVec<[Owned; 2]>,
}

/// Where the last message about a partition went.
#[derive(Debug)]
struct Owned {
    partition: u16,
    node: u8,
    at_s: u32,
}

#[derive(Debug)]
struct Sent {
    node: u8,
    /// How often the link had begun anew when the first one went that may be without an answer.
    beginnings: u64,
    /// When the last one went, UTC seconds.
    at_s: u32,
}

fn may_wait(at_s: u32, now_s: u32) -> bool {
    now_s.saturating_sub(at_s) <= ANSWER_S
}

impl SentElsewhere {
    /// A message about a partition goes to its owner, on another node or on this one.
    pub(super) fn note_owner(&mut self, partition: u16, node: u8, now_s: u32) {
        self.by_partition.retain(|of| of.partition != partition && may_wait(of.at_s, now_s));
        self.by_partition.push(Owned { partition, node, at_s: now_s });
    }

    /// A message goes to a node, the link to which has begun anew so often by now. Returns how often it had for the
    /// first that may be without an answer.
    pub(super) fn note(&mut self, node: u8, beginnings: u64, now_s: u32) -> u64 {
        let Some(sent) = self.by_node.iter_mut().find(|sent| sent.node == node) else {
            self.by_node.push(Sent { node, beginnings, at_s: now_s });
            return beginnings;
        };
        if !may_wait(sent.at_s, now_s) {
            sent.beginnings = beginnings;
        }
        sent.at_s = now_s;
        sent.beginnings
    }

    /// Whether one that went to a node may be without an answer.
    pub(super) fn may_wait_for(&self, node: u8, now_s: u32) -> bool {
        self.by_node.iter().any(|sent| sent.node == node && may_wait(sent.at_s, now_s))
    }

    /// Whether one may be lost: the link it went by has begun anew since.
    pub(super) fn may_be_lost(&self, now_s: u32, beginnings: impl Fn(u8) -> u64) -> bool {
        let is_lost = |sent: &Sent| beginnings(sent.node) != sent.beginnings;
        self.by_node.iter().any(|sent| may_wait(sent.at_s, now_s) && is_lost(sent))
    }

    /// Whether one about a partition that may be without an answer went to a former owner of it.
    pub(super) fn went_to_another(&self, partition: u16, owner: u8, now_s: u32) -> bool {
        let is_former = |of: &Owned| of.partition == partition && of.node != owner;
        self.by_partition.iter().any(|of| is_former(of) && may_wait(of.at_s, now_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_lost_keeps_its_link_until_there_would_be_an_answer() {
        let mut sent = SentElsewhere::default();
        assert_eq!(sent.note(2, 4, 100), 4);
        assert!(sent.may_wait_for(2, 100) && !sent.may_wait_for(3, 100));
        assert!(!sent.may_be_lost(101, |_| 4));
        assert!(sent.may_be_lost(101, |_| 5));
        // The next one went with the link of those before it.
        assert_eq!(sent.note(2, 5, 101), 4);
        assert_eq!(sent.note(3, 7, 101), 7);
        let later = 101 + ANSWER_S + 1;
        assert!(!sent.may_wait_for(2, later) && !sent.may_be_lost(later, |_| 9));
        assert_eq!(sent.note(2, 5, later), 5, "those before it have their answers");
    }
    #[test]
    fn what_went_to_a_former_owner_is_known_until_there_would_be_an_answer() {
        let mut sent = SentElsewhere::default();
        sent.note_owner(7, 2, 100);
        sent.note_owner(8, 3, 100);
        assert!(!sent.went_to_another(7, 2, 101) && !sent.went_to_another(9, 1, 101));
        assert!(sent.went_to_another(7, 3, 101) && sent.went_to_another(8, 1, 101));
        sent.note_owner(7, 3, 102);
        assert!(
            !sent.went_to_another(7, 3, 103),
            "it came back, and all of it went to the new one"
        );
        assert!(!sent.went_to_another(8, 1, 101 + ANSWER_S));
    }
}
