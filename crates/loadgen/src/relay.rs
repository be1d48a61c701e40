//! What the generator says to G0, the relay in Go: frames of the baselines, each in one binary
//! WebSocket message.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use crate::{
    error::{Error, io},
    generator::{Dialect, Happened},
    link::{Link, Peer},
    product::random,
    raw::{self, Raw},
    websocket::{self, Keys},
};

/// Frames in WebSocket messages.
#[derive(Debug)]
pub(crate) struct Wrapped {
    raw: Raw,
    frame: Vec<u8>,
    keys: Keys,
}

impl Wrapped {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { raw: Raw::new(), frame: Vec::new(), keys: Keys::new(random()?) })
    }

    /// Connects all, agents first: the relay looks them up by their number.
    pub(crate) fn connect(
        &mut self,
        address: SocketAddr,
        visitors: u32,
        agents: u32,
    ) -> Result<Vec<Link>, Error> {
        let mut first = Vec::new();
        for agent in 0..agents {
            first.push(self.open(address, Peer::Agent(agent))?);
        }
        let mut links = Vec::new();
        for visitor in 0..visitors {
            links.push(self.open(address, Peer::Visitor(visitor))?);
        }
        links.extend(first);
        Ok(links)
    }

    fn open(&mut self, address: SocketAddr, peer: Peer) -> Result<Link, Error> {
        let mut stream = TcpStream::connect(address).map_err(io("connect to the relay"))?;
        let nonce = u128::from(random()?).to_be_bytes();
        let mut out = websocket::request(&address.to_string(), "/", nonce, "frontdesk.bench");
        stream.write_all(&out).map_err(io("ask for the upgrade"))?;
        let (mut answer, mut part) = (Vec::new(), [0; 1_024]);
        let head = loop {
            if let Some(end) = websocket::answer(&answer)? {
                break end;
            }
            match stream.read(&mut part).map_err(io("read the relay's answer"))? {
                0 => return Err(Error::Closed { peer: peer.to_string(), code: None }),
                count => answer.extend_from_slice(&part[..count]),
            }
        };
        out.clear();
        websocket::write(websocket::BINARY, &raw::hello(peer), self.keys.next(), &mut out);
        stream.write_all(&out).map_err(io("greet the relay"))?;
        Link::new(peer, stream, answer.split_off(head))
    }
}

impl Dialect for Wrapped {
    fn message(&mut self, visitor: u32, number: u64, due_ns: u64, out: &mut Vec<u8>) {
        self.frame.clear();
        self.raw.message(visitor, number, due_ns, &mut self.frame);
        websocket::write(websocket::BINARY, &self.frame, self.keys.next(), out);
    }

    fn read(
        &mut self,
        peer: Peer,
        bytes: &[u8],
        out: &mut Vec<u8>,
        happened: &mut Vec<Happened>,
    ) -> Result<usize, Error> {
        let mut used = 0;
        while let Some(frame) = websocket::read(&bytes[used..])? {
            used += frame.bytes;
            if frame.opcode == websocket::PING {
                websocket::write(websocket::PONG, frame.payload, self.keys.next(), out);
            }
            let Some(message) = frame.message(peer)? else { continue };
            if self.raw.read(peer, message, out, happened)? != message.len() {
                return Err(Error::Malformed { what: "a whole frame in a message" });
            }
        }
        Ok(used)
    }
}
