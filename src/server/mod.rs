//! The server under test: found, started, awaited, looked at, stopped.
//!
//! Knows HTTP and the first packet of Engine.IO just well enough to tell whether somebody is there, and shares no code
//! with the client that tests it. What it finds out is told in sentences: exit code 3 is a question of the network or of
//! the command line, and its message is all that the user has.

mod endpoint;
mod group;
mod held;
mod http;
mod last_words;
mod nodes;
mod not_there;
mod output;
mod probe;
mod proxy;
mod running;
mod services;
mod shell;

pub(crate) use endpoint::{Endpoint, authorization, host_and_port};
pub(crate) use group::{Group, Leave, Process, Resources, command_line};
pub(crate) use http::{Answer, Exchange, Request, exchange};
pub(crate) use last_words::exception;
pub(crate) use nodes::{BUS, Node, Nodes, usual_name};
pub(crate) use not_there::{NotThere, Seen};
pub(crate) use probe::{Found, Manner, Offer, Probing, offers, probe};
pub(crate) use proxy::Proxy;
pub(crate) use running::{Exit, NotReady, Running, Starting, Target};
pub(crate) use services::{Service, Services};
pub(crate) use shell::{lines_of_command, run_command};
