//! The frame of every page: one file that asks the network for nothing, and says so to the browser.
//!
//! Everything that is put into a page goes through `maud`, which escapes it; what is handed to the script is JSON in
//! which nothing can end the element that holds it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::measure::format::printable;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// How something is judged: a sign, a colour, and always a word beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Neither is known.
    Doubtful,
    /// Nothing is judged.
    Plain,
}

impl Tone {
    /// The class for it.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Doubtful => "doubt",
            Tone::Plain => "plain",
        }
    }

    /// The sign for it.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Tone::Good => "✓",
            Tone::Bad => "✗",
            Tone::Doubtful => "?",
            Tone::Plain => "·",
        }
    }
}

/// The sign in its colour. The word for it has to stand beside.
pub(crate) fn sign(tone: Tone) -> Markup {
    html! { span class={ "sign " (tone.class()) } aria-hidden="true" { (tone.sign()) } }
}

/// A part of a page with a heading, in the order of the page.
pub(crate) struct Section {
    /// Its name in the page, of letters, digits and dashes.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What stands under it.
    pub body: Markup,
}

impl Section {
    /// The section with a heading of this level.
    pub(crate) fn markup(&self, level: u8) -> Markup {
        let head = format!("{}-head", self.id);
        html! {
            section id=(self.id) aria-labelledby=(head) {
                (heading(level, Some(&head), &self.title))
                (self.body)
            }
        }
    }
}

/// A table that is scrolled where it has no room, so that the page never is.
pub(crate) fn scrolled(label: &str, table: &Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(printable(label)) { (table) }
    }
}

/// A column of a table, by what stands in it under its head.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column<'a> {
    /// Words.
    Words(&'a str),
    /// Figures, which stand under each other.
    Figure(&'a str),
    /// Something drawn.
    Drawn(&'a str),
}

/// A table that is scrolled where it has no room, but for its rows.
#[derive(Clone, Debug)]
pub(crate) struct Table<'a> {
    /// What it is, where it is heard and not seen.
    pub label: &'a str,
    /// A class of its own, if it looks like no other.
    pub class: Option<&'a str>,
    /// What stands above it.
    pub caption: Caption<'a>,
    /// Its columns; the first names the row.
    pub columns: &'a [Column<'a>],
}

/// What stands above a table.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caption<'a> {
    /// Its title.
    Title(&'a str),
    /// A remark.
    Quiet(&'a str),
    /// Nothing that is seen, because it would repeat the heading above.
    Spoken(&'a str),
}

impl Table<'_> {
    /// With these rows.
    pub(crate) fn of(&self, rows: &Markup) -> Markup {
        let (class, caption) = match self.caption {
            Caption::Title(text) => (None, text),
            Caption::Quiet(text) => (Some("quiet"), text),
            Caption::Spoken(text) => (Some("spoken"), text),
        };
        let head = |column: &Column<'_>| match *column {
            Column::Words(name) => (None, printable(name)),
            Column::Figure(name) => (Some("figure"), printable(name)),
            Column::Drawn(name) => (Some("drawn"), printable(name)),
        };
        scrolled(
            self.label,
            &html! {
                table class=[self.class] {
                    caption class=[class] { (printable(caption)) }
                    thead {
                        tr { @for (class, name) in self.columns.iter().map(head) { th class=[class] scope="col" { (name) } } }
                    }
                    tbody { (rows) }
                }
            },
        )
    }
}

/// A heading of this level, with a name in the page where it has one.
pub(crate) fn heading(level: u8, id: Option<&str>, text: &str) -> Markup {
    let text = printable(text);
    html! {
        @match level {
            1 => h1 id=[id] { (text) },
            2 => h2 id=[id] { (text) },
            3 => h3 id=[id] { (text) },
            _ => h4 id=[id] { (text) },
        }
    }
}

/// Where in a page something stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// What the names of everything there begin with.
    pub id: &'a str,
    /// The level of the headings there.
    pub level: u8,
}

impl Place<'_> {
    /// A heading of this place.
    pub(crate) fn head(self, text: &str) -> Markup {
        heading(self.level, None, text)
    }

    /// A name of this place.
    pub(crate) fn name(self, word: &str) -> String {
        format!("{}-{word}", self.id)
    }
}

