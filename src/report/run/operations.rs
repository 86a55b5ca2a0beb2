//! What the script did to the server, when, and what of the deliveries was under way meanwhile.

use crate::measure::format::{count, share};
use crate::report::RunResult;
use crate::report::block::{Block, Column, Row, Table, Text, Tone, cell};
use crate::report::result::{DeliveriesResult, DisturbedResult, OperationResult};

use super::micros;

/// The table, where something was done.
pub(super) fn blocks(run: &RunResult) -> Vec<Block> {
    if run.operations.is_empty() {
        return Vec::new();
    }
    let columns = vec![
        Column::words("What"),
        Column::figures("at").spare(1),
        Column::figures("took").spare(2),
        Column::words("outcome"),
    ];
    let row = |done: &OperationResult| {
        let (tone, outcome) = match &done.failure {
            Some(why) => (Tone::Bad, why.clone()),
            None if done.is_under_way => (Tone::Doubtful, "not over at the end of the run".to_owned()),
            None => match &done.needless {
                Some(why) => (Tone::Doubtful, format!("nothing to do: {why}")),
                None => (Tone::Good, "done".to_owned()),
            },
        };
        let name = Text::default().sign(tone).plain(&*done.what);
        let took = micros(done.to_us.saturating_sub(done.from_us));
        Row::new([cell(name), cell(micros(done.from_us)), cell(took), cell(outcome)])
    };
    let table = Table::new("What was done to the server", columns).rows(run.operations.iter().map(row));
    let mut blocks = vec![Block::Table(table)];
    let disturbed: u64 = run.disturbed.iter().map(|span| span.to_us.saturating_sub(span.from_us)).sum();
    if disturbed > 0 {
        let part = share(disturbed as f64 / run.duration_us.max(1) as f64);
        let words = format!("The server was disturbed for {} in all, {part} of the run.", micros(disturbed));
        blocks.push(Block::Paragraph(words.into()));
    }
    if let Some(found) = &run.deliveries {
        blocks.extend(found.disturbed.as_ref().map(|inside| Block::Table(deliveries(found, inside))));
    }
    blocks
}

/// The deliveries outside and inside of the disturbed time.
fn deliveries(found: &DeliveriesResult, inside: &DisturbedResult) -> Table {
    let columns = ["missing", "doubled", "out of order", "leaked", "of"].map(Column::figures);
    let columns = [Column::words("Deliveries")].into_iter().chain(columns).collect();
    let row = |name: &str, figures: [u64; 5], faults_matter: bool| {
        let tone = match figures[..4].iter().sum::<u64>() {
            0 => Tone::Good,
            _ if faults_matter => Tone::Bad,
            _ => Tone::Doubtful,
        };
        let name = cell(Text::default().sign(tone).plain(name));
        Row::new([name].into_iter().chain(figures.map(|figure| cell(count(figure)))))
    };
    let inner = [inside.missing, inside.duplicate, inside.disordered, inside.leaked, inside.expected];
    let all = [found.missing, found.duplicate, found.disordered, found.leaked, found.expected];
    let outer = [0, 1, 2, 3, 4].map(|place| all[place].saturating_sub(inner[place]));
    Table::new("Deliveries outside and inside of the disturbed time", columns)
        .rows([row("outside of disturbances", outer, true), row("inside", inner, false)])
}
