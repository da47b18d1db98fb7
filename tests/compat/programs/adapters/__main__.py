"""sqlite3 adapters and converters, codecs registered by the application,
decimal contexts, shelve, copyreg, locale, gettext.
"""
import codecs
import copyreg
import dbm
import decimal
import gettext
import io
import locale
import os
import pickle
import shelve
import sqlite3
import struct
import tempfile
from array import array
from datetime import date, datetime, timezone

import storeapp.codec
import storeapp.adapters
from storeapp import money


def database():
    con = sqlite3.connect(
        ":memory:",
        detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES,
    )
    con.row_factory = sqlite3.Row
    con.execute("create table t(m money, d date, tags taglist)")
    con.execute(
        "insert into t values(?, ?, ?)",
        (money.Money("1.10"), date(2020, 1, 2), ["a", "b"]),
    )
    row = con.execute("select *, d as 'x [date]' from t").fetchone()
    print(tuple(row), row.keys())
    con.create_function("dbl", 1, lambda v: v * 2, deterministic=True)
    con.create_collation("rev", lambda a, b: (a < b) - (a > b))
    print(
        con.execute("select dbl(21)").fetchone()[0],
        [
            r[0]
            for r in con.execute(
                "select column1 from (values('a'),('c'),('b')) order by 1 collate rev"
            )
        ],
    )
    try:
        con.execute("select nothing")
    except sqlite3.OperationalError as exc:
        print(exc, exc.sqlite_errorname)
    print(list(con.iterdump())[1])


def files():
    path = os.path.join(tempfile.mkdtemp(), "s")
    with shelve.open(path, writeback=True) as db:
        db["m"] = money.Money("2.5")
        db["l"] = [1]
        db["l"].append(date(2001, 2, 3))
    with shelve.open(path, "r") as db:
        print(db["m"], db["l"], sorted(db))
    print(dbm.whichdb(path) is not None)
    catalog = struct.pack("<7I", 0x950412DE, 0, 2, 28, 44, 0, 0)
    ids = [b"", b"hello"]
    strs = [
        b"Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n!=1;\n",
        "hallö".encode(),
    ]
    table, data, at = b"", b"", 60
    for texts in (ids, strs):
        for text in texts:
            table += struct.pack("<2I", len(text), at)
            data += text + b"\0"
            at += len(text) + 1
    t = gettext.GNUTranslations(io.BytesIO(catalog + table + data))
    print(t.gettext("hello"), t.ngettext("one", "many", 2))
    locale.setlocale(locale.LC_ALL, "C")
    print(
        locale.format_string("%.2f", 1234.5, grouping=True),
        locale.localeconv()["decimal_point"],
    )


def main():
    database()
    files()
    print(
        codecs.encode("Abc", "swap-x"),
        b"Abc".decode("swap-x"),
        "é!".encode("ascii", "storeapp.mark"),
    )
    print(list(codecs.iterdecode([b"hI", b"Z"], "swap-x")))
    with decimal.localcontext(
        decimal.Context(prec=3, rounding=decimal.ROUND_UP)
    ):
        print(decimal.Decimal(1) / 7, money.half("0.125"))
    print(decimal.Decimal(1) / 7, money.half("0.125"))
    print(
        pickle.loads(pickle.dumps(money.Handle(3))),
        copyreg.dispatch_table[money.Handle].__name__,
    )
    print(
        array("d", [1.5]).tobytes().hex(),
        datetime(2020, 1, 1, tzinfo=timezone.utc).isoformat(),
    )


if __name__ == "__main__":
    main()
    print("done")
