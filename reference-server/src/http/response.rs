//! Responses.

use std::io::Write;

use crate::config::Origins;

pub(crate) const TEXT: &str = "text/plain; charset=UTF-8";
pub(crate) const OCTET_STREAM: &str = "application/octet-stream";
pub(crate) const JSON: &str = "application/json";

/// A response, not yet bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Response {
    /// A response without content.
    pub(crate) fn empty(status: u16) -> Response {
        Response { status, headers: Vec::new(), body: Vec::new() }
    }

    /// A response with content.
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        Response { status, headers: Vec::new(), body: body.into() }.with("content-type", content_type)
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Response {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds the headers that let pages of other origins read it.
    pub(crate) fn with_cors(self, origins: &Origins, origin: Option<&str>) -> Response {
        match origins {
            Origins::Any => self.with("access-control-allow-origin", "*"),
            Origins::None => self,
            Origins::Listed(listed) => {
                let response = self.with("vary", "Origin");
                match origin.filter(|origin| listed.iter().any(|listed| listed == origin)) {
                    Some(origin) => response.with("access-control-allow-origin", origin),
                    None => response,
                }
            }
        }
    }

    /// Keeps as many bytes of the content as it has characters, as a wrong count of its length would.
    pub(crate) fn cut_to_characters(mut self) -> Response {
        let characters = String::from_utf8_lossy(&self.body).chars().count();
        self.body.truncate(characters);
        self
    }

    /// Compresses the content with gzip or deflate.
    pub(crate) fn compressed(mut self, encoding: &'static str) -> Response {
        let level = flate2::Compression::fast();
        let compressed = if encoding == "gzip" {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(&self.body).and_then(|()| encoder.finish())
        } else {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(&self.body).and_then(|()| encoder.finish())
        };
        match compressed {
            Ok(body) => {
                self.body = body;
                self.with("content-encoding", encoding)
            }
            Err(_) => self,
        }
    }

    /// The bytes on the wire. `head_only` leaves the content out, as HEAD wants it.
    pub(crate) fn encode(&self, keep_alive: bool, head_only: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(256 + self.body.len());
        let connection = if keep_alive { "keep-alive" } else { "close" };
        let mut line = |text: String| {
            out.extend_from_slice(text.as_bytes());
            out.extend_from_slice(b"\r\n");
        };
        line(format!("HTTP/1.1 {} {}", self.status, phrase(self.status)));
        for (name, value) in &self.headers {
            line(format!("{name}: {value}"));
        }
        if self.status != 204 {
            line(format!("content-length: {}", self.body.len()));
        }
        line(format!("connection: {connection}"));
        line(String::new());
        if !head_only {
            out.extend_from_slice(&self.body);
        }
        out
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Payload Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_counted_in_bytes() {
        let bytes = Response::new(200, "text/plain; charset=UTF-8", "€").encode(true, false);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("content-length: 3\r\n"), "{text}");
        assert!(text.ends_with("\r\n\r\n€"));
    }

    #[test]
    fn listed_origins_are_named_back_and_others_are_not() {
        let origins = Origins::Listed(vec!["https://a.example".to_owned()]);
        let text = |origin| {
            let response = Response::empty(200).with_cors(&origins, origin);
            String::from_utf8(response.encode(true, false)).unwrap()
        };
        assert!(
            text(Some("https://a.example")).contains("access-control-allow-origin: https://a.example\r\n")
        );
        assert!(!text(Some("https://b.example")).contains("allow-origin"));
        assert!(text(None).contains("vary: Origin"));
    }
}
