//! `expect`: an event has to arrive, or has arrived and was not taken by an earlier step.
//!
//! The next event of that name is the one that is judged, so that order counts; with `order: any` the first that
//! fits is taken, wherever it stands. With `times`, `${i}` in its arguments counts the events; without, it is the round of the
//! `repeat` around, as everywhere.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::arguments::{Unlike, arguments};
use super::event_template::{Words, in_words};
use super::inbox::Received;
use super::reading::event_fields;
use super::said::{SAID, Said};
use super::schema::{self, Schema, Shape};
use super::{Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step, capture};
use crate::audit::stamp::Stamp;
use crate::contract::{Order, Verb};
use crate::document::{Fields, Mistake, Node};
use crate::protocol::Rule;
use crate::session::Event;
use crate::template::{Matcher, Slot, Template, Values};

/// How long a wanted event may come after the one that came in its place.
const LATE: Duration = Duration::from_millis(250);

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = event_fields(node, "expect")?;
    let times = match fields.optional("times") {
        Some(node) => Some(node.int_within(1..=10_000_000)?.unsigned_abs()),
        None => None,
    };
    let description = match times {
        Some(_) => Description::read_counted(&fields, reading)?,
        None => Description::read(&fields, reading)?,
    };
    let any_order = any_order(&fields)? || is_without_order(&description, reading);
    let within = reading.within(&fields)?;
    let capture = capture::read(&fields, reading)?;
    fields.deny_others()?;
    Ok(Box::new(Expect { description, times, any_order, within, capture }))
}

pub(super) fn schema() -> Schema {
    let shape = shape("An event has to arrive, or has arrived and was not taken by an earlier step.")
        .takes("times", schema::whole(1..=10_000_000), "So many in a row; `${i}` counts them.")
        .takes("order", schema::order(), "`any` takes the first that fits, wherever it stands.")
        .takes("capture", schema::name(), "Keeps the arguments under this name.");
    schema::within(shape, "5 s").schema()
}

/// What describes an event.
pub(super) fn shape(about: &str) -> Shape {
    let shape = Shape::new(about)
        .takes("event", schema::event(), "The name of the event.")
        .takes("args", schema::list(schema::matcher()), "Its arguments: a list of matchers.")
        .takes(SAID, schema::matcher(), "Instead of both: the text of a broadcast that `say`s it.")
        .one_of(&["event", SAID]);
    schema::namespace(shape)
}

/// Which event is meant; shared with `expect_none`.
#[derive(Debug)]
pub(super) struct Description {
    pub name: String,
    pub event: Template,
    pub args: Option<Matcher>,
    /// The text of a broadcast by the contract, in the place of the arguments.
    pub said: Option<Said>,
    pub namespace: Option<Template>,
}

impl Description {
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Result<Description, Mistake> {
        if let Some(node) = fields.optional(SAID) {
            let (event, said) = Said::read(fields, node, reading)?;
            let namespace = reading.namespace(fields)?;
            return Ok(Description {
                name: in_words(&event),
                event,
                args: None,
                said: Some(said),
                namespace,
            });
        }
        let event = Template::compile_text(fields.required("event")?, reading.scope)?;
        let args = match fields.optional("args") {
            None => None,
            Some(args) => {
                args.list()?;
                Some(Matcher::compile(args, reading.scope)?)
            }
        };
        let namespace = reading.namespace(fields)?;
        Ok(Description { name: in_words(&event), event, args, said: None, namespace })
    }

