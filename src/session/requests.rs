//! Where a session's requests go: path, query, headers, cookies.

use cookie::Cookie;

use super::wire::{Channel, Request, Wire};
use crate::protocol::http::Head;

/// Path, query and headers of a client's connections, fixed by the scenario and the command line.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Destination {
    /// Path of the server, with both slashes, e.g. `/socket.io/`.
    pub path: String,
    /// Which of our own query parameters (`EIO`, `transport`, `sid`) are left out, because the scenario wants others or none.
    pub replaced: Vec<String>,
    /// Further query parameters, already percent-encoded, without a leading `&`; often empty.
    pub query: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

/// Composes the requests of one client and keeps its cookies.
#[derive(Debug)]
pub struct Requests {
    destination: Box<Destination>,
    cookies: Vec<(Box<str>, Box<str>)>,
}

impl Requests {
    pub(super) fn new(destination: Destination) -> Requests {
        Requests { destination: Box::new(destination), cookies: Vec::new() }
    }

    pub(super) fn set_destination(&mut self, destination: Destination) {
        *self.destination = destination;
    }

    /// The path and query of a request of this transport, with the session's id once there is one.
    pub fn target(&self, transport: &str, sid: Option<&str>) -> String {
        let Destination { path, query, replaced, .. } = &*self.destination;
        let mut target = path.clone();
        let mut separator = '?';
        let mut add = |part: &str| {
            target.push(std::mem::replace(&mut separator, '&'));
            target.push_str(part);
        };
        let stays = |name: &str| !replaced.iter().any(|replaced| replaced == name);
        if stays("EIO") {
            add("EIO=4");
        }
        if stays("transport") {
            add(&format!("transport={transport}"));
        }
        if !query.is_empty() {
            add(query);
        }
        if let Some(sid) = sid.filter(|_| stays("sid")) {
            let sid: String = url::form_urlencoded::byte_serialize(sid.as_bytes()).collect();
            add(&format!("sid={sid}"));
        }
        target
    }

    /// The path of the server.
    pub fn path(&self) -> &str {
        &self.destination.path
    }

    /// The headers of every request, the cookies among them: in one header, together with those that the
    /// scenario brings (RFC 6265, section 5.4).
    pub fn headers(&self) -> Vec<(String, String)> {
        let mut headers = self.destination.headers.clone();
        let kept: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if kept.is_empty() {
            return headers;
        }
        let kept = kept.join("; ");
        match headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            Some((_, own)) => {
                own.push_str("; ");
                own.push_str(&kept);
            }
            None => headers.push(("Cookie".into(), kept)),
        }
        headers
    }

    /// Keeps the cookies of a response (RFC 6265; one server only, so domain and path do not matter).
    pub(super) fn keep_cookies(&mut self, head: &Head) {
        for (name, value) in &head.headers {
            if name.eq_ignore_ascii_case("set-cookie")
                && let Ok(cookie) = Cookie::parse(value.as_str())
            {
                self.cookies.retain(|(kept, _)| **kept != *cookie.name());
                if !is_taken_back(&cookie) && self.cookies.len() < 50 {
                    self.cookies.push((cookie.name().into(), cookie.value().into()));
                }
            }
        }
    }

    pub(super) fn dial(&self, wire: &mut dyn Wire, sid: Option<&str>) {
        wire.dial(Channel::WebSocket, &self.target("websocket", sid), &self.headers());
    }

    pub(super) fn get(&self, wire: &mut dyn Wire, channel: Channel, sid: Option<&str>) {
        let (target, headers) = (self.target("polling", sid), self.headers());
        let (method, held, same_connection) = ("GET", 0, false);
        let request =
            Request { method, target: &target, headers: &headers, body: None, held, same_connection };
        wire.request(channel, request);
    }

    pub(super) fn post(&self, wire: &mut dyn Wire, channel: Channel, sid: &str, body: &[u8]) {
        let (target, mut headers) = (self.target("polling", Some(sid)), self.headers());
        headers.push(("Content-Type".into(), "text/plain;charset=UTF-8".into()));
        let (method, body, held, same_connection) = ("POST", Some(body), 0, false);
        let request = Request { method, target: &target, headers: &headers, body, held, same_connection };
        wire.request(channel, request);
    }
}

/// Whether a cookie expires at once. There is no clock here; but nobody sets a cookie to a year long past in order to
/// have it kept.
fn is_taken_back(cookie: &Cookie<'_>) -> bool {
    match (cookie.max_age(), cookie.expires_datetime()) {
        // RFC 6265, section 5.3: the maximum age goes before the date.
        (Some(age), _) => age.is_zero() || age.is_negative(),
        (None, Some(date)) => date.year() < 2020,
        (None, None) => false,
    }
}
