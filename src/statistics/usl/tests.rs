use super::*;

const TRUE: Usl = Usl { lambda: 20.0, sigma: 0.02, kappa: 0.0001 };
const LOADS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 96.0, 128.0, 192.0];

fn exact(usl: Usl) -> Vec<(f64, f64)> {
    LOADS.iter().map(|load| (*load, usl.at(*load))).collect()
}

/// Noise with two thirds of it within the share of each value.
fn noisy(usl: Usl, share: f64, seed: u64) -> Vec<(f64, f64)> {
    let mut random = fastrand::Rng::with_seed(seed);
    // The sum of twelve uniform numbers is nearly normal, with variance 1.
    let mut normal = || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
    LOADS.iter().map(|load| (*load, usl.at(*load) * (1.0 + share * normal()))).collect()
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-6 * expected.abs().max(1e-6)
}

#[test]
fn points_without_noise_give_the_law_back() {
    let fit = fit(&exact(TRUE)).unwrap();
    let Usl { lambda, sigma, kappa } = fit.usl;
    assert!(close(lambda, 20.0) && close(sigma, 0.02) && close(kappa, 0.0001), "{:?}", fit.usl);
    assert!(fit.explained > 0.999_999);
    assert!(close(fit.usl.peak().unwrap(), (0.98_f64 / 0.0001).sqrt()));
}

#[test]
fn a_straight_line_has_neither_contention_nor_a_peak() {
    let straight = Usl { lambda: 3.0, sigma: 0.0, kappa: 0.0 };
    let fit = fit(&exact(straight)).unwrap();
    assert!(close(fit.usl.lambda, 3.0), "{:?}", fit.usl);
    assert!(fit.usl.sigma < 1e-9 && fit.usl.kappa < 1e-9, "{:?}", fit.usl);
}

#[test]
fn a_curve_that_bends_upwards_stays_within_the_bounds() {
    let upwards: Vec<_> = LOADS.iter().map(|load| (*load, load * (1.0 + load / 500.0))).collect();
    let usl = fit(&upwards).unwrap().usl;
    assert!(usl.sigma >= 0.0 && usl.kappa >= 0.0 && usl.lambda > 1.0, "{usl:?}");
}

#[test]
fn too_few_loads_give_no_law() {
    assert_eq!(fit(&exact(TRUE)[..3]), None);
    assert_eq!(fit(&[(5.0, 1.0); 10]), None);
    assert_eq!(fit(&LOADS.map(|load| (load, 0.0))), None);
    assert_eq!(fit(&LOADS.map(|load| (load, f64::NAN))), None);
}

/// Of many noisy curves, at least nine in ten intervals hold each parameter of the law that made them.
#[test]
fn the_parameters_come_back_within_their_intervals() {
    const RUNS: u64 = 100;
    for share in [0.01, 0.04] {
        let mut held = [0; 3];
        for seed in 0..RUNS {
            let fit = fit(&noisy(TRUE, share, seed)).unwrap();
            let intervals = fit.intervals(Bootstrap { rounds: 200, ..Bootstrap::new(seed) }).unwrap();
            held[0] += u32::from(intervals.lambda.holds(TRUE.lambda));
            held[1] += u32::from(intervals.sigma.holds(TRUE.sigma));
            held[2] += u32::from(intervals.kappa.holds(TRUE.kappa));
        }
        assert!(held.iter().all(|held| *held >= 90), "noise {share}: {held:?} of {RUNS}");
    }
}

#[test]
fn an_interval_of_the_peak_may_have_no_end() {
    let line = Usl { lambda: 20.0, sigma: 0.01, kappa: 0.0 };
    let intervals = fit(&noisy(line, 0.02, 4)).unwrap().intervals(Bootstrap::new(1)).unwrap();
    assert_eq!(intervals.peak.high, f64::INFINITY);
    assert!(intervals.peak.low > 100.0, "{intervals:?}");
}

/// A server that is full before the first load: throughput is flat, or only falls.
#[test]
fn a_server_that_is_full_from_the_first_load_on_rests_on_the_greatest_contention() {
    let loads = [50.0, 100.0, 200.0, 400.0, 800.0];
    let flat = loads.map(|load| (load, 400.0 * (1.0 + 0.6 / load)));
    let found = fit(&flat).unwrap();
    assert_eq!(found.usl.sigma, 1.0, "{found:?}");
    assert!(found.farthest().1 < 0.05, "{found:?}");
    let full = Usl { lambda: 500.0, sigma: 1.0, kappa: 0.002 };
    let falling = fit(&loads.map(|load| (load, full.at(load)))).unwrap();
    assert!(close(falling.usl.lambda, 500.0) && close(falling.usl.kappa, 0.002), "{falling:?}");
    assert_eq!((falling.usl.sigma, falling.usl.peak()), (1.0, Some(1.0)));
}

/// What a face of the box gives is no worse than any law in the box.
#[test]
fn no_law_within_the_bounds_has_fewer_squares() {
    let shapes: [fn(f64) -> f64; 5] = [
        |load| 400.0 - load / 4.0,
        |load| load.min(300.0),
        |load| load * load / 100.0,
        |load| 400.0 / load.sqrt(),
        |load| if load < 300.0 { load } else { 30.0 },
    ];
    for (number, shape) in shapes.into_iter().enumerate() {
        let points: Vec<_> = [40.0, 80.0, 160.0, 320.0, 640.0].map(|load| (load, shape(load))).into();
        let found = fit(&points).unwrap();
        let squares = |usl: Usl| least_squares::squares(usl, &points);
        let least = squares(found.usl) * (1.0 - 1e-6);
        for sigma in (0..=40).map(|step| f64::from(step) / 40.0) {
            for kappa in
                (0..=60).map(|step| if step == 0 { 0.0 } else { 10_f64.powf(f64::from(step) / 10.0 - 8.0) })
            {
                // λ is a factor, so the best for these two is known.
                let one = Usl { lambda: 1.0, sigma, kappa };
                let (over, under) = points.iter().fold((0.0, 0.0), |(over, under), (load, rate)| {
                    (over + rate * one.at(*load), under + one.at(*load).powi(2))
                });
                let other = Usl { lambda: over / under, ..one };
                assert!(least <= squares(other), "shape {number}: {:?} is worse than {other:?}", found.usl);
            }
        }
    }
}

#[test]
fn points_that_bend_otherwise_follow_no_such_law() {
    assert!(fit(&exact(TRUE)).unwrap().describes());
    assert!(fit(&noisy(TRUE, 0.04, 7)).unwrap().describes());
    // Linear up to what the server can do, and flat from there on, is near enough.
    let capped = fit(&LOADS.map(|load| (load, load.min(64.0)))).unwrap();
    assert!(capped.describes(), "{:?}", capped.farthest());
    // A server that breaks down.
    let broken = fit(&LOADS.map(|load| (load, if load > 100.0 { 3.0 } else { load }))).unwrap();
    assert!(!broken.describes(), "{:?}", broken.farthest());
    assert!(broken.farthest().0 > 100.0, "{:?}", broken.farthest());
    // A server that does more for each client the more there are, and one that did nothing once.
    assert!(!fit(&LOADS.map(|load| (load, load * load))).unwrap().describes());
    assert!(!fit(&LOADS.map(|load| (load, if load == 16.0 { 0.0 } else { load }))).unwrap().describes());
}
