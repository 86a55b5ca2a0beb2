//! The connection to the broker: the only place that knows NATS, and one thread of tokio.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::thread;
use std::time::{Duration, Instant};

use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use bytes::Bytes;
use futures_util::StreamExt;
use percent_encoding::percent_decode_str;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::secrets::Secrets;

/// How long the first connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// A connection on which nothing is answered is replaced after twice this time.
const PING: Duration = Duration::from_secs(1);

/// How long what was said last may take to leave.
const FLUSH: Duration = Duration::from_secs(1);

/// The longest pause between two tries to be connected again.
const RETRY: Duration = Duration::from_millis(250);

/// How many messages wait here at most before some are dropped, which are said again.
const CAPACITY: usize = 1 << 14;

/// Less than what the broker takes: it counts subjects and headers, too.
const SPARE: usize = 1024;

/// The longest that one message may be, whatever the broker takes: the next one should not wait for long.
const LONGEST: usize = 256 << 10;

/// Where the broker is, and what it wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BrokerConfig {
    /// Its URL; several with commas between them.
    pub(crate) url: String,
    /// The file with credentials.
    pub(crate) credentials: Option<PathBuf>,
    /// The token.
    pub(crate) token: Option<String>,
    /// The file with the certificates that are trusted.
    pub(crate) ca_file: Option<PathBuf>,
    /// The files with the certificate that is shown, and its key.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

/// What came from the broker.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) subject: String,
    pub(super) reply: Option<String>,
    pub(super) payload: Bytes,
}

enum Ask {
    Publish(String, Option<String>, Bytes),
    Subscribe(String),
    Forget(String),
}

/// When the connection was lost last, and when it was there again.
#[derive(Clone, Copy, Debug, Default)]
struct Absence {
    since: Option<Instant>,
    back: Option<Instant>,
}

type Absences = Arc<Mutex<Absence>>;

/// A connection. When it is dropped, what was said is sent first, if the broker is there.
pub(super) struct Broker {
    asks: Option<mpsc::UnboundedSender<Ask>>,
    /// Dropped when nothing more is asked.
    open: Option<oneshot::Sender<()>>,
    absence: Absences,
    /// Its URL, as it may be shown.
    shown: String,
    thread: Option<thread::JoinHandle<()>>,
    /// The longest payload.
    pub(super) limit: usize,
}

impl BrokerConfig {
    /// Makes what is secret of it known: the token, and what stands before the host in a URL.
    pub(crate) fn note_secrets(&self, secrets: &Secrets) {
        self.token.iter().for_each(|token| secrets.note(token));
        for one in self.url.split(',') {
            let behind = one.split_once("://").map_or(one, |(_, rest)| rest);
            if let Some((credentials, _)) = behind.rsplit_once('@') {
                secrets.note_credentials(credentials);
            }
        }
    }

    /// The URL without name and password.
    pub(crate) fn shown(&self) -> String {
        let one = |url: &str| match url.split_once("://") {
            Some((scheme, rest)) => {
                format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
            }
            None => url.rsplit_once('@').map_or(url, |(_, host)| host).to_owned(),
        };
        self.url.split(',').map(|url| one(url.trim())).collect::<Vec<_>>().join(",")
    }
}

