//! One HTTP exchange over a blocking connection: just enough to see who is there, or to hand something over.
//!
//! Not a client: a request goes out by [`crate::protocol::http`], and everything that comes back until the end of the
//! response (or of patience, or of 64 KiB) is read by it. [`Answer`] says what it was: of a response that is cut or
//! wrong, what came. Deadlines cover the whole exchange, so a server that drips bytes cannot hold it.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::protocol::Violation;
use crate::protocol::http::{self, Response, Responses};
use crate::protocol::websocket::{self, Opcode};
use crate::transport::Tunnel;

use super::Endpoint;

const LIMIT: usize = 64 * 1024;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A whole response head, with the part of the body that came; behind a `101`, the first WebSocket text.
    Http(Response),
    /// Bytes that are no HTTP response, and why they are none.
    NotHttp { bytes: Vec<u8>, why: String },
    /// The connection ended before a response head was complete; what came until then.
    Closed(Vec<u8>),
}

/// Why an exchange failed.
#[derive(Debug)]
pub(crate) enum Broken {
    /// No connection: refused, timed out, unreachable.
    Connect(io::Error),
    /// The TLS handshake failed.
    Tls(rustls::Error),
    /// The peer answered the TLS handshake with plain text, or hung up in it.
    NoTls,
    /// The deadline passed without a complete answer.
    TimedOut,
    /// The connection broke.
    Lost(io::Error),
    /// The proxy did not let us through: a sentence.
    Proxy(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Connect(error) | Broken::Lost(error) => write!(f, "{error}"),
            Broken::Tls(error) => write!(f, "TLS failed: {error}"),
            Broken::NoTls => f.write_str("it does not speak TLS"),
            Broken::TimedOut => f.write_str("it did not answer in time"),
            Broken::Proxy(why) => f.write_str(why),
        }
    }
}

/// What to send.
pub(crate) enum Request<'a> {
    /// `GET`, closing the connection afterwards.
    Get,
    /// `GET` that asks for a WebSocket.
    Upgrade,
    /// `POST` of a body.
    Post {
        /// What the body is.
        kind: &'a str,
        body: &'a [u8],
    },
}

/// Where one request goes, and in which manner.
pub(crate) struct Exchange<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) address: SocketAddr,
    pub(crate) tunnel: Option<&'a Tunnel>,
    pub(crate) tls: Option<&'a Arc<ClientConfig>>,
    pub(crate) deadline: Instant,
    /// Headers beside ours, or in their place.
    pub(crate) headers: &'a [(String, String)],
    /// Path and query.
    pub(crate) target: &'a str,
}

/// Sends one request and takes the answer.
pub(crate) fn exchange(to: &Exchange<'_>, request: &Request<'_>) -> Result<Answer, Broken> {
    let Exchange { endpoint, address, tls, deadline, .. } = *to;
    let stream = TcpStream::connect_timeout(&address, left(deadline)?).map_err(Broken::Connect)?;
    stream.set_nodelay(true).map_err(Broken::Lost)?;
    let mut stream = Patient { stream, deadline };
    if let Some(tunnel) = to.tunnel {
        cross(&mut stream, tunnel)?;
    }
    let bytes = written(to, request)?;
    if !endpoint.secure {
        return talk(stream, &bytes);
    }
    let config = tls.cloned().map_or_else(public_roots, Ok)?;
    let name = ServerName::try_from(endpoint.host.clone())
        .map_err(|_| Broken::Tls(rustls::Error::General(format!("`{}` is no server name", endpoint.host))))?;
    let connection = ClientConnection::new(config, name).map_err(Broken::Tls)?;
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(in_handshake)?;
    }
    talk(stream, &bytes)
}

fn written(to: &Exchange<'_>, request: &Request<'_>) -> Result<Vec<u8>, Broken> {
    let authority = to.endpoint.authority();
    let mut headers = vec![
        ("Host", authority.as_str()),
        ("User-Agent", concat!("sockrates/", env!("CARGO_PKG_VERSION"))),
        ("Accept", "*/*"),
    ];
    let (method, body) = match request {
        Request::Upgrade => {
            headers.extend([("Connection", "Upgrade"), ("Upgrade", "websocket")]);
            headers.push(("Sec-WebSocket-Version", "13"));
            headers.push(("Sec-WebSocket-Key", "c29ja3JhdGVzIHByb2JlIQ=="));
            ("GET", None)
        }
        Request::Get => {
            headers.push(("Connection", "close"));
            ("GET", None)
        }
        Request::Post { kind, body } => {
            headers.extend([("Connection", "close"), ("Content-Type", *kind)]);
            ("POST", Some(*body))
        }
    };
    headers.retain(|(name, _)| !to.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)));
    headers.extend(to.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut bytes = Vec::new();
    http::write_request(&mut bytes, &http::Request { method, target: to.target, headers: &headers, body })
        .map_err(|refused| Broken::Lost(io::Error::new(io::ErrorKind::InvalidInput, refused)))?;
    Ok(bytes)
}

