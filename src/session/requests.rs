//! Where a session's requests go: path, query, headers, cookies.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::cookies::Jar;
use super::wire::{Channel, Request, Wire};
use crate::protocol::deflate;
use crate::protocol::dialect::{Dialect, Framing, Parser};
use crate::protocol::http::Head;
use crate::protocol::jsonp;

/// The header by which a trace is joined (W3C Trace Context, section 3.2).
pub const TRACEPARENT: &str = "traceparent";

/// Path, query and headers of a client's connections, fixed by the scenario and the command line.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Destination {
    /// Which dialect is spoken there.
    pub dialect: &'static Dialect,
    /// Which parser the server uses.
    pub parser: Parser,
    /// Path of the server, with both slashes, e.g. `/socket.io/`.
    pub path: String,
    /// Which of our own query parameters (`EIO`, `transport`, `sid`) are left out, because the scenario wants others or none.
    pub replaced: Vec<String>,
    /// Further query parameters, already percent-encoded, without a leading `&`; often empty.
    pub query: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The trace to which the handshake and the upgrade belong, if they belong to one.
    pub traceparent: Option<String>,
    /// Whether cookies go there that are for secure connections: over TLS, and to this machine, as in browsers.
    pub is_secure: bool,
    /// Whether compression of WebSocket messages is offered.
    pub compression: bool,
}

/// How many of them are kept to be found again.
const MOST_KEPT: usize = 8;

/// The latest destinations of a run: most clients have the same, and so keep one together.
#[derive(Debug, Default)]
pub struct Destinations(Mutex<Vec<Arc<Destination>>>);

impl Destinations {
    /// The one that is known and is the same, or this one.
    pub fn share(&self, destination: Destination) -> Arc<Destination> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = kept.iter().find(|known| ***known == destination) {
            return same.clone();
        }
        if kept.len() == MOST_KEPT {
            kept.remove(0);
        }
        kept.push(Arc::new(destination));
        kept[kept.len() - 1].clone()
    }
}

impl Destination {
    /// Adds query parameters that are encoded already.
    pub fn add_query(&mut self, query: &str) {
        if !self.query.is_empty() && !query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(query);
    }
}

/// The query parameter that asks for base64 in the place of bytes.
const BASE64: &str = "b64=1";

fn asks_for_base64(query: &str) -> bool {
    query.split('&').any(|pair| pair == BASE64)
}

/// Composes the requests of one client and keeps its cookies.
#[derive(Debug)]
pub struct Requests {
    destination: Arc<Destination>,
    cookies: Jar,
    /// The number of the function that polls have to call, if the query asks for JSONP.
    jsonp: Option<String>,
    /// The time, as far as anybody told it.
    now: Option<Instant>,
}

impl Requests {
    pub(super) fn new(destination: Arc<Destination>) -> Requests {
        let jsonp = jsonp::asked_by(&destination.query);
        Requests { destination, cookies: Jar::default(), jsonp, now: None }
    }

    pub(super) fn set_destination(&mut self, destination: Arc<Destination>) {
        self.jsonp = jsonp::asked_by(&destination.query);
        self.destination = destination;
    }

