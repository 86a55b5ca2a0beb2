//! The reference server as a program of its own.

use std::process::ExitCode;

use clap::Parser;
use reference_server::cli::{self, ServeArgs};

/// A Socket.IO server for trying things out, healthy or broken on purpose
#[derive(Debug, Parser)]
#[command(name = "reference-server", version, before_help = cli::EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    serve: ServeArgs,
}

fn main() -> ExitCode {
    cli::run(Arguments::parse().serve)
}
