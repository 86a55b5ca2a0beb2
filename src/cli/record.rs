//! `sockrates record`: makes a scenario of what a person clicks.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::secrets::decide;
use super::ways::WayArgs;
use super::{complain, duration, put, say};
use crate::runner::{self, Error, RecordConfig, is_stdout, stop_on_signals};
use crate::verdict::Status;

/// Records what you do in the browser, through a proxy, and makes a scenario of it
#[derive(Debug, Args)]
#[command(before_help = help!("record"))]
pub(super) struct RecordArgs {
    /// The page of your application
    #[arg(long, value_name = "URL", env = "SOCKRATES_URL")]
    url: String,
    /// Where browsers find the proxy
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// End after this time [default: at Ctrl-C]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    length: Option<Duration>,
    /// Write the scenario to this file; `-` is standard output
    #[arg(long, short, alias = "out", value_name = "FILE", default_value = "recorded.scenario.yaml")]
    output: PathBuf,
    /// Overwrite a file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    ways: WayArgs,
}

/// Records, writes the scenario, and tells what is guessed and what is not in it.
pub(super) fn record(args: &RecordArgs) -> Result<Status, Error> {
    let stop = stop_on_signals()?;
    let secrets = decide(false);
    args.ways.given().note_secrets(&args.url, &secrets);
    let imported = runner::record(&args.config(), &stop, &mut |words| complain(words))?;
    put(&args.output, "scenario", &imported.text)?;
    imported.remarks().iter().for_each(|remark| complain(remark));
    if !is_stdout(&args.output) {
        let (name, url) = (args.output.display(), secrets.redact(&args.url));
        say(&format!(
            "{name} is written. Each guess in it has its evidence beside it. Then:\n\n  sockrates check {name}\n  \
             sockrates run {name} --url {url}"
        ));
    }
    Ok(Status::Passed)
}

impl RecordArgs {
    fn config(&self) -> RecordConfig {
        RecordConfig {
            url: self.url.clone(),
            listen: self.listen,
            ways: self.ways.given(),
            length: self.length,
            output: self.output.clone(),
            force: self.force,
        }
    }
}
