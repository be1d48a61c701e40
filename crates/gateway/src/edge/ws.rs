//! RFC 6455 frames, server side: parser and encoder without any IO.
//!
//! Own code, because the crates of the field pin 8 to 128 KiB per connection. Here a connection
//! between messages holds nothing: [`Parser`] is one empty pointer. A frame that lies whole in the
//! read buffer is unmasked and handed over in place. Only what is incomplete is copied out, into a
//! [`Partial`] that goes when its message is done.
//!
//! Frame: `FIN RSV RSV RSV opcode(4) | MASK len(7) | len(0, 16 or 64 bits) | mask(32) | payload`.

#[cfg(fuzzing)]
pub mod fuzzing;

use std::borrow::Cow;

use frontdesk_protocol::close::{self, CloseCode};

use super::{EdgeLimits, Kind};

/// Longest payload of a control frame.
pub(super) const CONTROL_BYTES_MAX: usize = 125;
/// Two bytes, eight of length, four of mask.
const HEADER_BYTES_MAX: usize = 14;

/// The opcodes a server sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Text = 1,
    Binary = 2,
    Close = 8,
    Pong = 10,
}

impl From<Kind> for Opcode {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text,
            Kind::Binary => Self::Binary,
        }
    }
}

/// Header of an unfragmented, unmasked frame and its length.
pub(super) fn encode_header(opcode: Opcode, payload: usize) -> ([u8; 10], usize) {
    let mut header = [0; 10];
    header[0] = 0x80 | opcode as u8;
    let len = if payload < 126 {
        header[1] = payload as u8;
        2
    } else if let Ok(short) = u16::try_from(payload) {
        header[1] = 126;
        header[2..4].copy_from_slice(&short.to_be_bytes());
        4
    } else {
        header[1] = 127;
        header[2..10].copy_from_slice(&(payload as u64).to_be_bytes());
        10
    };
    (header, len)
}

/// What the peer did wrong; each has one close code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    #[error("a reserved bit is set")]
    ReservedBit,
    #[error("unknown opcode")]
    Opcode,
    #[error("frame is not masked")]
    Unmasked,
    #[error("control frame is fragmented or longer than 125 bytes")]
    Control,
    #[error("length is not in its shortest form")]
    Length,
    #[error("continuation without a message to continue")]
    Continuation,
    #[error("new message within a fragmented one")]
    Interleaved,
    #[error("close frame with an invalid code or length")]
    CloseCode,
    #[error("text is not UTF-8")]
    Utf8,
    #[error("frame or message too big")]
    TooBig,
    #[error("too many fragments")]
    Fragments,
}

impl Violation {
    /// The close code that tells the peer.
    pub(super) fn code(self) -> &'static CloseCode {
        match self {
            Self::Utf8 => &close::NOT_UTF8,
            Self::TooBig | Self::Fragments => &close::TOO_LARGE,
            _ => &close::PROTOCOL,
        }
    }
}

