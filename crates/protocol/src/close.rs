//! Why the server closes a socket: the table of close codes. The range alone tells a client what to
//! do, so that it also obeys codes that are newer than itself. `docs/protocol.md` repeats the table; a
//! test compares them.

/// What a client does after a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseAction {
    /// Connects again with its resume token, after a growing, random delay.
    Reconnect,
    /// Gets a new ticket by HTTP and connects with it.
    NewTicket,
    /// Stays away until a person acts.
    Stop,
}

impl CloseAction {
    /// Returns what a close code means, known to the table or not.
    pub const fn of(code: u16) -> Self {
        match code {
            3400..=3499 => Self::NewTicket,
            // A client that breaks the WebSocket protocol or sends what is too large would do it again.
            3500..=3999 | 1002 | 1003 | 1007 | 1009 | 1010 => Self::Stop,
            _ => Self::Reconnect,
        }
    }

    /// Returns the word the documents use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reconnect => "reconnect",
            Self::NewTicket => "new ticket",
            Self::Stop => "stop",
        }
    }
}

/// One line of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct CloseCode {
    /// The number in the close frame.
    pub code: u16,
    /// The reason in the close frame: a stable word.
    pub reason: &'static str,
    /// When the server sends it.
    pub text: &'static str,
}

impl CloseCode {
    /// Returns what the client does.
    pub const fn action(&self) -> CloseAction {
        CloseAction::of(self.code)
    }
}

macro_rules! close_codes {
    ($($name:ident = $code:literal, $reason:literal, $text:literal;)+) => {
        $(
            #[doc = $text]
            pub const $name: CloseCode =
                CloseCode { code: $code, reason: $reason, text: $text };
        )+
        /// Every close code the server sends, in order.
        pub const ALL: &[&CloseCode] = &[$(&$name),+];
    };
}

close_codes! {
    NORMAL = 1000, "normal", "The client closed; the server answers.";
    GOING_AWAY = 1001, "going_away", "The server's answer to a client that leaves the page.";
    PROTOCOL = 1002, "protocol_error", "A frame breaks RFC 6455.";
    UNSUPPORTED = 1003, "unsupported", "A text message on the binary subprotocol, or the other way round.";
    NOT_UTF8 = 1007, "not_utf8", "A text message is not UTF-8.";
    TOO_LARGE = 1009, "too_large", "A message or frame is larger than the limit.";
    INTERNAL = 1011, "internal", "The server failed; the log has the reason.";
    RESTART = 3000, "restart", "The server restarts or is drained.";
    MOVED = 3001, "moved", "Another node serves this conversation now.";
    SLOW = 3008, "slow", "The client reads more slowly than messages arrive; it catches up by resuming.";
    SILENT = 3009, "silent", "Nothing was received for longer than the ping interval allows.";
    INSUFFICIENT_STATE = 3010, "insufficient_state", "The server lost what it needs to go on; nothing that was acked is lost.";
    OVERLOADED = 3011, "overloaded", "The server is busy; connect later.";
    TICKET = 3400, "ticket", "The ticket or resume token is unknown, expired or used, or the first frame was no hello.";
    AUTH_TIMEOUT = 3401, "auth_timeout", "No hello came in time after the upgrade.";
    REPLACED = 3402, "replaced", "A newer connection presented the same resume token.";
    RIGHTS = 3403, "rights", "What the user may do has changed; with the next ticket it counts.";
    FORBIDDEN = 3500, "forbidden", "The user, inbox or account is disabled or gone, or the login session ended.";
    BAD_USE = 3501, "bad_use", "Frames that no correct client sends, such as a second hello or malformed ones.";
    FLOOD = 3502, "flood", "The client went on sending far above its rate.";
    VERSION = 3503, "version", "The client's version is no longer served.";
}

/// Returns the line of this code, if the server ever sends it.
pub fn find(code: u16) -> Option<&'static CloseCode> {
    ALL.iter().copied().find(|line| line.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_say_what_a_client_does() {
        for (code, action) in [
            (1006, CloseAction::Reconnect),
            (1012, CloseAction::Reconnect),
            (3000, CloseAction::Reconnect),
            (3399, CloseAction::Reconnect),
            (3400, CloseAction::NewTicket),
            (3499, CloseAction::NewTicket),
            (3500, CloseAction::Stop),
            (3999, CloseAction::Stop),
            (1009, CloseAction::Stop),
        ] {
            assert_eq!(CloseAction::of(code), action, "{code}");
        }
    }

    #[test]
    fn codes_rise_and_reasons_are_short_words() {
        for pair in ALL.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} before {}", pair[0].code, pair[1].code);
        }
        for line in ALL {
            let code = line.code;
            // RFC 6455: the reason shares 125 bytes with the code.
            assert!(line.reason.len() <= 123, "{code}");
            assert!(
                line.reason
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()),
                "{code}"
            );
            assert_eq!(find(code), Some(*line));
        }
    }
}
