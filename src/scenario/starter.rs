//! A first scenario for an application that is not ours: its text, with a comment at everything that has to fit.
//!
//! The text is read again by the parser before it is given away, so it is never a wrong one.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{Surroundings, read};
use crate::document::{Source, render};

/// What is known of the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Starter {
    /// Where it runs: for the comment that tells how to play the scenario.
    pub url: String,
    /// What follows `--url` in the command that plays it, without its secrets: the url, and flags. Empty is the url.
    pub shown: String,
    /// The name of the file, for the same comment.
    pub file: String,
    /// The namespace.
    pub namespace: String,
    /// The event by which a client enters a room. None where the application has no rooms.
    pub join: Option<String>,
    /// The event by which it leaves the room.
    pub leave: Option<String>,
    /// The event by which it sends a message to others.
    pub send: Option<String>,
    /// The event by which others hear it, if it has another name.
    pub arrives: Option<String>,
    /// Whether the application acknowledges these events.
    pub ack: bool,
    /// How it acknowledges those of `join`, `leave` and `send`, as far as that was seen.
    pub acks: [Option<Callback>; 3],
    /// Whether it shows clients that come later what was said before, by the same event.
    pub history: bool,
    /// Whether the event of `join` carries the bare name of the room.
    pub plain_join: bool,
    /// Whether the event of `send` carries the bare text, where there are no rooms.
    pub plain_send: bool,
    /// Whether whoever sends a message hears it, too, where that is known.
    pub echoes: Option<bool>,
    /// Whether a message reaches clients that joined another room, so that `join` is asked for and there are no rooms.
    pub roomless: bool,
    /// The events by which the application answers `join` and `leave`, if it does.
    pub answers: [Option<String>; 2],
    /// The events that the application tells each client when it connects.
    pub greetings: Vec<String>,
    /// What was seen of the application, a sentence each.
    pub seen: Vec<String>,
}

/// How a handler calls the callback that acknowledges an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callback {
    /// With whatever it likes.
    Any,
    /// With the error first, or null.
    ErrorFirst,
}

/// Asks one question, with the answer that an empty one means.
pub type Ask<'a, E> = dyn FnMut(&str, &str) -> Result<String, E> + 'a;

impl Starter {
    /// The same with the names that most applications use.
    pub fn with_usual_names(self) -> Starter {
        let [join, leave, send] = ["join", "leave", "message"].map(|name| Some(name.to_owned()));
        Starter { join, leave, send, ..self }
    }

    /// The same with what the answers say; `-` means that there is none.
    ///
    /// # Errors
    /// When a question could not be asked.
    pub fn asking<E>(self, ask: &mut Ask<'_, E>) -> Result<Starter, E> {
        let some = |answer: String| Some(answer).filter(|answer| answer != "-");
        let url = ask("Where does it run", &self.url)?;
        let namespace = ask("Which namespace do clients connect to", &self.namespace)?;
        let join = some(ask("Which event puts a client into a room", "join")?);
        let leave = match join {
            Some(_) => some(ask("Which event takes it out again", "leave")?),
            None => None,
        };
        let send = some(ask("Which event says something to others", "message")?);
        let arrives = match &send {
            Some(send) => Some(ask("Which event do the others get", send)?).filter(|event| event != send),
            None => None,
        };
        let ack = ask("Do their handlers call the callback that acknowledges an event: yes or no", "no")?;
        let ack = ack.starts_with(['y', 'Y']);
        Ok(Starter { url, namespace, join, leave, send, arrives, ack, ..self })
    }

    /// What follows `--url` in the command that plays it.
    pub fn place(&self) -> &str {
        if self.shown.is_empty() { &self.url } else { &self.shown }
    }

    /// Where it runs, without secrets.
    pub fn site(&self) -> &str {
        self.place().split(' ').next().unwrap_or_default()
    }

    /// Whether clients join rooms of which the application knows.
    fn has_rooms(&self) -> bool {
        self.join.is_some() && !self.roomless
    }

