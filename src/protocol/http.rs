//! HTTP/1.1 from the client's side: what Engine.IO needs of it.
//!
//! Specification: RFC 9112 (messages) and RFC 9110 (fields). [`write_request`] spells requests, also odd ones;
//! [`Responses`] reads the responses of one connection from whatever pieces arrive. A `101` ends HTTP: the bytes
//! after it belong to [`super::websocket`].

mod responses;

use std::fmt;

pub use responses::{Head, MAX_HEAD, Response, Responses};

/// A request. Nothing is added to it but the length of its body: `Host` and all else are the caller's.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method, any token.
    pub method: &'a str,
    /// The path and the query, already escaped.
    pub target: &'a str,
    /// Header fields in order, names as they shall be written. `Transfer-Encoding: chunked` sends the body as a
    /// chunk; `Content-Length` is written here for every other body and may be among them only if it tells the
    /// truth.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body. An empty one is announced as such, none is not.
    pub body: Option<&'a [u8]>,
}

/// Why a request cannot be written: it would read as something else than the caller meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The method is not a token (RFC 9110, section 5.6.2).
    Method(String),
    /// The target is empty or has spaces or control characters.
    Target(String),
    /// The name of a header is not a token.
    HeaderName(String),
    /// The value of the header with this name has a line break or NUL (RFC 9110, section 5.5).
    HeaderValue(String),
    /// A header contradicts the body's length: the requests after it would be read from the wrong place.
    Length(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Method(method) => {
                write!(f, "write a request with the method {method:?}: it is no token")
            }
            Refused::Target(target) => {
                write!(f, "write a request for {target:?}: escape spaces and control characters")
            }
            Refused::HeaderName(name) => write!(f, "write a header named {name:?}: it is no token"),
            Refused::HeaderValue(name) => {
                write!(f, "write the header {name}: its value has a line break or NUL")
            }
            Refused::Length(name) => {
                write!(f, "write the header {name}: it contradicts the body; leave it out, or send raw bytes")
            }
        }
    }
}

impl std::error::Error for Refused {}

/// Appends a request, or nothing at all when it is refused.
pub fn write_request(out: &mut Vec<u8>, request: &Request<'_>) -> Result<(), Refused> {
    let framing = check(request)?;
    let body = request.body.unwrap_or_default();
    let fields: usize = request.headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
    out.reserve(request.method.len() + request.target.len() + fields + body.len() + 64);

    for part in [request.method, " ", request.target, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    for (name, value) in request.headers {
        for part in [name, ": ", value, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    match framing {
        Framing::Told => out.extend_from_slice(b"\r\n"),
        Framing::Length(length) => {
            out.extend_from_slice(format!("Content-Length: {length}\r\n\r\n").as_bytes());
        }
        Framing::Chunked if body.is_empty() => out.extend_from_slice(b"\r\n0\r\n\r\n"),
        Framing::Chunked => {
            out.extend_from_slice(format!("\r\n{:x}\r\n", body.len()).as_bytes());
            out.extend_from_slice(body);
            out.extend_from_slice(b"\r\n0\r\n\r\n");
        }
    }
    if !matches!(framing, Framing::Chunked) {
        out.extend_from_slice(body);
    }
    Ok(())
}

/// How the end of a request's body is told.
enum Framing {
    /// There is no body, or its length is among the headers.
    Told,
    Length(usize),
    Chunked,
}

fn check(request: &Request<'_>) -> Result<Framing, Refused> {
    if !is_token(request.method) {
        return Err(Refused::Method(request.method.to_owned()));
    }
    if request.target.is_empty() || request.target.bytes().any(|byte| byte <= b' ' || byte == 0x7F) {
        return Err(Refused::Target(request.target.to_owned()));
    }
    let mut framing = match request.body {
        Some(body) => Framing::Length(body.len()),
        None => Framing::Told,
    };
    for (name, value) in request.headers {
        if !is_token(name) {
            return Err(Refused::HeaderName((*name).to_owned()));
        }
        if value.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return Err(Refused::HeaderValue((*name).to_owned()));
        }
        let contradiction = || Err(Refused::Length((*name).to_owned()));
        if name.eq_ignore_ascii_case("transfer-encoding") {
            // RFC 9112, section 6.2: never together with a content length, and here never twice.
            let Framing::Length(_) = framing else { return contradiction() };
            if !value.trim().eq_ignore_ascii_case("chunked") {
                return contradiction();
            }
            framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("content-length") {
            let Framing::Length(length) = framing else { return contradiction() };
            if value.trim() != length.to_string() {
                return contradiction();
            }
            framing = Framing::Told;
        }
    }
    Ok(framing)
}

/// RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests;
