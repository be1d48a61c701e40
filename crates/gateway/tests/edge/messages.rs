//! Messages and violations over real sockets (R11).

use frontdesk_gateway::edge::{CloseReason, EdgeLimits};

use super::{
    client::{BINARY, CLOSE, Client, PING, PONG, TEXT, frame},
    server::{Event, Server},
};

#[test]
fn text_and_binary_of_all_lengths_come_back() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    for len in [0, 1, 125, 126, 127, 1024, 1025, 65_535, 65_536, 200_000, 1 << 20] {
        let payload = vec![b'a'; len];
        for first in [TEXT, BINARY] {
            client.send(&frame(first, &payload));
            assert_eq!(client.frame(), (first, payload.clone()), "{len}");
        }
    }
    client.say("你好, мир");
    assert_eq!(client.hear(), "你好, мир");
}

#[test]
fn r11_fragments_of_one_byte_make_one_message_with_pings_between() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    let text = "一个 byte at a time";
    let bytes = text.as_bytes();
    for (number, byte) in bytes.iter().enumerate() {
        let fin = if number + 1 == bytes.len() { 0x80 } else { 0 };
        let first = u8::from(number == 0);
        // One byte of payload per frame, one byte of frame per write.
        for piece in frame(fin | first, &[*byte]) {
            client.send(&[piece]);
        }
        if number == 3 {
            client.send(&frame(PING, b"still there?"));
        }
    }
    assert_eq!(client.frame(), (PONG, b"still there?".to_vec()));
    assert_eq!(client.hear(), text);
}

#[test]
fn messages_of_one_write_are_answered_in_order_and_few_writes() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    client.say("warm");
    assert_eq!(client.hear(), "warm");
    let before = server.counters(0);
    let burst: Vec<u8> =
        (0..500).flat_map(|number| frame(TEXT, format!("m{number}").as_bytes())).collect();
    client.send(&burst);
    for number in 0..500 {
        assert_eq!(client.hear(), format!("m{number}"));
    }
    let after = server.counters(0);
    assert_eq!(after.messages_in - before.messages_in, 500);
    assert_eq!(after.frames_out - before.frames_out, 500);
    // One write per turn, whatever the kernel made of ours.
    assert!(after.writes - before.writes <= 50, "{after:?}");
}

#[test]
fn r11_each_violation_closes_with_its_code() {
    let server = Server::start(&EdgeLimits::default());
    let mut big = vec![0x82, 0xff];
    big.extend_from_slice(&(64_u64 << 20).to_be_bytes());
    big.extend_from_slice(&[1, 2, 3, 4]);
    let too_many: Vec<u8> = std::iter::once(frame(0x01, b""))
        .chain(std::iter::repeat_n(frame(0x00, b""), 1024))
        .flatten()
        .collect();
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("64 MiB frame", big, 1009),
        ("1 MiB and a byte", frame(BINARY, &vec![0; (1 << 20) + 1])[..100].to_vec(), 1009),
        ("too many fragments", too_many, 1009),
        ("bad UTF-8", frame(TEXT, &[b'a', 0xff]), 1007),
        ("bad UTF-8 amid a message", frame(0x01, &[0xf4, 0x90, 0x80]), 1007),
        ("unmasked", vec![TEXT, 1, b'a'], 1002),
        ("reserved bit", frame(TEXT | 0x40, b"a"), 1002),
        ("unknown opcode", frame(0x85, b"a"), 1002),
        ("long ping", frame(PING, &[0; 126]), 1002),
        ("fragmented ping", frame(0x09, b"a"), 1002),
        ("continuation of nothing", frame(0x80, b"a"), 1002),
        ("close code 1005", frame(CLOSE, &1005_u16.to_be_bytes()), 1002),
    ];
    for (name, bytes, code) in cases {
        let mut client = Client::connect(server.address);
        assert!(matches!(server.event(), Event::Connected(_)));
        client.send(&bytes);
        assert_eq!(client.closed(), code, "{name}");
        let why = CloseReason::Violation(code);
        assert_eq!(server.event(), Event::Closed { on: 0, why }, "{name}");
    }
}

#[test]
fn r11_a_big_frame_is_told_1009_though_its_sender_does_not_stop() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    let mut bytes = vec![0x82, 0xff];
    bytes.extend_from_slice(&(64_u64 << 20).to_be_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.resize(8 << 20, 0);
    client.send(&bytes);
    assert_eq!(client.closed(), 1009);
}

#[test]
fn a_lower_limit_of_the_service_counts_from_the_next_frame() {
    let server = Server::start(&EdgeLimits::default());
    let mut client = Client::connect(server.address);
    client.send(&[frame(TEXT, b"short"), frame(TEXT, b"ten bytes!")].concat());
    assert_eq!(client.hear(), "ten bytes!");
    client.say("ten bytes!!");
    assert_eq!(client.closed(), 1009);
}

#[test]
fn the_close_handshake_repeats_the_code_and_ends_the_stream() {
    let server = Server::start(&EdgeLimits::default());
    for payload in [&3000_u16.to_be_bytes()[..], b""] {
        let mut client = Client::connect(server.address);
        assert!(matches!(server.event(), Event::Connected(_)));
        // What stands before the close is answered, what follows is not.
        let bytes = [frame(TEXT, b"last"), frame(CLOSE, payload), frame(TEXT, b"late")].concat();
        client.send(&bytes);
        assert_eq!(client.hear(), "last");
        assert_eq!(client.frame(), (CLOSE, payload.to_vec()));
        client.ended();
        let why = CloseReason::Peer((!payload.is_empty()).then_some(3000));
        assert_eq!(server.event(), Event::Closed { on: 0, why });
    }
    let mut client = Client::connect(server.address);
    client.send(&[frame(TEXT, b"close"), frame(TEXT, b"late")].concat());
    assert_eq!(client.closed(), 3500);
}
