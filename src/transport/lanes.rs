//! Which connections serve the lanes of a client.

use crate::session::Lane;

/// The connections of one client. That of the WebSocket, the only one that most clients have, is found at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    websocket: Option<u32>,
    others: Vec<(Lane, u32)>,
}

impl Lanes {
    /// The place of the connection that serves a lane.
    pub(super) fn place(&self, lane: Lane) -> Option<usize> {
        let place = match lane {
            Lane::WebSocket => self.websocket,
            _ => self.others.iter().find(|(known, _)| *known == lane).map(|(_, place)| *place),
        };
        place.map(|place| place as usize)
    }

    /// A connection serves a lane that had none.
    pub(super) fn put(&mut self, lane: Lane, place: usize) {
        let place = place as u32;
        match lane {
            Lane::WebSocket => self.websocket = Some(place),
            _ => {
                self.others.reserve_exact(1);
                self.others.push((lane, place));
            }
        }
    }

    /// A connection is no more.
    pub(super) fn remove(&mut self, place: usize) {
        let place = place as u32;
        if self.websocket == Some(place) {
            self.websocket = None;
        }
        self.others.retain(|(_, other)| *other != place);
        if self.others.is_empty() {
            self.others = Vec::new();
        }
    }
}
