//! The bytes of a connection, in and out: plain TCP, or TLS over it. The set-up reads and writes a
//! stream as any other and waits; a [`crate::link::Link`] never waits and asks for what it needs of
//! each kind, so that plain ones pay for nothing.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    sync::Arc,
};

use rustls::{
    CertificateError, ClientConfig, ClientConnection, InvalidMessage, pki_types::ServerName,
};

use crate::error::{Error, io};

/// How a server is known over TLS.
#[derive(Debug, Clone)]
pub(crate) struct TlsName {
    config: Arc<ClientConfig>,
    host: String,
    name: ServerName<'static>,
}

impl TlsName {
    /// Of a host by its name or address, without a port.
    pub(crate) fn new(host: &str, config: Arc<ClientConfig>) -> Result<Self, Error> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Error::Options("a certificate cannot be for the name of that server"))?;
        Ok(Self { config, host: host.to_owned(), name })
    }

    /// TLS over a connection that is open; nothing is said yet.
    pub(crate) fn over(&self, tcp: TcpStream) -> Result<Stream, Error> {
        let mut session = ClientConnection::new(Arc::clone(&self.config), self.name.clone())
            .map_err(|error| io("begin TLS")(io::Error::other(error)))?;
        // What does not fit into the socket waits here, as it does beside a plain one.
        session.set_buffer_limit(None);
        Ok(Stream::Tls(Box::new(Tls { tcp, session, host: self.host.clone() })))
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<Tls>),
}

/// A TLS session and the connection under it.
#[derive(Debug)]
pub(crate) struct Tls {
    tcp: TcpStream,
    session: ClientConnection,
    /// Whose certificate it asks for.
    host: String,
}

impl From<TcpStream> for Stream {
    fn from(tcp: TcpStream) -> Self {
        Self::Plain(tcp)
    }
}

impl Stream {
    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &tls.tcp,
        }
    }

    /// Waits until the server is known to be the one that was meant.
    pub(crate) fn shake_hands(&mut self) -> Result<(), Error> {
        let Self::Tls(tls) = self else { return Ok(()) };
        match tls.session.complete_io(&mut tls.tcp) {
            Ok(_) => Ok(()),
            Err(source) => Err(tls.failed(source)),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(into),
            Self::Tls(tls) => rustls::Stream::new(&mut tls.session, &mut tls.tcp).read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(bytes),
            Self::Tls(tls) => rustls::Stream::new(&mut tls.session, &mut tls.tcp).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(tls) => rustls::Stream::new(&mut tls.session, &mut tls.tcp).flush(),
        }
    }
}

impl Tls {
    /// Receives once without waiting, and appends what that says to `text`. Tells how many bytes the
    /// socket gave: none when the server is gone.
    pub(crate) fn receive(&mut self, scratch: &mut [u8], text: &mut Vec<u8>) -> io::Result<usize> {
        let count = self.tcp.read(scratch)?;
        let mut sealed = &scratch[..count];
        // Behind the server's goodbye nothing is taken any more.
        while !sealed.is_empty() && self.session.read_tls(&mut sealed)? > 0 {
            if let Err(error) = self.session.process_new_packets() {
                // The server is told why, if its socket takes that.
                drop(self.session.write_tls(&mut self.tcp));
                return Err(io::Error::new(ErrorKind::InvalidData, error));
            }
            self.open_sealed(text)?;
        }
        Ok(count)
    }

