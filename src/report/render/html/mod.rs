//! A report as one page of HTML, whole in itself: it needs no network, and nothing essential needs its script.
//!
//! The frame is `page`. Every text goes through `maud`, which escapes it, and through [`printable`], which shows what would
//! be invisible or turn the reading direction.

mod frame;
mod page;

use maud::{Markup, html};
use serde_json::Value;

pub use frame::frame;

use super::place;
use crate::measure::format::{capital, count, printable};
use crate::report::block::{
    Block, Card, Charts, Column, Evidence, Filter, Finding, Fold, Holds, Rank, Report, Row, Section, Style,
    Table, Text, Tone, Verdict,
};
use crate::report::chart::Chart;
use crate::report::result::WireResult;

/// The page.
pub fn html(report: &Report) -> String {
    render(report, false)
}

/// A page of a site, which has its style and its script in common with the others ([`assets_of_site`]).
pub(crate) fn page_of_site(report: &Report) -> String {
    render(report, true)
}

/// The files that the pages of a site have in common: their names and their texts.
pub(crate) fn assets_of_site() -> [(&'static str, &'static str); 2] {
    [(page::STYLE_FILE, page::STYLE), (page::SCRIPT_FILE, page::SCRIPT)]
}

fn render(report: &Report, is_of_site: bool) -> String {
    let mut writer = Writer { charts: Vec::new(), is_inside: false };
    let blocks = writer.blocks(&report.blocks, if report.heading.is_some() { 2 } else { 1 });
    let body = html! {
        @if let Some(words) = &report.heading { h1 { (printable(words)) } }
        (blocks)
    };
    let mut places = Vec::new();
    find_places(&report.blocks, &mut places);
    page::Page { report, places, body, charts: writer.charts, is_of_site }.render()
}

/// Where one can go from the list beside the page.
fn find_places<'r>(blocks: &'r [Block], places: &mut Vec<(&'r str, String)>) {
    for block in blocks {
        match block {
            Block::Section(section) => places.push((&section.id, section.title.clone())),
            Block::Fold(Fold { id: Some(id), is_result: true, summary, .. }) => {
                places.push((id, name(summary).to_owned()));
            }
            Block::From(_, blocks) => find_places(blocks, places),
            _ => {}
        }
    }
}

/// What a summary is about: its first emphasised words.
fn name(summary: &Text) -> &str {
    summary.0.iter().find(|(_, style)| *style == Style::Strong).map_or("", |(text, _)| text)
}

fn text(text: &Text) -> Markup {
    html! {
        @for (index, line) in text.lines().into_iter().enumerate() {
            @if index > 0 { br; }
            @for (text, style) in line { (span(text, style)) }
        }
    }
}

fn span(text: &str, style: &Style) -> Markup {
    let text = printable(text);
    html! {
        @match style {
            Style::Plain => (text),
            Style::Strong => strong { (text) },
            Style::Quiet => span.quiet { (text) },
            Style::Code => code { (text) },
            Style::Toned(tone) => span class={ "told " (tone.class()) } { (text) },
            Style::Sign(tone) => span class={ "sign " (tone.class()) } aria-hidden="true" { (text) },
            Style::Link(id) => a href={ "#" (id) } { (text) },
            Style::Page(file) => a href=(file) { (text) },
        }
    }
}

fn heading(level: u8, id: Option<&str>, words: &str) -> Markup {
    let words = printable(words);
    html! {
        @match level {
            1 => h1 id=[id] { (words) },
            2 => h2 id=[id] { (words) },
            3 => h3 id=[id] { (words) },
            _ => h4 id=[id] { (words) },
        }
    }
}

struct Writer {
    /// What the script gets to know of each chart.
    charts: Vec<Value>,
    /// Whether this is inside of one of several results, so that its sections are below its heading.
    is_inside: bool,
}

impl Writer {
    /// The blocks, with headings of this level for a verdict, and sections one below.
    fn blocks(&mut self, blocks: &[Block], level: u8) -> Markup {
        let all: Vec<Markup> = blocks.iter().map(|block| self.block(block, level)).collect();
        html! { @for one in &all { (one) } }
    }

