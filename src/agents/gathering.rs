//! Who is there, and calling them to a run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::broker::{Broker, BrokerConfig, Message};
use super::fleet::{Attention, Event, Fleet, Member, Readiness, Relay, events, fits, subjects};
use super::wire::{self, Answer, Call, Offer, Pulse, WHO, decode, encode, of_agent, of_reply, of_run};
use super::{BROKER_GONE, PULSE};
use crate::engine::Report;
use crate::measure::Series;
use crate::measure::format::{measured, printable};
use crate::secrets::Secrets;

/// How often it is asked who is there.
const ASK: Duration = Duration::from_millis(500);

/// Who has not answered for so long, though asked, is not there any more.
const FORGET: Duration = Duration::from_secs(2);

/// How long it is listened where everybody is wanted.
const LISTEN: Duration = Duration::from_secs(1);

/// How long it is waited for the next answer of an agent that was called.
const ANSWER: Duration = Duration::from_secs(5);

/// How long agents may take to get ready.
const PREPARE: Duration = Duration::from_secs(120);

/// How often it is looked whether the user wants no more.
const LOOK: Duration = Duration::from_millis(100);

/// The longest name and labels together. Whoever has longer ones is nobody of ours.
const LONGEST_NAME: usize = 1000;

/// The most agents of one run.
pub(crate) const MOST_AGENTS: u16 = 1000;

/// Which agents a run wants.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// How many.
    pub(crate) agents: u16,
    /// How long they may take to come.
    pub(crate) within: Duration,
    /// With how many workers each plays at most.
    pub(crate) workers: u16,
    /// How many acts the plan has.
    pub(crate) acts: usize,
}

/// Why no agents came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotGathered {
    /// A sentence.
    Because(String),
    /// The user wanted no more: what was waited for, as a sentence.
    Interrupted(String),
}

impl From<String> for NotGathered {
    fn from(why: String) -> NotGathered {
        NotGathered::Because(why)
    }
}

/// An agent that has answered.
#[derive(Clone, Debug)]
pub(crate) struct SeenAgent {
    pub(crate) offer: Offer,
    /// How long the quickest answer took.
    pub(crate) round_trip: Duration,
    /// When it answered last.
    pub(crate) last: Instant,
}

impl SeenAgent {
    /// What a list says of it: name, version, threads, files, clock, when it was seen, what it does, labels.
    pub(crate) fn row(&self) -> Vec<String> {
        let SeenAgent { offer, round_trip, last } = self;
        vec![
            printable(&offer.name),
            printable(&offer.version),
            offer.workers.to_string(),
            offer.files.map_or_else(|| "no limit".to_owned(), |files| files.to_string()),
            // As far as one round trip tells; during a run it is known better.
            format!("± {}", measured(*round_trip / 2)),
            format!("{} ago", measured(last.elapsed())),
            if offer.is_busy { "plays" } else { "waits" }.to_owned(),
            printable(&offer.labels.join(",")),
        ]
    }
}

/// Everybody who is there, by name.
///
/// # Errors
/// When the broker cannot be reached.
pub(crate) fn who_is_there(config: &BrokerConfig) -> Result<Vec<SeenAgent>, String> {
    let (heard, events) = events();
    let broker = Broker::connect(config, move |message| drop(heard.send(Event::Heard(message))))?;
    let mut there = BTreeMap::new();
    ask(&broker, &events, LISTEN, &mut there, &mut |_| false, &AtomicBool::new(false))?;
    tell_apart(&mut there);
    Ok(by_name(there))
}

/// Numbers those who are called alike: `host#1`, `host#2`, the same ones for everybody who asks while they are there.
fn tell_apart(there: &mut BTreeMap<String, SeenAgent>) {
    let mut alike: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, seen) in there.iter() {
        alike.entry(seen.offer.name.clone()).or_default().push(id.clone());
    }
    let taken: BTreeSet<String> = alike.keys().cloned().collect();
    for (name, ids) in alike.into_iter().filter(|(_, ids)| ids.len() > 1) {
        // Somebody may be called `host#1`.
        let free = (1..).map(|number| format!("{name}#{number}")).filter(|name| !taken.contains(name));
        for (id, name) in ids.iter().zip(free) {
            there.entry(id.clone()).and_modify(|seen| seen.offer.name = name);
        }
    }
}

