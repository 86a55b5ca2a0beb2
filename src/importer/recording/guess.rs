//! What the events mean, as far as the recording shows it. Each guess comes with its evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use serde_json::Value as Json;

use super::answer::{echo, response};
use super::cause::{Sent, Spoken};
use super::entry;
use super::guessed::{Acknowledged, Broadcast, Guesses, Personal, Rooms};
use super::keys::{is_addressee_key, is_kind_key, is_name_key, is_room_key};
use super::origin::{
    Event, Origins, Place, Teller, is_of_bytes, messages, text_at, texts, values, values_that_may_be_told,
};
use super::seen::{
    ENTER, Heard, LEAVE, MOST_HEARD, MOST_TIMES, SOON, Sending, heard_soon_in, is_called, room_by_key,
    room_of,
};
use super::talk::{Said, Tab, What};
use crate::measure::format::counted;

/// So many kinds of events are guessed at: an application that has more of them puts data into their names.
const MOST_EVENTS: usize = 500;

/// So many other namespaces are looked at for what an event makes of itself.
const MOST_NAMESPACES: usize = 8;

/// So many sendings of an event show whether what it says is said again.
const FEW: usize = 5;

/// The shortest text by which an event is known again in another.
const TELLING: usize = 2;

impl Guesses {
    /// Guesses from what all tabs said and heard.
    pub(super) fn of(tabs: &[Tab], origins: &Origins) -> Guesses {
        let mut sendings: BTreeMap<Event, Vec<Sending<'_>>> = BTreeMap::new();
        for (index, tab) in tabs.iter().enumerate() {
            for (said, name, args, id) in tab.sent() {
                let event = (said.namespace.clone(), name.to_owned());
                sendings.entry(event).or_default().push(Sending { tab: index, said, args, id });
            }
        }
        let is_cut = keep_the_most_frequent(&mut sendings);
        let mut heard: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (said, name, _) in tabs.iter().flat_map(Tab::heard) {
            *heard.entry((&said.namespace, name)).or_default() += 1;
        }
        let entered: BTreeSet<&str> = sendings
            .iter()
            .filter(|(event, _)| is_called(event, &ENTER))
            .flat_map(|(_, all)| all)
            .filter_map(|sending| text_at(sending.args, &room_of(sending.args)?))
            .collect();
        let spoken = Spoken::of(tabs, |place, text| {
            text.chars().count() >= TELLING
                && !is_name_key(place)
                && !is_room_key(place)
                && !is_kind_key(place)
        });
        let mut guesses = Guesses { is_cut, ..Guesses::default() };
        let mut entries: BTreeMap<&Event, String> = BTreeMap::new();
        let namespaces: BTreeSet<&str> = heard.keys().map(|(namespace, _)| *namespace).collect();
        for (event, all) in &sendings {
            if let Some(acknowledged) = acknowledged(tabs, all) {
                guesses.acknowledged.insert(event.clone(), acknowledged);
            }
            let room = all.first().and_then(|first| room_of(first.args));
            let says_room = room.is_some() && (is_called(event, &ENTER) || is_called(event, &LEAVE));
            let found = || {
                let looks = Looks { tabs, event, all, origins, entered: &entered, spoken: &spoken };
                let mut namespaces = iter::once(event.0.as_str()).chain(elsewhere(&namespaces, event));
                namespaces.find_map(|namespace| broadcast(&looks, namespace))
            };
            if !says_room && let Some(mut broadcast) = found() {
                if broadcast.room.is_none() {
                    broadcast.room = entry::room_named_before(event, &broadcast.text, all, &sendings);
                }
                if entry::is_heard_inside_alone(tabs, all, &broadcast) {
                    entries.insert(
                        event,
                        format!(
                            "`{}` came to tabs alone that had sent it themselves, so this is not audited",
                            broadcast.arrives_as
                        ),
                    );
                } else {
                    guesses.broadcasts.insert(event.clone(), broadcast);
                }
            }
        }
        let alone: Vec<_> = sendings
            .iter()
            .filter_map(|(event, all)| Some((event.clone(), said_alone(tabs, event, all, &guesses)?)))
            .collect();
        guesses.broadcasts.extend(alone);
        for (event, all) in &sendings {
            if guesses.broadcasts.contains_key(event) {
                continue;
            }
            let room = all.first().and_then(|first| room_of(first.args));
            if let Some((place, (with, without))) =
                room.map(|place| (place.clone(), heard_in_rooms(tabs, event, &place, &guesses)))
            {
                let named = if is_called(event, &ENTER) || is_called(event, &LEAVE) {
                    format!("its name says so, and its argument {place} names a room")
                } else {
                    format!("its argument {place} names a room")
                };
                let shown = match (with, without) {
                    (0, _) => String::new(),
                    (with, 0) => format!("; all {with} messages that came for that room came after it"),
                    (with, without) => {
                        format!("; {with} of {} messages for that room came after it", with + without)
                    }
                };
                let rooms = Rooms { place, evidence: format!("{named}{shown}") };
                if is_called(event, &LEAVE) {
                    guesses.leaves.insert(event.clone(), rooms);
                } else if is_called(event, &ENTER) || with > 0 && without == 0 {
                    guesses.joins.insert(event.clone(), rooms);
                }
            }
        }
        for (event, all) in &sendings {
            if guesses.broadcasts.contains_key(event) {
                continue;
            }
            if let Some(rooms) = entry::join(tabs, event, all, &sendings, &guesses) {
                guesses.joins.insert(event.clone(), rooms);
            }
            if let Some(answer) = response(tabs, event, all, &heard, &guesses, &spoken) {
                guesses.responses.insert(event.clone(), answer);
            } else if !guesses.joins.contains_key(event)
                && let Some(evidence) = entries.remove(event).or_else(|| echo(tabs, all))
            {
                guesses.echoes.insert(event.clone(), evidence);
            }
        }
        guesses
    }
}

