//! The shared vocabulary between doing and telling.
//!
//! The client and the engine *observe*; [`crate::measure`] counts; reports render what was counted. Nobody
//! below the command line formats or prints. An [`Observer`] lives in one worker and is never shared, so
//! observing is a plain call without a lock.

mod failure_kind;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::audit::{AuditEvent, stamp};
use crate::protocol::Rule;

pub use failure_kind::{Cause, FailureKind};

/// A latency series. Its name is the word used in thresholds and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Metric {
    /// From the due time of a connect to the Socket.IO `CONNECT` reply, all phases together.
    Connect,
    /// TCP: from the call to the established connection.
    ConnectTcp,
    /// TLS: from the established connection to the finished TLS handshake.
    ConnectTls,
    /// HTTP: from the first byte of the request to the `101` (WebSocket) or to the response (polling).
    ConnectHandshake,
    /// Engine.IO: from the HTTP phase to the `open` packet.
    ConnectOpen,
    /// Socket.IO: from our `CONNECT` to the server's reply.
    ConnectNamespace,
    /// How late the generator itself was with a connect: from the moment when it was due and its client free to the call.
    ConnectLag,
    /// Polling to WebSocket: from the request of the WebSocket to the moment when it carries everything.
    Upgrade,
    /// From the moment when the connection's successor was due, with `retry` from the loss, to the new `CONNECT` reply.
    Reconnect,
    /// Acknowledgement: from the due time of the event to its ack.
    Ack,
    /// Acknowledgement: from the moment the event was actually written to its ack.
    AckService,
    /// Response: from the due time of the event to the event that answers it.
    Response,
    /// Response: from the moment the event was actually written to the event that answers it.
    ResponseService,
    /// From the due time of a stamped message to its receipt, per receiver.
    Delivery,
    /// From the due time of a stamped message with several receivers to the first receipt.
    FanoutFirst,
    /// From its due time to the last receipt.
    FanoutLast,
    /// How late the generator itself was with an event: from the moment when it was due and its client free to its sending.
    Lag,
}

impl Metric {
    /// Every metric, in the order in which reports list them.
    pub const ALL: [Metric; 17] = [
        Metric::Connect,
        Metric::ConnectTcp,
        Metric::ConnectTls,
        Metric::ConnectHandshake,
        Metric::ConnectOpen,
        Metric::ConnectNamespace,
        Metric::ConnectLag,
        Metric::Upgrade,
        Metric::Reconnect,
        Metric::Ack,
        Metric::AckService,
        Metric::Response,
        Metric::ResponseService,
        Metric::Delivery,
        Metric::FanoutFirst,
        Metric::FanoutLast,
        Metric::Lag,
    ];

    /// Whether it times what is said on a connection, and not the coming and going of connections. Of the former only the
    /// measured part of a run counts.
    pub fn is_traffic(self) -> bool {
        matches!(
            self,
            Metric::Ack
                | Metric::AckService
                | Metric::Response
                | Metric::ResponseService
                | Metric::Delivery
                | Metric::Lag
        ) || self.is_of_messages()
    }

    /// Whether it has one value for each message, however many clients receive it: then it is that of no group and no
    /// label alone.
    pub fn is_of_messages(self) -> bool {
        matches!(self, Metric::FanoutFirst | Metric::FanoutLast)
    }