fn by_name(there: BTreeMap<String, SeenAgent>) -> Vec<SeenAgent> {
    let mut all: Vec<SeenAgent> = there.into_values().collect();
    all.sort_by(|one, other| (&one.offer.name, &one.offer.id).cmp(&(&other.offer.name, &other.offer.id)));
    all
}

/// Asks who is there until these are enough, or that time is over.
fn ask(
    broker: &Broker,
    events: &Receiver<Event>,
    within: Duration,
    there: &mut BTreeMap<String, SeenAgent>,
    are_enough: &mut dyn FnMut(&BTreeMap<String, SeenAgent>) -> bool,
    stop: &AtomicBool,
) -> Result<(), String> {
    let reply = of_reply(&wire::random_name());
    broker.subscribe(format!("{reply}.*"));
    let until = Instant::now() + within;
    // When each question was asked: an answer says to which it is one.
    let mut asked: Vec<Instant> = Vec::new();
    while Instant::now() < until && !are_enough(there) && !stop.load(Ordering::Relaxed) {
        if broker.away().is_some_and(|away| away > BROKER_GONE) {
            return Err(broker.gone());
        }
        if asked.last().is_none_or(|last| last.elapsed() >= ASK) {
            broker.request(WHO.to_owned(), &format!("{reply}.{}", asked.len()), Vec::new());
            asked.push(Instant::now());
        }
        if let Ok(Event::Heard(Message { payload, subject, .. })) = events.recv_timeout(LOOK)
            && let Some(question) = place_in(&subject, &reply)
            && let Some(round_trip) = asked.get(question).map(Instant::elapsed)
            && let Some(offer) = decode::<Offer>(&payload)
            && there.len() < usize::from(u16::MAX)
            && offer.name.len() + offer.labels.iter().map(String::len).sum::<usize>() < LONGEST_NAME
        {
            let known = there.get(&offer.id).map_or(round_trip, |known| known.round_trip);
            let round_trip = round_trip.min(known);
            there.insert(offer.id.clone(), SeenAgent { offer, round_trip, last: Instant::now() });
        }
    }
    Ok(())
}

/// Those who can be called.
fn callable(there: &BTreeMap<String, SeenAgent>) -> impl Iterator<Item = &SeenAgent> {
    there.values().filter(|seen| fits(&seen.offer).is_ok() && seen.last.elapsed() < FORGET)
}

/// The number that an answer has behind the subject under which it was asked for.
fn place_in(subject: &str, reply: &str) -> Option<usize> {
    subject.strip_prefix(reply)?.strip_prefix('.')?.parse().ok()
}

/// Calls agents to a run, gives them its plan, and waits until all are ready. Beside them, somebody here may report.
/// `lost`: why one will not come, if that is known.
///
/// # Errors
/// When too few are there, or one cannot take part.
pub(crate) fn gather(
    config: &BrokerConfig,
    wanted: &Wanted,
    package: Vec<u8>,
    secrets: &Secrets,
    lost: &mut dyn FnMut() -> Option<String>,
    stop: &AtomicBool,
) -> Result<(Fleet, Sender<Report>, Receiver<Report>), NotGathered> {
    let (sender, events) = events();
    let heard = sender.clone();
    let broker = Broker::connect(config, move |message| drop(heard.send(Event::Heard(message))))?;
    let mut there = BTreeMap::new();
    let wants = usize::from(wanted.agents);
    let mut why_not = None;
    let are_enough = &mut |there: &BTreeMap<_, _>| {
        why_not = lost();
        why_not.is_some() || callable(there).count() >= wants
    };
    ask(&broker, &events, wanted.within, &mut there, are_enough, stop)?;
    if let Some(why) = why_not {
        return Err(NotGathered::Because(why));
    }
    tell_apart(&mut there);
    if stop.load(Ordering::Relaxed) {
        return Err(NotGathered::Interrupted(format!("{} of {wants} were there", callable(&there).count())));
    }
    let unfit: Vec<String> = there.values().filter_map(unfit).collect();
    there.retain(|_, seen| fits(&seen.offer).is_ok() && seen.last.elapsed() < FORGET);
    let chosen: Vec<Offer> = by_name(there).into_iter().map(|seen| seen.offer).take(wants).collect();
    if chosen.len() < wants {
        let unfit: String = unfit.iter().map(|why| format!("; {why}")).collect();
        return Err(NotGathered::Because(format!(
            "{wants} agents are wanted, and {} answered at {} within {} s: start more with `sockrates agent`, or ask for \
             fewer{unfit}",
            chosen.len(),
            config.shown(),
            wanted.within.as_secs(),
        )));
    }
    let (run, base) = (wire::random_name(), Instant::now());
    let members = members(chosen, wanted.workers);
    subjects(&run).into_iter().for_each(|subject| broker.subscribe(subject));
    let mut attention = Attention::new();
    call((&broker, &events), &run, &members, &package, &mut attention, stop)?;
    let crews = members.iter().map(|member| (member.offer.name.clone(), member.workers.clone())).collect();
    let ((reports, inbox), (ready, readiness)) = (mpsc::channel(), mpsc::channel());
    let members = Arc::new(Mutex::new(members));
    let from_here = reports.clone();
    let (acts, secrets) = (wanted.acts, secrets.clone());
    let relay =
        Relay { run, broker, base, members: members.clone(), events, reports, ready, secrets, acts, crews };
    let relay = thread::Builder::new()
        .name("agents".to_owned())
        .spawn(move || relay.work(package, attention))
        .map_err(|error| format!("failed to start a thread: {error}"))?;
    let mut fleet = Fleet::new(sender, base, members, relay);
    let news = await_ready(&fleet, &readiness, stop)?;
    fleet.expect_news(news);
    Ok((fleet, from_here, inbox))
}

