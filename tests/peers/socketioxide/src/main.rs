//! The fixture contract of sockrates on socketioxide.
//!
//! The environment sets it up like the Node peers: `PORT` (0 or absent: any free port), `PING_INTERVAL`,
//! `PING_TIMEOUT`, `CONNECT_TIMEOUT`, `UPGRADE_TIMEOUT` (milliseconds), `MAX_HTTP_BUFFER_SIZE` (bytes) and
//! `EXIT_WITH_STDIN=1`. It listens on the loopback interface and says on one line where.

mod args;
mod fixture;

use std::{env, io::Read, net::Ipv4Addr, process::exit, time::Duration};

use axum::{Router, serve::ListenerExt};
use socketioxide::{SocketIo, layer::SocketIoLayer};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tower_http::cors::CorsLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (layer, io) = socket_io();
    fixture::set_up(&io)?;
    let app = Router::new().layer(layer).layer(CorsLayer::permissive());

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, number("PORT", 0))).await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|connection| connection.set_nodelay(true).unwrap_or_default());
    if env::var("EXIT_WITH_STDIN").is_ok_and(|value| value == "1") {
        std::thread::spawn(exit_with_stdin);
    }
    let mut terminate = signal(SignalKind::terminate())?;
    println!("listening on http://{address}/socket.io/");

    tokio::select! {
        served = axum::serve(listener, app) => Ok(served?),
        _ = terminate.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

fn socket_io() -> (SocketIoLayer, SocketIo) {
    SocketIo::builder()
        .ping_interval(millis("PING_INTERVAL", 300))
        .ping_timeout(millis("PING_TIMEOUT", 200))
        .connect_timeout(millis("CONNECT_TIMEOUT", 1000))
        .upgrade_timeout(millis("UPGRADE_TIMEOUT", 1000))
        .max_payload(number("MAX_HTTP_BUFFER_SIZE", 1_000_000))
        // What does not fit is dropped: 128 packets are soon full while a client upgrades.
        .max_buffer_size(8192)
        .build_layer()
}

fn exit_with_stdin() {
    let mut rest = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut rest);
    exit(0);
}

fn millis(name: &str, default: u64) -> Duration {
    Duration::from_millis(number(name, default))
}

fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
    match env::var(name) {
        Ok(text) if !text.is_empty() => text.parse().unwrap_or_else(|_| {
            eprintln!("{name} is not a whole number in range: {text}");
            exit(2)
        }),
        _ => default,
    }
}
