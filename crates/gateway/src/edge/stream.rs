//! The byte stream under a connection: plain TCP, rustls driven by hand over it, or a tunnel to the node
//! where the socket is.

use std::{
    fmt,
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::Shutdown,
};

use bytes::Bytes;
use frontdesk_protocol::close::CloseCode;
use mio::net::TcpStream;
use rustls::ServerConnection;
use socket2::SockRef;

use super::{
    ConnMeta, ConnRef,
    out::OutQueue,
    tunnel::Tunnel,
    ws::{Opcode, close_payload},
};

/// A connection taken back from hyper after the WebSocket handshake.
#[derive(Debug)]
pub struct UpgradedSocket {
    /// The stream, non-blocking.
    pub stream: EdgeStream,
    /// Bytes hyper had read behind the handshake; already decrypted.
    pub read_ahead: Bytes,
    /// What the handshake told.
    pub meta: ConnMeta,
}

impl UpgradedSocket {
    /// Ends a connection that no loop took, with a close frame as far as the socket takes it.
    pub fn refuse(mut self, code: &CloseCode) {
        let mut out = OutQueue::default();
        out.push_copy(Opcode::Close, &close_payload(code.code, code.reason));
        let told = self.stream.write(&mut out).and_then(|_| self.stream.shut_down());
        if let Err(error) = told {
            tracing::debug!(%error, "refused socket was gone already");
        }
    }
}

/// A non-blocking stream, with or without TLS.
pub struct EdgeStream(Inner);

enum Inner {
    Plain(TcpStream),
    Tls(Box<Tls>),
    Tunnel(Box<Tunnel>),
}

struct Tls {
    tcp: TcpStream,
    session: ServerConnection,
}

/// Plain text given to rustls at once: its encrypted form is what a slow reader pins beside its
/// out-queue.
const TLS_CHUNK_MAX: usize = 64 * 1024;

impl EdgeStream {
    /// A plain stream. The socket must be non-blocking.
    pub fn plain(tcp: std::net::TcpStream) -> Self {
        Self(Inner::Plain(TcpStream::from_std(tcp)))
    }

    /// A TLS stream whose handshake is done. The socket must be non-blocking.
    pub fn tls(tcp: std::net::TcpStream, mut session: ServerConnection) -> Self {
        session.set_buffer_limit(Some(TLS_CHUNK_MAX));
        let tcp = TcpStream::from_std(tcp);
        Self(Inner::Tls(Box::new(Tls { tcp, session })))
    }

    /// A stream whose socket is on another node.
    pub(super) fn tunnel(tunnel: Tunnel) -> Self {
        Self(Inner::Tunnel(Box::new(tunnel)))
    }

    /// The tunnel, if this is one.
    pub(super) fn as_tunnel(&mut self) -> Option<&mut Tunnel> {
        match &mut self.0 {
            Inner::Tunnel(tunnel) => Some(tunnel),
            Inner::Plain(_) | Inner::Tls(_) => None,
        }
    }

    /// Where the socket is, if this is a tunnel.
    pub(super) fn home(&self) -> Option<ConnRef> {
        match &self.0 {
            Inner::Tunnel(tunnel) => Some(tunnel.home),
            Inner::Plain(_) | Inner::Tls(_) => None,
        }
    }

    /// Sets the options every connection has.
    pub(super) fn prepare(&mut self, send_buffer_bytes: Option<usize>) -> io::Result<()> {
        let Some(tcp) = self.socket() else { return Ok(()) };
        // Writes are coalesced here, by turn; the kernel must not hold them back as well.
        tcp.set_nodelay(true)?;
        if let Some(bytes) = send_buffer_bytes {
            SockRef::from(&*tcp).set_send_buffer_size(bytes)?;
        }
        Ok(())
    }

    pub(super) fn socket(&mut self) -> Option<&mut TcpStream> {
        match &mut self.0 {
            Inner::Plain(tcp) => Some(tcp),
            Inner::Tls(tls) => Some(&mut tls.tcp),
            Inner::Tunnel(_) => None,
        }
    }

