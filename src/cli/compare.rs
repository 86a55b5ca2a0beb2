//! `sockrates compare`: servers side by side, or results of two days.

use std::path::Path;
use std::slice;
use std::sync::atomic::Ordering;

use clap::Args;

use super::display::Display;
use super::output::OutputArgs;
use super::overrides::OverrideArgs;
use super::play::PlayArgs;
use super::secrets::clean;
use super::server::ServerArgs;
use super::watching::MetricsArgs;
use super::{complain, share, warn};
use crate::compare::{self, Demand};
use crate::runner::{
    Comparison, ComparisonConfig, Error, Event, GivenServer, compare_files, select_one, stop_on_signals,
};
use crate::verdict::Status;

/// What `--max-time` means here.
const MAX_TIME: &str = "Begin no block that would not be finished within this time";

/// Compares servers in turn: better, worse, or no difference that can be shown
#[derive(Debug, Args)]
#[command(before_help = help!("compare"), mut_arg("max_time", |arg| arg.help(MAX_TIME)))]
pub(super) struct CompareArgs {
    /// A scenario: a file or the name of a bundled one. Or two result files
    #[arg(required = true, num_args = 1..=2, value_name = "SCENARIO")]
    what: Vec<String>,
    /// How many blocks are played; in each, every server is played once, and the first one twice
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    blocks: u16,
    /// The difference for which the number of missing blocks is calculated
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = some)]
    effect: f64,
    /// End with 1 if a figure is worse by so much: 'delivery p99 worse by 10 %' (repeatable)
    #[arg(long, value_name = "DEMAND", value_parser = Demand::parse)]
    fail_on: Vec<Demand>,
    /// Give the server one processor and the clients the others
    #[arg(long)]
    pin: bool,
    /// Afterwards run the conformance suite once against each server; it breaks connections on purpose and takes minutes
    #[arg(long)]
    conformance: bool,
    #[command(flatten)]
    metrics: MetricsArgs,
    #[command(flatten)]
    output: OutputArgs,
    /// Do not show progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    play: PlayArgs,
    #[command(flatten)]
    load: OverrideArgs,
    #[command(flatten)]
    server: ServerArgs,
}

fn some(text: &str) -> Result<f64, String> {
    let share = share(text)?;
    if share > 0.0 { Ok(share) } else { Err("expected more than 0 %".to_owned()) }
}

/// Compares.
pub(super) fn compare(args: &CompareArgs) -> Result<Status, Error> {
    let given = args.server.given();
    args.output.empty_forms().check()?;
    match &args.what[..] {
        [old, new] => compare_stored(args, Path::new(old), Path::new(new)),
        [scenario, ..] => compare_servers(args, &given, scenario),
        [] => Err(Error::because("no scenario is named")),
    }
}

fn compare_servers(args: &CompareArgs, given: &GivenServer, scenario: &str) -> Result<Status, Error> {
    let selected = select_one(scenario, &args.load.overrides()?)?;
    let servers = given.each()?;
    args.output.empty_forms().prepare()?;
    warn(slice::from_ref(&selected));
    let stop = stop_on_signals()?;
    let config = ComparisonConfig {
        run: args.play.config()?,
        blocks: usize::from(args.blocks),
        effect: args.effect,
        pin: args.pin,
        conformance: args.conformance,
    };
    let mut watchers = args.metrics.begin(&stop)?;
    let mut display = Display::new(args.quiet);
    let comparison = Comparison { config: &config, servers: &servers, selected: &selected, stop: &stop };
    let mut compared = comparison.run(&mut |event| {
        display.show(&event);
        watchers.watch(&event);
        if let Event::ComparisonSoFar(so_far) = event {
            args.output.keep(|| Some(clean(so_far()?).ok()?.to_json()));
        }
        Ok(())
    })?;
    watchers.end();
    compared.result = clean(compared.result)?;
    args.output.show(|| compared.result.to_json(), &compare::report(&compared.result))?;
    let (status, complaints) = compared.judge(&args.fail_on, stop.load(Ordering::Relaxed))?;
    complaints.iter().for_each(|complaint| complain(complaint));
    Ok(status)
}

fn compare_stored(args: &CompareArgs, old: &Path, new: &Path) -> Result<Status, Error> {
    let for_servers =
        [("--conformance", args.conformance), ("--metrics or --otlp", args.metrics.are_asked_for())];
    if let Some((flag, _)) = for_servers.iter().find(|(_, is_given)| *is_given) {
        return Err(Error::because(format!("`{flag}` is for servers, and these are results: leave it out")));
    }
    let result = compare_files(old, new, args.play.seed)?;
    args.output.show(|| result.to_json(), &compare::diff_report(&result))?;
    let (status, complaints) = result.judge(&args.fail_on);
    complaints.iter().for_each(|complaint| complain(complaint));
    Ok(status)
}
