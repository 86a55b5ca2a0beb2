//! `mute`: the client stops answering heartbeats, stops reading, or behaves again.

use super::schema::{self, Schema};
use super::{Cx, Ears, Progress, Reading, Step};
use crate::document::{Mistake, Node};
use crate::session::{Heartbeats, Lane};

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
        let lanes = [Lane::WebSocket, Lane::Poll];
        match self {
            Mute::Heartbeats => cx.actor.session.set_heartbeats(Heartbeats::Muted),
            Mute::Reading => {
                cx.act_by_hand();
                lanes.into_iter().for_each(|lane| cx.wire.pause(lane, true));
            }
            Mute::Nothing => {
                cx.actor.session.set_heartbeats(Heartbeats::Answered);
                lanes.into_iter().for_each(|lane| cx.wire.pause(lane, false));
            }
        }
        Progress::Done
    }

    fn hear(&self, ears: &mut Ears) {
        ears.ends = true;
    }

    fn judges(&self) -> bool {
        false
    }
}
