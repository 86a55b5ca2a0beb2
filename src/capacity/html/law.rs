//! The Universal Scalability Law: its parameters with their intervals, and how far each load lies from it.

use maud::{Markup, html};

use crate::capacity::curve::{Law, Parameter};
use crate::capacity::text::figure;
use crate::measure::format::{printable, rate};
use crate::report::html::page::Column::{Figure, Words};
use crate::report::html::page::{Caption, Table};
use crate::scenario::Axis;

/// The table of the parameters and that of the residuals.
pub(super) fn render(axis: &Axis, law: &Law) -> Markup {
    let parameters: [(&str, &str, Parameter); 3] = [
        ("λ", "throughput of one", law.lambda),
        ("σ", "contention: the share that waits for its turn", law.sigma),
        ("κ", "coherency: what each pair costs", law.kappa),
    ];
    let parameters_table = Table {
        label: "Parameters of the law",
        class: None,
        caption: Caption::Quiet("Parameters with their 95 % intervals"),
        columns: &[Words("Parameter"), Figure("value"), Figure("from"), Figure("to")],
    };
    let residuals = Table {
        label: "Residuals",
        class: None,
        caption: Caption::Spoken("Residuals of the law"),
        columns: &[Words("Load"), Figure("measured"), Figure("by the law"), Figure("residual")],
    };
    html! {
        h3 { "The Universal Scalability Law" }
        p {
            "X(N) = λN / (1 + σ(N - 1) + κN(N - 1)) explains " (format!("{:.1}", law.explained * 100.0)) " % of the variance. "
            @match law.peak {
                Some(peak) => { "Throughput is greatest at " (printable(&axis.words(peak.round()))) "." }
                None => "It has no peak within twice the largest load, and of more nothing is said.",
            }
        }
        (parameters_table.of(&html! {
            @for (name, words, parameter) in parameters {
                tr {
                    th scope="row" { (name) span.quiet { " " (words) } }
                    td.figure { (figure(parameter.value)) }
                    td.figure { (figure(parameter.low)) }
                    td.figure { (figure(parameter.high)) }
                }
            }
        }))
        details {
            summary { "How far each load lies from the law" }
            (residuals.of(&html! {
                @for point in &law.points {
                    tr {
                        th scope="row" { (printable(&axis.words(point.load))) }
                        td.figure { (rate(point.throughput)) }
                        td.figure { (rate(point.throughput - point.residual)) }
                        td.figure { (format!("{:+.1} %", point.residual / point.throughput.max(1e-9) * 100.0)) }
                    }
                }
            }))
        }
    }
}
