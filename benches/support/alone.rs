//! Plays a scenario in this process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Instant;

use sockrates::document::Source;
use sockrates::engine::{self, EngineConfig, Ran, RunProgress};
use sockrates::plan::{Plan, RunOptions};
use sockrates::scenario::{self, Surroundings};
use sockrates::transport::{MAX_MESSAGE, RemoteConfig};

/// Plays a scenario against the server at this address with so many workers, telling how it goes.
///
/// # Errors
///
/// In words, when the engine cannot play.
///
/// # Panics
///
/// When it is no scenario.
pub(crate) fn play_alone(
    text: &str,
    address: SocketAddr,
    workers: usize,
    tell: &mut dyn FnMut(RunProgress<'_>),
) -> Result<Ran, String> {
    let source = Source { name: "bench".into(), text: text.into() };
    let scenario = scenario::read(&source, &Surroundings::without_files()).expect("a scenario of this bench");
    let run_options = RunOptions::usual(Instant::now());
    let plan = Plan::new(&scenario, run_options);
    let peer = RemoteConfig {
        tunnel: None,
        address,
        authority: address.to_string(),
        tls: None,
        sources: Vec::new(),
        turn: Arc::new(AtomicUsize::new(0)),
        closes_early: Arc::default(),
        limit: MAX_MESSAGE,
    };
    let stop = AtomicBool::new(false);
    engine::run(
        &plan,
        &EngineConfig { workers, peers: vec![peer], max_time: None, stop: &stop, operator: None },
        tell,
    )
}
