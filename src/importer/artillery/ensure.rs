//! Demands of a script, by `ensure`, into thresholds.

use super::{Config, changed, entries, get, left_out};
use crate::document::Node;
use crate::importer::Note;
use crate::importer::artillery::load::decimal;

/// The percentiles and other figures that both sides know: their names there and here.
const FIGURES: [(&str, &str); 9] = [
    ("min", "min"),
    ("max", "max"),
    ("mean", "mean"),
    ("median", "p50"),
    ("p50", "p50"),
    ("p90", "p90"),
    ("p95", "p95"),
    ("p99", "p99"),
    ("p999", "p99.9"),
];

/// Metrics of the time that an answer takes.
const ANSWERS: [&str; 3] = ["socketio.response_time", "engine.socketio.response_time", "http.response_time"];

/// The thresholds that `config.ensure` and the plugin ask for, with their lines. `answers`: whether the flows await
/// acknowledgements, and whether they await responses.
pub(super) fn thresholds(
    config: &Config<'_>,
    answers: (bool, bool),
    notes: &mut Vec<Note>,
) -> Vec<(String, u32)> {
    let plugin = config.get("plugins").and_then(|node| get(node, "ensure"));
    let mut demands = Vec::new();
    for node in config.get("ensure").into_iter().chain(plugin) {
        for (key, value, line) in entries(node) {
            match key {
                "thresholds" => {
                    for (metric, limit, line) in value.items().iter().flat_map(entries) {
                        demand(metric, limit, line, answers, &mut demands, notes);
                    }
                }
                "conditions" => {
                    for condition in value.items() {
                        let text = get(condition, "expression")
                            .and_then(|node| node.text().ok())
                            .unwrap_or_default();
                        left_out(notes, condition.span.line, format!("the condition `{text}`"));
                    }
                }
                "maxErrorRate" => match value.number().ok().filter(|share| (0.0..100.0).contains(share)) {
                    Some(share) => {
                        for what in ["checks failed", "connect failed"] {
                            let limit = if share == 0.0 {
                                "== 0".to_owned()
                            } else {
                                format!("<= {} %", decimal(share))
                            };
                            demands.push((format!("{what} {limit}"), line));
                        }
                    }
                    None => left_out(notes, line, "`maxErrorRate`: a demand that cannot fail"),
                },
                key => demand(key, value, line, answers, &mut demands, notes),
            }
        }
    }
    demands
}

fn demand(
    metric: &str,
    limit: &Node,
    line: u32,
    (acks, responses): (bool, bool),
    demands: &mut Vec<(String, u32)>,
    notes: &mut Vec<Note>,
) {
    let (of, figure) = metric.rsplit_once('.').unwrap_or(("socketio.response_time", metric));
    let figure = FIGURES.iter().find(|(theirs, _)| *theirs == figure).map(|(_, ours)| *ours);
    let limit = limit.number().ok().filter(|limit| *limit > 0.0);
    match (figure, limit) {
        (Some(figure), Some(limit))
            if ANSWERS.contains(&of) && of != "http.response_time" && (acks || responses) =>
        {
            for (_, name) in
                [(acks, "ack"), (responses, "response")].into_iter().filter(|(is_there, _)| *is_there)
            {
                demands.push((format!("{name} {figure} < {} ms", decimal(limit)), line));
            }
            if figure != "max" {
                changed(
                    notes,
                    line,
                    format!("`{metric}`: counted are acknowledgements and responses, no bare emits"),
                );
            }
        }
        _ => left_out(notes, line, format!("the demand on `{metric}`")),
    }
}
