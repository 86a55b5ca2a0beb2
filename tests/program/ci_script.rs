//! `deploy/ci/test`, which the action and the template for GitLab call, with inputs as workflows give them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::Folder;

/// What the script says, and its exit code, where `sockrates` prints its arguments.
fn played(inputs: &[(&str, &str)]) -> (String, Option<i32>) {
    let folder = Folder::new();
    let stub = folder.file("sockrates", "#!/bin/bash\nprintf '<%s>' \"$@\"; echo\n");
    fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let here = stub.parent().expect("it is in a folder").to_owned();
    let path = format!("{}:{}", here.display(), std::env::var("PATH").unwrap_or_default());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/ci/test");
    let mut bash = Command::new("bash");
    bash.arg(script).current_dir(&here).env("PATH", path).env_remove("GITHUB_ACTIONS");
    for name in ["SCENARIO", "CONFORM", "BASELINE", "SERVER", "URL", "THRESHOLDS", "ARGUMENTS", "REPORT"] {
        bash.env_remove(name);
    }
    let output = bash.envs(inputs.iter().copied()).output().expect("there is a bash");
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.code())
}

#[test]
fn an_argument_that_is_empty_or_has_blanks_stays_as_it_is() {
    let arguments = "\n  --label \"\" --header 'X:  a b ' \n--seed 5\n";
    let (said, code) = played(&[("URL", "http://a"), ("SCENARIO", "chat"), ("ARGUMENTS", arguments)]);
    assert!(said.contains("<--url><http://a><--label><><--header><X:  a b ><--seed><5><--json>"), "{said}");
    assert_eq!(code, Some(0));
}

#[test]
fn blanks_around_an_input_are_no_part_of_it_and_blanks_alone_are_none() {
    let (said, code) = played(&[
        ("URL", " "),
        ("SERVER", "node 'a b.js'\n"),
        ("SCENARIO", " my file.yaml \r\n\n"),
        ("BASELINE", " "),
        ("CONFORM", "true\n"),
        ("THRESHOLDS", " ack p99 < 1 s\r\n"),
        ("ARGUMENTS", "  "),
        ("REPORT", "my report"),
    ]);
    assert!(
        said.contains("<conform><--quiet><--server><node 'a b.js'><--json><my report/conform.json>"),
        "{said}"
    );
    let run = "<run><--quiet><my file.yaml><--threshold><ack p99 < 1 s><--server><node 'a b.js'><--json>";
    assert!(said.contains(run), "{said}");
    assert_eq!(code, Some(0));
}

#[test]
fn inputs_that_say_nothing_or_too_much_are_refused_with_a_sentence() {
    for (inputs, why) in [
        (vec![("URL", " "), ("SCENARIO", "chat")], "no server: give the input"),
        (vec![("URL", "http://a")], "nothing to do: give the input"),
        (vec![("URL", "http://a"), ("SERVER", "x"), ("CONFORM", "true")], "name two servers"),
        (vec![("URL", "http://a"), ("CONFORM", "yes")], "`conform` is true or false, found `yes`"),
        (vec![("URL", "http://a"), ("SCENARIO", "chat"), ("ARGUMENTS", "it's")], "close each quote"),
    ] {
        let (said, code) = played(&inputs);
        assert!(said.contains(why), "{said}");
        assert_eq!(code, Some(2), "{said}");
    }
}
