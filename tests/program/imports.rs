//! `import`: what it writes is played at once.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::peers::Peer;
use crate::support::sockrates;

#[test]
fn a_script_of_artillery_is_imported_and_played() {
    let folder = tempfile::tempdir().expect("there is room");
    let sources = Path::new("tests/import/artillery");
    for name in ["newer.yml", "odd.yml", "people.csv"] {
        fs::copy(sources.join(name), folder.path().join(name)).expect("it can be copied");
    }
    let script = folder.path().join("newer.yml").display().to_string();
    let written = folder.path().join("newer.scenario.yaml").display().to_string();
    let imported = sockrates(["import", "artillery", &script]).run().code(0);
    assert!(imported.stderr.contains("line 36: the function `prepare`"), "{}", imported.stderr);
    assert!(imported.stdout.contains(&format!("sockrates check {written}")), "{}", imported.stdout);
    let checked = sockrates(["check", "--quiet", &written]).run().code(0);
    let warned: Vec<&str> = checked.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
    assert!(warned.iter().all(|line| line.ends_with("` is not filled in yet")), "{warned:?}");
    assert!(warned.iter().any(|line| line.contains("`loopCount`")), "{warned:?}");
    let again = sockrates(["import", "artillery", &script]).run().code(2);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    let played = sockrates(["run", "--checks-only", &written]).run().code(0);
    assert!(played.stdout.contains("checks held"), "{}", played.stdout);
    let odd = folder.path().join("odd.yml").display().to_string();
    sockrates(["import", "artillery", &odd]).run().code(0);
    let odd = folder.path().join("odd.scenario.yaml").display().to_string();
    sockrates(["run", "--checks-only", &odd]).run().code(0).says("checks held");
}

#[test]
fn a_script_that_is_wrong_is_answered_with_its_line() {
    let folder = tempfile::tempdir().expect("there is room");
    let script = folder.path().join("load.yml");
    fs::write(&script, "config:\n\tphases: []\n").expect("it can be written");
    let script = script.display().to_string();
    let imported = sockrates(["import", "artillery", &script]).run().code(2);
    assert!(imported.stderr.contains("load.yml:2:1"), "{}", imported.stderr);
    let missing = sockrates(["import", "artillery", "no/such.yml"]).run().code(2);
    assert!(missing.stderr.contains("no such file or directory"), "{}", missing.stderr);
}

#[test]
fn a_recording_of_a_chat_is_imported_and_passes_on_that_chat() {
    let Some(server) = Peer::NodeChatApp.command_line() else { return };
    let folder = tempfile::tempdir().expect("there is room");
    let recording = folder.path().join("chat.har");
    fs::copy("tests/import/har/chat.har", &recording).expect("it can be copied");
    let (recording, written) =
        (recording.display().to_string(), folder.path().join("chat.scenario.yaml").display().to_string());
    sockrates(["import", "har", &recording]).run().code(0);
    sockrates(["run", &written, "--server", &server]).run().code(0).says("Judged");
    sockrates(["run", &written, "--server", &server, "--clients", "60"]).run().code(0);
}

#[test]
fn a_large_recording_takes_little_memory() {
    let folder = tempfile::tempdir().expect("there is room");
    let recording = folder.path().join("large.har");
    let mut file = std::io::BufWriter::new(fs::File::create(&recording).expect("it can be made"));
    let body = "x".repeat(1 << 20);
    write!(file, "{{\"log\":{{\"entries\":[").expect("there is room");
    for _ in 0..60 {
        write!(
            file,
            "{{\"request\":{{\"url\":\"http://h/\"}},\"response\":{{\"content\":{{\"text\":\"{body}\"}}}}}},"
        )
        .expect("there is room");
    }
    write!(
        file,
        "{{\"request\":{{\"url\":\"ws://h/socket.io/?EIO=4&transport=websocket\"}},\"_webSocketMessages\":[\
         {{\"type\":\"send\",\"time\":1,\"opcode\":1,\"data\":\"40\"}},\
         {{\"type\":\"send\",\"time\":2,\"opcode\":1,\"data\":\"42[\\\"said\\\",\\\""
    )
    .expect("there is room");
    // One message that alone would take more.
    for _ in 0..100 {
        write!(file, "{body}").expect("there is room");
    }
    write!(file, "\\\"]\"}}]}}]}}}}").expect("there is room");
    file.flush().expect("there is room");
    let recording = recording.display().to_string();
    sockrates(["import", "har", &recording, "--output", "-"])
        .bounded(120_000)
        .run()
        .code(0)
        .says("- connect");
}
