//! Servers that know no protocol, or next to none: the other side of the floors, each a process of its own.
//!
//! | kind | what it does |
//! |---|---|
//! | `echo` | sends back what comes |
//! | `fan-out` | sends what comes from one connection to all others |
//! | `sink` | lets WebSockets in, says what a client has to hear to be connected, and looks at nothing that comes after; it naps in between |

use std::collections::HashMap;
use std::env;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use sockrates::protocol::websocket::{Opcode, accept_key, write};

/// The first argument that makes this program a server.
pub(crate) const WORD: &str = "raw-server";

/// As long as a sink lets things pile up, so that it takes next to nothing from who shares the machine with it. What a
/// connection can send meanwhile has room in its buffers.
const NAP: Duration = Duration::from_millis(20);

const LISTENER: Token = Token(usize::MAX);

/// If this program was started as a server, serves until its standard input ends, and does not come back.
///
/// # Panics
///
/// When the operating system gives no port or no queue.
pub(crate) fn serve_if_asked() {
    let mut args = env::args().skip(1);
    if args.next().as_deref() == Some(WORD) {
        serve(&args.next().unwrap_or_default());
    }
}

fn serve(kind: &str) -> ! {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("listening on http://{}/", listener.local_addr().expect("an address"));
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    listener.set_nonblocking(true).expect("nonblocking");
    let mut listener = mio::net::TcpListener::from_std(listener);
    let mut poll = Poll::new().expect("a readiness queue");
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("register");
    let mut guests: HashMap<usize, Guest> = HashMap::new();
    let (mut next, mut buffer) = (0, vec![0u8; 256 * 1024]);
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None).expect("poll");
        if kind == "sink" {
            std::thread::sleep(NAP);
        }
        for event in &events {
            let Token(place) = event.token();
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true).expect("no delay");
                    poll.registry().register(&mut stream, Token(next), Interest::READABLE).expect("register");
                    guests.insert(next, Guest { stream, said: 0 });
                    next += 1;
                }
                continue;
            }
            while let Some(guest) = guests.get_mut(&place) {
                let read = match guest.stream.read(&mut buffer) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Ok(0) | Err(_) => {
                        guests.remove(&place);
                        break;
                    }
                    Ok(read) => read,
                };
                match kind {
                    "echo" => drop(guest.stream.write_all(&buffer[..read])),
                    "fan-out" => {
                        for (_, other) in guests.iter_mut().filter(|(other, _)| **other != place) {
                            drop(other.stream.write_all(&buffer[..read]));
                        }
                    }
                    _ => guest.welcome(&buffer[..read]),
                }
                if read < buffer.len() {
                    break;
                }
            }
        }
    }
}

struct Guest {
    stream: TcpStream,
    /// How much of a welcome it has had.
    said: u8,
}

impl Guest {
    /// A client says its handshake and its `CONNECT` each in one piece.
    fn welcome(&mut self, heard: &[u8]) {
        let mut out = Vec::new();
        match self.said {
            0 => {
                let request = String::from_utf8_lossy(heard);
                let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
                let accept = accept_key(key.unwrap_or_default());
                let head = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                     Sec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                out.extend_from_slice(head.as_bytes());
                let open = r#"0{"sid":"e","upgrades":[],"pingInterval":60000,"pingTimeout":60000,"maxPayload":1000000}"#;
                write(&mut out, true, 0, Opcode::Text, None, open.as_bytes());
            }
            1 => write(&mut out, true, 0, Opcode::Text, None, br#"40{"sid":"s"}"#),
            _ => return,
        }
        self.said += 1;
        drop(self.stream.write_all(&out));
    }
}
