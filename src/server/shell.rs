//! A command of a script that has to end by itself.

use std::thread;
use std::time::{Duration, Instant};

use super::group::{GRACE, Group, LAST_WORDS, in_words};
use crate::measure::format;

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How many of its last lines are told.
const TOLD: usize = 5;

/// Runs a command line with these variables in its environment, and returns when it has ended, with all that it has started.
/// Whoever gives up ends it.
///
/// # Errors
/// A sentence without its full stop: how it ended, if not well, and its last lines.
pub(crate) fn run_command(
    line: &str,
    environment: Vec<(String, String)>,
    within: Duration,
    gives_up: &dyn Fn() -> bool,
) -> Result<(), String> {
    lines_of_command(line, environment, within, gives_up).map(drop)
}

/// The same, with the last lines that it printed; none where it was given up.
///
/// # Errors
/// As those of [`run_command`].
pub(crate) fn lines_of_command(
    line: &str,
    environment: Vec<(String, String)>,
    within: Duration,
    gives_up: &dyn Fn() -> bool,
) -> Result<Vec<String>, String> {
    let shown = format::printable(line);
    let started = Group::start_line(line, environment, None);
    let mut group = started.map_err(|error| format!("`{shown}` could not be started: {error}"))?;
    let deadline = Instant::now() + within;
    let why = loop {
        match group.command_ended() {
            Some(status) if status.success() => {
                group.output().settle(LAST_WORDS);
                return Ok(group.output().tail());
            }
            Some(status) => break format!("`{shown}` ended with {}", in_words(status)),
            None if gives_up() => return Ok(Vec::new()),
            None if Instant::now() >= deadline => {
                break format!("`{shown}` did not end within {}", format::duration(within));
            }
            None => thread::sleep(LOOK_AGAIN),
        }
    };
    group.stop(GRACE);
    group.output().settle(LAST_WORDS);
    let tail = group.output().tail();
    let tail: Vec<String> =
        tail.iter().skip(tail.len().saturating_sub(TOLD)).map(|line| format::printable(line)).collect();
    Err(match tail.is_empty() {
        true => format!("{why} and printed nothing"),
        false => format!("{why}; its last lines: {}", tail.join(" | ")),
    })
}

// Their commands are lines for `sh`.
#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn run(line: &str, within: Duration) -> Result<(), String> {
        run_command(line, vec![("WHERE".to_owned(), "here".to_owned())], within, &|| false)
    }

    #[test]
    fn a_command_that_ends_well_is_done_and_one_that_does_not_is_told_with_its_last_lines() {
        assert_eq!(run("test \"$WHERE\" = here", PATIENCE), Ok(()));
        let printed = lines_of_command("echo one; echo two", Vec::new(), PATIENCE, &|| false);
        assert_eq!(printed, Ok(vec!["one".to_owned(), "two".to_owned()]));
        let why = run("seq 1000; echo no such table; exit 4", PATIENCE).expect_err("it ends badly");
        assert!(why.starts_with("`seq 1000; echo no such table; exit 4` ended with exit code 4; "), "{why}");
        assert!(why.contains("no such table") && why.len() < 200, "{why}");
        assert!(run("exit 1", PATIENCE).is_err_and(|why| why.ends_with("and printed nothing")));
    }

    #[test]
    fn a_command_that_does_not_end_is_ended_with_its_children() {
        let why = run("sleep 1000 & echo $$; wait", Duration::from_millis(300)).expect_err("it goes on");
        assert!(why.contains("did not end within 300 ms; its last lines: "), "{why}");
        let leader = why.rsplit(' ').next().unwrap_or_default();
        assert!(!std::path::Path::new("/proc").join(leader).exists(), "{why}");
    }

    #[test]
    fn whoever_gives_up_does_not_wait_for_the_end() {
        assert_eq!(run_command("sleep 1000", Vec::new(), PATIENCE, &|| true), Ok(()));
    }
}