/// Why somebody who has answered is not called: a sentence without its full stop.
fn unfit(seen: &SeenAgent) -> Option<String> {
    let is_away = seen.last.elapsed() >= FORGET;
    let away = is_away.then(|| {
        let (name, since) = (&seen.offer.name, seen.last.elapsed().as_secs());
        format!("the agent {name} was there, and answers no more since {since} s")
    });
    fits(&seen.offer).err().or(away)
}

/// Waits until all are ready. Gives how long news take to the one to whom they take the longest.
fn await_ready(
    fleet: &Fleet,
    readiness: &Receiver<(usize, Readiness)>,
    stop: &AtomicBool,
) -> Result<Duration, NotGathered> {
    let members = fleet.members();
    let until = Instant::now() + PREPARE;
    let mut ready: Vec<Option<Duration>> = vec![None; members.len()];
    let mut refusals = Vec::new();
    while ready.iter().any(Option::is_none) {
        if stop.load(Ordering::Relaxed) {
            let missing = members.iter().zip(&ready).filter(|(_, ready)| ready.is_none());
            return Err(NotGathered::Interrupted(did_not(
                missing.map(|(member, _)| member),
                "get ready yet",
            )));
        }
        match readiness.recv_timeout(LOOK) {
            Ok((from, Readiness::Ready(news))) => ready[from] = Some(news),
            Ok((from, Readiness::Refused(why))) => {
                // One sentence for each thing that is wrong.
                refusals.push(why);
                ready[from] = Some(Duration::ZERO);
            }
            // Nobody has to wait for the others.
            Ok((_, Readiness::Lost(why))) => {
                refusals.push(why);
                break;
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() < until => {}
            Err(_) => {
                let missing = members.iter().zip(&ready).filter(|(_, ready)| ready.is_none());
                let within = format!("get ready within {} s", PREPARE.as_secs());
                return Err(NotGathered::Because(did_not(missing.map(|(member, _)| member), &within)));
            }
        }
    }
    match refusals.is_empty() {
        true => Ok(ready.into_iter().flatten().max().unwrap_or_default()),
        false => Err(NotGathered::Because(refusals.join("; "))),
    }
}

/// That these did not do something.
fn did_not<'a>(missing: impl Iterator<Item = &'a Member>, what: &str) -> String {
    let names: Vec<&str> = missing.map(|member| member.offer.name.as_str()).collect();
    format!("these agents did not {what}: {}", names.join(", "))
}

