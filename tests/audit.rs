//! The audit of the deliveries, end to end: scenarios without a single `expect`, in which nothing but the audit looks who
//! receives what. It finds what is broken, names it, and accuses nobody whose server is correct.

#[path = "audit/agents.rs"]
mod agents;
#[path = "support/peers.rs"]
mod peers;
#[path = "support/play.rs"]
mod support;

use std::{fs, path::Path};

use peers::Peer;
use reference_server::faults::{REGISTRY, Shows};
use support::{each, play};

const BUSY: &str = "tests/audit/busy.yaml";
const BACK: &str = "tests/audit/back.yaml";
const CHURN: &str = "tests/audit/churn.yaml";
const LEAVERS: [&str; 2] = ["tests/audit/leavers.yaml", "tests/audit/movers.yaml"];
const BY_HAND: &str = "tests/audit/by_hand.yaml";
/// Scenarios whose joins or leaves nobody answers, a fault of the reference server, and how many clients are where nothing shows
/// them to be under it.
const UNPROVED: [(&str, &str, &str); 3] = [
    ("tests/audit/kept.yaml", "leave-ignored", "nothing shows that 2 clients left a room that"),
    ("tests/audit/kept_at_once.yaml", "leave-ignored", "nothing shows that 2 clients left a room that"),
    ("tests/audit/second_room.yaml", "join-toggles", "nothing shows that 2 clients got into a room that"),
];
const CHAT_APP: &str = "tests/peers/node/chat-app.yaml";

/// Faults of the reference server, a scenario under which each shows, and what the report then says.
const FOUND: [(&str, &str, &str); 23] = [
    ("room-ignored", BUSY, "to another room"),
    ("broadcast-includes-sender", BUSY, "to the sender"),
    ("event-lost", BUSY, "delivery missing"),
    ("order-swapped", BUSY, "delivery disordered"),
    ("leave-ignored", BUSY, "after a leave"),
    ("join-late", BUSY, "delivery missing"),
    ("namespace-leak", BUSY, "to another namespace"),
    ("union-delivers-twice", BUSY, "delivery duplicate"),
    ("everyone-hears-twice", BUSY, "delivery duplicate"),
    ("except-ignored", BUSY, "to a room that was left out"),
    ("recovery-misses-packet", BACK, "delivery missing"),
    ("recovery-repeats", BACK, "delivery duplicate"),
    ("delivery-rarely-lost", BUSY, "delivery missing"),
    ("delivery-rarely-doubled", BUSY, "delivery duplicate"),
    ("delivery-rarely-swapped", BUSY, "delivery disordered"),
    ("delivery-rarely-misdirected", BUSY, "to another room"),
    ("sender-rarely-included", BUSY, "to the sender"),
    ("leave-lags", BUSY, "after a leave"),
    ("join-lags", BUSY, "delivery missing"),
    ("room-rarely-mixed-up", BUSY, "to another namespace"),
    ("recovery-rarely-misses", BACK, "delivery missing"),
    ("recovery-rarely-repeats", BACK, "delivery duplicate"),
    ("newest-rarely-skipped", BUSY, "delivery missing"),
];

/// The fixtures' own times are short, so that a test can watch a heartbeat. A scenario is about something else.
const PATIENT: [(&str, &str); 5] = [
    ("PING_INTERVAL", "25000"),
    ("PING_TIMEOUT", "20000"),
    ("CONNECT_TIMEOUT", "45000"),
    ("UPGRADE_TIMEOUT", "10000"),
    ("CSR_MAX_DISCONNECTION", "60000"),
];

#[test]
fn every_fault_is_found_and_called_by_its_kind() {
    each(&FOUND, |(fault, scenario, words)| {
        let played = play([*scenario, "--fault", *fault], []);
        // As if it stood in one line.
        let output = played.output.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = output.contains(words) && output.contains(" sent ");
        match (played.code, played.failed_steps().as_slice()) {
            (Some(1), []) if told => Ok(()),
            (code, steps) => {
                Err(format!("{scenario} ended with {code:?} under {fault}: {steps:?}\n{}", played.output))
            }
        }
    });
}

#[test]
fn every_fault_that_shows_only_under_load_is_found() {
    let found: Vec<&str> = FOUND.iter().map(|(fault, ..)| *fault).collect();
    let missed: Vec<&str> = REGISTRY
        .iter()
        .filter(|fault| fault.shows == Shows::UnderLoad && !found.contains(&fault.name))
        .map(|fault| fault.name)
        .collect();
    assert!(missed.is_empty(), "nobody looks for {missed:?}");
}

#[test]
fn a_healthy_server_is_not_accused_whoever_comes_and_goes() {
    each(&[BUSY, BACK, CHURN], |scenario| proves_much(&[scenario], &[]));
}

#[test]
fn the_official_server_is_not_accused_whoever_comes_and_goes() {
    let Some(server) = Peer::NodeFixture.command_line() else { return };
    for recovery in ["1", "0"] {
        let proof = proves_much(&[CHURN, "--server", &server], &[("CSR", recovery)]);
        assert_eq!(proof, Ok(()), "with CSR={recovery}");
    }
}

