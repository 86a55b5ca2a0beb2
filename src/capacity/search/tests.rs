use super::*;

const SETTINGS: Settings =
    Settings { from: 10.0, to: 100_000.0, grain: Grain::Whole, precision: 0.05, repeats: 3, needed: 2 };

/// Plays a search against something that judges loads, and tells the answer and the loads that were played.
fn play(settings: Settings, mut judge: impl FnMut(Step) -> StepOutcome) -> (Found, Vec<Step>) {
    let mut search = Search::new(settings);
    let mut steps = Vec::new();
    loop {
        match search.ask() {
            Next::Over(found) => return (found, steps),
            Next::Play(step) => {
                steps.push(step);
                search.tell(judge(step));
            }
        }
    }
}

fn up_to(capacity: f64) -> impl FnMut(Step) -> StepOutcome {
    move |step| if step.load <= capacity { StepOutcome::Held } else { broke() }
}

fn broke() -> StepOutcome {
    StepOutcome::Broke("delivery p99 < 250 ms".to_owned())
}

#[test]
fn the_load_is_doubled_until_it_breaks_then_the_gap_is_halved_and_both_ends_are_played_again() {
    let (found, steps) = play(SETTINGS, up_to(437.0));
    let loads: Vec<f64> = steps.iter().map(|step| step.load).collect();
    assert_eq!(loads[..7], [10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0]);
    let held = found.held.unwrap();
    assert!((437.0 / 1.05..=437.0).contains(&held), "{found:?}");
    assert_eq!(found.confirmed, Votes { held: 2, broke: 0 });
    let Above::Broke { load, why } = &found.above else { panic!("{found:?}") };
    assert!(*load > 437.0 && *load <= held * 1.05, "{found:?}");
    assert_eq!(why, "delivery p99 < 250 ms");
    assert!(steps.len() < 20, "{loads:?}");
    let fresh = |step: &&Step| step.server == Server::Fresh;
    assert!(steps.iter().filter(fresh).all(|step| step.load == held || step.load == *load));
}

#[test]
fn a_range_that_ends_before_the_server_does_says_at_least() {
    let (found, _) = play(Settings { to: 100.0, ..SETTINGS }, up_to(1e9));
    let confirmed = Votes { held: 2, broke: 0 };
    assert_eq!(found, Found { held: Some(100.0), confirmed, above: Above::Range { load: 100.0 } });
}

#[test]
fn our_own_limit_is_never_that_of_the_server() {
    let judge = |step: Step| match step.load {
        ..=300.0 => StepOutcome::Held,
        _ => StepOutcome::Limited("the busiest worker took 99 % of its processor".to_owned()),
    };
    let (found, _) = play(SETTINGS, judge);
    assert!((285.0..=300.0).contains(&found.held.unwrap()), "{found:?}");
    assert!(matches!(found.above, Above::Limited { .. }), "{found:?}");
}

#[test]
fn a_first_load_that_breaks_is_played_again_before_anything_is_said() {
    let (found, steps) = play(SETTINGS, up_to(3.0));
    assert_eq!((found.held, steps.len()), (None, 2));
    assert!(matches!(found.above, Above::Broke { load: 10.0, .. }), "{found:?}");
}

#[test]
fn one_breach_by_chance_does_not_end_the_search() {
    let mut unlucky = true;
    let judge = |step: Step| {
        if step.load == 80.0 && std::mem::take(&mut unlucky) { broke() } else { up_to(437.0)(step) }
    };
    let (found, _) = play(SETTINGS, judge);
    assert!((416.0..=437.0).contains(&found.held.unwrap()), "{found:?}");
}

#[test]
fn a_load_that_held_by_chance_is_not_the_answer() {
    let mut lucky = true;
    let judge = |step: Step| {
        if step.load == 640.0 && std::mem::take(&mut lucky) { StepOutcome::Held } else { up_to(437.0)(step) }
    };
    let (found, _) = play(SETTINGS, judge);
    assert!((416.0..=437.0).contains(&found.held.unwrap()), "{found:?}");
}

