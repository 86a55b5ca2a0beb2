//! Proxies between us and the server: one that opens tunnels by `CONNECT`, and what it is asked for.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use crate::agents::Broker;
use crate::support::{Folder, Reference, Server, answer, head, sockrates, splice};

/// A proxy that leads everyone to one server, whatever host is asked for, and remembers what was asked.
struct Proxy {
    server: Server,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn to(address: SocketAddr) -> Proxy {
        Proxy::wanting(address, "")
    }

    /// Wants this in the head of every request.
    fn wanting(address: SocketAddr, text: &'static str) -> Proxy {
        let heads = Arc::new(Mutex::new(Vec::new()));
        let told = heads.clone();
        let server = Server::start(move |mut near, _| {
            let Some(request) = head(&mut near)? else { return Ok(()) };
            told.lock().expect("nobody panicked").push(request.clone());
            if !request.contains(text) {
                let wants = "Proxy-Authenticate: Basic\r\n";
                return answer(&mut near, "407 Proxy Authentication Required", wants, "who are you?");
            }
            let far = TcpStream::connect(address)?;
            std::io::Write::write_all(
                &mut near,
                b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n",
            )?;
            splice(&near, &far)
        });
        Proxy { server, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody panicked").clone()
    }
}

const TALK: &str = "- all: connect\n- all: { emit: { event: message-with-ack, args: [1], ack: { args: [1] } } }\n\
                    - all: disconnect";
const CLIENTS: &str = "{ a: { transport: websocket }, b: { transport: polling }, c: { transport: upgrade } }";

#[test]
fn everything_goes_through_the_proxy_that_is_given_and_the_proxy_finds_the_host() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let proxy = Proxy::to(reference.address());
    let flags = ["--url", "http://no-such-host.invalid:4000", "--proxy", &proxy.server.url()];
    let ended = sockrates(["run"]).args(flags).args([folder.scenario(CLIENTS, TALK)]).run().code(0);
    ended.complains(&format!("leads through the proxy {}", proxy.server.url()));
    let heads = proxy.heads();
    let asked = |head: &String| head.starts_with("CONNECT no-such-host.invalid:4000 HTTP/1.1\r\n");
    assert!(heads.len() > 4 && heads.iter().all(asked), "{heads:#?}");
}

#[test]
fn an_agent_goes_through_no_proxy_that_it_may_not_load() {
    let Some(broker) = Broker::start() else { return };
    let (folder, reference) = (Folder::new(), Reference::start());
    let proxy = Proxy::to(reference.address());
    let (scenario, url) = (folder.scenario(CLIENTS, TALK), "http://no-such-host.invalid:4000");
    let run = || {
        let agents = ["run", "--agents", "1", "--nats", &broker.url()];
        sockrates(agents).args(["--url", url, "--proxy", &proxy.server.url()]).args([&scenario])
    };
    let allow = format!("{url}*");
    let mut careful = broker.agent("careful", &["--allow", &allow]);
    let refused = run().run().code(4);
    refused.complains(&format!("its `--allow` does not let it load {}", proxy.server.url()));
    careful.told("refused a run: its `--allow` does not let it load ");
    careful.interrupt();
    careful.wait().code(0);
    let _bold = broker.agent("bold", &["--allow", &allow, "--allow", &format!("{}*", proxy.server.url())]);
    run().run().code(0);
}

#[test]
fn the_environment_names_the_proxy_and_excepts_hosts() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let proxy = Proxy::to(reference.address());
    let scenario = folder.scenario("{ a: 1 }", TALK);
    let url = format!("http://{}", reference.address());
    let run = || sockrates(["run", "--url", &url]).args([&scenario]);
    run().env("HTTPS_PROXY", &proxy.server.url()).run().code(0);
    run().env("HTTP_PROXY", &proxy.server.url()).env("NO_PROXY", "example.org,127.0.0.0/8").run().code(0);
    run().env("HTTP_PROXY", &proxy.server.url()).args(["--proxy", ""]).run().code(0);
    // A server that we start is on this machine.
    sockrates(["run"]).args([&scenario]).env("ALL_PROXY", &proxy.server.url()).run().code(0);
    assert_eq!(proxy.heads(), [""; 0]);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let before = proxy.heads().len();
        run().env(name, &proxy.server.url()).run().code(0);
        assert!(proxy.heads().len() > before, "{name}");
    }
}

#[test]
fn name_and_password_of_the_proxy_go_to_it_alone_and_are_never_shown() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let proxy = Proxy::wanting(reference.address(), "Proxy-Authorization: Basic YW5uOnMzY3JldC03Nw==");
    let scenario = folder.scenario("{ a: 1 }", TALK);
    let url = format!("http://{}", reference.address());
    let with = proxy.server.url().replace("://", "://ann:s3cret-77@");
    let run = |proxy: &str| sockrates(["run", "--url", &url, "--proxy", proxy]).args([&scenario]).run();
    let ended = run(&with).code(0);
    assert!(!format!("{ended}").contains("s3cret-77"), "{ended}");
    let ended = run(&proxy.server.url()).code(3);
    ended.complains(
        "answered CONNECT with HTTP 407 Proxy Authentication Required; it wants a name and a password",
    );
    let ended = run(&with.replace("s3cret", "wr0ng")).code(3);
    assert!(!ended.stderr.contains("wr0ng"), "{ended}");
    ended.complains("does not accept name and password");
}

#[test]
fn a_proxy_that_is_none_is_told_as_such() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ a: 1 }", TALK);
    let silent = Server::start(|mut near, _| head(&mut near).map(drop));
    let run = |proxy: &str| sockrates(["run", "--url", "http://h", "--proxy", proxy]).args([&scenario]).run();
    run(&silent.url()).code(3).complains(&format!("the proxy {} ended the connection", silent.url()));
    run("socks5://h").code(2).complains("sockrates speaks with HTTP proxies");
    let refusing = Server::start(|mut near, _| {
        head(&mut near)?;
        answer(&mut near, "403 Forbidden", "", "")
    });
    run(&refusing.url()).code(3).complains("HTTP 403 Forbidden; does it allow this host and port?");
}
