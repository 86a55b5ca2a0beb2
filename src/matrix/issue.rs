//! A bug report about a case that deviates, as a maintainer wants it: what was expected and where that is written, what came, a script
//! that shows it again, and the versions.

use std::fmt::Write;

use super::confirmed::Confirmed;
use crate::conformance::clauses::Clause;
use crate::conformance::{CaseResult, SuiteResult};
use crate::measure::format::printable;
use crate::report::result::WireResult;

/// The script, without the steps.
const REPLAY: &str = include_str!("replay.py");

/// The line of the script in whose place the steps stand.
const STEPS: &str = "    # STEPS\n";

/// A longer frame was shortened, and ends so.
const CUT: char = '…';

/// The report, as Markdown.
pub(crate) fn issue(suite: &SuiteResult, case: &CaseResult, confirmed: Option<&Confirmed>) -> String {
    let mut text = String::new();
    let failure = case.checks.iter().flat_map(|check| &check.failures).next();
    let example = case.errors.iter().flat_map(|error| &error.examples).next();
    let wire = match (failure, example) {
        (Some(failure), _) => &failure.wire[..],
        (None, Some(example)) => &example.wire[..],
        (None, None) => &[],
    };
    let client = failure.map(|one| &one.client).or(example.map(|one| &one.client));
    // Writing into a text cannot fail.
    let mut add = |part: String| {
        let _ = writeln!(text, "{part}");
    };
    add(format!("# {}\n", title(case)));
    add("## What is expected\n".to_owned());
    for clause in case.clause.iter().filter_map(|id| Clause::find(id)) {
        add(format!("{} ({}, {}).\n", escaped(&clause.text), escaped(&clause.spec), clause.level.name()));
    }
    match confirmed {
        Some(confirmed) => add(format!("> {}\n", escaped(&confirmed.broken))),
        None if !case.spec.is_empty() => add(format!("See {}.\n", escaped(&case.spec.join(", ")))),
        None => {}
    }
    add("## What comes\n".to_owned());
    match (confirmed, failure) {
        (Some(confirmed), _) => add(format!("{}.\n", escaped(confirmed.instead.trim_end_matches('.')))),
        (None, Some(failure)) => {
            add(format!("Expected {}; seen: {}.\n", escaped(&failure.expected), escaped(&failure.actual)));
        }
        (None, None) => add(format!("{}.\n", escaped(&case.reason))),
    }
    if !wire.is_empty() {
        let whose = client.filter(|name| !name.is_empty()).map_or("a client", |name| name.as_str());
        add(format!(
            "The last frames of {} (`>` is sent by the client, the times are seconds):\n",
            escaped(whose)
        ));
        add(fenced("text", &frames(wire)));
    }
    add("## How to see it again\n".to_owned());
    let failures = case.checks.iter().flat_map(|check| &check.failures).map(|one| &one.wire);
    let examples = case.errors.iter().flat_map(|error| &error.examples).map(|one| &one.wire);
    let replayed = failures.chain(examples).find_map(|wire| Some((steps(wire)?, wire)));
    match (confirmed, replayed) {
        (Some(confirmed), _) => {
            add("With this script, which needs nothing but the standard library:\n".to_owned());
            add(fenced("python", &confirmed.script_text));
        }
        (None, Some((steps, wire))) => {
            add("`python3 replay.py http://127.0.0.1:3000`, with the following as `replay.py`:\n".to_owned());
            add(fenced("python", &REPLAY.replace(STEPS, &steps)));
            if wire.iter().any(|frame| frame.sent && frame.text.ends_with(CUT)) {
                add(format!("Frames that end with `{CUT}` were longer and have to be completed.\n"));
            }
        }
        (None, None) => {}
    }
    add(format!("With sockrates: `{}`\n", case.command.replace('`', "'")));
    add("## Versions\n".to_owned());
    for (name, version) in suite.versions.iter() {
        add(format!("- {} {}", escaped(name), escaped(version)));
    }
    if let Some(software) = &suite.target.software {
        add(format!("- the server calls itself {}", escaped(software)));
    }
    add(format!("- {}", escaped(&suite.environment.os)));
    add(format!("- found by the case `{}` of sockrates {}", printable(&case.label()), suite.tool_version));
    text
}

/// What does not hold, in a line.
fn title(case: &CaseResult) -> String {
    format!("Not so: {} ({})", escaped(&case.name), escaped(&case.clause.join(", ")))
}

fn frames(wire: &[WireResult]) -> String {
    let line = |frame: &WireResult| {
        let sign = if frame.sent { '>' } else { '<' };
        format!("{:.3} {sign} {}\n", frame.at_us as f64 / 1e6, printable(&frame.text))
    };
    wire.iter().map(line).collect()
}

