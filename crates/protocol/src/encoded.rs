//! A server frame on its way to many connections: encoded once for each encoding somebody reads.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::{
    codec::{self, Encoding},
    codes,
    wire::{Error, ServerFrame, server_frame::Frame},
};

/// A frame and its encoded forms. Cloning shares both, also between edge loops.
#[derive(Debug, Clone)]
pub struct Encoded {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    frame: ServerFrame,
    proto: OnceLock<Bytes>,
    json: OnceLock<Bytes>,
}

impl Encoded {
    /// Wraps a frame; nothing is encoded yet.
    pub fn new(frame: ServerFrame) -> Self {
        Self { inner: Arc::new(Inner { frame, proto: OnceLock::new(), json: OnceLock::new() }) }
    }

    /// Wraps a push: a frame that answers nothing.
    pub fn push(frame: Frame) -> Self {
        Self::new(ServerFrame { r#ref: 0, frame: Some(frame) })
    }

    /// Returns the frame itself.
    pub fn frame(&self) -> &ServerFrame {
        &self.inner.frame
    }

    /// Returns the message for connections of this encoding, encoding it at the first call.
    pub fn bytes(&self, encoding: Encoding) -> Bytes {
        let slot = match encoding {
            Encoding::Proto => &self.inner.proto,
            Encoding::Json => &self.inner.json,
        };
        slot.get_or_init(|| encode_or_say_so(encoding, &self.inner.frame)).clone()
    }
}

impl From<ServerFrame> for Encoded {
    fn from(frame: ServerFrame) -> Self {
        Self::new(frame)
    }
}

/// Only a stored enum value that this version has no name for cannot be said in JSON; the reader is
/// told that something is missing instead of being left waiting for it.
fn encode_or_say_so(encoding: Encoding, frame: &ServerFrame) -> Bytes {
    let mut out = Vec::new();
    if codec::encode_server(encoding, frame, &mut out).is_ok() {
        return out.into();
    }
    out.clear();
    let error =
        Error { code: codes::INTERNAL.code.to_owned(), message: codes::INTERNAL.text.to_owned() };
    let frame = ServerFrame { r#ref: frame.r#ref, frame: Some(Frame::Error(error)) };
    codec::encode_server(encoding, &frame, &mut out)
        .expect("an error frame holds a number and two strings, which have a form everywhere");
    out.into()
}

#[cfg(test)]
mod tests {
    use frontdesk_core::chat;

    use super::*;
    use crate::wire::{Done, Welcome};

    #[test]
    fn a_frame_is_encoded_once_and_shared() {
        let encoded = Encoded::new(ServerFrame { r#ref: 9, frame: Some(Frame::Done(Done {})) });
        let other = encoded.clone();
        for encoding in Encoding::ALL {
            assert_eq!(encoded.bytes(encoding).as_ptr(), other.bytes(encoding).as_ptr());
        }
        assert_eq!(encoded.bytes(Encoding::Json), br#"{"ref":9,"done":{}}"#.as_slice());
    }

    #[test]
    fn what_json_cannot_say_becomes_an_error_frame() {
        let actor = chat::Actor { kind: 99, ..Default::default() };
        let welcome = Welcome { self_: Some(actor), ..Default::default() };
        let welcome = Frame::Welcome(Box::new(welcome));
        let encoded = Encoded::new(ServerFrame { r#ref: 3, frame: Some(welcome) });
        let read = codec::decode_server(Encoding::Json, &encoded.bytes(Encoding::Json)).ok();
        let frame = read.and_then(|frame| frame.frame);
        assert!(matches!(frame, Some(Frame::Error(error)) if error.code == "internal"));
    }
}
