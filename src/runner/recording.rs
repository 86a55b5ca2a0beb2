//! A recording of what a person clicks, made into a scenario.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use url::Url;

use super::files::{is_stdout, prove_writable, refuse_to_overwrite};
use super::{Error, Ways};
use crate::importer::Imported;
use crate::importer::recording::{Names, scenario};
use crate::measure::format::printable;
use crate::recorder::{Recorder, Target};
use crate::server::{Endpoint, host_and_port};
use crate::verdict::Status;

/// How long it takes at most until a signal is noticed.
const TICK: Duration = Duration::from_millis(50);

/// What is recorded.
#[derive(Clone, Debug)]
pub(crate) struct RecordConfig {
    /// The page of the application.
    pub(crate) url: String,
    /// Where browsers find the proxy.
    pub(crate) listen: SocketAddr,
    /// How the application is reached.
    pub(crate) ways: Ways,
    /// When the recording ends by itself.
    pub(crate) length: Option<Duration>,
    /// Where the scenario goes.
    pub(crate) output: PathBuf,
    /// Whether a file that is there may be overwritten.
    pub(crate) force: bool,
}

/// Records until `stop` is set or the time is over, and makes a scenario of it. `tell` gets what the person has to know meanwhile.
///
/// # Errors
/// When the application cannot be reached, the address is taken, or nothing was recorded.
pub(crate) fn record(
    config: &RecordConfig,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(&str),
) -> Result<Imported, Error> {
    refuse_to_overwrite(&config.output, config.force)?;
    if !is_stdout(&config.output) {
        // What a person has clicked for an hour must not be lost to a folder that is not there.
        let name = config.output.display();
        prove_writable(&config.output)
            .map_err(|why| Error::because(format!("cannot write the scenario to {name}: {why}")))?;
    }
    let (target, page) = target(config)?;
    let origin = target.origin();
    target.reach().map_err(|error| Error {
        status: Some(Status::Unreachable),
        ..Error::because(format!(
            "failed to connect to {origin}: {error}\nhelp: start the application first, or say by --url where it runs"
        ))
    })?;
    let recorder = Recorder::begin(config.listen, target).map_err(|error| {
        let address = config.listen;
        Error::because(format!(
            "failed to listen on {address}, for --listen: {error}\nhelp: take another port; port 0 takes any that is free"
        ))
    })?;
    let own = format!("http://{}", recorder.address());
    let place = match is_stdout(&config.output) {
        true => "standard output".to_owned(),
        false => config.output.display().to_string(),
    };
    let end = match config.length {
        Some(length) => format!("After {} s", length.as_secs_f64()),
        None => "When you press Ctrl-C".to_owned(),
    };
    tell(&format!(
        "Open {own}{page} in two or more tabs, and use the application there: it is {origin}, and what the tabs say is \
         recorded.\n{end}, the scenario goes to {place}."
    ));
    wait(&recorder, config.length, stop, tell);
    let recorded = recorder.finish();
    let recording = format!("{origin}, a recording");
    let path = page.split('?').next().unwrap_or_default();
    let about = printable(path.trim_matches('/').split('/').next_back().unwrap_or_default());
    let about = if about.is_empty() { "Page".to_owned() } else { about };
    let names = Names { recording: &recording, about: &about, output: &config.output.display().to_string() };
    scenario(recorded, names).map_err(Error::because)?.ok_or_else(|| {
        Error::because(format!(
            "no connection of Socket.IO went through {own}, so nothing was recorded\nhelp: open {own}{page} in the browser; a \
             page that names the server itself, as in io(\"{origin}\"), goes past it: let the page say io() while you record"
        ))
    })
}

/// Waits for the end, and tells what happens meanwhile.
fn wait(recorder: &Recorder, length: Option<Duration>, stop: &AtomicBool, tell: &mut dyn FnMut(&str)) {
    let begin = Instant::now();
    let mut known = 0;
    while !stop.load(Ordering::Relaxed) && length.is_none_or(|length| begin.elapsed() < length) {
        thread::park_timeout(TICK);
        recorder.trouble().iter().for_each(|trouble| tell(&format!("warning: {trouble}")));
        let tabs = recorder.tabs();
        if tabs > known {
            known = tabs;
            let many = if tabs == 1 { "connection has" } else { "connections have" };
            tell(&format!("{tabs} {many} begun"));
        }
    }
}

/// The application, and the path of its page.
fn target(config: &RecordConfig) -> Result<(Target, String), Error> {
    let wrong = |why: &str| {
        Error::because(format!(
            "{} is not the url of a page: {why}\nhelp: --url http://localhost:3000",
            printable(&config.url)
        ))
    };
    let url = Url::parse(&config.url).map_err(|error| wrong(&error.to_string()))?;
    let has_tls = match url.scheme() {
        "http" | "ws" => false,
        "https" | "wss" => true,
        other => return Err(wrong(&format!("its scheme is {}", printable(other)))),
    };
    host_and_port(&url, has_tls).ok_or_else(|| wrong("it names no host"))?;
    let endpoint = Endpoint::parse(&config.url).map_err(Error::because)?;
    let target = config.ways.target(&endpoint).map_err(Error::because)?;
    Ok((target, url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()))
}
