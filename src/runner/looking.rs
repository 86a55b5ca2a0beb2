//! The first scenario of an application: what is known of it, what answers say of it, and a look at it.

use std::io;

use super::{Error, Ways};
use crate::importer::recording::{Look, look};
use crate::measure::format::printable;
use crate::recorder::Visit;
use crate::scenario::starter::{Ask, Callback, Starter};
use crate::secrets::Secrets;
use crate::server::Endpoint;
use crate::verdict::Status;

/// Where a first scenario comes from.
pub(crate) struct FirstScenario<'a> {
    /// What is known of the application.
    pub starter: Starter,
    /// Whether any of that was told. Of an application of which nothing is told, the names of its events are asked for.
    pub is_told: bool,
    /// Asks, where that is possible; else the usual names are used.
    pub ask: Option<&'a mut Ask<'a, io::Error>>,
    /// How the application is reached.
    pub ways: Ways,
    /// Whether it is looked at.
    pub looks: bool,
}

impl FirstScenario<'_> {
    /// What the scenario is made of. `tell` gets what the person has to know meanwhile.
    ///
    /// # Errors
    /// When the answers cannot be read, or the application cannot be looked at.
    pub(crate) fn find(self, secrets: &Secrets, tell: &mut dyn FnMut(&str)) -> Result<Starter, Error> {
        let starter = match self.ask {
            _ if self.is_told => self.starter,
            Some(ask) => {
                tell(
                    "Which event names does your application use? Press Enter for the name in brackets; `-` means none.",
                );
                let failed = |error| Error::because(format!("failed to read your answers: {error}"));
                self.starter.asking(ask).map_err(failed)?
            }
            None => {
                tell(
                    "note: there is no terminal to ask on and no flag names the events of your application, so the usual \
                     names are used: `join`, `leave` and `message`. Change them in the file, or give --join, --leave and \
                     --send.",
                );
                self.starter.with_usual_names()
            }
        };
        let ways = self.ways;
        ways.note_secrets([starter.url.clone()], secrets);
        if !self.looks {
            return Ok(match Endpoint::parse(&starter.url) {
                Ok(endpoint) => shown(starter, &ways, &endpoint, secrets),
                Err(_) => starter,
            });
        }
        let (starter, seen) = look_at(starter, &ways, secrets)?;
        tell(&format!("seen at {}:", starter.site()));
        seen.iter().for_each(|sentence| tell(&format!("  {sentence}")));
        Ok(starter)
    }
}

/// Looks at the application of a first scenario: what it says when clients connect, and what it answers when they ask for what the
/// scenario asks for. The scenario with what was seen, and that in sentences.
///
/// # Errors
/// When the application cannot be reached, or speaks no Socket.IO over WebSockets.
fn look_at(starter: Starter, ways: &Ways, secrets: &Secrets) -> Result<(Starter, Vec<String>), Error> {
    let endpoint = Endpoint::parse(&starter.url)
        .map_err(|error| Error::because(secrets.redact(&error.to_string()).into_owned()))?;
    let target = ways.target(&endpoint).map_err(Error::because)?;
    let starter = shown(starter, ways, &endpoint, secrets);
    let visit = |starter: &Starter| -> Result<Look, Error> {
        let visit = Visit {
            target: target.clone(),
            path: endpoint.path.clone(),
            query: ways.query_of(&endpoint),
            auth: ways.auth.clone(),
            namespace: starter.namespace.clone(),
            asks: starter.asks(),
            late: starter.send.as_ref().map(|_| 1 + usize::from(starter.join.is_some())),
        };
        let visited = visit.look().map_err(|why| Error {
            status: Some(Status::Unreachable),
            ..Error::because(format!(
                "no client could look at {}: {why}\nhelp: start the application first, or name the path of Socket.IO behind the \
                 address, such as http://localhost:3000/my/socket.io/; without --from, nothing is looked at",
                secrets.redact(&starter.url)
            ))
        })?;
        let ended_by = visited.ended_by.as_deref().map(printable);
        Ok(Look { sends_away: visited.sends_away, ended_by, ..look(visited.recorded) })
    };
    let mut starter = starter;
    let mut seen = visit(&starter)?;
    if !seen.refusals.is_empty() && seen.acknowledged.is_empty() {
        // Whom it does not let in has seen nothing else.
        let seen = Look { version: seen.version, refusals: seen.refusals, ..Look::default() };
        return Ok(told(starter, &sentences(&seen), secrets));
    }
    let is_wrong = |seen: &Look, event: &Option<String>| {
        seen.errors.iter().chain(&seen.doubts).any(|(asked, _)| Some(asked) == event.as_ref())
    };
    // An application that refuses an object may want the bare text, also where it says nothing of it.
    let sends = starter.send.is_some();
    let is_unheard = |seen: &Look| sends && seen.arrivals.is_empty();
    let plain = Starter {
        plain_join: is_wrong(&seen, &starter.join) || (is_unheard(&seen) && starter.join.is_some()),
        plain_send: starter.join.is_none() && (is_wrong(&seen, &starter.send) || is_unheard(&seen)),
        ..starter.clone()
    };
    if (plain.plain_join || plain.plain_send) && seen.ended_by.is_none() {
        let again = visit(&plain)?;
        let faults =
            |seen: &Look| (seen.ended_by.is_some(), is_unheard(seen), seen.errors.len() + seen.doubts.len());
        let is_better = faults(&again) < faults(&seen);
        if is_better {
            (starter, seen) = (plain, again);
        }
    }
    starter.acks = [&starter.join, &starter.leave, &starter.send].map(|event| {
        let of = seen.acknowledged.iter().find(|one| Some(&one.event) == event.as_ref());
        of.map(|one| if one.is_error_first { Callback::ErrorFirst } else { Callback::Any })
    });
    starter.ack |= !seen.acknowledged.is_empty() && seen.silent.is_empty();
    let arrival = seen.arrivals.iter().find(|(sent, _)| Some(sent) == starter.send.as_ref());
    if let Some((sent, heard)) = arrival.filter(|_| starter.arrives.is_none())
        && sent != heard
    {
        starter.arrives = Some(heard.clone());
    }
    let of = |event: &Option<String>| {
        let answer = seen.answers.iter().find(|(asked, _)| Some(asked) == event.as_ref());
        answer.map(|(_, answer)| answer.clone())
    };
    starter.answers = [of(&starter.join), of(&starter.leave)];
    let send = starter.send.clone().unwrap_or_default();
    starter.echoes = seen.echoes.iter().find(|(sent, _)| *sent == send).map(|(_, echoes)| *echoes);
    starter.roomless = starter.join.is_some() && seen.elsewhere.contains(&send);
    starter.history = seen.histories.contains(&send);
    starter.greetings = seen.greetings.iter().map(|(event, _)| event.clone()).collect();
    let mut sentences = sentences(&seen);
    if is_unheard(&seen) && seen.ended_by.is_none() {
        sentences.push(format!(
            "nobody heard anything after `{send}`: its payload is not what the handler reads, or nobody is where it goes; \
             change `emit` in the contract until a run hears it"
        ));
    }
    Ok(told(starter, &sentences, secrets))
}

