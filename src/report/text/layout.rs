//! Lines of a limited width, in tones that become colours where colours are wanted.

use owo_colors::{OwoColorize, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Look;

const LEAST: usize = 40;

/// A blank at which no line is broken.
pub(crate) const GLUE: char = '\u{a0}';

/// The facts with dots between them, so that lines are broken between facts and, if they are short, only there.
pub(crate) fn listed(facts: &[String]) -> String {
    let glued = |fact: &String| match fact.chars().count() {
        0..=30 => fact.replace(' ', &GLUE.to_string()),
        _ => fact.clone(),
    };
    facts.iter().map(glued).collect::<Vec<_>>().join(&format!("{GLUE}· "))
}

/// What a piece of text is, which decides how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Doubtful,
    Bar,
}

/// A piece of text and its tone. The text holds nothing that a terminal obeys.
pub(crate) type Piece<'a> = (&'a str, Tone);

/// The page under construction.
pub(crate) struct Page {
    text: String,
    width: usize,
    colour: bool,
}

impl Page {
    pub(crate) fn new(look: Look) -> Self {
        Self { text: String::new(), width: usize::from(look.width).max(LEAST), colour: look.colour }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// An empty line and a heading.
    pub(crate) fn heading(&mut self, text: &str) {
        self.gap();
        self.row(&[(text, Tone::Strong)]);
    }

    /// One line, cut at the width with an ellipsis, without blanks at its end.
    pub(crate) fn row(&mut self, pieces: &[Piece<'_>]) {
        let total = visible(pieces);
        // The last column is for the ellipsis.
        let mut left = if total > self.width { self.width - 1 } else { total };
        for (text, tone) in pieces {
            let (shown, _) = split(text, left);
            left -= columns(shown);
            self.paint(shown, *tone);
        }
        self.text.push_str(if total > self.width { "…\n" } else { "\n" });
    }

    /// Text over as many lines as it needs, broken at spaces where there are some (but not at [`GLUE`]); the first
    /// line begins with `first`, the others with `next`.
    pub(crate) fn wrapped(&mut self, first: &str, next: &str, pieces: &[Piece<'_>]) {
        let indent = columns(next).min(self.width / 2);
        let (next, _) = split(next, indent);
        let mut column = columns(first);
        let mut is_start = true;
        let mut blanks = 0;
        self.text.push_str(first);
        for (word, tone) in pieces.iter().flat_map(|(text, tone)| words(text).map(|word| (word, *tone))) {
            let mut word = word;
            let mut length = columns(word.trim_end_matches(' '));
            if column + blanks + length > self.width && !is_start {
                self.text.push('\n');
                self.text.push_str(next);
                (column, blanks, is_start) = (indent, 0, true);
            }
            // A word longer than a line is broken anywhere.
            while column + blanks + length > self.width {
                let (head, tail) = split(word, self.width - column - blanks);
                self.text.push_str(&" ".repeat(blanks));
                self.paint(head, tone);
                self.text.push('\n');
                self.text.push_str(next);
                (column, blanks, word) = (indent, 0, tail);
                length = columns(word.trim_end_matches(' '));
            }
            let shown = word.trim_end_matches(' ');
            if !shown.is_empty() {
                self.text.push_str(&" ".repeat(blanks));
                self.paint(shown, tone);
                column += blanks + length;
                (blanks, is_start) = (0, false);
            }
            blanks += word.len() - shown.len();
        }
        self.text.push('\n');
    }

    fn paint(&mut self, text: &str, tone: Tone) {
        let style = match tone {
            Tone::Plain => Style::new(),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Good => Style::new().green(),
            Tone::Bad => Style::new().red().bold(),
            Tone::Doubtful => Style::new().yellow(),
            Tone::Bar => Style::new().cyan(),
        };
        let text = text.replace(GLUE, " ");
        match self.colour && tone != Tone::Plain && !text.is_empty() {
            true => self.text.push_str(&text.style(style).to_string()),
            false => self.text.push_str(&text),
        }
    }
}

/// How many characters of these pieces are left when blanks at the end are not shown.
fn visible(pieces: &[Piece<'_>]) -> usize {
    let total: usize = pieces.iter().map(|(text, _)| columns(text)).sum();
    let mut blanks = 0;
    for (text, _) in pieces.iter().rev() {
        let shown = text.trim_end_matches(' ');
        blanks += text.len() - shown.len();
        if !shown.is_empty() {
            break;
        }
    }
    total - blanks
}

/// The words of a text, each with the spaces behind it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

/// As much of the text as has room in `width` columns, and the rest.
fn split(text: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    let too_much = |(_, character): &(usize, char)| {
        used += character.width().unwrap_or(0);
        used > width
    };
    text.split_at(text.char_indices().find(too_much).map_or(text.len(), |(index, _)| index))
}

/// How many columns of the terminal the text takes: Chinese characters and most emoji take two each.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The text with blanks behind it up to so many columns.
pub(crate) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(width: u16, pieces: &[Piece<'_>]) -> String {
        let mut page = Page::new(Look { width, colour: false });
        page.wrapped("- ", "  ", pieces);
        page.finish()
    }

    #[test]
    fn long_text_is_broken_at_spaces_and_never_wider_than_the_page() {
        let text = "one two three four five six seven nine ten eleven twelve";
        assert_eq!(
            wrapped(40, &[(text, Tone::Plain)]),
            "- one two three four five six seven nine\n  ten eleven twelve\n"
        );
    }

    #[test]
    fn a_word_longer_than_a_line_is_broken_anywhere() {
        let long = "x".repeat(90);
        let text = wrapped(40, &[("see ", Tone::Plain), (&long, Tone::Plain)]);
        assert!(text.lines().all(|line| columns(line) <= 40), "{text}");
        assert_eq!(text.matches('x').count(), 90);
    }

    #[test]
    fn wide_characters_count_as_the_two_columns_that_they_take() {
        let text = wrapped(40, &[(&"世界🎉".repeat(20), Tone::Plain)]);
        assert!(text.lines().all(|line| columns(line) <= 40), "{text}");
        assert_eq!(text.matches('界').count(), 20);
        assert_eq!(columns(&padded("世界", 6)), 6);
    }

    #[test]
    fn facts_are_broken_between_them() {
        let facts = ["12 of 12 connects", "30 events sent", "linux"].map(str::to_owned);
        assert_eq!(
            wrapped(40, &[(&listed(&facts), Tone::Plain)]),
            "- 12 of 12 connects · 30 events sent ·\n  linux\n"
        );
    }

    #[test]
    fn no_line_ends_with_blanks_in_any_tone() {
        let mut page = Page::new(Look { width: 40, colour: true });
        page.row(&[("a  ", Tone::Bad), ("   ", Tone::Good), ("", Tone::Bad)]);
        page.wrapped("", "", &[("b ", Tone::Bad), (&"c ".repeat(30), Tone::Faint)]);
        let text = super::super::tests::without_colours(&page.finish());
        assert!(text.lines().all(|line| line == line.trim_end()), "{text:?}");
        assert_eq!(text.matches('c').count(), 30);
    }

    #[test]
    fn a_row_is_cut_with_an_ellipsis() {
        let mut page = Page::new(Look { width: 40, colour: false });
        page.row(&[(&"a".repeat(30), Tone::Plain), (&"b".repeat(11), Tone::Plain)]);
        page.row(&[(&"a".repeat(30), Tone::Plain), (&"b".repeat(10), Tone::Plain)]);
        let text = page.finish();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                format!("{}{}…", "a".repeat(30), "b".repeat(9)),
                format!("{}{}", "a".repeat(30), "b".repeat(10))
            ]
        );
    }

    #[test]
    fn colour_changes_no_character() {
        let mut page = Page::new(Look { width: 60, colour: true });
        page.row(&[("bad", Tone::Bad), (" and ", Tone::Plain), ("good", Tone::Good)]);
        let text = page.finish();
        assert!(text.contains("\u{1b}["));
        assert_eq!(super::super::tests::without_colours(&text), "bad and good\n");
    }
}
