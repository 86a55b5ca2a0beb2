//! What a client sent last in a row, in words: a check of order or loss that does not hold is judged by what was sent, when, and how
//! it was answered, which the last frames alone do not show.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::audit::stamp::{LENGTH, MARK, Stamp};
use crate::session::Channel;

/// So many packets alike are a row.
const ROW: u64 = 3;

/// So many bytes of a packet are remembered.
const LONGEST: usize = 240;

/// So many kinds of answers to the posts of a row are told apart.
const MOST_ANSWERS: usize = 4;

/// So many clients are told.
const MOST_CLIENTS: usize = 2;

/// Packets that differ in nothing but their numbers.
#[derive(Debug, Default)]
struct Row {
    first: String,
    last: String,
    packets: u64,
    since: Duration,
    until: Duration,
    frames: u64,
    /// What carried them.
    stream: Option<Channel>,
    posts: u64,
    /// Those of its posts that have no answer yet.
    pending: Vec<Channel>,
    /// What its posts were answered, how often, and when last.
    answers: Vec<(String, u64, Duration)>,
}

/// The packets that a client sent last.
#[derive(Debug, Default)]
pub struct Sent {
    row: Row,
    /// The row before, until there is another one.
    before: Row,
}

impl Sent {
    /// A message on a WebSocket, or on the stream of a WebTransport session.
    pub fn framed(&mut self, at: Duration, stream: Channel, text: &str) {
        if self.note(at, text) {
            self.row.frames += 1;
            self.row.stream = Some(stream);
        }
    }

    /// A post with packets.
    pub fn posted(&mut self, at: Duration, channel: Channel, body: &str) {
        let mut is_told = false;
        for packet in body.split('\x1e') {
            is_told |= self.note(at, packet);
        }
        if is_told {
            self.row.posts += 1;
            self.row.pending.push(channel);
        }
    }

    /// The answer to what a channel sent, or what happened in its place.
    pub fn answered(&mut self, at: Duration, channel: Channel, answer: impl FnOnce() -> String) {
        let rows = [&mut self.row, &mut self.before];
        let Some((row, place)) = rows.into_iter().find_map(|row| {
            let place = row.pending.iter().position(|pending| *pending == channel)?;
            Some((row, place))
        }) else {
            return;
        };
        row.pending.remove(place);
        let answer = shortened(&answer()).to_owned();
        let is_full = row.answers.len() >= MOST_ANSWERS;
        match row.answers.iter_mut().find(|(known, ..)| *known == answer) {
            Some((_, times, last)) => (*times, *last) = (*times + 1, at),
            None if is_full => {}
            None => row.answers.push((answer, 1, at)),
        }
    }

    /// Adds a packet of Socket.IO; others are none of the application's. Whether it was one.
    fn note(&mut self, at: Duration, packet: &str) -> bool {
        if !packet.starts_with('4') {
            return false;
        }
        let packet = shortened(packet);
        let row = &mut self.row;
        if row.packets == 0 || !is_alike(&row.last, packet) {
            let ended = std::mem::take(row);
            if ended.packets >= ROW {
                self.before = ended;
            }
            self.row = Row { first: packet.to_owned(), since: at, ..Row::default() };
        }
        let row = &mut self.row;
        row.last.clear();
        row.last.push_str(packet);
        row.packets += 1;
        row.until = at;
        true
    }

    /// The last row, as a sentence without its subject.
    pub fn in_words(&self) -> Option<String> {
        let row = [&self.row, &self.before].into_iter().find(|row| row.packets >= ROW)?;
        let [first, last] = [&row.first, &row.last].map(|packet| Stamp::strip(packet));
        let mut words = match first == last {
            true => format!("had sent {first} {} times", row.packets),
            false => format!("had sent {first} to {last}, {} packets", row.packets),
        };
        let posts = if row.posts == 1 { "one post".to_owned() } else { format!("{} posts", row.posts) };
        let stream = match row.stream {
            Some(Channel::WebTransport) => "WebTransport",
            _ => "the WebSocket",
        };
        let way = match (row.posts, row.frames) {
            (0, _) => format!("over {stream}"),
            (_, 0) => format!("in {posts}"),
            _ => format!("in {posts} and over {stream}"),
        };
        let [since, until] = [row.since, row.until].map(in_milliseconds);
        let _ = match since == until {
            true => write!(words, ", {way} at {since:?}"),
            false => write!(words, ", {way} from {since:?} to {until:?}"),
        };
        for (index, (answer, times, last)) in row.answers.iter().enumerate() {
            let begin = if index == 0 { "; answered " } else { ", " };
            let often = if *times == 1 { String::new() } else { format!(" {times} times, the last") };
            let _ = write!(words, "{begin}{answer}{often} at {:?}", in_milliseconds(*last));
        }
        match (row.pending.len(), row.answers.is_empty()) {
            (0, _) => {}
            (_, true) => words.push_str("; not answered"),
            (open, false) => {
                let _ = write!(words, ", and {open} not answered");
            }
        }
        Some(words)
    }
}

/// What the clients of a run that remember their frames sent last, by the name of each.
#[derive(Debug, Default)]
pub struct AllSent(Mutex<Vec<(String, Arc<Mutex<Sent>>)>>);

