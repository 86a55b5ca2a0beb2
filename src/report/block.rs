//! The document model of all reports. Each kind of result builds its list of blocks once; `render` shows them in a
//! terminal, as a page of HTML and as Markdown.
//!
//! Nothing here is escaped. Names, payloads and sentences come from servers and files; each renderer escapes every text
//! that it writes, in one place.

use maud::Markup;

use super::chart::Chart;
use super::result::WireResult;
pub use super::tone::Tone;

/// How much is shown. A block belongs to every level from the one that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// What decided the verdict: Markdown, and a terminal that was asked to be quiet.
    Little,
    /// What most people want to know: a terminal.
    Usual,
    /// Everything that has a name: a page of HTML, and a terminal that was asked to be verbose.
    Everything,
}

impl Detail {
    /// For who asked to be told little, or everything.
    pub(crate) fn of(quiet: bool, verbose: bool) -> Detail {
        match (quiet, verbose) {
            (true, _) => Detail::Little,
            (_, true) => Detail::Everything,
            _ => Detail::Usual,
        }
    }
}

/// How a piece of text is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// As the text around it. Line breaks are shown as line breaks.
    Plain,
    /// Emphasised.
    Strong,
    /// Less important than the text around it.
    Quiet,
    /// Data that is quoted exactly: a line break is shown as an escape.
    Code,
    /// In the colour of a judgement.
    Toned(Tone),
    /// The sign of a judgement. The word for it stands beside.
    Sign(Tone),
    /// A link to a place on the same page.
    Link(String),
    /// A link to another page of the same site: the name of its file.
    Page(String),
}

/// Text in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub Vec<(String, Style)>);

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::default().plain(text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::default().plain(text)
    }
}

impl Text {
    /// With a further piece in this style.
    pub fn styled(mut self, text: impl Into<String>, style: Style) -> Text {
        self.0.push((text.into(), style));
        self
    }

    /// With further text.
    pub fn plain(self, text: impl Into<String>) -> Text {
        self.styled(text, Style::Plain)
    }

    /// With emphasised text.
    pub fn strong(self, text: impl Into<String>) -> Text {
        self.styled(text, Style::Strong)
    }

    /// With less important text.
    pub fn quiet(self, text: impl Into<String>) -> Text {
        self.styled(text, Style::Quiet)
    }

    /// With data that is quoted exactly.
    pub fn code(self, text: impl Into<String>) -> Text {
        self.styled(text, Style::Code)
    }

    /// With the sign of a judgement and a space behind it.
    pub fn sign(self, tone: Tone) -> Text {
        self.styled(tone.sign(), Style::Sign(tone)).plain(" ")
    }

    /// With all of another text.
    pub fn and(mut self, other: Text) -> Text {
        self.0.extend(other.0);
        self
    }

    /// The texts with something between them.
    pub fn joined(texts: impl IntoIterator<Item = Text>, between: &str) -> Text {
        let mut all = Text::default();
        for (index, text) in texts.into_iter().enumerate() {
            all = if index > 0 { all.plain(between) } else { all };
            all.0.extend(text.0);
        }
        all
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(text, _)| text.is_empty())
    }

    /// The lines of the text: a line break in prose begins a new one, in quoted data it does not.
    pub fn lines(&self) -> Vec<Vec<(&str, &Style)>> {
        let mut lines = vec![Vec::new()];
        for (text, style) in &self.0 {
            let parts: Vec<&str> = match style {
                Style::Code => vec![text],
                _ => text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect(),
            };
            for (index, part) in parts.into_iter().enumerate() {
                if index > 0 {
                    lines.push(Vec::new());
                }
                lines.last_mut().into_iter().for_each(|line| line.push((part, style)));
            }
        }
        lines
    }
}

/// The text is quoted exactly.
pub fn code(text: impl Into<String>) -> Text {
    Text::default().code(text)
}

