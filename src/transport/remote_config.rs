//! Where the server is, from which addresses we come, through which proxy, and whether TLS is spoken.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::tunnel::Tunnel;
use crate::system::is_in_progress;

/// The server, as sockets see it.
#[derive(Clone, Debug)]
pub struct RemoteConfig {
    /// Its address, or that of the proxy.
    pub address: SocketAddr,
    /// The way through the proxy, if there is one.
    pub tunnel: Option<Arc<Tunnel>>,
    /// The value of the header `Host`.
    pub authority: String,
    /// How TLS is spoken, if it is, and to whom.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// The addresses that connections come from, in turn; none leaves it to the operating system. Each gives
    /// some 28,000 ports.
    pub sources: Vec<IpAddr>,
    /// Counts connections, to take the sources in turn. Shared by all workers.
    pub turn: Arc<AtomicUsize>,
    /// Whether it closes kept-alive connections early, so that a request may meet their end. Learned on the way, and shared by
    /// all workers.
    pub closes_early: Arc<AtomicBool>,
    /// The largest message that is taken from it, in bytes: beyond it, the connection is cut.
    pub limit: u64,
}

impl RemoteConfig {
    /// Scheme, host and port, as browsers say them in `Origin`.
    pub fn origin(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }

    /// Begins a TCP connection. Nagle's algorithm is off.
    pub(super) fn connect(&self) -> io::Result<mio::net::TcpStream> {
        #[cfg(all(target_os = "linux", not(feature = "portable")))]
        let kind = Type::STREAM.nonblocking();
        #[cfg(any(not(target_os = "linux"), feature = "portable"))]
        let kind = Type::STREAM;
        let socket = Socket::new(Domain::for_address(self.address), kind, Some(Protocol::TCP))?;
        #[cfg(any(not(target_os = "linux"), feature = "portable"))]
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        self.bind(&socket)?;
        match socket.connect(&self.address.into()) {
            Err(error) if !is_in_progress(&error) => Err(error),
            _ => Ok(mio::net::TcpStream::from_std(socket.into())),
        }
    }

    /// A socket for datagrams to and from the server alone.
    #[cfg(feature = "webtransport")]
    pub(super) fn connect_datagrams(&self) -> io::Result<mio::net::UdpSocket> {
        let socket = Socket::new(Domain::for_address(self.address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        self.bind(&socket)?;
        socket.connect(&self.address.into())?;
        Ok(mio::net::UdpSocket::from_std(socket.into()))
    }

    /// Takes the next of the addresses that connections come from, if any are named.
    fn bind(&self, socket: &Socket) -> io::Result<()> {
        if !self.sources.is_empty() {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let source = self.sources[turn % self.sources.len()];
            // The port is chosen at connect, so that the same one can serve several servers.
            #[cfg(all(target_os = "linux", not(feature = "portable")))]
            nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::IpBindAddressNoPort, &true)?;
            // Said in words, because the same number says of a connect that no port is left.
            socket.bind(&SocketAddr::new(source, 0).into()).map_err(|error| {
                io::Error::other(format!("the source address {source} cannot be used: {error}"))
            })?;
        }
        Ok(())
    }
}

/// Makes the kernel cut a connection with a reset when it is dropped, as after a cable was pulled; the port is
/// free again at once.
pub(super) fn cut_on_drop(stream: &mio::net::TcpStream) {
    // On failure the connection ends politely instead, which is no worse than an ordinary close.
    let _ = SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
}
