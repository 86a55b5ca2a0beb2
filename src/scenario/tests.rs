//! What the files under `tests/check` do not show: the model behind the words.

use super::*;

const CLIENTS: &str = "name: t\nclients: { alice: 1, bob: 2, carol: 3 }\n";

fn read_text(text: &str) -> Result<Scenario, Mistake> {
    let surroundings = Surroundings::new(
        |name| (name == "TOKEN").then(|| "secret".to_owned()),
        |name| match name {
            "users.csv" => Ok(b"name,age\nada,36\nbob,41\n".to_vec()),
            _ => Err("no such file".to_owned()),
        },
    );
    read(&Source { name: "t.yaml".to_owned(), text: text.to_owned() }, &surroundings)
}

fn script(text: &str) -> Result<Scenario, String> {
    read_text(&format!("{CLIENTS}script:\n{text}")).map_err(|mistake| mistake.message)
}

fn members(act: &Act) -> &[usize] {
    match act {
        Act::Group { members, .. } => members,
        Act::Together { .. } | Act::Measure { .. } | Act::Server { .. } => &[],
    }
}

#[test]
fn groups_act_in_the_order_of_the_groups_however_they_are_called() {
    let scenario = script("  - all: connect\n  - carol,  alice: disconnect\n").unwrap();
    assert_eq!(members(&scenario.script[0]), [0, 1, 2]);
    assert_eq!(members(&scenario.script[1]), [0, 2]);
    assert!(scenario.script[1].has(2) && !scenario.script[1].has(1));
}

#[test]
fn how_long_a_run_takes_is_known_as_far_as_the_file_says_it() {
    let lasts = |text: &str| script(text).unwrap().lasts();
    assert_eq!(lasts("  - all: connect\n"), None);
    let acts = "  - all: connect
  - together:
      - alice: [ { wait: 2s }, { repeat: { for: 5s, every: 1s, steps: fence } } ]
      - bob: { repeat: { times: 3, every: 1s, steps: fence } }
  - measure: [ carol: { repeat: { times: 4, steps: { wait: 1s } } } ]
";
    assert_eq!(lasts(acts), Some(Duration::from_secs(7 + 4)));
    let endless =
        "  - all: [ connect, { repeat: { times: 1000000000, every: 720h, steps: fence } }, { wait: 1s } ]\n";
    assert!(lasts(endless) > Some(Duration::from_secs(1)));
}

/// What is predicted of such a threshold, played by six clients in three groups.
fn predicted(threshold: &str, script: &str) -> Option<String> {
    let text = format!("{CLIENTS}thresholds: [ {threshold} ]\nscript:\n{script}");
    predictions(&read_text(&text).unwrap()).pop()
}

#[test]
fn what_is_timed_of_connects_is_known_before() {
    let once = "  - all: connect\n";
    for series in ["connect", "connect.tcp", "connect.namespace", "connect.lag", "upgrade"] {
        let told = predicted(&format!("{series} p99 < 1 s"), once).unwrap_or_default();
        assert!(
            told.contains("p99 takes 300 samples, and this scenario gives at most 6"),
            "{series}: {told}"
        );
        assert_eq!(predicted(&format!("{series} p50 < 1 s"), once), None, "{series}");
    }
    let never = |threshold: &str, script: &str| {
        predicted(threshold, script).is_some_and(|told| told.contains("can never be met: nothing"))
    };
    assert!(never("reconnect p50 < 1 s", once));
    assert!(never("lag p50 < 1 s", once));
    let labelled = "  - all: connect\n  - all: { emit: { event: x }, label: ask }\n";
    assert!(never("connect p50 of ask < 1 s", labelled));
    assert_eq!(predicted("lag p50 of ask < 1 s", labelled), None);
    assert!(predicted("lag p99 < 1 s", labelled).is_some());
    let again = "  - all: [ connect, disconnect, reconnect ]\n";
    assert_eq!(predicted("reconnect p50 < 1 s", again), None);
    assert!(predicted("reconnect p50 of bob < 1 s", again).is_some());
    // Each step of the two gives its own series, and both what the phases take.
    assert!(predicted("connect p90 < 1 s", again).is_some());
    assert!(predicted("connect.tcp p90 < 1 s", again).is_some_and(|told| told.ends_with("at most 12")));
}