/// A report about one or several results.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What it is called, where it has a window of its own.
    pub title: String,
    /// The heading, where it is about several results. Of one, the verdict has it.
    pub heading: Option<String>,
    /// The judgement on all of it.
    pub tone: Tone,
    /// The version of sockrates that made the results.
    pub version: String,
    /// What it says.
    pub blocks: Vec<Block>,
}

impl Report {
    /// With another report below it, under a name in the page and a heading.
    pub(crate) fn and_below(mut self, id: &str, heading: &str, other: Report) -> Report {
        self.blocks.push(Block::Fold(Fold {
            id: Some(id.to_owned()),
            summary: Text::default().strong(heading),
            is_open: true,
            is_result: true,
            blocks: other.blocks,
            ..Fold::default()
        }));
        self
    }
}

/// A part of a report.
#[derive(Clone, Debug)]
pub enum Block {
    /// The judgement on one result.
    Verdict(Verdict),
    /// The figures that are asked for first, on a page; elsewhere they are where they belong.
    Cards(Vec<Card>),
    /// Blocks under a heading.
    Section(Section),
    /// Blocks that are opened by who wants to see them.
    Fold(Fold),
    /// Terms, each with its value.
    Facts(Vec<(String, Text)>),
    /// A table.
    Table(Table),
    /// Something that went wrong, with its evidence.
    Finding(Finding),
    /// Sentences, each an item of a list.
    Notes(Vec<Text>),
    /// A paragraph.
    Paragraph(Text),
    /// Drawings, which only a page has.
    Charts(Charts),
    /// How values are distributed, which only a terminal has: a page has curves.
    Bars(Bars),
    /// Controls that choose rows and folds by their [`Filter`], which only a page has: a legend and the words.
    Filters(Vec<(&'static str, Vec<&'static str>)>),
    /// What was run and where, in one line. A page has a section about that.
    Foot(Vec<Text>),
    /// Blocks that are shown from this level of detail on.
    From(Detail, Vec<Block>),
}

/// The judgement on one result.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Its colour.
    pub tone: Tone,
    /// What was judged.
    pub title: String,
    /// The judgement in a word, if there is one.
    pub status: Option<String>,
    /// The judgement in sentences.
    pub sentences: Vec<Text>,
    /// What belongs to it, briefly.
    pub facts: Vec<Text>,
    /// The same, shown with all detail.
    pub more_facts: Vec<Text>,
    /// What was judged, in its author's words, shown with all detail.
    pub about: Option<String>,
    /// Whether a terminal shows it last, because what is above scrolls away.
    pub is_last: bool,
}

/// A figure that is asked for first.
#[derive(Clone, Debug)]
pub struct Card {
    /// What it is.
    pub name: String,
    /// The figure for people.
    pub value: String,
    /// What belongs to it.
    pub notes: Vec<String>,
    /// How it is judged.
    pub tone: Tone,
}

impl Card {
    /// A figure with one note; an empty note is none.
    pub fn new(name: impl Into<String>, value: String, note: impl Into<String>, tone: Tone) -> Card {
        let notes = vec![note.into()].into_iter().filter(|note| !note.is_empty()).collect();
        Card { name: name.into(), value, notes, tone }
    }
}

/// Blocks under a heading.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its name in the page, of letters, digits and dashes; empty for a part of another section.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// Whether its parts stand beside each other where there is room.
    pub is_wide: bool,
    /// What stands under it.
    pub blocks: Vec<Block>,
}

/// Blocks that are opened by who wants to see them.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    /// Its name in the page, if something leads there.
    pub id: Option<String>,
    /// What is always seen.
    pub summary: Text,
    /// A line below that.
    pub subtitle: Option<String>,
    /// Whether it is open from the beginning.
    pub is_open: bool,
    /// Whether it is about a whole result, with its own headings.
    pub is_result: bool,
    /// When a page shows it.
    pub filter: Option<Filter>,
    /// What is inside.
    pub blocks: Vec<Block>,
}

