//! Latency is honest: what a server is known to do late is in the figures, all of it and no more. Exactly so, because the
//! clock is simulated; `tests/latency.rs` sees the same roughly on a real one.

use std::time::Duration;

use super::harness::over_network;
use super::server::Server;
use crate::measure::{Series, Tally};
use crate::observe::{Counter, Metric};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The buckets of a series with how many values each has, and its extremes.
type Shape = (Vec<(Duration, u64)>, Option<Duration>, Option<Duration>);

fn shape(series: &Series) -> Shape {
    (series.buckets().collect(), series.min(), series.max())
}

fn of(tally: &Tally, metric: Metric) -> Shape {
    shape(tally.series(metric).unwrap_or_else(|| panic!("there is no {metric:?}")))
}

fn expected(values: impl IntoIterator<Item = Duration>) -> Series {
    let mut series = Series::new();
    values.into_iter().for_each(|value| series.record(value));
    series
}

#[test]
fn a_delay_is_in_each_acknowledgement_and_each_delivery_and_nothing_else_is() {
    const TALK: &str = "
name: Some talk, and some listen
contract:
  broadcast: { emit: [say, \"${body}\"], ack: true, arrives_as: said, reaches: others }
clients: { talkers: 4, crowd: 4 }
script:
  - all: connect
  - talkers:
      repeat:
        times: 40
        every: 150ms
        start: spread
        steps: [ { broadcast: { event: said, bytes: 64 } } ]
";
    for delay in [ms(0), ms(5), ms(20), ms(100)] {
        let mut server = Server::new(move |_| delay);
        over_network(
            TALK,
            move |at, number, heard| server.react(at, number, heard),
            |mut harness| {
                harness.play_out();
                let tally = harness.close().counted();
                let acks = expected([delay; 4 * 40]);
                assert_eq!(of(&tally, Metric::Ack), shape(&acks), "{delay:?}");
                assert_eq!(of(&tally, Metric::AckService), shape(&acks), "{delay:?}");
                // Seven of the eight hear each message.
                assert_eq!(of(&tally, Metric::Delivery), shape(&expected([delay; 7 * 4 * 40])), "{delay:?}");
                assert_eq!(of(&tally, Metric::Lag), shape(&expected([ms(0); 4 * 40])), "nobody was late");
            },
        );
    }
}

#[test]
fn what_nobody_acknowledges_goes_when_it_is_due_however_long_the_line_is() {
    const DRAW: &str = "
name: One draws 25 times a second, and five look on
contract:
  broadcast: { emit: [say, \"${body}\"], arrives_as: said, reaches: others }
clients: { painter: 1, viewers: 5 }
script:
  - all: connect
  - painter: { repeat: { times: 125, every: 40ms, steps: [ { broadcast: { args: [black] } } ] } }
  - viewers: { expect: { event: said, times: 125 } }
";
    // 50 ms there, and 50 ms back.
    let mut server = Server::new(|_| ms(50)).passing_on_after(ms(50));
    over_network(
        DRAW,
        move |at, number, heard| server.react(at, number, heard),
        |mut harness| {
            harness.play_out();
            let tally = harness.close().counted();
            assert_eq!(of(&tally, Metric::Delivery), shape(&expected([ms(100); 5 * 125])));
            assert_eq!(of(&tally, Metric::Lag), shape(&expected([ms(0); 125])));
            let counted = [Counter::Sent, Counter::RoundsDue, Counter::RoundsBegun, Counter::Fences];
            assert_eq!(counted.map(|counter| tally.counter(counter)), [125, 125, 125, 1]);
        },
    );
}

#[test]
fn a_server_that_stands_still_is_in_the_percentiles_for_everybody_who_was_due_meanwhile() {
    let schedule = Schedule { groups: 10, of: 5, rounds: 31 };
    let [begin, end] = Schedule::FREEZE.map(ms);
    let pause = move |at: Duration| if (begin..end).contains(&at) { end - at } else { ms(0) };
    let mut server = Server::new(pause);
    over_network(
        &schedule.scenario(),
        move |at, number, heard| server.react(at, number, heard),
        |mut harness| {
            harness.play_out();
            let tally = harness.close().counted();
            let waits = expected(schedule.waits());
            assert_eq!(of(&tally, Metric::Ack), shape(&waits));
            // Of the clients that were sent to sleep, each had asked once: the rest was sent when it was over.
            assert_eq!(of(&tally, Metric::AckService), shape(&expected(schedule.waits_from_sent())));
            let p90 = |series: &Series| series.quantile(0.9).flatten().expect("there are values");
            let service = tally.series(Metric::AckService).expect("it was asked");
            assert!(p90(service) < ms(1) && p90(&waits) > ms(600), "only one of them tells of the freeze");
        },
    );
}

#[test]
fn a_generator_that_is_late_says_how_late_and_counts_from_the_due_time() {
    const ASK: &str = "
name: One asks
clients: { alice: 1 }
script:
  - all: connect
  - alice: { repeat: { times: 5, every: 100ms, steps: [ { emit: { event: a, args: [x], ack: true } } ] } }
";
    let mut server = Server::new(|_| ms(7));
    over_network(
        ASK,
        move |at, number, heard| server.react(at, number, heard),
        |mut harness| {
            harness.begin();
            harness.until(ms(107));
            // The round that is due at 200 ms begins at 237 ms.
            harness.network.pass(ms(130));
            harness.until(ms(450));
            let tally = harness.close().counted();
            assert_eq!(tally.counter(Counter::AckReceived), 5);
            assert_eq!(of(&tally, Metric::Lag), shape(&expected([0, 0, 37, 0, 0].map(ms))));
            assert_eq!(of(&tally, Metric::Ack), shape(&expected([7, 7, 44, 7, 7].map(ms))));
            assert_eq!(of(&tally, Metric::AckService), shape(&expected([ms(7); 5])));
        },
    );
}

/// Clients that ask every 100 ms, their groups one after another.
struct Schedule {
    groups: u64,
    /// How many clients are in each group.
    of: u64,
    rounds: u64,
}

impl Schedule {
    const EVERY: u64 = 100;
    /// When the server stands still and when it goes on, from the start of the run.
    const FREEZE: [u64; 2] = [2_000, 3_000];

    /// When a round of a group is due, in milliseconds: in the middle between two tens, so that nobody asks just when the
    /// server falls asleep.
    fn due(&self, group: u64, round: u64) -> u64 {
        5 + group * (Self::EVERY / self.groups) + round * Self::EVERY
    }

    fn scenario(&self) -> String {
        let groups = 0..self.groups;
        let cast: Vec<String> = groups.clone().map(|group| format!("g{group}: {}", self.of)).collect();
        let branches = groups.map(|group| {
            let (first, rounds, every) = (self.due(group, 0), self.rounds, Self::EVERY);
            let ask = "{ emit: { event: a, args: [x], ack: true } }";
            format!(
                "      - g{group}: [ {{ wait: {first}ms }}, {{ repeat: {{ times: {rounds}, every: {every}ms, steps: [ {ask} ] }} }} ]\n",
            )
        });
        format!(
            "name: Many ask at their own pace\nclients: {{ {} }}\nscript:\n  - all: connect\n  - together:\n{}",
            cast.join(", "),
            branches.collect::<String>(),
        )
    }

    /// How long each round waits for the server, from when it is due. A round that comes late does not move those after it,
    /// so each that is due meanwhile waits until the end.
    fn waits(&self) -> Vec<Duration> {
        self.each(|_, wait| wait)
    }

    /// The same from when it is sent: a client does so only when its last round is over.
    fn waits_from_sent(&self) -> Vec<Duration> {
        let begin = Self::FREEZE[0];
        self.each(|due, wait| if due < begin + Self::EVERY { wait } else { ms(0) })
    }

    fn each(&self, wait: impl Fn(u64, Duration) -> Duration) -> Vec<Duration> {
        let [begin, end] = Self::FREEZE;
        let of = |due: u64| wait(due, ms(if (begin..end).contains(&due) { end - due } else { 0 }));
        let rounds = (0..self.groups).flat_map(|group| (0..self.rounds).map(move |round| (group, round)));
        let waits = rounds.map(|(group, round)| of(self.due(group, round)));
        waits.flat_map(|wait| (0..self.of).map(move |_| wait)).collect()
    }
}
