//! A report as text for a terminal: lines of a limited width, in tones that become colours where colours are wanted.
//!
//! It knows the width and whether to colour, and nothing else of the terminal. Everything that a terminal would obey is
//! escaped ([`printable`]).

mod bars;
mod table;

use owo_colors::{OwoColorize, Style as Paint};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

pub(crate) use table::list;

use crate::measure::format::{count, printable};
use crate::report::block::{
    Block, Detail, Evidence, Finding, Fold, Report, Section, Style, Text, Tone, Verdict,
};

/// Columns that a terminal has at least.
const LEAST: u16 = 40;

/// A blank at which no line is broken.
const GLUE: char = '\u{a0}';

/// For whom to render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal. Less than 40 is taken as 40.
    pub width: u16,
    /// Whether to write ANSI colours.
    pub colour: bool,
}

/// The report, as far as it is shown at this level of detail.
pub fn terminal(report: &Report, look: Look, detail: Detail) -> String {
    let heading = report.heading.iter().map(|heading| Block::Paragraph(Text::default().strong(heading)));
    let blocks: Vec<Block> = heading.chain(report.blocks.iter().cloned()).collect();
    terminal_blocks(&blocks, look, detail)
}

/// The same of blocks without a report around them.
pub fn terminal_blocks(blocks: &[Block], look: Look, detail: Detail) -> String {
    let mut page = Page::new(look, detail);
    page.blocks(blocks);
    page.text.trim_start_matches('\n').replace(GLUE, " ")
}

struct Page {
    text: String,
    look: Look,
    detail: Detail,
    /// Columns before each line.
    indent: usize,
}

impl Page {
    fn new(look: Look, detail: Detail) -> Page {
        let look = Look { width: look.width.max(LEAST), ..look };
        Page { text: String::new(), look, detail, indent: 0 }
    }

