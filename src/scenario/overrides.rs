//! What is put in the place of what a scenario says about its load: how many clients, how long, how often, which values.
//!
//! The command line fills it from flags, and a verb that tries several loads fills it by itself. It applies while the
//! scenario is read ([`super::Surroundings::overriding`]), so that `${count}` and everything that is checked see
//! it. A mistake names the flag, and the caller gives it its place in the scenario.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::MOST_CLIENTS;
use crate::document::{Mistake, Node, Source, Span, Value, parse};
use crate::threshold::{Find, Threshold};
use crate::units::{Rate, Spelt};

/// What is put in the place of what a scenario says; the default leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Overrides {
    /// `--clients 1000`: how many clients there are in all. Groups of one stay as they are, and those of
    /// [`Overrides::groups`]; the others grow or shrink in proportion.
    pub clients: Option<u32>,
    /// `--clients crowd=500`: how many clients a group has.
    pub groups: Vec<(String, u32)>,
    /// `--duration 60s`: how long every outermost `repeat` lasts that has a `for`.
    pub duration: Option<Duration>,
    /// `--rate 500/s`: how many rounds all `repeat`s with a pace are to begin together ([`super::Load::rounds`]).
    pub rate: Option<Rate>,
    /// `--arrive 200/s`: how many clients arrive in all groups together that arrive at a rate ([`super::Load::arrivals`]).
    pub arrive: Option<Rate>,
    /// `--checks-only`: the thresholds are left out.
    pub checks_only: bool,
    /// `--threshold 'ack p99 < 200 ms'`: demands beside those of the scenario.
    pub thresholds: Vec<String>,
    /// `--set rooms=50`: values of common variables, written as in a scenario.
    pub vars: Vec<(String, String)>,
}

impl Overrides {
    /// Puts so many clients in all, or in a group.
    ///
    /// # Errors
    /// A sentence, when another number was put there before.
    pub fn put_clients(&mut self, group: Option<&str>, count: u32) -> Result<(), String> {
        let before = match group {
            None => self.clients.replace(count),
            Some(name) => {
                let before = self.groups.iter().find(|(known, _)| known == name).map(|(_, other)| *other);
                self.groups.push((name.to_owned(), count));
                before
            }
        };
        let of = group.map(|name| format!("{name}=")).unwrap_or_default();
        let flag = |count| format!("--clients {of}{count}");
        before.map_or(Ok(()), |before| Err(twice(&flag(before), &flag(count))))
    }

    /// Puts a value of a common variable.
    ///
    /// # Errors
    /// A sentence, when another value was put there before.
    pub fn put_var(&mut self, name: &str, value: &str) -> Result<(), String> {
        let before = self.vars.iter().find(|(known, _)| known == name);
        let flag = |value: &str| format!("--set {name}={value}");
        let result = before.map_or(Ok(()), |(_, before)| Err(twice(&flag(before), &flag(value))));
        self.vars.push((name.to_owned(), value.to_owned()));
        result
    }
}

/// Reads how many clients there are, in all or in a group: `500`, or `crowd=500`.
///
/// # Errors
/// What to write.
pub(crate) fn clients_from(text: &str) -> Result<(Option<String>, u32), String> {
    let (group, count) = match text.split_once('=') {
        Some((group, count)) => (Some(group.trim().to_owned()), count),
        None => (None, text),
    };
    let count = count.trim().parse().map_err(|_| "expected a number like 500, or crowd=500".to_owned())?;
    Ok((group, count))
}

/// Reads the value of a variable: `rooms=50`.
///
/// # Errors
/// What to write.
pub(crate) fn variable_from(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write it like rooms=50".to_owned()),
    }
}

fn twice(one: &str, other: &str) -> String {
    format!("`{one}` and `{other}` contradict each other: keep one of them")
}

impl Overrides {
    /// Each as it would be written on the command line: `--clients 500`.
    pub fn words(&self) -> Vec<String> {
        let clients = self.clients.map(|count| format!("--clients {count}"));
        let groups = self.groups.iter().map(|(name, count)| format!("--clients {name}={count}"));
        let duration = self.duration.map(|length| format!("--duration {}", Spelt(length)));
        let rate = self.rate.map(|rate| format!("--rate {rate}"));
        let arrive = self.arrive.map(|rate| format!("--arrive {rate}"));
        let vars = self.vars.iter().map(|(name, value)| format!("--set {name}={value}"));
        let thresholds = self.thresholds.iter().map(|text| format!("--threshold '{text}'"));
        let checks_only = self.checks_only.then(|| "--checks-only".to_owned());
        let load = clients.into_iter().chain(groups).chain(duration).chain(rate).chain(arrive).chain(vars);
        load.chain(thresholds).chain(checks_only).collect()
    }

