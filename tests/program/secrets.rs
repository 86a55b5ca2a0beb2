//! Secrets, given in every way that there is: none may stand in any output of any verb, unless the user wants to see them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::metrics::get;
use crate::support::{Ended, Folder, Program, Reference, sockrates};

/// Every way to give a secret, and one for each.
const WAYS: [&str; 17] = [
    "password of the url",
    "query of the url",
    "header of the line",
    "query of the line",
    "auth of the line",
    "variable of the line",
    "password of the proxy",
    "header of the group",
    "cookie of the group",
    "auth of the group",
    "session of the group",
    "query of the group",
    "variable",
    "row",
    "environment",
    "argument",
    "header of the step",
];

struct Given {
    folder: Folder,
    reference: Reference,
    secrets: Vec<String>,
}

impl Given {
    fn new() -> Given {
        let letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789".as_bytes();
        let secret = || (0..24).map(|_| char::from(letters[fastrand::usize(..letters.len())])).collect();
        let secrets = WAYS.iter().map(|_| secret()).collect();
        Given { folder: Folder::new(), reference: Reference::start(), secrets }
    }

    fn of(&self, way: &str) -> &str {
        let place = WAYS.iter().position(|known| *known == way).expect("it is one of the ways");
        &self.secrets[place]
    }

    /// A scenario in which the server sends back what it was given, which is not what is expected.
    fn scenario(&self) -> PathBuf {
        let of = |way| self.of(way);
        let text = format!(
            "name: a test\nvars: {{ line_token: none, password: {} }}\nclients:\n  a:\n    rows: [{{ token: {} }}]\n    \
             headers: {{ Authorization: Bearer {}, Cookie: c={} }}\n    query: {{ access_token: {} }}\n    \
             auth: {{ token: {}, session: {}, row: \"${{row.token}}\", vars: [\"${{password}}\", \"${{line_token}}\"], env: \"${{env.SOME_TOKEN}}\" }}\n  \
             b: 1\nscript:\n  - all: {{ connect: {{ headers: {{ X-Auth-Token: {} }} }} }}\n  \
             - all: {{ emit: {{ event: \"t:who\", ack: {{ args: [nope] }} }} }}\n  \
             - a: {{ emit: {{ event: message-with-ack, args: [{{ secret: {} }}], ack: {{ args: [nope] }} }} }}\n  \
             - all: disconnect\n",
            of("variable"),
            of("row"),
            of("header of the group"),
            of("cookie of the group"),
            of("query of the group"),
            of("auth of the group"),
            of("session of the group"),
            of("header of the step"),
            of("argument"),
        );
        self.folder.file("scenario.yaml", &text)
    }

    fn url(&self) -> String {
        let (password, query) = (self.of("password of the url"), self.of("query of the url"));
        format!("http://ann:{password}@{}/?token={query}", self.reference.address())
    }

    /// The options of every verb.
    fn with(&self, program: Program) -> Program {
        let auth = format!("{{\"user\":\"{}\"}}", self.of("auth of the line"));
        let header = format!("X-Api-Key: {}", self.of("header of the line"));
        let query = format!("jwt={}", self.of("query of the line"));
        let proxy = format!("http://ann:{}@proxy.invalid", self.of("password of the proxy"));
        program
            .args(["--auth", &auth, "--header", &header, "--query", &query])
            .env("SOME_TOKEN", self.of("environment"))
            .env("HTTP_PROXY", &proxy)
            .env("NO_PROXY", "127.0.0.1")
    }

    /// Everything that was printed and written.
    fn outputs(&self, ended: &Ended, folder: &Path) -> String {
        let mut all = format!("{ended}");
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path().is_dir() {
                    true => folders.push(entry.path()),
                    false => {
                        all.push_str(&format!("\n--- {}\n", entry.path().display()));
                        all.push_str(&String::from_utf8_lossy(&fs::read(entry.path()).expect("it is there")));
                    }
                }
            }
        }
        all
    }

    #[track_caller]
    fn none_stands_in(&self, outputs: &str) {
        for (way, secret) in WAYS.iter().zip(&self.secrets) {
            let line = outputs.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(
                line.map(|line| line.chars().take(600).collect::<String>()),
                None,
                "the {way}: {secret}"
            );
            // A beginning would tell most of it.
            let line = outputs.lines().find(|line| line.contains(&secret[..12]));
            assert_eq!(
                line.map(|line| line.chars().take(600).collect::<String>()),
                None,
                "begins the {way}: {secret}"
            );
        }
    }
}