    /// The same of several events, which `${i}` counts in their arguments. All have the same name and namespace.
    fn read_counted(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Result<Description, Mistake> {
        let description = reading.in_round(|reading| Description::read(fields, reading))?;
        let namespace = description.namespace.as_ref();
        let templates = [("event", Some(&description.event)), ("namespace", namespace)];
        for (name, template) in templates {
            if template.is_some_and(Template::counts_rounds) {
                let node = fields.optional(SAID).map_or_else(|| fields.required(name), Ok)?;
                return Err(node
                    .mistake(format!("with `times`, `${{i}}` counts the events, and all have the same `{name}`"))
                    .hint("leave out `times` and put the `expect` into a `repeat`, or keep the round by a `set` before"));
            }
        }
        Ok(description)
    }

    /// Whether a received event is as described. `i` is what `${i}` stands for, if not for the round. Gives its arguments, too.
    ///
    /// # Errors
    /// In words, how it differs.
    pub(super) fn judge(
        &self,
        received: &Received,
        values: &dyn Values,
        i: Option<u64>,
    ) -> Result<Json, Unlike> {
        let values = Words { values, words: &[], i };
        let args = arguments(&received.data, &received.attachments, self.args.as_ref(), &values)?;
        if let Some(said) = &self.said {
            said.judge(&args, &received.attachments, &values).map_err(Unlike::because)?;
        }
        Ok(args)
    }

    /// The rule by which a received event that is not taken was spoilt on its way, if it may be the one that is described.
    fn spoilt(&self, received: &Received, values: &dyn Values, i: Option<u64>) -> Option<Rule> {
        match self.judge(received, values, i) {
            // What says the right words without a stamp has lost it.
            Ok(_) => self.said.is_some().then_some(Rule::ArgumentsLost),
            Err(unlike) => unlike.rule,
        }
    }

    /// Whether an event of this name is about it. Of broadcasts by the contract only those of this run are.
    pub(super) fn concerns(&self, received: &Received, cx: &Cx<'_, '_>) -> bool {
        self.said.is_none() || Said::concerns(received, cx.actor.context.run)
    }

    /// Whether `${i}` stands in it, so that another event is wanted in each round.
    fn counts_rounds(&self) -> bool {
        self.args.as_ref().is_some_and(Matcher::counts_rounds)
            || self.said.as_ref().is_some_and(Said::counts_rounds)
    }

    /// What is expected, in words.
    pub(super) fn wish(&self) -> String {
        match (&self.args, &self.said) {
            (Some(args), _) => format!("the event {} with {}", self.name, args.describe()),
            (None, Some(said)) => format!("the broadcast {} that says {}", self.name, said.wish()),
            (None, None) => format!("the event {}", self.name),
        }
    }
}

/// Whether the first that fits is taken, wherever it stands.
pub(super) fn any_order(fields: &Fields<'_>) -> Result<bool, Mistake> {
    let Some(node) = fields.optional("order") else { return Ok(false) };
    match node.text()? {
        "any" => Ok(true),
        "sent" => Ok(false),
        word => Err(node.mistake(format!("unknown order `{word}`")).did_you_mean(word, ["any", "sent"])),
    }
}

/// Whether the application may pass on broadcasts in another order than the one in which they were sent.
fn is_without_order(description: &Description, reading: &Reading<'_>) -> bool {
    let broadcast = reading.contract.get(Verb::Broadcast);
    description.said.is_some() && broadcast.is_some_and(|ask| ask.order == Order::None)
}

#[derive(Debug)]
struct Expect {
    description: Description,
    /// How many in a row, where that is written.
    times: Option<u64>,
    any_order: bool,
    within: Duration,
    capture: Option<Slot>,
}

impl Step for Expect {
    fn words(&self) -> String {
        match self.times {
            None | Some(1) => format!("expects {}", self.description.name),
            Some(n) => format!("expects {} {n} times", self.description.name),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let described = cx
            .namespace(self.description.namespace.as_ref())
            .and_then(|namespace| Ok((namespace, self.description.event.render_text(cx.actor)?)));
        let (namespace, event) = match described {
            Ok((namespace, event)) => (namespace, event.into()),
            Err(why) => {
                cx.fail(self.description.wish(), why);
                return Progress::Done;
            }
        };
        let deadline = cx.now + self.within;
        let mut expecting =
            Expecting { step: self, namespace, event, deadline, taken: 0, looked: 0, passed: None };
        match expecting.look(cx) {
            Flow::Done => Progress::Done,
            // What was not there when the connection ended will not come.
            Flow::Waiting if cx.actor.session.is_closed() => {
                let why = cx.why_not_connected(&expecting.namespace);
                expecting.give_up(cx, &why, None);
                Progress::Done
            }
            Flow::Waiting => Progress::waiting(expecting),
        }
    }

    fn filter(&self, filter: &mut EventFilter) {
        filter.want(&self.description.event);
    }
}

#[derive(Debug)]
struct Expecting<'p> {
    step: &'p Expect,
    namespace: Box<str>,
    event: Box<str>,
    deadline: Instant,
    taken: u64,
    /// What stands before this place in the inbox was looked at and does not fit.
    looked: usize,
    /// Another one that came in the place of the wanted one.
    passed: Option<Passed>,
}

/// An event that came in the place of the wanted one.
#[derive(Debug)]
struct Passed {
    /// How it differs.
    why: String,
    /// What was known to be broken when it came.
    blamed: Option<Rule>,
    /// Until when the wanted one may come.
    until: Instant,
}

impl Expecting<'_> {
    /// Takes what fits from the inbox.
    fn look(&mut self, cx: &mut Cx<'_, '_>) -> Flow {
        if self.passed.is_some() {
            return self.look_behind(cx);
        }
        while self.taken < self.step.times.unwrap_or(1) {
            let (place, args) = match self.find(cx) {
                Some(Ok(found)) => found,
                Some(Err((place, unlike))) => return self.judge_other(cx, place, unlike),
                None => {
                    self.looked = cx.actor.inbox.end();
                    return Flow::Waiting;
                }
            };
            cx.actor.inbox.take(place);
            self.taken += 1;
            // What did not fit will not, unless it is another round that is wanted next.
            self.looked = if self.step.description.counts_rounds() { 0 } else { place };
            if let Some(slot) = &self.step.capture {
                capture::keep(cx, slot, &args);
            }
        }
        cx.pass();
        Flow::Done
    }

