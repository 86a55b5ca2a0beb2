//! What the fixture contract asks of a server, in the words of socketioxide. Its README lists what is missing.

use std::{collections::HashMap, time::Duration};

use axum::http::HeaderValue;
use futures_util::StreamExt;
use rmpv::Value;
use serde::{Deserialize, Serialize};
use socketioxide::{
    NsInsertError, SocketIo, TransportType,
    extract::{AckSender, Data, SocketRef},
    handler::ConnectHandler,
    operators::BroadcastOperators,
    socket::{DisconnectReason, Sid},
};

use crate::args::Args;

pub fn set_up(io: &SocketIo) -> Result<(), NsInsertError> {
    io.ns("/", on_connect);
    io.ns("/custom", on_connect);
    io.ns("/guard", on_connect.with(guard));
    io.dyn_ns("/dyn-{number}", on_connect.with(digits))
}

async fn guard(Data(auth): Data<Value>) -> Result<(), &'static str> {
    if auth["token"].as_str() == Some("ok") { Ok(()) } else { Err("nope") }
}

/// The router of namespaces knows parameters but no patterns, so `/dyn-x` gets this far.
async fn digits(socket: SocketRef) -> Result<(), &'static str> {
    let number = socket.ns().trim_start_matches("/dyn-");
    if number.bytes().all(|byte| byte.is_ascii_digit()) { Ok(()) } else { Err("Invalid namespace") }
}

async fn on_connect(socket: SocketRef, io: SocketIo, Data(auth): Data<Value>) {
    // The official server does this by itself: one's own id is a room.
    socket.join(socket.id);

    socket.on("message", async |socket: SocketRef, Data(args): Data<Args>| {
        socket.emit("message-back", &args).ok();
    });
    socket.on("message-with-ack", async |Data(args): Data<Args>, ack: AckSender| {
        ack.send(&args).ok();
    });

    socket.on("t:join", async |socket: SocketRef, Data(rooms): Data<Rooms>, ack: AckSender| {
        socket.join(rooms.into_vec());
        ack.send(&socket.rooms()).ok();
    });
    socket.on("t:leave", async |socket: SocketRef, Data(room): Data<String>, ack: AckSender| {
        socket.leave(room);
        ack.send(&socket.rooms()).ok();
    });

    socket.on("t:cast", cast);
    socket.on("t:cast-ack", cast_with_ack);
    socket.on("t:sockets", in_bulk);
    socket.on("t:burst", burst);

    socket.on("t:ask", ask);
    // `AckSender` can be used only once, which is rather the point.
    socket.on("t:ack-twice", async |ack: AckSender| {
        ack.send(&1).ok();
    });

    let introduction = auth.clone();
    socket.on("t:who", async move |socket: SocketRef, transport: TransportType, ack: AckSender| {
        ack.send(&who(&socket, transport, introduction)).ok();
    });
    // The rooms are left when this handler has returned, or before it begins if the connection ends right after a DISCONNECT.
    socket.on_disconnect(async move |socket: SocketRef, reason: DisconnectReason| {
        let news = (socket.id, socket.ns(), in_words(reason), socket.rooms());
        io.to("watch").emit("gone", &news).await.ok();
    });

    socket.emit("auth", &auth).ok();
}

/// One room or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rooms {
    One(String),
    Several(Vec<String>),
}

impl Rooms {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(room) => vec![room],
            Self::Several(rooms) => rooms,
        }
    }
}

