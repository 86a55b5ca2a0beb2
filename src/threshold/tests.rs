use super::*;

/// Read as if it stood plain in column 5 of line 1.
fn read(text: &str) -> Result<Threshold, Mistake> {
    let end_column = 5 + text.chars().count() as u32;
    let span = Span { line: 1, column: 5, end_line: 1, end_column };
    Threshold::read(&Node { span, value: Value::Text(text.to_owned()) }, &mut find)
}

/// A scenario with one group, `crowd`, and one label, `chat`.
fn find(name: &str) -> Result<usize, Mistake> {
    let known = ["crowd", "chat"];
    let place = known.iter().position(|known| *known == name);
    place.ok_or_else(|| {
        Mistake::new(Span::default(), format!("unknown group or label `{name}`")).did_you_mean(name, known)
    })
}

#[test]
fn a_percentile_reads_as_it_is_shown_however_many_digits_it_was_given() {
    for (written, shown) in [
        ("ack p0.66666666666669 < 1s", "ack p0.666667 < 1s"),
        ("ack p99.9999994 < 1s", "ack p99.999999 < 1s"),
        ("ack p50.0 < 1s", "ack p50 < 1s"),
    ] {
        let threshold = read(written).expect("it is well-formed");
        assert_eq!(threshold.to_string(), shown);
        assert_eq!(read(shown).expect("it is well-formed").subject, threshold.subject);
    }
    for written in ["ack p99.99999999 < 1s", "ack p0.0000000001 < 1s", "ack p-1 < 1s", "ack pNaN < 1s"] {
        read(written).expect_err("nobody could show it");
    }
}

#[test]
fn a_threshold_may_be_about_one_group_or_label() {
    let threshold = read("ack p99.9 of chat <= 500ms").expect("it is well-formed");
    assert_eq!(threshold.of, Some(Of { name: "chat".into(), part: 1 }));
    assert_eq!(threshold.subject, Subject::Quantile(Metric::Ack, 0.999));
    assert_eq!(threshold.to_string(), "ack p99.9 of chat <= 500ms");
    let rate = read("sent rate of crowd > 10/s").expect("it is well-formed");
    assert_eq!(
        (rate.of.map(|of| of.part), rate.subject),
        (Some(0), Subject::Rate(Counted::Counter(Counter::Sent)))
    );
    let unknown = read("ack p99 of crowds < 1 s").expect_err("there is no such group");
    assert!(unknown.to_string().starts_with("unknown group or label `crowds`"), "{unknown}");
    assert_eq!((unknown.span.column, unknown.span.end_column), (16, 22));
    let audit = read("delivery missing of crowd == 0").expect_err("the audit is about all");
    assert!(audit.to_string().starts_with("the audit judges all clients together"), "{audit}");
}

#[test]
fn only_what_can_be_breached_early_ends_a_run() {
    let read = |demand: &str| {
        let text = |text: &str| Node { span: Span::default(), value: Value::Text(text.to_owned()) };
        let key = |text: &str| crate::document::Key { text: text.to_owned(), span: Span::default() };
        let entries = vec![
            (key("demand"), text(demand)),
            (key("abort_on_breach"), Node { span: Span::default(), value: Value::Bool(true) }),
        ];
        Threshold::read(&Node { span: Span::default(), value: Value::Map(entries) }, &mut find)
    };
    for demand in ["ack p99 < 1 s", "ack missed == 0", "connect failed < 1 %"] {
        assert!(read(demand).expect("it has an upper limit").aborts, "{demand}");
    }
    for demand in ["sent rate > 100/s", "delivery count == 20"] {
        assert!(read(demand).is_err(), "{demand}");
    }
}

