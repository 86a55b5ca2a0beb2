//! Which variants are meant: globs over ids, and words about levels, needs, clauses and transports.

use globset::{GlobBuilder, GlobMatcher};

use super::case::{Case, Variant};
use crate::document::closest;
use crate::scenario::{Level, Need};
use crate::session::Transport;

/// What a word of `--only` or `--exclude` means.
#[derive(Clone, Debug)]
pub struct Choice {
    word: String,
    about: About,
}

#[derive(Clone, Debug)]
enum About {
    Id(GlobMatcher),
    Clause(GlobMatcher),
    Level(Level),
    Need(Need),
    Transport(Transport),
}

impl Choice {
    /// Reads a word: a glob over ids such as `upgrade/*` or `*@polling`, or one of `level:`, `needs:`, `clause:`,
    /// `transport:` and what stands behind it.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    pub fn read(word: &str) -> Result<Choice, String> {
        let about = match word.split_once(':') {
            Some(("level", name)) => About::Level(one_of("level", name, Level::ALL, Level::name)?),
            Some(("needs", name)) => About::Need(one_of("need", name, Need::ALL, Need::name)?),
            Some(("transport", name)) => {
                About::Transport(one_of("transport", name, Transport::ALL, Transport::name)?)
            }
            Some(("clause", text)) => About::Clause(glob(text)?),
            Some((kind, _)) => {
                let kinds = ["level", "needs", "clause", "transport"];
                return Err(match closest(kind, kinds) {
                    Some(near) => format!("unknown word `{kind}:`; did you mean `{near}:`?"),
                    None => format!(
                        "unknown word `{kind}:`; known here: `level:`, `needs:`, `clause:`, `transport:`"
                    ),
                });
            }
            None => About::Id(glob(word)?),
        };
        Ok(Choice { word: word.to_owned(), about })
    }

    fn means(&self, variant: Variant<'_>) -> bool {
        let scenario = &variant.case.scenario;
        match &self.about {
            About::Id(glob) => glob.is_match(&variant.case.id) || glob.is_match(variant.label()),
            About::Clause(glob) => scenario.clause.iter().any(|clause| glob.is_match(clause)),
            About::Level(level) => scenario.level == *level,
            About::Need(need) => scenario.needs.contains(need),
            About::Transport(transport) => variant.transport == Some(*transport),
        }
    }

    /// Whether it asks for WebTransport by name.
    fn names_webtransport(&self) -> bool {
        match &self.about {
            About::Id(_) => self.word.ends_with("@webtransport"),
            About::Transport(transport) => *transport == Transport::Webtransport,
            About::Clause(_) | About::Level(_) | About::Need(_) => false,
        }
    }
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(text).literal_separator(false).build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| format!("`{text}` is no pattern: {}", error.kind()))
}

fn one_of<T: Copy, const N: usize>(
    what: &str,
    word: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, String> {
    all.into_iter().find(|member| name(*member) == word).ok_or_else(|| {
        let known = all.map(name);
        match closest(word, known) {
            Some(near) => format!("unknown {what} `{word}`; did you mean `{near}`?"),
            None => format!(
                "unknown {what} `{word}`; known here: {}",
                known.map(|name| format!("`{name}`")).join(", ")
            ),
        }
    })
}

/// The variants that one of `only` means (or all, if there is none) and none of `exclude`. Those over WebTransport are meant by words
/// that name it.
///
/// # Errors
/// A sentence about each word that means no variant at all, and about words that leave none together.
pub fn select<'c>(
    cases: &'c [Case],
    only: &[Choice],
    exclude: &[Choice],
) -> Result<Vec<Variant<'c>>, Vec<String>> {
    let usual = cases.iter().flat_map(Case::variants);
    let asks = |variant: &Variant<'_>| {
        only.iter().any(|choice| choice.names_webtransport() && choice.means(*variant))
    };
    let asked = cases.iter().filter_map(Case::over_webtransport).filter(asks);
    let all: Vec<Variant<'c>> = usual.chain(asked).collect();
    let useless: Vec<String> = only
        .iter()
        .chain(exclude)
        .filter(|choice| !all.iter().any(|variant| choice.means(*variant)))
        .map(|choice| useless(choice, &all))
        .collect();
    if !useless.is_empty() {
        return Err(useless);
    }
    let chosen: Vec<Variant<'c>> = all
        .into_iter()
        .filter(|variant| only.is_empty() || only.iter().any(|choice| choice.means(*variant)))
        .filter(|variant| !exclude.iter().any(|choice| choice.means(*variant)))
        .collect();
    if chosen.is_empty() {
        return Err(vec!["no case is left: `--exclude` takes away all that `--only` chooses".to_owned()]);
    }
    Ok(chosen)
}