#[test]
fn connects_before_the_measured_part_count_and_tries_without_a_limit_are_not_predicted() {
    let measured = "  - all: connect\n  - measure: [ all: { emit: { event: x } } ]\n";
    assert_eq!(predicted("connect p50 < 1 s", measured), None);
    let retried = "  - all: { connect: { retry: { every: 1s } } }\n";
    assert_eq!(predicted("connect.tcp p99 < 1 s", retried), None);
    assert!(predicted("connect p99 < 1 s", retried).is_some());
}

#[test]
fn what_is_not_said_has_the_usual_value() {
    let scenario = script("  - all: connect\n").unwrap();
    assert_eq!((scenario.level, scenario.needs.len(), scenario.spec.len()), (Level::Must, 0, 0));
    assert!(scenario.contract.is_default());
    let fence = |scenario: &Scenario| scenario.contract.get(crate::contract::Verb::Fence).is_some();
    assert!(!fence(&scenario), "an ordinary server does not have the event");
    assert!(fence(
        &read_text("name: t\nneeds: fixture\nclients: { a: 1 }\nscript: [ { a: connect } ]\n").unwrap()
    ));
    let [alice, bob, _] = scenario.groups.as_slice() else { panic!("{:?}", scenario.groups) };
    assert_eq!((alice.count, bob.count), (1, 2));
    assert!(
        alice.namespace.is_none() && alice.auth.is_none() && alice.vars.is_empty() && alice.rows.is_none()
    );
}