#[test]
fn thresholds_are_read_into_subject_relation_and_limit() {
    use Counted::{Counter as Clients, Fault as Audit};
    let ms = Duration::from_millis;
    for (text, subject, relation, limit) in [
        (
            "delivery p99 < 250 ms",
            Subject::Quantile(Metric::Delivery, 0.99),
            Relation::Less,
            Limit::Latency(ms(250)),
        ),
        (
            "ack p99.9 <= 0.5s",
            Subject::Quantile(Metric::Ack, 0.999),
            Relation::AtMost,
            Limit::Latency(ms(500)),
        ),
        ("ack mean<=5ms", Subject::Mean(Metric::Ack), Relation::AtMost, Limit::Latency(ms(5))),
        ("connect.tls max < 1s", Subject::Max(Metric::ConnectTls), Relation::Less, Limit::Latency(ms(1000))),
        ("ack.service min > 1ms", Subject::Min(Metric::AckService), Relation::Greater, Limit::Latency(ms(1))),
        ("delivery count >= 10", Subject::Samples(Metric::Delivery), Relation::AtLeast, Limit::Count(10)),
        ("delivery missing == 0", Subject::Count(Audit(Fault::Missing)), Relation::Equal, Limit::Count(0)),
        (
            "connect  failed < 0.1 %",
            Subject::Share(Clients(Counter::ConnectFailed)),
            Relation::Less,
            Limit::Share(Share(0.001)),
        ),
        (
            "sent rate > 1000/s",
            Subject::Rate(Clients(Counter::Sent)),
            Relation::Greater,
            Limit::Rate(Rate { per_second: 1000.0 }),
        ),
        (
            "received count >= 10",
            Subject::Count(Clients(Counter::Received)),
            Relation::AtLeast,
            Limit::Count(10),
        ),
        (
            "connection dropped != 3",
            Subject::Count(Clients(Counter::Dropped)),
            Relation::NotEqual,
            Limit::Count(3),
        ),
    ] {
        let threshold = read(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
        assert_eq!((threshold.subject, threshold.relation), (subject, relation), "{text}");
        assert!((threshold.limit.number() - limit.number()).abs() < 1e-12, "{text}: {:?}", threshold.limit);
    }
}

#[test]
fn a_threshold_spelt_again_reads_the_same() {
    for text in ["delivery p99.99 < 250ms", "connect failed < 0.1 %", "sent rate > 1000/s", "ack count >= 10"]
    {
        let threshold = read(text).unwrap();
        assert_eq!(threshold.to_string(), text);
    }
}

#[test]
fn what_cannot_be_read_points_at_the_part_that_is_wrong() {
    for (text, column, told) in [
        ("delivery p99", 5, "`delivery p99` compares nothing"),
        ("delivery p99 = 5ms", 18, "`=` is not a comparison (did you mean `==`?)"),
        ("delivery p99 => 5ms", 18, "`=>` is not a comparison (did you mean `>=`?)"),
        ("< 5ms", 5, "one side of `<` is missing"),
        ("ack p99 <", 5, "one side of `<` is missing"),
        ("dleivery p99 < 5ms", 5, "unknown metric `dleivery` (did you mean `delivery`?)"),
        ("conect failed < 5", 5, "unknown metric `conect failed` (did you mean `connect failed`?)"),
        ("delivery p101 < 5ms", 14, "there is no percentile `p101`"),
        ("delivery p0 < 5ms", 14, "there is no percentile `p0`"),
        ("delivery p100 < 5ms", 14, "`p100` is the greatest value of all (write `max`)"),
        ("delivery mena < 5ms", 14, "unknown statistic `mena` of `delivery` (did you mean `mean`?)"),
        ("delivery < 5ms", 5, "`delivery` is a series of times: which value of it?"),
        ("sent mean > 5", 10, "unknown statistic `mean` of `sent`"),
        ("ack p99 < 5", 15, "`5` has no unit"),
        ("ack p99 < 5 %", 15, "`%` is not a unit of a time"),
        ("ack p99 < -5ms", 15, "a time cannot be negative"),
        ("sent < 5ms", 12, "expected a number of times, found `5ms`"),
        ("sent < -5", 12, "a count cannot be negative: `-5`"),
        ("sent rate < 5", 17, "`5` has no unit"),
        ("sent < 5%", 12, "`sent` is not a part of anything"),
        ("connect failed < 101 %", 22, "`101 %` is more than the whole"),
    ] {
        let mistake = read(text).expect_err(text);
        assert!(mistake.to_string().starts_with(told), "{text}: {mistake}");
        assert_eq!(mistake.span.column, column, "{text}: {mistake}");
    }
}

#[test]
fn what_could_never_fail_or_never_hold_is_no_threshold() {
    for (text, told) in [
        ("ack p99 < 0 ms", "can never hold"),
        ("ack p99 <= 0 ms", "can never hold"),
        ("ack p99 >= 0 ms", "always holds"),
        ("ack p99 > 0 ms", "always holds"),
        ("connect failed < 0", "can never hold"),
        ("connect failed < 0 %", "can never hold"),
        ("connect failed > 100 %", "can never hold"),
        ("connect failed <= 100 %", "always holds"),
        ("received >= 0", "always holds"),
        ("ack p99 == 5ms", "compares a measured value exactly"),
    ] {
        let mistake = read(text).expect_err(text);
        assert!(mistake.message.contains(told), "{text}: {mistake}");
    }
    for text in ["connect failed <= 0", "connect failed == 0 %", "received > 0", "connect ok >= 100 %"] {
        assert!(read(text).is_ok(), "{text}");
    }
}

#[test]
fn a_threshold_may_be_about_the_arguments_of_answers() {
    let threshold =
        read("ack of chat where [{ ok: false, why: \"a < b\" }] < 5 %").expect("it is well-formed");
    assert_eq!(threshold.subject, Subject::Matching(Metric::Ack, 0));
    assert_eq!(threshold.limit, Limit::Share(Share(0.05)));
    assert_eq!(threshold.of, Some(Of { name: "chat".into(), part: 1 }));
    assert_eq!(threshold.to_string(), "ack of chat where [{ ok: false, why: \"a < b\" }] < 5 %");
    let answers = threshold.answers.expect("it asks about arguments");
    for (args, fit) in [
        (serde_json::json!([{ "ok": false, "why": "a < b" }]), true),
        (serde_json::json!([{ "ok": true, "why": "a < b" }]), false),
        (serde_json::json!([]), false),
    ] {
        assert_eq!(answers.fit(&args, &[]), fit, "{args}");
    }
    let count =
        read("response where [{ $contains: { error: { $any: true } } }] == 0").expect("it is well-formed");
    assert_eq!((count.subject, count.limit), (Subject::Matching(Metric::Response, 0), Limit::Count(0)));
}

#[test]
fn what_is_wrong_about_the_arguments_is_told_where_it_stands() {
    for (text, message, columns) in [
        (
            "acks where [1] < 5 %",
            "only `ack` and `response` have arguments, and `acks` has none (did you mean `ack`?)",
            (5, 9),
        ),
        ("sent where [1] < 5 %", "only `ack` and `response` have arguments, and `sent` has none", (5, 9)),
        ("ack where [{ $typ: number }] < 5", "unknown pattern `$typ` (did you mean `$type`?)", (15, 33)),
        (
            "ack where [\"${n}\"] < 5",
            "a threshold is about all clients, so its arguments take no `${…}`",
            (15, 23),
        ),
        (
            "ack where ok < 5",
            "expected the list of the arguments, found the text \"ok\" (write `where [ok]`)",
            (15, 17),
        ),
        (
            "ack where [1",
            "a bracket is open, so the arguments never end (write it like `ack where [{ ok: false }] < 5 %`)",
            (15, 17),
        ),
        (
            "ack where [1] 5",
            "a comparison has to follow the arguments (write it like `ack where [{ ok: false }] < 5 %`)",
            (15, 20),
        ),
    ] {
        let mistake = read(text).expect_err(text);
        assert_eq!(mistake.to_string(), message, "{text}");
        assert_eq!((mistake.span.column, mistake.span.end_column), columns, "{text}");
    }
}

#[test]
fn a_threshold_may_ask_when_all_nodes_hear_each_other_again() {
    let threshold = read("time to  whole after restart of b < 15 s").expect("it is well-formed");
    assert_eq!((threshold.subject, threshold.after.as_deref()), (Subject::Whole, Some("restart of b")));
    assert_eq!(threshold.to_string(), "time to whole after restart of b < 15s");
    assert!(read("time to whole after restart of b < 3").is_err(), "a time has a unit");
}

#[test]
fn words_in_another_order_or_spelling_are_answered_with_the_right_form() {
    for (text, told) in [
        ("ack of chat p50 < 1s", "unknown group or label `chat p50` (write `ack p50 of chat`)"),
        ("response of crowd max < 1s", "unknown group or label `crowd max` (write `response max of crowd`)"),
        ("ack of chat missed < 1 %", "unknown group or label `chat missed` (write `ack missed of chat`)"),
        ("p99 of ack < 1s", "unknown group or label `ack` (write `ack p99`)"),
        ("rate of sent > 10/s", "unknown group or label `sent` (write `sent rate`)"),
        ("ack average < 1s", "unknown statistic `average` of `ack` (write `ack mean`)"),
        ("ack median of chat < 1s", "unknown statistic `median` of `ack` (write `ack p50 of chat`)"),
        ("ack 95th < 1s", "unknown statistic `95th` of `ack` (write `ack p95`)"),
        ("delivery lost == 0", "unknown statistic `lost` of `delivery` (write `delivery missing`)"),
        (
            "ack p99 chat < 1s",
            "`ack p99 chat` does not stand as a threshold is written (write `ack p99 of chat`)",
        ),
        (
            "ack p99 crowds < 1s",
            "`ack p99 crowds` does not stand as a threshold is written (write `ack p99 of crowds`)",
        ),
        ("p99 ack < 1s", "`p99 ack` does not stand as a threshold is written (write `ack p99`)"),
        (
            "max delivery of chat < 1s",
            "`max delivery of chat` does not stand as a threshold is written (write `delivery max of chat`)",
        ),
        (
            "failed connect < 1 %",
            "`failed connect` does not stand as a threshold is written (write `connect failed`)",
        ),
        ("ack.p99 < 1s", "`ack.p99` does not stand as a threshold is written (write `ack p99`)"),
        ("ack_p99.9 < 1s", "`ack_p99.9` does not stand as a threshold is written (write `ack p99.9`)"),
        ("p95(ack) < 1s", "`p95(ack)` does not stand as a threshold is written (write `ack p95`)"),
        ("ackp99 < 1s", "`ackp99` does not stand as a threshold is written (write `ack p99`)"),
        ("ack p 99 < 1s", "`ack p 99` does not stand as a threshold is written (write `ack p99`)"),
        (
            "ack of chat < 1s",
            "`ack` is a series of times: which value of it? (write `ack p99 of chat`, or `mean`, `min`, `max`, `count`)",
        ),
        ("250 ms > ack p99", "the limit stands on the left side (write `ack p99 < 250 ms`)"),
        (
            "p99 < 1s",
            "unknown metric `p99` (name what takes that time: `ack p99`, `delivery p99` or `connect p99`)",
        ),
        (
            "sent > 10/s",
            "expected a number of times, found `10/s` (a number has no unit here; of a rate, ask `sent rate`)",
        ),
    ] {
        let mistake = read(text).expect_err(text).to_string();
        assert_eq!(mistake, told, "{text}");
        // What is shown can be read.
        if let Some(shown) = told.split("(write `").nth(1).and_then(|rest| rest.split('`').next()) {
            let demand = text.find(['<', '>', '=']).map_or("", |at| &text[at..]);
            let whole = if shown.contains('<') { shown.to_owned() } else { format!("{shown} {demand}") };
            if let Err(mistake) = read(&whole) {
                assert!(mistake.to_string().contains("did you mean `crowd`?"), "{whole}: {mistake}");
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_words_of_a_threshold_panic(text in "[a-z0-9 .%_()<>=:pé-]{0,40}") {
        drop(read(&text));
    }
}
