# needs: python3-pymysql python3-psycopg2 python3-asyncpg
# packages: pymysql psycopg2 asyncpg
"""Drivers for MySQL and PostgreSQL without their servers: quoting, adapting,
composition, types, errors by code, wire packets of a small fake server.
"""
import asyncio
import datetime
import decimal
import pickle
import socket
import struct
import threading
import uuid

import asyncpg
import asyncpg.exceptions
import asyncpg.types
import psycopg2.extensions
import psycopg2.extras
import pymysql
import pymysql.cursors
from asyncpg import connect_utils, utils
from asyncpg.pgproto import types as pgtypes
from asyncpg.protocol import protocol as pgprotocol
from psycopg2 import errorcodes, errors, pool, sql, tz
from psycopg2.extensions import AsIs, adapt, make_dsn, new_type, parse_dsn
from psycopg2.extensions import register_adapter, register_type
from psycopg2.extras import Json, NamedTupleCursor, NumericRange, RealDictRow
from pymysql import converters, err, times
from pymysql.charset import charset_by_name
from pymysql.constants import CLIENT, ER, FIELD_TYPE
from pymysql.cursors import DictCursor, SSCursor
from pymysql.protocol import MysqlPacket


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __conform__(self, protocol):
        if protocol is psycopg2.extensions.ISQLQuote:
            return AsIs(f"'({self.x},{self.y})'")


class Loud(DictCursor):
    def _do_get_result(self):
        super()._do_get_result()
        if self._rows:
            self._rows = [{k.upper(): v for k, v in r.items()}
                          for r in self._rows]


def packet(number, body):
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


def column(name, kind):
    body = b"".join(bytes([len(t)]) + t for t in (
        b"def", b"", b"t", b"t", name, name))
    return body + b"\x0c" + struct.pack("<HIBHBxx", 33, 20, kind, 0, 0)


def fake_mysql(listener):
    link, _ = listener.accept()
    link.sendall(packet(0, b"\x0a5.7.0\0" + struct.pack("<I", 1) + b"12345678\0"
                        + struct.pack("<HBHHB", 0xF7FF, 33, 2, 0x000F, 21)
                        + b"\0" * 10 + b"123456789012\0mysql_native_password\0"))
    ok, eof = b"\0\0\0\2\0\0\0", b"\xfe\0\0\2\0"
    link.recv(1000)
    link.sendall(packet(2, ok))
    while data := link.recv(1000):
        query = data[5:]
        if data[4] == 1:
            break
        if query.startswith(b"SELECT"):
            rows = [b"\1" + b"7" + b"\5hello", b"\xfb\0"]
            parts = [b"\2", column(b"id", FIELD_TYPE.LONG), column(
                b"text", FIELD_TYPE.VAR_STRING), eof, *rows, eof]
            link.sendall(b"".join(packet(n, p) for n, p in enumerate(parts, 1)))
        elif query.startswith(b"INSERT"):
            link.sendall(packet(1, b"\xff" + struct.pack("<H", ER.DUP_ENTRY)
                                + b"#23000Duplicate"))
        else:
            link.sendall(packet(1, ok))
    link.close()


def mysql():
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=fake_mysql, args=(listener,), daemon=True)
    thread.start()
    link = pymysql.connect(host="127.0.0.1", port=listener.getsockname()[1],
                           user="u", password="p", cursorclass=Loud)
    with link.cursor() as cursor:
        print(cursor.execute("SELECT %s, %s", (1, "it's")), cursor.fetchall(),
              cursor.description[0][:2], cursor.mogrify("x %(a)s", {"a": None}))
        try:
            cursor.execute("INSERT INTO t VALUES (%s)", [b"\0"])
        except pymysql.IntegrityError as error:
            print(error, isinstance(error, pymysql.DatabaseError))
    with link.cursor(SSCursor) as cursor:
        cursor.execute("SELECT 1")
        print(list(cursor), link.get_server_info(), link.server_status)
    link.commit()
    link.close()
    thread.join(5)
    try:
        pymysql.connect(host="127.0.0.1", port=1)
    except err.OperationalError as error:
        print(error.args[0])
    print(converters.escape_item(datetime.timedelta(1, 5), "utf8"),
        converters.escape_item(decimal.Decimal("1.0"), "utf8"), converters.convert_datetime("2020-01-02 03:04:05"),
        charset_by_name("utf8mb4").is_default, err.error_map[ER.NO_SUCH_TABLE],
        MysqlPacket(b"\xfc\1\2", "utf8").read_length_encoded_integer(),
        times.Date(2020, 1, 2), bool(CLIENT.CAPABILITIES),
        pymysql.install_as_MySQLdb() is None)


def postgres():
    print(adapt("it's \\"), adapt([1, None, 2.5, "x"]), adapt(Point(1, 2)),
          adapt(datetime.date(2020, 1, 2)), adapt(b"\x01"), adapt(True),
          NumericRange(1, 5),
          Json({"a": 1}).dumps({"b": 2}))
    register_adapter(uuid.UUID, lambda u: AsIs(f"'{u}'::uuid"))
    kind = new_type((700,), "HALF", lambda value, cursor: float(value) / 2)
    register_type(kind)
    print(adapt(uuid.UUID(int=5)), kind("5", None), kind == 700,
          psycopg2.extensions.INTEGER("7", None), psycopg2.extensions.DATE(
              "2020-01-02", None), psycopg2.extensions.UNICODEARRAY("{a,b}", None))
    query = sql.SQL("select {} from {} where {} = {}").format(
        sql.SQL(", ").join(map(sql.Identifier, ["a", "b"])),
        sql.Identifier("s", "t"), sql.Placeholder("k"), sql.Literal(1))
    print(query, sql.Composed([sql.SQL("x")]) + sql.SQL("y"))
    print(make_dsn("dbname=a", user="b c"), parse_dsn("postgresql://u@h:1/d"),
          errorcodes.lookup("23505"), errors.lookup("42P01").__mro__[1].__name__,
          tz.FixedOffsetTimezone(60), RealDictRow([("a", 1)])["a"])
    for make in (lambda: psycopg2.connect("host=127.0.0.1 port=1"),
                 lambda: adapt(object()), lambda: parse_dsn("nonsense"),
                 lambda: pool.SimpleConnectionPool(1, 2, port=1,
                                                   host="127.0.0.1")):
        try:
            make()
        except psycopg2.Error as error:
            print(type(error).__name__, error.pgcode)
    again = pickle.loads(pickle.dumps(psycopg2.ProgrammingError("m")))
    print(type(again).__name__, NamedTupleCursor.__name__)


async def asynchronous():
    for code in ("23505", "42601", "XX000", "99999"):
        error = asyncpg.exceptions.PostgresError.new({"C": code, "M": "text"})
        print(type(error).__name__, error.sqlstate, error)
    try:
        await asyncpg.connect(host="127.0.0.1", port=1, user="u", timeout=1)
    except OSError as error:
        print(type(error).__name__)
    try:
        await asyncpg.connect("http://h")
    except Exception as error:
        print(type(error).__name__, isinstance(error, ValueError))
    print(asyncpg.Range(1, 5, upper_inc=True), asyncpg.types.Point(1, 2),
          asyncpg.Box((1, 2), (3, 4)), asyncpg.BitString("101").to_int(),
          pgtypes.Circle((0, 0), 1), connect_utils.SSLMode.parse("prefer").name,
          utils._quote_ident('a"b'), pgprotocol.Record.__name__)


if __name__ == "__main__":
    mysql()
    postgres()
    asyncio.run(asynchronous())
