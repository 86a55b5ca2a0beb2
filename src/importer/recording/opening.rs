//! What the server tells one tab and other tabs say, such as the PIN of a game, which people tell each other: the group that is told
//! it comes first, and keeps it for the others.

use std::collections::{BTreeMap, BTreeSet};

use super::origin::{Origins, Teller, Told, values_that_may_be_told};
use super::roles::Role;
use super::talk::Tab;

/// Something that a group keeps for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    /// After which of the events that its tab sent, counted from 0.
    pub(super) after: usize,
    pub(super) teller: Teller,
    pub(super) times: usize,
}

/// What groups keep for others, by the numbers of the groups.
pub(super) type Openings = BTreeMap<usize, Vec<Opening>>;

/// Finds them.
pub(super) fn openings(tabs: &[Tab], roles: &[Role], origins: &Origins) -> Openings {
    let mut found = Openings::new();
    let mut asking = BTreeSet::new();
    for (asks, role) in roles.iter().enumerate() {
        for (said, _, args, _) in tabs[role.tab].sent() {
            for value in values_that_may_be_told(args) {
                let Some(told) = origins.told_to_another(role.tab, &value.text, said.at) else { continue };
                let opens = roles.iter().position(|other| other.members.contains(&told.tab));
                let Some(opens) = opens.filter(|opens| *opens != asks) else { continue };
                let Some(after) = last_sent(&tabs[roles[opens].tab], told) else { continue };
                asking.insert(asks);
                let opening = Opening { after, teller: told.teller.clone(), times: told.times };
                let known: &mut Vec<Opening> = found.entry(opens).or_default();
                if !known.contains(&opening) {
                    known.push(opening);
                }
            }
        }
    }
    // Who waits for others cannot come first.
    found.retain(|opens, _| !asking.contains(opens));
    found
}

/// The event of a tab after which it is told that.
fn last_sent(tab: &Tab, told: &Told) -> Option<usize> {
    let nth = told.times.checked_sub(1)?;
    match &told.teller {
        Teller::Ack((namespace, name)) => {
            let answered = tab.sent().enumerate().filter(|(_, (said, sent, _, id))| {
                said.namespace == *namespace
                    && sent == name
                    && id.is_some_and(|id| tab.acknowledgement(said, id).is_some())
            });
            answered.map(|(index, _)| index).nth(nth)
        }
        Teller::Event((namespace, name)) => {
            let (heard, ..) = tab
                .heard()
                .filter(|(said, heard, _)| said.namespace == *namespace && heard == name)
                .nth(nth)?;
            tab.sent().filter(|(said, ..)| said.at <= heard.at).count().checked_sub(1)
        }
        Teller::Connect => None,
    }
}
