use super::*;
use crate::conformance::example::result;
use crate::report::result::{CheckResult, FailureResult};

fn error(rule: Rule) -> ErrorResult {
    let example = ErrorExample { client: "alice".to_owned(), detail: "as seen".to_owned(), wire: Vec::new() };
    ErrorResult {
        cause: rule.requirement().to_owned(),
        count: 2,
        is_wrong: true,
        rule: Some(rule.name().to_owned()),
        examples: vec![example],
    }
}

/// A case about this clause that did not pass because the server broke rules; none of its checks failed.
fn wronged(id: &str, clause: &str, rules: &[Rule]) -> CaseResult {
    let mut case = result(id, None, Verdict::Fail);
    case.clause = vec![clause.to_owned()];
    case.checks = Vec::new();
    case.errors = rules.iter().copied().map(error).collect();
    case
}

/// A case about this clause in which a check failed after that rule was broken.
fn stopped(id: &str, clause: &str, after: Option<Rule>) -> CaseResult {
    let mut case = result(id, None, Verdict::Fail);
    case.clause = vec![clause.to_owned()];
    let after = after.map(|rule| rule.name().to_owned());
    let failures = |check: &CheckResult| -> Vec<FailureResult> {
        check
            .failures
            .iter()
            .map(|failure| FailureResult { after: after.clone(), ..failure.clone() })
            .collect()
    };
    case.checks =
        case.checks.iter().map(|check| CheckResult { failures: failures(check), ..check.clone() }).collect();
    case
}

fn told(cases: &[CaseResult]) -> Vec<(Verdict, Option<&str>)> {
    cases.iter().map(|case| (case.verdict, case.by.as_deref())).collect()
}

#[test]
fn a_rule_that_many_cases_see_broken_is_one_finding_and_they_pass() {
    let mut cases = vec![
        wronged("rooms/one", "SEM-RM-01", &[Rule::PollAtClose]),
        wronged("rooms/two", "SEM-RM-02", &[Rule::PollAtClose]),
    ];
    let findings = attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Pass, None), (Verdict::Pass, None)]);
    assert_eq!(findings.len(), 1);
    let finding = &findings[0];
    assert_eq!((finding.clause.as_deref(), finding.verdict), (Some("EIO-CL-01"), Verdict::Warn));
    assert_eq!(
        (finding.count, &finding.seen[..]),
        (4, &["rooms/one".to_owned(), "rooms/two".to_owned()][..])
    );
    assert!(cases.iter().all(|case| case.errors.is_empty()), "they are told once");
    assert_eq!(finding.example.as_ref().map(|example| example.detail.as_str()), Some("as seen"));
}

#[test]
fn a_case_fails_for_the_rule_of_its_own_clause() {
    let mut cases = vec![wronged("binary/contiguous", "SIO-BIN-07", &[Rule::AttachmentDue])];
    let findings = attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Fail, None)]);
    assert_eq!(findings[0].failed, ["binary/contiguous"]);
    assert!(!cases[0].errors.is_empty(), "it has to be told in the case");
}

#[test]
fn a_case_that_could_not_go_on_is_blocked_by_the_clause_that_was_broken() {
    let mut cases = vec![stopped("rooms/one", "SEM-RM-01", Some(Rule::Spelling))];
    let findings = attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Blocked, Some("SIO-PK-02"))]);
    assert_eq!(findings[0].blocked, ["rooms/one"]);
}

#[test]
fn a_failure_beside_a_harmless_offence_is_the_cases_own() {
    let mut case = stopped("rooms/one", "SEM-RM-01", None);
    case.errors = vec![error(Rule::PollAtClose)];
    let mut cases = vec![case];
    let findings = attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Fail, None)]);
    assert_eq!(findings[0].seen, ["rooms/one"]);
}

#[test]
fn an_end_is_laid_at_a_clause_only_where_a_case_about_it_showed_it() {
    let others = || stopped("order/one", "SEM-OR-01", Some(Rule::PostPackets));
    let mut cases = vec![others()];
    assert_eq!(attribute(&mut cases), []);
    assert_eq!(told(&cases), [(Verdict::Fail, None)]);

    let mut cases = vec![others(), stopped("polling/many", "EIO-LP-02", Some(Rule::PostPackets))];
    let findings = attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Blocked, Some("EIO-LP-02")), (Verdict::Fail, None)]);
    assert_eq!(
        (&findings[0].failed[..], &findings[0].blocked[..]),
        (&["polling/many".to_owned()][..], &["order/one".to_owned()][..])
    );
}