/// The workers are numbered through, agent by agent.
fn members(offers: Vec<Offer>, most_workers: u16) -> Vec<Member> {
    let mut next = 0;
    let member = |offer: Offer| {
        let from = next;
        next += usize::from(offer.workers.clamp(1, most_workers.max(1)));
        let workers = from..next;
        Member {
            live: vec![0; workers.len()],
            workers,
            offer,
            offset: 0,
            doubt: Duration::ZERO,
            worst: Duration::ZERO,
            jumps: 0,
            cpu: Duration::ZERO,
            due: 0,
            begun: 0,
            lag: Series::new(),
        }
    };
    offers.into_iter().map(member).collect()
}

/// Calls each, and waits for the answers.
fn call(
    (broker, events): (&Broker, &Receiver<Event>),
    run: &str,
    members: &[Member],
    package: &[u8],
    attention: &mut Attention,
    stop: &AtomicBool,
) -> Result<(), NotGathered> {
    let reply = of_reply(&wire::random_name());
    broker.subscribe(format!("{reply}.*"));
    let shares =
        members.iter().map(|member| (member.workers.start as u32, member.workers.end as u32)).collect();
    let call = Call {
        version: wire::mark(),
        run: run.to_owned(),
        me: 0,
        shares,
        hash: Sha256::digest(package).into(),
    };
    for (me, member) in (0..).zip(members) {
        let call = Call { me, ..call.clone() };
        broker.request(of_agent(&member.offer.id), &format!("{reply}.{me}"), encode(&call));
    }
    let asked = Instant::now();
    let (mut until, mut next_pulse) = (asked + ANSWER, asked);
    let mut answers: Vec<Option<Answer>> = vec![None; members.len()];
    // Those who have come hear nothing more, and wait for other work.
    let call_off = || broker.publish(of_run(run, "over"), Vec::new());
    while answers.iter().any(Option::is_none) && Instant::now() < until {
        if let Some(why) = attention.lapse() {
            call_off();
            return Err(NotGathered::Because(why));
        }
        if Instant::now() >= next_pulse {
            next_pulse = Instant::now() + PULSE;
            Pulse::default().say(broker, run);
        }
        if stop.load(Ordering::Relaxed) {
            call_off();
            let missing = members.iter().zip(&answers).filter(|(_, answer)| answer.is_none());
            return Err(NotGathered::Interrupted(did_not(missing.map(|(member, _)| member), "answer yet")));
        }
        if let Ok(Event::Heard(Message { subject, payload, .. })) = events.recv_timeout(LOOK)
            && let Some(from) = place_in(&subject, &reply)
            && let Some(answer) = answers.get_mut(from).filter(|answer| answer.is_none())
        {
            *answer = decode(&payload);
            // On a busy machine, many take their time.
            until = Instant::now() + ANSWER;
        }
    }
    if let Some(why) = attention.lapse() {
        call_off();
        return Err(NotGathered::Because(why));
    }
    if broker.was_away(asked) && answers.iter().any(Option::is_none) {
        return Err(NotGathered::Because(broker.gone()));
    }
    let mut wrong = Vec::new();
    for (member, answer) in members.iter().zip(answers) {
        let name = &member.offer.name;
        match answer {
            Some(Answer::Comes) => {}
            Some(Answer::Refuses(why)) => wrong.push(format!("the agent {name} refuses: {why}")),
            None => wrong.push(format!("the agent {name} did not answer within {} s", ANSWER.as_secs())),
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    call_off();
    Err(NotGathered::Because(wrong.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_that_are_called_alike_are_numbered_and_no_two_have_one_name() {
        let seen = |id: &str, name: &str| {
            let offer = Offer {
                id: id.to_owned(),
                name: name.to_owned(),
                labels: Vec::new(),
                version: wire::mark(),
                workers: 1,
                files: Some(1000),
                is_busy: false,
            };
            (id.to_owned(), SeenAgent { offer, round_trip: Duration::ZERO, last: Instant::now() })
        };
        let all = [("d", "host"), ("b", "host"), ("c", "other"), ("e", "host#1"), ("a", "host")];
        let mut there = BTreeMap::from(all.map(|(id, name)| seen(id, name)));
        tell_apart(&mut there);
        let named: Vec<(&str, &str)> =
            there.iter().map(|(id, seen)| (id.as_str(), seen.offer.name.as_str())).collect();
        assert_eq!(
            named,
            [("a", "host#2"), ("b", "host#3"), ("c", "other"), ("d", "host#4"), ("e", "host#1")]
        );
    }
}
