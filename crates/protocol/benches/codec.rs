//! What reading a client's frame and writing a server's costs, in both subprotocols.
//!
//! Expected on a 2-core machine: protobuf copies 200 bytes and a few fields, so some hundred nanoseconds;
//! JSON has to find names, escape text and write an id in base64, so about ten times as much.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use frontdesk_core::chat::{self, content, entry, timeline_item};
use frontdesk_protocol::{
    Encoding, decode_client, encode_client, encode_server,
    wire::{self, client_frame, server_frame},
};

const TEXT: &str = "the quick brown fox jumps over the lazy dog ";
const SUBPROTOCOLS: [(&str, Encoding); 2] = [("proto", Encoding::Proto), ("json", Encoding::Json)];

fn content_200_bytes() -> chat::Content {
    let body = TEXT.chars().cycle().take(200).collect();
    let kind = Some(content::Kind::Text(chat::Text { body }));
    chat::Content { kind, ..chat::Content::default() }
}

fn decode(criterion: &mut Criterion) {
    let send = wire::Send {
        client_msg_id: vec![7; 16].into(),
        content: Some(content_200_bytes()),
        ..wire::Send::default()
    };
    let frame = wire::ClientFrame { r#ref: 9, frame: Some(client_frame::Frame::Send(send)) };
    let mut group = criterion.benchmark_group("decode/send_200_bytes");
    for (name, encoding) in SUBPROTOCOLS {
        let mut message = Vec::new();
        encode_client(encoding, &frame, &mut message).expect("a frame can be written");
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| decode_client(encoding, &message).expect("what was written is read"));
        });
    }
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let ack = server_frame::Frame::Ack(wire::Ack {
        client_msg_id: vec![7; 16].into(),
        position: Some(wire::Position { epoch: u64::MAX / 3, seq: 1_000 }),
        at_ms: 1_790_000_000_000,
        conversation: "d4s0q1h2q5k3v8m6n700".to_owned(),
        id: "d4s0q1h2q5k3v8m6n720".to_owned(),
    });
    let entry = chat::Entry {
        seq: 1_000,
        id: "d4s0q1h2q5k3v8m6n720".to_owned(),
        at_ms: 1_790_000_000_000,
        session: "d4s0q1h2q5k3v8m6n710".to_owned(),
        body: Some(entry::Body::Content(content_200_bytes())),
        ..chat::Entry::default()
    };
    let item = chat::TimelineItem { item: Some(timeline_item::Item::Entry(entry)) };
    let entries = server_frame::Frame::Entries(wire::Entries {
        conversation: "d4s0q1h2q5k3v8m6n700".to_owned(),
        epoch: u64::MAX / 3,
        items: vec![item],
    });
    for (load, frame) in [("encode/ack", ack), ("encode/entry_200_bytes", entries)] {
        let frame = wire::ServerFrame { r#ref: 0, frame: Some(frame) };
        let mut group = criterion.benchmark_group(load);
        for (name, encoding) in SUBPROTOCOLS {
            let mut out = Vec::new();
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    out.clear();
                    encode_server(encoding, &frame, &mut out).expect("a frame can be written");
                    out.len()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);
