//! The crate `rust_socketio` 0.6 as a client: its asynchronous face, on one thread of its own.
//!
//! A client of that crate is one namespace on one connection. Each is driven by a task that takes orders in turn;
//! what the crate calls back is dropped into the [`Post`] as it comes, so that its order is kept. The deviations of
//! the crate that shape this file are told in `docs/drivers.md`.

use std::collections::HashMap;
use std::error::Error;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use native_tls::TlsConnector;
use rust_socketio::asynchronous::{Client, ClientBuilder};
use rust_socketio::{Event, Payload, TransportType};
use serde_json::{Value as Json, json};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};

use super::{Library, Post};
use crate::session::{Connect, Foreign, Link, Orders, Told, Transport};

/// What the crate writes before the reason of a refusal.
const REFUSED: &str = "Received an ConnectError frame: ";

/// What it writes where the server gave no reason.
const NO_REASON: &str = "\"No error message provided\"";

/// How long the crate keeps an acknowledgement; the patience of steps is shorter.
const ACK_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

type Done = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The crate, ready to connect.
#[derive(Debug)]
pub(super) struct RustSocketio {
    origin: String,
    tls: TlsConnector,
    handle: Handle,
    /// Dropped to end the thread, and with it whatever connection is left.
    _stop: oneshot::Sender<()>,
}

impl RustSocketio {
    /// Starts the thread on which all connections live.
    pub(super) fn start(origin: &str) -> Result<RustSocketio, Box<dyn Error>> {
        // TLS is never spoken. But without a connector of ours the crate reads all certificate authorities of the
        // system anew for each connection, twice with long-polling, and holds up all others meanwhile.
        let tls = TlsConnector::builder().disable_built_in_roots(true).build()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        thread::Builder::new().name("rust_socketio".into()).spawn(move || {
            let _ = runtime.block_on(stopped);
            // Tasks that hang in the crate are not waited for.
            runtime.shutdown_background();
        })?;
        Ok(RustSocketio { origin: origin.to_owned(), tls, handle, _stop: stop })
    }
}

impl Library for RustSocketio {
    fn link(&self, post: Post) -> Link {
        let RustSocketio { origin, tls, handle, .. } = self;
        let (origin, tls, handle) = (origin.clone(), tls.clone(), handle.clone());
        let lines = Lines { origin, tls, handle, post, tasks: HashMap::new() };
        Link::Foreign(Box::new(Foreign::new(Box::new(lines))))
    }
}

/// The connections of one client of ours.
#[derive(Debug)]
struct Lines {
    origin: String,
    tls: TlsConnector,
    handle: Handle,
    post: Post,
    tasks: HashMap<u64, Task>,
}

#[derive(Debug)]
struct Task {
    deeds: mpsc::UnboundedSender<Deed>,
    abort: tokio::task::AbortHandle,
}

#[derive(Debug)]
enum Deed {
    Emit { event: String, payload: Payload, ack: Option<u64> },
    Leave,
}

impl Orders for Lines {
    fn connect(&mut self, number: u64, order: Connect<'_>) {
        let line = Line { number, post: self.post.clone() };
        let builder = line.builder(&self.origin, order).tls_config(self.tls.clone());
        let (deeds, orders) = mpsc::unbounded_channel();
        let abort = self.handle.spawn(line.live(builder, orders)).abort_handle();
        self.tasks.insert(number, Task { deeds, abort });
    }

    fn emit(&mut self, number: u64, data: &str, attachments: &[Bytes], ack: Option<u64>) {
        let Some(task) = self.tasks.get(&number) else { return };
        let (event, payload) = event_template(data, attachments);
        let _ = task.deeds.send(Deed::Emit { event, payload, ack });
    }

    fn leave(&mut self, number: u64) {
        match self.tasks.remove(&number) {
            Some(task) if task.deeds.send(Deed::Leave).is_ok() => {}
            // The task is over.
            _ => self.post.drop_in(number, Told::Left),
        }
    }

    fn abandon(&mut self, number: u64) {
        if let Some(task) = self.tasks.remove(&number) {
            task.abort.abort();
        }
    }
}

/// Name and payload of an event, as the crate wants them.
fn event_template(data: &str, attachments: &[Bytes]) -> (String, Payload) {
    let mut args: Vec<Json> = serde_json::from_str(data).unwrap_or_default();
    let event = match args.is_empty() {
        true => String::new(),
        false => args.remove(0).as_str().unwrap_or_default().to_owned(),
    };
    match attachments {
        [attachment] if args.len() == 1 => (event, Payload::Binary(attachment.clone())),
        _ => (event, Payload::Text(args)),
    }
}

/// One connection of the crate.
#[derive(Clone, Debug)]
struct Line {
    number: u64,
    post: Post,
}

impl Line {
    fn tell(&self, told: Told) {
        self.post.drop_in(self.number, told);
    }

    fn builder(&self, origin: &str, order: Connect<'_>) -> ClientBuilder {
        let Connect { transport, destination, namespace, auth } = order;
        let mut address = format!("{origin}{}", destination.path);
        if !destination.query.is_empty() {
            address.push('?');
            address.push_str(&destination.query);
        }
        let mut builder = ClientBuilder::new(address)
            .namespace(namespace)
            .transport_type(match transport {
                Transport::Websocket => TransportType::Websocket,
                Transport::Polling => TransportType::Polling,
                Transport::Upgrade => TransportType::WebsocketUpgrade,
            })
            // The crate tells that a connection ended only where it would make it anew; see `on_reconnect`.
            .reconnect(true)
            .reconnect_on_disconnect(true);
        for (name, value) in &destination.headers {
            builder = builder.opening_header(name.clone(), value.clone());
        }
        if let Some(auth) = auth.and_then(|auth| serde_json::from_str::<Json>(auth).ok()) {
            builder = builder.auth(auth);
        }
        self.listen(builder)
    }