/// Opens the way through a proxy.
fn cross(stream: &mut Patient, tunnel: &Tunnel) -> Result<(), Broken> {
    let broken = |error: io::Error| match timed_out(&error) {
        true => Broken::TimedOut,
        false => Broken::Proxy(format!("the proxy {} ended the connection: {error}", tunnel.proxy)),
    };
    stream.write_all(&tunnel.request()).map_err(broken)?;
    let mut answers = Responses::new(0);
    answers.answers_head();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte).map_err(broken)?;
        let no_http = |_| Broken::Proxy(format!("the proxy {} does not speak HTTP", tunnel.proxy));
        if let Some(answer) = answers.read(&mut &byte[..]).map_err(no_http)? {
            return tunnel.judge(&answer).map_err(Broken::Proxy);
        }
    }
}

fn talk(mut stream: impl Read + Write, request: &[u8]) -> Result<Answer, Broken> {
    // A server may answer and hang up before it has read everything: its answer counts.
    let sent = stream.write_all(request).and_then(|()| stream.flush());
    let mut reading = Reading::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) if reading.take(&chunk[..length]) || reading.bytes.len() >= LIMIT => break,
            Ok(_) => {}
            Err(error) if timed_out(&error) && reading.bytes.is_empty() => return Err(Broken::TimedOut),
            Err(error) if timed_out(&error) => break,
            // An answer without TLS's goodbye, or cut by a reset, is still what came.
            Err(_) if !reading.bytes.is_empty() => break,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(tls_error(error, Broken::Lost)),
        }
    }
    if reading.bytes.is_empty()
        && let Err(error) = sent
    {
        return Err(if timed_out(&error) { Broken::TimedOut } else { tls_error(error, Broken::Lost) });
    }
    Ok(reading.answer())
}

/// What came so far.
struct Reading {
    bytes: Vec<u8>,
    /// The reader has no limit of its own: it never holds more than was read.
    responses: Responses,
    /// A response that is complete. Behind a `101`, its body gathers the frames.
    response: Option<Response>,
    violated: Option<Violation>,
}

impl Reading {
    fn new() -> Self {
        let responses = Responses::new(usize::MAX);
        Self { bytes: Vec::new(), responses, response: None, violated: None }
    }

    /// Takes what has come; true when there is nothing more to wait for.
    fn take(&mut self, mut input: &[u8]) -> bool {
        self.bytes.extend_from_slice(input);
        if self.response.is_none() {
            match self.responses.read(&mut input) {
                Ok(response) => self.response = response,
                Err(violation) => self.violated = Some(violation),
            }
        }
        match &mut self.response {
            Some(response) if response.head.status == 101 => {
                response.body.extend_from_slice(input);
                !matches!(websocket::parse(&response.body, LIMIT as u64), Ok(None))
            }
            Some(_) => true,
            None => self.violated.is_some(),
        }
    }

    fn answer(self) -> Answer {
        match self.response.or_else(|| self.responses.unfinished()) {
            Some(mut response) if response.head.status == 101 => {
                response.body = match websocket::parse(&response.body, LIMIT as u64) {
                    Ok(Some((frame, _))) if frame.opcode == Opcode::Text => frame.payload.to_vec(),
                    _ => Vec::new(),
                };
                Answer::Http(response)
            }
            Some(response) => Answer::Http(response),
            None => match self.violated {
                Some(violation) => Answer::NotHttp { bytes: self.bytes, why: violation.to_string() },
                None => Answer::Closed(self.bytes),
            },
        }
    }
}

/// A stream whose every read and write ends at one deadline.
struct Patient {
    stream: TcpStream,
    deadline: Instant,
}

impl Patient {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.deadline.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            _ => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.stream.set_read_timeout(self.left()?)?;
            match self.stream.read(buffer) {
                // By a signal: with a timeout, a read is not begun anew by itself.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }
}

impl Write for Patient {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn left(deadline: Instant) -> Result<Duration, Broken> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Broken::TimedOut) } else { Ok(left) }
}

pub(crate) fn timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn in_handshake(error: io::Error) -> Broken {
    match error.kind() {
        _ if timed_out(&error) => Broken::TimedOut,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            Broken::NoTls
        }
        _ => tls_error(error, Broken::Lost),
    }
}

