//! What a client can see of a server with the fixture contract.

use std::{fmt::Debug, time::Duration};

use rust_socketio::{Payload, TransportType};
use serde_json::{Value as Json, json};

use crate::socket::Socket;

type Held = Result<(), String>;

const WAYS: [(&str, TransportType, &str); 3] = [
    ("websocket", TransportType::Websocket, "websocket"),
    ("polling", TransportType::Polling, "polling"),
    ("polling upgraded to websocket", TransportType::WebsocketUpgrade, "websocket"),
];

/// What stands between two packets in a payload of long-polling.
const SEPARATOR: u8 = 0x1e;

/// Plays all of it. Gives the exit code.
pub async fn play(url: &str) -> i32 {
    let mut failed = 0;
    let mut report = |name: &str, held: Held| match held {
        Ok(()) => println!("held    {name}"),
        Err(why) => {
            failed += 1;
            println!("FAILED  {name}: {why}");
        }
    };
    for (way, transport, ends_as) in WAYS {
        let name = |what: &str| format!("over {way}, {what}");
        report(&name("both sides agree on the transport"), transports(url, &transport, ends_as).await);
        report(&name("events come back with all their arguments"), events(url, &transport).await);
        report(&name("acknowledgements bring several arguments"), acknowledgements(url, &transport).await);
        report(&name("bytes arrive as bytes"), bytes(url, &transport).await);
        report(&name("a burst arrives completely and in order"), burst(url, &transport).await);
    }
    report("the server gets the authentication", authentication(url).await);
    report("a room is heard by its members alone, and not by the sender", rooms(url).await);
    report("who has left a room hears no more of it", left_room(url).await);
    report("a namespace is closed to the others", namespaces(url).await);
    report("a guarded namespace refuses, with its reason, and accepts", guard(url).await);
    report("who disconnects is gone for the others", disconnect(url).await);
    report("the server ends a namespace", ended(url).await);
    report("three defects of the crate are still there", defects(url).await);
    i32::from(failed > 0)
}

async fn open(url: &str) -> Result<Socket, String> {
    Socket::open(url, "/", TransportType::Websocket, None).await
}

async fn transports(url: &str, transport: &TransportType, ends_as: &str) -> Held {
    let mut socket = Socket::open(url, "/", transport.clone(), None).await?;
    let who = socket.ask("t:who", vec![json!(null)]).await?;
    same(who.first().map(|who| &who["transport"]), Some(&json!(ends_as)))?;
    socket.leave().await
}

async fn events(url: &str, transport: &TransportType) -> Held {
    let mut socket = Socket::open(url, "/", transport.clone(), None).await?;
    let arguments =
        vec![json!(1), json!("zwei – 二 – 🧦"), json!(null), json!({ "deep": [true, { "er": 1.5 }] })];
    socket.emit("message", arguments.clone()).await?;
    same(socket.heard("message-back").await?, vec![Payload::Text(arguments)])?;
    socket.leave().await
}

async fn acknowledgements(url: &str, transport: &TransportType) -> Held {
    let mut socket = Socket::open(url, "/", transport.clone(), None).await?;
    let arguments = vec![json!(1), json!("2"), json!({ "3": [false] })];
    same(socket.ask("message-with-ack", arguments.clone()).await?, arguments)?;
    for number in 0..10 {
        same(socket.ask("message-with-ack", vec![json!(number)]).await?, vec![json!(number)])?;
    }
    socket.leave().await
}

async fn bytes(url: &str, transport: &TransportType) -> Held {
    let mut socket = Socket::open(url, "/", transport.clone(), None).await?;
    // Over WebSocket the crate cuts bytes at the separator of payloads.
    let bytes: Vec<u8> = (0..=255).filter(|byte| *byte != SEPARATOR).collect();
    socket.emit("message", bytes.clone()).await?;
    same(socket.heard("message-back").await?, vec![Payload::from(bytes)])?;
    socket.leave().await
}

async fn burst(url: &str, transport: &TransportType) -> Held {
    let mut socket = Socket::open(url, "/", transport.clone(), None).await?;
    socket.ask("t:burst", vec![json!(100), json!(1), json!(false)]).await?;
    let expected: Vec<Payload> = (0..100).map(|number| Payload::Text(vec![json!(number)])).collect();
    same(socket.heard("n").await?, expected)?;
    socket.leave().await
}

async fn authentication(url: &str) -> Held {
    let auth = json!({ "token": "secret" });
    let mut socket = Socket::open(url, "/", TransportType::Websocket, Some(auth.clone())).await?;
    let who = socket.ask("t:who", vec![json!(null)]).await?;
    same(who.first().map(|who| &who["auth"]), Some(&auth))?;
    same(socket.heard("auth").await?, vec![Payload::Text(vec![auth])])?;
    socket.leave().await
}

