"""Reads an access log, sums it up, writes csv, json and a zip of both."""
import argparse
import collections
import csv
import datetime
import io
import ipaddress
import json
import logging
import re
import statistics
import sys
import textwrap
import zipfile

LINE = re.compile(r'(\S+) \[([^]]+)\] "(\w+) (\S+)" (\d+) (\d+)')


def sample():
    for n in range(400):
        stamp = datetime.datetime(2024, 5, 1) + datetime.timedelta(minutes=n)
        yield '10.0.%d.%d [%s] "%s %s" %d %d' % (
            n % 4, n % 17, stamp.isoformat(), ("GET", "POST")[n % 5 == 0],
            "/item/%d" % (n % 7), (200, 404, 500)[n % 11 % 3], 100 + n * 3)


def read(lines):
    for line in lines:
        address, stamp, method, path, status, size = LINE.match(line).groups()
        yield (ipaddress.ip_address(address),
               datetime.datetime.fromisoformat(stamp), method, path,
               int(status), int(size))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--top", type=int, default=3)
    options = parser.parse_args([])
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s: %(message)s")
    rows = list(read(sample()))
    networks = collections.Counter(
        str(ipaddress.ip_network((int(row[0]) & ~255, 24))) for row in rows)
    sizes = [row[5] for row in rows]
    summary = {"rows": len(rows), "mean": statistics.fmean(sizes),
               "median": statistics.median(sizes),
               "networks": networks.most_common(options.top),
               "hours": sorted({row[1].hour for row in rows}),
               "failed": sum(row[4] >= 500 for row in rows)}
    table = io.StringIO()
    csv.writer(table).writerows((row[3], row[4]) for row in rows[:5])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("summary.json", json.dumps(summary, sort_keys=True))
        out.writestr("rows.csv", table.getvalue())
    with zipfile.ZipFile(archive) as back:
        for name in back.namelist():
            print(name, textwrap.shorten(back.read(name).decode(), 200))
    logging.getLogger("report").warning("%d rows", len(rows))


main()
