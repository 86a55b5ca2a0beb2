//! `answer`: from now on, the client acknowledges an event of the server.

use std::time::Duration;

use super::event_template::{Encoded, EventTemplate, Words};
use super::reading::event_fields;
use super::schema::{self, Schema, Shape};
use super::{Cx, Progress, Reading, Step};
use crate::document::{Mistake, Node};
use crate::session::ServerEvent;
use crate::template::{Template, Values};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = event_fields(node, "answer")?;
    let event = Template::compile_text(fields.required("event")?, reading.scope)?;
    let args = reading.list(&fields, "args")?;
    let namespace = reading.namespace(&fields)?;
    let after = reading.any_duration(&fields, "after")?.unwrap_or_default();
    let copies = match fields.optional("copies") {
        Some(node) => node.int_within(0..=100)? as u32,
        None => 1,
    };
    fields.deny_others()?;
    let name = super::event_template::in_words(&event);
    Ok(Box::new(Answer {
        name,
        event,
        event_template: EventTemplate::of_args(&args),
        namespace,
        after,
        copies,
    }))
}

pub(super) fn schema() -> Schema {
    let shape = Shape::new("From here on the client acknowledges an event of the server.")
        .needs("event", schema::event(), "The name of the event.")
        .takes("args", schema::list(schema::value()), "The arguments of the acknowledgement.")
        .takes("after", schema::time(), "How long the client thinks.")
        .takes("copies", schema::whole(0..=100), "How often it answers; else once.");
    schema::namespace(shape).schema()
}

#[derive(Debug)]
struct Answer {
    name: String,
    event: Template,
    event_template: EventTemplate,
    namespace: Option<Template>,
    after: Duration,
    copies: u32,
}

impl Step for Answer {
    fn words(&self) -> String {
        match self.copies {
            0 => format!("will leave {} unanswered", self.name),
            1 => format!("will answer {}", self.name),
            n => format!("will answer {} {n} times over", self.name),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let described = cx
            .namespace(self.namespace.as_ref())
            .and_then(|namespace| Ok((namespace, self.event.render_text(cx.actor)?)));
        match described {
            Ok((namespace, event)) => {
                cx.actor.answers.retain(|rule| *rule.namespace != *namespace || *rule.event != *event);
                let (event_template, after, copies) = (&self.event_template, self.after, self.copies);
                let (event, round) = (event.into(), cx.actor.round);
                cx.actor.answers.push(Rule { namespace, event, event_template, round, after, copies });
            }
            Err(why) => cx.fail(format!("to answer {}", self.name), why),
        }
        Progress::Done
    }

    fn judges(&self) -> bool {
        false
    }

    fn stands_alone(&self) -> bool {
        true
    }
}

/// How a client acknowledges one event of the server.
#[derive(Debug)]
pub struct Rule<'p> {
    namespace: Box<str>,
    event: Box<str>,
    /// The arguments of the acknowledgement.
    event_template: &'p EventTemplate,
    /// The round in which the step was played: what `${i}` stands for, whatever the client does when it answers.
    round: u64,
    /// How long the client thinks before it answers.
    pub after: Duration,
    /// How often it answers: once, unless the scenario is rude.
    pub copies: u32,
}

impl Rule<'_> {
    /// Whether it is about this event.
    pub fn is_about(&self, name: &str, message: &ServerEvent<'_>) -> bool {
        *self.namespace == *message.namespace && *self.event == *name
    }

    /// The arguments of the acknowledgement, as they are now.
    ///
    /// # Errors
    /// In words, when a name has no value.
    pub fn encode(&self, values: &dyn Values) -> Result<Encoded, String> {
        let values = Words { values, words: &[], i: Some(self.round) };
        Ok(self.event_template.encode(&values)?.into_owned())
    }
}
