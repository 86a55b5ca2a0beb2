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
