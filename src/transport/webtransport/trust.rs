//! How QUIC is spoken, and which certificates are accepted: those that are accepted over TCP.

use std::sync::Arc;

use quinn_proto::crypto::rustls::QuicClientConfig;
use quinn_proto::{ClientConfig, TransportConfig, VarInt};

use crate::session::Lost;

/// How many streams of one direction a server may open: that of its settings, two of QPACK, and some to spare.
const STREAMS: u32 = 8;

/// How much of a stream may wait unread: as much as a kernel keeps of a TCP connection, about.
const WINDOW: u32 = 1 << 20;

/// QUIC with this TLS.
///
/// # Errors
/// When TLS has not what QUIC needs.
pub(super) fn config(tls: &Arc<rustls::ClientConfig>) -> Result<ClientConfig, Lost> {
    let mut tls = rustls::ClientConfig::clone(tls);
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let tls = QuicClientConfig::try_from(tls).map_err(|error| Lost::Tls(error.to_string()))?;
    let mut config = ClientConfig::new(Arc::new(tls));
    let mut transport = TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(STREAMS))
        .stream_receive_window(VarInt::from_u32(WINDOW))
        .receive_window(VarInt::from_u32(2 * WINDOW))
        .datagram_receive_buffer_size(Some(4096))
        .datagram_send_buffer_size(0)
        // Whether the server is there is for its pings to tell. It may still have a time of its own.
        .max_idle_timeout(None)
        .enable_segmentation_offload(false);
    config.transport_config(Arc::new(transport));
    Ok(config)
}
