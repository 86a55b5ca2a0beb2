//! Messages to one person who is known by a name: each client is in a room of that name.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::guessed::{Broadcast, Guesses, Personal};
use super::origin::{Event, Place, messages, text_at, texts};
use super::roles::NAME;
use super::seen::{Heard, MOST_TIMES, Sending, heard_soon_in};
use super::talk::{Said, Tab, What};
use super::words::Words;
use crate::measure::format::counted;

/// Finds those broadcasts that name whoever hears them, by what that one calls itself.
pub(super) fn find(guesses: &mut Guesses, tabs: &[Tab], words: &Words<'_>) {
    let found: Vec<(Event, Place, String, String)> = guesses
        .broadcasts
        .iter()
        .filter(|(_, broadcast)| broadcast.personal.is_none() && !broadcast.reaches_all)
        .filter_map(|(event, broadcast)| {
            let (place, name, evidence) = addressee(tabs, guesses, event, broadcast, words)?;
            Some((event.clone(), place, name, evidence))
        })
        .collect();
    for (event, place, name, evidence) in found {
        // The name of a contract's rooms is one for all of them.
        let is_other = |one: &Broadcast| match &one.personal {
            Some(Personal::Named(other)) => *other != name,
            Some(Personal::Told(..)) => true,
            None => false,
        };
        if guesses.broadcasts.values().any(is_other) {
            continue;
        }
        if let Some(broadcast) = guesses.broadcasts.get_mut(&event) {
            broadcast.room = Some(place);
            broadcast.personal = Some(Personal::Named(name));
            broadcast.evidence.push_str(&evidence);
        }
    }
}

/// Where each sending of an event says how those call themselves that hear it, the name as all clients write their own, and
/// the evidence.
fn addressee(
    tabs: &[Tab],
    guesses: &Guesses,
    event: &Event,
    broadcast: &Broadcast,
    words: &Words<'_>,
) -> Option<(Place, String, String)> {
    let mut places: Option<BTreeSet<(Place, String)>> = None;
    let (mut times, mut is_shown) = (0, false);
    for sending in sendings(tabs, event).take(MOST_TIMES) {
        let Some(said) = text_at(sending.args, &broadcast.text) else { continue };
        let heard = heard_soon_in(tabs, &sending, &broadcast.arrives_in);
        let is_it = |heard: &&Heard<'_>| {
            heard.name == broadcast.arrives_as
                && messages(heard.args).iter().any(|(_, text)| text.contains(said))
        };
        let by: BTreeSet<usize> =
            heard.iter().filter(is_it).map(|heard| heard.tab).filter(|tab| *tab != sending.tab).collect();
        let Some(receiver) = by.first().copied() else { continue };
        let names = texts(sending.args).into_iter().filter(|(place, _)| *place != broadcast.text);
        let names: BTreeSet<(Place, String)> = names
            .filter_map(|(place, name)| {
                let own = words.own_name(receiver, name)?;
                // A person may have several windows.
                let is_of = |tab: &usize| {
                    words.own_name(*tab, name).as_ref() == Some(&own)
                        && (own != NAME || is_known(&tabs[*tab], name, sending.said.at, guesses))
                };
                by.iter().all(is_of).then_some((place, own))
            })
            .collect();
        places = Some(match places {
            None => names,
            Some(known) => known.intersection(&names).cloned().collect(),
        });
        times += 1;
        is_shown |= there(tabs, sending.said.at, &broadcast.arrives_in) > by.len() + 1;
    }
    let (place, name) = places?.into_iter().next().filter(|_| is_shown)?;
    let evidence = format!(
        "; its argument {place} is the name of whoever heard it, {} of {times}, and others were there",
        counted(times, "time")
    );
    Some((place, name, evidence))
}

/// Whether the server knows somebody by a name at that time: the connection or an earlier event said it, one that is no message.
fn is_known(tab: &Tab, name: &str, at: f64, guesses: &Guesses) -> bool {
    let says = |args: &[Json]| texts(args).iter().any(|(_, text)| *text == name);
    let is_said = |said: &Said| match &said.what {
        What::Connect(Some(auth)) => says(std::slice::from_ref(auth)),
        What::Event { name, args, .. } => {
            let event = (said.namespace.clone(), name.clone());
            !guesses.broadcasts.contains_key(&event) && says(args)
        }
        _ => false,
    };
    tab.query.iter().any(|(_, value)| value == name)
        || tab.said.iter().any(|said| said.is_sent && said.at < at && is_said(said))
}

fn sendings<'t>(tabs: &'t [Tab], event: &Event) -> impl Iterator<Item = Sending<'t>> {
    tabs.iter().enumerate().flat_map(move |(tab, one)| {
        one.sent()
            .filter(|(said, name, ..)| said.namespace == event.0 && *name == event.1)
            .map(move |(said, _, args, id)| Sending { tab, said, args, id })
    })
}

/// How many tabs were in a namespace at that time.
fn there(tabs: &[Tab], at: f64, namespace: &str) -> usize {
    let is_let_in =
        |said: &Said| said.namespace == namespace && said.at < at && matches!(said.what, What::Connect(_));
    tabs.iter().filter(|tab| tab.until > at && tab.said.iter().any(is_let_in)).count()
}