fn useless(choice: &Choice, all: &[Variant<'_>]) -> String {
    let word = &choice.word;
    let near = match &choice.about {
        About::Id(_) => {
            let areas = all.iter().map(|variant| format!("{}/*", variant.case.area()));
            let known: Vec<String> = all.iter().map(|variant| variant.case.id.clone()).chain(areas).collect();
            let mut clauses = all.iter().flat_map(|variant| &variant.case.scenario.clause);
            let is_clause = clauses.any(|clause| clause == word).then(|| format!("clause:{word}"));
            is_clause.or_else(|| closest(word, known.iter().map(String::as_str)).map(str::to_owned))
        }
        About::Clause(_) => {
            let text = word.trim_start_matches("clause:");
            let known = all.iter().flat_map(|variant| &variant.case.scenario.clause);
            closest(text, known.map(String::as_str)).map(|clause| format!("clause:{clause}"))
        }
        About::Level(_) | About::Need(_) | About::Transport(_) => None,
    };
    match near {
        Some(near) => format!("no case is meant by `{word}`; did you mean `{near}`?"),
        None => format!("no case is meant by `{word}`; `sockrates list --conformance` shows them all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::example::case;

    fn cases() -> Vec<Case> {
        vec![
            case("handshake/open", "clause: EIO-HS-01\nlevel: must"),
            case("handshake/sid", "clause: EIO-HS-02\nlevel: should"),
            case("rooms/order", "clause: SEM-RM-01\nneeds: fixture\ntransports: [polling, websocket]"),
        ]
    }

    fn labels(only: &[&str], exclude: &[&str]) -> Result<Vec<String>, Vec<String>> {
        let read = |words: &[&str]| -> Vec<Choice> {
            words.iter().map(|word| Choice::read(word).expect("it is a good word")).collect()
        };
        let cases = cases();
        let chosen = select(&cases, &read(only), &read(exclude))?;
        Ok(chosen.iter().map(Variant::label).collect())
    }

    #[test]
    fn without_words_every_variant_is_meant() {
        let all = ["handshake/open", "handshake/sid", "rooms/order@polling", "rooms/order@websocket"];
        assert_eq!(labels(&[], &[]), Ok(all.map(str::to_owned).to_vec()));
    }

    #[test]
    fn words_are_globs_over_ids_and_more() {
        for (only, exclude, left) in [
            (&["handshake/*"][..], &[][..], &["handshake/open", "handshake/sid"][..]),
            (&["rooms/order"], &[], &["rooms/order@polling", "rooms/order@websocket"]),
            (&["*@polling"], &[], &["rooms/order@polling"]),
            (&["level:should"], &[], &["handshake/sid"]),
            (&["needs:fixture"], &["transport:polling"], &["rooms/order@websocket"]),
            (&["clause:EIO-HS-*"], &["*/sid"], &["handshake/open"]),
            (&["*@webtransport"], &[], &["rooms/order@webtransport"]),
            (
                &["transport:webtransport", "rooms/*"],
                &["*@polling"],
                &["rooms/order@websocket", "rooms/order@webtransport"],
            ),
            (&["handshake/open", "rooms/*@websocket"], &[], &["handshake/open", "rooms/order@websocket"]),
        ] {
            let left: Vec<String> = left.iter().map(|label| (*label).to_owned()).collect();
            assert_eq!(labels(only, exclude), Ok(left), "{only:?} without {exclude:?}");
        }
    }

    #[test]
    fn a_word_that_means_nothing_is_answered_with_what_was_meant() {
        for (word, near) in [
            ("handshake/opne", "`handshake/open`"),
            ("handshak/*", "`handshake/*`"),
            ("clause:EIO-HS-10", "`clause:EIO-HS-01`"),
            ("EIO-HS-01", "`clause:EIO-HS-01`"),
            ("needs:recovery", "sockrates list --conformance"),
        ] {
            let told = labels(&[word], &[]).expect_err("it means nothing").join("\n");
            assert!(told.contains(near), "{told}");
        }
        assert!(labels(&["handshake/*"], &["clause:EIO-*"]).is_err());
    }

    #[test]
    fn a_word_that_is_wrong_is_refused() {
        for (word, near) in
            [("level:msut", "`must`"), ("transprt:polling", "`transport:`"), ("[", "no pattern")]
        {
            let told = Choice::read(word).expect_err("it is wrong");
            assert!(told.contains(near), "{told}");
        }
    }
}
