//! `sockrates import`: makes a scenario of a file of another tool.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::scenario_file::{ScenarioFileArgs, put_scenario};
use crate::runner::{Error, ImportSource, import as read, refuse_to_overwrite, write_rows};
use crate::verdict::Status;

/// What `--output` means here.
const OUTPUT: &str =
    "Write the scenario to this file; `-` is standard output [default: FILE with the ending .scenario.yaml]";

/// Makes a scenario of a file of another tool
#[derive(Debug, Args)]
#[command(before_help = help!("import"))]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// A script of Artillery, of the engines `socketio` and `socketio-v3`
    #[command(before_help = help!("import"), mut_arg("output", |arg| arg.help(OUTPUT)))]
    Artillery {
        /// The script, as YAML or JSON
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The environment of the script whose settings are meant
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
        #[command(flatten)]
        target: ScenarioFileArgs,
    },
    /// A recording of a browser: a HAR file of Chrome, Firefox or Playwright
    #[command(before_help = help!("import"), mut_arg("output", |arg| arg.help(OUTPUT)))]
    Har {
        /// The recording
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        target: ScenarioFileArgs,
    },
}

/// Writes the scenario, and tells what is not in it.
pub(super) fn import(args: &ImportArgs) -> Result<Status, Error> {
    let (file, source, target) = match &args.from {
        From::Artillery { file, environment, target } => {
            (file, ImportSource::Artillery { environment: environment.as_deref() }, target)
        }
        From::Har { file, target } => (file, ImportSource::Har, target),
    };
    let output = target.or(|| file.with_extension("scenario.yaml"));
    refuse_to_overwrite(&output, target.force)?;
    let imported = read(file, &source, &output)?;
    write_rows(&imported, &output, target.force)?;
    let words = format!("{} Then:", imported.how_much_is_left_out());
    put_scenario(&output, &imported.text, &imported.remarks(), &words, None)
}