#[test]
fn where_the_version_before_was_played_a_clause_is_told_by_the_name_that_it_has_there() {
    let lost = |id: &str, clause: &str| stopped(id, clause, Some(Rule::PostPackets));
    let mut cases = vec![lost("order/one", "SEM-OR-01"), lost("older/many", "EIO3-PL-02")];
    let findings = attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Blocked, Some("EIO3-PL-02")), (Verdict::Fail, None)]);
    assert!(cases[0].reason.contains("broke EIO3-PL-02"), "{}", cases[0].reason);
    assert_eq!(findings[0].clause.as_deref(), Some("EIO3-PL-02"));
    assert_eq!(findings[0].failed, ["older/many"]);
}

#[test]
fn a_case_that_ends_for_want_of_a_ping_is_blocked_and_never_fails_by_it() {
    let mut cases = vec![stopped("order/one", "SEM-OR-01", Some(Rule::PingMissing))];
    let findings = attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Blocked, Some("EIO-HB-01"))]);
    assert_eq!(findings[0].blocked, ["order/one"]);
}

#[test]
fn a_case_about_another_clause_of_heartbeats_fails_by_a_ping_that_is_missing() {
    let mut cases = vec![stopped("heartbeat/after-an-upgrade", "EIO-HB-11", Some(Rule::PingMissing))];
    attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Fail, None)]);
}

#[test]
fn a_case_about_upgrades_fails_by_the_ping_that_its_session_lacks_and_accuses_no_heartbeat() {
    let upgrade = || stopped("upgrade/upgrade-timeout", "EIO-UP-16", Some(Rule::PingMissing));
    let mut cases = vec![upgrade()];
    assert_eq!(attribute(&mut cases), []);
    assert_eq!(told(&cases), [(Verdict::Fail, None)]);

    let mut cases = vec![upgrade(), stopped("order/one", "SEM-OR-01", Some(Rule::PingMissing))];
    attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Fail, None), (Verdict::Blocked, Some("EIO-HB-01"))]);
}

#[test]
fn a_wrong_without_a_rule_and_a_limit_of_our_own_stay_with_their_case() {
    let mut nameless = error(Rule::Json);
    nameless.rule = None;
    let mut case = wronged("rooms/one", "SEM-RM-01", &[Rule::Json]);
    case.errors.push(nameless);
    let mut cases = vec![case, wronged("rooms/two", "SEM-RM-01", &[Rule::MessageLimit])];
    let findings = attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Fail, None), (Verdict::Fail, None)]);
    assert_eq!(findings.len(), 1);
}

#[test]
fn a_packet_that_looks_wrong_excuses_no_case_about_packets_or_the_layer_below() {
    for (clause, rule) in [
        ("EIO-LP-03", Rule::AttachmentStray),
        ("EIO-LP-20", Rule::PollPacket),
        ("SIO-EV-08", Rule::AckId),
        ("SEM-VO-03", Rule::AttachmentDue),
        ("SIO-PK-02", Rule::AttachmentCount),
    ] {
        let mut cases = vec![stopped("a/case", clause, Some(rule))];
        attribute(&mut cases);
        assert_eq!(told(&cases), [(Verdict::Fail, None)], "{clause} {rule:?}");
    }
}

