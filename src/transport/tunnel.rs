//! The way through an HTTP proxy: `CONNECT` (RFC 9110, section 9.3.6), for TLS and for plain text alike, so that what is
//! spoken with the server is the same with and without a proxy.

use crate::protocol::http::{Request, Response, write_request};

/// What is asked of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// The proxy, as it is shown.
    pub proxy: String,
    /// Host and port of the server.
    pub authority: String,
    /// The value of the header `Proxy-Authorization`, if the proxy gets one.
    pub authorization: Option<String>,
}

impl Tunnel {
    /// The bytes that ask for it.
    pub(crate) fn request(&self) -> Vec<u8> {
        let mut headers = vec![("Host", self.authority.as_str())];
        headers.extend(self.authorization.iter().map(|value| ("Proxy-Authorization", value.as_str())));
        let mut bytes = Vec::new();
        let request = Request { method: "CONNECT", target: &self.authority, headers: &headers, body: None };
        // A host and a port have no spaces, and what is encoded by base64 has no line breaks.
        let _ = write_request(&mut bytes, &request);
        bytes
    }

    /// Whether the proxy has opened it.
    ///
    /// # Errors
    /// A sentence about what it answered.
    pub(crate) fn judge(&self, answer: &Response) -> Result<(), String> {
        let (status, reason) = (answer.head.status, answer.head.reason.trim());
        let hint = match (status, &self.authorization) {
            (200..=299, _) => return Ok(()),
            (407, None) => "; it wants a name and a password: --proxy http://NAME:PASSWORD@HOST:PORT",
            (407, Some(_)) => "; it does not accept name and password",
            _ => "; does it allow this host and port?",
        };
        let space = if reason.is_empty() { "" } else { " " };
        Err(format!("the proxy {} answered CONNECT with HTTP {status}{space}{reason}{hint}", self.proxy))
    }
}