/// What the script does, a line a step; none where the frames do not begin with a connection.
fn steps(wire: &[WireResult]) -> Option<String> {
    let (_, first, _) = wire.iter().find_map(|frame| request(&frame.text).filter(|_| frame.sent))?;
    if first.contains("sid=") {
        return None;
    }
    let mut steps = String::new();
    let (mut is_open, mut heard) = (false, false);
    for frame in wire {
        let text = frame.text.as_str();
        let step = match (frame.sent, request(text)) {
            (true, Some((_, path, None))) if text.ends_with("(websocket)") => {
                is_open = true;
                Some(vec!["websocket", path])
            }
            (true, Some((method, path, body))) => {
                is_open = true;
                Some([method, path].into_iter().chain(body).collect())
            }
            // It answers pings by itself.
            (true, None) if is_open && text != "3" => Some(vec!["frame", text]),
            (true, None) => None,
            (false, _) => None,
        };
        let is_frame = !frame.sent && !text.starts_with("poll ") && !text.starts_with("post ");
        if is_frame && is_open && !heard {
            steps.push_str("    [\"hear\"],\n");
        }
        heard = is_frame;
        if let Some(step) = step {
            let step = serde_json::to_string(&step).ok()?;
            steps.push_str(&format!("    {step},\n"));
        }
    }
    is_open.then_some(steps)
}

/// The method, the path and the body of a request: `poll GET /socket.io/…`, `post POST /… body`, `GET /… (websocket)`.
fn request(text: &str) -> Option<(&str, &str, Option<&str>)> {
    let text = ["poll ", "post "].iter().find_map(|channel| text.strip_prefix(channel)).unwrap_or(text);
    let (method, rest) = text.split_once(' ')?;
    if !["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"].contains(&method) || !rest.starts_with('/') {
        return None;
    }
    match rest.split_once(' ') {
        None => Some((method, rest, None)),
        Some((path, "(websocket)")) => Some((method, path, None)),
        Some((path, body)) => Some((method, path, Some(body))),
    }
}

/// A block of code, whose fence is longer than any in it.
fn fenced(language: &str, text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// Text of a server or a file, in a line of Markdown.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '*' | '`' | '[' | ']' | '\\' | '|' | '#' => safe.extend(['\\', c]),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Verdict;
    use crate::conformance::example::{result, suite};
    use crate::matrix::example::servers;

    fn wire(all: &[(bool, &str)]) -> Vec<WireResult> {
        let frame =
            |(sent, text): &(bool, &str)| WireResult { at_us: 0, sent: *sent, text: (*text).to_owned() };
        all.iter().map(frame).collect()
    }

    #[test]
    fn a_report_tells_what_was_expected_what_came_how_to_see_it_and_the_versions() {
        let mut case = result("rooms/one", None, Verdict::Fail);
        case.checks[0].failures[0].wire = wire(&[
            (true, "GET /socket.io/?EIO=4&transport=websocket (websocket)"),
            (false, "0{}"),
            (true, "40"),
        ]);
        let mut suite = suite("x", vec![case.clone()]);
        suite.versions.note("socket.io", "4.8.1");
        insta::assert_snapshot!(issue(&suite, &case, None));
        let all = servers();
        let shown = issue(&suite, &case, all.confirmed.first());
        assert!(shown.contains("print('raw')") && !shown.contains("replay.py"), "{shown}");
    }

    #[test]
    fn the_script_does_what_the_client_did() {
        let websocket = wire(&[
            (true, "GET /socket.io/?EIO=4 (websocket)"),
            (false, "0{}"),
            (true, "40"),
            (false, "40{}"),
            (false, "2"),
            (true, "3"),
            (true, "42[\"a\"]"),
        ]);
        let expected = "    [\"websocket\",\"/socket.io/?EIO=4\"],\n    [\"hear\"],\n    [\"frame\",\"40\"],\n    \
                        [\"hear\"],\n    [\"frame\",\"42[\\\"a\\\"]\"],\n";
        assert_eq!(steps(&websocket).as_deref(), Some(expected));
        let polling = wire(&[
            (true, "poll GET /socket.io/?EIO=4&transport=polling"),
            (false, "poll 200 0{}"),
            (true, "post POST /socket.io/?sid=a 40"),
            (false, "post 200 ok"),
        ]);
        let expected = "    [\"GET\",\"/socket.io/?EIO=4&transport=polling\"],\n    [\"POST\",\"/socket.io/?sid=a\",\"40\"],\n";
        assert_eq!(steps(&polling).as_deref(), Some(expected));
        assert_eq!(steps(&wire(&[(true, "42[]"), (false, "43")])), None);
        assert_eq!(steps(&wire(&[(true, "poll GET /socket.io/?sid=a")])), None);
    }

    #[test]
    fn what_a_server_wrote_stays_in_its_place() {
        assert_eq!(fenced("text", "a\n```\nb"), "````text\na\n```\nb\n````\n");
        assert_eq!(escaped("<img> `a` *b*"), "&lt;img> \\`a\\` \\*b\\*");
    }
}
