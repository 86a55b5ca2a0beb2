//! `retry`: tries a connect again, after pauses that grow, as the official client does.
//!
//! Its pauses (`reconnectionDelay`, `reconnectionDelayMax`, `randomizationFactor` of socket.io-client, in its `backo2.ts`)
//! double from one to the next, each is moved by chance to either side, and none is longer than the longest.

use std::time::Duration;

use super::chance::Chance;
use super::schema::{self, Schema, Shape, named};
use super::{Cx, Reading};
use crate::document::{Fields, Mistake, Value};
use crate::units;

/// How long one try may take: `timeout` of the official client.
pub(super) const ONE_TRY: Duration = Duration::from_secs(20);

/// How long all tries may take unless the step says otherwise.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What the pauses before retries are for.
const RETRIES: u64 = 3;

/// How long the pauses between tries are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Retry {
    every: Duration,
    /// The share of a pause by which chance moves it, to either side.
    jitter: f64,
    most: Duration,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry { every: Duration::from_secs(1), jitter: 0.5, most: Duration::from_secs(5) }
    }
}

impl Retry {
    /// Reads the field `retry`: `true`, or what differs from the official client.
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Result<Option<Retry>, Mistake> {
        let Some(node) = fields.optional("retry") else { return Ok(None) };
        let usual = Retry::default();
        match node.value {
            Value::Bool(true) => return Ok(Some(usual)),
            Value::Bool(false) => {
                return Err(node.mistake("`retry: false` says nothing").hint("leave it out"));
            }
            _ => {}
        }
        let fields = Fields::of(node, "`retry`")?;
        let every = reading.positive_duration(&fields, "every")?.unwrap_or(usual.every);
        let jitter = fields.optional("jitter").map(units::share).transpose()?;
        let most = reading.positive_duration(&fields, "most")?;
        fields.deny_others()?;
        if let (Some(most), Some(node)) = (most, fields.optional("most"))
            && most < every
        {
            return Err(node
                .mistake("the longest pause is shorter than the first one")
                .hint("`every` is the first pause; each is twice as long as the one before, up to `most`"));
        }
        let jitter = jitter.map_or(usual.jitter, |share| share.0);
        Ok(Some(Retry { every, jitter, most: most.unwrap_or_else(|| usual.most.max(every)) }))
    }

    /// What the field takes.
    pub(super) fn schema() -> Schema {
        let pauses = Shape::new("The pauses between tries.")
            .takes(
                "every",
                schema::time(),
                "The first pause; each is twice as long as the one before. Else 1 s.",
            )
            .takes(
                "jitter",
                named("share"),
                "Each pause is shorter or longer by chance, up to this share. Else 50 %.",
            )
            .takes("most", schema::time(), "The longest pause. Else 5 s.");
        schema::either([serde_json::json!({ "const": true }), pauses.schema()])
    }

    /// The pause of this number, counted from 0, before a client tries this step again.
    pub(super) fn pause(&self, number: u32, cx: &Cx<'_, '_>) -> Duration {
        let who = [RETRIES, u64::from(cx.actor.who.index), u64::from(cx.step.0), u64::from(number)];
        self.moved(number, Chance::of(cx.actor.context.seed, &who).share())
    }

    /// The same, moved by this share of what chance may do: 0 is the shortest, 1 the longest.
    fn moved(&self, number: u32, chance: f64) -> Duration {
        let whole = self.every.as_secs_f64() * 2f64.powi(i32::try_from(number).unwrap_or(i32::MAX));
        let moved = whole * (1.0 + self.jitter * (2.0 * chance - 1.0));
        Duration::try_from_secs_f64(moved).unwrap_or(self.most).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_chance_moves_them_to_both_sides() {
        let retry = Retry::default();
        let pauses = |chance| [0, 1, 2, 3, 2_000].map(|number| retry.moved(number, chance).as_millis());
        assert_eq!(pauses(0.5), [1_000, 2_000, 4_000, 5_000, 5_000]);
        assert_eq!(pauses(0.0), [500, 1_000, 2_000, 4_000, 5_000]);
        assert_eq!(pauses(1.0), [1_500, 3_000, 5_000, 5_000, 5_000]);
    }
}
