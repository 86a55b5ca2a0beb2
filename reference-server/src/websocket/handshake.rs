//! The opening handshake of a WebSocket.
//!
//! Spec: RFC 6455 section 4.2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use crate::http::request::Request;

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The response that opens the WebSocket, or `None` if the request is no proper handshake. It names the node, if there is one, and
/// the subprotocol that a fault has chosen.
pub(crate) fn accept(request: &Request, node: Option<&str>, protocol: Option<&str>) -> Option<Vec<u8>> {
    let key = request.header("sec-websocket-key")?;
    let decoded = STANDARD.decode(key).ok()?;
    let proper = request.method == "GET"
        && decoded.len() == 16
        && request.header("sec-websocket-version") == Some("13");
    if !proper {
        return None;
    }
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {}\r\n{}{}\r\n",
        accept_key(key),
        node.map(|node| format!("x-node: {node}\r\n")).unwrap_or_default(),
        protocol.map(|protocol| format!("sec-websocket-protocol: {protocol}\r\n")).unwrap_or_default(),
    );
    Some(response.into_bytes())
}

fn accept_key(key: &str) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(key);
    sha1.update(GUID);
    STANDARD.encode(sha1.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_rfc_is_answered_as_there() {
        // RFC 6455 section 1.3.
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
