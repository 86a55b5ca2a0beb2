//! The report as it grows: a page that shows the latest one, and a button that stops the run.
//!
//! The page is a frame around the report's own page. Server-sent events tell it the number of the latest report, and it fetches
//! that report when it is ready for one: a browser that is slow leaves reports out and falls behind in nothing. All of it stands
//! under a path that nobody can guess, so that no other page of the browser can read it or press its button.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Reply, Request, Shared, Site, unguessable};

/// Where a stream without news says that it lives.
const PULSE: Duration = Duration::from_secs(2);

/// The longest that the end of a run waits until those who watch have the last report.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A page that grows.
pub(crate) struct Live {
    shared: Arc<Shared<State>>,
    path: String,
    site: Site,
}

#[derive(Default)]
struct State {
    /// The latest report: a whole page.
    page: Arc<Vec<u8>>,
    /// Its number; 0 before the first.
    number: u64,
    is_over: bool,
    /// How many streams of events are open.
    watching: usize,
    /// How many of those who watch have not got the last report yet.
    waiting_for_last: usize,
}

impl Live {
    /// Listens on an address. `frame` is the page around the report; `stop` is set by its button.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(crate) fn listen(address: SocketAddr, frame: String, stop: Arc<AtomicBool>) -> io::Result<Live> {
        let shared = Arc::new(Shared::default());
        let path = format!("/{}/", unguessable());
        let (own, watched) = (path.clone(), shared.clone());
        let site = Site::listen(address, move |request| answer(request, &own, &frame, &watched, &stop))?;
        Ok(Live { shared, path, site })
    }

    /// Where it can be watched.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.site.address(), self.path)
    }

    /// Whether anybody has the page open.
    pub(crate) fn is_watched(&self) -> bool {
        self.shared.lock().watching > 0
    }

    /// Shows a report: a whole page.
    pub(crate) fn show(&self, page: String) {
        self.put(page, false);
    }

    /// Shows the last one, and waits until those who watch have it.
    pub(crate) fn show_last(&self, page: String) {
        self.put(page, true);
        let deadline = Instant::now() + LONGEST_WAIT;
        let mut state = self.shared.lock();
        while state.waiting_for_last > 0 && Instant::now() < deadline {
            state = self.shared.wait(state, deadline - Instant::now());
        }
    }

    fn put(&self, page: String, is_over: bool) {
        let mut state = self.shared.lock();
        state.page = Arc::new(page.into_bytes());
        state.number += 1;
        state.is_over = is_over;
        state.waiting_for_last = if is_over { state.watching } else { 0 };
        self.shared.tell();
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.tell();
    }
}

fn answer(
    request: &Request,
    own: &str,
    frame: &str,
    shared: &Arc<Shared<State>>,
    stop: &AtomicBool,
) -> Reply {
    let words = |status, words: &str| {
        Reply::Whole(status, "text/plain; charset=utf-8", format!("{words}\n").into_bytes())
    };
    match (request.method.as_str(), request.target.strip_prefix(own)) {
        ("GET", Some("")) => Reply::Whole(200, "text/html; charset=utf-8", frame.as_bytes().to_vec()),
        ("GET", Some("events")) => Reply::Stream("text/event-stream", Box::new(events(shared.clone()))),
        ("GET", Some(target)) if target.split('?').next() == Some("report") => {
            // Who asks for an earlier one will ask again.
            let number = target.split_once('?').and_then(|(_, number)| number.parse().ok());
            Reply::Stream("text/html; charset=utf-8", Box::new(report(shared.clone(), number)))
        }
        ("POST", Some("stop")) => {
            stop.store(true, Ordering::Relaxed);
            words(200, "the run is being stopped")
        }
        ("GET", _) => words(404, "sockrates has printed the address of the page"),
        _ => words(405, "this is not answered"),
    }
}

/// One who watches, until it goes away or has the last report.
struct Watcher {
    shared: Arc<Shared<State>>,
    seen: u64,
    is_done: bool,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.shared.lock().watching -= 1;
        self.shared.tell();
    }
}

