//! How the way to a server is found: the first look, credentials, redirects, paths and namespaces.

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use reference_server::Config;

use crate::support::{Folder, Reference, Server, answer, head, sockrates, splice};

/// How an Engine.IO server refuses.
const FORBIDDEN: &str = r#"{"code":4,"message":"no token"}"#;

/// A server in front of another that lets in whom it likes, and remembers every first request of a connection.
pub(crate) struct Gate {
    server: Server,
    heads: Arc<Mutex<Vec<String>>>,
    _reference: Reference,
}

impl Gate {
    fn new(
        status: &'static str,
        body: &'static str,
        likes: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Gate {
        let reference = Reference::start();
        let (address, heads) = (reference.address(), Arc::new(Mutex::new(Vec::new())));
        let told = heads.clone();
        let server = Server::start(move |mut near, _| {
            let Some(request) = head(&mut near)? else { return Ok(()) };
            told.lock().expect("nobody panicked").push(request.clone());
            if !likes(&request) {
                return answer(&mut near, status, "Connection: close\r\n", body);
            }
            let mut far = TcpStream::connect(address)?;
            far.write_all(request.as_bytes())?;
            splice(&near, &far)
        });
        Gate { server, heads, _reference: reference }
    }

    /// Wants this in the head of every request.
    pub(crate) fn wanting(text: &'static str) -> Gate {
        Gate::new("403 Forbidden", FORBIDDEN, move |head| head.contains(text))
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody panicked").clone()
    }

    /// Demands that nobody came without.
    #[track_caller]
    pub(crate) fn refused_nobody(&self, text: &str) {
        let heads = self.heads();
        assert!(!heads.is_empty() && heads.iter().all(|head| head.contains(text)), "{heads:#?}");
    }
}

const TALK: &str = "- all: connect\n- all: { emit: { event: message-with-ack, args: [1], ack: { args: [1] } } }\n\
                    - all: disconnect";

#[test]
fn the_first_look_brings_the_headers_and_the_query_of_the_clients() {
    let folder = Folder::new();
    for (clients, wanted) in [
        ("{ a: { headers: { Authorization: Bearer t } } }", "Authorization: Bearer t"),
        (
            "{ a: { vars: { t: secret-7 }, headers: { Authorization: \"Bearer ${t}\" } } }",
            "Authorization: Bearer secret-7",
        ),
        ("{ a: { count: 2, query: { token: abc } } }", "token=abc"),
        ("{ other: { headers: { Authorization: no } }, a: { headers: { Cookie: sid=1 } } }", "sid=1"),
    ] {
        let gate = Gate::wanting(wanted);
        let other = if clients.contains("other") { "- other: { open: { refused: 403 } }\n" } else { "" };
        let script = format!("{other}{}", TALK.replace("all:", "a:"));
        let scenario = folder.scenario(clients, &script);
        let ended = sockrates(["run", "--url", &gate.url()]).args([scenario]).run().code(0);
        assert!(!ended.stderr.contains("wants credentials"), "{ended}");
    }
}

#[test]
fn a_value_that_belongs_to_one_client_is_not_used_up_by_the_first_look() {
    let (folder, gate) = (Folder::new(), Gate::wanting("ticket"));
    let scenario = folder.scenario("{ a: { count: 2, headers: { X-Ticket: \"ticket-${n}\" } } }", TALK);
    sockrates(["run", "--url", &gate.url()]).args([scenario]).run().code(0);
    let with = |name: &str| gate.heads().iter().filter(|head| head.contains(name)).count();
    assert_eq!((with("ticket-0"), with("ticket-1")), (1, 1), "{:#?}", gate.heads());
}

#[test]
fn a_header_of_the_command_line_goes_with_every_request_of_run_and_conform() {
    let (folder, gate) = (Folder::new(), Gate::wanting("X-Key: open sesame"));
    let flags = ["--url", &gate.url(), "--header", "X-Key: open sesame"];
    sockrates(["run"]).args(flags).args([folder.scenario("{ a: 2 }", TALK)]).run().code(0);
    sockrates(["conform", "--only", "connection/*"]).args(flags).run().code(0);
    gate.refused_nobody("X-Key: open sesame");
}

#[test]
fn a_server_that_wants_credentials_is_there_and_the_clients_show_whether_theirs_do() {
    let folder = Folder::new();
    for (status, body) in [
        ("401 Unauthorized", "who are you?"),
        ("403 Forbidden", FORBIDDEN),
        ("400 Bad Request", r#"{"code":3,"message":"Bad request"}"#),
    ] {
        let gate = Gate::new(status, body, |head| head.contains("ticket-"));
        let good = folder.scenario("{ a: { count: 2, headers: { X-Ticket: \"ticket-${n}\" } } }", TALK);
        let ended = sockrates(["run", "--url", &gate.url()]).args([good]).run().code(0);
        ended.complains("it is there and wants credentials").says("passed");
        let bad = folder.scenario("{ a: 1 }", TALK);
        sockrates(["run", "--url", &gate.url()]).args([bad]).run().code(1);
    }
    let gate = Gate::wanting("ticket");
    let ended = sockrates(["conform", "--only", "connection/*", "--url", &gate.url()]).run().code(3);
    ended.complains("--header, --query or --auth");
}

#[test]
fn a_query_in_the_url_goes_with_the_first_look_and_with_no_client() {
    let (folder, gate) = (Folder::new(), Gate::new("200 OK", "", |_| true));
    let url = format!("{}/?token=a%20b", gate.url());
    sockrates(["run", "--url", &url]).args([folder.scenario("{ a: 1 }", TALK)]).run().code(0);
    let (looks, clients): (Vec<_>, Vec<_>) =
        gate.heads().into_iter().partition(|head| head.contains("User-Agent: sockrates"));
    assert!(looks.iter().all(|head| head.contains("token=a%20b")), "{looks:#?}");
    assert!(!clients.is_empty() && !clients.iter().any(|head| head.contains("token")), "{clients:#?}");
}

#[test]
fn auth_of_the_command_line_is_for_the_clients_that_have_none() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let script = "- none: { connect: { namespace: /guard } }\n- own: { connect: { namespace: /guard, refused: true } }";
    let scenario = folder.scenario("{ none: 1, own: { auth: { token: other } } }", script);
    let auth = ["--auth", r#"{"token":"ok"}"#];
    sockrates(["run", "--url", &reference.url()]).args(auth).args([&scenario]).run().code(0);
    sockrates(["run", "--url", &reference.url()]).args([&scenario]).run().code(1);
    folder.case("area/guarded", "", "{ eve: 1 }", "- eve: { connect: { namespace: /guard } }");
    folder.conform(["--url", &reference.url()]).args(auth).run().code(0);
    sockrates(["run", "chat", "--auth", "[1]"]).run().code(2).complains("write a JSON object");
}

#[test]
fn a_header_that_is_given_takes_the_place_of_ours_and_of_one_further_out() {
    let (folder, gate) = (Folder::new(), Gate::new("200 OK", "", |_| true));
    for transport in ["websocket", "polling"] {
        let clients = format!(
            "{{ a: {{ transport: {transport}, headers: {{ host: group.example, Cookie: c=group }} }} }}"
        );
        let script = "- a: { connect: { headers: { cookie: c=step } } }\n- a: disconnect";
        let flags = ["--header", "Host: line.example", "--header", "Cookie: c=line", "--url", &gate.url()];
        sockrates(["run"]).args(flags).args([folder.scenario(&clients, script)]).run().code(0);
    }
    let (looks, clients): (Vec<_>, Vec<_>) =
        gate.heads().into_iter().partition(|head| head.contains("User-Agent: sockrates"));
    let lines = |head: &String, name: &str| -> Vec<String> {
        let named = |line: &&str| line.to_lowercase().starts_with(&format!("{name}:"));
        head.lines().filter(named).map(str::to_owned).collect()
    };
    for head in &looks {
        assert_eq!(
            (lines(head, "host"), lines(head, "cookie")),
            (vec!["host: group.example".into()], vec!["Cookie: c=group".into()]),
            "{head}"
        );
    }
    assert!(clients.len() >= 2, "{clients:#?}");
    for head in &clients {
        assert_eq!(
            (lines(head, "host"), lines(head, "cookie")),
            (vec!["host: group.example".into()], vec!["cookie: c=step".into()]),
            "{head}"
        );
    }
}

#[test]
fn name_and_password_in_the_url_are_basic_authentication_and_never_shown() {
    let (folder, gate) = (Folder::new(), Gate::wanting("Authorization: Basic YW5uOnBAc3MtNzc="));
    let url = gate.url().replace("://", "://ann:p%40ss-77@");
    let results = folder.path("results.json");
    let run = sockrates(["run", "--url", &url, "-v", "--json"]).args([&results]);
    let ended = run.args([folder.scenario("{ a: 1 }", TALK)]).run().code(0);
    gate.refused_nobody("Authorization: Basic YW5uOnBAc3MtNzc=");
    let results = std::fs::read_to_string(results).expect("there are results");
    for output in [&ended.stdout, &ended.stderr, &results] {
        assert!(
            !["p%40ss-77", "p@ss-77", "YW5uOnBAc3MtNzc="].iter().any(|secret| output.contains(secret)),
            "{output}"
        );
    }
}

#[test]
fn a_path_is_found_with_and_without_its_slash() {
    let reference = Reference::with(Config { path: "/app/live/".into(), ..Config::default() });
    let folder = Folder::new();
    let (scenario, root) = (folder.scenario("{ a: 1 }", TALK), format!("http://{}", reference.address()));
    for path in ["/app/live", "/app/live/", "app/live"] {
        sockrates(["run", "--url", &root, "--path", path]).args([&scenario]).run().code(0);
    }
    // One that we start, which prints nothing of it.
    let program = env!("CARGO_BIN_EXE_sockrates");
    let command =
        format!("echo listening on port $PORT; exec '{program}' serve -q --path /app/live/ --port $PORT");
    for path in ["/app/live", "/app/live/", "app/live"] {
        sockrates(["run", "--server", &command, "--path", path]).args([&scenario]).run().code(0);
    }
    let ended = sockrates(["run", "--path", "/app/live"]).args([&scenario]).run().code(2);
    ended.complains("`--path` needs a `--url` or a `--server` whose path it is");
    // A server that knows the path without the slash only.
    let address = Reference::start();
    let to = address.address();
    let strict = Server::start(move |mut near, _| {
        let Some(request) = head(&mut near)? else { return Ok(()) };
        if !request.contains(" /bare?") {
            return answer(&mut near, "404 Not Found", "Connection: close\r\n", "no");
        }
        let mut far = TcpStream::connect(to)?;
        far.write_all(request.replacen("/bare?", "/socket.io/?", 1).as_bytes())?;
        splice(&near, &far)
    });
    let url = format!("{}/bare/", strict.url());
    let ended = sockrates(["run", "--url", &url]).args([&scenario]).run().code(0);
    ended.complains("has Socket.IO at /bare and not at /bare/");
}

#[test]
fn a_namespace_at_the_end_of_the_url_is_taken_for_one_as_the_official_client_does() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let who =
        "- a: connect\n- a: { emit: { event: \"t:who\", ack: { args: [{ $contains: { nsp: /custom } }] } } }";
    let scenario = folder.scenario("{ a: 1 }", who);
    let root = format!("http://{}", reference.address());
    let ended = sockrates(["run", "--url", &format!("{root}/custom")]).args([&scenario]).run().code(0);
    ended.complains("`/custom` is taken for the namespace");
    let flags = ["--url", &format!("{root}/custom"), "--path", "/socket.io"];
    sockrates(["run"]).args(flags).args([&scenario]).run().code(0);
    let own = folder.scenario("{ a: { namespace: /custom } }", who);
    sockrates(["run", "--url", &format!("{root}/dyn-1")]).args([own]).run().code(0);
}

#[test]
fn what_a_url_was_taken_for_is_told() {
    let reference = Reference::with(Config { path: "/api/socket.io/".into(), ..Config::default() });
    let folder = Folder::new();
    let (scenario, root) = (folder.scenario("{ a: 1 }", TALK), format!("http://{}", reference.address()));
    let ended = sockrates(["run", "--url", &format!("{root}/api")]).args([&scenario]).run().code(0);
    ended.complains("has Socket.IO at /api/socket.io/ and not at /api/");
    // The official server answers at every path that begins with its own.
    let to = reference.address();
    let lenient = Server::start(move |mut near, _| {
        let Some(request) = head(&mut near)? else { return Ok(()) };
        let mut far = TcpStream::connect(to)?;
        far.write_all(request.replacen("/socket.io/admin/?", "/api/socket.io/?", 1).as_bytes())?;
        splice(&near, &far)
    });
    let url = format!("{}/socket.io/admin?from=a+guide", lenient.url());
    let ended = sockrates(["run", "--url", &url]).args([&scenario]).run().code(0);
    let ended =
        ended.complains("/socket.io/admin/ is taken for the path of Socket.IO; for the namespace `/admin`");
    ended.complains("`from` in the url goes with the first look at the server alone");
}

#[test]
fn a_redirect_is_followed_once_and_told() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ a: 1, b: { transport: polling } }", TALK);
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let to = reference.url();
        let door = Server::start(move |mut near, _| {
            let Some(request) = head(&mut near)? else { return Ok(()) };
            let query =
                request.split_once('?').and_then(|(_, rest)| rest.split(' ').next()).unwrap_or_default();
            answer(&mut near, status, &format!("Location: {to}?{query}\r\nConnection: close\r\n"), "")
        });
        let ended = sockrates(["run", "--url", &door.url()]).args([&scenario]).run().code(0);
        ended.complains(&format!("redirects to {} (HTTP {}): that is used", reference.url(), &status[..3]));
    }
    let round = Server::start(|mut near, _| {
        let Some(_) = head(&mut near)? else { return Ok(()) };
        answer(&mut near, "302 Found", "Location: /login\r\nConnection: close\r\n", "")
    });
    let ended = sockrates(["run", "--url", &round.url()]).args([&scenario]).run().code(3);
    ended.complains("redirects from /socket.io/ to /login (HTTP 302)");
}

