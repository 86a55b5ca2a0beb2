//! A look at an application, for its first scenario.

use super::{Error, TlsFiles, Trust};
use crate::importer::recording::{Look, look};
use crate::recorder::{Target, Visit};
use crate::scenario::starter::Starter;
use crate::server::Endpoint;
use crate::verdict::Status;

/// Looks at the application of a first scenario: what it says when clients connect, and what it answers when they ask for what the
/// scenario asks for. The scenario with what was seen, and that in sentences.
///
/// # Errors
/// When the application cannot be reached, or speaks no Socket.IO over WebSockets.
pub(crate) fn look_at(starter: Starter) -> Result<(Starter, Vec<String>), Error> {
    let endpoint = Endpoint::parse(&starter.url).map_err(Error::because)?;
    let tls = match endpoint.secure {
        true => Some(
            TlsFiles::read(&Trust::Usual, None).and_then(|files| files.config()).map_err(Error::because)?,
        ),
        false => None,
    };
    let visit = |starter: &Starter| -> Result<Look, Error> {
        let visit = Visit {
            target: Target { host: endpoint.host.clone(), port: endpoint.port, tls: tls.clone() },
            path: endpoint.path.clone(),
            namespace: starter.namespace.clone(),
            asks: starter.asks(),
        };
        let recorded = visit.look().map_err(|why| Error {
            status: Some(Status::Unreachable),
            ..Error::because(format!(
                "no client could look at {}: {why}\nhelp: start the application first; without --from, nothing is looked at",
                starter.url
            ))
        })?;
        Ok(look(recorded))
    };
    let mut starter = starter;
    let mut seen = visit(&starter)?;
    let is_wrong = |seen: &Look, event: &Option<String>| {
        seen.errors.iter().any(|(asked, _)| Some(asked) == event.as_ref())
    };
    // An application that refuses an object may want the bare text.
    let plain = Starter {
        plain_join: is_wrong(&seen, &starter.join),
        plain_send: is_wrong(&seen, &starter.send),
        ..starter.clone()
    };
    if plain.plain_join || plain.plain_send {
        let again = visit(&plain)?;
        if again.errors.len() < seen.errors.len() {
            (starter, seen) = (plain, again);
        }
    }
    starter.ack |= !seen.acknowledged.is_empty() && seen.silent.is_empty();
    let arrival = seen.arrivals.iter().find(|(sent, _)| Some(sent) == starter.send.as_ref());
    if let Some((sent, heard)) = arrival.filter(|_| starter.arrives.is_none())
        && sent != heard
    {
        starter.arrives = Some(heard.clone());
    }
    starter.greetings = seen.greetings.iter().map(|(event, _)| event.clone()).collect();
    let told = sentences(&seen);
    starter.seen.clone_from(&told);
    Ok((starter, told))
}

/// What was seen, a sentence each.
fn sentences(seen: &Look) -> Vec<String> {
    let version = seen.version.map(|version| format!("it speaks Engine.IO {version}"));
    let greetings = seen.greetings.iter();
    let greetings =
        greetings.map(|(event, args)| format!("when a client connects, it hears `{event}`: {args}"));
    let refusals = seen.refusals.iter();
    let refusals = refusals.map(|(namespace, why)| {
        format!("{namespace} refuses a client without credentials: {why}; give `auth`")
    });
    let acknowledged = seen.acknowledged.iter().map(|event| format!("`{event}` is acknowledged"));
    let silent = seen.silent.iter().map(|event| format!("`{event}` is not acknowledged"));
    let arrivals = seen.arrivals.iter().map(|(sent, heard)| format!("others hear `{heard}` after `{sent}`"));
    let errors = seen.errors.iter().map(|(asked, answer)| {
        format!(
            "`{asked}` was answered with an error, so its payload is not what the handler reads: {answer}"
        )
    });
    version
        .into_iter()
        .chain(greetings)
        .chain(refusals)
        .chain(acknowledged)
        .chain(silent)
        .chain(arrivals)
        .chain(errors)
        .collect()
}
