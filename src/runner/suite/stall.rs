//! Notices when this machine is too busy to be trusted: a thread wakes up every few milliseconds and notes when it was
//! woken late. What stalls it stalls clients, too, and then a heartbeat is missed that no server is to blame for. And
//! remembers when the server was slow, as the cases saw it answer their clients: then something may come too late that the
//! server would do in time if fewer cases were played at a time.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::runner::once::PHASES;
use crate::session::Transport;

/// How often it wakes up.
const PERIOD: Duration = Duration::from_millis(10);

/// From this on, being late is a stall.
const LATE: Duration = Duration::from_millis(50);

/// A server that needs so long for an answer is slow.
const SLOW: Duration = Duration::from_millis(200);

/// A server that needs so long whoever asks keeps clients waiting all the time.
const ALWAYS_SLOW: Duration = Duration::from_millis(100);

/// How long each phase of a connect took.
type Phases = [Option<Duration>; PHASES.len()];

/// A stall: when it ended, and how long it was.
type Stall = (Instant, Duration);

/// Where tasks wait for a processor for more than this share of the time, it is other programs that keep this machine busy: the
/// cases that are played last are played alone.
const BUSY: f64 = 0.8;

/// The stalls of this machine and of the server, from now on.
pub(super) struct StallWatch {
    stalls: Arc<Mutex<Vec<Stall>>>,
    /// Those of the server.
    slow: Mutex<Vec<Stall>>,
    /// The least of what the server took at most in a case for each phase of a connect, over long-polling and over a WebSocket.
    least: Mutex<[Phases; 2]>,
    over: Arc<AtomicBool>,
}

impl StallWatch {
    pub(super) fn new() -> StallWatch {
        let (stalls, over) = (Arc::<Mutex<Vec<Stall>>>::default(), Arc::<AtomicBool>::default());
        let (list, stop) = (stalls.clone(), over.clone());
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let began = Instant::now();
                thread::sleep(PERIOD);
                let late = began.elapsed().saturating_sub(PERIOD);
                if late >= LATE {
                    list.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), late));
                }
            }
        });
        StallWatch { stalls, slow: Mutex::default(), least: Mutex::default(), over }
    }

    /// The longest stall of this machine since then.
    pub(super) fn longest_since(&self, begun: Instant) -> Option<Duration> {
        longest(&self.stalls, begun)
    }

    /// A case has ended in which the server took at most so long for an answer.
    pub(super) fn note_server(&self, took: Duration) {
        if took >= SLOW {
            self.slow.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), took));
        }
    }

    /// A case over this transport has ended in which the server took at most so long for each phase of a connect.
    pub(super) fn note_phases(&self, transport: Option<Transport>, took: Phases) {
        let place = match transport {
            Some(Transport::Polling) => 0,
            Some(Transport::Websocket) => 1,
            _ => return,
        };
        let mut least = self.least.lock().unwrap_or_else(PoisonError::into_inner);
        for (least, took) in least[place].iter_mut().zip(took) {
            *least = least.iter().copied().chain(took).min();
        }
    }

    /// How long the server takes to answer, whoever asks and however calm this machine is: over this transport, or over the slower
    /// one.
    pub(super) fn always_takes(&self, transport: Option<Transport>) -> Duration {
        let least = self.least.lock().unwrap_or_else(PoisonError::into_inner);
        let chosen = match transport {
            Some(Transport::Websocket) => &least[1..],
            _ => &least[..],
        };
        // To join a namespace takes more than one answer over long-polling.
        let answers = chosen.iter().flat_map(|phases| &phases[..PHASES.len() - 1]);
        answers.flatten().max().copied().unwrap_or_default()
    }

    /// How long the server takes to answer, over the slower transport, where cases do little else than wait for it.
    pub(super) fn always_slow(&self) -> Option<Duration> {
        Some(self.always_takes(None)).filter(|took| *took >= ALWAYS_SLOW)
    }

    /// The longest that the server took for an answer since then, where that was long.
    pub(super) fn server_since(&self, begun: Instant) -> Option<Duration> {
        longest(&self.slow, begun)
    }
}

/// The share of the last ten seconds in which some task waited for a processor, where that is so much that little else can be
/// judged by time. None where the system does not tell.
pub(super) fn busy() -> Option<f64> {
    pressure(&fs::read_to_string("/proc/pressure/cpu").ok()?).filter(|share| *share > BUSY)
}

/// What a deviation is told with that may be the work of other programs: they kept the machine busy for this share of the time.
pub(super) fn remark(share: f64) -> String {
    format!(
        " (in doubt: other programs keep this machine busy, and a task waits for a processor in {:.0} % of the time)",
        share * 100.0
    )
}

/// Of Linux's `some avg10=97.86 avg60=… avg300=… total=…`.
fn pressure(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    let percent = line.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?;
    Some(percent.parse::<f64>().ok()? / 100.0)
}

fn longest(stalls: &Mutex<Vec<Stall>>, begun: Instant) -> Option<Duration> {
    let stalls = stalls.lock().unwrap_or_else(PoisonError::into_inner);
    stalls.iter().filter(|(ended, _)| *ended >= begun).map(|(_, late)| *late).max()
}

impl Drop for StallWatch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_busy_a_machine_is_stands_in_the_words_of_the_system() {
        let text = "some avg10=97.86 avg60=97.55 avg300=96.77 total=42604012171\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(pressure(text).map(|share| (share * 10_000.0).round()), Some(9786.0));
        assert_eq!(pressure("full avg10=1.00"), None);
        assert_eq!(pressure("some avg60=1.00"), None);
    }

    #[test]
    fn a_server_always_takes_what_it_takes_where_it_is_quickest() {
        let millis = |millis| Some(Duration::from_millis(millis));
        let watch = StallWatch::new();
        watch.note_phases(Some(Transport::Polling), [millis(1), millis(400), millis(2), millis(800)]);
        watch.note_phases(Some(Transport::Polling), [millis(2), millis(900), None, None]);
        watch.note_phases(Some(Transport::Websocket), [millis(1), millis(3), millis(2), millis(2)]);
        watch.note_phases(None, [millis(1); 4]);
        assert_eq!(Some(watch.always_takes(Some(Transport::Polling))), millis(400));
        assert_eq!(Some(watch.always_takes(None)), millis(400), "over the slower one");
        assert_eq!(Some(watch.always_takes(Some(Transport::Websocket))), millis(3));
    }

    #[test]
    fn a_server_was_slow_while_a_case_was_played_if_a_case_saw_it_meanwhile() {
        let watch = StallWatch::new();
        let before = Instant::now();
        watch.note_server(SLOW - Duration::from_millis(1));
        assert_eq!(watch.server_since(before), None);
        watch.note_server(SLOW);
        assert_eq!(watch.server_since(before), Some(SLOW));
        assert_eq!(watch.server_since(Instant::now() + SLOW), None);
    }
}
