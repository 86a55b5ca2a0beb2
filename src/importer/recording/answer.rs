//! What an application says to whoever asked, and what it repeats to others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::cause::Spoken;
use super::guessed::Guesses;
use super::origin::{Event, texts};
use super::seen::{Heard, MOST_TIMES, Sending, heard_soon};
use super::talk::{Said, Tab, What};

/// Within so many seconds of its connection, a client may be told something unasked.
const GREETING: f64 = 1.0;

/// Whether other tabs hear this event with the same arguments, none of which is a text.
pub(super) fn echo(tabs: &[Tab], all: &[Sending<'_>]) -> Option<String> {
    let looked = &all[..all.len().min(MOST_TIMES)];
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let says_numbers = |sending: &&Sending<'_>| !sending.args.is_empty() && texts(sending.args).is_empty();
    for sending in looked.iter().filter(says_numbers) {
        let heard = heard_soon(tabs, sending);
        let is_it = |heard: &&Heard<'_>| {
            heard.tab != sending.tab && sending.args.iter().all(|arg| holds(heard.args, arg))
        };
        let heard: BTreeSet<&str> = heard.iter().filter(is_it).map(|heard| heard.name).collect();
        heard.into_iter().for_each(|name| *names.entry(name).or_default() += 1);
    }
    let (name, times) = names.into_iter().max_by_key(|(_, times)| *times)?;
    (times * 2 >= looked.len())
        .then(|| format!("{times} of {} times another tab heard `{name}` with the same values; no text of it can carry a stamp, so this is not audited", looked.len()))
}

/// Whether some arguments have all fields of a value.
fn holds(args: &[Json], value: &Json) -> bool {
    args.iter().any(|arg| match (arg, value) {
        (Json::Object(arg), Json::Object(value)) => {
            !value.is_empty() && value.iter().all(|(key, value)| arg.get(key) == Some(value))
        }
        (arg, value) => arg == value,
    })
}

/// Whether the sender, and nobody else, hears one other event each time.
pub(super) fn response(
    tabs: &[Tab],
    event: &Event,
    all: &[Sending<'_>],
    heard: &BTreeMap<(&str, &str), usize>,
    guesses: &Guesses,
    spoken: &Spoken<'_>,
) -> Option<String> {
    let mut candidates: Option<BTreeSet<&str>> = None;
    let mut is_greeting = BTreeMap::<&str, usize>::new();
    // What came before anybody else said something can be because of nothing else.
    let mut certain: BTreeSet<&str> = BTreeSet::new();
    for sending in all.iter().take(MOST_TIMES) {
        let soon = heard_soon(tabs, sending);
        if let Some(name) = greeting(&tabs[sending.tab], sending.said) {
            *is_greeting.entry(name).or_default() += 1;
        }
        let of = |is_own: bool| soon.iter().filter(move |heard| (heard.tab == sending.tab) == is_own);
        let by_others: BTreeSet<&str> = of(false).map(|heard| heard.name).collect();
        let only: BTreeSet<&str> =
            of(true).map(|heard| heard.name).filter(|name| !by_others.contains(name)).collect();
        // A tab of which nothing came afterwards may have gone just then, and others hear of that.
        let may_be_gone = |heard: &Heard<'_>| {
            let mut others = tabs.iter().enumerate().filter(|(tab, _)| *tab != sending.tab);
            let is_begun = |tab: &Tab| tab.said.first().is_some_and(|first| first.at < heard.at);
            others.any(|(_, tab)| is_begun(tab) && tab.until >= sending.said.at && tab.until < heard.at)
        };
        let at_once = |heard: &&Heard<'_>| {
            !spoken.others_spoke(sending.tab, sending.said.at, heard.at) && !may_be_gone(heard)
        };
        certain.extend(of(true).filter(at_once).map(|heard| heard.name));
        candidates = Some(match candidates {
            None => only,
            Some(before) => before.intersection(&only).copied().collect(),
        });
    }
    // Of what is acknowledged, a single event after it may be there by chance.
    let is_enough = all.len() > 1 || !guesses.acknowledged.contains_key(event);
    let tells_others = |name: &str| {
        let mut broadcasts = guesses.broadcasts.iter();
        broadcasts.any(|(_, broadcast)| broadcast.arrives_in == event.0 && broadcast.arrives_as == name)
    };
    let is_answer = |name: &&str| {
        heard.get(&(event.0.as_str(), *name)) == Some(&all.len())
            && is_greeting.get(name) != Some(&all.len())
            && certain.contains(name)
            && !tells_others(name)
    };
    candidates?.into_iter().filter(|_| is_enough).find(is_answer).map(str::to_owned)
}

/// The event that a tab heard first, where it sent this one as soon as it was let in: the server may have said that unasked.
fn greeting<'t>(tab: &'t Tab, sent: &Said) -> Option<&'t str> {
    let is_here = |said: &Said| said.namespace == sent.namespace;
    let is_let_in = |said: &&Said| !said.is_sent && is_here(said) && matches!(said.what, What::Connect(_));
    let let_in = tab.said.iter().find(is_let_in)?;
    let (_, name, _) = tab.heard().find(|(said, ..)| is_here(said))?;
    (sent.at - let_in.at <= GREETING).then_some(name)
}