    fn block(&mut self, block: &Block, level: u8) -> Markup {
        match block {
            Block::Verdict(found) => verdict(found, level),
            Block::Cards(all) => cards(all),
            Block::Section(section) => self.section(section, level),
            Block::Fold(fold) => self.fold(fold, level),
            Block::Facts(all) => facts(all),
            Block::Table(one) => table(one),
            Block::Finding(one) => finding(one),
            Block::Notes(notes) => html! { ul.stories { @for note in notes { li { (text(note)) } } } },
            Block::Paragraph(words) => {
                let is_quiet = words.0.iter().all(|(_, style)| *style == Style::Quiet);
                html! { p class=[is_quiet.then_some("quiet")] { (text(words)) } }
            }
            Block::Charts(charts) => self.draw_all(charts),
            Block::Filters(filters) => filter_controls(filters),
            Block::Bars(_) | Block::Foot(_) => Markup::default(),
            Block::From(_, blocks) => self.blocks(blocks, level),
        }
    }

    fn section(&mut self, section: &Section, level: u8) -> Markup {
        let Section { id, title, is_wide, blocks } = section;
        let own = match (id.is_empty(), self.is_inside) {
            (true, _) => level,
            (false, true) => level + 1,
            (false, false) => level.max(2),
        };
        let all: Vec<Markup> = blocks.iter().map(|block| self.block(block, own + 1)).collect();
        let body = html! {
            @match is_wide {
                true => div.setup { @for one in &all { div { (one) } } },
                false => @for one in &all { (one) },
            }
        };
        match id.is_empty() {
            true => html! { (heading(level, None, title)) (body) },
            false => {
                let head = format!("{id}-head");
                html! {
                    section id=(id) aria-labelledby=(head) { (heading(own, Some(&head), title)) (body) }
                }
            }
        }
    }

    fn fold(&mut self, fold: &Fold, level: u8) -> Markup {
        let was_inside = self.is_inside;
        self.is_inside |= fold.is_result;
        let body = self.blocks(&fold.blocks, level);
        self.is_inside = was_inside;
        let class = match (&fold.filter, fold.is_result, fold.subtitle.is_some()) {
            (Some(filter), ..) => format!("case {}", classes(filter)),
            (None, true, _) => "run".to_owned(),
            (None, false, _) => "held".to_owned(),
        };
        let words = fold.filter.as_ref().map(|filter| printable(&filter.words));
        // The name is that of the article around a result, whose heading is inside.
        let (outer, inner) = if fold.is_result { (fold.id.as_ref(), None) } else { (None, fold.id.as_ref()) };
        let details = html! {
            details class=(class) id=[inner] open[fold.is_open] data-words=[words] {
                summary {
                    (text(&fold.summary))
                    @if let Some(subtitle) = &fold.subtitle { span.name { (printable(subtitle)) } }
                }
                (body)
            }
        };
        match outer {
            Some(id) => html! { article id=(id) aria-label=(printable(name(&fold.summary))) { (details) } },
            None => details,
        }
    }

    fn draw(&mut self, chart: &Chart) -> Markup {
        self.charts.push(chart.data());
        chart.figure()
    }

    fn draw_all(&mut self, charts: &Charts) -> Markup {
        match charts {
            Charts::Grid(charts, is_timed) => {
                let drawn: Vec<Markup> = charts.iter().map(|chart| self.draw(chart)).collect();
                html! {
                    @if *is_timed { (tools()) }
                    @match &drawn[..] {
                        [only] if !is_timed => (only),
                        all => div.charts { @for one in all { (one) } },
                    }
                }
            }
            // No script is needed to choose.
            Charts::Scales(id, both) => {
                let [logarithmic, linear] = [self.draw(&both[0]), self.draw(&both[1])];
                html! {
                    fieldset.scales {
                        legend.quiet { "Scale of the latency" }
                        label { input type="radio" name={ (id) "-scale" } value="log" checked; " logarithmic" }
                        label { input type="radio" name={ (id) "-scale" } value="linear"; " linear" }
                        div.log { (logarithmic) }
                        div.linear { (linear) }
                    }
                }
            }
        }
    }
}

