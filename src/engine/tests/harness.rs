//! One worker in a test: a scenario, a network in memory, and a conductor that needs no thread.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use mio::Waker;

use crate::document::Source;
use crate::engine::accounts::{Accounts, Second};
use crate::engine::director::Director;
use crate::engine::orders::{Homecoming, Order, Report, Share};
use crate::engine::records::Mailboxes;
use crate::engine::worker::{Worker, WorkerLoop};
use crate::measure::Tally;
use crate::plan::{Plan, RunOptions};
use crate::scenario::{Surroundings, read};
use crate::transport::Connections;
use crate::transport::simulation::{Heard, Reaction, Simulation};

/// More turns than any of the tests needs.
const MOST_TURNS: usize = 1_000_000;

/// See the module's head.
pub(super) struct Harness<'p> {
    pub network: Simulation,
    plan: &'p Plan<'p>,
    worker: WorkerLoop<'p>,
    orders: mpsc::Sender<Order>,
    reports: mpsc::Receiver<Report>,
    /// Kept because a queue without its waker is another queue.
    _waker: Arc<Waker>,
    director: Director<'p>,
    accounts: Accounts,
    /// Which acts ended when.
    pub finished: Vec<(usize, Duration)>,
    /// When it told what it had counted, and how many clients were connected then.
    pub told: Vec<(Duration, u64)>,
    /// The seconds that it handed over.
    pub seconds: Vec<Second>,
    /// When it was reported that no client has to receive anything.
    pub drained: Option<Duration>,
}

/// What came of it.
pub(super) struct Played {
    pub tally: Tally,
    pub home: Homecoming,
}

/// Plays a scenario of this text against a server that reacts so.
pub(super) fn over_network(
    text: &str,
    server: impl FnMut(Duration, usize, Heard) -> Reaction + Send + 'static,
    test: impl FnOnce(Harness<'_>),
) {
    with_plan(text, |plan| {
        let network = Simulation::new(plan.context.epoch, server);
        let (sender, reports) = mpsc::channel();
        let mailboxes = Arc::new(Mailboxes::new(Share::whole(1), Arc::default()));
        let worker = Worker::new(plan, Connections::simulated(&network), 0, sender, mailboxes)
            .expect("a simulation gives everything");
        let (orders, waker) = worker.line();
        test(Harness {
            network,
            plan,
            worker: worker.assemble().expect("its clients can be made"),
            orders,
            reports,
            _waker: waker,
            director: Director::new(&plan.script),
            accounts: Accounts::new(1, plan.asked.len()),
            finished: Vec::new(),
            told: Vec::new(),
            seconds: Vec::new(),
            drained: None,
        });
    });
}

/// The plan of a scenario of this text.
pub(super) fn with_plan(text: &str, test: impl FnOnce(&Plan<'_>)) {
    let source = Source { name: "a test".to_owned(), text: text.to_owned() };
    let scenario =
        read(&source, &Surroundings::without_files()).unwrap_or_else(|mistake| panic!("{mistake}"));
    test(&Plan::new(&scenario, RunOptions::usual(Instant::now())));
}

impl Harness<'_> {
    /// Since the start of the run.
    pub(super) fn now(&self) -> Duration {
        self.network.now() - self.plan.context.epoch
    }

    /// The first acts begin.
    pub(super) fn begin(&mut self) {
        let acts = self.director.begin();
        self.start(acts);
    }

    /// One turn of the worker, and what the conductor does about it.
    pub(super) fn turn(&mut self) {
        assert!(self.worker.turn().expect("a simulation does not fail").is_continue());
        while let Ok(report) = self.reports.try_recv() {
            match report {
                Report::Finished(act) => {
                    self.finished.push((act, self.now()));
                    let acts = self.director.finished(act);
                    self.start(acts);
                }
                Report::Drained => self.drained = Some(self.now()),
                Report::Counted(_, _, live) => self.told.push((self.now(), live)),
                Report::Second(handover) => self.seconds.extend(self.accounts.take(*handover)),
                report => panic!("no worker says this here: {report:?}"),
            }
        }
    }

    /// Plays on until that time.
    pub(super) fn until(&mut self, time: Duration) {
        while self.now() < time {
            self.turn();
        }
    }

    /// Plays from the beginning to the end of the script.
    pub(super) fn play_out(&mut self) {
        self.begin();
        for _ in 0..MOST_TURNS {
            if self.director.is_over() {
                return;
            }
            self.turn();
        }
        panic!("the script does not end");
    }

    pub(super) fn order(&self, order: Order) {
        self.orders.send(order).expect("the worker listens");
        self.network.wake();
    }

    /// All clients leave.
    pub(super) fn close(self) -> Played {
        let home = self.worker.leave().finish();
        let mut accounts = self.accounts;
        while let Ok(report) = self.reports.try_recv() {
            if let Report::Second(handover) = report {
                accounts.take(*handover);
            }
        }
        let tally = accounts.tally();
        Played { tally, home }
    }

    fn start(&self, acts: Vec<usize>) {
        let due = self.now();
        acts.into_iter().for_each(|act| self.order(Order::Begin { act, due }));
    }
}

impl Played {
    /// Everything that was counted, with what was not handed over yet.
    pub(super) fn counted(self) -> Tally {
        let mut tally = Tally::new();
        tally.add(self.tally.figures());
        tally.put(&self.home.figures);
        tally.merge(&self.home.script_info);
        tally
    }
}
