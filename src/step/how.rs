//! How to connect: what `connect` and `reconnect` take of a scenario.

use std::time::Duration;

use super::ready::Ready;
use super::refusal::{About, Refusal};
use super::retry::{self, Retry};
use super::schema::{self, Schema, Shape};
use super::{EventFilter, Reading};
use crate::document::{Fields, Mistake, Node, Value};
use crate::observe::Metric;
use crate::session::Transport;
use crate::template::Template;

/// How long a client waits for its connection unless the step says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the CONNECT is expected to bring.
#[derive(Debug)]
pub(super) enum Wanted {
    /// Acceptance; of a recovered or a fresh session, where the scenario says which.
    Acceptance {
        /// What the server should say of recovery.
        recovered: Option<bool>,
    },
    /// A refusal.
    Refusal(Refusal),
}

/// How to connect.
#[derive(Debug)]
pub(super) struct How {
    pub namespace: Option<Template>,
    pub auth: Option<Template>,
    /// At which node, if not where the client was before.
    pub node: Option<Template>,
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(String, Template)>,
    pub transport: Option<Transport>,
    pub wanted: Wanted,
    pub within: Duration,
    /// Wait so long before the first attempt.
    pub after: Duration,
    /// Send the recovery id and offset of the last connection.
    pub recover: bool,
    /// Which latency this is.
    pub metric: Metric,
    /// Try again, after these pauses.
    pub retry: Option<Retry>,
    /// What tells the client that the server is ready, where the contract says that something does.
    pub ready: Option<Ready>,
}

/// What `connect` and `reconnect` take.
pub(super) fn shape(about: &str) -> Shape {
    let shape = Shape::new(about)
        .takes("auth", schema::value(), "Sent with CONNECT, instead of the group's.")
        .takes("query", schema::pairs(), "Query parameters, beside those of the group.")
        .takes("headers", schema::pairs(), "Headers, beside those of the group.")
        .takes("transport", schema::transport(), "The transport, instead of the group's.")
        .takes(
            "node",
            schema::value(),
            "At which node of the server, by name or number, instead of where the client was before.",
        )
        .takes("retry", Retry::schema(), "A try that fails is followed by another, after a pause.");
    schema::within(schema::namespace(shape), "10 s, and 60 s with `retry`")
}

/// What `reconnect` takes.
pub(super) fn schema_again() -> Schema {
    shape("Connects again.")
        .takes(
            "recover",
            schema::flag(),
            "Whether to send what the server needs to recover the session; else true.",
        )
        .takes("recovered", schema::flag(), "Demands that the server did, or did not, recover the session.")
        .takes("after", schema::time(), "A pause before.")
        .schema()
}

impl How {
    /// The events that have to be kept for it.
    pub(super) fn filter(&self, filter: &mut EventFilter) {
        if let Some(ready) = &self.ready {
            ready.filter(filter);
        }
    }

    /// At which node, for a sentence.
    pub(super) fn where_to(&self) -> String {
        self.node.as_ref().map(|node| format!(" at node {}", node.in_words())).unwrap_or_default()
    }

    /// How many values of a series one connect adds at most. A client is accepted once, however often it tries.
    pub(super) fn values(&self, metric: Metric) -> u64 {
        match metric {
            Metric::ConnectTcp
            | Metric::ConnectTls
            | Metric::ConnectHandshake
            | Metric::ConnectOpen
            | Metric::ConnectLag
                if self.retry.is_some() =>
            {
                u64::MAX
            }
            Metric::ConnectTcp
            | Metric::ConnectTls
            | Metric::ConnectHandshake
            | Metric::ConnectOpen
            | Metric::ConnectLag
            | Metric::ConnectNamespace
            | Metric::Upgrade => 1,
            metric => u64::from(metric == self.metric),
        }
    }

    /// Reads the fields that `connect` and `reconnect` have in common, and those of one of them.
    pub(super) fn read(
        node: &Node,
        reading: &mut Reading<'_>,
        what: &str,
        metric: Metric,
    ) -> Result<How, Mistake> {
        let empty = Node { span: node.span, value: Value::Map(Vec::new()) };
        let fields = Fields::of(if node.is_null() { &empty } else { node }, what)?;
        let transport = fields.optional("transport").map(transport).transpose()?;
        let retry = Retry::read(&fields, reading)?;
        let patience = if retry.is_some() { retry::PATIENCE } else { PATIENCE };
        let mut how = How {
            namespace: reading.namespace(&fields)?,
            auth: reading.auth(&fields)?,
            node: reading.template(&fields, "node")?,
            query: reading.pairs(&fields, "query")?,
            headers: reading.handshake_headers(&fields)?,
            transport,
            wanted: Wanted::Acceptance { recovered: None },
            within: reading.positive_duration(&fields, "within")?.unwrap_or(patience),
            after: Duration::ZERO,
            recover: false,
            metric,
            retry,
            ready: None,
        };
        if metric == Metric::Reconnect {
            how.recover = fields.optional("recover").map_or(Ok(true), Node::bool)?;
            how.after = reading.any_duration(&fields, "after")?.unwrap_or_default();
            how.wanted =
                Wanted::Acceptance { recovered: fields.optional("recovered").map(Node::bool).transpose()? };
        } else if let Some(refusal) = Refusal::read(&fields, About::Reason, reading)? {
            how.wanted = Wanted::Refusal(refusal);
        }
        fields.deny_others()?;
        if let Wanted::Acceptance { .. } = how.wanted {
            how.ready = reading.contract.ready().map(Ready::new);
        }
        if let Some((key, _)) = fields.entry("retry") {
            if fields.optional("refused").is_some() {
                return Err(key
                    .mistake("a client that is to be refused does not try again")
                    .hint("leave out `retry`"));
            }
            if fields.optional("after").is_some() {
                return Err(key
                    .mistake("`retry` pauses before the first try already")
                    .hint("leave out `after`; the first pause is `retry: { every: 1s }`"));
            }
        }
        Ok(how)
    }
}

/// The transport that a value names.
pub fn transport(node: &Node) -> Result<Transport, Mistake> {
    let word = node.text()?;
    Transport::ALL.into_iter().find(|transport| transport.name() == word).ok_or_else(|| {
        node.mistake(format!("unknown transport `{word}`"))
            .did_you_mean(word, Transport::ALL.map(Transport::name))
    })
}
