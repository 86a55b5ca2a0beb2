use super::*;
use crate::conformance::example::{case, result};
use crate::document::render;
use Verdict::{Fail, Note, Pass, Skip, Warn};

fn cases() -> Vec<Case> {
    vec![case("a/one", ""), case("a/two", "transports: [polling, upgrade]"), case("b/three", "")]
}

fn read(rows: &str) -> Result<Baseline, String> {
    let rows = match rows.strip_prefix("[]") {
        Some(rest) => format!(" []{rest}"),
        None => format!("\n{rows}"),
    };
    let source = Source { name: "known.yaml".into(), text: format!("server: x\ncases:{rows}") };
    Baseline::read(&source, &cases()).map_err(|mistake| render(&mistake, &source))
}

fn good(rows: &str) -> Baseline {
    read(rows).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn names(rows: &[BaselineRow]) -> Vec<(&str, Verdict)> {
    rows.iter().map(|row| (row.case.as_str(), row.now)).collect()
}

const POLLING: Option<Transport> = Some(Transport::Polling);
const UPGRADE: Option<Transport> = Some(Transport::Upgrade);

#[test]
fn what_is_listed_is_known_and_everything_else_is_new() {
    let baseline = good(
        "- { case: a/one, verdict: fail, because: seen }\n- { case: a/two, verdict: warn, because: seen }",
    );
    let results = [
        result("a/one", None, Fail),
        result("a/two", POLLING, Warn),
        result("a/two", UPGRADE, Pass),
        result("b/three", None, Skip),
    ];
    let compared = baseline.compare("f".into(), &results, &[], &Versions::default());
    assert_eq!(compared.known, 2);
    assert_eq!(names(&compared.new), [("b/three", Skip)]);
    assert_eq!(names(&compared.gone), []);
}

#[test]
fn what_takes_several_nodes_wants_no_row_on_a_server_of_one() {
    let mut skipped = result("rooms/order", None, Verdict::Skip);
    skipped.lacks = vec!["nodes".to_owned()];
    let known = Versions::default();
    let written = Baseline::of("node", None, std::slice::from_ref(&skipped), &[], &known);
    assert!(written.text().contains("cases: []"), "{}", written.text());
    let compared = good("[]").compare("known.yaml".to_owned(), std::slice::from_ref(&skipped), &[], &known);
    assert_eq!(names(&compared.new), []);
    skipped.lacks = vec!["t:join".to_owned()];
    let compared = good("[]").compare("known.yaml".to_owned(), &[skipped], &[], &known);
    assert_eq!(names(&compared.new), [("rooms/order", Verdict::Skip)]);
}

#[test]
fn another_verdict_than_the_listed_one_is_new() {
    let baseline = good("- { case: a/one, verdict: note, because: seen }");
    let compared = baseline.compare("f".into(), &[result("a/one", None, Fail)], &[], &Versions::default());
    assert_eq!(names(&compared.new), [("a/one", Fail)]);
    assert_eq!(compared.new[0].listed, Some(Note));
}

#[test]
fn what_is_listed_and_passes_is_gone_unless_it_was_not_chosen() {
    let baseline = good(
        "- { case: a/two, transport: upgrade, verdict: warn, because: seen }\n\
         - { case: b/three, verdict: warn, because: seen }",
    );
    let compared = baseline.compare("f".into(), &[result("a/two", UPGRADE, Pass)], &[], &Versions::default());
    assert_eq!(names(&compared.gone), [("a/two@upgrade", Pass)]);
}

#[test]
fn a_written_baseline_knows_everything_and_keeps_what_was_said() {
    let before = good(
        "- { case: a/one, verdict: fail, because: \"it says \\\"no\\\"\" }\n\
         - { case: b/three, verdict: warn, because: seen }",
    );
    let results =
        [result("a/one", None, Fail), result("a/two", POLLING, Warn), result("a/two", UPGRADE, Warn)];
    let written = Baseline::of("y", Some(&before), &results, &[], &Versions::default());
    let source = Source { name: "w".into(), text: written.text() };
    assert_eq!(
        source.text,
        "server: \"x\"\ncases:\n\
         \x20 - { case: \"a/one\", verdict: fail, because: \"it says \\\"no\\\"\" }\n\
         \x20 - { case: \"a/two\", verdict: warn, because: \"to be confirmed\" }\n\
         \x20 - { case: \"b/three\", verdict: warn, because: \"seen\" }\n"
    );
    let again = Baseline::read(&source, &cases()).expect("it was written here");
    assert_eq!(again, written);
    let compared = again.compare("f".into(), &results, &[], &Versions::default());
    assert_eq!((compared.known, compared.new.len(), compared.gone.len()), (3, 0, 0));
}

#[test]
fn what_shows_sometimes_is_neither_new_nor_gone() {
    let baseline = good("- { case: a/one, verdict: warn, sometimes: true, because: a race }");
    for (verdict, known, new) in [(Warn, 1, 0), (Pass, 0, 0), (Fail, 0, 1), (Skip, 0, 1)] {
        let compared =
            baseline.compare("f".into(), &[result("a/one", None, verdict)], &[], &Versions::default());
        assert_eq!((compared.known, compared.new.len(), compared.gone.len()), (known, new, 0), "{verdict:?}");
    }
}

#[test]
fn a_written_baseline_keeps_what_shows_sometimes_until_it_shows_otherwise() {
    let row = "- { case: \"a/one\", verdict: warn, sometimes: true, because: \"a race\" }";
    let before = good(row);
    for verdict in [Warn, Pass] {
        let written =
            Baseline::of("x", Some(&before), &[result("a/one", None, verdict)], &[], &Versions::default());
        assert_eq!(written, before, "{verdict:?}");
        assert!(written.text().ends_with(&format!("  {row}\n")), "{}", written.text());
    }
    let written = Baseline::of("x", Some(&before), &[result("a/one", None, Fail)], &[], &Versions::default());
    let anew = Baseline::of("x", None, &[result("a/one", None, Fail)], &[], &Versions::default());
    assert_eq!(written.text(), anew.text());
}

#[test]
fn what_shows_sometimes_over_one_transport_has_no_part_in_a_row_about_all() {
    let before = good(
        "- { case: a/two, verdict: fail, sometimes: true, because: a race }\n\
         - { case: a/two, transport: polling, verdict: fail, because: seen }",
    );
    for verdict in [Fail, Pass] {
        let results = [result("a/two", POLLING, Fail), result("a/two", UPGRADE, verdict)];
        assert_eq!(
            Baseline::of("x", Some(&before), &results, &[], &Versions::default()),
            before,
            "{verdict:?}"
        );
    }
}

#[test]
fn variants_that_differ_have_rows_of_their_own() {
    let results = [result("a/two", POLLING, Pass), result("a/two", UPGRADE, Fail)];
    let written = Baseline::of("y", None, &results, &[], &Versions::default()).text();
    assert!(written.contains("case: \"a/two\", transport: upgrade, verdict: fail"), "{written}");
    assert!(!written.contains("polling"), "{written}");
}

#[test]
fn a_server_without_any_deviation_has_an_empty_baseline() {
    let written = Baseline::of("y", None, &[result("a/one", None, Pass)], &[], &Versions::default());
    let source = Source { name: "w".into(), text: written.text() };
    assert_eq!(Baseline::read(&source, &cases()).map(|read| read.text()), Ok(written.text()));
}

fn finding(failed: &[&str]) -> FindingResult {
    let killer = result("a/one", None, Fail);
    let failed = failed.iter().map(|label| (*label).to_owned()).collect();
    let (rule, clause) = ("engine.poll-at-close".to_owned(), Some("EIO-CL-01".to_owned()));
    FindingResult {
        rule,
        clause,
        verdict: Warn,
        failed,
        ..FindingResult::death(String::new(), Some(&killer), Vec::new())
    }
}

#[test]
fn a_finding_needs_a_row_of_its_own_where_no_case_of_its_clause_fails() {
    let known = "- { case: a/one, verdict: warn, because: seen }\n\
                 findings: [{ clause: EIO-CL-01, verdict: warn, because: seen }]";
    let (with, without) = (good(known), good("- { case: a/one, verdict: warn, because: seen }"));
    let cases = [result("a/one", None, Warn)];
    let compare = |baseline: &Baseline, failed: &[&str]| {
        let compared = baseline.compare("f".into(), &cases, &[finding(failed)], &Versions::default());
        let names = |rows: &[BaselineRow]| rows.iter().map(|row| row.case.clone()).collect::<Vec<_>>();
        (compared.known, names(&compared.new), names(&compared.gone))
    };
    assert_eq!(compare(&with, &[]), (2, vec![], vec![]));
    assert_eq!(compare(&without, &[]), (1, vec!["EIO-CL-01".to_owned()], vec![]));
    assert_eq!(compare(&without, &["a/one"]), (1, vec![], vec![]), "the row of the case is enough");
}

#[test]
fn a_finding_is_gone_when_the_whole_suite_does_not_show_it() {
    let baseline = good("  []\nfindings: [{ clause: EIO-CL-01, verdict: warn, because: seen }]");
    let all = [
        result("a/one", None, Pass),
        result("a/two", POLLING, Pass),
        result("a/two", UPGRADE, Pass),
        result("b/three", None, Pass),
    ];
    assert_eq!(
        names(&baseline.compare("f".into(), &all, &[], &Versions::default()).gone),
        [("EIO-CL-01", Pass)]
    );
    assert_eq!(names(&baseline.compare("f".into(), &all[..3], &[], &Versions::default()).gone), []);
}

#[test]
fn a_written_baseline_lists_findings_and_reads_back() {
    let before = good("  []\nfindings: [{ clause: EIO-CL-01, verdict: warn, because: seen }]");
    let written = Baseline::of("x", Some(&before), &[], &[finding(&[])], &Versions::default());
    assert_eq!(written, before);
    let source = Source { name: "w".into(), text: written.text() };
    assert_eq!(Baseline::read(&source, &cases()).map(|read| read.text()), Ok(written.text()));
}

#[test]
fn a_row_that_is_wrong_is_told_with_its_place() {
    for (row, words) in [
        ("  []\nfindings: [{ clause: EIO-CL-99, verdict: warn, because: x }]", "no clause `EIO-CL-99`"),
        ("  []\nfindings: [{ clause: EIO-CL-01, verdict: skip, because: x }]", "a row cannot say `skip`"),
        ("- { case: a/oen, verdict: fail, because: x }", "did you mean `a/one`?"),
        ("- { case: telephone, verdict: fail, because: x }", "sockrates list --conformance"),
        ("- { case: a/one, verdict: pass, because: x }", "a row cannot say `pass`"),
        ("- { case: a/one, verdict: fial, because: x }", "did you mean `fail`?"),
        ("- { case: a/one, verdict: fail }", "needs the field `because`"),
        ("- { case: a/one, verdict: fail, because: \"\" }", "found an empty one"),
        ("- { case: a/one, transport: polling, verdict: fail, because: x }", "leave `transport` out"),
        ("- { case: a/two, transport: poling, verdict: fail, because: x }", "did you mean `polling`?"),
        ("- { case: a/one, verdict: fail, because: x, sometimes: often }", "expected `true` or `false`"),
        ("- { case: a/one, verdict: fail, because: x, why: y }", "unknown key `why`"),
        (
            "- { case: a/one, verdict: fail, because: x }\n- { case: a/one, verdict: note, because: x }",
            "another row about `a/one`",
        ),
    ] {
        let told = read(row).expect_err(row);
        assert!(told.contains(words) && told.contains("known.yaml:"), "{row}: {told}");
    }
}

#[test]
fn a_row_about_other_versions_is_not_about_this_server_and_the_report_can_say_so() {
    let baseline = good(
        "- { case: a/one, verdict: note, versions: \"engine.io <6.6.13\", because: seen }\n\
         - { case: a/one, verdict: fail, versions: \"engine.io >=6.6.13\", because: seen }",
    );
    let server = |version: &str| {
        let mut versions = Versions::default();
        versions.note("engine.io", version);
        versions
    };
    let compare = |verdict, versions: &Versions| {
        let compared = baseline.compare("f".into(), &[result("a/one", None, verdict)], &[], versions);
        let new = compared.new.first();
        (compared.known, new.map(|row| row.known_for.clone()), compared.gone.len())
    };
    let elsewhere = Some(Some("engine.io <6.6.13".to_owned()));
    assert_eq!(compare(Note, &server("6.6.11")), (1, None, 0));
    assert_eq!(compare(Note, &server("6.6.13")), (0, elsewhere, 0));
    assert_eq!(compare(Pass, &server("6.6.13")), (0, None, 1));
    for verdict in [Note, Fail] {
        assert_eq!(compare(verdict, &Versions::default()), (1, None, 0), "{verdict:?}");
    }
    assert_eq!(compare(Pass, &Versions::default()), (0, None, 0));
    let written = Baseline::of("x", Some(&baseline), &[result("a/one", None, Note)], &[], &server("6.6.11"));
    assert_eq!(written, baseline);
}

#[test]
fn a_finding_may_be_known_for_some_versions_and_the_report_can_say_so() {
    let known = "[]\nfindings:\n\
                 - { clause: EIO-CL-01, verdict: warn, versions: \"engine.io <6.6.13\", because: seen }\n\
                 - { clause: EIO-CL-01, verdict: note, versions: \"engine.io >=6.6.13\", because: seen }";
    let baseline = good(known);
    let compare = |version: &str| {
        let mut versions = Versions::default();
        versions.note("engine.io", version);
        let compared = baseline.compare("f".into(), &[], &[finding(&[])], &versions);
        (compared.known, compared.new.first().map(|row| (row.listed, row.known_for.clone())))
    };
    assert_eq!(compare("6.6.11"), (1, None));
    let elsewhere = (Some(Note), Some("engine.io <6.6.13".to_owned()));
    assert_eq!(compare("6.6.13"), (0, Some(elsewhere)));
    assert_eq!(good(known).text(), baseline.text());
    assert!(baseline.text().contains("versions: \"engine.io >=6.6.13\""), "{}", baseline.text());
    let twice = "[]\nfindings: [{ clause: EIO-CL-01, verdict: warn, because: a }, { clause: EIO-CL-01, verdict: note, because: b }]";
    assert!(read(twice).is_err_and(|told| told.contains("another row about `EIO-CL-01`")));
}
