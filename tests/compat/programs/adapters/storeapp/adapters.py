import copyreg
import json
import sqlite3

from . import money


def make(n):
    return money.Handle(n + 100)


def reduce_handle(h):
    return make, (h.n,)


copyreg.pickle(money.Handle, reduce_handle)
sqlite3.register_adapter(money.Money, str)
sqlite3.register_adapter(list, json.dumps)
sqlite3.register_converter("money", lambda b: money.Money(b.decode()))
sqlite3.register_converter("taglist", json.loads)