async fn rooms(url: &str) -> Held {
    let (mut sender, mut member, mut stranger) = (open(url).await?, open(url).await?, open(url).await?);
    let room = "rust-socketio-hall";
    for socket in [&mut sender, &mut member] {
        socket.ask("t:join", vec![json!(room)]).await?;
    }
    broadcast(&mut sender, json!({ "from": "socket", "to": [room] }), "hello").await?;
    same(news(&mut sender).await?, none())?;
    same(news(&mut member).await?, once("hello"))?;
    same(news(&mut stranger).await?, none())?;
    broadcast(&mut sender, json!({ "from": "io", "to": [room] }), "all").await?;
    same(news(&mut sender).await?, once("all"))?;
    same(news(&mut member).await?, once("all"))?;
    same(news(&mut stranger).await?, none())
}

async fn left_room(url: &str) -> Held {
    let (mut sender, mut member) = (open(url).await?, open(url).await?);
    let room = "rust-socketio-cellar";
    let target = json!({ "from": "io", "to": [room] });
    member.ask("t:join", vec![json!(room)]).await?;
    broadcast(&mut sender, target.clone(), "before").await?;
    member.ask("t:leave", vec![json!(room)]).await?;
    broadcast(&mut sender, target, "after").await?;
    same(news(&mut member).await?, once("before"))
}

async fn namespaces(url: &str) -> Held {
    let (mut here, mut chat) =
        (open(url).await?, Socket::open(url, "/custom", TransportType::Websocket, None).await?);
    let who = chat.ask("t:who", vec![json!(null)]).await?;
    same(who.first().map(|who| &who["nsp"]), Some(&json!("/custom")))?;
    broadcast(&mut chat, json!({ "from": "io" }), "custom").await?;
    broadcast(&mut here, json!({ "from": "io" }), "main").await?;
    same(news(&mut chat).await?, once("custom"))?;
    same(news(&mut here).await?, once("main"))?;
    chat.leave().await?;
    here.ask("t:join", vec![json!([])]).await.map(|_| ())
}

async fn guard(url: &str) -> Held {
    match Socket::open(url, "/guard", TransportType::Websocket, None).await {
        Ok(_) => return Err("it accepted whoever has no token".to_owned()),
        Err(reason) if reason.contains("nope") => {}
        Err(reason) => return Err(format!("it refused for another reason: {reason}")),
    }
    let auth = Some(json!({ "token": "ok" }));
    Socket::open(url, "/guard", TransportType::Websocket, auth).await?.leave().await
}

async fn disconnect(url: &str) -> Held {
    let (mut watching, mut leaving) = (open(url).await?, open(url).await?);
    watching.ask("t:join", vec![json!("watch")]).await?;
    let who = leaving.ask("t:who", vec![json!(null)]).await?;
    let id = who.first().map(|who| who["id"].clone()).unwrap_or_default();
    leaving.leave().await?;
    // The farewell and the question after it come over two connections.
    for _ in 0..250 {
        let gone = watching.heard("gone").await?;
        if gone.iter().any(|gone| matches!(gone, Payload::Text(told) if told.first() == Some(&id))) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(format!("nobody is told that {id} is gone"))
}

async fn ended(url: &str) -> Held {
    let mut socket = open(url).await?;
    socket.emit("t:bye", json!(false)).await?;
    socket.ended().await
}

/// docs/rust-socketio.md tells of them. Once the crate has mended one, that page is to be corrected.
async fn defects(url: &str) -> Held {
    let mut socket = open(url).await?;
    socket.ask("t:cast", vec![json!({ "from": "io" }), json!("bare"), json!([])]).await?;
    same(socket.heard("message").await?, vec![Payload::Text(vec![json!("bare")])])?;
    socket.ask("t:burst", vec![json!(2), json!(1), json!(true)]).await?;
    same(socket.heard("n,1").await?, vec![Payload::from(vec![1])])?;
    socket.emit("message", vec![1, SEPARATOR, 2]).await?;
    same(socket.heard("message-back").await?, vec![Payload::from(vec![1])])?;
    socket.leave().await
}

async fn broadcast(socket: &mut Socket, target: Json, text: &str) -> Held {
    socket.ask("t:cast", vec![target, json!("news"), json!([text])]).await.map(|_| ())
}

async fn news(socket: &mut Socket) -> Result<Vec<Payload>, String> {
    socket.heard("news").await
}

fn none() -> Vec<Payload> {
    Vec::new()
}

fn once(text: &str) -> Vec<Payload> {
    vec![Payload::Text(vec![json!(text)])]
}

fn same<T: PartialEq + Debug>(found: T, expected: T) -> Held {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{found:?} instead of {expected:?}")),
    }
}
