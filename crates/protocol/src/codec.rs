//! Bytes to frames and back, for both subprotocols.
//!
//! `frontdesk.v1.proto` carries one protobuf frame in a binary message, `frontdesk.v1.json` the same
//! frame in protobuf's canonical JSON mapping in a text message: ids as 20 characters, `bytes` as
//! base64, 64-bit integers as strings. Unknown fields are ignored, so that old and new versions talk
//! to each other; whatever is malformed, and a frame whose kind is unknown, is an error. Nesting is
//! bounded by both parsers (100 levels of protobuf, 128 of JSON) and by neither recursing into fields
//! they skip without counting them.

use prost::Message;

use crate::wire::{ClientFrame, ServerFrame};

/// How frames look on one connection: the negotiated subprotocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// Protobuf in binary messages.
    Proto,
    /// Canonical JSON in text messages.
    Json,
}

impl Encoding {
    /// Both, in the order a server prefers them.
    pub const ALL: [Self; 2] = [Self::Proto, Self::Json];

    /// Returns the name in `Sec-WebSocket-Protocol`.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Proto => "frontdesk.v1.proto",
            Self::Json => "frontdesk.v1.json",
        }
    }

    /// Returns the encoding of exactly this subprotocol.
    pub fn from_subprotocol(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.subprotocol() == name)
    }

    /// Picks the first subprotocol of the client's list that is known here. `offered` is the value of
    /// one `Sec-WebSocket-Protocol` header, the client's favourite first.
    pub fn negotiate(offered: &str) -> Option<Self> {
        offered.split(',').find_map(|name| Self::from_subprotocol(name.trim()))
    }
}

/// Why a message is not a frame.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are no protobuf message of this shape.
    #[error("malformed protobuf frame")]
    Proto(#[source] prost::DecodeError),
    /// The text is no JSON object of this shape.
    #[error("malformed json frame")]
    Json(#[source] serde_json::Error),
    /// Well formed, but of a kind this version does not know, or of none.
    #[error("unknown kind of frame")]
    UnknownFrame {
        /// What the client called the frame, for the refusal.
        reference: u32,
    },
}

impl DecodeError {
    /// Returns the code of the table in `codes` that the client is told.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Proto(_) | Self::Json(_) => crate::codes::FRAME_MALFORMED.code,
            Self::UnknownFrame { .. } => crate::codes::FRAME_UNKNOWN.code,
        }
    }
}

