use super::*;
use crate::compare::diff::Diff;
use crate::compare::example::{comparison, conformance, diff, ended};
use crate::compare::result::{Trouble, troubles as troubles_of};
use crate::report::{Look, html, markdown, terminal};

fn to_html(result: &ComparisonResult) -> String {
    html(&report(result))
}

fn two_days_to_html(result: &Diff) -> String {
    html(&diff_report(result))
}

fn text(report: &Report, width: u16) -> String {
    terminal(report, Look { width, colour: false }, Detail::Usual)
}

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

fn hostile() -> ComparisonResult {
    let text = || HOSTILE.to_owned();
    let mut result = comparison(4, 1.25);
    let first = result.servers[0].name.clone();
    for server in &mut result.servers {
        (server.name, server.what, server.software) =
            (format!("{} {HOSTILE}", server.name), text(), Some(text()));
    }
    for run in result.blocks.iter_mut().flat_map(|block| &mut block.runs) {
        run.server = format!("{} {HOSTILE}", run.server);
        run.troubles = vec![Trouble { what: text(), count: 1 }];
    }
    result.latencies.iter_mut().for_each(|one| one.server = format!("{} {HOSTILE}", one.server));
    result.comparisons.iter_mut().for_each(|one| one.server = format!("{} {HOSTILE}", one.server));
    assert_ne!(result.servers[0].name, first);
    (result.scenario.name, result.scenario.file, result.scenario.hash) = (text(), text(), text());
    result.scenario.overrides = vec![text()];
    (result.started, result.tool_version, result.notes) = (text(), text(), vec![text()]);
    result.environment.os = text();
    result
}

#[test]
fn a_hostile_name_stays_text() {
    let page = to_html(&hostile());
    assert!(!page.contains("<img"), "an element was made of a text");
    assert_eq!(page.matches("</script>").count(), 2, "the two of the page itself");
    assert!(page.contains("bun &lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"), "and it is shown");
}

#[test]
fn a_server_that_ended_is_told_with_its_last_lines_in_every_form() {
    let mut result = comparison(2, 1.25);
    let run = result.blocks[1].runs.iter_mut().find(|run| run.server == "bun").unwrap();
    run.server_end = Some(ended("exit code 3"));
    let report = report(&result);
    let forms = [text(&report, 200), markdown(&report).replace('\\', ""), html(&report)];
    for form in forms {
        for words in [
            "bun: the server ended with exit code 3 after 700 ms in block 2",
            "The last lines that it printed:",
            "line A",
            "FATAL: out of widgets",
        ] {
            assert!(form.contains(words), "{words} is not in {form}");
        }
    }
}

#[test]
fn the_page_asks_the_network_for_nothing() {
    let page = to_html(&comparison(10, 1.25));
    assert!(page.contains("default-src 'none'"));
    for word in ["=\"http", " src=", "<link rel=\"stylesheet", "style=\"", " onclick", "url("] {
        let found = page.match_indices(word).find(|(at, _)| !page[..*at].ends_with("xmlns"));
        assert_eq!(found, None, "{word}");
    }
}

