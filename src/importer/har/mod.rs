//! Recordings of a browser, as HAR files of Chrome, Firefox and Playwright. What the tabs said and heard goes the way of all
//! recordings.

mod bounded;
mod file;

use std::io::Read;

use super::Imported;
use super::recording::{Names, scenario};
use crate::measure::format::printable;

/// Makes a scenario of a recording. `name` is that of the file, `output` that of the scenario.
///
/// # Errors
/// When the file is no HAR, or holds nothing of Socket.IO.
pub fn import(har: impl Read, name: &str, output: &str) -> Result<Imported, String> {
    let recorded = file::read(har).map_err(|why| format!("error: {name} is not a HAR file: {why}\n"))?;
    let recording = format!("{name}, a recording");
    let names = Names { recording: &recording, about: &stem(name), output };
    scenario(recorded, names).map_err(|why| format!("error: {why}\n"))?.ok_or_else(|| {
        format!(
            "error: {name} holds no connection of Socket.IO\nhelp: record with the network panel open before the page is \
             loaded; WebSocket messages are in files that Chrome (Save all as HAR), Firefox and Playwright (recordHar) write\n"
        )
    })
}

fn stem(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    printable(file.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("page"))
}