/// What a step of the parser found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// All input is used up; more is needed.
    NeedMore,
    /// Input was used, nothing to hand over yet.
    Progress,
    Text(Cow<'a, str>),
    Binary(Cow<'a, [u8]>),
    Ping(Cow<'a, [u8]>),
    Pong,
    /// The code, if there was one.
    Close(Option<u16>),
}

/// The parser of one connection: nothing between messages.
#[derive(Debug, Default)]
pub(super) struct Parser(Option<Box<Partial>>);

/// What is kept while a frame or message is incomplete.
#[derive(Debug, Default)]
struct Partial {
    /// Bytes of a header that is not whole yet.
    head: [u8; HEADER_BYTES_MAX],
    head_len: usize,
    /// The frame whose payload is arriving.
    frame: Option<Incoming>,
    /// The message that is being put together, if any.
    message: Option<Opened>,
    /// Payload of a control frame that arrives in pieces, amid a message perhaps.
    control: Vec<u8>,
}

#[derive(Debug)]
struct Incoming {
    header: Header,
    left: usize,
}

#[derive(Debug)]
struct Opened {
    kind: Kind,
    data: Vec<u8>,
    /// Length of the prefix known to be UTF-8.
    valid: usize,
    fragments: u32,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    len: usize,
}

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl Header {
    fn is_control(self) -> bool {
        self.opcode >= CLOSE
    }
}

impl Parser {
    /// Takes one step over `input`: at most one message or control frame. Returns it with the rest
    /// of the input. What was used may have been unmasked in place.
    pub(super) fn step<'a>(
        &mut self,
        input: &'a mut [u8],
        limits: &EdgeLimits,
        message_bytes_max: usize,
    ) -> Result<(Step<'a>, &'a mut [u8]), Violation> {
        if input.is_empty() {
            return Ok((Step::NeedMore, input));
        }
        match &self.0 {
            None => self.step_in_place(input, limits, message_bytes_max),
            Some(_) => self.step_partial(input, limits, message_bytes_max),
        }
    }

    /// Whether nothing is incomplete: no memory is held.
    #[cfg(test)]
    fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// The usual case: no message open, the next frame starts here.
    fn step_in_place<'a>(
        &mut self,
        input: &'a mut [u8],
        limits: &EdgeLimits,
        message_bytes_max: usize,
    ) -> Result<(Step<'a>, &'a mut [u8]), Violation> {
        let whole = match parse_header(input)? {
            Some((header, used)) => {
                check(header, None, limits, message_bytes_max)?;
                let end = used + header.len;
                (header.fin && end <= input.len()).then_some((header, used, end))
            }
            None => None,
        };
        let Some((header, used, end)) = whole else {
            self.0 = Some(Box::default());
            return self.step_partial(input, limits, message_bytes_max);
        };
        let (frame, rest) = input.split_at_mut(end);
        let payload = &mut frame[used..];
        unmask(payload, header.mask, 0);
        let step = match header.opcode {
            TEXT => match simdutf8::basic::from_utf8(payload) {
                Ok(text) => Step::Text(Cow::Borrowed(text)),
                Err(_) => return Err(Violation::Utf8),
            },
            BINARY => Step::Binary(Cow::Borrowed(payload)),
            _ => control_step(header.opcode, Cow::Borrowed(payload))?,
        };
        Ok((step, rest))
    }

    /// A header, frame or message is incomplete: goes on with it. Leaves nothing behind when the
    /// message is done.
    fn step_partial<'a>(
        &mut self,
        input: &'a mut [u8],
        limits: &EdgeLimits,
        message_bytes_max: usize,
    ) -> Result<(Step<'a>, &'a mut [u8]), Violation> {
        let partial = self.0.as_mut().expect("called only while a partial is kept");
        let mut used = 0;
        if partial.frame.is_none() {
            used = partial.take_header(input, limits, message_bytes_max)?;
        }
        if partial.frame.is_none() {
            return Ok((Step::NeedMore, &mut input[used..]));
        }
        let (taken, done) = partial.take_payload(&mut input[used..])?;
        used += taken;
        let step = match done {
            None => Step::NeedMore,
            Some(header) if header.is_control() => {
                let payload = std::mem::take(&mut partial.control);
                control_step(header.opcode, Cow::Owned(payload))?
            }
            Some(header) if header.fin => {
                let message = partial.message.take().expect("a data frame has opened a message");
                message.finish()?
            }
            Some(_) => Step::Progress,
        };
        if partial.is_empty() {
            self.0 = None;
        }
        Ok((step, &mut input[used..]))
    }
}

impl Partial {
    fn is_empty(&self) -> bool {
        self.head_len == 0 && self.frame.is_none() && self.message.is_none()
    }

    /// Gathers header bytes; when the header is whole, opens the frame.
    fn take_header(
        &mut self,
        input: &[u8],
        limits: &EdgeLimits,
        message_bytes_max: usize,
    ) -> Result<usize, Violation> {
        let before = self.head_len;
        let copied = input.len().min(HEADER_BYTES_MAX - before);
        self.head[before..before + copied].copy_from_slice(&input[..copied]);
        let Some((header, len)) = parse_header(&self.head[..before + copied])? else {
            self.head_len = before + copied;
            return Ok(copied);
        };
        check(header, self.message.as_ref(), limits, message_bytes_max)?;
        self.head_len = 0;
        match header.opcode {
            CONTINUATION => {
                let message = self.message.as_mut().expect("checked: a message is open");
                message.fragments += 1;
            }
            TEXT | BINARY => {
                let kind = if header.opcode == TEXT { Kind::Text } else { Kind::Binary };
                self.message = Some(Opened { kind, data: Vec::new(), valid: 0, fragments: 1 });
            }
            _ => {}
        }
        self.frame = Some(Incoming { header, left: header.len });
        Ok(len - before)
    }

    /// Takes payload of the open frame; returns its header when the frame is done.
    fn take_payload(&mut self, input: &mut [u8]) -> Result<(usize, Option<Header>), Violation> {
        let frame = self.frame.as_mut().expect("called with an open frame");
        let header = frame.header;
        let taken = frame.left.min(input.len());
        let chunk = &mut input[..taken];
        unmask(chunk, header.mask, header.len - frame.left);
        frame.left -= taken;
        let done = frame.left == 0;
        if done {
            self.frame = None;
        }
        if header.is_control() {
            self.control.extend_from_slice(chunk);
        } else {
            self.message.as_mut().expect("a data frame has opened a message").extend(chunk)?;
        }
        Ok((taken, done.then_some(header)))
    }
}