/// Leaves the kinds of events that were sent most often. Gives whether there were more.
fn keep_the_most_frequent(sendings: &mut BTreeMap<Event, Vec<Sending<'_>>>) -> bool {
    if sendings.len() <= MOST_EVENTS {
        return false;
    }
    let mut counts: Vec<usize> = sendings.values().map(Vec::len).collect();
    counts.sort_unstable_by(|one, other| other.cmp(one));
    let least = counts[MOST_EVENTS - 1];
    let mut of_least = MOST_EVENTS - counts.iter().filter(|count| **count > least).count();
    sendings.retain(|_, all| {
        let is_of_least = all.len() == least && of_least > 0;
        of_least -= usize::from(is_of_least);
        all.len() > least || is_of_least
    });
    true
}

/// Whether an event was acknowledged each time, and how.
fn acknowledged(tabs: &[Tab], all: &[Sending<'_>]) -> Option<Acknowledged> {
    let looked = &all[..all.len().min(MOST_TIMES)];
    let answers: Vec<&[Json]> = looked
        .iter()
        .filter_map(|sending| tabs[sending.tab].acknowledgement(sending.said, sending.id?))
        .collect();
    (answers.len() == looked.len()).then(|| Acknowledged {
        is_error_first: answers.iter().all(|args| args.len() > 1 && args[0].is_null()),
        evidence: format!("acknowledged {} of {} times", answers.len(), looked.len()),
    })
}

/// How often an event was heard with the text at a place of this one.
#[derive(Default)]
struct Score<'t> {
    others: usize,
    sender: usize,
    /// How often nobody else said the same at that time.
    clear: usize,
    texts: BTreeSet<&'t str>,
}

