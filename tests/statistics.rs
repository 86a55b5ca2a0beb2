//! The statistics against those of SciPy, NumPy and statsmodels: `tests/statistics/reference.py` asked them.

use std::fs;

use serde_json::Value;
use sockrates::statistics::power::Demand;
use sockrates::statistics::{Bootstrap, deviation, line, mean, median, quantile, signs, usl};

#[test]
fn quantiles_are_those_of_numpy() {
    for case in cases("quantiles") {
        let values = numbers(&case["values"]);
        for (share, expected) in case["quantiles"].as_object().unwrap() {
            near(quantile(&values, share.parse().unwrap()).unwrap(), number(expected), 1e-12, &case);
        }
        match deviation(&values) {
            Some(found) => near(found, number(&case["deviation"]), 1e-12, &case),
            None => assert!(case["deviation"].is_null()),
        }
    }
}

/// Two programs draw differently, so the ends may differ by a few hundredths of the interval.
#[test]
fn bootstrap_intervals_are_those_of_scipy() {
    for case in cases("bootstraps") {
        let values = numbers(&case["values"]);
        let figure = match case["statistic"].as_str() {
            Some("mean") => mean,
            _ => median,
        };
        let found = Bootstrap { rounds: 50_000, ..Bootstrap::new(5) }
            .interval(values.len(), |drawn| figure(&drawn.iter().map(|at| values[*at]).collect::<Vec<_>>()))
            .unwrap();
        let (low, high) = (number(&case["low"]), number(&case["high"]));
        let allowed = 0.03 * (high - low);
        let (below, above) = ((found.low - low).abs(), (found.high - high).abs());
        assert!(below <= allowed && above <= allowed, "{found:?} for {case}");
    }
}

#[test]
fn p_values_are_those_of_scipys_permutation_test() {
    for case in cases("signs") {
        let (found, expected) = (signs::p_value(&numbers(&case["differences"]), 1), number(&case["p"]));
        let allowed = if case["exact"] == true { 1e-12 } else { 0.01 };
        assert!((found - expected).abs() <= allowed, "{found} for {case}");
    }
}

#[test]
fn holms_correction_is_that_of_statsmodels() {
    for case in cases("holm") {
        let found = signs::holm(&numbers(&case["values"]));
        for (found, expected) in found.into_iter().zip(numbers(&case["corrected"])) {
            near(found, expected, 1e-12, &case);
        }
    }
}

/// Theirs is exact for t, with its noncentral distribution; ours is the usual approximation to it.
#[test]
fn the_pairs_it_takes_are_those_of_statsmodels() {
    for case in cases("powers") {
        let demand =
            Demand { deviation: number(&case["deviation"]), level: number(&case["level"]), power: 0.9 };
        let found = demand.pairs_for(number(&case["effect"])).unwrap() as f64;
        let expected = number(&case["pairs"]).ceil();
        assert!((found - expected).abs() <= 1.0, "{found} for {case}");
    }
}

#[test]
fn lines_are_those_of_scipy() {
    for case in cases("lines") {
        let points: Vec<(f64, f64)> = numbers(&case["x"]).into_iter().zip(numbers(&case["y"])).collect();
        let found = line::fit(&points).unwrap();
        near(found.slope, number(&case["slope"]), 1e-9, &case);
        near(found.intercept, number(&case["intercept"]), 1e-9, &case);
    }
}

#[test]
fn the_law_has_no_more_squares_than_scipys_and_the_same_parameters() {
    for case in cases("laws") {
        let points: Vec<(f64, f64)> =
            numbers(&case["loads"]).into_iter().zip(numbers(&case["rates"])).collect();
        let fit = usl::fit(&points).unwrap();
        let squares: f64 = fit.residuals.iter().map(|residual| residual.powi(2)).sum();
        assert!(squares <= number(&case["squares"]) * (1.0 + 1e-9) + 1e-9, "{squares}: {fit:?} for {case}");
        near(fit.usl.lambda, number(&case["lambda"]), 1e-4, &case);
        assert!((fit.usl.sigma - number(&case["sigma"])).abs() < 1e-5, "{fit:?} for {case}");
        assert!((fit.usl.kappa - number(&case["kappa"])).abs() < 1e-7, "{fit:?} for {case}");
    }
}

fn cases(name: &str) -> Vec<Value> {
    let text = fs::read_to_string("tests/statistics/reference.json").expect("the answers are there");
    let reference: Value = serde_json::from_str(&text).expect("they are JSON");
    let cases = reference[name].as_array().expect("there are such cases").clone();
    assert!(!cases.is_empty(), "{name}");
    cases
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(number).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn near(found: f64, expected: f64, share: f64, case: &Value) {
    assert!(
        (found - expected).abs() <= share * expected.abs().max(1e-300),
        "{found}, not {expected}: {case}"
    );
}
