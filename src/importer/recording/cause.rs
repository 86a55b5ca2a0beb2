//! What an event that was heard may be because of, where several were sent shortly before it.

use std::collections::BTreeSet;

use super::origin::{Place, messages};
use super::talk::Tab;

/// So many events are looked at that were sent between one and what was heard after it.
const MOST_BETWEEN: usize = 20;

/// So many words of an event are looked for in another.
const MOST_WORDS: usize = 10;

/// All that the tabs said, in the order of time.
pub(super) struct Spoken<'t> {
    all: Vec<Saying<'t>>,
}

struct Saying<'t> {
    at: f64,
    tab: usize,
    namespace: &'t str,
    name: &'t str,
    /// What it says, without the names of rooms and of those who speak.
    words: Vec<&'t str>,
}

/// Something that was sent, and what is looked for of it.
pub(super) struct Sent<'t> {
    pub(super) at: f64,
    pub(super) namespace: &'t str,
    pub(super) name: &'t str,
}

impl<'t> Spoken<'t> {
    /// `is_word` says of a place, with the texts beside it, whether a message stands there.
    pub(super) fn of(tabs: &'t [Tab], is_word: impl Fn(&Place, &str) -> bool) -> Spoken<'t> {
        let mut all = Vec::new();
        for (tab, one) in tabs.iter().enumerate() {
            all.extend(one.sent().map(|(said, name, args, _)| {
                let words = messages(args).into_iter().filter(|(place, text)| is_word(place, text));
                let words = words.map(|(_, text)| text).take(MOST_WORDS).collect();
                Saying { at: said.at, tab, namespace: &said.namespace, name, words }
            }));
        }
        all.sort_by(|one, other| one.at.total_cmp(&other.at));
        Spoken { all }
    }

    /// Whether what was heard at that time repeats another event, which was sent after this one. `own` are the words of this one.
    pub(super) fn is_of_a_later(
        &self,
        sent: &Sent<'_>,
        own: &[(Place, &str)],
        heard_at: f64,
        heard: &[(Place, &str)],
    ) -> bool {
        let heard: BTreeSet<&str> = heard.iter().map(|(_, text)| *text).collect();
        self.between(sent.at, heard_at)
            .filter(|other| other.namespace == sent.namespace && other.name != sent.name)
            .flat_map(|other| &other.words)
            .any(|word| heard.contains(word) && !own.iter().any(|(_, text)| text == word))
    }

    /// Whether another tab said something between these times.
    pub(super) fn others_spoke(&self, tab: usize, from: f64, to: f64) -> bool {
        self.between(from, to).any(|other| other.tab != tab)
    }

    /// The latest of what was said then.
    fn between(&self, from: f64, to: f64) -> impl Iterator<Item = &Saying<'t>> {
        let begin = self.all.partition_point(|saying| saying.at < from);
        let end = self.all.partition_point(|saying| saying.at <= to).max(begin);
        self.all[begin..end].iter().rev().take(MOST_BETWEEN)
    }
}
