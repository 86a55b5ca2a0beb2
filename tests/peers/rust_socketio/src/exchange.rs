//! The library plainly: a task for each client in one thread, without any check.

use std::time::Duration;

use rust_socketio::TransportType;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use crate::socket::Socket;

/// Acknowledged round trips of each client, evenly spread over the pace. Prints how many acknowledgements came.
pub async fn exchange(url: &str, clients: u64, rounds: u64, pace: u64) -> i32 {
    let pace = Duration::from_millis(pace);
    let mut connected = Vec::new();
    for _ in 0..clients {
        connected.push(Socket::open(url, "/", TransportType::Websocket, None).await.expect("a connection"));
    }
    let tasks: Vec<_> = connected
        .into_iter()
        .enumerate()
        .map(|(index, socket)| {
            let share = index as f64 / clients as f64;
            tokio::spawn(rounds_of(socket, rounds, pace, Instant::now() + pace.mul_f64(share)))
        })
        .collect();
    let mut acknowledged = 0;
    for task in tasks {
        acknowledged += task.await.expect("a task that ends");
    }
    println!("{acknowledged}");
    0
}

async fn rounds_of(mut socket: Socket, rounds: u64, pace: Duration, mut due: Instant) -> u64 {
    for round in 0..rounds {
        sleep_until(due).await;
        due += pace;
        if socket.ask("message-with-ack", vec![json!("hello")]).await.is_err() {
            return round;
        }
    }
    rounds
}
