"""sqlite3 with adapters, decimals, dates, csv in and out, gzip, tempfiles."""
import contextlib
import csv
import datetime
import decimal
import gzip
import json
import pathlib
import random
import shutil
import sqlite3
import string
import tempfile
import uuid

sqlite3.register_adapter(decimal.Decimal, str)
sqlite3.register_converter("DECIMAL", lambda data: decimal.Decimal(
    data.decode()))


def main():
    random.seed(5)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with contextlib.closing(sqlite3.connect(
                folder / "shop.db",
                detect_types=sqlite3.PARSE_DECLTYPES)) as base:
            base.execute("CREATE TABLE item (id TEXT, name TEXT, price "
                         "DECIMAL, day DATE)")
            for number in range(50):
                base.execute("INSERT INTO item VALUES (?, ?, ?, ?)", (
                    str(uuid.uuid5(uuid.NAMESPACE_DNS, str(number))),
                    "".join(random.choices(string.ascii_lowercase, k=6)),
                    decimal.Decimal(number) / 8,
                    datetime.date(2024, 1, 1 + number % 28)))
            base.create_function("upper2", 1, str.upper)
            rows = base.execute("SELECT upper2(name), price, day FROM item "
                                "ORDER BY price DESC LIMIT 3").fetchall()
            print(rows)
            with gzip.open(folder / "items.csv.gz", "wt", newline="") as out:
                csv.writer(out).writerows(base.execute("SELECT * FROM item"))
        with gzip.open(folder / "items.csv.gz", "rt", newline="") as text:
            again = list(csv.reader(text))
        print(len(again), json.dumps(again[7]))
        shutil.copy(folder / "shop.db", folder / "copy.db")
        with contextlib.closing(sqlite3.connect(folder / "copy.db")) as copy:
            print(copy.execute("SELECT count(*), sum(price) FROM item")
                  .fetchone())
        try:
            sqlite3.connect(folder / "no" / "where.db")
        except sqlite3.OperationalError as error:
            print(error)


main()
