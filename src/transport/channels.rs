//! Which connections serve the channels of a client.

use crate::session::Channel;

/// The connections of one client. That of the WebSocket, the only one that most clients have, is found at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Channels {
    websocket: Option<u32>,
    others: Vec<(Channel, u32)>,
}

impl Channels {
    /// The place of the connection that serves a channel.
    pub(super) fn place(&self, channel: Channel) -> Option<usize> {
        let place = match channel {
            Channel::WebSocket => self.websocket,
            _ => self.others.iter().find(|(known, _)| *known == channel).map(|(_, place)| *place),
        };
        place.map(|place| place as usize)
    }

    /// The places of all of them.
    pub(super) fn places(&self) -> Vec<usize> {
        self.websocket
            .into_iter()
            .chain(self.others.iter().map(|(_, place)| *place))
            .map(|place| place as usize)
            .collect()
    }

    /// A connection serves a channel that had none.
    pub(super) fn put(&mut self, channel: Channel, place: usize) {
        let place = place as u32;
        match channel {
            Channel::WebSocket => self.websocket = Some(place),
            _ => {
                self.others.reserve_exact(1);
                self.others.push((channel, place));
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
