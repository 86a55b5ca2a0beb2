//! What went wrong without any step asking: each cause once, with its first instances.

use maud::{Markup, html};

use crate::measure::format::{count, printable};
use crate::report::RunResult;
use crate::report::result::ErrorResult;

use super::checks::wire;
use super::page::{Tone, sign};

/// The causes, where there are some.
pub(super) fn render(run: &RunResult) -> Option<Markup> {
    (!run.errors.is_empty()).then(|| html! { @for error in &run.errors { (self::error(error)) } })
}

/// One cause.
pub(crate) fn error(error: &ErrorResult) -> Markup {
    let more = error.count.saturating_sub(error.examples.len() as u64);
    html! {
        div class={ "finding " (Tone::Doubtful.class()) } {
            p.what { (sign(Tone::Doubtful)) " " strong { (count(error.count)) " × " (printable(&error.cause)) } }
            ul.examples {
                @for example in &error.examples {
                    li {
                        span.quiet { (printable(&example.client)) } " " code { (printable(&example.detail)) }
                        @if !example.wire.is_empty() { (wire(&example.wire)) }
                    }
                }
                @if more > 0 { li.quiet { "and " (count(more)) " more" } }
            }
        }
    }
}
