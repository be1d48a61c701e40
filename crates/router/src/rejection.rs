//! The answer to what may not be done: a line of the table of error codes.

use frontdesk_protocol::{codes::ErrorCode, wire::Refusal};

/// Why a frame or request goes no further. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", code.text)]
pub struct Rejection {
    /// The line of the table.
    pub code: &'static ErrorCode,
    /// What exactly, where the code leaves it open.
    pub detail: String,
}

impl Rejection {
    /// Makes one with a detail.
    pub fn with(code: &'static ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// Returns it as the wire says it; the caller adds what it answers.
    pub fn to_refusal(&self) -> Refusal {
        Refusal {
            code: self.code.code.to_owned(),
            message: self.code.text.to_owned(),
            detail: self.detail.clone(),
            ..Refusal::default()
        }
    }
}

impl From<&'static ErrorCode> for Rejection {
    fn from(code: &'static ErrorCode) -> Self {
        Self { code, detail: String::new() }
    }
}
