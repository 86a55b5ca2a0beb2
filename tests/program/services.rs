//! Services, which are started before the nodes, and commands of a script.

use crate::support::{Folder, results, sockrates};

const PROGRAM: &str = env!("CARGO_BIN_EXE_sockrates");

/// A server as a service: it listens, and can be started again.
fn listener() -> String {
    format!("{PROGRAM} serve -q --port $PORT")
}

fn scenario(services: &str, script: &str) -> String {
    format!(
        "name: with services\nclients: {{ alice: 1 }}\nservices:\n{services}\nscript:\n  - all: connect\n{script}\n"
    )
}

#[test]
fn a_service_is_ready_before_the_nodes_and_known_to_them_and_is_restarted_by_the_script() {
    let folder = Folder::new();
    let script = "  - service: [ { restart: db }, { kill: db }, { wait: 1ms }, { start: db }, { pause: db, for: 20ms } ]
  - shell: test \"$SERVICE_DB\" = \"127.0.0.1:$SERVICE_DB_PORT\" -a -n \"$LINK_WIRE_PORT\"
  - all: disconnect";
    let text = scenario(&format!("  db: {}", listener()), script) + "links: { wire: db }\n";
    let scenario = folder.file("db.yaml", &text);
    let json = folder.path("r.json");
    let asked = "curl --version >/dev/null 2>&1; test \"$SERVICE_DB\" = \"127.0.0.1:$SERVICE_DB_PORT\" && ";
    let node = format!("{asked}{}", listener());
    let run = sockrates(["run", "--allow-commands", "--server", &node, "--json"]);
    let ended = run.args([&json, &scenario]).run().code(0);
    let result = results(&json)["body"][0].clone();
    let done = result["operations"].as_array().expect("something was done").clone();
    let what: Vec<&str> = done.iter().filter_map(|one| one["what"].as_str()).collect();
    assert_eq!(
        what[..4],
        ["restart service db", "kill service db", "start service db", "pause service db for 20ms"]
    );
    assert!(what[4].starts_with("run `test "), "{ended}");
    assert_eq!(result["target"]["services"][0]["name"], "db", "{ended}");
}

#[test]
fn no_command_of_a_scenario_is_started_without_leave_and_the_user_may_give_his_own() {
    let folder = Folder::new();
    let trace = folder.path("trace");
    let evil = format!("touch {} && sleep 1000", trace.display());
    let text = scenario(&format!("  db: {evil}"), "  - all: disconnect");
    let services = folder.file("evil.yaml", &text);
    let ended = sockrates(["run"]).args([&services]).run().code(2);
    ended.complains(
        "allow its commands with `--allow-commands`, or give a service of that name with `--services FILE`",
    );
    let text = format!(
        "name: x\nclients: {{ a: 1 }}\nscript: [ {{ a: connect }}, {{ shell: touch {} }} ]\n",
        trace.display()
    );
    let shell = folder.file("shell.yaml", &text);
    sockrates(["run"])
        .args([&shell])
        .run()
        .code(2)
        .complains("allow its commands with `--allow-commands` if you trust it");
    assert!(!trace.exists(), "nothing was started");
    let mine = folder.file(
        "mine.yaml",
        &format!("services: {{ db: {{ command: '{}', ready: '://' }} }}\n", listener().replace("-q ", "")),
    );
    sockrates(["run", "--services"]).args([&mine, &services]).run().code(0);
    assert!(!trace.exists(), "nothing was started");
    sockrates(["run", "--allow-commands"]).args([&shell]).run().code(0);
    assert!(trace.exists());
}

#[test]
fn a_service_that_does_not_come_up_or_floods_and_dies_ends_the_run_with_its_last_lines() {
    let folder = Folder::new();
    let run = |service: &str| {
        let scenario = folder.file("s.yaml", &scenario(&format!("  db: {service}"), "  - all: disconnect"));
        sockrates(["run", "--allow-commands"]).args([&scenario]).run().code(3)
    };
    let never = run("{ command: 'echo warming up; sleep 1000', within: 300ms }");
    never
        .complains("the service db was not ready within 300 ms: nothing listens at port")
        .complains("warming up");
    let dies = run("'echo no space left; exit 7'");
    dies.complains("the service db ended with exit code 7").complains("no space left");
    let floods = run("'head -c 30000000 /dev/zero; yes | head -n 1000000; echo the end; exit 1'");
    floods.complains("the service db ended with exit code 1").complains("the end");
}

#[test]
fn a_service_that_dies_in_the_middle_is_named_first_with_its_last_lines() {
    let folder = Folder::new();
    let gone = folder.path("go");
    let service = format!(
        "{{ command: 'echo up; until [ -e {} ]; do sleep 0.02; done; echo out of memory; exit 9', ready: up }}",
        gone.display()
    );
    let script =
        format!("  - shell: touch {}\n  - all: {{ wait: 700ms }}\n  - all: disconnect", gone.display());
    let scenario = folder.file("dies.yaml", &scenario(&format!("  db: {service}"), &script));
    let ended = sockrates(["run", "--allow-commands"]).args([&scenario]).run().code(1);
    ended.says("the service db ended with exit code 9 after").says("out of memory");
}

