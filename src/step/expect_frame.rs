//! `expect_frame`: the next raw frame has to look like this. Heartbeats and `noop` are passed over unless asked for.

use std::time::{Duration, Instant};

use super::frames::Seen;
use super::reading::PATIENCE;
use super::schema::{self, Schema};
use super::shape::{self, Shape};
use super::{Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step, capture};
use crate::document::{Fields, Mistake, Node, Value};
use crate::observe::Grounds;
use crate::protocol::Rule;
use crate::session::Event;
use crate::template::Slot;
use crate::units::Spelt;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    if !matches!(node.value, Value::Map(_)) {
        let shape = Shape::text(node, reading)?;
        let (within, not_before) = (PATIENCE, Duration::ZERO);
        return Ok(Box::new(ExpectFrame { shape, within, not_before, any_order: false, capture: None }));
    }
    let fields = Fields::of(node, "the step `expect_frame`")?;
    let within = reading.within(&fields)?;
    let not_before = reading.not_before(&fields, within)?;
    let any_order = super::expect::any_order(&fields)?;
    let shape = Shape::read(&fields, reading)?;
    if let Some(node) = fields.optional("capture").filter(|_| !shape.is_text()) {
        return Err(node.mistake("only the text of a `text` frame can be kept"));
    }
    // Last, because only what follows knows the name.
    let capture = capture::read(&fields, reading)?;
    fields.deny_others()?;
    Ok(Box::new(ExpectFrame { shape, within, not_before, any_order, capture }))
}

pub(super) fn schema() -> Schema {
    let shape = shape::schema("The next raw frame has to look like this.")
        .takes("order", schema::order(), "`any` takes the first that fits, wherever it stands.")
        .takes("not_before", schema::time(), "How early it would be too early.")
        .takes("capture", schema::name(), "Keeps the text under this name.");
    schema::either([schema::text(), schema::within(shape, "5 s").schema()])
}

#[derive(Debug)]
struct ExpectFrame {
    shape: Shape,
    within: Duration,
    not_before: Duration,
    any_order: bool,
    capture: Option<Slot>,
}

impl ExpectFrame {
    fn wish(&self) -> String {
        match self.not_before {
            Duration::ZERO => format!("a {}", self.shape.wish()),
            from => format!("a {}, {} after the step began at the earliest", self.shape.wish(), Spelt(from)),
        }
    }

    /// Another frame came than was wanted.
    fn fail_by_other(&self, cx: &mut Cx<'_, '_>, breaks: Option<Rule>, other: Other) {
        let Other { why: actual, is_of_engine } = other;
        match breaks {
            // What is wrong with this frame itself explains it better than what came before or after.
            Some(rule) => cx.fail_after(Some(rule), self.wish(), actual),
            // A heartbeat or the end may be earlier than what a slow server has to say.
            None if is_of_engine => {
                let rule = cx.actor.blamed_for_other(self.shape.demanded_at_once());
                cx.fail_on(Grounds::End, rule, self.wish(), actual);
            }
            None => {
                let lost = self.shape.is_binary().then_some(Rule::BinaryLost);
                cx.fail_by_other(self.shape.demanded_at_once().or(lost), self.wish(), actual);
            }
        }
    }

    fn fail(&self, cx: &mut Cx<'_, '_>, breaks: Option<Rule>, actual: String) {
        let rule = breaks.or_else(|| cx.actor.blamed()).or_else(|| self.shape.demanded_at_once());
        cx.fail_by(rule, self.wish(), actual);
    }

    /// Nothing came, while the connection lasted.
    fn fail_in_silence(&self, cx: &mut Cx<'_, '_>, breaks: Option<Rule>, actual: String) {
        let is_inside = cx.actor.session.is_connected_anywhere();
        let demanded = self.shape.demanded().map(|rule| cx.actor.signs.missing_message(rule, is_inside));
        self.fail(cx, breaks.or_else(|| cx.actor.blamed()).or(demanded), actual);
    }