    fn blocks(&mut self, blocks: &[Block]) {
        let is_last = |block: &&Block| matches!(block, Block::Verdict(Verdict { is_last: true, .. }));
        blocks.iter().filter(|block| !is_last(block)).for_each(|block| self.block(block));
        blocks.iter().filter(is_last).for_each(|block| self.block(block));
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Verdict(found) => self.verdict(found),
            Block::Section(section) => self.section(section),
            Block::Fold(fold) => self.fold(fold),
            Block::Facts(facts) => self.facts(facts),
            Block::Table(table) => table::write(self, table),
            Block::Finding(finding) => self.finding(finding),
            Block::Notes(notes) => notes.iter().for_each(|note| self.wrapped("", "  ", note)),
            Block::Paragraph(text) => self.wrapped("", "  ", text),
            Block::Bars(bars) => bars::write(self, bars),
            Block::Foot(facts) => {
                self.text.push('\n');
                self.wrapped("", "", &faint(&listed(facts)));
            }
            Block::Cards(_) | Block::Charts(_) | Block::Filters(_) => {}
            Block::From(least, blocks) if self.detail >= *least => self.blocks(blocks),
            Block::From(..) => {}
        }
    }

    fn verdict(&mut self, found: &Verdict) {
        let is_full = self.detail == Detail::Everything;
        let more = found.more_facts.iter().filter(|_| is_full);
        let mut facts: Vec<Text> = found.facts.iter().chain(more).cloned().collect();
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        match &found.status {
            Some(status) => {
                let head = format!("{} {status}", found.tone.sign());
                let sentence = Text::joined(found.sentences.iter().cloned(), " ");
                let text = Text::default().styled(head, Style::Toned(found.tone)).plain(": ").and(sentence);
                self.wrapped("", "  ", &text);
                facts.insert(0, Text::from(&*found.title));
            }
            None => {
                self.wrapped("", "  ", &Text::default().strong(&found.title));
                found.sentences.iter().for_each(|sentence| self.wrapped("  ", "  ", sentence));
            }
        }
        if !facts.is_empty() {
            self.wrapped("  ", "  ", &faint(&listed(&facts)));
        }
        if let Some(about) = found.about.as_ref().filter(|_| is_full) {
            self.wrapped("  ", "  ", &Text::from(about.trim_end()));
        }
    }

    /// The heading and what is below it; nothing, if nothing is.
    fn section(&mut self, section: &Section) {
        let before = self.text.len();
        self.text.push('\n');
        self.wrapped("", "", &Text::default().strong(&section.title));
        let without = self.text.len();
        let is_top = !section.id.is_empty() || self.indent == 0;
        self.indent += if is_top { 2 } else { 0 };
        self.blocks(&section.blocks);
        self.indent -= if is_top { 2 } else { 0 };
        if self.text.len() == without {
            self.text.truncate(before);
        }
    }

    fn fold(&mut self, fold: &Fold) {
        // The verdict of a result says what its summary does.
        if fold.is_result {
            return self.blocks(&fold.blocks);
        }
        if fold.filter.is_some() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        self.wrapped("", "  ", &fold.summary);
        self.indent += 2;
        if let Some(subtitle) = &fold.subtitle {
            self.wrapped("", "", &Text::from(&**subtitle));
        }
        self.blocks(&fold.blocks);
        self.indent -= 2;
    }

    fn facts(&mut self, facts: &[(String, Text)]) {
        let width = facts.iter().map(|(term, _)| columns(&printable(term))).max().unwrap_or(0).min(30);
        for (term, value) in facts {
            let term = format!("{}  ", padded(&printable(term), width)).replace(' ', &GLUE.to_string());
            let under = " ".repeat(width + 2);
            self.wrapped("", &under, &Text::default().quiet(term).and(value.clone()));
        }
    }

    fn finding(&mut self, finding: &Finding) {
        self.wrapped("", "  ", &Text::default().sign(finding.tone).and(finding.what.clone()));
        self.indent += 2;
        if let Some((file, line, source)) = &finding.place {
            self.wrapped("", "", &Text::default().quiet(super::place(file, *line)));
            if !source.trim().is_empty() {
                let text = Text::default().quiet(format!("{line:>4} │ ")).code(source.trim());
                self.row(&self.styled(&text));
            }
        }
        finding.evidence.iter().for_each(|one| self.evidence(one));
        let is_full = self.detail == Detail::Everything;
        let more = finding.more_notes.iter().filter(|_| is_full);
        finding.notes.iter().chain(more).for_each(|note| self.wrapped("", "  ", note));
        if finding.more > 0 {
            self.wrapped("", "", &Text::default().quiet(format!("and {} more", count(finding.more))));
        }
        self.indent -= 2;
    }

    fn evidence(&mut self, evidence: &Evidence) {
        let clients = evidence.clients.join(", ");
        let is_brief = matches!(&evidence.seen[..], [("", _)]);
        match &evidence.seen[..] {
            [("", detail)] => {
                self.wrapped("", "  ", &Text::default().quiet(format!("{clients}: ")).code(detail))
            }
            _ => self.wrapped("", "  ", &Text::default().strong(clients)),
        }
        self.indent += 2;
        for (term, data) in evidence.seen.iter().filter(|_| !is_brief) {
            let term = format!("{term:<10}").replace(' ', &GLUE.to_string());
            self.wrapped("", &" ".repeat(10), &Text::default().quiet(term).code(data));
        }
        let is_several = evidence.clients.len() > 1;
        let frames = if self.detail >= evidence.wire_from { &evidence.wire[..] } else { &[] };
        for (index, frame) in frames.iter().enumerate() {
            if index == 0 && is_several {
                let of = Text::default().quiet(format!("wire      of {}", evidence.wire_of));
                self.row(&self.styled(&of));
            }
            let label = if index == 0 && !is_several { "wire" } else { "" };
            let arrow = if frame.sent { "→" } else { "←" };
            let at = frame.at_us as f64 / 1e6;
            let label = format!("{label:<10}{at:.3} s {arrow} ");
            self.row(&self.styled(&Text::default().quiet(label).code(&frame.text)));
        }
        self.indent -= 2;
    }

    /// Text over as many lines as it needs, broken at spaces where there are some; the first begins with `first`, the
    /// others with `next`. A line of the text begins a line here.
    fn wrapped(&mut self, first: &str, next: &str, text: &Text) {
        let indent = " ".repeat(self.indent);
        let (first, next) = (format!("{indent}{first}"), format!("{indent}{next}"));
        // A figure stays together with its sign.
        let styled = self.styled(text).replace(" %", "\u{a0}%");
        for (index, line) in styled.split('\n').enumerate() {
            let options = Options::new(usize::from(self.look.width))
                .initial_indent(if index == 0 { &first } else { &next })
                .subsequent_indent(&next)
                .word_separator(WordSeparator::AsciiSpace)
                .word_splitter(WordSplitter::NoHyphenation)
                .wrap_algorithm(WrapAlgorithm::FirstFit);
            for line in textwrap::wrap(line, options) {
                self.text.push_str(line.trim_end_matches(' '));
                self.text.push('\n');
            }
        }
    }

    /// One line, cut at the width with an ellipsis, without blanks at its end.
    fn row(&mut self, styled: &str) {
        let line = format!("{}{}", " ".repeat(self.indent), styled.trim_end_matches(' '));
        self.text.push_str(&cut(&line, usize::from(self.look.width)));
        self.text.push('\n');
    }

    /// The text with its colours. Line breaks of prose are left in it, everything else that a terminal obeys is escaped.
    fn styled(&self, text: &Text) -> String {
        let line = |line: Vec<(&str, &Style)>| -> String {
            line.into_iter().map(|(text, style)| self.painted(&printable(text), style)).collect()
        };
        text.lines().into_iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Blanks around the text stay outside of the colour, so that they can be taken away.
    fn painted(&self, text: &str, style: &Style) -> String {
        let paint = match style {
            Style::Plain | Style::Code | Style::Link(_) | Style::Page(_) => return text.to_owned(),
            Style::Strong => Paint::new().bold(),
            Style::Quiet => Paint::new().dimmed(),
            Style::Sign(tone) | Style::Toned(tone) => match tone {
                Tone::Good => Paint::new().green(),
                Tone::Bad => Paint::new().red().bold(),
                Tone::Doubtful => Paint::new().yellow(),
                Tone::Plain => return text.to_owned(),
            },
        };
        let inner = text.trim_matches([' ', GLUE]);
        if !self.look.colour || inner.is_empty() {
            return text.to_owned();
        }
        let start = text.len() - text.trim_start_matches([' ', GLUE]).len();
        format!("{}{}{}", &text[..start], inner.style(paint), &text[start + inner.len()..])
    }
}

