//! Documents that repeat what the code defines say the same.

use std::{collections::BTreeMap, fs, path::Path};

use frontdesk_protocol::{
    Encoding, decode_client, decode_server, document_tables, events_markdown,
};

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    fs::read_to_string(path).expect("the document is in the repository")
}

#[test]
fn events_document_is_generated_from_the_proto() {
    assert_eq!(document("events.md"), events_markdown(), "run `cargo xtask docs`");
}

#[test]
fn protocol_document_holds_the_tables_of_the_code() {
    let text = document("protocol.md");
    let mut found = BTreeMap::new();
    for part in text.split("<!-- table: ").skip(1) {
        let (name, rest) = part.split_once(" -->\n\n").expect("a marker, then an empty line");
        let (table, _) = rest.split_once("\n<!-- end of table -->").expect("the table ends");
        assert!(found.insert(name.to_owned(), table.to_owned()).is_none(), "{name} twice");
    }
    for (name, table) in document_tables() {
        let written = found.remove(name);
        assert_eq!(written.as_deref(), Some(table.as_str()), "{name}: run `cargo xtask docs`");
    }
    assert!(found.is_empty(), "tables the code does not know: {found:?}");
}

#[test]
fn every_frame_shown_in_the_protocol_document_is_one() {
    let text = document("protocol.md");
    let mut shown = 0;
    for part in text.split("```json ").skip(1) {
        let (kind, rest) = part.split_once('\n').expect("the fence's line ends");
        let (block, _) = rest.split_once("```").expect("the fence ends");
        for frame in block.lines().filter(|line| !line.trim().is_empty()) {
            let error = match kind {
                "client" => decode_client(Encoding::Json, frame.as_bytes()).err(),
                "server" => decode_server(Encoding::Json, frame.as_bytes()).err(),
                _ => continue,
            };
            assert!(error.is_none(), "{frame}: {error:?}");
            assert_no_unknown_field(kind, frame);
            shown += 1;
        }
    }
    assert!(shown >= 20, "only {shown} frames are shown");
}

/// A field the code does not know would be ignored by the decoder; a document must not show one.
fn assert_no_unknown_field(kind: &str, frame: &str) {
    let mut again = Vec::new();
    if kind == "client" {
        let frame = decode_client(Encoding::Json, frame.as_bytes()).expect("decoded before");
        frontdesk_protocol::encode_client(Encoding::Json, &frame, &mut again).expect("has a form");
    } else {
        let frame = decode_server(Encoding::Json, frame.as_bytes()).expect("decoded before");
        frontdesk_protocol::encode_server(Encoding::Json, &frame, &mut again).expect("has a form");
    }
    let shown: serde_json::Value = serde_json::from_str(frame).expect("decoded before");
    let meant: serde_json::Value = serde_json::from_slice(&again).expect("written by us");
    assert_eq!(shown, meant, "{frame}");
}
