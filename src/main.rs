//! The program: reads the command line and runs a verb.

use std::process::ExitCode;

fn main() -> ExitCode {
    sockrates::cli::main()
}
