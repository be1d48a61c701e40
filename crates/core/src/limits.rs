//! Every bound of the product: value, unit, reason. Configuration may move some of them; the documents'
//! table is made from [`TABLE`].

/// One line of the documents' table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Name of the constant.
    pub name: &'static str,
    /// Its value.
    pub value: u64,
    /// What the value counts.
    pub unit: &'static str,
    /// Why there is a bound, and why this one.
    pub reason: &'static str,
}

macro_rules! limits {
    ($($name:ident: $type:ty = $value:expr, $unit:literal, $reason:literal;)+) => {
        $(
            #[doc = concat!($reason, " Unit: ", $unit, ".")]
            pub const $name: $type = $value;
        )+
        /// All limits, in the order of the documents.
        pub const TABLE: &[Limit] = &[$(Limit {
            name: stringify!($name),
            value: $name as u64,
            unit: $unit,
            reason: $reason,
        }),+];
    };
}

limits! {
    // Sockets.
    FRAME_BYTES_MAX: usize = 1 << 20, "bytes", "A frame is read into memory before it is checked.";
    TEXT_BYTES_MAX: usize = 64 << 10, "bytes of UTF-8", "A chat message is written by a person.";
    DRAFT_BYTES_MAX: usize = 4 << 10, "bytes of UTF-8", "A draft goes out with every pause of typing.";
    IN_FLIGHT_MAX: u16 = 64, "messages", "A connection that sends faster than acks come is not read.";
    OUT_QUEUE_BYTES_MAX: usize = 1 << 20, "bytes", "A client that reads slower than this fills up resumes instead.";
    HEADER_TIMEOUT_MS: u64 = 10_000, "ms", "A half-sent request holds a socket.";
    AUTH_TIMEOUT_MS: u64 = 10_000, "ms", "A socket without a hello holds a connection.";
    PING_INTERVAL_MS: u64 = 25_000, "ms", "Below the idle timeouts of common proxies.";
    PONG_WAIT_MS: u64 = 10_000, "ms", "A dead peer is noticed after ping interval and this together.";
    POSITION_CHECK_MS: u64 = 40_000, "ms", "A lost push is noticed without a reconnect.";
    DRAIN_MS: u64 = 25_000, "ms", "A stop spreads reconnects and still ends within 30 s.";
    HELD_MAX: usize = 64, "conversations", "What one hello or position check may name.";
    OPEN_MAX: usize = 64, "conversations", "What one connection may look at.";
    CLIENT_NAME_BYTES_MAX: usize = 64, "bytes", "Shown in lists of connections.";

    // Identity.
    TICKET_MS: u64 = 60_000, "ms", "A ticket is used at once; its nonce is kept as long.";
    RESUME_MS: u64 = 300_000, "ms", "A drop that lasts longer gets a new ticket.";

    // Conversations.
    DEDUPE_RECENT_MAX: usize = 16, "messages per sender", "Older repeats are found in the history.";
    CURSOR_INTERVAL_MS: i64 = 1_000, "ms", "Receipts of one participant are logged at most so often.";
    PARTICIPANTS_MAX: usize = 32, "people", "A session is a conversation, no channel.";
    LABELS_MAX: usize = 16, "labels", "Shown in one line.";
    LABEL_BYTES_MAX: usize = 64, "bytes", "Shown in one line.";
    COMMENT_BYTES_MAX: usize = 2 << 10, "bytes", "A rating's comment is written by a person.";
    TEAM_RUNS_MAX: usize = 64, "runs", "Recent notes a visitor's client skips without asking the history.";
    FEED_CHANGES_MAX: usize = 1_024, "changes per user", "A client further behind reloads its list.";

    // Files.
    FILE_BYTES_MAX: u64 = 20 << 20, "bytes", "Photos and documents, not films.";
    FILE_NAME_BYTES_MAX: usize = 255, "bytes", "What file systems take.";
    IMAGE_PIXELS_MAX: u64 = 40_000_000, "pixels", "A decoded image takes four bytes each.";

    // Sessions; settings of the account start from these.
    IDLE_CLOSE_MS: i64 = 30 * 60_000, "ms", "A visitor silent for so long after the answer has gone.";
    IDLE_WARN_MS: i64 = 5 * 60_000, "ms before closing", "The visitor can still say something.";
    PRESENCE_GRACE_MS: i64 = 60_000, "ms", "A reload or a tunnel is no absence.";
    FIRST_ANSWER_MS: i64 = 120_000, "ms", "A visitor should not wait for one person longer than this.";
    UNATTENDED_DEADLINE_MS: i64 = 24 * 3_600_000, "ms", "What nobody was online for must be looked at.";
    CAPACITY_DEFAULT: u32 = 5, "sessions per agent", "What one person serves well at once.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_unit_and_a_reason_and_is_above_zero() {
        for limit in TABLE {
            assert!(limit.value > 0, "{}", limit.name);
            assert!(!limit.unit.is_empty() && limit.reason.ends_with('.'), "{}", limit.name);
        }
    }

    #[test]
    fn a_message_fits_into_a_frame_in_both_encodings() {
        // JSON escapes a control character to six bytes.
        assert!(TEXT_BYTES_MAX * 6 + 4_096 < FRAME_BYTES_MAX);
    }
}
