use super::*;
use crate::conformance::example::{result, suite};
use crate::conformance::result::{BaselineResult, CaseResult, FeatureResult};
use crate::report::{Look, html, markdown, terminal};
use crate::session::Transport;

const LOOK: Look = Look { width: 100, colour: false };

/// The page about these servers.
fn to_html(suites: &[SuiteResult]) -> String {
    html(&report(suites, false))
}

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

fn some() -> Vec<CaseResult> {
    vec![
        result("rooms/first", None, Verdict::Pass),
        result("rooms/second", Some(Transport::Polling), Verdict::Fail),
        result("rooms/third", None, Verdict::Skip),
        result("upgrade/fourth", None, Verdict::Blocked),
        result("upgrade/fifth", None, Verdict::Warn),
    ]
}

/// The verdicts of each row of the table of all cases.
fn rows(page: &str) -> Vec<&str> {
    let classes = page.split("<tr class=\"row ").skip(1);
    classes.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_case_is_in_the_table_and_what_deviates_is_told_in_full() {
    let page = to_html(&[suite("x", some())]);
    assert_eq!(rows(&page).len(), 5);
    for (index, is_told) in [(0, false), (1, true), (2, false), (3, true), (4, true)] {
        assert_eq!(page.contains(&format!("id=\"case-0-{index}\"")), is_told, "case {index}");
    }
    for words in
        ["SEM-BC-04", "Socket.IO documentation, Rooms", "42[&quot;news&quot;]", "--only rooms/second"]
    {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_row_is_shown_for_the_verdict_of_any_server() {
    let one = suite("one", vec![result("a/x", None, Verdict::Pass)]);
    let other = suite("other", vec![result("a/x", None, Verdict::Fail), result("a/y", None, Verdict::Warn)]);
    let page = to_html(&[one, other]);
    assert_eq!(rows(&page), ["at-must is-pass is-fail", "at-should is-warn"]);
    assert!(page.contains("not chosen"), "the first server knows nothing of a/y");
}

#[test]
fn a_hostile_text_stays_text() {
    let text = || HOSTILE.to_owned();
    let mut case = result("a/x", None, Verdict::Fail);
    (case.id, case.name, case.reason, case.command) = (text(), text(), text(), text());
    (case.clause, case.spec, case.area) = (vec![text()], vec![text()], text());
    let mut suite =
        suite(HOSTILE, vec![case, CaseResult { reason: text(), ..result("b/y", None, Verdict::Skip) }]);
    suite.findings = vec![FindingResult::death(text(), None, vec![text()])];
    suite.features = vec![FeatureResult { name: text(), there: false, seen: text() }];
    let row = BaselineRow { case: text(), listed: None, now: Verdict::Fail, known_for: None };
    suite.baseline = Some(BaselineResult {
        file: text(),
        known: 0,
        new: vec![row.clone()],
        gone: vec![row],
        other_versions: Vec::new(),
    });
    let page = to_html(&[suite.clone(), suite]);
    assert!(!page.contains("<img"));
    assert_eq!(page.matches("</script>").count(), 2, "the two of the page itself");
}

#[test]
fn nothing_at_all_is_a_page_too() {
    assert!(to_html(&[]).contains("<main"));
}

/// The pages that `tests/peers/node/report.test.js` opens in a browser.
#[test]
fn pages_for_the_browser_are_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report-pages");
    std::fs::create_dir_all(&folder).expect("the folder of what is built can be written");
    let servers = vec![suite("one", some()), suite("other", some()[..3].to_vec())];
    std::fs::write(folder.join("conformance.html"), to_html(&servers)).expect("a page can be written");
}

fn all_verdicts(strict: bool) -> Report {
    let verdicts = Verdict::ALL.map(|verdict| result(&format!("a/{}", verdict.name()), None, verdict));
    report(&[suite("x|y", verdicts.to_vec())], strict)
}

#[test]
fn a_suite_reads_like_this() {
    let cases = vec![
        result("rooms/first", None, Verdict::Pass),
        result("rooms/second", Some(Transport::Polling), Verdict::Fail),
        result("rooms/third", None, Verdict::Skip),
        result("upgrade/fourth", None, Verdict::Blocked),
    ];
    let text = terminal(&report(&[suite("x", cases)], false), LOOK, Detail::Everything);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "what a server wrote is escaped");
    insta::assert_snapshot!(text);
}

#[test]
fn a_suite_reads_like_this_in_markdown() {
    insta::assert_snapshot!(markdown(&all_verdicts(false)));
}

#[test]
fn strictly_warnings_count_against_a_server() {
    assert!(
        !markdown(&all_verdicts(false)).contains("a/warn")
            && markdown(&all_verdicts(true)).contains("a/warn")
    );
}

#[test]
fn of_a_finding_with_many_cases_a_terminal_counts_them_by_area_and_a_page_names_each() {
    let many: Vec<String> = (0..13).map(|number| format!("acks/number-{number}")).collect();
    let death = |cases: &[String]| {
        let mut suite = suite("x", some());
        suite.findings = vec![FindingResult::death("it ended".to_owned(), None, cases.to_vec())];
        suite
    };
    let read = |suite: &SuiteResult, detail: Detail| {
        terminal(&report(std::slice::from_ref(suite), false), LOOK, detail)
    };
    let suite = death(&[many.as_slice(), &["rooms/one".to_owned()]].concat());
    let usual = read(&suite, Detail::Usual);
    assert!(usual.contains("14 cases: acks 13, rooms 1") && !usual.contains("acks/number-7"), "{usual}");
    assert!(read(&suite, Detail::Everything).contains("acks/number-7"));
    assert!(to_html(&[suite]).contains("acks/number-7"));
    assert!(read(&death(&many[..12]), Detail::Usual).contains("acks/number-7"), "twelve are named");
}

#[test]
fn a_case_that_a_finding_blocks_is_named_there_and_told_in_full_on_request() {
    let read = |suite: &SuiteResult, detail: Detail| {
        terminal(&report(std::slice::from_ref(suite), false), LOOK, detail)
    };
    let mut suite = suite("x", some());
    let in_full = "✗ blocked upgrade/fourth";
    assert!(read(&suite, Detail::Little).contains(in_full), "no finding tells of it");
    let mut finding = FindingResult::death("it ended".to_owned(), None, Vec::new());
    finding.blocked = vec!["upgrade/fourth".to_owned()];
    suite.findings = vec![finding];
    let usual = read(&suite, Detail::Usual);
    assert!(usual.contains("blocks 1 case: upgrade/fourth") && !usual.contains(in_full), "{usual}");
    assert!(read(&suite, Detail::Everything).contains(in_full));
    assert!(to_html(&[suite]).contains("id=\"case-0-3\""));
}

#[test]
fn what_a_baseline_knows_is_not_shown_again() {
    let cases = vec![result("a/old", None, Verdict::Fail), result("a/new", None, Verdict::Warn)];
    let mut suite = suite("x", cases);
    let new = BaselineRow { case: "a/new".to_owned(), listed: None, now: Verdict::Warn, known_for: None };
    suite.baseline = Some(BaselineResult {
        file: "known.yaml".to_owned(),
        known: 1,
        new: vec![new],
        gone: Vec::new(),
        other_versions: Vec::new(),
    });
    let text = terminal(&report(&[suite], false), LOOK, Detail::Usual);
    assert!(!text.contains("a/old") && text.contains("! warn a/new"), "{text}");
    assert!(text.contains("new, and not in known.yaml") && text.contains("1 case does not pass"), "{text}");
}

#[test]
fn the_headline_says_for_want_of_what_cases_were_not_played() {
    let lacking = |id: &str, lacks: &[&str]| CaseResult {
        lacks: lacks.iter().map(ToString::to_string).collect(),
        ..result(id, None, Verdict::Skip)
    };
    let told = |skipped: Vec<CaseResult>| {
        let cases = [vec![result("a/one", None, Verdict::Pass)], skipped].concat();
        let text = terminal(&report(&[suite("x", cases)], false), LOOK, Detail::Usual);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let nodes = || lacking("b/nodes", &["nodes", "t:join"]);
    assert!(told(vec![nodes()]).contains("; 1 was not played for want of several nodes."));
    let text = told(vec![nodes(), lacking("b/fixture", &["t:join"]), lacking("b/other", &["upgrade"])]);
    let expected = "3 were not played (1 of them for want of several nodes, 1 for want of the fixture).";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn what_is_about_several_nodes_differs_from_nothing_where_it_was_not_played() {
    let node = suite("node a", vec![result("a/one", None, Verdict::Pass)]);
    let all = suite("all nodes", vec![result("b/two", None, Verdict::Pass)]);
    let text = terminal(&matrix(&[node, all]), LOOK, Detail::Usual);
    assert!(text.contains("2 cases that pass wherever they are played"), "{text}");
    assert!(!text.contains("a/one"), "{text}");
}

#[test]
fn of_several_servers_what_differs_comes_first_and_what_passes_everywhere_is_counted() {
    let of = |name: &str, second: Verdict| {
        let cases = vec![
            result("a/one", None, Verdict::Pass),
            result("b/two", None, second),
            result("a/three", None, Verdict::Warn),
            result("c/four", None, Verdict::Pass),
        ];
        suite(name, cases)
    };
    let suites = [of("node", Verdict::Pass), of("a server with a long name of its own", Verdict::Fail)];
    insta::assert_snapshot!(terminal(&matrix(&suites), LOOK, Detail::Usual));
    assert!(terminal(&matrix(&suites), LOOK, Detail::Everything).contains("c/four"));
}
