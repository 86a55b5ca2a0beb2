//! One nonblocking socket, with or without TLS.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::ClientConnection;

use super::network::{Network, Socket};
use super::remote_config::RemoteConfig;
use super::tunnel::Tunnel;
use crate::protocol::http::Responses;
use crate::session::Lost;
use crate::system;

/// A nonblocking byte stream.
#[derive(Debug)]
pub(super) struct Stream {
    tcp: Socket,
    /// What is still to be said to the proxy, and heard from it.
    crossing: Option<Box<Crossing>>,
    tls: Option<Box<ClientConnection>>,
}

/// A way through a proxy that is not open yet.
#[derive(Debug)]
struct Crossing {
    tunnel: Arc<Tunnel>,
    out: Vec<u8>,
    answers: Responses,
}

impl Crossing {
    fn new(tunnel: &Arc<Tunnel>) -> Box<Crossing> {
        let mut answers = Responses::new(0);
        // What follows a head that opens the way is not a body (RFC 9110, section 9.3.6).
        answers.answers_head();
        Box::new(Crossing { tunnel: tunnel.clone(), out: tunnel.request(), answers })
    }
}

/// `mio` reports a socket on Windows again only when that call has been made.
const WAITS_FOR_WOULD_BLOCK: bool = cfg!(windows);

/// Why a connection could not even be begun.
pub(super) fn not_made(error: &io::Error) -> Lost {
    system::shortage(error).map_or_else(|| Lost::Unreachable(error.to_string()), Lost::Shortage)
}

/// What a read brought.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// So many bytes, and perhaps more.
    Bytes(usize),
    /// So many bytes (perhaps none), and nothing more for now.
    Drained(usize),
    /// The end of the stream.
    End,
}

impl Stream {
    /// Begins a connection.
    pub(super) fn connect(network: &Network, peer: &RemoteConfig) -> Result<Stream, Lost> {
        let tcp = network.connect(peer).map_err(|error| not_made(&error))?;
        let tls = match &peer.tls {
            None => None,
            Some((config, name)) => {
                let connection = ClientConnection::new(config.clone(), name.clone())
                    .map_err(|error| Lost::Tls(error.to_string()))?;
                Some(Box::new(connection))
            }
        };
        Ok(Stream { tcp, crossing: peer.tunnel.as_ref().map(Crossing::new), tls })
    }

    /// The socket, for the readiness queue.
    pub(super) fn socket(&mut self) -> &mut Socket {
        &mut self.tcp
    }

    /// Whether something has to be said before the first words of the client.
    pub(super) fn has_prelude(&self) -> bool {
        self.is_encrypted() || self.crossing.is_some()
    }

