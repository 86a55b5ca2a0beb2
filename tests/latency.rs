//! Latency is honest, end to end: what a server is known to do late is in the figures, all of it and no more.
//!
//! Nothing here says how fast a machine is. A healthy server is played at the same time as the faulty one, and the two
//! are compared. A machine that stalls at the wrong moment can spoil a run, but not several one after another.

#[path = "support/play.rs"]
mod support;

use std::{collections::BTreeMap, fs, sync::Mutex, thread};

use reference_server::faults::{REGISTRY, Shows};
use sockrates::report::{json::from_json, result::MetricResult};
use support::play;

/// How often a comparison may go wrong before it is believed.
const TRIES: usize = 5;

/// How much later each fault lets everything leave, in milliseconds.
const DELAYS: [(&str, f64); 3] = [("delay-5ms", 5.0), ("delay-20ms", 20.0), ("delay-100ms", 100.0)];

const FREEZE: &str = "freeze";

/// Two comparisons at a time would disturb each other.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn every_fault_that_shows_in_time_alone_is_looked_at() {
    let looked_at: Vec<&str> = DELAYS.iter().map(|(fault, _)| *fault).chain([FREEZE]).collect();
    let in_time = REGISTRY.iter().filter(|fault| fault.shows == Shows::InTime);
    assert_eq!(in_time.map(|fault| fault.name).collect::<Vec<_>>(), looked_at);
}