/// The facts with dots between them, so that lines are broken between facts and, if they are short, only there.
fn listed(facts: &[Text]) -> Text {
    let glued = |fact: &Text| {
        let length: usize = fact.0.iter().map(|(text, _)| text.chars().count()).sum();
        let piece = |(text, style): &(String, Style)| match length {
            0..=30 => (text.replace(' ', &GLUE.to_string()), style.clone()),
            _ => (text.clone(), style.clone()),
        };
        Text(fact.0.iter().map(piece).collect())
    };
    Text::joined(facts.iter().map(glued), &format!("{GLUE}· "))
}

/// The same text, less important wherever it has no style of its own.
fn faint(text: &Text) -> Text {
    let quiet = |style: &Style| if *style == Style::Plain { Style::Quiet } else { style.clone() };
    Text(text.0.iter().map(|(text, style)| (text.clone(), quiet(style))).collect())
}

/// How many columns of the terminal the text takes: Chinese characters and most emoji take two each, colours none.
fn columns(text: &str) -> usize {
    textwrap::core::display_width(text)
}

/// The text with blanks behind it up to so many columns.
fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The line, or as much of it as has room, with an ellipsis. Colours that were begun are ended.
fn cut(line: &str, width: usize) -> String {
    if columns(line) <= width {
        return line.to_owned();
    }
    // Room for the ellipsis.
    let kept = textwrap::core::break_words([textwrap::core::Word::from(line)], width - 1);
    let kept = kept.first().map_or("", |word| word.word);
    let end = if kept.contains('\u{1b}') { "\u{1b}[0m" } else { "" };
    format!("{kept}{end}…")
}

#[cfg(test)]
mod tests;
