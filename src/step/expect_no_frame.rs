//! `expect_no_frame`: no raw frame like this has come since the connection was opened. Judged at once: it stands behind
//! something that shows that the server had its chance.

use super::schema::{self, Schema};
use super::shape::{self, Shape};
use super::{Cx, EventFilter, Progress, Reading, Step};
use crate::document::{Fields, Mistake, Node, Value};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    if !matches!(node.value, Value::Map(_)) {
        return Ok(Box::new(ExpectNoFrame(Shape::text(node, reading)?)));
    }
    let fields = Fields::of(node, "the step `expect_no_frame`")?;
    if let Some(node) = fields.optional("within") {
        return Err(node
            .mistake("`expect_no_frame` is judged at once")
            .hint("put it behind a step that shows that the server had its chance, such as a `fence`"));
    }
    let shape = Shape::read(&fields, reading)?;
    fields.deny_others()?;
    Ok(Box::new(ExpectNoFrame(shape)))
}

pub(super) fn schema() -> Schema {
    let shape = shape::schema("No raw frame like this has come since `open` or `connect`.");
    schema::either([schema::text(), shape.schema()])
}

#[derive(Debug)]
struct ExpectNoFrame(Shape);

impl Step for ExpectNoFrame {
    fn words(&self) -> String {
        format!("expects that no {} has come", self.0.wish())
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let found = cx.actor.frames.all().find(|seen| self.0.judge(seen, cx.actor).is_ok()).cloned();
        let wish = format!("no {}", self.0.wish());
        match found {
            Some(seen) => {
                let rule = seen.text().and_then(|text| cx.actor.signs.heard_outside(text));
                cx.fail_by_other(rule, wish, seen.in_words());
            }
            None if cx.actor.frames.were_lost() => {
                cx.fail(wish, "more frames came than could be kept, so this cannot be judged");
            }
            None => cx.pass(),
        }
        Progress::Done
    }

    fn filter(&self, filter: &mut EventFilter) {
        filter.frames = true;
        filter.past_frames = true;
    }
}
