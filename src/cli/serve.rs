//! `sockrates serve`: the reference server.

use std::process::ExitCode;

pub(super) use reference_server::cli::ServeArgs;

/// Runs the reference server until it is told to stop.
pub(super) fn serve(args: ServeArgs) -> ExitCode {
    reference_server::cli::run(args)
}
