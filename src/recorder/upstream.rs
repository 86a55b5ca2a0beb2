//! A connection to the application, whose directions two threads use at a time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::protocol::http::Responses;
use crate::server::Proxy;
use crate::transport::Tunnel;

/// How long it may take until the application has accepted a connection, and until TLS is agreed on.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the application is.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its host as the url has it: a name, or an address without brackets.
    pub host: String,
    pub port: u16,
    /// How TLS is spoken with it.
    pub tls: Option<Arc<ClientConfig>>,
    /// The proxy in between, and what is asked of it.
    pub proxy: Option<(Proxy, Tunnel)>,
    /// What every request brings, in place of a header of that name.
    pub headers: Vec<(String, String)>,
}

impl Target {
    /// One that is reached by its host and port alone.
    pub(crate) fn new(host: String, port: u16, tls: Option<Arc<ClientConfig>>) -> Target {
        Target { host, port, tls, proxy: None, headers: Vec::new() }
    }

    /// Connects to it once, to see whether that is possible.
    ///
    /// # Errors
    /// Why it is not.
    pub(crate) fn reach(&self) -> io::Result<()> {
        Upstream::connect(self).map(|upstream| upstream.end())
    }

    /// Its scheme and authority, as browsers write them.
    pub(crate) fn origin(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        let (scheme, usual) = if self.tls.is_some() { ("https", 443) } else { ("http", 80) };
        match self.port == usual {
            true => format!("{scheme}://{host}"),
            false => format!("{scheme}://{host}:{}", self.port),
        }
    }
}

/// A connection to the application.
pub(super) struct Upstream {
    socket: TcpStream,
    tls: Option<Arc<Mutex<ClientConnection>>>,
    /// What has arrived and is not decrypted.
    arrived: Vec<u8>,
}

impl Upstream {
    /// Connects to the first of its addresses that accepts.
    ///
    /// # Errors
    /// Why the last of them does not.
    pub(super) fn connect(target: &Target) -> io::Result<Upstream> {
        let addresses: Vec<SocketAddr> = match &target.proxy {
            Some((proxy, _)) => proxy.addresses()?,
            None => (target.host.as_str(), target.port).to_socket_addrs()?.collect(),
        };
        let mut failed = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in addresses {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(socket) => return Upstream::over(socket, target),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn over(mut socket: TcpStream, target: &Target) -> io::Result<Upstream> {
        socket.set_nodelay(true)?;
        if let Some((_, tunnel)) = &target.proxy {
            cross(&mut socket, tunnel)?;
        }
        let Some(config) = &target.tls else {
            return Ok(Upstream { socket, tls: None, arrived: Vec::new() });
        };
        let name = ServerName::try_from(target.host.clone()).map_err(io::Error::other)?;
        let mut tls = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        socket.set_read_timeout(None)?;
        Ok(Upstream { socket, tls: Some(Arc::new(Mutex::new(tls))), arrived: Vec::new() })
    }

    /// The same connection for another thread.
    pub(super) fn for_another(&self) -> io::Result<Upstream> {
        Ok(Upstream { socket: self.socket.try_clone()?, tls: self.tls.clone(), arrived: Vec::new() })
    }

    /// Its socket, to end it from elsewhere.
    pub(super) fn socket(&self) -> io::Result<TcpStream> {
        self.socket.try_clone()
    }

    /// A read that takes longer fails.
    pub(super) fn wait_at_most(&self, time: Duration) -> io::Result<()> {
        self.socket.set_read_timeout(Some(time))
    }

    /// Ends it for both threads.
    pub(super) fn end(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

/// Opens the way through a proxy.
fn cross(socket: &mut TcpStream, tunnel: &Tunnel) -> io::Result<()> {
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(&tunnel.request())?;
    let mut answers = Responses::new(0);
    answers.answers_head();
    let mut byte = [0];
    loop {
        socket.read_exact(&mut byte)?;
        let no_http = |_| io::Error::other(format!("the proxy {} does not speak HTTP", tunnel.proxy));
        if let Some(answer) = answers.read(&mut &byte[..]).map_err(no_http)? {
            socket.set_read_timeout(None)?;
            return tunnel.judge(&answer).map_err(io::Error::other);
        }
    }
}

fn lock(tls: &Mutex<ClientConnection>) -> MutexGuard<'_, ClientConnection> {
    tls.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends what TLS has to say.
fn flush(tls: &mut ClientConnection, mut socket: &TcpStream) -> io::Result<()> {
    while tls.wants_write() {
        tls.write_tls(&mut socket)?;
    }
    Ok(())
}

impl Read for Upstream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return self.socket.read(buffer) };
        loop {
            match lock(tls).reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            if self.arrived.is_empty() {
                self.arrived.resize(16 << 10, 0);
                // Not under the lock: the other thread may write meanwhile.
                let count = self.socket.read(&mut self.arrived)?;
                self.arrived.truncate(count);
                if count == 0 {
                    return Ok(0);
                }
            }
            // A piece at a time: the library takes no more where much is decrypted already.
            let mut tls = lock(tls);
            let taken = tls.read_tls(&mut self.arrived.as_slice())?;
            self.arrived.drain(..taken);
            tls.process_new_packets().map_err(io::Error::other)?;
            flush(&mut tls, &self.socket)?;
        }
    }
}

impl Write for Upstream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else { return self.socket.write(bytes) };
        let mut tls = lock(tls);
        let count = tls.writer().write(bytes)?;
        flush(&mut tls, &self.socket)?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
