//! Steps of one client, one after another.

use std::time::Instant;

use super::{Cx, Flow, Happening, Numbered, Progress, Running};
use crate::observe::StepId;

/// Where a client stands in a list of steps.
#[derive(Debug)]
pub struct Sequence<'p> {
    steps: &'p [Numbered],
    next: usize,
    due: Instant,
    current: Option<(StepId, Box<dyn Running<'p> + 'p>)>,
}

impl<'p> Sequence<'p> {
    /// Before the first step, which is due at that time.
    pub fn new(steps: &'p [Numbered], due: Instant) -> Sequence<'p> {
        Sequence { steps, next: 0, due, current: None }
    }

    /// Starts steps until one waits or all are done.
    pub fn go(&mut self, cx: &mut Cx<'_, 'p>) -> Flow {
        while self.current.is_none() {
            let Some(numbered) = self.steps.get(self.next) else { return Flow::Done };
            self.next += 1;
            cx.step = numbered.id;
            cx.due = self.due;
            match numbered.step.start(cx) {
                Progress::Done => {}
                Progress::Waiting(running) => self.current = Some((numbered.id, running)),
            }
            // Only the first step follows the schedule; what comes after it is due when it is done.
            self.due = cx.now;
        }
        Flow::Waiting
    }

    /// Tells the waiting step what happened and goes on when it is done.
    pub fn notice(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        if let Some((id, running)) = &mut self.current {
            cx.step = *id;
            if running.notice(cx, what) == Flow::Waiting {
                return Flow::Waiting;
            }
            self.current = None;
            self.due = cx.now;
        }
        self.go(cx)
    }

    /// When the waiting step wants to be told the time.
    pub fn wake(&self) -> Option<Instant> {
        self.current.as_ref().and_then(|(_, running)| running.wake())
    }
}
