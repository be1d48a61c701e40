//! Tests of the frame parser without sockets.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
    Violation(Violation),
}

fn limits() -> EdgeLimits {
    EdgeLimits {
        frame_bytes_max: 100_000,
        message_bytes_max: 100_000,
        fragments_max: 50,
        ..EdgeLimits::default()
    }
}

/// A masked frame as a client sends it.
fn frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(0x80 | len as u8),
        len @ 126..65_536 => {
            bytes.push(0xfe);
            bytes.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0xff);
            bytes.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// Feeds reads to a parser; also tells whether it holds nothing at the end.
fn parse(reads: impl IntoIterator<Item = Vec<u8>>) -> (Vec<Got>, bool) {
    let limits = limits();
    let mut parser = Parser::default();
    let mut got = Vec::new();
    for mut read in reads {
        let mut input = &mut read[..];
        while !input.is_empty() {
            match parser.step(input, &limits, limits.message_bytes_max) {
                Ok((step, rest)) => {
                    got.extend(match step {
                        Step::NeedMore | Step::Progress => None,
                        Step::Text(text) => Some(Got::Text(text.into_owned())),
                        Step::Binary(bytes) => Some(Got::Binary(bytes.into_owned())),
                        Step::Ping(bytes) => Some(Got::Ping(bytes.into_owned())),
                        Step::Pong => Some(Got::Pong),
                        Step::Close(code) => Some(Got::Close(code)),
                    });
                    input = rest;
                }
                Err(violation) => {
                    got.push(Got::Violation(violation));
                    return (got, parser.is_idle());
                }
            }
        }
    }
    (got, parser.is_idle())
}

fn violation(bytes: Vec<u8>) -> Option<Violation> {
    let bytewise = parse(bytes.iter().map(|byte| vec![*byte])).0;
    let whole = parse([bytes]).0;
    assert_eq!(whole, bytewise);
    match whole.last() {
        Some(Got::Violation(violation)) => Some(*violation),
        _ => None,
    }
}

const MASK: [u8; 4] = [1, 2, 3, 4];

#[test]
fn each_violation_is_found_whole_and_byte_by_byte() {
    let cases: Vec<(Vec<u8>, Violation)> = vec![
        (frame(0x80 | 0x40 | 1, b"", MASK), Violation::ReservedBit),
        (frame(0x80 | 0x20 | 1, b"", MASK), Violation::ReservedBit),
        (frame(0x80 | 0x10 | 9, b"", MASK), Violation::ReservedBit),
        (frame(0x80 | 3, b"", MASK), Violation::Opcode),
        (frame(0x8b, b"", MASK), Violation::Opcode),
        (vec![0x81, 0x01, b'a'], Violation::Unmasked),
        (frame(0x09, b"", MASK), Violation::Control),
        (frame(0x80 | 9, &[0; 126], MASK), Violation::Control),
        (vec![0x82, 0xfe, 0, 125, 0, 0, 0, 0], Violation::Length),
        (vec![0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0], Violation::Length),
        (vec![0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Violation::Length),
        (frame(0x80, b"a", MASK), Violation::Continuation),
        ([frame(0x01, b"a", MASK), frame(0x81, b"b", MASK)].concat(), Violation::Interleaved),
        (frame(0x88, &[3], MASK), Violation::CloseCode),
        (frame(0x88, &999_u16.to_be_bytes(), MASK), Violation::CloseCode),
        (frame(0x88, &1005_u16.to_be_bytes(), MASK), Violation::CloseCode),
        (frame(0x88, &1006_u16.to_be_bytes(), MASK), Violation::CloseCode),
        (frame(0x88, &2999_u16.to_be_bytes(), MASK), Violation::CloseCode),
        (frame(0x88, &5000_u16.to_be_bytes(), MASK), Violation::CloseCode),
        (frame(0x88, &[3, 0xe8, 0xff], MASK), Violation::Utf8),
        (frame(0x81, &[0xc0, 0x80], MASK), Violation::Utf8),
        (frame(0x81, &[0xe4, 0xbd], MASK), Violation::Utf8),
        (frame(0x82, &vec![0; 100_001], MASK), Violation::TooBig),
    ];
    for (bytes, expected) in cases {
        let head = bytes[..bytes.len().min(16)].to_vec();
        assert_eq!(violation(bytes), Some(expected), "{head:?}");
    }
}

#[test]
fn a_big_frame_is_refused_by_its_header() {
    let bytes = vec![0x82, 0xff, 0, 0, 0, 0, 4, 0, 0, 0, 9, 9, 9, 9];
    assert_eq!(violation(bytes), Some(Violation::TooBig));
}

#[test]
fn a_message_is_limited_over_its_fragments() {
    let mut bytes = frame(0x02, &vec![0; 60_000], MASK);
    bytes.extend(frame(0x80, &vec![0; 40_001], MASK));
    assert_eq!(violation(bytes), Some(Violation::TooBig));
    let mut bytes = frame(0x02, b"", MASK);
    for _ in 0..50 {
        bytes.extend(frame(0x00, b"", MASK));
    }
    assert_eq!(violation(bytes), Some(Violation::Fragments));
}

#[test]
fn bad_text_is_found_before_the_message_is_whole() {
    // The second fragment makes it bad; the last never comes.
    let mut bytes = frame(0x01, "κόσ".as_bytes(), MASK);
    bytes.extend(frame(0x00, &[0xed, 0xa0, 0x80], MASK));
    assert_eq!(violation(bytes), Some(Violation::Utf8));
    // A character cut by a fragment's end is none of that.
    let text = "你好".as_bytes();
    let mut bytes = frame(0x01, &text[..2], MASK);
    bytes.extend(frame(0x80, &text[2..], MASK));
    assert_eq!(parse([bytes]), (vec![Got::Text("你好".into())], true));
}

#[test]
fn close_codes_and_their_violations_map_to_codes_of_the_rfc() {
    for code in [1000, 1001, 1003, 1007, 1011, 3000, 3999, 4000, 4999] {
        let bytes = frame(0x88, &close_payload(code, "bye"), MASK);
        assert_eq!(parse([bytes]).0, [Got::Close(Some(code))]);
    }
    assert_eq!(parse([frame(0x88, b"", MASK)]).0, [Got::Close(None)]);
    assert_eq!(Violation::Utf8.code().code, 1007);
    assert_eq!(Violation::TooBig.code().code, 1009);
    assert_eq!(Violation::Unmasked.code().code, 1002);
}

#[test]
fn a_close_reason_is_cut_between_characters() {
    let payload = close_payload(3000, &"好".repeat(100));
    assert_eq!(payload.len(), 2 + 123);
    assert_eq!(str::from_utf8(&payload[2..]), Ok("好".repeat(41).as_str()));
}

#[test]
fn headers_take_the_shortest_form() {
    for (len, expected) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
        assert_eq!(encode_header(Opcode::Binary, len).1, expected, "{len}");
    }
}

