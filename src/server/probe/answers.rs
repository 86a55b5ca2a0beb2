//! What an answer to a handshake is: one of Engine.IO, however spoilt, or of what else.

use serde_json::Value;

use crate::protocol::dialect::{Framing, Version};
use crate::protocol::http::Response;
use crate::server::not_there::Seen;

/// The JSON of the open packet with which a payload begins.
pub(super) fn open_packet(body: &[u8], version: Version) -> Option<Value> {
    let open = match version.dialect().framing {
        Framing::Separated => {
            body.strip_prefix(b"0").filter(|open| open.trim_ascii_start().starts_with(b"{"))?
        }
        Framing::Counted if is_old_payload(body) => &body[body.iter().position(|byte| *byte == b'{')?..],
        Framing::Counted => return None,
    };
    // What stands behind it does not matter.
    let first = serde_json::Deserializer::from_slice(open).into_iter().next();
    Some(first.and_then(Result::ok).unwrap_or_default())
}

/// Whether a response carries what only an Engine.IO server says, however spoilt: those who test it are to tell what is wrong.
pub(super) fn is_spoilt_open(response: &Response) -> bool {
    let has_id = || String::from_utf8_lossy(&response.body).contains("\"sid\"");
    !is_page(response) && !is_old_payload(&response.body) && (response.body.starts_with(b"0") || has_id())
}

pub(super) fn is_success(status: u16) -> bool {
    (200..=299).contains(&status)
}

fn is_page(response: &Response) -> bool {
    let kind = response.head.header("content-type");
    kind.is_some_and(|kind| kind.starts_with("text/html"))
        || response.body.trim_ascii_start().starts_with(b"<")
}

/// What this response is, if not a handshake.
pub(super) fn stranger(response: Response) -> Seen {
    let Response { head, body, .. } = &response;
    let status = head.status;
    let text = String::from_utf8_lossy(body);
    let message = || serde_json::from_str::<Value>(&text).ok();
    if is_old_payload(body) {
        return Seen::OldProtocol;
    }
    if let (300..=399, Some(to)) = (status, head.header("location")) {
        return Seen::Redirect(status, to.to_owned());
    }
    if status == 400 && (text.contains("HTTPS") || head.reason.contains("HTTPS")) {
        return Seen::WantsTls;
    }
    if let Some(error) = message()
        && status != 200
        && error["code"] == 5
    {
        return Seen::RefusesVersion(error["message"].as_str().unwrap_or_default().to_owned());
    }
    // python-socketio 4 says it in words.
    if status == 400 && text.contains("unsupported version") {
        return Seen::RefusesVersion(
            message().and_then(|said| Some(said.as_str()?.to_owned())).unwrap_or_default(),
        );
    }
    let is_page = head.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    match status {
        200 if is_page || text.trim_start().starts_with('<') => Seen::Page(status),
        200 => Seen::Other(response.body),
        _ if is_page => Seen::Status(status, response.head.reason, Vec::new()),
        _ => Seen::Status(status, response.head.reason, response.body),
    }
}

/// A payload of Engine.IO v3: `97:0{…}`, or in its binary form a zero, decimal digits, 255 and `0{`.
fn is_old_payload(body: &[u8]) -> bool {
    let digits = body.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && body[digits..].starts_with(b":0{") {
        return true;
    }
    let length = body.iter().skip(1).take_while(|byte| **byte <= 9).count();
    body.first() == Some(&0) && length > 0 && body[1 + length..].starts_with(b"\xff0{")
}