/// The TLS error inside an IO error, or the IO error itself.
fn tls_error(error: io::Error, otherwise: impl FnOnce(io::Error) -> Broken) -> Broken {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).cloned();
    match inner {
        Some(rustls::Error::InvalidMessage(_)) => Broken::NoTls,
        Some(inner) => Broken::Tls(inner),
        None => otherwise(error),
    }
}

/// The configuration for servers with a certificate of a public authority.
fn public_roots() -> Result<Arc<ClientConfig>, Broken> {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.map_err(Broken::Tls)?.with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(bytes: &[u8]) -> bool {
        Reading::new().take(bytes)
    }

    fn read(bytes: impl AsRef<[u8]>) -> Answer {
        let mut reading = Reading::new();
        reading.take(bytes.as_ref());
        reading.answer()
    }

    fn response(bytes: impl AsRef<[u8]>) -> Response {
        match read(bytes) {
            Answer::Http(response) => response,
            other => panic!("it was read as {other:?}"),
        }
    }

    #[test]
    fn nothing_is_read_or_written_after_the_deadline_however_much_there_is() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let stream = TcpStream::connect(listener.local_addr().expect("it is bound")).expect("it listens");
        let (mut peer, _) = listener.accept().expect("it was connected");
        peer.write_all(b"drip").expect("it is connected");
        let mut patient = Patient { stream, deadline: Instant::now() + Duration::from_secs(60) };
        assert_eq!(patient.read(&mut [0; 1]).expect("the deadline is far"), 1);
        patient.deadline = Instant::now();
        assert!(timed_out(&patient.read(&mut [0; 1]).expect_err("the deadline is over")));
        assert!(timed_out(&patient.write(b"x").expect_err("the deadline is over")));
    }

    #[test]
    fn a_response_is_complete_with_its_last_byte() {
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n0{}!";
        assert!(complete(whole.as_bytes()));
        assert!(!complete(&whole.as_bytes()[..whole.len() - 1]));
        assert_eq!(response(whole).body, b"0{}!");
    }

    #[test]
    fn a_chunked_body_is_put_together() {
        let whole =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n0{\"\r\n2;x=y\r\n:}\r\n0\r\n\r\n";
        assert!(complete(whole.as_bytes()));
        assert!(!complete(&whole.as_bytes()[..whole.len() - 10]));
        assert_eq!(response(whole).body, b"0{\":}");
    }

    #[test]
    fn header_names_are_found_in_any_case() {
        assert_eq!(
            response("HTTP/1.0 302 Found\r\nLOCATION: /x\r\n\r\n").head.header("location"),
            Some("/x")
        );
    }

    #[test]
    fn what_is_no_http_is_told_from_what_is_cut() {
        assert!(matches!(read("SSH-2.0-OpenSSH\r\n"), Answer::NotHttp { .. }));
        assert!(matches!(read("HTTP/1.1 200 OK\r\nCont"), Answer::Closed(_)));
        assert!(matches!(read(""), Answer::Closed(_)));
    }

    #[test]
    fn of_a_response_that_is_cut_or_wrong_in_its_length_what_came_is_kept() {
        assert_eq!(response("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0{}").body, b"0{}");
        assert_eq!(response("HTTP/1.1 200 OK\r\n\r\n0{}").body, b"0{}");
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n0{}\r\nx\r\n";
        assert!(complete(chunked.as_bytes()));
        assert_eq!(response(chunked).body, b"0{}");
        let wrong = response("HTTP/1.1 404 Not There\r\nContent-Length: many\r\n\r\n0{}");
        assert_eq!((wrong.head.status, wrong.head.reason.as_str()), (404, "Not There"));
    }

    #[test]
    fn a_text_frame_is_read_when_it_is_whole() {
        let upgraded = |frame: &[u8]| [b"HTTP/1.1 101 Hi\r\n\r\n", frame].concat();
        let long = [&b"\x81\x7e\x00\x7e"[..], &[b'x'; 126]].concat();
        for (frame, whole, text) in [
            (&b"\x81\x030{}"[..], true, &b"0{}"[..]),
            (b"\x81\x040{}", false, b""),
            (&long, true, &[b'x'; 126]),
            (b"\x81\x7e\x00", false, b""),
            (b"\x82\x01x", true, b""),
            (b"", false, b""),
        ] {
            assert_eq!(complete(&upgraded(frame)), whole, "{frame:?}");
            assert_eq!(response(upgraded(frame)).body, text, "{frame:?}");
        }
    }
}