#[test]
fn unmasking_in_pieces_is_unmasking_at_once() {
    let data: Vec<u8> = (0..100).collect();
    let mut whole = data.clone();
    unmask(&mut whole, MASK, 0);
    for cut in 0..100 {
        let mut pieces = data.clone();
        unmask(&mut pieces[..cut], MASK, 0);
        unmask(&mut pieces[cut..], MASK, cut);
        assert_eq!(pieces, whole);
    }
}

#[derive(Clone, Debug)]
struct Sent {
    message: Got,
    /// Where it is cut into fragments.
    cuts: Vec<prop::sample::Index>,
    /// A ping between its fragments.
    ping: Option<Vec<u8>>,
    mask: [u8; 4],
}

fn sent() -> impl Strategy<Value = Sent> {
    let message = prop_oneof![
        20 => "\\PC{0,60}".prop_map(Got::Text),
        20 => prop::collection::vec(any::<u8>(), 0..300).prop_map(Got::Binary),
        1 => (65_000_usize..66_500).prop_map(|len| Got::Binary(vec![b'x'; len])),
    ];
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..5);
    let ping = prop::option::of(prop::collection::vec(any::<u8>(), 0..=125));
    (message, cuts, ping, any::<[u8; 4]>()).prop_map(|(message, cuts, ping, mask)| Sent {
        message,
        cuts,
        ping,
        mask,
    })
}

/// The frames of all messages, and what must come out of them.
fn encode(all: &[Sent]) -> (Vec<u8>, Vec<Got>) {
    let (mut bytes, mut expected) = (Vec::new(), Vec::new());
    for sent in all {
        let (opcode, payload) = match &sent.message {
            Got::Text(text) => (1, text.as_bytes()),
            Got::Binary(payload) => (2, &payload[..]),
            _ => unreachable!("only data is generated"),
        };
        let mut cuts: Vec<usize> =
            sent.cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
        cuts.push(payload.len());
        cuts.sort_unstable();
        let mut from = 0;
        for (number, &to) in cuts.iter().enumerate() {
            let fin = if number + 1 == cuts.len() { 0x80 } else { 0 };
            let first = if number == 0 { opcode } else { 0 };
            bytes.extend(frame(fin | first, &payload[from..to], sent.mask));
            from = to;
            if let (0, Some(ping)) = (number, &sent.ping) {
                bytes.extend(frame(0x89, ping, sent.mask));
            }
        }
        let ping = sent.ping.clone().map(Got::Ping);
        if cuts.len() > 1 {
            expected.extend(ping);
            expected.push(sent.message.clone());
        } else {
            expected.push(sent.message.clone());
            expected.extend(ping);
        }
    }
    (bytes, expected)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_split_into_reads_gives_the_same_messages(
        all in prop::collection::vec(sent(), 1..8),
        splits in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let (bytes, expected) = encode(&all);
        let mut at: Vec<usize> = splits.iter().map(|split| split.index(bytes.len())).collect();
        at.push(bytes.len());
        at.sort_unstable();
        let mut from = 0;
        let reads: Vec<Vec<u8>> = at.iter().map(|&to| {
            let read = bytes[from..to].to_vec();
            from = to;
            read
        }).collect();
        let (got, idle) = parse(reads);
        prop_assert_eq!(got, expected);
        prop_assert!(idle, "memory is held after the last message");
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        parse([bytes]);
    }
}
