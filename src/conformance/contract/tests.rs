//! Which cases a contract can play, and why not the others.

use super::*;

const CHAT: &str = "broadcast: { emit: [new message, \"${body}\"], reaches: others }\n";

const ROOMS: &str = "join: { emit: [enter, \"${room}\"], ack: true }\n\
                     leave: { emit: [exit, \"${room}\"], ack: true }\n\
                     broadcast: { emit: [say, \"${room}\", \"${body}\"], reaches: others }\n";

fn source(text: &str) -> Source {
    Source { name: "app.yaml".to_owned(), text: text.to_owned() }
}

fn contract(text: &str) -> OwnContract {
    let read = OwnContract::read(&source(text), &Surroundings::without_files());
    read.unwrap_or_else(|mistake| panic!("{mistake}"))
}

/// The case as it is played by a contract.
fn by(contract: &OwnContract, vars: &str, clients: &str, script: &str) -> Case {
    let text = format!(
        "name: x\nneeds: contract\nclause: SEM-RM-01\n{vars}clients: {clients}\nscript:\n  - all: connect\n{script}"
    );
    let surroundings = Surroundings::without_files();
    let case =
        Case::read("rooms/x".to_owned(), source(&text), &surroundings).map_err(|wrong| wrong.0.to_string());
    contract.case(case.unwrap_or_else(|why| panic!("{why}")), &surroundings)
}

fn unfit(text: &str, script: &str) -> String {
    by(&contract(text), "", "{ a: 1, b: 1 }", script).unfit.unwrap_or_default()
}

const IN_A_ROOM: &str = "  - all: { join: hall }\n  - a: { broadcast: { to: hall, say: hello } }\n  - b: { expect: { said: hello } }\n";
const TO_ALL: &str = "  - a: { broadcast: { say: hello } }\n  - b: { expect: { said: hello } }\n";

#[test]
fn a_contract_plays_the_cases_for_which_it_has_words() {
    let played = by(&contract(ROOMS), "", "{ a: 1, b: 1 }", IN_A_ROOM);
    assert_eq!((played.unfit, played.namespace.as_deref()), (None, Some("/")));
    let uses: Vec<&str> = played.uses.iter().map(|feature| feature.name()).collect();
    assert_eq!(uses, ["websocket", "join by the contract", "broadcast by the contract"]);
    assert_eq!(unfit(CHAT, TO_ALL), "");
}

#[test]
fn what_a_contract_has_no_words_for_is_the_reason_why_a_case_is_not_played() {
    for (contract, script, why) in [
        (CHAT, IN_A_ROOM, "does not say how to `join`"),
        (ROOMS, TO_ALL, "goes to one room, and this names none"),
        (CHAT, "  - a: { broadcast: { from: io, say: x } }\n  - b: fence\n", "no place for this `from`"),
        (
            ROOMS,
            "  - all: { join: hall }\n  - a: { broadcast: { to: hall, except: attic, say: x } }\n",
            "no place for this `except`",
        ),
        (ROOMS, "  - b: { join: hall }\n  - a: { broadcast: { to: hall, say: x } }\n", "senders: anyone"),
        (
            ROOMS,
            "  - all: { join: hall }\n  - a: { leave: hall }\n  - a: { broadcast: { to: hall, say: x } }\n  - b: fence\n",
            "senders: anyone",
        ),
    ] {
        let told = unfit(contract, script);
        assert!(told.contains(why), "{told} instead of {why}");
    }
    let untold = ROOMS.replace("[enter, \"${room}\"], ack: true", "[enter, \"${room}\"]");
    assert!(unfit(&untold, IN_A_ROOM).contains("neither `ack` nor `confirmed_by`"));
    let strict = ROOMS.replace("reaches: others", "reaches: others, may_refuse: true");
    assert!(unfit(&strict, IN_A_ROOM).contains("may refuse"));
    let shown = ROOMS.replace("reaches: others", "reaches: others, history: true");
    assert!(unfit(&shown, IN_A_ROOM).contains("`history`"));
}

#[test]
fn a_case_that_says_from_where_is_played_where_the_application_does_just_that() {
    let from = |from: &str| format!("  - a: {{ broadcast: {{ from: {from}, say: x }} }}\n  - b: fence\n");
    let everyone = CHAT.replace("others", "everyone");
    assert_eq!(unfit(CHAT, &from("socket")), "");
    assert_eq!(unfit(&everyone, &from("io")), "");
    assert!(!unfit(&everyone, &from("socket")).is_empty());
}

#[test]
fn the_namespaces_of_a_contract_take_the_place_of_those_of_the_fixture() {
    let two = contract(&format!("namespaces: [/chat, /support]\ncontract:\n  {}", CHAT.trim_end()));
    let one = contract(&format!("namespaces: /chat\n{CHAT}"));
    let vars = "vars: { here: \"/dyn-${run}\", elsewhere: /custom }\n";
    let clients = "{ a: { namespace: \"${here}\" }, b: { namespace: \"${elsewhere}\" } }";
    let played = by(&two, vars, clients, "  - all: fence\n");
    assert_eq!((&played.unfit, played.namespace.as_deref()), (&None, Some("/chat")));
    assert_eq!(played.scenario.overrides, ["--set here='/chat'", "--set elsewhere='/support'"]);
    assert!(
        by(&one, vars, clients, "  - all: fence\n").unfit.is_some_and(|why| why.contains("one namespace"))
    );
}

