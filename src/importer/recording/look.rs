//! What an application says to clients that only look: a few facts, for whoever writes the first scenario.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::guessed::Guesses;
use super::origin::Origins;
use super::recorded::Recorded;
use super::talk::{Said, Tab, What, tabs};
use crate::contract::{event_says_error, says_error, says_yes};
use crate::document::shortened;
use crate::measure::format::printable;
use crate::protocol::dialect::Version;

/// The most characters that are told of what came.
const EXCERPT: usize = 120;

/// What was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The version of Engine.IO that it speaks.
    pub version: Option<u8>,
    /// The events that it tells a client unasked, each with its arguments.
    pub greetings: Vec<(String, String)>,
    /// The namespaces that refuse a client, each with what it is told.
    pub refusals: Vec<(String, String)>,
    /// Whether it ends the connection of a client that has asked for nothing.
    pub sends_away: bool,
    /// The event after which it ended the connections of all clients.
    pub ended_by: Option<String>,
    /// Which of the events that were asked for it acknowledged, and how.
    pub acknowledged: Vec<Acknowledged>,
    /// Which it did not.
    pub silent: Vec<String>,
    /// What it answered with an error: the event that was asked for, and the answer.
    pub errors: Vec<(String, String)>,
    /// Which of those may have been refused: the event, and the text in its acknowledgement.
    pub doubts: Vec<(String, String)>,
    /// By which event another client heard one that was asked for.
    pub arrivals: Vec<(String, String)>,
    /// Of those, whether whoever asked heard it, too, where that can be told.
    pub echoes: Vec<(String, bool)>,
    /// Of those, which a client heard that came later.
    pub histories: Vec<String>,
    /// Of those, which the third client heard, which has asked for another room.
    pub elsewhere: Vec<String>,
    /// By which event the application answers one that was asked for: to whoever asked, and to nobody else.
    pub answers: Vec<(String, String)>,
}

/// An event that the application acknowledges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Its name.
    pub event: String,
    /// The arguments of the last acknowledgement.
    pub args: String,
    /// Whether its first argument is an error or null, as callbacks have it in Node.
    pub is_error_first: bool,
}

/// What a recording of two clients shows, or of three of which the last has asked for another room.
pub fn look(recorded: Recorded) -> Look {
    let mut recorded = recorded;
    let tabs = tabs(&mut recorded, &mut Vec::new());
    let mut look =
        Look { version: tabs.iter().find_map(|tab| tab.version).map(Version::number), ..Look::default() };
    let Some(first) = tabs.first() else { return look };
    let begins = first.sent().next().map_or(f64::INFINITY, |(said, ..)| said.at);
    let hear = |name: &str| tabs.iter().all(|tab| tab.heard().any(|(_, other, _)| other == name));
    // What every client hears is no news of another client.
    for (_, name, args) in first.heard().filter(|(said, name, _)| said.at < begins && hear(name)) {
        let told = (name.to_owned(), excerpt(args));
        if !look.greetings.iter().any(|(known, _)| *known == told.0) {
            look.greetings.push(told);
        }
    }
    for said in first.said.iter().filter(|said| !said.is_sent) {
        if let What::Refusal(why) = &said.what {
            look.refusals.push((printable(&said.namespace), excerpt(std::slice::from_ref(why))));
        }
    }
    let mut last: Option<(f64, String)> = None;
    let mut answers: BTreeMap<String, Option<&[Json]>> = BTreeMap::new();
    for said in &first.said {
        match &said.what {
            What::Event { name, id, .. } if said.is_sent => {
                let answer = id.and_then(|id| first.acknowledgement(said, id));
                answers.insert(name.clone(), answer);
                let answer = answer.map(|answer| (answer, Json::from(answer).to_string()));
                match answer.filter(|(_, data)| !says_yes(data)) {
                    Some((answer, data)) if says_error(&data) || data == "[false]" => {
                        look.errors
                            .push((printable(name), format!("the acknowledgement {}", excerpt(answer))));
                    }
                    Some((answer, _)) => look.doubts.push((printable(name), excerpt(answer))),
                    None => {}
                }
                last = Some((said.at, name.clone()));
            }
            What::Event { name, args, .. } if event_says_error(name) || is_error(args) => {
                if let Some((_, asked)) = &last {
                    look.errors.push((
                        printable(asked),
                        format!("the event {} {}", event(said, name), excerpt(args)),
                    ));
                }
            }
            _ => {}
        }
    }
    let begins_with_null = |args: &[Json]| args.len() > 1 && args[0].is_null();
    let is_error_first = answers.values().flatten().any(|args| begins_with_null(args));
    for (name, answer) in answers {
        let Some(args) = answer else {
            look.silent.push(printable(&name));
            continue;
        };
        // Where one handler has it so, a text of another one is its error.
        let may_be_error = matches!(args, [] | [Json::Null | Json::String(_), ..]);
        look.acknowledged.push(Acknowledged {
            event: printable(&name),
            args: excerpt(args),
            is_error_first: is_error_first && may_be_error,
        });
    }
    let origins = Origins::of(&tabs);
    let guesses = Guesses::of(&tabs, &origins);
    let heard =
        guesses.broadcasts.iter().map(|((_, name), broadcast)| (name.clone(), broadcast.arrives_as.clone()));
    look.arrivals = heard.collect();
    let shown = guesses.broadcasts.iter().filter(|(_, broadcast)| broadcast.has_history);
    look.histories = shown.map(|((_, name), _)| name.clone()).collect();
    // What comes of earlier visits is shown to everybody.
    look.greetings.retain(|(event, _)| !look.arrivals.iter().any(|(_, heard)| heard == event));
    for ((_, name), broadcast) in &guesses.broadcasts {
        look.echoes.extend(broadcast.reaches_sender.map(|echoes| (name.clone(), echoes)));
        let sent =
            first.sent().find(|(_, sent, ..)| sent == name).map_or(f64::INFINITY, |(said, ..)| said.at);
        let mut heard = tabs.get(2).into_iter().flat_map(Tab::heard);
        if heard.any(|(said, heard, _)| said.at > sent && *heard == *broadcast.arrives_as) {
            look.elsewhere.push(name.clone());
        }
    }
    let asked: BTreeSet<&str> = tabs.iter().flat_map(Tab::sent).map(|(_, name, ..)| name).collect();
    look.answers = asked
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), answer(&tabs, name)?)))
        .filter(|(_, answer)| !event_says_error(answer))
        .filter(|(_, answer)| !look.arrivals.iter().any(|(_, heard)| heard == answer))
        .collect();
    look
}

