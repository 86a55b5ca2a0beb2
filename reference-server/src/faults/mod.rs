//! Named faults: ways in which this server can be wrong on purpose.
//!
//! A check that no broken server can trip proves nothing. Each fault breaks the clause it names and is hooked
//! into the server at one point, found by searching for its variant. A new one is a line in the list of its
//! layer and that hook.
//!
//! Lists: `http`, `engine`, `packets`, `sockets`, `rooms`, `load`, `cluster`, `older`. Where a fault takes more than a line, what it does
//! is in a file beside them and the server calls it: `requests`, `payload` and `session` for Engine.IO; `spoil`,
//! `connection`, `membership`, `acks`, `broadcast`, `recovery` and `reasons` for Socket.IO; `wear` and `late` for load and
//! time; `between` and `lagging` for clusters.

#[macro_use]
mod http;
#[macro_use]
mod engine;
#[macro_use]
mod packets;
#[macro_use]
mod sockets;
#[macro_use]
mod rooms;
#[macro_use]
mod load;
#[macro_use]
mod cluster;
#[macro_use]
mod older;

pub(crate) mod acks;
mod between;
pub(crate) mod broadcast;
mod connection;
pub(crate) mod lagging;
pub(crate) mod late;
mod membership;
pub(crate) mod payload;
pub(crate) mod reasons;
pub(crate) mod recovery;
pub(crate) mod requests;
mod session;
pub(crate) mod spoil;
pub(crate) mod turns;
mod wear;

use std::fmt;
use std::str::FromStr;

/// What is known about one fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The fault itself.
    pub fault: Fault,
    /// Its name on the command line.
    pub name: &'static str,
    /// The clauses of the conformance catalogue it breaks, the first one first of all, with spaces between; none if it
    /// shows in time alone, or in clusters alone and in no single case.
    pub breaks: &'static str,
    /// What the server then does wrong, in one line.
    pub about: &'static str,
    /// Who can see it.
    pub shows: Shows,
}

/// Where a fault shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// In the cases of the clauses that it breaks.
    AtOnce,
    /// Only now and then, or only while much goes on: no single case can be sure to see it.
    UnderLoad,
    /// Only on a clock. It breaks no clause.
    InTime,
    /// Only in a cluster: between clients of different nodes.
    AcrossNodes,
}

macro_rules! define {
    (; $($variant:ident $name:literal $breaks:literal $about:literal $($shows:ident)?;)*) => {
        /// One way of being wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Fault { $(#[doc = $about] $variant,)* }

        /// Every fault there is, by area.
        pub const REGISTRY: &[Description] = &[
            $(Description {
                fault: Fault::$variant,
                name: $name,
                breaks: $breaks,
                about: $about,
                shows: define!(@shows $($shows)?),
            },)*
        ];
    };
    (@shows) => { Shows::AtOnce };
    (@shows under_load) => { Shows::UnderLoad };
    (@shows in_time) => { Shows::InTime };
    (@shows across_nodes) => { Shows::AcrossNodes };
}

// Each list hands on to the next what came before it; the order is that of `--list-faults`.
http_faults! { engine_faults packet_faults socket_faults room_faults load_faults cluster_faults older_faults define; }

/// A set of faults. Empty is healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    bits: [u64; 8],
}

impl Faults {
    /// A healthy server.
    pub const NONE: Faults = Faults { bits: [0; 8] };

    /// The set with one more fault.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Faults {
        let number = fault as usize;
        self.bits[number / 64] |= 1 << (number % 64);
        self
    }

    /// Whether the server is to be wrong in this way.
    #[inline]
    pub fn has(&self, fault: Fault) -> bool {
        let number = fault as usize;
        self.bits[number / 64] & (1 << (number % 64)) != 0
    }

    /// Whether the server is healthy.
    pub fn is_empty(&self) -> bool {
        *self == Faults::NONE
    }

    /// The names in the set.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let faults = *self;
        REGISTRY.iter().filter(move |entry| faults.has(entry.fault)).map(|entry| entry.name)
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Faults {
        faults.into_iter().fold(Faults::NONE, Faults::with)
    }
}

/// No fault has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownFault(String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no fault is called {:?}; --list-faults shows them all", self.0)
    }
}

impl std::error::Error for UnknownFault {}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Fault, UnknownFault> {
        let found = REGISTRY.iter().find(|entry| entry.name == name);
        found.map(|entry| entry.fault).ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REGISTRY[*self as usize].name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_name_leads_to_its_fault_and_is_unique() {
        let mut names = HashSet::new();
        for entry in REGISTRY {
            assert_eq!(entry.name.parse(), Ok(entry.fault));
            assert_eq!(entry.fault.to_string(), entry.name);
            assert!(names.insert(entry.name), "{}", entry.name);
        }
        assert!(REGISTRY.len() <= 512, "the set has no room for more");
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = Faults::NONE.with(Fault::NoPing).with(Fault::RecoveryForgetsRooms);
        assert_eq!(set.names().collect::<Vec<_>>(), ["no-ping", "recovery-forgets-rooms"]);
        assert!(!set.has(Fault::AckTwice));
    }

    #[test]
    fn every_fault_is_hooked_somewhere() {
        let sources = walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
        for entry in REGISTRY {
            let hook = format!("Fault::{:?}", entry.fault);
            let found = sources.iter().filter(|source| source.contains(&hook)).count();
            assert!(found >= 1, "{} has no hook", entry.name);
        }
    }

    fn walk(folder: &std::path::Path) -> Vec<String> {
        let mut sources = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources.extend(walk(&path));
            } else if path.extension().is_some_and(|ext| ext == "rs")
                && !["lib.rs", "faults/mod.rs"].iter().any(|file| path.ends_with(file))
            {
                sources.push(std::fs::read_to_string(path).unwrap());
            }
        }
        sources
    }
}
