//! What the conductor hears of a worker, and what its clients do at its command.

use std::io;
use std::time::Duration;

use super::harness::{Harness, over_network};
use super::server::{Server, tell};
use crate::engine::orders::{Extent, Order};
use crate::observe::{Counter, Metric};
use crate::protocol::websocket::{Opcode, parse};
use crate::transport::simulation::{Event, Heard, Reaction};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const ASK: &str = "{ emit: { event: a, args: [x], ack: true } }";

fn scenario(clients: &str, script: &str) -> String {
    format!("name: a test\nclients: {clients}\nscript:\n{script}\n")
}

/// Plays against a server that answers after this time.
fn against(pause: Duration, clients: &str, script: &str, test: impl FnOnce(Harness<'_>)) {
    let mut server = Server::new(move |_| pause);
    over_network(&scenario(clients, script), move |at, number, heard| server.react(at, number, heard), test);
}

#[test]
fn an_act_ends_when_the_last_of_its_clients_is_done() {
    let script =
        format!("- all: connect\n- some: {{ repeat: {{ times: 3, steps: [ {ASK} ] }} }}\n- one: {ASK}");
    against(ms(10), "{ some: 4, one: 1 }", &script, |mut harness| {
        harness.play_out();
        assert_eq!(harness.finished, [(0, ms(0)), (1, ms(30)), (2, ms(40))]);
        assert_eq!(harness.close().counted().counter(Counter::AckReceived), 13);
    });
}

#[test]
fn branches_go_on_side_by_side() {
    let script = format!(
        "- all: connect\n- together:\n    - some: [ {{ wait: 30ms }} ]\n    - one: [ {ASK} ]\n- all: {{ wait: 5ms }}"
    );
    against(ms(10), "{ some: 2, one: 1 }", &script, |mut harness| {
        harness.play_out();
        assert_eq!(harness.finished, [(0, ms(0)), (2, ms(10)), (1, ms(30)), (3, ms(35))]);
    });
}

#[test]
fn each_client_may_wait_for_a_time_of_its_own() {
    let script = "- all: connect\n- together:\n    - some: [ { wait: \"${n * 10 + 5}ms\" } ]\n    - more: [ { wait: \"${index * 1000 / 50}ms\" } ]";
    against(ms(10), "{ some: 4, more: 2 }", script, |mut harness| {
        harness.play_out();
        assert_eq!(harness.finished, [(0, ms(0)), (1, ms(35)), (2, ms(100))]);
        assert_eq!(harness.close().counted().counter(Counter::ChecksFailed), 0);
    });
    let script = "- all: connect\n- all: { wait: \"${n}\" }";
    against(ms(10), "{ some: 3 }", script, |mut harness| {
        harness.play_out();
        assert_eq!(harness.finished.last(), Some(&(1, ms(0))), "nobody waits for a time that is none");
        assert_eq!(harness.close().counted().counter(Counter::ChecksFailed), 3);
    });
}

#[test]
fn a_client_whose_connection_ends_holds_nobody_up() {
    let script =
        format!("- all: connect\n- all: {{ repeat: {{ times: 5, every: 100ms, steps: [ {ASK} ] }} }}");
    against(ms(10), "{ crowd: 3 }", &script, |mut harness| {
        harness.network.act(1, ms(150), Event::Failed(io::ErrorKind::ConnectionReset));
        harness.play_out();
        assert_eq!(harness.finished.last(), Some(&(1, ms(410))));
        let tally = harness.close().counted();
        assert_eq!(tally.counter(Counter::Dropped), 1);
        assert_eq!(tally.counter(Counter::AckReceived), 5 + 2 + 5);
    });
}

#[test]
fn a_connection_that_never_came_to_be_is_told_when_the_worker_comes_home() {
    let mut server = Server::new(|_| ms(0));
    let refusing = move |at, number, heard| -> Reaction {
        match heard {
            Heard::Connect if number == 1 => {
                vec![(number, ms(1), Event::Failed(io::ErrorKind::ConnectionRefused))]
            }
            heard => server.react(at, number, heard),
        }
    };
    over_network(&scenario("{ crowd: 3 }", "- all: connect"), refusing, |mut harness| {
        harness.play_out();
        let played = harness.close();
        assert_eq!(played.home.unreached, 1);
        let tally = played.counted();
        assert_eq!((tally.counter(Counter::ConnectOk), tally.counter(Counter::ConnectFailed)), (2, 1));
    });
}

#[test]
fn a_worker_tells_ten_times_a_second_how_many_clients_are_connected() {
    let script = "- all: connect\n- one: disconnect\n- all: { wait: 150ms }";
    against(ms(0), "{ crowd: 3, one: 1 }", script, |mut harness| {
        harness.begin();
        harness.until(ms(300));
        assert_eq!(harness.told, [(ms(100), 3), (ms(200), 3), (ms(300), 3)]);
    });
}

#[test]
fn each_second_is_handed_over_once_and_nothing_is_lost_on_the_way() {
    let script =
        format!("- all: connect\n- all: {{ repeat: {{ times: 25, every: 100ms, steps: [ {ASK} ] }} }}");
    against(ms(1), "{ crowd: 2 }", &script, |mut harness| {
        harness.play_out();
        let of_second: Vec<(Duration, u64)> = harness
            .seconds
            .iter()
            .map(|second| (second.end, second.figures.ever(Counter::AckReceived)))
            .collect();
        // A worker tells of a second at the first tenth of a second after it, with all that it has counted by then.
        assert_eq!(of_second, [(ms(1_000), 20), (ms(2_000), 20)]);
        assert_eq!(harness.close().counted().counter(Counter::AckReceived), 50);
    });
}

#[test]
fn what_is_not_due_in_the_measured_part_is_not_measured() {
    let script =
        format!("- all: connect\n- all: {{ repeat: {{ times: 10, every: 100ms, steps: [ {ASK} ] }} }}");
    against(ms(30), "{ crowd: 1 }", &script, |mut harness| {
        harness.begin();
        harness.until(ms(50));
        // Of the rounds that are due at 0, 100, … 900 ms, those from 300 ms on and before 700 ms.
        let extent = Extent { from: Some(ms(300)), to: Some(ms(700)) };
        harness.order(Order::Measure(extent));
        harness.until(ms(1_000));
        let tally = harness.close().counted();
        assert_eq!(tally.series(Metric::Ack).map(crate::measure::Series::count), Some(4 + 1));
    });
}

#[test]
fn a_worker_waits_for_what_its_clients_have_to_receive() {
    let text = "
name: a message is on its way
contract:
  broadcast: { emit: [say, \"${body}\"], ack: true, arrives_as: said, reaches: others }
clients: { one: 1, crowd: 2 }
script:
  - all: connect
  - all: { wait: 20ms }
  - one: { broadcast: { event: said, bytes: 64 } }
";
    let mut server = Server::new(|_| ms(0)).passing_on_after(ms(70));
    over_network(
        text,
        move |at, number, heard| server.react(at, number, heard),
        |mut harness| {
            harness.play_out();
            assert_eq!(harness.now(), ms(20), "the server has acknowledged it");
            harness.order(Order::Drain);
            harness.until(ms(200));
            assert_eq!(harness.drained, Some(ms(90)));
            assert_eq!(harness.close().counted().counter(Counter::DeliveryReceived), 2);
        },
    );
}

#[test]
fn clients_that_are_to_leave_say_goodbye_whatever_they_are_at() {
    let (sender, ends) = std::sync::mpsc::channel();
    let mut server = Server::new(|_| ms(0));
    let noting = move |at, number, heard: Heard| {
        if let Heard::Bytes(bytes) = &heard
            && says_close(bytes)
        {
            sender.send(number).expect("the test listens");
        }
        server.react(at, number, heard)
    };
    over_network(&scenario("{ crowd: 3 }", "- all: connect\n- all: { wait: 1h }"), noting, |mut harness| {
        harness.begin();
        harness.until(ms(200));
        let told = harness.told.clone();
        let tally = harness.close().counted();
        assert_eq!(told.last(), Some(&(ms(200), 3)));
        assert_eq!(tally.counter(Counter::Dropped), 0, "nobody was dropped");
        let mut said: Vec<usize> = ends.try_iter().collect();
        said.sort_unstable();
        assert_eq!(said, [0, 1, 2]);
    });
}

/// Whether there is a close frame among these.
fn says_close(mut frames: &[u8]) -> bool {
    while let Ok(Some((frame, taken))) = parse(frames, 1 << 20) {
        if frame.opcode == Opcode::Close {
            return true;
        }
        frames = &frames[taken..];
    }
    false
}

#[test]
fn what_a_server_says_unasked_is_heard_by_whom_it_was_said_to() {
    let script = "- all: connect\n- bob: { expect: { event: news, within: 1s } }";
    against(ms(0), "{ alice: 1, bob: 1 }", script, |mut harness| {
        harness.network.act(0, ms(20), tell(r#"42["news"]"#));
        harness.network.act(1, ms(40), tell(r#"42["news"]"#));
        harness.play_out();
        assert_eq!(harness.finished.last(), Some(&(1, ms(40))));
        assert_eq!(harness.close().counted().passed_checks(), 2 + 1);
    });
}
