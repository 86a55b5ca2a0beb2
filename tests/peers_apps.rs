//! Applications as people write them, each with a scenario of its own: healthy it passes; broken in one of the ways in which
//! such applications break, it fails, and what is shown is that fault.

#[path = "support/peers.rs"]
mod peers;
#[path = "support/play.rs"]
mod support;

use peers::application;
use support::{Played, conform, each, play};

/// An application under `tests/peers/apps`, its scenario beside it.
struct Application {
    program: &'static str,
    /// The least share of the pairs of a message and a client that the audit has to judge, in percent, if any.
    judged: Option<f64>,
    broken: &'static [Breakage],
}

/// A way in which the application is broken.
struct Breakage {
    name: &'static str,
    /// How the step that has to fail begins in the words of the report; empty if the audit alone finds the fault.
    step: &'static str,
    /// The kinds of faults that the audit may find, of which it has to find one if no step fails.
    faults: &'static [&'static str],
}

const MISSING: &str = "delivery missing";
const DUPLICATE: &str = "delivery duplicate";
const LEAKED: &str = "delivery leaked";

const DISORDERED: &str = "delivery disordered";

const APPLICATIONS: [Application; 19] = [
    Application {
        program: "chat.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "lost", step: "expects `new message` 30 times", faults: &[MISSING] },
            Breakage { name: "doubled", step: "", faults: &[DUPLICATE] },
            Breakage { name: "echoed", step: "", faults: &[LEAKED] },
        ],
    },
    Application {
        program: "whiteboard.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "lost", step: "", faults: &[MISSING] },
            Breakage { name: "swapped", step: "", faults: &[DISORDERED] },
            Breakage { name: "echoed", step: "", faults: &[LEAKED] },
        ],
    },
    Application {
        program: "document.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "lost", step: "", faults: &[MISSING] },
            Breakage { name: "doubled", step: "", faults: &[DUPLICATE] },
            Breakage { name: "swapped", step: "", faults: &[DISORDERED] },
            Breakage { name: "echoed", step: "", faults: &[LEAKED] },
            Breakage { name: "public", step: "", faults: &[LEAKED] },
        ],
    },
    Application {
        program: "teams.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "public", step: "hears no `said`", faults: &[LEAKED] },
            Breakage { name: "astray", step: "hears no `said`", faults: &[MISSING, LEAKED] },
            Breakage { name: "greedy", step: "emits `bid`", faults: &[] },
        ],
    },
    Application {
        program: "referee.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "lost", step: "", faults: &[MISSING] },
            Breakage { name: "doubled", step: "", faults: &[DUPLICATE] },
            Breakage { name: "here", step: "expects `move`", faults: &[MISSING, LEAKED] },
        ],
    },
    Application {
        program: "todo.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "refused", step: "broadcasts `todo:created`", faults: &[] },
            Breakage { name: "wrong", step: "emits `todo:read`", faults: &[] },
            Breakage { name: "unanswered", step: "emits `todo:delete`", faults: &[] },
            Breakage { name: "forgotten", step: "", faults: &[MISSING] },
        ],
    },
    Application {
        program: "messenger.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "astray", step: "hears no `private message`", faults: &[MISSING, LEAKED] },
            Breakage { name: "public", step: "", faults: &[LEAKED] },
            Breakage { name: "stranger", step: "expects `session`", faults: &[MISSING] },
        ],
    },
    Application {
        program: "tokens.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "open", step: "expects an Engine.IO handshake to be refused", faults: &[] },
            Breakage { name: "somebody", step: "emits `whoami`", faults: &[] },
            Breakage { name: "unanswered", step: "emits `whoami`", faults: &[] },
        ],
    },
    Application {
        program: "members.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "lost", step: "", faults: &[MISSING] },
            Breakage { name: "astray", step: "expects `whispered`", faults: &[] },
            Breakage { name: "open", step: "connects and is refused", faults: &[] },
        ],
    },
    Application {
        program: "sessions.js",
        judged: None,
        broken: &[
            Breakage { name: "forgetful", step: "emits `increment`", faults: &[] },
            Breakage { name: "open", step: "connects and is refused", faults: &[] },
            Breakage { name: "lingering", step: "expects the server to end the namespace", faults: &[] },
        ],
    },
    Application {
        program: "chat_rooms.py",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "lost", step: "expects `message` 20 times", faults: &[MISSING] },
            Breakage { name: "doubled", step: "", faults: &[DUPLICATE] },
            Breakage { name: "ignored", step: "expects `message`", faults: &[MISSING] },
        ],
    },
    Application {
        program: "gateway.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "wrong", step: "expects `sum`", faults: &[] },
            Breakage { name: "unanswered", step: "expects `sum`", faults: &[] },
            Breakage { name: "ignored", step: "expects `message` 40 times", faults: &[MISSING] },
            Breakage { name: "doubled", step: "", faults: &[DUPLICATE] },
        ],
    },
    Application {
        program: "guild.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "hushed", step: "connects", faults: &[] },
            Breakage { name: "echoed", step: "", faults: &[LEAKED] },
            Breakage { name: "lingering", step: "hears no `said`", faults: &[LEAKED] },
        ],
    },
    Application {
        program: "drawing-room.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "ignored", step: "expects `stroke` 20 times", faults: &[MISSING] },
            Breakage { name: "astray", step: "hears no `stroke`", faults: &[MISSING, LEAKED] },
            Breakage { name: "lingering", step: "", faults: &[LEAKED] },
            Breakage { name: "blank", step: "expects `joined`", faults: &[] },
        ],
    },
    Application {
        program: "archive.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "lost", step: "expects `message` 30 times", faults: &[MISSING] },
            Breakage { name: "doubled", step: "expects `message`", faults: &[DUPLICATE] },
            Breakage { name: "public", step: "expects `message`", faults: &[LEAKED] },
        ],
    },
    Application {
        program: "ticker.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "lost", step: "", faults: &[MISSING] },
            Breakage { name: "doubled", step: "", faults: &[DUPLICATE] },
            Breakage { name: "swapped", step: "", faults: &[DISORDERED] },
        ],
    },
    Application {
        program: "matchmaker.js",
        judged: Some(40.0),
        broken: &[
            Breakage { name: "lost", step: "expects `move` 20 times", faults: &[MISSING] },
            Breakage { name: "astray", step: "expects `move` 20 times", faults: &[MISSING, LEAKED] },
            Breakage { name: "public", step: "expects `move` 20 times", faults: &[LEAKED] },
        ],
    },
    Application {
        program: "helpdesk.js",
        judged: Some(40.0),
        broken: &[
            Breakage { name: "lost", step: "", faults: &[MISSING] },
            Breakage { name: "latest", step: "", faults: &[MISSING] },
            Breakage { name: "public", step: "hears no `reply`", faults: &[LEAKED] },
            Breakage { name: "lingering", step: "", faults: &[LEAKED] },
        ],
    },
    Application {
        program: "game.js",
        judged: Some(95.0),
        broken: &[
            Breakage { name: "unanswered", step: "expects `moved`", faults: &[] },
            Breakage { name: "drunk", step: "expects `moved`", faults: &[] },
            Breakage { name: "repeated", step: "", faults: &[DUPLICATE] },
            Breakage { name: "frozen", step: "expects `state`", faults: &[] },
        ],
    },
];