fn files(folder: &Path, forms: &[&str]) -> Vec<String> {
    fs::create_dir_all(folder).expect("there is room");
    let file =
        |form: &&str| [format!("--{form}"), folder.join(format!("results.{form}")).display().to_string()];
    forms.iter().flat_map(file).collect()
}

#[test]
fn no_secret_stands_in_any_output_of_a_run_unless_it_is_to_be_shown() {
    let given = Given::new();
    let (scenario, out) = (given.scenario(), given.folder.path("out"));
    let forms = ["json", "html", "junit", "markdown", "csv", "hgrm", "hlog"];
    let set = format!("line_token={}", given.of("variable of the line"));
    let run = |more: &[&str]| {
        let program = given.with(sockrates(["run", "-v", "--url", &given.url(), "--set", &set]));
        let summary = out.join("summary.md").display().to_string();
        let program = program.args(files(&out, &forms)).args(more).args([&scenario]);
        program.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary).run().code(1)
    };
    let outputs = given.outputs(&run(&[]), &out);
    assert!(outputs.contains("[hidden]"), "{outputs}");
    given.none_stands_in(&outputs);
    let outputs = given.outputs(&run(&["--show-secrets"]), &out);
    for way in WAYS
        .iter()
        .filter(|way| !["password of the url", "query of the url", "password of the proxy"].contains(way))
    {
        assert!(outputs.contains(given.of(way)), "the {way} is to be shown: {outputs}");
    }
}

#[test]
fn no_secret_stands_on_the_page_of_a_run_that_goes_on_nor_in_its_figures() {
    let given = Given::new();
    let text = fs::read_to_string(given.scenario()).expect("it is written");
    let text = text.replace("  - all: disconnect", "  - all: { wait: 4s }\n  - all: disconnect");
    let scenario = given.folder.file("slow.yaml", &text);
    let set = format!("line_token={}", given.of("variable of the line"));
    let program = sockrates(["run", "-v", "--url", &given.url(), "--set", &set, "--metrics", "127.0.0.1:0"]);
    let program = given.with(program.args(["--live", "127.0.0.1:0"])).args([&scenario]);
    let mut running = program.start();
    let figures = running.told("figures for Prometheus at http://").replace("/metrics", "");
    let page = running.told("watch it at http://");
    let (address, path) = page.trim().split_once('/').expect("it has a path");
    let mut seen = get(address, &format!("/{path}"));
    // The stream of events ends with the run, which waits until whoever watched has the last report.
    let mut first = String::new();
    while !first.contains("not as expected") && !first.contains("nope") {
        first = get(address, &format!("/{path}report"));
        seen.push_str(&get(&figures, "/metrics"));
    }
    seen.push_str(&first);
    seen.push_str(&get(address, &format!("/{path}events")));
    seen.push_str(&get(address, &format!("/{path}report")));
    assert!(seen.contains("event: over") && seen.contains("sockrates_clients"), "{seen}");
    given.none_stands_in(&seen);
    given.none_stands_in(&format!("{}", running.wait().code(1)));
}

