//! What a worker writes down: its counts, and what its auditor has to know.
//!
//! An auditor judges the clients of its own worker, and tells those of the others what they have to know, ten times a second
//! and whenever an act ends ([`crate::audit::Auditor`]). Here its batches are carried: nothing is locked for a receipt.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value as Json;

use super::disturbed::DisturbedTimes;
use super::orders::{Extent, Report, Reports, Share};
use crate::audit::{self, AuditEvent, Auditor, Batch, Bulletin, Findings, Reached, Spread};
use crate::measure::{Figures, Interval, Taken, Tally};
use crate::observe::{
    Cause, Counter, Failure, FailureKind, Label, LastFrames, Metric, Observer, StepId, Who,
};
use crate::plan::Plan;
use crate::scenario::Asked;
use crate::threshold::{Answers, Counted, Subject, Threshold};

/// Where auditors leave their batches for each other: a box for each on this machine.
#[derive(Debug)]
pub(super) struct Mailboxes {
    share: Share,
    boxes: Vec<Mutex<Vec<Batch>>>,
    /// When the server is disturbed on purpose.
    pub(super) disturbed: Arc<DisturbedTimes>,
}

impl Mailboxes {
    pub(super) fn new(share: Share, disturbed: Arc<DisturbedTimes>) -> Mailboxes {
        Mailboxes { boxes: share.own.clone().map(|_| Mutex::default()).collect(), share, disturbed }
    }

    /// The worker that plays a client, and whose auditor judges it.
    pub(super) fn home(&self, client: u32) -> usize {
        audit::home(client, self.share.all)
    }

    /// Leaves a batch for a worker of this machine.
    pub(super) fn put(&self, worker: usize, batch: Batch) {
        self.of(worker).push(batch);
    }

    fn of(&self, worker: usize) -> MutexGuard<'_, Vec<Batch>> {
        // A worker that broke off has left whole batches behind.
        self.boxes[worker - self.share.own.start].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether some auditors are on other machines.
    fn has_others(&self) -> bool {
        self.share.own.len() < self.share.all
    }
}

/// The audit's part of a worker.
#[derive(Debug)]
pub(super) struct Audit {
    worker: usize,
    auditor: Auditor,
    mailboxes: Arc<Mailboxes>,
    /// What it knows of the disturbed times, by their number of changes.
    changes: u64,
    /// Where it tells what those on other machines have to know.
    reports: Reports,
}

impl Audit {
    pub(super) fn new(
        worker: usize,
        clients: u32,
        (window, spread): (Duration, Spread),
        mailboxes: Arc<Mailboxes>,
        reports: Reports,
    ) -> Audit {
        let auditor = Auditor::new(worker, mailboxes.share.all, clients, (window.into(), spread));
        Audit { worker, auditor, mailboxes, changes: 0, reports }
    }

    /// Sends the other workers what they have to know.
    fn tell(&mut self, now: Duration) {
        let bulletin = self.auditor.poll_bulletin(now.into());
        self.send(bulletin);
    }

    fn send(&mut self, bulletin: Bulletin) {
        let others = self.mailboxes.share.own.clone().filter(|other| *other != self.worker);
        others.for_each(|other| self.mailboxes.put(other, bulletin.to(other)));
        if self.mailboxes.has_others() {
            // A conductor that is gone has stopped the run.
            let _ = self.reports.send(Report::Told(Box::new(bulletin)));
        }
    }

    /// Takes what other workers sent, and learns when the server was disturbed.
    fn hear(&mut self) {
        let batches = std::mem::take(&mut *self.mailboxes.of(self.worker));
        batches.into_iter().for_each(|batch| self.auditor.handle(batch));
        let changes = self.mailboxes.disturbed.changes();
        if changes != std::mem::replace(&mut self.changes, changes) {
            self.auditor.disturb(self.mailboxes.disturbed.all());
        }
    }
}

/// Counts how long messages took: for the part of the run in which they were due.
fn count_reached(tally: &mut Tally, extent: Extent, reached: impl IntoIterator<Item = Reached>) {
    for Reached { due, first, last } in reached {
        let is_measured = extent.has(due.into());
        tally.latency_of(Metric::FanoutFirst, first.into(), is_measured);
        tally.latency_of(Metric::FanoutLast, last.into(), is_measured);
    }
}

/// The figures of a group or a label about which some threshold asks.
#[derive(Debug)]
struct Part {
    of: Asked,
    /// About which of the counts that may not be some threshold on it decides.
    allows: Vec<Counter>,
    figures: Figures,
}

/// The answers about whose arguments a threshold asks.
#[derive(Clone, Debug)]
pub(super) struct AskedAnswers {
    /// To what: an acknowledgement, or a response.
    pub metric: Metric,
    /// Of whom alone.
    pub of: Option<Asked>,
    /// Which.
    pub answers: Answers,
}

