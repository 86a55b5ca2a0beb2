//! `sockrates import`: makes a scenario of a file of another tool.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{complain, put, say};
use crate::importer::Imported;
use crate::runner::{self, Error, ImportSource, is_stdout, refuse_to_overwrite, write_rows};
use crate::verdict::Status;

/// Makes a scenario of a file of another tool
#[derive(Debug, Args)]
#[command(before_help = help!("import"))]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    Artillery(ArtilleryArgs),
    Har(HarArgs),
}

/// A script of Artillery, of the engines `socketio` and `socketio-v3`
#[derive(Debug, Args)]
#[command(before_help = help!("import"))]
struct ArtilleryArgs {
    /// The script, as YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The environment of the script whose settings are meant
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// A recording of a browser: a HAR file of Chrome, Firefox or Playwright
#[derive(Debug, Args)]
#[command(before_help = help!("import"))]
struct HarArgs {
    /// The recording
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

/// Where the scenario goes.
#[derive(Debug, Args)]
struct OutputArgs {
    /// Write the scenario to this file; `-` is standard output [default: FILE with the ending .scenario.yaml]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite a file that is there
    #[arg(long)]
    force: bool,
}

/// Writes the scenario, and tells what is not in it.
pub(super) fn import(args: &ImportArgs) -> Result<Status, Error> {
    let (file, source, target) = match &args.from {
        From::Artillery(args) => {
            let environment = args.environment.as_deref();
            (&args.file, ImportSource::Artillery { environment }, &args.output)
        }
        From::Har(args) => (&args.file, ImportSource::Har, &args.output),
    };
    let output = target.output.clone().unwrap_or_else(|| file.with_extension("scenario.yaml"));
    refuse_to_overwrite(&output, target.force)?;
    target.write(&output, &runner::import(file, &source, &output)?)
}

impl OutputArgs {
    fn write(&self, output: &Path, imported: &Imported) -> Result<Status, Error> {
        write_rows(imported, output, self.force)?;
        put(output, "scenario", &imported.text)?;
        imported.remarks().iter().for_each(|remark| complain(remark));
        if !is_stdout(output) {
            let name = output.display();
            let rest = imported.how_much_is_left_out();
            say(&format!("{name} is written. {rest} Then:\n\n  sockrates check {name}"));
        }
        Ok(Status::Passed)
    }
}