#[test]
fn socketioxide_is_not_accused_whoever_comes_and_goes() {
    let Some(server) = Peer::Socketioxide.command_line() else { return };
    assert_eq!(proves_much(&[CHURN, "--server", &server], &[]), Ok(()));
}

/// Plays a scenario, whose audit has to find nothing wrong, and to have known what was right for nine pairs of ten.
/// Whatever else may be wrong with a server is not examined here.
fn proves_much(arguments: &[&str], settings: &[(&str, &str)]) -> Result<(), String> {
    let settings = PATIENT.iter().chain(settings).copied();
    let played = play(arguments.iter().copied(), settings);
    let Some(found) = &played.result()?.deliveries else { return Err(played.output.clone()) };
    let decided = found.expected + found.forbidden;
    match played.delivery_faults().is_empty() && decided > 1_000 && decided >= 9 * found.undecided {
        true => Ok(()),
        false => Err(format!("{found:#?}\n{}", played.output)),
    }
}

#[test]
fn who_is_kept_in_a_room_is_found_though_no_leave_is_answered() {
    let faults = [None, Some("leave-ignored")];
    let plays: Vec<_> =
        LEAVERS.into_iter().flat_map(|scenario| faults.map(|fault| (scenario, fault))).collect();
    each(&plays, |(scenario, fault)| {
        let flags = fault.iter().flat_map(|fault| ["--fault", fault]);
        let played = play([*scenario].into_iter().chain(flags), []);
        let is_named = played.output.contains("after a leave");
        match (played.code, played.delivery_faults().as_slice(), fault) {
            (Some(0), [], None) => Ok(()),
            (Some(1), ["delivery leaked"], Some(_)) if is_named => Ok(()),
            (code, ..) => Err(format!("{scenario} ended with {code:?} under {fault:?}\n{}", played.output)),
        }
    });
}

#[test]
fn a_client_of_which_nothing_shows_that_it_came_or_left_as_it_asked_keeps_deliveries_from_being_judged() {
    let plays: Vec<_> = UNPROVED.iter().flat_map(|play| [(play, false), (play, true)]).collect();
    each(&plays, |((scenario, fault, words), is_broken)| {
        let flags = ["--fault", fault].into_iter().filter(|_| *is_broken);
        let played = play([*scenario].into_iter().chain(flags), []);
        let is_told = played.output.contains(words);
        match (played.code, played.delivery_faults().as_slice()) {
            (Some(0), []) if is_told == *is_broken => Ok(()),
            (code, _) => {
                Err(format!("{scenario} ended with {code:?}, broken: {is_broken}\n{}", played.output))
            }
        }
    });
}

#[test]
fn who_joins_a_room_by_a_raw_packet_may_receive_what_goes_to_it() {
    let played = play([BY_HAND], []);
    assert_eq!((played.code, played.delivery_faults().as_slice()), (Some(0), &[][..]), "{}", played.output);
}

/// How the chat application may be wrong in telling who comes and goes, and what the report then says.
const TELLS: [(&str, &str); 4] = [
    ("nobody", "delivery missing"),
    ("twice", "delivery duplicate"),
    ("everyone", "to the sender"),
    ("house", "to another room"),
];

#[test]
fn an_application_that_tells_others_who_comes_and_goes_is_held_to_it() {
    let Some(server) = Peer::NodeChatApp.command_line() else { return };
    each(&TELLS, |(whom, words)| {
        let played = play([CHAT_APP, "--server", &server], [("TELLS", *whom)]);
        match played.code == Some(1) && played.output.contains(words) {
            true => Ok(()),
            false => Err(format!("telling {whom} ended with {:?}\n{}", played.code, played.output)),
        }
    });
}

#[test]
fn what_a_stranger_says_has_to_arrive_only_where_the_contract_says_so() {
    let Some(server) = Peer::NodeChatApp.command_line() else { return };
    let text = fs::read_to_string(CHAT_APP).expect("it is there");
    let refused = ", ack: { args: [{ error: you are not in kitchen }] }";
    let taken = text.replace(refused, "");
    assert_ne!(taken, text);
    let arrives = "arrives_as: chat message";
    let promising = taken.replace(arrives, &format!("{arrives}, senders: anyone"));
    assert_ne!(promising, taken);
    for (text, code, words) in [(taken, 0, ""), (promising, 1, "delivery missing: 1 of")] {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("strangers.yaml");
        fs::write(&file, text).expect("it can be written");
        let file = file.to_str().expect("a path that is text");
        let played = play([file, "--server", &server], [("STRANGERS", "ignored")]);
        assert_eq!(played.code, Some(code), "{}", played.output);
        assert!(played.output.contains(words), "{}", played.output);
    }
}

#[test]
fn without_an_audited_message_there_is_no_audit() {
    let played = play(["tests/audit/silent.yaml"], []);
    assert_eq!(played.code, Some(1), "{}", played.output);
    assert!(played.output.contains("delivery missing == 0: no data"), "{}", played.output);
}