/// See the module's head.
#[derive(Debug)]
pub(super) struct Records {
    tally: Tally,
    pub(super) audit: Option<Audit>,
    pub(super) extent: Extent,
    disturbed: Arc<DisturbedTimes>,
    parts: Vec<Part>,
    /// By the number of the threshold among those that ask about arguments.
    answers: Vec<AskedAnswers>,
    /// Since the start of the run, while some client is at work.
    now: Duration,
    /// The group of that client.
    group: u32,
    /// Under which label it works.
    label: Label,
}

impl Records {
    pub(super) fn new(
        audit: Option<Audit>,
        extent: Extent,
        plan: &Plan<'_>,
        disturbed: Arc<DisturbedTimes>,
    ) -> Records {
        let part = |(part, of): (usize, &Asked)| {
            let is_about = |counter: &Counter| {
                let what = Counted::Counter(*counter);
                let of = |threshold: &Threshold| threshold.of.as_ref().is_some_and(|of| of.part == part);
                plan.thresholds.iter().any(|threshold| of(threshold) && threshold.subject.is_about(what))
            };
            let allows = Counter::ALL.into_iter().filter(is_about).collect();
            Part { of: *of, allows, figures: Figures::default() }
        };
        let answers = |threshold: &Threshold| {
            let Subject::Matching(metric, _) = threshold.subject else { return None };
            let of = threshold.of.as_ref().and_then(|of| plan.asked.get(of.part).copied());
            Some(AskedAnswers { metric, of, answers: threshold.answers.clone()? })
        };
        Records {
            tally: Tally::new(),
            audit,
            extent,
            disturbed,
            parts: plan.asked.iter().enumerate().map(part).collect(),
            answers: plan.thresholds.iter().filter_map(answers).collect(),
            now: Duration::ZERO,
            group: 0,
            label: Label::NONE,
        }
    }

    /// What is observed from here on is by a client of this group.
    pub(super) fn attend(&mut self, now: Duration, group: u32) {
        (self.now, self.group) = (now, group);
    }

    /// Counts the bytes of all clients.
    pub(super) fn count_bytes(&mut self, now: Duration, read: u64, written: u64) {
        self.now = now;
        let is_measured = self.extent.has(now);
        self.tally.count_of(Counter::BytesIn, read, is_measured);
        self.tally.count_of(Counter::BytesOut, written, is_measured);
    }

    pub(super) fn take_interval(&mut self) -> Interval {
        self.tally.take_interval()
    }

    /// Hands over what was counted since the last time.
    pub(super) fn take_figures(&mut self) -> (Taken, Vec<Taken>) {
        let parts = self.parts.iter_mut().map(|part| part.figures.take()).collect();
        (self.tally.take_figures(), parts)
    }

    /// Checks and troubles so far.
    pub(super) fn story_so_far(&self) -> Tally {
        self.tally.story_so_far()
    }

    /// What the audit has found so far.
    pub(super) fn findings_so_far(&self) -> Option<Findings> {
        self.audit.as_ref().map(|audit| audit.auditor.findings().clone())
    }

    /// All clients of all workers have left, and everybody has told so: judges what is left, and tells the others.
    pub(super) fn close(&mut self, now: Duration) {
        if let Some(audit) = &mut self.audit {
            audit.hear();
            audit.auditor.close(now.into());
            audit.tell(now);
        }
    }

    /// Everybody has closed: what the audit found, if there is one.
    pub(super) fn finish(&mut self, now: Duration) -> Option<Findings> {
        let mut audit = self.audit.take()?;
        audit.hear();
        let (findings, reached) = audit.auditor.finish(now.into());
        count_reached(&mut self.tally, self.extent, reached);
        Some(findings)
    }

    /// Whether what happens now belongs to the measured part.
    fn counts(&self, counter: Counter) -> bool {
        !counter.is_traffic() || self.extent.has(self.now)
    }

    /// The figures that this client and this label have apart.
    fn apart(&mut self, act: impl Fn(&mut Figures)) {
        let (group, label) = (self.group, self.label);
        for part in self.parts.iter_mut().filter(|part| is_of(part.of, group, label)) {
            act(&mut part.figures);
        }
    }

    /// Whether a threshold on this client's group or on this label decides about it, or the server is disturbed on purpose.
    fn allows(&self, counter: Counter) -> bool {
        if self.disturbed.is_on() {
            return true;
        }
        let mut parts = self.parts.iter().filter(|part| is_of(part.of, self.group, self.label));
        parts.any(|part| part.allows.contains(&counter))
    }

    /// It is not for the run to be judged by where a threshold on a part of it decides, or where we are the cause.
    fn allow(&mut self, counter: Counter) {
        if self.allows(counter) {
            self.tally.allow(counter);
        }
    }

