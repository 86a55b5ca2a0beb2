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
use crate::report::block::{Report, Tone};

pub(super) const STYLE: &str = include_str!("style.css");
pub(super) const SCRIPT: &str = include_str!("script.js");

/// How the two are called where the pages of a site share them.
pub(super) const STYLE_FILE: &str = "style.css";
pub(super) const SCRIPT_FILE: &str = "script.js";

/// A page, before it is text.
pub(super) struct Page<'r> {
    /// What is on it.
    pub report: &'r Report,
    /// Where to go: a name in the page and the words for it.
    pub places: Vec<(&'r str, String)>,
    /// What stands on it.
    pub body: Markup,
    /// What the script gets to know of each chart.
    pub charts: Vec<Value>,
    /// Whether it shares its style and its script with other pages beside it.
    pub is_of_site: bool,
}

impl Page<'_> {
    /// The page as text.
    pub(super) fn render(&self) -> String {
        // A browser may take a file beside a page on a disk for one of another origin.
        let (style, script) = match self.is_of_site {
            true => ("'self' file:".to_owned(), "'self' file:".to_owned()),
            false => (format!("'{}'", hash(STYLE)), format!("'{}'", hash(SCRIPT))),
        };
        let policy = format!(
            "default-src 'none'; style-src {style}; script-src {script}; img-src data:; base-uri 'none'; form-action 'none'"
        );
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content={ "sockrates " (printable(&self.report.version)) };
                    title { (self.report.tone.sign()) " " (printable(&self.report.title)) }
                    link rel="icon" href=(icon(self.report.tone));
                    @match self.is_of_site {
                        true => { link rel="stylesheet" href=(STYLE_FILE); },
                        false => style { (PreEscaped(STYLE)) },
                    }
                }
                body {
                    a.skip href="#report" { "Skip to the report" }
                    header.top {
                        span.brand { "sockrates" }
                        @match self.is_of_site {
                            true => a.kind href="index.html" { "All servers" },
                            false => span.kind { "report" },
                        }
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
                        "Made by sockrates " (printable(&self.report.version)) ". This page needs no network."
                    }
                    script type="application/json" id="charts" { (PreEscaped(harmless(&self.charts))) }
                    @match self.is_of_site {
                        true => script src=(SCRIPT_FILE) {},
                        false => script { (PreEscaped(SCRIPT)) },
                    }
                }
            }
        };
        page.into_string()
    }
}

/// The value of a Content-Security-Policy that allows exactly this text.
pub(super) fn hash(text: &str) -> String {
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