/// How many of some sendings have a text at a place.
fn with_text(all: &[Sending<'_>], place: &str) -> usize {
    all.iter().filter(|sending| text_at(sending.args, place).is_some()).count()
}

/// Where an event says a name, by its own key or by the one under which others hear it, that some tab hears more than once: a
/// stamp in it would come again with each of these events.
fn names_again(tabs: &[Tab], sending: &Sending<'_>, namespace: &str) -> Vec<Place> {
    let is_again = |text: &str, is_name: bool| {
        let says = |args: &[Json]| {
            texts(args).iter().any(|(place, told)| *told == text && (is_name || is_name_key(place)))
        };
        tabs.iter().any(|tab| {
            let later =
                tab.heard().filter(|(said, ..)| said.at >= sending.said.at && said.namespace == namespace);
            later.take(MOST_HEARD).filter(|(.., args)| says(args)).nth(1).is_some()
        })
    };
    let names = texts(sending.args).into_iter();
    names.filter(|(place, text)| is_again(text, is_name_key(place))).map(|(place, _)| place).collect()
}

/// An event, and what is known beside it.
struct Looks<'l> {
    tabs: &'l [Tab],
    event: &'l Event,
    all: &'l [Sending<'l>],
    origins: &'l Origins,
    entered: &'l BTreeSet<&'l str>,
    spoken: &'l Spoken<'l>,
}

/// The other namespaces in which an event may be heard, the first of them.
fn elsewhere<'n>(namespaces: &BTreeSet<&'n str>, event: &Event) -> impl Iterator<Item = &'n str> {
    namespaces.iter().copied().filter(|namespace| *namespace != event.0).take(MOST_NAMESPACES)
}

