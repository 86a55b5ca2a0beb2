//! What HTTP/3 says before and beside the stream of a session: settings, the CONNECT, and how the session ends.
//!
//! Specification: RFC 9114, RFC 9220 and draft-ietf-webtrans-http3. Pure.

use web_transport_proto::{
    Capsule, CapsuleError, ConnectError, ConnectRequest, ConnectResponse, Frame, Settings, SettingsError,
    StreamUni, VarInt,
};

/// More than this is not kept of what is not whole.
const LIMIT: usize = 128 << 10;

/// The type of the capsule that closes a session.
const CLOSE: u64 = 0x2843;

/// What our control stream says.
pub(super) fn settings() -> Vec<u8> {
    let mut settings = Settings::default();
    settings.enable_webtransport(1);
    let mut bytes = Vec::new();
    settings.encode(&mut bytes);
    bytes
}

/// The request for a session. A header `Host` stands for the authority; what HTTP/3 has no connections for is left out.
///
/// # Errors
/// In words, when it cannot be sent.
pub(super) fn request(
    authority: &str,
    target: &str,
    headers: &[(String, String)],
) -> Result<Vec<u8>, String> {
    const OF_CONNECTIONS: [&str; 5] =
        ["connection", "upgrade", "keep-alive", "proxy-connection", "transfer-encoding"];
    let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let authority = host.map_or(authority, |(_, value)| value);
    let url = format!("https://{authority}{target}");
    let url = url::Url::parse(&url).map_err(|error| format!("ask for {url}: {error}"))?;
    let mut request = ConnectRequest::new(url);
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        if lower == "host" || OF_CONNECTIONS.contains(&&*lower) {
            continue;
        }
        let (Ok(name), Ok(value)) = (lower.parse(), value.parse()) else {
            return Err(format!("send the header `{name}`"));
        };
        request = request.with_header(name, value);
    }
    let mut bytes = Vec::new();
    request.encode(&mut bytes).map_err(|error| format!("ask for a session: {error}"))?;
    Ok(bytes)
}

/// What the stream of a session begins with.
pub(super) fn beginning(session: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame::WEBTRANSPORT.encode(&mut bytes);
    if let Ok(session) = VarInt::from_u64(session) {
        session.encode(&mut bytes);
    }
    bytes
}

/// What closes a session, on the stream of its CONNECT.
pub(super) fn farewell() -> Vec<u8> {
    let mut capsule = Vec::new();
    Capsule::CloseWebTransportSession { code: 0, reason: String::new() }.encode(&mut capsule);
    let mut bytes = Vec::new();
    Frame::DATA.encode(&mut bytes);
    VarInt::from_u32(capsule.len() as u32).encode(&mut bytes);
    bytes.extend(capsule);
    bytes
}

/// What the server says on a stream of one direction. Only its settings are of interest.
#[derive(Debug, Default)]
pub(super) struct Told {
    bytes: Vec<u8>,
    is_skipped: bool,
}

impl Told {
    /// Takes bytes. Tells once whether the settings offer WebTransport.
    ///
    /// # Errors
    /// In words, when settings cannot be read.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Option<bool>, String> {
        if self.is_skipped {
            return Ok(None);
        }
        self.bytes.extend_from_slice(bytes);
        let read = Settings::decode(&mut &self.bytes[..]);
        match read {
            Err(SettingsError::UnexpectedEnd) if self.bytes.len() <= LIMIT => return Ok(None),
            _ => self.is_skipped = true,
        }
        self.bytes = Vec::new();
        match read {
            Ok(settings) => Ok(Some(settings.supports_webtransport() > 0)),
            Err(SettingsError::UnexpectedStreamType(kind)) if kind != StreamUni::CONTROL => Ok(None),
            Err(error) => Err(format!("its settings cannot be read: {error}")),
        }
    }
}

/// What the server answers to the CONNECT.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The session is open.
    Accepted,
    /// It is not, and this is the HTTP status.
    Refused(u16),
    /// The server closes the session.
    Closed {
        /// With this code.
        code: u64,
        /// And this reason.
        reason: String,
    },
}

/// Reads what the server answers on the stream of the CONNECT.
#[derive(Debug, Default)]
pub(super) struct Answers {
    bytes: Vec<u8>,
    is_answered: bool,
    capsules: Vec<u8>,
}

impl Answers {
    /// Takes bytes. Tells what they say, one after another, until that is nothing.
    ///
    /// # Errors
    /// In words, when they cannot be read.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Option<Answer>, String> {
        self.bytes.extend_from_slice(bytes);
        let read = if self.is_answered { self.capsule() } else { self.response() };
        if self.bytes.len() + self.capsules.len() > LIMIT {
            return Err("the answer to its CONNECT has no end".to_owned());
        }
        read
    }

    fn response(&mut self) -> Result<Option<Answer>, String> {
        let mut rest = &self.bytes[..];
        let answer = match ConnectResponse::decode(&mut rest) {
            Ok(_) => Answer::Accepted,
            Err(ConnectError::UnexpectedEnd) => return Ok(None),
            Err(ConnectError::WrongStatus(Some(status)) | ConnectError::ErrorStatus(status)) => {
                Answer::Refused(status.as_u16())
            }
            Err(error) => return Err(format!("the answer to its CONNECT cannot be read: {error}")),
        };
        let used = self.bytes.len() - rest.len();
        self.bytes.drain(..used);
        self.is_answered = true;
        Ok(Some(answer))
    }

    /// Capsules stand in frames of data. Some servers write them bare.
    fn capsule(&mut self) -> Result<Option<Answer>, String> {
        loop {
            let mut rest = &self.bytes[..];
            let (Ok(kind), Ok(length)) = (VarInt::decode(&mut rest), VarInt::decode(&mut rest)) else {
                return Ok(None);
            };
            let Some(content) =
                usize::try_from(length.into_inner()).ok().and_then(|length| rest.get(..length))
            else {
                return Ok(None);
            };
            let end = self.bytes.len() - rest.len() + content.len();
            match kind {
                kind if Frame(kind) == Frame::DATA => self.capsules.extend_from_slice(content),
                kind if kind.into_inner() == CLOSE => self.capsules.extend_from_slice(&self.bytes[..end]),
                _ => {}
            }
            self.bytes.drain(..end);
            if let Some(closed) = self.closing()? {
                return Ok(Some(closed));
            }
        }
    }

    /// Reads the capsules that are whole. All but the last one mean nothing here.
    fn closing(&mut self) -> Result<Option<Answer>, String> {
        let mut used = 0;
        let closed = loop {
            let mut rest = &self.capsules[used..];
            match Capsule::decode(&mut rest) {
                Ok(Capsule::CloseWebTransportSession { code, reason }) => {
                    break Some(Answer::Closed { code: code.into(), reason });
                }
                Ok(_) => used = self.capsules.len() - rest.len(),
                Err(CapsuleError::UnexpectedEnd | CapsuleError::VarInt(_)) => break None,
                Err(error) => return Err(format!("a capsule cannot be read: {error}")),
            }
        };
        self.capsules.drain(..used);
        Ok(closed)
    }
}
