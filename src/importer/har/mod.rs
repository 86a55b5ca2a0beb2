//! Recordings of a browser, as HAR files of Chrome, Firefox and Playwright.
//!
//! What the tabs said and heard over WebSockets and long-polling becomes a scenario that says the same: tabs that do the same are
//! one group, events that others hear are broadcasts, and each guess stands in the file with its evidence.
//!
//! | file | job |
//! |---|---|
//! | `file` | the HAR file, entry by entry and within bounds, into what was said |
//! | `talk` | what the tabs said and heard: packets into events |
//! | `guess` | which event joins, which is passed on to others, which is answered by another event |
//! | `hidden` | what lets somebody in, into variables |
//! | `script` | all of that into a scenario |

mod file;
mod guess;
mod hidden;
mod script;
mod talk;

use std::io::Read;

use self::guess::Guesses;
use self::hidden::Hidden;
use self::talk::Tab;
use super::Imported;

/// Makes a scenario of a recording. `name` is that of the file, `output` that of the scenario.
///
/// # Errors
/// When the file is no HAR, or holds nothing of Socket.IO.
pub fn import(har: impl Read, name: &str, output: &str) -> Result<Imported, String> {
    let recorded = file::read(har).map_err(|why| format!("error: {name} is not a HAR file: {why}\n"))?;
    let mut notes = Vec::new();
    let mut hidden = Hidden::of(&recorded);
    let tabs = talk::tabs(recorded, &mut notes);
    if !tabs.iter().any(Tab::is_connected) {
        return Err(format!(
            "error: {name} holds no connection of Socket.IO\nhelp: record with the network panel open before the page is \
             loaded; WebSocket messages are in files that Chrome (Save all as HAR), Firefox and Playwright (recordHar) write\n"
        ));
    }
    let guesses = Guesses::of(&tabs);
    script::draft(name, output, &tabs, &guesses, &mut hidden, notes)
        .finish(&crate::scenario::Surroundings::without_files())
        .map_err(|why| format!("error: {why}\n"))
}