    /// What clients ask for: each event with the arguments that a speaker, a listener and one elsewhere give it.
    pub fn asks(&self) -> Vec<(String, Vec<Option<Value>>)> {
        let join = self.join.iter().map(|join| {
            let enters = |room: &str, nick: &str| match self.plain_join {
                true => json!(room),
                false => json!({ "room": room, "nick": nick }),
            };
            let all = [("lobby", "speaker-0"), ("lobby", "listeners-0"), ("street", "elsewhere-0")];
            (join.clone(), all.map(|(room, nick)| Some(enters(room, nick))).to_vec())
        });
        let send = self.send.iter().map(|send| {
            let argument = match (self.plain_send, &self.join) {
                (true, None) => json!("hello from sockrates"),
                (_, Some(_)) => json!({ "room": "lobby", "text": "hello from sockrates" }),
                (false, None) => json!({ "text": "hello from sockrates" }),
            };
            (send.clone(), vec![Some(argument)])
        });
        let leave = self.leave.iter().map(|leave| {
            let argument = if self.plain_join { json!("lobby") } else { json!({ "room": "lobby" }) };
            (leave.clone(), vec![Some(argument.clone()), Some(argument)])
        });
        join.chain(send).chain(leave).collect()
    }

    /// The text of the scenario.
    ///
    /// # Errors
    /// The report of what is wrong with it, which can only be a word that was given.
    pub fn text(&self) -> Result<String, String> {
        let text = self.write();
        let source = Source { name: self.file.clone(), text };
        match read(&source, &Surroundings::without_files()) {
            Ok(_) => Ok(source.text),
            Err(mistake) => Err(render(&mistake, &source)),
        }
    }

    fn write(&self) -> String {
        let mut text = self.head();
        text.push_str(&self.clients());
        text.push_str(&self.contract());
        text.push_str(&self.script());
        text.push_str(&self.thresholds());
        text
    }

    fn head(&self) -> String {
        let (file, url) = (one_line(&self.file), one_line(self.place()));
        format!(
            "# A first scenario. Change what differs in your application, then:\n\
             #\n\
             #   sockrates check {file}              what it would do, and what is wrong with it\n\
             #   sockrates run {file} --url {url}\n\
             #\n\
             # For completion in your editor, `sockrates schema scenario > scenario.schema.json`, and a first line\n\
             # # yaml-language-server: $schema=scenario.schema.json (with one # only)\n\
             {}name: People meet in my application\n\n",
            self.what_was_seen()
        )
    }

    /// What was seen of the application, as comments.
    fn what_was_seen(&self) -> String {
        if self.seen.is_empty() {
            return String::new();
        }
        let lines = self.seen.iter().map(|line| format!("#   {}\n", one_line(line)));
        format!("#\n# Seen at {}:\n{}", one_line(self.site()), lines.collect::<String>())
    }

    fn clients(&self) -> String {
        let namespace = match self.namespace.as_str() {
            "/" => String::new(),
            namespace => format!(", namespace: {}", quoted(namespace)),
        };
        let mut text = String::from("# Who takes part. Raise the numbers when it works.\nclients:\n");
        let auth = "# if it asks for credentials: `auth: { token: \"user-${n}\" }` for a namespace, `headers: { … }` for HTTP";
        let _ = writeln!(text, "  speaker: {{ count: 1{namespace} }}");
        let _ = writeln!(text, "  listeners: {{ count: 20, arrive: 50/s{namespace} }} {auth}");
        if self.has_rooms() && self.send.is_some() {
            let _ = writeln!(
                text,
                "  elsewhere: {{ count: 2{namespace} }} # in another room: they must receive nothing"
            );
        }
        text + "\n"
    }