#[test]
fn a_refusal_by_http_may_be_demanded_of_connect_with_status_and_body() {
    let folder = Folder::new();
    let gate = Gate::wanting("ticket");
    let plays = |refused: &str, code: i32| {
        let script = ["websocket", "polling"]
            .map(|transport| format!("- a: {{ connect: {{ transport: {transport}, refused: {refused} }} }}"));
        let scenario = folder.scenario("{ a: 1 }", &script.join("\n"));
        sockrates(["run", "--url", &gate.url()]).args([scenario]).run().code(code)
    };
    for refused in [
        "true",
        "403",
        "{ status: 403 }",
        "{ status: { $one_of: [401, 403] }, body: { code: 4, message: no token } }",
        "{ status: 403, body: { $match: token } }",
        "{ body: { $contains: { code: 4 } } }",
    ] {
        plays(refused, 0);
    }
    plays("{ status: 401 }", 1).says("a refusal with the HTTP status 401");
    plays("{ status: 403, body: { code: 5, message: no token } }", 1).says("its body");
    plays("{ message: nope }", 1)
        .says("write `connect: { refused: { status: 403 } }`, or `open: { refused: 403 }`");
    plays("{ status: 403, message: nope }", 2).complains("unknown key `message` in a refusal by HTTP");
    let broken =
        Gate::new("503 Service Unavailable", "", |head| head.contains("EIO=4&transport=polling HTTP"));
    let scenario = folder.scenario("{ a: 1 }", "- a: { connect: { refused: true } }");
    sockrates(["run", "--url", &broken.url()])
        .args([scenario])
        .run()
        .code(1)
        .says("`open: { refused: 503 }`");
    // As engine.io tells a WebSocket what `allowRequest` said.
    for (words, code) in [("no token", 0), ("Transport unknown", 1)] {
        let gate = Gate::new("400 Bad Request", words, |head| head.contains("EIO=4&transport=polling HTTP"));
        let scenario =
            folder.scenario("{ a: 1 }", "- a: { connect: { transport: websocket, refused: true } }");
        sockrates(["run", "--url", &gate.url()]).args([scenario]).run().code(code);
    }
    let reference = Reference::start();
    let scenario =
        folder.scenario("{ a: 1 }", "- a: { connect: { namespace: /guard, refused: { status: 403 } } }");
    let ended = sockrates(["run", "--url", &reference.url()]).args([scenario]).run().code(1);
    ended.says("HTTP let it in");
}

