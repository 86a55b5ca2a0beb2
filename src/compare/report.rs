//! The blocks of a report about a comparison: the verdict in words, the ratios, the percentile curves, and each block of
//! runs. What a report about two stored results shares with it is here, too.

mod blocks;
mod diff;
mod forest;
mod headline;
mod trend;

use super::conformance::Conformance;
use super::deaths::Deaths;
use super::demand::is_worse;
use super::figure::{self, Kind};
use super::judge::{Difference, FigureRow as Judged};
use super::result::{Comparison, ComparisonResult, RunFigures, Trouble, UNJUDGED};
use crate::conformance::{Verdict as CaseVerdict, counts};
use crate::measure::format::{count, counted};
use crate::report::block::{
    Block, Cell, Column, Detail, Finding, Report, Row, Table, Text, Tone, Verdict, cell, code, hint, part,
    section, wide,
};
use crate::report::chart::Stroke;
use crate::report::chart::line;
use crate::report::chart::mark::Shape;
use crate::report::result::MetricResult;
use crate::report::run::{curve, environment, percentiles};
use crate::verdict::Status;

use headline::{MOST_MORE, blocks_needed, only_wrong, seems_to_differ, sentences};

pub(crate) use diff::report as diff_report;
pub(crate) use trend::report as trend_report;

/// The colours of the servers. The seventh of the page is grey: that of the twin.
const COLOURS: [usize; 7] = [1, 2, 3, 4, 5, 6, 8];
/// The colour of the twin.
const GREY: usize = 7;
/// The shapes of the servers; that of the twin is a ring.
const SHAPES: [Shape; 5] = [Shape::Disc, Shape::Triangle, Shape::Square, Shape::Diamond, Shape::Cross];

/// The report about this comparison.
pub(crate) fn report(result: &ComparisonResult) -> Report {
    let besides = besides(result);
    let title = title(result);
    let examined = result.conformance.iter().map(|found| conformance(&found.server, found, Vec::new()));
    let ratios =
        besides.iter().flat_map(|beside| forest::blocks(beside, &besides, Design::Blocks, result.effect));
    let mut all = vec![Block::Verdict(verdict(result, &title))];
    all.extend(Deaths::of(result).iter().map(death));
    all.extend(notes(&result.notes));
    all.push(Block::From(
        Detail::Everything,
        section("ratios", "Beside the first server", ratios.collect()).into_iter().collect(),
    ));
    let sections = [
        section("figures", "Figures", figures(&besides, Design::Blocks, result.effect, result.level)),
        section("latency", "Latency by percentile", latencies(result)),
        section("blocks", "Block by block", blocks::blocks(result)),
        section("troubles", "What went wrong", vec![Block::Table(troubles(result))]),
        section("conformance", "Conformance", examined.collect()),
    ];
    all.extend(sections.into_iter().flatten());
    all.push(Block::From(Detail::Everything, vec![setup(result), blocks::order(result)]));
    Report { title, heading: None, tone: Tone::Plain, version: result.tool_version.clone(), blocks: all }
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
    rows: &'a [Judged],
}

impl Beside<'_> {
    /// The blocks under its heading, if it has one.
    fn headed(&self, blocks: Vec<Block>) -> Vec<Block> {
        match &self.heading {
            Some(heading) => vec![part(heading, blocks)],
            None => blocks,
        }
    }
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

fn verdict(result: &ComparisonResult, title: &str) -> Verdict {
    let played = result.finished_blocks();
    let blocks = match played == result.blocks_asked {
        true => counted(played as u64, "block"),
        false => format!("{played} of {}", counted(result.blocks_asked as u64, "block")),
    };
    let seed = format!("seed {}", result.scenario.seed);
    let needed = blocks_needed(result);
    let sentence = |comparison: &Comparison| {
        let name = other(result, comparison);
        let wrong = only_wrong(result, comparison);
        sentences(&name, wrong, &comparison.rows, (result.effect, needed))
    };
    Verdict {
        tone: Tone::Plain,
        title: title.to_owned(),
        status: None,
        sentences: result.comparisons.iter().map(sentence).collect(),
        facts: [result.scenario.name.clone(), blocks, seed, warm_up(result)].map(Text::from).to_vec(),
        more_facts: vec![(&*result.started).into()],
        about: None,
        is_last: false,
    }
}