/// The event that whoever asked for this one heard each time before anybody asked again, and nobody else did.
fn answer(tabs: &[Tab], asked: &str) -> Option<String> {
    let all: Vec<(usize, f64, &str)> = tabs
        .iter()
        .enumerate()
        .flat_map(|(index, tab)| tab.sent().map(move |(said, name, ..)| (index, said.at, name)))
        .collect();
    let mut each = all.iter().filter(|(.., name)| *name == asked).map(|(asker, at, _)| {
        let end =
            all.iter().map(|(_, other, _)| *other).filter(|other| other > at).fold(f64::INFINITY, f64::min);
        let heard = |tab: &Tab| -> BTreeSet<String> {
            let within = tab.heard().filter(|(said, ..)| said.at >= *at && said.at < end);
            within.map(|(_, name, _)| name.to_owned()).collect()
        };
        let others = tabs.iter().enumerate().filter(|(index, _)| index != asker);
        let others: BTreeSet<String> = others.flat_map(|(_, tab)| heard(tab)).collect();
        heard(&tabs[*asker]).difference(&others).cloned().collect::<BTreeSet<String>>()
    });
    let first = each.next()?;
    each.fold(first, |all, one| all.intersection(&one).cloned().collect()).into_iter().next()
}

fn event(said: &Said, name: &str) -> String {
    match said.namespace.as_str() {
        "/" => printable(name),
        namespace => format!("{} of {}", printable(name), printable(namespace)),
    }
}

/// Whether some arguments say that something was not done.
pub(super) fn is_error(args: &[Json]) -> bool {
    says_error(&Json::from(args).to_string())
}

fn excerpt(args: &[Json]) -> String {
    let text = args.iter().map(Json::to_string).collect::<Vec<_>>().join(", ");
    printable(&shortened(&text, EXCERPT))
}

#[cfg(test)]
mod tests {
    use super::super::recorded::Content;
    use super::*;

    fn said(lines: &[(bool, &str)]) -> Recorded {
        let mut recorded = Recorded::default();
        let exchange =
            recorded.begin("http://h/socket.io/?EIO=4&transport=websocket").expect("there is room");
        for (index, (is_sent, text)) in lines.iter().enumerate() {
            recorded.say(exchange, index as f64, *is_sent, Content::Text((*text).to_owned()));
        }
        recorded
    }

    #[test]
    fn greetings_errors_and_silence_are_told_apart() {
        let seen = look(said(&[
            (false, "0{\"sid\":\"A\"}"),
            (true, "40"),
            (false, "40{\"sid\":\"B\"}"),
            (false, "42[\"welcome\",{\"rooms\":[\"lobby\"]}]"),
            (true, "420[\"enter\",{\"room\":\"lobby\"}]"),
            (false, "430[{\"error\":\"a nick, please\"}]"),
            (true, "421[\"say\",{\"text\":\"hello\"}]"),
            (false, "42[\"invalid message\",\"too short\"]"),
        ]));
        assert_eq!(seen.version, Some(4));
        assert_eq!(seen.greetings, [("welcome".to_owned(), "{\"rooms\":[\"lobby\"]}".to_owned())]);
        assert_eq!(seen.acknowledged.iter().map(|one| one.event.as_str()).collect::<Vec<_>>(), ["enter"]);
        assert_eq!(seen.silent, ["say"]);
        let asked: Vec<&str> = seen.errors.iter().map(|(asked, _)| asked.as_str()).collect();
        assert_eq!(asked, ["enter", "say"], "{:?}", seen.errors);
    }

    #[test]
    fn a_callback_that_gets_the_error_first_and_a_text_that_may_be_one_are_seen() {
        let seen = look(said(&[
            (false, "0{\"sid\":\"A\"}"),
            (true, "40"),
            (false, "40{\"sid\":\"B\"}"),
            (true, "420[\"watch\",\"lot\"]"),
            (false, "430[null,{\"highest\":0}]"),
            (true, "421[\"bid\",{\"text\":\"hello\"}]"),
            (false, "431[\"the amount is missing\"]"),
            (true, "422[\"count\"]"),
            (false, "432[7]"),
        ]));
        let how: Vec<_> = seen.acknowledged.iter().map(|one| (&*one.event, one.is_error_first)).collect();
        assert_eq!(how, [("bid", true), ("count", false), ("watch", true)]);
        assert_eq!(seen.doubts, [("bid".to_owned(), "\"the amount is missing\"".to_owned())]);
        assert_eq!(seen.errors, []);
    }
}