    /// Appends what is there in plain text.
    pub(crate) fn open_sealed(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        match self.session.reader().read_to_end(text) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes all of it, to be sent by [`Tls::send`].
    pub(crate) fn seal(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.session.writer().write_all(bytes)
    }

    /// Sends without waiting; true if all is gone.
    pub(crate) fn send(&mut self) -> io::Result<bool> {
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

    /// Why there is no TLS with the server, and what helps.
    pub(crate) fn failed(&self, source: io::Error) -> Error {
        let reason = source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let advice = match reason {
            // Where another authority has the same name, it is the signature that does not fit.
            Some(rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            )) => {
                ": no authority it trusts signed the certificate; give the certificate of the one \
                 that did with --ca FILE"
            }
            Some(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => ": the certificate is for another name; give --target the name it is for",
            Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                ": it does not speak TLS there; is its address http://?"
            }
            _ => "",
        };
        Error::Tls { host: self.host.clone(), advice, source }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use rustls::{
        RootCertStore, ServerConfig, ServerConnection, crypto::ring, pki_types::PrivateKeyDer,
    };

    use super::*;
    use crate::{
        link::{Link, Peer},
        poll::Poller,
    };

    /// A server's configuration with a certificate for `localhost`, and a client's that trusts it.
    fn trusting() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("signed");
        let mut roots = RootCertStore::empty();
        roots.add(signed.cert.der().clone()).expect("a certificate");
        let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(ring::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key)
            .expect("they fit together");
        (Arc::new(server), client(provider, roots))
    }

    fn client(
        provider: Arc<rustls::crypto::CryptoProvider>,
        roots: RootCertStore,
    ) -> Arc<ClientConfig> {
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(client)
    }

    /// Sends back what comes, on one connection, until its end.
    fn echo(config: Arc<ServerConfig>) -> (std::net::SocketAddr, std::thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = std::thread::spawn(move || {
            let (mut tcp, _) = listener.accept().expect("a connection");
            let mut session = ServerConnection::new(config).expect("a session");
            let mut stream = rustls::Stream::new(&mut session, &mut tcp);
            let mut part = vec![0; 30_000];
            while let Ok(count @ 1..) = stream.read(&mut part) {
                if stream.write_all(&part[..count]).is_err() {
                    break;
                }
            }
        });
        (address, server)
    }

    #[test]
    fn more_than_a_socket_takes_comes_back_whole_from_the_first_hello_on() {
        let (server, client) = trusting();
        let (address, echoing) = echo(server);
        let name = TlsName::new("localhost", client).expect("a name");
        let tcp = TcpStream::connect(address).expect("a connection");
        let mut poller = Poller::new(8).expect("a poller");
        let mut link =
            Link::new(Peer::Visitor(0), name.over(tcp).expect("TLS"), Vec::new()).expect("a link");
        link.register(&poller, 5).expect("registered");
        let sent: Vec<u8> = (0..4_000_000_u32).map(|place| (place / 7) as u8).collect();
        for part in sent.chunks(1_000_000) {
            link.send(&poller, 5, part).expect("taken");
        }
        let (mut came, mut ready, mut scratch) = (Vec::new(), Vec::new(), vec![0; 64 << 10]);
        while came.len() < sent.len() {
            poller.wait(&mut ready, None).expect("a wait");
            for event in &ready {
                assert_eq!(event.key, 5);
                if event.writable {
                    link.flush(&poller, 5).expect("flushed");
                }
                if event.readable {
                    // A frame's end that has not come stays for the next time.
                    let parse = |bytes: &[u8]| {
                        let used = bytes.len() / 10 * 10;
                        came.extend_from_slice(&bytes[..used]);
                        Ok(used)
                    };
                    link.receive(&poller, 5, &mut scratch, parse).expect("received");
                }
            }
        }
        assert!(came == sent, "{} bytes came", came.len());
        drop(link);
        echoing.join().expect("the echo ends");
    }

    #[test]
    fn what_was_waited_for_and_what_comes_behind_it_are_one_stream() {
        let (server, client) = trusting();
        let (address, echoing) = echo(server);
        let name = TlsName::new("localhost", client).expect("a name");
        let mut stream =
            name.over(TcpStream::connect(address).expect("a connection")).expect("TLS");
        stream.shake_hands().expect("the certificate is trusted");
        stream.write_all(b"0123456789").expect("written");
        let mut first = [0; 4];
        stream.read_exact(&mut first).expect("read");
        assert_eq!(&first, b"0123");
        // The rest is in the session, where no poller sees it.
        let mut link = Link::new(Peer::Agent(0), stream, b"ab".to_vec()).expect("a link");
        let mut rest = Vec::new();
        link.parse_partial(|bytes| {
            rest.extend_from_slice(bytes);
            Ok(bytes.len())
        })
        .expect("parsed");
        assert_eq!(rest, b"ab456789");
        drop(link);
        echoing.join().expect("the echo ends");
    }

    #[test]
    fn a_server_that_is_not_the_one_meant_is_refused_with_advice() {
        let (server, trusted) = trusting();
        let stranger = client(Arc::new(ring::default_provider()), trusting_nobody());
        for (config, host, advice) in
            [(stranger, "localhost", "--ca"), (trusted, "127.0.0.1", "--target")]
        {
            let (address, echoing) = echo(Arc::clone(&server));
            let name = TlsName::new(host, config).expect("a name");
            let tcp = TcpStream::connect(address).expect("a connection");
            let mut stream = name.over(tcp).expect("TLS");
            let error = stream.shake_hands().expect_err("refused").to_string();
            assert!(error.contains(host) && error.contains(advice), "{error}");
            drop(stream);
            echoing.join().expect("the echo ends");
        }
        let plain = TcpListener::bind("127.0.0.1:0").expect("a port");
        let tcp =
            TcpStream::connect(plain.local_addr().expect("an address")).expect("a connection");
        let (mut far, _) = plain.accept().expect("accepted");
        far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("an answer");
        let name = TlsName::new("localhost", trusting().1).expect("a name");
        let error = name.over(tcp).expect("TLS").shake_hands().expect_err("refused").to_string();
        assert!(error.contains("http://"), "{error}");
    }

    /// Some authority that signed nothing here.
    fn trusting_nobody() -> RootCertStore {
        let signed = rcgen::generate_simple_self_signed(["else".to_owned()]).expect("signed");
        let mut roots = RootCertStore::empty();
        roots.add(signed.cert.der().clone()).expect("a certificate");
        roots
    }
}
