//! `sockrates init`: writes a first scenario for the user's application, by what flags say or by asking.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::secrets::decide;
use super::ways::WayArgs;
use super::{complain, put, say};
use crate::runner::{Error, Ways, is_stdout, look_at, read_auth, read_parameter, refuse_to_overwrite};
use crate::scenario::starter::Starter;
use crate::verdict::Status;

/// Where a first scenario goes unless it is said.
const OUTPUT: &str = "scenario.yaml";

/// Where the application runs unless it is said.
const URL: &str = "http://localhost:3000";

/// Writes a first scenario for your application, with comments
#[derive(Debug, Args)]
#[command(before_help = help!("init"))]
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
    /// Send this query parameter with every handshake of --from
    #[arg(long, value_name = "NAME=VALUE", value_parser = read_parameter, requires = "from")]
    query: Vec<(String, String)>,
    /// What the clients of --from send with CONNECT: '{"token":"abc"}'
    #[arg(long, value_name = "JSON", value_parser = read_auth, requires = "from")]
    auth: Option<Value>,
    /// Write it to this file; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = OUTPUT)]
    output: PathBuf,
    /// Overwrite a file that is there
    #[arg(long)]
    force: bool,
}

/// Writes the file and says what to do next.
pub(super) fn init(args: &InitArgs) -> Result<Status, Error> {
    let file = &args.output;
    refuse_to_overwrite(file, args.force)?;
    let starter = match args.tells_nothing() {
        false => args.starter(),
        true if io::stdin().is_terminal() && io::stderr().is_terminal() => {
            complain(
                "Which event names does your application use? Press Enter for the name in brackets; `-` means none.",
            );
            args.starter()
                .asking(&mut ask)
                .map_err(|error| Error::because(format!("failed to read your answers: {error}")))?
        }
        true => {
            complain(
                "note: there is no terminal to ask on and no flag names the events of your application, so the usual names \
                 are used: `join`, `leave` and `message`. Change them in the file, or give --join, --leave and --send.",
            );
            args.starter().with_usual_names()
        }
    };
    let starter = match args.from {
        Some(_) => {
            let ways = Ways { query: args.query.clone(), auth: args.auth.clone(), ..args.ways.given() };
            let secrets = decide(false);
            ways.note_secrets(&starter.url, &secrets);
            let (starter, seen) = look_at(starter, &ways, &secrets)?;
            complain(&format!("seen at {}:", starter.site()));
            seen.iter().for_each(|sentence| complain(&format!("  {sentence}")));
            starter
        }
        None => starter,
    };
    put(file, "scenario", &starter.text().map_err(Error::wrong)?)?;
    if !is_stdout(file) {
        let name = file.display();
        say(&format!(
            "{name} is written. Read it, change what differs in your application, then:\n\n  \
             sockrates check {name}\n  sockrates run {name} --url {}",
            starter.place()
        ));
    }
    Ok(Status::Passed)
}

impl InitArgs {
    /// Whether no flag says anything of the application.
    fn tells_nothing(&self) -> bool {
        let words =
            [&self.url, &self.from, &self.join, &self.leave, &self.send, &self.arrives, &self.namespace];
        words.iter().all(|word| word.is_none()) && !self.ack && !self.no_ack
    }

    fn starter(&self) -> Starter {
        Starter {
            url: self.url.clone().or_else(|| self.from.clone()).unwrap_or_else(|| URL.to_owned()),
            shown: String::new(),
            file: match is_stdout(&self.output) {
                true => OUTPUT.to_owned(),
                false => self.output.display().to_string(),
            },
            namespace: self.namespace.clone().unwrap_or_else(|| "/".to_owned()),
            join: self.join.clone(),
            leave: self.leave.clone(),
            send: self.send.clone(),
            arrives: self.arrives.clone(),
            ack: self.ack,
            plain_join: false,
            plain_send: false,
            echoes: None,
            roomless: false,
            answers: [None, None],
            greetings: Vec::new(),
            seen: Vec::new(),
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
