//! What the generator says to a baseline: raw frames, as `baseline` defines them. The first bytes of
//! a message's filler carry the time it was due.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpStream},
};

use crate::{
    baseline::{ACK_BYTES, HELLO_BYTES, MESSAGE_BYTES},
    error::{Error, io},
    generator::{Dialect, Happened},
    link::{Link, Peer},
};

/// Frames of the baselines.
#[derive(Debug)]
pub(crate) struct Raw {
    message: [u8; MESSAGE_BYTES],
}

impl Raw {
    pub(crate) fn new() -> Self {
        let mut message = [b'.'; MESSAGE_BYTES];
        message[..4].copy_from_slice(&(MESSAGE_BYTES as u32 - 4).to_le_bytes());
        Self { message }
    }
}

/// Connects all, agents first: the relay looks them up by their number.
pub(crate) fn connect(address: SocketAddr, visitors: u32, agents: u32) -> Result<Vec<Link>, Error> {
    let open = |peer: Peer| {
        let mut stream = TcpStream::connect(address).map_err(io("connect to the baseline"))?;
        stream.write_all(&hello(peer)).map_err(io("greet the baseline"))?;
        Link::new(peer, stream, Vec::new())
    };
    let agents: Vec<Link> = (0..agents).map(|a| open(Peer::Agent(a))).collect::<Result<_, _>>()?;
    let mut links: Vec<Link> =
        (0..visitors).map(|v| open(Peer::Visitor(v))).collect::<Result<_, _>>()?;
    links.extend(agents);
    Ok(links)
}

pub(crate) fn hello(peer: Peer) -> [u8; HELLO_BYTES] {
    let (role, index) = match peer {
        Peer::Visitor(index) => (0_u32, index),
        Peer::Agent(index) => (1, index),
    };
    let mut hello = [0; HELLO_BYTES];
    hello[..4].copy_from_slice(&8_u32.to_le_bytes());
    hello[4..8].copy_from_slice(&role.to_le_bytes());
    hello[8..].copy_from_slice(&index.to_le_bytes());
    hello
}

fn u32_at(frame: &[u8], at: usize) -> u32 {
    frame.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn u64_at(frame: &[u8], at: usize) -> u64 {
    frame.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

impl Dialect for Raw {
    fn message(&mut self, visitor: u32, number: u64, due_ns: u64, out: &mut Vec<u8>) {
        self.message[4..8].copy_from_slice(&visitor.to_le_bytes());
        self.message[8..16].copy_from_slice(&number.to_le_bytes());
        self.message[16..24].copy_from_slice(&due_ns.to_le_bytes());
        out.extend_from_slice(&self.message);
    }

    fn read(
        &mut self,
        _: Peer,
        bytes: &[u8],
        _: &mut Vec<u8>,
        happened: &mut Vec<Happened>,
    ) -> Result<usize, Error> {
        let mut rest = bytes;
        while let Some((head, _)) = rest.split_first_chunk::<4>() {
            let length = u32::from_le_bytes(*head) as usize + 4;
            let Some((frame, behind)) = rest.split_at_checked(length) else { break };
            let (visitor, number) = (u32_at(frame, 4), u64_at(frame, 8));
            happened.push(match length {
                ACK_BYTES => Happened::Acked { visitor, number, place: number },
                MESSAGE_BYTES => {
                    let due_ns = u64_at(frame, 16);
                    Happened::Delivered { visitor, number, place: number, due_ns }
                }
                _ => return Err(Error::Malformed { what: "an ack or a message" }),
            });
            rest = behind;
        }
        Ok(bytes.len() - rest.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_as_what_was_written() {
        let mut raw = Raw::new();
        let mut bytes = Vec::new();
        raw.message(7, 9, 11, &mut bytes);
        raw.message(8, 1, 12, &mut bytes);
        assert_eq!(bytes.len(), 2 * MESSAGE_BYTES);
        bytes.truncate(2 * MESSAGE_BYTES - 1);
        let mut happened = Vec::new();
        let used = raw.read(Peer::Agent(0), &bytes, &mut Vec::new(), &mut happened);
        assert_eq!(used.expect("frames"), MESSAGE_BYTES);
        let expected = Happened::Delivered { visitor: 7, number: 9, place: 9, due_ns: 11 };
        assert_eq!(happened, [expected]);
    }
}
