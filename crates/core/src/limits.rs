//! Every limit of the product with its unit and the reason for its value, in one place: as constants
//! for code, and as [`TABLE`] for configuration help and documents. Configuration may change most of
//! them; these are the defaults.

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// Milliseconds.
    Milliseconds,
}

impl Unit {
    /// The word the documents use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Count => "count",
            Self::Milliseconds => "ms",
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The name of the constant; the unit stands in it.
    pub name: &'static str,
    /// The default.
    pub value: u64,
    /// What `value` counts.
    pub unit: Unit,
    /// Why there is such a limit and why this value.
    pub reason: &'static str,
}

macro_rules! limits {
    ($($name:ident: $type:ty = $value:expr, $unit:ident, $reason:literal;)+) => {
        $(
            #[doc = $reason]
            pub const $name: $type = $value;
        )+
        /// All of them, in the order of the documents.
        pub const TABLE: &[Limit] = &[$(
            Limit { name: stringify!($name), value: $name as u64, unit: Unit::$unit, reason: $reason }
        ),+];
    };
}

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const SECOND: u64 = 1_000;

limits! {
    // Frames and messages.
    FRAME_BYTES_MAX: usize = MIB, Bytes, "A whole WebSocket message; a client that sends more is closed with 1009.";
    TEXT_BYTES_MAX: usize = 64 * KIB, Bytes, "The text of one message: pages of prose fit, a dump of a log goes into a file.";
    DRAFT_BYTES_MAX: usize = 4 * KIB, Bytes, "Unsent text shown while typing; it is sent often, so it stays small.";
    PREVIEW_BYTES_MAX: usize = 256, Bytes, "What a list row keeps of the newest message.";
    NAME_BYTES_MAX: usize = 256, Bytes, "Display names of people, teams and files.";
    FILE_NAME_BYTES_MAX: usize = 180, Bytes, "What is kept of a file's name; every file system takes it.";
    FIELD_BYTES_MAX: usize = KIB, Bytes, "What is kept of the page a visitor writes from, and of the one before.";
    MENTIONS_MAX: usize = 20, Count, "People one note may mention: a team, not the company.";
    COMMENT_BYTES_MAX: usize = 2 * KIB, Bytes, "A rating's comment: a person writes it.";
    LABEL_BYTES_MAX: usize = 64, Bytes, "One label or intent.";
    LABELS_MAX: usize = 32, Count, "Labels of one session; they travel with every session update.";
    CHOICES_MAX: usize = 10, Count, "Buttons under one message, or options of one field: more is a list to read.";
    CHOICE_LABEL_CHARS_MAX: usize = 80, Count, "Characters of one button: a line of a phone.";
    FORM_FIELDS_MAX: usize = 10, Count, "Fields of one form: visitors leave longer ones.";
    FIELD_ID_BYTES_MAX: usize = 64, Bytes, "The id of a field or a choice; programs make them.";
    FIELD_VALUE_CHARS_MAX: usize = 500, Count, "Characters of what is filled into one field.";
    SOURCES_MAX: usize = 3, Count, "Articles one answer may quote.";
    BOT_ANSWER_MS: i64 = 45_000, Milliseconds, "How long a bot may leave the visitor waiting before the session goes to people: longer than a language model may take.";
    BOT_WAIT_MS: i64 = 2_000, Milliseconds, "How long a new session waits for the built-in bot to take it; it takes milliseconds, unless it has too much to do.";
    CLIENT_MSG_ID_BYTES: usize = 16, Bytes, "The exact length of a client_msg_id: 128 bits never collide by chance.";
    ERASE_SEQS_MAX: usize = 1_024, Count, "Entries one erase proposal may cover, so that a turn stays short; more take several.";

    // Connections.
    IN_FLIGHT_MAX: u16 = 64, Count, "Messages of one connection that wait for their ack; beyond it the socket is not read.";
    OUT_QUEUE_BYTES_MAX: usize = MIB, Bytes, "Bytes queued towards one slow reader, behind the frame on its way, before it is closed with 3008.";
    HEADER_TIMEOUT_MS: u64 = 10 * SECOND, Milliseconds, "From accept to the whole request head: ends half-sent upgrades.";
    AUTH_TIMEOUT_MS: u64 = 10 * SECOND, Milliseconds, "From upgrade to a valid hello: ends sockets that never say who they are.";
    HANDSHAKES_PER_S: u32 = 500, Count, "Sockets admitted in a second, and at once: when thousands come back together those who are connected are still served; the others are told when to try again.";
    PING_INTERVAL_MS: u64 = 25 * SECOND, Milliseconds, "Between pings: below the 30 s after which mobile networks forget a silent connection.";
    PONG_WAIT_MS: u64 = 10 * SECOND, Milliseconds, "From ping to any sign of life before the connection counts as dead.";
    POSITION_CHECK_MS: u64 = 40 * SECOND, Milliseconds, "Between a client's checks that it missed nothing: a lost push is noticed without a reconnect.";
    DRAIN_MS: u64 = 25 * SECOND, Milliseconds, "Over how long a stopping server spreads the end of its connections, so that they do not come back at once.";
    RESUME_MS: u64 = 24 * 60 * 60 * SECOND, Milliseconds, "From a welcome to the last use of its resume token: longer than a laptop's night. A restart of the server ends it earlier.";
    TICKET_MS: u64 = 60 * SECOND, Milliseconds, "From the issue of a ticket to its use as first frame.";
    HELD_MAX: usize = 64, Count, "Conversations one hello or sync may name.";
    OPEN_MAX: usize = 64, Count, "Conversations one agent's connection may have open at a time.";
    PAGE_ENTRIES_MAX: usize = 200, Count, "Rows or timeline entries of one answer of the HTTP API.";
    FIRST_PAGE_ENTRIES: usize = 50, Count, "Entries of the newest page, for a client without a position: a screen or two.";
    CATCH_UP_ENTRIES_MAX: usize = 500, Count, "Entries given on a resume; a client further behind gets the newest page.";
    CATCH_UP_BYTES_MAX: usize = 4 * MIB, Bytes, "Bytes of the entries of one resume: whoever was closed as slow gets all it missed; a client further behind gets the newest page.";
    CATCH_UP_MS: u64 = 120 * SECOND, Milliseconds, "How long an agent's resume may take to be read, all it holds together; whoever is not through by then is closed with 3008 and resumes again.";

    // What is kept for those who are away.
    FEED_CHANGES_MAX: usize = 1_024, Count, "Changes of one user's list kept for a reconnect; older positions reload the list.";
    DEDUPE_IDS_MAX: usize = 16, Count, "Newest ids per sender remembered in memory; older ones are looked up in the history.";
    SENDERS_MAX: usize = 32, Count, "Senders of one conversation remembered; those forgotten are looked up in the history.";
    CURSORS_MAX: usize = 32, Count, "Receipt cursors kept per conversation; the one furthest behind goes first.";
    MENTIONS_UNREAD_MAX: usize = 200, Count, "Unread mentions kept per conversation; the oldest goes first.";
    UNREAD_MAX: usize = 99, Count, "Unread messages counted exactly; beyond it a list says 99+.";
    PARTICIPANTS_MAX: usize = 16, Count, "People beside the owner in one session.";
    CURSOR_INTERVAL_MS: i64 = 1_000, Milliseconds, "Receipts of one participant are written at most this often.";

    // Sessions.
    IDLE_CLOSE_MS: i64 = 30 * 60_000, Milliseconds, "A session closes by itself when the visitor is silent this long after the last answer.";
    IDLE_WARN_MS: i64 = 5 * 60_000, Milliseconds, "How long before that the visitor is told.";
    PRESENCE_GRACE_MS: i64 = 60_000, Milliseconds, "From an agent's last socket to offline: a reload or a change of network is no absence.";
    FIRST_ANSWER_MS: i64 = 120_000, Milliseconds, "How long an owner may leave a new session unanswered before the next agent gets it.";
    INTENT_WAIT_MS: i64 = 2_000, Milliseconds, "How long a new session waits for its intent where that may lead it to another queue (R27).";
    UNATTENDED_DEADLINE_MS: i64 = 24 * 60 * 60_000, Milliseconds, "When a session that came in while nobody was online has to be answered.";
    PENDING_MAX_MS: i64 = 30 * 24 * 60 * 60_000, Milliseconds, "The longest time a session may be set aside.";
    CAPACITY_DEFAULT: u32 = 5, Count, "Sessions one agent gets by routing at a time.";

    // Files.
    FILE_BYTES_MAX: u64 = 20 << 20, Bytes, "One file; photographs and documents fit.";
    VISITOR_FILES_MAX: u64 = 500, Count, "Files one visitor may have stored: small files take rows and blocks of the disk that a quota in bytes does not see.";
    ACCOUNT_FILES_MAX: u64 = 1_000_000, Count, "Files one account may have stored: years of a busy team; one account cannot take all inodes, and its sum for the quota stays short.";
    IMAGE_PIXELS_MAX: u64 = 40_000_000, Count, "Pixels of an image that is decoded: small files can unpack to gigabytes.";
    THUMBNAIL_PIXELS_MAX: u32 = 320, Count, "The longer side of a thumbnail.";
    UPLOAD_PAUSE_MS: u64 = 30 * SECOND, Milliseconds, "Between two pieces of an upload.";

    // HTTP.
    BODY_BYTES_MAX: usize = 128 * KIB, Bytes, "A request body other than an upload: a message as JSON, escaped, fits.";
    BODY_TIMEOUT_MS: u64 = 15 * SECOND, Milliseconds, "A request body other than an upload, from its first byte to its last.";
    LINGER_BYTES_MAX: usize = 32 * MIB, Bytes, "What is still read of a body whose request is answered already, so that the answer reaches a client that is still sending.";
    LINGER_MS: u64 = 10 * SECOND, Milliseconds, "How long such a body is read.";
    MIN_POSITION_WAIT_MS: u64 = SECOND, Milliseconds, "How long a history read waits for the position it names.";
}

