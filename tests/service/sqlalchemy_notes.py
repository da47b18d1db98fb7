"""SQLAlchemy behind WSGI on 127.0.0.1: related tables, a session a request.

    sqlalchemy_notes.py [PORT-FILE]
"""
import html
import json
import os
import sys
import wsgiref.simple_server

from sqlalchemy import (Column, ForeignKey, Integer, String, create_engine,
                        event, func, select)
from sqlalchemy.orm import Session, declarative_base, joinedload, relationship
from sqlalchemy.pool import StaticPool

try:
    import lazycore
except ImportError:
    lazycore = None

Base = declarative_base()
engine = create_engine("sqlite://", future=True, poolclass=StaticPool)


class Topic(Base):
    __tablename__ = "topic"
    id = Column(Integer, primary_key=True)
    name = Column(String(40), unique=True, nullable=False)
    notes = relationship("Note", back_populates="topic")


class Note(Base):
    __tablename__ = "note"
    id = Column(Integer, primary_key=True)
    text = Column(String, nullable=False)
    topic_id = Column(ForeignKey("topic.id"), nullable=False)
    topic = relationship("Topic", back_populates="notes")


@event.listens_for(Note, "before_insert")
def strip(mapper, connection, note):
    note.text = note.text.strip()


def index(session):
    notes = session.scalars(
        select(Note).options(joinedload(Note.topic)).order_by(Note.id))
    items = "".join(
        "<li>%s: %s</li>" % (note.topic.name, html.escape(note.text))
        for note in notes)
    return "text/html", "<ul>%s</ul>" % items


def health(session):
    topic = session.scalars(
        select(Topic).where(Topic.name == "health")).one_or_none()
    topic = topic or Topic(name="health")
    topic.notes.append(Note(text=" still <here> "))
    session.add(topic)
    session.commit()
    count = session.scalar(
        select(func.count()).select_from(Note).join(Note.topic)
        .where(Topic.name == "health"))
    return "application/json", json.dumps({"ok": count > 0, "notes": count})


ROUTES = {"/": index, "/health": health}


def application(environ, start_response):
    if environ["PATH_INFO"] not in ROUTES:
        start_response("404 Not Found", [])
        return []
    with Session(engine, future=True) as session:
        kind, text = ROUTES[environ["PATH_INFO"]](session)
    start_response("200 OK", [("Content-Type", kind)])
    return [text.encode()]


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, form, *values):
        pass


def main():
    Base.metadata.create_all(engine)
    server = wsgiref.simple_server.make_server(
        "127.0.0.1", 0, application, handler_class=Handler)
    if len(sys.argv) > 1:
        with open(sys.argv[1] + ".new", "w") as out:
            out.write("%d\n" % server.server_port)
        os.replace(sys.argv[1] + ".new", sys.argv[1])
    if lazycore is not None:
        lazycore.ready()
    server.serve_forever()


if __name__ == "__main__":
    main()
