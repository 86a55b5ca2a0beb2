//! A raw client: HTTP and WebSocket by hand, so that the server is judged by the bytes it sends.
//!
//! Blocking, with a generous limit on every read; nothing here sleeps. Silence is proved by a fence: an
//! acknowledged event on the same client, behind which nothing older can be hidden.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use reference_server::{Config, Fault, Faults, Handle, spawn};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(10);

/// A server of its own for one test.
pub struct Server {
    handle: Option<Handle>,
    pub address: SocketAddr,
}

impl Server {
    pub fn start() -> Server {
        Server::with(|_| {}, Faults::NONE)
    }

    pub fn configured(change: impl FnOnce(&mut Config)) -> Server {
        Server::with(change, Faults::NONE)
    }

    pub fn broken(fault: Fault) -> Server {
        Server::with(|_| {}, Faults::NONE.with(fault))
    }

    pub fn with(change: impl FnOnce(&mut Config), faults: Faults) -> Server {
        let mut config = Config { port: 0, ..Config::default() };
        change(&mut config);
        let handle = spawn(config, faults).expect("the server starts");
        let address = handle.local_addr();
        Server { handle: Some(handle), address }
    }

    pub fn stop(&self) {
        self.handle.as_ref().expect("it runs").shutdown();
    }

    pub fn wait(mut self) {
        self.handle.take().expect("it runs").wait();
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        stream
    }

    /// One request on a connection of its own.
    pub fn request(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> Reply {
        self.begin(method, target, headers, body).finish()
    }

    /// A request whose answer is fetched later.
    pub fn begin(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> Pending {
        let mut stream = self.connect();
        send_request(&mut stream, method, target, headers, body);
        Pending { stream }
    }

    pub fn engine(&self, method: &str, query: &str) -> Reply {
        self.request(method, &format!("/socket.io/?{query}"), "", b"")
    }

    pub fn polling(&self) -> Polling<'_> {
        let reply = self.engine("GET", "EIO=4&transport=polling");
        assert_eq!(reply.status, 200);
        let open: Value =
            serde_json::from_str(reply.text().strip_prefix('0').expect("an open packet")).expect("JSON");
        Polling { server: self, sid: open["sid"].as_str().expect("a sid").to_owned() }
    }

    pub fn websocket(&self, query: &str) -> WebSocket {
        self.try_websocket(query)
            .unwrap_or_else(|reply| panic!("no WebSocket: {} {}", reply.status, reply.text()))
    }

    pub fn try_websocket(&self, query: &str) -> Result<WebSocket, Reply> {
        let mut stream = self.connect();
        let headers = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Test: yes\r\n";
        send_request(&mut stream, "GET", &format!("/socket.io/?{query}"), headers, b"");
        let mut wire = Wire { stream, bytes: Vec::new() };
        let (status, headers) = wire.head();
        if status != 101 {
            let body = wire.body(&headers);
            return Err(Reply { status, headers, body });
        }
        let accept = headers.iter().find(|(name, _)| name == "sec-websocket-accept").expect("an accept key");
        assert_eq!(accept.1, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        Ok(WebSocket { wire })
    }

    /// A WebSocket past its open packet.
    pub fn open_websocket(&self) -> WebSocket {
        let mut websocket = self.websocket("EIO=4&transport=websocket");
        assert!(websocket.text().starts_with("0{"));
        websocket
    }

    /// A client that joined `/`.
    pub fn client(&self) -> Client {
        self.client_in("/")
    }

    pub fn client_in(&self, namespace: &str) -> Client {
        let mut client =
            Client { websocket: self.open_websocket(), sid: String::new(), next_id: 1, seen: Vec::new() };
        client.sid = client.join_namespace(namespace, "");
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.shutdown();
        }
    }
}

fn send_request(stream: &mut TcpStream, method: &str, target: &str, headers: &str, body: &[u8]) {
    let length = if body.is_empty() && method != "POST" || headers.contains("chunked") {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let mut bytes = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n{headers}{length}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).expect("the request is sent");
}

/// An answered request.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    pub fn code(&self) -> u64 {
        let body: Value = serde_json::from_slice(&self.body).expect("a JSON body");
        body["code"].as_u64().expect("a numeric code")
    }
}

/// A request that was sent.
pub struct Pending {
    pub stream: TcpStream,
}

impl Pending {
    pub fn finish(self) -> Reply {
        let mut wire = Wire { stream: self.stream, bytes: Vec::new() };
        wire.reply()
    }
}

/// A connection and what arrived on it.
pub struct Wire {
    pub stream: TcpStream,
    pub bytes: Vec<u8>,
}