#[test]
fn each_namespace_of_a_contract_may_want_credentials_of_its_own() {
    let of = |namespaces: &str| {
        OwnContract::read(
            &source(&format!("namespaces: {namespaces}\n{CHAT}")),
            &Surroundings::without_files(),
        )
    };
    let two = of("{ /chat: { auth: { token: a } }, /support: { auth: { token: b } } }").expect("it is right");
    assert_eq!(two.namespaces(), ["/chat", "/support"]);
    let played = by(&two, "", "{ a: 1, b: 1 }", "  - all: fence\n");
    let credentials = played.scenario.credentials.iter();
    let credentials: Vec<_> =
        credentials.map(|(name, auth)| (&**name, auth.fixed().expect("it is fixed").to_string())).collect();
    assert_eq!(credentials, [("/chat", r#"{"token":"a"}"#.into()), ("/support", r#"{"token":"b"}"#.into())]);
    let mixed = of("{ /chat: , /support: { auth: { token: b } } }").expect("it is right");
    assert_eq!(by(&mixed, "", "{ a: 1, b: 1 }", "  - all: fence\n").scenario.credentials.len(), 1);
    for wrong in ["{}", "{ chat: }", "{ /chat: { token: a } }", "{ /chat: { auth: { token: \"${who}\" } } }"]
    {
        let read = of(wrong).map(|contract| by(&contract, "", "{ a: 1 }", "  - all: fence\n").unfit);
        assert!(!matches!(read, Ok(None)), "{wrong}");
    }
}

#[test]
fn every_look_at_an_application_is_a_good_scenario() {
    for text in [CHAT, ROOMS] {
        let contract = contract(text);
        for verb in Verb::ALL {
            let Some(source) = contract.probe(verb, Transport::Polling) else { continue };
            let wrong = scenario::read(&source, &contract.surroundings()).err();
            assert_eq!(wrong.map(|mistake| crate::document::render(&mistake, &source)), None);
        }
    }
}

#[test]
fn what_is_no_contract_is_refused() {
    for text in
        ["[join]", "{}", "join: { emit: [enter] }", "namespaces: chat\njoin: { emit: [enter, \"${room}\"] }"]
    {
        assert!(OwnContract::read(&source(text), &Surroundings::without_files()).is_err(), "{text}");
    }
}

const OF_A_SCENARIO: &str = "vars: { tenant: acme, nick: \"${tenant}-${index}\", other: \"${alice.sid}\" }\n\
    clients:\n  alice: 1\n  crowd: { count: 2, vars: { colour: red }, rows: [{ name: ada }, { name: bob }, { name: cyd }] }\n\
    contract:\n  join: { emit: [enter, { room: \"${tenant}/${room}\", nick: \"${nick}\", name: \"${row.name}\" }], ack: true }\n  \
    broadcast: { emit: [say, \"${room}\", \"${body}\", \"${colour}\"], reaches: others }\n";

#[test]
fn a_contract_has_the_variables_and_the_rows_of_its_scenario_in_every_case() {
    let own = contract(OF_A_SCENARIO);
    let case = by(&own, "vars: { here: /chat }\n", "{ a: 2, b: 1 }", "  - all: { join: \"r${here}\" }\n");
    assert_eq!(case.unfit, None);
    let [a, b] = &case.scenario.groups[..] else { panic!("two groups") };
    let names: Vec<&str> = a.vars.iter().map(|(slot, _)| &*slot.name).collect();
    assert_eq!(names, ["here", "tenant", "nick", "colour"], "what it does not use may not be known here");
    let row = |group: &crate::scenario::Group, n| {
        group.rows.as_ref().and_then(|rows| rows.value(n, "name")).map(str::to_owned)
    };
    let dealt = [row(a, 0), row(a, 1), row(b, 0)].map(Option::unwrap_or_default);
    assert_eq!(dealt, ["ada", "bob", "cyd"], "no two clients are the same user");
    let probe = own.probe(Verb::Join, Transport::Websocket).unwrap();
    assert_eq!(scenario::read(&probe, &own.surroundings()).err().map(|mistake| mistake.message), None);
}

#[test]
fn what_a_contract_cannot_have_of_its_scenario_is_told_with_what_to_do() {
    let captured =
        "clients: { a: 1 }\ncontract: { join: { emit: [enter, \"${room}\", \"${me.id}\"], ack: true } }\n";
    let mistake = OwnContract::read(&source(captured), &Surroundings::without_files()).unwrap_err();
    let rendered = crate::document::render(&mistake, &source(captured));
    assert!(rendered.contains("`me`") && rendered.contains("the suite plays steps of its own"), "{rendered}");
    let own = contract(&OF_A_SCENARIO.replace("tenant", "here"));
    let case = by(&own, "vars: { here: /chat }\n", "{ a: 1, b: 1 }", "  - all: { join: \"r${here}\" }\n");
    assert!(case.unfit.is_some_and(|why| why.contains("both have a variable `here`")));
}
