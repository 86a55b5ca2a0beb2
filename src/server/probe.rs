//! Looks whether an Engine.IO server answers at an endpoint, in which dialect, and says in words what does if not.
//!
//! One handshake by long-polling; where that is refused, one by WebSocket, for servers that allow nothing else.
//! The session is closed again at once, so that the server is as it was. HTTP is read
//! by the client's code, Engine.IO deliberately not: the probe has to be lenient (a server that is about to be tested
//! may be wrong in its details) and to recognise what is no Engine.IO at all.

mod answers;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{AlertDescription, ClientConfig};
use serde_json::Value;

use crate::protocol::dialect::{Framing, Version};
use crate::protocol::http::Response;
use crate::protocol::jsonp;

use answers::{is_spoilt_open, is_success, open_packet, stranger};

use super::http::{Answer, Broken, Exchange, Request, exchange, timed_out};
use super::{Endpoint, NotThere, Proxy, Seen};

/// How to look.
#[derive(Clone, Debug)]
pub struct Probing {
    /// How long one look may take, over all addresses and both transports.
    pub timeout: Duration,
    /// For `https`. None trusts the public authorities.
    pub tls: Option<Arc<ClientConfig>>,
    /// The proxy in between.
    pub proxy: Option<Proxy>,
    /// The version of the protocol to ask for. None asks for the newest first and takes what is there.
    pub version: Option<Version>,
    /// What the handshakes of the clients bring, tried in turn where the server wants credentials. Empty is one that
    /// brings nothing.
    pub manners: Vec<Manner>,
}

/// What a handshake brings beside what every one does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Query parameters.
    pub query: Vec<(String, String)>,
}

impl Default for Probing {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), tls: None, proxy: None, version: None, manners: Vec::new() }
    }
}

impl Probing {
    fn manners(&self) -> Vec<Manner> {
        if self.manners.is_empty() { vec![Manner::default()] } else { self.manners.clone() }
    }
}

/// What answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it answered: behind a redirect, or at a path that was meant otherwise than it was written.
    pub endpoint: Endpoint,
    /// The address that answered, of all that the host has.
    pub address: SocketAddr,
    /// The version of the protocol that it spoke.
    pub version: Version,
    /// Whether long-polling is allowed; if not, it was the WebSocket that answered.
    pub polling: bool,
    /// `pingInterval` of the handshake, if it is a number.
    pub ping_interval: Option<Duration>,
    /// `pingTimeout` of the handshake, if it is a number.
    pub ping_timeout: Option<Duration>,
    /// `maxPayload` of the handshake in bytes, if it is a number.
    pub max_payload: Option<u64>,
    /// What the server calls itself in `Server` or `X-Powered-By`.
    pub software: Option<String>,
    /// Whether it is there, but let none of our manners in.
    pub is_refusal: bool,
    /// What the user has to know of the way to it, each in a sentence.
    pub notes: Vec<String>,
}

/// Whether a server offers a way to connect, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Whether it does.
    pub there: bool,
    /// What was seen, in words.
    pub seen: String,
}

/// Which ways to connect a server offers. A way counts as offered when HTTP says so, however wrong the rest is: a server
/// that fails at what it offers is to be told so by those who test it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offers {
    /// Long-polling.
    pub polling: Offer,
    /// WebSockets.
    pub websocket: Offer,
    /// Upgrades from the one to the other.
    pub upgrade: Offer,
    /// The field `maxPayload` of the handshake, whatever its type.
    pub max_payload: Offer,
    /// Whether anything answered at all.
    pub answered: bool,
    /// The sentence that it wants credentials, if it offers nothing without.
    pub refusal: Option<String>,
}

fn there(seen: &str) -> Offer {
    Offer { there: true, seen: seen.to_owned() }
}

fn missing(seen: &str) -> Offer {
    Offer { there: false, seen: seen.to_owned() }
}

