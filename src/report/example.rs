//! Runs for the tests of the renderers: one with everything in it, one that is small and good.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::audit::{
    Disturbed, Fault, Findings, JoinSpread, Key, MembershipSpan, Moment, NodePairs, Offence, SentMessage,
    Undecided, UndecidedCounts,
};
use crate::document::Span;
use crate::measure::{GroupInfo, ScriptInfo, StepInfo, Tally};
use crate::observe::{Cause, Counter, Failure, FailureKind, Metric, Observer, StepId, Who, WireLine};
use crate::threshold::{Counted, Limit, Relation, Subject, Threshold};
use crate::units::Share;
use crate::verdict::{End, Generator};

use super::course::{CauseCourse, Course, GeneratorResult, PhaseResult, Quantiles, ServerResult};
use super::result::{
    DeliveriesResult, Environment, RunResult, ScenarioInfo, TargetInfo, TargetKind, UndecidedResult,
};
use super::{Account, Run, collect};

const FILE: &str = "scenarios/load/busy-rooms.yaml";

/// A load run with failed checks, missed and unsupported thresholds, errors, overflow and hostile texts.
pub(crate) fn troubled() -> RunResult {
    let thresholds = [
        quantile("delivery p99 < 25 ms", Metric::Delivery, 0.99, 25),
        quantile("ack p99.9 < 500 ms", Metric::Ack, 0.999, 500),
        quantile("upgrade p50 < 1 s", Metric::Upgrade, 0.5, 1000),
        threshold(
            "connect failed < 1 %",
            Subject::Share(Counted::Counter(Counter::ConnectFailed)),
            Limit::Share(Share(0.01)),
        ),
    ];
    finished(Run {
        scenario: ScenarioInfo {
            name: "Fifty busy chat rooms".into(),
            about: Some("Talkers speak once a second, drifters change rooms.".into()),
            spec: None,
            label: None,
            file: FILE.into(),
            seed: 42,
            hash: "0123456789abcdef0123456789abcdef01234567".into(),
            overrides: vec!["--clients 2000".into()],
        },
        target: TargetInfo {
            kind: TargetKind::Command,
            url: "http://127.0.0.1:41234/socket.io/".into(),
            command: Some("node server.js".into()),
            nodes: Vec::new(),
            services: Vec::new(),
            software: Some("socket.io 4.8.1".into()),
            notes: Vec::new(),
        },
        started: UNIX_EPOCH + Duration::from_secs(1_795_227_247),
        duration: Duration::from_millis(63_412),
        account: Account {
            agents: Vec::new(),
            environment: Environment {
                processor: Some("A processor".into()),
                memory: Some(16 << 30),
                open_files: Some(20_000),
                co_located: Some(true),
                ..environment()
            },
            measured: Some(Duration::from_millis(60_000)),
            phases: vec![
                phase("ramp", 0, 2_400_000),
                phase("measure", 2_400_000, 62_400_000),
                phase("rest", 62_400_000, 63_412_000),
            ],
            course: Some(course()),
            generator: Some(GeneratorResult {
                workers: 2,
                cpu_us: 21_500_000,
                busiest_worker: Some(0.41),
                memory_peak: 31_000_000,
                due: 30_000,
                begun: 29_990,
                doubts: Vec::new(),
            }),
            server_end: None,
            server: Some(ServerResult {
                cpu_us: 41_000_000,
                cpu_measured_us: 39_100_000,
                memory_before: 52_000_000,
                memory_peak: 96_000_000,
                nodes: Vec::new(),
            }),
        },
        script_info: &script_info(),
        tally: &tally(),
        names: &[],
        parts: &[],
        deliveries: Some(&Findings {
            expected: 40_003,
            forbidden: 1_960_000,
            doubts: Vec::new(),
            undecided: in_flight(1_312),
            messages: 31,
            refused: 0,
            receipts: 40_006,
            unseen: 0,
            kept: 0,
            late: 2,
            faults: [1, 0, 0, 3],
            leaks: [2, 0, 0, 1, 0, 0, 0, 0],
            nodes: NodePairs::default(),
            join_spread: JoinSpread::default(),
            disturbed: Disturbed::default(),
            offences: vec![missing()],
            elsewhere: Default::default(),
        }),
        learned: None,
        operations: &[],
        disturbed: &[],
        whole_after: &[],
        thresholds: &thresholds,
        completed_steps: 4,
        end: End::Finished,
        strict_audit: None,
        machine: Generator::default(),
    })
}

