use super::*;
use crate::audit::{Fault, Undecided};
use crate::measure::Series;
use crate::report::block::Tone;
use crate::report::course::{CauseCourse, Course, DoubtResult, PhaseResult, Quantiles};
use crate::report::example::{flawless, troubled, unjudged};
use crate::report::html;
use crate::report::result::{
    DeliveriesResult, DisturbedResult, FailureResult, MetricResult, OperationResult, ServerEnd, SpanResult,
    UndecidedResult, WireResult,
};
use crate::verdict::DoubtKind;
use std::time::Duration;

/// The page about these runs.
fn to_html(runs: &[RunResult]) -> String {
    html(&of_runs(runs))
}

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

#[test]
fn the_last_lines_of_a_server_that_died_stand_behind_the_verdict_in_every_form() {
    let mut run = flawless();
    let output = vec!["TypeError: x is undefined".to_owned(), "    at server.js:12".to_owned()];
    run.server_end = Some(ServerEnd {
        node: None,
        service: None,
        how: "exit code 1".into(),
        is_success: false,
        after_us: 1,
        output,
    });
    let text = text_of_run(&run, Look { width: 100, colour: false }, Detail::Usual);
    for form in [text, to_html(&[run.clone()]), crate::report::markdown(&of_run(&run))] {
        let place = |words: &str| form.find(words).unwrap_or_else(|| panic!("no {words} in {form}"));
        assert!(place("The last lines that the server printed") < place("x is undefined"));
        assert!(place("x is undefined") < place("server.js:12"));
    }
}

#[test]
fn deliveries_of_which_little_could_be_decided_are_not_shown_as_good_in_any_form() {
    let mut run = unjudged();
    let text = text_of_run(&run, Look { width: 300, colour: false }, Detail::Usual);
    let shares = "or may have had to: judged 2.5 %, not judged: 39.";
    assert!(text.contains(shares) && to_html(&[run.clone()]).contains(shares), "{text}");
    for form in [text, to_html(&[run.clone()]), crate::report::markdown(&of_run(&run))] {
        assert!(form.contains("Not judged: 2.5 % of 40 pairs decided."), "{form}");
        let why = "39 pairs, such as eve and message 3 of bob to lobby: the sender was not certainly a member of the \
                   room; say";
        assert!(form.contains(why), "{form}");
        assert!(!form.contains("Every client received"), "{form}");
    }
    let found = run.deliveries.as_mut().unwrap();
    assert_eq!(found.tone(Fault::Leaked), Tone::Doubtful);
    found.leaked = 1;
    assert_eq!(found.tone(Fault::Leaked), Tone::Bad);
    found.leaked = 0;
    (found.expected, found.undecided) = (20, 20);
    assert_eq!(found.tone(Fault::Leaked), Tone::Good);
    (found.expected, found.undecided) = (0, 0);
    assert_eq!(found.tone(Fault::Leaked), Tone::Doubtful, "no message was for anybody");
    found.refused = found.messages;
    assert_eq!(found.tone(Fault::Leaked), Tone::Good, "that none was for anybody is certain");
    let text = text_of_run(&run, Look { width: 300, colour: false }, Detail::Usual);
    assert!(text.contains("✓ Nobody received what the server refused. Judged: 40 messages"), "{text}");
    assert!(text.contains("The server refused 40 of the messages."), "{text}");
    let found = run.deliveries.as_mut().unwrap();
    (found.messages, found.refused) = (0, 0);
    assert_eq!(found.tone(Fault::Leaked), Tone::Doubtful, "there was no message");
}

#[test]
fn what_nobody_received_of_an_application_that_may_refuse_is_not_shown_as_received() {
    let mut run = unjudged();
    let found = run.deliveries.as_mut().unwrap();
    (found.expected, found.undecided) = (36, 4);
    let refused = Undecided::MayBeRefused;
    found.undecided_causes = vec![UndecidedResult {
        cause: refused.words().to_owned(),
        count: 4,
        advice: refused.advice().map(str::to_owned),
        example: None,
    }];
    assert_eq!((found.tone(Fault::Missing), found.tone(Fault::Leaked)), (Tone::Doubtful, Tone::Good));
    let text = text_of_run(&run, Look { width: 300, colour: false }, Detail::Usual);
    assert!(text.contains("? missing") && text.contains("✓ leaked"), "{text}");
    for form in [text, to_html(&[run.clone()]), crate::report::markdown(&of_run(&run))] {
        assert!(form.contains("Of what nobody received, it is not judged"), "{form}");
        assert!(form.contains("say what an acceptance looks like"), "{form}");
        assert!(!form.contains("Every client received what was for it"), "{form}");
    }
}

