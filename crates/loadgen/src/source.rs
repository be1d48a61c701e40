//! Where connections come from. Tens of thousands of them to one port need several local addresses, and
//! those of a run that has just ended keep their ports for a minute. So every crowd of connections to a
//! server on this machine has loopback addresses of its own, which no run before it used.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    error::{Error, io},
    product::random,
};

/// Connections of one address. The pair with the server's has about 28,000 ports, and beyond 12,000 of
/// them the kernel searches long for a free one.
const PER_ADDRESS: u32 = 10_000;
/// How long a connect and each answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A range of 256 loopback addresses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources {
    block: [u8; 2],
}

impl Sources {
    /// A range by chance: two of 65,000 are rarely the same.
    pub(crate) fn fresh() -> Result<Self, Error> {
        let [first, second, ..] = random()?.to_be_bytes();
        // 127.0 is where everybody else is.
        Ok(Self { block: [first.max(1), second] })
    }

    /// Of the connection with this number.
    fn address(self, index: u32) -> Ipv4Addr {
        let [first, second] = self.block;
        Ipv4Addr::new(127, first, second, (1 + index / PER_ADDRESS).min(254) as u8)
    }

    /// Opens the connection with this number. To another machine it comes from wherever the system likes.
    pub(crate) fn connect(self, server: SocketAddr, index: u32) -> Result<TcpStream, Error> {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, Some(Protocol::TCP))
            .map_err(io("open a socket"))?;
        if matches!(server, SocketAddr::V4(v4) if v4.ip().is_loopback()) {
            choose_port_late(&socket).map_err(io("prepare a socket"))?;
            let local = SocketAddr::from((self.address(index), 0));
            socket.bind(&local.into()).map_err(io("choose a source address"))?;
            // Closing resets the connection: nothing of it waits for a minute in the kernel, where it
            // would stand in the next run's memory.
            socket.set_linger(Some(Duration::ZERO)).map_err(io("prepare a socket"))?;
        }
        // Bounds the connect as well.
        socket.set_write_timeout(Some(ANSWER_TIMEOUT)).map_err(io("prepare a socket"))?;
        socket.connect(&server.into()).map_err(io("connect to the server"))?;
        socket.set_read_timeout(Some(ANSWER_TIMEOUT)).map_err(io("prepare a socket"))?;
        Ok(socket.into())
    }
}

/// The connect chooses the port, when the other end is known: a port that leads elsewhere is free then.
#[cfg(target_os = "linux")]
fn choose_port_late(socket: &Socket) -> std::io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
    Ok(setsockopt(socket, IpBindAddressNoPort, &true)?)
}

#[cfg(not(target_os = "linux"))]
fn choose_port_late(_: &Socket) -> std::io::Result<()> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        io::{ErrorKind, Read as _},
        net::{IpAddr, TcpListener},
    };

    use super::*;

    #[test]
    fn a_crowd_has_addresses_of_its_own() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let server = listener.local_addr().expect("an address");
        let sources = Sources { block: [200, 7] };
        let ips = [0, PER_ADDRESS - 1, PER_ADDRESS].map(|index| {
            let stream = sources.connect(server, index).expect("a connection");
            stream.local_addr().expect("an address").ip()
        });
        let expected = [1, 1, 2].map(|last| IpAddr::from([127, 200, 7, last]));
        assert_eq!(ips, expected);
        let blocks = [(); 3].map(|()| Sources::fresh().expect("a range").block);
        assert!(blocks.iter().any(|block| *block != blocks[0]), "{blocks:?}");
    }

    #[test]
    fn a_port_is_chosen_by_the_connect_and_free_after_the_close() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        choose_port_late(&socket).expect("an option");
        let local = SocketAddr::from(([127, 200, 8, 1], 0));
        socket.bind(&local.into()).expect("an address");
        let bound = socket.local_addr().expect("an address").as_socket();
        assert_eq!(bound.map(|address| address.port()), Some(0));

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let server = listener.local_addr().expect("an address");
        drop(Sources { block: [200, 8] }.connect(server, 0).expect("a connection"));
        let (mut end, _) = listener.accept().expect("a connection");
        let ended = end.read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(ended, Err(ErrorKind::ConnectionReset), "not closed, which would keep the port");
    }
}
