//! What a report has to know of a plan: the steps in words with their place in the file, and the clients.
//!
//! Observations carry numbers ([`StepId`], [`Who`]); a story turns them back into what the author wrote. It is
//! independent of how plans look inside, so that reports do not depend on the engine.

use crate::observe::{StepId, Who};

/// One step of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepInfo {
    /// The number under which it is observed.
    pub id: StepId,
    /// What it does, in words: `expect news within 1s`.
    pub words: String,
    /// The file it stands in, as the user named it; empty if there is none.
    pub file: String,
    /// Line in the file, from 1.
    pub line: u32,
    /// Column in the line, from 1.
    pub column: u32,
    /// The line itself, without its line ending.
    pub source: String,
    /// The groups that act in it.
    pub groups: Vec<String>,
}

/// One group of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its name in the scenario.
    pub name: String,
    /// How many clients it has.
    pub count: u32,
}

/// The steps and the clients of one scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptInfo {
    /// All steps, in the order of the file.
    pub steps: Vec<StepInfo>,
    /// All groups; `Who::group` counts them.
    pub groups: Vec<GroupInfo>,
    /// Rooms into which the server puts every client of every group by the contract.
    pub common_rooms: Vec<String>,
}

impl ScriptInfo {
    /// The step with this number.
    pub fn step(&self, id: StepId) -> Option<&StepInfo> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The client in words: `alice`, or `crowd 17` in a group of several (counted from 0, like `${n}`).
    pub fn name(&self, who: Who) -> String {
        match self.groups.get(who.group as usize) {
            Some(group) if group.count == 1 => group.name.clone(),
            Some(group) => format!("{} {}", group.name, who.n),
            None => format!("client {}", who.index),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_by_its_group_and_its_index_where_there_are_several() {
        let group = |name: &str, count| GroupInfo { name: name.into(), count };
        let script_info =
            ScriptInfo { groups: vec![group("alice", 1), group("crowd", 20)], ..ScriptInfo::default() };
        assert_eq!(script_info.name(Who { group: 0, n: 0, index: 0 }), "alice");
        assert_eq!(script_info.name(Who { group: 1, n: 17, index: 18 }), "crowd 17");
        assert_eq!(script_info.name(Who { group: 5, n: 0, index: 21 }), "client 21");
    }
}