/// By what a row or a fold is chosen on a page.
#[derive(Clone, Debug)]
pub struct Filter {
    /// It is shown where one of these is ticked.
    pub any: Vec<&'static str>,
    /// And where this is ticked.
    pub level: &'static str,
    /// What the search looks at.
    pub words: String,
}

/// A table. The first column names the row.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it is, where it is heard and not seen.
    pub label: String,
    /// A remark above it on a page; empty where there is none.
    pub remark: String,
    /// A class of its own on a page, if it looks like no other.
    pub class: Option<&'static str>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Row>,
}

impl Table {
    /// A table without rows.
    pub fn new(label: impl Into<String>, columns: Vec<Column>) -> Table {
        Table { label: label.into(), columns, ..Table::default() }
    }

    /// With a remark above it.
    pub fn remark(mut self, remark: impl Into<String>) -> Table {
        self.remark = remark.into();
        self
    }

    /// With a class of its own.
    pub fn class(mut self, class: &'static str) -> Table {
        self.class = Some(class);
        self
    }

    /// With these rows.
    pub fn rows(mut self, rows: impl IntoIterator<Item = Row>) -> Table {
        self.rows.extend(rows);
        self
    }
}

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Words.
    Words,
    /// Figures, which stand under each other.
    Figures,
    /// Something drawn, which only a page has.
    Drawings,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// What stands above it.
    pub head: String,
    /// A drawing in the place of that.
    pub drawing: Option<Markup>,
    /// What stands in it.
    pub holds: Holds,
    /// How soon it is left out where a terminal is narrow: the highest first, 0 never.
    pub spare: u8,
    /// From which level of detail it is shown.
    pub detail: Detail,
}

impl Column {
    fn new(head: impl Into<String>, holds: Holds) -> Column {
        Column { head: head.into(), drawing: None, holds, spare: 0, detail: Detail::Little }
    }

    /// A column of words.
    pub fn words(head: impl Into<String>) -> Column {
        Column::new(head, Holds::Words)
    }

    /// A column of figures.
    pub fn figures(head: impl Into<String>) -> Column {
        Column::new(head, Holds::Figures)
    }

    /// A column of drawings.
    pub fn drawings(head: impl Into<String>) -> Column {
        Column::new(head, Holds::Drawings)
    }

    /// Left out where a terminal is narrow, the highest number first.
    pub fn spare(mut self, spare: u8) -> Column {
        self.spare = spare;
        self
    }

    /// Shown from this level of detail on.
    pub fn from(mut self, detail: Detail) -> Column {
        self.detail = detail;
        self
    }
}

/// What a row is to those around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// One of several.
    Usual,
    /// A part of one above.
    Part,
    /// The sum of those above.
    Sum,
}

/// A row of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// A cell for each column; those behind the last one are empty.
    pub cells: Vec<Cell>,
    /// What it is to those around it.
    pub rank: Rank,
    /// From which level of detail it is shown.
    pub detail: Detail,
    /// When a page shows it.
    pub filter: Option<Filter>,
}

impl Row {
    /// A row of these cells.
    pub fn new(cells: impl IntoIterator<Item = Cell>) -> Row {
        Row { cells: cells.into_iter().collect(), rank: Rank::Usual, detail: Detail::Little, filter: None }
    }

    /// A row of these texts.
    pub fn of<T: Into<Text>>(cells: impl IntoIterator<Item = T>) -> Row {
        Row::new(cells.into_iter().map(|text| cell(text)))
    }

    /// With this rank.
    pub fn rank(mut self, rank: Rank) -> Row {
        self.rank = rank;
        self
    }

    /// Shown from this level of detail on.
    pub fn from(mut self, detail: Detail) -> Row {
        self.detail = detail;
        self
    }
}

/// A cell of a table.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// What stands in it.
    pub text: Text,
    /// A remark below that, shown with all detail.
    pub note: String,
    /// What is drawn in it.
    pub drawing: Option<Markup>,
}