/// The number of each report from the latest on. An end of the stream without `over` is an end of sockrates.
fn events(shared: Arc<Shared<State>>) -> impl FnMut() -> Option<Vec<u8>> {
    shared.lock().watching += 1;
    let mut watcher = Watcher { shared, seen: 0, is_done: false };
    move || {
        if watcher.is_done {
            return None;
        }
        let deadline = Instant::now() + PULSE;
        let mut state = watcher.shared.lock();
        while state.number == watcher.seen && !state.is_over && Instant::now() < deadline {
            state = watcher.shared.wait(state, PULSE);
        }
        watcher.is_done = state.is_over;
        match state.number == watcher.seen {
            true if state.is_over => None,
            // A line that means nothing: whoever went away is noticed by it.
            true => Some(b":\n\n".to_vec()),
            false => {
                watcher.seen = state.number;
                let kind = if state.is_over { "over" } else { "report" };
                Some(format!("event: {kind}\ndata: {}\n\n", state.number).into_bytes())
            }
        }
    }
}

/// The latest report, for whoever knows of the one with that number. The second call comes when it is sent.
fn report(shared: Arc<Shared<State>>, number: Option<u64>) -> impl FnMut() -> Option<Vec<u8>> {
    let mut sent_last = None;
    move || {
        let mut state = shared.lock();
        let Some(was_last) = sent_last else {
            sent_last = Some(state.is_over && number.is_none_or(|number| number == state.number));
            return Some(state.page.to_vec());
        };
        if was_last {
            state.waiting_for_last = state.waiting_for_last.saturating_sub(1);
            shared.tell();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};
    use std::thread;

    use super::*;

    fn live(stop: &Arc<AtomicBool>) -> Live {
        Live::listen((Ipv4Addr::LOCALHOST, 0).into(), "the frame".into(), stop.clone())
            .expect("a port is free")
    }

    fn said(address: SocketAddr, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(address).expect("it listens");
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        text
    }

    #[test]
    fn whoever_watches_is_told_of_each_report_and_the_end_waits_until_it_has_the_last() {
        let live = live(&Arc::default());
        live.show("<p>1</p>".into());
        let (address, path) = (live.site.address(), live.path.clone());
        let watching = thread::spawn(move || {
            let events = said(address, "GET", &format!("{path}events"));
            (events, said(address, "GET", &format!("{path}report")))
        });
        while !live.is_watched() {
            thread::yield_now();
        }
        live.show_last("<p>2</p>".into());
        assert_eq!(live.shared.lock().waiting_for_last, 0, "the end waited");
        let (events, report) = watching.join().expect("it ends");
        assert!(events.ends_with("event: over\ndata: 2\n\n"), "{events}");
        assert!(report.ends_with("\r\n\r\n<p>2</p>"), "{report}");
    }

    #[test]
    fn who_is_given_the_last_report_in_the_place_of_an_earlier_one_is_waited_for() {
        let live = live(&Arc::default());
        live.put("<p>1</p>".into(), false);
        let (address, path) = (live.site.address(), live.path.clone());
        live.put("<p>2</p>".into(), true);
        live.shared.lock().waiting_for_last = 1;
        assert!(said(address, "GET", &format!("{path}report?1")).ends_with("<p>2</p>"));
        assert_eq!(live.shared.lock().waiting_for_last, 1);
        assert!(said(address, "GET", &format!("{path}report?2")).ends_with("<p>2</p>"));
        assert_eq!(live.shared.lock().waiting_for_last, 0);
    }

    #[test]
    fn only_who_knows_the_address_sees_the_page_or_stops_the_run() {
        let stop = Arc::new(AtomicBool::new(false));
        let live = live(&stop);
        let address = live.site.address();
        assert!(said(address, "GET", "/").starts_with("HTTP/1.1 404 "));
        assert!(said(address, "POST", "/stop").starts_with("HTTP/1.1 405 "));
        assert!(said(address, "GET", &format!("{}stop", live.path)).starts_with("HTTP/1.1 404 "));
        assert!(!stop.load(Ordering::Relaxed));
        assert!(said(address, "GET", &live.path).ends_with("the frame"));
        assert!(said(address, "POST", &format!("{}stop", live.path)).starts_with("HTTP/1.1 200 "));
        assert!(stop.load(Ordering::Relaxed));
        assert_ne!(unguessable(), unguessable());
    }

    #[test]
    fn the_end_waits_for_nobody_where_nobody_watches() {
        live(&Arc::default()).show_last("page".into());
    }
}