#[test]
fn a_packet_that_can_be_read_and_is_out_of_place_excuses_every_case_that_could_not_go_on() {
    for (clause, rule, owner) in [
        ("EIO-UP-06", Rule::EventEarly, "SEM-OR-08"),
        ("SIO-NS-11", Rule::EventEarly, "SEM-OR-08"),
        ("EIO-HB-01", Rule::ConnectReply, "SIO-NS-01"),
        ("EIO-LP-09", Rule::ConnectPayload, "SIO-NS-01"),
        ("EIO-WS-04", Rule::NamespaceUnasked, "SIO-NS-02"),
        ("SEM-CSR-10", Rule::NamespaceUnknown, "SIO-NS-22"),
    ] {
        let mut cases = vec![stopped("a/case", clause, Some(rule))];
        attribute(&mut cases);
        assert_eq!(told(&cases), [(Verdict::Blocked, Some(owner))], "{clause} {rule:?}");
    }
    // It is what these cases are about, or what a broken order makes of good packets.
    for (clause, rule) in [
        ("SEM-BC-18", Rule::EventEarly),
        ("EIO-LP-03", Rule::EventEarly),
        ("SEM-OR-04", Rule::NamespaceUnasked),
        ("SIO-NS-05", Rule::NamespaceUnasked),
    ] {
        let mut cases = vec![stopped("a/case", clause, Some(rule))];
        attribute(&mut cases);
        assert_eq!(told(&cases), [(Verdict::Fail, None)], "{clause} {rule:?}");
    }
}

#[test]
fn a_field_of_the_handshake_excuses_cases_about_the_engine_and_no_others() {
    for (clause, verdict) in [
        ("EIO-HS-04", (Verdict::Blocked, Some("EIO-HS-02"))),
        ("EIO-HS-03", (Verdict::Fail, None)),
        ("SEM-RM-01", (Verdict::Fail, None)),
    ] {
        let mut case = stopped("a/case", clause, None);
        case.errors = vec![error(Rule::HandshakeField)];
        let mut cases = vec![case];
        attribute(&mut cases);
        assert_eq!(told(&cases), [verdict], "{clause}");
    }
}

#[test]
fn what_was_not_played_for_a_rule_that_was_broken_before_stands_beneath_its_finding() {
    let mut case = wronged("rooms/one", "SEM-RM-01", &[Rule::PostAnswer]);
    (case.verdict, case.by) = (Verdict::Blocked, Some("EIO-HTTP-02".to_owned()));
    let findings = attribute(std::slice::from_mut(&mut case));
    assert_eq!((case.verdict, case.by.as_deref()), (Verdict::Blocked, Some("EIO-HTTP-02")));
    assert_eq!((findings.len(), &findings[0].blocked[..]), (1, &["rooms/one".to_owned()][..]));
}

#[test]
fn packets_that_look_wrong_over_every_transport_excuse_the_layers_below_too() {
    let seen = |transport, number| {
        let mut case = wronged(&format!("rooms/{number}"), "SEM-RM-01", &[Rule::PacketType]);
        case.transport = Some(transport);
        case
    };
    for (several, told_of_it) in [(2, (Verdict::Fail, None)), (3, (Verdict::Blocked, Some("SIO-PK-01")))] {
        let over = |transport| (0..several).map(move |number| seen(transport, number));
        let mut cases: Vec<CaseResult> = over(Transport::Polling).chain(over(Transport::Websocket)).collect();
        cases.push(stopped("polling/one", "EIO-LP-21", Some(Rule::PacketType)));
        cases.push(stopped("packets/every-type", "SIO-PK-01", Some(Rule::PacketType)));
        attribute(&mut cases);
        let last = &told(&cases)[2 * several..];
        assert_eq!(last, [told_of_it, (Verdict::Fail, None)], "{several} over each");
    }
}

#[test]
fn a_poll_that_many_cases_saw_without_an_answer_is_believed_and_a_post_is_not() {
    for (rule, number, verdict) in [
        (Rule::PollAnswer, 9, (Verdict::Fail, None)),
        (Rule::PollAnswer, 10, (Verdict::Blocked, Some("EIO-LP-01"))),
        (Rule::PostPackets, 10, (Verdict::Fail, None)),
    ] {
        let one = |number| stopped(&format!("order/{number}"), "SEM-OR-01", Some(rule));
        let mut cases: Vec<CaseResult> = (0..number).map(one).collect();
        attribute(&mut cases);
        assert_eq!(told(&cases), vec![verdict; number], "{rule:?} in {number}");
    }
}