#[test]
fn every_figure_and_every_server_stands_on_the_page() {
    let result = comparison(10, 1.25);
    let page = to_html(&result);
    for row in &result.comparisons[0].rows {
        let [name, first, other, ratio, interval, _] = cells(row).unwrap();
        for words in [name, first, other, ratio, interval] {
            assert!(page.contains(&words), "{}: {words}", row.figure);
        }
        let id = format!("id=\"blocks-{}\"", row.figure.replace(' ', "-"));
        assert!(page.contains(&id), "{id}");
    }
    for words in ["node", "node, again", "bun", "node server.js", "bun server.js"] {
        assert!(page.contains(&format!(">{words}<")), "{words}");
    }
    for id in ["percentiles-delivery-log", "percentiles-ack-linear"] {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[test]
fn the_verdict_is_told_in_words() {
    let told = |result: &ComparisonResult| {
        let text = sentences("bun", Text::default(), &result.comparisons[0].rows, (result.effect, 9));
        text.0.iter().map(|(text, _)| text.as_str()).collect::<String>()
    };
    let slower = told(&comparison(10, 1.25));
    assert!(slower.contains(" worse in ") && slower.contains("ack p50 (+"), "{slower}");
    assert!(slower.contains(" %, from +") && slower.contains(" % to +"), "{slower}");
    assert!(slower.contains("No difference found in "), "{slower}");
    let faster = told(&comparison(10, 0.5));
    assert!(faster.contains(" better in ") && faster.contains("ack p50 (-50"), "{faster}");
    let few = told(&comparison(3, 1.25));
    let missing = "Too few blocks to claim a difference in 7 figures: 6 more blocks could show one. ";
    assert!(few.contains(missing), "{few}");
    assert!(few.contains("It seems to differ in ack p50 (+"), "{few}");
    assert!(
        told(&{
            let mut result = comparison(3, 1.0);
            result.comparisons[0].rows.clear();
            result
        })
        .contains("no figures of both")
    );
}

#[test]
fn the_headline_begins_with_the_largest_difference_and_ends_with_what_hardly_differs() {
    let mut result = comparison(10, 1.0);
    let rows = &mut result.comparisons[0].rows;
    for (figure, ratio) in
        [("ack p50", 1.1), ("delivery p99", 1.4), ("cpu", 1.3), ("deliveries", 0.2), ("acks", 0.99)]
    {
        let row = rows.iter_mut().find(|row| row.figure == figure).expect("the example has it");
        row.ratio = ratio;
        row.difference = if ratio > 1.0 { Difference::Larger } else { Difference::Smaller };
    }
    let text = sentences("bun", Text::default(), rows, (result.effect, 9));
    let text: String = text.0.iter().map(|(text, _)| text.as_str()).collect();
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words} in {text}"));
    let worse =
        ["deliveries (-80.0 %", "delivery p99 (+40.0 %", "CPU per million (+30.0 %", "ack p50 (+10.0 %"];
    assert!(worse.map(place).is_sorted() && place("ack p50") < place("acks (-1.0 %"), "{text}");
}

#[test]
fn what_went_wrong_with_one_server_alone_stands_before_every_figure_in_every_form() {
    let mut result = comparison(10, 0.5);
    let wrong = |what: &str, count| vec![Trouble { what: what.to_owned(), count }];
    for run in result.blocks.iter_mut().flat_map(|block| &mut block.runs) {
        run.troubles = match &*run.server {
            "bun" => wrong("delivery missing", 54),
            _ => wrong("ack missed", 3),
        };
    }
    let report = report(&result);
    for form in [text(&report, 400), html(&report), markdown(&report)] {
        let place = |words: &str| form.find(words).unwrap_or_else(|| panic!("no {words} in {form}"));
        assert!(place("delivery missing 540 went wrong.") < place("better in "), "{form}");
        assert!(place("With node, ack missed 60 went wrong.") < place("better in "), "{form}");
    }
    // Run for run nothing goes wrong more often: the first server is played twice.
    for run in result.blocks.iter_mut().flat_map(|block| &mut block.runs) {
        run.troubles = wrong("ack missed", 3);
    }
    assert!(!text(&super::report(&result), 400).contains("went wrong."));
}

#[test]
fn a_server_beside_itself_is_told_from_its_twin() {
    let mut result = comparison(10, 1.0);
    result.servers.truncate(1);
    result.comparisons[0].server = "node".to_owned();
    let page = to_html(&result);
    for words in ["<h1>node beside itself</h1>", "<strong>node, again</strong>: ", ">node, again</th>"] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_comparison_without_anything_and_one_of_another_time_are_pages_too() {
    let mut result = comparison(4, 1.0);
    // What older files do not hold.
    result.latencies.clear();
    assert!(!to_html(&result).contains("id=\"latency\""));
    (result.blocks, result.comparisons, result.servers) = (Vec::new(), Vec::new(), Vec::new());
    assert!(to_html(&result).contains("<main"));
}

#[test]
fn conformance_is_shown_where_it_was_asked() {
    let mut result = comparison(4, 1.0);
    assert!(!to_html(&result).contains("id=\"conformance\""));
    let mut hostile = conformance("node", &["acks/lost"]);
    (hostile.unfinished, hostile.findings) = (Some(HOSTILE.to_owned()), vec![HOSTILE.to_owned()]);
    result.conformance = vec![hostile, conformance("bun", &[])];
    let page = to_html(&result);
    let fail = "<span class=\"quiet\">fail: </span>acks/lost";
    let unfinished = "<span class=\"quiet\">not finished: </span>&lt;/script&gt;";
    for words in ["id=\"conformance\"", fail, "<strong>bun</strong>: 1 pass, 1 skip", unfinished] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("<img"), "an element was made of a text");
}

#[test]
fn two_days_are_a_page_with_every_figure_and_what_went_wrong() {
    let result = diff();
    let page = two_days_to_html(&result);
    for row in result.comparisons.iter().flat_map(|pair| &pair.rows) {
        for words in cells(row).unwrap().into_iter().take(5) {
            assert!(page.contains(&words), "{}: {words}", row.figure);
        }
    }
    for words in ["<h1>friday beside monday</h1>", "ack missed 2", "id=\"percentiles-delivery-2-log\""] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_hostile_name_of_a_file_or_a_scenario_stays_text() {
    let mut result = diff();
    let text = || HOSTILE.to_owned();
    (result.old.name, result.new.name, result.tool_version) = (text(), text(), text());
    (result.old.started, result.new.tool_version, result.notes) = (text(), text(), vec![text()]);
    result.comparisons.iter_mut().for_each(|pair| pair.name = text());
    let page = two_days_to_html(&result);
    assert!(!page.contains("<img"), "an element was made of a text");
    assert_eq!(page.matches("</script>").count(), 2, "the two of the page itself");
}

/// The page that a browser can be pointed at.
#[test]
fn a_page_for_the_browser_is_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report-pages");
    std::fs::create_dir_all(&folder).expect("the folder of what is built can be written");
    for (name, page) in [
        ("comparison", to_html(&comparison(12, 1.25))),
        ("comparison-hostile", to_html(&hostile())),
        ("two-days", two_days_to_html(&diff())),
    ] {
        std::fs::write(folder.join(format!("{name}.html")), page).expect("a page can be written");
    }
}

#[test]
fn a_comparison_reads_like_this() {
    insta::assert_snapshot!(text(&report(&comparison(10, 1.25)), 100));
}

#[test]
fn a_comparison_reads_like_this_in_markdown() {
    insta::assert_snapshot!(markdown(&report(&comparison(10, 1.25))));
}

#[test]
fn two_days_read_like_this() {
    insta::assert_snapshot!(text(&diff_report(&diff()), 100));
}

#[test]
fn two_days_read_like_this_in_markdown() {
    insta::assert_snapshot!(markdown(&diff_report(&diff())));
}

#[test]
fn a_single_block_has_a_ratio_and_no_interval() {
    let text = markdown(&report(&comparison(1, 1.25)));
    assert!(text.contains(" · 1 block · seed"), "{text}");
    assert!(text.contains(" % | – | – | ⚠️ too few runs to judge"), "{text}");
}

#[test]
fn conformance_is_shown_beside_the_figures() {
    let mut result = comparison(2, 1.0);
    let mut interrupted = conformance("bun", &[]);
    interrupted.unfinished = Some("interrupted after 2 of 9 cases".to_owned());
    interrupted.findings = vec!["it died".to_owned()];
    result.conformance = vec![
        conformance("node", &["acks/lost", "rooms/leave@polling"]),
        interrupted,
        Conformance::missing("deno", "no such \u{1b}command".to_owned()),
    ];
    let text = text(&report(&result), 100);
    for words in [
        "node: 1 pass, 2 fail, 1 skip\n    fail: acks/lost, rooms/leave@polling",
        "bun: 1 pass, 1 skip\n    it died\n    not finished: interrupted after 2 of 9 cases",
        "deno: not examined\n    not finished: no such ",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn too_few_blocks_say_how_many_it_would_take() {
    let text = text(&report(&comparison(3, 1.25)), 400);
    assert!(text.contains("7 figures: 6 more blocks could show one."), "{text}");
    assert!(text.contains("seems to differ; too few runs to judge"), "{text}");
    assert!(!text.contains(" would show 5.0 %"), "{text}");
}

#[test]
fn a_narrow_page_and_long_names_are_no_trouble() {
    let mut result = comparison(2, 1.0);
    result.servers[1].name = "x".repeat(300);
    result.comparisons[0].server = "x".repeat(300);
    for width in [1, 40, 60, 80, 300] {
        let text = text(&report(&result), width);
        let is_inside = |line: &str| textwrap::core::display_width(line) <= usize::from(width).max(40);
        assert!(text.lines().all(is_inside), "{width}: {text}");
    }
}

#[test]
fn a_name_cannot_steer_the_terminal_or_break_a_table() {
    let mut result = comparison(2, 1.0);
    result.servers[1].name = "b\u{1b}[31m".to_owned();
    result.comparisons[0].server = "b\u{1b}[31m".to_owned();
    result.servers[0].name = "a | <b> @all".to_owned();
    assert!(!text(&report(&result), 100).contains('\u{1b}'));
    assert!(markdown(&report(&result)).contains(r"a \| &lt;b&gt; \@&#8203;all"));
}

#[test]
fn runs_whose_deliveries_were_not_judged_are_no_runs_in_which_nothing_went_wrong() {
    let mut run = crate::compare::example::run(1.0, 10);
    assert_eq!(troubles_of(&run), []);
    run.deliveries = crate::report::example::unjudged().deliveries;
    let unjudged = [Trouble { what: "runs whose deliveries were not judged".to_owned(), count: 1 }];
    assert_eq!(troubles_of(&run), unjudged);
    let sign = |troubles: &[Trouble]| went_wrong(troubles).0[0].0.clone();
    assert_eq!((&*sign(&[]), &*sign(&unjudged)), ("✓", "?"));
    let both = [Trouble { what: "ack missed".to_owned(), count: 2 }, unjudged[0].clone()];
    assert_eq!(sign(&both), "✗");
}
