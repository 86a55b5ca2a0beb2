//! Why a server is not there: what was seen, and what to try, in one sentence.

use std::fmt;
use std::time::Duration;

use rustls::CertificateError;

use crate::measure::format;

use super::Endpoint;

/// Nothing that speaks Engine.IO v4 answers at this endpoint. Displayed as one sentence without its full stop.
#[derive(Clone, Debug, PartialEq)]
pub struct NotThere {
    /// Where it was looked for.
    pub endpoint: Box<Endpoint>,
    /// What was seen instead.
    pub seen: Seen,
}

/// What was seen instead of an Engine.IO handshake.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// The host name has no address.
    NoSuchName(String),
    /// Nothing listens at the port.
    Refused,
    /// No connection came about within the time.
    NoConnection(Duration),
    /// A connection came about, but no answer within the time.
    NoAnswer(Duration),
    /// The proxy did not let us through: a sentence.
    Proxy(String),
    /// The server wants a certificate of ours.
    WantsCertificate,
    /// The network said something else.
    Network(String),
    /// The server's certificate was not accepted.
    Certificate(CertificateError),
    /// The TLS handshake failed otherwise.
    Tls(String),
    /// Asked with TLS, and it speaks none.
    PlainHttp,
    /// Asked without TLS, and it wants it.
    WantsTls,
    /// The connection was closed without an answer.
    Closed,
    /// The same, where a certificate of ours may have been shown: over TLS 1.3, that is how some servers refuse it.
    ClosedOnCertificate,
    /// It began to answer, and did not come to the end: its first bytes.
    Unfinished(Vec<u8>),
    /// It does not speak HTTP: its first bytes.
    NotHttp(Vec<u8>),
    /// It speaks HTTP that is not well-formed: what is wrong with it.
    Malformed(String),
    /// An older protocol: Engine.IO v3 and before, which is Socket.IO 2 and before.
    OldProtocol,
    /// It refuses Engine.IO v4: its message.
    RefusesVersion(String),
    /// A redirect, and where to.
    Redirect(u16, String),
    /// A web page.
    Page(u16),
    /// Another HTTP status than 200, with its reason and the first bytes of the body.
    Status(u16, String, Vec<u8>),
    /// Status 200, and a body that is no `open` packet: its first bytes.
    Other(Vec<u8>),
}

impl fmt::Display for NotThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, .. } = self;
        let place = endpoint.authority();
        let path = &endpoint.path;
        match &self.seen {
            Seen::NoSuchName(why) => {
                let (host, why) = (&endpoint.host, format::printable(why));
                write!(f, "the name {host} has no address ({why}); check its spelling")
            }
            Seen::Refused => write!(
                f,
                "nothing listens at {place} (connection refused); start the server, or check host and port"
            ),
            Seen::NoConnection(time) => write!(
                f,
                "no connection to {place} within {}; check host and port, and whether a firewall is in between",
                format::duration(*time)
            ),
            Seen::NoAnswer(time) => write!(
                f,
                "{place} took the connection and did not answer an Engine.IO handshake within {}; is it busy, or \
                 another kind of server?",
                format::duration(*time)
            ),
            Seen::Proxy(why) => f.write_str(&format::printable(why)),
            Seen::WantsCertificate => write!(
                f,
                "{place} wants a certificate of its clients, or accepts not the one that was shown; give one with --cert \
                 FILE and --key FILE"
            ),
            Seen::Network(why) => write!(f, "{place} could not be reached: {}", format::printable(why)),
            Seen::Certificate(error) => write!(f, "{}", certificate(error, &place)),
            Seen::Tls(why) => write!(
                f,
                "the TLS handshake with {place} failed: {}; does the server speak TLS 1.2 or 1.3?",
                format::printable(why)
            ),
            Seen::PlainHttp => {
                write!(f, "{place} does not speak TLS; try {}", endpoint.with_secure(false))
            }
            Seen::WantsTls => write!(f, "{place} wants TLS; try {}", endpoint.with_secure(true)),
            Seen::ClosedOnCertificate => write!(
                f,
                "{place} closed the connection without an answer; does it accept the certificate of --cert, and is it a \
                 Socket.IO server?"
            ),
            Seen::Closed if endpoint.secure => {
                write!(f, "{place} closed the connection without an answer; is it a Socket.IO server?")
            }
            Seen::Closed => write!(
                f,
                "{place} closed the connection without an answer; if it wants TLS, try {}",
                endpoint.with_secure(true)
            ),
            Seen::Unfinished(bytes) => write!(
                f,
                "the answer of {place} broke off, or took too long; it began with {}; is it busy, or is something in \
                 between?",
                first(bytes)
            ),
            Seen::NotHttp(bytes) => write!(
                f,
                "what listens at {place} does not speak HTTP, its first bytes are {}; check the port",
                first(bytes)
            ),
            Seen::Malformed(why) => write!(
                f,
                "the answer of {place} is not well-formed HTTP: {}; mend what answers there, the server or something in between",
                format::printable(why)
            ),
            Seen::OldProtocol => write!(
                f,
                "{place} speaks Engine.IO v3, which is Socket.IO 2 or older, and not the version that was asked for; \
                 leave out `--protocol`, or give `--protocol 3`"
            ),
            Seen::RefusesVersion(message) => write!(
                f,
                "{place} refuses this version of Engine.IO (`{}`); `--protocol` names another: 4 for Socket.IO 3 and \
                 newer, 3 for Socket.IO 2 and older",
                format::printable(message)
            ),
            Seen::Redirect(status, to) => write!(
                f,
                "{place} redirects from {path} to {} (HTTP {status}), where no Socket.IO server was looked for or \
                 found; give the url of the server itself",
                format::printable(to)
            ),
            Seen::Page(status) => write!(
                f,
                "{place} answers {path} with a web page (HTTP {status}), not with an Engine.IO handshake; {}",
                another_path(endpoint)
            ),
            Seen::Status(status, reason, body) => status_sentence(f, endpoint, *status, reason, body),
            Seen::Other(body) => write!(
                f,
                "{place} answers {path} with {}, which is no Engine.IO handshake; {}",
                first(body),
                another_path(endpoint)
            ),
        }
    }
}

