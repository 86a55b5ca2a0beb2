//! The blocks of a report about the course of many results: the changes in words, a table and the course of each figure,
//! and the results themselves.

use super::blocks::figure_chart;
use super::{figure_name, notes};
use crate::compare::demand::worse_by;
use crate::compare::figure::Kind;
use crate::compare::trend::{Course, FigureCourse, LevelChange, Point, Trend};
use crate::measure::format::counted;
use crate::report::block::{
    Block, Charts, Column, Detail, Fold, Report, Row, Table, Text, Tone, Verdict, cell, hint, part, section,
};
use crate::report::chart::mark::Shape;
use crate::report::chart::{Band, Chart, Stroke, line};

/// The report about this trend.
pub(crate) fn report(trend: &Trend) -> Report {
    let title = match &trend.courses[..] {
        [only] => only.name.clone(),
        courses => counted(courses.len() as u64, "scenario"),
    };
    let results = trend.courses.iter().map(|course| course.points.len()).max().unwrap_or(0);
    let mut blocks = vec![Block::Verdict(Verdict {
        tone: Tone::Plain,
        title: format!("The course of {title}"),
        status: None,
        sentences: trend.courses.iter().map(sentence).collect(),
        facts: vec![counted(results as u64, "result").into()],
        more_facts: Vec::new(),
        about: None,
        is_last: false,
    })];
    blocks.extend(notes(&trend.notes));
    let of_each = |tell: fn(&Course) -> Vec<Block>| {
        let each = trend.courses.iter().map(|course| match trend.courses.len() {
            1 => tell(course),
            _ => vec![part(&course.name, tell(course))],
        });
        each.flatten().collect::<Vec<_>>()
    };
    let about = "A change is a point at which the level of a figure changes, with at least four results on either side. It is \
                 found by a test over all orders of the results, corrected for the number of figures. The interval holds \
                 the ratio of the medians in 95 % of cases.";
    let figures = [vec![hint(about)], of_each(figures)].concat();
    blocks.extend(section("figures", "Figures", figures));
    let words =
        "Each result is a dot, the oldest to the left. Where the level changed, a new stretch begins.";
    blocks.extend(section(
        "course",
        "The course of each figure",
        [vec![hint(words)], of_each(charts)].concat(),
    ));
    let results = section("results", "Results", of_each(results_of));
    blocks.push(Block::From(Detail::Everything, results.into_iter().collect()));
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Report { title: format!("The course of {title}"), heading: None, tone: Tone::Plain, version, blocks }
}

/// The changes of all figures, the newest first.
fn sentence(course: &Course) -> Text {
    let mut all: Vec<(&FigureCourse, &LevelChange)> = course
        .figures
        .iter()
        .flat_map(|figure| figure.changes.iter().map(move |change| (figure, change)))
        .collect();
    all.sort_by_key(|(_, change)| std::cmp::Reverse(change.at));
    let name = Text::default().strong(format!("{}: ", course.name));
    if all.is_empty() {
        return name.plain("no figure shows a change.");
    }
    let each = all.iter().map(|(figure, change)| {
        let name = figure.kind().map(figure_name).unwrap_or_default();
        Text::from(format!("{name} {}", in_words(figure, change, &course.points)))
    });
    name.and(Text::joined(each, "; ")).plain(".")
}

/// `worse by 12 % (9 to 15 %) from abc123 on, 99.8 % sure`.
fn in_words(figure: &FigureCourse, change: &LevelChange, points: &[Point]) -> String {
    let worse = |ratio: f64| figure.kind().map_or(0.0, |kind| worse_by(kind, ratio));
    let by = worse(change.after / change.before);
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    let interval = change.ratio.map_or_else(String::new, |ratio| {
        let ends = [worse(ratio.low) * by.signum(), worse(ratio.high) * by.signum()];
        format!(" ({} to {} %)", percent(ends[0].min(ends[1])), percent(ends[0].max(ends[1])))
    });
    format!(
        "{} by {} %{interval} from {} on, {} % sure",
        if by > 0.0 { "worse" } else { "better" },
        percent(by.abs()),
        points[change.at].label,
        percent(change.confidence),
    )
}

fn figures(course: &Course) -> Vec<Block> {
    let columns = vec![
        Column::words("Figure"),
        Column::figures("newest"),
        Column::figures("last good before"),
        Column::figures("results").spare(2),
        Column::words("changes, the newest first"),
    ];
    let row = |figure: &FigureCourse| {
        let kind = figure.kind()?;
        let newest = figure.newest(&course.points);
        let words = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| kind.unit.words(value));
        let changes =
            figure.changes.iter().rev().map(|change| Text::from(in_words(figure, change, &course.points)));
        let changes = Text::joined(changes, "\n");
        Some(Row::new([
            cell(figure_name(kind)),
            cell(words(newest.map(|newest| newest.value))),
            cell(words(newest.and_then(|newest| newest.good).map(|(_, value)| value))),
            cell(figure.values.len().to_string()),
            cell(if changes.is_empty() { "none shown".into() } else { changes }),
        ]))
    };
    let table = Table::new(format!("Figures of {}", course.name), columns);
    vec![Block::Table(table.rows(course.figures.iter().filter_map(row)))]
}

fn charts(course: &Course) -> Vec<Block> {
    let charts: Vec<Chart> =
        course.figures.iter().filter_map(|figure| chart(course, figure, figure.kind()?)).collect();
    if charts.is_empty() { Vec::new() } else { vec![Block::Charts(Charts::Grid(charts, false))] }
}

fn chart(course: &Course, figure: &FigureCourse, kind: Kind) -> Option<Chart> {
    let dots = figure.values.iter().map(|(place, value)| ((place + 1) as f64, Some(*value))).collect();
    let lines = vec![line(&figure_name(kind), 1, Stroke::Marks(Shape::Disc), dots)];
    let places = course.points.len();
    let starts = figure.changes.iter().map(|change| change.at as f64 + 0.5);
    let ends = starts.clone().skip(1).chain([(places + 1) as f64]);
    let names = figure.changes.iter().map(|change| course.points[change.at].label.clone());
    let bands = names.zip(starts.zip(ends)).map(|(name, (from, to))| Band { name, from, to }).collect();
    figure_chart(&format!("trend-{}", course.name), kind, lines, places, bands)
}

/// The results, the newest first.
fn results_of(course: &Course) -> Vec<Block> {
    let columns = vec![
        Column::figures("Result"),
        Column::words("label"),
        Column::words("started"),
        Column::words("outcome"),
    ];
    let row = |(place, point): (usize, &Point)| {
        let outcome = if point.is_good { "good" } else { "something failed" };
        Row::of([(place + 1).to_string(), point.label.clone(), point.started.clone(), outcome.to_owned()])
    };
    let rows: Vec<Row> = course.points.iter().enumerate().rev().map(row).collect();
    vec![Block::Fold(Fold {
        summary: counted(course.points.len() as u64, "result").into(),
        blocks: vec![Block::Table(Table::new(format!("Results of {}", course.name), columns).rows(rows))],
        ..Fold::default()
    })]
}