/// A conformance case that passed.
pub(crate) fn flawless() -> RunResult {
    let mut tally = Tally::new();
    let eve_step = |id, words, line, source| StepInfo {
        file: "scenarios/conformance/hello.yaml".into(),
        groups: vec!["eve".into()],
        ..step(id, words, line, source)
    };
    let script_info = ScriptInfo {
        steps: vec![
            eve_step(0, "connect", 5, "  - eve: connect"),
            eve_step(1, "expect hello", 6, "  - eve: { expect: hello }"),
        ],
        groups: vec![GroupInfo { name: "eve".into(), count: 1 }],
        ..ScriptInfo::default()
    };
    let eve = Who { group: 0, n: 0, index: 0 };
    tally.passed(StepId(0), eve);
    tally.passed(StepId(1), eve);
    tally.count(Counter::ConnectAsked, 1);
    tally.count(Counter::ConnectOk, 1);
    tally.latency(Metric::Connect, Duration::from_micros(2_345));
    finished(Run {
        scenario: ScenarioInfo {
            name: "The server says hello".into(),
            about: None,
            spec: Some("Socket.IO v5: connection".into()),
            file: "scenarios/conformance/hello.yaml".into(),
            seed: 1,
            ..ScenarioInfo::default()
        },
        target: TargetInfo {
            kind: TargetKind::Bundled,
            url: "http://127.0.0.1:40001/socket.io/".into(),
            command: None,
            nodes: Vec::new(),
            services: Vec::new(),
            software: None,
            notes: Vec::new(),
        },
        started: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_227_247),
        duration: Duration::from_micros(8_700),
        account: Account { environment: environment(), ..Account::default() },
        script_info: &script_info,
        tally: &tally,
        names: &[],
        parts: &[],
        deliveries: None,
        learned: None,
        operations: &[],
        disturbed: &[],
        whole_after: &[],
        thresholds: &[],
        completed_steps: 2,
        end: End::Finished,
        strict_audit: None,
        machine: Generator::default(),
    })
}

/// A run that passed, in whose deliveries next to nothing could be decided.
pub(crate) fn unjudged() -> RunResult {
    let mut run = flawless();
    let cause = "the sender was not certainly a member of the room".to_owned();
    run.verdict.reason =
        "both checks held, but deliveries were not judged: 2.5 % of 40 pairs decided".to_owned();
    run.deliveries = Some(DeliveriesResult {
        messages: 40,
        refused: 0,
        receipts: 0,
        expected: 1,
        forbidden: 900,
        undecided: 39,
        undecided_causes: vec![UndecidedResult {
            cause,
            count: 39,
            advice: Some("say `senders: anyone`".to_owned()),
            example: Some("eve and message 3 of bob to lobby".to_owned()),
        }],
        unseen: 0,
        kept: 0,
        missing: 0,
        duplicate: 0,
        disordered: 0,
        leaked: 0,
        leaks: Vec::new(),
        disturbed: None,
        nodes: None,
        late: 0,
        offenders: Vec::new(),
        arrived_as: Vec::new(),
        shown_later: false,
        missed_rooms: Vec::new(),
    });
    run
}

/// So many pairs of which nothing is known, because of a drifter that came or went.
fn in_flight(pairs: u64) -> UndecidedCounts {
    let mut undecided = UndecidedCounts::default();
    undecided.add(Undecided::InFlight, pairs);
    undecided
}

/// What one of the talkers did not receive, to a room whose name is hostile.
fn missing() -> Offence {
    let at = Moment::from_millis;
    let room: Arc<str> = "room-\u{1b}[31m12".into();
    let key = Key { sender: 62, sequence: 7 };
    let message = SentMessage::example(key, vec![room.clone()], at(31_700), at(31_703));
    Offence {
        fault: Fault::Missing,
        leak: None,
        key,
        message: Some(Arc::new(message)),
        receiver: 12,
        namespace: "/".into(),
        spans: vec![(
            room,
            MembershipSpan { confirmed: Some(at(1_020)), ..MembershipSpan::asked(at(1_018)) },
        )],
        received: None,
        overtaken_by: None,
    }
}

