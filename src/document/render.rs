//! How a mistake in a file is shown: the sentence, the place, the line itself, a caret, a hint.

use std::fmt::Write;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::hidden::Hidden;
use super::{Mistake, Source, Span};
use crate::secrets::HIDDEN;

/// Columns of the file's line that are shown at most.
const SHOWN: usize = 100;

/// Columns that are kept before the caret when the line has to be cut.
const BEFORE: usize = 40;

/// The mistake as it is shown to the user, several lines with a line feed after each.
///
/// Nothing from the file reaches the terminal raw: control characters and those that turn the direction of
/// writing are shown escaped, long lines are cut around the caret, wide characters count as two columns. What is secret in
/// the file stands in no excerpt and in no sentence.
pub fn render(mistake: &Mistake, source: &Source) -> String {
    render_as("error", mistake, source)
}

/// The same for what is no mistake, but may not be meant.
pub fn render_warning(warning: &Mistake, source: &Source) -> String {
    render_as("warning", warning, source)
}

fn render_as(kind: &str, mistake: &Mistake, source: &Source) -> String {
    let Span { line, column, .. } = mistake.span;
    let hidden = Hidden::of(source);
    let mut out = format!("{kind}: {}\n", escaped(&hidden.without(&mistake.message)));
    let text = match line {
        0 => None,
        _ => source.text.lines().nth(line as usize - 1),
    };
    match line {
        0 => writeln!(out, " --> {}", escaped(&source.name)),
        _ => writeln!(out, " --> {}:{line}:{column}", escaped(&source.name)),
    }
    .unwrap_or_default();
    if let Some(text) = text {
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        let (shown, before, carets) = excerpt(text, mistake.span, &hidden.in_line(line, text));
        let underline = format!("{}{}", " ".repeat(before), "^".repeat(carets));
        write!(out, "{margin} |\n{number} | {shown}\n{margin} | {underline}\n").unwrap_or_default();
    }
    if let Some(hint) = &mistake.hint {
        writeln!(out, "help: {}", escaped(&hidden.without(hint))).unwrap_or_default();
    }
    out
}

/// The part of the line to show without these characters of it, the columns before the caret, and the number of carets.
fn excerpt(text: &str, span: Span, secrets: &[Range<usize>]) -> (String, usize, usize) {
    let first = span.column.saturating_sub(1) as usize;
    let last = match span.end_line == span.line {
        true => span.end_column.saturating_sub(1) as usize,
        false => usize::MAX,
    };
    let mut cells: Vec<Cell> = text.trim_end().chars().map(cell).collect();
    let mut first = first.min(cells.len());
    let last = last.clamp(first, cells.len());
    for secret in secrets {
        let end = secret.end.min(cells.len());
        for (index, cell) in cells[..end].iter_mut().enumerate().skip(secret.start) {
            // One cell stands for all.
            let text = if index == secret.start { HIDDEN.to_owned() } else { String::new() };
            *cell = Cell { width: text.len(), text };
        }
        if (secret.start..end).contains(&first) {
            first = secret.start;
        }
    }

    let total: usize = cells.iter().map(|cell| cell.width).sum();
    let mut from = 0;
    if total > SHOWN {
        let mut kept = 0;
        from = first;
        while from > 0 && kept + cells[from - 1].width <= BEFORE {
            from -= 1;
            kept += cells[from].width;
        }
    }
    let mut shown = String::new();
    let mut width = 0;
    if from > 0 {
        shown.push('…');
        width = 1;
    }
    let (mut before, mut carets) = (width, 0);
    for (index, cell) in cells.iter().enumerate().skip(from) {
        if width + cell.width > SHOWN {
            shown.push('…');
            break;
        }
        shown.push_str(&cell.text);
        width += cell.width;
        if index < first {
            before = width;
        } else if index < last {
            carets += cell.width;
        }
    }
    (shown, before, carets.max(1))
}

/// One character as it is shown.
struct Cell {
    text: String,
    width: usize,
}

fn cell(c: char) -> Cell {
    match c.width() {
        Some(width) if !turns_writing(c) => Cell { text: c.to_string(), width },
        _ => {
            let text = c.escape_default().to_string();
            Cell { width: text.len(), text }
        }
    }
}

/// Characters that make a line read other than it is stored.
fn turns_writing(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text with everything a terminal could obey made visible.
fn escaped(text: &str) -> String {
    text.chars().map(|c| cell(c).text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Span) -> String {
        let source = Source { name: "chat.yaml".to_owned(), text: text.to_owned() };
        render(
            &Mistake::new(span, "unknown step `conect`").did_you_mean("conect", ["connect", "emit"]),
            &source,
        )
    }

    fn span(line: u32, column: u32, len: u32) -> Span {
        Span { line, column, end_line: line, end_column: column + len }
    }

    #[test]
    fn a_mistake_shows_sentence_place_line_caret_and_hint() {
        insta::assert_snapshot!(shown("script:\n  - all: conect\n", span(2, 10, 6)), @r"
        error: unknown step `conect`
         --> chat.yaml:2:10
          |
        2 |   - all: conect
          |          ^^^^^^
        help: did you mean `connect`?
        ");
    }

    #[test]
    fn carets_stand_under_wide_characters() {
        insta::assert_snapshot!(shown("漢字: かな conect", span(1, 5, 2)), @r"
        error: unknown step `conect`
         --> chat.yaml:1:5
          |
        1 | 漢字: かな conect
          |       ^^^^
        help: did you mean `connect`?
        ");
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_shown_raw() {
        let text = shown("a: \u{1b}[31m\u{202e}\tx conect", span(1, 13, 6));
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\t'), "{text}");
        assert!(text.contains(r"\u{1b}[31m\u{202e}\tx conect"), "{text}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let line = format!("{}conect{}", "a".repeat(5_000), "b".repeat(5_000));
        let text = shown(&line, span(1, 5_001, 6));
        assert!(text.lines().all(|line| line.chars().count() < 120), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        let caret = lines[4].find('^').unwrap();
        let conect = lines[3].chars().collect::<Vec<_>>()[caret..caret + 6].iter().collect::<String>();
        assert_eq!(conect, "conect");
    }

    #[test]
    fn a_place_past_the_end_of_the_line_still_gets_a_caret() {
        assert!(shown("ab\n", span(1, 3, 0)).contains("  |   ^\n"));
        assert!(shown("ab\n", span(1, 300, 10)).contains("  |   ^\n"));
    }

    #[test]
    fn a_mistake_that_stands_nowhere_names_the_file_alone() {
        assert!(shown("ab\n", Span::default()).starts_with("error: unknown step `conect`\n --> chat.yaml\n"));
    }
}