impl Opened {
    /// Appends payload; text is checked at once, so that the peer learns early of bad UTF-8.
    fn extend(&mut self, chunk: &[u8]) -> Result<(), Violation> {
        self.data.extend_from_slice(chunk);
        if self.kind == Kind::Text {
            match simdutf8::compat::from_utf8(&self.data[self.valid..]) {
                Ok(_) => self.valid = self.data.len(),
                Err(error) if error.error_len().is_some() => return Err(Violation::Utf8),
                Err(error) => self.valid += error.valid_up_to(),
            }
        }
        Ok(())
    }

    fn finish<'a>(self) -> Result<Step<'a>, Violation> {
        match self.kind {
            Kind::Binary => Ok(Step::Binary(Cow::Owned(self.data))),
            Kind::Text => String::from_utf8(self.data)
                .map(|text| Step::Text(Cow::Owned(text)))
                .map_err(|_| Violation::Utf8),
        }
    }
}

/// Reads a header if it is whole. What can be told from its first two bytes is refused then.
fn parse_header(input: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
    let Some(&first) = input.first() else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(Violation::ReservedBit);
    }
    let opcode = first & 0x0f;
    if !matches!(opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG) {
        return Err(Violation::Opcode);
    }
    let fin = first & 0x80 != 0;
    if opcode >= CLOSE && !fin {
        return Err(Violation::Control);
    }
    let Some(&second) = input.get(1) else { return Ok(None) };
    if second & 0x80 == 0 {
        return Err(Violation::Unmasked);
    }
    let short = second & 0x7f;
    if opcode >= CLOSE && usize::from(short) > CONTROL_BYTES_MAX {
        return Err(Violation::Control);
    }
    let (len, mask_at) = match short {
        126 => {
            let Some(bytes) = input.get(2..4) else { return Ok(None) };
            let len = u64::from(u16::from_be_bytes([bytes[0], bytes[1]]));
            if len < 126 {
                return Err(Violation::Length);
            }
            (len, 4)
        }
        127 => {
            let Some(bytes) = input.get(2..10) else { return Ok(None) };
            let len = u64::from_be_bytes(bytes.try_into().expect("eight bytes were taken"));
            if u16::try_from(len).is_ok() || len >> 63 != 0 {
                return Err(Violation::Length);
            }
            (len, 10)
        }
        _ => (u64::from(short), 2),
    };
    let Some(mask) = input.get(mask_at..mask_at + 4) else { return Ok(None) };
    let header = Header {
        fin,
        opcode,
        mask: mask.try_into().expect("four bytes were taken"),
        len: usize::try_from(len).map_err(|_| Violation::TooBig)?,
    };
    Ok(Some((header, mask_at + 4)))
}

/// Checks a frame's header against the message that is open and the limits.
fn check(
    header: Header,
    open: Option<&Opened>,
    limits: &EdgeLimits,
    message_bytes_max: usize,
) -> Result<(), Violation> {
    if header.is_control() {
        return Ok(());
    }
    let before = match (open, header.opcode) {
        (None, CONTINUATION) => return Err(Violation::Continuation),
        (Some(_), TEXT | BINARY) => return Err(Violation::Interleaved),
        (None, _) => 0,
        (Some(message), _) if message.fragments >= limits.fragments_max => {
            return Err(Violation::Fragments);
        }
        (Some(message), _) => message.data.len(),
    };
    if header.len > limits.frame_bytes_max || header.len > message_bytes_max.saturating_sub(before)
    {
        return Err(Violation::TooBig);
    }
    Ok(())
}

fn control_step(opcode: u8, payload: Cow<'_, [u8]>) -> Result<Step<'_>, Violation> {
    match opcode {
        PING => Ok(Step::Ping(payload)),
        PONG => Ok(Step::Pong),
        _ => match &*payload {
            [] => Ok(Step::Close(None)),
            [_] => Err(Violation::CloseCode),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                if !may_be_sent(code) {
                    return Err(Violation::CloseCode);
                }
                match simdutf8::basic::from_utf8(reason) {
                    Ok(_) => Ok(Step::Close(Some(code))),
                    Err(_) => Err(Violation::Utf8),
                }
            }
        },
    }
}

/// Close codes that may stand in a frame (RFC 6455 section 7.4 and the IANA registry).
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Payload of a close frame; the reason is cut to what a control frame can carry.
pub(super) fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    let mut end = reason.len().min(CONTROL_BYTES_MAX - 2);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = Vec::with_capacity(2 + end);
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    payload
}

/// Unmasks a piece of a payload that starts `offset` bytes into it, eight bytes at a time.
fn unmask(data: &mut [u8], mask: [u8; 4], offset: usize) {
    let mut turned = mask;
    turned.rotate_left(offset % 4);
    let [a, b, c, d] = turned;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = data.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let chunk: &mut [u8; 8] = chunk.try_into().expect("chunks are eight bytes long");
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(turned.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests;
