use super::*;
use crate::capacity::curve::{Law, Scalability, curve};
use crate::capacity::result::example::{point, result};
use crate::capacity::search::{Purpose, StepOutcome, Votes};
use crate::capacity::{Asked, Point};
use crate::report::result::TargetKind;
use crate::report::{Detail, Look, html, markdown, terminal};
use crate::scenario::Axis;
use crate::statistics::usl::Usl;

fn to_html(result: &CapacityResult) -> String {
    html(&report(result))
}

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

fn hostile() -> CapacityResult {
    let text = || HOSTILE.to_owned();
    let mut result = result();
    result.axis = Axis::Variable(text());
    result.scenario.name = text();
    (result.scenario.file, result.scenario.hash) = (text(), text());
    result.scenario.about = Some(text());
    (result.target.url, result.target.command, result.target.software) = (text(), Some(text()), Some(text()));
    (result.environment.os, result.started, result.tool_version) = (text(), text(), text());
    result.thresholds =
        vec![Asked { text: format!("delivery {HOSTILE}"), limit: 1e5, unit: "us".to_owned() }];
    result.notes = vec![text()];
    if let Some(found) = &mut result.found {
        found.above = Above::Broke { load: 441.0, why: text() };
    }
    for (index, point) in result.points.iter_mut().enumerate() {
        let outcomes = [StepOutcome::Broke, StepOutcome::Limited, StepOutcome::Unclear, StepOutcome::Died];
        point.outcome = outcomes[index % outcomes.len()](text());
    }
    result
}

/// A server that follows the law, up to beyond its peak, and a step in which we did not keep up.
fn bent() -> CapacityResult {
    let law = Usl { lambda: 2.2, sigma: 0.0004, kappa: 0.000_002 };
    let noise = [1.01, 0.99, 1.0, 1.012, 0.985, 1.004, 0.995, 1.01];
    let loads = [50.0, 100.0, 200.0, 400.0, 800.0, 640.0, 560.0, 600.0];
    let mut points: Vec<Point> = loads
        .into_iter()
        .zip(noise)
        .map(|(load, noise)| Point {
            p50_us: Some(1_000 + load as u64 * 3),
            p99_us: Some(3_000 + (load * load) as u64 / 2),
            outcome: match load > 620.0 {
                true => {
                    StepOutcome::Broke("the threshold was not met (delivery p99 < 250 ms: 323 ms)".to_owned())
                }
                false => StepOutcome::Held,
            },
            purpose: if load > 500.0 && load < 800.0 { Purpose::Bisection } else { Purpose::Ramp },
            ..point(load, law.at(load) * noise)
        })
        .collect();
    points.push(Point {
        outcome: StepOutcome::Limited("one thread was busy all the time".to_owned()),
        ..point(620.0, 700.0)
    });
    let mut result = CapacityResult { curve: curve(&points, Some(600.0), true, 1), points, ..result() };
    if let Some(found) = &mut result.found {
        found.held = Some(600.0);
        found.above = Above::Limited { load: 620.0, why: "one thread was busy all the time".to_owned() };
    }
    result
}

#[test]
fn a_hostile_text_stays_text() {
    let page = to_html(&hostile());
    assert!(!page.contains("<img"), "an element was made of a text");
    assert_eq!(page.matches("</script>").count(), 2, "the two of the page itself");
    assert!(page.contains("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"), "and it is shown");
}

#[test]
fn the_page_asks_the_network_for_nothing() {
    let page = to_html(&bent());
    assert!(page.contains("default-src 'none'"));
    for word in ["=\"http", " src=", "<link rel=\"stylesheet", "style=\"", " onclick", "url("] {
        let found = page.match_indices(word).find(|(at, _)| !page[..*at].ends_with("xmlns"));
        assert_eq!(found, None, "{word}");
    }
}

#[test]
fn every_form_says_which_threshold_or_doubt_a_load_did_not_hold_for() {
    let mut result = result();
    result.points[4].outcome = StepOutcome::Limited("one thread was busy for 97 % of the time".to_owned());
    let text = terminal(&report(&result), Look { width: 100, colour: false }, Detail::Usual);
    for form in [text, to_html(&result), markdown(&report(&result))] {
        let form = form.replace('\\', "").replace("&lt;", "<");
        let form = form.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in
            ["Why loads did not hold", "p99 < 250 ms: 1.2 s)", "(2 runs)", "busy for 97 % of the time"]
        {
            assert!(form.contains(words), "no {words} in {form}");
        }
    }
}

#[test]
fn only_a_server_that_sockrates_starts_is_called_fresh() {
    let mut result = result();
    assert!(to_html(&result).contains("on fresh servers"));
    result.target.kind = TargetKind::Url;
    let page = to_html(&result);
    assert!(page.contains("held again in 2 of 2 runs") && !page.contains("fresh server"));
}

