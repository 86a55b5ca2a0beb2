//! One HTTP exchange over a blocking connection: just enough to see who is there.
//!
//! Not a client: a request goes out, everything that comes back until the end of the response (or of patience, or of
//! 64 KiB) is kept, and [`Answer`] says what it was. Deadlines cover the whole exchange, so a server that drips
//! bytes cannot hold it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::Endpoint;

const LIMIT: usize = 64 * 1024;
const HEADERS: usize = 96;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A whole response head, with the part of the body that came.
    Http(Response),
    /// Bytes that are no HTTP response.
    NotHttp(Vec<u8>),
    /// The connection ended before a response head was complete; what came until then.
    Closed(Vec<u8>),
}

/// A response, the body unchunked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    /// The first header of this name, given in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why an exchange came to nothing.
#[derive(Debug)]
pub(super) enum Broken {
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
}

/// What to send.
pub(super) enum Request<'a> {
    /// `GET`, closing the connection afterwards.
    Get,
    /// `GET` that asks for a WebSocket; the bytes behind a `101` are the body.
    Upgrade,
    /// `POST` of this text.
    Post(&'a str),
}

/// Sends one request with these query parameters to this address and takes the answer.
pub(super) fn exchange(
    endpoint: &Endpoint,
    address: SocketAddr,
    tls: Option<&Arc<ClientConfig>>,
    deadline: Instant,
    parameters: &str,
    request: &Request<'_>,
) -> Result<Answer, Broken> {
    let stream = TcpStream::connect_timeout(&address, left(deadline)?).map_err(Broken::Connect)?;
    stream.set_nodelay(true).map_err(Broken::Lost)?;
    let stream = Patient { stream, deadline };
    let text = written(endpoint, parameters, request);
    if !endpoint.secure {
        return talk(stream, &text);
    }
    let config = tls.cloned().map_or_else(public_roots, Ok)?;
    let name = ServerName::try_from(endpoint.host.clone())
        .map_err(|_| Broken::Tls(rustls::Error::General(format!("`{}` is no server name", endpoint.host))))?;
    let connection = ClientConnection::new(config, name).map_err(Broken::Tls)?;
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(in_handshake)?;
    }
    talk(stream, &text)
}

fn written(endpoint: &Endpoint, parameters: &str, request: &Request<'_>) -> String {
    let method = if matches!(request, Request::Post(_)) { "POST" } else { "GET" };
    let head = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: sockrates/{}\r\nAccept: */*\r\n",
        endpoint.request_target(parameters),
        endpoint.authority(),
        env!("CARGO_PKG_VERSION"),
    );
    match request {
        Request::Get => format!("{head}Connection: close\r\n\r\n"),
        Request::Upgrade => format!(
            "{head}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: c29ja3JhdGVzIHByb2JlIQ==\r\n\r\n"
        ),
        Request::Post(body) => format!(
            "{head}Connection: close\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    }
}

fn talk(mut stream: impl Read + Write, request: &str) -> Result<Answer, Broken> {
    // A server may answer and hang up before it has read everything: its answer counts.
    let sent = stream.write_all(request.as_bytes()).and_then(|()| stream.flush());
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
            Err(error) if timed_out(&error) && bytes.is_empty() => return Err(Broken::TimedOut),
            Err(error) if timed_out(&error) => break,
            // An answer without TLS's goodbye, or cut by a reset, is still what came.
            Err(_) if !bytes.is_empty() => break,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(tls_error(error, Broken::Lost)),
        }
        if bytes.len() >= LIMIT || complete(&bytes) {
            break;
        }
    }
    if bytes.is_empty()
        && let Err(error) = sent
    {
        return Err(if timed_out(&error) { Broken::TimedOut } else { tls_error(error, Broken::Lost) });
    }
    Ok(read(bytes))
}

/// What these bytes are.
fn read(bytes: Vec<u8>) -> Answer {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(&bytes) {
        Ok(httparse::Status::Complete(length)) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let headers: Vec<_> = response
                .headers
                .iter()
                .map(|header| (header.name.to_ascii_lowercase(), text(header.value)))
                .collect();
            let chunked = |(name, value): &(String, String)| {
                name == "transfer-encoding" && value.to_ascii_lowercase().contains("chunked")
            };
            let body = &bytes[length..];
            let body = if headers.iter().any(chunked) { unchunked(body).0 } else { body.to_vec() };
            let reason = response.reason.unwrap_or_default().to_owned();
            Answer::Http(Response { status: response.code.unwrap_or(0), reason, headers, body })
        }
        Ok(httparse::Status::Partial) => Answer::Closed(bytes),
        Err(_) => Answer::NotHttp(bytes),
    }
}

/// Whether there is nothing more to wait for.
fn complete(bytes: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return false,
        Err(_) => return true,
    };
    let body = &bytes[length..];
    if response.code == Some(101) {
        return frame_text(body).is_some();
    }
    let value = |name: &str| {
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(header.value).ok()
    };
    if value("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
        return unchunked(body).1;
    }
    value("content-length")
        .and_then(|value| value.trim().parse().ok())
        .is_some_and(|length: usize| body.len() >= length)
}

/// The content of a chunked body, and whether its last chunk is there.
fn unchunked(mut body: &[u8]) -> (Vec<u8>, bool) {
    let mut content = Vec::new();
    while let Ok(httparse::Status::Complete((start, length))) = httparse::parse_chunk_size(body) {
        if length == 0 {
            return (content, true);
        }
        let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        content.extend_from_slice(&body[start..end.min(body.len())]);
        match body.get(end.saturating_add(2)..) {
            Some(rest) => body = rest,
            None => break,
        }
    }
    (content, false)
}

/// The text of the unmasked WebSocket text frame that these bytes begin with, if it is there as a whole.
pub(super) fn frame_text(bytes: &[u8]) -> Option<&str> {
    let [0x81, length, rest @ ..] = bytes else { return None };
    let (length, rest) = match length {
        0..=125 => (usize::from(*length), rest),
        126 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
        _ => return None,
    };
    std::str::from_utf8(rest.get(..length)?).ok()
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

pub(super) fn timed_out(error: &io::Error) -> bool {
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

    fn response(text: &str) -> Response {
        match read(text.as_bytes().to_vec()) {
            Answer::Http(response) => response,
            other => panic!("{text:?} was read as {other:?}"),
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
        assert_eq!(response("HTTP/1.0 302 Found\r\nLOCATION: /x\r\n\r\n").header("location"), Some("/x"));
    }

    #[test]
    fn what_is_no_http_is_told_from_what_is_cut() {
        assert!(matches!(read(b"SSH-2.0-OpenSSH\r\n".to_vec()), Answer::NotHttp(_)));
        assert!(matches!(read(b"HTTP/1.1 200 OK\r\nCont".to_vec()), Answer::Closed(_)));
        assert!(matches!(read(Vec::new()), Answer::Closed(_)));
    }

    #[test]
    fn a_text_frame_is_read_when_it_is_whole() {
        assert_eq!(frame_text(b"\x81\x030{}"), Some("0{}"));
        assert_eq!(frame_text(b"\x81\x040{}"), None);
        assert_eq!(frame_text(b"\x81\x7e\x00\x030{}rest"), Some("0{}"));
        assert_eq!(frame_text(b"\x81\x7e\x00"), None);
        assert_eq!(frame_text(b"\x82\x01x"), None);
        assert_eq!(frame_text(b""), None);
    }
}