/// Looks which ways to connect are offered at this address. Blocks for at most twice the timeout.
pub(crate) fn offers(endpoint: &Endpoint, address: SocketAddr, probing: &Probing) -> Offers {
    let manner = probing.manners().swap_remove(0);
    let endpoint = &without_replaced(endpoint, &manner);
    let version = probing.version.unwrap_or(Version::V4);
    let look = || {
        let deadline = Instant::now() + probing.timeout;
        Look { endpoint, address, probing, manner: &manner, version, deadline }
    };
    let told = |answer: &Result<Response, Seen>, good: u16| match answer {
        Ok(response) => Offer {
            // A wrong status is no want of what comes with it.
            there: response.head.status == good
                || (is_success(response.head.status) && open_packet(&response.body, version).is_some()),
            seen: format!("HTTP status {}", response.head.status),
        },
        Err(seen) => {
            let endpoint = Box::new(endpoint.clone());
            Offer { there: false, seen: NotThere { endpoint, seen: seen.clone() }.to_string() }
        }
    };
    let polled = look();
    let by_polling = polled.response(&polled.parameters("polling"), &Request::Get);
    let by_websocket = look().response(&polled.parameters("websocket"), &Request::Upgrade);
    let answered = by_polling.is_ok() || by_websocket.is_ok();
    let (polling, websocket) = (told(&by_polling, 200), told(&by_websocket, 101));
    let refusal = match &by_polling {
        Ok(response) if !polling.there && !websocket.there => {
            let seen = stranger(response.clone());
            let is_it = seen.wants_credentials();
            is_it.then(|| NotThere { endpoint: Box::new(endpoint.clone()), seen }.to_string())
        }
        _ => None,
    };
    let tells = |answer: &Result<Response, Seen>| {
        let open = answer.as_ref().ok().and_then(|response| open_packet(&response.body, version));
        open.is_some_and(|open| !open["maxPayload"].is_null())
    };
    let max_payload = match tells(&by_polling) || tells(&by_websocket) {
        true => there("the handshake tells it"),
        false => missing("the handshake does not tell it"),
    };
    let open = by_polling.ok().and_then(|response| Some((open_packet(&response.body, version)?, response)));
    let is_listed = |open: &Value| {
        open["upgrades"].as_array().is_some_and(|all| all.iter().any(|name| name == "websocket"))
    };
    let upgrade = match &open {
        Some((open, response)) => {
            let upgrade = match is_listed(open) {
                false => missing("the handshake does not list `websocket`"),
                // Who opens WebSockets upgrades to them, too. What listens may still be let down by what stands before it.
                true if websocket.there => there("the handshake lists `websocket`"),
                true => told(&polled.upgrade(open, response), 101),
            };
            polled.say_goodbye(open, response);
            upgrade
        }
        None => missing("there is no handshake by long-polling to be upgraded"),
    };
    Offers { polling, websocket, upgrade, max_payload, answered, refusal }
}

/// Looks for a server. Blocks for at most the timeout for each place where it may be (and as long as the system takes to
/// resolve a name).
pub(crate) fn probe(endpoint: &Endpoint, probing: &Probing) -> Result<Found, NotThere> {
    let mut found = find(endpoint, probing)?;
    let sent: Vec<_> = probing.manners.iter().flat_map(|manner| manner.query.iter().cloned()).collect();
    found.notes.extend(found.endpoint.notes(&sent));
    Ok(found)
}

fn find(endpoint: &Endpoint, probing: &Probing) -> Result<Found, NotThere> {
    let first = look_at(endpoint, probing);
    match &first {
        Ok(found) if !found.is_refusal => return first,
        Err(not_there) if !not_there.seen.is_about_the_path() => return first,
        _ => {}
    }
    for other in endpoint.readings().into_iter().skip(1) {
        let Ok(mut found) = look_at(&other, probing) else { continue };
        if found.is_refusal && first.is_ok() {
            continue;
        }
        let (path, place) = (&endpoint.path, endpoint.authority());
        found.notes.insert(
            0,
            match &other.namespace {
                Some(name) if endpoint.namespace.is_none() => format!(
                    "{place} has Socket.IO at {} and not at {path}: `{name}` is taken for the namespace",
                    other.path
                ),
                _ => format!("{place} has Socket.IO at {} and not at {path}", other.path),
            },
        );
        return Ok(found);
    }
    first
}

/// Looks at one place, and follows one redirect.
fn look_at(endpoint: &Endpoint, probing: &Probing) -> Result<Found, NotThere> {
    let first = look_once(endpoint, probing);
    let Err(NotThere { seen: Seen::Redirect(status, to), .. }) = &first else { return first };
    let Some(target) = endpoint.redirected(to).filter(|target| *target != *endpoint) else { return first };
    match look_once(&target, probing) {
        Ok(mut found) => {
            found.notes.insert(0, format!("{endpoint} redirects to {target} (HTTP {status}): that is used"));
            Ok(found)
        }
        Err(_) => first,
    }
}