#[test]
fn a_case_that_waited_in_vain_is_blocked_unless_it_is_about_what_was_broken() {
    let mut cases = [
        wronged("rooms/one", "SEM-RM-01", &[Rule::PollPacket]),
        wronged("polling/two", "EIO-LP-03", &[Rule::PollPacket]),
        wronged("rooms/three", "SEM-RM-03", &[Rule::PollAtClose]),
    ];
    let is_ruinous = |rule: Rule, clause: &str| is_ruinous(rule, &[clause.to_owned()]);
    assert!(!is_ruinous(Rule::PollPacket, "EIO-LP-20"), "it may be the work of what the case is about");
    assert!(!is_ruinous(Rule::AckUnknown, "SIO-PK-15"), "a packet that looks wrong may be, too");
    assert!(is_ruinous(Rule::AckUnknown, "SEM-RM-01"));
    for case in &mut cases {
        settle(case);
        give_up(case);
    }
    let by = Some("EIO-LP-03");
    assert_eq!(told(&cases), [(Verdict::Blocked, by), (Verdict::Fail, None), (Verdict::Pass, None)]);
}

#[test]
fn what_is_lost_over_a_websocket_too_is_laid_at_no_post() {
    let posted = || stopped("polling/many", "EIO-LP-02", Some(Rule::PostPackets));
    assert_eq!(attribute(&mut [posted()]).len(), 1);

    let over_websocket = |verdict: Verdict| CaseResult {
        transport: Some(Transport::Websocket),
        verdict,
        ..stopped("events/order", "SIO-EV-09", None)
    };
    let mut cases = vec![posted(), over_websocket(Verdict::Fail)];
    assert_eq!(attribute(&mut cases), []);
    assert_eq!(told(&cases)[0], (Verdict::Fail, None), "it answers for itself");
    assert_eq!(attribute(&mut [posted(), over_websocket(Verdict::Pass)]).len(), 1);
}

#[test]
fn a_session_that_was_lost_where_a_client_acted_by_hand_is_a_sign_and_no_evidence() {
    let by_hand = || stopped("polling/echo", "EIO-LP-01", Some(Rule::SessionLost));
    let mut many: Vec<CaseResult> = (0..20).map(|_| by_hand()).collect();
    assert_eq!(attribute(&mut many), [], "a client that acts by hand may have ended it");

    let mut cases = vec![by_hand(), stopped("heartbeat/five-cycles", "EIO-HB-01", Some(Rule::SessionLost))];
    attribute(&mut cases);
    assert_eq!(told(&cases)[0], (Verdict::Blocked, Some("EIO-HB-01")));
}

#[test]
fn events_that_come_twice_block_what_waits_for_others_where_the_case_about_that_shows_it() {
    let others = || stopped("broadcast/one", "SEM-BC-04", Some(Rule::EventTwice));
    let mut cases = vec![others()];
    assert_eq!(attribute(&mut cases), [], "the application may have wanted it");
    let mut cases = vec![others(), stopped("order/once", "SEM-OR-09", Some(Rule::EventTwice))];
    attribute(&mut cases);
    assert_eq!(told(&cases)[0], (Verdict::Blocked, Some("SEM-OR-09")));
}

#[test]
fn what_is_lost_blocks_what_waits_for_it_where_the_case_about_that_shows_it() {
    let lost = |id: &str, clause: &str, rule: Rule| stopped(id, clause, Some(rule));
    let waits = || lost("rooms/one", "SEM-RM-04", Rule::EventLost);
    assert_eq!(attribute(&mut [waits()]), [], "a room may have been the reason");
    let mut cases = vec![waits(), lost("order/lost", "SEM-OR-10", Rule::EventLost)];
    attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Blocked, Some("SEM-OR-10")), (Verdict::Fail, None)]);
}

#[test]
fn a_sign_that_nothing_shows_leaves_room_for_the_one_behind_it() {
    let mut cases = vec![
        stopped("rooms/one", "SEM-RM-04", Some(Rule::PostPackets)),
        stopped("order/lost", "SEM-OR-10", Some(Rule::EventLost)),
    ];
    let findings = attribute(&mut cases);
    assert_eq!(told(&cases)[0], (Verdict::Blocked, Some("SEM-OR-10")));
    assert_eq!((&findings[0].blocked[..], findings.len()), (&["rooms/one".to_owned()][..], 1));
}