    /// The word for it in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Connect => "connect",
            Metric::ConnectTcp => "connect.tcp",
            Metric::ConnectTls => "connect.tls",
            Metric::ConnectHandshake => "connect.handshake",
            Metric::ConnectOpen => "connect.open",
            Metric::ConnectNamespace => "connect.namespace",
            Metric::ConnectLag => "connect.lag",
            Metric::Upgrade => "upgrade",
            Metric::Reconnect => "reconnect",
            Metric::Ack => "ack",
            Metric::AckService => "ack.service",
            Metric::Response => "response",
            Metric::ResponseService => "response.service",
            Metric::Delivery => "delivery",
            Metric::FanoutFirst => "fanout.first",
            Metric::FanoutLast => "fanout.last",
            Metric::Lag => "lag",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something that is counted. Its name is the word used in thresholds (`connect failed < 0.1 %`) and reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counter {
    /// Connects that were begun.
    ConnectAsked,
    /// Connects that reached the `CONNECT` reply.
    ConnectOk,
    /// Connects that did not.
    ConnectFailed,
    /// Connects that were to be refused and came to no connection. They are not among those that failed.
    ConnectRefused,
    /// Attempts to connect that did not succeed and were followed by another.
    ConnectRetried,
    /// Connections that the server or the network ended without being asked to.
    Dropped,
    /// Rules of the protocol that the server broke.
    Violations,
    /// Events sent.
    Sent,
    /// Events received.
    Received,
    /// Acknowledgements asked for.
    AckAsked,
    /// Acknowledgements received in time.
    AckReceived,
    /// Acknowledgements that did not come in time.
    AckMissed,
    /// Responses asked for.
    ResponseAsked,
    /// Responses received in time.
    ResponseReceived,
    /// Responses that did not come in time.
    ResponseMissed,
    /// Stamped messages received.
    DeliveryReceived,
    /// Heartbeats answered.
    Heartbeats,
    /// Bytes read from sockets (after TLS).
    BytesIn,
    /// Bytes written to sockets (before TLS).
    BytesOut,
    /// Rounds of a paced `repeat` whose time came: the rate that was asked for.
    RoundsDue,
    /// Rounds of a paced `repeat` that were begun: the rate that was achieved.
    RoundsBegun,
    /// Round trips that prove what has arrived: of `fence` and `expect_none`, and at the end of an act. They are in no other
    /// count and in no latency.
    Fences,
    /// Those of `expect_none` that prove nothing of what other nodes of the server have sent, because the contract has no way
    /// to reach everyone.
    FencesOfOneNode,
    /// Checks that were made.
    ChecksMade,
    /// Checks that did not hold.
    ChecksFailed,
}

impl Counter {
    /// Every counter, in the order in which reports list them.
    pub const ALL: [Counter; 25] = [
        Counter::ConnectAsked,
        Counter::ConnectOk,
        Counter::ConnectFailed,
        Counter::ConnectRefused,
        Counter::ConnectRetried,
        Counter::Dropped,
        Counter::Violations,
        Counter::Sent,
        Counter::Received,
        Counter::AckAsked,
        Counter::AckReceived,
        Counter::AckMissed,
        Counter::ResponseAsked,
        Counter::ResponseReceived,
        Counter::ResponseMissed,
        Counter::DeliveryReceived,
        Counter::Heartbeats,
        Counter::BytesIn,
        Counter::BytesOut,
        Counter::RoundsDue,
        Counter::RoundsBegun,
        Counter::Fences,
        Counter::FencesOfOneNode,
        Counter::ChecksMade,
        Counter::ChecksFailed,
    ];

    /// Those that are counted by [`Cause`], too.
    pub const WITH_CAUSES: [Counter; 3] = [Counter::ConnectFailed, Counter::ConnectRetried, Counter::Dropped];

    /// Whether it counts what is said on a connection, and neither the coming and going of connections nor checks. Of the former
    /// only the measured part of a run counts.
    pub fn is_traffic(self) -> bool {
        !matches!(
            self,
            Counter::ConnectAsked
                | Counter::ConnectOk
                | Counter::ConnectFailed
                | Counter::ConnectRefused
                | Counter::ConnectRetried
                | Counter::Dropped
                | Counter::Violations
                | Counter::ChecksMade
                | Counter::ChecksFailed
        )
    }

    /// The words for it in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Counter::ConnectAsked => "connect asked",
            Counter::ConnectOk => "connect ok",
            Counter::ConnectFailed => "connect failed",
            Counter::ConnectRefused => "connect refused",
            Counter::ConnectRetried => "connect retried",
            Counter::Dropped => "connection dropped",
            Counter::Violations => "rule broken",
            Counter::Sent => "sent",
            Counter::Received => "received",
            Counter::AckAsked => "ack asked",
            Counter::AckReceived => "ack received",
            Counter::AckMissed => "ack missed",
            Counter::ResponseAsked => "response asked",
            Counter::ResponseReceived => "response received",
            Counter::ResponseMissed => "response missed",
            Counter::DeliveryReceived => "delivery received",
            Counter::Heartbeats => "heartbeats",
            Counter::BytesIn => "bytes in",
            Counter::BytesOut => "bytes out",
            Counter::RoundsDue => "rounds due",
            Counter::RoundsBegun => "rounds begun",
            Counter::Fences => "fences",
            Counter::FencesOfOneNode => "fences of one node",
            Counter::ChecksMade => "checks made",
            Counter::ChecksFailed => "checks failed",
        }
    }
}

