//! Heads of HTTP/1.1 as they pass the proxy, and where bodies end.
//!
//! Spec: RFC 9112. A request is passed on as if the browser had asked the application itself: `Host`, `Origin` and `Referer` name
//! the application, and what comes back names the proxy. Nothing else changes, but that nobody asks for compression, which would
//! hide what is said.

use std::fmt;

use memchr::memmem;

/// The longest head, in bytes.
pub(super) const LONGEST_HEAD: usize = 64 << 10;

/// The longest line that tells the size of a chunk, or trailer, in bytes.
const LONGEST_LINE: usize = 8 << 10;

const MOST_HEADERS: usize = 200;

/// Why a message cannot be passed on: what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken(pub(super) &'static str);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The head of a message.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The request line, or the status line.
    first: String,
    headers: Vec<(String, Vec<u8>)>,
    /// Of a response; 0 of a request.
    pub(super) status: u16,
    /// Of a request.
    pub(super) method: String,
    /// Of a request: the path and the query.
    pub(super) target: String,
}

/// The two names of the application: how the browser sees it, and what it calls itself. Each is a scheme and an authority.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) proxy: String,
    pub(super) application: String,
}

/// The bytes of the head at the front of a buffer, with its empty line. None while it is not there.
///
/// # Errors
/// When it is too long.
pub(super) fn head_length(buffer: &[u8]) -> Result<Option<usize>, Broken> {
    match memmem::find(buffer, b"\r\n\r\n") {
        Some(at) if at < LONGEST_HEAD => Ok(Some(at + 4)),
        None if buffer.len() < LONGEST_HEAD => Ok(None),
        _ => Err(Broken("its head is too long")),
    }
}