#[test]
fn what_is_lost_where_nothing_upgrades_is_not_laid_at_upgrades() {
    let upgraded = || {
        vec![
            stopped("rooms/one", "SEM-RM-04", Some(Rule::UpgradeLoss)),
            stopped("upgrade/two", "EIO-UP-06", Some(Rule::UpgradeLoss)),
        ]
    };
    let mut cases = upgraded();
    attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Blocked, Some("EIO-UP-07")), (Verdict::Fail, None)]);
    let mut cases = upgraded();
    cases.push(stopped("order/lost", "SEM-OR-10", Some(Rule::EventLost)));
    attribute(&mut cases);
    let lost = (Verdict::Blocked, Some("SEM-OR-10"));
    assert_eq!(told(&cases), [lost, lost, (Verdict::Fail, None)]);
}

#[test]
fn a_second_namespace_that_is_refused_everywhere_is_told_once() {
    let refused = |id: &str, clause: &str| stopped(id, clause, Some(Rule::NamespaceAlone));
    let mut alone = vec![refused("binary/namespace", "SIO-BIN-18")];
    assert_eq!(attribute(&mut alone), [], "it may want credentials");
    let mut cases = vec![refused("binary/namespace", "SIO-BIN-18"), refused("namespaces/many", "SEM-NS-01")];
    attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Blocked, Some("SEM-NS-01")), (Verdict::Fail, None)]);
}

#[test]
fn what_comes_first_after_an_upgrade_that_lost_the_answer_to_connect_is_not_early() {
    let shows = stopped("upgrade/nothing-is-lost", "EIO-UP-07", Some(Rule::UpgradeLoss));
    let mut early = wronged("rooms/one", "SEM-RM-01", &[Rule::EventEarly]);
    early.transport = Some(Transport::Upgrade);
    let mut cases = vec![shows, early];
    let findings = attribute(&mut cases);
    assert_eq!(findings.iter().map(|finding| &*finding.rule).collect::<Vec<_>>(), ["engine.upgrade-loss"]);
}

#[test]
fn a_clause_that_nobody_keeps_who_breaks_a_rule_is_blocked_by_it_at_any_client() {
    let shows = stopped("connection/sid-differs-between-namespaces", "SIO-NS-09", Some(Rule::SidShared));
    let neighbour = stopped("namespaces/loss-is-told-once-per-namespace", "SEM-NS-06", None);
    let other = stopped("namespaces/apart", "SEM-NS-02", None);
    let mut cases = vec![shows.clone(), neighbour.clone(), other];
    attribute(&mut cases);
    let expected = [(Verdict::Fail, None), (Verdict::Blocked, Some("SIO-NS-09")), (Verdict::Fail, None)];
    assert_eq!(told(&cases), expected);
    let mut alone = vec![neighbour];
    attribute(&mut alone);
    assert_eq!(told(&alone), [(Verdict::Fail, None)], "nothing shows that ids are shared");
}

#[test]
fn what_asks_for_an_answer_may_be_lost_itself() {
    let mut cases = vec![
        stopped("rooms/one", "SEM-RM-04", Some(Rule::AckMissing)),
        stopped("order/lost", "SEM-OR-10", Some(Rule::EventLost)),
    ];
    attribute(&mut cases);
    assert_eq!(told(&cases)[0], (Verdict::Blocked, Some("SEM-OR-10")));
}

#[test]
fn posts_of_several_packets_explain_what_is_missing_where_it_was_posted() {
    let on = |transport| CaseResult {
        transport: Some(transport),
        ..stopped("rooms/one", "SEM-RM-04", Some(Rule::AckMissing))
    };
    let mut cases = vec![
        on(Transport::Polling),
        on(Transport::Websocket),
        stopped("polling/bytes", "EIO-LP-04", Some(Rule::PostBinary)),
        stopped("polling/many", "EIO-LP-02", Some(Rule::PostPackets)),
    ];
    attribute(&mut cases);
    let blocked = (Verdict::Blocked, Some("EIO-LP-02"));
    assert_eq!(told(&cases)[..2], [blocked, (Verdict::Fail, None)]);
    assert_eq!(told(&cases)[2], (Verdict::Fail, None), "it was not played over polling");
    cases[2].needs.push(Need::Polling);
    attribute(&mut cases);
    assert_eq!(told(&cases)[2], blocked, "an event and its attachments are several packets");
}

