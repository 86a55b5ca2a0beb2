//! Each exit code, with what leads to it and what is said then.

use std::net::{Ipv4Addr, TcpListener};

use crate::support::{Folder, Reference, Server, answer, data, head, sockrates};

const CONNECT: &str = "- all: connect";
const ECHO: &str = "- alice: { emit: { event: message-with-ack, args: [1], ack: { args: [2] } } }";

#[test]
fn zero_when_every_check_held() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", CONNECT);
    sockrates(["run"]).args([scenario]).run().code(0).says("passed: the check held");
}

#[test]
fn zero_for_check_list_and_help() {
    sockrates(["check", "chat"]).run().code(0).says("alice");
    sockrates(["list"]).run().code(0).says("chat");
    sockrates(["--help"]).run().code(0).says("Exit codes");
    sockrates(["serve", "--list-faults"]).run().code(0).says("ack-twice");
}

#[test]
fn one_when_a_check_failed() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", &format!("{CONNECT}\n{ECHO}"));
    sockrates(["run"]).args([scenario]).run().code(1).says("failed: 1 of 2 checks failed");
}

#[test]
fn one_when_a_threshold_was_not_met() {
    let folder = Folder::new();
    let scenario =
        folder.scenario_with("{ alice: 1 }", CONNECT, "thresholds: [ \"connect ok > 5\", \"sent < 5\" ]");
    sockrates(["run"]).args([scenario]).run().code(1).says("1 of 2 thresholds not met (connect ok");
}

#[test]
fn one_when_a_threshold_has_no_data() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ alice: 1 }", CONNECT, "thresholds: [ \"upgrade p50 < 1 s\" ]");
    sockrates(["run"]).args([scenario]).run().code(1).says("no data");
}

#[test]
fn one_when_one_of_several_scenarios_failed() {
    let folder = Folder::new();
    let good = folder.file("good.yaml", "name: good\nclients: { a: 1 }\nscript: [ { a: connect } ]\n");
    let bad = folder.scenario("{ alice: 1 }", &format!("{CONNECT}\n{ECHO}"));
    sockrates(["run", "-q"]).args([good, bad]).run().code(1).says("1 of 2 scenarios passed");
}

#[test]
fn two_for_a_wrong_scenario() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", "- alice: conect");
    for verb in ["run", "check"] {
        let ended = sockrates([verb]).args([&scenario]).run().code(2);
        let ended = ended.complains("unknown step `conect`").complains("did you mean `connect`?");
        assert_eq!(ended.stdout, "", "nothing is played and nothing explained");
    }
}

#[test]
fn two_for_an_unknown_option() {
    sockrates(["run", "chat", "--wrokers", "2"]).run().code(2).complains("--workers");
    sockrates(["rum"]).run().code(2).complains("run");
    sockrates([""; 0]).run().code(2).complains("Usage");
    sockrates(["run", "chat", "--workers", "0"]).run().code(2).complains("--workers");
    sockrates(["run", "chat", "--max-time", "soon"]).run().code(2).complains("--max-time");
    sockrates(["run", "chat", "--header", "nonsense"]).run().code(2).complains("Authorization: Bearer abc");
    sockrates(["run", "chat", "--url", "http://h", "--fault", "ack-twice"])
        .run()
        .code(2)
        .complains("--fault");
}

#[test]
fn two_for_an_unknown_fault() {
    let ended = sockrates(["run", "chat", "--fault", "ack-twise"]).run().code(2);
    ended.complains("no fault is called").complains("--list-faults");
}

#[test]
fn two_for_a_file_that_is_not_there() {
    sockrates(["run", "no/such.yaml"]).run().code(2).complains("no/such.yaml").complains("sockrates list");
    sockrates(["run", "chart"]).run().code(2).complains("did you mean the bundled scenario `chat`?");
    sockrates(["run", "chat", "--ca-file", "no/such.pem"]).run().code(2).complains("no/such.pem");
}

#[test]
fn two_for_a_wrong_url() {
    sockrates(["run", "chat", "--url", "localhost:3000"]).run().code(2).complains("http://localhost:3000");
    sockrates(["run", "chat"]).env("SOCKRATES_URL", "ftp://h").run().code(2).complains("not ftp");
}

#[test]
fn two_for_a_folder_without_scenarios() {
    let folder = Folder::new();
    folder.file("readme.txt", "nothing to play");
    sockrates(["run"]).args([folder.path("")]).run().code(2).complains("has no scenario");
}

#[test]
fn two_when_the_results_cannot_be_written() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", CONNECT);
    let ended = sockrates(["run", "--json", "/dev/null/r.json"]).args([scenario]).run().code(2);
    ended.complains("cannot write the results to /dev/null/r.json");
}