impl Wire {
    /// Reads more. `false`: the peer closed.
    fn more(&mut self) -> bool {
        let mut scratch = [0; 65536];
        match self.stream.read(&mut scratch) {
            Ok(0) => false,
            Ok(length) => {
                self.bytes.extend_from_slice(&scratch[..length]);
                true
            }
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => false,
            Err(error) => panic!("nothing arrived in time: {error}"),
        }
    }

    fn head(&mut self) -> (u16, Vec<(String, String)>) {
        let end = loop {
            if let Some(end) = self.bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            assert!(self.more(), "the connection ended before an answer");
        };
        let head: Vec<u8> = self.bytes.drain(..end + 4).collect();
        let head = String::from_utf8(head).expect("an ASCII head");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        (status.expect("a status"), headers)
    }

    fn body(&mut self, headers: &[(String, String)]) -> Vec<u8> {
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length: usize = length.map_or(0, |(_, value)| value.parse().expect("a length"));
        while self.bytes.len() < length {
            assert!(self.more(), "the body was cut");
        }
        self.bytes.drain(..length).collect()
    }

    pub fn reply(&mut self) -> Reply {
        let (status, headers) = self.head();
        let body = self.body(&headers);
        Reply { status, headers, body }
    }

    /// One more request on the same connection.
    pub fn request(&mut self, method: &str, target: &str, body: &[u8]) -> Reply {
        send_request(&mut self.stream, method, target, "", body);
        self.reply()
    }
}

/// A polling session.
pub struct Polling<'a> {
    server: &'a Server,
    pub sid: String,
}

impl Polling<'_> {
    pub fn target(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)
    }

    pub fn get(&self) -> Reply {
        self.server.request("GET", &self.target(), "", b"")
    }

    /// A GET that the server has received: it takes connections and their first bytes in order, so an answer
    /// on a later connection proves that this one was looked at.
    pub fn begin_get(&self) -> Pending {
        let pending = self.server.begin("GET", &self.target(), "", b"");
        for _ in 0..2 {
            assert_eq!(self.server.request("GET", "/nothing", "", b"").status, 404);
        }
        pending
    }

    pub fn post(&self, body: &str) -> Reply {
        self.server.request(
            "POST",
            &self.target(),
            "Content-Type: text/plain;charset=UTF-8\r\n",
            body.as_bytes(),
        )
    }

    /// Packets of one poll.
    pub fn packets(&self) -> Vec<String> {
        let reply = self.get();
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.text().split('\u{1e}').map(str::to_owned).collect()
    }

    /// Joins `/`.
    pub fn join(&self) {
        assert_eq!(self.post("40").text(), "ok");
        let mut packets = self.packets();
        if packets.len() < 2 {
            packets.extend(self.packets());
        }
        assert!(packets[0].starts_with("40{"), "{packets:?}");
        assert!(packets[1].starts_with("42[\"auth\""), "{packets:?}");
    }

    pub fn assert_alive(&self) {
        assert_eq!(self.post("42[\"message\",\"alive\"]").text(), "ok");
        assert_eq!(self.packets(), ["42[\"message-back\",\"alive\"]"]);
    }

    pub fn assert_dead(&self) {
        let reply = self.get();
        assert_eq!((reply.status, reply.code()), (400, 1));
    }

    pub fn upgrade(&self) -> WebSocket {
        self.server.websocket(&format!("EIO=4&transport=websocket&sid={}", self.sid))
    }
}

/// A WebSocket.
pub struct WebSocket {
    pub wire: Wire,
}

/// What the server sent on a WebSocket.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    Text(String),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
    /// The connection ended without a close frame.
    End,
}

/// A masked frame; `first` is the first byte: FIN, RSV and opcode.
pub fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match content.len() {
        length @ 0..126 => bytes.push(0x80 | length as u8),
        length @ 126..65536 => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    let mask = [1, 2, 3, 4];
    bytes.extend_from_slice(&mask);
    bytes.extend(content.iter().enumerate().map(|(n, byte)| byte ^ mask[n % 4]));
    bytes
}

