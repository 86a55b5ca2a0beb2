"""Reads back what sockrates has written of latencies, by another implementation of HdrHistogram.

usage: read_back.py RESULT.json FOLDER LOG

RESULT.json  a result of `sockrates run`
FOLDER       what `sockrates report RESULT.json --hgrm FOLDER` has written
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
    return [line.split()[:3] for line in lines]


def footer(text):
    """The numbers of the lines that begin with #."""
    words = " ".join(line for line in text.splitlines() if line.startswith("#"))
    return [float(word.strip("],")) for word in words.split() if word.strip("],").replace(".", "", 1).isdigit()]


def distributions(result, folder):
    """Compares each file with what this implementation makes of the stored histogram."""
    found = {}
    for metric in result["metrics"]:
        histogram = HdrHistogram.decode(metric["histogram"].encode())
        ours = [path for path in folder.iterdir() if path.name.endswith(f".{metric['name']}.hgrm")]
        ours = sorted(ours, key=lambda path: len(path.name))[0].read_text()
        theirs = io.BytesIO()
        histogram.output_percentile_distribution(theirs, 1000.0)
        theirs = theirs.getvalue().decode()
        if rows(ours) != rows(theirs):
            sys.exit(f"{metric['name']}: the rows differ\n{ours}\n{theirs}")
        near = zip(footer(ours), footer(theirs))
        # The standard deviation is theirs in microseconds; the mean is ours without rounding.
        for place, (one, other) in enumerate(near):
            if place != 1 and abs(one - other) > 0.002 * max(other, 1.0):
                sys.exit(f"{metric['name']}: the footers differ\n{ours}\n{theirs}")
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
    result = json.loads(result.read_text())["results"][0]
    print(json.dumps({"rows": distributions(result, folder), "tags": intervals(log)}))


main()