    /// How the application is asked for things.
    fn contract(&self) -> String {
        if !self.has_rooms() && self.send.is_none() {
            return String::new();
        }
        let [join_ack, leave_ack, send_ack] = self.acks.map(|seen| match seen {
            Some(Callback::ErrorFirst) => ", ack: error_first",
            Some(Callback::Any) => ", ack: true",
            None if self.ack => ", ack: true",
            None => "",
        });
        let mut text = String::from(
            "# Which of your events does what, and what it carries: use the keys that your server reads.\ncontract:\n",
        );
        let confirmed = |answer: &Option<String>, ack: &str| match answer {
            Some(event) if ack.is_empty() => format!(", confirmed_by: {{ event: {} }}", quoted(event)),
            _ => String::new(),
        };
        if let Some(join) = self.join.as_ref().filter(|_| self.has_rooms()) {
            let join = quoted(join);
            let payload = match self.plain_join {
                true => "\"${room}\"",
                false => "{ room: \"${room}\", nick: \"${group}-${n}\" }",
            };
            let _ = writeln!(
                text,
                "  join: {{ emit: [{join}, {payload}]{join_ack}{} }}",
                confirmed(&self.answers[0], join_ack)
            );
            if let Some(leave) = &self.leave {
                let room = if self.plain_join { "\"${room}\"" } else { "{ room: \"${room}\" }" };
                let _ = writeln!(
                    text,
                    "  leave: {{ emit: [{}, {room}]{leave_ack}{} }}",
                    quoted(leave),
                    confirmed(&self.answers[1], leave_ack)
                );
            }
        }
        if let Some(send) = &self.send {
            let payload = match self.join {
                None if self.plain_send => "\"${body}\"",
                Some(_) if self.has_rooms() => "{ room: \"${room}\", text: \"${body}\" }",
                Some(_) => "{ room: lobby, text: \"${body}\" }",
                None => "{ text: \"${body}\" }",
            };
            let arrives = self.arrives.as_ref().map(|event| format!(", arrives_as: {}", quoted(event)));
            let arrives = arrives.unwrap_or_default();
            let reaches = match self.echoes {
                Some(true) => ", reaches: everyone",
                Some(false) => ", reaches: others",
                None => "",
            };
            let history = if self.history { ", history: true" } else { "" };
            let _ = writeln!(
                text,
                "  broadcast: {{ emit: [{}, {payload}]{send_ack}{arrives}{reaches}{history} }}",
                quoted(send)
            );
            if !self.has_rooms() && self.echoes.is_none() {
                text.push_str(
                    "  # Who has to hear it? Put `, reaches: everyone`, or `, reaches: others` without its sender, behind the list\n  \
                     # or behind `ack: true`. Until then a run is yellow: deliveries are not judged.\n",
                );
            }
        }
        if !self.ack && self.acks == [None; 3] {
            text.push_str(
                "  # `, ack: true` behind the list of an event whose handler calls its callback lets more be judged.\n",
            );
        }
        text + "\n"
    }

    /// What they do.
    fn script(&self) -> String {
        let mut text = String::from(
            "# What they do. Each act ends when all its clients are done with it.\nscript:\n  - all: connect\n",
        );
        for greeting in &self.greetings {
            let greeting = quoted(greeting);
            let _ = writeln!(text, "  - all: {{ expect: {{ event: {greeting}{} }} }}", self.in_namespace());
        }
        match (&self.join, &self.send) {
            (Some(join), _) if self.roomless => {
                let payload = match self.plain_join {
                    true => "\"${group}-${n}\"",
                    false => "{ room: lobby, nick: \"${group}-${n}\" }",
                };
                // A message must not overtake it: each client has a connection of its own.
                let awaited = match &self.answers[0] {
                    _ if self.ack || self.acks[0].is_some() => ", ack: true".to_owned(),
                    Some(event) => format!(", response: {{ event: {} }}", quoted(event)),
                    None => String::new(),
                };
                let _ = writeln!(
                    text,
                    "  - all: {{ emit: {{ event: {}{}, args: [{payload}]{awaited} }} }} # whatever room is named, all hear all",
                    quoted(join),
                    self.in_namespace()
                );
            }
            (Some(_), Some(_)) => {
                text.push_str("  - speaker, listeners: { join: lobby }\n  - elsewhere: { join: street }\n");
            }
            (Some(_), None) => text.push_str("  - all: { join: lobby }\n"),
            (None, _) => {}
        }
        if let Some(send) = &self.send {
            let heard = quoted(self.arrives.as_ref().unwrap_or(send));
            let to = if self.has_rooms() { "to: lobby, " } else { "" };
            // Where messages of earlier runs are shown, those of this one have a text of their own.
            let (said, expected) = match self.history {
                true => ("say: \"hello ${run}\"", "said: \"hello ${run}\"".to_owned()),
                false => ("args: [hello]", format!("event: {heard}")),
            };
            let _ = writeln!(
                text,
                "  - speaker: {{ repeat: {{ times: 10, every: 100ms, steps: [ {{ broadcast: {{ {to}{said} }} }} ] }} }}"
            );
            let _ = writeln!(text, "  - listeners: {{ expect: {{ {expected}, times: 10 }} }}");
            if self.has_rooms() {
                // The report shows this line where it fails.
                let _ = writeln!(
                    text,
                    "  - elsewhere: {{ expect_none: {{ event: {heard} }} }} # fails without rooms: then leave out --join"
                );
            }
        }
        if self.has_rooms() && self.leave.is_some() {
            text.push_str("  - speaker: { leave: lobby }\n");
        }
        if self.send.is_none() {
            text.push_str("  - all: fence # a round trip: the server answers\n");
        }
        text + "  - all: disconnect\n\n"
    }

