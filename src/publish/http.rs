//! A server of HTTP/1.1 for a few readers: one request for each connection, which is closed after the response.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The longest request line and headers, in bytes.
const LONGEST_HEAD: usize = 16 << 10;

/// So many connections are answered at a time; a further one is closed.
const MOST_CONNECTIONS: usize = 32;

/// How long a client may take to send its request, and how long one write may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The path and the query.
    pub target: String,
}

/// What it gets.
pub(crate) enum Reply {
    /// A whole response: the status, the type of the content, and the content.
    Whole(u16, &'static str, Vec<u8>),
    /// A response that goes on until the function says that nothing follows: each call waits for a piece.
    Stream(&'static str, Box<dyn FnMut() -> Option<Vec<u8>> + Send>),
}

/// Gives the reply to a request.
type Answer = dyn Fn(&Request) -> Reply + Send + Sync;

/// A server that answers until it is dropped.
pub(crate) struct Site {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Site {
    /// Listens on an address.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(crate) fn listen(
        address: SocketAddr,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Site> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (over, answer): (_, Arc<Answer>) = (is_over.clone(), Arc::new(answer));
        let accepting =
            thread::Builder::new().name("publish".into()).spawn(move || accept(&listener, &over, &answer))?;
        Ok(Site { address, is_over, accepting: Some(accepting) })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        let own = match self.address.ip().is_unspecified() {
            true => SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), self.address.port()),
            false => self.address,
        };
        let woken = TcpStream::connect_timeout(&own, PATIENCE);
        if let (Ok(_), Some(accepting)) = (woken, self.accepting.take()) {
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, is_over: &AtomicBool, answer: &Arc<Answer>) {
    let open = Arc::new(AtomicUsize::new(0));
    while !is_over.load(Ordering::Relaxed) {
        let Ok((stream, _)) = listener.accept() else {
            // Out of files, say: it may be better soon, and a loop without a pause would take a processor from the run.
            thread::park_timeout(Duration::from_millis(50));
            continue;
        };
        if is_over.load(Ordering::Relaxed) || open.load(Ordering::Relaxed) >= MOST_CONNECTIONS {
            continue;
        }
        open.fetch_add(1, Ordering::Relaxed);
        let (answer, still) = (answer.clone(), open.clone());
        let spawned = thread::Builder::new().name("publish".into()).stack_size(256 << 10).spawn(move || {
            // A client that went away needs no answer.
            let _ = serve(stream, &*answer);
            still.fetch_sub(1, Ordering::Relaxed);
        });
        if spawned.is_err() {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn serve(mut stream: TcpStream, answer: &Answer) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let reply = match head(&mut stream)? {
        Some(head) => match request(&head) {
            Some(request) => answer(&request),
            None => Reply::Whole(400, "text/plain", b"this is not a request of HTTP/1.1\n".to_vec()),
        },
        None => Reply::Whole(431, "text/plain", b"the head of the request is too long\n".to_vec()),
    };
    match reply {
        Reply::Whole(status, kind, content) => {
            stream.write_all(response_head(status, kind, Some(content.len())).as_bytes())?;
            stream.write_all(&content)?;
        }
        Reply::Stream(kind, mut next) => {
            stream.write_all(response_head(200, kind, None).as_bytes())?;
            while let Some(piece) = next() {
                stream.write_all(&piece)?;
            }
        }
    }
    stream.shutdown(Shutdown::Write)?;
    drain(&mut stream);
    Ok(())
}

/// Reads what the client still sends, so that closing does not cut off what it has not read. No longer than it is worth.
fn drain(stream: &mut TcpStream) {
    let (mut rest, mut left) = ([0; 1024], LONGEST_HEAD);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
    while let Ok(read @ 1..) = stream.read(&mut rest) {
        left = left.saturating_sub(read);
        if left == 0 {
            return;
        }
    }
}

/// The bytes up to the empty line. None where it does not come within bounds.
fn head(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let deadline = Instant::now() + PATIENCE;
    let (mut head, mut piece) = (Vec::new(), [0; 2048]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => head.extend_from_slice(&piece[..read]),
        }
        if memchr::memmem::find(&head, b"\r\n\r\n").is_some() {
            return Ok(Some(head));
        }
        if head.len() > LONGEST_HEAD {
            return Ok(None);
        }
    }
}

fn request(head: &[u8]) -> Option<Request> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed.parse(head).ok().filter(httparse::Status::is_complete)?;
    Some(Request { method: parsed.method?.to_owned(), target: parsed.path?.to_owned() })
}

fn response_head(status: u16, kind: &str, length: Option<usize>) -> String {
    let length = length.map_or_else(String::new, |length| format!("Content-Length: {length}\r\n"));
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        _ => "Error",
    };
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\n{length}Cache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn site() -> Site {
        let answer = |request: &Request| {
            let Request { method, target } = request;
            Reply::Whole(200, "text/plain", format!("{method} {target}").into_bytes())
        };
        Site::listen((Ipv4Addr::LOCALHOST, 0).into(), answer).expect("a port is free")
    }

    fn said(site: &Site, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(site.address()).expect("it listens");
        // A site that has heard enough does not read on.
        let _ = stream.write_all(request);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    #[test]
    fn a_request_is_answered_and_the_connection_closed() {
        let answer = said(&site(), b"GET /a?b HTTP/1.1\r\nHost: localhost:1\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nGET /a?b"), "{answer}");
    }

    #[test]
    fn what_is_no_request_or_too_long_is_refused() {
        let site = site();
        assert!(said(&site, b"\x16\x03\x01 nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(4 * LONGEST_HEAD));
        assert!(said(&site, long.as_bytes()).starts_with("HTTP/1.1 431 "));
        assert!(said(&site, b"GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 200 "));
    }

    #[test]
    fn silent_connections_take_no_more_than_their_places() {
        let site = site();
        let silent: Vec<_> =
            (0..MOST_CONNECTIONS).map(|_| TcpStream::connect(site.address()).expect("it listens")).collect();
        // One that is closed at once, or has the last place: neither hangs.
        let _ = said(&site, b"GET / HTTP/1.1\r\n\r\n");
        drop(silent);
        drop(site);
    }
}