    /// How many clients each group has, given how many are written and whether the scenario rests on that. The mistake stands
    /// nowhere.
    pub(super) fn counts(&self, groups: &[(&str, u32, bool)]) -> Result<Vec<u32>, Mistake> {
        let wanted = self.clients.into_iter().chain(self.groups.iter().map(|(_, count)| *count));
        if let Some(count) = wanted.into_iter().find(|count| !(1..=MOST_CLIENTS).contains(count)) {
            return Err(nowhere(format!(
                "`--clients` takes a number from 1 to {MOST_CLIENTS}, found {count}"
            )));
        }
        let mut counts: Vec<u32> = groups.iter().map(|(_, count, _)| *count).collect();
        let mut scaled: Vec<bool> =
            groups.iter().map(|(_, count, is_fixed)| *count > 1 && !is_fixed).collect();
        for (name, count) in &self.groups {
            let Some(place) = groups.iter().position(|(known, ..)| known == name) else {
                return Err(nowhere(format!(
                    "`--clients {name}={count}` is for a group that the scenario does not have"
                ))
                .did_you_mean(name, groups.iter().map(|(known, ..)| *known)));
            };
            if let (_, written, true) = groups[place] {
                return Err(nowhere(format!(
                    "`--clients {name}={count}` is for a group whose {written} clients the steps of the scenario count on"
                ))
                .hint("leave it out, or copy the scenario and change its counts, too"));
            }
            (counts[place], scaled[place]) = (*count, false);
        }
        let Some(all) = self.clients else { return Ok(counts) };
        let places: Vec<usize> = (0..counts.len()).filter(|place| scaled[*place]).collect();
        let stay: u64 =
            (0..counts.len()).filter(|place| !scaled[*place]).map(|place| u64::from(counts[place])).sum();
        if places.is_empty() {
            if groups.iter().any(|(.., is_fixed)| *is_fixed) {
                return Err(nowhere(format!(
                    "`--clients {all}` cannot be: the steps of the scenario count on the number of its clients"
                ))
                .hint("`sockrates run load/busy-rooms --clients 3000` is one of those that can be scaled"));
            }
            let hint = groups.first().map(|(name, ..)| format!("name a group: `--clients {name}={all}`"));
            let mistake =
                nowhere(format!("`--clients {all}` is for groups of more than one, and there is none left"));
            return Err(hint.into_iter().fold(mistake, Mistake::hint));
        }
        let least = stay + places.len() as u64;
        if u64::from(all) < least {
            return Err(nowhere(format!(
                "`--clients {all}` is too few: this scenario needs at least {least}"
            )));
        }
        let shares: Vec<u32> = places.iter().map(|place| counts[*place]).collect();
        for (place, count) in places.into_iter().zip(apportioned(u64::from(all) - stay, &shares)) {
            counts[place] = count;
        }
        Ok(counts)
    }

    /// How many times as fast clients arrive, where they are written to arrive at this many a second. The mistake stands
    /// nowhere.
    pub(super) fn arrival_speed(&self, written: f64) -> Result<f64, Mistake> {
        match self.arrive {
            None => Ok(1.0),
            Some(rate) if written > 0.0 => Ok(rate.per_second / written),
            Some(rate) => Err(nowhere(format!(
                "`--arrive {rate}` is for groups that arrive at a rate, and all arrive at once"
            ))
            .hint("give a group one: `arrive: 200/s`")),
        }
    }

    /// How many times as fast rounds follow each other, where these many are written to begin in a second. The mistake stands
    /// nowhere.
    pub(super) fn speed(&self, written: f64) -> Result<f64, Mistake> {
        match self.rate {
            None => Ok(1.0),
            Some(rate) if written > 0.0 => Ok(rate.per_second / written),
            Some(rate) => {
                Err(nowhere(format!("`--rate {rate}` is for a `repeat` that has a pace, and there is none"))
                    .hint("give it one: `every: 1s`"))
            }
        }
    }

