//! Golden vectors: `vectors/*.json` hold every kind of frame in both encodings. Rust checks them here,
//! TypeScript in `web/packages/protocol`; a client in another language can do the same.
//!
//! `client.json` and `server.json` are lists of `{name, direction, json, proto_hex}`: both forms decode
//! to the same frame, which encodes to exactly these bytes. `lenient.json` holds messages a reader also
//! accepts, with the canonical form they mean; `refused.json` what it refuses, with the error code.
//! After a change of the protocol, `FRONTDESK_WRITE_VECTORS=1 cargo test -p frontdesk-protocol` writes
//! the first two anew; the diff is the change of the wire.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use frontdesk_protocol::{
    Encoding, decode_client, decode_server, encode_client, encode_server,
    wire::{ClientFrame, ServerFrame},
};
use serde_json::{Value, json};

#[path = "vectors/samples.rs"]
mod samples;

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors").join(file)
}

fn read(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(path(file)).expect("the vectors are in the repository");
    serde_json::from_str(&text).expect("a vector file is a list")
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap_or_else(|| panic!("{vector} has no text {field}"))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|c| c.to_digit(16).expect("hexadecimal") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The vectors as the code of today makes them.
fn made(direction: &str) -> Vec<Value> {
    let vector = |name: &str, json: &[u8], proto: &[u8]| {
        let json: Value = serde_json::from_slice(json).expect("the codec writes json");
        json!({"name": name, "direction": direction, "json": json, "proto_hex": to_hex(proto)})
    };
    let mut vectors = Vec::new();
    if direction == "client" {
        for (name, frame) in samples::client() {
            let [proto, json] = Encoding::ALL.map(|encoding| client_bytes(encoding, &frame));
            vectors.push(vector(name, &json, &proto));
        }
    } else {
        for (name, frame) in samples::server() {
            let [proto, json] = Encoding::ALL.map(|encoding| server_bytes(encoding, &frame));
            vectors.push(vector(name, &json, &proto));
        }
    }
    vectors
}

fn client_bytes(encoding: Encoding, frame: &ClientFrame) -> Vec<u8> {
    let mut out = Vec::new();
    encode_client(encoding, frame, &mut out).expect("a sample has a form in each encoding");
    out
}

fn server_bytes(encoding: Encoding, frame: &ServerFrame) -> Vec<u8> {
    let mut out = Vec::new();
    encode_server(encoding, frame, &mut out).expect("a sample has a form in each encoding");
    out
}

#[test]
fn vectors_are_what_the_codec_writes() {
    for direction in ["client", "server"] {
        let file = format!("{direction}.json");
        let made = made(direction);
        if env::var_os("FRONTDESK_WRITE_VECTORS").is_some() {
            let mut text = serde_json::to_string_pretty(&made).expect("values print");
            text.push('\n');
            fs::write(path(&file), text).expect("the crate's folder takes the vectors");
        }
        let kept = read(&file);
        assert_eq!(kept.len(), made.len(), "{file}");
        for (kept, made) in kept.iter().zip(&made) {
            assert_eq!(kept, made, "{file}");
        }
    }
}

#[test]
fn both_forms_mean_the_same_frame() {
    for vector in read("client.json") {
        let json = serde_json::to_vec(&vector["json"]).expect("values print");
        let proto = from_hex(text(&vector, "proto_hex"));
        let a = decode_client(Encoding::Json, &json).expect("a vector decodes");
        let b = decode_client(Encoding::Proto, &proto).expect("a vector decodes");
        assert_eq!(a, b, "{}", vector["name"]);
        assert_eq!(to_hex(&client_bytes(Encoding::Proto, &a)), text(&vector, "proto_hex"));
    }
    for vector in read("server.json") {
        let json = serde_json::to_vec(&vector["json"]).expect("values print");
        let proto = from_hex(text(&vector, "proto_hex"));
        let a = decode_server(Encoding::Json, &json).expect("a vector decodes");
        let b = decode_server(Encoding::Proto, &proto).expect("a vector decodes");
        assert_eq!(a, b, "{}", vector["name"]);
        assert_eq!(to_hex(&server_bytes(Encoding::Proto, &a)), text(&vector, "proto_hex"));
    }
}

#[test]
fn vectors_cover_every_kind() {
    // The kinds as the proto files list them: a new one without a vector fails here.
    let proto = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let wire = fs::read_to_string(proto.join("wire/v1/frame.proto")).expect("the proto is there");
    let chat = fs::read_to_string(proto.join("chat/v1/session.proto")).expect("the proto is there");
    let mut seen = BTreeSet::new();
    for vector in read("client.json").iter().chain(&read("server.json")) {
        keys(&vector["json"], &mut seen);
    }
    for (source, message, oneof) in [
        (&wire, "ClientFrame", "frame"),
        (&wire, "ServerFrame", "frame"),
        (&wire, "Command", "command"),
        (&wire, "FeedChange", "change"),
        (&chat, "Content", "kind"),
        (&chat, "Entry", "body"),
        (&chat, "TimelineItem", "item"),
        (&chat, "SessionEvent", "change"),
    ] {
        for kind in kinds(source, message, oneof) {
            assert!(seen.contains(&kind), "no vector holds {message}.{kind}");
        }
    }
}

fn keys(value: &Value, seen: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                seen.insert(key.clone());
                keys(value, seen);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, seen)),
        _ => {}
    }
}

/// The JSON names of a oneof's fields, read from the text of a proto file.
fn kinds(source: &str, message: &str, oneof: &str) -> Vec<String> {
    let after = |text: &str, mark: &str| {
        let start = text.find(mark).unwrap_or_else(|| panic!("no {mark}")) + mark.len();
        text[start..].to_owned()
    };
    let body =
        after(&after(source, &format!("\nmessage {message} {{")), &format!("oneof {oneof} {{"));
    let body = body.split('}').next().unwrap_or_default();
    let fields = body.lines().filter(|line| line.contains(" = ") && !line.trim().starts_with("//"));
    fields
        .filter_map(|line| line.split_whitespace().nth(1))
        .map(|name| {
            let mut words = name.split('_');
            let first = words.next().unwrap_or_default().to_owned();
            words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
        })
        .collect()
}

#[test]
fn readers_accept_more_than_writers_write() {
    for vector in read("lenient.json") {
        let wanted = serde_json::to_vec(&vector["means"]).expect("values print");
        let wanted = decode_client(Encoding::Json, &wanted).expect("the canonical form decodes");
        let found = match vector["proto_hex"].as_str() {
            Some(hex) => decode_client(Encoding::Proto, &from_hex(hex)),
            None => decode_client(Encoding::Json, text(&vector, "text").as_bytes()),
        };
        assert_eq!(found.ok(), Some(wanted), "{}", vector["name"]);
    }
}

#[test]
fn readers_refuse_what_is_malformed() {
    for vector in read("refused.json") {
        let found = match vector["proto_hex"].as_str() {
            Some(hex) => decode_client(Encoding::Proto, &from_hex(hex)),
            None => decode_client(Encoding::Json, text(&vector, "text").as_bytes()),
        };
        let error = found.expect_err(text(&vector, "name"));
        assert_eq!(error.code(), text(&vector, "code"), "{}", vector["name"]);
    }
}
