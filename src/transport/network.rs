//! Where sockets come from, who says which are ready, and what time it is: the operating system. In tests it may be a
//! [`Simulation`] instead, so that a whole worker can be played in memory. Outside of tests the enums have one variant,
//! and cost nothing.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Token, Waker};

use super::readiness::Readiness;
use super::remote_config::{RemoteConfig, cut_on_drop};
#[cfg(test)]
use super::simulation::{Simulated, Simulation};

/// See the module's head.
pub(super) enum Network {
    /// The operating system.
    System(Readiness),
    /// A network in memory.
    #[cfg(test)]
    Simulation(Simulation),
}

impl Network {
    /// The time.
    pub(super) fn now(&self) -> Instant {
        match self {
            Network::System(_) => Instant::now(),
            #[cfg(test)]
            Network::Simulation(simulation) => simulation.now(),
        }
    }

    /// Something with which another thread ends [`Network::wait`].
    pub(super) fn waker(&self, token: Token) -> io::Result<Waker> {
        match self {
            Network::System(readiness) => Waker::new(readiness.registry(), token),
            #[cfg(test)]
            Network::Simulation(simulation) => simulation.waker(token),
        }
    }

    /// Begins a connection.
    pub(super) fn connect(&self, peer: &RemoteConfig) -> io::Result<Socket> {
        match self {
            Network::System(_) => peer.connect().map(Socket::System),
            #[cfg(test)]
            Network::Simulation(simulation) => simulation.connect().map(Socket::Simulated),
        }
    }

    /// Asks for reports about a socket under its token, for the first time or with another interest.
    pub(super) fn watch(
        &self,
        socket: &mut Socket,
        token: Token,
        interest: Interest,
        is_known: bool,
    ) -> io::Result<()> {
        match (self, socket) {
            (Network::System(readiness), Socket::System(tcp)) => match is_known {
                false => readiness.registry().register(tcp, token, interest),
                true => readiness.registry().reregister(tcp, token, interest),
            },
            #[cfg(test)]
            (_, Socket::Simulated(socket)) => socket.watch(token, interest),
            #[cfg(test)]
            (Network::Simulation(_), Socket::System(_)) => Err(io::Error::other("it is no simulated socket")),
        }
    }

    /// Asks for reports about a socket for datagrams under its token.
    #[cfg(feature = "webtransport")]
    pub(super) fn watch_datagrams(
        &self,
        socket: &mut mio::net::UdpSocket,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        match self {
            Network::System(readiness) => readiness.registry().register(socket, token, interest),
            #[cfg(test)]
            Network::Simulation(_) => Err(io::Error::other("the simulated network has no datagrams")),
        }
    }

    /// Waits at most so long and tells the tokens that are ready, and whether the server sends nothing more.
    pub(super) fn wait(&mut self, patience: Duration, tell: impl FnMut(Token, bool)) -> io::Result<()> {
        match self {
            Network::System(readiness) => readiness.wait(patience, tell),
            #[cfg(test)]
            Network::Simulation(simulation) => {
                simulation.wait(patience).into_iter().for_each({
                    let mut tell = tell;
                    move |(token, ending)| tell(token, ending)
                });
                Ok(())
            }
        }
    }
}

/// A nonblocking TCP socket.
#[derive(Debug)]
pub(super) enum Socket {
    /// Of the operating system.
    System(TcpStream),
    /// Of a network in memory.
    #[cfg(test)]
    Simulated(Simulated),
}

impl Socket {
    /// The outcome of the connect: `Ok(false)` while it is under way.
    pub(super) fn connected(&self) -> io::Result<bool> {
        let outcome = match self {
            Socket::System(tcp) => match tcp.take_error() {
                Ok(Some(error)) | Err(error) => return Err(error),
                Ok(None) => tcp.peer_addr().map(|_| ()),
            },
            #[cfg(test)]
            Socket::Simulated(socket) => socket.connected(),
        };
        match outcome {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the peer has ended the stream, or it broke, and nothing is left to read.
    pub(super) fn has_ended(&self) -> bool {
        let seen = match self {
            Socket::System(tcp) => tcp.peek(&mut [0]),
            #[cfg(test)]
            Socket::Simulated(socket) => socket.peek(),
        };
        match seen {
            Ok(waiting) => waiting == 0,
            Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted),
        }
    }

    /// The next drop resets the connection.
    pub(super) fn cut(&self) {
        match self {
            Socket::System(tcp) => cut_on_drop(tcp),
            #[cfg(test)]
            Socket::Simulated(socket) => socket.cut(),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::System(tcp) => tcp.read(buffer),
            #[cfg(test)]
            Socket::Simulated(socket) => socket.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::System(tcp) => tcp.write(bytes),
            #[cfg(test)]
            Socket::Simulated(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
