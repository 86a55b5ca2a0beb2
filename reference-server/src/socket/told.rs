//! What nodes tell each other, as bytes for the bus.
//!
//! Source of the kinds: the adapters of the official server (`socket.io-adapter`, `ClusterAdapter`). Pure. What comes from the
//! bus is as untrusted as what comes from a client.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::args::Args;

/// What a node tells the others. Rooms and ids are those of the namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Told {
    /// An event for the selected sockets of every node.
    Cast { namespace: String, scope: Scope, sender: Option<String>, volatile: bool, mark: Option<Mark> },
    /// The same, and each of them is asked for an answer.
    Ask { namespace: String, scope: Scope, request: u64, patience: u64 },
    /// To `asker`: so many sockets are asked here.
    Asked { asker: u64, request: u64, count: usize },
    /// To `asker`: one of them answered.
    Answered { asker: u64, request: u64 },
    /// The selected sockets enter rooms or leave them.
    Move { namespace: String, scope: Scope, enter: bool, rooms: Vec<String> },
    /// The selected sockets are put out.
    PutOut { namespace: String, scope: Scope, close: bool },
    /// Which sockets are selected?
    List { namespace: String, scope: Scope, request: u64 },
    /// To `asker`: these are, here.
    Listed { asker: u64, request: u64, ids: Vec<String> },
    /// A socket was lost and may come back to any node.
    Lost { namespace: String, pid: String, sid: String, rooms: Vec<String> },
    /// The events of this node are numbered from here on.
    Marked { namespace: String, mark: Mark },
}

/// Which sockets are meant, as in a selection; the sender is on another node anyway.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(crate) to: Vec<String>,
    pub(crate) except: Vec<String>,
}

/// The place of an event among all that recovery remembers of a node in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) origin: String,
    pub(crate) number: u64,
}

/// The bytes of what is told: a header, the JSON of the arguments, their attachments, each with its length before it.
pub(crate) fn encode(told: &Told, args: &Args) -> Bytes {
    // Serialising plain structs into a vector cannot fail.
    let header = serde_json::to_vec(told).unwrap_or_default();
    let parts = || {
        let json = [&header[..], args.json().as_bytes()];
        json.into_iter().chain(args.attachments().iter().map(|data| &data[..]))
    };
    let mut out = BytesMut::with_capacity(parts().map(|part| 4 + part.len()).sum());
    for part in parts() {
        out.put_u32(part.len() as u32);
        out.put_slice(part);
    }
    out.freeze()
}

/// What is told in these bytes; `None`: nothing that a node would say.
pub(crate) fn decode(mut bytes: Bytes) -> Option<(Told, Args)> {
    let told = serde_json::from_slice(&part(&mut bytes)?).ok()?;
    let json = String::from_utf8(part(&mut bytes)?.into()).ok()?;
    let mut attachments = Vec::new();
    while bytes.has_remaining() {
        attachments.push(part(&mut bytes)?);
    }
    Some((told, Args::from_parts(json, attachments)))
}

fn part(bytes: &mut Bytes) -> Option<Bytes> {
    let length = bytes.try_get_u32().ok()? as usize;
    (length <= bytes.remaining()).then(|| bytes.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scope() -> Scope {
        Scope { to: vec!["r".to_owned()], except: vec![] }
    }

    #[test]
    fn what_is_told_is_heard_with_its_attachments() {
        let mark = Some(Mark { origin: "o".to_owned(), number: 7 });
        let cast =
            Told::Cast { namespace: "/".to_owned(), scope: scope(), sender: None, volatile: false, mark };
        let args = Args::event("said").with_binary(Bytes::from_static(b"one")).with_binary(Bytes::new());
        let (told, heard) = decode(encode(&cast, &args)).unwrap();
        assert_eq!(told, cast);
        assert_eq!((heard.json(), heard.attachments()), (args.json(), args.attachments()));
    }

    #[test]
    fn bytes_that_are_cut_or_lie_about_their_length_are_nothing() {
        let told = Told::List { namespace: "/".to_owned(), scope: scope(), request: 1 };
        let whole = encode(&told, &Args::event("x"));
        for end in 0..whole.len() {
            assert!(decode(whole.slice(..end)).is_none(), "{end}");
        }
        let mut lies = BytesMut::from(&whole[..]);
        lies[..4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(decode(lies.freeze()).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(header in "[{\"a-zA-Z:,0-9}\\[\\]]{0,60}", rest in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut bytes = BytesMut::new();
            bytes.put_u32(header.len() as u32);
            bytes.put_slice(header.as_bytes());
            bytes.put_slice(&rest);
            let _ = decode(bytes.freeze());
        }
    }
}
