# needs: python3-sqlalchemy
# packages: sqlalchemy
"""SQLAlchemy's mapper: relationships, inheritance, hybrid attributes, events,
loading strategies, custom types, association proxies, extensions.
"""
import pickle

import sqlalchemy as sa
import sqlalchemy.exc
import sqlalchemy.ext.hybrid
from sqlalchemy import Column, ForeignKey, Integer, String, Table, event
from sqlalchemy import func, inspect, select
from sqlalchemy.ext.associationproxy import association_proxy
from sqlalchemy.ext.mutable import MutableDict
from sqlalchemy.ext.orderinglist import ordering_list
from sqlalchemy.orm import Session, aliased, backref, column_property
from sqlalchemy.orm import declarative_base, joinedload, relationship
from sqlalchemy.orm import selectinload, subqueryload, validates
from sqlalchemy.orm.collections import attribute_mapped_collection
from sqlalchemy.types import JSON, TypeDecorator

Base = declarative_base()
tagged = Table("tagged", Base.metadata,
               Column("item", ForeignKey("item.id"), primary_key=True),
               Column("tag", ForeignKey("tag.id"), primary_key=True))


class Upper(TypeDecorator):
    impl = String
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value and value.upper()


class Tag(Base):
    __tablename__ = "tag"
    id = Column(Integer, primary_key=True)
    name = Column(Upper(9), unique=True)

    def __init__(self, name):
        self.name = name


class Item(Base):
    __tablename__ = "item"
    id = Column(Integer, primary_key=True)
    kind = Column(String(9))
    name = Column(String(9), nullable=False)
    price = Column(sa.Numeric(9, 2), default=1)
    data = Column(MutableDict.as_mutable(JSON), default=dict)
    tag_rows = relationship(Tag, secondary=tagged, backref="items",
                            order_by=Tag.name)
    tags = association_proxy("tag_rows", "name")
    loud = column_property(func.upper(name))
    __mapper_args__ = {"polymorphic_on": kind, "polymorphic_identity": "item"}

    @validates("name")
    def check_name(self, key, value):
        if not value:
            raise ValueError(f"no {key}")
        return value

    @sqlalchemy.ext.hybrid.hybrid_property
    def cheap(self):
        return self.price < 5

    @cheap.expression
    def cheap(cls):
        return cls.price < 5


class Book(Item):
    __tablename__ = "book"
    id = Column(ForeignKey("item.id"), primary_key=True)
    pages = Column(Integer)
    chapters = relationship("Chapter", order_by="Chapter.position",
                            collection_class=ordering_list("position"),
                            cascade="all, delete-orphan",
                            backref=backref("book"))
    notes = relationship("Note", collection_class=attribute_mapped_collection(
        "key"))
    __mapper_args__ = {"polymorphic_identity": "book"}


class Chapter(Base):
    __tablename__ = "chapter"
    id = Column(Integer, primary_key=True)
    book_id = Column(ForeignKey("book.id"))
    position = Column(Integer)
    title = Column(String)


class Note(Base):
    __tablename__ = "note"
    id = Column(Integer, primary_key=True)
    book_id = Column(ForeignKey("book.id"))
    key = Column(String)


@event.listens_for(Session, "before_flush")
def flushing(session, context, instances):
    print("flush", len(session.new), len(session.dirty))


def main():
    engine = sa.create_engine("sqlite://", future=True)
    Base.metadata.create_all(engine)
    with Session(engine, future=True) as session:
        red, blue = Tag("red"), Tag("blue")
        book = Book(name="sea", price=9, pages=300, tag_rows=[red, blue])
        book.chapters += [Chapter(title="a"), Chapter(title="c")]
        book.chapters.insert(1, Chapter(title="b"))
        book.notes["k"] = Note(key="k")
        session.add_all([book, Item(name="pen", price=2, tag_rows=[red])])
        session.commit()
        book.data["seen"] = 1
        print([c.position for c in book.chapters], list(book.tags), book.loud)
        session.commit()
        for option in (joinedload, selectinload, subqueryload):
            query = select(Book).options(option(Book.chapters))
            found = session.execute(query).unique().scalars().one()
            print(option.__name__, len(found.chapters), found.data)
        print(session.scalars(select(Item.name).where(Item.cheap)).all(),
              session.query(Item).filter(Item.tags == "RED").count(),
              session.scalars(select(Item).order_by(Item.id)).all()[0].kind)
        other = aliased(Item)
        pairs = select(Item.name, other.name).join(
            other, Item.price > other.price)
        print(session.execute(pairs).all(), session.execute(
            select(Tag.name, func.count()).join(Tag.items).group_by(
                Tag.name).order_by(Tag.name)).all())
        again = pickle.loads(pickle.dumps(session.get(Item, 2)))
        print(again.name, inspect(again).detached, inspect(Book).local_table)
        for bad in (lambda: Item(name=""), lambda: Item(nope=1),
                    lambda: session.execute(select(Item)).scalar_one(),
                    lambda: session.query(Item).filter_by(zzz=1)):
            try:
                bad()
            except (ValueError, TypeError, sqlalchemy.exc.SQLAlchemyError) as e:
                print(type(e).__name__, str(e).splitlines()[0][:60])
        session.add(Tag("red"))
        try:
            session.flush()
        except sa.exc.IntegrityError as error:
            session.rollback()
            print(error.orig, session.is_active)
        session.delete(session.get(Book, 1))
        session.commit()
        print(session.query(Chapter).count(), sorted(
            Item.__mapper__.polymorphic_map), Base.registry.mappers and True)


if __name__ == "__main__":
    main()
