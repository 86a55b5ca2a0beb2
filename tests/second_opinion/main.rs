//! Our codecs against implementations that nobody here wrote: what one side writes, the other reads as it was meant,
//! in both directions and over generated input; and what breaks the rules is refused by both.

#[path = "../support/peers.rs"]
mod peers;

mod msgpack;
mod older;
mod packets;
mod websocket;
mod webtransport;