    /// Where events are expected that come in another namespace.
    fn in_namespace(&self) -> String {
        match self.namespace.as_str() {
            "/" => String::new(),
            namespace => format!(", namespace: {}", quoted(namespace)),
        }
    }

    /// What is demanded of the whole run.
    fn thresholds(&self) -> String {
        let mut text =
            String::from("# What is demanded of the whole run.\nthresholds:\n  - connect failed == 0\n");
        if self.send.is_some() {
            text.push_str("  - delivery p90 < 500 ms\n");
        }
        text
    }
}

/// A word in quotes, as JSON and YAML write it alike; a `${` in it stays what it is.
fn quoted(word: &str) -> String {
    serde_json::Value::from(word.replace("${", "$${")).to_string()
}

/// Text that cannot end a comment.
fn one_line(text: &str) -> String {
    crate::measure::format::printable(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starter() -> Starter {
        Starter {
            url: "http://localhost:3000".into(),
            file: "scenario.yaml".into(),
            namespace: "/".into(),
            join: Some("enter".into()),
            leave: Some("exit".into()),
            send: Some("chat message".into()),
            ack: true,
            ..Starter::default()
        }
    }

    #[test]
    fn whatever_the_application_has_the_scenario_is_a_good_one() {
        for bits in 0..256 {
            let is_set = |bit: u32| bits & (1 << bit) != 0;
            let starter = Starter {
                join: is_set(0).then(|| "enter: \"a room\" # ${x}\n".to_owned()),
                leave: is_set(1).then(|| "exit".to_owned()),
                send: is_set(2).then(|| "yes".to_owned()),
                arrives: is_set(3).then(|| "said".to_owned()),
                ack: is_set(4),
                acks: [
                    is_set(4).then_some(Callback::Any),
                    is_set(5).then_some(Callback::ErrorFirst),
                    is_set(7).then_some(Callback::ErrorFirst),
                ],
                history: is_set(7),
                namespace: if is_set(0) { "/lounge".into() } else { "/".into() },
                plain_join: is_set(1),
                plain_send: is_set(3),
                echoes: is_set(5).then(|| is_set(1)),
                roomless: is_set(6),
                answers: [is_set(5).then(|| "in: \"x\"".into()), is_set(6).then(|| "out".into())],
                greetings: if is_set(4) { vec!["a: \"b\"\n${x}".into()] } else { Vec::new() },
                seen: if is_set(2) { vec!["a\nb: c".into()] } else { Vec::new() },
                file: "a\nb.yaml".into(),
                ..starter()
            };
            if let Err(report) = starter.text() {
                panic!("{report}\n{}", starter.write());
            }
        }
    }

    #[test]
    fn whoever_has_no_rooms_is_not_asked_how_they_are_left() {
        let mut asked = 0;
        let mut ask = |question: &str, usual: &str| -> Result<String, String> {
            asked += 1;
            assert!(!question.contains("takes it out"), "{question}");
            Ok(if question.contains("room") { "-" } else { usual }.to_owned())
        };
        let answered = starter().asking(&mut ask).expect("every question is answered");
        assert_eq!((answered.join, answered.leave), (None, None));
        assert_eq!((answered.send.as_deref(), answered.arrives), (Some("message"), None));
        assert_eq!((answered.url, answered.ack, asked), (starter().url, false, 6));
    }

    #[test]
    fn a_first_scenario_reads_like_this() {
        insta::assert_snapshot!(starter().text().expect("it is a good one"));
    }

    #[test]
    fn a_word_that_cannot_be_is_told() {
        let starter = Starter { namespace: "lounge".into(), ..starter() };
        assert!(starter.text().expect_err("a namespace begins with a slash").contains("lounge"));
    }
}
