//! A report as Markdown, for the summary of a CI job and for a pull request: what decided the verdict, and no more.
//!
//! Names, payloads and sentences come from servers and files. Nothing in them may be read as Markdown or HTML, mention
//! anybody or become a link: every text goes through [`escaped`].

use std::fmt::Write;

use super::place;
use crate::measure::format::{count, printable};
use crate::report::block::{
    Block, Detail, Finding, Fold, Holds, Rank, Report, Row, Style, Table, Text, Tone, Verdict,
};

/// Up to this number of consecutive findings and folds are shown; the rest are counted.
const MOST: usize = 25;

/// Characters of quoted data that are shown.
const LONGEST: usize = 200;

/// Shown as nothing, and ends whatever would become a mention or a link, also where a site looks for those in the text
/// that it has made of the Markdown.
const BREAK: &str = "&#8203;";

/// The report, as far as it decided the verdict.
pub fn markdown(report: &Report) -> String {
    let mut page = String::new();
    if let Some(heading) = &report.heading {
        let _ = writeln!(page, "**{}**\n", escaped(heading));
    }
    blocks(&mut page, &report.blocks);
    page
}

fn blocks(page: &mut String, all: &[Block]) {
    let mut items = 0;
    let mut left_out = 0;
    for block in all {
        let is_item = matches!(block, Block::Finding(_) | Block::Fold(Fold { is_result: false, .. }));
        items += usize::from(is_item);
        match block {
            _ if is_item && items > MOST => left_out += 1,
            Block::Verdict(found) => verdict(page, found),
            Block::Section(section) => {
                let before = page.len();
                let _ = writeln!(page, "#### {}\n", escaped(&section.title));
                let without = page.len();
                blocks(page, &section.blocks);
                if page.len() == without {
                    page.truncate(before);
                }
            }
            Block::Fold(fold) if fold.is_result => blocks(page, &fold.blocks),
            Block::Fold(fold) => {
                let _ = writeln!(page, "{}  ", text(&fold.summary));
                if let Some(subtitle) = &fold.subtitle {
                    let _ = writeln!(page, "{}", escaped(subtitle));
                }
                page.push('\n');
                blocks(page, &fold.blocks);
            }
            Block::Facts(facts) => {
                list(page, facts.iter().map(|(term, value)| format!("{}: {}", escaped(term), text(value))));
            }
            Block::Table(one) => table(page, one),
            Block::Finding(one) => finding(page, one),
            Block::Notes(notes) => list(page, notes.iter().map(text)),
            Block::Paragraph(words) => {
                let _ = writeln!(page, "{}\n", text(words));
            }
            Block::Foot(facts) => {
                let facts: Vec<String> = facts.iter().map(text).collect();
                let _ = writeln!(page, "<sub>{}</sub>\n", facts.join(" · "));
            }
            Block::From(Detail::Little, inner) => blocks(page, inner),
            Block::Cards(_) | Block::Charts(_) | Block::Bars(_) | Block::Filters(_) | Block::From(..) => {}
        }
    }
    if left_out > 0 {
        let _ = writeln!(page, "and {} more.\n", count(left_out));
    }
}

fn list(page: &mut String, items: impl Iterator<Item = String>) {
    let before = page.len();
    items.for_each(|item| {
        let _ = writeln!(page, "- {item}");
    });
    if page.len() > before {
        page.push('\n');
    }
}

fn verdict(page: &mut String, found: &Verdict) {
    let status = found.status.as_ref().map_or_else(String::new, |status| format!(": {}", escaped(status)));
    let sign = if found.tone == Tone::Plain { String::new() } else { format!("{} ", sign(found.tone)) };
    let _ = writeln!(page, "### {sign}{}{status}\n", escaped(&found.title));
    found.sentences.iter().for_each(|sentence| {
        let _ = writeln!(page, "{}\n", text(sentence).trim_end());
    });
    let facts: Vec<String> = found.facts.iter().map(text).collect();
    if !facts.is_empty() {
        let _ = writeln!(page, "{}\n", facts.join(" · "));
    }
}

