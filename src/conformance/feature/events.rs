//! The events of the fixture, and how to look for each.

/// An event of the fixture, and how to find out whether a server has it.
pub(super) struct Event {
    pub(super) name: &'static str,
    /// What its answer is called in a case, if it has a name of its own.
    pub(super) answer: Option<&'static str>,
    /// The script whose last step passes where it is there.
    pub(super) probe: &'static str,
    /// Whether that step tells it from any event of a server that acknowledges all of them with the same.
    pub(super) is_telling: bool,
}

/// `t:sockets` with another answer than to its commands, which a server may have without it.
pub(super) const LIST: &str = "t:sockets list";

pub(super) const EVENTS: [Event; 15] = [
    Event {
        name: "auth",
        answer: None,
        probe: "- a: { expect: { event: auth, within: 1s } }",
        is_telling: true,
    },
    Event {
        name: "message",
        answer: Some("message-back"),
        probe: "- a: [ { emit: { event: message, args: [1] } }, { expect: { event: message-back, within: 1s } } ]",
        is_telling: true,
    },
    Event {
        name: "message-with-ack",
        answer: None,
        // Nobody says just this word who says the same to all.
        probe: "- a: { set: { word: 'word ${random(100000, 999999)}' } }\n\
                - a: { emit: { event: message-with-ack, args: ['${word}', 2], \
                ack: { args: ['${word}', { $one_of: [2, '2'] }], within: 1s } } }",
        is_telling: true,
    },
    Event {
        name: "t:join",
        answer: None,
        probe: "- a: { emit: { event: 't:join', args: [[]], ack: { args: [{ $type: array }], within: 1s } } }",
        is_telling: false,
    },
    Event {
        name: "t:leave",
        answer: None,
        probe: "- a: { emit: { event: 't:leave', args: [nowhere], ack: { args: [{ $type: array }], within: 1s } } }",
        is_telling: false,
    },
    Event {
        name: "t:cast",
        answer: None,
        probe: "- a: { emit: { event: 't:cast', args: [{ from: io, to: [nowhere], except: [], flags: [] }, n, []], \
                ack: { within: 1s } } }",
        is_telling: false,
    },
    Event {
        name: "t:cast-ack",
        answer: None,
        probe: "- a: { emit: { event: 't:cast-ack', args: [{ from: io, to: [nowhere], except: [], flags: [] }, 100, n, \
                []], ack: { args: [{ $type: boolean }, { $type: array }], within: 1s } } }",
        is_telling: false,
    },
    Event {
        name: "t:ask",
        answer: None,
        probe: "- a: { emit: { event: 't:ask', args: [100, n, []], ack: { args: [{ $type: boolean }], within: 1s } } }",
        is_telling: false,
    },
    Event {
        name: "t:sockets",
        answer: None,
        probe: "- a: { emit: { event: 't:sockets', args: [{ to: [nowhere] }, leave, elsewhere], ack: { within: 1s } } }",
        is_telling: false,
    },
    Event {
        name: LIST,
        answer: None,
        probe: "- a: { emit: { event: 't:sockets', args: [{ to: [nowhere] }, list, null], \
                ack: { args: [{ $type: array }], within: 1s } } }",
        is_telling: false,
    },
    Event {
        name: "t:burst",
        answer: None,
        probe: "- a: [ { emit: { event: 't:burst', args: [1, 1, false] } }, { expect: { event: n, within: 1s } } ]",
        is_telling: true,
    },
    Event {
        name: "t:ack-twice",
        answer: None,
        probe: "- a: { emit: { event: 't:ack-twice', args: [], \
                ack: { args: [{ $one_of: [1, '1'] }], within: 1s } } }",
        is_telling: false,
    },
    Event {
        name: "t:who",
        answer: None,
        probe: "- a: { emit: { event: 't:who', args: [], ack: { args: [{ $contains: { id: { $type: string } } }], \
                within: 1s } } }",
        is_telling: true,
    },
    Event {
        name: "t:bye",
        answer: None,
        // Either answer will do: whether the server does put the client out is for the cases to judge.
        probe: "- a: { send: '421[\"t:bye\",false]' }\n\
                - a: { expect_frame: { text: { $match: '^4(1|31)' }, order: any, within: 1s } }",
        is_telling: false,
    },
    Event {
        name: "gone",
        answer: None,
        probe: "- a: { emit: { event: 't:join', args: [watch], ack: { within: 1s } } }\n\
                - b: [ { connect: { within: 1s } }, disconnect ]\n\
                - a: { expect: { event: gone, within: 1s } }",
        is_telling: true,
    },
];