    fn listen(&self, builder: ClientBuilder) -> ClientBuilder {
        let (connected, closed, failed, any, ended) =
            (self.clone(), self.clone(), self.clone(), self.clone(), self.clone());
        builder
            .on(Event::Connect, move |_, _| {
                connected.tell(Told::Connected);
                done()
            })
            .on(Event::Close, move |_, _| {
                closed.tell(Told::Disconnected);
                done()
            })
            .on(Event::Error, move |payload, _| {
                // All other errors end the connection, which is told below.
                if let Some(reason) = text(&payload).and_then(|text| text.strip_prefix(REFUSED)) {
                    let reason = if reason == NO_REASON { "" } else { reason };
                    failed.tell(Told::Refused(reason.to_owned()));
                }
                done()
            })
            .on_any(move |event, payload, _| {
                let (data, attachments) = heard(Some(String::from(event)), payload);
                any.tell(Told::Message(data, attachments));
                done()
            })
            .on_reconnect(move || {
                ended.tell(Told::Lost("rust_socketio does not say why".to_owned()));
                // It is not made anew: the scenario decides that.
                Box::pin(pending())
            })
    }

    /// Connects, then does what is ordered, until it is left.
    async fn live(self, builder: ClientBuilder, mut orders: mpsc::UnboundedReceiver<Deed>) {
        let connecting = builder.connect();
        tokio::pin!(connecting);
        let client = tokio::select! {
            connected = &mut connecting => match connected {
                Ok(client) => client,
                Err(error) => return self.tell(Told::Lost(in_words(&error))),
            },
            // Nothing is emitted before the namespace has accepted, so this is to leave, or nobody is there.
            _ = orders.recv() => return self.tell(Told::Left),
        };
        while let Some(deed) = orders.recv().await {
            let done = match deed {
                Deed::Emit { event, payload, ack: None } => client.emit(event, payload).await,
                Deed::Emit { event, payload, ack: Some(id) } => self.ask(&client, event, payload, id).await,
                Deed::Leave => {
                    // After a refusal the crate fails to close, and the connection stays until the server tires of it.
                    let _ = client.disconnect().await;
                    return self.tell(Told::Left);
                }
            };
            if let Err(error) = done {
                self.tell(Told::Lost(format!("rust_socketio could not send: {}", in_words(&error))));
            }
        }
    }

    async fn ask(
        &self,
        client: &Client,
        event: String,
        payload: Payload,
        id: u64,
    ) -> Result<(), rust_socketio::Error> {
        let line = self.clone();
        let answered = move |payload, _: Client| -> Done {
            let (data, attachments) = heard(None, payload);
            line.tell(Told::Answered(id, data, attachments));
            done()
        };
        client.emit_with_ack(event, payload, ACK_TIMEOUT, answered).await
    }
}

fn done() -> Done {
    Box::pin(ready(()))
}

/// The only text of a payload.
fn text(payload: &Payload) -> Option<&str> {
    match payload {
        Payload::Text(values) => values.first().and_then(Json::as_str),
        _ => None,
    }
}

/// What the crate gives, as JSON text of an array (the name of the event first, if it is one) and attachments.
fn heard(event: Option<String>, payload: Payload) -> (String, Vec<Bytes>) {
    let mut array: Vec<Json> = event.clone().map(Json::String).into_iter().collect();
    let mut attachments = Vec::new();
    match payload {
        Payload::Binary(bytes) => {
            array.push(json!({ "_placeholder": true, "num": 0 }));
            attachments.push(bytes);
        }
        // The array of an acknowledgement comes as one value.
        Payload::Text(values) => match (event, <[Json; 1]>::try_from(values)) {
            (None, Ok([Json::Array(values)])) | (_, Err(values)) => array.extend(values),
            (_, Ok([value])) => array.push(value),
        },
        #[allow(deprecated, reason = "the crate's enum still has it")]
        Payload::String(text) => array.push(Json::String(text)),
    }
    (Json::Array(array).to_string(), attachments)
}

/// An error with its causes: the crate itself says only "EngineIO Error".
fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_its_name_and_arguments() {
        let (event, payload) = event_template(r#"["news",1,{"b":2,"a":[]}]"#, &[]);
        assert_eq!(heard(Some(event), payload).0, r#"["news",1,{"b":2,"a":[]}]"#);
    }

    #[test]
    fn an_event_with_one_list_is_no_acknowledgement() {
        let list = || Payload::Text(vec![json!(["a", 1])]);
        assert_eq!(heard(Some("news".into()), list()).0, r#"["news",["a",1]]"#);
        assert_eq!(heard(None, list()).0, r#"["a",1]"#);
    }

    #[test]
    fn binary_travels_as_an_attachment() {
        let bytes = Bytes::from_static(b"\x01\x02");
        let (event, payload) = event_template(r#"["file",{"_placeholder":true,"num":0}]"#, &[bytes.clone()]);
        let (data, attachments) = heard(Some(event), payload);
        assert_eq!(data, r#"["file",{"_placeholder":true,"num":0}]"#);
        assert_eq!(attachments, [bytes]);
    }
}