fn table(page: &mut String, table: &Table) {
    let rows: Vec<&Row> = table.rows.iter().filter(|row| row.detail == Detail::Little).collect();
    if rows.is_empty() {
        return;
    }
    let is_shown = |index: &usize| {
        let column = &table.columns[*index];
        column.holds != Holds::Drawings && column.detail == Detail::Little
    };
    let chosen: Vec<usize> = (0..table.columns.len()).filter(is_shown).collect();
    let head: Vec<String> = chosen.iter().map(|index| escaped(&table.columns[*index].head)).collect();
    let rules = chosen.iter().map(|index| match table.columns[*index].holds {
        Holds::Figures => "--:",
        _ => "---",
    });
    let _ = writeln!(page, "| {} |", head.join(" | "));
    let _ = writeln!(page, "| {} |", rules.collect::<Vec<_>>().join(" | "));
    for row in rows {
        let cell = |index: &usize| row.cells.get(*index).map_or_else(String::new, |cell| text(&cell.text));
        let mut cells: Vec<String> = chosen.iter().map(cell).collect();
        if row.rank == Rank::Part {
            cells.iter_mut().take(1).for_each(|name| name.insert_str(0, "&emsp;"));
        }
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    page.push('\n');
}

fn finding(page: &mut String, finding: &Finding) {
    let _ = write!(page, "- {} {}", sign(finding.tone), text(&finding.what));
    if let Some((file, line, _)) = &finding.place {
        let _ = write!(page, " ({})", escaped(&place(file, *line)));
    }
    page.push('\n');
    for one in &finding.evidence {
        let seen = one.seen.iter().map(|(term, data)| match *term {
            "" => escaped_start(data),
            term => format!("{term} {}", escaped_start(data)),
        });
        let _ = writeln!(
            page,
            "  - {}: {}",
            escaped_start(&one.clients.join(", ")),
            seen.collect::<Vec<_>>().join(", ")
        );
    }
    finding.notes.iter().for_each(|note| {
        let _ = writeln!(page, "  - {}", text(note));
    });
    if finding.more > 0 {
        let _ = writeln!(page, "  - and {} more", count(finding.more));
    }
    page.push('\n');
}

/// A sign that is seen in colour.
fn sign(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "✅",
        Tone::Bad => "❌",
        Tone::Doubtful => "⚠️",
        Tone::Plain => "·",
    }
}

fn text(text: &Text) -> String {
    let piece = |(text, style): (&str, &Style)| match style {
        Style::Sign(tone) => sign(*tone).to_owned(),
        Style::Code => escaped_start(text),
        Style::Strong if !text.trim().is_empty() => {
            // Emphasis is only read where it touches the words.
            let inner = text.trim();
            let start = text.len() - text.trim_start().len();
            let (before, after) = (&text[..start], &text[start + inner.len()..]);
            format!("{before}**{}**{after}", escaped(inner))
        }
        _ => escaped(text),
    };
    let lines = text.lines().into_iter().map(|line| beginning(line.into_iter().map(piece).collect()));
    // A line break at the beginning would make HTML of the whole.
    lines.skip_while(String::is_empty).collect::<Vec<_>>().join("<br>")
}

/// Markdown that may begin a line: blanks there would make code of it.
fn beginning(markdown: String) -> String {
    match markdown.strip_prefix(' ') {
        Some(rest) => format!("&#32;{rest}"),
        None => markdown,
    }
}

/// The beginning of quoted data, escaped.
fn escaped_start(text: &str) -> String {
    beginning(match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", escaped(&text[..end])),
        None => escaped(text),
    })
}