    /// Which dialect is spoken.
    pub(super) fn dialect(&self) -> &'static Dialect {
        self.destination.dialect
    }

    /// The time, as far as it is known.
    pub(super) fn now(&self) -> Option<Instant> {
        self.now
    }

    pub(super) fn note_time(&mut self, now: Instant) {
        self.now = Some(now);
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
            add(self.destination.dialect.parameter);
        }
        if stays("transport") {
            add(&format!("transport={transport}"));
        }
        if !query.is_empty() {
            add(query);
        }
        // JavaScript has no literal for bytes. The next version never sends them over polling.
        let may_bring_bytes = self.destination.dialect.framing == Framing::Counted;
        if self.jsonp.is_some() && may_bring_bytes && sid.is_none() && !asks_for_base64(query) {
            add(BASE64);
        }
        if let Some(sid) = sid.filter(|_| stays("sid")) {
            let sid: String = url::form_urlencoded::byte_serialize(sid.as_bytes()).collect();
            add(&format!("sid={sid}"));
        }
        target
    }

    /// The path with a query that was written by hand, `?…`: what every request brings stands behind it, but for parameters that it
    /// names itself.
    pub fn by_hand(&self, query: &str) -> String {
        let name_of = |pair: &str| {
            url::form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned())
        };
        let Destination { path, query: own, .. } = &*self.destination;
        let mut target = format!("{path}{query}");
        for pair in own.split('&').filter(|pair| !pair.is_empty()) {
            let is_named =
                query.trim_start_matches('?').split('&').any(|given| name_of(given) == name_of(pair));
            if !is_named {
                if !target.ends_with('?') {
                    target.push('&');
                }
                target.push_str(pair);
            }
        }
        target
    }

    /// The number of the function that polls have to call, if they are JSONP. Posts are forms then.
    pub(super) fn jsonp(&self) -> Option<&str> {
        self.jsonp.as_deref()
    }

    /// Whether the query asks for base64 in the place of bytes. JSONP has no bytes.
    pub(super) fn want_base64(&self) -> bool {
        self.jsonp.is_some() || asks_for_base64(&self.destination.query)
    }

    /// The path of the server.
    pub fn path(&self) -> &str {
        &self.destination.path
    }

    /// The headers of a request for this target, the cookies among them: in one header, together with those that the
    /// scenario brings (RFC 6265, section 5.4).
    pub fn headers(&self, target: &str) -> Vec<(String, String)> {
        let mut headers = self.destination.headers.clone();
        let Some(kept) = self.cookies.header(target, self.destination.is_secure, self.now) else {
            return headers;
        };
        match headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            Some((_, own)) => {
                own.push_str("; ");
                own.push_str(&kept);
            }
            None => headers.push(("Cookie".into(), kept)),
        }
        headers
    }

    /// What makes a request that begins or upgrades a connection part of its trace. Those that follow would flood it.
    fn trace(&self) -> Option<(String, String)> {
        Some((TRACEPARENT.to_owned(), self.destination.traceparent.clone()?))
    }

    /// Keeps the cookies of the response to a request for this target; without one, for the server's own path.
    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.value(name)
    }

    pub(super) fn keep_cookies(&mut self, head: &Head, target: Option<&str>) {
        let target = target.unwrap_or(&self.destination.path);
        self.cookies.keep(head, target, self.now);
    }

    pub(super) fn dial(&self, wire: &mut dyn Wire, stream: Channel, sid: Option<&str>) {
        let target = self.target(&stream.to_string(), sid);
        let mut headers = self.headers(&target);
        headers.extend(self.trace());
        if self.destination.compression && stream == Channel::WebSocket {
            headers.push((deflate::HEADER.into(), deflate::OFFER.into()));
        }
        wire.dial(stream, &target, &headers);
    }

    pub(super) fn get(&self, wire: &mut dyn Wire, channel: Channel, sid: Option<&str>) {
        let target = self.target("polling", sid);
        let mut headers = self.headers(&target);
        if sid.is_none() {
            headers.extend(self.trace());
        }
        let (method, held, same_connection, may_repeat) = ("GET", 0, false, true);
        let request = Request {
            method,
            target: &target,
            headers: &headers,
            body: None,
            held,
            same_connection,
            may_repeat,
        };
        wire.request(channel, request);
    }

    pub(super) fn post(&self, wire: &mut dyn Wire, channel: Channel, sid: &str, body: &[u8], kind: &str) {
        let target = self.target("polling", Some(sid));
        let mut headers = self.headers(&target);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("Content-Type".into(), kind.into()));
        }
        let (method, body, held, same_connection, may_repeat) = ("POST", Some(body), 0, false, true);
        let request =
            Request { method, target: &target, headers: &headers, body, held, same_connection, may_repeat };
        wire.request(channel, request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_connect_to_the_same_place_keep_it_together_and_the_list_stays_short() {
        let destinations = Destinations::default();
        let to = |path: &str| destinations.share(Destination { path: path.into(), ..Destination::default() });
        let (first, other) = (to("/a/"), to("/b/"));
        assert!(Arc::ptr_eq(&first, &to("/a/")) && !Arc::ptr_eq(&first, &other));
        let all: Vec<_> = (0..100).map(|n| to(&n.to_string())).collect();
        assert_eq!(all.iter().filter(|own| Arc::strong_count(own) > 1).count(), MOST_KEPT);
        assert_eq!(all[7].path, "7");
    }
}