/// Why a frame has no form in an encoding: only JSON refuses, where an enum holds a number without a
/// name.
#[derive(Debug, thiserror::Error)]
#[error("the frame has no json form")]
pub struct EncodeError(#[source] serde_json::Error);

/// Reads one message a client sent.
pub fn decode_client(encoding: Encoding, message: &[u8]) -> Result<ClientFrame, DecodeError> {
    let frame: ClientFrame = decode(encoding, message)?;
    if frame.frame.is_none() {
        return Err(DecodeError::UnknownFrame { reference: frame.r#ref });
    }
    Ok(frame)
}

/// Reads one message a server sent: for clients written in Rust.
pub fn decode_server(encoding: Encoding, message: &[u8]) -> Result<ServerFrame, DecodeError> {
    let frame: ServerFrame = decode(encoding, message)?;
    if frame.frame.is_none() {
        return Err(DecodeError::UnknownFrame { reference: frame.r#ref });
    }
    Ok(frame)
}

/// Appends one server frame to `out`, which a caller on the hot path takes from a pool.
pub fn encode_server(
    encoding: Encoding,
    frame: &ServerFrame,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    encode(encoding, frame, out)
}

/// Appends one client frame to `out`: for clients written in Rust.
pub fn encode_client(
    encoding: Encoding,
    frame: &ClientFrame,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    encode(encoding, frame, out)
}

fn decode<M>(encoding: Encoding, message: &[u8]) -> Result<M, DecodeError>
where
    M: Message + Default + serde::de::DeserializeOwned,
{
    match encoding {
        Encoding::Proto => M::decode(message).map_err(DecodeError::Proto),
        Encoding::Json => serde_json::from_slice(message).map_err(DecodeError::Json),
    }
}

fn encode<M>(encoding: Encoding, frame: &M, out: &mut Vec<u8>) -> Result<(), EncodeError>
where
    M: Message + serde::Serialize,
{
    match encoding {
        Encoding::Proto => {
            frame.encode(out).expect("a Vec grows, so the frame always fits");
            Ok(())
        }
        Encoding::Json => serde_json::to_writer(out, frame).map_err(EncodeError),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::{Ping, client_frame::Frame};

    #[test]
    fn the_first_known_subprotocol_wins() {
        let cases = [
            ("frontdesk.v1.json", Some(Encoding::Json)),
            ("frontdesk.v9.proto, frontdesk.v1.proto", Some(Encoding::Proto)),
            ("frontdesk.v1.json,frontdesk.v1.proto", Some(Encoding::Json)),
            ("FRONTDESK.V1.JSON", None),
            ("", None),
        ];
        for (offered, expected) in cases {
            assert_eq!(Encoding::negotiate(offered), expected, "{offered}");
        }
    }

    #[test]
    fn a_frame_without_a_known_kind_is_refused_by_its_reference() {
        for (encoding, message) in [
            (Encoding::Proto, &[0x08, 0x07, 0xfa, 0x3f, 0x00][..]),
            (Encoding::Json, br#"{"ref": 7, "juggle": {}}"#),
        ] {
            match decode_client(encoding, message) {
                Err(DecodeError::UnknownFrame { reference: 7 }) => {}
                other => panic!("{encoding:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let expected = ClientFrame { r#ref: 7, frame: Some(Frame::Ping(Ping {})) };
        // ref = 7, ping = { field 99 = varint 5 }, field 100 = "x"
        let proto = [0x08, 0x07, 0x5a, 0x03, 0x98, 0x06, 0x05, 0xa2, 0x06, 0x01, 0x78];
        assert_eq!(decode_client(Encoding::Proto, &proto).ok().as_ref(), Some(&expected));
        let json = br#"{"ref": 7, "ping": {"x": [1, {"y": null}]}, "z": "x"}"#;
        assert_eq!(decode_client(Encoding::Json, json).ok().as_ref(), Some(&expected));
    }

    #[test]
    fn r11_deep_nesting_is_refused_or_skipped_without_recursion() {
        for depth in [200_usize, 1_000, 10_000] {
            // Groups, the one construct a protobuf parser skips by recursion.
            let groups = [0xa3, 0x06].repeat(depth);
            assert!(matches!(decode_client(Encoding::Proto, &groups), Err(DecodeError::Proto(_))));
            let json = format!("{{\"hello\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
            assert!(matches!(
                decode_client(Encoding::Json, json.as_bytes()),
                Err(DecodeError::Json(_))
            ));
        }
    }

    #[test]
    fn malformed_messages_are_refused() {
        let proto: [&[u8]; 4] =
            [&[0x08], &[0x5a, 0x05, 0x00], &[0x12, 0x03, 0x0a, 0x01, 0xff], &[0xff]];
        for message in proto {
            assert!(matches!(decode_client(Encoding::Proto, message), Err(DecodeError::Proto(_))));
        }
        let json = [
            "",
            "null",
            "[]",
            "{\"ping\":{}} {}",
            "{\"ping\":{},\"pong\":{}}",
            "{\"ref\":-1,\"ping\":{}}",
            "{\"ref\":1,\"ref\":2,\"ping\":{}}",
            "{\"send\":{\"clientMsgId\":\"?\"}}",
            "{\"send\":{\"audience\":\"AUDIENCE_NOBODY\"}}",
            "{\"send\":{\"content\":{\"text\":{\"body\":{\"$ne\":1}}}}}",
            "{\"ping\":{}",
        ];
        for message in json {
            assert!(
                matches!(
                    decode_client(Encoding::Json, message.as_bytes()),
                    Err(DecodeError::Json(_))
                ),
                "{message}"
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            for encoding in Encoding::ALL {
                let client = decode_client(encoding, &bytes);
                let server = decode_server(encoding, &bytes);
                // Whatever was accepted can be said again and means the same.
                if let Ok(frame) = client {
                    let mut again = Vec::new();
                    if encode_client(encoding, &frame, &mut again).is_ok() {
                        prop_assert_eq!(decode_client(encoding, &again).ok(), Some(frame));
                    }
                }
                if let Ok(frame) = server {
                    let mut again = Vec::new();
                    if encode_server(encoding, &frame, &mut again).is_ok() {
                        let decoded = decode_server(encoding, &again).ok();
                        // NaN differs from itself, so compare what is written.
                        prop_assert_eq!(format!("{decoded:?}"), format!("{:?}", Some(frame)));
                    }
                }
            }
        }

        #[test]
        fn arbitrary_json_never_panics(text in "[{}\\[\\]:,\"a-z0-9 ]{0,64}") {
            let wrapped = format!("{{\"send\":{text}}}");
            for message in [text.as_bytes(), wrapped.as_bytes()] {
                if let Ok(frame) = decode_client(Encoding::Json, message) {
                    prop_assert!(frame.frame.is_some());
                }
            }
        }
    }
}
