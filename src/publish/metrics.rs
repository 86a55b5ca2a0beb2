//! The figures of a run for a scraper: the latest text, and whether somebody has read the last one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Reply, Request, Shared, Site};

/// The longest that the end of a run waits for a scraper.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A run does not wait longer than this at a time without looking whether it is to be stopped.
const LOOK: Duration = Duration::from_millis(100);

/// A page of figures.
pub(crate) struct Metrics {
    page: Arc<Shared<State>>,
    site: Site,
}

#[derive(Default)]
struct State {
    text: String,
    /// Whether nothing follows.
    is_last: bool,
    /// Whether somebody has read the last text.
    last_is_read: bool,
    /// When the page was read last, and how long after the time before.
    readings: Option<(Instant, Option<Duration>)>,
}

impl Metrics {
    /// Listens on an address. The page is empty at first.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(crate) fn listen(
        address: SocketAddr,
        content_type: &'static str,
        empty: String,
    ) -> io::Result<Metrics> {
        let page = Arc::new(Shared::<State>::default());
        page.lock().text = empty;
        let shown = page.clone();
        let site = Site::listen(address, move |request| answer(&shown, request, content_type))?;
        Ok(Metrics { page, site })
    }

    /// Where it can be read.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.site.address())
    }

    /// Puts the figures in place.
    pub(crate) fn show(&self, text: String) {
        self.page.lock().text = text;
    }

    /// Puts the last figures in place. Where somebody has read the page before, waits until they are read: about as long as it
    /// took from one reading to the next.
    pub(crate) fn show_last(&self, text: String, stop: &AtomicBool) {
        let mut state = self.page.lock();
        (state.text, state.is_last) = (text, true);
        let Some((_, between)) = state.readings else { return };
        let wait =
            between.map_or(LONGEST_WAIT, |between| between * 2 + Duration::from_secs(1)).min(LONGEST_WAIT);
        let deadline = Instant::now() + wait;
        while !state.last_is_read && !stop.load(Ordering::Relaxed) && Instant::now() < deadline {
            state = self.page.wait(state, LOOK);
        }
    }
}

fn answer(page: &Shared<State>, request: &Request, content_type: &'static str) -> Reply {
    let path = request.target.split('?').next().unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "/metrics") => {
            let mut state = page.lock();
            let now = Instant::now();
            let between = state.readings.map(|(before, _)| now.saturating_duration_since(before));
            state.readings = Some((now, between));
            state.last_is_read |= state.is_last;
            page.tell();
            Reply::Whole(200, content_type, state.text.clone().into_bytes())
        }
        ("GET", "/") => Reply::Whole(200, "text/plain", b"The figures are at /metrics.\n".to_vec()),
        ("GET", _) => Reply::Whole(404, "text/plain", b"The figures are at /metrics.\n".to_vec()),
        _ => Reply::Whole(405, "text/plain", b"only GET is answered\n".to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};
    use std::thread;

    use super::*;

    fn metrics() -> Metrics {
        Metrics::listen((Ipv4Addr::LOCALHOST, 0).into(), "text/plain", "nothing yet".into())
            .expect("a port is free")
    }

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        text
    }

    #[test]
    fn the_latest_figures_are_read() {
        let metrics = metrics();
        assert!(get(metrics.site.address(), "/metrics").ends_with("nothing yet"));
        metrics.show("1".into());
        metrics.show("2".into());
        assert!(get(metrics.site.address(), "/metrics?x=y").ends_with("\r\n2"));
        assert!(get(metrics.site.address(), "/other").starts_with("HTTP/1.1 404 "));
    }

    #[test]
    fn the_end_waits_for_nobody_where_nobody_has_read() {
        metrics().show_last("last".into(), &AtomicBool::new(false));
    }

    #[test]
    fn whoever_reads_gets_the_last_figures_before_the_end() {
        let metrics = metrics();
        let address = metrics.site.address();
        get(address, "/metrics");
        let reader = thread::spawn(move || {
            loop {
                let text = get(address, "/metrics");
                if text.ends_with("last") {
                    return text;
                }
            }
        });
        metrics.show_last("last".into(), &AtomicBool::new(false));
        drop(metrics);
        assert!(reader.join().expect("the reader reads").ends_with("last"));
    }

    #[test]
    fn whoever_interrupts_does_not_wait() {
        let metrics = metrics();
        get(metrics.site.address(), "/metrics");
        metrics.show_last("last".into(), &AtomicBool::new(true));
    }
}