/// Whether other tabs hear this event in a namespace, known again by a text of it.
fn broadcast(looks: &Looks<'_>, namespace: &str) -> Option<Broadcast> {
    let Looks { tabs, event, all, origins, entered, spoken } = *looks;
    let mut scores: BTreeMap<(String, Place), Score<'_>> = BTreeMap::new();
    let looked = &all[..all.len().min(MOST_TIMES)];
    let said_again: BTreeSet<Place> =
        looked.iter().take(FEW).flat_map(|one| names_again(tabs, one, namespace)).collect();
    for sending in looked {
        let heard: Vec<(Heard<'_>, Vec<(Place, &str)>)> = heard_soon_in(tabs, sending, namespace)
            .into_iter()
            .map(|heard| {
                let texts = messages(heard.args);
                (heard, texts)
            })
            .collect();
        let room = room_by_key(sending.args);
        let own = messages(sending.args);
        let sent = Sent { at: sending.said.at, namespace: &event.0, name: &event.1 };
        for (place, text) in own.iter().cloned() {
            // What names a room, a client or a kind of messages, or what the server has said itself, is no message.
            let is_no_word = text.chars().count() < TELLING
                || is_kind_key(&place)
                || said_again.contains(&place)
                || origins.owner(text).is_some()
                || origins.told(sending.tab, text, sending.said.at).is_some()
                || entered.contains(text);
            if is_no_word || Some(&place) == room.as_ref() {
                continue;
            }
            let is_clear = !looked.iter().any(|other| {
                other.tab != sending.tab
                    && (other.said.at - sending.said.at).abs() <= SOON
                    && text_at(other.args, &place) == Some(text)
            });
            let mut seen: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
            let tells = |texts: &[(Place, &str)]| texts.iter().any(|(_, heard)| heard.contains(text));
            let is_of_this = |heard: &Heard<'_>, texts: &[(Place, &str)]| {
                tells(texts) && !spoken.is_of_a_later(&sent, &own, heard.at, texts)
            };
            for (heard, _) in heard.iter().filter(|(heard, texts)| is_of_this(heard, texts)) {
                let one = seen.entry(heard.name).or_default();
                *(if heard.tab == sending.tab { &mut one.1 } else { &mut one.0 }) = true;
            }
            for (name, (by_others, by_sender)) in seen {
                if by_others {
                    let score = scores.entry((name.to_owned(), place.clone())).or_default();
                    score.others += 1;
                    score.sender += usize::from(by_sender && is_clear);
                    score.clear += usize::from(is_clear);
                    score.texts.insert(text);
                }
            }
        }
    }
    // Of two texts, the one that changes is what is said, and a name is who says it.
    let ((arrives_as, text), Score { others, sender, clear, .. }) =
        scores.into_iter().max_by_key(|((name, place), score)| {
            let changes = score.texts.len() > 1;
            (!is_name_key(place), changes, score.others, name == &event.1, score.texts.len())
        })?;
    // One event may carry several kinds of messages, told apart by what stands in them.
    let like_it = with_text(looked, &text);
    if others * 2 < like_it || arrives_as.len() >= 200 || event.1.len() >= 200 {
        return None;
    }
    let personal = personal(looks, namespace, &arrives_as, &text);
    let to_whom = personal.as_ref().map_or_else(String::new, |(place, ..)| {
        format!("; its argument {place} is what the server had told the one tab that heard it")
    });
    let shown = shown_later(tabs, all, &arrives_as, &text);
    let reaches_all = looked.iter().all(|sending| all_heard(looks, sending, namespace, &arrives_as, &text));
    let is_to_one = looked.iter().all(|sending| others_there(tabs, sending, namespace) < 2);
    // With one other tab, all others and the one that is meant are the same.
    let addressee = looked
        .iter()
        .flat_map(|sending| values(sending.args))
        .map(|value| value.place)
        .find(|place| is_to_one && is_addressee_key(place));
    let to_all = match (reaches_all, &addressee, is_to_one) {
        (false, ..) => "; not each of the tabs that were there heard it".to_owned(),
        (true, Some(place), _) => format!(
            "; one other tab was there, and its argument {place} may say to whom it goes: three tabs show whether all hear it"
        ),
        (true, None, true) => "; one other tab was there".to_owned(),
        (true, None, false) => String::new(),
    };
    let to_late = match shown {
        0 => String::new(),
        times => format!("; a tab that came later heard it {}", counted(times as u64, "time")),
    };
    let in_another = match namespace == event.0 {
        true => String::new(),
        false => format!("; it came in the namespace `{namespace}`"),
    };
    let what = match is_of_bytes(&text) {
        true => "the same bytes, in whose place are others now".to_owned(),
        false => format!("the text of its argument {text}"),
    };
    let room = match &personal {
        Some((place, ..)) => Some(place.clone()),
        None => all
            .iter()
            .find(|sending| text_at(sending.args, &text).is_some())
            .and_then(|first| room_by_key(first.args)),
    };
    let is_for_all = !looked.iter().any(|sending| repeats(origins, sending, &[Some(&text), room.as_ref()]));
    Some(Broadcast {
        room,
        is_for_all,
        personal: personal.map(|(_, teller, place, count)| Personal::Told(teller, place, count)),
        evidence: format!(
            "{others} of {like_it} times another tab heard `{arrives_as}` with {what}; \
             {sender} times its own tab did{to_all}{to_whom}{to_late}{in_another}"
        ),
        has_history: shown > 0,
        reaches_sender: (clear > 0).then(|| sender * 2 > clear),
        reaches_all: reaches_all && addressee.is_none(),
        times: with_text(all, &text),
        text,
        arrives_as,
        arrives_in: namespace.to_owned(),
    })
}

/// Whether an event says what the server had told somebody, other than who a client is, and elsewhere than at these places.
fn repeats(origins: &Origins, sending: &Sending<'_>, beside: &[Option<&Place>]) -> bool {
    let (tab, at) = (sending.tab, sending.said.at);
    let is_told = |text: &str| {
        origins.owner(text).is_none()
            && (origins.told(tab, text, at).is_some() || origins.told_to_another(tab, text, at).is_some())
    };
    let mut said =
        values_that_may_be_told(sending.args).filter(|value| !beside.contains(&Some(&value.place)));
    said.any(|value| is_told(&value.text))
}