#[test]
fn open_takes_status_and_body_too() {
    let (folder, gate) = (Folder::new(), Gate::wanting("ticket"));
    let script = "- a: { open: { refused: { status: 403, body: { code: 4, message: no token } } } }";
    let scenario = folder.scenario("{ a: 1 }", script);
    sockrates(["run", "--url", &gate.url()]).args([scenario]).run().code(0);
}

/// The pages of an application beside a good server. It ends each connection without an answer when it is asked for a page the
/// second time.
fn pages_on_short_connections() -> Gate {
    let reference = Reference::start();
    let (address, heads) = (reference.address(), Arc::new(Mutex::new(Vec::new())));
    let told = heads.clone();
    let server = Server::start(move |mut near, _| {
        for number in 0.. {
            let Some(request) = head(&mut near)? else { break };
            if request.contains("socket.io") {
                let mut far = TcpStream::connect(address)?;
                far.write_all(request.as_bytes())?;
                return splice(&near, &far);
            }
            told.lock().expect("nobody panicked").push(request);
            if number > 0 {
                break;
            }
            answer(&mut near, "200 OK", "", "a page")?;
        }
        Ok(())
    });
    Gate { server, heads, _reference: reference }
}

#[test]
fn a_page_is_asked_for_once_more_where_the_server_ended_a_kept_alive_connection_and_a_poll_by_hand_is_not() {
    let (gate, folder) = (pages_on_short_connections(), Folder::new());
    let page = folder.scenario(
        "{ p: 1 }",
        "- p: { repeat: { times: 5, steps: [ { http: { get: /page, expect: { status: 200 } } } ] } }",
    );
    sockrates(["run"]).args([&page]).args(["--url", &gate.url()]).run().code(0);
    assert_eq!(gate.heads().len(), 9, "each page but the first was asked for twice");
    let by_hand = folder.scenario(
        "{ p: 1 }",
        "- p: { http: { get: /page, as: one, expect: { status: 200 } } }\n- p: { http: { get: /page, on: one, expect: { status: 200 } } }",
    );
    let told = sockrates(["run"]).args([&by_hand]).args(["--url", &gate.url()]).run().code(1).to_string();
    assert!(told.contains("without a response"), "{told}");
}
