//! A comparison as one page of HTML: the verdict in words, the ratios, the percentile curves, and each block.
//!
//! The frame, the charts and the facts are those of the pages about runs ([`crate::report::html`]). What servers are called
//! comes from a command line, what they call themselves from them: all of it is shown as text.

mod blocks;
mod conformance;
mod diff;
mod figures;
mod forest;

use maud::{Markup, html};

use super::demand::is_worse;
use super::figure;
use super::judge::{Difference, Row};
use super::result::{Comparison, ComparisonResult, RunFigures, Trouble};
use super::text::{blocks_more, cells, percent, signed};
use crate::measure::format::{count, counted, printable};
use crate::observe::Metric;
use crate::report::html::chart::mark::Shape;
use crate::report::html::chart::{Chart, Line, Stroke};
use crate::report::html::head::{capital, verdict};
use crate::report::html::latency::{curve, percentiles};
use crate::report::html::page::Column::{Figure, Words};
use crate::report::html::page::{Caption, Page, Table, Tone, sign};
use crate::report::html::setup::{Fact, environment, facts};
use crate::report::result::MetricResult;
use crate::verdict::Status;

pub use diff::two_days_to_html;

/// The colours of the servers. The seventh of the page is grey: that of the twin.
const COLOURS: [usize; 7] = [1, 2, 3, 4, 5, 6, 8];
/// The colour of the twin.
const GREY: usize = 7;
/// The shapes of the servers; that of the twin is a ring.
const SHAPES: [Shape; 5] = [Shape::Disc, Shape::Triangle, Shape::Square, Shape::Diamond, Shape::Cross];

/// The page about this comparison.
pub fn to_html(result: &ComparisonResult) -> String {
    let mut charts = Vec::new();
    let mut draw = |chart: Chart| {
        charts.push(chart.data());
        chart.figure()
    };
    let besides = besides(result);
    let examined = result.conformance.iter().map(|found| (found.server.clone(), found));
    let parts = [
        ("ratios", "Beside the first server", Some(forest::render(&besides, Design::Blocks, result.effect))),
        ("figures", "Figures", Some(figures::render(&besides, Design::Blocks, result.level))),
        ("latency", "Latency by percentile", latencies(result, &mut draw)),
        ("blocks", "Block by block", blocks::render(result, &mut draw)),
        ("troubles", "What went wrong", Some(troubles(result))),
        ("conformance", "Conformance", conformance::render(examined)),
        ("setup", "How it was made", Some(setup(result))),
    ];
    let title = title(result);
    let head = head(result, &title);
    Page::of_parts(title, Tone::Plain, &head, parts, charts, &result.tool_version).render()
}

fn title(result: &ComparisonResult) -> String {
    match &result.servers[..] {
        [only] => format!("{} beside itself", only.name),
        [first, others @ ..] => {
            let others: Vec<&str> = others.iter().map(|server| server.name.as_str()).collect();
            format!("{} beside {}", others.join(" and "), first.name)
        }
        [] => "A comparison".to_owned(),
    }
}

/// What the other side of a comparison is called: of a server beside itself, its twin.
fn other(result: &ComparisonResult, comparison: &Comparison) -> String {
    match &result.servers[..] {
        [_] => format!("{}, again", comparison.server),
        _ => comparison.server.clone(),
    }
}

/// How the sides of a comparison were played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Design {
    /// In turn, block by block.
    Blocks,
    /// On two days.
    Days,
}

/// The figures of one side beside those of another.
struct Beside<'a> {
    /// What stands above them, where there are several of these.
    heading: Option<String>,
    first: &'a str,
    other: String,
    rows: &'a [Row],
}

/// Each server beside the first.
fn besides(result: &ComparisonResult) -> Vec<Beside<'_>> {
    let first = result.servers.first().map_or("", |server| server.name.as_str());
    let is_several = result.comparisons.len() > 1;
    let mut all = Vec::new();
    for comparison in &result.comparisons {
        let heading = is_several.then(|| format!("{} beside {first}", comparison.server));
        all.push(Beside { heading, first, other: other(result, comparison), rows: &comparison.rows });
    }
    all
}

/// A contestant: a server, or the second runs of the first one.
#[derive(Clone, Copy)]
struct Contestant<'a> {
    server: &'a str,
    twin: bool,
    colour: usize,
    shape: Shape,
}

impl Contestant<'_> {
    fn label(self) -> String {
        if self.twin { format!("{}, again", self.server) } else { self.server.to_owned() }
    }

    fn owns(self, run: &RunFigures) -> bool {
        run.server == self.server && run.twin == self.twin
    }
}