/// What an event is in a namespace where its tab was alone, so that nobody could hear it: what it is in another namespace. An
/// application may serve many of them alike.
fn said_alone(tabs: &[Tab], event: &Event, all: &[Sending<'_>], guesses: &Guesses) -> Option<Broadcast> {
    if guesses.broadcasts.contains_key(event) {
        return None;
    }
    let is_here = |tab: &&Tab| tab.said.iter().any(|said| said.namespace == event.0);
    if tabs.iter().filter(is_here).count() > 1 {
        return None;
    }
    let mut known = guesses.broadcasts.iter().filter(|(other, _)| other.1 == event.1);
    let is_alike = |one: &Broadcast| one.personal.is_none() && with_text(all, &one.text) > 0;
    let (_, broadcast) = known.find(|(other, one)| one.elsewhere(other).is_none() && is_alike(one))?;
    Some(Broadcast {
        times: with_text(all, &broadcast.text),
        arrives_in: event.0.clone(),
        ..broadcast.clone()
    })
}

/// How many other tabs were in a namespace when something was said.
fn others_there(tabs: &[Tab], sending: &Sending<'_>, namespace: &str) -> usize {
    let at = sending.said.at;
    let is_let_in =
        |said: &Said| said.namespace == namespace && said.at < at && matches!(said.what, What::Connect(_));
    let others = tabs.iter().enumerate().filter(|(index, _)| *index != sending.tab);
    others.filter(|(_, tab)| tab.until > at && tab.said.iter().any(is_let_in)).count()
}

/// Whether all other tabs heard a message that were there, if any did. Who connects and says something later only may have to say
/// that to be there.
fn all_heard(
    looks: &Looks<'_>,
    sending: &Sending<'_>,
    namespace: &str,
    arrives_as: &str,
    place: &str,
) -> bool {
    let (tabs, at) = (looks.tabs, sending.said.at);
    let Some(text) = text_at(sending.args, place) else { return true };
    let is_it = |heard: &&Heard<'_>| {
        heard.name == arrives_as && messages(heard.args).iter().any(|(_, told)| told.contains(text))
    };
    let heard = heard_soon_in(tabs, sending, namespace);
    let by: BTreeMap<usize, f64> = heard.iter().filter(is_it).map(|heard| (heard.tab, heard.at)).collect();
    let Some(last) = by.iter().filter(|(tab, _)| **tab != sending.tab).map(|(_, at)| *at).reduce(f64::max)
    else {
        return true;
    };
    // Who says the same event later may come in by it: then nobody knows whether those hear it who are not in.
    let comes_in = |tab: usize| looks.all.iter().any(|other| other.tab == tab && other.said.at > at);
    let is_there = |index: usize, tab: &Tab| {
        let of_here = || tab.said.iter().filter(|said| said.namespace == *namespace);
        let is_let_in = of_here().any(|said| said.at < at && matches!(said.what, What::Connect(_)));
        let mut spoke = tab.sent().map(|(said, ..)| said.at);
        is_let_in && tab.until > last && (spoke.next().is_none_or(|first| first < at) || comes_in(index))
    };
    let mut others = tabs.iter().enumerate().filter(|(index, _)| *index != sending.tab);
    others.all(|(index, tab)| by.contains_key(&index) || !is_there(index, tab))
}

