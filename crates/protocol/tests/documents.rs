//! Documents that repeat what the code defines say the same.

use std::{fs, path::Path};

#[test]
fn events_document_is_generated_from_the_proto() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md");
    let document = fs::read_to_string(path).expect("docs/events.md is in the repository");
    assert_eq!(document, frontdesk_protocol::events_markdown(), "run `cargo xtask codegen`");
}
