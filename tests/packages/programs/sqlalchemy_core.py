# needs: python3-sqlalchemy python3-pymysql python3-psycopg2
# packages: sqlalchemy
"""SQLAlchemy's core: dialects by name, compilation, custom constructs, types,
reflection, pools, events and errors.
"""
import pickle

import sqlalchemy.dialects.mysql
import sqlalchemy.sql.functions as functions
from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Enum
from sqlalchemy import Index, Integer, MetaData, Sequence, String, Table, Text
from sqlalchemy import UniqueConstraint, bindparam, case, cast, create_engine
from sqlalchemy import exc, func, inspect, literal, text, union_all
from sqlalchemy import event, sql, types
from sqlalchemy.dialects import mysql, postgresql, registry, sqlite
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.engine import make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import QueuePool, StaticPool
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable
from sqlalchemy.sql import visitors
from sqlalchemy.sql.expression import ColumnElement, Executable

META = MetaData(naming_convention={"uq": "uq_%(table_name)s",
                                   "ix": "ix_%(column_0_label)s"})
USERS = Table("users", META, Column("id", BigInteger().with_variant(
    Integer, "sqlite"), Sequence("s"), primary_key=True),
    Column("name", String(20), nullable=False, index=True),
    Column("kind", Enum("a", "b", name="kind")), Column("at", DateTime),
    Column("bio", Text().with_variant(mysql.LONGTEXT, "mysql")),
    CheckConstraint("id > 0", name="positive"), UniqueConstraint("name"))


class Greatest(ColumnElement):
    inherit_cache = True
    type = Integer()

    def __init__(self, *parts):
        self.parts = parts


@compiles(Greatest)
def greatest(element, compiler, **kw):
    return "greatest(%s)" % ", ".join(compiler.process(p, **kw)
                                      for p in element.parts)


@compiles(Greatest, "sqlite")
def greatest_sqlite(element, compiler, **kw):
    return greatest(element, compiler, **kw).replace("greatest", "max")


class shout(functions.GenericFunction):
    type = String()
    inherit_cache = True


def one_line(text):
    return " ".join(str(text).split())


def main():
    for url in ("postgresql+psycopg2://u:p@h/d?x=1", "mysql+pymysql://h:1/d",
                "sqlite://", "oracle://h", "mssql+pyodbc://dsn", "nope://x"):
        try:
            dialect = make_url(url).get_dialect()()
            print(make_url(url).render_as_string(), dialect.name,
                  dialect.driver, dialect.max_identifier_length)
            print(one_line(CreateTable(USERS).compile(dialect=dialect)))
        except exc.ArgumentError as error:
            print(type(error).__name__, error)
    query = sql.select(USERS.c.id, case((USERS.c.id > 3, "big"), else_="small"),
                       func.shout(USERS.c.name).label("s"),
                       func.row_number().over(order_by=USERS.c.id)).where(
        USERS.c.name.like("a%"), USERS.c.kind.in_(["a", "b"])).limit(3)
    for dialect in (postgresql.dialect(), mysql.dialect(), sqlite.dialect()):
        print(one_line(query.compile(dialect=dialect, compile_kwargs={
            "literal_binds": True})))
        print(one_line(sql.select(Greatest(USERS.c.id, literal(2))).compile(
            dialect=dialect)))
    upsert = insert(USERS).values(name="x").on_conflict_do_update(
        index_elements=["name"], set_={"bio": "b"})
    print(one_line(upsert.compile(dialect=postgresql.dialect())),
          one_line(sql.select(cast(bindparam("j"), JSONB)["k"].astext,
                              cast([1], ARRAY(Integer))).compile(
              dialect=postgresql.dialect())))
    print(registry.load("sqlite.pysqlite").name, isinstance(
        registry.load("mysql"), type), sqlalchemy.dialects.__all__)
    engine = create_engine("sqlite://", poolclass=StaticPool)
    seen = []
    event.listen(engine, "before_cursor_execute",
                 lambda c, cur, statement, *rest: seen.append(statement))
    META.create_all(engine)
    with engine.begin() as link:
        link.execute(USERS.insert(), [{"name": n, "kind": "a"} for n in "xyz"])
        print(link.execute(union_all(sql.select(USERS.c.name), sql.select(
            literal("w"))).order_by("name")).scalars().all())
        print(link.execute(text("select max(id), :v from users"),
                           {"v": "v"}).mappings().one())
        nested = link.begin_nested()
        print(link.execute(USERS.delete()).rowcount)
        nested.rollback()
        print(link.scalar(sql.select(func.count()).select_from(USERS)))
        print(link.scalar(sql.select(Greatest(literal(1), literal(7)))))
    looked = inspect(engine)
    mirror = MetaData()
    mirror.reflect(bind=engine)
    print([c["name"] for c in looked.get_columns("users")],
          [i["name"] for i in looked.get_indexes("users")], len(seen) > 5)
    copy = pickle.loads(pickle.dumps(mirror))
    print(sorted(copy.tables), repr(mirror.tables["users"].c.name.type),
          one_line(CreateIndex(Index("i", USERS.c.at)).compile()),
          one_line(AddConstraint(UniqueConstraint(USERS.c.at)).compile()))
    print([v.__visit_name__ for v in visitors.iterate(USERS.c.id == 1)],
          QueuePool(lambda: None, pool_size=2).size(), types.String(3),
          isinstance(text("x"), Executable))
    for bad in ("select nope", "insert into users(name) values ('x')"):
        try:
            engine.execute(bad)
        except exc.DBAPIError as error:
            print(type(error).__name__, error.orig, pickle.loads(
                pickle.dumps(error)).statement)


if __name__ == "__main__":
    main()