    /// Reads what is there, up to the buffer. `Drained` tells that the socket has no more for now.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<ReadOutcome> {
        match &mut self.0 {
            Inner::Plain(tcp) => loop {
                match tcp.read(buffer) {
                    Ok(0) => return Ok(ReadOutcome { bytes: 0, drained: true, eof: true }),
                    // A short read means the kernel's buffer is empty: with edge-triggered events
                    // whatever comes later announces itself, so the read that would only say
                    // "would block" is saved.
                    Ok(n) => {
                        return Ok(ReadOutcome { bytes: n, drained: n < buffer.len(), eof: false });
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        return Ok(ReadOutcome { bytes: 0, drained: true, eof: false });
                    }
                    Err(error) => return Err(error),
                }
            },
            Inner::Tls(tls) => tls.read(buffer),
            // Whole messages come to it, not bytes.
            Inner::Tunnel(_) => Ok(ReadOutcome { bytes: 0, drained: true, eof: false }),
        }
    }

    /// Writes from the queue until it is empty or the socket takes no more. Returns bytes written
    /// (before TLS), the write calls made, and whether anything is left to write.
    pub(super) fn write(&mut self, out: &mut OutQueue) -> io::Result<WriteOutcome> {
        let mut done = WriteOutcome::default();
        match &mut self.0 {
            Inner::Plain(tcp) => {
                while !out.is_empty() {
                    done.calls += 1;
                    match out.write_with(|slices| write_slices(tcp, slices)) {
                        Ok(0) => return Err(ErrorKind::WriteZero.into()),
                        Ok(n) => done.bytes += n,
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                        Err(error) => return Err(error),
                    }
                }
                done.blocked = !out.is_empty();
            }
            Inner::Tls(tls) => loop {
                if !tls.session.wants_write() {
                    if out.is_empty() {
                        break;
                    }
                    let mut writer = tls.session.writer();
                    done.bytes += out.write_with(|slices| writer.write_vectored(slices))?;
                }
                done.calls += 1;
                if !tls.send()? {
                    done.blocked = true;
                    break;
                }
            },
            Inner::Tunnel(tunnel) => done.bytes = tunnel.write(out)?,
        }
        Ok(done)
    }

    /// Whether TLS has something of its own to write: a key update, a goodbye.
    pub(super) fn wants_write(&self) -> bool {
        match &self.0 {
            Inner::Plain(_) | Inner::Tunnel(_) => false,
            Inner::Tls(tls) => tls.session.wants_write(),
        }
    }

    /// Says that no more will be written.
    pub(super) fn shut_down(&mut self) -> io::Result<()> {
        if let Inner::Tls(tls) = &mut self.0 {
            tls.session.send_close_notify();
            // A few bytes into an empty socket buffer; if they do not fit, the end of the TCP
            // stream says the same.
            tls.send()?;
        }
        self.socket().map_or(Ok(()), |tcp| tcp.shutdown(Shutdown::Write))
    }
}

impl Tls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<ReadOutcome> {
        let mut bytes = 0;
        loop {
            match self.session.reader().read(&mut buffer[bytes..]) {
                // The peer said goodbye, or ended TCP without: the close frame decides which
                // of the two was right.
                Ok(0) => return Ok(ReadOutcome { bytes, drained: true, eof: true }),
                Ok(n) => bytes += n,
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Ok(ReadOutcome { bytes, drained: true, eof: true });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.receive()? {
                        return Ok(ReadOutcome { bytes, drained: true, eof: false });
                    }
                }
                Err(error) => return Err(error),
            }
            if bytes == buffer.len() {
                return Ok(ReadOutcome { bytes, drained: false, eof: false });
            }
        }
    }

    /// Reads and decrypts once; false if the socket has nothing.
    fn receive(&mut self) -> io::Result<bool> {
        loop {
            match self.session.read_tls(&mut self.tcp) {
                Ok(_) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        if let Err(error) = self.session.process_new_packets() {
            // Tell the peer why, if its socket takes it; the connection is lost either way.
            let told = self.send();
            tracing::debug!(%error, told = told.is_ok(), "tls session failed");
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        Ok(true)
    }

    /// Writes encrypted bytes; true if all are gone.
    fn send(&mut self) -> io::Result<bool> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.tcp) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn write_slices(tcp: &mut TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    match slices {
        [one] => tcp.write(one),
        many => tcp.write_vectored(many),
    }
}

pub(super) struct ReadOutcome {
    pub(super) bytes: usize,
    /// Nothing more to read until the next event.
    pub(super) drained: bool,
    pub(super) eof: bool,
}

#[derive(Default)]
pub(super) struct WriteOutcome {
    pub(super) bytes: usize,
    pub(super) calls: u64,
    pub(super) blocked: bool,
}

impl fmt::Debug for EdgeStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Inner::Plain(_) => "EdgeStream(plain)",
            Inner::Tls(_) => "EdgeStream(tls)",
            Inner::Tunnel(_) => "EdgeStream(tunnel)",
        })
    }
}
