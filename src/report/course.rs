//! How a run went over time, as data: one row for each interval, kept by column so that a result stays small.
//!
//! Made by [`super::collect()`], read by every renderer that draws. All columns of a [`Course`] have one entry for each
//! row; where nothing was measured in an interval, the entry is absent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A run over time, in intervals of equal length; the last may be shorter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Course {
    /// How long an interval is. A long run has longer ones, so that there are never more than some thousands.
    pub interval_us: u64,
    /// The end of each interval, since the start of the run.
    pub at_us: Vec<u64>,
    /// Clients that some namespace has accepted, at the end of the interval.
    pub connected: Vec<u64>,
    /// Connects begun in the interval.
    pub connects_asked: Vec<u64>,
    /// Connects that were accepted.
    pub connects_ok: Vec<u64>,
    /// Connects that failed.
    pub connects_failed: Vec<u64>,
    /// Connections that the server or the network ended unasked.
    pub dropped: Vec<u64>,
    /// Events sent.
    pub sent: Vec<u64>,
    /// Events received.
    pub received: Vec<u64>,
    /// Acknowledgements received.
    pub acks: Vec<u64>,
    /// Acknowledgements that did not come in time.
    pub acks_missed: Vec<u64>,
    /// Stamped messages received.
    pub deliveries: Vec<u64>,
    /// Bytes read.
    pub bytes_in: Vec<u64>,
    /// Bytes written.
    pub bytes_out: Vec<u64>,
    /// Paced actions that were due in the interval: the rate that was asked for.
    pub due: Vec<u64>,
    /// Paced actions that were begun: the rate that was achieved.
    pub begun: Vec<u64>,
    /// Checks that failed.
    pub failed: Vec<u64>,
    /// Acknowledgement round trips that ended in the interval.
    pub ack: Quantiles,
    /// Deliveries in the interval.
    pub delivery: Quantiles,
    /// How late the generator was.
    pub lag: Quantiles,
    /// Processor time of the generator, in processors: 1.5 is one and a half.
    pub generator_cpu: Vec<Option<f64>>,
    /// Processor time of the server, in processors, where we started it.
    pub server_cpu: Vec<Option<f64>>,
    /// Resident memory of the server in bytes, where we started it.
    pub server_memory: Vec<Option<u64>>,
}

/// Percentiles of one series over time, in microseconds. Absent where the interval has no value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// The medians.
    pub p50_us: Vec<Option<u64>>,
    /// 90 % were not longer.
    pub p90_us: Vec<Option<u64>>,
    /// 99 % were not longer.
    pub p99_us: Vec<Option<u64>>,
    /// The greatest.
    pub max_us: Vec<Option<u64>>,
    /// Each interval's values as an HdrHistogram of microseconds, V2 compressed, base64; absent without values. Two digits.
    pub histograms: Vec<Option<String>>,
}

/// A stretch of the run: `ramp`, `settle`, `measure`, `rest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseResult {
    /// What it is called.
    pub name: String,
    /// When it began, since the start of the run.
    pub from_us: u64,
    /// When it ended.
    pub to_us: u64,
}

/// What the run cost the process that played the clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GeneratorResult {
    /// Threads that played the clients.
    pub workers: u32,
    /// Processor time of the whole process during the run.
    pub cpu_us: u64,
    /// The busiest worker's share of its processor over the measured part, from 0 to 1.
    pub busiest_worker: f64,
    /// Peak of resident memory in bytes.
    pub memory_peak: u64,
    /// Paced actions that were due in the measured part.
    pub due: u64,
    /// Paced actions that were begun.
    pub begun: u64,
    /// Why the measurement is in doubt, one sentence each with what to change.
    pub doubts: Vec<String>,
}

/// What the run cost the server that we started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerResult {
    /// Processor time of all its processes during the run.
    pub cpu_us: u64,
    /// Processor time of all its processes during the measured part.
    pub cpu_measured_us: u64,
    /// Resident memory before the first client, in bytes.
    pub memory_before: u64,
    /// Peak of resident memory during the run, in bytes.
    pub memory_peak: u64,
}
