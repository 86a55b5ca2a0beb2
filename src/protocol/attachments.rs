//! Attachments: binary packets put together again.
//!
//! Specification: Socket.IO protocol v5, "Format" and "Sending and receiving data". A binary packet is a header
//! (text, [`super::socket_io`]) and as many binary messages as it announces, in order, with nothing between them.
//! The placeholders in the header's JSON stay where they are: whoever wants the value resolves them by number.

use bytes::Bytes;

use super::Rule;
use super::socket_io::{Kind, Packet};
use super::violation::Violation;

/// Collects the attachments of one binary packet at a time. Idle, it is a pointer and two limits.
#[derive(Debug)]
pub struct Assembler {
    due: Option<Box<Due>>,
    max_attachments: u32,
    max_bytes: usize,
}

/// A header whose attachments are not all here.
#[derive(Debug)]
struct Due {
    packet: Assembled,
    announced: u32,
    bytes: usize,
}

/// A binary packet with all its attachments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembled {
    /// [`Kind::BinaryEvent`] or [`Kind::BinaryAck`].
    pub kind: Kind,
    /// The namespace.
    pub namespace: String,
    /// The acknowledgement id.
    pub id: Option<u64>,
    /// The payload as JSON text, with placeholders.
    pub data: String,
    /// The attachments in the order of their arrival, which is the order of their numbers.
    pub attachments: Vec<Bytes>,
}

impl Assembler {
    /// An idle assembler that takes at most so many attachments per packet, and so many bytes in all of them and the
    /// header together.
    pub fn new(max_attachments: u32, max_bytes: usize) -> Assembler {
        Assembler { due: None, max_attachments, max_bytes }
    }

    /// Whether attachments are due.
    pub fn pending(&self) -> bool {
        self.due.is_some()
    }

    /// To be called for every message of text: it is a violation while attachments are due, and it ends the waiting
    /// for them, so that no half packet is ever delivered.
    pub fn interrupt(&mut self) -> Result<(), Violation> {
        match self.due.take() {
            None => Ok(()),
            Some(due) => {
                let detail = format!(
                    "a message of text came after {} of {} attachments",
                    due.packet.attachments.len(),
                    due.announced
                );
                Err(Violation::new(Rule::AttachmentDue, detail))
            }
        }
    }

    /// Takes the header of a binary packet. One that announces no attachments is complete at once.
    ///
    /// Reserves no memory for what is only announced. On a violation the assembler is idle again.
    pub fn begin(&mut self, header: &Packet<'_>) -> Result<Option<Assembled>, Violation> {
        self.interrupt()?;
        if header.attachments > self.max_attachments {
            let detail = format!("{} are announced, {} allowed", header.attachments, self.max_attachments);
            return Err(Violation::new(Rule::AttachmentLimit, detail));
        }
        let data = header.data.unwrap_or_default();
        if data.len() > self.max_bytes {
            return Err(self.too_many_bytes());
        }
        let packet = Assembled {
            kind: header.kind,
            namespace: header.namespace.to_owned(),
            id: header.id,
            data: data.to_owned(),
            attachments: Vec::new(),
        };
        if header.attachments == 0 {
            return Ok(Some(packet));
        }
        self.due = Some(Box::new(Due { packet, announced: header.attachments, bytes: data.len() }));
        Ok(None)
    }

    /// Takes a binary message and gives the packet when it was the last one due.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<Assembled>, Violation> {
        let Some(due) = &mut self.due else {
            let detail = format!("{} bytes came after no such packet", bytes.len());
            return Err(Violation::new(Rule::AttachmentStray, detail));
        };
        due.bytes = due.bytes.saturating_add(bytes.len());
        if due.bytes > self.max_bytes {
            self.due = None;
            return Err(self.too_many_bytes());
        }
        due.packet.attachments.push(Bytes::copy_from_slice(bytes));
        if due.packet.attachments.len() < due.announced as usize {
            return Ok(None);
        }
        Ok(self.due.take().map(|due| due.packet))
    }

    fn too_many_bytes(&self) -> Violation {
        Violation::new(Rule::AttachmentLimit, format!("more than {} bytes came", self.max_bytes))
    }
}

#[cfg(test)]
mod tests;