    /// Reads the thresholds. `scenario` is where they would stand.
    pub(super) fn thresholds(&self, scenario: Span, find: &mut Find<'_>) -> Result<Vec<Threshold>, Mistake> {
        let read = |text: &String| {
            let node = Node { span: scenario, value: Value::Text(text.clone()) };
            Threshold::read(&node, find).map_err(|mistake| Mistake {
                message: format!("in `--threshold '{text}'`: {}", mistake.message),
                ..mistake.at(scenario)
            })
        };
        self.thresholds.iter().map(read).collect()
    }

    /// Tells when a duration was given and no `repeat` has got it. The mistake stands nowhere.
    pub(super) fn deny_unheeded(&self, is_prolonged: bool) -> Result<(), Mistake> {
        match self.duration.filter(|_| !is_prolonged) {
            None => Ok(()),
            Some(length) => Err(nowhere(format!(
                "`--duration {}` is for a `repeat` that has a `for`, and there is none",
                Spelt(length)
            ))
            .hint("write `for: 60s` in the `repeat` that is to last so long")),
        }
    }

    /// The common variables with these values in the place of those that are written. `scenario` is where they would stand.
    pub(super) fn variables<'n>(
        &self,
        vars: Option<&'n Node>,
        scenario: Span,
    ) -> Result<Option<Cow<'n, Node>>, Mistake> {
        if self.vars.is_empty() {
            return Ok(vars.map(Cow::Borrowed));
        }
        let mut node = vars.cloned().unwrap_or(Node { span: scenario, value: Value::Map(Vec::new()) });
        let span = node.span;
        if let Value::Map(entries) = &mut node.value {
            for (name, text) in &self.vars {
                let Some(place) = entries.iter().position(|(key, _)| key.text == *name) else {
                    let mistake = Mistake::new(
                        span,
                        format!("`--set {name}=…` is for a variable that is not among the common `vars`"),
                    );
                    let known = entries.iter().map(|(key, _)| key.text.as_str());
                    return Err(mistake
                        .did_you_mean(name, known)
                        .hint("write it there, with the value that it usually has"));
                };
                let at = entries[place].1.span;
                entries[place].1 = value(name, text).map_err(|mistake| mistake.at(at))?;
                stand(&mut entries[place].1, at);
            }
        }
        Ok(Some(Cow::Owned(node)))
    }
}

/// What a text of the command line would be in a scenario.
fn value(name: &str, text: &str) -> Result<Node, Mistake> {
    if text.trim().is_empty() {
        let message = format!("`--set {name}=` gives no value");
        return Err(
            Mistake::new(Span::default(), message).hint(format!("`--set '{name}=\"\"'` is an empty text"))
        );
    }
    parse(&Source { name: "--set".to_owned(), text: text.to_owned() }).map_err(|mistake| Mistake {
        message: format!("in `--set {name}=…`: {}", mistake.message),
        ..mistake
    })
}

/// Says of a value and all that is in it where it stands.
fn stand(node: &mut Node, span: Span) {
    node.span = span;
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| stand(item, span)),
        Value::Map(entries) => {
            for (key, item) in entries {
                key.span = span;
                stand(item, span);
            }
        }
        _ => {}
    }
}

/// So many, dealt out in proportion to the shares, at least one for each; what is left over goes to the largest remainders.
fn apportioned(all: u64, shares: &[u32]) -> Vec<u32> {
    let sum: u64 = shares.iter().map(|share| u64::from(*share)).sum();
    let exact = |share: u32| u128::from(all) * u128::from(share);
    let mut counts: Vec<u64> = shares.iter().map(|share| (exact(*share) / u128::from(sum)) as u64).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(exact(shares[*place]) % u128::from(sum)));
    let left = all - counts.iter().sum::<u64>();
    order.iter().take(left as usize).for_each(|place| counts[*place] += 1);
    for place in 0..counts.len() {
        if counts[place] == 0 {
            let largest = (0..counts.len()).max_by_key(|other| counts[*other]).unwrap_or(place);
            counts[largest] -= 1;
            counts[place] = 1;
        }
    }
    counts.into_iter().map(|count| count.min(u64::from(u32::MAX)) as u32).collect()
}