    /// Sends the other workers what they have to know, for an act that is over.
    pub(super) fn tell(&mut self) {
        if let Some(audit) = &mut self.audit {
            audit.tell(self.now);
        }
    }

    /// All clients have left: sends the other workers what they have to know still.
    pub(super) fn tell_last(&mut self, now: Duration) {
        if let Some(audit) = &mut self.audit {
            let bulletin = audit.auditor.poll_last_bulletin(now.into());
            audit.send(bulletin);
        }
    }

    /// Exchanges batches with the other workers, and judges what is due.
    pub(super) fn advance(&mut self, now: Duration) {
        if let Some(audit) = &mut self.audit {
            audit.tell(now);
            audit.hear();
            audit.auditor.advance(now.into());
            count_reached(&mut self.tally, self.extent, audit.auditor.poll_reached());
        }
    }

    /// Whether some client must still receive something.
    pub(super) fn is_waiting(&mut self, now: Duration) -> bool {
        self.audit.as_mut().is_some_and(|audit| audit.auditor.is_waiting(now.into()))
    }
}

/// Whether a client of this group, at work under this label, belongs to it.
fn is_of(asked: Asked, group: u32, label: Label) -> bool {
    match asked {
        Asked::Group(asked) => asked == group,
        Asked::Label(asked) => asked == label,
    }
}

impl Observer for Records {
    fn latency(&mut self, metric: Metric, value: Duration) {
        // It belongs to the part in which it was due.
        let is_measured = !metric.is_traffic() || self.extent.has(self.now.saturating_sub(value));
        self.tally.latency_of(metric, value, is_measured);
        self.apart(|figures| figures.latency(metric, value, is_measured));
    }

    fn count(&mut self, counter: Counter, by: u64) {
        let is_measured = self.counts(counter);
        self.tally.count_of(counter, by, is_measured);
        self.apart(|figures| figures.count(counter, by, is_measured));
    }

    fn retried(&mut self, cause: Cause) {
        self.tally.retried(cause);
        self.apart(|figures| figures.count(Counter::ConnectRetried, 1, true));
    }

    fn passed(&mut self, step: StepId, who: Who) {
        self.tally.passed(step, who);
        self.apart(|figures| figures.count(Counter::ChecksMade, 1, true));
    }

    fn failed(&mut self, step: StepId, who: Who, failure: Failure) {
        self.tally.failed(step, who, failure);
        if self.allows(Counter::ChecksFailed) {
            self.tally.allow_failed(step);
        }
        self.apart(|figures| {
            figures.count(Counter::ChecksMade, 1, true);
            figures.count(Counter::ChecksFailed, 1, true);
        });
    }

    fn missed(&mut self, step: StepId, who: Who, failure_kind: FailureKind, failure: Failure) {
        let is_measured = self.counts(failure_kind.counter());
        self.tally.missed_of(step, who, failure_kind, failure, is_measured);
        self.allow(failure_kind.counter());
        self.apart(|figures| figures.count(failure_kind.counter(), 1, is_measured));
    }

    fn wronged(
        &mut self,
        who: Who,
        failure_kind: FailureKind,
        cause: &str,
        detail: &str,
        wire: &LastFrames<'_>,
    ) {
        self.tally.wronged(who, failure_kind, cause, detail, wire);
        self.allow(failure_kind.counter());
        self.apart(|figures| figures.count(failure_kind.counter(), 1, true));
    }

    fn trouble(&mut self, who: Who, cause: &str, detail: &str, wire: &LastFrames<'_>) {
        self.tally.trouble(who, cause, detail, wire);
    }

    fn answered(
        &mut self,
        metric: Metric,
        value: Duration,
        attachments: &[Bytes],
        args: &dyn Fn() -> Option<Json>,
    ) {
        let (group, label) = (self.group, self.label);
        let is_asked = |asked: &AskedAnswers| {
            asked.metric == metric && asked.of.is_none_or(|of| is_of(of, group, label))
        };
        if !self.answers.iter().any(is_asked) || !self.extent.has(self.now.saturating_sub(value)) {
            return;
        }
        let args = args();
        for (number, asked) in self.answers.iter().enumerate().filter(|(_, asked)| is_asked(asked)) {
            let is_fitting = args.as_ref().is_some_and(|args| asked.answers.fit(args, attachments));
            self.tally.answer(number, is_fitting);
        }
    }

    fn about(&mut self, label: Label) {
        self.label = label;
    }

    fn record(&mut self, who: Who, at: Duration, event: AuditEvent<'_>) {
        if let Some(audit) = &mut self.audit {
            audit.auditor.record(who.index, at.into(), event);
        }
    }
}
