//! Shows how it goes: two lines on standard error while something runs, and a line for each step of a search or a
//! comparison. Nothing that is shown enters a result.
//!
//! Where there is no terminal, or one on which nothing can be drawn anew, a run is a line a second instead.

use std::env;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::complain;
use crate::report::live;
use crate::runner::{Error, Event};

const TIMES_A_SECOND: u8 = 10;

/// The display of a verb.
pub(super) struct Display {
    quiet: bool,
    /// What is shown of that which runs now.
    lines: Option<Lines>,
}

impl Display {
    pub(super) fn new(quiet: bool) -> Display {
        Display { quiet, lines: None }
    }

    /// Shows an event, if it is one to be shown. As a listener it never wants to end anything.
    pub(super) fn show(&mut self, event: &Event<'_>) -> Result<(), Error> {
        match event {
            Event::Noted(note) => complain(&format!("note: {note}")),
            Event::Warned(words) => complain(words),
            _ if self.quiet => {}
            Event::RunEnded | Event::SuiteEnded => self.lines = None,
            event => {
                if let Some((elapsed, stay)) = event.goes_on() {
                    let lines = self.lines.get_or_insert_with(Lines::of_stderr);
                    lines.take(elapsed, stay, || event.lines()).iter().for_each(|line| complain(line));
                }
                event.line().iter().for_each(|line| complain(line));
            }
        }
        Ok(())
    }
}

/// Two lines that tell where something is and what happens in it.
enum Lines {
    /// On a terminal: gone when dropped.
    Drawn { all: MultiProgress, bars: [ProgressBar; 2] },
    /// Lines that stay, and when the next is due.
    Kept(live::Pace),
}

impl Lines {
    fn of_stderr() -> Lines {
        let can_draw = stderr().is_terminal() && env::var_os("TERM").is_none_or(|value| value != "dumb");
        match can_draw {
            true => Lines::drawn(ProgressDrawTarget::stderr_with_hz(TIMES_A_SECOND)),
            false => Lines::Kept(live::Pace::default()),
        }
    }

    fn drawn(target: ProgressDrawTarget) -> Lines {
        let all = MultiProgress::with_draw_target(target);
        let bars = ["{spinner} {wide_msg}", "  {wide_msg}"].map(|template| {
            let style = ProgressStyle::with_template(template).expect("the templates are well-formed");
            all.add(ProgressBar::new_spinner().with_style(style))
        });
        Lines::Drawn { all, bars }
    }

    /// Draws these, at most some times a second, or gives the line that is due. `stay`: whether one is kept where nothing can
    /// be drawn.
    fn take(&mut self, elapsed: Duration, stay: bool, lines: impl FnOnce() -> [String; 2]) -> Option<String> {
        match self {
            Lines::Drawn { bars, .. } => {
                bars.iter().zip(lines()).for_each(|(bar, line)| bar.set_message(line));
                bars[0].tick();
                None
            }
            Lines::Kept(pace) => (stay && pace.is_due(elapsed)).then(|| lines().join(" · ")),
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if let Lines::Drawn { all, bars } = self {
            bars.iter().for_each(ProgressBar::finish_and_clear);
            // A terminal that is gone needs no clearing.
            let _ = all.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_shows_the_latest_lines_and_they_are_gone_at_the_end() {
        let lines = || ["5 s connect".to_owned(), "3 of 4 connected".to_owned()];
        let mut drawn = Lines::drawn(ProgressDrawTarget::hidden());
        assert_eq!(drawn.take(Duration::ZERO, false, lines), None);
        let Lines::Drawn { bars, .. } = &drawn else { panic!("it is a terminal") };
        let bars = bars.clone();
        assert_eq!([bars[0].message(), bars[1].message()], lines());
        drop(drawn);
        assert!(bars.iter().all(ProgressBar::is_finished));
    }
}