#[test]
fn a_run_that_passed_without_a_judgement_on_its_deliveries_has_a_doubtful_headline_everywhere() {
    let (run, look) = (unjudged(), Look { width: 300, colour: false });
    assert_eq!(of_run(&run).tone, Tone::Doubtful);
    let text = text_of_run(&run, look, Detail::Usual);
    assert!(text.starts_with("? passed: both checks held, but deliveries were not judged"), "{text}");
    let line = text_of_run(&run, look, Detail::Little);
    assert!(line.starts_with("? The server says hello: both checks held, but deliveries were"), "{line}");
    assert_eq!(text_of_run(&flawless(), look, Detail::Little).trim(), "✓ The server says hello");

    let several = of_runs(&[flawless(), run.clone(), flawless(), flawless()]);
    assert_eq!(several.tone, Tone::Doubtful);
    assert_eq!(several.title, "4 of 4 scenarios passed, and of 1 the deliveries were not judged");
    let overview = terminal(&several, look, Detail::Usual);
    assert!(overview.contains("? passed"), "{overview}");
    let folds = several.blocks.iter().filter_map(|block| match block {
        Block::Fold(fold) => Some(fold.is_open),
        _ => None,
    });
    assert_eq!(folds.collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!(of_runs(&[flawless(), flawless()]).tone, Tone::Good);

    let mut failed = run;
    failed.verdict.status = Status::Failed;
    assert_eq!(of_run(&failed).tone, Tone::Bad);
}

#[test]
fn what_was_done_to_the_server_stands_in_each_chart_over_time_and_in_every_form() {
    let mut run = troubled();
    let done = |what: &str, from_us, disturbs, is_under_way| OperationResult {
        what: what.to_owned(),
        from_us,
        to_us: from_us + 500_000,
        disturbs,
        is_under_way,
        needless: None,
        failure: None,
    };
    run.operations = vec![
        done("kill node b", 1_000_000, true, false),
        done("await that node b answers within 9s", 1_100_000, false, false),
        done("run `</svg><script>`", 1_200_000, true, true),
    ];
    run.disturbed = vec![SpanResult { from_us: 1_000_000, to_us: 1_700_000 }];
    let page = to_html(&[run.clone()]);
    let charts = page.matches("<figure class=\"chart\"").count();
    let timed = page.matches("data-x=\"s\"").count();
    assert!(timed > 2 && charts > timed, "{timed} of {charts}");
    assert_eq!(page.matches("<rect class=\"span\" x=").count(), timed);
    assert_eq!(page.matches("<text x=\"3\" y=\"11\">kill node b</text>").count(), timed);
    assert_eq!(page.matches("Meanwhile: kill node b from 1 s to 1.5 s; run ").count(), timed);
    assert!(!page.contains("</svg><script>`"), "nothing of it is markup");
    let text = text_of_run(&run, Look { width: 100, colour: false }, Detail::Usual);
    for form in [text, page, crate::report::markdown(&of_run(&run))] {
        assert!(
            form.contains("not over at the end of the run") && form.contains("await that node"),
            "{form}"
        );
    }
}

#[test]
fn what_went_wrong_only_while_the_server_was_disturbed_is_no_rule_of_the_application() {
    let mut run = troubled();
    let text = |run: &RunResult| text_of_run(run, Look { width: 100, colour: false }, Detail::Usual);
    let inside = |found: &DeliveriesResult, missing| DisturbedResult {
        expected: found.expected,
        missing,
        duplicate: found.duplicate,
        disordered: found.disordered,
        leaked: found.leaked,
    };
    let found = run.deliveries.as_mut().expect("it was audited");
    found.missing = 3;
    found.disturbed = Some(inside(found, 2));
    assert!(text(&run).contains("may_refuse: true"));
    let found = run.deliveries.as_mut().expect("it was audited");
    found.disturbed = Some(inside(found, 3));
    assert!(!text(&run).contains("may_refuse: true"));
}

/// A run whose every text is hostile.
fn hostile() -> RunResult {
    let text = || HOSTILE.to_owned();
    let mut run = troubled();
    run.scenario.name = text();
    run.scenario.about = Some(text());
    run.scenario.spec = Some(text());
    run.scenario.file = text();
    run.scenario.hash = text();
    run.scenario.overrides = vec![text()];
    run.target.url = text();
    run.target.command = Some(text());
    run.target.software = Some(text());
    run.started = text();
    run.tool_version = text();
    run.environment.os = text();
    run.environment.processor = Some(text());
    run.verdict.reason = text();
    run.phases.iter_mut().for_each(|phase| phase.name = text());
    run.clients.iter_mut().for_each(|entry| entry.group = text());
    run.counters.iter_mut().for_each(|counter| counter.name = text());
    for threshold in &mut run.thresholds {
        threshold.text = format!("delivery {HOSTILE}");
        (threshold.value_text, threshold.limit_text) = (text(), text());
    }
    for check in &mut run.checks {
        (check.step, check.file, check.source, check.groups) = (text(), text(), text(), vec![text()]);
        let wire = vec![WireResult { at_us: 1, sent: true, text: text() }];
        check.failures = vec![FailureResult {
            client: text(),
            expected: text(),
            actual: text(),
            wire,
            after: None,
            grounds: Default::default(),
        }];
    }
    for error in &mut run.errors {
        error.cause = text();
        error.examples.iter_mut().for_each(|example| (example.client, example.detail) = (text(), text()));
    }
    run.server_end = Some(ServerEnd {
        node: None,
        service: None,
        how: text(),
        is_success: false,
        after_us: 1,
        output: vec![text()],
    });
    run.causes.iter_mut().for_each(|cause| (cause.counter, cause.cause) = (text(), text()));
    for cause in run.course.iter_mut().flat_map(|course| &mut course.causes) {
        (cause.counter, cause.cause) = (text(), text());
    }
    if let Some(found) = &mut run.deliveries {
        found.offenders = vec![text()];
        found.leaks.iter_mut().for_each(|leak| leak.kind = text());
    }
    if let Some(generator) = &mut run.generator {
        generator.doubts = vec![DoubtResult { kind: DoubtKind::OwnLag, sentence: text() }];
    }
    run
}

/// Twenty minutes of fifteen thousand clients, a row for each second, every series full.
fn large() -> RunResult {
    let rows = 0..1200_u64;
    // A walk that looks like noise and is the same in every run.
    let noise = |row: u64, salt: u64| ((row * 2_654_435_761 + salt * 40_503) >> 7) % 1000;
    let column = |base: u64, swing: u64, salt: u64| -> Vec<u64> {
        rows.clone().map(|row| base + swing * noise(row, salt) / 1000).collect()
    };
    let quantiles = |base: u64, salt: u64| {
        let slow = |row: u64| if row % 300 > 288 { 12 } else { 1 };
        let of = |factor: u64| -> Vec<Option<u64>> {
            rows.clone().map(|row| Some(base * factor * slow(row) + base * noise(row, salt) / 700)).collect()
        };
        Quantiles {
            p50_us: of(1),
            p90_us: of(2),
            p99_us: of(6),
            max_us: of(22),
            histograms: vec![None; 1200],
        }
    };
    let ramp = |row: u64| (row * 250).min(15_000);
    let course = Course {
        interval_us: 1_000_000,
        at_us: rows.clone().map(|row| (row + 1) * 1_000_000).collect(),
        connected: rows.clone().map(|row| ramp(row) - ramp(row).min(noise(row, 9) / 90)).collect(),
        connects_asked: rows.clone().map(|row| if row < 60 { 250 } else { 0 }).collect(),
        connects_ok: rows.clone().map(|row| if row < 60 { 249 } else { 0 }).collect(),
        connects_failed: rows.clone().map(|row| u64::from(row < 60)).collect(),
        dropped: rows.clone().map(|row| u64::from(row % 211 == 0)).collect(),
        causes: vec![CauseCourse {
            counter: "connect failed".into(),
            cause: "no answer to CONNECT in time".into(),
            counts: rows.clone().map(|row| u64::from(row < 60)).collect(),
        }],
        sent: column(1_480, 40, 1),
        received: column(29_300, 900, 2),
        acks: column(1_470, 50, 3),
        acks_missed: rows.clone().map(|row| u64::from(row % 401 == 7)).collect(),
        responses: column(1_470, 50, 9),
        responses_missed: rows.clone().map(|_| 0).collect(),
        deliveries: column(29_000, 900, 2),
        bytes_in: column(7_900_000, 300_000, 4),
        bytes_out: column(400_000, 20_000, 5),
        due: rows.clone().map(|row| if row < 60 { 0 } else { 1_500 }).collect(),
        begun: rows.clone().map(|row| if row < 60 { 0 } else { 1_480 + noise(row, 6) / 50 }).collect(),
        failed: rows.clone().map(|row| u64::from(row % 300 == 290) * 3).collect(),
        ack: quantiles(2_100, 1),
        response: quantiles(2_500, 4),
        delivery: quantiles(1_700, 2),
        lag: quantiles(90, 3),
        generator_cpu: column(800, 200, 7).into_iter().map(|value| Some(value as f64 / 1000.0)).collect(),
        server_cpu: column(900, 90, 8).into_iter().map(|value| Some(value as f64 / 1000.0)).collect(),
        server_memory: rows.clone().map(|row| Some(60_000_000 + ramp(row) * 19_000 + row * 20_000)).collect(),
    };
    let series = |name: &str, base: u64| {
        let mut series = Series::new();
        for value in 0..200_000_u64 {
            let tail = if value % 997 == 0 { 40 } else { 1 };
            series.record(Duration::from_micros(base * tail + (value * value) % (base * 3)));
        }
        MetricResult::of(name, &series).expect("it has values")
    };
    let names = [
        ("connect", 5_000),
        ("connect.tcp", 90),
        ("connect.handshake", 1_200),
        ("connect.open", 60),
        ("connect.namespace", 900),
        ("ack", 2_100),
        ("ack.service", 1_900),
        ("delivery", 1_700),
        ("fanout.first", 900),
        ("fanout.last", 4_000),
        ("lag", 90),
    ];
    let mut run = troubled();
    run.scenario.name = "Rooms of a thousand, for twenty minutes".to_owned();
    run.duration_us = 1_200_000_000;
    run.measured_us = 1_110_000_000;
    run.clients[0].count = 3_000;
    run.clients[1].count = 12_000;
    let phase = |name: &str, from: u64, to: u64| PhaseResult {
        name: name.into(),
        from_us: from * 1_000_000,
        to_us: to * 1_000_000,
    };
    run.phases = vec![
        phase("ramp", 0, 60),
        phase("settle", 60, 80),
        phase("measure", 80, 1190),
        phase("rest", 1190, 1200),
    ];
    run.metrics = names.map(|(name, base)| series(name, base)).to_vec();
    run.course = Some(course);
    run
}

/// The same scenario against another server.
fn other() -> RunResult {
    let mut run = troubled();
    run.target.software = Some("socketioxide 0.18".to_owned());
    run.metrics.retain(|metric| metric.name != "lag");
    if let Some(course) = &mut run.course {
        for value in course.delivery.p99_us.iter_mut().chain(&mut course.ack.p99_us).flatten() {
            *value /= 3;
        }
    }
    run
}

#[test]
fn why_connects_failed_is_shown_over_time_and_also_where_there_was_no_time() {
    let run = troubled();
    let row =
        "<th scope=\"row\">closed with a close frame</th><td>connect failed</td><td class=\"figure\">9</td>";
    let page = to_html(std::slice::from_ref(&run));
    assert!(page.contains(row) && page.contains("Failed and ended, by cause"), "{page}");
    let page = to_html(&[RunResult { course: None, ..run }]);
    assert!(page.contains(row) && !page.contains("Failed and ended, by cause"));
    assert!(!to_html(&[flawless()]).contains("Over time"), "there is nothing to show");
}

#[test]
fn a_hostile_name_stays_text_everywhere() {
    let runs = [hostile(), hostile()];
    for page in [to_html(&runs[..1]), to_html(&runs)] {
        assert!(!page.contains("<img"), "an element was made of a text");
        assert_eq!(page.matches("</script>").count(), 2, "the two of the page itself");
        assert!(page.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"), "and it is shown");
    }
}

#[test]
fn what_a_reader_could_not_see_is_shown_as_an_escape() {
    let mut run = flawless();
    run.scenario.name = "a\u{202e}b\u{0}\u{7}c".to_owned();
    let page = to_html(&[run]);
    assert!(page.contains("a\\u{202e}b\\u{0}\\u{7}c"));
    assert!(!page.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'));
}

#[test]
fn a_page_names_nothing_that_would_have_to_be_fetched() {
    for run in [troubled(), flawless()] {
        let page = to_html(&[run]);
        assert!(page.contains("default-src 'none'"), "the policy forbids it");
        for (at, _) in page.match_indices("=\"http") {
            let before = &page[..at];
            assert!(
                before.ends_with("xmlns") || before.ends_with("content"),
                "{}",
                &page[at.saturating_sub(40)..at + 40]
            );
        }
        for word in [
            " src=",
            "<link rel=\"stylesheet",
            "<iframe",
            "<object",
            "<embed",
            "style=\"",
            " onclick",
            "javascript:",
        ] {
            let found =
                page.match_indices(word).find(|(at, _)| page[..*at].rfind('<') > page[..*at].rfind('>'));
            assert_eq!(found, None, "an element with {word}");
        }
    }
}

#[test]
fn a_long_run_of_many_clients_makes_a_small_page() {
    let page = to_html(&[large()]);
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    let overlaid = to_html(&[large(), large()]);
    assert!(overlaid.len() < 2_000_000, "{} bytes", overlaid.len());
}

#[test]
fn each_kind_of_result_has_its_sections() {
    let ids = |page: &str| -> Vec<String> {
        let found = page.split("<section id=\"").skip(1);
        found.filter_map(|rest| rest.split_once('"').map(|(id, _)| id.to_owned())).collect()
    };
    assert_eq!(ids(&to_html(&[flawless()])), ["run-checks", "run-latency", "run-counts", "run-setup"]);
    assert_eq!(
        ids(&to_html(&[troubled()])),
        [
            "run-thresholds",
            "run-checks",
            "run-deliveries",
            "run-course",
            "run-ended",
            "run-latency",
            "run-errors",
            "run-counts",
            "run-load",
            "run-setup"
        ]
    );
    let compared = ids(&to_html(&[troubled(), other()]));
    assert_eq!(compared[..2], ["overview", "compared1"]);
    assert_eq!(ids(&to_html(&[])), ["overview"]);
}

#[test]
fn runs_are_called_by_what_tells_them_apart() {
    assert_eq!(compare::names(&[troubled(), flawless()]), ["Fifty busy chat rooms", "The server says hello"]);
    assert_eq!(
        compare::names(&[troubled(), other(), other()]),
        [
            "Fifty busy chat rooms · socket.io 4.8.1",
            "Fifty busy chat rooms · socketioxide 0.18 · 1",
            "Fifty busy chat rooms · socketioxide 0.18 · 2"
        ]
    );
}

#[test]
fn a_damaged_course_is_drawn_as_far_as_it_goes() {
    let mut run = troubled();
    if let Some(course) = &mut run.course {
        course.connected.truncate(3);
        course.ack.p99_us.clear();
        course.at_us[5] = 0;
    }
    assert!(to_html(&[run]).contains("id=\"run-connections\""));
}

#[test]
fn every_name_in_a_page_is_there_once() {
    let page = to_html(&[troubled(), other(), large()]);
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "a name stands twice");
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.contains(&target), "nothing is called {target}");
    }
}

/// The pages that `tests/peers/node/report.test.js` opens in a browser.
#[test]
fn pages_for_the_browser_are_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report-pages");
    std::fs::create_dir_all(&folder).expect("the folder of what is built can be written");
    let pages = [
        ("troubled", to_html(&[troubled()])),
        ("flawless", to_html(&[flawless()])),
        ("hostile", to_html(&[hostile()])),
        ("large", to_html(&[large()])),
        ("compared", to_html(&[troubled(), other(), flawless()])),
    ];
    for (name, page) in pages {
        std::fs::write(folder.join(format!("{name}.html")), page).expect("a page can be written");
    }
}

#[test]
fn lines_of_what_a_scenario_is_about_are_lines() {
    let mut run = flawless();
    run.scenario.about = Some("first <b>\nsecond\u{7}\n".to_owned());
    let page = to_html(std::slice::from_ref(&run));
    assert!(page.contains("<p class=\"about\">first &lt;b&gt;<br>second\\u{7}</p>"), "{page}");
    let text = text_of_run(&run, Look { width: 80, colour: false }, Detail::Everything);
    assert!(text.contains("\n  first <b>\n  second\\u{7}\n"), "{text}");
}