/// A name that a step has for the figures of what it does; the plan knows the names. None is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(pub u8);

impl Label {
    /// What most steps have.
    pub const NONE: Label = Label(0);
    /// The greatest: a stamp has no room for more.
    pub const LAST: Label = Label(stamp::LAST_LABEL);
}

/// Which client: its group, its index in the group, its index in all clients. All from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Who {
    /// Index of its group.
    pub group: u32,
    /// Index of the client in its group.
    pub n: u32,
    /// Index of the client in all clients.
    pub index: u32,
}

/// A step of the plan, numbered from 0 in the order of the file (steps inside `repeat` included).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// Why a check did not hold: what was demanded, what was seen, and the last frames of the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What the step demanded, in words.
    pub expected: String,
    /// What was seen instead, in words.
    pub actual: String,
    /// The client's last frames, oldest first.
    pub wire: Vec<WireLine>,
    /// The rule of the protocol that the server had broken on this connection before, so that something was lost.
    pub after: Option<Rule>,
    /// What shows it.
    pub grounds: Grounds,
}

/// What shows that a check did not hold. A server that is slower than its own clocks may be excused of what did not come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grounds {
    /// Something that came, however late.
    #[default]
    Came,
    /// That nothing came for so long, while the connection lasted.
    Silence(Duration),
    /// That the connection had ended, or was sent what has no meaning but for connections.
    End,
}

/// One line of a client's wire log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WireLine {
    /// Since the start of the run.
    pub at: Duration,
    /// True for what the client sent.
    pub sent: bool,
    /// The frame, shortened, printable.
    pub text: String,
}

/// Gives a client's last frames, oldest first, if they are kept.
pub type LastFrames<'w> = dyn Fn() -> Vec<WireLine> + 'w;

/// Takes observations. In a run that is a worker's `Records`, in [`crate::engine`], which knows what is measured and audited and
/// passes the rest on to a [`crate::measure::Tally`]; that is one itself, and so is a plain list in tests.
pub trait Observer {
    /// One value of a latency series.
    fn latency(&mut self, metric: Metric, value: Duration);
    /// `by` more of something counted.
    fn count(&mut self, counter: Counter, by: u64);
    /// An attempt to connect did not succeed, and another follows.
    fn retried(&mut self, cause: Cause);
    /// A check of a step held for this client.
    fn passed(&mut self, step: StepId, who: Who);
    /// A check of a step did not hold for this client.
    fn failed(&mut self, step: StepId, who: Who, failure: Failure);
    /// An operation (connect, an acknowledged event …) did not succeed for this client. Whether that fails the run is
    /// decided by the thresholds: none may be missed unless one allows it.
    fn missed(&mut self, step: StepId, who: Who, failure_kind: FailureKind, failure: Failure);
    /// The server did something that no step asked about and that no run may have, unless a threshold allows it.
    /// `cause` and `detail` as in [`Observer::trouble`].
    fn wronged(
        &mut self,
        who: Who,
        failure_kind: FailureKind,
        cause: &str,
        detail: &str,
        wire: &LastFrames<'_>,
    );
    /// Something went wrong that no step asked about: `cause` is a sentence without names or numbers of
    /// single clients, so that equal causes group; `detail` tells the instance, and `wire` gives the client's last frames.
    fn trouble(&mut self, who: Who, cause: &str, detail: &str, wire: &LastFrames<'_>);
    /// An event was answered, by an acknowledgement (`Metric::Ack`) or by an event (`Metric::Response`), so long after it was
    /// due and with these arguments.
    fn answered(
        &mut self,
        _metric: Metric,
        _value: Duration,
        _attachments: &[Bytes],
        _args: &dyn Fn() -> Option<Json>,
    ) {
    }
    /// What is reported from here on belongs to this label as well.
    fn about(&mut self, _label: Label) {}
    /// A client did or saw something that the audit of the deliveries has to know, so long after the beginning of the
    /// run. Told only where there is an audit.
    fn record(&mut self, _who: Who, _at: Duration, _deed: AuditEvent<'_>) {}
}
