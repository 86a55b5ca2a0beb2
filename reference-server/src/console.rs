//! Proof of life on standard error: who came, what was said, who left and why.
//!
//! Names and events come from strangers: they are cut short and their control characters escaped. A busy
//! server does not pay for its console: past a number of lines in a second the rest is only counted, and
//! lines are written by a thread of their own, dropped when the reader is slow.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::rc::Rc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use owo_colors::OwoColorize;

use crate::timers::Timers;

const LINES_PER_SECOND: usize = 20;
const LINES_WAITING: usize = 256;

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// A connection was made.
    Came,
    /// A namespace or room was entered or left.
    Moved,
    /// An event arrived.
    Said,
    /// A connection ended.
    Left,
    /// Something is wrong with a client.
    Trouble,
}

const TOPICS: [(Topic, &str); 5] = [
    (Topic::Came, "came"),
    (Topic::Moved, "moved"),
    (Topic::Said, "said"),
    (Topic::Left, "left"),
    (Topic::Trouble, "in trouble"),
];

/// The console, or nothing at all.
pub(crate) struct Console {
    lines: Option<SyncSender<String>>,
    shown: Cell<usize>,
    hidden: RefCell<[usize; TOPICS.len()]>,
    ticking: Cell<bool>,
}

impl Console {
    /// A console that writes to standard error, or one that keeps silent.
    pub(crate) fn new(speaks: bool) -> Console {
        Console {
            lines: speaks.then(start_writer),
            shown: Cell::new(0),
            hidden: RefCell::default(),
            ticking: Cell::new(false),
        }
    }

    /// Tells one line. `line` is only called when it will be shown.
    #[inline]
    pub(crate) fn say(self: &Rc<Self>, timers: &Timers, topic: Topic, line: impl FnOnce() -> String) {
        if self.lines.is_some() {
            self.tell(timers, topic, line);
        }
    }

    fn tell(self: &Rc<Self>, timers: &Timers, topic: Topic, line: impl FnOnce() -> String) {
        if !self.ticking.replace(true) {
            let console = self.clone();
            timers.after(Duration::from_secs(1), move || console.turn_second());
        }
        if self.shown.get() >= LINES_PER_SECOND {
            self.hidden.borrow_mut()[topic as usize] += 1;
            return;
        }
        self.shown.set(self.shown.get() + 1);
        let line = line();
        self.write(match topic {
            Topic::Came => line.green().to_string(),
            Topic::Moved => line.cyan().to_string(),
            Topic::Said => line,
            Topic::Left => line.yellow().to_string(),
            Topic::Trouble => line.red().to_string(),
        });
    }

    fn turn_second(&self) {
        self.ticking.set(false);
        self.shown.set(0);
        let hidden = self.hidden.take();
        let parts: Vec<String> = TOPICS
            .iter()
            .filter(|(topic, _)| hidden[*topic as usize] > 0)
            .map(|(topic, word)| format!("{} {word}", hidden[*topic as usize]))
            .collect();
        if !parts.is_empty() {
            self.write(format!("… and within that second: {}", parts.join(", ")).dimmed().to_string());
        }
    }

    fn write(&self, line: String) {
        if let Some(lines) = &self.lines {
            let _ = lines.try_send(line);
        }
    }
}

fn start_writer() -> SyncSender<String> {
    let (sender, receiver) = sync_channel::<String>(LINES_WAITING);
    let writer = std::thread::Builder::new().name("console".to_owned());
    let _ = writer.spawn(move || {
        for line in receiver {
            if writeln!(anstream::stderr().lock(), "{line}").is_err() {
                break;
            }
        }
    });
    sender
}

/// A stranger's text made safe to print: control characters escaped, cut after `most` characters.
pub(crate) fn printable(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (n, character) in text.chars().enumerate() {
        if n == most {
            out.push('…');
            break;
        }
        let reorders =
            matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if character.is_control() || reorders {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_send_escape_sequences_to_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mb\n", 40), "a\\u{1b}[31mb\\n");
        assert_eq!(printable("ab\u{202e}c", 40), "ab\\u{202e}c");
        assert_eq!(printable("grün €", 40), "grün €");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("abc", 3), "abc");
    }

    #[test]
    fn a_silent_console_never_builds_a_line() {
        let console = Rc::new(Console::new(false));
        console.say(&Timers::default(), Topic::Said, || unreachable!());
    }
}