fn verdict(found: &Verdict, level: u8) -> Markup {
    let facts = || found.facts.iter().chain(&found.more_facts);
    html! {
        header class={ "verdict " (found.tone.class()) } {
            svg.mark viewBox="0 0 48 48" width="56" height="56" aria-hidden="true" { (mark(found.tone)) }
            div {
                (heading(level, None, &found.title))
                @for (index, sentence) in found.sentences.iter().enumerate() {
                    p.sentence {
                        @if let (0, Some(status)) = (index, &found.status) { strong { (capital(status)) } ": " }
                        (text(sentence))
                    }
                }
                @if facts().next().is_some() { ul.facts { @for fact in facts() { li { (text(fact)) } } } }
                @if let Some(about) = &found.about { p.about { (text(&Text::from(about.trim_end()))) } }
            }
        }
    }
}

/// A sign in a disc.
fn mark(tone: Tone) -> Markup {
    let path = match tone {
        Tone::Good => "M14 25l7 7 14-15",
        Tone::Bad => "M16 16l16 16M32 16l-16 16",
        Tone::Doubtful => "M18 19a6 6 0 1 1 9 5.2c-2.2 1.2-3 2.4-3 4.8M24 34.5v.2",
        Tone::Plain => "M16 24h16",
    };
    html! {
        circle.disc cx="24" cy="24" r="23" {}
        path.glyph d=(path) {}
    }
}

fn cards(cards: &[Card]) -> Markup {
    html! {
        @if !cards.is_empty() {
            dl.cards {
                @for card in cards {
                    div class={ "card " (card.tone.class()) } {
                        dt { (printable(&card.name)) }
                        dd {
                            span.value { (printable(&card.value)) }
                            @for note in &card.notes { " " span.note { (printable(note)) } }
                        }
                    }
                }
            }
        }
    }
}

fn facts(facts: &[(String, Text)]) -> Markup {
    html! { dl.list { @for (term, value) in facts { dt { (printable(term)) } dd { (text(value)) } } } }
}

/// A table that is scrolled where it has no room, so that the page never is.
fn table(table: &Table) -> Markup {
    let (caption, class) = match table.remark.as_str() {
        "" => (&table.label, "spoken"),
        _ => (&table.remark, "quiet"),
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label=(printable(&table.label)) {
            table class=[table.class] {
                caption class=(class) { (printable(caption)) }
                thead { tr { @for column in &table.columns { (head(column)) } } }
                tbody { @for one in &table.rows { (row(table, one)) } }
            }
        }
    }
}

fn head(column: &Column) -> Markup {
    let class = match column.holds {
        Holds::Words => None,
        Holds::Figures => Some("figure"),
        Holds::Drawings => Some("drawn"),
    };
    html! {
        th class=[class] scope="col" {
            @match &column.drawing {
                Some(drawing) => { span.spoken { (printable(&column.head)) } (drawing) }
                None => (printable(&column.head)),
            }
        }
    }
}

fn row(table: &Table, row: &Row) -> Markup {
    let rank = match row.rank {
        Rank::Usual => "",
        Rank::Part => "part",
        Rank::Sum => "sum",
    };
    let class = match &row.filter {
        Some(filter) => classes(filter),
        None => rank.to_owned(),
    };
    let words = row.filter.as_ref().map(|filter| printable(&filter.words));
    let empty = crate::report::block::Cell::default();
    html! {
        tr class=[(!class.is_empty()).then_some(class)] data-words=[words] {
            @for (index, column) in table.columns.iter().enumerate() {
                @let cell = row.cells.get(index).unwrap_or(&empty);
                @let body = html! {
                    (text(&cell.text))
                    @if !cell.note.is_empty() { span.name { (text(&Text::from(cell.note.as_str()))) } }
                    @if let Some(drawing) = &cell.drawing { (drawing) }
                };
                @let class = match column.holds {
                    Holds::Words => (!cell.note.is_empty() && index > 0).then_some("outcome"),
                    Holds::Figures => Some("figure"),
                    Holds::Drawings => Some("drawn"),
                };
                @match index {
                    0 => th class=[class] scope="row" { (body) },
                    _ => td class=[class] { (body) },
                }
            }
        }
    }
}