impl WebSocket {
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.wire.stream.write_all(bytes).expect("the frame is sent");
    }

    pub fn send(&mut self, text: &str) {
        self.send_raw(&frame(0x81, text.as_bytes()));
    }

    pub fn send_binary(&mut self, data: &[u8]) {
        self.send_raw(&frame(0x82, data));
    }

    pub fn frame(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.parse() {
                return frame;
            }
            if !self.wire.more() {
                return Frame::End;
            }
        }
    }

    fn parse(&mut self) -> Option<Frame> {
        let bytes = &self.wire.bytes;
        let (first, second) = (*bytes.first()?, *bytes.get(1)?);
        assert_eq!(first & 0xf0, 0x80, "a server frame is whole and has no extension bits");
        assert_eq!(second & 0x80, 0, "a server frame is not masked");
        let (length, header) = match second {
            126 => (u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?) as usize, 4),
            127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10),
            short => (short as usize, 2),
        };
        let content = bytes.get(header..header + length)?.to_vec();
        self.wire.bytes.drain(..header + length);
        Some(match first & 0x0f {
            1 => Frame::Text(String::from_utf8(content).expect("UTF-8")),
            2 => Frame::Binary(content),
            8 => Frame::Close(content.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]))),
            10 => Frame::Pong(content),
            opcode => panic!("unexpected opcode {opcode}"),
        })
    }

    /// The next text frame that is no ping; pings are answered.
    pub fn text(&mut self) -> String {
        loop {
            match self.frame() {
                Frame::Text(text) if text == "2" => self.send("3"),
                Frame::Text(text) => return text,
                other => panic!("{other:?} in place of text"),
            }
        }
    }

    /// Answers pings until the server closes; the close code, if it sent one. Anything else is returned as found.
    pub fn closed(&mut self) -> Option<u16> {
        loop {
            match self.frame() {
                Frame::Text(text) if text == "2" => self.send("3"),
                Frame::Text(_) | Frame::Binary(_) => {}
                Frame::Close(code) => return code,
                other => panic!("{other:?} in place of a close frame"),
            }
        }
    }

    pub fn assert_alive(&mut self) {
        self.send("42[\"message\",\"alive\"]");
        assert_eq!(self.text(), "42[\"message-back\",\"alive\"]");
    }

    pub fn cut(&self) {
        self.wire.stream.shutdown(Shutdown::Both).expect("it was connected");
    }
}

/// A Socket.IO client on a WebSocket.
pub struct Client {
    pub websocket: WebSocket,
    pub sid: String,
    next_id: u64,
    seen: Vec<String>,
}

impl Client {
    /// Joins a namespace; the socket's id.
    pub fn join_namespace(&mut self, namespace: &str, auth: &str) -> String {
        let prefix = if namespace == "/" { String::new() } else { format!("{namespace},") };
        self.websocket.send(&format!("40{prefix}{auth}"));
        let reply = self.next();
        let payload =
            reply.strip_prefix(&format!("40{prefix}")).unwrap_or_else(|| panic!("refused: {reply}"));
        let payload: Value = serde_json::from_str(payload).expect("JSON");
        let auth = self.next();
        assert!(auth.starts_with(&format!("42{prefix}[\"auth\"")), "{auth}");
        payload["sid"].as_str().expect("a sid").to_owned()
    }

    /// The next packet: seen on the way to an acknowledgement, or fresh.
    pub fn next(&mut self) -> String {
        if self.seen.is_empty() { self.websocket.text() } else { self.seen.remove(0) }
    }

    pub fn send(&mut self, text: &str) {
        self.websocket.send(text);
    }

    pub fn emit(&mut self, args: &Value) {
        self.websocket.send(&format!("42{args}"));
    }

    /// Emits and waits for the answer; what arrives before it is kept for [`Client::next`].
    pub fn ask(&mut self, args: &Value) -> Value {
        self.ask_in("/", args)
    }

    pub fn ask_in(&mut self, namespace: &str, args: &Value) -> Value {
        let prefix = if namespace == "/" { String::new() } else { format!("{namespace},") };
        let id = self.next_id;
        self.next_id += 1;
        self.websocket.send(&format!("42{prefix}{id}{args}"));
        let expected = format!("43{prefix}{id}[");
        loop {
            let text = self.websocket.text();
            if text.starts_with(&expected) {
                return serde_json::from_str(&text[expected.len() - 1..]).expect("JSON");
            }
            self.seen.push(text);
        }
    }

    pub fn join(&mut self, room: &str) {
        let rooms = self.ask(&json!(["t:join", room]));
        assert!(rooms[0].as_array().expect("rooms").contains(&json!(room)));
    }

    pub fn cast(&mut self, target: &Value, text: &str) {
        assert_eq!(self.ask(&json!(["t:cast", target, "said", [text]])), json!([]));
    }

    /// Texts of all `said` events that arrived before a fence.
    pub fn heard(&mut self) -> Vec<String> {
        self.ask(&json!(["message-with-ack", "fence"]));
        let seen = std::mem::take(&mut self.seen);
        seen.iter()
            .map(|text| {
                let start = text.find('[').unwrap_or_else(|| panic!("{text} is no event"));
                let args: Value = serde_json::from_str(&text[start..]).expect("JSON");
                assert_eq!(args[0], "said", "{text}");
                args[1].as_str().expect("a text").to_owned()
            })
            .collect()
    }
}