#[test]
fn a_server_that_dies_once_is_started_again_and_the_same_is_played() {
    let mut healthy = false;
    let judge = |step: Step| {
        if step.load == 40.0 && !std::mem::replace(&mut healthy, true) {
            return StepOutcome::Died("exit code 1".to_owned());
        }
        up_to(100.0)(step)
    };
    let (found, steps) = play(SETTINGS, judge);
    assert!((95.0..=100.0).contains(&found.held.unwrap()), "{found:?}");
    assert_eq!(steps[3], Step { server: Server::Fresh, ..steps[2] });
}

#[test]
fn a_server_that_dies_three_times_in_a_row_is_a_result() {
    let judge = |step: Step| match step.load {
        ..=50.0 => StepOutcome::Held,
        _ => StepOutcome::Died("signal 11".to_owned()),
    };
    let (found, steps) = play(SETTINGS, judge);
    assert_eq!((found.held, steps.len()), (Some(40.0), 6));
    assert_eq!(found.above, Above::Died { load: 80.0, why: "signal 11".to_owned() });
}

#[test]
fn too_little_data_at_small_loads_is_passed_over_and_later_ends_the_search() {
    let few = || StepOutcome::Unclear("delivery p99 has 40 of 1000 samples".to_owned());
    let (found, _) = play(SETTINGS, |step| if step.load < 40.0 { few() } else { up_to(100.0)(step) });
    assert!((95.0..=100.0).contains(&found.held.unwrap()), "{found:?}");
    let (found, _) = play(SETTINGS, |step| if step.load > 40.0 { few() } else { StepOutcome::Held });
    assert!(matches!(found.above, Above::Unclear { load: 80.0, .. }), "{found:?}");
    let (found, _) = play(Settings { to: 40.0, ..SETTINGS }, |_| few());
    assert!(matches!(found.above, Above::Unclear { load: 40.0, .. }), "{found:?}");
}

#[test]
fn rates_are_not_rounded_and_small_casts_end_at_neighbours() {
    let fine = Settings { from: 0.5, to: 64.0, grain: Grain::Fine, ..SETTINGS };
    let (found, _) = play(fine, up_to(1.3));
    assert!((1.3 / 1.05..=1.3).contains(&found.held.unwrap()), "{found:?}");
    let (found, _) = play(Settings { from: 1.0, ..SETTINGS }, up_to(3.0));
    assert_eq!(found.held, Some(3.0));
    assert!(matches!(found.above, Above::Broke { load: 4.0, .. }), "{found:?}");
}

#[test]
fn a_server_without_any_order_ends_the_search_all_the_same() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..200 {
        let (_, steps) = play(SETTINGS, |_| match random.u8(0..8) {
            0..3 => StepOutcome::Held,
            3..6 => broke(),
            6 => StepOutcome::Limited(String::new()),
            _ => StepOutcome::Died(String::new()),
        });
        assert!(steps.len() < 3 * MOST_STEPS);
    }
}

/// A server whose capacity differs by 2 % from run to run, and which one run in twenty disturbs.
#[test]
fn the_answer_lies_within_five_percent_in_nine_searches_of_ten() {
    const SEARCHES: u32 = 500;
    let mut within = 0;
    for seed in 0..SEARCHES {
        let mut random = fastrand::Rng::with_seed(u64::from(seed));
        let capacity = 50.0 * 2000_f64.powf(random.f64());
        let (found, _) = play(SETTINGS, |step| {
            let noise = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
            let disturbed = random.u8(0..20) == 0;
            if step.load <= capacity * (1.0 + 0.02 * noise) && !disturbed {
                StepOutcome::Held
            } else {
                broke()
            }
        });
        within += u32::from(found.held.is_some_and(|held| (held / capacity - 1.0).abs() <= 0.05));
    }
    assert!(within * 10 >= SEARCHES * 9, "{within} of {SEARCHES}");
    assert!(within < SEARCHES, "noise that never misleads is no noise");
}

#[test]
fn a_server_that_is_gone_three_times_is_no_load_that_it_did_not_bear() {
    let judge = |step: Step| match step.load {
        ..=40.0 => StepOutcome::Held,
        _ => StepOutcome::Gone("nothing listens there".to_owned()),
    };
    let (found, steps) = play(SETTINGS, judge);
    assert_eq!(
        (found.held, &found.above),
        (Some(40.0), &Above::Gone { load: 80.0, why: "nothing listens there".to_owned() })
    );
    assert_eq!(steps.iter().filter(|step| step.load == 80.0).count(), 3);
}
