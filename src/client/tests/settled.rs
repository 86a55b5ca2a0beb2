//! What became of the messages that a client sent, for the audit: each is settled once, however the wait for it ends.

use super::stage::{Play, connected};
use super::*;

const ROUND: &str =
    "- alice: { repeat: { times: 1, steps: [ { broadcast: { event: said, within: 1s } } ] } }";
const STEP: &str = "- alice: { broadcast: { event: said, within: 1s } }";

fn answered(play: &mut Play<'_>) {
    play.hear("430[]");
}

fn out_of_time(play: &mut Play<'_>) {
    play.pass(1_500);
}

fn cut_off(play: &mut Play<'_>) {
    play.call(|client, io| client.handle_lost(io, Channel::WebSocket, Lost::Ended));
}

fn left(play: &mut Play<'_>) {
    play.call(|client, io| client.leave(io));
}

#[test]
fn a_message_is_settled_once_however_the_wait_for_it_ends() {
    let ends: [(fn(&mut Play<'_>), bool); 4] =
        [(answered, true), (out_of_time, false), (cut_off, false), (left, false)];
    for (script, (end, is_handled)) in
        [ROUND, STEP].into_iter().flat_map(|script| ends.map(|end| (script, end)))
    {
        connected(script, |mut play| {
            assert_eq!(play.begin(1), Flow::Waiting);
            assert!(play.found.settled.is_empty());
            end(&mut play);
            left(&mut play);
            assert_eq!(play.found.settled.as_slice(), &[is_handled]);
        });
    }
}