#[test]
fn the_answer_and_every_step_stand_on_the_page() {
    let result = result();
    let page = to_html(&result);
    let answer =
        "430 clients held, 441 clients did not: the threshold was not met (delivery p99 &lt; 250 ms: 1.2 s).";
    assert!(page.contains(answer), "{answer}");
    for point in &result.points {
        for cell in row(&result, point) {
            assert!(page.contains(&cell), "{cell}");
        }
    }
    for words in
        ["between 430 clients and 441 clients", "such machines", "the server ended at 800 clients", "6.4 s"]
    {
        assert!(page.contains(words), "{words}");
    }
    for id in ["throughput-load", "latency-load", "processors-load", "memory-load"] {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert!(page.contains("delivery p99 &lt; 250 ms, the limit"), "the limit is told by the latencies");
}

#[test]
fn the_law_is_told_with_its_parameters_and_drawn_no_farther_than_twice_the_largest_load() {
    let result = bent();
    let law = result.curve.law.law().unwrap();
    let page = to_html(&result);
    for parameter in [law.lambda, law.sigma, law.kappa] {
        for value in [parameter.value, parameter.low, parameter.high] {
            assert!(page.contains(&format!(">{}<", figure(value))), "{value}");
        }
    }
    assert!(page.contains("the peak of the law, "), "{law:?}");
    let mut far = result.clone();
    far.curve.law = Scalability::Law(Law { peak: Some(1e9), ..law.clone() });
    let page = to_html(&far);
    let (_, rest) = page.split_once("data-to=\"").unwrap();
    assert!(rest.starts_with("1600\""), "{}", &rest[..20]);
}

#[test]
fn a_law_that_does_not_describe_the_points_is_not_drawn() {
    let mut result = bent();
    result.curve.law = Scalability::Otherwise { load: 800.0, off: Some(9.77) };
    let page = to_html(&result);
    assert!(
        page.contains(
            "<p>These points follow no such law: the nearest one is off by 977 % at 800 clients.</p>"
        )
    );
    for words in ["λ", "Residuals", "the peak of the law"] {
        assert!(!page.contains(words), "{words}");
    }
    assert_eq!(page.matches("Universal Scalability Law").count(), 1, "the heading, and no line");
}

#[test]
fn a_point_is_told_by_its_outcome() {
    let page = to_html(&bent());
    for words in ["held", "broke", "not a valid measurement"] {
        assert!(page.contains(&format!("</svg>{words}</li>")), "{words}");
    }
}

#[test]
fn a_search_that_found_nothing_is_a_page_too() {
    let mut result = result();
    (result.found, result.plan, result.recovery) = (None, None, None);
    result.points.clear();
    result.curve = curve(&[], None, true, 1);
    let page = to_html(&result);
    assert!(page.contains("The search ended before the answer was found."));
    assert!(!page.contains("id=\"throughput\""));
}

/// The pages that a browser can be pointed at.
#[test]
fn pages_for_the_browser_are_written() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/report-pages");
    std::fs::create_dir_all(&folder).expect("the folder of what is built can be written");
    let pages = [("capacity", result()), ("capacity-bent", bent()), ("capacity-hostile", hostile())];
    for (name, result) in pages {
        std::fs::write(folder.join(format!("{name}.html")), to_html(&result)).expect("a page can be written");
    }
}

#[test]
fn a_search_reads_like_this() {
    insta::assert_snapshot!(terminal(&report(&result()), Look { width: 100, colour: false }, Detail::Usual));
}

#[test]
fn a_search_reads_like_this_in_markdown() {
    insta::assert_snapshot!(markdown(&report(&result())));
}

#[test]
fn our_own_limit_is_shown_as_at_least() {
    let above = Above::Limited { load: 800.0, why: "one thread was busy all the time".to_owned() };
    let found = Found { held: Some(400.0), confirmed: Votes::default(), above };
    let said = sentence(&Axis::Clients, &found);
    let expected = "at least 400 clients held; at 800 clients the load generator did not keep up";
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn figures_have_three_digits() {
    assert_eq!(
        [0.0, 0.0123, 1.0, 42.0, 999.4, 1e-5].map(figure),
        ["0", "0.0123", "1.00", "42.0", "999", "1.00e-5"]
    );
}

#[test]
fn loads_that_held_without_a_judgement_on_their_deliveries_are_no_good_answer() {
    let mut result = result();
    assert_eq!(report(&result).tone, Tone::Good);
    for point in result.points.iter_mut().take(2) {
        point.not_judged = Some("12 % of 40 pairs decided".to_owned());
    }
    let report = report(&result);
    assert_eq!(report.tone, Tone::Doubtful);
    let text = terminal(&report, Look { width: 200, colour: false }, Detail::Usual);
    let said = "In 2 runs that held, deliveries were not judged: 12 % of 40 pairs decided.";
    assert!(text.contains(said) && text.matches(" not judged  ").count() == 2, "{text}");
}
