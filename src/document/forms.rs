//! What to write where a map of fields is due and something else stands.

/// What is read there, as in "expected a map of fields for …", and its right form.
const FORMS: &[(&str, &str)] = &[
    ("the step `connect`", "write `connect`, or `connect: { namespace: /chat }`; `--url` names the server"),
    ("the step `reconnect`", "write `reconnect`, or `reconnect: { retry: true }`"),
    ("the step `open`", "write `open`, or `open: { refused: 401 }`"),
    ("the step `upgrade`", "write `upgrade`, or `upgrade: { within: 2s }`"),
    ("the step `fence`", "write `fence`, or `fence: { within: 1s }`"),
    ("the step `repeat`", "write `repeat: { times: 5, steps: [ … ] }`"),
    ("the step `http`", "write `http: { get: /path, expect: { status: 200 } }`"),
    ("the step `assert`", "write `assert: { value: \"${reply}\", is: ok }`"),
    ("the step `frame`", "write `frame: { opcode: ping, payload: hello }`"),
    ("the step `expect_closed`", "write `expect_closed`, or `expect_closed: { within: 1s }`"),
    ("the response", "write `response: { event: answer }`"),
    ("the contract for `join`", "write `join: { emit: [enter, \"${room}\"] }`, with the name of your event"),
    ("the contract for `leave`", "write `leave: { emit: [exit, \"${room}\"] }`, with the name of your event"),
    (
        "the contract for `broadcast`",
        "write `broadcast: { emit: [say, \"${room}\", \"${body}\"] }`, with the name of your event",
    ),
    ("the contract for `fence`", "write `fence: { emit: [who], ack: true }`, with the name of your event"),
    ("the contract", "write `contract: { join: { emit: [enter, \"${room}\"] } }`"),
    ("what confirms it", "write `confirmed_by: { event: joined }`"),
    ("what tells that the server is ready", "write `ready: { event: welcome }`, with the name of your event"),
    ("the audit", "write `audit: false`, or `audit: { window: 5s }`"),
    ("`measure`", "write `measure: { settle: 1s, script: [ … ] }`"),
    ("`capacity`", "write `capacity: { axis: rate, from: 100/s, to: 5000/s }`"),
];

/// The right form of what is read there.
pub(super) fn form(what: &str) -> Option<&'static str> {
    FORMS.iter().find(|(known, _)| *known == what).map(|(_, form)| *form)
}