fn classes(filter: &Filter) -> String {
    let any: Vec<String> = filter.any.iter().map(|word| format!(" is-{word}")).collect();
    format!("row at-{}{}", filter.level, any.concat())
}

fn finding(finding: &Finding) -> Markup {
    html! {
        div class={ "finding " (finding.tone.class()) } {
            p.what { (text(&Text::default().sign(finding.tone))) (text(&finding.what)) }
            @if let Some((file, line, source)) = &finding.place {
                p.place { (printable(&place(file, *line))) }
                @if !source.trim().is_empty() {
                    pre.source { code { span.number { (line) } (printable(source.trim())) } }
                }
            }
            @for one in &finding.evidence { (evidence(one)) }
            @if !finding.notes.is_empty() { ul.examples { @for note in &finding.notes { li { (text(note)) } } } }
            @if !finding.more_notes.is_empty() {
                details.held {
                    summary { "each of them" }
                    ul.examples { @for note in &finding.more_notes { li { (text(note)) } } }
                }
            }
            @if finding.more > 0 { p.quiet { "and " (count(finding.more)) " more" } }
        }
    }
}

fn evidence(evidence: &Evidence) -> Markup {
    let Evidence { clients, seen, wire_of, wire: frames, .. } = evidence;
    let clients = printable(&clients.join(", "));
    html! {
        @match &seen[..] {
            [("", detail)] => {
                p.example { span.quiet { (clients) } " " code { (printable(detail)) } }
                @if !frames.is_empty() { (wire(frames)) }
            }
            seen => dl.pair {
                dt { (if evidence.clients.len() == 1 { "client" } else { "clients" }) }
                dd { (clients) }
                @for (term, data) in seen { dt { (term) } dd { code { (printable(data)) } } }
                @if !frames.is_empty() {
                    dt { "wire" @if evidence.clients.len() > 1 { " of " (printable(wire_of)) } }
                    dd { (wire(frames)) }
                }
            },
        }
    }
}

/// Frames in their order, with the time and the direction of each.
fn wire(frames: &[WireResult]) -> Markup {
    html! {
        ol.wire {
            @for frame in frames {
                li {
                    span.at { (format!("{:.3} s", frame.at_us as f64 / 1e6)) }
                    @match frame.sent {
                        true => { abbr title="sent by the client" { "→" } }
                        false => { abbr title="received by the client" { "←" } }
                    }
                    code { (printable(&frame.text)) }
                }
            }
        }
    }
}

/// What the script works with. Without it there is nothing to press, so it is shown by the script.
fn tools() -> Markup {
    html! {
        div.tools role="toolbar" aria-label="Time axis of all charts" hidden {
            button type="button" data-zoom="in" { "Zoom in" }
            button type="button" data-zoom="out" { "Zoom out" }
            button type="button" data-zoom="left" aria-label="Earlier" { "←" }
            button type="button" data-zoom="right" aria-label="Later" { "→" }
            button type="button" data-zoom="reset" { "Whole run" }
            span.window aria-live="polite" {}
            span.quiet.hint { "Drag over a chart to zoom in on it" }
        }
    }
}

/// Boxes made of style alone, and a search that the script shows.
fn filter_controls(filters: &[(&'static str, Vec<&'static str>)]) -> Markup {
    html! {
        div.filters {
            @for (legend, words) in filters {
                fieldset {
                    legend { (legend) }
                    @for word in words { label { input type="checkbox" id={ "show-" (word) } checked; " " (word) } }
                }
            }
            div.search hidden {
                label for="search" { "Search" } input type="search" id="search" autocomplete="off";
                output id="found" for="search" aria-live="polite" {}
            }
        }
    }
}
