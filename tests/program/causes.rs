//! Every connect that fails and every connection that ends is counted by its cause.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value as Json, json};

use crate::hostile::{OPEN, accept, listen, text};
use crate::support::{Folder, Server, answer, flat, head, results, sockrates};

/// A server that treats one client in four in each of four ways.
fn fickle() -> Server {
    let clients = AtomicUsize::new(0);
    Server::start(move |mut stream, _| {
        let Some(request) = head(&mut stream)? else { return Ok(()) };
        let Some((_, key)) = request.split_once("Sec-WebSocket-Key: ") else {
            return answer(&mut stream, "200 OK", "Connection: close\r\n", OPEN);
        };
        let words = match clients.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => {
                answer(&mut stream, "503 Busy", "", "later")?;
                return listen(&stream);
            }
            1 => vec![OPEN, r#"44{"message":"the house is full"}"#],
            2 => vec![OPEN, "1"],
            _ => vec![OPEN, r#"40{"sid":"s"}"#, "1"],
        };
        accept(&mut stream, key.lines().next().unwrap_or_default())?;
        // In one piece, so that the client has it all at once.
        stream.write_all(&words.into_iter().flat_map(text).collect::<Vec<u8>>())?;
        listen(&stream)
    })
}

#[test]
fn all_of_many_failed_connects_are_counted_by_cause_in_every_form() {
    let (folder, server) = (Folder::new(), fickle());
    // Who was let in waits until the server ends that, so that the run is not over before.
    let scenario = folder.scenario("{ crowd: 80 }", "- all: [ connect, { expect: { event: nothing } } ]");
    let (json, html, markdown) = (folder.path("r.json"), folder.path("r.html"), folder.path("r.md"));
    let run = sockrates(["run", "--url", &server.url(), "--json"]).args([&json]);
    let run = run.args(["--html"]).args([&html]).args(["--markdown"]).args([&markdown, &scenario]);
    let ended = run.run().code(1);
    let result: Json = results(&json)["body"][0].clone();
    let cause = |counter: &str, cause: &str| json!({ "counter": counter, "cause": cause, "count": 20 });
    let causes = [
        cause("connect failed", "answered with an HTTP status 5xx"),
        cause("connect failed", "refused with CONNECT_ERROR"),
        cause("connect failed", "closed with a close packet"),
        cause("connection dropped", "closed with a close packet"),
    ];
    assert_eq!(result["causes"], json!(causes), "{ended}");
    let told = "answered with an HTTP status 5xx connect failed 20 refused with CONNECT_ERROR connect failed 20 \
                closed with a close packet connect failed 20 closed with a close packet connection dropped 20";
    assert!(flat(&ended.stdout).contains(told), "{ended}");
    let page = std::fs::read_to_string(html).expect("it was written");
    let row = "<th scope=\"row\">refused with CONNECT_ERROR</th><td>connect failed</td><td class=\"figure\">20</td>";
    assert!(page.contains(row), "{page}");
    let summary = std::fs::read_to_string(markdown).expect("it was written");
    assert!(summary.contains("| refused with CONNECT\\_ERROR | connect failed | 20 |"), "{summary}");
}
