//! Which events of a scenario the server is asked to acknowledge, and by which contract they are sent.

use std::collections::BTreeSet;

use super::{Act, Scenario};
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
