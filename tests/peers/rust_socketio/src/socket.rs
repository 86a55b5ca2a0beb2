//! A client of the crate whose callbacks put what they hear into one queue, in its order.

use std::{
    future::{Future, ready},
    pin::Pin,
    time::Duration,
};

use native_tls::TlsConnector;
use rust_socketio::{
    Event, Payload, TransportType,
    asynchronous::{Client, ClientBuilder},
};
use serde_json::{Value as Json, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the crate writes before the reason of a refusal.
const REFUSED: &str = "Received an ConnectError frame: ";

type Done = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a callback was told.
enum News {
    Accepted,
    Refused(String),
    Disconnected,
    Event(String, Payload),
    Answer(Payload),
}

/// One namespace on one connection: the crate has no others.
pub struct Socket {
    client: Client,
    news: UnboundedReceiver<News>,
    answers: UnboundedSender<News>,
    heard: Vec<(String, Payload)>,
}

impl Socket {
    /// Connects to a namespace, or gives the reason why not.
    pub async fn open(
        url: &str,
        namespace: &str,
        transport: TransportType,
        auth: Option<Json>,
    ) -> Result<Socket, String> {
        let (tell, news) = unbounded_channel();
        let (accepted, ended, failed, any) = (tell.clone(), tell.clone(), tell.clone(), tell.clone());
        // TLS is never spoken. But without a connector the crate reads the system's authorities for each connection.
        let tls = TlsConnector::builder().disable_built_in_roots(true).build().map_err(in_words)?;
        let mut builder = ClientBuilder::new(url)
            .namespace(namespace)
            .transport_type(transport)
            .reconnect(false)
            .tls_config(tls)
            .on(Event::Connect, move |_, _| done(&accepted, News::Accepted))
            .on(Event::Close, move |_, _| done(&ended, News::Disconnected))
            .on(Event::Error, move |payload, _| {
                let text = first_text(&payload);
                let text = text.strip_prefix(REFUSED).unwrap_or(&text);
                done(&failed, News::Refused(text.to_owned()))
            })
            .on_any(move |event, payload, _| done(&any, News::Event(event.into(), payload)));
        if let Some(auth) = auth {
            builder = builder.auth(auth);
        }
        let client = timeout(PATIENCE, builder.connect()).await.map_err(in_words)?.map_err(in_words)?;
        let mut socket = Socket { client, news, answers: tell, heard: Vec::new() };
        match socket.next().await? {
            News::Accepted => Ok(socket),
            News::Refused(reason) => Err(reason),
            _ => Err("something came before the namespace accepted".to_owned()),
        }
    }

    /// Emits an event and gives the arguments of its acknowledgement.
    pub async fn ask(&mut self, event: &str, arguments: Vec<Json>) -> Result<Vec<Json>, String> {
        let answers = self.answers.clone();
        let answered = move |payload, _: Client| done(&answers, News::Answer(payload));
        self.client.emit_with_ack(event, arguments, PATIENCE, answered).await.map_err(in_words)?;
        loop {
            match self.next().await? {
                // The array of an acknowledgement comes as one value.
                News::Answer(Payload::Text(values)) => match <[Json; 1]>::try_from(values) {
                    Ok([Json::Array(arguments)]) => return Ok(arguments),
                    Ok([value]) => return Ok(vec![value]),
                    Err(values) => return Ok(values),
                },
                News::Answer(payload) => return Err(format!("the acknowledgement is {payload:?}")),
                News::Event(name, payload) => self.heard.push((name, payload)),
                News::Accepted => return Err("it was accepted twice".to_owned()),
                News::Refused(reason) => return Err(reason),
                News::Disconnected => return Err("the namespace ended".to_owned()),
            }
        }
    }

    /// Emits an event without an acknowledgement.
    pub async fn emit(&self, event: &str, payload: impl Into<Payload>) -> Result<(), String> {
        self.client.emit(event, payload).await.map_err(in_words)
    }

    /// All events of this name so far. That no more is under way is proved by a round trip.
    pub async fn heard(&mut self, event: &str) -> Result<Vec<Payload>, String> {
        self.ask("t:join", vec![json!([])]).await?;
        let (wanted, rest) =
            std::mem::take(&mut self.heard).into_iter().partition(|(name, _)| name.as_str() == event);
        self.heard = rest;
        let wanted: Vec<(String, Payload)> = wanted;
        Ok(wanted.into_iter().map(|(_, payload)| payload).collect())
    }

    /// Waits until the server ends the namespace.
    pub async fn ended(&mut self) -> Result<(), String> {
        loop {
            if let News::Disconnected = self.next().await? {
                return Ok(());
            }
        }
    }

    /// Leaves the namespace and the server.
    pub async fn leave(self) -> Result<(), String> {
        self.client.disconnect().await.map_err(in_words)
    }

    async fn next(&mut self) -> Result<News, String> {
        match timeout(PATIENCE, self.news.recv()).await {
            Ok(Some(news)) => Ok(news),
            Ok(None) => Err("the crate has ended the connection".to_owned()),
            Err(_) => Err(format!("nothing came within {PATIENCE:?}")),
        }
    }
}

fn done(tell: &UnboundedSender<News>, news: News) -> Done {
    // Whoever has dropped the socket does not want to know.
    let _ = tell.send(news);
    Box::pin(ready(()))
}

fn first_text(payload: &Payload) -> String {
    match payload {
        Payload::Text(values) => values.first().and_then(Json::as_str).unwrap_or_default().to_owned(),
        other => format!("{other:?}"),
    }
}

/// An error with its causes: the crate itself says only "EngineIO Error".
fn in_words(error: impl std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