/// Looks at one place in each manner.
fn look_once(endpoint: &Endpoint, probing: &Probing) -> Result<Found, NotThere> {
    let mut refused = None;
    for manner in probing.manners() {
        match look_in(endpoint, probing, &manner) {
            Ok(found) if found.is_refusal => refused = refused.or(Some(found)),
            Ok(found) => return Ok(found),
            Err(not_there) => return refused.ok_or(not_there),
        }
    }
    refused.ok_or_else(|| NotThere { endpoint: Box::new(endpoint.clone()), seen: Seen::Closed })
}

/// Of a parameter that the clients bring themselves, the one in the url is left out.
fn without_replaced(endpoint: &Endpoint, manner: &Manner) -> Endpoint {
    let given = endpoint.query.as_deref().unwrap_or_default();
    let kept: Vec<&str> = given
        .split('&')
        .filter(|pair| {
            let name = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned());
            !pair.is_empty() && !manner.query.iter().any(|(other, _)| Some(other) == name.as_ref())
        })
        .collect();
    Endpoint { query: Some(kept.join("&")).filter(|query| !query.is_empty()), ..endpoint.clone() }
}

fn look_in(endpoint: &Endpoint, probing: &Probing, manner: &Manner) -> Result<Found, NotThere> {
    let asked = without_replaced(endpoint, manner);
    let not_there = |seen| NotThere { endpoint: Box::new(endpoint.clone()), seen };
    let addresses = match &probing.proxy {
        None => endpoint.addresses().map_err(|error| not_there(Seen::NoSuchName(error.to_string())))?,
        Some(proxy) => proxy.addresses().map_err(|error| {
            let why = format!("the proxy {} has no address ({error}); check its spelling", proxy.name());
            not_there(Seen::Proxy(why))
        })?,
    };
    let deadline = Instant::now() + probing.timeout;
    let mut seen = None;
    let count = addresses.len();
    for (index, address) in addresses.into_iter().enumerate() {
        // One address that swallows packets must not use up the time of the others.
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(count - index).unwrap_or(u32::MAX);
        let version = probing.version.unwrap_or(Version::V4);
        let look =
            Look { endpoint: &asked, address, probing, manner, version, deadline: Instant::now() + share };
        match look.look() {
            Ok(mut found) => {
                if let Some(proxy) = &probing.proxy {
                    found.notes.push(format!(
                        "the way to {} leads through the proxy {}",
                        endpoint.authority(),
                        proxy.name()
                    ));
                }
                return Ok(Found { endpoint: endpoint.clone(), ..found });
            }
            Err(other) if other.wants_credentials() => return Ok(look.refused(endpoint, other)),
            Err(other) => seen = Some(more_telling(seen, other)),
        }
    }
    Err(not_there(seen.unwrap_or_else(|| Seen::NoSuchName("no address".into()))))
}

/// Of what was seen at one address and then at another, what tells more: that nothing listens tells least.
fn more_telling(before: Option<Seen>, now: Seen) -> Seen {
    match (before, now) {
        (Some(before), Seen::Refused) => before,
        (_, now) => now,
    }
}

/// One look at one address.
struct Look<'a> {
    endpoint: &'a Endpoint,
    address: SocketAddr,
    probing: &'a Probing,
    manner: &'a Manner,
    version: Version,
    deadline: Instant,
}