// Limits fit each other, or nothing compiles. JSON writes a control character as six bytes.
const _: () = assert!(TEXT_BYTES_MAX * 6 + 4 * KIB < FRAME_BYTES_MAX);
// Who is closed as slow can resume; a newest page is never longer than what may be caught up.
const _: () = assert!(2 * OUT_QUEUE_BYTES_MAX <= CATCH_UP_BYTES_MAX);
const _: () = assert!(FIRST_PAGE_ENTRIES * TEXT_BYTES_MAX <= CATCH_UP_BYTES_MAX);
const _: () = assert!(DRAFT_BYTES_MAX < TEXT_BYTES_MAX && FRAME_BYTES_MAX <= OUT_QUEUE_BYTES_MAX);
const _: () = assert!(IDLE_WARN_MS < IDLE_CLOSE_MS);
const _: () = assert!(PING_INTERVAL_MS + PONG_WAIT_MS < POSITION_CHECK_MS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_a_value_a_reason_and_its_unit_in_its_name() {
        for limit in TABLE {
            assert!(limit.value > 0, "{}", limit.name);
            assert!(limit.reason.ends_with('.'), "{}", limit.name);
            if limit.unit == Unit::Milliseconds {
                assert!(limit.name.ends_with("_MS"), "{}", limit.name);
            }
            if limit.unit == Unit::Bytes {
                assert!(limit.name.contains("BYTES"), "{}", limit.name);
            }
        }
    }
}