    /// The event to take, or the one that stands in its place and does not fit.
    #[allow(clippy::type_complexity)]
    fn find(&self, cx: &Cx<'_, '_>) -> Option<Result<(usize, Json), (usize, Unlike)>> {
        let description = &self.step.description;
        let i = self.number();
        let named = cx.actor.inbox.named_from(self.looked, &self.namespace, &self.event);
        for (place, received) in named.filter(|(_, received)| description.concerns(received, cx)) {
            match description.judge(received, cx.actor, i) {
                Ok(args) => return Some(Ok((place, args))),
                Err(why) if !self.step.any_order => return Some(Err((place, why))),
                Err(_) => {}
            }
        }
        None
    }

    /// Which of several events is waited for, where the step says how many.
    fn number(&self) -> Option<u64> {
        self.step.times.map(|_| self.taken)
    }

    /// Another one than was wanted came. Whether the wanted one is late, and changed places with it, only a moment shows.
    fn judge_other(&mut self, cx: &mut Cx<'_, '_>, place: usize, unlike: Unlike) -> Flow {
        cx.actor.inbox.take(place);
        self.looked = place;
        let is_explained = unlike.rule.or(cx.actor.harm).is_some();
        if cx.actor.log_handle().is_none() || is_explained {
            cx.fail_by_other(unlike.rule, self.wish(), unlike.why);
            return Flow::Done;
        }
        let blamed = cx.actor.blamed_for_other(None);
        self.passed = Some(Passed { why: unlike.why, blamed, until: self.deadline.min(cx.now + LATE) });
        self.look_behind(cx)
    }

    /// Looks for the wanted event behind one that came in its place.
    fn look_behind(&mut self, cx: &mut Cx<'_, '_>) -> Flow {
        let Some(Passed { why, .. }) = &self.passed else { return Flow::Waiting };
        let i = self.number();
        let fits = |received: &Received| self.step.description.judge(received, cx.actor, i).is_ok();
        // What was looked at is not looked at again: a server may flood us.
        let mut fresh = cx.actor.inbox.named_from(self.looked, &self.namespace, &self.event);
        let is_there = fresh.any(|(_, received)| fits(received));
        drop(fresh);
        self.looked = cx.actor.inbox.end();
        if is_there {
            let seen = format!("{why}; and the wanted one after it");
            cx.fail_by_other(Some(Rule::EventOrder), self.wish(), seen);
            return Flow::Done;
        }
        Flow::Waiting
    }

    /// The wanted one did not come behind the one that came in its place.
    fn pass_by(&self, cx: &mut Cx<'_, '_>, passed: &Passed) {
        let rule = cx.actor.signs.missing(self.lost());
        cx.fail_by_other(Some(rule), self.wish(), passed.why.as_str());
    }

    fn give_up(&self, cx: &mut Cx<'_, '_>, why: &str, rule: Option<Rule>) {
        let named = || cx.actor.inbox.named(&self.namespace, &self.event).map(|(_, received)| received);
        let i = self.number();
        let spoilt = named().find_map(|received| self.step.description.spoilt(received, cx.actor, i));
        let seen = match named().next().filter(|_| self.step.any_order) {
            None => format!("{why}; {}", cx.actor.inbox.in_words()),
            Some(nearest) => format!("{why}; nearest: {}", Stamp::strip(&nearest.data)),
        };
        match spoilt {
            Some(_) => cx.fail_by_other(spoilt, self.wish(), seen),
            None => cx.fail_in_silence(rule, self.wish(), seen),
        }
    }

    /// The rule that is broken where the event does not come.
    fn lost(&self) -> Rule {
        let has_bytes = self.step.description.args.as_ref().is_some_and(Matcher::has_bytes);
        if has_bytes { Rule::BinaryLost } else { Rule::EventLost }
    }

    fn wish(&self) -> String {
        match self.step.times {
            None | Some(1) => self.step.description.wish(),
            Some(times) => format!("{}, number {} of {times}", self.step.description.wish(), self.taken + 1),
        }
    }
}

impl<'p> Running<'p> for Expecting<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match what {
            Happening::Event(Event::ServerEvent(_)) => self.look(cx),
            Happening::Event(Event::Closed(why)) => {
                match &self.passed {
                    // It came while the connection lasted, and its end explains nothing.
                    Some(passed) => cx.fail_after(passed.blamed, self.wish(), passed.why.as_str()),
                    None => self.give_up(cx, &format!("the connection ended: {why}"), None),
                }
                Flow::Done
            }
            Happening::Time => match &self.passed {
                Some(passed) if cx.now >= passed.until => {
                    self.pass_by(cx, passed);
                    Flow::Done
                }
                None if cx.now >= self.deadline => {
                    let rule = cx.actor.signs.missing(self.lost());
                    self.give_up(cx, &format!("it did not come within {:?}", self.step.within), Some(rule));
                    Flow::Done
                }
                _ => Flow::Waiting,
            },
            _ => Flow::Waiting,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.passed.as_ref().map_or(self.deadline, |passed| passed.until))
    }
}
