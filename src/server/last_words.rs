//! Which of the last lines of a process tells why it ended: the exception, and not what a runtime prints around it.

/// That line, or the last one that says anything.
pub(crate) fn exception(lines: &[String]) -> Option<String> {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    let found =
        panic(&lines).or_else(|| traceback(&lines)).or_else(|| stack(&lines)).or_else(|| word(&lines));
    found.or_else(|| lines.iter().rev().find(|line| !is_noise(line)).map(|line| line.trim().to_owned()))
}

/// Rust: the message stands in the line behind `panicked at`. Go says `panic: …`.
fn panic(lines: &[&str]) -> Option<String> {
    let at = lines.iter().rposition(|line| line.contains("panicked at ") || line.starts_with("panic: "))?;
    let line = lines[at].trim();
    let message = lines.get(at + 1).filter(|_| line.ends_with(':')).map_or("", |next| next.trim());
    Some(format!("{line} {message}").trim_end().to_owned())
}

/// Python: the first line without indentation behind the last `Traceback`.
fn traceback(lines: &[&str]) -> Option<String> {
    let at =
        lines.iter().rposition(|line| line.trim_start().starts_with("Traceback (most recent call last)"))?;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let deep = indent(lines[at]);
    let mut behind = lines[at + 1..].iter().filter(|line| !line.trim().is_empty());
    behind.find(|line| indent(line) <= deep).map(|line| line.trim().to_owned())
}

/// JavaScript and Java: the line before the first of the stack, where a message may have several lines the one that names the
/// error.
fn stack(lines: &[&str]) -> Option<String> {
    let is_frame = |line: &&&str| line.trim_start().starts_with("at ") && line.starts_with([' ', '\t']);
    let last = lines.iter().rposition(|line| is_frame(&line))?;
    let first = lines[..last].iter().rposition(|line| !is_frame(&line))?;
    let before = &lines[..=first];
    let named = before.iter().rev().take(4).find(|line| names_error(line));
    named.or(before.last()).map(|line| line.trim().to_owned())
}

/// A line that names an error, where no stack is printed.
fn word(lines: &[&str]) -> Option<String> {
    lines.iter().rev().find(|line| names_error(line)).map(|line| line.trim().to_owned())
}

/// Whether it says `SomethingError: …`, `com.example.SomethingException: …` or the like.
fn names_error(line: &str) -> bool {
    let Some((name, _)) = line.split_once(':') else { return false };
    let name = name.split_whitespace().next_back().unwrap_or_default();
    name.ends_with("Error") || name.ends_with("Exception") || line.starts_with("error: ")
}

/// What a runtime prints behind the reason.
fn is_noise(line: &str) -> bool {
    let line = line.trim();
    let of_runtime = ["Node.js v", "Bun v", "note: ", "npm ERR!", "npm error"];
    line.is_empty() || of_runtime.iter().any(|begin| line.starts_with(begin)) || "{}()[]^~".contains(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(output: &str) -> Option<String> {
        exception(&output.lines().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_exception_is_found_in_what_the_runtimes_print() {
        for (output, line) in [
            (
                "listening on 3000\n/app/server.js:12\n  socket.emit(data.x.y)\n              ^\n\nTypeError: Cannot read properties of undefined (reading 'y')\n    at Socket.<anonymous> (/app/server.js:12:15)\n    at Socket.emit (node:events:519:28)\n\nNode.js v20.20.2",
                "TypeError: Cannot read properties of undefined (reading 'y')",
            ),
            (
                "node:events:497\n      throw er; // Unhandled 'error' event\n      ^\n\nError: read ECONNRESET\n    at TCP.onStreamRead (node:internal/stream_base_commons:218:20)\nEmitted 'error' event at:\n    at emitErrorNT (node:internal/streams/destroy:170:8) {\n  errno: -104,\n  code: 'ECONNRESET'\n}\n\nNode.js v20.20.2",
                "Error: read ECONNRESET",
            ),
            (
                "Traceback (most recent call last):\n  File \"server.py\", line 9, in <module>\n    run()\n  File \"server.py\", line 5, in run\n    raise KeyError(\"room\")\nKeyError: 'room'",
                "KeyError: 'room'",
            ),
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 1\n    x\nKeyError: 1\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"a.py\", line 3\n    y\nserver.Broken: no room\nbye",
                "server.Broken: no room",
            ),
            (
                "thread 'main' panicked at src/main.rs:5:9:\nindex out of bounds: the len is 0\nnote: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
                "thread 'main' panicked at src/main.rs:5:9: index out of bounds: the len is 0",
            ),
            (
                "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()",
                "panic: runtime error: index out of range",
            ),
            (
                "Exception in thread \"main\" java.lang.IllegalStateException: no room\n\tat Main.main(Main.java:3)",
                "Exception in thread \"main\" java.lang.IllegalStateException: no room",
            ),
            ("starting\nout of memory\n\nNode.js v20.20.2\n", "out of memory"),
        ] {
            assert_eq!(of(output).as_deref(), Some(line), "{output}");
        }
        assert_eq!(of(""), None);
        assert_eq!(of("Node.js v20.20.2"), None);
    }
}