#[test]
fn bytes_that_are_lost_everywhere_are_not_laid_at_posts() {
    let lost = |id: &str, clause: &str, rule: Rule| stopped(id, clause, Some(rule));
    let mut cases = vec![
        lost("polling/bytes", "EIO-LP-04", Rule::PostBinary),
        lost("binary/nested", "SIO-BIN-06", Rule::PostBinary),
        CaseResult {
            transport: Some(Transport::Websocket),
            ..lost("binary/event", "SIO-BIN-01", Rule::BinaryLost)
        },
    ];
    attribute(&mut cases);
    let blocked = (Verdict::Blocked, Some("SIO-BIN-01"));
    assert_eq!(told(&cases), [blocked, blocked, (Verdict::Fail, None)]);
}

#[test]
fn arguments_that_are_lost_are_told_once() {
    let lost = |id: &str, clause: &str| stopped(id, clause, Some(Rule::ArgumentsLost));
    let mut cases = vec![lost("reasons/one", "SEM-DR-01")];
    assert_eq!(attribute(&mut cases), [], "the application may say less");
    cases.push(lost("events/echo", "SIO-EV-01"));
    attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Blocked, Some("SIO-EV-01")), (Verdict::Fail, None)]);
}

#[test]
fn an_answer_without_its_data_is_told_of_acknowledgements_unless_the_question_had_lost_them() {
    let answer = |id: &str, clause: &str| stopped(id, clause, Some(Rule::AckSpoilt));
    let mut cases = vec![answer("acks/one", "SEM-AK-01"), answer("events/ack", "SIO-EV-02")];
    attribute(&mut cases);
    assert_eq!(told(&cases), [(Verdict::Blocked, Some("SIO-EV-02")), (Verdict::Fail, None)]);

    let echo = stopped("events/echo", "SIO-EV-01", Some(Rule::ArgumentsLost));
    let mut cases = vec![answer("acks/one", "SEM-AK-01"), answer("events/ack", "SIO-EV-02"), echo];
    let findings = attribute(&mut cases);
    let blocked = (Verdict::Blocked, Some("SIO-EV-01"));
    assert_eq!(told(&cases), [blocked, blocked, (Verdict::Fail, None)]);
    assert_eq!(findings.len(), 1);
}

#[test]
fn bytes_that_only_answers_lose_are_told_of_the_clause_about_these() {
    let lost = |id: &str, clause: &str, rule: Rule| stopped(id, clause, Some(rule));
    let mut cases = vec![
        lost("packets/every-type", "SIO-PK-01", Rule::BinaryLost),
        lost("binary/namespace", "SIO-BIN-18", Rule::AckBytes),
        lost("binary/ack", "SIO-BIN-02", Rule::AckBytes),
    ];
    attribute(&mut cases);
    let blocked = (Verdict::Blocked, Some("SIO-BIN-02"));
    assert_eq!(told(&cases), [blocked, blocked, (Verdict::Fail, None)]);

    cases[1] = lost("binary/event", "SIO-BIN-01", Rule::BinaryLost);
    cases[2] = lost("binary/ack", "SIO-BIN-02", Rule::AckBytes);
    attribute(&mut cases);
    assert_eq!(told(&cases)[1..], [(Verdict::Fail, None), (Verdict::Blocked, Some("SIO-BIN-01"))]);
}

#[test]
fn what_long_polling_alone_does_to_texts_is_not_told_of_packets() {
    let spoilt = |transport, verdict| {
        let shown = stopped("packets/text-unicode", "SIO-PK-23", Some(Rule::TextSpoilt));
        CaseResult { transport: Some(transport), verdict, ..shown }
    };
    let other = || stopped("polling/post", "EIO-LP-15", Some(Rule::TextSpoilt));
    let polling = || spoilt(Transport::Polling, Verdict::Fail);
    let mut cases = vec![other(), polling(), spoilt(Transport::Websocket, Verdict::Pass)];
    assert_eq!(attribute(&mut cases), []);
    assert_eq!(told(&cases)[0], (Verdict::Fail, None));

    let mut cases = vec![other(), polling(), spoilt(Transport::Websocket, Verdict::Fail)];
    attribute(&mut cases);
    assert_eq!(told(&cases)[0], (Verdict::Blocked, Some("SIO-PK-23")));
}
