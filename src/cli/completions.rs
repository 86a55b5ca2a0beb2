//! `sockrates completions` and `sockrates man`: what a shell and `man` know of the command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Arguments, print};
use crate::document::hint_at;
use crate::runner::Error;
use crate::verdict::Status;

/// Prints the completions of the command line for a shell
#[derive(Debug, Args)]
#[command(before_help = help!("completions"))]
pub(super) struct CompletionsArgs {
    /// For which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the manual page of the program, or of a verb
#[derive(Debug, Args)]
#[command(before_help = help!("man"))]
pub(super) struct ManArgs {
    /// The verb; without it, the page is that of the program
    #[arg(value_name = "VERB")]
    verb: Option<String>,
}

/// Prints the completions.
pub(super) fn completions(args: &CompletionsArgs) -> Result<Status, Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "sockrates", &mut text);
    print(&String::from_utf8_lossy(&text))
}

/// Prints the manual page.
pub(super) fn man(args: &ManArgs) -> Result<Status, Error> {
    let mut program = Arguments::command();
    program.build();
    let page = match &args.verb {
        None => program,
        Some(verb) => match program.find_subcommand(verb).filter(|found| found.get_name() != "help") {
            Some(found) => found.clone(),
            None => {
                let verbs = program.get_subcommands().map(clap::Command::get_name);
                let hint = hint_at(verb, verbs, || "`sockrates --help` shows the verbs".to_owned());
                return Err(Error::because(format!("there is no verb `{verb}`\nhelp: {hint}")));
            }
        },
    };
    let mut text = Vec::new();
    let rendered = clap_mangen::Man::new(page).render(&mut text);
    rendered.map_err(|error| Error::because(format!("failed to write the page: {error}")))?;
    print(&String::from_utf8_lossy(&text))
}
