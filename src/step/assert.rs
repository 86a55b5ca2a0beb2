//! `assert`: a value has to look like this now. For what earlier steps have kept.

use serde_json::Value as Json;

use super::arguments::Unlike;
use super::frames::is_of_engine;
use super::schema::{self, Schema, Shape};
use super::{Cx, Progress, Reading, Step};
use crate::document::{Fields, Mistake, Node};
use crate::observe::Grounds;
use crate::template::{Matcher, Template, binary};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = Fields::of(node, "the step `assert`")?;
    let (value, is) = (fields.required("value")?, fields.required("is")?);
    fields.deny_others()?;
    let template = Template::compile(value, reading.scope)?;
    if template.fixed().is_some() {
        return Err(value
            .mistake("this is the same in every run, so nothing is judged")
            .hint("assert what an earlier step has kept: `{ value: \"${me.id}\", is: … }`"));
    }
    Ok(Box::new(Assert { value: template, is: Matcher::compile(is, reading.scope)? }))
}

pub(super) fn schema() -> Schema {
    Shape::new("A value has to look like this now.")
        .needs("value", schema::value(), "What earlier steps have kept: `${me.id}`.")
        .needs("is", schema::matcher(), "What it has to be.")
        .schema()
}

#[derive(Debug)]
struct Assert {
    value: Template,
    is: Matcher,
}

impl Assert {
    fn wish(&self) -> String {
        format!("{} to be {}", self.value.in_words(), self.is.describe())
    }
}

impl Step for Assert {
    fn words(&self) -> String {
        format!("expects {}", self.wish())
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let value = self.value.render(cx.actor).map_err(Unlike::because);
        let of_engine = |value: &Json| value.as_str().is_some_and(is_of_engine);
        let is_of_engine = value.as_ref().is_ok_and(of_engine);
        let verdict = value.and_then(|mut value: Json| {
            // Bytes are compared as they are received: beside the value.
            let bytes = binary::detach(&mut value, &mut |length| vec![0; length].into());
            self.is.matches(&value, &bytes, cx.actor).map_err(|mismatch| Unlike::of(&mismatch))
        });
        match verdict {
            Ok(()) => cx.pass(),
            // A heartbeat or the end may be earlier than what a slow server has to say.
            Err(unlike) if is_of_engine => {
                let rule = cx.actor.blamed_for_other(unlike.rule);
                cx.fail_on(Grounds::End, rule, self.wish(), unlike.why);
            }
            Err(unlike) => cx.fail_by_other(unlike.rule, self.wish(), unlike.why),
        }
        Progress::Done
    }

    fn stands_alone(&self) -> bool {
        true
    }
}