#[test]
fn a_service_that_does_not_come_back_fails_the_run() {
    let folder = Folder::new();
    let once = folder.path("once");
    let service = format!(
        "{{ command: 'test -e {0} && exit 5; touch {0}; echo up; sleep 1000', ready: up }}",
        once.display()
    );
    let script = "  - service: { restart: db }\n  - all: disconnect";
    let scenario = folder.file("once.yaml", &scenario(&format!("  db: {service}"), script));
    let ended = sockrates(["run", "--allow-commands"]).args([&scenario]).run().code(1);
    ended.says("service db did not come back: the service db ended with exit code 5");
}

#[test]
fn a_command_of_the_script_that_fails_or_does_not_end_fails_the_run_with_what_it_printed() {
    let folder = Folder::new();
    let run = |shell: &str| {
        let text = format!(
            "name: x\nclients: {{ a: 1 }}\nscript:\n  - a: connect\n  - shell: {shell}\n  - a: disconnect\n"
        );
        sockrates(["run", "--allow-commands"]).args([&folder.file("x.yaml", &text)]).run().code(1)
    };
    run("echo no such key; exit 3").says("ended with exit code 3; its last lines: no such key");
    run("{ command: 'sleep 1000 & sleep 1000', within: 200ms }").says("did not end within 200 ms");
}

#[test]
fn an_interrupt_while_a_service_is_awaited_or_away_ends_everything_in_order() {
    let folder = Folder::new();
    let text = scenario("  db: { command: 'echo waiting; sleep 1000' }", "  - all: disconnect");
    let waiting = folder.file("waiting.yaml", &text);
    let run = sockrates(["run", "--allow-commands"]).args([&waiting]).start();
    std::thread::park_timeout(std::time::Duration::from_millis(300));
    run.interrupt();
    run.wait().code(130);
    let script = "  - service: [ { stop: db }, { wait: 1h } ]";
    let away = folder.file("away.yaml", &scenario(&format!("  db: {}", listener()), script));
    let json = folder.path("r.json");
    let run = sockrates(["run", "--allow-commands", "--json"]).args([&json, &away]).start();
    run.wait_for(&json);
    run.interrupt();
    run.wait().code(130).says("interrupted");
    assert_eq!(results(&json)["body"][0]["verdict"]["status"], "interrupted");
}

#[test]
fn the_bus_of_the_reference_server_is_a_service_and_a_restart_of_it_loses_nothing() {
    let folder = Folder::new();
    let text = "name: bus
clients: { talkers: { count: 4, node: a }, guests: { count: 2, node: b } }
vars: { broker: nothing }
audit: { window: 5s, spread: 200ms }
script:
  - all: [ connect, { join: hall } ]
  - together:
      - talkers: { repeat: { times: 20, every: 50ms, steps: [ { broadcast: { to: hall, event: said, bytes: 64 } } ] } }
      - - service: [ { stop: '${broker}' }, { wait: 100ms }, { start: '${broker}' } ]
        - await: { whole: true, within: 30s }
  - all: fence
thresholds: [ delivery missing == 0 ]
";
    let scenario = folder.file("bus.yaml", text);
    let ended = sockrates(["run", "--nodes", "2", "--set", "broker=bus"]).args([&scenario]).run().code(0);
    ended.says("stop service bus").says("start service bus");
    let unknown = sockrates(["run", "--nodes", "2"]).args([&scenario]).run().code(2);
    unknown.complains("the script says to stop service nothing, and there is no such service");
}

#[test]
fn a_suite_has_its_services_too_and_leaves_out_cases_that_act_on_the_server() {
    let folder = Folder::new();
    let cases = folder.path("cases");
    std::fs::create_dir(&cases).expect("it can be made");
    let case = |act: &str| format!("name: x\nclients: {{ a: 1 }}\nscript: [ {{ a: connect }}{act} ]\n");
    std::fs::write(cases.join("plain.yaml"), case("")).expect("it can be written");
    std::fs::write(cases.join("acts.yaml"), case(", { shell: 'exit 1' }")).expect("it can be written");
    let services = folder.file("services.yaml", &format!("services: {{ db: {} }}\n", listener()));
    let node = format!("test -n \"$SERVICE_DB_PORT\" && {}", listener());
    let ended = sockrates(["conform", "--server", &node, "--services"])
        .args([&services])
        .args(["--cases"])
        .args([&cases])
        .args(["--verbose"])
        .run()
        .code(0);
    ended.says("acts on the server");
}