impl Head {
    /// Reads the head of a request.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn of_request(bytes: &[u8]) -> Result<Head, Broken> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let is_whole = parsed.parse(bytes).is_ok_and(|status| status.is_complete());
        let (true, Some(method), Some(target)) = (is_whole, parsed.method, parsed.path) else {
            return Err(Broken("it is no request of HTTP/1.1"));
        };
        // A browser that takes us for a proxy of its own names the whole url.
        let target = match url::Url::parse(target) {
            Ok(url) if url.has_host() => url[url::Position::BeforePath..].to_owned(),
            _ => target.to_owned(),
        };
        Ok(Head {
            first: format!("{method} {target} HTTP/1.1"),
            headers: owned(parsed.headers),
            status: 0,
            method: method.to_owned(),
            target,
        })
    }

    /// Reads the head of a response.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn of_response(bytes: &[u8]) -> Result<Head, Broken> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let is_whole = parsed.parse(bytes).is_ok_and(|status| status.is_complete());
        let (true, Some(status), Some(version)) = (is_whole, parsed.code, parsed.version) else {
            return Err(Broken("it is no response of HTTP/1.1"));
        };
        Ok(Head {
            first: format!("HTTP/1.{version} {status} {}", parsed.reason.unwrap_or_default()),
            headers: owned(parsed.headers),
            status,
            method: String::new(),
            target: String::new(),
        })
    }

    /// The value of the first header of this name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// All values of the headers of this name.
    pub(super) fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        let named = self.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Its headers, as far as they are text.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), std::str::from_utf8(value).ok()?)))
    }

    fn says(&self, name: &str, word: &str) -> bool {
        self.all(name).flat_map(|value| value.split(',')).any(|said| said.trim().eq_ignore_ascii_case(word))
    }

    /// Whether a request is one of Engine.IO.
    pub(super) fn is_of_engine_io(&self) -> bool {
        self.target.contains("EIO=") && self.target.contains("transport=")
    }

    /// Whether a request wants another protocol on its connection.
    pub(super) fn wants_upgrade(&self) -> bool {
        self.says("connection", "upgrade") && self.header("upgrade").is_some()
    }

    /// Whether the client waits to be asked for the body.
    pub(super) fn expects_to_continue(&self) -> bool {
        self.says("expect", "100-continue")
    }

    /// The request as the application gets it, with further headers, each in place of those of its name.
    pub(super) fn to_application(&self, names: &Names, more: &[(String, String)]) -> Vec<u8> {
        let is_of_engine_io = self.is_of_engine_io();
        let (_, authority) = names.application.split_once("://").unwrap_or(("", &names.application));
        self.written(more, |name, value| match name {
            _ if more.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)) => None,
            "host" => Some(authority.as_bytes().to_vec()),
            "origin" | "referer" => Some(moved(value, &names.proxy, &names.application)),
            "expect" => None,
            "accept-encoding" => None,
            "sec-websocket-extensions" if is_of_engine_io => None,
            _ => Some(value.to_vec()),
        })
    }

    /// The response as the browser gets it.
    pub(super) fn to_browser(&self, names: &Names) -> Vec<u8> {
        let is_secure = names.application.starts_with("https:");
        self.written(&[], |name, value| match name {
            "location" | "access-control-allow-origin" => {
                Some(moved(value, &names.application, &names.proxy))
            }
            "set-cookie" => Some(cookie(value, is_secure)),
            "strict-transport-security" => None,
            _ => Some(value.to_vec()),
        })
    }

    fn written(&self, more: &[(String, String)], change: impl Fn(&str, &[u8]) -> Option<Vec<u8>>) -> Vec<u8> {
        let mut out = format!("{}\r\n", self.first).into_bytes();
        for (name, value) in &self.headers {
            if let Some(value) = change(&name.to_ascii_lowercase(), value) {
                for part in [name.as_bytes(), b": ", &value, b"\r\n"] {
                    out.extend_from_slice(part);
                }
            }
        }
        for (name, value) in more {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    /// How the end of a request's body is told.
    ///
    /// # Errors
    /// When it is told in two ways, or in none that is known: what follows would be read as another request.
    pub(super) fn body_of_request(&self) -> Result<Body, Broken> {
        Ok(self.told_body()?.unwrap_or(Body::Length(0)))
    }

    /// How the end of a response's body is told.
    ///
    /// # Errors
    /// As for a request.
    pub(super) fn body_of_response(&self, method: &str) -> Result<Body, Broken> {
        if method == "HEAD" || self.status < 200 || matches!(self.status, 204 | 304) {
            return Ok(Body::Length(0));
        }
        Ok(self.told_body()?.unwrap_or(Body::UntilEnd))
    }

    fn told_body(&self) -> Result<Option<Body>, Broken> {
        let lengths: Vec<&str> = self.all("content-length").map(str::trim).collect();
        let is_chunked = self.says("transfer-encoding", "chunked");
        match (lengths.as_slice(), is_chunked) {
            (_, false) if self.header("transfer-encoding").is_some() => {
                Err(Broken("its transfer coding is not `chunked`"))
            }
            ([], true) => Ok(Some(Body::Chunked(Chunk::Size(Vec::new())))),
            ([], false) => Ok(None),
            ([first, rest @ ..], false) if rest.iter().all(|other| other == first) => {
                let is_number = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
                let length = first.parse().ok().filter(|_| is_number);
                length.map(|length| Some(Body::Length(length))).ok_or(Broken("its length is no number"))
            }
            _ => Err(Broken("it tells its length in two ways")),
        }
    }
}

fn owned(headers: &[httparse::Header<'_>]) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect()
}

/// A url, at the other name where it begins with the one.
pub(super) fn moved(value: &[u8], from: &str, to: &str) -> Vec<u8> {
    match value.strip_prefix(from.as_bytes()) {
        Some(rest) if rest.is_empty() || rest.starts_with(b"/") => [to.as_bytes(), rest].concat(),
        _ => value.to_vec(),
    }
}

/// A cookie that the browser keeps for the proxy, which has another name and no TLS.
fn cookie(value: &[u8], is_secure: bool) -> Vec<u8> {
    let kept = value.split(|byte| *byte == b';').enumerate().filter(|(index, part)| {
        let word = String::from_utf8_lossy(part).trim().to_ascii_lowercase();
        let is_dropped = word.starts_with("domain=")
            || is_secure && (word == "secure" || word == "partitioned" || word == "samesite=none");
        *index == 0 || !is_dropped
    });
    kept.map(|(_, part)| part).collect::<Vec<_>>().join(&b';')
}

/// What is left of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes.
    Length(u64),
    Chunked(Chunk),
    /// Everything up to the end of the connection.
    UntilEnd,
}

/// Where a body in chunks is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In the line with the size of the next one.
    Size(Vec<u8>),
    /// So many bytes before the end of a chunk.
    Data(u64),
    /// So many bytes before the end of the line break behind a chunk.
    Break(u8),
    /// So many bytes into a line behind the last chunk.
    Trailer(usize),
    Over,
}