fn nowhere(message: String) -> Mistake {
    Mistake::new(Span::default(), message)
}

#[cfg(test)]
mod tests {
    use super::super::{Load, Scenario, Surroundings, explain, read};
    use super::*;
    use crate::units::rate_from;

    const SCENARIO: &str = "\
name: t
clients:
  host: 1
  talkers: { count: 100, arrive: 100/s }
  crowd: { count: 300, arrive: [ { rate: 100/s, for: 1s }, { rate: 300/s } ] }
vars: { rooms: 10, room: \"room-${n % rooms} of ${count}\" }
script:
  - all: connect
  - all: { join: \"${room}\" }
  - together:
      - talkers: { repeat: { for: 10s, every: 500ms, steps: [ { broadcast: { to: \"${room}\", event: a } } ] } }
      - crowd: { repeat: { for: 10s, every: 2s, bursts: { on: 1s, off: 1s }, steps: [ { emit: { event: b } } ] } }
  - host: { repeat: { times: 2, steps: [ { repeat: { for: 1s, every: 10ms, steps: [ { emit: { event: c } } ] } } ] } }
  - all: disconnect
";

    fn with(overrides: Overrides) -> Result<Scenario, String> {
        let source = Source { name: "t.yaml".to_owned(), text: SCENARIO.to_owned() };
        read(&source, &Surroundings::without_files().overriding(overrides))
            .map_err(|mistake| mistake.to_string())
    }

    fn rate(text: &str) -> Option<Rate> {
        Some(rate_from(text).expect("it is a rate"))
    }

    fn counts(overrides: Overrides) -> Result<Vec<u32>, String> {
        Ok(with(overrides)?.groups.iter().map(|group| group.count).collect())
    }

    #[test]
    fn two_values_in_the_same_place_contradict_each_other() {
        let mut overrides = Overrides::default();
        assert_eq!(overrides.put_clients(None, 5), Ok(()));
        assert_eq!(overrides.put_clients(Some("crowd"), 6), Ok(()));
        assert_eq!(overrides.put_clients(Some("host"), 6), Ok(()));
        let wrong = overrides.put_clients(Some("crowd"), 7).expect_err("there is another number");
        assert_eq!(wrong, twice("--clients crowd=6", "--clients crowd=7"));
        assert_eq!(overrides.put_clients(None, 8), Err(twice("--clients 5", "--clients 8")));
        assert_eq!(overrides.put_var("rooms", "5"), Ok(()));
        assert_eq!(overrides.put_var("rooms", "5"), Err(twice("--set rooms=5", "--set rooms=5")));
    }

    #[test]
    fn without_any_a_scenario_is_as_it_is_written() {
        let scenario = with(Overrides::default()).unwrap();
        // 100 talkers twice a second, and 300 of the crowd every two seconds half of the time.
        assert_eq!(Load::of(&scenario), Load { clients: 401, rounds: 275.0, arrivals: 400.0 });
        assert!(scenario.overrides.is_empty());
    }

    #[test]
    fn clients_grow_in_proportion_and_groups_of_one_stay() {
        let all = |clients| counts(Overrides { clients: Some(clients), ..Overrides::default() });
        assert_eq!(all(801), Ok(vec![1, 200, 600]));
        // A quarter of 10 is 2.5, three quarters are 7.5: the first of equal remainders gets one more.
        assert_eq!(all(11), Ok(vec![1, 3, 7]));
        assert_eq!(all(3), Ok(vec![1, 1, 1]));
        assert_eq!(all(2).unwrap_err(), "`--clients 2` is too few: this scenario needs at least 3");
        assert!(all(0).unwrap_err().starts_with("`--clients` takes a number from 1 to 1000000, found 0"));
        let groups = |groups: &[(&str, u32)], clients| {
            let groups = groups.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
            counts(Overrides { clients, groups, ..Overrides::default() })
        };
        assert_eq!(groups(&[("crowd", 50), ("host", 3)], None), Ok(vec![3, 100, 50]));
        assert_eq!(groups(&[("crowd", 50)], Some(251)), Ok(vec![1, 200, 50]));
        assert!(groups(&[("corwd", 50)], None).unwrap_err().ends_with("(did you mean `crowd`?)"));
    }

    #[test]
    fn a_group_on_whose_number_the_steps_count_keeps_it() {
        let of = |clients: &str, overrides: Overrides| {
            let text = format!("name: t\nclients: {{ {clients} }}\nscript: [ {{ all: connect }} ]\n");
            let source = Source { name: "t.yaml".to_owned(), text };
            let scenario = read(&source, &Surroundings::without_files().overriding(overrides));
            let counts =
                |scenario: Scenario| scenario.groups.iter().map(|group| group.count).collect::<Vec<_>>();
            scenario.map(counts).map_err(|mistake| mistake.to_string())
        };
        let all = |clients| Overrides { clients: Some(clients), ..Overrides::default() };
        let some = "talkers: { count: 60, fixed: true }, listeners: 300";
        assert_eq!(of(some, all(1000)), Ok(vec![60, 940]));
        let named = Overrides { groups: vec![("talkers".to_owned(), 90)], ..Overrides::default() };
        assert!(
            of(some, named)
                .unwrap_err()
                .starts_with("`--clients talkers=90` is for a group whose 60 clients")
        );
        let none = of("talkers: { count: 60, fixed: true }, host: 1", all(1000)).unwrap_err();
        assert!(none.starts_with("`--clients 1000` cannot be: the steps of the scenario count on"), "{none}");
    }

    #[test]
    fn every_expression_sees_the_new_count() {
        let text = "name: t\nclients: { crowd: 10 }\nscript:\n  - crowd: connect\n  - crowd: { join: \"${crowd[7].sid}\" }\n";
        let source = Source { name: "t.yaml".to_owned(), text: text.to_owned() };
        let of = |clients| {
            let overrides = Overrides { clients: Some(clients), ..Overrides::default() };
            read(&source, &Surroundings::without_files().overriding(overrides))
                .map_err(|mistake| mistake.message)
        };
        assert!(of(8).is_ok());
        assert!(of(7).unwrap_err().contains("no number 7"), "{:?}", of(7));
    }

    #[test]
    fn the_outermost_repeats_that_have_a_length_get_another() {
        let told = explain(
            &with(Overrides { duration: Some(Duration::from_secs(60)), ..Overrides::default() }).unwrap(),
        );
        assert_eq!(told.matches("repeats for 60s").count(), 2, "{told}");
        assert!(told.contains("repeats for 1s, every 10ms"), "{told}");
        assert!(told.contains("changed: --duration 1m"), "{told}");
    }

    #[test]
    fn a_length_in_which_the_run_only_settles_is_refused() {
        let text = "name: t\nclients: { a: 1 }\nscript:\n  - a: connect\n  - measure:\n      settle: 2s\n      script:\n        \
                    - a: { repeat: { for: 10s, every: 1s, steps: [ { emit: { event: e } } ] } }\n        - a: disconnect\n";
        let source = Source { name: "t.yaml".to_owned(), text: text.to_owned() };
        let of = |seconds| {
            let overrides =
                Overrides { duration: Some(Duration::from_secs(seconds)), ..Overrides::default() };
            read(&source, &Surroundings::without_files().overriding(overrides))
        };
        assert!(of(3).is_ok());
        for seconds in [1, 2] {
            let mistake = of(seconds).expect_err("nothing would be measured");
            assert_eq!((mistake.span.line, mistake.span.column), (6, 15));
            let words = format!(
                "settles for 2s, and the measured part ends after {seconds}s: nothing would be measured"
            );
            assert!(mistake.to_string().contains(&words), "{mistake}");
        }
    }

    #[test]
    fn all_paces_together_are_scaled_and_keep_their_proportions() {
        let scenario = with(Overrides { rate: rate("550/s"), ..Overrides::default() }).unwrap();
        assert_eq!(Load::of(&scenario).rounds, 550.0);
        let told = explain(&scenario);
        for words in ["every 250ms", "every 1s, in bursts of 1s with 1s between", "every 5ms"] {
            assert!(told.contains(words), "{told}");
        }
        // What is scaled after the clients are is the rate of all of them.
        let both = Overrides { rate: rate("550/s"), clients: Some(801), ..Overrides::default() };
        assert_eq!(Load::of(&with(both).unwrap()).rounds, 550.0);
    }

    #[test]
    fn all_arrivals_together_are_scaled() {
        let scenario = with(Overrides { arrive: rate("800/s"), ..Overrides::default() }).unwrap();
        assert_eq!(Load::of(&scenario).arrivals, 800.0);
        let told = explain(&scenario);
        assert!(
            told.contains("arrive at 200/s, ") && told.contains("arrive at 200/s for 1s, then at 600/s, "),
            "{told}"
        );
    }

    #[test]
    fn a_common_variable_gets_another_value_and_an_unknown_one_is_a_mistake() {
        let set = |name: &str, value: &str| {
            with(Overrides { vars: vec![(name.to_owned(), value.to_owned())], ..Overrides::default() })
        };
        let rooms = set("rooms", "50").unwrap();
        let value = rooms.groups[0].vars[0].1.fixed().cloned();
        assert_eq!(value, Some(serde_json::json!(50)));
        assert!(set("room", "${n}-${rooms}").is_ok());
        assert_eq!(
            set("romos", "1").unwrap_err(),
            "`--set romos=…` is for a variable that is not among the common `vars` (did you mean `rooms`?)"
        );
        assert!(set("rooms", "${nn}").unwrap_err().starts_with("unknown variable `nn`"));
        assert!(set("rooms", "[1").unwrap_err().starts_with("in `--set rooms=…`: "));
    }

    #[test]
    fn what_nothing_in_the_scenario_heeds_is_refused() {
        let text = "name: t\nclients: { alice: 1 }\nscript:\n  - alice: connect\n";
        let source = Source { name: "t.yaml".to_owned(), text: text.to_owned() };
        for (overrides, place, words) in [
            (
                Overrides { clients: Some(9), ..Overrides::default() },
                2,
                "`--clients 9` is for groups of more than one",
            ),
            (
                Overrides { arrive: rate("9/s"), ..Overrides::default() },
                2,
                "`--arrive 9/s` is for groups that arrive at a rate",
            ),
            (
                Overrides { rate: rate("9/s"), ..Overrides::default() },
                4,
                "`--rate 9/s` is for a `repeat` that has a pace",
            ),
            (
                Overrides { duration: Some(Duration::from_secs(9)), ..Overrides::default() },
                4,
                "`--duration 9s` is for a `repeat` that has a `for`",
            ),
            (Overrides { vars: vec![("a".into(), "1".into())], ..Overrides::default() }, 1, "`--set a=…`"),
        ] {
            let refused = read(&source, &Surroundings::without_files().overriding(overrides)).unwrap_err();
            assert!(refused.message.starts_with(words), "{refused}");
            assert!(refused.hint.is_some() && refused.span.line == place, "{refused:?}");
        }
    }

    #[test]
    fn thresholds_stand_beside_those_of_the_scenario() {
        let with = |texts: &[&str]| {
            let thresholds = texts.iter().map(|text| (*text).to_owned()).collect();
            with(Overrides { thresholds, ..Overrides::default() })
        };
        let texts = |scenario: Scenario| -> Vec<String> {
            scenario.thresholds.into_iter().map(|threshold| threshold.text).collect()
        };
        let given = ["ack p90 of talkers < 2 s", "ack where [{ ok: false }] < 5 %"];
        assert_eq!(with(&given).map(texts), Ok(given.map(str::to_owned).to_vec()));
        assert_eq!(
            with(&["delivery p90 < fast"]).unwrap_err().lines().next().unwrap_or_default(),
            "in `--threshold 'delivery p90 < fast'`: `fast` is not a time (write it like 300ms)"
        );
        assert!(with(&["ack p90 of nobody < 2 s"]).is_err());
    }

    #[test]
    fn they_are_told_as_they_would_be_written() {
        let overrides = Overrides {
            clients: Some(500),
            groups: vec![("crowd".into(), 20)],
            duration: Some(Duration::from_secs(90)),
            rate: rate("500/s"),
            arrive: rate("0.5/s"),
            thresholds: vec!["ack p90 < 2 s".into()],
            checks_only: true,
            vars: vec![("rooms".into(), "50".into())],
        };
        let words = [
            "--clients 500",
            "--clients crowd=20",
            "--duration 90s",
            "--rate 500/s",
            "--arrive 30/m",
            "--set rooms=50",
            "--threshold 'ack p90 < 2 s'",
            "--checks-only",
        ];
        assert_eq!(overrides.words(), words);
    }
}
