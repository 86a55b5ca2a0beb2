//! `--live`: the report as a page that grows while something runs.

use std::path::Path;
use std::thread;

use crate::metrics::{SCENARIO, get};
use crate::support::{Folder, Program, Reference, sockrates};

/// So long that the page grows while a run goes on.
const ASKS: &str = "- all: connect\n- crowd: { repeat: { for: 2s, every: 50ms, steps: [ { emit: { event: message-with-ack, args: [1], ack: true } } ] } }\n- all: disconnect";

#[test]
fn the_page_with_the_button_is_for_this_machine_unless_that_is_asked_for() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let file = folder.file("counted.yaml", SCENARIO);
    let refused =
        sockrates(["run", "--url", &reference.url(), "--live", "0.0.0.0:0"]).args([&file]).run().code(2);
    assert!(refused.stderr.contains("add --live-public"), "{}", refused.stderr);
}

#[test]
fn the_page_that_grows_ends_as_the_report_that_is_stored() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let file = folder.file("counted.yaml", SCENARIO);
    let page = folder.path("page.html");
    let run =
        sockrates(["run", "--live", "127.0.0.1:0", "--url", &reference.url(), "--html"]).args([&page, &file]);
    let mut started = run.start();
    let address = started.told("watch it at http://");
    let (host, path) = address.split_once('/').expect("it has a path");
    assert!(get(host, &format!("/{path}")).contains("EventSource"), "{address}");
    let events = get(host, &format!("/{path}events"));
    let report = get(host, &format!("/{path}report"));
    started.wait().code(0);
    let told: Vec<&str> = events.split("\n\n").filter_map(|event| event.strip_prefix("event: ")).collect();
    let (last, before) = told.split_last().expect("there is a report");
    assert!(last.starts_with("over\ndata: "), "{last}");
    assert!(!before.is_empty() && before.iter().all(|event| event.starts_with("report\n")), "{before:?}");
    let stored = std::fs::read_to_string(&page).expect("it was written");
    assert_eq!(report, stored);
}

/// The page while a search or a comparison goes on has what was found so far, in this section, and the run that is played. At
/// its end it is the report that is stored.
fn grows_into_the_stored_report(program: Program, section: &str, page: &Path) {
    let mut started = program.start();
    let address = started.told("watch it at http://");
    let (host, path) = address.split_once('/').expect("it has a path");
    let of = |what: &str| get(host, &format!("/{path}{what}"));
    thread::scope(|scope| {
        let events = scope.spawn(|| of("events"));
        let is_both = |report: &str| report.contains(section) && report.contains("Played now");
        while !is_both(&of("report")) {
            assert!(!events.is_finished(), "it is over, and was never both");
        }
        let events = events.join().expect("it ends");
        assert!(events.contains("event: report\n") && events.contains("event: over\n"), "{events}");
    });
    let last = of("report");
    started.wait().code(0);
    assert_eq!(last, std::fs::read_to_string(page).expect("it was written"));
    assert!(!last.contains("Played now"));
}

#[test]
fn a_comparison_grows_block_by_block() {
    let folder = Folder::new();
    let (scenario, page) = (folder.scenario("{ crowd: 4 }", ASKS), folder.path("page.html"));
    let server = format!("a={} serve -q --port $PORT", env!("CARGO_BIN_EXE_sockrates"));
    let program = sockrates(["compare", "--live", "127.0.0.1:0", "--blocks", "2", "--server", &server]);
    grows_into_the_stored_report(program.args(["--html"]).args([&page, &scenario]), "id=\"blocks\"", &page);
}

#[test]
fn a_search_grows_step_by_step() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let scenario = folder.scenario_with("{ crowd: 4 }", ASKS, "thresholds: [ack p50 < 60 s]");
    let page = folder.path("page.html");
    let range = ["--from", "4", "--to", "8", "--settle", "0ms", "--min-samples", "1", "--repeats", "1"];
    let program = sockrates(["capacity", "--live", "127.0.0.1:0", "--url", &reference.url()]).args(range);
    grows_into_the_stored_report(program.args(["--html"]).args([&page, &scenario]), "id=\"steps\"", &page);
}

#[test]
fn a_growth_over_nodes_grows_search_by_search() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ crowd: 4 }", ASKS, "thresholds: [ack p50 < 60 s]");
    let page = folder.path("page.html");
    let range = ["--from", "4", "--to", "4", "--settle", "0ms", "--min-samples", "1", "--repeats", "1"];
    let program = sockrates(["capacity", "--live", "127.0.0.1:0", "--nodes", "1..2"]).args(range);
    grows_into_the_stored_report(program.args(["--html"]).args([&page, &scenario]), "id=\"searches\"", &page);
}
