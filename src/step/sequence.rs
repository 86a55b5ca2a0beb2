//! Steps of one client, one after another.

use std::time::Instant;

use super::{Cx, Flow, Happening, Numbered, Progress, Running};

/// Where a client stands in a list of steps.
#[derive(Debug)]
pub(super) struct Sequence<'p> {
    steps: &'p [Numbered],
    next: usize,
    due: Instant,
    /// When the client was free for it.
    ready: Instant,
    current: Option<(&'p Numbered, Box<dyn Running<'p> + 'p>)>,
}

impl<'p> Sequence<'p> {
    /// Before the first step, which is due at one time, and which the client is free to begin at another.
    pub(super) fn new(steps: &'p [Numbered], due: Instant, free: Instant) -> Sequence<'p> {
        Sequence { steps, next: 0, due, ready: due.max(free), current: None }
    }

    /// Starts steps until one waits or all are done.
    pub(super) fn go(&mut self, cx: &mut Cx<'_, 'p>) -> Flow {
        while self.current.is_none() {
            let Some(numbered) = self.steps.get(self.next) else { return Flow::Done };
            self.next += 1;
            cx.step = numbered.id;
            cx.due = self.due;
            cx.ready = self.ready;
            match cx.labelled(numbered.label, |cx| numbered.step.start(cx)) {
                Progress::Done => {}
                Progress::Waiting(running) => self.current = Some((numbered, running)),
            }
            // Only the first step follows the schedule; what comes after it is due when it is done.
            (self.due, self.ready) = (cx.now, cx.now);
        }
        Flow::Waiting
    }

    /// Passes what happened to the waiting step and goes on when it is done.
    pub(super) fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        if let Some((numbered, running)) = &mut self.current {
            cx.step = numbered.id;
            if cx.labelled(numbered.label, |cx| running.handle(cx, what)) == Flow::Waiting {
                return Flow::Waiting;
            }
            self.current = None;
            (self.due, self.ready) = (cx.now, cx.now);
        }
        self.go(cx)
    }

    /// Ends the waiting step: it receives nothing any more.
    pub(super) fn abandon(&mut self, cx: &mut Cx<'_, 'p>) {
        if let Some((numbered, running)) = &mut self.current {
            cx.labelled(numbered.label, |cx| running.abandon(cx));
        }
    }

    /// When the waiting step has to be called again.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.current.as_ref().and_then(|(_, running)| running.poll_timeout())
    }
}