#[test]
fn steps_are_numbered_in_the_order_of_the_file() {
    let scenario = script(
        "  - all: connect\n  - together:\n      - alice: { repeat: { times: 2, steps: [ { join: a }, { leave: a } ] } }\n      \
         - bob, carol: [ { join: b }, disconnect ]\n",
    )
    .unwrap();
    fn ids(acts: &[Act], found: &mut Vec<u32>) {
        fn steps(numbered: &[crate::step::Numbered], found: &mut Vec<u32>) {
            for numbered in numbered {
                found.push(numbered.id.0);
                steps(numbered.step.inner(), found);
            }
        }
        for act in acts {
            match act {
                Act::Group { steps: own, .. } => steps(own, found),
                Act::Together { branches, .. } => branches.iter().for_each(|branch| ids(branch, found)),
                Act::Measure { script, .. } => ids(script, found),
                Act::Server { .. } => {}
            }
        }
    }
    let mut found = Vec::new();
    ids(&scenario.script, &mut found);
    assert_eq!(found, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_variable_of_a_group_takes_the_place_of_the_common_one() {
    let scenario = read_text(
        "name: t\nclients: { alice: 1, bob: { vars: { colour: blue, own: 1 } } }\n\
         vars: { colour: red, room: \"${colour}-${n}\" }\n\
         script:\n  - all: connect\n  - all: { join: \"${room}\" }\n  - bob: { join: \"${own}\" }\n",
    )
    .unwrap();
    let names = |group: usize| -> Vec<(&str, Option<&serde_json::Value>)> {
        scenario.groups[group].vars.iter().map(|(slot, template)| (&*slot.name, template.fixed())).collect()
    };
    let (red, blue, one) = (serde_json::json!("red"), serde_json::json!("blue"), serde_json::json!(1));
    assert_eq!(names(0), [("colour", Some(&red)), ("room", None)]);
    assert_eq!(names(1), [("colour", Some(&blue)), ("room", None), ("own", Some(&one))]);
    assert_eq!(scenario.slots, 3);
}

#[test]
fn what_a_group_captures_is_known_to_others_from_the_next_act_of_their_branch() {
    let capture = |who: &str| format!("{who}: {{ emit: {{ event: x, ack: {{ capture: got }} }} }}");
    let send = |who: &str, what: &str| format!("{who}: {{ emit: {{ event: x, args: [\"${{{what}}}\"] }} }}");
    let connected = |rest: &str| script(&format!("  - all: connect\n{rest}"));

    let later = format!("  - {}\n  - {}\n", capture("alice"), send("bob", "alice.got"));
    assert!(connected(&later).is_ok());
    let beside =
        format!("  - together:\n      - {}\n      - {}\n", capture("alice"), send("bob", "alice.got"));
    assert!(connected(&beside).unwrap_err().contains("may not have its `got` yet"));
    let same_branch = format!(
        "  - together:\n      - [ {{ {} }}, {{ {} }} ]\n      - carol: disconnect\n",
        capture("alice"),
        send("bob", "alice.got")
    );
    assert!(connected(&same_branch).is_ok());
    let after = format!(
        "  - together:\n      - {}\n      - carol: disconnect\n  - {}\n",
        capture("alice"),
        send("bob", "alice.got")
    );
    let scenario = connected(&after).unwrap();
    assert_eq!(scenario.shared.len(), 1);
}

#[test]
fn what_the_script_keeps_may_stand_in_the_contract_above_it_and_nowhere_before_it_is_kept() {
    let read = |named: &str, keeps: &str| {
        let contract =
            format!("contract: {{ broadcast: {{ emit: [say, \"${{body}}\", \"${{{named}}}\"] }} }}\n");
        let script =
            format!("script:\n  - all: [ connect, {keeps} ]\n  - all: {{ broadcast: {{ bytes: 50 }} }}\n");
        read_text(&format!("{CLIENTS}{contract}{script}")).map_err(|mistake| mistake.message)
    };
    let expect = "{ expect: { event: x, capture: me } }";
    for (named, keeps) in [
        ("me.token", expect),
        ("number(me.id) + 1", expect),
        ("carol[n].me", expect),
        ("me", "{ set: { me: 1 } }"),
        ("me", "{ http: { get: /, capture: { me: body } } }"),
    ] {
        assert!(read(named, keeps).is_ok(), "{named} {keeps}");
    }
    let known = read("you", expect).unwrap_err();
    assert_eq!(known, "unknown word or variable `you`");
    let too_early =
        read("me", "{ emit: { event: y, args: [\"${me}\"] } }, { expect: { event: x, capture: me } }");
    assert_eq!(too_early.unwrap_err(), "`me` has no value for `alice` here");
    let taken = read("to", "{ expect: { event: x, capture: to } }").unwrap_err();
    assert!(taken.contains("stands for something else above"), "{taken}");
}

#[test]
fn a_group_that_connects_inside_of_a_branch_is_connected_there() {
    let text = "  - alice, bob: connect\n  - together:\n      - alice: { join: a }\n      - [ { carol: connect }, { carol: { join: b } } ]\n";
    assert!(script(text).is_ok());
    let text =
        "  - alice, bob: connect\n  - together:\n      - alice: { join: a }\n      - carol: { join: b }\n";
    assert_eq!(script(text).unwrap_err(), "`carol` is not connected when it does this");
}

#[test]
fn rows_and_environment_come_from_the_surroundings() {
    let scenario = read_text(
        "name: t\nclients: { users: { count: 5, rows: users.csv, auth: { name: \"${row.name}\", token: \"${env.TOKEN}\" } } }\n\
         script:\n  - all: connect\n",
    )
    .unwrap();
    let rows = scenario.groups[0].rows.as_ref().unwrap();
    assert_eq!((rows.value(3, "name"), rows.value(4, "age")), (Some("bob"), Some("36")));
    let mistake =
        read_text("name: t\nclients: { a: { rows: other.csv } }\nscript:\n  - all: connect\n").unwrap_err();
    assert_eq!(mistake.message, "cannot take rows from `other.csv`: no such file");
}

#[test]
fn the_first_mistake_at_the_top_is_told_before_those_inside() {
    let mistake = read_text("nmae: t\nclients: { a: 0 }\nscript: []\n").unwrap_err();
    assert_eq!(mistake.to_string(), "unknown key `nmae` in the scenario (did you mean `name`?)");
    let mistake = read_text("name: t\nclients: { a: 0 }\nscript: []\nvras: {}\n").unwrap_err();
    assert_eq!(mistake.to_string(), "unknown key `vras` in the scenario (did you mean `vars`?)");
}

#[test]
fn messages_of_all_clients_are_summed() {
    let text = "  - all: connect\n  - bob, carol: { repeat: { times: 10, steps: [ { join: a }, { leave: a } ] } }\n  - alice: { join: a }\n";
    assert!(explain(&script(text).unwrap()).contains("sends 101 messages\n"));
}

#[test]
fn a_scenario_is_read_anew_once_the_server_is_known() {
    let text = "name: t\ntakes: \"${server.interval * 2}ms\"\nclients: { alice: 1 }\nscript: [ { alice: connect } ]\n";
    let source = Source { name: "t.yaml".to_owned(), text: text.to_owned() };
    let surroundings = Surroundings::without_files();
    let takes = |surroundings: &Surroundings| read(&source, surroundings).unwrap().takes;
    assert_eq!(takes(&surroundings), Duration::from_secs(50));
    let server = Timings { interval: Duration::from_millis(300), ..Timings::default() };
    assert_eq!(takes(&surroundings.with(server)), Duration::from_millis(600));
}