/// A cell with this text.
pub fn cell(text: impl Into<Text>) -> Cell {
    Cell { text: text.into(), ..Cell::default() }
}

/// A cell with a drawing.
pub fn drawn(drawing: Markup) -> Cell {
    Cell { drawing: Some(drawing), ..Cell::default() }
}

impl Cell {
    /// With a remark below.
    pub fn note(mut self, note: impl Into<String>) -> Cell {
        self.note = note.into();
        self
    }
}

impl From<Text> for Cell {
    fn from(text: Text) -> Cell {
        cell(text)
    }
}

/// Something that went wrong, with its evidence.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How it is judged.
    pub tone: Tone,
    /// What it is.
    pub what: Text,
    /// The file and the line that demanded otherwise, and that line.
    pub place: Option<(String, u32, String)>,
    /// What was seen, client by client.
    pub evidence: Vec<Evidence>,
    /// Further sentences, each an item of a list.
    pub notes: Vec<Text>,
    /// More of them, shown with all detail, and folded on a page.
    pub more_notes: Vec<Text>,
    /// How many more there are that are not shown.
    pub more: u64,
}

impl Finding {
    /// Something without evidence.
    pub fn new(tone: Tone, what: impl Into<Text>) -> Finding {
        let what = what.into();
        Finding {
            tone,
            what,
            place: None,
            evidence: Vec::new(),
            notes: Vec::new(),
            more_notes: Vec::new(),
            more: 0,
        }
    }
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// At which clients.
    pub clients: Vec<String>,
    /// What was seen there: a term and the data. A single one without a term stands beside the client.
    pub seen: Vec<(&'static str, String)>,
    /// Whose frames those are, where there are several clients.
    pub wire_of: String,
    /// The last frames of a client, the oldest first.
    pub wire: Vec<WireResult>,
    /// From which level of detail those are shown in a terminal.
    pub wire_from: Detail,
}

/// Drawings for a page.
#[derive(Clone, Debug)]
pub enum Charts {
    /// Beside each other where there is room; those over time share tools to zoom.
    Grid(Vec<Chart>, bool),
    /// The same values over two scales, one of which is shown: a name in the page, the logarithmic and the linear one.
    Scales(String, Box<[Chart; 2]>),
}

/// How values are distributed.
#[derive(Clone, Debug)]
pub struct Bars {
    /// What they are.
    pub title: String,
    /// Upper edges in microseconds, and how many values are in each bucket.
    pub buckets: Vec<(u64, u64)>,
    /// How many are beyond the last bucket.
    pub overflow: u64,
    /// Where percentiles lie, in microseconds.
    pub marks: Vec<(&'static str, u64)>,
}

/// A section with a name in the page, or none where there is nothing in it.
pub fn section(id: impl Into<String>, title: impl Into<String>, blocks: Vec<Block>) -> Option<Block> {
    let section = Section { id: id.into(), title: title.into(), is_wide: false, blocks };
    (!section.blocks.is_empty()).then_some(Block::Section(section))
}

/// Blocks under a heading inside of a section.
pub fn part(title: impl Into<String>, blocks: Vec<Block>) -> Block {
    Block::Section(Section { id: String::new(), title: title.into(), is_wide: false, blocks })
}

/// A section whose parts stand beside each other.
pub fn wide(id: impl Into<String>, title: impl Into<String>, blocks: Vec<Block>) -> Block {
    Block::Section(Section { id: id.into(), title: title.into(), is_wide: true, blocks })
}

/// A quiet paragraph for a page: how to read what follows.
pub fn hint(text: impl Into<String>) -> Block {
    Block::From(Detail::Everything, vec![Block::Paragraph(Text::default().quiet(text))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_has_lines_and_quoted_data_has_one() {
        let text = Text::from("a\r\nb").code("c\nd").plain("\n");
        let lines: Vec<String> =
            text.lines().iter().map(|line| line.iter().map(|(text, _)| *text).collect()).collect();
        assert_eq!(lines, ["a", "bc\nd", ""]);
    }
}
