//! `sockrates conform` where the times that it was told are not those of the server: nothing passes for the wrong reason.

use std::time::Duration;

use reference_server::Config;
use sockrates::conformance::Verdict;
use sockrates::conformance::json::from_json;

use crate::support::{Folder, Reference, sockrates};

/// The verdicts of these cases, told that an upgrade and a CONNECT may take a second, and what they lack.
fn played(config: Config, only: &str) -> Vec<(Verdict, Vec<String>)> {
    let (folder, reference) = (Folder::new(), Reference::with(config));
    let file = folder.path("suite.json");
    let told = ["--upgrade-timeout", "1s", "--connect-timeout", "1s", "--only", only, "--json"];
    sockrates(["conform", "--url", &reference.url()]).args(told).args([&file]).run();
    let text = std::fs::read_to_string(&file).expect("it is written");
    let result = from_json(&text).expect("it can be read");
    result[0].cases.iter().map(|case| (case.verdict, case.lacks.clone())).collect()
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