impl std::error::Error for NotThere {}

const WANTS_CREDENTIALS: &str = ": it is there and wants credentials. Those of all clients are given with --header, --query \
                                 or --auth, those of a group in the scenario";

impl Seen {
    /// Whether a server is there that did not let us in.
    pub(super) fn wants_credentials(&self) -> bool {
        match self {
            Seen::Status(401 | 403, ..) => true,
            Seen::Status(400..=499, _, body) => is_engine_io_refusal(body),
            _ => false,
        }
    }

    /// Whether a Socket.IO server is there, and only of another version of the protocol.
    pub(super) fn is_other_version(&self) -> bool {
        matches!(self, Seen::OldProtocol | Seen::RefusesVersion(_))
    }

    /// Whether what answered may be a server of an older version.
    pub(super) fn may_be_older(&self) -> bool {
        matches!(self, Seen::OldProtocol | Seen::RefusesVersion(_) | Seen::Status(400, ..))
    }

    /// Whether another path may be meant: something answers, but no Engine.IO.
    pub(super) fn is_about_the_path(&self) -> bool {
        matches!(
            self,
            Seen::Redirect(..)
                | Seen::Page(_)
                | Seen::Status(..)
                | Seen::Other(_)
                | Seen::Closed
                | Seen::ClosedOnCertificate
        )
    }
}

/// Whether this is how an Engine.IO server refuses whom it does not want: `{"code":4,"message":"Forbidden"}`, or with code
/// 3 where a middleware did it.
pub(super) fn is_engine_io_refusal(body: &[u8]) -> bool {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    matches!(body["code"].as_u64(), Some(3 | 4)) && body["message"].is_string()
}

fn status_sentence(
    f: &mut fmt::Formatter<'_>,
    endpoint: &Endpoint,
    status: u16,
    reason: &str,
    body: &[u8],
) -> fmt::Result {
    let (place, path) = (endpoint.authority(), &endpoint.path);
    let reason = format::printable(reason);
    let space = if reason.is_empty() { "" } else { " " };
    write!(f, "{place} answers an Engine.IO handshake at {path} with HTTP {status}{space}{reason}")?;
    if !body.is_empty() {
        write!(f, ", {}", first(body))?;
    }
    match status {
        401 | 403 => f.write_str(WANTS_CREDENTIALS),
        400..=499 if is_engine_io_refusal(body) => f.write_str(WANTS_CREDENTIALS),
        404 | 405 => write!(f, "; {}", another_path(endpoint)),
        429 => f.write_str("; it limits how often a client may ask: wait, or lift the limit for tests"),
        502..=504 => f.write_str("; that is a proxy whose server is not up: start the server behind it"),
        500..=599 => f.write_str("; look into the server's own log"),
        _ => f.write_str("; is it a server of Socket.IO 3 or newer?"),
    }
}

fn certificate(error: &CertificateError, place: &str) -> String {
    match error {
        CertificateError::UnknownIssuer => format!(
            "the certificate of {place} is from an authority that is not known here; name it with --ca-file FILE, \
             or accept any certificate with --insecure"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the certificate of {place} has expired; renew it, or accept it with --insecure")
        }
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => format!(
            "the certificate of {place} names no host in its subjectAltName; make it with one \
             (openssl req -x509 -addext subjectAltName=DNS:{}), or give the certificate itself with --ca-file FILE, which \
             makes its common name count, or accept it with --insecure",
            place.split(':').next().unwrap_or(place)
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
            "the certificate of {place} is for another name; use that name in the url, or accept it with --insecure"
        ),
        // The verifier has no kind of its own for what `openssl req -x509` makes.
        CertificateError::Other(other) if other.0.to_string() == "CaUsedAsEndEntity" => format!(
            "the certificate of {place} is that of an authority, as one that is self-signed; give the certificate itself with \
             --ca-file FILE, or accept any certificate with --insecure"
        ),
        // Without extensions it cannot say what it is for, and the verifier reads none.
        CertificateError::Other(other) if other.0.to_string() == "UnsupportedCertVersion" => format!(
            "the certificate of {place} is of version 1 of X.509, which no public authority signs; name the authority that \
             has signed it, or give the certificate itself, with --ca-file FILE, or accept any certificate with --insecure"
        ),
        // The library would have found none of its own words for it.
        CertificateError::BadSignature => format!(
            "the certificate of {place} was not signed by the authority of that name in the file of --ca-file; name the one that \
             has signed it, or accept any certificate with --insecure"
        ),
        other => format!(
            "the certificate of {place} was refused: {other}; name its authority with --ca-file FILE, or accept \
             any certificate with --insecure"
        ),
    }
}

/// How to say that Socket.IO has a path other than the one that was tried.
fn another_path(endpoint: &Endpoint) -> String {
    let path = if endpoint.path == "/socket.io/" { "/path/" } else { "/socket.io/" };
    let url = Endpoint { path: path.into(), query: None, ..endpoint.clone() };
    format!("if Socket.IO has another path there, name it with `--path {path}`, or in the url: {url}")
}

/// The beginning of a body between backticks.
pub(super) fn first(bytes: &[u8]) -> String {
    const MOST: usize = 60;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MOST)]).into_owned();
    let text = format::printable(text.trim_end());
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}