impl Broker {
    /// Connects. Whatever comes goes to `hear`.
    ///
    /// # Errors
    /// A sentence without its full stop.
    pub(super) fn connect(
        config: &BrokerConfig,
        hear: impl Fn(Message) + Clone + Send + 'static,
    ) -> Result<Broker, String> {
        let (asks, asked) = mpsc::unbounded_channel();
        let (tell, told) = std_mpsc::channel();
        let (config, shown) = (config.clone(), config.shown());
        let (open, closed) = oneshot::channel::<()>();
        let absence = Absences::default();
        let noted = absence.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| format!("failed to start the thread of the broker: {error}"))?;
        let thread = thread::Builder::new().name("nats".to_owned()).spawn(move || {
            runtime.block_on(async move {
                match connect(&config, noted).await {
                    Err(why) => {
                        let _ = tell.send(Err(why));
                    }
                    Ok(client) => {
                        let _ = tell.send(Ok(client.server_info().max_payload));
                        // While the broker is away, whatever is said waits, and nobody is to wait for that.
                        let given_up = async {
                            let _ = closed.await;
                            tokio::time::sleep(FLUSH * 2).await;
                        };
                        tokio::select! {
                            () = work(client, asked, hear) => {}
                            () = given_up => {}
                        }
                    }
                }
            });
        });
        let thread = thread.map_err(|error| format!("failed to start the thread of the broker: {error}"))?;
        let connected = told.recv().unwrap_or_else(|_| Err("its thread broke off".to_owned()));
        let most = connected.map_err(|why| format!("failed to reach the broker at {shown}: {why}"))?;
        let limit = most.saturating_sub(SPARE).min(LONGEST);
        Ok(Broker { asks: Some(asks), open: Some(open), absence, shown, thread: Some(thread), limit })
    }

    fn absence(&self) -> Absence {
        *self.absence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how long it was not reached, if it is not reached now.
    pub(super) fn away(&self) -> Option<Duration> {
        let Absence { since, back } = self.absence();
        since.filter(|_| back.is_none()).map(|since| since.elapsed())
    }

    /// Whether it was not reached at some time since then.
    pub(super) fn was_away(&self, since: Instant) -> bool {
        let absence = self.absence();
        self.away().is_some() || absence.back.is_some_and(|back| back >= since)
    }

    /// What to say of a broker that was not reached: a sentence without its full stop.
    pub(super) fn gone(&self) -> String {
        let is = if self.away().is_some() { "is dead or cut off" } else { "was cut off for too long" };
        format!("the broker at {} {is}", self.shown)
    }

    /// From here on, messages under this subject come.
    pub(super) fn subscribe(&self, subject: String) {
        self.ask(Ask::Subscribe(subject));
    }

    /// Messages whose subjects begin so come no more.
    pub(super) fn forget(&self, beginning: String) {
        self.ask(Ask::Forget(beginning));
    }

    /// Says something.
    pub(super) fn publish(&self, subject: String, payload: impl Into<Bytes>) {
        self.ask(Ask::Publish(subject, None, payload.into()));
    }

    /// Asks something; answers come under the other subject.
    pub(super) fn request(&self, subject: String, reply: &str, payload: impl Into<Bytes>) {
        self.ask(Ask::Publish(subject, Some(reply.to_owned()), payload.into()));
    }

    fn ask(&self, ask: Ask) {
        // A thread that is gone is noticed by nobody answering.
        let _ = self.asks.as_ref().map(|asks| asks.send(ask));
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        (self.asks, self.open) = (None, None);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn connect(config: &BrokerConfig, absence: Absences) -> Result<Client, String> {
    let mut options = ConnectOptions::new()
        .name("sockrates")
        .no_echo()
        .connection_timeout(CONNECT)
        .ping_interval(PING)
        .max_reconnects(None)
        .subscription_capacity(CAPACITY)
        .event_callback(move |event| {
            let mut absence = absence.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Connected if absence.since.is_some() => absence.back = Some(Instant::now()),
                Event::Disconnected if absence.since.is_none() || absence.back.is_some() => {
                    *absence = Absence { since: Some(Instant::now()), back: None };
                }
                _ => {}
            }
            std::future::ready(())
        })
        .reconnect_delay_callback(|tries| RETRY.min(Duration::from_millis(20 * tries as u64)));
    if let Some(token) = &config.token {
        options = options.token(token.clone());
    }
    if let Some(file) = &config.credentials {
        options = options
            .credentials_file(file)
            .await
            .map_err(|error| format!("failed to read the credentials in {}: {error}", file.display()))?;
    }
    if let Some(file) = &config.ca_file {
        options = options.add_root_certificates(file.clone()).require_tls(true);
    }
    if let Some((certificate, key)) = &config.identity {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    let urls: Vec<ServerAddr> = config
        .url
        .split(',')
        .map(|url| {
            url.trim().parse().map_err(|error| format!("`{}` is no URL of a broker: {error}", config.shown()))
        })
        .collect::<Result<_, String>>()?;
    options = named_in(&urls[..], options)?;
    options.connect(urls).await.map_err(|error| not_connected(&error))
}

/// Why there is no connection, and what to do about it.
fn not_connected(error: &ConnectError) -> String {
    match error.kind() {
        // The client says it twice.
        ConnectErrorKind::AuthorizationViolation => {
            "it does not let in who shows these credentials: name others with \
            `--nats-creds`, `--nats-token`, or a name and a password in its URL"
                .to_owned()
        }
        ConnectErrorKind::TimedOut => {
            format!(
                "no NATS was spoken there within {} s; is `nats-server` running there?",
                CONNECT.as_secs()
            )
        }
        _ => format!("{error}; is `nats-server` running there?"),
    }
}

/// Shows the name and the password, or the token, that stand in the first URL with one: the client itself does not.
fn named_in(urls: &[ServerAddr], options: ConnectOptions) -> Result<ConnectOptions, String> {
    let plain = |text: &str| {
        let plain = percent_decode_str(text).decode_utf8();
        plain.map(|text| text.into_owned()).map_err(|_| "the name in its URL is no UTF-8 text".to_owned())
    };
    match urls.iter().find_map(|url| Some((url.username()?, url.password()))) {
        None => Ok(options),
        Some((token, None)) => Ok(options.token(plain(token)?)),
        Some((name, Some(password))) => Ok(options.user_and_password(plain(name)?, plain(password)?)),
    }
}

/// Does what is asked, until nobody can ask any more.
async fn work(
    client: Client,
    mut asked: mpsc::UnboundedReceiver<Ask>,
    hear: impl Fn(Message) + Clone + Send + 'static,
) {
    let mut hearing: Vec<(String, JoinHandle<()>)> = Vec::new();
    while let Some(ask) = asked.recv().await {
        // While the broker is away, both wait in the client.
        match ask {
            Ask::Publish(subject, None, payload) => {
                let _ = client.publish(subject, payload).await;
            }
            Ask::Publish(subject, Some(reply), payload) => {
                let _ = client.publish_with_reply(subject, reply, payload).await;
            }
            Ask::Subscribe(subject) => {
                let Ok(mut messages) = client.subscribe(subject.clone()).await else { continue };
                let hear = hear.clone();
                let task = tokio::spawn(async move {
                    while let Some(message) = messages.next().await {
                        hear(Message {
                            subject: message.subject.to_string(),
                            reply: message.reply.map(|reply| reply.to_string()),
                            payload: message.payload,
                        });
                    }
                });
                hearing.push((subject, task));
            }
            Ask::Forget(beginning) => hearing.retain(|(subject, task)| {
                let is_over = subject.starts_with(&beginning);
                if is_over {
                    task.abort();
                }
                !is_over
            }),
        }
    }
    let _ = tokio::time::timeout(FLUSH, client.flush()).await;
}
