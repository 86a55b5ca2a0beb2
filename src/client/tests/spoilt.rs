//! What came instead of what was wanted, and was lost or spoilt on its way.

use super::*;

/// The rule at whose door a failed check is laid: a client plays one step, hears this instead of what it wants, and waits.
#[track_caller]
fn assert_laid_at(rule: impl Into<Option<Rule>>, step: &str, heard: &str) {
    let rule = rule.into();
    connected(&format!("- alice: {step}"), |mut play| {
        play.begin(1);
        play.hear(heard);
        play.pass(250);
        play.pass(1000);
        assert_eq!(play.found.failed[0].after, rule, "{heard}");
    });
}

#[test]
fn an_event_that_came_too_early_tells_whether_the_wanted_one_was_late_or_lost() {
    let expect = "{ expect: { event: n, args: ['${i}'], times: 3, within: 1s } }";
    for (heard, rule) in [
        (&["42[\"n\",1]", "42[\"n\",0]"][..], Some(Rule::EventOrder)),
        (&["42[\"n\",1]", "42[\"n\",2]"], Some(Rule::EventLost)),
        (&["42[\"n\",0]"], Some(Rule::EventLost)),
        (&["42[\"n\",\"0\"]"], Some(Rule::NumberText)),
        (&["42[\"n\",\"x\"]", "42[\"n\",0]"], Some(Rule::EventOrder)),
    ] {
        connected(&format!("- alice: {expect}"), |mut play| {
            play.begin(1);
            for frame in heard {
                play.hear(frame);
            }
            play.pass(250);
            play.pass(1000);
            let after: Vec<_> = play.found.failed.iter().map(|failure| failure.after).collect();
            assert_eq!(after, [rule], "{heard:?}");
        });
    }
}

#[test]
fn attachments_that_changed_places_are_told_from_others() {
    let expect = "{ expect: { event: n, args: [{ $hex: '01' }, { $hex: '02' }], within: 1s } }";
    for (second, rule) in [(1, Rule::AttachmentOrder), (3, Rule::BinaryLost)] {
        connected(&format!("- alice: {expect}"), |mut play| {
            play.begin(1);
            play.hear(r#"452-["n",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
            for byte in [2, second] {
                let bytes = vec![byte];
                play.call(|client, io| client.handle_frame(io, Frame::Binary(bytes.as_slice().into())));
            }
            play.pass(250);
            assert_eq!(play.found.failed[0].after, Some(rule));
        });
    }
}

#[test]
fn a_list_that_lacks_some_of_its_items_is_the_wanted_one() {
    let expect = "{ expect: { event: n, args: [1, { a: $any }, [2, 3]], within: 1s } }".replace("$any", "2");
    for (heard, rule) in [
        (r#"42["n",1,{"a":2}]"#, Rule::ArgumentsLost),
        (r#"42["n",{"a":2},[2,3]]"#, Rule::ArgumentsLost),
        (r#"42["n",[2,3],1]"#, Rule::EventLost),
        (r#"42["n",1,{"a":2},[2,3],4]"#, Rule::EventLost),
    ] {
        assert_laid_at(rule, &expect, heard);
    }
}

#[test]
fn a_broadcast_that_says_the_right_text_without_its_stamp_has_lost_an_argument() {
    let expect = "{ expect: { said: hello, within: 1s } }";
    for (heard, rule) in
        [(r#"42["said","hello"]"#, Rule::ArgumentsLost), (r#"42["said","else"]"#, Rule::EventLost)]
    {
        assert_laid_at(rule, expect, heard);
    }
}

#[test]
fn an_event_says_what_became_of_its_arguments() {
    let expect = "{ expect: { event: n, args: ['5 €', { a: true, b: null }], within: 1s } }";
    for (heard, rule) in [
        (r#"42["n","5 ?",{"a":true,"b":null}]"#, Rule::TextSpoilt),
        (r#"42["n","5 €",{"a":1,"b":null}]"#, Rule::ValueSpoilt),
        (r#"42["n","5 €",{"a":true}]"#, Rule::ValueSpoilt),
        (r#"42["n",["5 €",{"a":true,"b":null}]]"#, Rule::ArgumentsLost),
        (r#"42["n","6 €",{"a":true,"b":null}]"#, Rule::EventLost),
    ] {
        assert_laid_at(rule, expect, heard);
    }
}

#[test]
fn an_answer_says_what_became_of_its_data() {
    let emit = "{ emit: { event: ask, ack: { args: [a, { b: 1 }], within: 1s } } }";
    for (heard, rule) in [
        ("430[]", Some(Rule::AckSpoilt)),
        (r#"430["a"]"#, Some(Rule::AckSpoilt)),
        (r#"430[["a",{"b":1}]]"#, Some(Rule::AckSpoilt)),
        (r#"430[null,null]"#, Some(Rule::AckSpoilt)),
        (r#"430["a",{"b":"1"}]"#, Some(Rule::NumberText)),
        (r#"430["c",{"b":1}]"#, None),
    ] {
        assert_laid_at(rule, emit, heard);
    }
}

#[test]
fn a_raw_answer_that_is_not_the_wanted_one_has_lost_its_data_or_its_bytes() {
    for (wanted, heard, rule) in [
        (r#"^437\[\s*"a""#, "437[]", Rule::AckSpoilt),
        (r#"(?s)^461-7\["#, "437[null]", Rule::AckBytes),
        (r#"^461-7\[\s*"a""#, "461-7[]", Rule::AckBytes),
    ] {
        let wait =
            format!("{{ expect_frame: {{ text: {{ $match: '{wanted}' }}, order: any, within: 1s }} }}");
        connected(&format!("- alice: {{ send: '427[\"ask\"]' }}\n- alice: {wait}"), |mut play| {
            play.begin(1);
            play.begin(2);
            play.hear(heard);
            play.pass(1000);
            assert_eq!(play.found.failed[0].after, Some(rule), "{wanted} {heard}");
        });
    }
}

#[test]
fn what_is_missing_after_bytes_were_sent_may_be_they() {
    let script = "- alice: { emit: { event: message, args: [{ $bytes: 2 }] } }\n- alice: { expect: { event: n, within: 1s } }";
    connected(script, |mut play| {
        play.begin(1);
        play.begin(2);
        play.pass(1000);
        assert_eq!(play.found.failed[0].after, Some(Rule::BinaryLost));
    });
}

#[test]
fn an_end_after_an_answered_ping_may_be_that_of_a_session_that_was_not_kept() {
    for (heard, rule) in [(&["2"][..], Some(Rule::SessionLost)), (&[], None)] {
        connected("- alice: { expect: { event: n, within: 1s } }", |mut play| {
            play.begin(1);
            for frame in heard {
                play.hear(frame);
            }
            play.call(|client, io| {
                client.handle_lost(io, Channel::WebSocket, Lost::Closed { code: None, reason: String::new() })
            });
            assert_eq!(play.found.failed[0].after, rule, "{heard:?}");
        });
    }
}
