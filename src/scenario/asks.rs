//! What a scenario asks of a server: which events it is to acknowledge, and over which transports.

use std::collections::BTreeSet;

use super::{Act, Scenario};
use crate::session::Transport;
use crate::step::Numbered;

impl Scenario {
    /// The events of the default contract that the script needs, as the contract names them. None where the scenario has a
    /// contract of its own, or needs none.
    pub fn default_events(&self) -> BTreeSet<String> {
        let mut events = BTreeSet::new();
        if self.contract.is_default() {
            each_step(&self.script, &mut |numbered| {
                let asked = numbered.step.asks().filter(|asked| asked.by_contract);
                events.extend(asked.map(|asked| asked.event));
            });
        }
        events
    }

    /// Whether any client uses WebTransport, where this is the transport of those that name none.
    pub fn needs_webtransport(&self, default: Transport) -> bool {
        let mut needs =
            self.groups.iter().any(|group| group.transport.unwrap_or(default).needs_webtransport());
        each_step(&self.script, &mut |numbered| {
            needs |= numbered.step.transport().is_some_and(Transport::needs_webtransport);
        });
        needs
    }
}

/// Visits every step, those inside others as well.
fn each_step<'s>(acts: &'s [Act], visit: &mut dyn FnMut(&'s Numbered)) {
    for act in acts {
        match act {
            Act::Group { steps, .. } => each_inner(steps, visit),
            Act::Together { branches, .. } => branches.iter().for_each(|branch| each_step(branch, visit)),
            Act::Measure { script, .. } => each_step(script, visit),
            Act::Server { .. } => {}
        }
    }
}

fn each_inner<'s>(steps: &'s [Numbered], visit: &mut dyn FnMut(&'s Numbered)) {
    for numbered in steps {
        visit(numbered);
        each_inner(numbered.step.inner(), visit);
    }
}
