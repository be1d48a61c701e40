//! What a connection of this node has sent to other nodes and may be without an answer: when a link loses something,
//! nothing that comes later may overtake what was lost (ADR 038).

use smallvec::SmallVec;

/// A client that has no answer for 20 s sends its message again; a little longer, seconds.
const ANSWER_S: u32 = 25;

/// The messages of one connection, by node.
#[derive(Debug, Default)]
pub(super) struct SentElsewhere(SmallVec<[Sent; 2]>);

#[derive(Debug)]
struct Sent {
    node: u8,
    /// How often the link had begun anew when the first one went that may be without an answer.
    beginnings: u64,
    /// When the last one went, UTC seconds.
    at_s: u32,
}

impl Sent {
    fn may_wait(&self, now_s: u32) -> bool {
        now_s.saturating_sub(self.at_s) <= ANSWER_S
    }
}

impl SentElsewhere {
    /// A message goes to a node, the link to which has begun anew so often by now. Returns how often it had for the
    /// first that may be without an answer.
    pub(super) fn note(&mut self, node: u8, beginnings: u64, now_s: u32) -> u64 {
        let Some(sent) = self.0.iter_mut().find(|sent| sent.node == node) else {
            self.0.push(Sent { node, beginnings, at_s: now_s });
            return beginnings;
        };
        if !sent.may_wait(now_s) {
            sent.beginnings = beginnings;
        }
        sent.at_s = now_s;
        sent.beginnings
    }

    /// Whether one that went to a node may be without an answer.
    pub(super) fn may_wait_for(&self, node: u8, now_s: u32) -> bool {
        self.0.iter().any(|sent| sent.node == node && sent.may_wait(now_s))
    }

    /// Whether one may be lost: the link it went by has begun anew since.
    pub(super) fn may_be_lost(&self, now_s: u32, beginnings: impl Fn(u8) -> u64) -> bool {
        let is_lost = |sent: &Sent| beginnings(sent.node) != sent.beginnings;
        self.0.iter().any(|sent| sent.may_wait(now_s) && is_lost(sent))
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
}
