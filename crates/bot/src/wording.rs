//! What can be told from the words of a message alone, in English and Chinese: a wish for a person, anger, a greeting.
//! All of it is made to be right when it says something, not to say something often.

mod courtesy;
mod fold;
mod mood;
mod person;

pub use courtesy::{Courtesy, courtesy};
pub use mood::{anger, complaint};
pub use person::wish_for_a_person;

pub(crate) use fold::{fold, has_word, has_words};