/// A page, before it is text.
pub(crate) struct Page {
    /// What the window is called.
    pub title: String,
    /// What became of it all.
    pub tone: Tone,
    /// Where to go: a name in the page and the words for it.
    pub places: Vec<(String, String)>,
    /// What stands on it.
    pub body: Markup,
    /// What the script gets to know of each chart.
    pub charts: Vec<Value>,
    /// The version of sockrates that made the results.
    pub version: String,
}

/// What may stand on a page: its name in the page, its heading, and its body if there is anything to show.
pub(crate) type Part = (&'static str, &'static str, Option<Markup>);

impl Page {
    /// A page of parts under a head. Those that have nothing to show are left out.
    pub(crate) fn of_parts(
        title: String,
        tone: Tone,
        head: &Markup,
        parts: impl IntoIterator<Item = Part>,
        charts: Vec<Value>,
        version: &str,
    ) -> Page {
        let sections: Vec<Section> = parts
            .into_iter()
            .filter_map(|(id, title, body)| {
                Some(Section { id: id.to_owned(), title: title.to_owned(), body: body? })
            })
            .collect();
        let body = html! {
            (head)
            @for section in &sections { (section.markup(2)) }
        };
        let places = sections.into_iter().map(|section| (section.id, section.title)).collect();
        Page { title, tone, places, body, charts, version: version.to_owned() }
    }

    /// The page as text.
    pub(crate) fn render(&self) -> String {
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
            hash(STYLE),
            hash(SCRIPT)
        );
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content={ "sockrates " (printable(&self.version)) };
                    title { (self.tone.sign()) " " (printable(&self.title)) }
                    link rel="icon" href=(icon(self.tone));
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#report" { "Skip to the report" }
                    header.top {
                        span.brand { "sockrates" }
                        span.kind { "report" }
                    }
                    div.columns {
                        nav aria-label="Parts of this report" {
                            ul {
                                @for (id, words) in &self.places { li { a href={ "#" (id) } { (printable(words)) } } }
                            }
                        }
                        main id="report" tabindex="-1" { (self.body) }
                    }
                    footer {
                        "Made by sockrates " (printable(&self.version)) ". This page is whole: it asks the network for nothing."
                    }
                    script type="application/json" id="charts" { (PreEscaped(harmless(&self.charts))) }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }
}

/// The value of a Content-Security-Policy that allows exactly this text.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// JSON in which nothing ends the element that it stands in.
fn harmless(data: &[Value]) -> String {
    let text = Value::from(data.to_vec()).to_string();
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(character)))
            }
            _ => safe.push(character),
        }
    }
    safe
}

/// A dot in the colour of the judgement.
fn icon(tone: Tone) -> String {
    let colour = match tone {
        Tone::Good => "1b7f46",
        Tone::Bad => "c0362c",
        Tone::Doubtful => "a86a00",
        Tone::Plain => "5b6570",
    };
    format!(
        "data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E\
         %3Ccircle cx=%228%22 cy=%228%22 r=%227%22 fill=%22%23{colour}%22/%3E%3C/svg%3E"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_in_the_data_of_the_script_can_end_it() {
        let hostile = json!("</script><!--<script>\u{2028}\u{2029}&lt;");
        let safe = harmless(std::slice::from_ref(&hostile));
        assert!(!safe.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{safe}");
        assert_eq!(serde_json::from_str::<Vec<Value>>(&safe).ok(), Some(vec![hostile]));
    }

    #[test]
    fn style_and_script_cannot_end_their_elements() {
        assert!(!STYLE.to_lowercase().contains("</style"), "the style ends its element");
        assert!(!SCRIPT.to_lowercase().contains("</script"), "the script ends its element");
        assert!(!SCRIPT.contains("<!--"), "the script opens a comment of HTML");
    }

    #[test]
    fn style_and_script_name_nothing_outside() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("http:") && !text.contains("https:"), "an address of the network");
            assert!(!text.contains("@import") && !text.contains("url("), "something to be fetched");
        }
    }

    #[test]
    fn a_policy_names_the_hash_of_a_text() {
        assert_eq!(hash(""), "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