/// What is to be known beside the figures.
fn notes(notes: &[String]) -> Vec<Block> {
    let finding = |note: &String| Block::Finding(Finding::new(Tone::Doubtful, &**note));
    notes.iter().map(finding).collect()
}

/// A server that ended by itself, with what it printed last.
fn death(deaths: &Deaths<'_>) -> Block {
    let end = deaths.first;
    let words = match &end.output[..] {
        [] => format!("{}.", deaths.sentence()),
        [_] => format!("{}. The last line that it printed:", deaths.sentence()),
        _ => format!("{}. The last lines that it printed:", deaths.sentence()),
    };
    let tone = if deaths.is_failure() { Tone::Bad } else { Tone::Doubtful };
    let notes = end.output.iter().map(|line| Text::default().code(line.as_str())).collect();
    Block::Finding(Finding { notes, ..Finding::new(tone, Text::default().strong(words)) })
}

/// How the second side differs in a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Better,
    Worse,
    Same,
    TooFew,
}

impl Change {
    fn tone(self) -> Tone {
        match self {
            Change::Better => Tone::Good,
            Change::Worse => Tone::Bad,
            Change::Same => Tone::Plain,
            Change::TooFew => Tone::Doubtful,
        }
    }
}

fn outcome(row: &Judged) -> Change {
    match row.difference {
        Difference::None => Change::Same,
        Difference::TooFew => Change::TooFew,
        Difference::Larger | Difference::Smaller => {
            match figure::kind(&row.figure).is_some_and(|kind| is_worse(kind, row.difference)) {
                true => Change::Worse,
                false => Change::Better,
            }
        }
    }
}

/// The judgement on a row in words.
fn judgement(row: &Judged, effect: f64) -> Text {
    let outcome = outcome(row);
    let more = match row.more_blocks {
        Some(more @ 1..=MOST_MORE) => format!("; {} would show {}", blocks_more(more), percent(effect)),
        _ => String::new(),
    };
    let words = match outcome {
        Change::Better => "better".to_owned(),
        Change::Worse => "worse".to_owned(),
        Change::TooFew if seems_to_differ(row, effect) => "seems to differ; too few runs to judge".to_owned(),
        Change::TooFew => "too few runs to judge".to_owned(),
        Change::Same => match row.detectable {
            Some(detectable) => format!("no difference ≥ {}{more}", percent(detectable)),
            None => format!("no difference found{more}"),
        },
    };
    Text::default().sign(outcome.tone()).plain(words)
}

/// What a row is called.
fn name(row: &Judged) -> String {
    figure::kind(&row.figure).map_or_else(|| row.figure.clone(), figure_name)
}

fn figure_name(kind: Kind) -> String {
    match kind.name {
        "cpu" => "CPU per million".to_owned(),
        "memory" => "memory per client".to_owned(),
        name => name.to_owned(),
    }
}

/// `+10.2 %`.
fn signed(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}

