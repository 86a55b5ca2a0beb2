//! `mute`: the client stops answering heartbeats, stops reading, or behaves again.

use super::schema::{self, Schema};
use super::{Cx, EventFilter, Progress, Reading, Step};
use crate::document::{Mistake, Node};
use crate::session::{Channel, Heartbeats};

const WORDS: [&str; 3] = ["heartbeats", "reading", "nothing"];

pub(super) fn read(node: &Node, _: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let word = node.text()?;
    match word {
        "heartbeats" => Ok(Box::new(Mute::Heartbeats)),
        "reading" => Ok(Box::new(Mute::Reading)),
        "nothing" => Ok(Box::new(Mute::Nothing)),
        _ => Err(node.mistake(format!("a client cannot mute `{word}`")).did_you_mean(word, WORDS)),
    }
}

pub(super) fn schema() -> Schema {
    schema::told(
        schema::words(WORDS),
        "The client stops answering heartbeats, stops reading, or behaves again.",
    )
}

#[derive(Debug)]
enum Mute {
    Heartbeats,
    Reading,
    Nothing,
}

impl Step for Mute {
    fn words(&self) -> String {
        match self {
            Mute::Heartbeats => "stops answering heartbeats".into(),
            Mute::Reading => "stops reading".into(),
            Mute::Nothing => "answers and reads again".into(),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let channels = [cx.actor.session.stream(), Channel::Poll];
        match self {
            Mute::Heartbeats => cx.actor.session.set_heartbeats(Heartbeats::Muted),
            Mute::Reading => {
                cx.act_by_hand();
                channels.into_iter().for_each(|channel| cx.wire.pause(channel, true));
            }
            Mute::Nothing => {
                cx.actor.session.set_heartbeats(Heartbeats::Answered);
                channels.into_iter().for_each(|channel| cx.wire.pause(channel, false));
            }
        }
        Progress::Done
    }

    fn filter(&self, filter: &mut EventFilter) {
        filter.ends = true;
    }

    fn judges(&self) -> bool {
        false
    }
}
