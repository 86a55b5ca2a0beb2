//! Tables in a terminal, laid out by `comfy-table`. Where there is no room, columns that can be spared are left out.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, presets};

use super::{Page, columns as width_of};
use crate::report::block::{Cell, Column, Detail, Holds, Rank, Row, Style, Table, Text};

/// Words need no more columns than that: they are broken.
const WORDS: usize = 20;

/// A list for a terminal and for scripts: no colours, no lines, and nothing behind the last word of a row.
pub(crate) fn list(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(presets::NOTHING).set_header(columns).add_rows(rows);
    drawn.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Writes the table.
pub(super) fn write(page: &mut Page, table: &Table) {
    let rows: Vec<&Row> = table.rows.iter().filter(|row| row.detail <= page.detail).collect();
    if rows.is_empty() {
        return;
    }
    let is_shown = |column: &&Column| column.holds != Holds::Drawings && column.detail <= page.detail;
    let mut chosen: Vec<usize> =
        (0..table.columns.len()).filter(|index| is_shown(&&table.columns[*index])).collect();
    let heads: Vec<String> =
        table.columns.iter().map(|column| page.styled(&Text::default().quiet(&*column.head))).collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| (0..heads.len()).map(|index| cell(page, row, index, row.cells.get(index))).collect())
        .collect();
    let room = usize::from(page.look.width) - page.indent;
    let gap = if page.look.width < 70 { 1 } else { 2 };
    let width = |index: usize| {
        let all = cells.iter().map(|row| &row[index]).chain([&heads[index]]);
        all.flat_map(|cell| cell.split('\n')).map(width_of).max().unwrap_or(0)
    };
    let needed = |index: usize| match table.columns[index].holds {
        Holds::Words if index > 0 => width(index).min(WORDS),
        _ => width(index),
    };
    let fits =
        |chosen: &[usize]| chosen.iter().map(|index| needed(*index) + gap).sum::<usize>() <= room + gap;
    while !fits(&chosen) {
        let spare = chosen.iter().copied().filter(|index| table.columns[*index].spare > 0);
        let Some(least) = spare.max_by_key(|index| table.columns[*index].spare) else { break };
        chosen.retain(|index| *index != least);
    }
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(presets::NOTHING);
    drawn.set_content_arrangement(ContentArrangement::Dynamic);
    drawn.set_width(room as u16);
    if chosen.iter().any(|index| !table.columns[*index].head.is_empty()) {
        drawn.set_header(chosen.iter().map(|index| heads[*index].as_str()));
    }
    for row in &cells {
        drawn.add_row(chosen.iter().map(|index| row[*index].as_str()));
    }
    let is_narrow = !fits(&chosen);
    for (place, column) in drawn.column_iter_mut().enumerate() {
        let holds = table.columns[chosen[place]].holds;
        column.set_padding((if place == 0 { 0 } else { gap as u16 }, 0));
        column.set_cell_alignment(match holds {
            Holds::Figures => CellAlignment::Right,
            _ => CellAlignment::Left,
        });
        if !is_narrow && (holds == Holds::Figures || place == 0) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    for line in drawn.lines() {
        page.row(&line);
    }
}

fn cell(page: &Page, row: &Row, index: usize, cell: Option<&Cell>) -> String {
    let Some(cell) = cell else { return String::new() };
    let mut text = cell.text.clone();
    if row.rank == Rank::Sum {
        text.0
            .iter_mut()
            .filter(|(_, style)| *style == Style::Plain)
            .for_each(|(_, style)| *style = Style::Strong);
    }
    if !cell.note.is_empty() && page.detail == Detail::Everything {
        text = text.quiet(format!("\n{}", cell.note));
    }
    let text = page.styled(&text);
    if row.rank == Rank::Part && index == 0 { format!("  {text}") } else { text }
}
