//! What a client does in one act: its steps, and the end of the act.
//!
//! The next act begins when all clients are done with this one. Whoever has sent what nobody acknowledges makes a round trip
//! before: so the server has read it by then, and what the next act expects of it is not a matter of luck.

use std::time::Instant;

use super::fence::Fencing;
use super::reading::PATIENCE;
use super::{Cx, Flow, Happening, Numbered, Sequence};

/// See the module's head.
#[derive(Debug)]
pub struct PlayedAct<'p> {
    sequence: Sequence<'p>,
    /// The round trip at the end.
    closing: Option<Fencing>,
}

impl<'p> PlayedAct<'p> {
    /// Before the first of these steps, which is due at that time.
    pub fn new(steps: &'p [Numbered], due: Instant) -> PlayedAct<'p> {
        PlayedAct { sequence: Sequence::new(steps, due, due), closing: None }
    }

    /// Begins.
    pub fn go(&mut self, cx: &mut Cx<'_, 'p>) -> Flow {
        match self.sequence.go(cx) {
            Flow::Done => self.close(cx),
            Flow::Waiting => Flow::Waiting,
        }
    }

    /// Tells it what happened.
    pub fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        let Some(fencing) = &self.closing else {
            return match self.sequence.handle(cx, what) {
                Flow::Done => self.close(cx),
                Flow::Waiting => Flow::Waiting,
            };
        };
        match fencing.handle(cx, what) {
            None => Flow::Waiting,
            Some(outcome) => {
                if let Err(why) = outcome {
                    let actor = &*cx.actor;
                    let cause = "it is not known whether the server has read what an act sent without asking for an \
                                 acknowledgement";
                    cx.observer.trouble(actor.who, cause, &why, &|| actor.wire_log());
                }
                Flow::Done
            }
        }
    }

    /// The client leaves at the end of the run.
    pub fn abandon(&mut self, cx: &mut Cx<'_, 'p>) {
        self.sequence.abandon(cx);
    }

    /// When to tell it the time.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.closing {
            Some(fencing) => fencing.poll_timeout(),
            None => self.sequence.poll_timeout(),
        }
    }

    fn close(&mut self, cx: &mut Cx<'_, 'p>) -> Flow {
        let has_unread = std::mem::take(&mut cx.actor.has_unread);
        if !has_unread || cx.actor.by_hand {
            return Flow::Done;
        }
        // Without a connection there is nothing to wait for, and others tell of that.
        match Fencing::probe(cx, PATIENCE) {
            Ok(fencing) => {
                self.closing = Some(fencing);
                Flow::Waiting
            }
            Err(_) => Flow::Done,
        }
    }
}
