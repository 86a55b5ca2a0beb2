//! `sockrates import`: makes a scenario of a file of another tool.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::init::refuse_to_overwrite;
use super::{complain, is_stdout, put, say};
use crate::document::{Source, render};
use crate::importer::artillery::{self, ArtilleryImport};
use crate::importer::har;
use crate::importer::{Imported, Kind};
use crate::measure::format::printable;
use crate::runner::Error;
use crate::verdict::Status;

const EXAMPLES: &str = "\
Examples:
  sockrates import artillery load.yml                      writes load.scenario.yaml beside it
  sockrates import artillery load.yml --environment local  with the settings of one environment
  sockrates import artillery load.yml --output -           to standard output
  sockrates import har chat.har                            what a browser has recorded: Chrome, Firefox, Playwright";

/// The largest file that a script may name.
const PAYLOAD_LIMIT: u64 = 64 << 20;

/// Makes a scenario of a file of another tool
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
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
#[command(before_help = EXAMPLES)]
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
#[command(before_help = EXAMPLES)]
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
    match &args.from {
        From::Artillery(args) => {
            let output = args.output.of(&args.file);
            args.output.check(&output)?;
            let source = Source::read(&args.file).map_err(|mistake| {
                let mistake = crate::document::Mistake { hint: None, ..mistake };
                Error::wrong(render(&mistake, &Source::named(&args.file)))
            })?;
            let folder = args.file.parent().map(Path::to_owned).unwrap_or_default();
            let (place, seen) = (output.display().to_string(), seen_from(&output, &folder));
            let how =
                ArtilleryImport { environment: args.environment.as_deref(), output: &place, folder: &seen };
            let files = move |name: &str| read_bounded(&folder.join(name));
            let imported = artillery::import(&source, &how, &files).map_err(Error::wrong)?;
            args.output.write(&output, &imported)
        }
        From::Har(args) => {
            let output = args.output.of(&args.file);
            args.output.check(&output)?;
            let (name, place) = (args.file.display().to_string(), output.display().to_string());
            let file = File::open(&args.file).map_err(|error| {
                Error::because(format!("failed to read {name}: {}", crate::document::cause(&error)))
            })?;
            let imported = har::import(file, &name, &place).map_err(Error::wrong)?;
            args.output.write(&output, &imported)
        }
    }
}

impl OutputArgs {
    /// Where it goes, for a file that is imported.
    fn of(&self, file: &Path) -> PathBuf {
        self.output.clone().unwrap_or_else(|| file.with_extension("scenario.yaml"))
    }

    fn check(&self, output: &Path) -> Result<(), Error> {
        refuse_to_overwrite(output, self.force)
    }

    fn write(&self, output: &Path, imported: &Imported) -> Result<Status, Error> {
        let folder = output.parent().map(Path::to_owned).unwrap_or_default();
        if is_stdout(output) && !imported.files.is_empty() {
            return Err(Error::because(
                "the script has many rows of data, which go into a file beside the scenario\nhelp: name the \
                 scenario's file by --output",
            ));
        }
        for (name, text) in &imported.files {
            let file = folder.join(name);
            refuse_to_overwrite(&file, self.force)?;
            put(&file, "rows", text)?;
        }
        put(output, "scenario", &imported.text)?;
        for (kind, title) in [
            (Kind::LeftOut, "left out, because a scenario has no counterpart:"),
            (Kind::Changed, "not quite as it was:"),
        ] {
            let notes: Vec<String> = imported
                .notes
                .iter()
                .filter(|note| note.kind == kind)
                .map(|note| format!("  {}", printable(&note.to_string())))
                .collect();
            if !notes.is_empty() {
                complain(&format!("{title}\n{}", notes.join("\n")));
            }
        }
        if !imported.environment.is_empty() {
            complain(&format!(
                "note: set these environment variables first: {}",
                imported.environment.join(", ")
            ));
        }
        if !is_stdout(output) {
            let name = output.display();
            let left_out = imported.notes.iter().filter(|note| note.kind == Kind::LeftOut).count();
            let rest = match left_out {
                0 => "Everything has a counterpart.".to_owned(),
                1 => "1 thing is left out; the file says at its head which.".to_owned(),
                many => format!("{many} things are left out; the file says at its head which."),
            };
            say(&format!("{name} is written. {rest} Then:\n\n  sockrates check {name}"));
        }
        Ok(Status::Passed)
    }
}

/// A folder as the scenario names it: nothing where both stand in the same one.
fn seen_from(output: &Path, folder: &Path) -> String {
    let own = output.parent().map(Path::to_owned).unwrap_or_default();
    if is_stdout(output) || own == folder {
        return String::new();
    }
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    format!("{}/", whole.display())
}

/// The bytes of a file that is not too large.
fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(PAYLOAD_LIMIT + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > PAYLOAD_LIMIT => {
            Err(format!("it is larger than {} MiB", PAYLOAD_LIMIT >> 20))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(crate::document::cause(&error)),
    }
}
