# needs: python3-peewee
# packages: peewee playhouse
"""Peewee models on sqlite with the extensions of playhouse: migrations, full
text search, hybrids, signals, data sets, pools and reflection.
"""
import datetime
import decimal
import pickle

import peewee
import playhouse.db_url
import playhouse.shortcuts as shortcuts
from peewee import CharField, ForeignKeyField, IntegrityError, Model
from peewee import SQL, Case, Value, fn, prefetch
from playhouse import dataset, kv, migrate, reflection, signals
from playhouse.fields import CompressedField, PickleField
from playhouse.flask_utils import get_next_url
from playhouse.hybrid import hybrid_method, hybrid_property
from playhouse.pool import PooledSqliteDatabase
from playhouse.sqlite_ext import FTS5Model, JSONField, SearchField
from playhouse.sqlite_ext import SqliteExtDatabase

db = SqliteExtDatabase(":memory:", pragmas={"foreign_keys": 1})
proxy = peewee.DatabaseProxy()


class Base(signals.Model):
    class Meta:
        database = proxy
        legacy_table_names = False


class LowerField(CharField):
    def db_value(self, value):
        return super().db_value(value and value.lower())


class Person(Base):
    name = LowerField(unique=True)
    born = peewee.DateField(null=True)
    money = peewee.DecimalField(default=decimal.Decimal("0.0"))

    @hybrid_property
    def initial(self):
        return self.name[0]

    @initial.expression
    def initial(cls):
        return fn.SUBSTR(cls.name, 1, 1)

    @hybrid_method
    def richer(self, than):
        return self.money > than


class Note(Base):
    owner = ForeignKeyField(Person, backref="notes", on_delete="CASCADE")
    text = peewee.TextField(index=True)
    data = JSONField(default=dict)
    packed = CompressedField(null=True)
    any = PickleField(null=True)
    parent = ForeignKeyField("self", null=True, backref="children")

    class Meta:
        indexes = ((("owner", "text"), True),)


class Index(FTS5Model):
    body = SearchField()

    class Meta:
        database = db


@signals.post_save(sender=Note)
def saved(model, instance, created):
    if created:
        print("saved", instance.text)


@db.func("reversed")
def backwards(text):
    return text[::-1]


def main():
    proxy.initialize(db)
    db.create_tables([Person, Note, Index])
    ann = Person.create(name="Ann", born=datetime.date(2000, 1, 2), money=5)
    bob = Person.create(name="Bob")
    top = Note.create(owner=ann, text="top", data={"a": {"b": [1, 2]}})
    Note.create(owner=ann, text="sub", parent=top, packed=b"z" * 50, any={1})
    Note.insert_many([{"owner": bob, "text": t} for t in "xy"]).execute()
    query = (Person.select(Person.name, fn.COUNT(Note.id).alias("n"))
             .join(Note, peewee.JOIN.LEFT_OUTER).group_by(Person)
             .having(SQL("n") > 1).order_by(Person.name.desc()))
    print(query.sql()[0], list(query.dicts()))
    print([p.name for p in Person.select().where(Person.initial == "b")],
          Person.select().where(Person.richer(1)).count(),
          Note.select(Note.data["a"]["b"][1]).where(Note.id == 1).scalar(),
          Note.get(Note.text == "sub").any, [c.text for c in top.children],
          [len(p.notes) for p in prefetch(Person.select(), Note)])
    print(shortcuts.model_to_dict(top, recurse=False),
          shortcuts.dict_to_model(Person, {"name": "c"}).name,
          Person.select(Case(None, [(Person.money > 1, "rich")], "poor")
                        ).order_by(Person.id).tuples()[:])
    Index.insert_many([{"body": "lazy import"}, {"body": "eager"}]).execute()
    print([r.body for r in Index.search("import")],
          Person.select(fn.reversed(Person.name)).scalar(), Value(1).value)
    for bad in (lambda: Person.create(name="ANN"),
                lambda: Person.get(name="zed"),
                lambda: Note.create(owner=99, text="q"),
                lambda: db.execute_sql("nonsense")):
        try:
            with db.atomic():
                bad()
        except (IntegrityError, Person.DoesNotExist,
                peewee.OperationalError) as error:
            print(type(error).__name__, str(error).splitlines()[0])
    mover = migrate.SqliteMigrator(db)
    migrate.migrate(mover.add_column("person", "age", peewee.IntegerField(
        default=3)), mover.rename_column("note", "text", "words"),
        mover.drop_index("note", "note_text"))
    found = reflection.Introspector.from_database(db).generate_models()
    print(sorted(found["person"]._meta.fields), found["note"].words.name)
    print(ann.delete_instance(recursive=True), Note.select(
        Note.id).count(), pickle.loads(pickle.dumps(bob)).name)
    store = kv.KeyValue(database=SqliteExtDatabase(":memory:"))
    store["k"] = {"v": 1}
    print(store["k"], "q" in store, store.pop("k"), len(store))
    rows = dataset.DataSet("sqlite:///:memory:")["t"]
    rows.insert(name="n", age=1)
    rows.update(name="n", age=2, columns=["name"])
    print(list(rows.find(age=2)) == [{"id": 1, "name": "n", "age": 2}],
          sorted(rows.columns))
    pool = playhouse.db_url.connect("sqlite+pool:///:memory:?max_connections=2")
    with pool.connection_context():
        print(isinstance(pool, PooledSqliteDatabase), pool.get_tables())
    print(playhouse.db_url.parse("postgres://u:p@h:1/d"),
          get_next_url.__name__, issubclass(Note, Model))


if __name__ == "__main__":
    main()