#[test]
fn every_application_passes_when_it_is_healthy() {
    each(&APPLICATIONS, |application| {
        let Some(played) = application.play("") else { return Ok(()) };
        let judged = played.judged();
        match played.code {
            Some(0) if judged >= application.judged => Ok(()),
            code => Err(format!(
                "{} ended with {code:?}, {judged:?} % judged\n{}",
                application.program, played.output
            )),
        }
    });
}

#[test]
fn every_breakage_of_an_application_fails_with_what_is_broken() {
    let broken: Vec<_> = APPLICATIONS
        .iter()
        .flat_map(|application| application.broken.iter().map(move |breakage| (application, breakage)))
        .collect();
    each(&broken, |(application, breakage)| {
        let Some(played) = application.play(breakage.name) else { return Ok(()) };
        match played.code {
            Some(1) if breakage.is_shown_by(&played) => Ok(()),
            code => Err(format!(
                "{} with BREAK={} ended with {code:?}, {:?}, {:?}\n{}",
                application.program,
                breakage.name,
                played.delivery_faults(),
                played.failed_steps(),
                played.output
            )),
        }
    });
}

/// Whether the suite, played by the contract of an application, says this of it: the exit code, and a sentence.
fn suite_says(
    program: &str,
    breakage: &str,
    contract: &str,
    code: i32,
    sentence: &str,
) -> Result<(), String> {
    let Some(server) = application(program) else { return Ok(()) };
    let arguments = ["--server", &*server, "--contract", contract, "--only", "needs:contract"];
    let played = conform(arguments, [("BREAK", breakage)]);
    match played.code == Some(code) && played.output.contains(sentence) {
        true => Ok(()),
        false => Err(format!("{program} with BREAK={breakage}: {:?}\n{}", played.code, played.output)),
    }
}

