//! Ways out of a loop: to its connections, and to other loops for theirs.

use std::sync::atomic::Ordering;

use frontdesk_protocol::{
    Encoded, Encoding, close,
    codes::ErrorCode,
    wire::{self, server_frame::Frame as Out},
};
use prost::Message as _;
use smallvec::SmallVec;

use super::{
    Chat,
    conn::Conn,
    frames,
    port::{Command, ConnRef, Delivery},
    seconds,
};
use crate::edge::{ConnId, Io, Kind, Payload, Refused};

/// Commands kept for another loop whose inbox is full. Beyond it, frames for its connections are
/// dropped and agents' frames refused: what is behind by so much has stood still for seconds.
const STUCK_MAX: usize = 16_384;

impl Chat {
    /// Sends a frame to a connection of this loop.
    pub(super) fn send(&mut self, io: &mut Io<'_>, conn: ConnId, frame: &Encoded) {
        let now_s = seconds(io.now_ms());
        let Some(state) = self.conn(conn) else { return };
        state.sent_s = now_s;
        let encoding = state.encoding;
        io.send(conn, &payload(encoding, frame));
    }

    /// Sends a frame that nobody else gets to a connection of this loop: encoded where it goes out
    /// from.
    pub(super) fn send_only(&mut self, io: &mut Io<'_>, conn: ConnId, frame: wire::ServerFrame) {
        if self.takes_binary(self.own(conn)) {
            let append = |out: &mut Vec<u8>| frame.encode_raw(out);
            self.send_binary(io, conn, frame.encoded_len(), append);
        } else {
            self.send(io, conn, &Encoded::new(frame));
        }
    }

    /// Whether a connection is one of this loop that speaks the binary subprotocol.
    pub(super) fn takes_binary(&self, to: ConnRef) -> bool {
        to.loop_index == self.options.loop_index
            && matches!(
                self.conns.get(to.conn.index()),
                Some(Some(Conn { encoding: Encoding::Proto, .. }))
            )
    }

    /// Sends a frame of so many bytes that `append` writes to a connection of this loop.
    pub(super) fn send_binary(
        &mut self,
        io: &mut Io<'_>,
        conn: ConnId,
        bytes: usize,
        append: impl FnOnce(&mut Vec<u8>),
    ) {
        let now_s = seconds(io.now_ms());
        let Some(state) = self.conn(conn) else { return };
        state.sent_s = now_s;
        io.send_with(conn, Kind::Binary, bytes, append);
    }

    /// Sends a frame to a connection of any loop; to others at the end of the turn.
    pub(super) fn send_to(&mut self, io: &mut Io<'_>, to: ConnRef, frame: &Encoded) {
        if to.loop_index == self.options.loop_index {
            self.send(io, to.conn, frame);
        } else {
            let outbound = self.outbound.entry(to.loop_index).or_default();
            outbound.push(Delivery { to: SmallVec::from_slice(&[to.conn]), frame: frame.clone() });
        }
    }

    pub(super) fn answer(&mut self, io: &mut Io<'_>, to: ConnRef, reference: u32, frame: Out) {
        let frame = wire::ServerFrame { r#ref: reference, frame: Some(frame) };
        if to.loop_index == self.options.loop_index {
            self.send_only(io, to.conn, frame);
        } else {
            self.send_to(io, to, &Encoded::new(frame));
        }
    }

    /// Refuses a frame of a connection.
    pub(super) fn refuse(
        &mut self,
        io: &mut Io<'_>,
        to: ConnRef,
        reference: u32,
        code: &'static ErrorCode,
    ) {
        self.answer(io, to, reference, Out::Refusal(frames::refusal(code)));
    }

    /// Closes a connection with a code of the table.
    pub(super) fn close(io: &mut Io<'_>, conn: ConnId, code: u16) {
        let reason = close::find(code).map_or("", |line| line.reason);
        io.close(conn, code, reason);
    }

    /// Tells another loop something; keeps the order where its inbox is full. A loop that takes nothing
    /// for long gets no more frames for its connections: they come too late to be of use, and clients
    /// find the gap by seq or by their position check. Everything else is bounded by the connections
    /// it is about.
    pub(super) fn tell(&mut self, loop_index: u16, command: Command) {
        let stuck = self.stuck.get_mut(&loop_index).filter(|stuck| !stuck.is_empty());
        if let Some(stuck) = stuck {
            if stuck.len() >= STUCK_MAX && command.is_push() {
                self.health.pushes_dropped.fetch_add(1, Ordering::Relaxed);
            } else {
                // Behind what waits already, to keep the order.
                stuck.push_back(command);
            }
        } else if let Err(refused) = self.loops.send(loop_index, command) {
            self.keep_stuck(loop_index, refused);
        }
    }

    /// Keeps what a full inbox of this node did not take. What another node does not take is lost, and
    /// found missing there.
    fn keep_stuck(&mut self, loop_index: u16, refused: Refused<Command>) {
        if self.loops.is_local(loop_index) {
            self.stuck.entry(loop_index).or_default().push_front(refused.into_inner());
        } else {
            self.health.pushes_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether another loop is so far behind that no more work should be given to it.
    pub(super) fn is_overrun(&self, loop_index: u16) -> bool {
        self.stuck.get(&loop_index).is_some_and(|stuck| stuck.len() >= STUCK_MAX)
    }

    /// Tries again what full inboxes did not take, in order for each loop.
    pub(super) fn tell_stuck(&mut self) {
        for (loop_index, stuck) in &mut self.stuck {
            while let Some(command) = stuck.pop_front() {
                if let Err(refused) = self.loops.send(*loop_index, command) {
                    stuck.push_front(refused.into_inner());
                    break;
                }
            }
        }
    }

    pub(super) fn tell_all_others(&mut self, command: impl Fn() -> Command) {
        for loop_index in self.loops.numbers() {
            if loop_index != self.options.loop_index {
                self.tell(loop_index, command());
            }
        }
    }
}

/// The message for one connection.
fn payload(encoding: Encoding, frame: &Encoded) -> Payload {
    let kind = match encoding {
        Encoding::Proto => Kind::Binary,
        Encoding::Json => Kind::Text,
    };
    Payload { kind, bytes: frame.bytes(encoding) }
}
