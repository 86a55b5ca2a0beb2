//! `sockrates conform --servers FOLDER`: the suite against all servers that a folder describes.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;

use super::display::Display;
use super::formats::{tell, write};
use super::{complain, duration, look_of_stdout};
use crate::matrix::{ServersResult, unconfirmed};
use crate::report::{Detail, terminal};
use crate::runner::{
    Error, Event, Paths, Servers, ServersConfig, Single, SuitesConfig, When, servers_status, stop_on_signals,
    write_site,
};
use crate::verdict::Status;

/// Many servers at once
#[derive(Debug, Args)]
#[command(next_help_heading = "Many servers")]
pub(super) struct ManyArgs {
    /// Play all servers that this folder describes: a folder each, with a `server.yaml`
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["url", "server", "fault", "nodes", "baseline", "write_baseline", "contract"])]
    pub(super) servers: Option<PathBuf>,
    /// Of --servers: play those with these names
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "servers")]
    server_name: Vec<String>,
    /// Of --servers: write the site about all of them into this folder
    #[arg(long, value_name = "FOLDER", requires = "servers")]
    out: Option<PathBuf>,
    /// Of --servers: play so many at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "servers", value_parser = clap::value_parser!(u16).range(1..=64))]
    at_a_time: u16,
    /// Of --servers: the longest that is spent on one of them
    #[arg(long, value_name = "TIME", default_value = "15m", requires = "servers", value_parser = duration)]
    server_limit: Duration,
    /// Of --servers: they are installed already
    #[arg(long, requires = "servers")]
    installed: bool,
    /// Of --servers: play the suite alone, without scenarios and load
    #[arg(long, requires = "servers")]
    suite_only: bool,
}

/// Plays them, and writes what there is after each.
pub(super) fn conform_all(
    args: &ManyArgs,
    folder: &Path,
    config: SuitesConfig,
    json: Option<&Path>,
    quiet: bool,
    detail: Detail,
) -> Result<Status, Error> {
    let strict = config.is_strict;
    let servers = Servers::read(ServersConfig {
        folder: folder.to_owned(),
        names: args.server_name.clone(),
        suites: config,
        at_a_time: args.at_a_time,
        limit: args.server_limit,
        is_installed: args.installed,
        is_suite_only: args.suite_only,
    })?;
    let paths = Paths { json: json.map(Path::to_owned), ..Paths::default() };
    paths.of_nothing().prepare()?;
    let stop = stop_on_signals()?;
    let mut display = Display::new(quiet);
    let keep = |result: &ServersResult, when| {
        write(&paths.of_single(result), when)?;
        args.out.as_deref().map_or(Ok(()), |folder| write_site(folder, result))
    };
    let result = servers.play(&stop, &mut |event| {
        if let Event::ServersSoFar(so_far) = &event {
            // What fails here is tried again at the end, and reported then.
            let _ = so_far().and_then(|result| keep(&result, When::SoFar));
        }
        display.show(&event);
        Ok(())
    })?;
    tell(&paths.of_nothing(), terminal(&result.report(), look_of_stdout(), detail).trim_end());
    keep(&result, When::AtTheEnd)?;
    for (server, clause) in unconfirmed(&result, strict) {
        complain(&format!("{server} deviates from {clause}, which no raw client has confirmed"));
    }
    Ok(servers_status(&result, strict, stop.load(Ordering::Relaxed)))
}
