"""Writes reference.json: questions that sockrates asks its statistics, and the answers of SciPy, NumPy and statsmodels.

    python3 -m venv .venv && .venv/bin/pip install scipy statsmodels
    .venv/bin/python tests/statistics/reference.py

tests/statistics.rs reads only the JSON. It was written with the versions that stand in it.
"""

import json
import math
import pathlib

import numpy
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

random = numpy.random.default_rng(20240601)


def quantiles():
    cases = []
    for size in (1, 2, 5, 10, 31):
        values = random.lognormal(size=size)
        cases.append({
            "values": values.tolist(),
            "quantiles": {str(share): float(numpy.quantile(values, share)) for share in (0, 0.1, 0.5, 0.9, 0.99, 1)},
            "deviation": float(numpy.std(values, ddof=1)) if size > 1 else None,
        })
    return cases


def bootstraps():
    cases = []
    for size, statistic in ((8, numpy.mean), (12, numpy.mean), (12, numpy.median), (30, numpy.median)):
        values = random.lognormal(sigma=0.2, size=size)
        # Hesterberg's expanded percentiles: see src/statistics/bootstrap.rs.
        tail = stats.norm.cdf(-math.sqrt(size / (size - 1)) * stats.t.ppf(0.975, size - 1))
        found = stats.bootstrap((values,), statistic, n_resamples=200_000, confidence_level=1 - 2 * tail,
                                method="percentile", rng=random)
        cases.append({
            "values": values.tolist(),
            "statistic": statistic.__name__,
            "low": float(found.confidence_interval.low),
            "high": float(found.confidence_interval.high),
        })
    return cases


def clipped_sum(values, axis):
    """The statistic of src/statistics/signs.rs: the cut depends on the sizes only, which a permutation of signs keeps."""
    limit = 1.5 * numpy.median(numpy.abs(values), axis=axis, keepdims=True)
    return numpy.sum(numpy.clip(values, -limit, limit), axis=axis)


def signs():
    cases = []
    for size, shift in ((6, 0.0), (8, 1.0), (10, 0.3), (12, 0.7), (14, 0.0), (16, 0.4), (40, 0.2)):
        differences = random.normal(loc=shift, size=size)
        found = stats.permutation_test((differences,), clipped_sum, permutation_type="samples", vectorized=True,
                                       n_resamples=2 ** 16 if size <= 16 else 100_000, batch=4096, rng=random)
        cases.append({"differences": differences.tolist(), "exact": size <= 16, "p": float(found.pvalue)})
    return cases


def holm():
    cases = []
    for size in (1, 3, 8):
        values = random.uniform(0, 0.1, size=size)
        cases.append({"values": values.tolist(), "corrected": multipletests(values, method="holm")[1].tolist()})
    return cases


def powers():
    cases = []
    for deviation, effect, level in ((0.05, 0.05, 0.05), (0.1, 0.05, 0.01), (0.03, 0.02, 0.005), (0.2, 0.05, 0.05)):
        pairs = TTestPower().solve_power(effect_size=effect / deviation, alpha=level, power=0.9)
        # The efficiency of the test over signs beside t.
        cases.append({"deviation": deviation, "effect": effect, "level": level, "pairs": pairs / 0.9})
    return cases


def lines():
    x = random.uniform(10, 1000, size=9)
    y = 5e6 + 21_000 * x + random.normal(scale=1e5, size=9)
    found = stats.linregress(x, y)
    return [{"x": x.tolist(), "y": y.tolist(), "slope": float(found.slope), "intercept": float(found.intercept)}]


def law(clients, a, sigma, kappa):
    return a * clients / (1 + sigma * (clients - 1) + kappa * clients * (clients - 1))


def laws():
    cases = []
    wide = numpy.array([10, 20, 40, 80, 160, 320, 400, 450, 480, 640, 1280, 2560], dtype=float)
    near = numpy.array([1, 2, 4, 8, 12, 16, 24, 32], dtype=float)
    for loads, truth in (
        (near, (995.0, 0.0267, 0.000769)),
        (near, (50.0, 0.2, 0.0)),
        (wide, (2.0, 0.0005, 1e-6)),
        (wide, (1.0, 0.0, 0.0)),
        (wide, (12.0, 0.01, 2e-5)),
    ):
        for noise in (0.0, 0.01, 0.05):
            rates = law(loads, *truth) * (1 + noise * random.normal(size=len(loads)))
            bounds = ([1e-9, 0, 0], [numpy.inf, 1, numpy.inf])
            begin = [max(rates / loads), 0.01, 1e-5]
            found, _ = optimize.curve_fit(law, loads, rates, p0=begin, bounds=bounds, x_scale=[1, 1e-3, 1e-6],
                                          ftol=1e-15, xtol=1e-15, gtol=1e-15, max_nfev=100_000)
            cases.append({
                "loads": loads.tolist(),
                "rates": rates.tolist(),
                "lambda": float(found[0]),
                "sigma": float(found[1]),
                "kappa": float(found[2]),
                "squares": float(numpy.sum((rates - law(loads, *found)) ** 2)),
            })
    return cases


reference = {
    "made_with": {"scipy": scipy.__version__, "numpy": numpy.__version__, "statsmodels": statsmodels.__version__},
    "quantiles": quantiles(),
    "bootstraps": bootstraps(),
    "signs": signs(),
    "holm": holm(),
    "powers": powers(),
    "lines": lines(),
    "laws": laws(),
}
path = pathlib.Path(__file__).with_name("reference.json")
path.write_text(json.dumps(reference, indent=1) + "\n")