/// The contestants, the twin behind all others.
fn contestants(result: &ComparisonResult) -> Vec<Contestant<'_>> {
    let twin = result.servers.first().map(|first| Contestant {
        server: &first.name,
        twin: true,
        colour: GREY,
        shape: Shape::Ring,
    });
    let others = result.servers.iter().enumerate().map(|(index, entry)| Contestant {
        server: &entry.name,
        twin: false,
        colour: COLOURS[index % COLOURS.len()],
        shape: SHAPES[index % SHAPES.len()],
    });
    twin.into_iter().chain(others).collect()
}

// --- the verdict ----------------------------------------------------------------------------------------------

fn head(result: &ComparisonResult, title: &str) -> Markup {
    let blocks = match result.blocks.len() == result.blocks_asked {
        true => counted(result.blocks.len() as u64, "block"),
        false => format!("{} of {}", result.blocks.len(), counted(result.blocks_asked as u64, "block")),
    };
    let told = html! {
        h1 { (printable(title)) }
        @for comparison in &result.comparisons {
            p.sentence { (sentences(&other(result, comparison), &comparison.rows, result.effect)) }
        }
        ul.facts {
            li { (printable(&result.scenario.name)) }
            li { (blocks) }
            li { (warm_up(result)) }
            li { (printable(&result.started)) }
        }
        @for note in &result.notes { p.about { (sign(Tone::Doubtful)) " " (printable(note)) } }
    };
    verdict(Tone::Plain, &told)
}

/// What a server comes to beside the first, in words.
fn sentences(server: &str, rows: &[Row], effect: f64) -> Markup {
    let known: Vec<&Row> = rows.iter().filter(|row| figure::kind(&row.figure).is_some()).collect();
    let of =
        |wanted: Judged| -> Vec<&Row> { known.iter().copied().filter(|row| judged(row) == wanted).collect() };
    let (worse, better) = (of(Judged::Worse), of(Judged::Better));
    let (same, few) = (of(Judged::Same), of(Judged::TooFew));
    let named = |rows: &[&Row]| -> String {
        let each = rows.iter().map(|row| format!("{} ({})", name(row), signed(row.ratio - 1.0)));
        each.collect::<Vec<_>>().join(", ")
    };
    let figures = |rows: &[&Row]| counted(rows.len() as u64, "figure");
    let more = known.iter().filter(|row| matches!(judged(row), Judged::Same | Judged::TooFew));
    let more = more.filter_map(|row| row.more_blocks).max().filter(|more| *more > 0);
    html! {
        strong { (printable(server)) } ": "
        @if known.is_empty() { "there are no figures of both. " }
        @if !worse.is_empty() { (sign(Tone::Bad)) " worse in " (named(&worse)) ". " }
        @if !better.is_empty() { (sign(Tone::Good)) " better in " (named(&better)) ". " }
        @if !same.is_empty() { "No difference that this run can show in " (figures(&same)) ". " }
        @if !few.is_empty() { "Too few to tell in " (figures(&few)) ". " }
        @if let Some(more) = more { (capital(&blocks_more(more))) " would show " (percent(effect)) " in each figure." }
    }
}

/// What a row comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    Better,
    Worse,
    Same,
    TooFew,
}

impl Judged {
    fn tone(self) -> Tone {
        match self {
            Judged::Better => Tone::Good,
            Judged::Worse => Tone::Bad,
            Judged::Same => Tone::Plain,
            Judged::TooFew => Tone::Doubtful,
        }
    }
}

fn judged(row: &Row) -> Judged {
    match row.difference {
        Difference::None => Judged::Same,
        Difference::TooFew => Judged::TooFew,
        Difference::Larger | Difference::Smaller => {
            match figure::kind(&row.figure).is_some_and(|kind| is_worse(kind, row.difference)) {
                true => Judged::Worse,
                false => Judged::Better,
            }
        }
    }
}

/// What a row is called.
fn name(row: &Row) -> String {
    cells(row).map_or_else(|| row.figure.clone(), |[name, ..]| name)
}

