//! Which of a visitor's messages are read together, and when: people open with 你好 and send the matter in pieces.

use std::time::Duration;

use crate::label::Label;

/// This long after the last piece it is read.
pub const QUIET_AFTER: Duration = Duration::from_millis(1_500);
/// So long after the first piece it is read in any case.
pub const GATHERED_FOR_MAX: Duration = Duration::from_millis(1_800);
/// Messages of a session that are read.
pub const MESSAGES_MAX: usize = 5;

/// Whether what was found takes the place of what is known of a session: an opinion is final, but for a
/// complaint that comes later.
pub fn takes_over(found: &str, known: &str) -> bool {
    known.is_empty() || (found == Label::Complaint.as_str() && known != found)
}

/// Puts a message behind those before it.
pub fn join(text: &mut String, message: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(message);
}

/// What is read of messages that were written at these times (milliseconds), one text for each time it is read.
pub fn readings(messages: &[(i64, &str)]) -> Vec<String> {
    let ms = |of: Duration| i64::try_from(of.as_millis()).unwrap_or(i64::MAX);
    let mut texts = Vec::new();
    let mut text = String::new();
    let mut since = None;
    let messages = &messages[..messages.len().min(MESSAGES_MAX)];
    for (number, (at, message)) in messages.iter().enumerate() {
        join(&mut text, message);
        let first = *since.get_or_insert(*at);
        let due =
            at.saturating_add(ms(QUIET_AFTER)).min(first.saturating_add(ms(GATHERED_FOR_MAX)));
        let next = messages.get(number + 1);
        if next.is_none_or(|(next, _)| *next > due) {
            texts.push(text.clone());
            since = None;
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_read_together_and_later_ones_with_all_before() {
        let messages = [(0, "你好"), (1_000, "在吗"), (9_000, "我的订单"), (9_500, "没到")];
        assert_eq!(readings(&messages), ["你好\n在吗", "你好\n在吗\n我的订单\n没到"]);
    }

    #[test]
    fn who_never_pauses_is_read_all_the_same() {
        let messages = [(0, "a"), (1_000, "b"), (2_000, "c")];
        assert_eq!(readings(&messages), ["a\nb", "a\nb\nc"]);
    }

    #[test]
    fn only_the_first_messages_are_read() {
        let messages: Vec<(i64, &str)> = (0..9).map(|number| (number * 10_000, "x")).collect();
        assert_eq!(readings(&messages).len(), MESSAGES_MAX);
        assert_eq!(readings(&[]), Vec::<String>::new());
    }

    #[test]
    fn only_a_complaint_takes_over() {
        assert!(takes_over("sales", ""));
        assert!(takes_over("complaint", "sales"));
        assert!(!takes_over("consult", "sales") && !takes_over("complaint", "complaint"));
    }
}