#[test]
fn a_delay_is_in_the_medians_of_acknowledgements_and_deliveries_to_the_millisecond() {
    const TALK: &str = "
name: Some talk, and some listen
clients: { talkers: 4, crowd: 4 }
script:
  - all: connect
  - all: { join: lobby }
  - talkers:
      repeat:
        times: 40
        every: 150ms
        jitter: 20%
        steps: [ { broadcast: { to: lobby, event: said, bytes: 64 } } ]
";
    let _alone = ALONE.lock();
    within_tries(&DELAYS, |open| {
        let faults: Vec<&str> = open.iter().map(|(fault, _)| *fault).collect();
        let (healthy, delayed) = side_by_side(TALK, &faults);
        let told = |((fault, delay), figures): (&(&'static str, f64), &Figures)| {
            let wrong = ["ack", "delivery"].into_iter().find(|metric| {
                let added = figures.median(metric) - healthy.median(metric);
                // The server wakes up twice more for it: each time as late as this machine lets it, where it is busy.
                (added - delay).abs() > f64::max(1.0, 2.0 * healthy.median(metric))
            })?;
            let medians = [figures, &healthy].map(|figures| figures.median(wrong));
            let why = format!("{wrong} p50 is {} ms with {fault}, {} ms without", medians[0], medians[1]);
            Some(((*fault, *delay), format!("{why}; {}", figures.lag())))
        };
        open.iter().zip(&delayed).filter_map(told).collect()
    });
}

#[test]
fn a_server_that_stands_still_is_in_the_percentiles_for_everybody_who_was_due_meanwhile() {
    // Until the server is awake again and no longer: what it has to catch up with is no part of the schedule.
    let schedule = Schedule { groups: 10, of: 5, rounds: 31 };
    let _alone = ALONE.lock();
    within_tries(&PERCENTILES, |open| {
        let (healthy, frozen) = side_by_side(&schedule.scenario(), &[FREEZE]);
        let [ack, service] = ["ack", "ack.service"].map(|name| frozen[0].metric(name));
        // Nine of ten rounds that were due while the server stood still were sent only when it was over.
        let (honest, flattering) = (millis(ack.p90_us), millis(service.p90_us));
        assert!(flattering < honest / 5.0, "p90 is {honest} ms from due and {flattering} ms from sent");
        // What no schedule knows: how long an answer takes when the server is awake, all but one in a hundred.
        let usual = millis(healthy.metric("ack").p99_us);
        let told = |percentile: &Percentile| {
            let (name, quantile, of) = *percentile;
            let (reported, expected) = (millis(of(ack)), schedule.waited(quantile));
            let is_right = (reported - expected).abs() <= 0.02 * expected + usual;
            let why = format!("{name} is {reported} ms, the schedule says {expected} ms");
            (!is_right)
                .then(|| (*percentile, format!("{why}, an answer takes {usual} ms; {}", frozen[0].lag())))
        };
        open.iter().filter_map(told).collect()
    });
}

type Percentile = (&'static str, f64, fn(&MetricResult) -> Option<u64>);

const PERCENTILES: [Percentile; 5] = [
    ("p50", 0.5, |metric| metric.p50_us),
    ("p90", 0.9, |metric| metric.p90_us),
    ("p99", 0.99, |metric| metric.p99_us),
    ("p99.9", 0.999, |metric| metric.p999_us),
    ("max", 1.0, |metric| Some(metric.max_us)),
];

/// Clients that ask every 100 ms, their groups one after another.
struct Schedule {
    groups: u64,
    /// How many clients are in each group.
    of: u64,
    rounds: u64,
}

impl Schedule {
    const EVERY: u64 = 100;
    /// When the server stands still and when it goes on, from the first event of any client.
    const FREEZE: [u64; 2] = [2_000, 3_000];

    /// When a round of a group is due, in milliseconds after the first event: in the middle between two tens, so that
    /// nobody asks just when the server falls asleep.
    fn due(&self, group: u64, round: u64) -> u64 {
        5 + group * (Self::EVERY / self.groups) + round * Self::EVERY
    }

    fn scenario(&self) -> String {
        let groups = 0..self.groups;
        let clients: Vec<String> = groups.clone().map(|group| format!("g{group}: {}", self.of)).collect();
        let branches = groups.map(|group| {
            format!(
                "      - g{group}: [ {{ wait: {}ms }}, {{ repeat: {{ times: {}, every: {}ms, steps: [ *ask ] }} }} ]\n",
                self.due(group, 0),
                self.rounds,
                Self::EVERY,
            )
        });
        format!(
            "name: Many ask at their own pace\nclients: {{ first: 1, {} }}\nscript:\n  - all: connect\n  \
             - first: &ask {{ emit: {{ event: message-with-ack, args: [x], ack: true }} }}\n  - together:\n{}",
            clients.join(", "),
            branches.collect::<String>(),
        )
    }

    /// How long so many of the rounds waited at most for a server that stands still. A round that comes late does not
    /// move those after it, so each that is due meanwhile waits until the end.
    fn waited(&self, quantile: f64) -> f64 {
        let [begin, end] = Self::FREEZE;
        let all = (0..self.groups).flat_map(|group| (0..self.rounds).map(move |round| (group, round)));
        let mut waits: Vec<u64> = all
            .map(|(group, round)| self.due(group, round))
            .map(|due| if (begin..end).contains(&due) { end - due } else { 0 })
            .flat_map(|wait| (0..self.of).map(move |_| wait))
            .collect();
        waits.sort_unstable();
        let rank = (quantile * waits.len() as f64).ceil() as usize;
        waits[rank.clamp(1, waits.len()) - 1] as f64
    }
}

/// What a run measured.
struct Figures(BTreeMap<String, MetricResult>);

impl Figures {
    fn metric(&self, name: &str) -> &MetricResult {
        self.0.get(name).unwrap_or_else(|| panic!("there is no {name}"))
    }

    fn median(&self, name: &str) -> f64 {
        millis(self.metric(name).p50_us)
    }

    /// How disturbed the machine was.
    fn lag(&self) -> String {
        let lag = self.metric("lag");
        format!("lag: p50 {:?} µs, p90 {:?} µs, max {} µs", lag.p50_us, lag.p90_us, lag.max_us)
    }
}

fn millis(micros: Option<u64>) -> f64 {
    micros.expect("there are samples enough") as f64 / 1000.0
}

/// Plays a scenario against a healthy server and, at the same time, against one with each of the faults.
fn side_by_side(scenario: &str, faults: &[&str]) -> (Figures, Vec<Figures>) {
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("scenario.yaml");
    fs::write(&file, scenario).expect("it can be written");
    let figures = |fault: Option<&str>| {
        let json = folder.path().join(format!("{}.json", fault.unwrap_or("healthy")));
        let [file, result] = [&file, &json].map(|path| path.to_str().expect("a path that is text"));
        let broken = fault.map(|fault| ["--fault", fault]);
        let arguments = [file, "--json", result].into_iter().chain(broken.into_iter().flatten());
        let played = play(arguments, []);
        assert_eq!(played.code, Some(0), "{}", played.output);
        let text = fs::read_to_string(json).expect("the result was written");
        let metrics = from_json(&text).expect("it is one").remove(0).metrics;
        Figures(metrics.into_iter().map(|metric| (metric.name.clone(), metric)).collect())
    };
    let figures = &figures;
    thread::scope(|scope| {
        let faulty: Vec<_> = faults.iter().map(|fault| scope.spawn(move || figures(Some(*fault)))).collect();
        let healthy = figures(None);
        (healthy, faulty.into_iter().map(|run| run.join().expect("it was played")).collect())
    })
}

/// Compares until each thing was right once: what is wrong time and again is wrong. Whoever looks gets what is still
/// open, and tells of what it is that it was wrong, and how.
fn within_tries<T: Clone>(things: &[T], look: impl Fn(&[T]) -> Vec<(T, String)>) {
    let mut open: Vec<(T, String)> = things.iter().map(|thing| (thing.clone(), String::new())).collect();
    for _ in 0..TRIES {
        let still: Vec<T> = open.into_iter().map(|(thing, _)| thing).collect();
        open = look(&still);
        if open.is_empty() {
            return;
        }
    }
    let complaints: Vec<String> = open.into_iter().map(|(_, why)| why).collect();
    panic!("{}", complaints.join("\n"));
}
