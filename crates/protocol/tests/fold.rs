//! The fold knows codes and keys by their text only; here they meet the tables.

use frontdesk_core::fold::{Refused, TEXT_KEYS};
use frontdesk_protocol::{codes, texts};

#[test]
fn every_refusal_of_the_fold_has_a_line_in_the_table_of_errors() {
    let refusals = [
        Refused::UnknownConversation,
        Refused::Malformed("no actor"),
        Refused::IdReused,
        Refused::Audience,
        Refused::Quote,
        Refused::SeqUnknown,
        Refused::NotAuthor,
        Refused::Gone,
        Refused::Version { current: 1 },
        Refused::Taken { by: String::new() },
        Refused::NotOwner,
        Refused::Closed,
        Refused::AlreadyClosed,
        Refused::Open,
        Refused::NotQueued,
        Refused::NothingToRate,
        Refused::VisitorWaits,
        Refused::NobodyWaits,
        Refused::Value,
        Refused::Target,
        Refused::Full,
    ];
    for refused in refusals {
        assert!(codes::find(refused.code()).is_some(), "{refused:?}");
    }
}

#[test]
fn every_text_of_the_fold_has_a_line_in_the_table_of_texts() {
    for key in TEXT_KEYS {
        assert!(texts::find(key).is_some(), "{key}");
    }
}
