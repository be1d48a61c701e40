//! A language model behind any OpenAI-compatible endpoint. It may be slow, broken, expensive, or say anything at all:
//!
//! ```text
//! Task -> Prompt     what visitors and pages say stands between marks, as data
//! Llm::ask           Budget (tokens are reserved before), a bounded queue, Breaker, then frontdesk-outgoing
//! Reply::next        pieces of text while they come, at most 4 KiB, and the usage at the end; no visitor waits long for one
//! clean              the untrusted text as plain text, without addresses nobody vouched for
//! ```
//!
//! The key goes to the host it was stored for and nowhere else, and is in no error.

mod breaker;
mod budget;
mod clean;
mod error;
mod events;
mod llm;
mod prompt;
mod reply;
mod settings;
mod wire;

pub use budget::{Budget, CONVERSATIONS_MAX, Spend, estimate};
pub use clean::{Targets, clean};
pub use error::Error;
pub use llm::{Llm, Request};
pub use prompt::{Message, NO_ANSWER, Passage, Prompt, Role, Speaker, Task, Tone, Turn};
pub use reply::{Answer, Finish, Piece, Reply, Usage};
pub use settings::{Invalid, Key, Settings, VISITOR_WAIT_MS, VISITOR_WAIT_MS_MAX, origin};

/// The longest answer that is taken, in bytes: what a draft holds, and more than anybody reads in a chat.
pub const ANSWER_BYTES_MAX: usize = 4 << 10;

/// The beginning of a text, at most so many bytes, that ends with a whole character.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
