//! What a server prints: the last lines for the case that it dies, and the URL that it announces.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::Endpoint;

/// How many lines are kept.
const TAIL: usize = 20;
/// How much of a line is read as one.
const LINE: u64 = 4096;
/// How many lines are searched for a URL: what comes later is the log of a server that runs.
const FIRST_OUTPUT: usize = 200;

/// The output of a process, read by threads of its own until it ends, so that the process never waits for us.
#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    shared: Arc<(Mutex<Shared>, Condvar)>,
}

#[derive(Debug, Default)]
struct Shared {
    open: usize,
    lines: usize,
    tail: VecDeque<String>,
    announced: Vec<Endpoint>,
    /// What a line has to contain that says that the process is ready.
    awaited: Option<String>,
    is_ready: bool,
}

impl Output {
    /// Output that is searched for a text that says that the process is ready, if one does.
    pub(super) fn awaiting(ready: Option<&str>) -> Output {
        let shared = Shared { awaited: ready.map(str::to_owned), ..Shared::default() };
        Output { shared: Arc::new((Mutex::new(shared), Condvar::new())) }
    }

    /// Whether a line has said that the process is ready.
    pub(super) fn is_ready(&self) -> bool {
        self.lock().is_ready
    }

    /// Starts to read this stream. Ends by itself when everybody who could write to it is gone.
    pub(super) fn follow(&self, stream: impl Read + Send + 'static) {
        self.lock().open += 1;
        let output = self.clone();
        thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while matches!((&mut stream).take(LINE).read_until(b'\n', &mut line), Ok(1..)) {
                output.take(String::from_utf8_lossy(&line).trim_end());
                line.clear();
            }
            output.lock().open -= 1;
            output.shared.1.notify_all();
        });
    }

    /// Waits until everything is read that was printed, or until the time is over: after the end of a process its
    /// last words may still be on their way, and its children may still hold the stream.
    pub(super) fn settle(&self, time: Duration) {
        let _settled = self.shared.1.wait_timeout_while(self.lock(), time, |shared| shared.open > 0);
    }

    /// The last lines, as they came.
    pub(super) fn tail(&self) -> Vec<String> {
        self.lock().tail.iter().cloned().collect()
    }

    /// The places that were announced so far, in their order, each once.
    pub(super) fn announced(&self) -> Vec<Endpoint> {
        self.lock().announced.clone()
    }

    fn take(&self, line: &str) {
        let mut shared = self.lock();
        shared.lines += 1;
        if !shared.is_ready {
            shared.is_ready = shared.awaited.as_ref().is_some_and(|text| line.contains(text.as_str()));
        }
        if shared.lines <= FIRST_OUTPUT
            && let Some(endpoint) = announced(line)
            && !shared.announced.contains(&endpoint)
        {
            shared.announced.push(endpoint);
        }
        if shared.tail.len() == TAIL {
            shared.tail.pop_front();
        }
        shared.tail.push_back(line.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where on this machine a server says in this line that it is: by a URL, or by a port after the word `listening`,
/// `running` or `port`. A URL of another machine is a link to some manual.
fn announced(line: &str) -> Option<Endpoint> {
    let line = without_colours(line);
    if let Some(start) = line.find("http://").or_else(|| line.find("https://")) {
        let rest = &line[start..];
        let end =
            rest.find(|c: char| c.is_whitespace() || "\"'`<>()[]{},".contains(c) && !rest.contains("://["));
        let url =
            rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ';', '!', '"', '\'', ')', ']', ',']);
        return here(Endpoint::parse(&url.replacen("://*", "://0.0.0.0", 1)).ok()?);
    }
    let lower = line.to_ascii_lowercase();
    let word = ["listening", "running", "port "].into_iter().find_map(|word| lower.find(word))?;
    let rest = &lower[word..];
    let after = |mark: &str| {
        rest.match_indices(mark).find_map(|(at, _)| {
            let digits = rest[at + mark.len()..].trim_start_matches([' ', '=']);
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            digits[..end].parse::<u16>().ok().filter(|port| *port > 0)
        })
    };
    after(":").or_else(|| after("port")).or_else(|| after(" on ")).map(Endpoint::local)
}