/// The scenario with the command that plays it.
fn shown(starter: Starter, ways: &Ways, endpoint: &Endpoint, secrets: &Secrets) -> Starter {
    let plain = starter.url.split(['?', '#']).next().unwrap_or_default();
    let words = format!("{plain}{}", ways.flags(endpoint));
    Starter { shown: secrets.redact(&words).into_owned(), ..starter }
}

/// The scenario with what was seen, and that without secrets.
fn told(starter: Starter, sentences: &[String], secrets: &Secrets) -> (Starter, Vec<String>) {
    let seen: Vec<String> = sentences.iter().map(|line| secrets.redact(line).into_owned()).collect();
    (Starter { seen: seen.clone(), ..starter }, seen)
}

/// What was seen, a sentence each.
fn sentences(seen: &Look) -> Vec<String> {
    let version = seen.version.map(|version| format!("it speaks Engine.IO {version}"));
    let greetings = seen.greetings.iter();
    let greetings =
        greetings.map(|(event, args)| format!("when a client connects, it hears `{event}`: {args}"));
    let refusals = seen.refusals.iter();
    let refusals = refusals.map(|(namespace, why)| {
        format!(
            "{namespace} refuses a client without credentials: {why}; give them by --auth, --query or --header, or another namespace by --namespace, so that more can be seen"
        )
    });
    let sent_away = seen.sends_away.then(|| {
        "it ends the connection of a client that has asked for nothing yet: give credentials by --auth, --query or --header, or \
         another namespace by --namespace"
            .to_owned()
    });
    let ended_by = seen.ended_by.iter().map(|event| {
        format!(
            "after `{event}` it ended all connections: its handler may have failed on that payload, and the application with it. \
             Start it again, change `emit` in the contract, and run that"
        )
    });
    let acknowledged = seen.acknowledged.iter().map(|one| match one.args.as_str() {
        "" => format!("`{}` is acknowledged", one.event),
        args => format!("`{}` is acknowledged: {args}", one.event),
    });
    let doubts = seen.doubts.iter().map(|(event, _)| {
        format!("the acknowledgement of `{event}` may say why it was not done; if it does not, say in the contract what an acceptance looks like")
    });
    let histories = seen.histories.iter().map(|sent| {
        format!("a client that comes later hears what was sent before by `{sent}`: `history: true` in the contract")
    });
    let silent = seen.silent.iter().map(|event| format!("`{event}` is not acknowledged"));
    let arrivals = seen.arrivals.iter().map(|(sent, heard)| format!("others hear `{heard}` after `{sent}`"));
    let echoes = seen.echoes.iter().map(|(sent, echoes)| match echoes {
        true => format!("whoever sends `{sent}` hears it, too"),
        false => format!("whoever sends `{sent}` does not hear it"),
    });
    let elsewhere = seen.elsewhere.iter().map(|sent| {
        format!(
            "a client that named another room hears `{sent}`, too, so there are no rooms in this scenario"
        )
    });
    let answers =
        seen.answers.iter().map(|(asked, answer)| format!("`{asked}` is answered by the event `{answer}`"));
    let errors = seen.errors.iter().map(|(asked, answer)| {
        format!(
            "`{asked}` was answered with an error, so its payload is not what the handler reads: {answer}"
        )
    });
    version
        .into_iter()
        .chain(greetings)
        .chain(refusals)
        .chain(sent_away)
        .chain(acknowledged)
        .chain(silent)
        .chain(answers)
        .chain(arrivals)
        .chain(echoes)
        .chain(elsewhere)
        .chain(histories)
        .chain(doubts)
        .chain(errors)
        .chain(ended_by)
        .collect()
}