/// Whom a broadcast is for.
#[derive(Deserialize)]
#[serde(default)]
struct Target {
    from: From,
    to: Vec<String>,
    except: Vec<String>,
    flags: Vec<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum From {
    Io,
    Socket,
}

impl Default for Target {
    fn default() -> Self {
        Self { from: From::Socket, to: vec![], except: vec![], flags: vec![] }
    }
}

impl Target {
    /// `None` if the namespace is gone.
    fn operators(self, io: &SocketIo, socket: &SocketRef) -> Option<BroadcastOperators> {
        let everyone = match self.from {
            From::Io => io.of(socket.ns())?.broadcast(),
            From::Socket => socket.broadcast(),
        };
        let operators = everyone.within(self.to).except(self.except);
        Some(self.flags.iter().fold(operators, |operators, flag| match flag.as_str() {
            "volatile" => operators.volatile(),
            "local" => operators.local(),
            _ => operators,
        }))
    }
}

async fn cast(
    io: SocketIo,
    socket: SocketRef,
    Data((target, event, args)): Data<(Target, String, Vec<Value>)>,
    ack: AckSender,
) {
    let Some(operators) = target.operators(&io, &socket) else { return };
    operators.emit(event, &Args(args)).await.ok();
    ack.send(&Args::default()).ok();
}

async fn cast_with_ack(
    io: SocketIo,
    socket: SocketRef,
    Data((target, ms, event, args)): Data<(Target, u64, String, Vec<Value>)>,
    ack: AckSender,
) {
    let Some(operators) = target.operators(&io, &socket) else { return };
    let timeout = Duration::from_millis(ms);
    let Ok(answers) = operators.timeout(timeout).emit_with_ack::<_, Args>(event, &Args(args)).await else {
        return;
    };
    let answers: Vec<_> = answers.map(|(_, answer)| answer).collect().await;
    let incomplete = answers.iter().any(Result::is_err);
    let responses: Vec<_> = answers.into_iter().flatten().map(first).collect();
    ack.send(&(incomplete, responses)).ok();
}

fn first(Args(values): Args) -> Value {
    values.into_iter().next().unwrap_or(Value::Nil)
}

async fn in_bulk(
    io: SocketIo,
    socket: SocketRef,
    Data((target, what, argument)): Data<(Target, String, Value)>,
    ack: AckSender,
) {
    let Some(operators) = (Target { from: From::Io, ..target }).operators(&io, &socket) else { return };
    if what == "list" {
        let sockets = operators.fetch_sockets().await.unwrap_or_default();
        let ids: Vec<_> = sockets.iter().map(|socket| socket.data().id).collect();
        ack.send(&ids).ok();
        return;
    }
    match (what.as_str(), rooms(argument)) {
        ("join", rooms) => operators.join(rooms).await.unwrap_or_default(),
        ("leave", rooms) => operators.leave(rooms).await.unwrap_or_default(),
        ("disconnect", _) => operators.disconnect().await.unwrap_or_default(),
        _ => return,
    }
    ack.send(&Args::default()).ok();
}

fn rooms(argument: Value) -> Vec<String> {
    let rooms = match argument {
        Value::Array(rooms) => rooms,
        room => vec![room],
    };
    rooms.iter().filter_map(Value::as_str).map(String::from).collect()
}

/// `n` with 0 to `count` - 1, every second one with an attachment when `binary`.
async fn burst(socket: SocketRef, Data((count, every_ms, binary)): Data<(u64, u64, bool)>, ack: AckSender) {
    // An interval of nothing is not allowed.
    let mut pace = tokio::time::interval(Duration::from_millis(every_ms.max(1)));
    for i in 0..count {
        pace.tick().await;
        let attachment = (binary && i % 2 == 1).then(|| Value::Binary(vec![i as u8]));
        let args: Args = [Value::from(i)].into_iter().chain(attachment).collect();
        socket.emit("n", &args).ok();
    }
    ack.send(&Args::default()).ok();
}

async fn ask(socket: SocketRef, Data((ms, event, args)): Data<(u64, String, Vec<Value>)>, ack: AckSender) {
    let timeout = Duration::from_millis(ms);
    let Ok(answer) = socket.timeout(timeout).emit_with_ack::<_, Args>(event, &Args(args)) else { return };
    let (timed_out, Args(answer)) = match answer.await {
        Ok(answer) => (false, answer),
        Err(_) => (true, Args::default()),
    };
    let response: Args = [Value::from(timed_out)].into_iter().chain(answer).collect();
    ack.send(&response).ok();
}

/// What the server knows of a client.
#[derive(Serialize)]
struct Who {
    id: Sid,
    nsp: String,
    auth: Value,
    query: HashMap<String, String>,
    headers: HashMap<String, String>,
    recovered: bool,
    transport: &'static str,
}

fn who(socket: &SocketRef, transport: TransportType, auth: Value) -> Who {
    let request = socket.req_parts();
    let query = request.uri.query().unwrap_or_default();
    let headers = request.headers.iter();
    Who {
        id: socket.id,
        nsp: socket.ns().to_owned(),
        auth,
        query: serde_urlencoded::from_str(query).unwrap_or_default(),
        headers: headers.map(|(name, value)| (name.to_string(), in_text(value))).collect(),
        recovered: false,
        transport: match transport {
            TransportType::Polling => "polling",
            TransportType::Websocket => "websocket",
        },
    }
}

fn in_text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// The words of the official server.
fn in_words(reason: DisconnectReason) -> &'static str {
    match reason {
        DisconnectReason::TransportClose => "transport close",
        DisconnectReason::TransportError | DisconnectReason::MultipleHttpPollingError => "transport error",
        DisconnectReason::PacketParsingError => "parse error",
        DisconnectReason::HeartbeatTimeout => "ping timeout",
        DisconnectReason::ClientNSDisconnect => "client namespace disconnect",
        DisconnectReason::ServerNSDisconnect => "server namespace disconnect",
        DisconnectReason::ClosingServer => "server shutting down",
    }
}