fn latencies(result: &ComparisonResult, draw: &mut dyn FnMut(Chart) -> Markup) -> Option<Markup> {
    let about =
        "All valid runs together, without their warm-up. To the right of p99 lies the slowest of a hundred.";
    let drawn: Vec<Markup> = [Metric::Delivery, Metric::Ack]
        .into_iter()
        .filter_map(|metric| {
            let line = |contestant: Contestant<'_>| {
                let all = result.latencies.iter();
                let mut of = all.filter(|one| one.server == contestant.server && one.twin == contestant.twin);
                let series = MetricResult::find(&of.next()?.metrics, metric)?;
                let stroke = if contestant.twin { Stroke::Dotted } else { Stroke::Solid };
                Some(Line {
                    name: contestant.label(),
                    colour: contestant.colour,
                    stroke,
                    points: curve(series)?,
                })
            };
            let lines = contestants(result).into_iter().filter_map(line).collect();
            let title = if metric == Metric::Ack { "Acknowledgement" } else { "Delivery" };
            percentiles(&format!("percentiles-{metric}"), title, about, lines, Vec::new(), draw)
        })
        .collect();
    (!drawn.is_empty()).then(|| html! { @for one in &drawn { (one) } })
}

// --- facts ----------------------------------------------------------------------------------------------------

/// Facts, not estimates: all blocks of a server together.
fn troubles(result: &ComparisonResult) -> Markup {
    let runs = |server: &str| -> Vec<&RunFigures> {
        result.blocks.iter().flat_map(|block| &block.runs).filter(|run| run.server == server).collect()
    };
    let invalid = |server: &str| {
        let all = runs(server);
        all.iter().filter(|run| !matches!(run.status, Status::Passed | Status::Failed)).count()
    };
    let table = Table {
        label: "What went wrong",
        class: None,
        caption: Caption::Quiet(
            "All runs of a server together, those of its second place in each block included",
        ),
        columns: &[Words("Server"), Figure("runs"), Figure("not valid"), Words("what went wrong")],
    };
    table.of(&html! {
        @for server in &result.servers {
            @let found = result.troubles(&server.name);
            @let invalid = invalid(&server.name);
            tr {
                th scope="row" { (printable(&server.name)) }
                td.figure { (count(runs(&server.name).len() as u64)) }
                td.figure { @if invalid > 0 { (sign(Tone::Doubtful)) " " } (count(invalid as u64)) }
                td { (went_wrong(&found)) }
            }
        }
    })
}

fn went_wrong(troubles: &[Trouble]) -> Markup {
    html! {
        @if troubles.is_empty() { (sign(Tone::Good)) " nothing" }
        @for (index, trouble) in troubles.iter().enumerate() {
            @if index > 0 { ", " } @else { (sign(Tone::Bad)) " " }
            (printable(&trouble.what)) " " (count(trouble.count))
        }
    }
}

fn warm_up(result: &ComparisonResult) -> String {
    match result.warm_up_us {
        0 => "no warm-up cut off".to_owned(),
        cut => format!("{} of warm-up cut off", counted(cut.div_ceil(1_000_000), "second")),
    }
}

fn setup(result: &ComparisonResult) -> Markup {
    let text = |value: &str| html! { (printable(value)) };
    let mut scenario: Vec<Fact> = vec![("file", html! { code { (printable(&result.scenario.file)) } })];
    if !result.scenario.hash.is_empty() {
        scenario.push(("SHA-1", html! { code { (printable(&result.scenario.hash)) } }));
    }
    if !result.scenario.overrides.is_empty() {
        scenario.push(("overridden", html! { code { (printable(&result.scenario.overrides.join(" "))) } }));
    }
    scenario.extend([
        ("seed", text(&result.scenario.seed.to_string())),
        ("began", text(&result.started)),
        (
            "blocks",
            text(&format!(
                "{} of {}: in each, every server once and the first one twice, in an order drawn by chance and balanced",
                result.blocks.len(),
                result.blocks_asked
            )),
        ),
        ("warm-up", text(&warm_up(result))),
        (
            "pinning",
            text(match result.pinned {
                true => "the server had one processor, the clients the others",
                false => "none: clients and servers shared the processors",
            }),
        ),
    ]);
    html! {
        div.setup {
            div { h3 { "Scenario and blocks" } (facts(&scenario)) }
            @for server in &result.servers {
                div {
                    h3 { (printable(&server.name)) }
                    @let software = server.software.as_ref().map(|software| ("software", text(software)));
                    (facts(&[("what", html! { code { (printable(&server.what)) } })].into_iter().chain(software).collect::<Vec<Fact>>()))
                }
            }
            div { h3 { "Machine" } (facts(&environment(&result.environment, &result.tool_version))) }
        }
        (blocks::order(result))
    }
}

#[cfg(test)]
mod tests;