impl Body {
    /// Whether nothing of it follows.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Body::Length(0) | Body::Chunked(Chunk::Over))
    }

    /// Takes what arrived: how many bytes of it belong to the body, as it is written. Its content goes to `content`.
    ///
    /// # Errors
    /// When it is written in chunks, and wrongly.
    pub(super) fn take(&mut self, bytes: &[u8], mut content: impl FnMut(&[u8])) -> Result<usize, Broken> {
        match self {
            Body::UntilEnd => {
                content(bytes);
                Ok(bytes.len())
            }
            Body::Length(left) => {
                let now = &bytes[..bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX))];
                content(now);
                *left -= now.len() as u64;
                Ok(now.len())
            }
            Body::Chunked(chunk) => {
                let mut at = 0;
                while at < bytes.len() && *chunk != Chunk::Over {
                    at += chunk.take(&bytes[at..], &mut content)?;
                }
                Ok(at)
            }
        }
    }
}

impl Chunk {
    /// Takes at least one byte.
    fn take(&mut self, bytes: &[u8], content: &mut impl FnMut(&[u8])) -> Result<usize, Broken> {
        match self {
            Chunk::Size(line) => {
                let end = memchr::memchr(b'\n', bytes);
                let now = &bytes[..end.map_or(bytes.len(), |end| end + 1)];
                line.extend_from_slice(now);
                if line.len() > LONGEST_LINE {
                    return Err(Broken("the size of a chunk takes too long a line"));
                }
                if end.is_some() {
                    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
                    let digits = str::from_utf8(digits).unwrap_or_default().trim();
                    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                    let size = u64::from_str_radix(digits, 16).ok().filter(|_| is_number);
                    *self = match size.ok_or(Broken("the size of a chunk is no number"))? {
                        0 => Chunk::Trailer(0),
                        size => Chunk::Data(size),
                    };
                }
                Ok(now.len())
            }
            Chunk::Data(left) => {
                let now = &bytes[..bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX))];
                content(now);
                *left -= now.len() as u64;
                if *left == 0 {
                    *self = Chunk::Break(2);
                }
                Ok(now.len())
            }
            Chunk::Break(left) => {
                let wanted = if *left == 2 { b'\r' } else { b'\n' };
                if bytes[0] != wanted {
                    return Err(Broken("a chunk does not end where it should"));
                }
                *self = if *left == 2 { Chunk::Break(1) } else { Chunk::Size(Vec::new()) };
                Ok(1)
            }
            Chunk::Trailer(before) => {
                let end = memchr::memchr(b'\n', bytes);
                let now = &bytes[..end.map_or(bytes.len(), |end| end + 1)];
                let line = now.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).count() + *before;
                if line > LONGEST_LINE {
                    return Err(Broken("a line behind the last chunk is too long"));
                }
                *self = match end {
                    Some(_) if line == 0 => Chunk::Over,
                    Some(_) => Chunk::Trailer(0),
                    None => Chunk::Trailer(line),
                };
                Ok(now.len())
            }
            Chunk::Over => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> Names {
        Names { proxy: "http://localhost:4000".into(), application: "https://app.test".into() }
    }

    #[test]
    fn a_request_reaches_the_application_in_the_name_of_the_application() {
        let asked = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost:4000\r\nOrigin: http://localhost:4000\r\n\
            Referer: http://localhost:4000/room\r\nAccept-Encoding: gzip\r\nX-Own: http://localhost:4000\r\n\r\n";
        let head = Head::of_request(asked).expect("it is a request");
        let text = String::from_utf8(head.to_application(&names(), &[])).expect("it is text");
        assert_eq!(
            text,
            "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: app.test\r\nOrigin: https://app.test\r\n\
             Referer: https://app.test/room\r\nX-Own: http://localhost:4000\r\n\r\n"
        );
    }

    #[test]
    fn no_answer_is_compressed_and_what_is_no_request_of_socket_io_keeps_the_extensions_of_websockets() {
        let asked = b"GET http://localhost:4000/a?b HTTP/1.1\r\nAccept-Encoding: gzip\r\nSec-WebSocket-Extensions: x\r\n\r\n";
        let head = Head::of_request(asked).expect("it is a request");
        let text = String::from_utf8(head.to_application(&names(), &[])).expect("it is text");
        assert!(text.starts_with("GET /a?b HTTP/1.1\r\n"), "{text}");
        assert!(!text.contains("gzip") && text.contains("Extensions"), "{text}");
    }

    #[test]
    fn a_response_leads_the_browser_back_to_the_proxy() {
        let answered = b"HTTP/1.1 302 Found\r\nLocation: https://app.test/in\r\n\
            Set-Cookie: id=1; Domain=app.test; Secure; SameSite=None; HttpOnly\r\nAccess-Control-Allow-Origin: https://app.test\r\n\
            Strict-Transport-Security: max-age=9\r\n\r\n";
        let head = Head::of_response(answered).expect("it is a response");
        assert_eq!(
            String::from_utf8(head.to_browser(&names())).expect("it is text"),
            "HTTP/1.1 302 Found\r\nLocation: http://localhost:4000/in\r\nSet-Cookie: id=1; HttpOnly\r\n\
             Access-Control-Allow-Origin: http://localhost:4000\r\n\r\n"
        );
    }

    #[test]
    fn a_body_whose_end_is_told_twice_is_refused() {
        for (headers, why) in [
            ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "two ways"),
            ("Content-Length: 3\r\nContent-Length: 4\r\n", "two ways"),
            ("Content-Length: +3\r\n", "no number"),
            ("Transfer-Encoding: gzip\r\n", "chunked"),
        ] {
            let head = format!("POST / HTTP/1.1\r\n{headers}\r\n");
            let refused = Head::of_request(head.as_bytes()).expect("it is one").body_of_request();
            assert!(refused.as_ref().is_err_and(|broken| broken.0.contains(why)), "{headers}: {refused:?}");
        }
    }

    /// The content of a body that arrives in pieces, and how many bytes it takes.
    fn taken(mut body: Body, bytes: &[u8], piece: usize) -> Result<(Vec<u8>, usize, bool), Broken> {
        let (mut content, mut at) = (Vec::new(), 0);
        for piece in bytes.chunks(piece) {
            let now = body.take(piece, |bytes| content.extend_from_slice(bytes))?;
            at += now;
            if now < piece.len() {
                break;
            }
        }
        Ok((content, at, body.is_over()))
    }

    #[test]
    fn chunks_end_where_they_say() {
        let written = b"4;x=y\r\nab\r\n\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: a\r\n\r\nGET / HTTP/1.1";
        for piece in 1..written.len() {
            let body = Body::Chunked(Chunk::Size(Vec::new()));
            let (content, length, is_over) = taken(body, written, piece).expect("it is well-formed");
            assert_eq!(content, b"ab\r\n0123456789abcdef");
            assert_eq!((&written[length..], is_over), (&b"GET / HTTP/1.1"[..], true));
        }
        for wrong in [&b"zz\r\n"[..], b"2\r\nabc\r\n", b"-1\r\n", b"\r\n"] {
            assert!(taken(Body::Chunked(Chunk::Size(Vec::new())), wrong, 1).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reader(bytes in any::<Vec<u8>>(), piece in 1_usize..9) {
            let _ = (Head::of_request(&bytes).is_ok(), Head::of_response(&bytes).is_ok());
            let chunked = taken(Body::Chunked(Chunk::Size(Vec::new())), &bytes, piece);
            prop_assert!(chunked.is_err() || chunked.is_ok_and(|(content, length, _)| content.len() <= length));
        }
    }
}
