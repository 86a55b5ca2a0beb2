//! The options that say how a server is reached, also by what only looks or passes on.

use std::path::PathBuf;

use clap::Args;

use crate::runner::{Trust, Ways, read_header};

/// How the server is reached
#[derive(Debug, Args)]
pub(super) struct WayArgs {
    /// Send this header with every request, in place of one with that name; a scenario's own goes before it
    #[arg(long, value_name = "NAME: VALUE", value_parser = read_header)]
    header: Vec<(String, String)>,
    /// Go through this HTTP proxy: http://NAME:PASSWORD@HOST:PORT. Empty is none, whatever the environment says
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Trust the certificates in this PEM file, and those that they have signed, and no others
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Accept any certificate
    #[arg(long, conflicts_with = "ca_file")]
    insecure: bool,
}

impl WayArgs {
    /// What they say.
    pub(super) fn given(&self) -> Ways {
        Ways {
            headers: self.header.clone(),
            proxy: self.proxy.clone(),
            trust: match &self.ca_file {
                _ if self.insecure => Trust::Any,
                Some(file) => Trust::Authorities(file.clone()),
                None => Trust::Usual,
            },
            ..Ways::default()
        }
    }
}