#[test]
fn no_secret_stands_in_any_output_of_conform_and_compare() {
    let given = Given::new();
    let who = "- eve: connect\n- eve: { emit: { event: \"t:who\", ack: { args: [nope] } } }";
    let clients =
        format!("{{ eve: {{ headers: {{ Authorization: Bearer {} }} }} }}", given.of("header of the group"));
    given.folder.case("area/who", "", &clients, who);
    let out = given.folder.path("conform");
    let program = given
        .folder
        .conform(["-v", "--url", &given.url()])
        .args(files(&out, &["json", "html", "junit", "markdown"]));
    let ended = given.with(program).run().code(1);
    let outputs = given.outputs(&ended, &out);
    assert!(
        outputs.contains("--header 'X-Api-Key: [hidden]'") && outputs.contains("--auth '[hidden]'"),
        "{outputs}"
    );
    given.none_stands_in(&outputs);
    let program = given.folder.conform(["-v", "--show-secrets", "--url", &given.url()]);
    let outputs = given.outputs(&given.with(program).run().code(1), &out.join("none"));
    assert!(
        ["auth of the line", "header of the line"].iter().all(|way| outputs.contains(given.of(way))),
        "{outputs}"
    );
    let out = given.folder.path("compare");
    let [one, other] = ["one", "other"].map(|name| format!("{name}={}", given.url()));
    let scenario = given.scenario();
    let program = sockrates(["compare", "--blocks", "3", "--url", &one, "--url", &other]).args([&scenario]);
    let ended = given.with(program.args(files(&out, &["json", "html", "markdown"]))).run().calm();
    given.none_stands_in(&given.outputs(&ended, &out));
}

#[test]
fn no_secret_stands_in_what_is_told_of_a_wrong_command_line_file_or_url() {
    let given = Given::new();
    let secret = given.of("auth of the line");
    let wrong = [
        vec!["run".to_owned(), "chat".into(), "--auth".into(), format!("{{\"user\":\"{secret}\"")],
        vec!["run".to_owned(), "chat".into(), "--header".into(), format!("Authorization {secret}")],
        vec!["run".to_owned(), "chat".into(), format!("--header=Authorization {secret}")],
        vec!["run".to_owned(), "chat".into(), "--url".into(), format!("ftp://ann:{secret}@h")],
        vec![
            "run".to_owned(),
            "chat".into(),
            "--url".into(),
            format!("http://ann:{secret}@no-such-host.invalid"),
        ],
        vec!["run".to_owned(), "chat".into(), "--url".into(), format!("http://h:port/?token={secret}")],
        vec!["conform".to_owned(), "--url".into(), format!("http:///?token={secret}")],
        vec!["init".to_owned(), "--from".into(), format!("http://ho st/?api_key={secret}")],
        vec!["run".to_owned(), "chat".into(), "--url".into(), format!("h:1/?token={secret}")],
        vec![
            "run".to_owned(),
            "chat".into(),
            "--server".into(),
            format!("no-such-program --password {secret} --api-key={secret}"),
        ],
    ];
    for words in wrong {
        let ended = sockrates(words).run();
        assert!(ended.code != Some(0) && !format!("{ended}").contains(secret), "{ended}");
    }
}

#[test]
fn no_verb_shows_a_secret_of_a_file_in_what_it_tells_of_that_file() {
    let given = Given::new();
    let secret = given.of("auth of the line");
    // In one line, over several, in a value of several words, in a file that is no YAML, and in what is told of a good file.
    let group = |more: &str| {
        format!("{{ a: {{ auth: {{ password: \"two {secret} words\", pin: {secret} }}{more} }} }}")
    };
    let list = format!("\n  a:\n    auth:\n      token:\n        - {secret} {secret}\n    hedears: 1");
    let lists = format!("\n  a:\n    auth:\n      token: [1, {secret} {secret}\n    hedears: 1");
    let emits =
        format!("- a: connect\n- a: {{ emit: {{ event: login, args: [{{ password: \"{secret}\" }}] }} }}");
    let files = [
        (group(", hedears: 1"), "- a: connect".to_owned(), 2),
        (group(""), format!("- a: {{ wait: {{ password: {secret} }} }}"), 2),
        (list, "- a: connect".to_owned(), 2),
        (lists, "- a: connect".to_owned(), 2),
        (group(""), emits, 0),
    ];
    for (clients, script, code) in files {
        let file = given.folder.scenario(&clients, &script).display().to_string();
        let verbs: &[&[&str]] = match code {
            0 => &[&["check"]],
            _ => &[
                &["check"],
                &["check", "--quiet"],
                &["run"],
                &["run", "--show-secrets"],
                &["capacity"],
                &["compare", "--fault", "ack-twice"],
                &["conform", "--contract"],
            ],
        };
        for verb in verbs {
            let ended = sockrates(verb.iter().copied()).args([&file]).run();
            assert!(ended.code == Some(code) && !format!("{ended}").contains(secret), "{verb:?}: {ended}");
        }
    }
}
