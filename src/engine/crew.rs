//! Workers that are threads of this process: all of a run, or those of one machine of several.

use std::ops::Range;
use std::sync::{Arc, mpsc};
use std::thread;

use super::disturbed::DisturbedTimes;
use super::orders::{Crew, Order, Reports, Share};
use super::records::Mailboxes;
use super::worker::Worker;
use crate::audit::{Bulletin, Disturbances, Parcel};
use crate::plan::Plan;
use crate::transport::{Connections, RemoteConfig};

/// Threads, each with a worker.
pub(crate) struct Threads {
    all: usize,
    own: Range<usize>,
    lines: Vec<(mpsc::Sender<Order>, Arc<mio::Waker>)>,
    mailboxes: Arc<Mailboxes>,
}

impl Threads {
    /// How many of the workers are threads of this process.
    pub(crate) fn own(&self) -> usize {
        self.own.len()
    }

    /// What an auditor on another machine tells those of these workers.
    pub(crate) fn hear(&self, bulletin: &Bulletin) {
        self.own.clone().for_each(|worker| self.mailboxes.put(worker, bulletin.to(worker)));
    }

    /// What auditors on another machine tell single ones of these workers.
    pub(crate) fn take(&self, parcels: Vec<Parcel>) {
        let own = parcels.into_iter().filter(|parcel| self.own.contains(&parcel.to));
        own.for_each(|parcel| self.mailboxes.put(parcel.to, parcel.into()));
    }

    /// When the server is disturbed on purpose by somebody on another machine.
    pub(crate) fn learn_disturbances(&self, times: Disturbances) {
        self.mailboxes.disturbed.learn(times);
    }
}

impl Crew for Threads {
    fn workers(&self) -> usize {
        self.all
    }

    fn tell(&self, order: Order) {
        for (orders, waker) in &self.lines {
            // A worker that is gone has said why.
            let _ = orders.send(order.clone());
            let _ = waker.wake();
        }
    }
}

/// Starts workers, lets `act` have them, and returns when it has and all workers are done. They end when they are told to finish
/// or when `act` has returned.
///
/// # Errors
/// In words, when the operating system has no threads or readiness queues to give.
pub(super) fn work<'p, T>(
    plan: &'p Plan<'p>,
    peers: &[RemoteConfig],
    share: &Share,
    times: Arc<DisturbedTimes>,
    reports: Reports,
    act: impl FnOnce(&Threads) -> T,
) -> Result<T, String> {
    let mailboxes = Arc::new(Mailboxes::new(share.clone(), times));
    thread::scope(|scope| {
        let mut lines = Vec::new();
        for index in share.own.clone() {
            let worker = Connections::new(peers.to_vec())
                .and_then(|transport| Worker::new(plan, transport, index, reports.clone(), mailboxes.clone()))
                .map_err(|error| format!("open a readiness queue: {error}"))?;
            lines.push(worker.line());
            thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn_scoped(scope, move || worker.work())
                .map_err(|error| format!("start a thread: {error}"))?;
        }
        drop(reports);
        Ok(act(&Threads { all: share.all, own: share.own.clone(), lines, mailboxes }))
    })
}