    /// Goes on with the way through the proxy. Whether it is open (always, without a proxy).
    pub(super) fn cross(&mut self) -> Result<bool, Lost> {
        let Some(crossing) = &mut self.crossing else { return Ok(true) };
        let proxy = crossing.tunnel.proxy.clone();
        let broken = |why: String| Lost::Unreachable(format!("the proxy {proxy} {why}"));
        loop {
            let step = match crossing.out.is_empty() {
                false => self.tcp.write(&crossing.out).map(|taken| drop(crossing.out.drain(..taken))),
                true => {
                    let mut byte = [0];
                    match self.tcp.read(&mut byte) {
                        Ok(0) => return Err(broken("ended the connection without an answer".to_owned())),
                        Ok(_) => match crossing.answers.read(&mut &byte[..]) {
                            Ok(None) => Ok(()),
                            Ok(Some(answer)) => {
                                crossing.tunnel.judge(&answer).map_err(Lost::Unreachable)?;
                                self.crossing = None;
                                return Ok(true);
                            }
                            Err(violation) => {
                                return Err(broken(format!("does not speak HTTP: {violation}")));
                            }
                        },
                        Err(error) => Err(error),
                    }
                }
            };
            match step {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(format!("cannot be spoken with: {error}"))),
            }
        }
    }

    /// Whether TLS is spoken.
    pub(super) fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// The outcome of the connect: `Ok(false)` while it is under way.
    pub(super) fn connected(&self) -> Result<bool, Lost> {
        self.tcp.connected().map_err(|error| Lost::Unreachable(error.to_string()))
    }

    /// Tries to say the first words, which tells about the connect without asking the system twice: how many bytes were
    /// taken, `None` while the connect is under way. Without TLS only.
    pub(super) fn speak_first(&mut self, bytes: &[u8]) -> Result<Option<usize>, Lost> {
        match self.tcp.write(bytes) {
            Ok(taken) => Ok(Some(taken)),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected | io::ErrorKind::Interrupted => {
                    Ok(None)
                }
                _ => Err(Lost::Unreachable(error.to_string())),
            },
        }
    }

    /// Goes on with the TLS handshake. Whether it is over (always, without TLS).
    pub(super) fn shake_hands(&mut self) -> Result<bool, Lost> {
        let Some(tls) = &mut self.tls else { return Ok(true) };
        while tls.is_handshaking() {
            if tls.wants_write() {
                match tls.write_tls(&mut self.tcp) {
                    Ok(_) => continue,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(Lost::Tls(error.to_string())),
                }
            }
            match tls.read_tls(&mut self.tcp) {
                Ok(0) => return Err(Lost::Tls("the server ended the connection in the handshake".into())),
                Ok(_) => {
                    if let Err(error) = tls.process_new_packets() {
                        // The alert tells the server why.
                        let _ = tls.write_tls(&mut self.tcp);
                        return Err(Lost::Tls(error.to_string()));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(Lost::Tls(error.to_string())),
            }
        }
        Ok(true)
    }

    /// Whether the server has ended the connection already, and nothing is left to read.
    pub(super) fn has_ended(&self) -> bool {
        self.tcp.has_ended()
    }

    /// Reads what is there.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<Taken, Lost> {
        let Some(tls) = &mut self.tls else {
            return match self.tcp.read(buffer) {
                Ok(0) => Ok(Taken::End),
                // A short read empties a stream socket, so the call that would say "would block" is spared where nobody waits for it.
                Ok(read) if read < buffer.len() && !WAITS_FOR_WOULD_BLOCK => Ok(Taken::Drained(read)),
                Ok(read) => Ok(Taken::Bytes(read)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Taken::Drained(0)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Taken::Bytes(0)),
                Err(error) => Err(Lost::Broken(error.to_string())),
            };
        };
        loop {
            match tls.reader().read(buffer) {
                Ok(0) => return Ok(Taken::End),
                Ok(read) => return Ok(Taken::Bytes(read)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Taken::End),
                Err(error) => return Err(Lost::Broken(error.to_string())),
            }
            match tls.read_tls(&mut self.tcp) {
                Ok(_) => {
                    tls.process_new_packets().map_err(|error| Lost::Tls(error.to_string()))?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Taken::Drained(0)),
                Err(error) => return Err(Lost::Broken(error.to_string())),
            }
        }
    }

    /// Writes what the socket takes; how much that was.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<usize, Lost> {
        let broken = |error: io::Error| Lost::Broken(error.to_string());
        let Some(tls) = &mut self.tls else {
            let mut written = 0;
            while written < bytes.len() {
                match self.tcp.write(&bytes[written..]) {
                    Ok(taken) => written += taken,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(broken(error)),
                }
            }
            return Ok(written);
        };
        let mut written = 0;
        loop {
            written += tls.writer().write(&bytes[written..]).map_err(broken)?;
            while tls.wants_write() {
                match tls.write_tls(&mut self.tcp) {
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(written),
                    Err(error) => return Err(broken(error)),
                }
            }
            if written == bytes.len() {
                return Ok(written);
            }
        }
    }

    /// Whether TLS holds encrypted bytes that the socket did not take yet.
    pub(super) fn is_behind(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Says goodbye on the TLS layer.
    pub(super) fn say_goodbye(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = tls.write_tls(&mut self.tcp);
        }
    }

    /// The next drop resets the connection.
    pub(super) fn cut(&self) {
        self.tcp.cut();
    }
}