fn blocks_more(more: usize) -> String {
    if more == 1 { "1 more block".to_owned() } else { format!("{more} more blocks") }
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 10.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

// --- the figures ----------------------------------------------------------------------------------------------

/// Name, both medians, the difference, its interval, and what the first differs from itself.
fn cells(row: &Judged) -> Option<[String; 6]> {
    let kind = figure::kind(&row.figure)?;
    Some([
        figure_name(kind),
        kind.unit.words(row.first),
        kind.unit.words(row.other),
        signed(row.ratio - 1.0),
        // A single block has no interval.
        match row.pairs {
            0 | 1 => "–".to_owned(),
            _ => format!("{} to {}", signed(row.ratio_low - 1.0), signed(row.ratio_high - 1.0)),
        },
        row.floor.map_or("–".to_owned(), |floor| format!("±{:.1} %", floor * 100.0)),
    ])
}

/// A table for each side beside the first.
fn figures(all: &[Beside<'_>], design: Design, effect: f64, level: f64) -> Vec<Block> {
    let words = match design {
        Design::Blocks => format!(
            "Medians of the blocks. The change is the median of the ratios in each block, the noise what the first server \
             differs from itself. p is how often a server like the first would seem to differ so much, corrected for all \
             figures and servers; {} is the limit.",
            percent(level)
        ),
        Design::Days => "Medians of the runs, and their ratio. The runs are not paired: what differed on the machine is part \
                         of the difference."
            .to_owned(),
    };
    let mut blocks = vec![hint(words)];
    blocks.extend(all.iter().flat_map(|beside| beside.headed(vec![figures_of(beside, design, effect)])));
    blocks
}

fn figures_of(beside: &Beside<'_>, design: Design, effect: f64) -> Block {
    let Beside { first, other, rows, .. } = beside;
    if rows.is_empty() {
        return Block::Paragraph("There are no figures of both.".into());
    }
    let is_blocks = design == Design::Blocks;
    let only_blocks = |column: Column| if is_blocks { vec![column] } else { Vec::new() };
    let mut columns = vec![Column::words("Figure"), Column::figures(*first), Column::figures(&**other)];
    columns.extend([Column::figures("change"), Column::words("95 % interval").spare(2)]);
    columns.extend(only_blocks(Column::figures("noise").spare(3)));
    columns.extend(only_blocks(Column::figures("p").from(Detail::Everything).spare(4)));
    let number = if is_blocks { "blocks" } else { "runs" };
    columns.push(Column::figures(number).from(Detail::Everything).spare(4));
    columns.push(Column::words("judgement"));
    let row = |row: &Judged| {
        let [name, first, other, ratio, interval, noise] = cells(row)?;
        let mut all: Vec<Cell> = [name, first, other, ratio, interval].map(cell).to_vec();
        if is_blocks {
            let p = match row.p {
                None => "–".to_owned(),
                Some(p) if p < 0.001 => "< 0.001".to_owned(),
                Some(p) => format!("{p:.3}"),
            };
            all.extend([cell(noise), cell(p)]);
        }
        all.extend([cell(count(row.pairs as u64)), cell(judgement(row, effect))]);
        Some(Row::new(all))
    };
    let label = format!("Figures of {other} and {first}");
    Block::Table(Table::new(label, columns).rows(rows.iter().filter_map(row)))
}

/// Percentile curves of delivery and acknowledgement. `find` gives the series of a name for each line: its name, its
/// colour, how it is drawn.
fn curves<'m>(
    id: &str,
    of: &str,
    about: &str,
    find: impl Fn(&str) -> Vec<(String, usize, Stroke, &'m MetricResult)>,
) -> Vec<Block> {
    let curves =
        [("delivery", "Delivery"), ("ack", "Acknowledgement")].into_iter().filter_map(|(metric, title)| {
            let series = find(metric).into_iter();
            let lines = series.filter_map(|(name, colour, stroke, series)| {
                Some(line(&name, colour, stroke, curve(series)?))
            });
            percentiles(
                &format!("percentiles-{metric}{id}"),
                &format!("{title}{of}"),
                about,
                lines.collect(),
                Vec::new(),
            )
        });
    curves.collect()
}

fn latencies(result: &ComparisonResult) -> Vec<Block> {
    let about = "All valid runs together, without their warm-up. To the right of p99 are the slowest 1 % of all values.";
    curves("", "", about, |metric| {
        let series = |contestant: Contestant<'_>| {
            let all = result.latencies.iter();
            let of = all.filter(|one| one.server == contestant.server && one.twin == contestant.twin);
            let series = of.flat_map(|one| &one.metrics).find(|one| one.name == metric)?;
            let stroke = if contestant.twin { Stroke::Dotted } else { Stroke::Solid };
            Some((contestant.label(), contestant.colour, stroke, series))
        };
        contestants(result).into_iter().filter_map(series).collect()
    })
}

// --- facts ----------------------------------------------------------------------------------------------------

/// Facts, not estimates: all blocks of a server together.
fn troubles(result: &ComparisonResult) -> Table {
    let columns = vec![
        Column::words("Server"),
        Column::figures("runs"),
        Column::figures("not valid"),
        Column::words("what went wrong"),
    ];
    let rows = result.servers.iter().map(|server| {
        let all = result.blocks.iter().flat_map(|block| &block.runs).filter(|run| run.server == server.name);
        let runs: Vec<&RunFigures> = all.collect();
        let invalid =
            runs.iter().filter(|run| !matches!(run.status, Status::Passed | Status::Failed)).count();
        let sign = if invalid > 0 { Text::default().sign(Tone::Doubtful) } else { Text::default() };
        Row::of([
            (&*server.name).into(),
            count(runs.len() as u64).into(),
            sign.plain(count(invalid as u64)),
            went_wrong(&result.troubles(&server.name)),
        ])
    });
    Table::new("What went wrong", columns)
        .remark("All runs of a server together, those of its second place in each block included")
        .rows(rows)
}

fn went_wrong(troubles: &[Trouble]) -> Text {
    let words: Vec<String> =
        troubles.iter().map(|trouble| format!("{} {}", trouble.what, count(trouble.count))).collect();
    let tone = match troubles {
        [] => return Text::default().sign(Tone::Good).plain("nothing"),
        [Trouble { what, .. }] if what == UNJUDGED => Tone::Doubtful,
        _ => Tone::Bad,
    };
    Text::default().sign(tone).plain(words.join(", "))
}

/// What the suite found about a server, with further sentences.
fn conformance(name: &str, found: &Conformance, more: Vec<Text>) -> Block {
    let tone = match (found.is_kept(), found.summary.judged()) {
        (true, _) => Tone::Good,
        (false, 0) => Tone::Doubtful,
        (false, _) => Tone::Bad,
    };
    let counts = match found.summary.total() {
        0 => "not examined".to_owned(),
        _ => counts(&found.summary),
    };
    let mut notes: Vec<Text> = found.findings.iter().map(|finding| Text::from(&**finding)).collect();
    for verdict in [CaseVerdict::Fail, CaseVerdict::Blocked, CaseVerdict::Warn] {
        let cases = found.cases(verdict);
        if !cases.is_empty() {
            notes.push(Text::default().quiet(format!("{}: ", verdict.name())).plain(cases.join(", ")));
        }
    }
    notes.extend(found.unfinished.iter().map(|why| Text::default().quiet("not finished: ").plain(&**why)));
    notes.extend(more);
    let what = Text::default().strong(name).plain(format!(": {counts}"));
    Block::Finding(Finding { notes, ..Finding::new(tone, what) })
}

fn warm_up(result: &ComparisonResult) -> String {
    match result.warm_up_us {
        0 => "no warm-up cut off".to_owned(),
        cut => format!("{} of warm-up cut off", counted(cut.div_ceil(1_000_000), "second")),
    }
}

fn setup(result: &ComparisonResult) -> Block {
    let fact = |term: &str, value: Text| (term.to_owned(), value);
    let scenario = &result.scenario;
    let mut facts = vec![fact("file", code(&*scenario.file))];
    if !scenario.hash.is_empty() {
        facts.push(fact("SHA-1", code(&*scenario.hash)));
    }
    if !scenario.overrides.is_empty() {
        facts.push(fact("overridden", code(scenario.overrides.join(" "))));
    }
    let blocks = format!(
        "{} of {}: in each, every server once and the first one twice, in a balanced order that was drawn by chance",
        result.finished_blocks(),
        result.blocks_asked
    );
    let pinning = match result.pinned {
        true => "the server had one processor, the clients the others",
        false => "none: clients and servers shared the processors",
    };
    facts.extend([
        fact("seed", scenario.seed.to_string().into()),
        fact("started", (&*result.started).into()),
        fact("blocks", blocks.into()),
        fact("warm-up", warm_up(result).into()),
        fact("pinning", pinning.into()),
    ]);
    let mut parts = vec![part("Scenario and blocks", vec![Block::Facts(facts)])];
    parts.extend(result.servers.iter().map(|server| {
        let software = server.software.as_ref().map(|software| fact("software", (&**software).into()));
        let facts = [fact("what", code(&*server.what))].into_iter().chain(software);
        part(&*server.name, vec![Block::Facts(facts.collect())])
    }));
    parts.push(part("Machine", vec![Block::Facts(environment(&result.environment, &result.tool_version))]));
    wide("setup", "How it was made", parts)
}

#[cfg(test)]
mod tests;
