//! `sockrates compare`: servers side by side, or results of two days.

use std::path::Path;
use std::slice;
use std::sync::atomic::Ordering;

use clap::Args;

use super::common::CommonArgs;
use super::{complain, warn};
use crate::compare::Demand;
use crate::runner::{
    Compared, Comparison, ComparisonConfig, Error, GivenServer, Listener, Single, compare_files, published,
    select_one, stop_on_signals,
};
use crate::units::share_from;
use crate::verdict::Status;

/// Compares servers in turn: better, worse, or no difference that can be shown
#[derive(Debug, Args)]
#[command(before_help = help!("compare"))]
#[command(mut_arg("max_time", |arg| arg.help("Begin no block that would not be finished within this time")))]
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
    common: CommonArgs,
}

fn some(text: &str) -> Result<f64, String> {
    let share = share_from(text).map_err(|mistake| mistake.to_string())?.0;
    if share > 0.0 { Ok(share) } else { Err("expected more than 0 %".to_owned()) }
}

/// Compares.
pub(super) fn compare(args: &CompareArgs) -> Result<Status, Error> {
    let given = args.common.server.given();
    args.common.output.paths().of_nothing().check()?;
    let (status, complaints) = match &args.what[..] {
        [old, new] => compare_stored(args, Path::new(old), Path::new(new))?,
        [scenario, ..] => compare_servers(args, &given, scenario)?,
        [] => return Err(Error::because("no scenario is named")),
    };
    complaints.iter().for_each(|complaint| complain(complaint));
    Ok(status)
}

fn compare_servers(
    args: &CompareArgs,
    given: &GivenServer,
    scenario: &str,
) -> Result<(Status, Vec<String>), Error> {
    let common = &args.common;
    let selected = select_one(scenario, &common.load.overrides()?)?;
    let servers = given.each()?;
    common.output.paths().of_nothing().prepare()?;
    warn(slice::from_ref(&selected));
    let stop = stop_on_signals()?;
    let config = ComparisonConfig {
        run: common.play.config()?,
        blocks: usize::from(args.blocks),
        effect: args.effect,
        pin: args.pin,
        conformance: args.conformance,
    };
    let comparison = Comparison { config: &config, servers: &servers, selected: &selected, stop: &stop };
    let compare = |listener: &mut Listener<'_>| comparison.run(listener);
    let report = |compared: &Compared| Some(compared.result.report());
    let compared = published(common.watch.config(), &stop, &mut common.listener(), compare, report)?;
    common.output.show(&compared.result)?;
    compared.judge(&args.fail_on, stop.load(Ordering::Relaxed))
}

fn compare_stored(args: &CompareArgs, old: &Path, new: &Path) -> Result<(Status, Vec<String>), Error> {
    let for_servers = [
        ("--conformance", args.conformance),
        ("--metrics, --otlp or --live", args.common.watch.are_asked_for()),
    ];
    if let Some((flag, _)) = for_servers.iter().find(|(_, is_given)| *is_given) {
        return Err(Error::because(format!("`{flag}` is for servers, and these are results: leave it out")));
    }
    let result = compare_files(old, new, args.common.play.seed)?;
    args.common.output.show(&result)?;
    Ok(result.judge(&args.fail_on))
}