impl AllSent {
    /// Takes another client in.
    pub fn of(&self, client: String) -> Arc<Mutex<Sent>> {
        let sent = Arc::<Mutex<Sent>>::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((client, sent.clone()));
        sent
    }

    /// What this client sent, or where it sent no row, what others did.
    pub fn in_words(&self, own: &Arc<Mutex<Sent>>) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |(client, sent): &(String, Arc<Mutex<Sent>>)| {
            let words = sent.lock().unwrap_or_else(PoisonError::into_inner).in_words()?;
            Some(format!("{client} {words}"))
        };
        let is_own = |(_, sent): &&(String, Arc<Mutex<Sent>>)| Arc::ptr_eq(sent, own);
        let words = match all.iter().find(is_own).and_then(told) {
            Some(words) => words,
            None => all.iter().filter_map(told).take(MOST_CLIENTS).collect::<Vec<_>>().join("; "),
        };
        Some(words).filter(|words| !words.is_empty())
    }
}

pub(super) fn in_milliseconds(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn shortened(text: &str) -> &str {
    text.char_indices().find(|(at, _)| *at >= LONGEST).map_or(text, |(end, _)| &text[..end])
}

/// Whether two packets stand in one row. Of what was shortened, the ends may differ.
fn is_alike(one: &str, other: &str) -> bool {
    let (mut one_bare, mut other_bare) = (bare(one), bare(other));
    loop {
        match (one_bare.next(), other_bare.next()) {
            (None, None) => return true,
            (None, _) => return one.len() >= LONGEST,
            (_, None) => return other.len() >= LONGEST,
            (Some(one), Some(other)) if one != other => return false,
            _ => {}
        }
    }
}

/// What of a packet stays the same in a row: it without its numbers and its stamp.
fn bare(packet: &str) -> impl Iterator<Item = u8> + '_ {
    let mut rest = packet.as_bytes();
    std::iter::from_fn(move || {
        loop {
            if rest.starts_with(MARK.as_bytes()) {
                rest = rest.get(LENGTH..).unwrap_or_default();
            }
            let (byte, after) = rest.split_first()?;
            rest = after;
            if !byte.is_ascii_digit() {
                return Some(*byte);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn packets_that_differ_in_numbers_are_told_with_their_posts_and_the_answers() {
        let mut sent = Sent::default();
        sent.posted(at(1), Channel::Post, "40");
        sent.answered(at(2), Channel::Post, || "200 ok".to_owned());
        sent.posted(at(3), Channel::Post, "42[\"m\",0]");
        sent.answered(at(4), Channel::Post, || "200 ok".to_owned());
        let rest: Vec<String> = (1..500).map(|i| format!("42[\"m\",{i}]")).collect();
        sent.posted(at(5), Channel::Post, &rest.join("\x1e"));
        sent.answered(at(6), Channel::Post, || "413".to_owned());
        assert_eq!(
            sent.in_words().as_deref(),
            Some(
                r#"had sent 42["m",0] to 42["m",499], 500 packets, in 2 posts from 3ms to 5ms; answered 200 ok at 4ms, 413 at 6ms"#
            )
        );
    }

    #[test]
    fn a_row_is_told_until_there_is_another_and_few_packets_are_none() {
        let mut sent = Sent::default();
        sent.framed(at(1), Channel::WebSocket, "42[\"a\"]");
        sent.framed(at(1), Channel::WebSocket, "42[\"a\"]");
        assert_eq!(sent.in_words(), None);
        sent.framed(at(1), Channel::WebSocket, "42[\"a\"]");
        sent.framed(at(2), Channel::WebSocket, "3");
        sent.framed(at(3), Channel::WebSocket, "41");
        let words = Some("had sent 42[\"a\"] 3 times, over the WebSocket at 1ms");
        assert_eq!(sent.in_words().as_deref(), words);
    }

    #[test]
    fn long_packets_stand_in_one_row_whatever_their_numbers_cut_off() {
        let mut sent = Sent::default();
        let text = "x".repeat(LONGEST);
        (9..12).for_each(|i| sent.framed(at(1), Channel::WebSocket, &format!("42{i}[\"a\",\"{text}\"]")));
        assert!(sent.in_words().is_some_and(|words| words.contains("3 packets")));
        sent.framed(at(1), Channel::WebSocket, "42[\"b\"]");
        assert_eq!(sent.row.packets, 1);
    }

    #[test]
    fn a_post_without_an_answer_is_told_as_that() {
        let mut sent = Sent::default();
        sent.posted(at(1), Channel::Post, "42[\"a\"]\x1e42[\"a\"]\x1e42[\"a\"]");
        assert!(sent.in_words().is_some_and(|words| words.ends_with("in one post at 1ms; not answered")));
    }

    #[test]
    fn who_sent_nothing_itself_tells_what_others_sent() {
        let all = AllSent::default();
        let (alice, bob) = (all.of("alice".to_owned()), all.of("bob".to_owned()));
        assert_eq!(all.in_words(&bob), None);
        (0..3).for_each(|i| {
            alice.lock().expect("nobody panicked").framed(at(i), Channel::WebSocket, "42[\"a\"]")
        });
        assert!(all.in_words(&bob).is_some_and(|words| words.starts_with("alice had sent")));
    }
}