#[test]
fn the_suite_plays_by_the_contract_of_an_application_and_finds_what_is_broken() {
    let [rooms, gateway, all] =
        ["drawing-room", "gateway", "whiteboard"].map(|name| format!("tests/peers/apps/{name}.yaml"));
    each(
        &[
            ("drawing-room.js", "", &rooms, 0, "10 of 10 played cases passed"),
            ("drawing-room.js", "lingering", &rooms, 1, "rooms/leave@websocket"),
            ("drawing-room.js", "ignored", &rooms, 1, "not played 10 cases"),
            ("gateway.js", "", &gateway, 0, "13 of 13 played cases passed"),
            ("gateway.js", "doubled", &gateway, 1, "broadcast/receivers-leave@websocket"),
            ("whiteboard.js", "", &all, 0, "6 of 6 played cases passed"),
            ("whiteboard.js", "echoed", &all, 1, "broadcast/socket-broadcast-spares-sender@websocket"),
            ("gateway.js", "", &all, 1, "says of `broadcast`"),
        ],
        |(program, breakage, contract, code, sentence)| {
            suite_says(program, breakage, contract, *code, sentence)
        },
    );
}

/// The contract of the guild hall without the word for when it is ready.
const UNREADY: &str = "join: { emit: [enter, \"${room}\"], ack: true }\nleave: { emit: [quit, \"${room}\"], ack: true }\n\
                       broadcast: { emit: [say, \"${room}\", \"${body}\"], arrives_as: said, reaches: others, senders: anyone }\n";

#[test]
fn the_suite_says_of_an_application_that_registers_its_handlers_late_just_that() {
    let [ready, gateway] = ["guild", "gateway"].map(|name| format!("tests/peers/apps/{name}.yaml"));
    let unready = format!("{}/guild-unready.yaml", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&unready, UNREADY).expect("the folder is there");
    each(
        &[
            ("guild.js", "", &ready, 0, "13 of 13 played cases passed"),
            ("guild.js", "echoed", &ready, 1, "broadcast/socket-to-room-spares-sender@websocket"),
            ("guild.js", "lingering", &ready, 1, "rooms/leave@websocket"),
            // One word of the sentence, wherever its line ends.
            ("guild.js", "", &unready, 1, "(`ready:"),
            ("guild.js", "", &gateway, 1, "says of `join`"),
            ("guild.js", "sluggish", &unready, 1, "no acknowledgement"),
        ],
        |(program, breakage, contract, code, sentence)| {
            suite_says(program, breakage, contract, *code, sentence)
        },
    );
}

#[test]
fn the_suite_accuses_no_application_of_more_than_its_library_is_known_for() {
    // With a page of its own; with a login, once without and once with what it asks for.
    let credentials = r#"--auth={"username":"ada"}"#;
    each(
        &[("chat.js", None), ("messenger.js", None), ("messenger.js", Some(credentials))],
        |(program, auth)| {
            let Some(server) = application(program) else { return Ok(()) };
            let arguments = ["--server", &*server, "--baseline", "node"];
            let played = conform(arguments.into_iter().chain(*auth), []);
            match played.code {
                Some(0) => Ok(()),
                code => Err(format!("{program} with {auth:?}: {code:?}\n{}", played.output)),
            }
        },
    );
}

#[test]
fn an_application_that_answers_every_event_alike_is_not_taken_for_the_fixture() {
    each(&["[]", "[null]", "[true]", "[1]", "[[]]", "[{}]", "[false,[]]", ""], |answer| {
        let Some(server) = application("answers-all.js") else { return Ok(()) };
        let only =
            "acks/server-asks,broadcast-acks/all-answer,events/ack*,rooms/own-room,rooms/leave,sockets/fetch";
        let played = conform(["--server", &*server, "--only", only], [("ANSWER", *answer)]);
        match played.output.contains(" fail ") || played.output.contains("blocks") {
            false => Ok(()),
            true => Err(format!("{answer}: {:?}\n{}", played.code, played.output)),
        }
    });
}

impl Application {
    /// Plays the scenario beside the application. `None` means that it is to be skipped.
    fn play(&self, breakage: &str) -> Option<Played> {
        let server = application(self.program)?;
        let (name, _) = self.program.split_once('.').expect("a program has an ending");
        let scenario = format!("tests/peers/apps/{name}.yaml");
        Some(play([scenario.as_str(), "--server", &server], [("BREAK", breakage)]))
    }
}

impl Breakage {
    fn is_shown_by(&self, played: &Played) -> bool {
        let found = played.delivery_faults();
        let has_failed = || played.failed_steps().iter().any(|step| step.starts_with(self.step));
        let is_named = if self.step.is_empty() { !found.is_empty() } else { has_failed() };
        is_named && found.iter().all(|fault| self.faults.contains(fault))
    }
}
