//! Frames of the bus: a length, a kind, a node, a number, and bytes that the bus does not look into.

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The longest frame. A message that is longer could not wait for a client either.
pub(crate) const MOST_BYTES: usize = 20 << 20;
/// The longest name of a node, in bytes.
pub(crate) const LONGEST_NAME: usize = 64;
/// The most nodes on one bus.
pub(crate) const MOST_NODES: usize = 32;

const HEAD: usize = 1 + 8 + 8;

/// One life of a node: a node that is started again has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(crate) u64);

impl NodeId {
    /// All nodes but the one that speaks.
    pub(crate) const ALL: NodeId = NodeId(0);
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From a node, first of all: its id, its name as the payload.
    Hello = 1,
    /// From the hub: who else is there.
    Members = 2,
    /// A message, with its number in the life of the node that says it.
    Tell = 3,
    /// The next message of that node has this number, whatever came before.
    Sync = 4,
    /// That node has every message below this number.
    Have = 5,
}

/// On its way to the hub, `node` is who the frame is for; on its way from the hub, who it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) node: NodeId,
    pub(crate) number: u64,
    pub(crate) payload: Bytes,
}

/// Bytes that are no frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl Frame {
    /// A frame without a payload.
    pub(crate) fn bare(kind: Kind, node: NodeId, number: u64) -> Frame {
        Frame { kind, node, number, payload: Bytes::new() }
    }

    /// The list of nodes that the hub sends.
    pub(crate) fn members<'a>(nodes: impl Iterator<Item = (NodeId, &'a str)>) -> Frame {
        let mut payload = BytesMut::new();
        for (node, name) in nodes {
            let name = &name.as_bytes()[..name.len().min(LONGEST_NAME)];
            payload.put_u64(node.0);
            payload.put_u8(name.len() as u8);
            payload.put_slice(name);
        }
        Frame { kind: Kind::Members, node: NodeId::ALL, number: 0, payload: payload.freeze() }
    }

    /// The nodes in such a list.
    pub(crate) fn names(&self) -> Result<Vec<(NodeId, String)>, Malformed> {
        let mut rest = self.payload.clone();
        let mut nodes = Vec::new();
        while rest.has_remaining() {
            let node = NodeId(rest.try_get_u64().map_err(|_| Malformed)?);
            let length = usize::from(rest.try_get_u8().map_err(|_| Malformed)?);
            if length > rest.remaining() || nodes.len() == MOST_NODES {
                return Err(Malformed);
            }
            let name = String::from_utf8(rest.split_to(length).into()).map_err(|_| Malformed)?;
            nodes.push((node, name));
        }
        Ok(nodes)
    }

    /// The bytes on the wire.
    pub(crate) fn encode(&self) -> Bytes {
        let length = HEAD + self.payload.len();
        let mut out = BytesMut::with_capacity(4 + length);
        out.put_u32(length as u32);
        out.put_u8(self.kind as u8);
        out.put_u64(self.node.0);
        out.put_u64(self.number);
        out.put_slice(&self.payload);
        out.freeze()
    }

    /// Takes the first frame off what was read; `None`: more has to be read.
    pub(crate) fn take(bytes: &mut BytesMut) -> Result<Option<Frame>, Malformed> {
        let Some(length) = bytes.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if !(HEAD..=MOST_BYTES).contains(&length) {
            return Err(Malformed);
        }
        if bytes.len() < 4 + length {
            return Ok(None);
        }
        bytes.advance(4);
        let mut frame = bytes.split_to(length).freeze();
        let kind = match frame.get_u8() {
            1 => Kind::Hello,
            2 => Kind::Members,
            3 => Kind::Tell,
            4 => Kind::Sync,
            5 => Kind::Have,
            _ => return Err(Malformed),
        };
        Ok(Some(Frame { kind, node: NodeId(frame.get_u64()), number: frame.get_u64(), payload: frame }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frame_is_read_as_it_was_written_however_it_arrives() {
        let frame = Frame {
            kind: Kind::Tell,
            node: NodeId(7),
            number: u64::MAX,
            payload: Bytes::from_static(b"hello"),
        };
        let wire = frame.encode();
        let mut arrived = BytesMut::new();
        for byte in &wire[..wire.len() - 1] {
            arrived.put_u8(*byte);
            assert_eq!(Frame::take(&mut arrived), Ok(None));
        }
        arrived.put_u8(wire[wire.len() - 1]);
        assert_eq!(Frame::take(&mut arrived), Ok(Some(frame)));
        assert!(arrived.is_empty());
    }

    #[test]
    fn a_length_out_of_bounds_is_refused_before_it_costs_memory() {
        for length in [0, HEAD as u32 - 1, MOST_BYTES as u32 + 1, u32::MAX] {
            let mut bytes = BytesMut::from(&length.to_be_bytes()[..]);
            assert_eq!(Frame::take(&mut bytes), Err(Malformed), "{length}");
        }
    }

    #[test]
    fn the_list_of_nodes_is_read_as_it_was_written() {
        let nodes = [(NodeId(1), "a"), (NodeId(2), "")];
        let names = Frame::members(nodes.into_iter()).names().unwrap();
        assert_eq!(names, [(NodeId(1), "a".to_owned()), (NodeId(2), String::new())]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut arrived = BytesMut::from(&bytes[..]);
            while let Ok(Some(frame)) = Frame::take(&mut arrived) {
                let _ = frame.names();
            }
            let list = Frame { payload: bytes.into(), ..Frame::bare(Kind::Members, NodeId::ALL, 0) };
            let _ = list.names();
        }
    }
}