fn environment() -> Environment {
    Environment { os: "linux x86_64".into(), cpus: 2, ..Environment::default() }
}

/// The collected run, with what differs from build to build put in its place.
fn finished(run: Run<'_>) -> RunResult {
    RunResult { tool_version: "0.1.0".into(), ..collect(run) }
}

fn quantile(text: &str, metric: Metric, quantile: f64, limit: u64) -> Threshold {
    threshold(text, Subject::Quantile(metric, quantile), Limit::Latency(Duration::from_millis(limit)))
}

fn threshold(text: &str, subject: Subject, limit: Limit) -> Threshold {
    let span = Span { line: 16, ..Span::default() };
    let (text, relation) = (text.into(), Relation::Less);
    Threshold { text, subject, of: None, answers: None, after: None, relation, limit, aborts: false, span }
}

fn phase(name: &str, from_us: u64, to_us: u64) -> PhaseResult {
    PhaseResult { name: name.into(), from_us, to_us }
}

/// A minute and a little, with a stall of the server in the middle.
fn course() -> Course {
    let rows = 0..64_u64;
    let column = |value: fn(u64) -> u64| rows.clone().map(value).collect::<Vec<u64>>();
    let stalled = |second: u64| second == 31;
    let quantiles = |base: u64| {
        let value = |factor: u64| {
            let of = |second: u64| {
                (second > 1).then_some(if stalled(second) { 900_000 } else { base * factor + second })
            };
            rows.clone().map(of).collect::<Vec<_>>()
        };
        Quantiles {
            p50_us: value(1),
            p90_us: value(2),
            p99_us: value(16),
            max_us: value(30),
            histograms: vec![None; rows.clone().count()],
        }
    };
    Course {
        interval_us: 1_000_000,
        at_us: rows.clone().map(|second| ((second + 1) * 1_000_000).min(63_412_000)).collect(),
        connected: column(|second| (second * 900).min(1_988)),
        connects_asked: column(|second| if second < 3 { 667 } else { 0 }),
        connects_ok: column(|second| if second < 3 { 663 } else { 0 }),
        connects_failed: column(|second| if second < 3 { 4 } else { 0 }),
        dropped: column(|_| 0),
        causes: vec![
            cause(column(|second| if second < 3 { 3 } else { 0 }), Cause::CloseFrame),
            cause(column(|second| u64::from(second < 3)), Cause::NoAnswer),
        ],
        sent: column(|second| if second > 1 { 500 } else { 0 }),
        received: column(|second| if second > 1 { 666 } else { 0 }),
        acks: column(|second| if second > 1 { 48 } else { 0 }),
        acks_missed: column(|_| 0),
        responses: column(|_| 0),
        responses_missed: column(|_| 0),
        deliveries: column(|second| if second > 1 { 666 } else { 0 }),
        bytes_in: column(|_| 192_000),
        bytes_out: column(|_| 36_000),
        due: column(|second| if second > 1 { 500 } else { 0 }),
        begun: column(|second| if second > 1 { 499 } else { 0 }),
        failed: column(|second| u64::from(second == 31) * 10),
        ack: quantiles(2_000),
        response: Quantiles::default(),
        delivery: quantiles(1_500),
        lag: quantiles(100),
        generator_cpu: rows.clone().map(|_| Some(0.34)).collect(),
        server_cpu: rows.clone().map(|second| Some(if stalled(second) { 0.02 } else { 0.66 })).collect(),
        server_memory: rows.clone().map(|second| Some(52_000_000 + second * 680_000)).collect(),
    }
}

fn cause(counts: Vec<u64>, cause: Cause) -> CauseCourse {
    CauseCourse { counter: Counter::ConnectFailed.name().into(), cause: cause.words().into(), counts }
}

fn step(id: u32, words: &str, line: u32, source: &str) -> StepInfo {
    StepInfo {
        id: StepId(id),
        words: words.into(),
        file: FILE.into(),
        line,
        column: 5,
        source: source.into(),
        groups: vec!["talkers".into()],
    }
}