/// Text in which nothing means anything to Markdown or HTML, on one line, wherever it stands in a line.
fn escaped(text: &str) -> String {
    let text = printable(text);
    let mut safe = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        let before = &text[..index];
        let next = text[index + character.len_utf8()..].chars().next();
        let begins_a_name = next.is_some_and(|next| match next {
            '_' | '"' => true,
            _ => !next.is_whitespace() && !next.is_ascii_punctuation(),
        });
        let is_number = !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit());
        let ends_with = |word: &str| {
            let tail = before.len().checked_sub(word.len()).and_then(|start| before.get(start..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word))
        };
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // A list or a rule begins with those, at the beginning of a line only.
            '+' | '-' | '=' if before.trim_start().is_empty() && !begins_a_name => {
                safe.extend(['\\', character])
            }
            '.' if is_number && next.is_none_or(char::is_whitespace) => safe.push_str("\\."),
            '.' if ends_with("www") => safe.extend([BREAK, "."]),
            _ if character.is_ascii_punctuation() && !",.:;-+=/'\"?%".contains(character) => {
                safe.extend(['\\', character]);
            }
            _ => safe.push(character),
        }
        let is_linked = match character {
            // What sites make a person, an issue, a merge request or the like of. Which signs are letters differs from
            // site to site, so every sign beyond ASCII counts as one.
            '@' | '#' | '!' | '$' | '%' | '~' | '&' | '^' | '*' => {
                begins_a_name || next.is_some_and(|next| !next.is_ascii())
            }
            '-' => ends_with("gh") && begins_a_name,
            ':' => next == Some('/') || ends_with("mailto") || ends_with("xmpp"),
            _ => false,
        };
        if is_linked {
            safe.push_str(BREAK);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    use super::*;

    /// All that any site has beyond plain Markdown, but for typographic quotation marks.
    fn extensions() -> Options {
        Options::all() - Options::ENABLE_SMART_PUNCTUATION
    }

    /// What a reader of Markdown makes of a document: the text of each block, and the name of anything else in it.
    fn read(document: &str) -> (Vec<String>, Vec<String>) {
        let (mut texts, mut others) = (vec![String::new()], Vec::new());
        for event in Parser::new_ext(document, extensions()) {
            match event {
                Event::Text(text) => texts.last_mut().expect("there is one").push_str(&text),
                Event::InlineHtml(html) if &*html == "<br>" => {
                    texts.last_mut().expect("there is one").push('\n')
                }
                Event::Start(Tag::Paragraph | Tag::TableCell) => texts.push(String::new()),
                Event::Start(Tag::Table(_) | Tag::TableHead | Tag::TableRow) | Event::End(_) => {}
                other => others.push(format!("{other:?}")),
            }
        }
        texts.retain(|text| !text.is_empty());
        (texts, others)
    }

    /// Whether a site would make something of the text that a reader has made of the Markdown.
    fn is_linked(text: &str) -> bool {
        let pattern = r"(?i)[@#!$%~&^*][\w]|://|\bwww\.|mailto:\w|xmpp:\w|\bgh-\d";
        regex::Regex::new(pattern).expect("it is a pattern").is_match(text)
    }

    fn without_breaks(text: &str) -> String {
        text.replace('\u{200b}', "")
    }

    /// Text that is likely to mean something.
    fn untrusted() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            Just("@name"),
            Just("#1"),
            Just("!7"),
            Just("GH-12"),
            Just("http://x.y"),
            Just("www.x.y"),
            Just("a@b.cd"),
            Just("mailto:a@b.cd"),
            Just("<img src=x>"),
            Just("</sub>"),
            Just("&copy;"),
            Just("[x](y)"),
            Just("![x](y)"),
            Just("**b**"),
            Just("__b__"),
            Just("~~s~~"),
            Just("`c`"),
            Just("```"),
            Just("|"),
            Just("||"),
            Just("# h"),
            Just("- l"),
            Just("+ l"),
            Just("1. l"),
            Just("2) l"),
            Just("> q"),
            Just("---"),
            Just("==="),
            Just("    code"),
            Just("\n"),
            Just("\r\n"),
            Just(" "),
            Just("\\"),
            Just("$x$"),
            Just("[^1]: f"),
            Just("- [ ] t"),
            Just("<!--"),
            Just(":+1:"),
            Just("{#id}"),
            Just("\u{1b}[2J"),
            Just("word"),
            Just("é"),
            Just("\t"),
            Just("*"),
            Just("_"),
        ];
        prop_oneof![
            prop::collection::vec(pieces, 1..8).prop_map(|pieces| pieces.concat()),
            any::<String>(),
            "[ -~\n]{0,40}",
        ]
    }

    proptest! {
        #[test]
        fn nothing_in_untrusted_text_is_read_as_markdown(words in untrusted()) {
            let (texts, others) = read(&text(&Text::from(&*words)));
            prop_assert_eq!(others, [""; 0]);
            let shown = words.split('\n').map(|line| printable(line.strip_suffix('\r').unwrap_or(line)));
            let shown = shown.collect::<Vec<_>>().join("\n");
            let (read, shown) = (without_breaks(&texts.concat()), without_breaks(&shown));
            prop_assert_eq!(read.trim(), shown.trim());
            prop_assert!(!is_linked(&texts.concat()), "{:?}", texts);
        }

        #[test]
        fn a_row_of_a_table_stays_one_row(first in untrusted(), second in untrusted()) {
            let columns = ["a", "b", "c"].map(crate::report::block::Column::words).to_vec();
            let cells = [Text::from(&*first), Text::default().code(&*second), "end".into()];
            let mut page = String::new();
            table(&mut page, &Table::new("t", columns).rows([Row::of(cells)]));
            prop_assert_eq!(page.lines().count(), 4, "{}", page);
            let parsed: Vec<_> = Parser::new_ext(&page, extensions()).collect();
            let cells = parsed.iter().filter(|event| matches!(event, Event::End(TagEnd::TableCell))).count();
            prop_assert_eq!(cells, 6, "{}", page);
            let (texts, others) = read(&page);
            prop_assert_eq!(others, [""; 0]);
            prop_assert_eq!(texts.last().map(String::as_str), Some("end"));
        }
    }

    #[test]
    fn nobody_is_mentioned_and_nothing_becomes_a_link() {
        assert_eq!(escaped("@all #1"), "\\@&#8203;all \\#&#8203;1");
        assert_eq!(escaped("#\u{11d97}"), "\\#&#8203;\u{11d97}");
        assert_eq!(text(&Text::from("\n")), "");
        assert_eq!(escaped("see http://y, www.z"), "see http:&#8203;//y, www&#8203;.z");
        assert_eq!(escaped("<b>&|a`b`[x](y)"), "&lt;b&gt;&amp;\\|a\\`b\\`\\[x\\]\\(y\\)");
    }

    #[test]
    fn of_long_data_the_beginning_is_shown_and_of_many_findings_the_first() {
        let finding = |index: usize| Block::Finding(Finding::new(Tone::Bad, format!("finding {index}.")));
        let mut page = String::new();
        blocks(&mut page, &(0..30).map(finding).collect::<Vec<_>>());
        assert!(page.contains("finding 24.") && !page.contains("finding 25."), "{page}");
        assert!(page.ends_with("and 5 more.\n\n"), "{page}");
        assert_eq!(escaped_start(&"x".repeat(300)), format!("{}…", "x".repeat(200)));
    }

    #[test]
    fn lines_of_prose_are_lines() {
        assert_eq!(text(&Text::from("a\nb").code("c\nd")), "a<br>bc\\\\nd");
    }
}
