//! That the deliveries of a run were not judged, in words. Pure.

use crate::audit::Gap;
use crate::measure::format::{count, counted, share};

/// Why deliveries were not judged, in words that read well after "deliveries were not judged: ".
pub fn not_judged(gap: Gap) -> String {
    match gap {
        Gap::NoMessage => "no message was audited".to_owned(),
        Gap::NobodyOwed { messages: 1 } => "no client had to receive the message".to_owned(),
        Gap::NobodyOwed { messages } => {
            format!("no client had to receive any of the {} messages", count(messages))
        }
        Gap::TooLittle { decided, pairs } => {
            // Rounded down: what misses a limit by a hair must not read as if it met it.
            let decided = share((decided * 1e3).floor() / 1e3);
            format!("{decided} of {} decided", counted(pairs, "pair"))
        }
        Gap::Unseen { clients } => {
            let they = if clients == 1 { "it" } else { "they" };
            format!(
                "nothing shows that {} got into a room that {they} asked to join: {they} received none of what others received there then",
                counted(clients, "client"),
            )
        }
        Gap::Kept { clients } => {
            let they = if clients == 1 { "it" } else { "they" };
            format!(
                "nothing shows that {} left a room that {they} asked to leave: {they} went on to receive what was sent there",
                counted(clients, "client"),
            )
        }
        Gap::BetweenNodes => "none certainly had to go from one node to another".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_deliveries_were_not_judged_is_said_with_what_there_was() {
        let little = |decided, pairs| not_judged(Gap::TooLittle { decided, pairs });
        assert_eq!(little(0.025, 40), "2.5 % of 40 pairs decided");
        assert_eq!(little(0.0, 1), "0 % of 1 pair decided");
        assert_eq!(little(0.499_99, 100_000), "49.9 % of 100,000 pairs decided");
        assert_eq!(not_judged(Gap::NobodyOwed { messages: 1 }), "no client had to receive the message");
        let many = not_judged(Gap::NobodyOwed { messages: 2_000 });
        assert_eq!(many, "no client had to receive any of the 2,000 messages");
        let unseen = |clients| not_judged(Gap::Unseen { clients });
        assert_eq!(
            unseen(1),
            "nothing shows that 1 client got into a room that it asked to join: it received none of what others received there then"
        );
        assert!(unseen(4).starts_with(
            "nothing shows that 4 clients got into a room that they asked to join: they received"
        ));
        assert_eq!(
            not_judged(Gap::Kept { clients: 2 }),
            "nothing shows that 2 clients left a room that they asked to leave: they went on to receive what was sent there"
        );
        assert_eq!(not_judged(Gap::NoMessage), "no message was audited");
    }
}
