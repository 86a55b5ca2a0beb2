//! `sockrates record`: makes a scenario of what a person clicks.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::complain;
use super::scenario_file::{ScenarioFileArgs, put_scenario};
use super::secrets::decide;
use super::server::WayArgs;
use crate::runner::{self, Error, RecordConfig, stop_on_signals};
use crate::units::duration_from;
use crate::verdict::Status;

/// Where the scenario goes unless it is said.
const OUTPUT: &str = "recorded.scenario.yaml";

/// Records what you do in the browser, through a proxy, and makes a scenario of it
#[derive(Debug, Args)]
#[command(before_help = help!("record"), mut_arg("output", |arg| arg.alias("out").default_value(OUTPUT)))]
pub(super) struct RecordArgs {
    /// The page of your application
    #[arg(long, value_name = "URL", env = "SOCKRATES_URL")]
    url: String,
    /// Where browsers find the proxy
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// End after this time [default: at Ctrl-C]
    #[arg(long = "for", value_name = "TIME", value_parser = duration_from)]
    length: Option<Duration>,
    #[command(flatten)]
    target: ScenarioFileArgs,
    #[command(flatten)]
    ways: WayArgs,
}

/// Records, writes the scenario, and tells what is guessed and what is not in it.
pub(super) fn record(args: &RecordArgs) -> Result<Status, Error> {
    let (stop, secrets) = (stop_on_signals()?, decide(false));
    let config = RecordConfig {
        url: args.url.clone(),
        listen: args.listen,
        ways: args.ways.given(),
        length: args.length,
        output: args.target.or(|| OUTPUT.into()),
        force: args.target.force,
    };
    config.ways.note_secrets([config.url.clone()], &secrets);
    let imported = runner::record(&config, &stop, &mut |words| complain(words))?;
    let words = "Each guess in it has its evidence beside it. Then:";
    let url = secrets.redact(&config.url);
    put_scenario(&config.output, &imported.text, &imported.remarks(), words, Some(&url))
}
