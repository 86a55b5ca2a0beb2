//! Recordings: what tabs said and heard over WebSockets and long-polling becomes a scenario that says the same.
//!
//! Tabs that do the same are one group, events that others hear are broadcasts, and each guess stands in the file with its
//! evidence. A HAR file and a proxy fill the same [`Recorded`].
//!
//! | file | job |
//! |---|---|
//! | `recorded` | requests, and what was said over each, within bounds |
//! | `request` | requests of the pages themselves, within bounds of their own |
//! | `talk` | what the tabs said and heard: packets into events |
//! | `seen`, `keys` | what the guesses look at; what the keys of values say |
//! | `guess`, `guessed` | which event joins, which is passed on to others, which is answered by another event |
//! | `cause`, `entry`, `answer` | what an event is because of where several may be; by which events clients come in; what is said to whoever asks |
//! | `named` | which message goes to one person who is known by a name |
//! | `opening` | what one tab is told, and others say |
//! | `origin` | values that come from the server, and how a client of a scenario comes to them |
//! | `hidden` | what lets somebody in, into variables |
//! | `login`, `asked` | by which requests a tab came in, and what those say |
//! | `entrance` | these requests, as steps |
//! | `look` | a few facts of an application, for its first scenario |
//! | `roles` | tabs into groups |
//! | `words` | values as a scenario says them |
//! | `script`, `steps` | all of that into a scenario: its head, contract and connects; what each group says |

mod answer;
mod asked;
mod cause;
mod entrance;
mod entry;
mod guess;
mod guessed;
mod hidden;
mod keys;
mod login;
mod look;
mod named;
mod opening;
mod origin;
mod recorded;
mod request;
mod roles;
mod script;
mod seen;
mod steps;
mod talk;
mod words;

use std::collections::BTreeMap;

use self::guessed::Guesses;
use self::hidden::Hidden;
use self::login::Logins;
use self::origin::Origins;
use self::talk::Tab;
use super::{Imported, Kind, Note};
use crate::measure::format::{counted, printable};

pub use look::{Look, look};
pub use recorded::{Content, LONGEST, MOST_BYTES, MOST_MESSAGES, Recorded};
pub use request::{Answer, LONGEST_ANSWER, LONGEST_SENT, Request};
pub use script::Names;

/// So many servers are named in a note.
const MOST_SERVERS: usize = 10;

/// Makes a scenario of a recording. None where it holds no connection of Socket.IO.
///
/// # Errors
/// When no scenario can be made of it: why, in a sentence.
pub fn scenario(mut recorded: Recorded, names: Names<'_>) -> Result<Option<Imported>, String> {
    let mut notes = Vec::new();
    let mut hidden = Hidden::of(&recorded);
    let tabs = talk::tabs(&mut recorded, &mut notes);
    if !tabs.iter().any(Tab::is_connected) {
        return Ok(None);
    }
    notes.extend(several_servers(&tabs));
    let origins = Origins::of(&tabs);
    let mut guesses = Guesses::of(&tabs, &origins);
    if guesses.is_cut {
        let what = "there are very many kinds of events: only those that were sent most often are guessed at";
        notes.push(Note { line: 0, kind: Kind::Changed, what: what.to_owned() });
    }
    let logins = Logins::of(recorded.requests.kept, &tabs, &origins, &hidden);
    let draft = script::draft(names, &tabs, &mut guesses, &origins, &logins, &mut hidden, notes);
    draft.finish(&crate::scenario::Surroundings::without_files()).map(Some)
}

/// What is told where tabs connected to different servers: a scenario knows one.
fn several_servers(tabs: &[Tab]) -> Option<Note> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for tab in tabs.iter().filter(|tab| tab.is_connected()) {
        *counts.entry(&tab.origin).or_default() += 1;
    }
    let named =
        counts.iter().map(|(origin, count)| format!("{} ({})", printable(origin), counted(*count, "tab")));
    let named: Vec<String> = named.take(MOST_SERVERS).collect();
    (counts.len() > 1).then(|| Note {
        line: 0,
        kind: Kind::Changed,
        what: format!(
            "tabs were connected to {} servers: {}; the scenario plays all of them against the one of `--url`: if they are different \
             applications, record each alone",
            counts.len(),
            named.join(", ")
        ),
    })
}