#[test]
fn two_for_a_value_that_cannot_be_worked_out() {
    let folder = Folder::new();
    let scenario = folder.file(
        "scenario.yaml",
        "name: a test\nvars: { word: \"${1 / n}\" }\nclients: { alice: 1 }\nscript:\n  - alice: connect\n  \
         - alice: { emit: { event: message, args: [\"${word}\"] } }\n",
    );
    sockrates(["run"]).args([scenario]).run().code(2).complains("error: failed to");
}

#[test]
fn three_when_nobody_listens() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    drop(listener);
    let ended = sockrates(["run", "chat", "--url", &format!("http://{address}")]).run().code(3);
    ended.complains("nothing listens at").complains(&address.to_string());
}

#[test]
fn three_when_the_name_has_no_address() {
    sockrates(["run", "chat", "--url", "http://no-such-host.invalid"]).run().code(3).complains("no address");
}

#[test]
fn three_for_a_web_server() {
    let server = Server::start(|mut stream, _| {
        while head(&mut stream)?.is_some() {
            answer(&mut stream, "404 Not Found", "Content-Type: text/html\r\n", "<html>not here</html>")?;
        }
        Ok(())
    });
    let ended = sockrates(["run", "chat", "--url", &server.url()]).run().code(3);
    ended.complains("/socket.io/ with HTTP 404").complains("name it with `--path /path/`");
}

#[test]
fn three_for_an_older_protocol() {
    let server = Server::start(|mut stream, _| {
        while head(&mut stream)?.is_some() {
            let open = r#"{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":5000}"#;
            answer(&mut stream, "200 OK", "", &format!("{}:0{open}2:40", open.len() + 1))?;
        }
        Ok(())
    });
    let ended = sockrates(["run", "chat", "--protocol", "4", "--url", &server.url()]).run().code(3);
    ended.complains("speaks Engine.IO v3");
}

#[test]
fn three_for_what_is_not_http() {
    let server = Server::start(|mut stream, _| {
        head(&mut stream)?;
        std::io::Write::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.2\r\n")
    });
    let ended = sockrates(["run", "chat", "--url", &server.url()]).run().code(3);
    ended.complains("does not speak HTTP").complains("SSH-2.0");
}

#[test]
fn three_for_a_server_without_tls() {
    let reference = Reference::start();
    let url = reference.url().replace("http:", "https:");
    sockrates(["run", "chat", "--url", &url]).run().code(3).complains("does not speak TLS");
}

#[test]
fn three_for_a_command_that_dies() {
    let ended = sockrates(["run", "chat", "--server", "echo out of coffee; exit 7"]).run().code(3);
    ended.complains("ended with exit code 7").complains("| out of coffee");
}

#[test]
fn three_for_a_command_that_is_not_there() {
    let ended = sockrates(["run", "chat", "--server", "no-such-program --port"]).run().code(3);
    ended.complains("ended with exit code 127").complains("no-such-program");
}

#[test]
fn three_for_a_command_that_never_answers() {
    let command = "echo warming up; exec sleep 1000";
    let ended = sockrates(["run", "chat", "--server", command, "--server-timeout", "300ms"]).run().code(3);
    ended.complains("did not answer within 300 ms").complains("| warming up");
}

#[test]
fn a_command_that_ignores_all_signals_is_gone_too() {
    let command = "trap '' TERM INT; while :; do sleep 1000 & wait; done";
    sockrates(["run", "chat", "--server", command, "--server-timeout", "300ms"]).run().code(3);
}

#[test]
fn four_when_a_percentile_has_too_few_samples() {
    let folder = Folder::new();
    let scenario = folder.scenario_with("{ alice: 10 }", CONNECT, "thresholds: [ \"connect p99 < 60 s\" ]");
    sockrates(["run"]).args([scenario]).run().code(4).says("invalid: ").says("connect p99");
}

#[test]
fn four_when_the_longest_time_is_over() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", &format!("{CONNECT}\n- alice: {{ wait: 1h }}"));
    sockrates(["run", "--max-time", "300ms"]).args([scenario]).run().code(4).says("raise `--max-time`");
}

#[test]
fn a_scenario_from_the_test_data_is_explained_without_a_server() {
    for name in ["semantic", "rude"] {
        sockrates(["check"]).args([data(name)]).run().code(0);
    }
}

#[test]
fn a_server_command_is_started_tested_and_stopped() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", CONNECT);
    let command = format!("{} serve --port $PORT", env!("CARGO_BIN_EXE_sockrates"));
    let ended = sockrates(["run", "--server", &command]).args([scenario]).run().code(0);
    ended.says("passed: the check held");
}
