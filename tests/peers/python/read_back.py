"""Reads back what sockrates has written of latencies, by another implementation of HdrHistogram.

usage: read_back.py RESULT.json FOLDER LOG

RESULT.json  a result of `sockrates run`
FOLDER       what `sockrates report RESULT.json --hgrm FOLDER` has written, of a scenario a.yaml
LOG          what `sockrates report RESULT.json --hlog LOG` has written

Prints a line of JSON with what was found, or says what differs and ends with 1.
"""

import io
import json
import pathlib
import sys

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader


def rows(text):
    """Value, share and count of each row of a percentile distribution."""
    lines = [line for line in text.splitlines()[2:] if line and not line.startswith("#")]
    return [[float(cell) for cell in line.split()[:3]] for line in lines]


def footer(text):
    """The numbers of the lines that begin with #."""
    words = " ".join(line for line in text.splitlines() if line.startswith("#"))
    return [float(word.strip("],")) for word in words.split() if word.strip("],").replace(".", "", 1).isdigit()]


def differences(ours, histogram):
    """What is not so in a distribution, by this implementation.

    It takes other steps from one percentile to the next than that of Java, which is the model for ours: so each row is
    examined for itself.
    """
    seen, counts = 0, {}
    for bucket in histogram.get_recorded_iterator():
        before, seen = seen, seen + bucket.count_at_value_iterated_to
        counts[round(bucket.value_iterated_to)] = (before, seen)
    for value, share, count in rows(ours):
        before, up_to = counts.get(round(value * 1000), (None, None))
        if up_to != count:
            yield f"{up_to} values are not longer than {value} ms, not {count}"
        elif not before / seen <= share <= up_to / seen + 1e-9:
            yield f"{value} ms has the share {up_to / seen}, not {share}"
    if rows(ours)[-1][1:] != [1.0, seen]:
        yield f"the last row is {rows(ours)[-1]}, and there are {seen} values"
    theirs = io.BytesIO()
    histogram.output_percentile_distribution(theirs, 1000.0)
    theirs = theirs.getvalue().decode()
    if ours.splitlines()[:2] != theirs.splitlines()[:2]:
        yield f"the head is {ours.splitlines()[:2]}, not {theirs.splitlines()[:2]}"
    names = ["mean", "deviation", "greatest", "count", "buckets", "sub-buckets"]
    for name, one, other in zip(names, footer(ours), footer(theirs), strict=True):
        # Their deviation is in microseconds. Our mean and our greatest value are exact.
        other = other / 1000 if name == "deviation" else other
        if abs(one - other) > max(0.01 * other, 0.002):
            yield f"the {name} is {one}, not {other}"


def distributions(result, folder):
    """Examines the file of each series against the stored histogram."""
    found = {}
    for metric in result["metrics"]:
        histogram = HdrHistogram.decode(metric["histogram"].encode())
        ours = (folder / f"a.{metric['name']}.hgrm").read_text()
        if wrong := list(differences(ours, histogram)):
            sys.exit("\n".join([metric["name"], *wrong, ours]))
        found[metric["name"]] = len(rows(ours))
    return found


def intervals(log):
    """How many values each tag has, and when its first interval begins, in seconds since 1970."""
    reader = HistogramLogReader(str(log), HdrHistogram(1, 120_000_000, 3))
    found = {}
    while (histogram := reader.get_next_interval_histogram()) is not None:
        begin = histogram.get_start_time_stamp() / 1000.0
        tag = found.setdefault(histogram.get_tag(), {"count": 0, "begin": begin, "intervals": 0})
        tag["count"] += histogram.get_total_count()
        tag["intervals"] += 1
    return found


def main():
    result, folder, log = (pathlib.Path(argument) for argument in sys.argv[1:])
    result = json.loads(result.read_text())["body"][0]
    print(json.dumps({"rows": distributions(result, folder), "tags": intervals(log)}))


main()
