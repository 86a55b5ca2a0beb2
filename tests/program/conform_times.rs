//! `sockrates conform` where the times that it was told are not those of the server: nothing passes for the wrong reason.

use std::time::Duration;

use reference_server::{Config, Fault, Faults};
use sockrates::conformance::json::from_json;
use sockrates::conformance::{CaseResult, Verdict};

use crate::support::{Folder, Reference, sockrates};

/// The verdicts of these cases, told that an upgrade and a CONNECT may take a second, and what they lack.
fn played(config: Config, only: &str) -> Vec<(Verdict, Vec<String>)> {
    results(Reference::with(config), only).into_iter().map(|case| (case.verdict, case.lacks)).collect()
}

/// What these cases found, told the same.
fn results(reference: Reference, only: &str) -> Vec<CaseResult> {
    let folder = Folder::new();
    let file = folder.path("suite.json");
    let told = ["--upgrade-timeout", "1s", "--connect-timeout", "1s", "--only", only, "--json"];
    sockrates(["conform", "--url", &reference.url()]).args(told).args([&file]).run();
    let text = std::fs::read_to_string(&file).expect("it is written");
    from_json(&text).expect("it can be read").swap_remove(0).cases
}

fn with_times(upgrade: u64, connect: u64) -> Config {
    Config {
        upgrade_timeout: Duration::from_millis(upgrade),
        connect_timeout: Duration::from_millis(connect),
        ..Config::default()
    }
}

#[test]
fn who_is_put_out_by_a_shorter_upgrade_timeout_was_not_refused() {
    let only = "websocket/second-websocket,upgrade/second-websocket-*,upgrade/wrong-first-packet,upgrade/end-while-upgrading,\
                upgrade/every-poll-is-released";
    let skipped = (Verdict::Skip, vec!["upgrade_time".to_owned()]);
    assert_eq!(played(with_times(200, 1000), only), vec![skipped; 6]);
    assert_eq!(played(with_times(1000, 1000), only), vec![(Verdict::Pass, Vec::new()); 6]);
}

#[test]
fn who_is_spared_by_a_longer_connect_timeout_was_not_spared_for_joining() {
    let only = "connection/connect-timeout-spares-who-joined@websocket";
    assert_eq!(played(with_times(1000, 20_000), only), [(Verdict::Skip, vec!["connect_time".to_owned()])]);
    assert_eq!(played(with_times(1000, 1000), only), [(Verdict::Pass, Vec::new())]);
}

#[test]
fn a_time_that_was_told_wrongly_is_named_as_what_may_be_the_reason() {
    let cases = "upgrade/upgrade-timeout,connection/connect-timeout,connection/connect-timeout-counts-refusals-for-nothing";
    let found = results(Reference::with(with_times(20_000, 20_000)), cases);
    assert!(found.len() >= 3, "{found:#?}");
    for case in found {
        let flag = if case.id.starts_with("upgrade") { "--upgrade-timeout" } else { "--connect-timeout" };
        let wanted = format!("; or the server's time is not the one that `{flag}` says");
        assert!(case.verdict.is_deviation() && case.reason.contains(&wanted), "{case:#?}");
    }
}

#[test]
fn sessions_that_a_short_connect_timeout_would_end_are_not_taken_for_forgotten_by_their_heartbeat() {
    let config = || Config {
        ping_interval: Duration::from_millis(600),
        ping_timeout: Duration::from_millis(400),
        ..with_times(1000, 500)
    };
    let kept = Reference::broken(config(), Faults::from_iter([Fault::PingTimeoutIgnored]));
    let verdicts = [kept, Reference::with(config())]
        .map(|server| results(server, "robustness/abandoned-sessions")[0].verdict);
    assert_eq!(verdicts, [Verdict::Warn, Verdict::Pass]);
}
