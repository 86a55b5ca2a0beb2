//! `sockrates init`: writes a first scenario for the user's application, by what flags say or by asking.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use clap::Args;
use serde_json::Value;

use super::complain;
use super::scenario_file::{ScenarioFileArgs, put_scenario};
use super::secrets::decide;
use super::server::WayArgs;
use crate::runner::{Error, FirstScenario, Ways, is_stdout, read_auth, read_parameter, refuse_to_overwrite};
use crate::scenario::starter::Starter;
use crate::verdict::Status;

/// Where a first scenario goes unless it is said.
const OUTPUT: &str = "scenario.yaml";

/// Where the application runs unless it is said.
const URL: &str = "http://localhost:3000";

/// Writes a first scenario for your application, with comments
#[derive(Debug, Args)]
#[command(before_help = help!("init"), mut_arg("output", |arg| arg.default_value(OUTPUT)))]
pub(super) struct InitArgs {
    /// Where your application runs [default: http://localhost:3000]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Look at what your application there says when clients connect, and when they send these events: events, refusals,
    /// acknowledgements and errors
    #[arg(long, value_name = "URL", conflicts_with = "url")]
    from: Option<String>,
    /// The event by which a client enters a room
    #[arg(long, value_name = "EVENT")]
    join: Option<String>,
    /// The event by which it leaves the room
    #[arg(long, value_name = "EVENT", requires = "join")]
    leave: Option<String>,
    /// The event by which it sends a message to others
    #[arg(long, value_name = "EVENT")]
    send: Option<String>,
    /// The event by which others receive it [default: the same]
    #[arg(long, value_name = "EVENT", requires = "send")]
    arrives: Option<String>,
    /// Your application acknowledges these events: their handlers call the callback
    #[arg(long, overrides_with = "no_ack")]
    ack: bool,
    /// It does not (this is the default)
    #[arg(long)]
    no_ack: bool,
    /// The namespace that clients connect to [default: /]
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    #[command(flatten)]
    ways: WayArgs,
    /// Send this query parameter with every handshake
    #[arg(long, value_name = "NAME=VALUE", value_parser = read_parameter)]
    query: Vec<(String, String)>,
    /// What clients send with CONNECT: '{"token":"abc"}'
    #[arg(long, value_name = "JSON", value_parser = read_auth)]
    auth: Option<Value>,
    #[command(flatten)]
    target: ScenarioFileArgs,
}

/// Writes the file and says what to do next.
pub(super) fn init(args: &InitArgs) -> Result<Status, Error> {
    let file = args.target.or(|| OUTPUT.into());
    refuse_to_overwrite(&file, args.target.force)?;
    let can_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    let first = FirstScenario {
        starter: args.starter(&file),
        is_told: args.tells_something(),
        ask: if can_ask { Some(&mut ask) } else { None },
        ways: Ways { query: args.query.clone(), auth: args.auth.clone(), ..args.ways.given() },
        looks: args.from.is_some(),
    };
    let starter = first.find(&decide(false), &mut |words| complain(words))?;
    let text = starter.text().map_err(Error::wrong)?;
    let words = "Read it, change what differs in your application, then:";
    put_scenario(&file, &text, &[], words, Some(starter.place()))
}

impl InitArgs {
    /// Whether a flag says anything of the application.
    fn tells_something(&self) -> bool {
        let words =
            [&self.url, &self.from, &self.join, &self.leave, &self.send, &self.arrives, &self.namespace];
        words.iter().any(|word| word.is_some()) || self.ack || self.no_ack
    }

    fn starter(&self, file: &Path) -> Starter {
        Starter {
            url: self.url.clone().or_else(|| self.from.clone()).unwrap_or_else(|| URL.to_owned()),
            file: if is_stdout(file) { OUTPUT.to_owned() } else { file.display().to_string() },
            namespace: self.namespace.clone().unwrap_or_else(|| "/".to_owned()),
            join: self.join.clone(),
            leave: self.leave.clone(),
            send: self.send.clone(),
            arrives: self.arrives.clone(),
            ack: self.ack,
            ..Starter::default()
        }
    }
}

/// Asks on the terminal. An empty answer is what stands in brackets.
fn ask(question: &str, usual: &str) -> io::Result<String> {
    let mut stderr = anstream::stderr();
    write!(stderr, "{question} [{usual}]: ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let answer = answer.trim();
    Ok(if answer.is_empty() { usual.to_owned() } else { answer.to_owned() })
}