    /// The first look is at all frames that nobody took, later ones are at what came since.
    fn take(&self, cx: &mut Cx<'_, '_>, first: bool) -> Option<(Seen, Option<Rule>)> {
        if !self.any_order {
            return cx.actor.frames.take_next();
        }
        let mut frames = std::mem::take(&mut cx.actor.frames);
        let seen = frames.take_fitting(first, |seen| self.shape.judge(seen, cx.actor).is_ok());
        cx.actor.frames = frames;
        Some((seen?, None))
    }

    fn look(&self, cx: &mut Cx<'_, '_>, began: Instant, first: bool) -> Found {
        while let Some((seen, breaks)) = self.take(cx, first) {
            if self.shape.ignores(&seen) {
                continue;
            }
            let after = cx.now.saturating_duration_since(began);
            match self.shape.judge(&seen, cx.actor) {
                Err(why) => {
                    let is_of_engine = seen.is_of_engine();
                    return Found::Other(Other { why, is_of_engine }, breaks);
                }
                Ok(()) if after < self.not_before => {
                    cx.fail(self.wish(), format!("it came after {after:?} already: {}", seen.in_words()));
                }
                Ok(()) => match self.capture.as_ref().map(|slot| (slot, self.shape.captured(&seen))) {
                    None => cx.pass(),
                    Some((slot, Ok(value))) => {
                        cx.actor.set(slot, value);
                        cx.pass();
                    }
                    Some((slot, Err(why))) => cx.fail(format!("a value for `{}`", slot.name), why),
                },
            }
            return Found::Judged;
        }
        Found::Nothing
    }
}

/// What a look at the frames found.
enum Found {
    /// None, or only such as are passed over.
    Nothing,
    /// One that decided the step.
    Judged,
    /// Another one than was expected, and the rule that the server broke by it, as far as that is known yet.
    Other(Other, Option<Rule>),
}

/// What was wrong with a frame that came in the place of another, and whether it was a heartbeat, a noop or the end.
#[derive(Debug)]
struct Other {
    why: String,
    is_of_engine: bool,
}

impl Step for ExpectFrame {
    fn words(&self) -> String {
        format!("expects {}", self.wish())
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        match self.look(cx, cx.now, true) {
            Found::Nothing => {}
            Found::Judged => return Progress::Done,
            Found::Other(other, breaks) => {
                self.fail_by_other(cx, breaks, other);
                return Progress::Done;
            }
        }
        if cx.actor.session.is_closed() {
            let why = cx.why_not_connected("/");
            self.fail(cx, None, why);
            return Progress::Done;
        }
        let deadline = cx.now + self.within;
        if self.shape.is_close() {
            cx.actor.session.await_end(deadline);
        }
        Progress::waiting(Looking { step: self, began: cx.now, deadline, mismatch: None })
    }

    fn filter(&self, filter: &mut EventFilter) {
        filter.frames = true;
    }
}

#[derive(Debug)]
struct Looking<'p> {
    step: &'p ExpectFrame,
    began: Instant,
    deadline: Instant,
    /// What was wrong with a frame that the session has not dealt with yet.
    mismatch: Option<Other>,
}

impl<'p> Running<'p> for Looking<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match what {
            Happening::Frame => match self.step.look(cx, self.began, false) {
                Found::Nothing => Flow::Waiting,
                Found::Judged => Flow::Done,
                Found::Other(other, _) => {
                    self.mismatch = Some(other);
                    Flow::Waiting
                }
            },
            Happening::FrameHandled => match self.mismatch.take() {
                None => Flow::Waiting,
                Some(other) => {
                    self.step.fail_by_other(cx, cx.actor.frames.newest_breaks(), other);
                    Flow::Done
                }
            },
            Happening::Event(Event::Closed(why)) if self.mismatch.is_none() => {
                self.step.fail(cx, None, format!("the connection ended: {why}"));
                Flow::Done
            }
            Happening::Time if cx.now >= self.deadline => {
                // What came in its place may be what was meant.
                let spoilt = || cx.actor.frames.left().find_map(|text| self.step.shape.spoilt(text));
                let breaks = cx.actor.frames.left_breaks().or_else(spoilt);
                self.step.fail_in_silence(cx, breaks, format!("no such frame within {:?}", self.step.within));
                Flow::Done
            }
            _ => Flow::Waiting,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}
