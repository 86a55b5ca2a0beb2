//! Two stored results as one page of HTML: what differs in words, the ratios, the percentile curves of both, and what went
//! wrong.

use maud::{Markup, html};

use super::{Beside, Design, conformance, figures, forest, sentences, went_wrong};
use crate::compare::diff::{Day, Diff, Facts, Pair};
use crate::measure::format::{count, printable};
use crate::observe::Metric;
use crate::report::html::chart::{Chart, Line, Stroke};
use crate::report::html::head::verdict;
use crate::report::html::latency::{curve, percentiles};
use crate::report::html::page::Column::{Figure, Words};
use crate::report::html::page::{Caption, Page, Table, Tone, sign};
use crate::report::html::setup::{environment, facts};
use crate::report::result::MetricResult;

/// The page about two days.
pub fn two_days_to_html(result: &Diff) -> String {
    let mut charts = Vec::new();
    let mut draw = |chart: Chart| {
        charts.push(chart.data());
        chart.figure()
    };
    let besides: Vec<Beside<'_>> = result
        .comparisons
        .iter()
        .map(|pair| Beside {
            heading: Some(pair.name.clone()),
            first: &result.old.name,
            other: result.new.name.clone(),
            rows: &pair.rows,
        })
        .collect();
    let examined = result.sides().filter_map(|(name, facts)| Some((name, facts.conformance.as_ref()?)));
    let title = format!("{} beside {}", result.new.name, result.old.name);
    let parts = [
        ("ratios", "Beside the older result", Some(forest::render(&besides, Design::Days, 0.0))),
        ("figures", "Figures", Some(figures::render(&besides, Design::Days, result.level))),
        ("latency", "Latency by percentile", latencies(result, &mut draw)),
        ("troubles", "What went wrong", Some(troubles(result))),
        ("conformance", "Conformance", conformance::render(examined)),
        ("setup", "How it was made", Some(setup(result))),
    ];
    let head = head(result, &title);
    Page::of_parts(title, Tone::Plain, &head, parts, charts, &result.tool_version).render()
}

fn head(result: &Diff, title: &str) -> Markup {
    let told = html! {
        h1 { (printable(title)) }
        @for pair in &result.comparisons { p.sentence { (sentences(&pair.name, &pair.rows, 0.0)) } }
        ul.facts {
            @for day in [&result.old, &result.new] { li { (printable(&day.name)) ": " (printable(&day.started)) } }
        }
        @for note in &result.notes { p.about { (sign(Tone::Doubtful)) " " (printable(note)) } }
    };
    verdict(Tone::Plain, &told)
}

fn latencies(result: &Diff, draw: &mut dyn FnMut(Chart) -> Markup) -> Option<Markup> {
    let about = "All valid runs of a day together. To the right of p99 lies the slowest of a hundred.";
    let mut chart = |(index, pair): (usize, &Pair), (metric, title): (Metric, &str)| {
        let line = |day: &Day, facts: &Facts, colour: usize| {
            let series = MetricResult::find(&facts.latencies, metric)?;
            Some(Line { name: day.name.clone(), colour, stroke: Stroke::Solid, points: curve(series)? })
        };
        let lines = [line(&result.old, &pair.old, 1), line(&result.new, &pair.new, 2)];
        let lines = lines.into_iter().flatten().collect();
        let (id, title) = (format!("percentiles-{metric}-{}", index + 1), format!("{title}: {}", pair.name));
        percentiles(&id, &title, about, lines, Vec::new(), draw)
    };
    let mut drawn = Vec::new();
    for pair in result.comparisons.iter().enumerate() {
        drawn.extend(
            [(Metric::Delivery, "Delivery"), (Metric::Ack, "Acknowledgement")]
                .map(|metric| chart(pair, metric)),
        );
    }
    let drawn: Vec<Markup> = drawn.into_iter().flatten().collect();
    (!drawn.is_empty()).then(|| html! { @for one in &drawn { (one) } })
}

fn troubles(result: &Diff) -> Markup {
    let table = Table {
        label: "What went wrong",
        class: None,
        caption: Caption::Quiet("All runs of a day together"),
        columns: &[Words("What, and when"), Figure("valid runs"), Words("what went wrong")],
    };
    table.of(&html! {
        @for (name, facts) in result.sides() {
            tr {
                th scope="row" { (printable(&name)) }
                td.figure { (count(facts.runs as u64)) }
                td { (went_wrong(&facts.troubles)) }
            }
        }
    })
}

fn setup(result: &Diff) -> Markup {
    html! {
        div.setup {
            @for day in [&result.old, &result.new] {
                div {
                    h3 { (printable(&day.name)) }
                    (facts(&environment(&day.environment, &day.tool_version)))
                }
            }
        }
    }
}
