//! Why there is no answer, or no more of it.

use std::time::Duration;

use frontdesk_outgoing::Error as OutgoingError;

use crate::{Invalid, Key, cut};

/// What is kept of an endpoint's own words.
const SAYS_BYTES_MAX: usize = 300;

/// A question without an answer. Its text never holds a key, a question, or what the endpoint says; the latter is
/// [`Error::endpoint_says`], for the eyes of whoever configures it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The conversation has no tokens left.
    #[error("the conversation has used up its tokens")]
    BudgetConversation,
    /// The day has no tokens left.
    #[error("the account has used up its tokens for today")]
    BudgetDay,
    /// Too many questions at a time.
    #[error("the language model is busy with other questions")]
    Busy,
    /// It failed so often that it is left alone for a while.
    #[error("the language model failed repeatedly and is not asked for {retry_after:?}")]
    CircuitOpen {
        /// When it is tried again.
        retry_after: Duration,
    },
    /// The key was stored for another host.
    #[error("the key belongs to another host than the one to be asked")]
    KeyHost,
    /// Settings that cannot be used.
    #[error("the settings of the language model cannot be used")]
    Settings(#[from] Invalid),
    /// The key is wrong (401, 403).
    #[error("the language model's endpoint does not accept the key (status {status})")]
    Unauthorized {
        /// 401 or 403.
        status: u16,
        /// Its words.
        says: String,
    },
    /// Too many requests for the endpoint (429).
    #[error("the language model's endpoint asks for fewer requests")]
    Limited {
        /// When to ask again, if it says so.
        retry_after: Option<Duration>,
        /// Its words.
        says: String,
    },
    /// It does not understand or allow the request (any other 4xx).
    #[error("the language model's endpoint rejects the request (status {status})")]
    Rejected {
        /// 400 to 499.
        status: u16,
        /// Its words.
        says: String,
    },
    /// It is broken (5xx), or reports an error in the place of an answer (200).
    #[error("the language model's endpoint failed (status {status})")]
    Failed {
        /// 200, or 500 and more.
        status: u16,
        /// Its words.
        says: String,
    },
    /// What came is not the protocol.
    #[error("the language model's endpoint sent what is no answer: {0}")]
    Garbage(&'static str),
    /// It took too long.
    #[error("the language model did not answer in time")]
    Timeout(#[source] frontdesk_outgoing::Error),
    /// Longer without a word than a visitor waits.
    #[error("the language model kept a visitor waiting for a word")]
    Silent,
    /// More bytes than an answer can have.
    #[error("the language model's endpoint sent too much")]
    TooLarge(#[source] frontdesk_outgoing::Error),
    /// No connection, one that broke, a redirect, or an address that may not be dialled.
    #[error("the language model's endpoint cannot be reached")]
    Unreachable(#[source] frontdesk_outgoing::Error),
}

impl Error {
    /// The stable code; of an endpoint that cannot be reached, the reason's.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BudgetConversation => "llm.budget_conversation",
            Self::BudgetDay => "llm.budget_day",
            Self::Busy => "llm.busy",
            Self::CircuitOpen { .. } => "llm.circuit_open",
            Self::KeyHost => "llm.key_host",
            Self::Settings(invalid) => invalid.code(),
            Self::Unauthorized { .. } => "llm.unauthorized",
            Self::Limited { .. } => "llm.limited",
            Self::Rejected { .. } => "llm.rejected",
            Self::Failed { .. } => "llm.failed",
            Self::Garbage(_) => "llm.garbage",
            Self::Timeout(_) => "llm.timeout",
            Self::Silent => "llm.silent",
            Self::TooLarge(_) => "llm.too_large",
            Self::Unreachable(error) => error.code(),
        }
    }

    /// What the endpoint itself says of its error: untrusted, one line of plain text, without the key.
    pub fn endpoint_says(&self) -> Option<&str> {
        match self {
            Self::Unauthorized { says, .. }
            | Self::Limited { says, .. }
            | Self::Rejected { says, .. }
            | Self::Failed { says, .. } => {
                Some(says).filter(|says| !says.is_empty()).map(String::as_str)
            }
            _ => None,
        }
    }

    /// Whether it speaks against the endpoint, and not only against what was asked.
    pub(crate) const fn is_of_endpoint(&self) -> bool {
        match self {
            Self::Rejected { status, .. } => !matches!(status, 400 | 404 | 409 | 413 | 422),
            _ => true,
        }
    }

    pub(crate) fn of_outgoing(error: OutgoingError) -> Self {
        match error {
            OutgoingError::Timeout(_) => Self::Timeout(error),
            OutgoingError::TooLarge { .. } => Self::TooLarge(error),
            _ => Self::Unreachable(error),
        }
    }

    pub(crate) fn of_status(status: u16, says: String, retry_after: Option<Duration>) -> Self {
        match status {
            401 | 403 => Self::Unauthorized { status, says },
            429 => Self::Limited { retry_after, says },
            400..=499 => Self::Rejected { status, says },
            _ => Self::Failed { status, says },
        }
    }
}

/// An endpoint's words as one short line. Some repeat the key they were given.
pub(crate) fn says(text: &str, key: Option<&Key>) -> String {
    let hidden = key.map_or_else(|| text.to_owned(), |key| text.replace(key.reveal(), "***"));
    let line: String =
        hidden.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SAYS_BYTES_MAX).collect();
    cut(line.trim(), SAYS_BYTES_MAX).to_owned()
}

#[cfg(test)]
mod tests {
    use frontdesk_outgoing::Phase;

    use super::*;

    fn key(secret: &str) -> Key {
        Key::stored(secret, "https://api.example").expect("a key")
    }

    #[test]
    fn an_endpoints_words_are_one_short_line_without_the_key() {
        for (text, key, expected) in [
            ("no such model", None, "no such model"),
            ("wrong key sk-1\r\n(sk-1)", Some(key("sk-1")), "wrong key ***  (***)"),
            ("\u{1b}[31mred\u{7}", None, "[31mred"),
        ] {
            assert_eq!(says(text, key.as_ref()), expected);
        }
        assert_eq!(says(&"退".repeat(1_000), None).len(), SAYS_BYTES_MAX);
    }

    #[test]
    fn only_what_is_no_fault_of_the_request_speaks_against_the_endpoint() {
        let by_status = |status| Error::of_status(status, String::new(), None);
        for status in [400, 404, 409, 413, 422] {
            assert!(!by_status(status).is_of_endpoint(), "{status}");
        }
        for status in [401, 402, 403, 405, 408, 429, 500, 503] {
            assert!(by_status(status).is_of_endpoint(), "{status}");
        }
        let late = Error::of_outgoing(OutgoingError::Timeout(Phase::Idle));
        let broken = Error::of_outgoing(OutgoingError::Broken("broken".into()));
        for error in [late, broken, Error::Silent, Error::Garbage("it is empty")] {
            assert!(error.is_of_endpoint(), "{error:?}");
        }
    }

    #[test]
    fn a_key_at_the_cut_is_hidden_too() {
        let text = format!("{}sk-0123456789", "a".repeat(SAYS_BYTES_MAX - 5));
        assert!(!says(&text, Some(&key("sk-0123456789"))).contains("sk-"));
    }
}
