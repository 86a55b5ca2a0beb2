//! The page around a report that grows while something runs. The report in it is the page that is stored, unchanged.

use maud::{DOCTYPE, PreEscaped, html};

use super::page::{SCRIPT, STYLE, hash};

const FRAME_STYLE: &str = include_str!("frame.css");
const FRAME_SCRIPT: &str = include_str!("frame.js");

/// The page. What it shows comes from `events`, beside it; its button posts to `stop`.
pub fn frame() -> String {
    // A report in it inherits this policy, so its style and its script are named, too.
    let policy = format!(
        "default-src 'none'; style-src '{}' '{}'; script-src '{}' '{}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(FRAME_STYLE),
        hash(SCRIPT),
        hash(FRAME_SCRIPT)
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "sockrates, while it runs" }
                link rel="icon" href="data:,";
                style { (PreEscaped(FRAME_STYLE)) }
            }
            body {
                header {
                    p id="state" role="status" { "The first report comes within a second or two." }
                    button id="stop" type="button" { "Stop" }
                }
                div id="place" {}
                script { (PreEscaped(FRAME_SCRIPT)) }
            }
        }
    };
    page.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_cannot_end_their_elements_and_name_nothing_outside() {
        for text in [FRAME_STYLE, FRAME_SCRIPT] {
            assert!(!text.to_lowercase().contains("</style") && !text.to_lowercase().contains("</script"));
            assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("<!--"));
        }
    }
}