/// How often a tab heard a message that was sent before the tab had connected, or had entered a room: the application shows what
/// was said before.
fn shown_later(tabs: &[Tab], all: &[Sending<'_>], arrives_as: &str, text: &str) -> usize {
    let said: Vec<(&str, f64)> = all
        .iter()
        .filter_map(|sending| Some((text_at(sending.args, text)?, sending.said.at)))
        .filter(|(said, _)| said.chars().count() >= TELLING)
        .collect();
    // What was said once is known again for certain.
    let only_once = |text: &str| said.iter().filter(|(other, _)| other.contains(text)).count() == 1;
    let once: Vec<(&str, f64)> =
        said.iter().copied().take(MOST_TIMES).filter(|(text, _)| only_once(text)).collect();
    let came = |tab: &Tab, heard: f64| {
        let begun = tab.said.first().map(|first| first.at);
        let enters = |name: &str| ENTER.iter().any(|word| name.to_lowercase().contains(word));
        let entered = tab.sent().filter(|(_, name, ..)| enters(name)).map(|(said, ..)| said.at);
        begun.into_iter().chain(entered).filter(|at| *at <= heard).reduce(f64::max)
    };
    let is_late = |tab: &Tab, heard: f64, sent: f64| came(tab, heard).is_some_and(|came| came > sent);
    tabs.iter()
        .flat_map(|tab| tab.heard().take(MOST_HEARD).map(move |heard| (tab, heard)))
        .filter(|(_, (_, name, _))| *name == arrives_as)
        .filter(|(tab, (heard, _, args))| {
            let texts = messages(args);
            let tells = |text: &str| texts.iter().any(|(_, heard)| heard.contains(text));
            once.iter().any(|(text, sent)| is_late(tab, heard.at, *sent) && tells(text))
        })
        .count()
}

/// Where an event names the one tab that hears it, and what had told that tab its name.
fn personal(
    looks: &Looks<'_>,
    namespace: &str,
    arrives_as: &str,
    text: &str,
) -> Option<(Place, Teller, Place, usize)> {
    let Looks { tabs, origins, .. } = *looks;
    let all = &looks.all[..looks.all.len().min(MOST_TIMES)];
    let mut scores: BTreeMap<(Place, Teller, Place, usize), usize> = BTreeMap::new();
    for sending in all {
        let Some(said) = text_at(sending.args, text) else { continue };
        let heard = heard_soon_in(tabs, sending, namespace);
        let is_it = |heard: &&Heard<'_>| {
            heard.name == arrives_as && messages(heard.args).iter().any(|(_, text)| text.contains(said))
        };
        let by: BTreeSet<usize> =
            heard.iter().filter(is_it).map(|heard| heard.tab).filter(|tab| *tab != sending.tab).collect();
        for (place, value) in texts(sending.args) {
            if let Some(owner) = origins.owner(value)
                && by.iter().eq([&owner.tab])
            {
                let key = (place, owner.teller.clone(), owner.place.clone(), owner.count);
                *scores.entry(key).or_default() += 1;
            }
        }
    }
    let (found, times) = scores.into_iter().max_by_key(|(_, times)| *times)?;
    (times * 2 >= with_text(all, text)).then_some(found)
}

/// Of the messages for rooms that an event names: how many tabs heard after they had sent that event, and how many without.
fn heard_in_rooms(tabs: &[Tab], event: &Event, place: &str, guesses: &Guesses) -> (usize, usize) {
    let rooms: BTreeSet<&str> = tabs
        .iter()
        .flat_map(Tab::sent)
        .filter(|(said, name, ..)| said.namespace == event.0 && *name == event.1)
        .filter_map(|(_, _, args, _)| text_at(args, place))
        .collect();
    let broadcasts = || guesses.broadcasts.iter().filter(|(_, broadcast)| broadcast.arrives_in == event.0);
    let is_passed_on = |name: &str| broadcasts().any(|(_, broadcast)| broadcast.arrives_as == name);
    let (mut with, mut without) = (0, 0);
    for tab in tabs {
        let mut inside: BTreeSet<&str> = BTreeSet::new();
        for said in &tab.said {
            let What::Event { name, args, .. } = &said.what else { continue };
            if said.namespace != event.0 {
                continue;
            }
            if said.is_sent && *name == event.1 {
                inside.extend(text_at(args, place));
            } else if !said.is_sent && is_passed_on(name) {
                let told = texts(args).into_iter().find(|(_, text)| rooms.contains(text));
                match told {
                    Some((_, room)) if inside.contains(room) => with += 1,
                    Some(_) => without += 1,
                    None => {}
                }
            }
        }
    }
    (with, without)
}
