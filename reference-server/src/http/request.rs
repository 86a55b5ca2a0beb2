//! Request heads.
//!
//! Spec: RFC 9112 sections 3 and 6. Anything ambiguous about where a body ends is refused.

/// How the body of a request is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    None,
    /// So many bytes.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// A request without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// The method, as sent.
    pub(crate) method: String,
    /// The path, without the query.
    pub(crate) path: String,
    /// Query parameters, decoded, in order.
    pub(crate) query: Vec<(String, String)>,
    /// Headers, names in lower case, in order.
    pub(crate) headers: Vec<(String, String)>,
    /// How the body is delimited.
    pub(crate) framing: Framing,
    /// Whether another request may follow on this connection.
    pub(crate) keep_alive: bool,
}

/// Why a head is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadHead {
    /// Not HTTP, or ambiguous: status 400.
    Malformed,
    /// Too many headers: status 431.
    TooLarge,
}

const MAX_HEADERS: usize = 100;

impl Request {
    /// Reads a head from the start of `bytes`; with it comes its length. `None`: there is more to come.
    /// Fails when it never will be a head.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, BadHead> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let length = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(BadHead::TooLarge),
            Err(_) => return Err(BadHead::Malformed),
        };
        let target = parsed.path.ok_or(BadHead::Malformed)?;
        // An absolute form (`GET http://host/path`) is legal too.
        let target = match target.strip_prefix("http://") {
            Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
            None => target,
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<(String, String)> = parsed
            .headers
            .iter()
            .map(|header| {
                (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).trim().to_owned())
            })
            .collect();
        let framing = framing(&headers)?;
        let connection = find(&headers, "connection").unwrap_or("").to_ascii_lowercase();
        let keep_alive = match parsed.version {
            Some(1) => !has_token(&connection, "close"),
            _ => has_token(&connection, "keep-alive"),
        };
        let request = Request {
            method: parsed.method.unwrap_or("").to_owned(),
            path: path.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers,
            framing,
            keep_alive,
        };
        Ok(Some((request, length)))
    }

    /// The first header of that name (lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// A query parameter; of duplicates the last counts.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rfind(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Whether it asks to become a WebSocket.
    pub(crate) fn wants_websocket(&self) -> bool {
        let upgrade =
            self.header("upgrade").is_some_and(|value| has_token(&value.to_ascii_lowercase(), "websocket"));
        let connection = self.headers.iter().filter(|(name, _)| name == "connection");
        upgrade && connection.into_iter().any(|(_, value)| has_token(&value.to_ascii_lowercase(), "upgrade"))
    }

    /// Whether an encoding is accepted by the client.
    pub(crate) fn accepts(&self, encoding: &str) -> bool {
        let Some(accepted) = self.header("accept-encoding") else { return false };
        accepted.split(',').any(|item| {
            let (name, quality) = item.split_once(';').unwrap_or((item, ""));
            let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            name.trim().eq_ignore_ascii_case(encoding) && !refused
        })
    }

    /// The query as a JSON object; of duplicates the last counts.
    pub(crate) fn query_json(&self) -> Box<str> {
        json_object(&self.query, |_, new| new.to_owned())
    }

    /// The headers as a JSON object; duplicates are joined by a comma.
    pub(crate) fn headers_json(&self) -> Box<str> {
        json_object(&self.headers, |old, new| format!("{old}, {new}"))
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
}

fn has_token(list: &str, token: &str) -> bool {
    list.split(',').any(|item| item.trim() == token)
}

fn framing(headers: &[(String, String)]) -> Result<Framing, BadHead> {
    let mut framing = Framing::None;
    for (name, value) in headers {
        let next = match &**name {
            "content-length" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                Framing::Length(value.parse().map_err(|_| BadHead::Malformed)?)
            }
            "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => Framing::Chunked,
            "content-length" | "transfer-encoding" => return Err(BadHead::Malformed),
            _ => continue,
        };
        if framing != Framing::None && framing != next {
            return Err(BadHead::Malformed);
        }
        framing = next;
    }
    Ok(if framing == Framing::Length(0) { Framing::None } else { framing })
}

fn json_object(pairs: &[(String, String)], join: impl Fn(&str, &str) -> String) -> Box<str> {
    let mut object = serde_json::Map::new();
    for (key, value) in pairs {
        let joined = match object.get(key).and_then(|old| old.as_str()) {
            Some(old) => join(old, value),
            None => value.clone(),
        };
        object.insert(key.clone(), joined.into());
    }
    serde_json::Value::Object(object).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(head: &str) -> Request {
        Request::parse(head.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn a_head_is_taken_apart() {
        let request =
            parse("GET /socket.io/?EIO=4&a=1&a=2&b=%E2%82%AC+x&c HTTP/1.1\r\nHost: x\r\nX-Test: y\r\n\r\n");
        assert_eq!((&*request.method, &*request.path), ("GET", "/socket.io/"));
        assert_eq!(request.parameter("a"), Some("2"));
        assert_eq!(request.parameter("b"), Some("€ x"));
        assert_eq!(request.parameter("c"), Some(""));
        assert_eq!(request.header("x-test"), Some("y"));
        assert!(request.keep_alive);
        assert_eq!(&*request.query_json(), r#"{"EIO":"4","a":"2","b":"€ x","c":""}"#);
    }

    #[test]
    fn a_cut_head_wants_more() {
        assert_eq!(Request::parse(b"GET / HTTP/1.1\r\nHost"), Ok(None));
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        let decode = |text: &str| parse(&format!("GET /?x={text} HTTP/1.1\r\n\r\n")).query.remove(0).1;
        assert_eq!(decode("a%b%2"), "a%b%2");
        assert_eq!(decode("%e2%82%ac"), "€");
        assert_eq!(decode("%ff"), "\u{fffd}");
    }

    #[test]
    fn bodies_are_delimited_without_ambiguity() {
        let framing = |headers: &str| {
            Request::parse(format!("POST / HTTP/1.1\r\n{headers}\r\n").as_bytes())
                .map(|found| found.unwrap().0.framing)
        };
        assert_eq!(framing(""), Ok(Framing::None));
        assert_eq!(framing("content-length: 3\r\n"), Ok(Framing::Length(3)));
        assert_eq!(framing("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
        for ambiguous in [
            "content-length: 3\r\ncontent-length: 4\r\n",
            "content-length: 3\r\ntransfer-encoding: chunked\r\n",
            "content-length: -3\r\n",
            "content-length: 3, 3\r\n",
            "transfer-encoding: gzip, chunked\r\n",
        ] {
            assert_eq!(framing(ambiguous), Err(BadHead::Malformed), "{ambiguous}");
        }
    }

    #[test]
    fn connection_headers_decide_what_follows() {
        assert!(!parse("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n").keep_alive);
        assert!(!parse("GET / HTTP/1.0\r\n\r\n").keep_alive);
        assert!(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
        assert!(
            parse("GET / HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n")
                .wants_websocket()
        );
        assert!(!parse("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").wants_websocket());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Request::parse(&bytes);
        }
    }
}
