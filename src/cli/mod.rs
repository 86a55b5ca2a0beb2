//! The command line: one file per verb, the options that verbs share, and the only place that prints and exits.

/// A page of `docs/help/`: the examples that `--help` of a verb begins with.
macro_rules! help {
    ($page:literal) => {
        include_str!(concat!("../../docs/help/", $page, ".txt")).trim_end()
    };
}

mod agent;
mod broker;
mod capacity;
mod check;
mod common;
mod compare;
mod completions;
mod conform;
mod display;
mod formats;
mod import;
mod init;
mod list;
mod overrides;
mod play;
mod record;
mod report;
mod run;
mod scenario_file;
mod schema;
mod secrets;
mod server;
mod trend;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::Look;
use crate::runner::{Error, Selected, github_lines, is_stdout, write_whole};
use crate::verdict::Status;

/// Exit code: the scenario or the command line is wrong.
const WRONG: u8 = 2;

/// Columns of a report where no terminal says how wide it is.
const DEFAULT_WIDTH: u16 = 100;

/// Protocol conformance and load testing for Socket.IO servers
#[derive(Debug, Parser)]
#[command(name = "sockrates", version, before_help = help!("sockrates"), after_help = help!("exit-codes"), max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(Box<run::RunArgs>),
    Conform(conform::ConformArgs),
    Capacity(capacity::CapacityArgs),
    Compare(compare::CompareArgs),
    Check(check::CheckArgs),
    Init(init::InitArgs),
    Import(import::ImportArgs),
    Record(record::RecordArgs),
    Report(report::ReportArgs),
    Trend(trend::TrendArgs),
    Agent(agent::AgentArgs),
    Agents(agent::AgentsArgs),
    List(list::ListArgs),
    Schema(schema::SchemaArgs),
    /// Starts the reference server, for trying things out by hand
    #[command(before_help = help!("serve"))]
    Serve(reference_server::cli::ServeArgs),
    Completions(completions::CompletionsArgs),
    Man(completions::ManArgs),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            complain(secrets::without_values_of_options(&error.render().ansi().to_string()).trim_end());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(WRONG));
        }
        Err(error) => error.exit(),
    };
    let ended = match arguments.verb {
        Verb::Run(args) => run::run(&args),
        Verb::Conform(args) => conform::conform(&args),
        Verb::Capacity(args) => capacity::capacity(&args),
        Verb::Compare(args) => compare::compare(&args),
        Verb::Check(args) => check::check(&args),
        Verb::Report(args) => report::report(&args),
        Verb::Trend(args) => trend::trend(&args),
        Verb::Agent(args) => agent::agent(&args),
        Verb::Agents(args) => agent::agents(&args),
        Verb::List(args) => list::list(&args),
        Verb::Serve(args) => return reference_server::cli::run(args),
        Verb::Init(args) => init::init(&args),
        Verb::Import(args) => import::import(&args),
        Verb::Record(args) => record::record(&args),
        Verb::Schema(args) => schema::schema(&args),
        Verb::Completions(args) => completions::completions(&args),
        Verb::Man(args) => completions::man(&args),
    };
    ExitCode::from(ended.map_or_else(
        |Error { status, words, .. }| {
            complain(words.trim_end());
            status.map_or(WRONG, Status::exit_code)
        },
        Status::exit_code,
    ))
}

/// Writes a file whole; `-` is standard output. `what` it holds, in words.
fn put(file: &Path, what: &str, text: &str) -> Result<(), Error> {
    let failed = |place, error| Error::because(format!("failed to write the {what} to {place}: {error}"));
    if !is_stdout(file) {
        return write_whole(file, text).map_err(|error| failed(file.display().to_string(), error));
    }
    let mut stdout = io::stdout().lock();
    unless_left(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
        .map_err(|error| failed("standard output".to_owned(), error))
}

/// Whoever reads standard output may leave early.
fn unless_left(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// How reports look on standard output. Colours are taken out again where no terminal is, or where NO_COLOR is set.
fn look_of_stdout() -> Look {
    let width = terminal_size::terminal_size_of(io::stdout()).map_or(DEFAULT_WIDTH, |(width, _)| width.0);
    Look { width, colour: true }
}

/// Prints on standard output what a verb was asked for, and is all of its work. A disk that is full is an error.
fn print(text: &str) -> Result<Status, Error> {
    unless_left(writeln!(anstream::stdout(), "{}", secrets::secrets().without_values(text.trim_end())))
        .map(|()| Status::Passed)
        .map_err(|error| Error::because(format!("failed to print on standard output: {error}")))
}

/// Prints beside the work of a verb. A disk that is full is told, and changes no verdict.
fn say(text: &str) {
    if let Err(error) = print(text) {
        complain(&error.words);
    }
}

/// Shows what may not be meant in these scenarios.
fn warn(selected: &[Selected]) {
    selected.iter().flat_map(|one| &one.scenario.warnings).for_each(|warning| complain(warning.trim_end()));
}

/// Tells GitHub Actions, where this is a job of it: the commands for its runner, and a page for the summary.
fn tell_github(commands: impl FnOnce() -> Vec<String>, page: impl FnOnce() -> String) {
    github_lines(commands, page).iter().for_each(|line| complain(line));
}

/// Prints lines on standard error. Where that is impossible, there is nobody left to tell.
fn complain(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", secrets::secrets().without_values(text));
}
