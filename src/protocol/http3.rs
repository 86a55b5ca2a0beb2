//! What HTTP/3 says before and beside the stream of a session: settings, the CONNECT, and how the session ends.
//!
//! Specification: RFC 9114, RFC 9204, RFC 9220 and draft-ietf-webtrans-http3. The fields of the CONNECT are written here:
//! `web-transport-proto` keeps one of each name.

use web_transport_proto::{
    Capsule, CapsuleError, ConnectError, ConnectResponse, Frame, Settings, SettingsError, StreamUni, VarInt,
};

/// More than this is not kept of what is not whole.
const LIMIT: usize = 128 << 10;

/// The type of the capsule that closes a session.
const CLOSE: u64 = 0x2843;

/// What our control stream says.
pub fn settings() -> Vec<u8> {
    let mut settings = Settings::default();
    settings.enable_webtransport(1);
    let mut bytes = Vec::new();
    settings.encode(&mut bytes);
    bytes
}

/// What HTTP/3 has no connections for (RFC 9114, section 4.2).
const OF_CONNECTIONS: [&str; 5] =
    ["connection", "upgrade", "keep-alive", "proxy-connection", "transfer-encoding"];

/// The request for a session: the headers in their order, those of one name as often as they are given. A header `Host`
/// stands for the authority; what HTTP/3 has no connections for is left out.
///
/// # Errors
/// In words, when it cannot be sent.
pub fn request(authority: &str, target: &str, headers: &[(String, String)]) -> Result<Vec<u8>, String> {
    let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let authority = host.map_or(authority, |(_, value)| value);
    let url = format!("https://{authority}{target}");
    let url = url::Url::parse(&url).map_err(|error| format!("ask for {url}: {error}"))?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    // Nothing refers to the table that grows: its size and the base are 0.
    let mut fields = vec![0, 0];
    field(&mut fields, ":method", "CONNECT");
    field(&mut fields, ":scheme", url.scheme());
    field(&mut fields, ":authority", url.authority());
    field(&mut fields, ":path", path);
    field(&mut fields, ":protocol", "webtransport");
    for (name, value) in headers {
        let lower = name.to_ascii_lowercase();
        if lower == "host" || OF_CONNECTIONS.contains(&&*lower) {
            continue;
        }
        if !is_token(&lower)
            || value.chars().any(|character| character.is_ascii_control() && character != '\t')
        {
            return Err(format!("send the header `{name}`"));
        }
        field(&mut fields, &lower, value);
    }
    let mut bytes = Vec::new();
    Frame::HEADERS.encode(&mut bytes);
    VarInt::from_u32(fields.len() as u32).encode(&mut bytes);
    bytes.extend(fields);
    Ok(bytes)
}

/// Whether it can be the name of a field (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_of_token)
}

/// A field with its name, both as they are (RFC 9204, section 4.5.6).
fn field(out: &mut Vec<u8>, name: &str, value: &str) {
    length(out, 0b0010_0000, 3, name.len());
    out.extend_from_slice(name.as_bytes());
    length(out, 0, 7, value.len());
    out.extend_from_slice(value.as_bytes());
}

/// A length in the last bits of a byte, and in those behind it where it is too great (RFC 7541, section 5.1).
fn length(out: &mut Vec<u8>, mark: u8, bits: u32, length: usize) {
    let most = (1 << bits) - 1;
    if length < most {
        return out.push(mark | length as u8);
    }
    out.push(mark | most as u8);
    let mut rest = length - most;
    while rest >= 128 {
        out.push(rest as u8 | 128);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// What the stream of a session begins with.
pub fn beginning(session: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame::WEBTRANSPORT.encode(&mut bytes);
    if let Ok(session) = VarInt::from_u64(session) {
        session.encode(&mut bytes);
    }
    bytes
}

/// What closes a session, on the stream of its CONNECT.
pub fn farewell() -> Vec<u8> {
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
pub struct Told {
    bytes: Vec<u8>,
    is_skipped: bool,
}

impl Told {
    /// Takes bytes. Tells once whether the settings offer WebTransport.
    ///
    /// # Errors
    /// In words, when settings cannot be read.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Option<bool>, String> {
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
pub enum Answer {
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
pub struct Answers {
    bytes: Vec<u8>,
    is_answered: bool,
    capsules: Vec<u8>,
}

impl Answers {
    /// Takes bytes. Tells what they say, one after another, until that is nothing.
    ///
    /// # Errors
    /// In words, when they cannot be read.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Option<Answer>, String> {
        self.bytes.extend_from_slice(bytes);
        let read = if self.is_answered { self.capsule() } else { self.response() };
        if self.bytes.len() + self.capsules.len() > LIMIT {
            return Err("the answer to its CONNECT has no end".to_owned());
        }
        read
    }

    /// Others than the final response may come before (RFC 9114, section 4.1).
    fn response(&mut self) -> Result<Option<Answer>, String> {
        loop {
            let mut rest = &self.bytes[..];
            let answer = match ConnectResponse::decode(&mut rest) {
                Ok(_) => Some(Answer::Accepted),
                Err(ConnectError::UnexpectedEnd) => return Ok(None),
                Err(ConnectError::WrongStatus(Some(status)) | ConnectError::ErrorStatus(status)) => {
                    (!status.is_informational()).then(|| Answer::Refused(status.as_u16()))
                }
                Err(error) => return Err(format!("the answer to its CONNECT cannot be read: {error}")),
            };
            let used = self.bytes.len() - rest.len();
            self.bytes.drain(..used);
            self.is_answered = answer.is_some();
            if self.is_answered {
                return Ok(answer);
            }
        }
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

#[cfg(test)]
mod tests;