impl Look<'_> {
    fn look(&self) -> Result<Found, Seen> {
        let seen = match self.look_in_this_version() {
            Err(seen) if self.probing.version.is_none() && seen.may_be_older() => seen,
            Ok(mut found) if self.version == Version::V3 => {
                found.notes.push("the clients speak Engine.IO 3, as was asked for".to_owned());
                return Ok(found);
            }
            other => return other,
        };
        let older = Look { version: Version::V3, ..*self };
        let mut found = older.look_in_this_version().map_err(|_| seen)?;
        found.notes.push(format!(
            "{} speaks Engine.IO 3, which is Socket.IO 2 or older: the clients speak it, too, unless the scenario says \
             otherwise",
            self.endpoint.authority()
        ));
        Ok(found)
    }

    fn look_in_this_version(&self) -> Result<Found, Seen> {
        let refused = match self.polling() {
            Err(Seen::Status(status @ 400..=499, reason, body)) => Seen::Status(status, reason, body),
            other => return other,
        };
        self.websocket().map_err(|_| refused)
    }

    fn polling(&self) -> Result<Found, Seen> {
        let response = self.response(&self.parameters("polling"), &Request::Get)?;
        match open_packet(&response.body, self.version) {
            Some(open) if is_success(response.head.status) => {
                self.say_goodbye(&open, &response);
                Ok(self.found(&response, &open, true))
            }
            None if is_success(response.head.status) && is_spoilt_open(&response) => {
                Ok(self.found(&response, &Value::Null, true))
            }
            _ => Err(stranger(response)),
        }
    }

    fn websocket(&self) -> Result<Found, Seen> {
        // Dropping the connection ends the session.
        let response = self.response(&self.parameters("websocket"), &Request::Upgrade)?;
        match &response.body[..] {
            [b'0', open @ ..] if response.head.status == 101 && open.starts_with(b"{") => {
                let open: Value = serde_json::from_slice(open).unwrap_or_default();
                Ok(self.found(&response, &open, false))
            }
            _ if response.head.status == 101 && is_spoilt_open(&response) => {
                Ok(self.found(&response, &Value::Null, false))
            }
            _ => Err(stranger(response)),
        }
    }

    fn found(&self, response: &Response, open: &Value, polling: bool) -> Found {
        let millis = |key| open[key].as_u64().map(Duration::from_millis);
        let software = response.head.header("server").or_else(|| response.head.header("x-powered-by"));
        Found {
            endpoint: self.endpoint.clone(),
            is_refusal: false,
            notes: Vec::new(),
            address: self.address,
            version: self.version,
            polling,
            ping_interval: millis("pingInterval"),
            ping_timeout: millis("pingTimeout"),
            max_payload: open["maxPayload"].as_u64(),
            software: software.map(str::to_owned),
        }
    }

    /// A server that is there and let us not in.
    fn refused(&self, endpoint: &Endpoint, seen: Seen) -> Found {
        let note = NotThere { endpoint: Box::new(endpoint.clone()), seen }.to_string();
        Found {
            endpoint: endpoint.clone(),
            address: self.address,
            version: self.version,
            polling: true,
            ping_interval: None,
            ping_timeout: None,
            max_payload: None,
            software: None,
            is_refusal: true,
            notes: vec![note],
        }
    }

    /// Asks to upgrade the session of this handshake.
    fn upgrade(&self, open: &Value, response: &Response) -> Result<Response, Seen> {
        let parameters = format!("{}&sid={}", self.parameters("websocket"), sid(open));
        let deadline = Instant::now() + self.probing.timeout;
        match self.exchange(deadline, &self.headers_after(response), &parameters, &Request::Upgrade) {
            Ok(answer) => self.heard(answer),
            Err(broken) => Err(self.broken(broken)),
        }
    }

    /// Ends the session with an Engine.IO `close` packet. Whether it succeeds does not matter: the session would time out.
    fn say_goodbye(&self, open: &Value, response: &Response) {
        if open["sid"].as_str().is_none() {
            return;
        }
        let deadline = self.deadline.min(Instant::now() + Duration::from_secs(1));
        let parameters = format!("{}&sid={}", self.parameters("polling"), sid(open));
        let close = match self.version.dialect().framing {
            Framing::Separated => "1",
            Framing::Counted => "1:1",
        };
        let form = self.jsonp().map(|_| jsonp::form_of(close));
        let close = match &form {
            Some(form) => Request::Post { kind: jsonp::FORM, body: form.as_bytes() },
            None => Request::Post { kind: "text/plain;charset=UTF-8", body: close.as_bytes() },
        };
        let _ = self.exchange(deadline, &self.headers_after(response), &parameters, &close);
    }

    /// The headers of a later request of the same session, with the cookies that came with its handshake: several servers may
    /// stand behind one address.
    fn headers_after(&self, response: &Response) -> Vec<(String, String)> {
        let is_cookie = |name: &str| name.eq_ignore_ascii_case("cookie");
        let (own, mut headers): (Vec<_>, Vec<_>) =
            self.manner.headers.iter().cloned().partition(|(name, _)| is_cookie(name));
        let given = response.head.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let pair = |(_, cookie): &(String, String)| cookie.split(';').next().unwrap_or_default().to_owned();
        let cookies: Vec<String> = own.into_iter().map(|(_, value)| value).chain(given.map(pair)).collect();
        if !cookies.is_empty() {
            headers.push(("Cookie".to_owned(), cookies.join("; ")));
        }
        headers
    }

    /// These parameters, and those of the clients.
    fn query(&self, parameters: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(parameters.to_owned());
        query.extend_pairs(&self.manner.query).finish()
    }

    fn parameters(&self, transport: &str) -> String {
        format!("{}&transport={transport}", self.version.dialect().parameter)
    }

    fn exchange(
        &self,
        deadline: Instant,
        headers: &[(String, String)],
        parameters: &str,
        request: &Request<'_>,
    ) -> Result<Answer, Broken> {
        let target = &self.endpoint.request_target(&self.query(parameters));
        let (endpoint, address, tls) = (self.endpoint, self.address, self.probing.tls.as_ref());
        let tunnel = self.probing.proxy.as_ref().map(|proxy| proxy.tunnel(endpoint));
        let tunnel = tunnel.as_ref();
        exchange(&Exchange { endpoint, address, tunnel, tls, deadline, headers, target }, request)
    }

    fn response(&self, parameters: &str, request: &Request<'_>) -> Result<Response, Seen> {
        match self.exchange(self.deadline, &self.manner.headers, parameters, request) {
            Ok(answer) => self.heard(answer),
            Err(broken) => Err(self.broken(broken)),
        }
    }

    fn heard(&self, answer: Answer) -> Result<Response, Seen> {
        let secure = self.endpoint.secure;
        match answer {
            Answer::Http(response) => Ok(self.uncalled(response)),
            Answer::NotHttp { bytes, .. } if !secure && is_tls_alert(&bytes) => Err(Seen::WantsTls),
            Answer::NotHttp { bytes, why } if bytes.starts_with(b"HTTP/") => Err(Seen::Malformed(why)),
            Answer::NotHttp { bytes, .. } => Err(Seen::NotHttp(bytes)),
            Answer::Closed(bytes) if !secure && is_tls_alert(&bytes) => Err(Seen::WantsTls),
            Answer::Closed(bytes) if bytes.is_empty() => Err(self.closed()),
            Answer::Closed(bytes) if bytes.starts_with(b"HTTP/") => Err(Seen::Unfinished(bytes)),
            Answer::Closed(bytes) => Err(Seen::NotHttp(bytes)),
        }
    }

    /// A response with the payload in the place of the call that brings it, where the clients ask for JSONP.
    fn uncalled(&self, response: Response) -> Response {
        let payload = self.jsonp().and_then(|j| jsonp::payload_of(&response.body, &j).ok());
        match payload {
            Some(payload) => Response { body: payload.into_bytes(), ..response },
            None => response,
        }
    }

    /// The number of the function that polls are to call, if the clients ask for JSONP.
    fn jsonp(&self) -> Option<String> {
        jsonp::asked_by(&self.query(""))
    }

    fn broken(&self, broken: Broken) -> Seen {
        let proxy = self.probing.proxy.as_ref().map(Proxy::name);
        match (broken, proxy) {
            (Broken::Proxy(why), _) => Seen::Proxy(why),
            (Broken::Connect(error), Some(proxy)) => {
                Seen::Proxy(format!("the proxy {proxy} cannot be reached: {error}"))
            }
            (broken, _) => self.broken_directly(broken),
        }
    }

    fn closed(&self) -> Seen {
        let has_shown = |tls: &Arc<ClientConfig>| tls.client_auth_cert_resolver.has_certs();
        match self.endpoint.secure && self.probing.tls.as_ref().is_some_and(has_shown) {
            true => Seen::ClosedOnCertificate,
            false => Seen::Closed,
        }
    }

    fn broken_directly(&self, broken: Broken) -> Seen {
        match broken {
            Broken::Proxy(why) => Seen::Proxy(why),
            Broken::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => Seen::Refused,
            Broken::Connect(error) if timed_out(&error) => Seen::NoConnection(self.probing.timeout),
            Broken::Connect(error) => Seen::Network(error.to_string()),
            Broken::Tls(rustls::Error::InvalidCertificate(error)) => Seen::Certificate(error),
            Broken::Tls(rustls::Error::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA,
            )) => Seen::WantsCertificate,
            Broken::Tls(error) => Seen::Tls(error.to_string()),
            Broken::NoTls => Seen::PlainHttp,
            Broken::TimedOut => Seen::NoAnswer(self.probing.timeout),
            Broken::Lost(error) if error.kind() == io::ErrorKind::ConnectionReset => self.closed(),
            Broken::Lost(error) => Seen::Network(error.to_string()),
        }
    }
}

/// The id of a session, for a query.
fn sid(open: &Value) -> String {
    url::form_urlencoded::byte_serialize(open["sid"].as_str().unwrap_or_default().as_bytes()).collect()
}

fn is_tls_alert(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15, 0x03, ..])
}

#[cfg(test)]
mod tests;