/// The endpoint with an address that can be connected to, if it is on this machine.
fn here(endpoint: Endpoint) -> Option<Endpoint> {
    let host = match endpoint.host.parse() {
        Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => "127.0.0.1".to_owned(),
        Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => "::1".to_owned(),
        _ => endpoint.host.clone(),
    };
    endpoint.is_local().then_some(Endpoint { host, ..endpoint })
}

/// The line without the escape sequences that colour it.
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(part.len(), |end| end + 1);
        text.push_str(&part[end..]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(line: &str) -> Option<String> {
        announced(line).map(|endpoint| endpoint.to_string())
    }

    #[test]
    fn a_server_is_found_by_the_url_that_it_prints() {
        for (line, expected) in [
            ("listening on http://127.0.0.1:41234/socket.io/", "http://127.0.0.1:41234/socket.io/"),
            ("Server ready at http://localhost:3000.", "http://localhost:3000/socket.io/"),
            (
                "  \u{1b}[32m➜\u{1b}[39m  Local: \u{1b}[36mhttp://localhost:\u{1b}[1m5173\u{1b}[22m/\u{1b}[39m",
                "http://localhost:5173/socket.io/",
            ),
            ("{\"msg\":\"up\",\"url\":\"http://0.0.0.0:8080\"}", "http://127.0.0.1:8080/socket.io/"),
            ("http://[::]:4000", "http://[::1]:4000/socket.io/"),
            ("(http://*:4000)", "http://127.0.0.1:4000/socket.io/"),
            ("https://localhost:8443/live", "https://localhost:8443/live/"),
        ] {
            assert_eq!(url(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn a_server_is_found_by_the_port_that_it_prints() {
        for line in [
            "listening on *:3000",
            "Listening on port 3000",
            "listening on 3000",
            "Server listening at 0.0.0.0:3000 (pid 4711)",
            "App is running on port: 3000",
            "started, port 3000",
            "listening port=3000",
        ] {
            assert_eq!(url(line).as_deref(), Some("http://127.0.0.1:3000/socket.io/"), "{line}");
        }
    }

    #[test]
    fn other_lines_announce_nothing() {
        for line in [
            "",
            "see https://socket.io/docs/v4 for help",
            "12:30:01 starting",
            "listening",
            "listening on port 99999",
            "connected to database at 10.0.0.1:5432",
            "http://",
        ] {
            assert_eq!(url(line), None, "{line}");
        }
    }

    #[test]
    fn only_the_last_lines_are_kept_and_a_line_without_end_is_cut() {
        let output = Output::default();
        (0..100).for_each(|n| output.take(&format!("line {n}")));
        assert_eq!(output.tail().len(), TAIL);
        assert_eq!(output.tail().last().map(String::as_str), Some("line 99"));
        let long = vec![b'x'; 3 * LINE as usize];
        let mut stream = BufReader::new(&long[..]);
        let mut line = Vec::new();
        (&mut stream).take(LINE).read_until(b'\n', &mut line).expect("it is memory");
        assert_eq!(line.len() as u64, LINE);
    }

    #[test]
    fn settling_waits_for_the_last_words_and_not_for_ever() {
        let (reader, mut writer) = std::io::pipe().expect("the system has pipes");
        let output = Output::default();
        output.follow(reader);
        output.settle(Duration::from_millis(1));
        assert_eq!(output.tail(), Vec::<String>::new());
        std::io::Write::write_all(&mut writer, b"goodbye\n").expect("somebody reads");
        drop(writer);
        output.settle(Duration::from_secs(60));
        assert_eq!(output.tail(), ["goodbye"]);
    }

    #[test]
    fn the_log_of_a_running_server_announces_nothing_any_more() {
        let output = Output::default();
        (0..FIRST_OUTPUT).for_each(|_| output.take("hello"));
        output.take("listening on port 3000");
        assert_eq!(output.announced(), []);
    }
}