fn script_info() -> ScriptInfo {
    ScriptInfo {
        steps: vec![
            step(0, "connect", 8, "  - all: connect"),
            step(1, "join ${room}", 9, "  - all: { join: \"${room}\" }"),
            step(
                2,
                "expect said within 1 s",
                12,
                "          - expect: { event: said, within: 1s } # \u{1b}[31mred",
            ),
            step(3, "disconnect", 14, "  - all: disconnect"),
        ],
        groups: vec![
            GroupInfo { name: "talkers".into(), count: 500 },
            GroupInfo { name: "drifters".into(), count: 1500 },
        ],
        ..ScriptInfo::default()
    }
}

fn tally() -> Tally {
    let mut tally = Tally::new();
    let talker = |n| Who { group: 0, n, index: n };
    for n in 0..2000 {
        tally.passed(StepId(0), talker(n));
        tally.passed(StepId(1), talker(n));
        tally.latency(Metric::Connect, Duration::from_micros(900 + u64::from(n % 97) * 31));
        tally.latency(Metric::ConnectTcp, Duration::from_micros(40 + u64::from(n % 13)));
    }
    // Two humps, as a server with a garbage collector makes them, and two values beyond all buckets.
    for n in 0..40_000_u64 {
        let base = if n % 50 == 0 { 24_000 } else { 1_500 };
        tally.latency(Metric::Delivery, Duration::from_micros(base + n * n % 1_777));
    }
    (0..2).for_each(|_| tally.latency(Metric::Delivery, Duration::from_secs(130)));
    for n in 0..2_900_u64 {
        tally.latency(Metric::Ack, Duration::from_micros(2_000 + n % 701));
    }
    (0..29_990).for_each(|n| tally.passed(StepId(2), talker(n % 500)));
    for n in 0..10 {
        tally.failed(StepId(2), talker(n * 7), failure());
    }
    for (counter, by) in [
        (Counter::ConnectAsked, 2000),
        (Counter::ConnectOk, 1988),
        (Counter::Sent, 30_000),
        (Counter::Received, 40_002),
        (Counter::AckAsked, 2_900),
        (Counter::AckReceived, 2_900),
        (Counter::DeliveryReceived, 40_002),
        (Counter::Heartbeats, 5_032),
        (Counter::BytesIn, 12_345_678),
        (Counter::BytesOut, 2_345_678),
        (Counter::RoundsDue, 30_000),
        (Counter::RoundsBegun, 29_990),
    ] {
        tally.count(counter, by);
    }
    for n in 0..12 {
        tally.trouble(
            talker(n),
            "the server closed the connection",
            &format!("after {n} s, code 1006"),
            &last_frames,
        );
    }
    for n in 0..12 {
        let why = "the server closed the connection, code 1006".to_owned();
        let failure = Failure {
            expected: "a connection".into(),
            actual: why,
            wire: Vec::new(),
            after: None,
            grounds: Default::default(),
        };
        let cause = if n % 4 == 0 { Cause::NoAnswer } else { Cause::CloseFrame };
        tally.missed(StepId(0), talker(n + 488), FailureKind::Connect(cause), failure);
    }
    tally.trouble(talker(3), "unexpected event", "\u{1b}]0;title\u{7}evil\r\nname", &Vec::new);
    tally
}

fn last_frames() -> Vec<WireLine> {
    failure().wire.into_iter().take(2).collect()
}

fn failure() -> Failure {
    let line = |at, sent, text: &str| WireLine { at: Duration::from_micros(at), sent, text: text.into() };
    Failure {
        expected: "event said with [\"hello\"] within 1 s".into(),
        actual: "nothing matched; 2 other events came: said [\"hullo\"], \u{1b}[2Jwiped []".into(),
        wire: vec![
            line(1_204_117, true, "42[\"said\",\"hello\"]"),
            line(1_205_402, false, "42[\"said\",\"hullo\"]"),
            line(1_207_001, false, "42[\"\u{1b}[2Jwiped\"]"),
            line(2_204_900, false, "2"),
        ],
        after: None,
        grounds: Default::default(),
    }
}
